/* bench_gpu: training steps of lucie-train's model, and 20 steps beside the CPU's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/rng.h"
#include "tests/bench/gpu.h"
#include "trainer/model/low_memory.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"

struct size {
	const char *name;
	struct lt_shape shape;
	size_t batch, context, micro;
};

#define SHAPE(v, h, l, a, k, d, f)                                                         \
	{                                                                                  \
		.vocab = v, .hidden = h, .layers = l, .heads = a, .kv_heads = k, .dim = d, \
		.ffn = f, .rope_theta = 5e5, .norm_eps = 1e-5, .init_std = 0.02            \
	}

/* tiny: 124 million parameters, the size of GPT-2; 7b: Lucie-7B. */
static const struct size sizes[] = {
	{ "tiny", SHAPE(50304, 768, 12, 12, 12, 64, 2048), 16, 1024, 2 },
	{ "1b", SHAPE(65024, 2048, 16, 32, 8, 64, 8192), 4, 4096, 2 },
	{ "7b", SHAPE(65024, 4096, 32, 32, 8, 128, 12288), 1, 4096, 4 },
	/* In place of each on the emulation. */
	{ "small", SHAPE(256, 64, 2, 4, 2, 16, 96), 2, 32, 2 },
};

#define SMALL (sizeof(sizes) / sizeof(sizes[0]) - 1)

struct run {
	const struct size *s;
	const struct lk_ops *ops;
	struct lk_queue *q;
	struct lt_weights *w;
	struct lt_model *m;
	struct lt_optimizer *o;
	struct lt_batch batch;
	uint32_t *ids;
	double *loss; /* device */
	uint64_t t;
	bool low; /* 10 bytes a parameter, trainer/model/low_memory.h */
};

static void stop(const char *message)
{
	fprintf(stderr, "bench_gpu: %s\n", message);
	exit(2);
}

static void run_close(struct run *r)
{
	if (r->w)
		r->ops->free(r->q, r->loss);
	lt_optimizer_close(r->o);
	lt_model_close(r->m);
	lt_weights_close(r->w);
	free(r->ids);
	r->o = NULL, r->m = NULL, r->w = NULL, r->ids = NULL, r->loss = NULL;
}

/* A text that can be learnt: mostly each token follows from the one before. */
static void make_text(struct run *r)
{
	size_t rows = r->s->batch * r->s->context, v = r->s->shape.vocab;

	r->ids = calloc(rows + 1, sizeof(*r->ids));
	if (!r->ids)
		stop("out of memory");
	for (size_t i = 1; i <= rows; i++)
		r->ids[i] = (uint32_t)(lu_rand_below(1, 0, i, 8) == 0
						? lu_rand_below(2, 0, i, v)
						: ((size_t)r->ids[i - 1] * 5 + 3) % v);
	r->batch = (struct lt_batch){ .ids = r->ids, .labels = r->ids + 1 };
}

/* -1 with the reason if the memory is not enough. */
static int run_open(struct run *r, const struct lt_shape *shape, struct lu_err *err)
{
	struct lt_holding holding = { .lanes = 1, .dp_size = 1, .low = r->low };
	struct lt_model_plan plan = { .batch = r->s->batch,
		.context = r->s->context,
		.mode = LT_MODEL_TRAIN,
		.head_rows = r->s == &sizes[SMALL] ? 0 : 4096 };

	r->t = 0;
	make_text(r);
	if (lt_weights_open(&r->w, r->ops, r->q, shape, NULL, &holding, err) < 0 ||
			lt_model_open(&r->m, r->w, &plan, err) < 0 ||
			lt_optimizer_open(&r->o, r->w, NULL, err) < 0)
		goto fail;
	r->loss = r->ops->alloc(r->q, LK_SUMS * r->s->micro * sizeof(*r->loss));
	if (r->loss)
		return 0;
	(void)lt_queue_err(r->ops, r->q, err);
fail:
	run_close(r);
	return -1;
}

