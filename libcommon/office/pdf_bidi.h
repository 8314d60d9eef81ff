#ifndef LUCIE_OFFICE_PDF_BIDI_H
#define LUCIE_OFFICE_PDF_BIDI_H
/*
 * Lines of right-to-left scripts (Hebrew, Arabic, Syriac, Thaana, N'Ko) from the order in which their
 * letters stand on the page, left to right, to the order in which they are read.
 *
 * If more letters of the line belong to such a script than to others, the line runs from right to
 * left, and what is between its words in other scripts, numbers too, keeps its order; else only the
 * stretches in such a script are turned round. Marks stay behind their letters. This is what
 * pdftotext does in its plain output, there for a page at a time.
 */
#include "libcommon/base/buf.h"

/* Append the line, valid UTF-8. One without such letters, as nearly all are, is copied. */
void lu_pdf_reading_order(struct lu_str line, struct lu_buf *out);

#endif
