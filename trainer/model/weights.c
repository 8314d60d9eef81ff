#include "trainer/model/weights.h"

#include <inttypes.h>
#include <stdlib.h>

/* Elements per host buffer. */
#define CHUNK ((size_t)1 << 18)

int lt_queue_err(const struct lk_ops *ops, const struct lk_queue *q, struct lu_err *err)
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

/* True if activations are lk_real, so that products read p itself. */
static bool act_is_real(const struct lk_ops *ops)
{
	return ops->act == (sizeof(lk_real) == sizeof(double) ? LK_F64 : LK_F32);
}

static size_t matrices(const struct lt_shape *s)
{
	return s->layers * LT_LAYER_MATRICES + 1;
}

uint64_t lt_weights_bytes(const struct lt_table *t, const struct lk_ops *ops, size_t lanes)
{
	uint64_t reals = 1 + (lanes ? 2 + (uint64_t)lanes : 0);
	uint64_t bytes = reals * t->total * sizeof(lk_real);

	if (!act_is_real(ops))
		bytes += (uint64_t)t->total * ops->act_size;
	return bytes + norm_chunks(t) * sizeof(double);
}

static int allocate(struct lt_weights *w)
{
	const struct lk_ops *ops = w->ops;
	size_t bytes = w->table.total * sizeof(lk_real), all;

	if (__builtin_mul_overflow(bytes, w->lanes + 1, &all))
		return -1;
	w->vector[LT_VECTOR_P] = ops->alloc(w->q, bytes);
	w->act = act_is_real(ops) ? (void *)w->vector[LT_VECTOR_P]
				  : ops->alloc(w->q, w->table.total * ops->act_size);
	w->step = ops->alloc(w->q, sizeof(*w->step));
	if (!w->vector[LT_VECTOR_P] || !w->act || !w->step)
		return -1;
	if (w->lanes == 0)
		return 0;
	w->vector[LT_VECTOR_M] = ops->alloc(w->q, bytes);
	w->vector[LT_VECTOR_V] = ops->alloc(w->q, bytes);
	w->grad = ops->alloc(w->q, bytes * w->lanes);
	w->sums = ops->alloc(w->q, norm_chunks(&w->table) * sizeof(double));
	return w->vector[LT_VECTOR_M] && w->vector[LT_VECTOR_V] && w->grad && w->sums ? 0 : -1;
}

static void list_matrices(struct lt_weights *w)
{
	const struct lt_shape *s = &w->table.shape;
	size_t q = s->heads * s->dim, kv = s->kv_heads * s->dim;
	struct lt_matrix *m = w->matrix;

	for (size_t l = 0; l < s->layers; l++, m += LT_LAYER_MATRICES) {
		const struct lt_layer_offsets *at = &w->table.layer[l];

		m[LT_QKV] = (struct lt_matrix){ at->qkv, q + 2 * kv, s->hidden, NULL };
		m[LT_O] = (struct lt_matrix){ at->o, s->hidden, q, NULL };
		m[LT_GATE_UP] = (struct lt_matrix){ at->gate_up, 2 * s->ffn, s->hidden, NULL };
		m[LT_DOWN] = (struct lt_matrix){ at->down, s->hidden, s->ffn, NULL };
	}
	*m = (struct lt_matrix){ w->table.head, s->vocab, s->hidden, NULL };
}

int lt_weights_open(struct lt_weights **out, const struct lk_ops *ops, struct lk_queue *q,
		const struct lt_shape *shape, size_t lanes, struct lu_err *err)
{
	struct lt_weights *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (!w)
		return lu_err_nomem(err);
	w->ops = ops;
	w->q = q;
	w->lanes = lanes;
	if (lt_table_build(&w->table, shape, err) < 0)
		goto fail;
	w->matrix = calloc(matrices(shape), sizeof(*w->matrix));
	if (!w->matrix) {
		lu_err_nomem(err);
		goto fail;
	}
	list_matrices(w);
	if (allocate(w) < 0) {
		lu_err_nomem(err);
		lu_err_wrap(err, "%zu parameters need %" PRIu64 " bytes", w->table.total,
				lt_weights_bytes(&w->table, ops, lanes));
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
	for (size_t i = 0; w->matrix && i < matrices(&w->table.shape); i++) {
		if (w->matrix[i].packed)
			w->ops->pack_free(w->q, w->matrix[i].packed);
	}
	free(w->matrix);
	if (w->act != (void *)w->vector[LT_VECTOR_P])
		w->ops->free(w->q, w->act);
	for (int i = 0; i < LT_VECTORS; i++)
		w->ops->free(w->q, w->vector[i]);
	w->ops->free(w->q, w->grad);
	w->ops->free(w->q, w->sums);
	w->ops->free(w->q, w->step);
	lt_table_release(&w->table);
	free(w);
}

int lt_weights_get(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		lk_real *out, struct lu_err *err)
{
	const lk_real *from = w->vector[which] + offset;

	if (w->ops->copy(w->q, out, from, n * sizeof(*out), LK_D2H) < 0 || w->ops->sync(w->q) < 0)
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

int lt_weights_put(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		const lk_real *in, struct lu_err *err)
{
	lk_real *to = w->vector[which] + offset;

	if (w->ops->copy(w->q, to, in, n * sizeof(*in), LK_H2D) < 0 || w->ops->sync(w->q) < 0)
		return lt_queue_err(w->ops, w->q, err);
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

		for (size_t first = 0; first < p->count && rc == 0; first += CHUNK) {
			size_t n = p->count - first < CHUNK ? p->count - first : CHUNK;

			lt_param_init(p, seed, first, n, host);
			rc = lt_weights_put(w, LT_VECTOR_P, p->offset + first, n, host, err);
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
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

int lt_weights_refresh(struct lt_weights *w, struct lu_err *err)
{
	if (w->act != (void *)w->vector[LT_VECTOR_P] &&
			w->ops->to_act(w->q, w->act, w->vector[LT_VECTOR_P], w->table.total) < 0)
		return lt_queue_err(w->ops, w->q, err);
	for (size_t i = 0; i < matrices(&w->table.shape); i++) {
		struct lt_matrix *m = &w->matrix[i];

		if (w->ops->pack(w->q, &m->packed, lt_weights_act(w, m->offset), m->out, m->in, 0) <
				0)
			return lt_queue_err(w->ops, w->q, err);
	}
	return 0;
}
