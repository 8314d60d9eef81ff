#ifndef LUCIE_FILTER_NGRAMS_H
#define LUCIE_FILTER_NGRAMS_H
/*
 * Repetition by hashes: counting pieces without storing them. Keys have 64 bits: among a million
 * different pieces two collide with a probability below 10^-7.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/*
 * A multiset of keys in the caller's buffer: open addressing, at most half full. Not base/map.h: the
 * size is known beforehand, keys and counts lie in the slots, and filling it takes half of the time
 * of the n-gram rules.
 */
struct lu_gram_slot {
	uint64_t key;
	uint32_t count; /* 0: free */
	uint32_t first; /* index of the first piece with this key */
};
struct lu_gram_set {
	struct lu_gram_slot *slot;
	size_t mask;
};

/* An empty set for up to n keys. */
int lu_gram_set_start(struct lu_gram_set *s, struct lu_buf *memory, size_t n,
		struct lu_err *err) LU_CHECKED;

/* Count the key and return its slot; `index` is that of the piece. */
static inline struct lu_gram_slot *lu_gram_set_add(
		struct lu_gram_set *s, uint64_t key, size_t index)
{
	size_t at = (key ^ key >> 32) & s->mask;

	while (s->slot[at].count && s->slot[at].key != key)
		at = (at + 1) & s->mask;
	if (s->slot[at].count++ == 0) {
		s->slot[at].key = key;
		s->slot[at].first = (uint32_t)index;
	}
	return &s->slot[at];
}

/*
 * Keys of n-grams, for growing n, over a sequence of hashes: lu_grams_start() computes the 1-grams,
 * each lu_grams_grow() the next longer ones. key[i] is that of the pieces i .. i + n - 1; there are
 * count - n + 1 keys.
 */
struct lu_grams {
	const uint64_t *hash;
	size_t stride; /* between two hashes, in uint64_t */
	size_t count;
	size_t n;
	uint64_t *key;
};
int lu_grams_start(struct lu_grams *g, struct lu_buf *memory, const uint64_t *hash, size_t stride,
		size_t count, struct lu_err *err) LU_CHECKED;
void lu_grams_grow(struct lu_grams *g);
/* Number of n-grams. */
static inline size_t lu_grams_count(const struct lu_grams *g)
{
	return g->count < g->n ? 0 : g->count - g->n + 1;
}

#endif
