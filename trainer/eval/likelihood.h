#ifndef LUCIE_TRAINER_EVAL_LIKELIHOOD_H
#define LUCIE_TRAINER_EVAL_LIKELIHOOD_H
/*
 * Log-likelihoods of continuations.
 *
 * Several sequences share a row of the batch: each attends to itself alone (lt_batch.places), so a
 * row of the model's context holds as many short questions as fit. Which sequence is in which row
 * depends on them alone: neither the batch nor the number of threads or ranks changes a bit.
 *
 * Requests that follow one another and differ in their last token alone, as choices of one letter do,
 * are computed once: the head is asked again for each last token (lt_scorer.again).
 */
#include "trainer/data/scoring.h"

struct lt_request {
	const uint32_t *ids; /* n >= 2 of them, at most the scorer's context + 1 */
	size_t n, scored;    /* the last `scored` tokens, at most n - 1, are the continuation */
	lk_real *each;	     /* NULL, or room for `scored` log p, where one rank scores all */
	double log_p;	     /* result: sum of their log p, in nats, in order, on all ranks */
};

/* Rows of this many tokens hold requests of up to n tokens: a power of two, at least 256, at most
 * `context`. What is scored for itself is so independent of what else is scored with the model. */
size_t lt_likelihood_row(size_t n, size_t context);

/* Score n requests. All ranks of the scorer call it with the same requests. `stop` is that of
 * lt_score_total(), called after each round of batches with the scorer's ctx; `done` (NULL: none)
 * with the number of requests whose turn has come. Returns 0, 1 if stopped, or -1. */
int lt_likelihood(const struct lt_scorer *s, struct lt_request *r, size_t n,
		int (*stop)(void *ctx, struct lu_err *err), void (*done)(void *ctx, uint64_t n),
		void *done_ctx, struct lu_err *err) LU_CHECKED;

#endif
