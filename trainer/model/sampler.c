#include "trainer/model/sampler.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
	double p;
	uint32_t id;
};

struct lt_sampler {
	struct candidate *c;
	size_t vocab;
};

int lt_sampler_new(struct lt_sampler **out, size_t vocab, struct lu_err *err)
{
	struct lt_sampler *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return lu_err_nomem(err);
	s->vocab = vocab;
	s->c = calloc(vocab, sizeof(*s->c));
	if (!s->c) {
		free(s);
		return lu_err_nomem(err);
	}
	*out = s;
	return 0;
}

void lt_sampler_free(struct lt_sampler *s)
{
	if (!s)
		return;
	free(s->c);
	free(s);
}

static int most_probable_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->p != y->p)
		return x->p > y->p ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

uint32_t lt_sample(struct lt_sampler *s, const lk_real *logits, double temperature, double top_p,
		double u)
{
	double sum = 0, kept = 0, run = 0;
	size_t best = 0, n;

	for (size_t i = 1; i < s->vocab; i++) {
		if (logits[i] > logits[best])
			best = i;
	}
	if (temperature <= 0)
		return (uint32_t)best;
	for (size_t i = 0; i < s->vocab; i++) {
		double p = exp(((double)logits[i] - (double)logits[best]) / temperature);

		s->c[i] = (struct candidate){ p, (uint32_t)i };
		sum += p;
	}
	qsort(s->c, s->vocab, sizeof(*s->c), most_probable_first);
	for (n = 0; n < s->vocab && (n == 0 || kept < top_p * sum); n++)
		kept += s->c[n].p;
	for (size_t i = 0; i < n; i++) {
		run += s->c[i].p;
		if (u * kept < run)
			return s->c[i].id;
	}
	return s->c[n - 1].id;
}
