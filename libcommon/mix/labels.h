#ifndef LUCIE_MIX_LABELS_H
#define LUCIE_MIX_LABELS_H
/*
 * Labels numbered in order of first appearance: the languages of documents.
 *
 *	struct lu_labels l = { 0 };
 *	if (lu_labels_add(&l, lang, &number, &err) < 0) ...
 *	... l.name.p[number] ...
 *	lu_labels_release(&l);
 *
 * An empty or absent label counts as "none"; from LU_LABELS_MAX labels on, a new one counts as
 * "other", so that a field full of noise costs no memory.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"

#define LU_LABELS_MAX 1000

struct lu_labels {
	struct LU_VEC(struct lu_str) name; /* NUL-terminated */
	struct lu_map index;
	uint32_t last; /* number of the label added last */
	struct lu_arena arena;
};

/* *number is below LU_LABELS_MAX + 1. */
int lu_labels_add(struct lu_labels *l, struct lu_str label, uint32_t *number,
		struct lu_err *err) LU_CHECKED;
void lu_labels_release(struct lu_labels *l);

#endif
