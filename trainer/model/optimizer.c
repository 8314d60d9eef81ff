#include "trainer/model/optimizer.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "trainer/model/low_memory.h"
#include "trainer/model/tensorfile.h"
#include "trainer/model/weights_place.h"

struct lt_optimizer {
	struct lt_weights *w; /* caller-owned */
	struct lt_groups g;
	size_t lanes;		      /* used in this step, at least 1 */
	bool *complete;		      /* by bucket: all micro-batches done */
	size_t next;		      /* buckets from here on are being reduced */
	struct lt_pending **reducing; /* by bucket */
	struct lt_pending **gathering;
	struct lt_pending *norms; /* the sum of apply_norms() */
	struct lk_step *step;	  /* host memory: [0] is copied to the device, [1] from it */
};

int lt_optimizer_open(struct lt_optimizer **out, struct lt_weights *w,
		const struct lt_groups *groups, struct lu_err *err)
{
	struct lt_optimizer *o = calloc(1, sizeof(*o));
	size_t n = w->table.buckets + 1;

	*out = NULL;
	if (!o)
		return lu_err_nomem(err);
	o->w = w;
	if (groups)
		o->g = *groups;
	o->complete = calloc(n, sizeof(*o->complete));
	o->reducing = calloc(n, sizeof(*o->reducing));
	o->gathering = calloc(n, sizeof(*o->gathering));
	o->step = w->ops->host_alloc(w->q, 2 * sizeof(*o->step));
	if (!o->complete || !o->reducing || !o->gathering || !o->step) {
		lt_optimizer_close(o);
		return lu_err_nomem(err);
	}
	*out = o;
	return 0;
}

void lt_optimizer_close(struct lt_optimizer *o)
{
	if (!o)
		return;
	o->w->ops->host_free(o->w->q, o->step);
	free(o->complete);
	free(o->reducing);
	free(o->gathering);
	free(o);
}

/* Of an element of a gradient, and its type for communication. */
static size_t gradient_size(const struct lt_weights *w)
{
	return w->holding.low ? sizeof(uint16_t) : sizeof(lk_real);
}

static enum lt_element gradient_type(const struct lt_weights *w)
{
	return w->holding.low ? LT_ACTS : LT_REALS;
}

