#ifndef LUCIE_BPETRAIN_CANDIDATES_H
#define LUCIE_BPETRAIN_CANDIDATES_H
/*
 * The candidate heap: pairs that may be merged next, the most frequent first, then the one with the
 * smaller left id, then the smaller right id. Only learn.c uses this.
 *
 * A candidate is ordered by `key`, the count that its pair had when it was pushed or last sifted.
 * Counts of candidates only fall, so a key that differs from the count is too large: the learner
 * corrects it when it comes to the top.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/pair_counts.h"

struct lu_candidate {
	int64_t key;
	uint32_t pair;	    /* index in the pair counts */
	uint32_t positions; /* number of the list, or LU_POSITIONS_NONE */
};

struct lu_candidates LU_VEC(struct lu_candidate);

/* False when memory is out. */
bool lu_candidates_push(struct lu_candidates *heap, const struct lu_pair_counts *pairs,
		struct lu_candidate c);
/* Remove p[0]. */
void lu_candidates_pop(struct lu_candidates *heap, const struct lu_pair_counts *pairs);
/* Restore the order after the key of p[0] fell. */
void lu_candidates_sift_down(struct lu_candidates *heap, const struct lu_pair_counts *pairs);

#endif
