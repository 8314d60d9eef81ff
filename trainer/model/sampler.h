#ifndef LUCIE_TRAINER_MODEL_SAMPLER_H
#define LUCIE_TRAINER_MODEL_SAMPLER_H
/*
 * Sampling a token from logits. For each token, in this order:
 *
 *	lt_penalise(s, logits, ids, n, 1.1)	tokens that occurred before
 *	(the caller sets the logits of tokens that are ruled out to LT_RULED_OUT)
 *	next = lt_sample(s, logits, &how, u)
 *
 * Order and definitions are those of Hugging Face transformers: repetition penalty, temperature,
 * top-k, top-p, min-p. Each of the last three keeps the most probable tokens up to some place, so
 * tokens are drawn in descending probability, equal ones by id.
 */
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

/* A logit of probability 0. */
#define LT_RULED_OUT ((lk_real)-1e30)

struct lt_sampling {
	double temperature; /* 0: the largest logit, the lowest id among equals */
	uint64_t top_k;	    /* keep the k most probable tokens; 0: all */
	double top_p; /* keep the most probable ones that first add up to top_p (nucleus sampling;
		       * Holtzman et al. 2020), of what top-k left; 1: all */
	double min_p; /* keep those with at least min_p times the largest probability; 0: all */
};
#define LT_GREEDY ((struct lt_sampling){ .top_p = 1 })

struct lt_sampler; /* buffers for one vocabulary */

int lt_sampler_new(struct lt_sampler **s, size_t vocab, struct lu_err *err) LU_CHECKED;
void lt_sampler_free(struct lt_sampler *s);

/* Divide the positive logits of the tokens among n ids by `penalty` and multiply negative ones by it,
 * once for each token (Keskar et al. 2019). */
void lt_penalise(struct lt_sampler *s, lk_real *logits, const uint32_t *ids, size_t n,
		double penalty);

/* Return the token for a uniform random number u in [0, 1). At least one logit is above LT_RULED_OUT. */
uint32_t lt_sample(struct lt_sampler *s, const lk_real *logits, const struct lt_sampling *how,
		double u);

/* log of the softmax at `id`; a NaN if a logit is infinite or NaN. */
double lt_log_softmax(const lk_real *logits, size_t vocab, uint32_t id);

#endif
