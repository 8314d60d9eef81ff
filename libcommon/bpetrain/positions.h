#ifndef LUCIE_BPETRAIN_POSITIONS_H
#define LUCIE_BPETRAIN_POSITIONS_H
/*
 * Lists of positions: where in the symbols a pair occurs. Only learn.c uses this.
 *
 *	struct lu_position_lists l = { .budget = &budget, .free_list = LU_POSITIONS_NONE };
 *	uint32_t i = lu_positions_new(&l, 4, &err);	room for four
 *	lu_positions_push(&l, i, at, &err);
 *	l.list.p[i].p[0 .. l.list.p[i].n - 1]
 *	lu_positions_drop(&l, i);
 *	lu_position_lists_release(&l);
 *
 * Lists are known by number. A dropped one's number is given out again.
 */
#include <stdint.h>

#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/memory_budget.h"

#define LU_POSITIONS_NONE UINT32_MAX

/* Positions of the left symbols of a pair, ascending; some may be stale. There are as many lists
 * as candidates, so a list is kept to 16 bytes. */
struct lu_positions {
	uint32_t *p;
	uint32_t n, cap;
};

struct lu_position_lists {
	struct LU_VEC(struct lu_positions) list;
	uint32_t free_list; /* dropped lists, chained through n */
	struct lu_budget *budget;
};

/* A list with room for n positions, or LU_POSITIONS_NONE on failure. */
uint32_t lu_positions_new(struct lu_position_lists *l, uint32_t n, struct lu_err *err);
/* LU_POSITIONS_NONE is fine. */
void lu_positions_drop(struct lu_position_lists *l, uint32_t i);
/* Give back unused capacity. */
void lu_positions_shrink(struct lu_position_lists *l, uint32_t i);
void lu_position_lists_release(struct lu_position_lists *l);

/* Out of line half of lu_positions_push(). */
int lu_positions_grow(struct lu_position_lists *l, struct lu_positions *list,
		struct lu_err *err) LU_CHECKED;

static inline int lu_positions_push(
		struct lu_position_lists *l, uint32_t i, uint32_t at, struct lu_err *err)
{
	struct lu_positions *list = &l->list.p[i];

	if (list->n == list->cap && lu_positions_grow(l, list, err) < 0)
		return -1;
	list->p[list->n++] = at;
	return 0;
}

#endif
