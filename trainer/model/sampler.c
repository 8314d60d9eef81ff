#include "trainer/model/sampler.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Candidates are put into buckets by probability, and a bucket is sorted when it is reached: most
 * tokens never are. Bucket i holds those whose logit is i to i + 1 steps below the largest. */
enum { BUCKETS = 1024, STEPS_PER_UNIT = 16 };

struct candidate {
	double p; /* relative to the most probable token */
	uint32_t id;
};

struct lt_sampler {
	struct candidate *c, *placed; /* by id; in the order of buckets */
	bool *seen;		      /* all false between calls */
	size_t vocab;
	size_t begin[BUCKETS + 1]; /* of the buckets among `placed` */
	size_t n;		   /* candidates with p > 0 */
	size_t sorted, bucket;	   /* candidates in order; buckets that they fill */
};

int lt_sampler_new(struct lt_sampler **out, size_t vocab, struct lu_err *err)
{
	struct lt_sampler *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return lu_err_nomem(err);
	s->vocab = vocab;
	s->c = calloc(vocab, sizeof(*s->c));
	s->placed = calloc(vocab, sizeof(*s->placed));
	s->seen = calloc(vocab, sizeof(*s->seen));
	if (!s->c || !s->placed || !s->seen) {
		lt_sampler_free(s);
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
	free(s->placed);
	free(s->seen);
	free(s);
}

void lt_penalise(struct lt_sampler *s, lk_real *logits, const uint32_t *ids, size_t n,
		double penalty)
{
	if (penalty == 1)
		return;
	for (size_t i = 0; i < n; i++) {
		double x = (double)logits[ids[i]];

		if (!s->seen[ids[i]])
			logits[ids[i]] = (lk_real)(x < 0 ? x * penalty : x / penalty);
		s->seen[ids[i]] = true;
	}
	for (size_t i = 0; i < n; i++)
		s->seen[ids[i]] = false;
}

static int most_probable_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->p != y->p)
		return x->p > y->p ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static size_t largest(const lk_real *logits, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++) {
		if (logits[i] > logits[best])
			best = i;
	}
	return best;
}

static size_t bucket_of(double p)
{
	double i = -log(p) * STEPS_PER_UNIT;

	return i < BUCKETS - 1 ? (size_t)i : BUCKETS - 1;
}

/* Put the tokens of a probability above 0 into buckets; returns the sum of the probabilities. */
static double place(struct lt_sampler *s, const lk_real *logits, double max, double temperature)
{
	size_t count[BUCKETS] = { 0 }, at = 0;
	double sum = 0;

	s->n = s->sorted = s->bucket = 0;
	for (size_t i = 0; i < s->vocab; i++) {
		double p = exp(((double)logits[i] - max) / temperature);

		if (!(p > 0))
			continue;
		s->c[s->n++] = (struct candidate){ p, (uint32_t)i };
		count[bucket_of(p)]++;
		sum += p;
	}
	for (size_t b = 0; b < BUCKETS; b++) {
		s->begin[b] = at;
		at += count[b];
		count[b] = s->begin[b];
	}
	s->begin[BUCKETS] = at;
	for (size_t i = 0; i < s->n; i++)
		s->placed[count[bucket_of(s->c[i].p)]++] = s->c[i];
	return sum;
}

/* Candidate i < n in descending probability. */
static const struct candidate *ranked(struct lt_sampler *s, size_t i)
{
	while (i >= s->sorted) {
		size_t from = s->begin[s->bucket++], to = s->begin[s->bucket];

		if (to - from > 1)
			qsort(s->placed + from, to - from, sizeof(*s->placed), most_probable_first);
		s->sorted = to;
	}
	return &s->placed[i];
}

uint32_t lt_sample(struct lt_sampler *s, const lk_real *logits, const struct lt_sampling *how,
		double u)
{
	size_t best = largest(logits, s->vocab), most, n = 0;
	double sum, kept = 0, run = 0;

	if (how->temperature <= 0)
		return (uint32_t)best;
	sum = place(s, logits, (double)logits[best], how->temperature);
	if (s->n == 0)
		return (uint32_t)best;
	most = how->top_k && how->top_k < s->n ? (size_t)how->top_k : s->n;
	if (most < s->n) {
		sum = 0;
		for (size_t i = 0; i < most; i++)
			sum += ranked(s, i)->p;
	}
	if (how->top_p >= 1 && how->min_p <= 0) {
		n = most;
		kept = sum;
	}
	while (n < most && (n == 0 || (kept < how->top_p * sum && ranked(s, n)->p >= how->min_p)))
		kept += ranked(s, n++)->p;
	for (size_t i = 0; i < n; i++) {
		run += ranked(s, i)->p;
		if (u * kept < run)
			return ranked(s, i)->id;
	}
	return ranked(s, n - 1)->id;
}

double lt_log_softmax(const lk_real *logits, size_t vocab, uint32_t id)
{
	double max = (double)logits[largest(logits, vocab)], sum = 0;

	for (size_t i = 0; i < vocab; i++)
		sum += exp((double)logits[i] - max);
	return (double)logits[id] - max - log(sum);
}
