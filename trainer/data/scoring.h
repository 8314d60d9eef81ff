#ifndef LUCIE_TRAINER_DATA_SCORING_H
#define LUCIE_TRAINER_DATA_SCORING_H
/*
 * The loss of a model over a corpus: windows of `context` tokens of the stream, without overlap,
 * the short one at the end included, so that every token but the first is scored once.
 */
#include "trainer/data/corpus.h"
#include "trainer/model/model.h"

/* n labels at stream positions at..at+n-1, in order, and their losses. Return 0, or 1 to stop
 * early, or -1. */
typedef int lt_score_fn(void *ctx, uint64_t at, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err);

/* At most `windows` windows, spread evenly (0: all). The model holds batch sequences of context
 * tokens. 0 done, 1 stopped, -1. */
int lt_score(struct lt_model *m, size_t batch, size_t context, const struct lt_corpus *c,
		uint64_t windows, lt_score_fn *fn, void *ctx, struct lu_err *err) LU_CHECKED;

struct lt_total {
	double loss; /* sum, natural logarithms, added in the order of the stream */
	uint64_t tokens;
};
/* Just the total. `stop`, when not NULL, is looked at between batches. */
int lt_score_total(struct lt_model *m, size_t batch, size_t context, const struct lt_corpus *c,
		uint64_t windows, bool (*stop)(void), struct lt_total *out,
		struct lu_err *err) LU_CHECKED;

#endif
