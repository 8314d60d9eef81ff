#include "trainer/model/weights.h"

#include <inttypes.h>
#include <stdlib.h>

#include "trainer/model/low_memory.h"
#include "trainer/model/weights_place.h"
#include "trainer/parallel/slices.h"

/* Elements per host buffer. */
#define CHUNK ((size_t)1 << 22)
#define PIECE ((size_t)1 << 14) /* computed by one thread */

int lt_queue_err(const struct lk_ops *ops, const struct lk_queue *q, struct lu_err *err)
{
	return lu_err_set(err, "%s", ops->message(q));
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

/* --- what is owned ---------------------------------------------------------------------------- */

/* Cut a bucket over the data-parallel ranks; bound[] gets dp_size + 1 offsets in the local vector. */
static int cut_bucket(const struct lt_table *t, const struct lt_bucket *b, size_t dp_size,
		size_t *bound, struct lu_err *err)
{
	size_t *count = calloc(b->params + 1, sizeof(*count));
	int rc;

	if (!count)
		return lu_err_nomem(err);
	for (size_t i = 0; i < b->params; i++)
		count[i] = t->param[b->param + i].local_count;
	rc = lt_slices_cut(count, b->params, LK_NORM_CHUNK, dp_size, bound, err);
	for (size_t i = 0; i <= dp_size && rc == 0; i++)
		bound[i] += b->offset;
	free(count);
	return rc;
}

/* Fill in what the rank owns. `bound` has room for all buckets, or is NULL without ZeRO. Returns the
 * number of elements in *states. */
static int list_owned(const struct lt_table *t, const struct lt_holding *h, size_t *bound,
		struct lt_owned *owned, size_t *states, struct lu_err *err)
{
	*states = 0;
	for (size_t i = 0; i < t->buckets; i++) {
		const struct lt_bucket *b = &t->bucket[i];
		struct lt_owned *o = &owned[i];

		*o = (struct lt_owned){ b->offset, b->offset + b->count, *states };
		if (bound) {
			size_t *cut = bound + i * (h->dp_size + 1);

			if (cut_bucket(t, b, h->dp_size, cut, err) < 0)
				return -1;
			o->begin = cut[h->dp_rank];
			o->end = cut[h->dp_rank + 1];
		}
		*states += o->end - o->begin;
	}
	return 0;
}

static bool is_cut(const struct lt_holding *h)
{
	return h->zero && h->dp_size > 1;
}

static int own(struct lt_weights *w, struct lu_err *err)
{
	size_t buckets = w->table.buckets;

	w->owned = calloc(buckets + 1, sizeof(*w->owned));
	if (is_cut(&w->holding))
		w->bound = calloc(buckets * (w->holding.dp_size + 1) + 1, sizeof(*w->bound));
	if (!w->owned || (is_cut(&w->holding) && !w->bound))
		return lu_err_nomem(err);
	return list_owned(&w->table, &w->holding, w->bound, w->owned, &w->states, err);
}

/* --- norms ------------------------------------------------------------------------------------ */

/* Norms have one dimension. */
static bool is_norm(const struct lt_param *p)
{
	return p->dims == 1 && p->offset != LT_ELSEWHERE;
}

/* Fill in norm_at, norms and norm_total. */
static int list_norms(struct lt_weights *w, struct lu_err *err)
{
	w->norm_at = calloc(w->table.n + 1, sizeof(*w->norm_at));
	if (!w->norm_at)
		return lu_err_nomem(err);
	for (size_t i = 0; i < w->table.n; i++) {
		const struct lt_param *p = &w->table.param[i];

		if (!is_norm(p))
			continue;
		LU_ASSERT(p->local_count == w->table.shape.hidden);
		w->norm_at[w->norms++] = p->offset;
		w->norm_total += p->local_count;
	}
	return 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Bytes that packing the matrices takes. */
static uint64_t packed_bytes(const struct lt_weights *w)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < matrices(&w->table.shape); i++) {
		if (w->matrix[i].offset != LT_ELSEWHERE)
			bytes += w->ops->pack_bytes(w->matrix[i].out, w->matrix[i].in);
	}
	return bytes;
}

void lt_weights_list(struct lt_weights *w)
{
	struct lt_shape s = lt_table_local(&w->table);
	size_t q = s.heads * s.dim, kv = s.kv_heads * s.dim;
	struct lt_matrix *m = w->matrix;

	for (size_t l = 0; l < s.layers; l++, m += LT_LAYER_MATRICES) {
		const struct lt_layer_offsets *at = &w->table.layer[l];

		m[LT_QKV] = (struct lt_matrix){ at->qkv, q + 2 * kv, s.hidden, NULL };
		m[LT_O] = (struct lt_matrix){ at->o, s.hidden, q, NULL };
		m[LT_GATE_UP] = (struct lt_matrix){ at->gate_up, 2 * s.ffn, s.hidden, NULL };
		m[LT_DOWN] = (struct lt_matrix){ at->down, s.hidden, s.ffn, NULL };
	}
	*m = (struct lt_matrix){ w->table.head, s.vocab, s.hidden, NULL };
}

