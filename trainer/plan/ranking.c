#include "trainer/plan/ranking.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define MOST_TOKENS 65536 /* of a micro-batch of several samples */

int lt_question_init(struct lt_question *q, const struct lt_cluster *cluster,
		const struct lt_constants *k, const struct lt_settings *s, struct lu_err *err)
{
	*q = (struct lt_question){ .cluster = cluster, .k = k, .s = *s };
	/* On a GPU, auto is bf16. */
	if (s->train.dtype == LT_FP32)
		return lu_err_set(err,
				"train.dtype = fp32: the rates of a cluster are those of bf16; "
				"give --set train.dtype=bf16");
	return lt_settings_schedule(s, 1, &q->schedule, err);
}

void lt_ranking_release(struct lt_ranking *r)
{
	lu_vec_release(&r->row);
	*r = (struct lt_ranking){ 0 };
}

/* --- one layout -------------------------------------------------------------------------------- */

/* The time of the phase, step by step while the batch grows. */
static int phase_seconds(struct lt_scene *sc, const struct lt_question *q, double step,
		double *seconds, struct lu_err *err)
{
	const struct lt_schedule *schedule = &q->schedule;
	uint64_t consumed = 0, batch, last = 0;
	struct lt_cost cost = { 0 };

	*seconds = (double)NAN;
	if (q->s.train.epochs > 0)
		return 0;
	*seconds = 0;
	while (schedule->ramp_step && consumed <= schedule->ramp_samples &&
			(batch = lt_schedule_batch(schedule, consumed)) > 0) {
		if (batch != last && lt_scene_cost(sc, batch, &cost, err) < 0)
			return -1;
		last = batch;
		*seconds += cost.step;
		consumed += batch;
	}
	*seconds += step * (double)lt_schedule_left(schedule, consumed);
	return 0;
}

/* Fill in what the search leaves out: memory, and the time of the phase. */
static int complete(struct lt_ranked *row, struct lt_scene *sc, const struct lt_question *q,
		struct lu_err *err)
{
	if (lt_scene_memory(sc, &q->schedule, &row->memory, err) < 0)
		return -1;
	row->fits = row->memory.all <= lt_memory_usable(q->cluster, q->k);
	return 0;
}

/* The product of the sizes, which must be that of the cluster. */
static int check_product(const struct lt_settings *s, uint64_t gpus, struct lu_err *err)
{
	uint64_t tp = s->parallel.size[LT_TP], pp = s->parallel.size[LT_PP];
	uint64_t dp = s->parallel.size[LT_DP];

	if (gpus % (tp * pp))
		return lu_err_set(err,
				"tp %" PRIu64 " x pp %" PRIu64 " does not divide the %" PRIu64
				" GPUs",
				tp, pp, gpus);
	if (dp && tp * pp * dp != gpus)
		return lu_err_set(err,
				"tp %" PRIu64 " x pp %" PRIu64 " x dp %" PRIu64 " = %" PRIu64
				" ranks, but there are %" PRIu64 " GPUs; see --gpus",
				tp, pp, dp, tp * pp * dp, gpus);
	return 0;
}

int lt_rank_one(struct lt_ranked *row, const struct lt_question *q, const struct lt_choice *c,
		struct lu_err *err)
{
	struct lt_settings s = q->s;
	struct lt_schedule schedule;
	struct lt_scene *sc;
	int rc;

	*row = (struct lt_ranked){ 0 };
	lt_choice_apply(c, q->cluster->gpus, &s);
	if (lt_settings_check(&s, err) < 0 || check_product(&s, q->cluster->gpus, err) < 0 ||
			lt_settings_schedule(&s, 1, &schedule, err) < 0 ||
			lt_scene_open(&sc, q->cluster, q->k, &s, err) < 0)
		return -1;
	row->choice = lt_choice_of(&s, q->cluster->gpus);
	rc = lt_scene_cost(sc, q->schedule.batch, &row->cost, err);
	if (rc == 0)
		rc = complete(row, sc, q, err);
	if (rc == 0)
		rc = phase_seconds(sc, q, row->cost.step, &row->seconds, err);
	lt_scene_close(sc);
	return rc;
}

/* --- the search -------------------------------------------------------------------------------- */

/* Cost of the layouts of one mesh. */
static int try_variants(struct lt_ranking *r, const struct lt_question *q, struct lt_scene *sc,
		struct lu_err *err)
{
	const struct lt_settings *s = lt_scene_settings(sc);
	uint64_t tp = s->parallel.size[LT_TP], dp = s->parallel.size[LT_DP];
	uint64_t batch = q->schedule.batch, least = batch;

