#include "trainer/model/model.h"

#include <stdlib.h>

/* Logits computed at once: enough rows for full speed of the products, little memory. */
#define LOGITS_AT_ONCE ((size_t)1 << 23)

/* What one layer keeps. */
struct acts {
	lk_act *x, *n1, *qkv, *o, *x2, *n2, *gate_up;
	lk_real *rstd1, *lse, *rstd2;
};

struct lt_model {
	struct lt_weights *w; /* not owned */
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_shape shape;
	enum lt_model_mode mode;
	bool recompute;
	size_t batch, context, rows;
	size_t head_rows;  /* of one piece of the head's work */
	size_t qkv_width;  /* (heads + 2 kv_heads) dim */
	struct acts *acts; /* layers + 1: the last has only x */
	uint32_t *ids;
	int32_t *labels;
	lk_real *rope, *loss, *rstd, *logits;
	lk_act *n, *t, *y, *dx, *dqkv, *dout;
	/* allocations, for close; and their sum */
	void **owned;
	size_t n_owned;
	uint64_t bytes;
	bool count_only, failed;
};

/* Memory for rows * width elements; NULL and m->failed when there is none. */
static void *take(struct lt_model *m, size_t rows, size_t width, size_t size)
{
	size_t n, bytes;
	void *p;

	if (__builtin_mul_overflow(rows, width, &n) || __builtin_mul_overflow(n, size, &bytes)) {
		m->failed = true;
		return NULL;
	}
	m->bytes += bytes;
	if (m->count_only || m->failed)
		return NULL;
	p = m->ops->alloc(m->q, bytes);
	if (!p)
		m->failed = true;
	else
		m->owned[m->n_owned++] = p;
	return p;
}

static void take_layer(struct lt_model *m, struct acts *a)
{
	const struct lt_shape *s = &m->shape;
	size_t act = m->ops->act_size, r = m->rows;

	a->n1 = take(m, r, s->hidden, act);
	a->qkv = take(m, r, m->qkv_width, act);
	a->o = take(m, r, s->heads * s->dim, act);
	a->n2 = take(m, r, s->hidden, act);
	a->gate_up = take(m, r, 2 * s->ffn, act);
	a->rstd1 = take(m, r, 1, sizeof(lk_real));
	a->rstd2 = take(m, r, 1, sizeof(lk_real));
	a->lse = take(m, r, s->heads, sizeof(lk_real));
}

static void take_all(struct lt_model *m)
{
	const struct lt_shape *s = &m->shape;
	size_t act = m->ops->act_size, r = m->rows, real = sizeof(lk_real);
	bool train = m->mode == LT_MODEL_TRAIN;
	lk_act *x = train ? NULL : take(m, r, s->hidden, act);

	for (size_t l = 0; l <= s->layers; l++) {
		struct acts *a = &m->acts[l];

		if (l < s->layers && (l == 0 || (train && !m->recompute)))
			take_layer(m, a);
		else if (l < s->layers)
			*a = m->acts[0];
		if (m->mode == LT_MODEL_DECODE && l > 0 && l < s->layers)
			a->qkv = take(m, r, m->qkv_width, act);
		a->x = train ? take(m, r, s->hidden, act) : x;
		if (l == s->layers)
			break;
		if (train && (l == 0 || !m->recompute))
			a->x2 = take(m, r, s->hidden, act);
		else
			a->x2 = train ? m->acts[0].x2 : x;
	}
	m->ids = take(m, r, 1, sizeof(*m->ids));
	m->labels = take(m, r, 1, sizeof(*m->labels));
	m->rope = take(m, m->context, s->dim, real);
	m->loss = take(m, r, 1, real);
	m->rstd = take(m, r, 1, real);
	m->logits = take(m, m->head_rows, s->vocab, real);
	m->n = take(m, r, s->hidden, act);
	m->t = take(m, r, s->hidden, act);
	m->y = take(m, r, s->ffn, act);
	if (train) {
		m->dx = take(m, r, s->hidden, act);
		m->dqkv = take(m, r, m->qkv_width, act);
		m->dout = take(m, r, s->heads * s->dim, act);
	}
}

