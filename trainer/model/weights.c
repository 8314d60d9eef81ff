#include "trainer/model/weights.h"

#include <stdlib.h>

/* Elements that go through one host buffer. */
#define CHUNK ((size_t)1 << 18)

int lt_failed(const struct lk_ops *ops, const struct lk_queue *q, struct lu_err *err)
{
	return lu_err_set(err, "%s", ops->message(q));
}

static size_t norm_chunks(const struct lt_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += (t->param[i].count + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK;
	return n;
}

static bool one_type(const struct lk_ops *ops)
{
	return ops->act == (sizeof(lk_real) == sizeof(double) ? LK_F64 : LK_F32);
}

uint64_t lt_weights_bytes(const struct lt_table *t, const struct lk_ops *ops, size_t lanes)
{
	uint64_t reals = 1 + (lanes ? 2 + (uint64_t)lanes : 0);
	uint64_t bytes = reals * t->total * sizeof(lk_real);

	if (!one_type(ops))
		bytes += (uint64_t)t->total * ops->act_size;
	return bytes + norm_chunks(t) * sizeof(double);
}

static int allocate(struct lt_weights *w, struct lu_err *err)
{
	const struct lk_ops *ops = w->ops;
	size_t bytes = w->table.total * sizeof(lk_real);

	w->vector[LT_VECTOR_P] = ops->alloc(w->q, bytes);
	w->w = one_type(ops) ? (void *)w->vector[LT_VECTOR_P]
			     : ops->alloc(w->q, w->table.total * ops->act_size);
	w->step = ops->alloc(w->q, sizeof(*w->step));
	if (!w->vector[LT_VECTOR_P] || !w->w || !w->step)
		return lt_failed(ops, w->q, err);
	if (w->lanes == 0)
		return 0;
	w->vector[LT_VECTOR_M] = ops->alloc(w->q, bytes);
	w->vector[LT_VECTOR_V] = ops->alloc(w->q, bytes);
	w->g = ops->alloc(w->q, bytes * w->lanes);
	w->sums = ops->alloc(w->q, norm_chunks(&w->table) * sizeof(double));
	if (!w->vector[LT_VECTOR_M] || !w->vector[LT_VECTOR_V] || !w->g || !w->sums)
		return lt_failed(ops, w->q, err);
	return 0;
}

int lt_weights_open(struct lt_weights **out, const struct lk_ops *ops, struct lk_queue *q,
		const struct lt_shape *shape, size_t lanes, struct lu_err *err)
{
	struct lt_weights *w = calloc(1, sizeof(*w));
	size_t all;

	*out = NULL;
	if (!w)
		return lu_err_nomem(err);
	w->ops = ops;
	w->q = q;
	w->lanes = lanes;
	if (lt_table_build(&w->table, shape, err) < 0)
		goto fail;
	w->packed = calloc(4 * shape->layers + 1, sizeof(*w->packed));
	if (!w->packed) {
		lu_err_nomem(err);
		goto fail;
	}
	if (__builtin_mul_overflow(w->table.total * sizeof(lk_real), lanes + 1, &all) ||
			allocate(w, err) < 0) {
		lu_err_set(err, "out of memory: %zu parameters want %llu bytes", w->table.total,
				(unsigned long long)lt_weights_bytes(&w->table, ops, lanes));
		goto fail;
	}
	if (lanes && lt_weights_reset_optimizer(w, err) < 0)
		goto fail;
	*out = w;
	return 0;
fail:
	lt_weights_close(w);
	return -1;
}

void lt_weights_close(struct lt_weights *w)
{
	if (!w)
		return;
	for (size_t i = 0; w->packed && i < 4 * w->table.shape.layers + 1; i++) {
		if (w->packed[i])
			w->ops->pack_free(w->q, w->packed[i]);
	}
	free(w->packed);
	if (w->w != (void *)w->vector[LT_VECTOR_P])
		w->ops->free(w->q, w->w);
	for (int i = 0; i < LT_VECTORS; i++)
		w->ops->free(w->q, w->vector[i]);
	w->ops->free(w->q, w->g);
	w->ops->free(w->q, w->sums);
	w->ops->free(w->q, w->step);
	lt_table_release(&w->table);
	free(w);
}

int lt_weights_get(struct lt_weights *w, enum lt_vector which, size_t at, size_t n, lk_real *out,
		struct lu_err *err)
{
	if (w->ops->copy(w->q, out, w->vector[which] + at, n * sizeof(*out), LK_D2H) < 0 ||
			w->ops->sync(w->q) < 0)
		return lt_failed(w->ops, w->q, err);
	return 0;
}

int lt_weights_put(struct lt_weights *w, enum lt_vector which, size_t at, size_t n,
		const lk_real *in, struct lu_err *err)
{
	if (w->ops->copy(w->q, w->vector[which] + at, in, n * sizeof(*in), LK_H2D) < 0 ||
			w->ops->sync(w->q) < 0)
		return lt_failed(w->ops, w->q, err);
	return 0;
}

int lt_weights_init(struct lt_weights *w, uint64_t seed, struct lu_err *err)
{
	lk_real *host = malloc(CHUNK * sizeof(*host));
	int rc = 0;

	if (!host)
		return lu_err_nomem(err);
	for (size_t i = 0; i < w->table.n && rc == 0; i++) {
		const struct lt_param *p = &w->table.param[i];

		for (size_t at = 0; at < p->count && rc == 0; at += CHUNK) {
			size_t n = p->count - at < CHUNK ? p->count - at : CHUNK;

			lt_param_init(p, seed, at, n, host);
			rc = lt_weights_put(w, LT_VECTOR_P, p->at + at, n, host, err);
		}
	}
	free(host);
	return rc < 0 ? -1 : lt_weights_refresh(w, err);
}

int lt_weights_reset_optimizer(struct lt_weights *w, struct lu_err *err)
{
	size_t bytes = w->table.total * sizeof(lk_real);

	if (w->ops->zero(w->q, w->vector[LT_VECTOR_M], bytes) < 0 ||
			w->ops->zero(w->q, w->vector[LT_VECTOR_V], bytes) < 0)
		return lt_failed(w->ops, w->q, err);
	return 0;
}

int lt_weights_refresh(struct lt_weights *w, struct lu_err *err)
{
	const struct lt_shape *s = &w->table.shape;
	size_t q = s->heads * s->dim, all = q + 2 * s->kv_heads * s->dim;
	struct lk_packed_weight **packed = w->packed;

	if (w->w != (void *)w->vector[LT_VECTOR_P] &&
			w->ops->to_act(w->q, w->w, w->vector[LT_VECTOR_P], w->table.total) < 0)
		return lt_failed(w->ops, w->q, err);
	for (size_t l = 0; l < s->layers; l++) {
		const struct lt_layer_at *at = &w->table.layer[l];
		const struct {
			size_t at, n, k;
		} m[4] = {
			{ at->qkv, all, s->hidden },
			{ at->o, s->hidden, q },
			{ at->gate_up, 2 * s->ffn, s->hidden },
			{ at->down, s->hidden, s->ffn },
		};

		for (int i = 0; i < 4; i++, packed++) {
			if (w->ops->pack(w->q, packed, lt_weight_at(w, m[i].at), m[i].n, m[i].k,
					    0) < 0)
				return lt_failed(w->ops, w->q, err);
		}
	}
	if (w->ops->pack(w->q, packed, lt_weight_at(w, w->table.head), s->vocab, s->hidden, 0) < 0)
		return lt_failed(w->ops, w->q, err);
	return 0;
}
