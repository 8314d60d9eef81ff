/*
 * bench_kernels.c: speed of the operations on one core beside what the machine gives: oneDNN's
 * dnnl_sgemm for the products of a Llama of hidden 768, by turns with ours, memcpy for the rest; the
 * same products in bf16 beside oneDNN's matmul and ours in float; then one training step of one layer
 * and the share of oneDNN's rate that it reaches as a whole.
 *
 *	bench_kernels [repeats [isa]]	each figure is the best of so many (default 5); isa: base,
 *					avx2 or avx512, for oneDNN too; the products in bf16 are
 *					those of the best instruction set of the machine
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <omp.h>
#ifdef LK_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#include "kernels/lk.h"

enum { H = 768, F = 2048, A = 12, KV = 4, D = 64, T = 1024, B = 1, V = 16384, R = B * T };
enum { WIDE = 50304 }; /* another vocabulary: GPT-2's, rounded up */
enum { QKV = (A + 2 * KV) * D, LAYER = QKV * H + H * A * D + 2 * F * H + H * F + 2 * H };

struct bench {
	const struct lk_ops *ops;
	struct lk_queue *q;
	int repeats, rc;
	struct lk_attn at;
	struct lk_step *step;
	lk_real *w, *g, *m, *v; /* parameters of the layer, then of the head; states */
	lk_real *x, *n1, *rstd1, *qkv, *o, *lse, *x2, *n2, *rstd2, *gu, *y, *down;
	lk_real *dx, *dy, *dgu, *dqkv, *t, *logits, *logp, *table;
	uint32_t *label;
	double part[8]; /* seconds by kind in one step */
};

enum { GEMM, ATTN, NORM, GLU, ROPE, LOSS, ADAM, NPARTS };

static const char *const part_name[] = { "products", "attention", "rmsnorm", "swiglu", "rope",
	"cross entropy", "norm, adamw" };

/* Seconds of this thread, which does all the work: what else runs on the machine counts less. */
static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static lk_real *reals(struct bench *b, size_t n)
{
	lk_real *p = b->ops->alloc(b->q, n * sizeof *p);

	if (p == NULL) {
		fprintf(stderr, "bench_kernels: %s\n", b->ops->message(b->q));
		exit(2);
	}
	for (size_t i = 0; i < n; i++)
		p[i] = (lk_real)((double)(i * 2654435761u % 1000) * 1e-4 - 0.05);
	return p;
}

#define TIMED(b, kind, call)                        \
	do {                                        \
		double timed_t = now();             \
                                                    \
		(b)->rc |= call;                    \
		(b)->part[kind] += now() - timed_t; \
	} while (0)

/* seconds, best of repeats */
#define BEST(b, sec, call)                                              \
	do {                                                            \
		sec = 1e30;                                             \
		for (int best_i = 0; best_i < (b)->repeats; best_i++) { \
			double best_t = now();                          \
                                                                        \
			(b)->rc |= call;                                \
			best_t = now() - best_t;                        \
			sec = best_t < sec ? best_t : sec;              \
		}                                                       \
	} while (0)

/* The same product by oneDNN; 1 if it fails. */
static int library_product(const struct lk_gemm *g, lk_real *d, const lk_real *a, const lk_real *b)
{
#ifdef LK_HAVE_ONEDNN
	dnnl_dim_t lda = (dnnl_dim_t)(g->ta ? g->m : g->k);
	dnnl_dim_t ldb = (dnnl_dim_t)(g->tb ? g->k : g->n);

	return dnnl_sgemm("NT"[g->ta], "NT"[g->tb], (dnnl_dim_t)g -> m, (dnnl_dim_t)g -> n,
			       (dnnl_dim_t)g -> k, 1, a, lda, b, ldb, (float)g -> beta, d,
			       (dnnl_dim_t)g -> n) != dnnl_success;
#else
	(void)g, (void)d, (void)a, (void)b;
	return 0;
#endif
}

struct rate {
	double flop, ours, library; /* GFLOP and seconds, of all products so far */
};

