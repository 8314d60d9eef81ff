#ifndef LUCIE_HTML_HTML_PARSE_H
#define LUCIE_HTML_HTML_PARSE_H
/*
 * The tree of an HTML page, by libxml2's parser, which recovers from any input but takes time with
 * the square of the nesting and of the attributes of a tag: pages beyond the limits are refused.
 */
#include <libxml/tree.h>

#include "libcommon/base/buf.h"

#define LU_HTML_DEPTH 1000
#define LU_HTML_ATTRIBUTES 16384

/* `html` is UTF-8 of at most 2 GiB. 0: *doc is the tree, NULL for an empty page, to be freed by
 * xmlFreeDoc(); 1: the page is beyond a limit; -1: out of memory. */
int lu_html_parse(struct lu_str html, xmlDoc **doc, struct lu_err *err) LU_CHECKED;

#endif
