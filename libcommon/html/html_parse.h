#ifndef LUCIE_HTML_HTML_PARSE_H
#define LUCIE_HTML_HTML_PARSE_H
/*
 * The tree of an HTML page, by the parser of the HTML standard (WHATWG, 13.2), with scripts enabled:
 * it recovers from any input as browsers do. Why not a library: gumbo, the one of the distribution,
 * follows the standard of 2015, has no bound on depth or memory and takes time with the square of
 * both; here time is linear and memory bounded, and texts are not copied.
 */
#include "libcommon/base/arena.h"
#include "libcommon/html/html_tree.h"

/* Elements open at a time, as in browsers. */
#define LU_HTML_DEPTH 512
/* Nodes of a page, 96 bytes each. The largest pages of documentation have half as many. */
#define LU_HTML_NODES ((size_t)1 << 20)

/* `html` is UTF-8. 0: *root is the html element; 1: the page has more than LU_HTML_NODES nodes; -1:
 * out of memory. The tree lives in `arena`. Never recursive. */
int lu_html_parse(struct lu_str html, struct lu_arena *arena, struct lu_html_node **root,
		struct lu_err *err) LU_CHECKED;

#endif
