/*
 * The model and the optimizer over several ranks, each a process of this host that also computes the
 * whole alone and compares. Data parallelism has the bits of the whole; tensor parallelism is equal
 * up to rounding, 1e-12 in the double-precision build.
 */
#include "tests/trainer/ranks.h"
#include "tests/trainer/tiny.h"
#include "trainer/model/weights_place.h"

#include <math.h>

static const bool in_double = sizeof(lk_real) == sizeof(double);
/* eps is large, so that rounding in a small gradient is not made a whole step. */
static const struct lt_hyper hyper = { 0.9, 0.95, 1e-3, 0.1, 1, 0 };

#define STEPS 4
#define MICROS_MAX 8

/* Every size divides by 4. */
static struct lt_shape shape_of(bool tied)
{
	struct lt_shape s = tiny_shape(tied);

	s.vocab = 36;
	s.kv_heads = 4;
	return s;
}

struct job {
	bool tied, sequence, zero, documents;
	enum lt_recompute recompute;
	size_t lanes;	      /* of all ranks */
	size_t micros[STEPS]; /* of each step */
};

struct trained {
	double loss[STEPS], norm[STEPS];
	lk_real *first; /* the gradient of the first step, of this rank's slices */
	struct tiny t;
};

/* Micro-batch j of a step. */
static struct lt_batch micro_of(struct tiny *t, const struct job *job, size_t step, size_t j)
{
	static uint32_t places[TINY_ROWS];
	struct lt_batch b;

	for (size_t i = 0; i < TINY_ROWS; i++) {
		t->ids[i] = (uint32_t)((3 * i + i * i + 7 * j + step) % 36);
		t->labels[i] = (uint32_t)((5 * i + 11 * j + step) % 36);
		places[i] = (uint32_t)(i % TINY_CONTEXT % (4 + j));
	}
	b = tiny_batch(t);
	if (job->documents)
		b.places = places;
	return b;
}

/* Do one step as data-parallel rank r of d, with errors returned as from a rank. */
static int one_step(struct trained *r, struct lt_model *m, const struct job *job, size_t step,
		size_t rank, size_t ranks, struct lu_err *err)
{
	size_t n = job->micros[step], own = n > rank ? (n - rank - 1) / ranks + 1 : 0;
	size_t lanes = r->t.w->holding.lanes;
	struct tiny *t = &r->t;
	struct lt_update u;

	if (lt_optimizer_begin(t->o, &hyper, 0.01, step + 1, own, err) < 0)
		return -1;
	must(t->ops->zero(t->q, t->loss, LK_SUMS * n * sizeof(*t->loss)) == 0);
	for (size_t i = 0; i < own; i++) {
		size_t j = i * ranks + rank;
		struct lt_batch b = micro_of(t, job, step, j);
		struct lt_pass pass = { .lane = i % lanes,
			.first = i < lanes,
			.last = i + 1 == own,
			.sums = t->loss + j,
			.stride = n };

		if (lt_model_forward(m, 0, 0, &b, err) < 0 ||
				lt_model_backward(m, 0, 0, &b, lt_model_gradient(m, 0), &pass,
						err) < 0)
			return -1;
	}
	if (lt_optimizer_update(t->o, &hyper, t->loss, n, &u, err) < 0)
		return -1;
	must(u.finite);
	r->loss[step] = u.loss;
	r->norm[step] = u.norm;
	return 0;
}

/* Train as a rank of `place` and `holding`, or as the whole with NULL and one data-parallel rank. */
static int train(struct trained *r, const struct job *job, const struct lt_place *place,
		const struct lt_holding *holding, const struct lt_groups *groups,
		struct lu_err *err)
{
	struct lt_model_hooks hooks = { NULL, lt_optimizer_need, lt_optimizer_ready };
	struct lt_model_plan plan = tiny_plan(LT_MODEL_TRAIN);
	struct lt_shape shape = shape_of(job->tied);
	struct lt_model *m;
	size_t total;
	int rc = 0;