/* The three products of a linear layer beside oneDNN's, by turns. */
static void bench_linear(struct bench *b, struct rate *all, const char *name, size_t rows,
		size_t out, size_t in, lk_real *const x[3])
{
	struct lk_gemm g[3] = { lk_linear(rows, out, in), lk_linear_dx(rows, out, in),
		lk_linear_dw(rows, out, in) };
	double ours[3] = { 1e30, 1e30, 1e30 }, library[3] = { 1e30, 1e30, 1e30 };
	double flop = 2e-9 * (double)rows * (double)out * (double)in;

	for (int i = 0; i < 3 * b->repeats; i++) {
		double t = now();

		b->rc |= b->ops->gemm(b->q, &g[i % 3], x[2], x[0], x[1], i % 3 == 2 ? x[2] : NULL);
		t = now() - t;
		ours[i % 3] = t < ours[i % 3] ? t : ours[i % 3];
		t = now();
		b->rc |= library_product(&g[i % 3], x[2], x[0], x[1]);
		t = now() - t;
		library[i % 3] = t < library[i % 3] ? t : library[i % 3];
	}
	printf("%-5s %4zu x %5zu x %4zu", name, rows, out, in);
	for (int i = 0; i < 3; i++) {
		printf("  %6.1f %6.1f %4.2f", flop / ours[i], flop / library[i],
				library[i] / ours[i]);
		all->flop += flop;
		all->ours += ours[i];
		all->library += library[i];
	}
	putchar('\n');
}

/* GFLOP/s of oneDNN over the products of a layer and a head of V; ours where it is not built in. */
static double bench_products(struct bench *b)
{
	static const size_t rows[] = { R, 256 };
	lk_real *x[3] = { reals(b, (size_t)R * WIDE), reals(b, (size_t)R * WIDE),
		reals(b, (size_t)R * WIDE) };
	struct rate first = { 0 };

	printf("products of linear layers in GFLOP/s: ours, oneDNN's, ratio; then all together\n"
	       "      rows x   out x   in      forward              dx                    dw\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rate all = { 0 }, wide = { 0 };

		bench_linear(b, &all, "qkv", rows[i], QKV, H, x);
		bench_linear(b, &all, "out", rows[i], H, A * D, x);
		bench_linear(b, &all, "gu", rows[i], 2 * F, H, x);
		bench_linear(b, &all, "down", rows[i], H, F, x);
		bench_linear(b, &all, "head", rows[i], V, H, x);
		bench_linear(b, &wide, "head", rows[i], WIDE, H, x);
		printf("      %4zu rows: a layer and the head of %d %.1f %.1f %.2f; the other head "
		       "%.1f %.1f %.2f\n",
				rows[i], V, all.flop / all.ours, all.flop / all.library,
				all.library / all.ours, wide.flop / wide.ours,
				wide.flop / wide.library, wide.library / wide.ours);
		first = i == 0 ? all : first;
	}
	for (size_t i = 0; i < 3; i++)
		b->ops->free(b->q, x[i]);
#ifndef LK_HAVE_ONEDNN
	printf("oneDNN is not built in: shares are of our own products\n");
	first.library = first.ours;
#endif
	return first.flop / first.library;
}

/* Products in bf16: ours, the same in float, and oneDNN's primitive for the shape. */
struct half {
	const struct lk_ops *ops;
	struct lk_queue *q;
	void *a, *b, *d; /* bf16, but d where the product is a weight gradient */
#ifdef LK_HAVE_ONEDNN
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_t matmul;
	dnnl_exec_arg_t arg[3];
#endif
};

#ifdef LK_HAVE_ONEDNN
/* Matrix of rows x cols, stored as such or as its transpose. */
static int half_memory(struct half *h, dnnl_memory_desc_t *desc, int arg, size_t rows, size_t cols,
		int transposed, dnnl_data_type_t type, void *x)
{
	const dnnl_dims_t dims = { (dnnl_dim_t)rows, (dnnl_dim_t)cols };
	int i = arg == DNNL_ARG_SRC ? 0 : arg == DNNL_ARG_WEIGHTS ? 1 : 2;

	h->arg[i].arg = arg;
	return dnnl_memory_desc_init_by_tag(desc, 2, dims, type, transposed ? dnnl_ba : dnnl_ab) !=
			dnnl_success ||
			dnnl_memory_create(&h->arg[i].memory, desc, h->engine, x) != dnnl_success;
}

