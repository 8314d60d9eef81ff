#ifndef LUCIE_TRAINER_DATA_SCORING_H
#define LUCIE_TRAINER_DATA_SCORING_H
/*
 * The loss of a model over a corpus, window by window (lt_corpus_windows()): a stream is cut every
 * `context` tokens, with a short window at the end, so that every token but the first is scored once;
 * rows of documents are scored as they are trained on. Masked labels and padding are not scored.
 */
#include "trainer/data/corpus.h"
#include "trainer/model/model.h"

/* Called with n targets, at stream offsets offset..offset+n-1, and their losses, in the order of the
 * windows. Returns 0, 1 to stop, or -1. */
typedef int lt_score_fn(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err);

/* What computes log p of the labels of a batch: one model, or the ranks of a run. */
struct lt_scorer {
	size_t batch, context;
	bool reset_documents; /* attention and positions begin anew in each document */
	void *ctx;
	/* Log p of the labels of the first `sequences` sequences. *here becomes false where the results
	 * are on another rank. */
	int (*score)(void *ctx, const struct lt_batch *b, size_t sequences, lk_real *log_p,
			bool *here, struct lu_err *err);
	/* NULL, or the same for the batch that was scored last with other labels: for the price of
	 * the head alone. */
	int (*again)(void *ctx, const struct lt_batch *b, lk_real *log_p, bool *here,
			struct lu_err *err);
	/* With several ranks: this one scores the batches k with k mod shares = share, and combine()
	 * replaces x[n] by the sum over all ranks. shares 0 stands for 1. */
	size_t share, shares;
	int (*combine)(void *ctx, double *x, size_t n, struct lu_err *err);
};
/* One whole model as a scorer. */
struct lt_scorer lt_scorer_of(struct lt_model *m, size_t batch, size_t context);

/* Score at most `windows` windows, evenly spaced (0: all), in one process. Returns 0 at the end, 1 if
 * fn stopped it, or -1. */
int lt_score(const struct lt_scorer *s, const struct lt_corpus *c, uint64_t windows,
		lt_score_fn *fn, void *ctx, struct lu_err *err) LU_CHECKED;

struct lt_total {
	double loss;	 /* sum in nats: of each batch in stream order, then of the batches */
	uint64_t tokens; /* targets */
};
/* The total only, on all ranks. `stop`, unless NULL, is called after each round of batches, on all
 * ranks alike: 1 stops the scoring, -1 is an error. Returns 0, 1 if stopped, or -1. */
int lt_score_total(const struct lt_scorer *s, const struct lt_corpus *c, uint64_t windows,
		int (*stop)(void *ctx, struct lu_err *err), struct lt_total *out,
		struct lu_err *err) LU_CHECKED;

/* The same by groups of labels, such as those of a language: `of` tells the group, below n, of the
 * label at an offset of the stream. All windows; out[n]. */
struct lt_label_groups {
	void *ctx;
	size_t n;
	size_t (*of)(void *ctx, uint64_t offset);
};
int lt_score_groups(const struct lt_scorer *s, const struct lt_corpus *c,
		const struct lt_label_groups *g, int (*stop)(void *ctx, struct lu_err *err),
		struct lt_total *out, struct lu_err *err) LU_CHECKED;

#endif
