/* bench_gpu: single operations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/gpu.h"

/* --- memory-bound operations ------------------------------------------------------------------- */

enum kind {
	COPY,
	ZERO,
	TO_ACT,
	EMBED,
	EMBED_BACK,
	RMSNORM,
	RMSNORM_AGAIN,
	RMSNORM_BACK,
	ADD,
	ROPE,
	SWIGLU,
	SWIGLU_BACK,
	CROSS_ENTROPY,
	SQNORM,
	ADAMW,
	ACCUMULATE,
	LANE_SUM,
	LOW_ADAMW,
	LOW_ACCUMULATE,
	KINDS
};

/* Buffers that are several times the cache, in sizes of Lucie-7B. */
struct set {
	const struct bench *b;
	enum kind kind;
	size_t rows, h, f, heads, dim, v, lines, n; /* lines of logits, parameters */
	lk_act *act[4];				    /* [rows][2 f] */
	lk_real *real[4];			    /* [n], also logits */
	lk_real *weight, *rstd, *table, *logp;
	uint32_t *ids;
	struct lk_ids sorted;
	double *sums;
	struct lk_step *step;
};

static int call(void *ctx)
{
	static const struct lk_adamw h = { 0.9, 0.95, 1e-8, 0.1 };
	static const struct lk_dither d = { .seed = 1 };
	const struct set *s = ctx;
	const struct lk_ops *o = s->b->ops;
	struct lk_queue *q = s->b->q;
	lk_act *const *a = s->act;
	lk_real *const *x = s->real;

	switch (s->kind) {
	case COPY: return o->copy(q, x[0], x[1], s->n * sizeof(lk_real), LK_D2D);
	case ZERO: return o->zero(q, x[0], s->n * sizeof(lk_real));
	case TO_ACT: return o->to_act(q, a[0], x[0], s->rows * s->f);
	case EMBED: return o->embed(q, a[0], a[1], s->ids, s->rows, s->h, 0, s->v);
	case EMBED_BACK: return o->embed_back(q, x[0], a[1], &s->sorted, s->h, 0, s->v, 1);
	case RMSNORM:
		return o->rmsnorm(
				q, a[0], s->rstd, a[1], a[2], a[3], s->weight, s->rows, s->h, 1e-5);
	case RMSNORM_AGAIN:
		return o->rmsnorm_again(q, a[0], a[2], s->weight, s->rstd, s->rows, s->h);
	case RMSNORM_BACK:
		return o->rmsnorm_back(q, a[0], x[0], a[1], a[2], a[3], s->weight, s->rstd, s->rows,
				s->h, 1);
	case ADD: return o->add(q, a[0], a[1], a[2], s->rows * s->f);
	case ROPE: return o->rope(q, a[0], s->table, NULL, 4096, s->rows, s->heads, s->dim, 0, 0);
	case SWIGLU: return o->swiglu(q, a[0], a[1], s->rows, s->f);
	case SWIGLU_BACK: return o->swiglu_back(q, a[0], NULL, a[1], a[2], s->rows, s->f);
	case CROSS_ENTROPY:
		return o->cross_entropy(q, s->logp, a[0], x[1], s->ids, NULL, s->lines, s->v, 0);
	case SQNORM: return o->sqnorm(q, s->sums, x[1], s->n);
	case ADAMW: return o->adamw(q, x[0], x[1], x[2], x[3], a[0], s->n, &h, s->step);
	case ACCUMULATE: return o->accumulate(q, x[0], x[1], s->n);
	case LANE_SUM: return o->lane_sum(q, x[0], 2, s->n / 2, s->n / 2, s->sums);
	case LOW_ADAMW:
		return o->low_adamw(q, a[0], a[1], a[2], a[3], (const uint16_t *)x[0], s->n, &h, &d,
				s->step);
	case LOW_ACCUMULATE: return o->low_accumulate(q, a[0], x[1], s->n, 1, &d, s->step);
	default: return -1;
	}
}