static int half_library_open(struct half *h, const struct lk_gemm *g)
{
	dnnl_memory_desc_t a, b, d;
	dnnl_matmul_desc_t matmul;
	dnnl_primitive_attr_t attr;
	dnnl_post_ops_t add;
	dnnl_primitive_desc_t pd;
	int rc = 0;

	rc |= half_memory(h, &a, DNNL_ARG_SRC, g->m, g->k, g->ta, dnnl_bf16, h->a);
	rc |= half_memory(h, &b, DNNL_ARG_WEIGHTS, g->k, g->n, g->tb, dnnl_bf16, h->b);
	rc |= half_memory(h, &d, DNNL_ARG_DST, g->m, g->n, 0,
			g->cd_type == LK_REAL ? dnnl_f32 : dnnl_bf16, h->d);
	if (rc || dnnl_matmul_desc_init(&matmul, &a, &b, NULL, &d) != dnnl_success ||
			dnnl_primitive_attr_create(&attr) != dnnl_success)
		return 1;
	if (dnnl_post_ops_create(&add) != dnnl_success)
		return 1;
	if (g->beta != 0)
		rc |= dnnl_post_ops_append_sum(add, 1) != dnnl_success;
	rc |= dnnl_primitive_attr_set_post_ops(attr, add) != dnnl_success;
	rc |= dnnl_primitive_desc_create(&pd, &matmul, attr, h->engine, NULL) != dnnl_success;
	rc = rc || dnnl_primitive_create(&h->matmul, pd) != dnnl_success;
	if (!rc)
		(void)dnnl_primitive_desc_destroy(pd);
	(void)dnnl_post_ops_destroy(add);
	(void)dnnl_primitive_attr_destroy(attr);
	return rc;
}

static int half_library(struct half *h)
{
	return dnnl_primitive_execute(h->matmul, h->stream, 3, h->arg) != dnnl_success ||
			dnnl_stream_wait(h->stream) != dnnl_success;
}

static void half_library_close(struct half *h)
{
	(void)dnnl_primitive_destroy(h->matmul);
	for (size_t i = 0; i < 3; i++)
		(void)dnnl_memory_destroy(h->arg[i].memory);
}
#else
static int half_library_open(struct half *h, const struct lk_gemm *g)
{
	(void)h, (void)g;
	return 0;
}

static int half_library(struct half *h)
{
	(void)h;
	return 0;
}

static void half_library_close(struct half *h)
{
	(void)h;
}
#endif

/* The three products of a linear layer, all three ways by turns. x[3] is scratch for those in float. */
static void half_linear(struct bench *b, struct half *h, double all[4], size_t rows, size_t out,
		size_t in, lk_real *const x[3])
{
	const struct lk_gemm g[3] = { lk_linear(rows, out, in), lk_linear_dx(rows, out, in),
		lk_linear_dw(rows, out, in) };
	double flop = 2e-9 * (double)rows * (double)out * (double)in;

	printf("      %4zu x %5zu x %4zu", rows, out, in);
	for (int i = 0; i < 3; i++) {
		double best[3] = { 1e30, 1e30, 1e30 };

		b->rc |= half_library_open(h, &g[i]);
		for (int r = 0; r < b->repeats; r++)
			for (int way = 0; way < 3; way++) {
				double t = now();

				if (way == 0)
					b->rc |= h->ops->gemm(h->q, &g[i], h->d, h->a, h->b,
							i == 2 ? h->d : NULL);
				else if (way == 1)
					b->rc |= half_library(h);
				else
					b->rc |= b->ops->gemm(b->q, &g[i], x[2], x[0], x[1],
							i == 2 ? x[2] : NULL);
				t = now() - t;
				best[way] = t < best[way] ? t : best[way];
			}
		half_library_close(h);
		printf("  %6.1f %6.1f %5.2f %4.2f", flop / best[0], flop / best[1],
				best[1] / best[0], best[2] / best[0]);
		all[3] += flop;
		for (int way = 0; way < 3; way++)
			all[way] += best[way];
	}
	putchar('\n');
}

