/*
 * bench_train_step.c: a training step of lucie-train's model on one core: forward, backward, norm
 * and AdamW, with activations in fp32 and in bf16. The rate is the floating-point operations of the matrix products over the time of the
 * whole step; oneDNN's dnnl_sgemm at 1024^3 is measured in turn with it, on one core too. Time is
 * the processor's, which a busy machine disturbs least.
 *
 *	bench_train_step [REPEATS [NAME [TYPE]]]	best of so many (5) of each size and type,
 *						or of one
 *
 * train.sh runs it in turn with PyTorch, which the last two sizes are for.
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef LK_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#include "libcommon/base/rng.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"

struct size {
	const char *name;
	struct lt_shape shape;
	size_t batch, context, micro; /* micro-batches per step */
};

#define SHAPE(v, h, l, a, k, d, f, t)                                                      \
	{                                                                                  \
		.vocab = v, .hidden = h, .layers = l, .heads = a, .kv_heads = k, .dim = d, \
		.ffn = f, .tied = t, .rope_theta = 1e4, .norm_eps = 1e-5, .init_std = 0.02 \
	}

/* 12x768 has the sizes of llm.c's CPU program: GPT-2's 124 million parameters, as a Llama. */
static const struct size sizes[] = {
	{ "4x128", SHAPE(8192, 128, 4, 4, 2, 32, 384, false), 8, 256, 1 },
	{ "4x512", SHAPE(8192, 512, 4, 8, 4, 64, 1536, false), 4, 512, 2 },
	{ "2x768", SHAPE(16384, 768, 2, 12, 4, 64, 2304, false), 2, 1024, 2 },
	{ "12x768", SHAPE(50304, 768, 12, 12, 12, 64, 2048, true), 4, 64, 1 },
};

static void must(int rc, const struct lu_err *err)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bench_train_step: %s\n", err->msg);
	exit(2);
}

static double now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
		exit(2);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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
		double t = now(), rate;

		if (dnnl_sgemm('N', 'N', N, N, N, 1, a, N, a + N * N, N, 0, a + 2 * N * N, N) !=
				dnnl_success)
			exit(2);
		rate = 2e-9 * N * N * N / (now() - t);
		best = rate > best ? rate : best;
	}
	free(a);
#else
	(void)repeats;
#endif
	return best;
}

struct bench {
	const struct size *s;
	struct lt_weights *w;
	struct lt_model *m;
	struct lt_optimizer *o;
	struct lt_batch batch;
	double *loss; /* device */
};

static double step_seconds(struct bench *b)
{
	struct lt_hyper h = { 0.9, 0.95, 1e-8, 0.1, 1, 0 };
	struct lt_update update;
	struct lu_err err;
	double start = now();
	size_t micro = b->s->micro, rows = b->s->batch * b->s->context;

	must(lt_optimizer_begin(b->o, &h, 1e-4, 1, 1, &err), &err);
	for (size_t j = 0; j < micro; j++) {
		struct lt_pass pass = { .first = j == 0,
			.last = j + 1 == micro,
			.sums = b->loss + j,
			.stride = micro };

		must(lt_model_forward(b->m, 0, 0, &b->batch, &err), &err);
		must(lt_model_backward(b->m, 0, 0, &b->batch, lt_model_gradient(b->m, 0), &pass,
				     &err),
				&err);
	}
	must(lt_optimizer_update(b->o, &h, b->loss, micro, &update, &err), &err);
	return now() - start;
}

static void report(const struct bench *b, double best, double library)
{
	const struct lt_table *t = &b->w->table;
	double tokens = (double)(b->s->batch * b->s->context * b->s->micro);
	double products = 6e-9 * (double)lt_matrix_params(t) * tokens / best;
	double causal = 1e-9 * lt_flops_per_token(t, b->s->context, true) * tokens / best;

	printf("step %-7s %s context %-5zu %9.1f tokens/s  products %6.1f GFLOP/s, with "
	       "attention %6.1f",
			b->s->name, b->w->ops->act == LK_BF16 ? "bf16" : "fp32", b->s->context,
			tokens / best, products, causal);
	if (library > 0)
		printf("  %3.0f and %3.0f %% of oneDNN's %.1f", 100 * products / library,
				100 * causal / library, library);
	printf("\n");
}

static void run(const struct size *s, enum lk_type act, int repeats)
{
	struct lt_holding holding = { .lanes = 1, .dp_size = 1 };
	struct lt_model_plan plan = {
		.batch = s->batch, .context = s->context, .mode = LT_MODEL_TRAIN
	};
	const struct lk_ops *ops = lk_cpu_ops(act);
	size_t rows = s->batch * s->context;
	double best = 1e30, library = 0;
	uint32_t *ids = calloc(2 * rows, sizeof(*ids));
	struct bench b = { .s = s, .batch = { .ids = ids, .labels = ids + rows } };
	struct lk_queue *q;
	struct lk_err kerr;
	struct lu_err err;

	if (!ids || ops->open(&q, 0, &kerr) < 0)
		exit(2);
	for (size_t i = 0; i < 2 * rows; i++)
		ids[i] = (uint32_t)lu_rand_below(0, 0, i, s->shape.vocab);
	must(lt_weights_open(&b.w, ops, q, &s->shape, NULL, &holding, &err), &err);
	must(lt_weights_init(b.w, 0, &err), &err);
	must(lt_model_open(&b.m, b.w, &plan, &err), &err);
	must(lt_optimizer_open(&b.o, b.w, NULL, &err), &err);
	b.loss = ops->alloc(q, LK_SUMS * s->micro * sizeof(*b.loss));
	/* In turn, so that both run under the same load. */
	for (int i = 0; i < repeats; i++) {
		double rate = library_rate(3), t = step_seconds(&b);

		library = rate > library ? rate : library;
		best = t < best ? t : best;
	}
	report(&b, best, library);
	ops->free(q, b.loss);
	lt_optimizer_close(b.o);
	lt_model_close(b.m);
	lt_weights_close(b.w);
	ops->close(q);
	free(ids);
}

int main(int argc, char **argv)
{
	long repeats = argc > 1 ? strtol(argv[1], NULL, 10) : 5;

	omp_set_num_threads(1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (argc >= 3 && strcmp(argv[2], sizes[i].name) != 0)
			continue;
		if (argc < 4 || strcmp(argv[3], "fp32") == 0)
			run(&sizes[i], LK_REAL, repeats > 0 ? (int)repeats : 5);
		if (argc < 4 || strcmp(argv[3], "bf16") == 0)
			run(&sizes[i], LK_BF16, repeats > 0 ? (int)repeats : 5);
	}
	return 0;
}