/* Name, and the fewest bytes that it reads and writes. */
static double least(const struct set *s, const char **name)
{
	double a = (double)s->b->ops->act_size, r = sizeof(lk_real), x = (double)s->rows;
	double h = x * (double)s->h, f = x * (double)s->f, n = (double)s->n;

	switch (s->kind) {
	case COPY: *name = "copy"; return 2 * r * n;
	case ZERO: *name = "zero"; return r * n;
	case TO_ACT: *name = "to_act"; return (r + a) * f;
	case EMBED: *name = "embed"; return 2 * a * h;
	case EMBED_BACK:
		*name = "embed_back";
		return a * h + 2 * r * (double)s->sorted.segments * (double)s->h;
	case RMSNORM: *name = "rmsnorm with residual"; return 4 * a * h;
	case RMSNORM_AGAIN: *name = "rmsnorm_again"; return 2 * a * h;
	case RMSNORM_BACK: *name = "rmsnorm_back"; return 4 * a * h;
	case ADD: *name = "add"; return 3 * a * f;
	case ROPE: *name = "rope"; return 2 * a * x * (double)(s->heads * s->dim);
	case SWIGLU: *name = "swiglu"; return 3 * a * f;
	case SWIGLU_BACK: *name = "swiglu_back"; return 5 * a * f;
	case CROSS_ENTROPY:
		*name = "cross_entropy";
		return (r + a) * (double)s->lines * (double)s->v;
	case SQNORM: *name = "sqnorm"; return r * n;
	case ADAMW: *name = "adamw"; return (7 * r + a) * n;
	case ACCUMULATE: *name = "accumulate"; return 3 * r * n;
	case LANE_SUM: *name = "lane_sum of 2"; return 1.5 * r * n;
	case LOW_ADAMW: *name = "low_adamw"; return (4 * 4 + 2) * n;
	case LOW_ACCUMULATE: *name = "low_accumulate"; return (2 * 2 + r) * n;
	default: *name = "?"; return 0;
	}
}

static void set_ids(struct set *s)
{
	const struct bench *b = s->b;
	uint32_t *host = calloc(4 * s->rows + 1, sizeof(*host)), *dev;
	uint32_t *id = host + s->rows, *begin = id + s->rows, *row = begin + s->rows + 1;

	if (!host)
		exit(2);
	for (size_t i = 0; i < s->rows; i++)
		host[i] = (uint32_t)(i * 2654435761u % s->v);
	s->sorted.segments = lk_sort_ids(id, begin, row, host, s->rows);
	s->sorted.rows = s->rows;
	dev = device(b, (4 * s->rows + 1) * sizeof(*dev));
	must(b, b->ops->copy(b->q, dev, host, (4 * s->rows + 1) * sizeof(*dev), LK_H2D));
	must(b, b->ops->sync(b->q));
	s->ids = dev;
	s->sorted.id = dev + s->rows;
	s->sorted.begin = dev + 2 * s->rows;
	s->sorted.row = dev + 3 * s->rows + 1;
	free(host);
}

static void set_open(struct set *s, const struct bench *b)
{
	struct lk_step step = {
		.lr = 1e-5, .bias1 = 0.1, .bias2 = 0.05, .scale = 1, .clip = 1, .finite = 1
	};
	double freq[64];

	*s = (struct set){ .b = b,
		.rows = 16384,
		.h = 4096,
		.f = 12288,
		.heads = 40,
		.dim = 128,
		.v = 65024,
		.lines = 4096,
		.n = (size_t)4096 * 65024 };
	if (b->small)
		*s = (struct set){ .b = b,
			.rows = 192,
			.h = 128,
			.f = 192,
			.heads = 4,
			.dim = 32,
			.v = 256,
			.lines = 32,
			.n = 65536 };
	for (size_t i = 0; i < 4; i++) {
		s->act[i] = random_acts(b, s->rows * 2 * s->f, 1);
		s->real[i] = random_reals(b, s->n, 0.02);
	}
	/* Second moments are not negative: those of adamw are zero at first. */
	must(b, b->ops->zero(b->q, s->real[2], s->n * sizeof(lk_real)));
	s->weight = random_reals(b, s->h, 1);
	s->rstd = random_reals(b, s->rows, 1);
	s->logp = random_reals(b, s->rows, 1);
	s->table = device(b, 4096 * s->dim * sizeof(lk_real));
	for (size_t i = 0; i < s->dim / 2; i++)
		freq[i] = 1 / (1 + (double)i);
	must(b, b->ops->rope_table(b->q, s->table, 0, 4096, s->dim, freq));
	s->sums = device(b, (s->n / LK_NORM_CHUNK + 1) * sizeof(*s->sums));
	s->step = device(b, sizeof(*s->step));
	must(b, b->ops->copy(b->q, s->step, &step, sizeof(step), LK_H2D));
	must(b, b->ops->sync(b->q));
	set_ids(s);
}

