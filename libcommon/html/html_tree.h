#ifndef LUCIE_HTML_HTML_TREE_H
#define LUCIE_HTML_HTML_TREE_H
/*
 * The tree of a parsed page. It is made by lu_html_parse() (html_parse.h), lives in that call's arena
 * and refers to the bytes of the page, so both must outlive it.
 *
 * Nodes are elements and texts; comments and the document type are not kept. A text may be in several
 * nodes, one after the other. Of the attributes, those of LU_HTML_ATTRIBUTES are kept.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/html/html_tag.h"

enum lu_html_space { LU_SPACE_HTML, LU_SPACE_SVG, LU_SPACE_MATHML };

struct lu_html_attribute {
	enum lu_html_name name;
	struct lu_str value;
};

struct lu_html_node {
	struct lu_html_node *parent, *first, *last, *prev, *next;
	struct lu_str text; /* of a text; of an element: its name as the page writes it */
	const struct lu_html_attribute *attribute;
	unsigned char attributes; /* their number */
	unsigned char tag;	  /* enum lu_html_tag; LU_TAG_NONE: a text */
	unsigned char space;	  /* enum lu_html_space */

	/* Measures of the main text's rules (main_text.h), in bytes of text without blanks: of the
	 * block itself, in its links; of all in it, in links, in blocks of prose, in those kept. */
	unsigned char mark, words;
	uint32_t own, own_links, text_bytes, link_bytes, prose, kept, plain;
};

/* Value of an attribute; .p is NULL when the element has no such attribute. */
struct lu_str lu_html_attribute(const struct lu_html_node *n, enum lu_html_name name);

/* The next node in document order inside `root`, or NULL; `descend`: visit the children of n. */
struct lu_html_node *lu_html_next(
		const struct lu_html_node *n, const struct lu_html_node *root, bool descend);

/* The first element of that name in document order; NULL: none. */
struct lu_html_node *lu_html_find(const struct lu_html_node *root, enum lu_html_tag tag);

/* Append `n` to the children of `parent`, before `next` (NULL: as the last). */
void lu_html_insert(struct lu_html_node *parent, struct lu_html_node *n, struct lu_html_node *next);
void lu_html_remove(struct lu_html_node *n);

#endif
