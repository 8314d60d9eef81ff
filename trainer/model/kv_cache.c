#include "trainer/model/kv_cache.h"

#include <stdlib.h>

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

size_t lt_decode_token_width(const struct lt_model *m)
{
	return 2 * m->s.kv_heads * m->s.dim;
}

size_t lt_decode_sequence_width(const struct lt_model *m)
{
	return m->plan.context * lt_decode_token_width(m);
}

/* Put the keys and values of a part's rows into the cache. */
static int keep(struct lt_model *m, const struct lt_acts *a, const struct lt_decode_part *p)
{
	size_t width = lt_decode_token_width(m);
	size_t from = p->row * m->qkv_width + m->s.heads * m->s.dim;
	size_t to = p->sequence * lt_decode_sequence_width(m) + p->pos * width;

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
		const struct lt_decode_part *p = &d->part[i];
		const lk_act *k = lt_act_at(m, a->kv, p->sequence * lt_decode_sequence_width(m));
		const struct lk_attn attn = {
			.batch = 1,
			.heads = m->s.heads,
			.kv_heads = m->s.kv_heads,
			.dim = m->s.dim,
			.tq = p->n,
			.tk = p->pos + p->n,
			.q_pos = p->pos,
			.q_ld = m->qkv_width,
			.k_ld = lt_decode_token_width(m),
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
