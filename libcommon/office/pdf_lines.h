#ifndef LUCIE_OFFICE_PDF_LINES_H
#define LUCIE_OFFICE_PDF_LINES_H
/*
 * The lines of a page by their places, and the bullets and numbers of lists: shared by those that look
 * for running heads, tables and paragraphs.
 */
#include "libcommon/office/pdf_layout.h"

struct lu_pdf_order LU_VEC(struct lu_pdf_line *);

/* The lines of page i that are not left out, from top to bottom, in place of the content of o. */
int lu_pdf_sort_lines(struct lu_pdf_layout *l, size_t i, struct lu_pdf_order *o,
		struct lu_err *err) LU_CHECKED;
/* Put lines from .. to - 1 in order of x. */
void lu_pdf_sort_row(struct lu_pdf_order *o, size_t from, size_t to);
/* True if the middle of b is between top and bottom of a. */
bool lu_pdf_is_beside(const struct lu_pdf_line *a, const struct lu_pdf_line *b);

/* The widths of the lines of a block or column, from { 0 }. */
struct lu_pdf_widths {
	float longest, sum;
	unsigned lines;
};
static inline void lu_pdf_add_width(struct lu_pdf_widths *w, float width)
{
	w->lines++;
	w->sum += width;
	w->longest = width > w->longest ? width : w->longest;
}
/* Prose: three lines or more, of which the longest is at least twelve letters high, and which are on
 * average three quarters as long. */
static inline bool lu_pdf_is_prose(const struct lu_pdf_widths *w, float height)
{
	return w->lines >= 3 && w->longest > 12 * height &&
			w->sum > 0.75f * w->longest * (float)w->lines;
}

/* A bullet. */
bool lu_pdf_is_bullet(uint32_t c);
/* Bytes of "1." "12)" "(a)" "iv." at the beginning; 0: none. */
size_t lu_pdf_enumerator(struct lu_str s);
/* A line that is only a bullet or such a number. */
bool lu_pdf_is_marker(struct lu_str s);

#endif
