#include "trainer/data/micro_batch.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"

int lt_micro_open(struct lt_micro *m, const struct lt_micro_want *want, size_t rows,
		size_t sequences, struct lu_err *err)
{
	size_t top;

	*m = (struct lt_micro){ 0 };
	if (!lu_mul_size(rows, want->top_n, &top))
		return lu_err_nomem(err);
	m->ids = calloc(rows, sizeof(*m->ids));
	m->labels = calloc(rows, sizeof(*m->labels));
	m->places = want->places ? calloc(rows, sizeof(*m->places)) : NULL;
	m->weight = want->weight ? calloc(rows, sizeof(*m->weight)) : NULL;
	m->reference = want->reference ? calloc(sequences, sizeof(*m->reference)) : NULL;
	m->top = top ? calloc(top, sizeof(*m->top)) : NULL;
	m->top_logp = top ? calloc(top, sizeof(*m->top_logp)) : NULL;
	if (m->ids && m->labels && (m->places || !want->places) && (m->weight || !want->weight) &&
			(m->reference || !want->reference) && ((m->top && m->top_logp) || !top))
		return 0;
	lt_micro_release(m);
	return lu_err_nomem(err);
}

void lt_micro_release(struct lt_micro *m)
{
	free(m->ids);
	free(m->labels);
	free(m->places);
	free(m->weight);
	free(m->reference);
	free(m->top);
	free(m->top_logp);
	*m = (struct lt_micro){ 0 };
}

void lt_micro_put(struct lt_micro *m, size_t k, const struct lt_micro *s, size_t n, size_t top_n)
{
	memcpy(m->ids + k * n, s->ids, n * sizeof(*m->ids));
	memcpy(m->labels + k * n, s->labels, n * sizeof(*m->labels));
	if (m->places)
		memcpy(m->places + k * n, s->places, n * sizeof(*m->places));
	if (m->weight)
		memcpy(m->weight + k * n, s->weight, n * sizeof(*m->weight));
	if (m->reference)
		m->reference[k] = s->reference[0];
	if (m->top) {
		memcpy(m->top + k * n * top_n, s->top, n * top_n * sizeof(*m->top));
		memcpy(m->top_logp + k * n * top_n, s->top_logp, n * top_n * sizeof(*m->top_logp));
	}
}

struct lt_micro lt_micro_sequence(const struct lt_micro *m, size_t i, size_t context)
{
	size_t at = i * context;

	return (struct lt_micro){ .ids = m->ids + at,
		.labels = m->labels + at,
		.places = m->places ? m->places + at : NULL,
		.weight = m->weight ? m->weight + at : NULL };
}