/* A step; returns its loss. */
static double step(struct run *r)
{
	struct lt_hyper h = { 0.9, 0.95, 1e-8, 0.1, 1, 0 };
	struct lt_update update;
	struct lu_err err;
	size_t micro = r->s->micro, rows = r->s->batch * r->s->context;

	if (lt_optimizer_begin(r->o, &h, 1e-3, ++r->t, 1, &err) < 0)
		stop(err.msg);
	for (size_t j = 0; j < micro; j++) {
		struct lt_pass pass = { .first = j == 0,
			.last = j + 1 == micro,
			.sums = r->loss + j,
			.stride = micro };

		if (lt_model_forward(r->m, 0, 0, &r->batch, &err) < 0 ||
				lt_model_backward(r->m, 0, 0, &r->batch, lt_model_gradient(r->m, 0),
						&pass, &err) < 0)
			stop(err.msg);
	}
	if (lt_optimizer_update(r->o, &h, r->loss, micro, &update, &err) < 0)
		stop(err.msg);
	if (!update.finite)
		stop("the loss is not finite");
	return update.loss / (double)(rows * micro);
}

/* --- parity ------------------------------------------------------------------------------------ */

/*
 * The losses of 20 steps beside the CPU's, from the same weights on the same text. In float the two
 * differ by the order of sums only; in bf16 by roundings that fall on either side, whose share in a
 * loss is some 2^-9 of what a step changes.
 */
static int compare(enum lk_type act, const char *name, double limit, bool small)
{
	static const struct size tiny = { "parity", SHAPE(512, 128, 4, 4, 2, 32, 384), 4, 128, 2 };
	struct row row = { .part = "parity",
		.what = name,
		.unit = "difference",
		.limit = limit,
		.note = "largest relative difference of a loss" };
	const struct size *s = small ? &sizes[SMALL] : &tiny;
	struct run r[2] = { { .s = s, .ops = lk_cpu_ops(act) }, { .s = s } };
	size_t steps = small ? 3 : 20;
	double first = 0, last = 0;
	struct lk_err kerr;
	struct lu_err err;

	r[1].ops = lk_cuda_ops(act, &kerr);
	for (size_t i = 0; i < 2; i++) {
		if (!r[i].ops || r[i].ops->open(&r[i].q, 0, &kerr) < 0)
			stop(kerr.msg);
		if (run_open(&r[i], &s->shape, &err) < 0 || lt_weights_init(r[i].w, 0, &err) < 0)
			stop(err.msg);
	}
	for (size_t i = 0; i < steps; i++) {
		double a = step(&r[0]), b = step(&r[1]), d = fabs(a - b) / fabs(a);

		row.value = d > row.value || isnan(d) ? d : row.value;
		first = i == 0 ? b : first;
		last = b;
	}
	row_put(&row, "%zu steps, loss %.4f to %.4f", steps, first, last);
	for (size_t i = 0; i < 2; i++) {
		run_close(&r[i]);
		r[i].ops->close(r[i].q);
	}
	/* A loss that did not fall compares nothing. */
	return !(row.value <= limit) || !(last < first);
}

int bench_parity(bool small)
{
	int rc = compare(LK_REAL, "fp32", 1e-4, small);

	return compare(LK_BF16, "bf16", 1e-2, small) | rc;
}

/* --- steps ------------------------------------------------------------------------------------- */

/* Values of elements at .. at + n - 1: norms are ones, the others are copies of one random block. */
static void fill_part(const struct bench *b, struct run *r, const struct lt_param *of, size_t at,
		const lk_real *block, size_t n)
{
	struct lt_weights *w = r->w;
	struct lu_err err;
	lk_real *ones;

	if (of->dims > 1) {
		must(b,
				r->low ? lt_low_split(w, at, block, n)
				       : b->ops->copy(b->q, w->vector[LT_VECTOR_P] + at, block,
							 n * sizeof(*block), LK_D2D));
		return;
	}
	ones = malloc(n * sizeof(*ones));
	if (!ones)
		stop("out of memory");
	for (size_t i = 0; i < n; i++)
		ones[i] = 1;
	if (lt_weights_put(w, LT_VECTOR_P, at, n, ones, &err) < 0)
		stop(err.msg);
	free(ones);
}

