#include "trainer/model/upload.h"

#include <string.h>

/* Ids, places and sorted ids; or the sum of the weights, weights, references, labels, and the top. */
size_t lt_upload_bytes(const struct lt_model *m)
{
	size_t word = sizeof(uint32_t), real = sizeof(lk_real), top = m->plan.objective.top;
	size_t inputs = (5 * m->rows + 2) * word;
	size_t labels = (1 + m->plan.batch) * sizeof(double) + m->rows * (word + real) +
			m->rows * top * (word + real);

	return inputs > labels ? inputs : labels;
}

/* Queue a copy of n elements of 32 bits, by way of *stage, which is moved on behind them. */
static int upload(struct lt_model *m, uint32_t **stage, const void *to, const void *from, size_t n)
{
	uint32_t *p = *stage;

	*stage += n;
	if (from)
		memcpy(p, from, n * sizeof(*p));
	return m->ops->copy(m->q, (void *)(uintptr_t)to, p, n * sizeof(*p), LK_H2D);
}

/* What the chunk reads of a micro-batch: ids where the embedding is, and places. */
int lt_upload_inputs(struct lt_model *m, struct lt_slot *slot, const struct lt_batch *b, bool embed,
		size_t rows)
{
	uint32_t *p;

	slot->documents = b->places != NULL;
	if (m->measuring || (!b->places && !embed))
		return 0;
	p = lt_staging_next(&m->staging);
	if (!p || (b->places && upload(m, &p, slot->places, b->places, rows) < 0) ||
			(embed && upload(m, &p, slot->ids, b->ids, rows) < 0))
		return -1;
	if (embed && m->plan.mode == LT_MODEL_TRAIN) {
		slot->sorted.segments =
				lk_sort_ids(p, p + m->rows, p + 2 * m->rows + 1, b->ids, rows);
		if (upload(m, &p, slot->sorted.id, NULL, 3 * m->rows + 1) < 0)
			return -1;
	}
	return lt_staging_queued(&m->staging);
}

/* Copy n bytes of the host by way of *stage, which is moved on behind them. */
static int upload_bytes(struct lt_model *m, char **stage, void *to, const void *from, size_t n)
{
	char *p = *stage;

	*stage += n;
	memcpy(p, from, n);
	return m->ops->copy(m->q, to, p, n, LK_H2D);
}

/* What the head reads of a micro-batch: what is of 8 bytes first, so that everything is aligned. With a
 * pass, the sum of the weights besides, to where the sums of the pass are; dpo() counts pairs. */
int lt_upload_labels(struct lt_model *m, const struct lt_batch *b, size_t rows,
		const struct lt_pass *pass)
{
	const struct lt_objective *o = &m->plan.objective;
	double weights = b->weight ? 0 : (double)rows;
	char *p;

	m->top_n = m->measuring ? o->top : b->top_n;
	if (m->measuring)
		return 0;
	for (size_t i = 0; b->weight && i < rows; i++)
		weights += (double)b->weight[i];
	p = (char *)lt_staging_next(&m->staging);
	if (!p ||
			(pass &&
					upload_bytes(m, &p,
							pass->sums + LK_SUM_WEIGHTS * pass->stride,
							&weights, sizeof(weights)) < 0) ||
			(pass && o->dpo &&
					upload_bytes(m, &p, m->reference, b->reference,
							m->plan.batch * sizeof(*b->reference)) <
							0) ||
			(b->weight &&
					upload_bytes(m, &p, m->weight, b->weight,
							rows * sizeof(*b->weight)) < 0) ||
			(pass && o->top &&
					upload_bytes(m, &p, m->top_logp, b->top_logp,
							rows * b->top_n * sizeof(*b->top_logp)) <
							0) ||
			(pass && o->top &&
					upload_bytes(m, &p, m->top, b->top,
							rows * b->top_n * sizeof(*b->top)) < 0) ||
			upload_bytes(m, &p, m->labels, b->labels, rows * sizeof(*b->labels)) < 0)
		return -1;
	return lt_staging_queued(&m->staging);
}
