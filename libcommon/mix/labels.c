#include "libcommon/mix/labels.h"

#include "libcommon/base/fnv.h"

static uint64_t hash(struct lu_str s)
{
	return lu_fnv1a(LU_FNV_BASIS, s.p, s.n);
}

static uint64_t label_hash(const void *items, uint32_t i)
{
	const struct lu_str *name = items;

	return hash(name[i]);
}

static bool label_same(const void *items, uint32_t i, const void *label)
{
	const struct lu_str *name = items;

	return lu_str_eq(name[i], *(const struct lu_str *)label);
}

static uint32_t find(const struct lu_labels *l, struct lu_str label)
{
	return lu_map_find(&l->index, hash(label), l->name.p, label_same, &label);
}

int lu_labels_add(struct lu_labels *l, struct lu_str label, uint32_t *number, struct lu_err *err)
{
	struct lu_str copy;

	if (!label.p || label.n == 0)
		label = LU_STR("none");
	/* Documents of one language tend to follow one another. */
	if (l->name.n && lu_str_eq(l->name.p[l->last], label)) {
		*number = l->last;
		return 0;
	}
	*number = find(l, label);
	if (*number == LU_MAP_NONE && l->name.n >= LU_LABELS_MAX) {
		label = LU_STR("other");
		*number = find(l, label);
	}
	if (*number == LU_MAP_NONE) {
		copy = lu_arena_str(&l->arena, label);
		if (!copy.p || !lu_map_reserve(&l->index, l->name.p, label_hash) ||
				!lu_vec_push(&l->name, copy))
			return lu_err_nomem(err);
		*number = lu_map_add(&l->index, hash(label));
	}
	l->last = *number;
	return 0;
}

void lu_labels_release(struct lu_labels *l)
{
	lu_vec_release(&l->name);
	lu_map_release(&l->index);
	lu_arena_release(&l->arena);
	l->last = 0;
}
