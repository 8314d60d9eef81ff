#include "trainer/plan/step_cost.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/parallel/actions.h"
#include "trainer/parallel/actions_check.h"

#define FP32 4.0
#define MILLI 1e-3

/* What the exchange and the update of a stage depend on. */
struct share {
	double total;	      /* parameters of a rank */
	double bucket;	      /* of them, in the bucket that is ready last and needed first */
	double params, norms; /* tensors; partial sums of squares of the whole model */
	size_t layers;
};

struct lt_scene {
	const struct lt_cluster *cluster;
	const struct lt_constants *k;
	struct lt_settings s;
	struct lt_layout layout; /* of rank 0 */
	struct lt_shape shape;
	double flops[2]; /* a token: over all pairs, causal */
	struct lt_work work;
	struct lt_ties dp;
	struct share *stage;	      /* [pp] */
	struct lt_pipeline *pipeline; /* of the number of micro-batches before, or NULL */
	/* Of the passes of each chunk, [pp v], and when each stage begins and ends. */
	struct lt_pass_cost *pass[2];
	double *seconds[2];
	double *begin, *end;
};

/* --- opening ---------------------------------------------------------------------------------- */

/* Fill in what the stages hold, and the operations of a token. */
static int measure_stages(struct lt_scene *sc, struct lu_err *err)
{
	size_t pp = sc->layout.mesh.size[LT_PP];
	struct lt_table t;

	for (size_t i = 0; i < pp; i++) {
		size_t rank = lt_mesh_peer(&sc->layout.mesh, LT_PP, 0, i);
		struct lt_layout l;
		int rc = lt_layout_init(&l, &sc->s, rank, sc->layout.mesh.ranks, err);

		if (rc == 0)
			rc = lt_table_build(&t, &sc->shape, &l.place, err);
		if (rc == 0) {
			sc->stage[i] = (struct share){ .total = (double)t.total,
				.bucket = (double)t.bucket[0].count,
				.norms = (double)t.norms };
			for (size_t c = 0; c < t.chunks; c++)
				sc->stage[i].layers += t.chunk[c].n;
			for (size_t b = 0; b < t.buckets; b++)
				sc->stage[i].params += (double)t.bucket[b].params;
			if (i == 0)
				sc->work.local = lt_table_local(&t);
			lt_table_release(&t);
		}
		lt_layout_release(&l);
		if (rc < 0)
			return -1;
	}
	if (lt_table_build(&t, &sc->shape, NULL, err) < 0)
		return -1;
	for (int causal = 0; causal < 2; causal++)
		sc->flops[causal] = lt_flops_per_token(&t, sc->s.train.context, causal);
	lt_table_release(&t);
	return 0;
}

void lt_scene_vary(struct lt_scene *sc, uint64_t micro_batch, enum lt_recompute recompute,
		uint64_t zero, bool sequence)
{
	struct lt_memory_rules gpu = lt_memory_rules_gpu(LK_BF16);
	struct lt_work *w = &sc->work;

	sc->s.train.micro_batch = micro_batch;
	sc->s.parallel.recompute = recompute;
	sc->s.parallel.zero = zero;
	sc->s.parallel.sequence = sequence;
	sc->layout.zero = zero == 1;
	sc->layout.sequence = sequence;
	w->batch = (double)micro_batch;
	w->context = (double)sc->s.train.context;
	w->act_size = (double)gpu.ops->act_size;
	w->head_rows = fmin((double)gpu.head_rows, w->batch * w->context);
	w->recompute = recompute;
	w->sequence = sequence && w->tp.n > 1;
}

