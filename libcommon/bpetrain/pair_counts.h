#ifndef LUCIE_BPETRAIN_PAIR_COUNTS_H
#define LUCIE_BPETRAIN_PAIR_COUNTS_H
/*
 * The count of each pair of neighbouring symbols: an array of pairs and an open-addressing index
 * over it. Only learn.c and candidates.c use this.
 *
 *	struct lu_pair_counts t = { .budget = &budget };
 *	lu_pair_counts_reserve(&t, &err);			first, and whenever it is full
 *	uint32_t i = lu_pair_find(&t, left, right, &slot);	index of the pair, or LU_PAIR_NONE
 *	i = lu_pair_add(&t, left, right, slot, &err);		if it was not found
 *	t.pair.p[i].count += n;
 *	lu_pair_counts_release(&t);
 *
 * Indexes are stable but for lu_pair_counts_compact().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/memory_budget.h"

#define LU_PAIR_NONE UINT32_MAX

enum lu_pair_state {
	LU_PAIR_WAITING, /* below the threshold: its positions are not known */
	LU_PAIR_QUEUED,	 /* a candidate */
	LU_PAIR_DONE	 /* merged, or never to be merged */
};

struct lu_pair_count {
	uint32_t left;
	uint32_t right : 28, state : 4;
	int64_t count;
};

struct lu_pair_counts {
	struct LU_VEC(struct lu_pair_count) pair;
	uint32_t *slot; /* index + 1; 0: empty */
	size_t slots;	/* a power of two */
	struct lu_budget *budget;
};

static inline size_t lu_pair_hash(uint32_t left, uint32_t right)
{
	uint64_t h = ((uint64_t)left << 32 | right) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h ^ h >> 29);
}

/* Index of the pair, or LU_PAIR_NONE and in *slot where to add it. */
static inline uint32_t lu_pair_find(
		const struct lu_pair_counts *t, uint32_t left, uint32_t right, size_t *slot)
{
	size_t k = lu_pair_hash(left, right) & (t->slots - 1);

	for (; t->slot[k]; k = (k + 1) & (t->slots - 1)) {
		const struct lu_pair_count *p = &t->pair.p[t->slot[k] - 1];

		if (p->left == left && p->right == right)
			return t->slot[k] - 1;
	}
	*slot = k;
	return LU_PAIR_NONE;
}

static inline bool lu_pair_counts_full(const struct lu_pair_counts *t)
{
	return t->pair.n >= t->slots / 4 * 3;
}

/* Add a pair with count 0 at the slot that lu_pair_find() gave. The table must not be full.
 * LU_PAIR_NONE on failure. */
uint32_t lu_pair_add(struct lu_pair_counts *t, uint32_t left, uint32_t right, size_t slot,
		struct lu_err *err);

/* Make room: double the index unless it is less than half full. Slots change. */
int lu_pair_counts_reserve(struct lu_pair_counts *t, struct lu_err *err) LU_CHECKED;

/* Drop the pairs that will never be merged: those that are done, and those that wait with a count
 * below `least`. Indexes change: returns the new index by the old one, malloc'd, or NULL when
 * memory is out. Call lu_pair_counts_reserve() next, which rebuilds the index. */
uint32_t *lu_pair_counts_compact(struct lu_pair_counts *t, int64_t least) LU_CHECKED;

void lu_pair_counts_release(struct lu_pair_counts *t);

#endif
