#ifndef LUCIE_REPORT_JTABLE_H
#define LUCIE_REPORT_JTABLE_H
/*
 * A table from JSON, whatever program wrote it.
 *
 * The rows are the objects of a JSON Lines file. In a file that is one JSON value they are the
 * elements of that array; or of the first member that is an array of objects; or the members of the
 * first member that is an object of objects: then the first column is their names, and the other
 * members that are objects follow as rows. An object without any of these is the only row.
 *
 * The columns are the members that are strings, numbers or booleans, in order of first appearance;
 * arrays and objects within a row are ignored. A cell is text: strings are decoded, other values
 * are raw JSON, null and missing members are empty.
 */
#include <stdbool.h>
#include <stddef.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

#define LU_JTABLE_COLUMNS 32

struct lu_jtable_row {
	struct lu_str cell[LU_JTABLE_COLUMNS];
};

struct lu_jtable {
	struct lu_str column[LU_JTABLE_COLUMNS];
	bool number[LU_JTABLE_COLUMNS]; /* all cells are numbers or empty */
	size_t columns;
	struct LU_VEC(struct lu_jtable_row) row;
	struct lu_arena arena;
};

/* Start from { 0 }. Errors name the file. */
int lu_jtable_read(struct lu_jtable *t, const char *path, struct lu_err *err) LU_CHECKED;
void lu_jtable_release(struct lu_jtable *t);

#endif
