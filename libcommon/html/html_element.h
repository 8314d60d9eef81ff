#ifndef LUCIE_HTML_HTML_ELEMENT_H
#define LUCIE_HTML_HTML_ELEMENT_H
/*
 * The elements of a parsed page, for html/html.c: their effect on the flow of text, and the
 * distinction between content, hidden elements and navigation.
 */
#include <libxml/tree.h>
#include <stdbool.h>

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
enum lu_html_role lu_html_role(const xmlNode *n);
/* True if it is the element `name` (in lower case). */
bool lu_html_is(const xmlNode *n, const char *name);
/* Value of an attribute, "" when it has none, NULL when the element has no such attribute. */
const char *lu_html_attribute(const xmlNode *n, const char *name);

/* True if the element's attributes hide it: hidden, aria-hidden, style="display: none". */
bool lu_html_is_hidden(const xmlNode *n);
/* True if its name, role, class or id says navigation, breadcrumbs, sidebar, table of contents or
 * footer. */
bool lu_html_is_navigation(const xmlNode *n, enum lu_html_role role, bool in_article);
/* True if a cell of the table holds blocks: the table lays out the page. */
bool lu_html_is_layout(const xmlNode *table);

/* The next node in document order inside `root`, or NULL; `descend`: visit the children of n. */
const xmlNode *lu_html_next(const xmlNode *n, const xmlNode *root, bool descend);

/* The first element of that name, or with that role attribute, depth first; NULL: none. */
const xmlNode *lu_html_find(const xmlNode *root, const char *name);

#endif