static void bench_half(struct bench *b)
{
	static const size_t shape[][2] = { { QKV, H }, { H, (size_t)A * D }, { (size_t)2 * F, H },
		{ H, F }, { V, H }, { 4096, 4096 } };
	static const size_t rows[] = { R, 256 };
	lk_real *x[3] = { reals(b, (size_t)R * V), reals(b, (size_t)V * F),
		reals(b, (size_t)V * F) };
	struct half h = { .ops = lk_cpu_ops(LK_BF16) };
	struct lk_err err;

	if (h.ops->open(&h.q, 0, &err) == -1) {
		fprintf(stderr, "bench_kernels: %s\n", err.msg);
		exit(2);
	}
	h.a = reals(b, (size_t)R * V / 2), h.b = reals(b, (size_t)V * F / 2);
	h.d = reals(b, (size_t)V * F);
	b->rc |= h.ops->to_act(h.q, h.a, x[0], (size_t)R * V);
	b->rc |= h.ops->to_act(h.q, h.b, x[1], (size_t)V * F);
#ifdef LK_HAVE_ONEDNN
	b->rc |= dnnl_engine_create(&h.engine, dnnl_cpu, 0) != dnnl_success ||
			dnnl_stream_create(&h.stream, h.engine, dnnl_stream_default_flags) !=
					dnnl_success;
#endif
	printf("products in bf16 (%s) in GFLOP/s: ours, oneDNN's, ratio, ratio to ours in float\n"
	       "      rows x   out x   in           forward                    dx                 "
	       "      dw\n",
			h.ops->name);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double all[4] = { 0 };

		for (size_t j = 0; j < sizeof shape / sizeof *shape; j++)
			half_linear(b, &h, all, rows[i], shape[j][0], shape[j][1], x);
		printf("      %4zu rows: all %.1f %.1f %.2f %.2f\n", rows[i], all[3] / all[0],
				all[3] / all[1], all[1] / all[0], all[2] / all[0]);
	}
#ifdef LK_HAVE_ONEDNN
	(void)dnnl_stream_destroy(h.stream);
	(void)dnnl_engine_destroy(h.engine);
#endif
	for (size_t i = 0; i < 3; i++)
		b->ops->free(b->q, x[i]);
	b->ops->free(b->q, h.a), b->ops->free(b->q, h.b), b->ops->free(b->q, h.d);
	h.ops->close(h.q);
}

/* One row, as in generation: from the weight itself and from a packed one. */
static void bench_row(struct bench *b)
{
	lk_real *x = reals(b, 2 * F), *y = reals(b, (size_t)2 * F * H), *z = reals(b, 2 * F);
	struct lk_gemm g = lk_linear(1, 2 * F, H);
	struct lk_packed_weight *w = NULL;
	double s, packed;

	BEST(b, s, b->ops->gemm(b->q, &g, z, x, y, NULL));
	b->rc |= b->ops->pack(b->q, &w, y, g.n, g.k, 0);
	g.packed = w;
	BEST(b, packed, b->ops->gemm(b->q, &g, z, x, NULL, NULL));
	printf("one row x %d x %d    %6.1f GB/s, packed %.1f\n", 2 * F, H, 8e-9 * F * H / s,
			8e-9 * F * H / packed);
	b->ops->pack_free(b->q, w);
	b->ops->free(b->q, x);
	b->ops->free(b->q, y);
	b->ops->free(b->q, z);
}

static void bench_attention(struct bench *b)
{
	double s, pairs = (double)B * A * T * (T + 1) / 2;
	lk_real *k = b->qkv + A * D, *v = k + KV * D, *dk = b->dqkv + A * D, *dv = dk + KV * D;

	BEST(b, s, b->ops->attention(b->q, &b->at, b->o, b->lse, b->qkv, k, v));
	printf("attention forward   %6.1f GFLOP/s (causal count: 4 d a pair)\n",
			1e-9 * pairs * 4 * D / s);
	BEST(b, s,
			b->ops->attention_back(b->q, &b->at, b->dqkv, dk, dv, b->dy, b->o, b->lse,
					b->qkv, k, v));
	printf("attention backward  %6.1f GFLOP/s (10 d a pair)\n", 1e-9 * pairs * 10 * D / s);
}