/* Those of the configuration would take minutes on the host. */
static void fill(const struct bench *b, struct run *r)
{
	const size_t most = 1 << 20;
	struct lt_weights *w = r->w;
	lk_real *block = random_reals(b, most, 0.02);
	struct lu_err err;

	for (size_t k = 0; k < w->table.n; k++) {
		const struct lt_param *of = &w->table.param[k];

		for (size_t i = 0; i < of->local_count; i += most)
			fill_part(b, r, of, of->offset + i, block,
					of->local_count - i < most ? of->local_count - i : most);
	}
	if (lt_weights_reset_optimizer(w, &err) < 0 || lt_weights_refresh(w, &err) < 0)
		stop(err.msg);
	must(b, b->ops->sync(b->q));
	b->ops->free(b->q, block);
}

static void put_step(const struct bench *b, const struct run *r, const char *what,
		const struct lt_shape *shape, double seconds)
{
	const struct size *s = r->s;
	double rate = (double)(s->batch * s->context * s->micro) / seconds;
	char note[128];
	struct row row = { .part = "step",
		.what = what,
		.seconds = seconds,
		.value = rate,
		.unit = "tokens/s",
		.note = note };

	(void)snprintf(note, sizeof(note), "%zu of %zu layers, %.2f G parameters, %s",
			shape->layers, s->shape.layers, 1e-9 * (double)r->w->table.all,
			r->low ? "low memory" : "fp32 states");
	row_put(&row, "%zu x %zu x %zu tokens", s->micro, s->batch, s->context);
	for (int causal = 0; causal < 2; causal++) {
		row = (struct row){ .part = "step",
			.what = what,
			.value = 1e-12 * rate *
					lt_flops_per_token(&r->w->table, s->context, causal != 0),
			.unit = "TFLOP/s",
			.limit = 1e-12 * b->flops,
			.note = causal ? "MFU, scores of visible keys" : "MFU, all scores (PaLM)" };
		row_put(&row, "%zu x %zu x %zu tokens", s->micro, s->batch, s->context);
	}
}

static void put_profile(const char *name, double seconds)
{
	for (size_t i = 0; i < PROFILE_KINDS; i++) {
		char note[64];
		uint64_t calls;
		struct row row = { .part = "profile", .unit = "ms", .limit = 1e3 * seconds };

		row.seconds = profile_seconds(i, &row.what, &calls);
		row.value = 1e3 * row.seconds;
		(void)snprintf(note, sizeof(note),
				"%llu calls; limit: the step, waiting after each",
				(unsigned long long)calls);
		row.note = note;
		if (calls > 0)
			row_put(&row, "%s", name);
	}
}

/* NAME, or NAME-low for weights in 10 bytes a parameter. */
static const struct size *size_of(const char *name, bool small, bool *low)
{
	size_t n = strcspn(name, "-");

	*low = strcmp(name + n, "-low") == 0;
	for (size_t i = 0; i < SMALL; i++)
		if (strncmp(sizes[i].name, name, n) == 0 && !sizes[i].name[n] && (*low || !name[n]))
			return &sizes[small ? SMALL : i];
	fprintf(stderr, "bench_gpu: no size %s\n", name);
	exit(2);
}

/* As many layers as fit: all with fp32 states, or else with low memory. */
static void open_fitting(struct run *r, struct lt_shape *shape)
{
	struct lu_err err;

	*shape = r->s->shape;
	while (run_open(r, shape, &err) < 0) {
		if (shape->layers <= 1)
			stop(err.msg);
		if (r->low)
			shape->layers -= (shape->layers + 7) / 8;
		r->low = true;
	}
}

int bench_step(struct bench *b, const char *name, bool profile)
{
	struct run r = { .ops = b->ops, .q = b->q };
	struct lt_shape shape;
	double best = 1e30;
	size_t runs = b->small || profile ? 1 : 5;

	r.s = size_of(name, b->small, &r.low);
	if (profile)
		r.ops = profile_ops(b->ops);
	open_fitting(&r, &shape);
	fill(b, &r);
	(void)step(&r);
	(void)step(&r);
	profile_clear();
	for (size_t i = 0; i < runs; i++) {
		double t = now();

		(void)step(&r);
		t = now() - t;
		best = t < best ? t : best;
	}
	if (profile)
		put_profile(name, best);
	else
		put_step(b, &r, name, &shape, best);
	run_close(&r);
	return 0;
}
