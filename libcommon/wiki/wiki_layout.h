#ifndef LUCIE_WIKI_WIKI_LAYOUT_H
#define LUCIE_WIKI_WIKI_LAYOUT_H
/*
 * The second pass over a page: its lines become blocks of text. wiki_layout.c reads the lines,
 * wiki_inline.c what stands in one, wiki_flow.c writes the blocks.
 */
#include "libcommon/wiki/wikitext.h"

#define LU_WIKI_LISTS 8 /* deeper lists are not indented further */

/* A run of apostrophes in a line, and how many of them are characters. */
struct lu_wiki_quotes {
	size_t at;
	unsigned n, out;
};

/* Where blocks go: the text, or a row of a table. */
struct lu_wiki_target {
	struct lu_buf *out;
	unsigned newlines; /* before the next block */
};

struct lu_wiki_rows {
	struct lu_buf row; /* cells with LU_WIKI_CELL between them */
	size_t cells;
	bool blocks;	 /* a cell has several blocks: the table lays out the page */
	bool navigation; /* and is left out */
	struct lu_wiki_target target;
};

struct lu_wiki_flow {
	struct lu_wikitext *w;
	struct lu_wiki_target target;
	struct lu_buf block; /* the current one */
	bool space;	     /* a blank is due */
	bool pre;	     /* the last line was preformatted by a blank */
	uint64_t holes;	     /* in the block */
	size_t sup;	     /* where a superscript begins in the block, SIZE_MAX: none */
	size_t note;	     /* where a reference begins */

	struct lu_buf heading[6]; /* headings under which nothing was written yet */
	bool pending[6];
	unsigned skip; /* level of the section that is left out, 0: none */

	char list[LU_WIKI_LISTS + 1]; /* the markers of the last item */
	unsigned number[LU_WIKI_LISTS];
	struct lu_buf marker;	  /* to be written before the next block */
	struct lu_buf html_lists; /* a letter for each open list of HTML */
	unsigned html_number;

	struct lu_wiki_rows table[LU_WIKI_TABLES];
	size_t tables, deeper;
	struct LU_VEC(struct lu_wiki_quotes) quotes;
};

/* wiki_layout.c: from w->expanded to w->text. -1: out of memory. */
int lu_wiki_layout(struct lu_wikitext *w, struct lu_err *err) LU_CHECKED;

/* wiki_inline.c: append a line, or what is in a cell, to the current block. */
void lu_wiki_inline(struct lu_wiki_flow *f, struct lu_str line);

/* wiki_flow.c */
/* Append text to the block, with the blank that is due. */
void lu_wiki_put(struct lu_wiki_flow *f, const char *p, size_t n);
/* End the block; the next one comes after that many line ends. */
void lu_wiki_break(struct lu_wiki_flow *f, unsigned newlines);
/* A heading of that level, 1 to 6, whose text is the block. */
void lu_wiki_heading(struct lu_wiki_flow *f, unsigned level);
/* Text whose line ends stay. */
void lu_wiki_preformatted(struct lu_wiki_flow *f, struct lu_str text);
/* An item: its markers ("*#:;") as far as they count. */
void lu_wiki_item(struct lu_wiki_flow *f, struct lu_str markers);
void lu_wiki_table_open(struct lu_wiki_flow *f, struct lu_str attributes);
void lu_wiki_table_row(struct lu_wiki_flow *f);
void lu_wiki_table_cell(struct lu_wiki_flow *f);
void lu_wiki_table_close(struct lu_wiki_flow *f);

#endif
