#ifndef LUCIE_BASE_TEXT_TABLE_H
#define LUCIE_BASE_TEXT_TABLE_H
/*
 * A table for people: columns as wide as their widest cell, two blanks between.
 *
 *	static const char *const heads[] = { "language", "tokens", "loss" };
 *	struct lu_table t = { .head = heads, .columns = 3, .left = 1 };
 *
 *	lu_table_str(&t, lang);		the cells of a row, from left to right
 *	lu_table_u64(&t, tokens);
 *	lu_table_fixed(&t, loss, 4, "");
 *	rc = lu_table_put(&t, &out, &err);
 *	lu_table_release(&t);
 *
 * Names come from data: control characters in them are masked, so that a row stays one line. What
 * is no number (a mean of nothing) is "-". Machines read JSON.
 *
 * Memory: the text of the cells. Errors are those of a buffer, and are returned by lu_table_put().
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_TABLE_COLUMNS 16

struct lu_table {
	const char *const *head; /* one a column */
	size_t columns;		 /* at most LU_TABLE_COLUMNS */
	size_t left;		 /* so many columns, the first ones, are aligned to the left */
	bool last_left;		 /* so is the last one */

	/* Private: */
	struct lu_buf text; /* cells, each ended by a NUL */
	size_t cells, width[LU_TABLE_COLUMNS];
	bool headed;
};

void lu_table_str(struct lu_table *t, struct lu_str s);
void lu_table_cstr(struct lu_table *t, const char *s);
void lu_table_u64(struct lu_table *t, uint64_t v);
/* A fixed number of decimals, and a unit; "-" unless v is finite. */
void lu_table_fixed(struct lu_table *t, double v, int decimals, const char *unit);

/* Append the rows, the last of which must be complete, and forget them. The heads come with the
 * first call; later calls, for a table of any length in bounded memory, keep the widths at least. */
int lu_table_put(struct lu_table *t, struct lu_buf *out, struct lu_err *err) LU_CHECKED;
void lu_table_release(struct lu_table *t);

#endif
