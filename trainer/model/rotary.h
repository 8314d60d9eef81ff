#ifndef LUCIE_TRAINER_MODEL_ROTARY_H
#define LUCIE_TRAINER_MODEL_ROTARY_H
/*
 * The frequencies of rotary positions (Su et al. 2021), which a model may scale to reach beyond the
 * context that it was trained on. Frequency i of dim / 2 is f(theta^(-2 i / dim)), with
 *
 *	none		f(w) = w
 *	linear		f(w) = w / factor		(Chen et al. 2023, "position interpolation")
 *	llama3		by the wavelength l = 2 pi / w:
 *			l < original / high		f(w) = w
 *			l > original / low		f(w) = w / factor
 *			in between			f(w) = (1 - s) w / factor + s w
 *			with s = (original / l - low) / (high - low)
 *
 * llama3 is the rule of Llama 3.1, as its published code and Hugging Face's transformers have it
 * (rope_type "llama3"): `original` is max_position_embeddings before the extension, `low` and `high`
 * are low_freq_factor and high_freq_factor.
 */
#include <stdbool.h>
#include <stddef.h>

#include "trainer/model/params.h"

/* "none", "linear" or "llama3". */
const char *lt_rope_name(enum lt_rope_scaling type);

/* Whether two models turn their heads alike. */
bool lt_rope_same(const struct lt_shape *a, const struct lt_shape *b);

/* freq[dim / 2] of a head, as doubles. */
void lt_rope_frequencies(const struct lt_shape *s, double *freq);

#endif
