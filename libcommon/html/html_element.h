#ifndef LUCIE_HTML_HTML_ELEMENT_H
#define LUCIE_HTML_HTML_ELEMENT_H
/*
 * The elements of a parsed page, for html/html.c: their effect on the flow of text, and the
 * distinction between content, hidden elements and navigation.
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
	LU_ROLE_HIDDEN,	    /* not rendered, or not text of the page */
	LU_ROLE_NAVIGATION, /* rendered, but not content */
	LU_ROLE_HEADER,	    /* navigation, except in an article */
};

/* The role of an element by its name. */
enum lu_html_role lu_html_role(const struct lu_html_node *n);

/* True if the element's attributes hide it: hidden, aria-hidden, style="display: none". */
bool lu_html_is_hidden(const struct lu_html_node *n);
/* True if its name, role, class or id says navigation, breadcrumbs, sidebar, table of contents or
 * footer. */
bool lu_html_is_navigation(const struct lu_html_node *n, bool in_article);
/* True if a cell of the table holds blocks: the table lays out the page. */
bool lu_html_is_layout(const struct lu_html_node *table);

#endif