	tiny_open_part(&r->t, &shape, place, holding, groups);
	total = r->t.w->table.total;
	plan.recompute = job->recompute;
	plan.sequence = groups && groups->sequence;
	plan.tp = groups ? groups->tp : NULL;
	must(lt_model_open(&m, r->t.w, &plan, err) == 0);
	hooks.ctx = r->t.o;
	lt_model_hook(m, &hooks);
	r->first = malloc(total * sizeof(*r->first));
	must(r->first);
	for (size_t step = 0; step < STEPS && rc == 0; step++) {
		rc = one_step(r, m, job, step, holding->dp_rank, holding->dp_size, err);
		if (step == 0)
			memcpy(r->first, r->t.w->grad, total * sizeof(*r->first));
	}
	if (rc == 0)
		rc = lt_optimizer_settle(r->t.o, err);
	lt_model_close(m);
	return rc;
}

static int whole(struct trained *r, const struct job *job, struct lu_err *err)
{
	const struct lt_holding holding = { .lanes = job->lanes, .dp_size = 1 };

	return train(r, job, NULL, &holding, NULL, err);
}

static void release(struct trained *r)
{
	free(r->first);
	tiny_close(&r->t);
}

/* --- data parallelism -------------------------------------------------------------------------- */

static int data_parallel(struct lt_comm *c, void *arg, struct lu_err *err)
{
	const struct job *job = arg;
	size_t n = lt_comm_size(c);
	const struct lt_holding holding = {
		.lanes = job->lanes / n, .dp_rank = lt_comm_rank(c), .dp_size = n, .zero = job->zero
	};
	const struct lt_groups groups = { .comm = c, .dp = world(c) };
	struct trained all, part;
	struct lt_weights *w, *v;

	if (whole(&all, job, err) < 0 || train(&part, job, NULL, &holding, &groups, err) < 0)
		return -1;
	w = part.t.w;
	v = all.t.w;
	must(memcmp(part.loss, all.loss, sizeof(all.loss)) == 0);
	must(memcmp(part.norm, all.norm, sizeof(all.norm)) == 0);
	/* What products read, and the weights of the norms, which are read as they are. */
	must(memcmp(w->act, v->act, v->table.total * w->ops->act_size) == 0);
	for (size_t i = 0; i < w->norms; i++)
		must(memcmp(lt_weights_norm(w, w->norm_at[i]), lt_weights_norm(v, w->norm_at[i]),
				     v->table.shape.hidden * sizeof(lk_real)) == 0);
	must(w->norms > 0);
	must(lt_weights_cut(w) == (job->zero && w->ops->act_size < sizeof(lk_real)));
	must(job->zero ? w->states < v->table.total : w->states == v->table.total);
	for (size_t b = 0; b < w->table.buckets; b++) {
		const struct lt_owned *o = &w->owned[b];
		size_t bytes = (o->end - o->begin) * sizeof(lk_real);

		for (int k = 0; k < LT_VECTORS && bytes > 0; k++)
			must(memcmp(lt_weights_at(w, (enum lt_vector)k, o->begin),
					     v->vector[k] + o->begin, bytes) == 0);
	}
	release(&all);
	release(&part);
	return 0;
}

static void test_data_parallel(void **state)
{
	/* The last of them leave ranks without a micro-batch. */
	static const struct job jobs[] = {
		{ .lanes = 2, .micros = { 4, 5, 1, 2 } },
		{ .lanes = 2, .micros = { 4, 5, 1, 2 }, .zero = true },
		{ .lanes = 4, .micros = { 7, 1, 1, 3 }, .zero = true, .tied = true },
	};
	static const struct job three = { .lanes = 3, .micros = { 8, 1, 1, 2 }, .zero = true };
	struct ranks r = { .size = 2, .work = data_parallel, .ops = lk_cpu_ops(tiny_act) };

	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		r.arg = (void *)(uintptr_t)&jobs[i];
		ranks_good(&r, 60);
	}
	r.size = 4;
	r.arg = (void *)(uintptr_t)&jobs[2];
	ranks_good(&r, 60);
	r.size = 3;
	r.arg = (void *)(uintptr_t)&three;
	ranks_good(&r, 60);
}

/* --- tensor parallelism ------------------------------------------------------------------------ */

/* How far tensor parallelism may be off: by the rounding of sums, in bf16 by that of activations. */
static double limit(double real, double bf16)
{
	return tiny_is_bf16() ? bf16 : in_double ? 1e-12 : real;
}

