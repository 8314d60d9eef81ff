#ifndef LUCIE_OFFICE_PDF_TABLES_H
#define LUCIE_OFFICE_PDF_TABLES_H
/*
 * Tables on the pages of a PDF file, which pdftotext gives column by column or in pieces.
 *
 * Lines that stand beside each other, at least the height of a letter apart, are the cells of a row; a
 * bullet or the number of an item belongs to what follows it. Rows that follow each other, less than
 * three and a half lines apart, are a table if each cell of a row stands below one column of the rows
 * before it and below one only, and at least two rows have two cells. A row with one cell, not in the
 * first column, continues the cell above it.
 *
 * Lines of programs are no cells, nor is prose: three lines or more, of the column or of the block of
 * pdftotext that the cell is part of, which are wide and most of them nearly as long as the longest. So
 * columns of prose are no table, nor is a table with a column of long descriptions; its lines stay as
 * pdftotext gives them. Neither are more than a dozen rows whose columns begin at equal distances over
 * the width of the page, as those of an index do.
 */
#include "libcommon/office/pdf_layout.h"

/* Set `row` and `cell` of the lines in tables, and put them in order, a row after the other, where the
 * first of them stands in its page. */
int lu_pdf_find_tables(struct lu_pdf_layout *l, struct lu_err *err) LU_CHECKED;

#endif
