#ifndef LUCIE_HTML_HTML_HEAD_H
#define LUCIE_HTML_HTML_HEAD_H
/*
 * Elements that belong into a head and may come anywhere, and the choice of an insertion mode, for the
 * modes of the tree builder (HTML standard, 13.2.4.1, 13.2.6.2 and 13.2.6.4.4).
 */
#include "libcommon/html/html_builder.h"

/* Start tags of what belongs into a head, and </template>, in any mode. */
void lu_html_in_head_element(struct lu_html_builder *b, struct lu_html_token *t);
/* Insert an element whose content is text. */
void lu_html_raw(struct lu_html_builder *b, const struct lu_html_token *t,
		enum lu_html_text_mode mode);
void lu_html_push_template(struct lu_html_builder *b, enum lu_html_mode mode);
/* Choose the mode that the open elements ask for. */
void lu_html_reset_mode(struct lu_html_builder *b);

#endif
