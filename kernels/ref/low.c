/*
 * Training in 10 bytes a parameter. Stochastic rounding: Gupta et al., arXiv:1502.02551. Defined to
 * the bit, hence in float.
 */
#include <math.h>
#include <string.h>

#include "kernels/dither.h"
#include "kernels/ref/ref.h"

static uint32_t bits(float x)
{
	uint32_t b;

	memcpy(&b, &x, sizeof(b));
	return b;
}

static float number(uint32_t b)
{
	float x;

	memcpy(&x, &b, sizeof(x));
	return x;
}

static float widen(uint16_t x)
{
	return number((uint32_t)x << 16);
}

/* The random bits of element i of a call. */
static uint64_t draw(const struct lk_dither *d, const struct lk_step *step, size_t i)
{
	uint64_t j = d->at + i, index = d->first + j;

	if (d->width != 0)
		index = d->first + j / d->width * d->pitch + j % d->width;
	return lk_dither_bits(lk_dither_key(d, step->number), index);
}

void lk_ref_low_accumulate(uint16_t *g, const lk_real *x, size_t n, int add,
		const struct lk_dither *d, const struct lk_step *step)
{
	for (size_t i = 0; i < n; i++) {
		float s = add ? widen(g[i]) + (float)x[i] : (float)x[i];

		g[i] = lk_dither_round(bits(s), draw(d, step, i));
	}
}

void lk_ref_low_adamw(uint16_t *hi, uint16_t *lo, uint16_t *m, uint16_t *v, const uint16_t *g,
		size_t n, const struct lk_adamw *h, const struct lk_step *step,
		const struct lk_dither *d)
{
	float b1 = (float)h->beta1, c1 = (float)(1 - h->beta1), b2 = (float)h->beta2;
	float c2 = (float)(1 - h->beta2), i1 = (float)(1 / step->bias1);
	float i2 = (float)(1 / step->bias2), lr = (float)step->lr, eps = (float)h->eps;

	if (!step->finite || step->skip)
		return;
	for (size_t i = 0; i < n; i++) {
		uint64_t random = draw(d, step, i);
		float c = widen(g[i]) * (float)step->clip, p = number(lk_low_join(hi[i], lo[i]));
		float y = widen(m[i]) * b1 + c * c1, z = widen(v[i]) * b2 + c * c * c2;

		p = p - (y * i1 / (sqrtf(z * i2) + eps) + p * (float)h->decay) * lr;
		lk_low_split(bits(p), hi + i, lo + i);
		m[i] = lk_dither_round(bits(y), random);
		v[i] = lk_dither_round(bits(z), random >> 16);
	}
}
