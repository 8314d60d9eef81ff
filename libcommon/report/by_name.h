#ifndef LUCIE_REPORT_BY_NAME_H
#define LUCIE_REPORT_BY_NAME_H
/*
 * Documents counted by a name, such as their source.
 *
 *	struct lu_by_name t = { 0 };
 *	lu_by_name_add(&t, source, characters, &err);	for each document
 *	lu_by_name_sort(&t);		by characters in descending order, then by name
 *	lu_by_name_release(&t);
 */
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"

/* Further names are counted as "(others)". */
#define LU_BY_NAME_NAMES 10000

struct lu_by_name_row {
	struct lu_str name;
	uint64_t docs, characters;
};

struct lu_by_name {
	struct LU_VEC(struct lu_by_name_row) row;
	struct lu_map map; /* of the names, until the rows are sorted */
	struct lu_arena arena;
};

/* An empty name counts as "(none)". */
int lu_by_name_add(struct lu_by_name *t, struct lu_str name, uint64_t docs, uint64_t characters,
		struct lu_err *err) LU_CHECKED;
void lu_by_name_sort(struct lu_by_name *t);
/* The row of this name, or NULL. */
const struct lu_by_name_row *lu_by_name_find(const struct lu_by_name *t, struct lu_str name);
void lu_by_name_release(struct lu_by_name *t);

#endif
