/*
 * bench_train_step.c: a training step of lucie-train's model on one core: forward, backward, norm
 * and AdamW. The rate is the floating-point operations of the matrix products over the time of the
 * whole step; oneDNN's dnnl_sgemm at 1024^3 is measured in the same run for comparison.
 *
 *	bench_train_step [repeats]	best of so many repeats (default 5)
 */
#include <stdio.h>
#include <stdlib.h>
#ifdef LK_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#include "libcommon/base/rng.h"
#include "libcommon/sys/progress.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"

struct size {
	const char *name;
	struct lt_shape shape;
	size_t batch, context, micro; /* micro-batches per step */
};

#define SHAPE(v, h, l, a, k, d, f)                                                         \
	{                                                                                  \
		.vocab = v, .hidden = h, .layers = l, .heads = a, .kv_heads = k, .dim = d, \
		.ffn = f, .rope_theta = 1e4, .norm_eps = 1e-5, .init_std = 0.02            \
	}

static const struct size sizes[] = {
	{ "hidden 128, context 256", SHAPE(8192, 128, 4, 4, 2, 32, 384), 8, 256, 1 },
	{ "hidden 512, context 512", SHAPE(8192, 512, 4, 8, 4, 64, 1536), 4, 512, 2 },
	{ "hidden 768, context 1024", SHAPE(16384, 768, 2, 12, 4, 64, 2304), 2, 1024, 2 },
};

static void must(int rc, const struct lu_err *err)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bench_train_step: %s\n", err->msg);
	exit(2);
}

/* GFLOP/s of oneDNN; 0 if it is not built in. */
static double library_rate(int repeats)
{
	double best = 0;
#ifdef LK_HAVE_ONEDNN
	enum { N = 1024 };
	float *a = calloc(3 * (size_t)N * N, sizeof(*a));

	if (!a)
		exit(2);
	for (size_t i = 0; i < 2 * (size_t)N * N; i++)
		a[i] = (float)(i % 17) * 0.1f;
	for (int i = 0; i < repeats; i++) {
		double t = lu_clock(), rate;

		if (dnnl_sgemm('N', 'N', N, N, N, 1, a, N, a + N * N, N, 0, a + 2 * N * N, N) !=
				dnnl_success)
			exit(2);
		rate = 2e-9 * N * N * N / (lu_clock() - t);
		best = rate > best ? rate : best;
	}
	free(a);
#else
	(void)repeats;
#endif
	return best;
}

/* A model with what a step needs besides. */
struct bench {
	struct lt_weights *w;
	struct lt_model *m;
	struct lt_optimizer *o;
	uint32_t *ids, *labels;
	double *loss; /* device: of each micro-batch */
};

static double step_seconds(const struct size *s, struct bench *b)
{
	const struct lt_batch batch = { .ids = b->ids, .labels = b->labels };
	struct lt_hyper h = { 0.9, 0.95, 1e-8, 0.1, 1 };
	double tokens = (double)(s->batch * s->context * s->micro), start = lu_clock();
	struct lt_update update;
	struct lu_err err;

	must(lt_optimizer_begin(b->o, &h, 1e-4, 1, 1, &err), &err);
	for (size_t j = 0; j < s->micro; j++) {
		struct lt_pass pass = {
			.first = j == 0, .last = j + 1 == s->micro, .loss = b->loss + j
		};

		must(lt_model_forward(b->m, 0, 0, &batch, &err), &err);
		must(lt_model_backward(b->m, 0, 0, &batch, lt_model_gradient(b->m, 0), &pass, &err),
				&err);
	}
	must(lt_optimizer_update(b->o, &h, tokens, b->loss, s->micro, &update, &err), &err);
	return lu_clock() - start;
}

static void run(const struct size *s, int repeats)
{
	const struct lk_ops *ops = lk_cpu_ops();
	size_t rows = s->batch * s->context;
	double tokens = (double)(rows * s->micro), best = 1e30, library = 0, products, causal;
	struct lt_holding holding = { .lanes = 1, .dp_size = 1 };
	struct lt_model_plan plan = {
		.batch = s->batch, .context = s->context, .mode = LT_MODEL_TRAIN
	};
	struct lt_model_hooks hooks = { NULL, lt_optimizer_need, lt_optimizer_ready };
	struct bench b = { .ids = calloc(rows, sizeof(*b.ids)),
		.labels = calloc(rows, sizeof(*b.labels)) };
	struct lk_queue *q;
	struct lk_err kerr;
	struct lu_err err;

	if (!b.ids || !b.labels || ops->open(&q, 0, &kerr) < 0)
		exit(2);
	for (size_t i = 0; i < rows; i++) {
		b.ids[i] = (uint32_t)lu_rand_below(0, 0, i, s->shape.vocab);
		b.labels[i] = (uint32_t)lu_rand_below(0, 1, i, s->shape.vocab);
	}
	must(lt_weights_open(&b.w, ops, q, &s->shape, NULL, &holding, &err), &err);
	must(lt_weights_init(b.w, 0, &err), &err);
	must(lt_model_open(&b.m, b.w, &plan, &err), &err);
	must(lt_optimizer_open(&b.o, b.w, NULL, &err), &err);
	hooks.ctx = b.o;
	lt_model_hook(b.m, &hooks);
	b.loss = ops->alloc(q, s->micro * sizeof(*b.loss));
	/* Alternate, so that both run under the same load. */
	for (int i = 0; i < repeats; i++) {
		double rate = library_rate(3);
		double t = step_seconds(s, &b);

		library = rate > library ? rate : library;
		best = t < best ? t : best;
	}
	products = 6e-9 * (double)lt_matrix_params(&b.w->table) * tokens / best;
	causal = 1e-9 * lt_flops_per_token(&b.w->table, s->context, true) * tokens / best;
	printf("step %-24s %8.0f tokens/s  products %6.1f GFLOP/s, with attention %6.1f", s->name,
			tokens / best, products, causal);
	if (library > 0)
		printf("  oneDNN 1024^3 %6.1f  ratio %.2f", library, products / library);
	printf("\n");
	ops->free(q, b.loss);
	lt_optimizer_close(b.o);
	lt_model_close(b.m);
	lt_weights_close(b.w);
	ops->close(q);
	free(b.ids);
	free(b.labels);
}

int main(int argc, char **argv)
{
	long repeats = argc > 1 ? strtol(argv[1], NULL, 10) : 5;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		run(&sizes[i], repeats > 0 ? (int)repeats : 5);
	return 0;
}
