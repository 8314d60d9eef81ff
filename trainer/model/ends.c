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

/* With a vocabulary split over ranks: gather what each knows of `rows` rows, `width` numbers a row. */
static int gather_stats(struct lt_model *m, size_t rows, size_t width)
{
	for (size_t i = 0; i <= m->tp; i++)
		m->stats_bound[i] = i * rows * width;
	if (m->tp == 1 || m->measuring)
		return 0;
	return lt_all_gather(m->plan.tp, m->q, m->stats, m->stats_bound, LT_REALS, NULL, &m->err);
}

/* log p of `rows` rows of logits from row `first` on, and unless dx is NULL their gradient. */
static int cross_entropy(struct lt_model *m, lk_act *dx, size_t first, size_t rows, bool weighted)
{
	const lk_real *weight = weighted ? m->weight + first : NULL;
	const uint32_t *label = m->labels + first;
	lk_real *log_p = m->log_p + first, *own = m->stats + m->tp_rank * rows * 3;
	/* Those of pairs stay until there are gradients. */
	lk_real *merged = m->merged + (m->plan.objective.dpo ? first * 3 : 0);
	size_t v = m->s.vocab;

	if (m->tp == 1)
		return m->ops->cross_entropy(m->q, log_p, dx, m->logits, label, weight, rows, v, 0);
	if (m->ops->ce_stats(m->q, own, m->logits, label, rows, v, 0, first_id(m)) < 0 ||
			gather_stats(m, rows, 3) < 0 ||
			m->ops->ce_merge(m->q, merged, m->stats, m->tp, rows) < 0)
		return -1;
	return m->ops->ce_grad(
			m->q, log_p, dx, m->logits, label, weight, merged, rows, v, 0, first_id(m));
}

/* Loss and gradient of rows that a teacher has been asked about. */
static int distillation(struct lt_model *m, lk_act *dx, size_t first, size_t rows, bool weighted)
{
	size_t n = m->top_n, width = 3 + n, v = m->s.vocab;
	const struct lk_kl k = { .n = n,
		.label = m->labels + first,
		.top = m->top + first * n,
		.top_logp = m->top_logp + first * n,
		.weight = weighted ? m->weight + first : NULL,
		.teacher = m->plan.objective.teacher };

	if (m->ops->kl_stats(m->q, m->stats + m->tp_rank * rows * width, m->logits, k.label, k.top,
			    n, rows, v, 0, first_id(m)) < 0 ||
			gather_stats(m, rows, width) < 0 ||
			m->ops->kl_merge(m->q, m->merged, m->stats, m->tp, rows, n) < 0)
		return -1;
	return m->ops->kl_grad(m->q, m->log_p + first, dx, m->logits, m->merged, &k, rows, v, 0,
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

/* A block of the head's rows: they begin at `first`. */
struct block {
	size_t first, rows;
};

/* The block after b, or the first of all; false after the last. */
static bool next_block(const struct lt_model *m, struct block *b, size_t rows)
{
	size_t left;

	b->first += b->rows;
	left = rows - b->first;
	b->rows = left < m->plan.head_rows ? left : m->plan.head_rows;
	return left > 0;
}

/* Loss of all rows, and their gradients. */
static int train_rows(struct lt_model *m, const lk_act *n, size_t rows, const struct lt_pass *pass,
		lk_real *g, bool weighted)
{
	bool teacher = m->plan.objective.top > 0;
	struct block b = { 0 };

	while (next_block(m, &b, rows)) {
		if (lt_head_logits(m, n, b.first, b.rows) < 0 ||
				(teacher ? distillation(m, m->dlogits, b.first, b.rows, weighted)
					 : cross_entropy(m, m->dlogits, b.first, b.rows,
							   weighted)) < 0 ||
				block_backward(m, n, b.first, b.rows, g,
						!pass->first || b.first > 0) < 0)
			return -1;
	}
	return m->ops->loss(m->q, pass->sums + LK_SUM_LOSS * pass->stride, m->log_p,
			weighted ? m->weight : NULL, rows);
}

/* Gradients by the weights that dpo() has left; a split vocabulary is not asked again. */
static int pair_gradient(struct lt_model *m, const struct block *b)
{
	if (m->tp == 1)
		return cross_entropy(m, m->dlogits, b->first, b->rows, true);
	return m->ops->ce_grad(m->q, NULL, m->dlogits, m->logits, m->labels + b->first,
			m->weight + b->first, m->merged + b->first * 3, b->rows, m->s.vocab, 0,
			first_id(m));
}

/*
 * The same for pairs: what weighs a row depends on log p of the whole pair, so log p comes first, then
 * the weights, then the gradients. Logits that did not stay, since the rows are several blocks, are
 * computed again.
 */
static int train_pairs(struct lt_model *m, const lk_act *n, size_t rows, const struct lt_pass *pass,
		lk_real *g)
{
	const struct lk_dpo d = { .pairs = m->plan.batch / 2,
		.t = m->plan.context,
		.beta = m->plan.objective.beta,
		.normalized = m->plan.objective.normalized };
	struct block b = { 0 }, again = { 0 };

	while (next_block(m, &b, rows)) {
		if (lt_head_logits(m, n, b.first, b.rows) < 0 ||
				cross_entropy(m, NULL, b.first, b.rows, false) < 0)
			return -1;
	}
	if (m->ops->dpo(m->q, pass->sums, pass->stride, m->weight, m->log_p, m->reference, &d) < 0)
		return -1;
	while (next_block(m, &again, rows)) {
		if ((again.rows < rows && lt_head_logits(m, n, again.first, again.rows) < 0) ||
				pair_gradient(m, &again) < 0 ||
				block_backward(m, n, again.first, again.rows, g,
						!pass->first || again.first > 0) < 0)
			return -1;
	}
	return 0;
}

int lt_head(struct lt_model *m, const lk_act *x, size_t rows, lk_act *dx,
		const struct lt_pass *pass, lk_real *g, bool weighted)
{
	size_t norm = m->w->table.norm, share = m->tp == 1 ? rows : m->share;
	struct block b = { 0 };
	lk_act *n, *t;

	if (lt_final_norm(m, x, share) < 0 || !(n = lt_gather_rows(m, m->n)))
		return -1;
	while (!pass && next_block(m, &b, rows)) {
		if (lt_head_logits(m, n, b.first, b.rows) < 0 ||
				cross_entropy(m, NULL, b.first, b.rows, false) < 0)
			return -1;
	}
	if (!pass)
		return 0;
	if ((m->plan.objective.dpo ? train_pairs(m, n, rows, pass, g)
				   : train_rows(m, n, rows, pass, g, weighted)) < 0 ||
			!(t = lt_sum_parts(m, m->t)))
		return -1;
	return m->ops->rmsnorm_back(m->q, dx, g + norm, t, NULL, x, lt_weights_norm(m->w, norm),
			m->rstd, m->share, m->s.hidden, !pass->first);
}
