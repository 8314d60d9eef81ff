#ifndef LUCIE_TRAINER_DATA_SCORING_H
#define LUCIE_TRAINER_DATA_SCORING_H
/*
 * The loss of a model over a corpus: the stream is cut into windows of `context` tokens without
 * overlap, including the short one at the end, so that every token but the first is scored once.
 */
#include "trainer/data/corpus.h"
#include "trainer/model/model.h"

/* Called with n labels, at stream offsets offset..offset+n-1, and their losses, in stream order.
 * Returns 0, 1 to stop, or -1. */
typedef int lt_score_fn(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err);

/* Score at most `windows` windows, evenly spaced (0: all). The model must hold `batch` sequences of
 * `context` tokens. Returns 0 at the end, 1 if fn stopped it, or -1. */
int lt_score(struct lt_model *m, size_t batch, size_t context, const struct lt_corpus *c,
		uint64_t windows, lt_score_fn *fn, void *ctx, struct lu_err *err) LU_CHECKED;

struct lt_total {
	double loss; /* sum in nats, added in stream order */
	uint64_t tokens;
};
/* The total only. `stop`, unless NULL, is called after each window: true stops the scoring. */
int lt_score_total(struct lt_model *m, size_t batch, size_t context, const struct lt_corpus *c,
		uint64_t windows, bool (*stop)(void), struct lt_total *out,
		struct lu_err *err) LU_CHECKED;

#endif