static void bench_bytes(struct bench *b)
{
	const struct lk_adamw h = { 0.9, 0.95, 1e-5, 0.1 };
	double s, r = sizeof(lk_real);

	BEST(b, s, b->ops->copy(b->q, b->gu, b->dgu, (size_t)R * 2 * F * sizeof(lk_real), LK_D2D));
	printf("memcpy              %6.1f GB/s (read + write)\n", 1e-9 * 4 * R * F * r / s);
	BEST(b, s, b->ops->rmsnorm(b->q, b->n2, b->rstd2, b->x2, b->x, b->t, b->w, R, H, 1e-5));
	printf("rmsnorm with add    %6.1f GB/s\n", 1e-9 * 4 * R * H * r / s);
	BEST(b, s,
			b->ops->rmsnorm_back(b->q, b->dx, b->g, b->t, b->dx, b->x2, b->w, b->rstd2,
					R, H, 1));
	printf("rmsnorm backward    %6.1f GB/s\n", 1e-9 * 4 * R * H * r / s);
	BEST(b, s, b->ops->swiglu(b->q, b->y, b->gu, R, F));
	printf("swiglu              %6.1f GB/s\n", 1e-9 * 3 * R * F * r / s);
	BEST(b, s, b->ops->swiglu_back(b->q, b->dgu, NULL, b->dy, b->gu, R, F));
	printf("swiglu backward     %6.1f GB/s\n", 1e-9 * 5 * R * F * r / s);
	BEST(b, s, b->ops->adamw(b->q, b->w, b->m, b->v, b->g, NULL, LAYER, &h, b->step));
	printf("adamw               %6.1f GB/s\n", 1e-9 * 7 * LAYER * r / s);
	BEST(b, s, b->ops->lane_sum(b->q, b->g, 2, LAYER / 2, LAYER / 2, (double *)(void *)b->gu));
	printf("two lanes and norm  %6.1f GB/s\n", 1e-9 * 1.5 * LAYER * r / s);
	BEST(b, s,
			b->ops->cross_entropy(b->q, b->logp, b->logits, b->logits, b->label, NULL,
					R, V, 0));
	printf("cross entropy       %6.1f GB/s (logits read + written once)\n",
			1e-9 * 2 * R * V * r / s);
}

static int product(struct bench *b, struct lk_gemm g, void *d, const void *x, const void *y,
		const void *c)
{
	g.beta = c != NULL;
	return b->ops->gemm(b->q, &g, d, x, y, c);
}

/* The layer as the end of kernels/lk.h writes it. */
static void forward(struct bench *b)
{
	const struct lk_ops *o = b->ops;
	struct lk_queue *q = b->q;
	lk_real *wqkv = b->w, *wo = wqkv + QKV * H, *wgu = wo + H * A * D, *wd = wgu + 2 * F * H;
	lk_real *w1 = wd + H * F, *w2 = w1 + H;

	TIMED(b, NORM, o->rmsnorm(q, b->n1, b->rstd1, NULL, b->x, NULL, w1, R, H, 1e-5));
	TIMED(b, GEMM, product(b, lk_linear(R, QKV, H), b->qkv, b->n1, wqkv, NULL));
	TIMED(b, ROPE, o->rope(q, b->qkv, b->table, NULL, T, R, A + KV, D, QKV, 0));
	TIMED(b, ATTN,
			o->attention(q, &b->at, b->o, b->lse, b->qkv, b->qkv + A * D,
					b->qkv + (A + KV) * D));
	TIMED(b, GEMM, product(b, lk_linear(R, H, A * D), b->t, b->o, wo, NULL));
	TIMED(b, NORM, o->rmsnorm(q, b->n2, b->rstd2, b->x2, b->x, b->t, w2, R, H, 1e-5));
	TIMED(b, GEMM, product(b, lk_linear(R, 2 * F, H), b->gu, b->n2, wgu, NULL));
	TIMED(b, GLU, o->swiglu(q, b->y, b->gu, R, F));
	TIMED(b, GEMM, product(b, lk_linear(R, H, F), b->down, b->y, wd, NULL));
}

static void head(struct bench *b)
{
	lk_real *w = b->w + LAYER, *g = b->g + LAYER;

	TIMED(b, NORM,
			b->ops->rmsnorm(b->q, b->t, b->rstd1, b->down, b->x2, b->down, b->w, R, H,
					1e-5));
	TIMED(b, GEMM, product(b, lk_linear(R, V, H), b->logits, b->t, w, NULL));
	TIMED(b, LOSS,
			b->ops->cross_entropy(b->q, b->logp, b->logits, b->logits, b->label, NULL,
					R, V, 0));
	TIMED(b, GEMM, product(b, lk_linear_dw(R, V, H), g, b->logits, b->t, NULL));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, V, H), b->dx, b->logits, w, NULL));
}