/* True if p is to be cut. */
static bool cuts(const struct lt_weights *w)
{
	return (w->bound && !act_is_real(w->ops)) || w->holding.low;
}

/* Elements of the largest bucket. */
static size_t largest_bucket(const struct lt_table *t)
{
	size_t most = 0;

	for (size_t i = 0; i < t->buckets; i++)
		most = t->bucket[i].count > most ? t->bucket[i].count : most;
	return most;
}

static void count_bytes(const struct lt_weights *w, struct lt_weights_bytes *b)
{
	uint64_t vector = (uint64_t)w->table.total * sizeof(lk_real);
	uint64_t p = cuts(w) ? (w->states + w->norm_total) * sizeof(lk_real) : vector;
	bool train = w->holding.lanes > 0;

	if (w->holding.low) {
		*b = (struct lt_weights_bytes){
			.weights = w->states * sizeof(uint16_t) + w->norm_total * sizeof(lk_real) +
					w->table.total * w->ops->act_size,
			.gradients = w->holding.lanes * (uint64_t)w->table.total *
							sizeof(uint16_t) +
					largest_bucket(&w->table) * sizeof(lk_real) +
					w->table.norms * sizeof(double),
			.optimizer = 2 * (uint64_t)w->states * sizeof(uint16_t),
		};
		return;
	}
	*b = (struct lt_weights_bytes){
		.weights = p + (act_is_real(w->ops) ? 0 : w->table.total * w->ops->act_size),
		.packed = w->holding.packed ? packed_bytes(w) : 0,
		.gradients = w->holding.lanes * vector +
				(train ? w->table.norms * sizeof(double) : 0),
		.optimizer = train ? 2 * (uint64_t)w->states * sizeof(lk_real) : 0,
	};
}

int lt_weights_count(const struct lt_table *t, const struct lk_ops *ops,
		const struct lt_holding *holding, struct lt_weights_bytes *bytes,
		struct lu_err *err)
{
	struct lt_weights w = { .ops = ops, .table = *t, .holding = *holding };
	int rc = own(&w, err);

	if (rc == 0)
		rc = list_norms(&w, err);
	w.matrix = calloc(matrices(&t->shape), sizeof(*w.matrix));
	if (rc == 0 && !w.matrix)
		rc = lu_err_nomem(err);
	if (rc == 0) {
		lt_weights_list(&w);
		count_bytes(&w, bytes);
	}
	free(w.norm_at);
	free(w.matrix);
	free(w.bound);
	free(w.owned);
	return rc;
}

static int allocate_low(struct lt_weights *w)
{
	const struct lk_ops *ops = w->ops;
	size_t bytes;

	if (__builtin_mul_overflow(w->table.total * sizeof(uint16_t), w->holding.lanes, &bytes))
		return -1;
	for (int i = 0; i < LT_VECTORS; i++) {
		w->half[i] = ops->alloc(w->q, w->states * sizeof(uint16_t));
		if (!w->half[i])
			return -1;
	}
	w->half_grad = ops->alloc(w->q, bytes);
	w->scratch = ops->alloc(w->q, largest_bucket(&w->table) * sizeof(lk_real));
	w->sums = ops->alloc(w->q, w->table.norms * sizeof(double));
	return w->half_grad && w->scratch && w->sums ? 0 : -1;
}

static int allocate(struct lt_weights *w)
{
	const struct lk_ops *ops = w->ops;
	size_t bytes = w->table.total * sizeof(lk_real), all;
	struct lk_step step = { .finite = 1 };

	if (__builtin_mul_overflow(bytes, w->holding.lanes + 1, &all))
		return -1;
	if (cuts(w)) {
		w->norm = ops->alloc(w->q, w->norm_total * sizeof(lk_real));
		if (!w->norm)
			return -1;
	}
	if (!w->holding.low) {
		size_t own = cuts(w) ? w->states * sizeof(lk_real) : bytes;

		w->vector[LT_VECTOR_P] = ops->alloc(w->q, own);
		if (!w->vector[LT_VECTOR_P])
			return -1;
	}
	w->act = act_is_real(ops) ? (void *)w->vector[LT_VECTOR_P]
				  : ops->alloc(w->q, w->table.total * ops->act_size);
	w->step = ops->alloc(w->q, sizeof(*w->step));
	if (!w->act || !w->step || ops->copy(w->q, w->step, &step, sizeof(step), LK_H2D) < 0 ||
			ops->sync(w->q) < 0)
		return -1;
	if (w->holding.low)
		return allocate_low(w);
	if (w->holding.lanes == 0)
		return 0;
	w->vector[LT_VECTOR_M] = ops->alloc(w->q, w->states * sizeof(lk_real));
	w->vector[LT_VECTOR_V] = ops->alloc(w->q, w->states * sizeof(lk_real));
	w->grad = ops->alloc(w->q, bytes * w->holding.lanes);
	w->sums = ops->alloc(w->q, w->table.norms * sizeof(double));
	return w->vector[LT_VECTOR_M] && w->vector[LT_VECTOR_V] && w->grad && w->sums ? 0 : -1;
}

