#include "libcommon/bpetrain/lang_names.h"

static uint64_t name_hash(const void *items, uint32_t i)
{
	const struct lu_str *name = items;

	return lu_word_hash(name[i]);
}

static bool name_is(const void *items, uint32_t i, const void *key)
{
	const struct lu_str *name = items;

	return lu_str_eq(name[i], *(const struct lu_str *)key);
}

int lu_lang_names_add(
		struct lu_lang_names *l, struct lu_str name, uint16_t *number, struct lu_err *err)
{
	uint64_t hash = lu_word_hash(name);
	uint32_t i = lu_map_find(&l->map, hash, l->name.p, name_is, &name);

	if (i == LU_MAP_NONE) {
		struct lu_str kept;

		if (l->name.n == LU_WORD_GROUPS)
			return lu_err_set(err,
					"more than %d languages; --map lang= names the member that "
					"holds them",
					LU_WORD_GROUPS);
		kept = lu_arena_str(&l->arena, name);
		if (!kept.p || !lu_map_reserve(&l->map, l->name.p, name_hash) ||
				!lu_vec_push(&l->name, kept))
			return lu_err_nomem(err);
		i = lu_map_add(&l->map, hash);
	}
	*number = (uint16_t)i;
	return 0;
}

static int by_bytes(const void *x, const void *y)
{
	return lu_str_cmp(*(const struct lu_str *)x, *(const struct lu_str *)y);
}

void lu_lang_names_sort(struct lu_lang_names *l)
{
	lu_map_release(&l->map);
	if (l->name.n)
		qsort(l->name.p, l->name.n, sizeof(*l->name.p), by_bytes);
}

uint16_t lu_lang_names_number(const struct lu_lang_names *l, struct lu_str name)
{
	size_t low = 0, high = l->name.n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (lu_str_cmp(l->name.p[mid], name) <= 0)
			low = mid;
		else
			high = mid;
	}
	LU_ASSERT(l->name.n && lu_str_eq(l->name.p[low], name));
	return (uint16_t)low;
}

void lu_lang_names_release(struct lu_lang_names *l)
{
	lu_vec_release(&l->name);
	lu_map_release(&l->map);
	lu_arena_release(&l->arena);
	*l = (struct lu_lang_names){ 0 };
}
