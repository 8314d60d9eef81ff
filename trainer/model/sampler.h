#ifndef LUCIE_TRAINER_MODEL_SAMPLER_H
#define LUCIE_TRAINER_MODEL_SAMPLER_H
/* Sampling a token from logits. */
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

struct lt_sampler; /* buffers for one vocabulary */

int lt_sampler_new(struct lt_sampler **s, size_t vocab, struct lu_err *err) LU_CHECKED;
void lt_sampler_free(struct lt_sampler *s);

/*
 * Return the token for a uniform random number u in [0, 1). Temperature 0: the largest logit, the
 * lowest id among equals. Otherwise softmax(logits / temperature), restricted to the most probable
 * tokens whose probabilities first add up to top_p (nucleus sampling; Holtzman et al. 2020).
 */
uint32_t lt_sample(struct lt_sampler *s, const lk_real *logits, double temperature, double top_p,
		double u);

#endif
