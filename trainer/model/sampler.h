#ifndef LUCIE_TRAINER_MODEL_SAMPLER_H
#define LUCIE_TRAINER_MODEL_SAMPLER_H
/* Choosing a token from logits. */
#include <stddef.h>
#include <stdint.h>

#include "kernels/lk.h"
#include "libcommon/base/err.h"

struct lt_sampler; /* room for one vocabulary */

int lt_sampler_new(struct lt_sampler **s, size_t vocab, struct lu_err *err) LU_CHECKED;
void lt_sampler_free(struct lt_sampler *s);

/*
 * The token for a uniform number u in [0, 1). Temperature 0: the largest logit, the lowest id among
 * equals. Otherwise from softmax(logits / temperature), of which only the most probable tokens
 * whose sum first reaches top_p are kept (nucleus sampling; Holtzman et al. 2020).
 */
uint32_t lt_sample(struct lt_sampler *s, const lk_real *logits, double temperature, double top_p,
		double u);

#endif