int lt_weights_open(struct lt_weights **out, const struct lk_ops *ops, struct lk_queue *q,
		const struct lt_shape *shape, const struct lt_place *place,
		const struct lt_holding *holding, struct lu_err *err)
{
	struct lt_weights *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (!w)
		return lu_err_nomem(err);
	w->ops = ops;
	w->q = q;
	w->holding = *holding;
	if (lt_table_build(&w->table, shape, place, err) < 0 || own(w, err) < 0 ||
			list_norms(w, err) < 0)
		goto fail;
	w->matrix = calloc(matrices(shape), sizeof(*w->matrix));
	if (!w->matrix) {
		lu_err_nomem(err);
		goto fail;
	}
	lt_weights_list(w);
	if (allocate(w) < 0) {
		struct lt_weights_bytes b;

		count_bytes(w, &b);
		lu_err_nomem(err);
		lu_err_wrap(err, "%zu parameters need %" PRIu64 " bytes", w->table.total,
				b.weights + b.packed + b.gradients + b.optimizer);
		goto fail;
	}
	if (holding->lanes && lt_weights_reset_optimizer(w, err) < 0)
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
	free(w->norm_at);
	free(w->matrix);
	free(w->bound);
	free(w->owned);
	w->ops->free(w->q, w->norm);
	if (w->act != (void *)w->vector[LT_VECTOR_P])
		w->ops->free(w->q, w->act);
	for (int i = 0; i < LT_VECTORS; i++) {
		w->ops->free(w->q, w->vector[i]);
		w->ops->free(w->q, w->half[i]);
	}
	w->ops->free(w->q, w->half_grad);
	w->ops->free(w->q, w->scratch);
	w->ops->free(w->q, w->grad);
	w->ops->free(w->q, w->sums);
	w->ops->free(w->q, w->step);
	lt_table_release(&w->table);
	free(w);
}

int lt_weights_get(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		lk_real *out, struct lu_err *err)
{
	if (lt_weights_queue_get(w, which, offset, n, out, err) < 0)
		return -1;
	return w->ops->sync(w->q) < 0 ? lt_queue_err(w->ops, w->q, err) : 0;
}

