#include "trainer/model/rotary.h"

#include <math.h>

const char *lt_rope_name(enum lt_rope_scaling type)
{
	static const char *const names[] = {
		[LT_ROPE_NONE] = "none", [LT_ROPE_LINEAR] = "linear", [LT_ROPE_LLAMA3] = "llama3"
	};

	return names[type];
}

static double llama3(const struct lt_shape *s, double w)
{
	double wavelength = 2 * M_PI / w, original = (double)s->rope_original, part;

	if (wavelength < original / s->rope_high)
		return w;
	if (wavelength > original / s->rope_low)
		return w / s->rope_factor;
	part = (original / wavelength - s->rope_low) / (s->rope_high - s->rope_low);
	return (1 - part) * w / s->rope_factor + part * w;
}

bool lt_rope_same(const struct lt_shape *a, const struct lt_shape *b)
{
	if (a->rope_theta != b->rope_theta || a->rope_scaling != b->rope_scaling)
		return false;
	if (a->rope_scaling == LT_ROPE_NONE)
		return true;
	if (a->rope_factor != b->rope_factor || a->rope_scaling == LT_ROPE_LINEAR)
		return a->rope_factor == b->rope_factor;
	return a->rope_low == b->rope_low && a->rope_high == b->rope_high &&
			a->rope_original == b->rope_original;
}

void lt_rope_frequencies(const struct lt_shape *s, double *freq)
{
	for (size_t i = 0; i < s->dim / 2; i++) {
		double w = pow(s->rope_theta, -2.0 * (double)i / (double)s->dim);

		switch (s->rope_scaling) {
		case LT_ROPE_NONE: freq[i] = w; break;
		case LT_ROPE_LINEAR: freq[i] = w / s->rope_factor; break;
		case LT_ROPE_LLAMA3: freq[i] = llama3(s, w); break;
		}
	}
}
