#include "libcommon/report/by_name.h"

#include <stdlib.h>

#include "libcommon/hash/hash.h"

static uint64_t row_hash(const void *items, uint32_t i)
{
	const struct lu_by_name_row *row = items;

	return lu_hash64(row[i].name.p, row[i].name.n, 0);
}

static bool row_is(const void *items, uint32_t i, const void *key)
{
	const struct lu_by_name_row *row = items;

	return lu_str_eq(row[i].name, *(const struct lu_str *)key);
}

int lu_by_name_add(struct lu_by_name *t, struct lu_str name, uint64_t docs, uint64_t characters,
		struct lu_err *err)
{
	struct lu_by_name_row row = { .docs = docs, .characters = characters };
	uint64_t hash;
	uint32_t i;

	if (name.n == 0)
		name = LU_STR("(none)");
	hash = lu_hash64(name.p, name.n, 0);
	i = lu_map_find(&t->map, hash, t->row.p, row_is, &name);
	if (i == LU_MAP_NONE && t->row.n >= LU_BY_NAME_NAMES) {
		name = LU_STR("(others)");
		hash = lu_hash64(name.p, name.n, 0);
		i = lu_map_find(&t->map, hash, t->row.p, row_is, &name);
	}
	if (i != LU_MAP_NONE) {
		t->row.p[i].docs += docs;
		t->row.p[i].characters += characters;
		return 0;
	}
	row.name = lu_arena_str(&t->arena, name);
	if (!row.name.p || !lu_map_reserve(&t->map, t->row.p, row_hash) ||
			!lu_vec_push(&t->row, row))
		return lu_err_nomem(err);
	lu_map_add(&t->map, hash);
	return 0;
}

static int by_characters(const void *a, const void *b)
{
	const struct lu_by_name_row *p = a, *q = b;

	if (p->characters != q->characters)
		return p->characters > q->characters ? -1 : 1;
	return lu_str_cmp(p->name, q->name);
}

void lu_by_name_sort(struct lu_by_name *t)
{
	if (t->row.n)
		qsort(t->row.p, t->row.n, sizeof(*t->row.p), by_characters);
	lu_map_release(&t->map);
}

const struct lu_by_name_row *lu_by_name_find(const struct lu_by_name *t, struct lu_str name)
{
	for (size_t i = 0; i < t->row.n; i++) {
		if (lu_str_eq(t->row.p[i].name, name))
			return &t->row.p[i];
	}
	return NULL;
}

void lu_by_name_release(struct lu_by_name *t)
{
	lu_vec_release(&t->row);
	lu_map_release(&t->map);
	lu_arena_release(&t->arena);
}
