#ifndef LUCIE_REPORT_MARKUP_H
#define LUCIE_REPORT_MARKUP_H
/*
 * The HTML of headings, tables and cells, appended to a buffer:
 *
 *	lu_markup_open_table(b, head, n);
 *	lu_buf_puts(b, "<tr>");
 *	lu_markup_cell_str(b, name);  lu_markup_cell_u64(b, docs);
 *	lu_buf_puts(b, "</tr>\n");
 *	lu_markup_close_table(b);
 */
#include "libcommon/base/buf.h"

/* Append s with & < > " ' escaped, and control characters but tab and line feed as U+FFFD. */
void lu_markup_escape(struct lu_buf *b, struct lu_str s);

/* 1234567 with a thin space (U+2009) between groups of three digits. */
void lu_markup_u64(struct lu_buf *b, uint64_t v);

void lu_markup_heading(struct lu_buf *b, const char *text);

/* A heading of a column; numbers are aligned right. `more` is appended to the name. */
void lu_markup_head(struct lu_buf *b, struct lu_str name, bool number, const char *more);
/* A table of n columns: text in the first `texts`, numbers in the others. */
void lu_markup_open_table(struct lu_buf *b, const char *const *head, size_t n, size_t texts);
void lu_markup_close_table(struct lu_buf *b);

void lu_markup_cell_str(struct lu_buf *b, struct lu_str s);
void lu_markup_cell_u64(struct lu_buf *b, uint64_t v);
/* part / whole (0 / 0 is 0) in per cent, over a bar of that width. */
void lu_markup_cell_share(struct lu_buf *b, uint64_t part, uint64_t whole);
/* Text of a number as in JSON: integers in groups, others with four significant digits. */
void lu_markup_cell_number(struct lu_buf *b, struct lu_str s);

#endif
