/*
 * bench_kernels.c: speed of the operations on one core beside what the machine gives: oneDNN's
 * dnnl_sgemm at 1024^3 for products, memcpy for the rest; then one training step of a small model
 * and the share of oneDNN's rate that its matrix products reach over the whole step.
 *
 *	bench_kernels [repeats]		each figure is the best of so many (default 10)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef LK_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

#include "kernels/lk.h"

enum { H = 512, F = 1536, A = 8, KV = 4, D = 64, T = 512, B = 4, V = 8192, R = B * T };
enum { QKV = (A + 2 * KV) * D, LAYER = QKV * H + H * A * D + 2 * F * H + H * F + 2 * H };

struct bench {
	const struct lk_ops *ops;
	struct lk_queue *q;
	int repeats, rc;
	struct lk_attn at;
	struct lk_step *step;
	lk_real *w, *g, *m, *v; /* parameters of the layer, then of the head; states */
	lk_real *x, *n1, *rstd1, *qkv, *o, *lse, *x2, *n2, *rstd2, *gu, *y, *xn;
	lk_real *dx, *dy, *dgu, *dqkv, *t, *logits, *loss, *table;
	int32_t *labels;
	double part[8]; /* seconds by kind in one step */
};

enum { GEMM, ATTN, NORM, GLU, ROPE, LOSS, ADAM, NPARTS };

static const char *const part_name[] = { "products", "attention", "rmsnorm", "swiglu", "rope",
	"cross entropy", "norm, adamw" };

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
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

static int library_product(const lk_real *a, const lk_real *b, lk_real *c, size_t n)
{
#ifdef LK_HAVE_ONEDNN
	dnnl_dim_t d = (dnnl_dim_t)n;

	return dnnl_sgemm('N', 'N', d, d, d, 1, a, d, b, d, 0, c, d) != dnnl_success;
#else
	(void)a, (void)b, (void)c, (void)n;
	return 0;
#endif
}

/* oneDNN's GFLOP/s at 1024^3; ours where it is not built in */
static double bench_products(struct bench *b)
{
	static const size_t shapes[][5] = { { 1024, 1024, 1024, 0, 0 }, { R, QKV, H, 0, 1 },
		{ R, 2 * F, H, 0, 1 }, { R, H, 2 * F, 0, 0 }, { 2 * F, H, R, 1, 0 },
		{ R, V, H, 0, 1 }, { 1, 2 * F, H, 0, 1 } };
	lk_real *x = reals(b, (size_t)R * V), *y = reals(b, (size_t)R * V);
	lk_real *z = reals(b, (size_t)R * V);
	double library = 0, ours = 0, s;

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct lk_gemm g = { .m = shapes[i][0],
			.n = shapes[i][1],
			.k = shapes[i][2],
			.ta = (int)shapes[i][3],
			.tb = (int)shapes[i][4],
			.alpha = 1 };
		struct lk_packed_weight *w = NULL;
		double flop = 2e-9 * (double)g.m * (double)g.n * (double)g.k, sp = 0;

		if (i == 0) {
			BEST(b, s, library_product(x, y, z, 1024));
			library = flop / s;
		}
		BEST(b, s, b->ops->gemm(b->q, &g, z, x, y, NULL));
		ours = i == 0 ? flop / s : ours;
		printf("product %4zu x %4zu x %4zu %c%c  %6.1f GFLOP/s", g.m, g.n, g.k, "NT"[g.ta],
				"NT"[g.tb], flop / s);
		if (g.tb) {
			b->rc |= b->ops->pack(b->q, &w, y, g.n, g.k, 0);
			g.packed = w;
			BEST(b, sp, b->ops->gemm(b->q, &g, z, x, NULL, NULL));
			printf("  packed %6.1f", flop / sp);
			b->ops->pack_free(b->q, w);
		}
		putchar('\n');
	}
#ifdef LK_HAVE_ONEDNN
	printf("oneDNN dnnl_sgemm 1024^3      %6.1f GFLOP/s: ours is %.0f %% of it\n", library,
			100 * ours / library);
#else
	library = ours;
	printf("oneDNN is not built in: shares are of our own product at 1024^3\n");
#endif
	b->ops->free(b->q, x);
	b->ops->free(b->q, y);
	b->ops->free(b->q, z);
	return library;
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
					R, H));
	printf("rmsnorm backward    %6.1f GB/s\n", 1e-9 * 4 * R * H * r / s);
	BEST(b, s, b->ops->swiglu(b->q, b->y, b->gu, R, F));
	printf("swiglu              %6.1f GB/s\n", 1e-9 * 3 * R * F * r / s);
	BEST(b, s, b->ops->swiglu_back(b->q, b->dgu, NULL, b->dy, b->gu, R, F));
	printf("swiglu backward     %6.1f GB/s\n", 1e-9 * 5 * R * F * r / s);
	BEST(b, s, b->ops->adamw(b->q, b->w, b->m, b->v, b->g, NULL, LAYER, &h, b->step));
	printf("adamw               %6.1f GB/s\n", 1e-9 * 7 * LAYER * r / s);
	BEST(b, s, b->ops->cross_entropy(b->q, b->loss, b->logits, b->labels, R, V, 0, b->step));
	printf("cross entropy       %6.1f GB/s (logits read + written once)\n",
			1e-9 * 2 * R * V * r / s);
}

static int product(struct bench *b, struct lk_gemm g, void *d, const void *x, const void *y,
		const void *c)
{
	if (c != NULL)
		g.beta = 1;
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
	TIMED(b, GEMM, product(b, lk_linear(R, H, F), b->xn, b->y, wd, b->x2));
}

