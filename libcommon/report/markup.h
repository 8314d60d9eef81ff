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

/* 1234567 with a narrow space that breaks no line (U+202F) between groups of three digits. */
void lu_markup_u64(struct lu_buf *b, uint64_t v);

/* v with this many decimals, grouped likewise; "-" unless it is finite. */
void lu_markup_fixed(struct lu_buf *b, double v, int decimals);

void lu_markup_heading(struct lu_buf *b, const char *text);

/* A section of plain text: tables scroll, prose is wrapped. */
void lu_markup_text(struct lu_buf *b, const char *heading, struct lu_str text);

/* A large number with a caption. */
void lu_markup_tile(struct lu_buf *b, const char *what, uint64_t v);

/* A heading of a column; numbers are aligned right. `more` is appended to the name. */
void lu_markup_head(struct lu_buf *b, struct lu_str name, bool number, const char *more);
/* A table of n columns: text in the first `texts`, numbers in the others. */
void lu_markup_open_table(struct lu_buf *b, const char *const *head, size_t n, size_t texts);
void lu_markup_close_table(struct lu_buf *b);

void lu_markup_cell_str(struct lu_buf *b, struct lu_str s);
void lu_markup_cell_u64(struct lu_buf *b, uint64_t v);
void lu_markup_cell_fixed(struct lu_buf *b, double v, int decimals);
/* part / whole (0 / 0 is 0) in per cent, behind a bar of that width. */
void lu_markup_cell_share(struct lu_buf *b, uint64_t part, uint64_t whole);
/* Text of a number as in JSON: integers in groups, others with four significant digits. */
void lu_markup_cell_number(struct lu_buf *b, struct lu_str s);

#endif
