#ifndef LUCIE_OFFICE_PDF_HEADS_H
#define LUCIE_OFFICE_PDF_HEADS_H
/*
 * Running heads, running feet and page numbers: the rows at the top and at the bottom of pages that
 * recur over pages.
 *
 * A row is the lines of a page that stand beside each other. Looked at are the three highest and the
 * three lowest rows of each page, from outside to inside; where one stays, those further inside stay
 * too. A row goes
 *
 *   - if it is a number only, in digits or Roman, perhaps with "page", "p.", "seite", "pag.",
 *     hyphens, brackets, or "/ 40", "of 40", "sur 40", "von 40" around it, and such a row at the same
 *     end of another page within eight pages counts along with the pages; or
 *   - if it begins or ends with such a number that stands apart, at least two pages within eight have a row at the same
 *     height that does, and their numbers count along with the pages; or
 *   - if at least two pages within eight (one where the file has at most three pages) have the same
 *     row at the same end and the same height, to a fiftieth of the page. Numbers in it count as the
 *     same, up to two of them or one for five letters, since heads have page numbers and numbers of
 *     chapters and rows of a table have more. It must have three letters.
 *
 * Entries of a table of contents go too: lines with five dots in a row, or with blanks between, at their
 * end or before a number, and what stands beside them.
 *
 * So the first line of a text that a page has by itself always stays.
 */
#include "libcommon/office/pdf_layout.h"

/* Set left_out of such lines. */
int lu_pdf_mark_heads(struct lu_pdf_layout *l, struct lu_err *err) LU_CHECKED;

#endif