static void head(struct bench *b)
{
	lk_real *w = b->w + LAYER, *g = b->g + LAYER;

	TIMED(b, GEMM, product(b, lk_linear(R, V, H), b->logits, b->xn, w, NULL));
	TIMED(b, LOSS,
			b->ops->cross_entropy(
					b->q, b->loss, b->logits, b->labels, R, V, 0, b->step));
	TIMED(b, GEMM, product(b, lk_linear_dw(R, V, H), g, b->logits, b->xn, g));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, V, H), b->dx, b->logits, w, NULL));
}

static void backward(struct bench *b)
{
	const struct lk_ops *o = b->ops;
	struct lk_queue *q = b->q;
	lk_real *wqkv = b->w, *wo = wqkv + QKV * H, *wgu = wo + H * A * D, *wd = wgu + 2 * F * H;
	lk_real *w1 = wd + H * F, *w2 = w1 + H, *g = b->g;
	lk_real *k = b->qkv + A * D, *v = k + KV * D, *dk = b->dqkv + A * D, *dv = dk + KV * D;

	TIMED(b, GEMM,
			product(b, lk_linear_dw(R, H, F), g + (wd - b->w), b->dx, b->y,
					g + (wd - b->w)));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, H, F), b->dy, b->dx, wd, NULL));
	TIMED(b, GLU, o->swiglu_back(q, b->dgu, NULL, b->dy, b->gu, R, F));
	TIMED(b, GEMM,
			product(b, lk_linear_dw(R, 2 * F, H), g + (wgu - b->w), b->dgu, b->n2,
					g + (wgu - b->w)));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, 2 * F, H), b->t, b->dgu, wgu, NULL));
	TIMED(b, NORM,
			o->rmsnorm_back(q, b->dx, g + (w2 - b->w), b->t, b->dx, b->x2, w2, b->rstd2,
					R, H));
	TIMED(b, GEMM,
			product(b, lk_linear_dw(R, H, A * D), g + (wo - b->w), b->dx, b->o,
					g + (wo - b->w)));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, H, A * D), b->dy, b->dx, wo, NULL));
	TIMED(b, ATTN,
			o->attention_back(q, &b->at, b->dqkv, dk, dv, b->dy, b->o, b->lse, b->qkv,
					k, v));
	TIMED(b, ROPE, o->rope(q, b->dqkv, b->table, NULL, T, R, A + KV, D, QKV, 1));
	TIMED(b, GEMM, product(b, lk_linear_dw(R, QKV, H), g, b->dqkv, b->n1, g));
	TIMED(b, GEMM, product(b, lk_linear_dx(R, QKV, H), b->t, b->dqkv, wqkv, NULL));
	TIMED(b, NORM,
			o->rmsnorm_back(q, b->dx, g + (w1 - b->w), b->t, b->dx, b->x, w1, b->rstd1,
					R, H));
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
	TIMED(b, ADAM, b->ops->zero(b->q, b->g, n * sizeof *b->g));
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
	printf("  %.1f GFLOP/s of weight products over the step: %.0f %% of the library's 1024^3\n",
			flop / best, 100 * flop / best / library);
	printf("  %.1f GFLOP/s with attention's products: %.0f %%\n", (flop + attn) / best,
			100 * (flop + attn) / best / library);
}

static void setup(struct bench *b)
{
	size_t n = LAYER + (size_t)V * H;

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
	b->xn = reals(b, (size_t)R * H), b->dx = reals(b, (size_t)R * H);
	b->t = reals(b, (size_t)R * H), b->o = reals(b, (size_t)R * A * D);
	b->rstd1 = reals(b, R), b->rstd2 = reals(b, R), b->loss = reals(b, R);
	b->lse = reals(b, (size_t)R * A), b->qkv = reals(b, (size_t)R * QKV);
	b->dqkv = reals(b, (size_t)R * QKV), b->gu = reals(b, (size_t)R * 2 * F);
	b->dgu = reals(b, (size_t)R * 2 * F), b->y = reals(b, (size_t)R * F);
	b->dy = reals(b, (size_t)R * F), b->logits = reals(b, (size_t)R * V);
	b->table = reals(b, (size_t)T * D);
	b->rc |= b->ops->rope_table(b->q, b->table, 0, T, D, 10000);
	b->labels = b->ops->alloc(b->q, R * sizeof *b->labels);
	b->step = b->ops->alloc(b->q, sizeof *b->step);
	if (b->labels == NULL || b->step == NULL)
		exit(2);
	for (int i = 0; i < R; i++)
		b->labels[i] = i * 31 % V;
	*b->step = (struct lk_step){
		.lr = 1e-4, .bias1 = 0.1, .bias2 = 0.05, .scale = 1.0 / R, .clip = 1, .finite = 1
	};
}

int main(int argc, char **argv)
{
	struct bench b = { .ops = lk_cpu_ops() };
	struct lk_err err;
	double library;

	b.repeats = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 10;
	if (b.repeats < 1)
		b.repeats = 1;
	if (b.ops->open(&b.q, 0, &err) == -1) {
		fprintf(stderr, "bench_kernels: %s\n", err.msg);
		return 2;
	}
	printf("%s, one thread, best of %d\n", b.ops->name, b.repeats);
	library = bench_products(&b);
	setup(&b);
	bench_attention(&b);
	bench_bytes(&b);
	bench_step(&b, library);
	if (b.rc != 0)
		fprintf(stderr, "bench_kernels: %s\n", b.ops->message(b.q));
	b.ops->close(b.q);
	return b.rc != 0 ? 2 : 0;
}