static void set_sizes(struct lt_model *m, const struct lt_shape *shape, const struct lk_ops *ops,
		size_t batch, size_t context, enum lt_model_mode mode, bool recompute)
{
	m->ops = ops;
	m->shape = *shape;
	m->mode = mode;
	m->recompute = recompute;
	m->batch = batch;
	m->context = context;
	if (__builtin_mul_overflow(batch, context, &m->rows))
		m->failed = true;
	m->qkv_width = (shape->heads + 2 * shape->kv_heads) * shape->dim;
	/* A multiple of 64 that depends on the vocabulary alone: it cuts the head's gradient sum. */
	m->head_rows = LOGITS_AT_ONCE / shape->vocab / 64 * 64;
	if (m->head_rows == 0)
		m->head_rows = 64;
	if (m->head_rows > m->rows)
		m->head_rows = m->rows;
}

uint64_t lt_model_bytes(const struct lt_shape *shape, const struct lk_ops *ops, size_t batch,
		size_t context, enum lt_model_mode mode, bool recompute)
{
	struct lt_model m = { .count_only = true };

	m.acts = calloc(shape->layers + 1, sizeof(*m.acts));
	if (!m.acts)
		return 0;
	set_sizes(&m, shape, ops, batch, context, mode, recompute);
	take_all(&m);
	free(m.acts);
	return m.failed ? UINT64_MAX : m.bytes;
}

int lt_model_open(struct lt_model **out, struct lt_weights *w, size_t batch, size_t context,
		enum lt_model_mode mode, bool recompute, struct lu_err *err)
{
	struct lt_model *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (!m)
		return lu_err_nomem(err);
	m->w = w;
	m->q = w->q;
	set_sizes(m, &w->table.shape, w->ops, batch, context, mode, recompute);
	m->acts = calloc(m->shape.layers + 1, sizeof(*m->acts));
	m->owned = calloc(10 * m->shape.layers + 20, sizeof(*m->owned));
	if (!m->acts || !m->owned) {
		lt_model_close(m);
		return lu_err_nomem(err);
	}
	take_all(m);
	if (m->failed) {
		lu_err_set(err, "out of memory: activations of %zu x %zu tokens want %llu bytes",
				batch, context,
				(unsigned long long)lt_model_bytes(&m->shape, m->ops, batch,
						context, mode, recompute));
		lt_model_close(m);
		return -1;
	}
	if (m->ops->rope_table(m->q, m->rope, 0, context, m->shape.dim, m->shape.rope_theta) < 0) {
		lt_failed(m->ops, m->q, err);
		lt_model_close(m);
		return -1;
	}
	*out = m;
	return 0;
}

void lt_model_close(struct lt_model *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_owned; i++)
		m->ops->free(m->q, m->owned[i]);
	free(m->owned);
	free(m->acts);
	free(m);
}

/* y[rows][out] = x W^T, + c when it is not NULL; W by its offset and its number of preparation. */
static int linear(struct lt_model *m, lk_act *y, const lk_act *x, size_t at, size_t prep,
		size_t rows, size_t out, size_t in, const lk_act *c)
{
	struct lk_gemm g = lk_linear(rows, out, in);

	g.packed = m->w->packed[prep];
	g.beta = c ? 1 : 0;
	return m->ops->gemm(m->q, &g, y, x, lt_weight_at(m->w, at), c);
}

/* dx[rows][in] = dy W. */
static int linear_dx(struct lt_model *m, lk_act *dx, const lk_act *dy, size_t at, size_t prep,
		size_t rows, size_t out, size_t in)
{
	struct lk_gemm g = lk_linear_dx(rows, out, in);

	g.packed = m->w->packed[prep];
	return m->ops->gemm(m->q, &g, dx, dy, lt_weight_at(m->w, at), NULL);
}

/* dW += dy^T x. */
static int linear_dw(struct lt_model *m, lk_real *dw, const lk_act *dy, const lk_act *x,
		size_t rows, size_t out, size_t in)
{
	struct lk_gemm g = lk_linear_dw(rows, out, in);

	return m->ops->gemm(m->q, &g, dw, dy, x, dw);
}

