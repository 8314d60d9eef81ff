#ifndef LUCIE_OFFICE_PDF_REFLOW_H
#define LUCIE_OFFICE_PDF_REFLOW_H
/*
 * From the lines on the pages of a PDF file to paragraphs.
 *
 *	lu_pdf_mark_heads(&layout, &err);
 *	lu_pdf_reflow(&layout, &marked, &err);		lines, with marks between them
 *	lu_repair(..., marked, &repaired, ...)		words broken over line ends
 *	lu_pdf_join(repaired, &text, &pages, &err);	paragraphs, and where pages begin
 *
 * Two lines of a block are one paragraph unless
 *   - the first word of the second would have fitted on the first, which so was ended on purpose: it
 *     ends a paragraph, or is a line of a poem, of an address or of a program;
 *   - this is so for half of the lines of a narrow block; or
 *   - the second is indented, or the first is the only one that is not (a hanging indent), and a
 *     sentence ends or the first is short;
 *   - the distance between them is a quarter larger than the smallest in the block;
 *   - the second begins with a bullet, or with "1." or "a)" after the end of a sentence.
 * The same paragraph goes on in another block, in another column or on another page, if its last line
 * reaches the right edge and does not end a sentence, the letters have the same size, and the next line
 * begins with a lower-case letter (on another page or column: or the line ends with a letter or comma).
 *
 * Lines whose letters all have one width are those of a program: they stay lines, with their indent.
 * Lines and blocks that stand beside each other and are read one after the other are the cells of a
 * row, separated by " | ", if pdftotext gives the rows of the table, not its columns. A bullet or
 * number that stands by itself belongs to the line beside it; bullets become "- ", and the items of a
 * list are lines, as in pages (html/html.h). Between paragraphs is a blank line.
 */
#include "libcommon/office/pdf_layout.h"

/* Append the lines that are not left out. Each but the first begins after a line feed, or a form feed
 * for each page between, and then with LU_PDF_LINE or LU_PDF_PARAGRAPH unless it continues the
 * paragraph. */
#define LU_PDF_LINE '\x1e'
#define LU_PDF_PARAGRAPH '\x1d'
int lu_pdf_reflow(const struct lu_pdf_layout *l, struct lu_buf *marked,
		struct lu_err *err) LU_CHECKED;

struct lu_pdf_offsets LU_VEC(uint64_t);

/* Append the text, which ends with a line feed unless empty, and to `pages` the offset in `text` where
 * each of the `n` pages begins. */
int lu_pdf_join(struct lu_str marked, size_t n, struct lu_buf *text, struct lu_pdf_offsets *pages,
		struct lu_err *err) LU_CHECKED;

#endif
