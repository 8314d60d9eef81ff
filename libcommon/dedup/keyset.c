#include "libcommon/dedup/keyset.h"

/* The low half of a key is uniform already. */
static uint64_t key_hash(const void *items, uint32_t i)
{
	const struct lu_hash128 *key = items;

	return key[i].lo;
}

static bool key_same(const void *items, uint32_t i, const void *wanted)
{
	const struct lu_hash128 *key = items;

	return lu_hash128_eq(key[i], *(const struct lu_hash128 *)wanted);
}

int lu_keyset_add(struct lu_keyset *s, struct lu_hash128 key, uint32_t *number, struct lu_err *err)
{
	*number = lu_map_find(&s->index, key.lo, s->key.p, key_same, &key);
	if (*number != LU_MAP_NONE)
		return 0;
	if (s->key.n == LU_MAP_NONE - 1)
		return lu_err_set(err, "more than %u distinct documents", LU_MAP_NONE - 1);
	if (!lu_map_reserve(&s->index, s->key.p, key_hash) || !lu_vec_push(&s->key, key))
		return lu_err_nomem(err);
	*number = lu_map_add(&s->index, key.lo);
	return 1;
}

bool lu_keyset_full(const struct lu_keyset *s, uint64_t memory)
{
	uint64_t bytes = (uint64_t)s->key.n * sizeof(struct lu_hash128) +
			(uint64_t)s->index.slots * sizeof(uint32_t);

	/* While the table doubles, the old one is still there. */
	if (s->index.n >= s->index.slots / 4 * 3)
		bytes += (uint64_t)s->index.slots * 2 * sizeof(uint32_t);
	return s->key.n == LU_MAP_NONE - 1 || (memory && bytes >= memory);
}

void lu_keyset_release(struct lu_keyset *s)
{
	lu_vec_release(&s->key);
	lu_map_release(&s->index);
}