/* q, k, v side by side in rows of qkv_width: rows pos.. of the sequence ask, rows 0.. answer. */
static struct lk_attn attention_of(const struct lt_model *m, size_t batch, size_t pos, size_t t)
{
	return (struct lk_attn){
		.batch = batch,
		.heads = m->shape.heads,
		.kv_heads = m->shape.kv_heads,
		.dim = m->shape.dim,
		.tq = t,
		.tk = pos + t,
		.q_pos = pos,
		.q_ld = m->qkv_width,
		.k_ld = m->qkv_width,
	};
}

static lk_act *step_act(const struct lt_model *m, lk_act *p, size_t elements)
{
	return (char *)p + elements * m->ops->act_size;
}

/* One layer over `batch` sequences of t rows at position pos (pos > 0: batch is 1). */
static int layer_forward(struct lt_model *m, size_t l, size_t batch, size_t pos, size_t t)
{
	const struct lk_ops *ops = m->ops;
	const struct lt_shape *s = &m->shape;
	const struct lt_layer_at *at = &m->w->table.layer[l];
	const lk_real *p = m->w->vector[LT_VECTOR_P];
	struct acts *a = &m->acts[l];
	size_t r = batch * t, h = s->hidden, ad = s->heads * s->dim, w = m->qkv_width;
	struct lk_attn attn = attention_of(m, batch, pos, t);
	lk_act *q = step_act(m, a->qkv, pos * w), *k = step_act(m, a->qkv, ad);
	lk_act *v = step_act(m, k, s->kv_heads * s->dim);

	if (ops->rmsnorm(m->q, a->n1, a->rstd1, NULL, a->x, NULL, p + at->norm1, r, h,
			    s->norm_eps) < 0 ||
			linear(m, q, a->n1, at->qkv, 4 * l, r, w, h, NULL) < 0 ||
			ops->rope(m->q, q, m->rope + pos * s->dim, NULL, t, r,
					s->heads + s->kv_heads, s->dim, w, 0) < 0 ||
			ops->attention(m->q, &attn, a->o, a->lse, q, k, v) < 0 ||
			linear(m, m->t, a->o, at->o, 4 * l + 1, r, h, ad, NULL) < 0 ||
			ops->rmsnorm(m->q, a->n2, a->rstd2, a->x2, a->x, m->t, p + at->norm2, r, h,
					s->norm_eps) < 0 ||
			linear(m, a->gate_up, a->n2, at->gate_up, 4 * l + 2, r, 2 * s->ffn, h,
					NULL) < 0)
		return -1;
	return 0;
}

/* The last part, left out when a layer is computed again for its backward. */
static int layer_finish(struct lt_model *m, size_t l, size_t r)
{
	const struct lt_shape *s = &m->shape;
	struct acts *a = &m->acts[l];

	if (m->ops->swiglu(m->q, m->y, a->gate_up, r, s->ffn) < 0)
		return -1;
	return linear(m, m->acts[l + 1].x, m->y, m->w->table.layer[l].down, 4 * l + 3, r, s->hidden,
			s->ffn, a->x2);
}

/* m->dx: gradient of the layer's output on entry, of its input on return. */
static int layer_backward(struct lt_model *m, size_t l, lk_real *g)
{
	const struct lk_ops *ops = m->ops;
	const struct lt_shape *s = &m->shape;
	const struct lt_layer_at *at = &m->w->table.layer[l];
	const lk_real *p = m->w->vector[LT_VECTOR_P];
	struct acts *a = &m->acts[l];
	size_t r = m->rows, h = s->hidden, f = s->ffn, ad = s->heads * s->dim, w = m->qkv_width;
	size_t kd = s->kv_heads * s->dim;
	struct lk_attn attn = attention_of(m, m->batch, 0, m->context);

	if (linear_dx(m, m->y, m->dx, at->down, 4 * l + 3, r, h, f) < 0 ||
			ops->swiglu_back(m->q, a->gate_up, m->y, m->y, a->gate_up, r, f) < 0 ||
			linear_dw(m, g + at->down, m->dx, m->y, r, h, f) < 0 ||
			linear_dw(m, g + at->gate_up, a->gate_up, a->n2, r, 2 * f, h) < 0 ||
			linear_dx(m, m->t, a->gate_up, at->gate_up, 4 * l + 2, r, 2 * f, h) < 0 ||
			ops->rmsnorm_back(m->q, m->dx, g + at->norm2, m->t, m->dx, a->x2,
					p + at->norm2, a->rstd2, r, h) < 0)
		return -1;
	if (linear_dw(m, g + at->o, m->dx, a->o, r, h, ad) < 0 ||
			linear_dx(m, m->dout, m->dx, at->o, 4 * l + 1, r, h, ad) < 0 ||
			ops->attention_back(m->q, &attn, m->dqkv, step_act(m, m->dqkv, ad),
					step_act(m, m->dqkv, ad + kd), m->dout, a->o, a->lse,
					a->qkv, step_act(m, a->qkv, ad),
					step_act(m, a->qkv, ad + kd)) < 0 ||
			ops->rope(m->q, m->dqkv, m->rope, NULL, m->context, r,
					s->heads + s->kv_heads, s->dim, w, 1) < 0 ||
			linear_dw(m, g + at->qkv, m->dqkv, a->n1, r, w, h) < 0 ||
			linear_dx(m, m->t, m->dqkv, at->qkv, 4 * l, r, w, h) < 0 ||
			ops->rmsnorm_back(m->q, m->dx, g + at->norm1, m->t, m->dx, a->x,
					p + at->norm1, a->rstd1, r, h) < 0)
		return -1;
	return 0;
}

