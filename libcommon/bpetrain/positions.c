#include "libcommon/bpetrain/positions.h"

#include <stdlib.h>

uint32_t lu_positions_new(struct lu_position_lists *l, uint32_t n, struct lu_err *err)
{
	uint32_t i = l->free_list, *p;

	if (lu_budget_check(l->budget, (uint64_t)n * sizeof(*p), err) < 0)
		return LU_POSITIONS_NONE;
	p = malloc(((size_t)n + (n == 0)) * sizeof(*p));
	if (!p || (i == LU_POSITIONS_NONE && !lu_vec_reserve(&l->list, 1))) {
		free(p);
		lu_err_nomem(err);
		return LU_POSITIONS_NONE;
	}
	if (i == LU_POSITIONS_NONE)
		i = (uint32_t)l->list.n++;
	else
		l->free_list = l->list.p[i].n;
	l->list.p[i] = (struct lu_positions){ p, 0, n };
	l->budget->held += (uint64_t)n * sizeof(*p);
	return i;
}

void lu_positions_drop(struct lu_position_lists *l, uint32_t i)
{
	struct lu_positions *list;

	if (i == LU_POSITIONS_NONE)
		return;
	list = &l->list.p[i];
	free(list->p);
	l->budget->held -= (uint64_t)list->cap * sizeof(*list->p);
	*list = (struct lu_positions){ NULL, l->free_list, 0 };
	l->free_list = i;
}

int lu_positions_grow(struct lu_position_lists *l, struct lu_positions *list, struct lu_err *err)
{
	size_t cap = list->cap ? (size_t)list->cap * 2 : 4;
	uint32_t *p;

	if (lu_budget_check(l->budget, (cap - list->cap) * sizeof(*p), err) < 0)
		return -1;
	p = realloc(list->p, cap * sizeof(*p));
	if (!p)
		return lu_err_nomem(err);
	l->budget->held += (cap - list->cap) * sizeof(*p);
	list->p = p;
	list->cap = cap > UINT32_MAX ? UINT32_MAX : (uint32_t)cap;
	return 0;
}

void lu_positions_shrink(struct lu_position_lists *l, uint32_t i)
{
	struct lu_positions *list = &l->list.p[i];
	uint32_t *p = list->n ? realloc(list->p, list->n * sizeof(*p)) : NULL;

	if (!p)
		return; /* the list keeps its capacity */
	l->budget->held -= (uint64_t)(list->cap - list->n) * sizeof(*p);
	list->p = p;
	list->cap = list->n;
}

void lu_position_lists_release(struct lu_position_lists *l)
{
	for (size_t i = 0; i < l->list.n; i++)
		free(l->list.p[i].p);
	lu_vec_release(&l->list);
}
