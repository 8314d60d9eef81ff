#include "trainer/model/optimizer.h"

#include <math.h>
#include <stdio.h>

int lt_optimizer_begin(struct lt_weights *w, const struct lt_hyper *h, double lr, uint64_t t,
		uint64_t tokens, struct lu_err *err)
{
	struct lk_step step = {
		.lr = lr,
		.bias1 = 1 - pow(h->beta1, (double)t),
		.bias2 = 1 - pow(h->beta2, (double)t),
		.scale = tokens ? 1 / (double)tokens : 0,
	};

	if (w->ops->copy(w->q, w->step, &step, sizeof(step), LK_H2D) < 0 ||
			w->ops->zero(w->q, w->grad, w->lanes * w->table.total * sizeof(lk_real)) <
					0 ||
			w->ops->sync(w->q) < 0)
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

/* Sum the lanes of all ranks into lane 0, and compute its squared norm in the step. */
static int reduce(struct lt_weights *w, struct lt_comm *comm, struct lu_err *err)
{
	const struct lk_ops *ops = w->ops;
	size_t n = w->table.total, chunks = 0;

	if (w->lanes > 1 && ops->lane_sum(w->q, w->grad, w->lanes, n, n) < 0)
		return lt_queue_err(ops, w->q, err);
	if (comm->ops->sum(comm, w->grad, n, err) < 0)
		return -1;
	for (size_t i = 0; i < w->table.n; i++) {
		const struct lt_param *p = &w->table.param[i];

		if (ops->sqnorm(w->q, w->sums + chunks, w->grad + p->offset, p->count) < 0)
			return lt_queue_err(ops, w->q, err);
		chunks += (p->count + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK;
	}
	if (ops->sum(w->q, &w->step->sqnorm, w->sums, chunks) < 0)
		return lt_queue_err(ops, w->q, err);
	return 0;
}

/* Returns 1 if all of x is finite, 0 if not, -1 on error. `flag` is device memory. */
static int all_finite(struct lt_weights *w, const lk_real *x, size_t n, uint32_t *flag)
{
	uint32_t ok = 0;

	if (w->ops->finite(w->q, flag, x, n) < 0 ||
			w->ops->copy(w->q, &ok, flag, sizeof(ok), LK_D2H) < 0 ||
			w->ops->sync(w->q) < 0)
		return -1;
	return ok != 0;
}

int lt_optimizer_nonfinite(struct lt_weights *w, char *what, size_t size, struct lu_err *err)
{
	uint32_t *flag = w->ops->alloc(w->q, sizeof(*flag));
	const struct lt_param *p = NULL;
	const char *kind = "values";
	int finite = flag ? 1 : -1;

	for (size_t lane = 0; lane <= w->lanes && finite == 1; lane++) {
		const lk_real *x = w->vector[LT_VECTOR_P];

		if (lane > 0) {
			kind = "gradient";
			x = w->grad + (lane - 1) * w->table.total;
		}
		for (size_t i = 0; i < w->table.n && finite == 1; i++) {
			p = &w->table.param[i];
			finite = all_finite(w, x + p->offset, p->count, flag);
		}
	}
	/* The sum of the squares can overflow although every value is finite. */
	if (finite == 1)
		snprintf(what, size, "the sum of all squared gradients");
	else if (finite == 0)
		snprintf(what, size, "the %s of %s", kind, p->name);
	else
		lt_queue_err(w->ops, w->q, err);
	w->ops->free(w->q, flag);
	return finite < 0 ? -1 : 0;
}

int lt_optimizer_update(struct lt_weights *w, struct lt_comm *comm, const struct lt_hyper *h,
		struct lt_update *update, struct lu_err *err)
{
	const struct lk_ops *ops = w->ops;
	struct lk_adamw adam = { .beta1 = h->beta1, .beta2 = h->beta2, .eps = h->eps };
	struct lk_step step;

	if (reduce(w, comm, err) < 0)
		return -1;
	if (ops->clip(w->q, w->step, h->clip) < 0)
		return lt_queue_err(ops, w->q, err);
	for (size_t i = 0; i < w->table.n; i++) {
		const struct lt_param *p = &w->table.param[i];
		lk_real *param = w->vector[LT_VECTOR_P] + p->offset;
		lk_act *act = (char *)w->act + p->offset * ops->act_size;

		adam.decay = p->decay ? h->weight_decay : 0;
		if (ops->adamw(w->q, param, w->vector[LT_VECTOR_M] + p->offset,
				    w->vector[LT_VECTOR_V] + p->offset, w->grad + p->offset,
				    act == param ? NULL : act, p->count, &adam, w->step) < 0)
			return lt_queue_err(ops, w->q, err);
	}
	if (ops->copy(w->q, &step, w->step, sizeof(step), LK_D2H) < 0 || ops->sync(w->q) < 0)
		return lt_queue_err(ops, w->q, err);
	*update = (struct lt_update){ step.norm, step.clip, step.finite != 0 };
	return update->finite ? lt_weights_refresh(w, err) : 0;
}
