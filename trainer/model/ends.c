#include "trainer/model/ends.h"

#include "trainer/model/layer.h"
#include "trainer/model/weights_place.h"

/* --- embedding --------------------------------------------------------------------------------- */

/* The first id of this rank's part of the vocabulary. */
static size_t first_id(const struct lt_model *m)
{
	return m->tp_rank * m->s.vocab;
}

int lt_embed_forward(struct lt_model *m, const uint32_t *ids, lk_act *x, size_t rows)
{
	const lk_act *w = lt_weights_act(m->w, m->w->table.embed);
	size_t n = m->share * m->s.hidden;
	lk_act *sum;

	if (m->tp == 1)
		return m->ops->embed(m->q, x, w, ids, rows, m->s.hidden, first_id(m), m->s.vocab);
	/* Other ranks' ids give rows of zeros. */
	if (m->ops->embed(m->q, m->t, w, ids, rows, m->s.hidden, first_id(m), m->s.vocab) < 0 ||
			!(sum = lt_sum_parts(m, m->t)))
		return -1;
	return m->ops->copy(m->q, x, sum, n * m->ops->act_size, LK_D2D);
}

int lt_embed_backward(
		struct lt_model *m, const struct lt_slot *slot, lk_act *dx, lk_real *g, bool add)
{
	lk_act *rows = lt_gather_rows(m, dx);

	if (!rows)
		return -1;
	/* The head has written to a shared matrix already. */
	return m->ops->embed_back(m->q, g + m->w->table.embed, rows, &slot->sorted, m->s.hidden,
			first_id(m), m->s.vocab, add || m->s.tied);
}

/* --- head -------------------------------------------------------------------------------------- */

int lt_final_norm(struct lt_model *m, const lk_act *x, size_t rows)
{
	const lk_real *w = lt_weights_norm(m->w, m->w->table.norm);

	return m->ops->rmsnorm(
			m->q, m->n, m->rstd, NULL, x, NULL, w, rows, m->s.hidden, m->s.norm_eps);
}

int lt_head_logits(struct lt_model *m, const lk_act *n, size_t first, size_t rows)
{
	const struct lt_matrix *w = lt_weights_head(m->w);
	struct lk_gemm g = lk_linear(rows, w->out, w->in);

	g.packed = w->packed;
	g.cd_type = LK_REAL;
	return m->ops->gemm(m->q, &g, m->logits, lt_act_at(m, n, first * w->in),
			lt_weights_act(m->w, w->offset), NULL);
}

/* log p, and unless dx is NULL the gradient, of `rows` rows of logits from row `first` on. */
static int cross_entropy(struct lt_model *m, lk_act *dx, size_t first, size_t rows, bool weighted)
{
	const lk_real *weight = weighted ? m->weight + first : NULL;
	const uint32_t *label = m->labels + first;
	lk_real *log_p = m->log_p + first, *own = m->stats + m->tp_rank * rows * 3;
	size_t v = m->s.vocab;

	if (m->tp == 1)
		return m->ops->cross_entropy(m->q, log_p, dx, m->logits, label, weight, rows, v, 0);
	if (m->ops->ce_stats(m->q, own, m->logits, label, rows, v, 0, first_id(m)) < 0)
		return -1;
	for (size_t i = 0; i <= m->tp; i++)
		m->stats_bound[i] = i * rows * 3;
	if (!m->measuring &&
			lt_all_gather(m->plan.tp, m->q, m->stats, m->stats_bound, LT_REALS, NULL,
					&m->err) < 0)
		return -1;
	if (m->ops->ce_merge(m->q, m->merged, m->stats, m->tp, rows) < 0)
		return -1;
	return m->ops->ce_grad(m->q, log_p, dx, m->logits, label, weight, m->merged, rows, v, 0,
			first_id(m));
}

/* Gradients of a block of rows of logits: of the head's weights, and of its input in m->t. */
static int block_backward(struct lt_model *m, const lk_act *n, size_t first, size_t rows,
		lk_real *g, bool add)
{
	const struct lt_matrix *w = lt_weights_head(m->w);
	const lk_act *x = lt_act_at(m, n, first * w->in);

	if (lt_linear_dw(m, g, m->dlogits, x, w, rows, add) < 0)
		return -1;
	return lt_linear_dx(m, lt_act_at(m, m->t, first * w->in), m->dlogits, w, rows);
}

int lt_head(struct lt_model *m, const lk_act *x, size_t rows, lk_act *dx,
		const struct lt_pass *pass, lk_real *g, bool weighted)
{
	const struct lk_ops *ops = m->ops;
	size_t norm = m->w->table.norm, share = m->tp == 1 ? rows : m->share;
	lk_act *n, *t;

	if (lt_final_norm(m, x, share) < 0 || !(n = lt_gather_rows(m, m->n)))
		return -1;
	for (size_t first = 0; first < rows; first += m->plan.head_rows) {
		size_t left = rows - first, k = left < m->plan.head_rows ? left : m->plan.head_rows;

		if (lt_head_logits(m, n, first, k) < 0 ||
				cross_entropy(m, pass ? m->dlogits : NULL, first, k, weighted) < 0)
			return -1;
		if (pass && block_backward(m, n, first, k, g, !pass->first || first > 0) < 0)
			return -1;
	}
	if (!pass)
		return 0;
	if (ops->loss(m->q, pass->loss, m->log_p, weighted ? m->weight : NULL, rows) < 0 ||
			!(t = lt_sum_parts(m, m->t)))
		return -1;
	return ops->rmsnorm_back(m->q, dx, g + norm, t, NULL, x, lt_weights_norm(m->w, norm),
			m->rstd, m->share, m->s.hidden, !pass->first);
}
