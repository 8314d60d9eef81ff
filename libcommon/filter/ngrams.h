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

/* Count the key and return its slot; `index` is that of the piece. Whether a key is new cannot be
 * predicted, so that is no branch. */
static inline struct lu_gram_slot *lu_gram_set_add(
		struct lu_gram_set *s, uint64_t key, size_t index)
{
	size_t at = (key ^ key >> 32) & s->mask;
	struct lu_gram_slot *slot = &s->slot[at];

	while ((slot->count != 0) & (slot->key != key)) {
		at = (at + 1) & s->mask;
		slot = &s->slot[at];
	}
	slot->key = key;
	slot->first = slot->count ? slot->first : (uint32_t)index;
	slot->count++;
	return slot;
}

/*
 * The n-grams of a sequence that occur more than once, for growing n. An n-gram can occur twice only
 * where both (n - 1)-grams in it do, so each step looks at what the step before left over: few of
 * the 3-grams of a text, and almost none of the 10-grams. A sieve, which may let through too many,
 * does the same for the 2-grams.
 *
 *	lu_grams_start(&g, &memory, hash, stride, count, &err);		the 2-grams that may
 *	lu_grams_count(&g, &table, &err);				how often each occurs
 *	lu_grams_grow(&g);						the 3-grams that may
 *
 * gram[i] are the candidates in the order of the text: every n-gram that occurs more than once is
 * among them. The count of one is set.slot[gram[i].slot].count.
 */
struct lu_gram {
	uint64_t key;
	uint32_t at; /* index of its first piece */
	uint32_t slot;
};
struct lu_grams {
	const uint64_t *hash;
	size_t stride; /* between two hashes, in uint64_t */
	size_t n;
	struct lu_gram *gram;
	size_t grams;
	struct lu_gram_set set;
	/* Of lu_grams_count(): how often the most frequent occurs, and its first place; where none
	 * occurs twice, the first of all. */
	uint32_t most, first;
};
int lu_grams_start(struct lu_grams *g, struct lu_buf *memory, const uint64_t *hash, size_t stride,
		size_t count, struct lu_err *err) LU_CHECKED;
int lu_grams_count(struct lu_grams *g, struct lu_buf *memory, struct lu_err *err) LU_CHECKED;
void lu_grams_grow(struct lu_grams *g);

#endif