static bool near(const struct trained *got, const struct trained *want, size_t step)
{
	double loss = fabs(got->loss[step] / want->loss[step] - 1);
	double norm = fabs(got->norm[step] / want->norm[step] - 1);

	return loss <= limit(1e-6, 5e-3) && norm <= limit(1e-6, 3e-2);
}

/* Compare slices with the whole, tensor by tensor: relative L2 distance. */
static void compare(const struct lt_table *t, const lk_real *got, const struct lt_table *all,
		const lk_real *want, const char *what)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct lt_param *p = &t->param[i], *q = &all->param[i];
		double off = 0, size = 0;

		for (size_t at = 0, run; at < p->local_count; at += run) {
			size_t first;

			run = lt_param_run(t, p, at, &first);
			for (size_t k = 0; k < run; k++) {
				double x = (double)want[q->offset + first + k];
				double d = (double)got[p->offset + at + k] - x;

				off += d * d;
				size += x * x;
			}
		}
		if (!(sqrt(off) <= sqrt(size) * limit(1e-5, 5e-2)))
			fprintf(stderr, "%s of %s: %g of %g\n", what, p->name, sqrt(off),
					sqrt(size));
		must(sqrt(off) <= sqrt(size) * limit(1e-5, 5e-2));
	}
}

static int tensor_parallel(struct lt_comm *c, void *arg, struct lu_err *err)
{
	const struct job *job = arg;
	const struct lt_chunk chunk = { 0, 2 };
	const struct lt_place place = { lt_comm_rank(c), lt_comm_size(c), &chunk, 1 };
	const struct lt_holding holding = { .lanes = job->lanes, .dp_size = 1 };
	const struct lt_groups groups = { .comm = c, .tp = world(c), .sequence = job->sequence };
	struct trained all, part;

	if (whole(&all, job, err) < 0 || train(&part, job, &place, &holding, &groups, err) < 0)
		return -1;
	for (size_t i = 0; i < STEPS; i++) {
		if (!near(&part, &all, i))
			fprintf(stderr, "step %zu: loss %.15g, not %.15g; norm %.15g, not %.15g\n",
					i, part.loss[i], all.loss[i], part.norm[i], all.norm[i]);
		must(near(&part, &all, i));
	}
	compare(&part.t.w->table, part.first, &all.t.w->table, all.first, "gradient");
	compare(&part.t.w->table, part.t.w->vector[LT_VECTOR_P], &all.t.w->table,
			all.t.w->vector[LT_VECTOR_P], "values");
	release(&all);
	release(&part);
	return 0;
}

static void check_tensor_parallel(const struct job *job, size_t ranks)
{
	struct ranks r = { .size = ranks,
		.work = tensor_parallel,
		.arg = (void *)(uintptr_t)job,
		.ops = lk_cpu_ops(tiny_act) };

	ranks_good(&r, 60);
}

static void test_tensor_parallel(void **state)
{
	static const struct job jobs[] = {
		{ .lanes = 1, .micros = { 2, 1, 2, 3 } },
		{ .lanes = 2, .micros = { 2, 1, 2, 3 }, .tied = true },
		{ .lanes = 1, .micros = { 1, 1, 1, 1 }, .recompute = LT_RECOMPUTE_LAYER },
		{ .lanes = 1, .micros = { 1, 1, 1, 1 }, .documents = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		check_tensor_parallel(&jobs[i], 2);
	check_tensor_parallel(&jobs[0], 4);
}

static void test_sequence_parallel(void **state)
{
	static const struct job jobs[] = {
		{ .lanes = 1, .micros = { 2, 1, 2, 3 }, .sequence = true },
		{ .lanes = 2, .micros = { 2, 1, 2, 3 }, .sequence = true, .tied = true },
		{ .lanes = 1,
				.micros = { 1, 1, 1, 1 },
				.sequence = true,
				.recompute = LT_RECOMPUTE_LAYER },
		{ .lanes = 1,
				.micros = { 1, 1, 1, 1 },
				.sequence = true,
				.recompute = LT_RECOMPUTE_NORMS,
				.documents = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		check_tensor_parallel(&jobs[i], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_parallel),
		cmocka_unit_test(test_tensor_parallel),
		cmocka_unit_test(test_sequence_parallel),
		TINY_BF16(test_data_parallel),
		TINY_BF16(test_tensor_parallel),
		TINY_BF16(test_sequence_parallel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
