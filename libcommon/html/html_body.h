#ifndef LUCIE_HTML_HTML_BODY_H
#define LUCIE_HTML_HTML_BODY_H
/*
 * The insertion mode "in body" of the tree builder (HTML standard, 13.2.6.4.7), which others fall back
 * on.
 */
#include "libcommon/html/html_builder.h"

void lu_html_in_body(struct lu_html_builder *b, struct lu_html_token *t);

#endif
