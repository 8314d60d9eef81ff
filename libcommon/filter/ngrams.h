#ifndef LUCIE_FILTER_NGRAMS_H
#define LUCIE_FILTER_NGRAMS_H
/*
 * Repetition by hashes: what was seen before, without keeping it. Keys are 64 bits: of a million
 * different pieces two are taken for one with a probability below 10^-7.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* A set of keys in the caller's buffer; open addressing, at most half full. */
struct lu_gram_slot {
	uint64_t key;
	uint32_t count; /* 0: free */
	uint32_t first; /* number of the piece that came first */
};
struct lu_gram_set {
	struct lu_gram_slot *slot;
	size_t mask;
};

/* An empty set for up to n keys. */
int lu_gram_set_start(struct lu_gram_set *s, struct lu_buf *memory, size_t n,
		struct lu_err *err) LU_CHECKED;

/* The slot of the key, with count raised by one; `index` is kept when it is new. */
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
 * Keys of n-grams for growing n over a sequence of hashes: lu_grams_start() makes them 1-grams,
 * each lu_grams_grow() the next longer ones. key[i] of n stands for pieces i ... i+n-1; there are
 * count - n + 1 of them.
 */
struct lu_grams {
	const uint64_t *hash;
	size_t stride; /* distance of two hashes in uint64_t */
	size_t count;
	size_t n;
	uint64_t *key;
};
int lu_grams_start(struct lu_grams *g, struct lu_buf *memory, const uint64_t *hash, size_t stride,
		size_t count, struct lu_err *err) LU_CHECKED;
void lu_grams_grow(struct lu_grams *g);
/* How many n-grams there are now. */
static inline size_t lu_grams_here(const struct lu_grams *g)
{
	return g->count < g->n ? 0 : g->count - g->n + 1;
}

#endif