	if (q->schedule.ramp_step && q->schedule.ramp_start < least)
		least = q->schedule.ramp_start;
	for (uint64_t b = 1; b <= batch / dp; b++) {
		uint64_t tokens = b * s->train.context;

		if (batch % b ||
				(q->schedule.ramp_step &&
						(q->schedule.ramp_start % b ||
								q->schedule.ramp_step % b)))
			continue;
		if (b > 1 && tokens > MOST_TOKENS)
			break;
		for (uint64_t v = 0; v < 2 * 2 * 3; v++) {
			bool sequence = v & 1;
			uint64_t zero = v & 2 ? 0 : 1, again = v / 4;
			struct lt_ranked row = { 0 };

			if ((sequence && (tp == 1 || tokens % tp)) || (zero == 0 && dp == 1))
				continue;
			lt_scene_vary(sc, b, (enum lt_recompute)again, zero, sequence);
			row.choice = lt_choice_of(s, q->cluster->gpus);
			if (!lt_choice_matches(&q->only, &row.choice))
				continue;
			if (lt_scene_cost(sc, batch, &row.cost, err) < 0)
				return -1;
			if (!lu_vec_push(&r->row, row))
				return lu_err_nomem(err);
		}
	}
	return 0;
}

/* A mesh, unless it is impossible. */
static int try_mesh(struct lt_ranking *r, const struct lt_question *q, uint64_t tp, uint64_t pp,
		uint64_t interleave, struct lu_err *err)
{
	struct lt_choice c = lt_choice_of(&q->s, q->cluster->gpus);
	struct lt_settings s = q->s;
	struct lu_err impossible;
	struct lt_scene *sc;
	int rc;

	c.value[LT_CHOICE_TP] = tp;
	c.value[LT_CHOICE_PP] = pp;
	c.value[LT_CHOICE_INTERLEAVE] = interleave;
	c.value[LT_CHOICE_DP] = q->cluster->gpus / (tp * pp);
	c.value[LT_CHOICE_SEQUENCE] = 0;
	lt_choice_apply(&c, q->cluster->gpus, &s);
	if (lt_scene_open(&sc, q->cluster, q->k, &s, &impossible) < 0)
		return 0;
	rc = try_variants(r, q, sc, err);
	lt_scene_close(sc);
	return rc;
}

/* Faster first; of equal ones, by their keys, so that the order does not depend on qsort(). */
static int faster(const void *a, const void *b)
{
	const struct lt_ranked *x = a, *y = b;

	if (x->cost.tokens > y->cost.tokens || x->cost.tokens < y->cost.tokens)
		return x->cost.tokens > y->cost.tokens ? -1 : 1;
	for (int i = 0; i < LT_CHOICE_KEYS; i++) {
		uint64_t v = x->choice.value[i], w = y->choice.value[i];

		if (v != w)
			return v < w ? -1 : 1;
	}
	return 0;
}

/* Keep the first `rows` that fit. */
static int keep_fitting(
		struct lt_ranking *r, const struct lt_question *q, size_t rows, struct lu_err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->row.n && kept < rows; i++) {
		struct lt_ranked row;

		if (lt_rank_one(&row, q, &r->row.p[i].choice, err) < 0)
			return -1;
		if (row.fits)
			r->row.p[kept++] = row;
		else
			r->too_big++;
	}
	r->row.n = kept;
	return 0;
}

/* True if the search may use the value of a key. */
static bool open_to(const struct lt_question *q, enum lt_choice_key key, uint64_t value)
{
	return !q->only.given[key] || q->only.value[key] == value;
}

int lt_ranking_make(
		struct lt_ranking *r, const struct lt_question *q, size_t rows, struct lu_err *err)
{
	uint64_t gpus = q->cluster->gpus, layers = q->s.model.layers;
	int rc = 0;

	*r = (struct lt_ranking){ 0 };
	for (uint64_t tp = 1; tp <= q->cluster->gpus_per_node && rc == 0; tp++) {
		if (gpus % tp || q->cluster->gpus_per_node % tp || !open_to(q, LT_CHOICE_TP, tp))
			continue;
		for (uint64_t pp = 1; pp <= layers && tp * pp <= gpus && rc == 0; pp++) {
			if (gpus / tp % pp || !open_to(q, LT_CHOICE_PP, pp))
				continue;
			for (uint64_t v = 1; v <= layers / pp && rc == 0; v++) {
				if ((v & (v - 1)) != 0 && v != layers / pp)
					continue;
				if ((v == 1 || pp > 1) && open_to(q, LT_CHOICE_INTERLEAVE, v))
					rc = try_mesh(r, q, tp, pp, v, err);
			}
		}
	}
	r->tried = r->row.n;
	if (rc == 0 && r->row.n)
		qsort(r->row.p, r->row.n, sizeof(*r->row.p), faster);
	if (rc == 0)
		rc = keep_fitting(r, q, rows, err);
	if (rc < 0)
		lt_ranking_release(r);
	return rc;
}
