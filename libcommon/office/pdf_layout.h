#ifndef LUCIE_OFFICE_PDF_LAYOUT_H
#define LUCIE_OFFICE_PDF_LAYOUT_H
/*
 * The lines of a PDF file with their places on the pages, from the output of pdftotext -bbox-layout:
 *
 *	<title>T</title> <meta name="Author" content="A"/>
 *	<page width="595.3" height="841.9"> <flow> <block ...> <line ...> <word xMin="71.7" ...>This
 *
 * pdftotext finds blocks of lines and orders them as they are read, down one column and then the next:
 * flows. Coordinates are points from the top left corner of the page.
 *
 *	struct lu_pdf_layout l = { .limit = bytes };
 *	lu_pdf_layout_take(&l, p, n, &err);		as the bytes come, in pieces of any size
 *	lu_pdf_layout_end(&l, &err);
 *	lu_pdf_layout_release(&l);
 *
 * Only the layout of version 0.26 and later is read; what is not understood is passed over. Text is
 * made valid UTF-8 without control characters. Letters of right-to-left scripts, which pdftotext gives
 * as they stand on the page, are put into the order in which they are read.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

struct lu_pdf_line {
	size_t text; /* offset in lu_pdf_layout.text; it ends with a NUL */
	size_t n;
	float x0, y0, x1, y1;
	float height;  /* of most of its letters: about the size of the font */
	float first;   /* width of its first word */
	float advance; /* width of a letter if all have the same, as in programs; else 0 */
	uint32_t block;
	uint32_t words;
	/* For those that read the lines. */
	bool left_out; /* a running head (pdf_heads.h) */
	uint16_t cell; /* in the row of a table (pdf_tables.h) */
	uint32_t row;  /* 0: none; rows of one table have numbers in sequence */
};

struct lu_pdf_page {
	float width, height;
	size_t line; /* its first */
};

struct lu_pdf_layout {
	uint64_t limit; /* bytes of text, and of what is kept of lines and pages */
	struct lu_buf text;
	struct LU_VEC(struct lu_pdf_line) lines;
	struct LU_VEC(struct lu_pdf_page) pages;
	struct lu_buf title, author, date; /* of the file, may stay empty; date: as ISO 8601 */
	bool complete;			   /* the end of the output was seen */

	/* Private. */
	struct lu_buf pending; /* a tag and what follows it */
	struct lu_buf word, line;
	bool in_line;
	struct lu_pdf_line now;
	float wx0, wy0, wx1, wy1; /* the last word of the line */
	struct {
		float height, width; /* of its words of one height, all of them */
	} sizes[4];
	float narrowest, widest; /* mean width of the letters of a word */
	bool ideographs;
	uint32_t blocks;
};

/* 0; 1: beyond the limit, nothing more is taken; -1: out of memory. */
int lu_pdf_layout_take(
		struct lu_pdf_layout *l, const char *p, size_t n, struct lu_err *err) LU_CHECKED;
int lu_pdf_layout_end(struct lu_pdf_layout *l, struct lu_err *err) LU_CHECKED;
void lu_pdf_layout_release(struct lu_pdf_layout *l);

/* The first line behind page i. */
static inline size_t lu_pdf_page_end(const struct lu_pdf_layout *l, size_t i)
{
	return i + 1 < l->pages.n ? l->pages.p[i + 1].line : l->lines.n;
}

static inline struct lu_str lu_pdf_line_text(
		const struct lu_pdf_layout *l, const struct lu_pdf_line *line)
{
	return (struct lu_str){ l->text.p + line->text, line->n };
}

#endif