/* Embedding, layers and last norm: m->n. */
static int body_forward(struct lt_model *m, size_t batch, size_t pos, size_t t)
{
	const struct lt_shape *s = &m->shape;
	const lk_real *p = m->w->vector[LT_VECTOR_P];
	size_t r = batch * t;

	if (m->ops->embed(m->q, m->acts[0].x, lt_weight_at(m->w, m->w->table.embed), m->ids, r,
			    s->hidden, 0, s->vocab) < 0)
		return -1;
	for (size_t l = 0; l < s->layers; l++) {
		if (layer_forward(m, l, batch, pos, t) < 0 || layer_finish(m, l, r) < 0)
			return -1;
	}
	return m->ops->rmsnorm(m->q, m->n, m->rstd, NULL, m->acts[s->layers].x, NULL,
			p + m->w->table.norm, r, s->hidden, s->norm_eps);
}

/* Logits of rows first..first+n-1 of m->n, in m->logits. */
static int head_logits(struct lt_model *m, size_t first, size_t n)
{
	const struct lt_shape *s = &m->shape;
	struct lk_gemm g = lk_linear(n, s->vocab, s->hidden);

	g.packed = m->w->packed[4 * s->layers];
	g.cd_type = LK_REAL;
	return m->ops->gemm(m->q, &g, m->logits, step_act(m, m->n, first * s->hidden),
			lt_weight_at(m->w, m->w->table.head), NULL);
}

/* Losses of all rows, and with g the gradients of the head and of m->n (in m->t). */
static int head(struct lt_model *m, size_t rows, lk_real *g)
{
	const struct lt_shape *s = &m->shape;
	struct lk_step *step = g ? m->w->step : NULL;
	size_t h = s->hidden;

	for (size_t at = 0; at < rows; at += m->head_rows) {
		size_t n = rows - at < m->head_rows ? rows - at : m->head_rows;
		struct lk_gemm dw = lk_linear_dw(n, s->vocab, h);
		struct lk_gemm dx = lk_linear_dx(n, s->vocab, h);

		if (head_logits(m, at, n) < 0 ||
				m->ops->cross_entropy(m->q, m->loss + at, m->logits, m->labels + at,
						n, s->vocab, 0, step) < 0)
			return -1;
		if (!g)
			continue;
		dw.a_type = dx.a_type = LK_REAL;
		dx.packed = m->w->packed[4 * s->layers];
		if (m->ops->gemm(m->q, &dw, g + m->w->table.head, m->logits,
				    step_act(m, m->n, at * h), g + m->w->table.head) < 0 ||
				m->ops->gemm(m->q, &dx, step_act(m, m->t, at * h), m->logits,
						lt_weight_at(m->w, m->w->table.head), NULL) < 0)
			return -1;
	}
	return 0;
}

