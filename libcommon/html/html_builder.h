#ifndef LUCIE_HTML_HTML_BUILDER_H
#define LUCIE_HTML_HTML_BUILDER_H
/*
 * The state of the tree builder, and what its insertion modes share: the stack of open elements, the
 * list of active formatting elements, insertion, and the adoption agency (HTML standard, 13.2.4 and
 * 13.2.6.1 to 13.2.6.4). html_body.c has the mode of the body,
 * html_modes.c the others, html_head.c what both need, html_parse.c foreign content and the loop over
 * the tokens.
 *
 * Bounds, which keep the time linear in the page: at most LU_HTML_DEPTH elements are open, as in
 * browsers; a deeper one is put beside its parent. At most LU_HTML_FORMATTING formatting elements
 * are remembered; the oldest is forgotten. At most LU_HTML_NODES nodes: the page is refused.
 *
 * Departures from the standard, none of which changes what is shown: comments are not kept; quirks
 * mode is that of pages without a document type; frames are not shown; contents of a template are its
 * children.
 */
#include "libcommon/html/html_parse.h"
#include "libcommon/html/html_token.h"

/* More active formatting elements than any page needs. */
#define LU_HTML_FORMATTING 256
#define LU_HTML_TEMPLATES 64

enum lu_html_mode {
	LU_MODE_INITIAL,
	LU_MODE_BEFORE_HTML,
	LU_MODE_BEFORE_HEAD,
	LU_MODE_HEAD,
	LU_MODE_AFTER_HEAD,
	LU_MODE_BODY,
	LU_MODE_TEXT,
	LU_MODE_TABLE,
	LU_MODE_CAPTION,
	LU_MODE_COLUMNS,
	LU_MODE_TABLE_BODY,
	LU_MODE_ROW,
	LU_MODE_CELL,
	LU_MODE_TEMPLATE,
	LU_MODE_AFTER_BODY,
	LU_MODE_FRAMESET,
	LU_MODE_AFTER_FRAMESET,
};

/* An active formatting element; .node NULL: a marker. */
struct lu_html_formatting {
	struct lu_html_node *node;
	struct lu_str attributes; /* as written */
};

struct lu_html_builder {
	struct lu_html_tokens tokens;
	struct lu_arena *arena;
	struct lu_html_node *document, *head, *form;
	struct lu_html_node *open[LU_HTML_DEPTH];
	size_t opens;
	unsigned paragraphs; /* open p elements */
	struct lu_html_formatting formatting[LU_HTML_FORMATTING];
	size_t formattings;
	enum lu_html_mode templates[LU_HTML_TEMPLATES];
	size_t open_templates;
	enum lu_html_mode mode, original; /* original: what LU_MODE_TEXT returns to */
	bool foster;			  /* misplaced in a table: insert before it */
	bool frameset_ok, quirks;
	bool skip_newline; /* behind <pre> */
	size_t nodes;
	bool full, failed;	   /* too many nodes; out of memory: the tree is of no use */
	struct lu_html_node spare; /* stands for nodes that cannot be made */
};

/* --- open elements ------------------------------------------------------------------------------ */

static inline struct lu_html_node *lu_hb_current(const struct lu_html_builder *b)
{
	return b->open[b->opens - 1];
}

/* True if the current node is the HTML element `tag`. */
static inline bool lu_hb_current_is(const struct lu_html_builder *b, enum lu_html_tag tag)
{
	return b->opens && lu_hb_current(b)->tag == tag && lu_hb_current(b)->space == LU_SPACE_HTML;
}

enum lu_html_scope { LU_SCOPE_DEFAULT, LU_SCOPE_ITEM, LU_SCOPE_BUTTON, LU_SCOPE_TABLE };

void lu_hb_pop(struct lu_html_builder *b);
/* Index of the innermost open element `tag` plus 1, 0: none. */
size_t lu_hb_open_at(const struct lu_html_builder *b, enum lu_html_tag tag);
bool lu_hb_in_scope(
		const struct lu_html_builder *b, enum lu_html_tag tag, enum lu_html_scope scope);
bool lu_hb_heading_in_scope(const struct lu_html_builder *b);
/* Pop up to and with the innermost `tag`. */
void lu_hb_pop_until(struct lu_html_builder *b, enum lu_html_tag tag);
/* Pop elements whose end tags may be left out, except `except`. */
void lu_hb_imply_ends(struct lu_html_builder *b, enum lu_html_tag except);
/* Close an open paragraph, if one is in button scope. */
void lu_hb_close_p(struct lu_html_builder *b);
/* Remove one element from the stack. */
void lu_hb_unopen(struct lu_html_builder *b, const struct lu_html_node *n);

/* --- insertion ------------------------------------------------------------------------------ */

/* Insert and open the element of a start tag. */
struct lu_html_node *lu_hb_open(
		struct lu_html_builder *b, const struct lu_html_token *t, enum lu_html_space space);
/* Insert it without opening it. */
void lu_hb_void(struct lu_html_builder *b, const struct lu_html_token *t);
/* Insert and open an element that the page does not write. */
struct lu_html_node *lu_hb_implied(struct lu_html_builder *b, enum lu_html_tag tag);
void lu_hb_text(struct lu_html_builder *b, struct lu_str text);
/* Give the attributes of a start tag to an element that has none. */
void lu_hb_attributes(
		struct lu_html_builder *b, struct lu_html_node *n, const struct lu_html_token *t);

/* --- formatting ----------------------------------------------------------------------------- */

/* Remember the current element, just opened by the tag t, as active. */
void lu_hb_format(struct lu_html_builder *b, const struct lu_html_token *t);
void lu_hb_marker(struct lu_html_builder *b);
void lu_hb_clear_to_marker(struct lu_html_builder *b);
/* The active element `tag` since the last marker, or NULL. */
struct lu_html_node *lu_hb_active(const struct lu_html_builder *b, enum lu_html_tag tag);
void lu_hb_forget(struct lu_html_builder *b, const struct lu_html_node *n);
/* Open the active elements that are not open, as copies. */
void lu_hb_reconstruct(struct lu_html_builder *b);
/* Close a formatting element, across blocks. False: it is to be treated as any other end tag. */
bool lu_hb_adopt(struct lu_html_builder *b, enum lu_html_tag tag);

#endif