int lt_scene_open(struct lt_scene **out, const struct lt_cluster *cluster,
		const struct lt_constants *k, const struct lt_settings *s, struct lu_err *err)
{
	struct lt_scene *sc = calloc(1, sizeof(*sc));
	size_t pp, chunks;

	*out = NULL;
	if (!sc)
		return lu_err_nomem(err);
	sc->cluster = cluster;
	sc->k = k;
	sc->s = *s;
	lt_settings_shape(s, &sc->shape);
	if (lt_layout_init(&sc->layout, s, 0, (size_t)cluster->gpus, err) < 0)
		goto fail;
	pp = sc->layout.mesh.size[LT_PP];
	chunks = pp * sc->layout.v;
	sc->stage = calloc(pp, sizeof(*sc->stage));
	sc->begin = calloc(pp, sizeof(*sc->begin));
	sc->end = calloc(pp, sizeof(*sc->end));
	for (int way = 0; way < 2; way++) {
		sc->pass[way] = calloc(chunks, sizeof(*sc->pass[way]));
		sc->seconds[way] = calloc(chunks, sizeof(*sc->seconds[way]));
	}
	if (!sc->stage || !sc->begin || !sc->end || !sc->pass[0] || !sc->pass[1] ||
			!sc->seconds[0] || !sc->seconds[1]) {
		lu_err_nomem(err);
		goto fail;
	}
	sc->work = (struct lt_work){ .cluster = cluster,
		.k = k,
		.shape = sc->shape,
		.tp = lt_ties_of(cluster, k, &sc->layout.mesh, LT_TP),
		.pp = lt_ties_of(cluster, k, &sc->layout.mesh, LT_PP) };
	sc->dp = lt_ties_of(cluster, k, &sc->layout.mesh, LT_DP);
	if (measure_stages(sc, err) < 0)
		goto fail;
	lt_scene_vary(sc, s->train.micro_batch, s->parallel.recompute, s->parallel.zero,
			s->parallel.sequence);
	*out = sc;
	return 0;
fail:
	lt_scene_close(sc);
	return -1;
}

void lt_scene_close(struct lt_scene *sc)
{
	if (!sc)
		return;
	if (sc->pipeline) {
		lt_pipeline_release(sc->pipeline);
		free(sc->pipeline);
	}
	for (int way = 0; way < 2; way++) {
		free(sc->pass[way]);
		free(sc->seconds[way]);
	}
	free(sc->stage);
	free(sc->begin);
	free(sc->end);
	lt_layout_release(&sc->layout);
	free(sc);
}

const struct lt_settings *lt_scene_settings(const struct lt_scene *sc)
{
	return &sc->s;
}

/* --- the pipeline ------------------------------------------------------------------------------ */

static void note_time(void *ctx, size_t stage, const struct lt_action *a, double begin, double end)
{
	struct lt_scene *sc = ctx;

	(void)a;
	if (sc->begin[stage] < 0)
		sc->begin[stage] = begin;
	sc->end[stage] = fmax(sc->end[stage], end);
}

static int make_pipeline(struct lt_scene *sc, uint64_t micros, struct lu_err *err)
{
	if (sc->pipeline && sc->pipeline->micros == micros)
		return 0;
	if (sc->pipeline)
		lt_pipeline_release(sc->pipeline);
	else
		sc->pipeline = calloc(1, sizeof(*sc->pipeline));
	if (!sc->pipeline)
		return lu_err_nomem(err);
	if (lt_pipeline_make(sc->pipeline, sc->layout.mesh.size[LT_PP], sc->layout.v, micros,
			    err) == 0)
		return 0;
	free(sc->pipeline);
	sc->pipeline = NULL;
	return -1;
}

