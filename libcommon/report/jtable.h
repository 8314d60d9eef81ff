#ifndef LUCIE_REPORT_JTABLE_H
#define LUCIE_REPORT_JTABLE_H
/*
 * A table out of JSON: whatever program wrote it.
 *
 * Rows are the objects of a JSON Lines file; or, when the file is one JSON value, of the array that
 * it is, or of the first of its members that is an array of objects, or an object of objects: then
 * the first column is their names, and the other members that are objects follow as rows. Columns
 * are the members that hold a string, number or truth value, in the order in which they are first
 * met; arrays and objects inside a row are passed over. Cells are text: strings decoded, the others
 * as they stand, absent ones and null empty.
 */
#include <stdbool.h>
#include <stddef.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"

#define LU_JTABLE_COLUMNS 32

struct lu_jtable {
	struct lu_str column[LU_JTABLE_COLUMNS];
	bool number[LU_JTABLE_COLUMNS]; /* all its cells are numbers, or empty */
	size_t columns;
	struct lu_str *cell; /* rows x LU_JTABLE_COLUMNS */
	size_t rows, cap;
	struct lu_arena arena;
};

/* Start from { 0 }. Errors name the file. */
int lu_jtable_read(struct lu_jtable *t, const char *path, struct lu_err *err) LU_CHECKED;
struct lu_str lu_jtable_cell(const struct lu_jtable *t, size_t row, size_t column);
void lu_jtable_release(struct lu_jtable *t);

#endif
