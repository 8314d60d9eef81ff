#include "libcommon/shard/tally.h"

#include <stdlib.h>

#include "libcommon/hash/hash.h"

static uint64_t hash(struct lu_str value)
{
	return lu_hash64(value.p, value.n, 0);
}

static uint64_t total_hash(const void *items, uint32_t i)
{
	const struct lu_manifest_total *total = items;

	return hash(total[i].value);
}

static bool total_same(const void *items, uint32_t i, const void *value)
{
	const struct lu_manifest_total *total = items;

	return lu_str_eq(total[i].value, *(const struct lu_str *)value);
}

/* The number of the total for a value, which is added if it is new. */
static int find_or_add(struct lu_tally *t, struct lu_str value, uint32_t *i, struct lu_err *err)
{
	uint64_t h = hash(value);
	struct lu_manifest_total total = { 0 };

	*i = lu_map_find(&t->index, h, t->total.p, total_same, &value);
	if (*i != LU_MAP_NONE)
		return 0;
	total.value = lu_arena_str(&t->arena, value);
	if (!total.value.p || !lu_map_reserve(&t->index, t->total.p, total_hash) ||
			!lu_vec_push(&t->total, total))
		return lu_err_nomem(err);
	*i = lu_map_add(&t->index, h);
	return 0;
}

int lu_tally_add(struct lu_tally *t, struct lu_str value, uint64_t documents, uint64_t tokens,
		uint64_t bytes, struct lu_err *err)
{
	struct lu_manifest_total *total;
	uint32_t i;

	if (find_or_add(t, value, &i, err) < 0)
		return -1;
	total = &t->total.p[i];
	total->documents += documents;
	total->tokens += tokens;
	total->bytes += bytes;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const struct lu_manifest_total *x = a, *y = b;

	return lu_str_cmp(x->value, y->value);
}

void lu_tally_sort(struct lu_tally *t)
{
	if (t->total.n)
		qsort(t->total.p, t->total.n, sizeof(*t->total.p), by_value);
	lu_map_release(&t->index);
}

void lu_tally_release(struct lu_tally *t)
{
	lu_vec_release(&t->total);
	lu_map_release(&t->index);
	lu_arena_release(&t->arena);
}