static int backward(struct lt_model *m, lk_real *g)
{
	const struct lt_shape *s = &m->shape;
	const lk_real *p = m->w->vector[LT_VECTOR_P];

	if (m->ops->rmsnorm_back(m->q, m->dx, g + m->w->table.norm, m->t, NULL,
			    m->acts[s->layers].x, p + m->w->table.norm, m->rstd, m->rows,
			    s->hidden) < 0)
		return -1;
	for (size_t l = s->layers; l-- > 0;) {
		if (m->recompute && layer_forward(m, l, m->batch, 0, m->context) < 0)
			return -1;
		if (layer_backward(m, l, g) < 0)
			return -1;
	}
	return m->ops->embed_back(m->q, g + m->w->table.embed, m->dx, m->ids, m->rows, s->hidden, 0,
			s->vocab);
}

/* ids and labels to the device, checked against the vocabulary. */
static int upload(struct lt_model *m, const uint32_t *ids, const int32_t *labels, size_t rows,
		struct lu_err *err)
{
	size_t vocab = m->shape.vocab;

	for (size_t i = 0; i < rows; i++) {
		if (ids[i] >= vocab || (labels && labels[i] >= 0 && (size_t)labels[i] >= vocab))
			return lu_err_set(err, "token %llu is not in the vocabulary of %zu",
					(unsigned long long)(ids[i] >= vocab ? ids[i]
									     : (uint32_t)labels[i]),
					vocab);
	}
	if (m->ops->copy(m->q, m->ids, ids, rows * sizeof(*ids), LK_H2D) < 0 ||
			(labels &&
					m->ops->copy(m->q, m->labels, labels,
							rows * sizeof(*labels), LK_H2D) < 0))
		return lt_failed(m->ops, m->q, err);
	return 0;
}

int lt_model_train(struct lt_model *m, const uint32_t *ids, const int32_t *labels, size_t lane,
		double *loss, struct lu_err *err)
{
	lk_real *g = m->w->g + lane * m->w->table.total;

	LU_ASSERT(m->mode == LT_MODEL_TRAIN && lane < m->w->lanes);
	if (upload(m, ids, labels, m->rows, err) < 0)
		return -1;
	if (body_forward(m, m->batch, 0, m->context) < 0 || head(m, m->rows, g) < 0 ||
			m->ops->sum_real(m->q, loss, m->loss, m->rows) < 0 || backward(m, g) < 0 ||
			m->ops->sync(m->q) < 0)
		return lt_failed(m->ops, m->q, err);
	return 0;
}

int lt_model_losses(struct lt_model *m, const uint32_t *ids, const int32_t *labels,
		size_t sequences, lk_real *losses, struct lu_err *err)
{
	size_t rows = sequences * m->context;

	LU_ASSERT(sequences <= m->batch && m->mode != LT_MODEL_DECODE);
	if (upload(m, ids, labels, rows, err) < 0)
		return -1;
	if (body_forward(m, sequences, 0, m->context) < 0 || head(m, rows, NULL) < 0 ||
			m->ops->copy(m->q, losses, m->loss, rows * sizeof(*losses), LK_D2H) < 0 ||
			m->ops->sync(m->q) < 0)
		return lt_failed(m->ops, m->q, err);
	return 0;
}

int lt_model_logits(struct lt_model *m, const uint32_t *ids, size_t at, size_t n, bool all,
		lk_real *logits, struct lu_err *err)
{
	size_t vocab = m->shape.vocab;

	LU_ASSERT(m->mode == LT_MODEL_DECODE && m->batch == 1);
	if (n == 0 || at > m->context || n > m->context - at)
		return lu_err_set(err, "%zu tokens at position %zu do not fit a context of %zu", n,
				at, m->context);
	if (upload(m, ids, NULL, n, err) < 0)
		return -1;
	if (body_forward(m, 1, at, n) < 0)
		return lt_failed(m->ops, m->q, err);
	for (size_t r = all ? 0 : n - 1; r < n; r += m->head_rows) {
		size_t rows = n - r < m->head_rows ? n - r : m->head_rows;

		if (head_logits(m, r, rows) < 0 ||
				m->ops->copy(m->q, logits, m->logits,
						rows * vocab * sizeof(*logits), LK_D2H) < 0 ||
				m->ops->sync(m->q) < 0)
			return lt_failed(m->ops, m->q, err);
		logits += rows * vocab;
	}
	return 0;
}
