#ifndef LUCIE_TRAINER_DATA_MICRO_BATCH_H
#define LUCIE_TRAINER_DATA_MICRO_BATCH_H
/*
 * A micro-batch in host memory: `sequences` rows of `context` tokens, one after the other.
 *
 *	struct lt_micro m;
 *	lt_micro_open(&m, &want, rows, sequences, &err)		rows = sequences * context
 *	... lt_feed_load(feed, &m, &err) ...			run/micro_feed.h
 *	lt_micro_release(&m);
 *
 * What nobody wants is NULL, and whoever fills in a micro-batch leaves NULL as it is.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

struct lt_micro {
	uint32_t *ids, *labels; /* [rows of tokens] */
	uint32_t *places;	/* in their documents; NULL: one document a sequence */
	lk_real *weight;	/* of each label; NULL: ones */
	double *reference; /* dpo: by sequence, the frozen log p of its targets; NULL otherwise */
	uint32_t *top;	   /* teacher: [rows of tokens][top_n]; NULL otherwise */
	lk_real *top_logp;
};

/* Which of them are wanted; ids and labels always are. */
struct lt_micro_want {
	bool places, weight, reference;
	size_t top_n; /* 0: no teacher */
};

/* Allocate a micro-batch of zeros. */
int lt_micro_open(struct lt_micro *m, const struct lt_micro_want *want, size_t rows,
		size_t sequences, struct lu_err *err) LU_CHECKED;
void lt_micro_release(struct lt_micro *m); /* twice is fine, and after a failure */

/* Sequence i as a micro-batch of its own, into whose ids, labels, places and weights it points. */
struct lt_micro lt_micro_sequence(const struct lt_micro *m, size_t i, size_t context);

/* Copy a micro-batch of one sequence to sequence k. Both were opened for the same want. */
void lt_micro_put(struct lt_micro *m, size_t k, const struct lt_micro *sequence, size_t context,
		size_t top_n);

#endif
