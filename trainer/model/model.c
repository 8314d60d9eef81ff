#include "trainer/model/model.h"

#include <inttypes.h>
#include <stdlib.h>

/* Logits per block of the head: enough rows for products at full speed, in little memory. */
#define HEAD_LOGITS ((size_t)1 << 23)

/* Activations of one layer. */
struct acts {
	lk_act *x, *n1, *qkv, *o, *x2, *n2, *gate_up;
	lk_real *rstd1, *lse, *rstd2;
};

struct lt_model {
	struct lt_weights *w; /* caller-owned */
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_shape shape;
	enum lt_model_mode mode;
	bool recompute;
	size_t batch, context, rows;
	size_t head_rows;  /* rows per block of the head */
	size_t qkv_width;  /* (heads + 2 kv_heads) dim */
	struct acts *acts; /* layers + 1; the last has only x */
	uint32_t *ids;
	int32_t *labels;
	lk_real *rope, *loss, *rstd, *logits;
	lk_act *n, *t, *y, *dx, *dqkv, *dout;
	void **owned; /* all allocations */
	size_t n_owned;
	uint64_t bytes; /* their sum */
	bool count_only, failed;
};

/* Allocate rows * width elements; on failure returns NULL and sets m->failed. */
static void *alloc_rows(struct lt_model *m, size_t rows, size_t width, size_t size)
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

static void alloc_layer(struct lt_model *m, struct acts *a)
{
	const struct lt_shape *s = &m->shape;
	size_t act = m->ops->act_size, r = m->rows;

	a->n1 = alloc_rows(m, r, s->hidden, act);
	a->qkv = alloc_rows(m, r, m->qkv_width, act);
	a->o = alloc_rows(m, r, s->heads * s->dim, act);
	a->n2 = alloc_rows(m, r, s->hidden, act);
	a->gate_up = alloc_rows(m, r, 2 * s->ffn, act);
	a->rstd1 = alloc_rows(m, r, 1, sizeof(lk_real));
	a->rstd2 = alloc_rows(m, r, 1, sizeof(lk_real));
	a->lse = alloc_rows(m, r, s->heads, sizeof(lk_real));
}

/*
 * TRAIN: every layer has its own activations, or with recomputation only its own x, and shares the
 * rest with layer 0. SCORE and DECODE: all layers share everything, x2 being x; DECODE keeps the qkv
 * of each layer as the cache.
 */
