#ifndef LUCIE_BASE_MAP_H
#define LUCIE_BASE_MAP_H
/*
 * A hash index over the elements of an array: the one open-addressing table of the library.
 *
 * The map holds numbers only; the elements stay in the caller's array, in the order in which they
 * were added, so whatever walks them does not depend on hash order. Two functions of the caller
 * say what an element's hash is and whether it has the wanted key:
 *
 *	static uint64_t name_hash(const void *items, uint32_t i)
 *	{
 *		const struct name *name = items;
 *
 *		return lu_hash64(name[i].s.p, name[i].s.n, 0);
 *	}
 *	static bool name_same(const void *items, uint32_t i, const void *key)
 *	{
 *		const struct name *name = items;
 *
 *		return lu_str_eq(name[i].s, *(const struct lu_str *)key);
 *	}
 *
 *	uint64_t hash = lu_hash64(s.p, s.n, 0);
 *	uint32_t i = lu_map_find(&map, hash, names.p, name_same, &s);
 *	if (i == LU_MAP_NONE) {
 *		if (!lu_map_reserve(&map, names.p, name_hash) || !lu_vec_push(&names, ...))
 *			return lu_err_nomem(err);
 *		i = lu_map_add(&map, hash);		now names.n - 1
 *	}
 *	lu_map_release(&map);
 *
 * A hash must spread over its low bits, as XXH3's does. Memory is 4 bytes a slot, at most three
 * quarters of which are used: 5.3 to 10.7 bytes an element. Elements cannot be removed. Not
 * thread-safe while elements are added; finding is.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LU_MAP_NONE UINT32_MAX

struct lu_map {
	uint32_t *slot; /* number + 1; 0: empty */
	size_t slots;	/* a power of two, or 0 */
	uint32_t n;	/* elements */
};

typedef uint64_t lu_map_hash_fn(const void *items, uint32_t i);
typedef bool lu_map_same_fn(const void *items, uint32_t i, const void *key);

/* Number of the element with this key, or LU_MAP_NONE. */
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

/* Makes room for one more element. False when memory is out, or with LU_MAP_NONE elements. */
bool lu_map_reserve(struct lu_map *m, const void *items, lu_map_hash_fn *hash_of);

/* Adds the next element, which must be absent, and returns its number. Needs room for it. */
uint32_t lu_map_add(struct lu_map *m, uint64_t hash);

/* Forgets the elements and keeps the memory. */
void lu_map_clear(struct lu_map *m);

/* Frees the memory; the map is empty and usable again. */
void lu_map_release(struct lu_map *m);

#endif