static void backward(struct bench *b)
{
	const struct lk_ops *o = b->ops;
	struct lk_queue *q = b->q;
	lk_real *wqkv = b->w, *wo = wqkv + QKV * H, *wgu = wo + H * A * D, *wd = wgu + 2 * F * H;
	lk_real *w1 = wd + H * F, *w2 = w1 + H, *g = b->g;
	lk_real *k = b->qkv + A * D, *v = k + KV * D, *dk = b->dqkv + A * D, *dv = dk + KV * D;

	TIMED(b, GEMM, product(b, lk_linear_dw(R, H, F), g + (wd - b->w), b->dx, b->y, NULL));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, H, F), b->dy, b->dx, wd, NULL));
	TIMED(b, GLU, o->swiglu_back(q, b->dgu, NULL, b->dy, b->gu, R, F));
	TIMED(b, GEMM,
			product(b, lk_linear_dw(R, 2 * F, H), g + (wgu - b->w), b->dgu, b->n2,
					NULL));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, 2 * F, H), b->t, b->dgu, wgu, NULL));
	TIMED(b, NORM,
			o->rmsnorm_back(q, b->dx, g + (w2 - b->w), b->t, b->dx, b->x2, w2, b->rstd2,
					R, H, 0));
	TIMED(b, GEMM, product(b, lk_linear_dw(R, H, A * D), g + (wo - b->w), b->dx, b->o, NULL));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, H, A * D), b->dy, b->dx, wo, NULL));
	TIMED(b, ATTN,
			o->attention_back(q, &b->at, b->dqkv, dk, dv, b->dy, b->o, b->lse, b->qkv,
					k, v));
	TIMED(b, ROPE, o->rope(q, b->dqkv, b->table, NULL, T, R, A + KV, D, QKV, 1));
	TIMED(b, GEMM, product(b, lk_linear_dw(R, QKV, H), g, b->dqkv, b->n1, NULL));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, QKV, H), b->t, b->dqkv, wqkv, NULL));
	TIMED(b, NORM,
			o->rmsnorm_back(q, b->dx, g + (w1 - b->w), b->t, b->dx, b->x, w1, b->rstd1,
					R, H, 0));
}