static void alloc_all(struct lt_model *m)
{
	const struct lt_shape *s = &m->shape;
	size_t act = m->ops->act_size, r = m->rows, real = sizeof(lk_real);
	bool train = m->mode == LT_MODEL_TRAIN;
	lk_act *x = train ? NULL : alloc_rows(m, r, s->hidden, act);

	for (size_t l = 0; l < s->layers; l++) {
		struct acts *a = &m->acts[l];
		bool own = l == 0 || (train && !m->recompute);

		if (own)
			alloc_layer(m, a);
		else
			*a = m->acts[0];
		if (m->mode == LT_MODEL_DECODE && l > 0)
			a->qkv = alloc_rows(m, r, m->qkv_width, act);
		a->x = train ? alloc_rows(m, r, s->hidden, act) : x;
		if (!train)
			a->x2 = x;
		else if (own)
			a->x2 = alloc_rows(m, r, s->hidden, act);
	}
	m->acts[s->layers].x = train ? alloc_rows(m, r, s->hidden, act) : x;
	m->ids = alloc_rows(m, r, 1, sizeof(*m->ids));
	m->labels = alloc_rows(m, r, 1, sizeof(*m->labels));
	m->rope = alloc_rows(m, m->context, s->dim, real);
	m->loss = alloc_rows(m, r, 1, real);
	m->rstd = alloc_rows(m, r, 1, real);
	m->logits = alloc_rows(m, m->head_rows, s->vocab, real);
	m->n = alloc_rows(m, r, s->hidden, act);
	m->t = alloc_rows(m, r, s->hidden, act);
	m->y = alloc_rows(m, r, s->ffn, act);
	if (train) {
		m->dx = alloc_rows(m, r, s->hidden, act);
		m->dqkv = alloc_rows(m, r, m->qkv_width, act);
		m->dout = alloc_rows(m, r, s->heads * s->dim, act);
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
	/* Split the sum of the head's gradient: a multiple of 64, a function of vocab only. */
	m->head_rows = HEAD_LOGITS / shape->vocab / 64 * 64;
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
	alloc_all(&m);
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
	alloc_all(m);
	if (m->failed) {
		lu_err_nomem(err);
		lu_err_wrap(err, "activations of %zu x %zu tokens need %" PRIu64 " bytes", batch,
				context,
				lt_model_bytes(&m->shape, m->ops, batch, context, mode, recompute));
		lt_model_close(m);
		return -1;
	}
	if (m->ops->rope_table(m->q, m->rope, 0, context, m->shape.dim, m->shape.rope_theta) < 0) {
		lt_queue_err(m->ops, m->q, err);
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

/* y[rows][out] = x W^T, plus c unless it is NULL. */
static int linear(struct lt_model *m, lk_act *y, const lk_act *x, const struct lt_matrix *w,
		size_t rows, const lk_act *c)
{
	struct lk_gemm g = lk_linear(rows, w->out, w->in);

	g.packed = w->packed;
	g.beta = c ? 1 : 0;
	return m->ops->gemm(m->q, &g, y, x, lt_weights_act(m->w, w->offset), c);
}

/* dx[rows][in] = dy W. */
static int linear_dx(struct lt_model *m, lk_act *dx, const lk_act *dy, const struct lt_matrix *w,
		size_t rows)
{
	struct lk_gemm g = lk_linear_dx(rows, w->out, w->in);

	g.packed = w->packed;
	return m->ops->gemm(m->q, &g, dx, dy, lt_weights_act(m->w, w->offset), NULL);
}

/* dW += dy^T x, where grad is the gradient of all parameters. */
static int linear_dw(struct lt_model *m, lk_real *grad, const lk_act *dy, const lk_act *x,
		const struct lt_matrix *w, size_t rows)
{
	struct lk_gemm g = lk_linear_dw(rows, w->out, w->in);
	lk_real *dw = grad + w->offset;

	return m->ops->gemm(m->q, &g, dw, dy, x, dw);
}

/* Queries are t rows from `pos` on, keys are rows 0..pos+t-1; q, k, v share rows of qkv_width. */
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

static lk_act *act_at(const struct lt_model *m, lk_act *p, size_t elements)
{
	return (char *)p + elements * m->ops->act_size;
}

/* One layer up to its FFN activations, over `batch` sequences of t rows at position pos (if pos > 0,
 * batch is 1). */
static int layer_forward(struct lt_model *m, size_t l, size_t batch, size_t pos, size_t t)
{
	const struct lk_ops *ops = m->ops;
	const struct lt_shape *s = &m->shape;
	const struct lt_matrix *w = lt_weights_matrix(m->w, l, LT_QKV);
	const struct lt_layer_offsets *at = &m->w->table.layer[l];
	const lk_real *p = m->w->vector[LT_VECTOR_P];
	struct acts *a = &m->acts[l];
	size_t r = batch * t, h = s->hidden, qd = s->heads * s->dim;
	struct lk_attn attn = attention_of(m, batch, pos, t);
	lk_act *q = act_at(m, a->qkv, pos * m->qkv_width), *k = act_at(m, a->qkv, qd);
	lk_act *v = act_at(m, k, s->kv_heads * s->dim);

	if (ops->rmsnorm(m->q, a->n1, a->rstd1, NULL, a->x, NULL, p + at->norm1, r, h,
			    s->norm_eps) < 0 ||
			linear(m, q, a->n1, &w[LT_QKV], r, NULL) < 0 ||
			ops->rope(m->q, q, m->rope + pos * s->dim, NULL, t, r,
					s->heads + s->kv_heads, s->dim, m->qkv_width, 0) < 0 ||
			ops->attention(m->q, &attn, a->o, a->lse, q, k, v) < 0 ||
			linear(m, m->t, a->o, &w[LT_O], r, NULL) < 0 ||
			ops->rmsnorm(m->q, a->n2, a->rstd2, a->x2, a->x, m->t, p + at->norm2, r, h,
					s->norm_eps) < 0 ||
			linear(m, a->gate_up, a->n2, &w[LT_GATE_UP], r, NULL) < 0)
		return -1;
	return 0;
}

/* The rest of a layer, which backward does not need when it computes the layer again. */
static int layer_finish(struct lt_model *m, size_t l, size_t r)
{
	struct acts *a = &m->acts[l];

	if (m->ops->swiglu(m->q, m->y, a->gate_up, r, m->shape.ffn) < 0)
		return -1;
	return linear(m, m->acts[l + 1].x, m->y, lt_weights_matrix(m->w, l, LT_DOWN), r, a->x2);
}

/* Gradients of a layer. m->dx: gradient of its output on entry, of its input on return. */
static int layer_backward(struct lt_model *m, size_t l, lk_real *g)
{
	const struct lk_ops *ops = m->ops;
	const struct lt_shape *s = &m->shape;
	const struct lt_matrix *w = lt_weights_matrix(m->w, l, LT_QKV);
	const struct lt_layer_offsets *at = &m->w->table.layer[l];
	const lk_real *p = m->w->vector[LT_VECTOR_P];
	struct acts *a = &m->acts[l];
	size_t r = m->rows, h = s->hidden, f = s->ffn;
	size_t qd = s->heads * s->dim, kd = s->kv_heads * s->dim;
	struct lk_attn attn = attention_of(m, m->batch, 0, m->context);

	if (linear_dx(m, m->y, m->dx, &w[LT_DOWN], r) < 0 ||
			ops->swiglu_back(m->q, a->gate_up, m->y, m->y, a->gate_up, r, f) < 0 ||
			linear_dw(m, g, m->dx, m->y, &w[LT_DOWN], r) < 0 ||
			linear_dw(m, g, a->gate_up, a->n2, &w[LT_GATE_UP], r) < 0 ||
			linear_dx(m, m->t, a->gate_up, &w[LT_GATE_UP], r) < 0 ||
			ops->rmsnorm_back(m->q, m->dx, g + at->norm2, m->t, m->dx, a->x2,
					p + at->norm2, a->rstd2, r, h) < 0)
		return -1;
	if (linear_dw(m, g, m->dx, a->o, &w[LT_O], r) < 0 ||
			linear_dx(m, m->dout, m->dx, &w[LT_O], r) < 0 ||
			ops->attention_back(m->q, &attn, m->dqkv, act_at(m, m->dqkv, qd),
					act_at(m, m->dqkv, qd + kd), m->dout, a->o, a->lse, a->qkv,
					act_at(m, a->qkv, qd), act_at(m, a->qkv, qd + kd)) < 0 ||
			ops->rope(m->q, m->dqkv, m->rope, NULL, m->context, r,
					s->heads + s->kv_heads, s->dim, m->qkv_width, 1) < 0 ||
			linear_dw(m, g, m->dqkv, a->n1, &w[LT_QKV], r) < 0 ||
			linear_dx(m, m->t, m->dqkv, &w[LT_QKV], r) < 0 ||
			ops->rmsnorm_back(m->q, m->dx, g + at->norm1, m->t, m->dx, a->x,
					p + at->norm1, a->rstd1, r, h) < 0)
		return -1;
	return 0;
}

/* Embedding, layers and final norm, into m->n. */
static int body_forward(struct lt_model *m, size_t batch, size_t pos, size_t t)
{
	const struct lt_shape *s = &m->shape;
	const lk_real *p = m->w->vector[LT_VECTOR_P];
	size_t r = batch * t;

	if (m->ops->embed(m->q, m->acts[0].x, lt_weights_act(m->w, m->w->table.embed), m->ids, r,
			    s->hidden, 0, s->vocab) < 0)
		return -1;
	for (size_t l = 0; l < s->layers; l++) {
		if (layer_forward(m, l, batch, pos, t) < 0 || layer_finish(m, l, r) < 0)
			return -1;
	}
	return m->ops->rmsnorm(m->q, m->n, m->rstd, NULL, m->acts[s->layers].x, NULL,
			p + m->w->table.norm, r, s->hidden, s->norm_eps);
}

/* Logits of rows first..first+n-1 of m->n, into m->logits. */
static int head_logits(struct lt_model *m, size_t first, size_t n)
{
	const struct lt_matrix *w = lt_weights_head(m->w);
	struct lk_gemm g = lk_linear(n, w->out, w->in);

	g.packed = w->packed;
	g.cd_type = LK_REAL;
	return m->ops->gemm(m->q, &g, m->logits, act_at(m, m->n, first * w->in),
			lt_weights_act(m->w, w->offset), NULL);
}

/* Losses of all rows; unless g is NULL also the gradients of the head, and of m->n into m->t. */
static int head(struct lt_model *m, size_t rows, lk_real *g)
{
	const struct lt_matrix *w = lt_weights_head(m->w);
	struct lk_step *step = g ? m->w->step : NULL;

	for (size_t first = 0; first < rows; first += m->head_rows) {
		size_t n = rows - first < m->head_rows ? rows - first : m->head_rows;
		struct lk_gemm dw = lk_linear_dw(n, w->out, w->in);
		struct lk_gemm dx = lk_linear_dx(n, w->out, w->in);

		if (head_logits(m, first, n) < 0 ||
				m->ops->cross_entropy(m->q, m->loss + first, m->logits,
						m->labels + first, n, w->out, 0, step) < 0)
			return -1;
		if (!g)
			continue;
		dw.a_type = dx.a_type = LK_REAL;
		dx.packed = w->packed;
		if (m->ops->gemm(m->q, &dw, g + w->offset, m->logits,
				    act_at(m, m->n, first * w->in), g + w->offset) < 0 ||
				m->ops->gemm(m->q, &dx, act_at(m, m->t, first * w->in), m->logits,
						lt_weights_act(m->w, w->offset), NULL) < 0)
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

static int check_ids(const struct lt_model *m, const uint32_t *ids, size_t rows, struct lu_err *err)
{
	for (size_t i = 0; i < rows; i++) {
		if (ids[i] >= m->shape.vocab)
			return lu_err_set(err, "token %" PRIu32 " is not in the vocabulary of %zu",
					ids[i], m->shape.vocab);
	}
	return 0;
}

static int check_labels(
		const struct lt_model *m, const int32_t *labels, size_t rows, struct lu_err *err)
{
	for (size_t i = 0; i < rows; i++) {
		if (labels[i] >= 0 && (size_t)labels[i] >= m->shape.vocab)
			return lu_err_set(err, "label %" PRId32 " is not in the vocabulary of %zu",
					labels[i], m->shape.vocab);
	}
	return 0;
}

/* Copy ids, and labels unless they are NULL, to the device, checked against the vocabulary. */
static int upload(struct lt_model *m, const uint32_t *ids, const int32_t *labels, size_t rows,
		struct lu_err *err)
{
	if (check_ids(m, ids, rows, err) < 0 || (labels && check_labels(m, labels, rows, err) < 0))
		return -1;
	if (m->ops->copy(m->q, m->ids, ids, rows * sizeof(*ids), LK_H2D) < 0)
		return lt_queue_err(m->ops, m->q, err);
	if (labels && m->ops->copy(m->q, m->labels, labels, rows * sizeof(*labels), LK_H2D) < 0)
		return lt_queue_err(m->ops, m->q, err);
	return 0;
}

int lt_model_train(struct lt_model *m, const uint32_t *ids, const int32_t *labels, size_t lane,
		double *loss, struct lu_err *err)
{
	lk_real *g = m->w->grad + lane * m->w->table.total;

	LU_ASSERT(m->mode == LT_MODEL_TRAIN && lane < m->w->lanes);
	if (upload(m, ids, labels, m->rows, err) < 0)
		return -1;
	if (body_forward(m, m->batch, 0, m->context) < 0 || head(m, m->rows, g) < 0 ||
			m->ops->sum_real(m->q, loss, m->loss, m->rows) < 0 || backward(m, g) < 0 ||
			m->ops->sync(m->q) < 0)
		return lt_queue_err(m->ops, m->q, err);
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
		return lt_queue_err(m->ops, m->q, err);
	return 0;
}

int lt_model_logits(struct lt_model *m, const uint32_t *ids, size_t pos, size_t n, bool all,
		lk_real *logits, struct lu_err *err)
{
	size_t vocab = m->shape.vocab;

	LU_ASSERT(m->mode == LT_MODEL_DECODE && m->batch == 1);
	if (n == 0 || pos > m->context || n > m->context - pos)
		return lu_err_set(err, "%zu tokens at position %zu do not fit a context of %zu", n,
				pos, m->context);
	if (upload(m, ids, NULL, n, err) < 0)
		return -1;
	if (body_forward(m, 1, pos, n) < 0)
		return lt_queue_err(m->ops, m->q, err);
	for (size_t r = all ? 0 : n - 1; r < n; r += m->head_rows) {
		size_t rows = n - r < m->head_rows ? n - r : m->head_rows;

		if (head_logits(m, r, rows) < 0 ||
				m->ops->copy(m->q, logits, m->logits,
						rows * vocab * sizeof(*logits), LK_D2H) < 0 ||
				m->ops->sync(m->q) < 0)
			return lt_queue_err(m->ops, m->q, err);
		logits += rows * vocab;
	}
	return 0;
}
