#ifndef LUCIE_HTML_HTML_MODES_H
#define LUCIE_HTML_HTML_MODES_H
/*
 * The insertion modes of the tree builder other than that of the body (HTML standard, 13.2.6.4).
 */
#include "libcommon/html/html_builder.h"

/* Treat the token by the rules of the current mode. */
void lu_html_by_mode(struct lu_html_builder *b, struct lu_html_token *t);

#endif