static void update(struct bench *b, size_t n)
{
	const struct lk_adamw h = { 0.9, 0.95, 1e-5, 0.1 };
	double *sums = (double *)(void *)b->gu;
	size_t chunks = (n + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK;

	TIMED(b, ADAM, b->ops->sqnorm(b->q, sums, b->g, n));
	TIMED(b, ADAM, b->ops->sum(b->q, &b->step->sqnorm, sums, chunks));
	TIMED(b, ADAM, b->ops->clip(b->q, b->step, 1));
	TIMED(b, ADAM, b->ops->adamw(b->q, b->w, b->m, b->v, b->g, NULL, n, &h, b->step));
}

/* layers of one layer's cost, the head and the update, best of repeats */
static void bench_step(struct bench *b, double library)
{
	size_t weights = LAYER - 2 * H, n = LAYER + (size_t)V * H;
	double flop = 6.0 * R * ((double)weights + (double)V * H) * 1e-9;
	double attn = 14.0 * D * B * A * T * (T + 1) / 2 * 1e-9, best = 1e30, part[NPARTS],
	       layer = 0;

	for (int i = 0; i < b->repeats; i++) {
		double t = now(), l;

		memset(b->part, 0, sizeof b->part);
		forward(b);
		l = now() - t;
		head(b);
		l -= now();
		backward(b);
		l += now();
		update(b, n);
		t = now() - t;
		if (t < best) {
			best = t;
			layer = l;
			memcpy(part, b->part, sizeof part);
		}
	}
	printf("one layer forward + backward, h %d F %d heads %d/%d T %d x %d: %.1f ms\n", H, F, A,
			KV, T, B, 1e3 * layer);
	printf("  products %.1f GFLOP: %.1f GFLOP/s over the layer's time, %.0f %% of the "
	       "library\n",
			6e-9 * R * (double)weights, 6e-9 * R * (double)weights / layer,
			100 * 6e-9 * R * (double)weights / layer / library);
	printf("one step (layer, head of %d, loss, clip, adamw): %.1f ms, %.0f tokens/s\n", V,
			1e3 * best, R / best);
	for (size_t i = 0; i < NPARTS; i++)
		printf("  %-14s %7.1f ms  %4.1f %%\n", part_name[i], 1e3 * part[i],
				100 * part[i] / best);
	printf("  %.1f GFLOP/s of weight products over the step: %.0f %% of the library's for them "
	       "alone\n",
			flop / best, 100 * flop / best / library);
	printf("  %.1f GFLOP/s with attention's products: %.0f %%\n", (flop + attn) / best,
			100 * (flop + attn) / best / library);
}

static void setup(struct bench *b)
{
	size_t n = LAYER + (size_t)V * H;
	double freq[D / 2];

	b->at = (struct lk_attn){ .batch = B,
		.heads = A,
		.kv_heads = KV,
		.dim = D,
		.tq = T,
		.tk = T,
		.q_ld = QKV,
		.k_ld = QKV };
	b->w = reals(b, n), b->g = reals(b, n), b->m = reals(b, n), b->v = reals(b, n);
	for (size_t i = 0; i < n; i++)
		b->v[i] = b->v[i] < 0 ? -b->v[i] : b->v[i];
	b->x = reals(b, (size_t)R * H), b->n1 = reals(b, (size_t)R * H);
	b->x2 = reals(b, (size_t)R * H), b->n2 = reals(b, (size_t)R * H);
	b->down = reals(b, (size_t)R * H), b->dx = reals(b, (size_t)R * H);
	b->t = reals(b, (size_t)R * H), b->o = reals(b, (size_t)R * A * D);
	b->rstd1 = reals(b, R), b->rstd2 = reals(b, R), b->logp = reals(b, R);
	b->lse = reals(b, (size_t)R * A), b->qkv = reals(b, (size_t)R * QKV);
	b->dqkv = reals(b, (size_t)R * QKV), b->gu = reals(b, (size_t)R * 2 * F);
	b->dgu = reals(b, (size_t)R * 2 * F), b->y = reals(b, (size_t)R * F);
	b->dy = reals(b, (size_t)R * F), b->logits = reals(b, (size_t)R * V);
	b->table = reals(b, (size_t)T * D);
	for (size_t i = 0; i < D / 2; i++)
		freq[i] = pow(10000, -2.0 * (double)i / D);
	b->rc |= b->ops->rope_table(b->q, b->table, 0, T, D, freq);
	b->label = b->ops->alloc(b->q, R * sizeof *b->label);
	b->step = b->ops->alloc(b->q, sizeof *b->step);
	if (b->label == NULL || b->step == NULL)
		exit(2);
	for (int i = 0; i < R; i++)
		b->label[i] = (uint32_t)(i * 31 % V);
	*b->step = (struct lk_step){
		.lr = 1e-4, .bias1 = 0.1, .bias2 = 0.05, .scale = 1.0 / R, .clip = 1, .finite = 1
	};
}

int main(int argc, char **argv)
{
	struct bench b = { .ops = lk_cpu_ops(LK_REAL) };
	struct lk_err err;
	double library;

	b.repeats = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5;
	if (b.repeats < 1)
		b.repeats = 1;
	if (argc > 2) {
		b.ops = lk_cpu_ops_isa(argv[2], LK_REAL);
		if (b.ops == NULL) {
			fprintf(stderr, "bench_kernels: no %s here\n", argv[2]);
			return 2;
		}
#ifdef LK_HAVE_ONEDNN
		if (strcmp(argv[2], "avx2") == 0)
			(void)dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
#endif
	}
	omp_set_num_threads(1); /* oneDNN's */
	if (b.ops->open(&b.q, 0, &err) == -1) {
		fprintf(stderr, "bench_kernels: %s\n", err.msg);
		return 2;
	}
	printf("%s, one thread, best of %d\n", b.ops->name, b.repeats);
	library = bench_products(&b);
	bench_half(&b);
	bench_row(&b);
	setup(&b);
	bench_attention(&b);
	bench_bytes(&b);
	bench_step(&b, library);
	if (b.rc != 0)
		fprintf(stderr, "bench_kernels: %s\n", b.ops->message(b.q));
	b.ops->close(b.q);
	return b.rc != 0 ? 2 : 0;
}