int lt_optimizer_begin(struct lt_optimizer *o, const struct lt_hyper *h, double lr, uint64_t t,
		size_t used, struct lu_err *err)
{
	struct lt_weights *w = o->w;
	size_t total = w->table.total, lanes = w->holding.lanes;

	/* The last update has waited until nothing reads it. */
	o->step->lr = lr;
	o->step->bias1 = 1 - pow(h->beta1, (double)t);
	o->step->bias2 = 1 - pow(h->beta2, (double)t);
	o->step->number = t;
	o->step->limit = h->limit;
	o->lanes = lanes;
	o->next = w->table.buckets;
	for (size_t i = 0; i < o->next; i++)
		o->complete[i] = false;
	used = used < lanes ? used : lanes;
	/* Not `finite`, which stays as it is. */
	if (w->ops->copy(w->q, w->step, o->step, offsetof(struct lk_step, sqnorm), LK_H2D) < 0 ||
			w->ops->zero(w->q, lt_weights_lane(w, used, 0),
					(lanes - used) * total * gradient_size(w)) < 0)
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

/* --- reducing ---------------------------------------------------------------------------------- */

/* Sum the lanes of a bucket into the first, by the tree of lk_ops.lane_sum. In bf16 each sum of two is
 * rounded to the nearest, as between ranks. */
static int sum_lanes(struct lt_optimizer *o, const struct lt_bucket *b)
{
	struct lt_weights *w = o->w;

	if (o->lanes == 1)
		return 0;
	if (!w->holding.low)
		return w->ops->lane_sum(w->q, w->grad + b->offset, o->lanes, w->table.total,
				b->count, NULL);
	for (size_t k = o->lanes, s; k > 1; k = s) {
		s = (k + 1) / 2;
		for (size_t j = 0; j + s < k; j++) {
			uint16_t *to = lt_weights_lane(w, j, b->offset);

			if (w->ops->add(w->q, to, to, lt_weights_lane(w, j + s, b->offset),
					    b->count) < 0)
				return -1;
		}
	}
	return 0;
}

/* Sum the lanes of a bucket, and begin to sum it over the data-parallel ranks. */
static int reduce(struct lt_optimizer *o, size_t bucket, struct lu_err *err)
{
	struct lt_weights *w = o->w;
	const struct lt_bucket *b = &w->table.bucket[bucket];

	if (sum_lanes(o, b) < 0)
		return lt_queue_err(w->ops, w->q, err);
	if (!o->g.dp)
		return 0;
	if (w->bound)
		return lt_reduce_scatter(o->g.dp, w->q, lt_weights_lane(w, 0, 0),
				lt_weights_bounds(w, bucket), gradient_type(w),
				&o->reducing[bucket], err);
	return lt_all_reduce(o->g.dp, w->q, lt_weights_lane(w, 0, b->offset), b->count,
			gradient_type(w), &o->reducing[bucket], err);
}

/* Buckets are reduced from the last to the first on every rank, whatever order they complete in. */
int lt_optimizer_ready(void *ctx, size_t bucket, struct lu_err *err)
{
	struct lt_optimizer *o = ctx;

	o->complete[bucket] = true;
	while (o->next > 0 && o->complete[o->next - 1]) {
		if (reduce(o, --o->next, err) < 0)
			return -1;
	}
	return 0;
}

/* The part of a bucket that this rank owns and that belongs to one parameter. */
struct part {
	size_t param, at, n; /* elements at .. at + n - 1 of the local vector */
};

/* Call fn for each owned part of the bucket. */
static int each_part(struct lt_optimizer *o, size_t bucket,
		int (*fn)(struct lt_optimizer *o, const struct part *part, void *ctx,
				struct lu_err *err),
		void *ctx, struct lu_err *err)
{
	const struct lt_bucket *b = &o->w->table.bucket[bucket];
	const struct lt_owned *own = &o->w->owned[bucket];

	for (size_t i = b->param; i < b->param + b->params; i++) {
		const struct lt_param *p = &o->w->table.param[i];
		size_t from = p->offset > own->begin ? p->offset : own->begin;
		size_t end = p->offset + p->local_count, to = end < own->end ? end : own->end;
		struct part part = { i, from, to - from };

		if (from < to && fn(o, &part, ctx, err) < 0)
			return -1;
	}
	return 0;
}

/* Norm weights that every tensor-parallel rank holds, but of whose gradient it has the share of its
 * rows. */
static int sum_shares(
		struct lt_optimizer *o, const struct part *part, void *ctx, struct lu_err *err)
{
	(void)ctx;
	if (o->w->table.param[part->param].split != LT_SPLIT_NONE)
		return 0;
	return lt_all_reduce(o->g.tp, o->w->q, lt_weights_lane(o->w, 0, part->at), part->n,
			gradient_type(o->w), NULL, err);
}

static int square(struct lt_optimizer *o, const struct part *part, void *ctx, struct lu_err *err)
{
	struct lt_weights *w = o->w;
	const struct lt_param *p = &w->table.param[part->param];
	double *sums = w->sums + p->norm + (part->at - p->offset) / LK_NORM_CHUNK;

	(void)ctx;
	/* What all tensor-parallel ranks hold counts once. */
	if (p->split == LT_SPLIT_NONE && w->table.tp_rank > 0)
		return 0;
	if ((w->holding.low ? w->ops->low_sqnorm(
					      w->q, sums, lt_weights_lane(w, 0, part->at), part->n)
			    : w->ops->sqnorm(w->q, sums, lt_weights_lane(w, 0, part->at),
					      part->n)) < 0)
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

/* Finish the sums over the ranks, and square what is owned. */
static int finish_reducing(struct lt_optimizer *o, struct lu_err *err)
{
	struct lt_weights *w = o->w;

	while (o->next > 0) {
		if (reduce(o, --o->next, err) < 0)
			return -1;
	}
	if (w->ops->zero(w->q, w->sums, w->table.norms * sizeof(double)) < 0)
		return lt_queue_err(w->ops, w->q, err);
	for (size_t b = w->table.buckets; b-- > 0;) {
		if ((o->g.comm && lt_comm_wait(o->g.comm, w->q, &o->reducing[b], err) < 0) ||
				(o->g.tp && o->g.sequence &&
						each_part(o, b, sum_shares, NULL, err) < 0) ||
				each_part(o, b, square, NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* Sum doubles over the groups in which each rank has filled in a part; zeros change nothing. */
static int sum_over(struct lt_optimizer *o, struct lt_group *const *group, size_t groups, double *x,
		size_t n, struct lu_err *err)
{
	for (size_t i = 0; i < groups; i++) {
		if (group[i] && lt_all_reduce(group[i], o->w->q, x, n, LT_DOUBLES, NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* --- updating ---------------------------------------------------------------------------------- */

/* Update a part, a norm or not: ctx is what apply() says. */
struct updating {
	struct lk_adamw adam;
	bool norms;
};

static int update_part(
		struct lt_optimizer *o, const struct part *part, void *ctx, struct lu_err *err)
{
	struct lt_weights *w = o->w;
	const struct updating *u = ctx;
	struct lk_adamw adam = u->adam;
	bool norm = w->table.param[part->param].dims == 1;
	lk_act *act = (char *)w->act + part->at * w->ops->act_size;
	lk_real *p;

	if (lt_weights_cut(w) && norm != u->norms)
		return 0;
	if (!w->table.param[part->param].decay)
		adam.decay = 0;
	if (w->holding.low)
		return lt_low_update(w, part->param, part->at, part->n, &adam) < 0
				? lt_queue_err(w->ops, w->q, err)
				: 0;
	p = lt_weights_at(w, LT_VECTOR_P, part->at);
	if (w->ops->adamw(w->q, p, lt_weights_at(w, LT_VECTOR_M, part->at),
			    lt_weights_at(w, LT_VECTOR_V, part->at), w->grad + part->at,
			    act == p ? NULL : act, part->n, &adam, w->step) < 0 ||
			(lt_weights_cut(w) && norm &&
					w->ops->copy(w->q, lt_weights_norm(w, part->at), p,
							part->n * sizeof(*p), LK_D2D) < 0))
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

/* Where p is cut: update the norms and sum them over the ranks, each of which has the weights that it
 * owns beside zeros. They are few, and all go in one message before the large ones. */
static int apply_norms(struct lt_optimizer *o, const struct lk_adamw *adam, struct lu_err *err)
{
	struct lt_weights *w = o->w;
	struct updating u = { *adam, true };

	if (w->bound && w->ops->zero(w->q, w->norm, w->norm_total * sizeof(*w->norm)) < 0)
		return lt_queue_err(w->ops, w->q, err);
	for (size_t b = 0; b < w->table.buckets; b++) {
		if (each_part(o, b, update_part, &u, err) < 0)
			return -1;
	}
	if (!w->bound)
		return 0;
	return lt_all_reduce(o->g.dp, w->q, w->norm, w->norm_total, LT_REALS, &o->norms, err);
}

/* Begin to gather a bucket: what the products read, and the rest of p where every rank holds it. */
static int gather(struct lt_optimizer *o, size_t bucket, struct lu_err *err)
{
	struct lt_weights *w = o->w;
	bool cut = lt_weights_cut(w);

	return lt_all_gather(o->g.dp, w->q, cut ? w->act : w->vector[LT_VECTOR_P],
			lt_weights_bounds(w, bucket), cut ? LT_ACTS : LT_REALS,
			&o->gathering[bucket], err);
}

/* Update what is owned, and begin to gather the rest, in the order of the next forward pass. */
static int apply(struct lt_optimizer *o, const struct lt_hyper *h, struct lu_err *err)
{
	struct updating u = { { h->beta1, h->beta2, h->eps, h->weight_decay }, false };
	struct lt_weights *w = o->w;

	/* Something is still on its way if no forward pass has needed it: this rank had no micro-batch. */
	if (lt_optimizer_settle(o, err) < 0 ||
			(lt_weights_cut(w) && apply_norms(o, &u.adam, err) < 0))
		return -1;
	for (size_t b = 0; b < w->table.buckets; b++) {
		if (each_part(o, b, update_part, &u, err) < 0 ||
				(w->bound && gather(o, b, err) < 0))
			return -1;
	}
	return 0;
}

int lt_optimizer_need(void *ctx, size_t bucket, struct lu_err *err)
{
	struct lt_optimizer *o = ctx;
	struct lt_weights *w = o->w;
	const struct lt_bucket *b = &w->table.bucket[bucket];
	lk_act *act = (char *)w->act + b->offset * w->ops->act_size;

	if (o->norms && lt_comm_wait(o->g.comm, w->q, &o->norms, err) < 0)
		return -1;
	if (!o->gathering[bucket])
		return 0;
	if (lt_comm_wait(o->g.comm, w->q, &o->gathering[bucket], err) < 0)
		return -1;
	if (w->act != (void *)w->vector[LT_VECTOR_P] && !lt_weights_cut(w) &&
			w->ops->to_act(w->q, act, w->vector[LT_VECTOR_P] + b->offset, b->count) < 0)
		return lt_queue_err(w->ops, w->q, err);
	return 0;
}

int lt_optimizer_settle(struct lt_optimizer *o, struct lu_err *err)
{
	for (size_t b = 0; b < o->w->table.buckets; b++) {
		if (lt_optimizer_need(o, b, err) < 0)
			return -1;
	}
	return 0;
}

/* Add up the sums of the micro-batches, and the squares, and make scale and clip of them. */
static int finish_sums(struct lt_weights *w, const struct lt_hyper *h, const double *sums, size_t n)
{
	struct lk_step *step = w->step;
	double *const out[LK_SUMS] = { &step->loss, &step->weights, &step->chosen, &step->rejected,
		&step->right };

	for (size_t k = 0; k < LK_SUMS; k++) {
		if (w->ops->sum(w->q, out[k], sums + k * n, n) < 0)
			return -1;
	}
	if (w->ops->sum(w->q, &step->sqnorm, w->sums, w->table.norms) < 0)
		return -1;
	return w->ops->clip(w->q, step, h->clip);
}

int lt_optimizer_update(struct lt_optimizer *o, const struct lt_hyper *h, double *sums, size_t n,
		struct lt_update *update, struct lu_err *err)
{
	struct lt_weights *w = o->w;
	const struct lk_ops *ops = w->ops;
	struct lt_group *const passes[] = { o->g.dp, o->g.pp };
	struct lt_group *const squares[] = { w->bound ? o->g.dp : NULL, o->g.pp, o->g.tp };
	struct lk_step *step = &o->step[1];

	if (finish_reducing(o, err) < 0 || sum_over(o, passes, 2, sums, LK_SUMS * n, err) < 0 ||
			sum_over(o, squares, 3, w->sums, w->table.norms, err) < 0)
		return -1;
	if (finish_sums(w, h, sums, n) < 0)
		return lt_queue_err(ops, w->q, err);
	if (apply(o, h, err) < 0)
		return -1;
	if (ops->copy(w->q, step, w->step, sizeof(*step), LK_D2H) < 0 || ops->sync(w->q) < 0)
		return lt_queue_err(ops, w->q, err);
	/* Where sums over ranks have failed on the device, these are no results. */
	if (o->g.comm && lt_comm_check(o->g.comm, err) < 0)
		return -1;
	*update = (struct lt_update){ .loss = step->loss,
		.weights = step->weights,
		.chosen = step->chosen,
		.rejected = step->rejected,
		.right = step->right,
		.norm = step->norm,
		.clip = step->scale > 0 ? step->clip / step->scale : 1,
		.finite = step->finite != 0,
		.skipped = step->finite != 0 && step->skip != 0 };
	return 0;
}

/* --- values that are not finite ---------------------------------------------------------------- */

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

/* Parameter p's values (lane 0) from `begin` on, or its gradient in lane - 1, as lk_real. NULL on
 * failure. */
static const lk_real *values(
		struct lt_weights *w, size_t lane, const struct lt_param *p, size_t begin, size_t n)
{
	size_t at = p->offset + begin;

	if (!w->holding.low)
		return lane > 0 ? lt_weights_lane(w, lane - 1, at)
				: lt_weights_at(w, LT_VECTOR_P, at);
	if (lane == 0)
		return lt_low_join(w, LT_VECTOR_P, at, n);
	if (w->ops->low_join(w->q, w->scratch, lt_weights_lane(w, lane - 1, at), NULL, n) < 0)
		return NULL;
	return w->scratch;
}

int lt_optimizer_nonfinite(struct lt_weights *w, char *what, size_t size, struct lu_err *err)
{
	uint32_t *flag = w->ops->alloc(w->q, sizeof(*flag));
	const struct lt_param *p = NULL;
	const char *kind = "values";
	int finite = flag ? 1 : -1;

	for (size_t lane = 0; lane <= w->holding.lanes && finite == 1; lane++) {
		if (lane > 0)
			kind = "gradient";
		for (size_t i = 0; i < w->table.n && finite == 1; i++) {
			size_t begin = 0, end;
			const lk_real *x;

			p = &w->table.param[i];
			end = p->local_count;
			if (lane == 0 && lt_weights_cut(w))
				lt_tensors_owned(w, i, &begin, &end);
			if (p->offset == LT_ELSEWHERE || begin == end)
				continue;
			x = values(w, lane, p, begin, end - begin);
			finite = x ? all_finite(w, x, end - begin, flag) : -1;
		}
	}
	if (finite == 0)
		snprintf(what, size, "the %s of %s", kind, p->name);
	else if (finite < 0)
		lt_queue_err(w->ops, w->q, err);
	w->ops->free(w->q, flag);
	return finite < 0 ? -1 : !finite;
}
