#ifndef LUCIE_OFFICE_PDF_COLUMNS_H
#define LUCIE_OFFICE_PDF_COLUMNS_H
/*
 * Columns of prose on the pages of a PDF file, put into the order of reading where pdftotext begins
 * with another than the leftmost, as it does when that begins lower: below a heading.
 *
 * Blocks of prose (pdf_lines.h) that stand beside each other, half of the lower one's height at least,
 * have a gutter between them, if no other block of prose is in it. On such a page a block that
 * crosses a gutter, a title or a wide table, ends all columns above it; between two of them the columns
 * follow each other from left to right, each in the order of pdftotext. Other pages stay as they are.
 */
#include "libcommon/office/pdf_layout.h"

int lu_pdf_order_columns(struct lu_pdf_layout *l, struct lu_err *err) LU_CHECKED;

#endif
