#include "trainer/model/decoding.h"

#include <stdlib.h>

#include "trainer/model/batch_check.h"
#include "trainer/model/decoding_parts.h"
#include "trainer/model/ends.h"
#include "trainer/model/upload.h"

/* Tokens of one sequence in a call: rows `row` to row + n - 1. */
struct part {
	size_t sequence, pos, n, row;
};

struct lt_decode {
	struct part *part;
	size_t parts;
	uint32_t *ids, *places;
	size_t rows;
	size_t *wanted; /* rows whose logits are asked for, ascending */
	size_t wants;
};

int lt_decode_open(struct lt_model *m, struct lu_err *err)
{
	struct lt_decode *d = calloc(1, sizeof(*d));

	m->decode = d;
	if (!d)
		return lu_err_nomem(err);
	d->part = calloc(m->rows, sizeof(*d->part));
	d->ids = calloc(m->rows, sizeof(*d->ids));
	d->places = calloc(m->rows, sizeof(*d->places));
	d->wanted = calloc(m->rows, sizeof(*d->wanted));
	return d->part && d->ids && d->places && d->wanted ? 0 : lu_err_nomem(err);
}

void lt_decode_close(struct lt_model *m)
{
	struct lt_decode *d = m->decode;

	if (!d)
		return;
	free(d->part);
	free(d->ids);
	free(d->places);
	free(d->wanted);
	free(d);
	m->decode = NULL;
}

/* Elements of the keys and values of a token, and of a sequence. */
static size_t token_width(const struct lt_model *m)
{
	return 2 * m->s.kv_heads * m->s.dim;
}

static size_t sequence_width(const struct lt_model *m)
{
	return m->plan.context * token_width(m);
}

uint64_t lt_decode_cache(const struct lt_model *m)
{
	return (uint64_t)m->s.layers * m->plan.batch * sequence_width(m) * m->ops->act_size;
}

/* Put the keys and values of a part's rows into the cache. */
static int keep(struct lt_model *m, const struct lt_acts *a, const struct part *p)
{
	size_t width = token_width(m);
	size_t from = p->row * m->qkv_width + m->s.heads * m->s.dim;
	size_t to = p->sequence * sequence_width(m) + p->pos * width;

	for (size_t i = 0; i < p->n; i++) {
		if (m->ops->copy(m->q, lt_act_at(m, a->kv, to + i * width),
				    lt_act_at(m, a->qkv, from + i * m->qkv_width),
				    width * m->ops->act_size, LK_D2D) < 0)
			return -1;
	}
	return 0;
}

int lt_decode_attention(struct lt_model *m, struct lt_acts *a)
{
	const struct lt_decode *d = m->decode;

	for (size_t i = 0; i < d->parts; i++) {
		const struct part *p = &d->part[i];
		const lk_act *k = lt_act_at(m, a->kv, p->sequence * sequence_width(m));
		const struct lk_attn attn = {
			.batch = 1,
			.heads = m->s.heads,
			.kv_heads = m->s.kv_heads,
			.dim = m->s.dim,
			.tq = p->n,
			.tk = p->pos + p->n,
			.q_pos = p->pos,
			.q_ld = m->qkv_width,
			.k_ld = token_width(m),
		};

		if (keep(m, a, p) < 0 ||
				m->ops->attention(m->q, &attn,
						lt_act_at(m, a->o, p->row * m->s.heads * m->s.dim),
						a->lse + p->row * m->s.heads,
						lt_act_at(m, a->qkv, p->row * m->qkv_width), k,
						lt_act_at(m, k, m->s.kv_heads * m->s.dim)) < 0)
			return -1;
	}
	return 0;
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
static void collect(struct lt_model *m, const struct lt_piece *piece, size_t at, size_t n)
{
	struct lt_decode *d = m->decode;

	d->part[d->parts++] = (struct part){ piece->sequence, piece->pos + at, n, d->rows };
	for (size_t i = at; i < at + n; i++) {
		if (piece->all || i + 1 == piece->n)
			d->wanted[d->wants++] = d->rows;
		d->ids[d->rows] = piece->ids[i];
		d->places[d->rows++] = (uint32_t)(piece->pos + i);
	}
}

static int check(const struct lt_model *m, const struct lt_piece *p, struct lu_err *err)
{
	const struct lt_batch batch = { .ids = p->ids };

	LU_ASSERT(p->sequence < m->plan.batch);
	if (p->n == 0 || p->pos > m->plan.context || p->n > m->plan.context - p->pos)
		return lu_err_set(err, "%zu tokens at position %zu do not fit a context of %zu",
				p->n, p->pos, m->plan.context);
	return lt_batch_check(&batch, p->n, m->plan.context, m->s.vocab, err);
}

int lt_decode(struct lt_model *m, const struct lt_piece *piece, size_t pieces, lk_real *logits,
		struct lu_err *err)
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
	size_t width = sequence_width(m), bytes = n * token_width(m) * m->ops->act_size;

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
	const struct lt_piece piece = { .pos = pos, .n = n, .ids = ids, .all = all };

	return lt_decode(m, &piece, 1, logits, err);
}
