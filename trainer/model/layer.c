#include "trainer/model/layer.h"

#include "trainer/model/kv_cache.h"
#include "trainer/model/weights_place.h"

/* --- rows and sums over the tensor-parallel ranks --------------------------------------------- */

lk_act *lt_gather_rows(struct lt_model *m, lk_act *x)
{
	size_t h = m->s.hidden;

	if (m->tp == 1 || !m->plan.sequence)
		return x;
	if (m->measuring)
		return m->full;
	if (m->ops->copy(m->q, lt_act_at(m, m->full, m->bound[m->tp_rank]), x,
			    m->share * h * m->ops->act_size, LK_D2D) < 0 ||
			lt_all_gather(m->plan.tp, m->q, m->full, m->bound, LT_ACTS, NULL, &m->err) <
					0)
		return NULL;
	return m->full;
}

lk_act *lt_sum_parts(struct lt_model *m, lk_act *part)
{
	size_t n = m->rows * m->s.hidden;
	int rc;

	if (m->tp == 1 || m->measuring)
		return part;
	if (!m->plan.sequence)
		rc = lt_all_reduce(m->plan.tp, m->q, part, n, LT_ACTS, NULL, &m->err);
	else
		rc = lt_reduce_scatter(m->plan.tp, m->q, part, m->bound, LT_ACTS, NULL, &m->err);
	if (rc < 0)
		return NULL;
	return m->plan.sequence ? lt_act_at(m, part, m->bound[m->tp_rank]) : part;
}

/* --- products ---------------------------------------------------------------------------------- */

int lt_linear(struct lt_model *m, lk_act *y, const lk_act *x, const struct lt_matrix *w,
		size_t rows)
{
	struct lk_gemm g = lk_linear(rows, w->out, w->in);

	g.packed = w->packed;
	return m->ops->gemm(m->q, &g, y, x, lt_weights_act(m->w, w->offset), NULL);
}

int lt_linear_dx(struct lt_model *m, lk_act *dx, const lk_act *dy, const struct lt_matrix *w,
		size_t rows)
{
	struct lk_gemm g = lk_linear_dx(rows, w->out, w->in);

	return m->ops->gemm(m->q, &g, dx, dy, lt_weights_act(m->w, w->offset), NULL);
}

int lt_linear_dw(struct lt_model *m, lk_real *grad, const lk_act *dy, const lk_act *x,
		const struct lt_matrix *w, size_t rows, bool add)
{
	struct lk_gemm g = lk_linear_dw(rows, w->out, w->in);
	lk_real *dw = grad + w->offset;

	g.beta = add ? 1 : 0;
	return m->ops->gemm(m->q, &g, dw, dy, x, add ? dw : NULL);
}

/* --- the layer --------------------------------------------------------------------------------- */

/* q, k, v share rows of qkv_width. */
static struct lk_attn attention_of(const struct lt_model *m, const struct lt_span *at)
{
	return (struct lk_attn){
		.batch = at->batch,
		.heads = m->s.heads,
		.kv_heads = m->s.kv_heads,
		.dim = m->s.dim,
		.tq = at->t,
		.tk = at->t,
		.q_ld = m->qkv_width,
		.k_ld = m->qkv_width,
		.pos = at->places,
	};
}

/* Queries, keys and values of a layer's qkv or its gradient. */
struct qkv {
	lk_act *q, *k, *v;
};

static struct qkv split_qkv(const struct lt_model *m, lk_act *qkv)
{
	lk_act *k = lt_act_at(m, qkv, m->s.heads * m->s.dim);

	return (struct qkv){ qkv, k, lt_act_at(m, k, m->s.kv_heads * m->s.dim) };
}

static int rotate(struct lt_model *m, lk_act *q, const struct lt_span *at, int inverse)
{
	return m->ops->rope(m->q, q, m->rope, at->places, at->t, at->batch * at->t,
			m->s.heads + m->s.kv_heads, m->s.dim, m->qkv_width, inverse);
}

static int attend(struct lt_model *m, struct lt_acts *a, const struct qkv *x,
		const struct lt_span *at)
{
	struct lk_attn attn = attention_of(m, at);

	if (at->decode)
		return lt_decode_attention(m, a);
	return m->ops->attention(m->q, &attn, a->o, a->lse, x->q, x->k, x->v);
}

