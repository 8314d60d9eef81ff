#ifndef LUCIE_HTML_HTML_ELEMENT_H
#define LUCIE_HTML_HTML_ELEMENT_H
/*
 * The elements of a parsed page: their effect on the flow of text, and whether they are rendered.
 */
#include "libcommon/html/html_tree.h"

enum lu_html_role {
	LU_ROLE_INLINE,
	LU_ROLE_BLOCK,	 /* a paragraph break before and after */
	LU_ROLE_HEADING, /* a block that is never taken for navigation */
	LU_ROLE_BREAK,	 /* a line break */
	LU_ROLE_PRE,
	LU_ROLE_LIST,
	LU_ROLE_NUMBERED,
	LU_ROLE_ITEM,
	LU_ROLE_TERM,
	LU_ROLE_DEFINITION,
	LU_ROLE_TABLE,
	LU_ROLE_ROW,
	LU_ROLE_CELL,
	LU_ROLE_BESIDE, /* shown, but beside the text: readings of characters, drawings, what stands for
			 * an object that is not there; kept with the whole page alone */
	LU_ROLE_HIDDEN, /* not rendered, or not text of the page */
};

/* The role of an element by its name. */
enum lu_html_role lu_html_role(const struct lu_html_node *n);

/* True if the element's attributes hide it: hidden, aria-hidden, style="display: none" or
 * "visibility: hidden". */
bool lu_html_is_hidden(const struct lu_html_node *n);
/* True if it links to elsewhere, not to a place in the page. */
bool lu_html_is_link(const struct lu_html_node *n);
/* True if a cell of the table holds blocks: the table lays out the page. */
bool lu_html_is_layout(const struct lu_html_node *table);

#endif
