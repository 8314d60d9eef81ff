#include "libcommon/base/map.h"

#include <stdlib.h>

#include "libcommon/base/err.h"

#define SLOTS_MIN 64

static void insert(struct lu_map *m, uint64_t hash, uint32_t i)
{
	size_t at = (size_t)hash & (m->slots - 1);

	while (m->slot[at])
		at = (at + 1) & (m->slots - 1);
	m->slot[at] = i + 1;
}

static bool full(const struct lu_map *m)
{
	return m->n >= m->slots / 4 * 3;
}

bool lu_map_reserve(struct lu_map *m, const void *items, lu_map_hash_fn *hash_of)
{
	struct lu_map bigger = { .slots = m->slots ? m->slots * 2 : SLOTS_MIN, .n = m->n };

	if (m->n == LU_MAP_NONE - 1)
		return false;
	if (!full(m))
		return true;
	bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (uint32_t i = 0; i < m->n; i++)
		insert(&bigger, hash_of(items, i), i);
	free(m->slot);
	*m = bigger;
	return true;
}

uint32_t lu_map_add(struct lu_map *m, uint64_t hash)
{
	LU_ASSERT(!full(m));
	insert(m, hash, m->n);
	return m->n++;
}

void lu_map_release(struct lu_map *m)
{
	free(m->slot);
	*m = (struct lu_map){ 0 };
}