int lt_layer_forward(struct lt_model *m, size_t l, struct lt_acts *a, const struct lt_acts *before,
		const struct lt_span *at)
{
	const struct lk_ops *ops = m->ops;
	const struct lt_matrix *w = lt_weights_matrix(m->w, l, LT_QKV);
	const struct lt_layer_offsets *o = &m->w->table.layer[l];
	size_t r = at->batch * at->t, share = m->tp == 1 ? r : m->share, h = m->s.hidden;
	struct qkv x = split_qkv(m, a->qkv);
	lk_act *n, *t = m->plan.sequence ? lt_act_at(m, m->t, m->share_at * h) : m->t;

	if (ops->rmsnorm(m->q, a->n1, a->rstd1, before ? a->x : NULL, before ? before->x2 : a->x,
			    before ? t : NULL, lt_weights_norm(m->w, o->norm1), share, h,
			    m->s.norm_eps) < 0 ||
			!(n = lt_gather_rows(m, a->n1)) ||
			lt_linear(m, x.q, n, &w[LT_QKV], r) < 0 || rotate(m, x.q, at, 0) < 0 ||
			attend(m, a, &x, at) < 0 || lt_linear(m, m->t, a->o, &w[LT_O], r) < 0 ||
			!(t = lt_sum_parts(m, m->t)) ||
			ops->rmsnorm(m->q, a->n2, a->rstd2, a->x2, a->x, t,
					lt_weights_norm(m->w, o->norm2), share, h,
					m->s.norm_eps) < 0 ||
			!(n = lt_gather_rows(m, a->n2)) ||
			lt_linear(m, a->gate_up, n, &w[LT_GATE_UP], r) < 0)
		return -1;
	return 0;
}

lk_act *lt_layer_finish(struct lt_model *m, size_t l, struct lt_acts *a, const struct lt_span *at)
{
	size_t r = at->batch * at->t;

	if (m->ops->swiglu(m->q, m->y, a->gate_up, r, m->s.ffn) < 0 ||
			lt_linear(m, m->t, m->y, lt_weights_matrix(m->w, l, LT_DOWN), r) < 0)
		return NULL;
	return lt_sum_parts(m, m->t);
}

/* The output of a norm again, where it was not kept. */
static int norm_again(
		struct lt_model *m, lk_act *n, const lk_act *x, size_t weight, const lk_real *rstd)
{
	if (m->plan.recompute != LT_RECOMPUTE_NORMS)
		return 0;
	return m->ops->rmsnorm_again(
			m->q, n, x, lt_weights_norm(m->w, weight), rstd, m->share, m->s.hidden);
}

int lt_layer_backward(struct lt_model *m, size_t l, struct lt_acts *a, const struct lt_span *at,
		lk_act *dx, lk_real *g, bool add)
{
	const struct lk_ops *ops = m->ops;
	const struct lt_matrix *w = lt_weights_matrix(m->w, l, LT_QKV);
	const struct lt_layer_offsets *o = &m->w->table.layer[l];
	size_t r = m->rows, h = m->s.hidden, f = m->s.ffn;
	struct lk_attn attn = attention_of(m, at);
	struct qkv x = split_qkv(m, a->qkv), d = split_qkv(m, m->dqkv);
	lk_act *n, *t;

	if (!(t = lt_gather_rows(m, dx)) || lt_linear_dx(m, m->y, t, &w[LT_DOWN], r) < 0 ||
			ops->swiglu_back(m->q, a->gate_up, m->y, m->y, a->gate_up, r, f) < 0 ||
			lt_linear_dw(m, g, t, m->y, &w[LT_DOWN], r, add) < 0 ||
			norm_again(m, a->n2, a->x2, o->norm2, a->rstd2) < 0 ||
			!(n = lt_gather_rows(m, a->n2)) ||
			lt_linear_dw(m, g, a->gate_up, n, &w[LT_GATE_UP], r, add) < 0 ||
			lt_linear_dx(m, m->t, a->gate_up, &w[LT_GATE_UP], r) < 0 ||
			!(t = lt_sum_parts(m, m->t)) ||
			ops->rmsnorm_back(m->q, dx, g + o->norm2, t, dx, a->x2,
					lt_weights_norm(m->w, o->norm2), a->rstd2, m->share, h,
					add) < 0)
		return -1;
	if (!(t = lt_gather_rows(m, dx)) || lt_linear_dw(m, g, t, a->o, &w[LT_O], r, add) < 0 ||
			lt_linear_dx(m, m->dout, t, &w[LT_O], r) < 0 ||
			ops->attention_back(m->q, &attn, d.q, d.k, d.v, m->dout, a->o, a->lse, x.q,
					x.k, x.v) < 0 ||
			rotate(m, d.q, at, 1) < 0 ||
			norm_again(m, a->n1, a->x, o->norm1, a->rstd1) < 0 ||
			!(n = lt_gather_rows(m, a->n1)) ||
			lt_linear_dw(m, g, m->dqkv, n, &w[LT_QKV], r, add) < 0 ||
			lt_linear_dx(m, m->t, m->dqkv, &w[LT_QKV], r) < 0 ||
			!(t = lt_sum_parts(m, m->t)) ||
			ops->rmsnorm_back(m->q, dx, g + o->norm1, t, dx, a->x,
					lt_weights_norm(m->w, o->norm1), a->rstd1, m->share, h,
					add) < 0)
		return -1;
	return 0;
}