/* Time the passes, walk over the lists, and add up the busiest stage. */
static int walk(struct lt_scene *sc, uint64_t micros, struct lt_cost *cost, struct lu_err *err)
{
	size_t pp = sc->layout.mesh.size[LT_PP], chunks = pp * sc->layout.v;
	struct lt_walk walk = { .visit = note_time, .ctx = sc };
	double most = -1;

	sc->work.micros = (double)micros;
	for (size_t c = 0; c < chunks; c++) {
		size_t n = sc->layout.chunk[c].n;

		lt_work_forward(&sc->work, n, c == 0, &sc->pass[0][c]);
		lt_work_backward(&sc->work, n, c == 0, c + 1 == chunks, &sc->pass[1][c]);
		for (int way = 0; way < 2; way++)
			sc->seconds[way][c] = lt_pass_seconds(&sc->pass[way][c]);
	}
	for (size_t i = 0; i < pp; i++) {
		sc->begin[i] = -1;
		sc->end[i] = 0;
	}
	walk.forward = sc->seconds[0];
	walk.backward = sc->seconds[1];
	if (make_pipeline(sc, micros, err) < 0 || lt_pipeline_check(sc->pipeline, &walk, err) < 0)
		return -1;
	for (size_t i = 0; i < pp; i++) {
		struct lt_pass_cost busy = { 0 };
		double seconds;

		for (size_t c = i; c < chunks; c += pp) {
			lt_pass_add(&busy, &sc->pass[0][c], (double)micros);
			lt_pass_add(&busy, &sc->pass[1][c], (double)micros);
		}
		seconds = lt_pass_seconds(&busy);
		cost->traffic[LT_TP] = fmax(cost->traffic[LT_TP], busy.tp_bytes);
		cost->traffic[LT_PP] = fmax(cost->traffic[LT_PP], busy.pp_bytes);
		if (seconds > most) {
			most = seconds;
			cost->busy = busy;
			cost->waiting = fmax(walk.time - seconds, 0);
		}
	}
	cost->bubble = walk.bubble;
	return 0;
}

/* --- gradients and parameters ------------------------------------------------------------------ */

/* Seconds of the passes of a stage's chunks, of one micro-batch. */
static double pass_of_stage(const struct lt_scene *sc, size_t stage, bool backward)
{
	size_t pp = sc->layout.mesh.size[LT_PP];
	double sum = 0;

	for (size_t c = stage; c < pp * sc->layout.v; c += pp)
		sum += sc->seconds[backward][c];
	return sum;
}

/* What is left of an exchange of `all` seconds that a pass may hide: at least its first bucket. */
static double exposed(const struct lt_scene *sc, double all, double bucket, double pass)
{
	return fmax(bucket, all - sc->k->overlap * pass);
}

static void exchange_parameters(const struct lt_scene *sc, struct lt_cost *cost)
{
	size_t pp = sc->layout.mesh.size[LT_PP];
	bool zero = sc->layout.zero && sc->dp.n > 1;
	double last = 0, first = 0, reduced = 0, gathered = 0;

	if (sc->dp.n < 2)
		return;
	for (size_t i = 0; i < pp; i++) {
		const struct share *s = &sc->stage[i];
		double all = FP32 * s->total, bucket = FP32 * s->bucket;
		/* A bucket is a layer, but for the ends; each one goes around once. */
		double turns = (double)s->layers * sc->dp.turn * (zero ? 1 : 0);
		double reduce = zero ? lt_ties_ring(&sc->dp, all) + turns
				     : lt_ties_all_reduce(&sc->dp, all);
		/* Of the type that products read. */
		double narrow = (double)sc->work.act_size / FP32;
		double gather = zero ? lt_ties_ring(&sc->dp, narrow * all) + turns : 0;
		double part = zero ? lt_ties_ring(&sc->dp, bucket)
				   : lt_ties_all_reduce(&sc->dp, bucket);
		double sent = (zero ? 1 + narrow : 2) * lt_ties_sent(&sc->dp, all);

		reduced = fmax(reduced,
				sc->end[i] + exposed(sc, reduce, part, pass_of_stage(sc, i, true)));
		last = fmax(last, sc->end[i]);
		if (zero)
			gathered = fmax(gathered,
					exposed(sc, gather, narrow * part,
							pass_of_stage(sc, i, false)) -
							fmax(sc->begin[i], 0));
		first = fmax(first, reduce);
		cost->reduce_time = first;
		cost->gather_time = fmax(cost->gather_time, gather);
		cost->traffic[LT_DP] = fmax(cost->traffic[LT_DP], sent);
	}
	cost->reduce = fmax(reduced - last, 0);
	cost->gather = fmax(gathered, 0);
}