int lt_weights_queue_get(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		lk_real *out, struct lu_err *err)
{
	const lk_real *from = w->holding.low ? lt_low_join(w, which, offset, n)
					     : lt_weights_at(w, which, offset);

	if (!from || w->ops->copy(w->q, out, from, n * sizeof(*out), LK_D2H) < 0)
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

size_t lt_weights_get_shared(
		struct lt_weights *w, size_t offset, size_t n, void *out, struct lu_err *err)
{
	const void *from = lt_weights_act(w, offset);
	size_t width = w->ops->act_size;

	if (!lt_weights_cut(w)) {
		from = lt_weights_at(w, LT_VECTOR_P, offset);
		width = sizeof(lk_real);
	}
	if (w->ops->copy(w->q, out, from, n * width, LK_D2H) < 0 || w->ops->sync(w->q) < 0) {
		lt_queue_err(w->ops, w->q, err);
		return 0;
	}
	return n * width;
}

/* Put n elements of p, which are on the device, where p is cut: the copies of them all, and what is
 * owned. */
static int put_cut(struct lt_weights *w, size_t offset, size_t n, const lk_real *in)
{
	const struct lk_ops *ops = w->ops;
	lk_act *act = (char *)w->act + offset * ops->act_size;
	size_t end = offset + n, at = 0;

	while (at < w->norms && w->norm_at[at] + w->table.shape.hidden <= offset)
		at++;
	if ((w->holding.low ? ops->low_split(w->q, act, NULL, in, n)
			    : ops->to_act(w->q, act, in, n)) < 0 ||
			(at < w->norms && w->norm_at[at] <= offset &&
					ops->copy(w->q, lt_weights_norm(w, offset), in,
							n * sizeof(*in), LK_D2D) < 0))
		return -1;
	for (size_t i = 0; i < w->table.buckets; i++) {
		const struct lt_owned *o = &w->owned[i];
		size_t from = o->begin > offset ? o->begin : offset;
		size_t to = o->end < end ? o->end : end;

		if (from >= to)
			continue;
		if (w->holding.low) {
			if (lt_low_split(w, from, in + (from - offset), to - from) < 0)
				return -1;
		} else if (ops->copy(w->q, lt_weights_at(w, LT_VECTOR_P, from),
					   in + (from - offset), (to - from) * sizeof(*in),
					   LK_D2D) < 0) {
			return -1;
		}
	}
	return 0;
}

/* By way of the device's memory. */
static int put_by_way(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		const lk_real *in, struct lu_err *err)
{
	lk_real *x = w->ops->alloc(w->q, n * sizeof(*x));
	int rc = -1;

	if (x && w->ops->copy(w->q, x, in, n * sizeof(*x), LK_H2D) == 0 &&
			(which == LT_VECTOR_P ? put_cut(w, offset, n, x)
					      : lt_low_put(w, which, offset, x, n)) == 0 &&
			w->ops->sync(w->q) == 0)
		rc = 0;
	else
		lt_queue_err(w->ops, w->q, err);
	w->ops->free(w->q, x);
	return rc;
}

int lt_weights_put(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n,
		const lk_real *in, struct lu_err *err)
{
	lk_real *to;

	if (w->holding.low || (which == LT_VECTOR_P && lt_weights_cut(w)))
		return put_by_way(w, which, offset, n, in, err);
	to = lt_weights_at(w, which, offset);
	if (w->ops->copy(w->q, to, in, n * sizeof(*in), LK_H2D) < 0 || w->ops->sync(w->q) < 0)
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

/* Initial values of elements at .. at + n - 1 of the rank's slice of a parameter. */
static void init_slice(const struct lt_table *t, const struct lt_param *p, uint64_t seed, size_t at,
		size_t n, lk_real *out)
{
	while (n > 0) {
		size_t first, run = lt_param_run(t, p, at, &first);

		run = run < n ? run : n;
		lt_param_init(p, seed, first, run, out);
		at += run;
		out += run;
		n -= run;
	}
}

/* Each value is a function of its place alone, so pieces may be computed in any order. */
static int init_param(struct lt_weights *w, const struct lt_param *p, uint64_t seed, lk_real *host,
		struct lu_err *err)
{
	const struct lt_table *t = &w->table;
	int rc = 0;

	for (size_t first = 0; first < p->local_count && rc == 0; first += CHUNK) {
		size_t left = p->local_count - first, n = left < CHUNK ? left : CHUNK;
		size_t pieces = (n + PIECE - 1) / PIECE;

#pragma omp taskloop default(shared)
		for (size_t i = 0; i < pieces; i++) {
			size_t at = i * PIECE, k = n - at < PIECE ? n - at : PIECE;

			init_slice(t, p, seed, first + at, k, host + at);
		}
		rc = lt_weights_put(w, LT_VECTOR_P, p->offset + first, n, host, err);
	}
	return rc;
}

int lt_weights_init(struct lt_weights *w, uint64_t seed, struct lu_err *err)
{
	lk_real *host = malloc(CHUNK * sizeof(*host));
	int rc = 0;

	if (!host)
		return lu_err_nomem(err);
	for (size_t i = 0; i < w->table.n && rc == 0; i++) {
		if (w->table.param[i].offset != LT_ELSEWHERE)
			rc = init_param(w, &w->table.param[i], seed, host, err);
	}
	free(host);
	return rc < 0 ? -1 : lt_weights_refresh(w, err);
}

int lt_weights_reset_optimizer(struct lt_weights *w, struct lu_err *err)
{
	bool low = w->holding.low;
	size_t bytes = w->states * (low ? sizeof(uint16_t) : sizeof(lk_real));

	for (int i = LT_VECTOR_M; i <= LT_VECTOR_V; i++) {
		if (w->ops->zero(w->q, low ? (void *)w->half[i] : w->vector[i], bytes) < 0)
			return lt_queue_err(w->ops, w->q, err);
	}
	return 0;
}

int lt_weights_refresh(struct lt_weights *w, struct lu_err *err)
{
	if (w->act != (void *)w->vector[LT_VECTOR_P] && !lt_weights_cut(w) &&
			w->ops->to_act(w->q, w->act, w->vector[LT_VECTOR_P], w->table.total) < 0)
		return lt_queue_err(w->ops, w->q, err);
	for (size_t i = 0; w->holding.packed && i < matrices(&w->table.shape); i++) {
		struct lt_matrix *m = &w->matrix[i];

		if (w->ops->pack(w->q, &m->packed, lt_weights_act(w, m->offset), m->out, m->in, 0) <
				0)
			return lt_queue_err(w->ops, w->q, err);
	}
	return 0;
}