static void set_close(struct set *s)
{
	const struct lk_ops *o = s->b->ops;
	void *other[] = { s->weight, s->rstd, s->logp, s->table, s->sums, s->step, s->ids };

	for (size_t i = 0; i < 4; i++) {
		o->free(s->b->q, s->act[i]);
		o->free(s->b->q, s->real[i]);
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		o->free(s->b->q, other[i]);
}

static void time_kind(struct bench *b, struct set *s, const char *part, enum kind kind)
{
	struct row r = { .part = part, .unit = "GB/s", .limit = 1e-9 * b->bandwidth };
	double bytes;

	s->kind = kind;
	bytes = least(s, &r.what);
	r.seconds = seconds_of(b, call, s);
	r.value = 1e-9 * bytes / r.seconds;
	if (kind == COPY) {
		b->bandwidth = bytes / r.seconds;
		r.limit = 1e-9 * b->device.bandwidth;
		r.note = "limit: data sheet";
	}
	row_put(&r, "%.0f MB", 1e-6 * bytes);
}

int bench_copy(struct bench *b)
{
	struct set s;

	set_open(&s, b);
	time_kind(b, &s, "copy", COPY);
	set_close(&s);
	return 0;
}

int bench_kernels(struct bench *b)
{
	struct set s;

	set_open(&s, b);
	for (enum kind k = COPY; k < KINDS; k++)
		time_kind(b, &s, "kernels", k);
	set_close(&s);
	return 0;
}

/* --- products ---------------------------------------------------------------------------------- */

struct product {
	const struct bench *b;
	struct lk_gemm g;
	void *d;
	const void *a, *w;
};

static int multiply(void *ctx)
{
	const struct product *p = ctx;

	return p->b->ops->gemm(p->b->q, &p->g, p->d, p->a, p->w, p->g.beta != 0 ? p->d : NULL);
}

static double time_product(struct bench *b, struct product *p, const char *what)
{
	struct row r = { .part = "products",
		.what = what,
		.unit = "TFLOP/s",
		.limit = 1e-12 * b->flops,
		.note = p->g.cd_type == LK_REAL ? "added to fp32" : NULL };

	r.seconds = seconds_of(b, multiply, p);
	r.value = 2e-12 * (double)p->g.m * (double)p->g.n * (double)p->g.k / r.seconds;
	row_put(&r, "%zu x %zu x %zu", p->g.m, p->g.n, p->g.k);
	return r.value * 1e12;
}

static void time_linear(struct bench *b, const char *name, size_t rows, size_t out, size_t in)
{
	struct product p = { .b = b };
	lk_act *x = random_acts(b, rows * in, 1), *w = random_acts(b, out * in, 0.02);
	lk_act *y = random_acts(b, rows * out, 1);
	lk_real *dw = random_reals(b, out * in, 0.02);
	char what[64];

	(void)snprintf(what, sizeof(what), "%s forward", name);
	p.g = lk_linear(rows, out, in), p.d = y, p.a = x, p.w = w;
	if (strcmp(name, "head") == 0) {
		p.g.cd_type = LK_REAL;
		p.d = random_reals(b, rows * out, 1);
	}
	(void)time_product(b, &p, what);
	if (p.d != y)
		b->ops->free(b->q, p.d);
	(void)snprintf(what, sizeof(what), "%s dx", name);
	p.g = lk_linear_dx(rows, out, in), p.d = x, p.a = y, p.w = w;
	(void)time_product(b, &p, what);
	(void)snprintf(what, sizeof(what), "%s dw", name);
	p.g = lk_linear_dw(rows, out, in), p.d = dw, p.a = y, p.w = x;
	(void)time_product(b, &p, what);
	b->ops->free(b->q, x);
	b->ops->free(b->q, w);
	b->ops->free(b->q, y);
	b->ops->free(b->q, dw);
}

/* The algorithms, for the log. */
static void put_choices(const struct bench *b)
{
	size_t n = lk_cuda_choices(b->q, NULL, 0);
	char *text = malloc(n + 1);

	if (!text)
		exit(2);
	(void)lk_cuda_choices(b->q, text, n + 1);
	fputs(text, stderr);
	free(text);
}

int bench_products(struct bench *b)
{
	size_t s = b->small ? 32 : 1, rows = 8192 / s, h = 4096 / s, f = 12288 / s;
	struct product p = { .b = b };
	lk_act *x = random_acts(b, rows * rows, 1), *y = random_acts(b, rows * rows, 1);
	lk_act *z = random_acts(b, rows * rows, 1);

	p.g = lk_linear(rows, rows, rows), p.d = z, p.a = x, p.w = y;
	(void)time_product(b, &p, "square");
	b->ops->free(b->q, x);
	b->ops->free(b->q, y);
	b->ops->free(b->q, z);
	time_linear(b, "qkv", rows, h + h / 2, h);
	time_linear(b, "out", rows, h, h);
	time_linear(b, "gate, up", rows, 2 * f, h);
	time_linear(b, "down", rows, h, f);
	time_linear(b, "head", rows / 2, 65024 / s, h);
	put_choices(b);
	return 0;
}

/* --- attention --------------------------------------------------------------------------------- */

struct attend {
	const struct bench *b;
	struct lk_attn at;
	bool back;
	lk_act *qkv, *dqkv, *o, *d;
	lk_real *lse;
	size_t k, v; /* places of K and V in a row */
};

static const char *act_at(const struct bench *b, const lk_act *x, size_t i)
{
	return (const char *)x + i * b->ops->act_size;
}

static int attend(void *ctx)
{
	const struct attend *a = ctx;
	const struct bench *b = a->b;
	const lk_act *k = act_at(b, a->qkv, a->k), *v = act_at(b, a->qkv, a->v);
	char *dq = a->dqkv;

	if (!a->back)
		return b->ops->attention(b->q, &a->at, a->o, a->lse, a->qkv, k, v);
	return b->ops->attention_back(b->q, &a->at, dq, dq + a->k * b->ops->act_size,
			dq + a->v * b->ops->act_size, a->d, a->o, a->lse, a->qkv, k, v);
}

/* The last word of the queue on attention: "own: ..." or what cuDNN has, without the shape. */
static const char *last_choice(const struct bench *b, char *text, size_t size)
{
	char *end = NULL, *colon;

	(void)lk_cuda_choices(b->q, text, size);
	for (char *line = text; line && strncmp(line, "attention", 9) == 0;) {
		end = line;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!end)
		return NULL;
	colon = strchr(end, ':');
	end[strcspn(end, "\n\t")] = '\0';
	return colon ? colon + 2 : end;
}

/* Buffers for sequences of t; returns the number of rows. */
static size_t attend_open(struct attend *a, const struct bench *b, size_t batch, size_t t)
{
	size_t heads = b->small ? 2 : 32, kv = b->small ? 1 : 8, dim = b->small ? 32 : 128;
	size_t width = (heads + 2 * kv) * dim, rows = batch * t;

	*a = (struct attend){ .b = b, .k = heads * dim, .v = (heads + kv) * dim };
	a->at = (struct lk_attn){ .batch = batch,
		.heads = heads,
		.kv_heads = kv,
		.dim = dim,
		.tq = t,
		.tk = t,
		.q_ld = width,
		.k_ld = width };
	a->qkv = random_acts(b, rows * width, 1);
	a->dqkv = random_acts(b, rows * width, 1);
	a->o = random_acts(b, rows * heads * dim, 1);
	a->d = random_acts(b, rows * heads * dim, 1);
	a->lse = random_reals(b, rows * heads, 1);
	return rows;
}

static void attend_close(struct attend *a)
{
	const struct bench *b = a->b;

	b->ops->free(b->q, a->qkv);
	b->ops->free(b->q, a->dqkv);
	b->ops->free(b->q, a->o);
	b->ops->free(b->q, a->d);
	b->ops->free(b->q, a->lse);
}

static void time_attention(struct bench *b, const char *what, size_t batch, size_t t)
{
	struct attend a;
	char text[4096], name[64];
	double pairs;

	(void)attend_open(&a, b, batch, t);
	pairs = (double)(batch * a.at.heads) * (double)t * (double)(t + 1) / 2;
	for (int back = 0; back < 2; back++) {
		struct row r = { .part = "attention",
			.what = name,
			.unit = "TFLOP/s",
			.limit = 1e-12 * b->flops };

		a.back = back != 0;
		r.seconds = seconds_of(b, attend, &a);
		r.value = 1e-12 * pairs * (back ? 10 : 4) * (double)a.at.dim / r.seconds;
		(void)snprintf(name, sizeof(name), "%s %s", what, back ? "backward" : "forward");
		r.note = last_choice(b, text, sizeof(text));
		row_put(&r, "%zu x %zu/%zu heads x %zu x %zu", batch, a.at.heads, a.at.kv_heads, t,
				a.at.dim);
	}
	attend_close(&a);
}

/* A queue with another choice, which is made before the first operation; -1 if it cannot be had. */
static int choose(struct bench *b, enum lk_attention attention, int repeatable)
{
	struct lk_err err;

	b->ops->close(b->q);
	if (b->ops->open(&b->q, 0, &err) < 0) {
		fprintf(stderr, "bench_gpu: %s\n", err.msg);
		exit(2);
	}
	return lk_cuda_choose(b->q, attention, repeatable);
}

/* Outputs and gradients of one layer's attention, on the host, as float. */
static float *results(struct bench *b, size_t t, size_t *n, char *note, size_t size)
{
	struct attend a;
	size_t rows = attend_open(&a, b, 1, t), outs = rows * a.at.heads * a.at.dim;
	uint16_t *half;
	float *all;
	const char *says;
	char text[4096];

	*n = outs + rows * a.at.q_ld;
	half = calloc(*n, sizeof(*half));
	all = calloc(*n, sizeof(*all));
	if (!half || !all)
		exit(2);
	must(b, attend(&a));
	a.back = true;
	must(b, attend(&a));
	must(b, b->ops->copy(b->q, half, a.o, outs * sizeof(*half), LK_D2H));
	must(b, b->ops->copy(b->q, half + outs, a.dqkv, (*n - outs) * sizeof(*half), LK_D2H));
	must(b, b->ops->sync(b->q));
	for (size_t i = 0; i < *n; i++) {
		uint32_t bits = (uint32_t)half[i] << 16;

		memcpy(&all[i], &bits, sizeof(bits));
	}
	says = last_choice(b, text, sizeof(text));
	(void)snprintf(note, size, "%s", says ? says : "own");
	free(half);
	attend_close(&a);
	return all;
}

/* Our attention against the one that is chosen if nobody says which. Both round probabilities to bf16:
 * one part in 2^8 of each, of which sums over many keep less. */
static int compare_attention(struct bench *b, size_t t)
{
	char note[4096], other[4096];
	double d = 0, all = 0;
	struct row r = { .part = "attention",
		.what = "against own",
		.unit = "difference",
		.limit = 1e-2,
		.note = other };
	float *x, *y;
	size_t n;

	must(b, choose(b, LK_ATTENTION_OWN, 1));
	x = results(b, t, &n, note, sizeof(note));
	must(b, choose(b, LK_ATTENTION_AUTO, 1));
	y = results(b, t, &n, other, sizeof(other));
	for (size_t i = 0; i < n; i++) {
		d += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
		all += (double)x[i] * (double)x[i];
	}
	free(x);
	free(y);
	r.value = sqrt(d / all);
	row_put(&r, "%zu", t);
	return !(r.value <= r.limit);
}

int bench_attention(struct bench *b)
{
	static const struct {
		const char *what;
		enum lk_attention attention;
		int repeatable;
	} ways[] = { { "own", LK_ATTENTION_OWN, 1 }, { "cuDNN", LK_ATTENTION_CUDNN, 1 },
		{ "cuDNN, any order", LK_ATTENTION_CUDNN, 0 } };
	static const size_t length[] = { 1024, 4096, 16384, 32768 };

	for (size_t i = 0; i < sizeof(length) / sizeof(length[0]); i++)
		for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
			size_t t = b->small ? length[i] / 256 : length[i];
			struct row r = { .part = "attention", .what = ways[w].what };

			if (choose(b, ways[w].attention, ways[w].repeatable) < 0) {
				r.note = b->ops->message(b->q);
				row_put(&r, "%zu", t);
				continue;
			}
			time_attention(b, ways[w].what, b->small ? 1 : 32768 / t, t);
		}
	return compare_attention(b, b->small ? 48 : 2048);
}