/* The sum of squares over all axes, AdamW on what is owned. */
static double update_seconds(const struct lt_scene *sc)
{
	const struct lt_work *w = &sc->work;
	bool zero = sc->layout.zero && sc->dp.n > 1;
	double most = 0, norms = sc->stage[0].norms * sizeof(double);

	for (size_t i = 0; i < sc->layout.mesh.size[LT_PP]; i++) {
		const struct share *s = &sc->stage[i];
		double owned = zero ? s->total / sc->dp.n : s->total;
		/* Squares read g; AdamW reads p, m, v, g and writes p, m, v and the copy. */
		double bytes = owned * (FP32 + 7 * FP32 + w->act_size);
		double seconds = lt_work_move(w, bytes, 2 * s->params);

		/* Norm weights, of which the ranks have the gradients of their rows. */
		if (w->sequence)
			seconds += 2 * (double)s->layers *
					lt_ties_all_reduce(&w->tp, FP32 * (double)sc->shape.hidden);
		most = fmax(most, seconds);
	}
	if (zero)
		most += lt_ties_all_reduce(&sc->dp, norms);
	return most + lt_ties_all_reduce(&w->pp, norms) + lt_ties_all_reduce(&w->tp, norms);
}

int lt_scene_cost(struct lt_scene *sc, uint64_t batch, struct lt_cost *cost, struct lu_err *err)
{
	double nodes = lt_cluster_nodes(sc->cluster), gpus = (double)sc->cluster->gpus, work;
	uint64_t micros = batch / sc->s.train.micro_batch;

	*cost = (struct lt_cost){ 0 };
	cost->micros = lt_layout_micros(&sc->layout, micros);
	if (walk(sc, cost->micros, cost, err) < 0)
		return -1;
	exchange_parameters(sc, cost);
	cost->update = update_seconds(sc);
	cost->fixed = sc->k->step * MILLI;
	work = lt_pass_seconds(&cost->busy) + cost->waiting + cost->reduce + cost->gather +
			cost->update + cost->fixed;
	cost->straggler = work * sc->k->straggler * sqrt(2 * log(nodes));
	cost->step = work + cost->straggler;
	cost->tokens = (double)batch * (double)sc->s.train.context / cost->step;
	cost->mfu = cost->tokens * sc->flops[0] / (gpus * sc->cluster->peak * 1e12);
	cost->mfu_causal = cost->tokens * sc->flops[1] / (gpus * sc->cluster->peak * 1e12);
	return 0;
}

/* --- memory ------------------------------------------------------------------------------------ */

int lt_scene_stage_memory(struct lt_scene *sc, const struct lt_schedule *schedule, size_t stage,
		struct lt_memory *m, struct lu_err *err)
{
	struct lt_memory_rules gpu = lt_memory_rules_gpu(LK_BF16);
	size_t rank = lt_mesh_peer(&sc->layout.mesh, LT_PP, 0, stage);
	struct lt_layout l;
	int rc;

	if (lt_layout_init(&l, &sc->s, rank, sc->layout.mesh.ranks, err) < 0)
		return -1;
	rc = lt_memory_count(&sc->s, schedule, &l, &gpu, m, err);
	lt_layout_release(&l);
	return rc;
}

int lt_scene_memory(struct lt_scene *sc, const struct lt_schedule *schedule, struct lt_memory *most,
		struct lu_err *err)
{
	*most = (struct lt_memory){ 0 };
	for (size_t i = 0; i < sc->layout.mesh.size[LT_PP]; i++) {
		struct lt_memory m;

		if (lt_scene_stage_memory(sc, schedule, i, &m, err) < 0)
			return -1;
		if (m.all > most->all)
			*most = m;
	}
	return 0;
}

double lt_memory_usable(const struct lt_cluster *c, const struct lt_constants *k)
{
	return (double)c->memory - (double)k->reserved;
}
