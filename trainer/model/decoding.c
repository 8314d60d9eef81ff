#include "trainer/model/decoding.h"

#include "trainer/model/batch_check.h"
#include "trainer/model/ends.h"
#include "trainer/model/kv_cache.h"
#include "trainer/model/layer.h"

uint64_t lt_decode_cache(const struct lt_model *m)
{
	return (uint64_t)m->s.layers * m->plan.batch * lt_decode_sequence_width(m) *
			m->ops->act_size;
}

/* Move the normalised rows that are wanted to the front. */
static int gather(struct lt_model *m)
{
	const struct lt_decode *d = m->decode;
	size_t h = m->s.hidden;

	for (size_t i = 0; i < d->wants; i++) {
		if (d->wanted[i] != i &&
				m->ops->copy(m->q, lt_act_at(m, m->n, i * h),
						lt_act_at(m, m->n, d->wanted[i] * h),
						h * m->ops->act_size, LK_D2D) < 0)
			return -1;
	}
	return 0;
}

/* The logits of the wanted rows of a call. */
static int head(struct lt_model *m, const lk_act *x, lk_real *logits)
{
	const struct lt_decode *d = m->decode;
	size_t vocab = m->s.vocab;

	if (d->wants == 0)
		return 0;
	if (lt_final_norm(m, x, d->rows) < 0 || gather(m) < 0)
		return -1;
	for (size_t r = 0; r < d->wants; r += m->plan.head_rows) {
		size_t left = d->wants - r;
		size_t rows = left < m->plan.head_rows ? left : m->plan.head_rows;

		if (lt_head_logits(m, m->n, r, rows) < 0 ||
				m->ops->copy(m->q, logits + r * vocab, m->logits,
						rows * vocab * sizeof(*logits), LK_D2H) < 0 ||
				m->ops->sync(m->q) < 0)
			return -1;
	}
	return 0;
}

/* Compute what has been collected. */
static int call(struct lt_model *m, lk_real **logits, struct lu_err *err)
{
	struct lt_decode *d = m->decode;
	const struct lt_batch batch = { .ids = d->ids, .places = d->places };
	struct lt_slot *s = &m->slot[0][0];
	struct lt_span at = { .batch = 1, .t = d->rows, .decode = true };

	at.places = s->places;
	if (lt_upload_inputs(m, s, &batch, true, d->rows) < 0 ||
			lt_chunk_forward(m, 0, s, &at) < 0 || head(m, s->out, *logits) < 0)
		return lt_model_failed(m, err);
	*logits += d->wants * m->s.vocab;
	d->parts = d->rows = d->wants = 0;
	return 0;
}

/* Add tokens `at` to at + n - 1 of a piece. */
static void collect(struct lt_model *m, const struct lt_decode_piece *piece, size_t at, size_t n)
{
	struct lt_decode *d = m->decode;

	d->part[d->parts++] =
			(struct lt_decode_part){ piece->sequence, piece->pos + at, n, d->rows };
	for (size_t i = at; i < at + n; i++) {
		if (piece->all || i + 1 == piece->n)
			d->wanted[d->wants++] = d->rows;
		d->ids[d->rows] = piece->ids[i];
		d->places[d->rows++] = (uint32_t)(piece->pos + i);
	}
}

static int check(const struct lt_model *m, const struct lt_decode_piece *p, struct lu_err *err)
{
	const struct lt_batch batch = { .ids = p->ids };

	LU_ASSERT(p->sequence < m->plan.batch);
	if (p->n == 0 || p->pos > m->plan.context || p->n > m->plan.context - p->pos)
		return lu_err_set(err, "%zu tokens at position %zu do not fit a context of %zu",
				p->n, p->pos, m->plan.context);
	return lt_batch_check(&batch, p->n, m->plan.context, m->s.vocab, err);
}

int lt_decode(struct lt_model *m, const struct lt_decode_piece *piece, size_t pieces,
		lk_real *logits, struct lu_err *err)
{
	struct lt_decode *d = m->decode;

	LU_ASSERT(m->plan.mode == LT_MODEL_DECODE);
	d->parts = d->rows = d->wants = 0;
	for (size_t i = 0; i < pieces; i++) {
		if (check(m, &piece[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < pieces; i++) {
		for (size_t at = 0, n; at < piece[i].n; at += n) {
			n = piece[i].n - at;
			if (n > m->rows - d->rows)
				n = m->rows - d->rows;
			collect(m, &piece[i], at, n);
			if (d->rows == m->rows && call(m, &logits, err) < 0)
				return -1;
		}
	}
	return d->rows ? call(m, &logits, err) : 0;
}

int lt_decode_copy(struct lt_model *m, size_t from, size_t to, size_t n, struct lu_err *err)
{
	size_t width = lt_decode_sequence_width(m),
	       bytes = n * lt_decode_token_width(m) * m->ops->act_size;

	LU_ASSERT(from < m->plan.batch && to < m->plan.batch && n <= m->plan.context);
	for (size_t l = 0; l < m->s.layers && n && from != to; l++) {
		const lk_act *kv = m->slot[0][0].acts[l].kv;

		if (m->ops->copy(m->q, lt_act_at(m, kv, to * width), lt_act_at(m, kv, from * width),
				    bytes, LK_D2D) < 0)
			return lt_model_failed(m, err);
	}
	return 0;
}

int lt_model_logits(struct lt_model *m, const uint32_t *ids, size_t pos, size_t n, bool all,
		lk_real *logits, struct lu_err *err)
{
	const struct lt_decode_piece piece = { .pos = pos, .n = n, .ids = ids, .all = all };

	return lt_decode(m, &piece, 1, logits, err);
}
