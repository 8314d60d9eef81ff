#ifndef LUCIE_HTML_HTML_FLOW_H
#define LUCIE_HTML_HTML_FLOW_H
/*
 * The layout of a page's text, for html/html.c: runs of characters become blocks, blocks become
 * lines with their indent, their marker and the blank lines before them.
 *
 *	struct lu_html_flow f = { .out = &text };
 *	lu_flow_text(&f, LU_STR("A  paragraph"));
 *	lu_flow_break(&f, 2);			the next block begins after a blank line
 *	lu_flow_finish(&f);			writes the last block
 *	lu_flow_release(&f);
 *
 * Unless `whole`, these are left out: blocks shorter than 200 bytes of which two thirds or more are
 * links to elsewhere and which do not end like a sentence, stock phrases (html_phrases.h), and a
 * heading with nothing left under it. Soft hyphens always are.
 *
 * A failed allocation shows in f.block or in the output (lu_buf_check).
 */
#include <stdbool.h>
#include <stddef.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

struct lu_flow_list {
	bool numbered;
	unsigned n;	 /* of the current item */
	unsigned blocks; /* in the current item */
};

struct lu_html_flow {
	struct lu_buf *out;
	size_t begin;	     /* of the text in `out` */
	bool whole;	     /* leave nothing out */
	struct lu_buf block; /* text of the current block */
	bool space;	     /* a blank is due before the next character */

	/* Open elements that affect the current block. */
	unsigned links; /* to elsewhere */
	unsigned pre, headings;
	struct LU_VEC(struct lu_flow_list) lists;

	/* Pending before the next block. */
	unsigned newlines;
	bool marker; /* it begins an item */
	bool tight;  /* it begins a definition */

	/* Nothing was written since a heading, at heading_at; something was left out since. */
	bool bare_heading, left_out;
	size_t heading_at;

	size_t linked, total; /* bytes of the block without blanks: inside links, and all */
};

/* Append text to the current block. Elsewhere than in preformatted text, runs of blanks become one
 * space. */
void lu_flow_text(struct lu_html_flow *f, struct lu_str s);
/* End the current block, if it has any text. */
void lu_flow_end(struct lu_html_flow *f);
/* End the current block; the next one begins after that many line ends: 2 for a paragraph. */
void lu_flow_break(struct lu_html_flow *f, unsigned newlines);
/* The innermost list, or NULL. */
struct lu_flow_list *lu_flow_list(struct lu_html_flow *f);
/* End the text: the last block, and a line end unless there is none. */
void lu_flow_finish(struct lu_html_flow *f);
void lu_flow_release(struct lu_html_flow *f);

#endif
