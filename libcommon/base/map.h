#ifndef LUCIE_BASE_MAP_H
#define LUCIE_BASE_MAP_H
/*
 * Hash index over an array: an open-addressing table with linear probing.
 *
 * The map holds indices only. The elements stay in the caller's array in the order in which they
 * were added, so a walk over them never depends on hash order. The caller supplies two callbacks:
 * the hash of element i, and whether element i has a given key.
 *
 *	static uint64_t name_hash(const void *items, uint32_t i)
 *	{
 *		const struct name *name = items;
 *
 *		return lu_hash64(name[i].s.p, name[i].s.n, 0);
 *	}
 *	static bool name_is(const void *items, uint32_t i, const void *key)
 *	{
 *		const struct name *name = items;
 *
 *		return lu_str_eq(name[i].s, *(const struct lu_str *)key);
 *	}
 *
 *	uint64_t hash = lu_hash64(s.p, s.n, 0);
 *	uint32_t i = lu_map_find(&map, hash, names.p, name_is, &s);
 *	if (i == LU_MAP_NONE) {
 *		if (!lu_map_reserve(&map, names.p, name_hash) || !lu_vec_push(&names, ...))
 *			return lu_err_nomem(err);
 *		i = lu_map_add(&map, hash);		= names.n - 1
 *	}
 *	lu_map_release(&map);
 *
 * The low bits of a hash must be well distributed, as XXH3's are. The table takes 4 bytes per slot
 * and doubles when three quarters of the slots are used: 5.3 to 10.7 bytes per element. Elements
 * cannot be removed. Lookups may run in parallel, but not with an insertion.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LU_MAP_NONE UINT32_MAX

struct lu_map {
	uint32_t *slot; /* index + 1; 0: empty */
	size_t slots;	/* a power of two, or 0 */
	uint32_t n;	/* elements */
};

typedef uint64_t lu_map_hash_fn(const void *items, uint32_t i);
typedef bool lu_map_same_fn(const void *items, uint32_t i, const void *key);

/* Index of the element with this key, or LU_MAP_NONE. */
static inline uint32_t lu_map_find(const struct lu_map *m, uint64_t hash, const void *items,
		lu_map_same_fn *same, const void *key)
{
	if (m->n == 0)
		return LU_MAP_NONE;
	for (size_t at = (size_t)hash & (m->slots - 1); m->slot[at];
			at = (at + 1) & (m->slots - 1)) {
		if (same(items, m->slot[at] - 1, key))
			return m->slot[at] - 1;
	}
	return LU_MAP_NONE;
}

/* Make room for one more element. False when memory is out, or with LU_MAP_NONE - 1 elements. */
bool lu_map_reserve(struct lu_map *m, const void *items, lu_map_hash_fn *hash_of);

/* Insert the next element, whose key must be absent, and return its index. Call lu_map_reserve()
 * first. */
uint32_t lu_map_add(struct lu_map *m, uint64_t hash);

/* Free the memory; the map is empty and usable again. */
void lu_map_release(struct lu_map *m);

#endif
