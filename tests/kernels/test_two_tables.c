/*
 * One table of operations and shapes, over two tables of operations at a time: on the emulated GPU and
 * on a GPU the CPU's best and the GPU's, otherwise the CPU's plainest and each of its others; or those
 * that the command line names, `test_two_tables "cpu base" "cuda f32"`. Odd shapes, and cuts of those
 * of a model of 7 billion parameters. t_run() adds what it does in every test: outputs that begin as
 * NaNs, guarded buffers, the same bits again in other runs.
 *
 * An error is relative to the largest value of the same output, and its limit a number of roundings
 * (T_EPS), with the reason beside it; for bf16 also one in roundings of bf16 (T_BF16), where operands
 * that the operation makes itself are rounded on one side or both. Where an output is bf16, an element
 * may besides be the next number of bf16, since each table rounds it once.
 */
#include "tests/kernels/lk_test.h"

#define MOST_PARTS 6

/* A run of one row of the table; without `t`, the outputs are only counted. */
struct io {
	struct t_ctx *t;
	const struct lk_ops *ops;
	struct lk_queue *q;
	lk_real *out; /* the next output */
	size_t n, parts, size[MOST_PARTS];
	bool act[MOST_PARTS];
};

#define DO(x, ...)                                           \
	do {                                                 \
		if ((x)->t)                                  \
			t_ok((x)->t, (x)->ops->__VA_ARGS__); \
	} while (0)

/* n random numbers; scale 0: a buffer for an output. */
static void *acts(struct io *x, uint64_t seed, size_t n, double scale)
{
	lk_real *init = x->t && scale > 0 ? t_fill_act(x->ops, seed, n, scale) : NULL;
	void *dev = x->t ? t_act(x->t, init, n) : NULL;

	free(init);
	return dev;
}

static lk_real *reals(struct io *x, uint64_t seed, size_t n, double scale)
{
	lk_real *init = x->t && scale > 0 ? t_fill(seed, n, scale) : NULL;
	lk_real *dev = x->t ? t_dev(x->t, init, n * sizeof(*dev)) : NULL;

	free(init);
	return dev;
}

static uint32_t *whole(struct io *x, uint64_t seed, size_t n, size_t below)
{
	uint32_t *init = t_alloc(n, sizeof(*init)), *dev;

	for (size_t i = 0; i < n; i++)
		init[i] = (uint32_t)((t_rand(seed, i) + 1) / 2 * (double)below);
	dev = x->t ? t_dev8(x->t, init, n * sizeof(*dev)) : NULL;
	free(init);
	return dev;
}

static void part(struct io *x, size_t n, bool act)
{
	assert_true(x->parts < MOST_PARTS);
	x->size[x->parts] = n;
	x->act[x->parts++] = act;
	x->n += n;
}

static void out_acts(struct io *x, const void *dev, size_t n)
{
	part(x, n, true);
	if (x->t)
		x->out = t_get_act(x->t, x->out, dev, n);
}

static void out_reals(struct io *x, const lk_real *dev, size_t n)
{
	part(x, n, false);
	if (x->t)
		x->out = t_get(x->t, x->out, dev, n * sizeof(*dev));
}

/* Doubles, rounded for the comparison. */
static void out_doubles(struct io *x, const double *dev, size_t n)
{
	double *host = t_alloc(n, sizeof(*host));

	part(x, n, false);
	if (x->t) {
		t_get(x->t, host, dev, n * sizeof(*host));
		for (size_t i = 0; i < n; i++)
			*x->out++ = (lk_real)host[i];
	}
	free(host);
}

/* --- the operations; s[] is the shape ------------------------------------------------------------ */

static void to_act(struct io *x, const size_t *s)
{
	void *y = acts(x, 0, s[0], 0), *a = acts(x, 1, s[0], 1), *b = acts(x, 2, s[0], 1);
	lk_real *r = reals(x, 3, s[0], 2), *r2 = reals(x, 4, s[0], 1);

	DO(x, to_act(x->q, y, r, s[0]));
	DO(x, add(x->q, a, a, b, s[0]));
	DO(x, accumulate(x->q, r, r2, s[0]));
	out_acts(x, y, s[0]);
	out_acts(x, a, s[0]);
	out_reals(x, r, s[0]);
}

/* s: rows, n, vocabulary */
static void embed(struct io *x, const size_t *s)
{
	uint32_t *ids = t_alloc(4 * s[0] + 1, sizeof(*ids)), *id = ids + s[0], *begin = id + s[0];
	uint32_t *row = begin + s[0] + 1;
	struct lk_ids sorted = { .rows = s[0] };
	void *w = acts(x, 1, s[2] * s[1], 1), *dy = acts(x, 2, s[0] * s[1], 1);
	void *y = acts(x, 0, s[0] * s[1], 0);
	lk_real *dw = reals(x, 3, s[2] * s[1], 1);

	for (size_t i = 0; i < s[0]; i++)
		ids[i] = (uint32_t)((t_rand(5, i) + 1) / 2 * (double)s[2]);
	sorted.segments = lk_sort_ids(id, begin, row, ids, s[0]);
	if (x->t) {
		sorted.id = t_dev8(x->t, id, sorted.segments * sizeof(*id));
		sorted.begin = t_dev8(x->t, begin, (sorted.segments + 1) * sizeof(*id));
		sorted.row = t_dev8(x->t, row, s[0] * sizeof(*id));
	}
	DO(x, embed(x->q, y, w, whole(x, 5, s[0], s[2]), s[0], s[1], 0, s[2]));
	DO(x, embed_back(x->q, dw, dy, &sorted, s[1], 0, s[2], 1));
	out_acts(x, y, s[0] * s[1]);
	out_reals(x, dw, s[2] * s[1]);
	free(ids);
}

/* s: rows, n */
static void rmsnorm(struct io *x, const size_t *s)
{
	size_t n = s[0] * s[1];
	void *in = acts(x, 1, n, 3), *res = acts(x, 2, n, 2), *y = acts(x, 0, n, 0);
	void *sum = acts(x, 0, n, 0), *dy = acts(x, 4, n, 1), *dx = acts(x, 0, n, 0);
	lk_real *w = reals(x, 3, s[1], 1), *rstd = reals(x, 0, s[0], 0), *dw = reals(x, 5, s[1], 1);

	DO(x, rmsnorm(x->q, y, rstd, sum, in, res, w, s[0], s[1], 1e-5));
	DO(x, rmsnorm_back(x->q, dx, dw, dy, res, sum, w, rstd, s[0], s[1], 1));
	out_acts(x, y, n);
	out_acts(x, sum, n);
	out_reals(x, rstd, s[0]);
	out_acts(x, dx, n);
	out_reals(x, dw, s[1]);
}

/* s: rows, heads, dim */
static void rope(struct io *x, const size_t *s)
{
	size_t n = s[0] * s[1] * s[2];
	double *freq = t_alloc(s[2] / 2, sizeof(*freq));
	lk_real *table = reals(x, 0, 300 * s[2], 0);
	void *y = acts(x, 1, n, 1);

	for (size_t i = 0; i < s[2] / 2; i++)
		freq[i] = pow(500000, -2 * (double)i / (double)s[2]);
	DO(x, rope_table(x->q, table, 7, 300, s[2], freq));
	DO(x, rope(x->q, y, table, whole(x, 2, s[0], 300), 0, s[0], s[1], s[2], 0, 0));
	out_reals(x, table, 300 * s[2]);
	out_acts(x, y, n);
	free(freq);
}

/* s: tokens, heads, key heads, dim, longest document or 0 */
static void attention(struct io *x, const size_t *s)
{
	struct lk_attn at = {
		.batch = 1, .tq = s[0], .tk = s[0], .heads = s[1], .kv_heads = s[2], .dim = s[3]
	};
	size_t nq = s[0] * s[1] * s[3], nk = s[0] * s[2] * s[3];
	void *q = acts(x, 1, nq, 2), *k = acts(x, 2, nk, 2), *v = acts(x, 3, nk, 1);
	void *o = acts(x, 0, nq, 0), *back = acts(x, 4, nq, 1), *dq = acts(x, 0, nq, 0);
	void *dk = acts(x, 0, nk, 0), *dv = acts(x, 0, nk, 0);
	lk_real *lse = reals(x, 0, s[0] * s[1], 0);
	uint32_t *pos = t_alloc(s[0], sizeof(*pos));

	for (size_t i = 1; i < s[0]; i++)
		pos[i] = pos[i - 1] + 1 < s[4] * (size_t)(1 + i % 3) / 3 ? pos[i - 1] + 1 : 0;
	if (s[4] > 0 && x->t)
		at.pos = t_dev8(x->t, pos, s[0] * sizeof(*pos));
	DO(x, attention(x->q, &at, o, lse, q, k, v));
	DO(x, attention_back(x->q, &at, dq, dk, dv, back, o, lse, q, k, v));
	out_acts(x, o, nq);
	out_reals(x, lse, s[0] * s[1]);
	out_acts(x, dq, nq);
	out_acts(x, dk, nk);
	out_acts(x, dv, nk);
	free(pos);
}

/* s: rows, f */
static void swiglu(struct io *x, const size_t *s)
{
	size_t n = s[0] * s[1];
	void *gu = acts(x, 1, 2 * n, 4), *y = acts(x, 0, n, 0), *dy = acts(x, 2, n, 1);
	void *dgu = acts(x, 0, 2 * n, 0);

	DO(x, swiglu(x->q, y, gu, s[0], s[1]));
	DO(x, swiglu_back(x->q, dgu, dy, dy, gu, s[0], s[1]));
	out_acts(x, y, n);
	out_acts(x, dy, n);
	out_acts(x, dgu, 2 * n);
}

/* s: rows, vocabulary */
static void cross_entropy(struct io *x, const size_t *s)
{
	size_t n = s[0] * s[1];
	lk_real *logits = reals(x, 1, n, 9), *weight = reals(x, 2, s[0], 2);
	lk_real *logp = reals(x, 0, s[0], 0), *stats = reals(x, 0, 3 * s[0], 0);
	uint32_t *label = whole(x, 3, s[0], s[1]);
	void *dx = acts(x, 0, n, 0), *again = acts(x, 0, n, 0);

	DO(x, cross_entropy(x->q, logp, dx, logits, label, weight, s[0], s[1], 0));
	DO(x, ce_stats(x->q, stats, logits, label, s[0], s[1], 0, 0));
	DO(x, ce_merge(x->q, stats, stats, 1, s[0]));
	DO(x, ce_grad(x->q, NULL, again, logits, label, weight, stats, s[0], s[1], 0, 0));
	out_reals(x, logp, s[0]);
	out_reals(x, stats, 3 * s[0]);
	out_acts(x, dx, n);
	out_acts(x, again, n);
}

/* s: rows, out, in */
static void linear(struct io *x, const size_t *s)
{
	struct lk_gemm y = lk_linear(s[0], s[1], s[2]), dx = lk_linear_dx(s[0], s[1], s[2]);
	struct lk_gemm dw = lk_linear_dw(s[0], s[1], s[2]);
	void *in = acts(x, 1, s[0] * s[2], 1), *w = acts(x, 2, s[1] * s[2], 1);
	void *to = acts(x, 0, s[0] * s[1], 0), *back = acts(x, 3, s[0] * s[1], 1);
	void *din = acts(x, 0, s[0] * s[2], 0);
	lk_real *grad = reals(x, 4, s[1] * s[2], 1);

	DO(x, gemm(x->q, &y, to, in, w, NULL));
	DO(x, gemm(x->q, &dx, din, back, w, NULL));
	DO(x, gemm(x->q, &dw, grad, back, in, grad));
	out_acts(x, to, s[0] * s[1]);
	out_acts(x, din, s[0] * s[2]);
	out_reals(x, grad, s[1] * s[2]);
}

/* s: elements, lanes */
static void sums(struct io *x, const size_t *s)
{
	size_t chunks = (s[0] + LK_NORM_CHUNK - 1) / LK_NORM_CHUNK;
	lk_real *r = reals(x, 1, s[0] * s[1], 1), *w = reals(x, 2, s[0], 1);
	double *part_sums = x->t ? t_dev8(x->t, NULL, chunks * sizeof(double)) : NULL;
	double *out = x->t ? t_dev8(x->t, NULL, 2 * sizeof(double)) : NULL;

	DO(x, loss(x->q, out, r, w, s[0]));
	DO(x, lane_sum(x->q, r, s[1], s[0], s[0], part_sums));
	DO(x, sum(x->q, out + (x->t ? 1 : 0), part_sums, chunks));
	out_reals(x, r, s[0]);
	out_doubles(x, part_sums, chunks);
	out_doubles(x, out, 2);
}

/* s: elements */
static void adamw(struct io *x, const size_t *s)
{
	const struct lk_adamw h = { .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1 };
	const struct lk_step step = {
		.lr = 1e-3, .bias1 = 0.2, .bias2 = 0.1, .clip = 0.7, .finite = 1
	};
	lk_real *p = reals(x, 1, s[0], 1), *m = reals(x, 2, s[0], 0.1), *g = reals(x, 3, s[0], 1);
	lk_real *init = t_fill(4, s[0], 0.01), *v;
	void *copy = acts(x, 0, s[0], 0);

	for (size_t i = 0; i < s[0]; i++)
		init[i] *= init[i];
	v = x->t ? t_dev(x->t, init, s[0] * sizeof(*v)) : NULL;
	DO(x, adamw(x->q, p, m, v, g, copy, s[0], &h, t_dev8(x->t, &step, sizeof(step))));
	out_reals(x, p, s[0]);
	out_reals(x, m, s[0]);
	out_reals(x, v, s[0]);
	out_acts(x, copy, s[0]);
	free(init);
}

/* --- the table ----------------------------------------------------------------------------------- */

struct row {
	const char *name;
	void (*run)(struct io *x, const size_t *s);
	double limit, limit16; /* in T_EPS and in T_BF16 */
	const char *why;
	size_t shapes[5][5]; /* the first number of a shape is not 0 */
};

static const struct row rows[] = {
	{ "to_act, add, accumulate", to_act, 1, 0, "one rounding",
			{ { 1 }, { 17 }, { 4099 }, { 65536 } } },
	{ "embed", embed, 16, 0, "a sum over the rows of an id",
			{ { 5, 3, 7 }, { 133, 127, 24 }, { 40, 4096, 50 } } },
	{ "rmsnorm", rmsnorm, 64, 0, "sums over a row, and over rows for dw, in any order",
			{ { 1, 1 }, { 3, 17 }, { 33, 127 }, { 40, 4096 } } },
	{ "rope", rope, 8, 0, "sine and cosine within two roundings, two products and a sum",
			{ { 3, 1, 2 }, { 17, 3, 10 }, { 40, 32, 128 } } },
	{ "attention", attention, 1200, 4,
			"sums over keys and dim, exp and division; probabilities and differences "
			"in bf16",
			{ { 1, 1, 1, 1, 0 }, { 17, 2, 1, 3, 0 }, { 130, 4, 2, 64, 40 },
					{ 65, 1, 1, 128, 0 }, { 200, 4, 1, 128, 90 } } },
	{ "swiglu", swiglu, 16, 0, "exp within two roundings, a division and products",
			{ { 1, 1 }, { 17, 33 }, { 3, 12288 } } },
	{ "cross_entropy", cross_entropy, 128, 0, "a sum over the vocabulary and its logarithm",
			{ { 1, 1 }, { 5, 127 }, { 2, 65024 } } },
	{ "linear", linear, 600, 0, "sums of up to 4,096 products in any order",
			{ { 1, 1, 1 }, { 3, 17, 127 }, { 33, 70, 130 }, { 8, 96, 4096 } } },
	{ "sums", sums, 16, 0,
			"lanes and chunks have a fixed order, a square or product is rounded once",
			{ { 1, 1 }, { 4097, 3 }, { 20000, 4 } } },
	{ "adamw", adamw, 16, 0, "a square root, divisions and sums, each rounded",
			{ { 1 }, { 4099 } } },
};

struct job {
	const struct row *row;
	const size_t *shape;
};

static void run_job(struct t_ctx *t, const void *arg, void *out)
{
	const struct job *j = arg;
	struct io x = { .t = t, .ops = t_ops(t), .q = t_queue(t), .out = out };

	j->row->run(&x, j->shape);
}

static void compare(const struct row *row, const size_t *s, const struct lk_ops *a,
		const struct lk_ops *b)
{
	const struct job j = { row, s };
	struct io count = { .ops = a };
	lk_real *x, *y;

	row->run(&count, s);
	x = t_alloc(count.n, sizeof(*x));
	y = t_alloc(count.n, sizeof(*y));
	t_run(a, run_job, &j, x, count.n * sizeof(*x));
	t_run(b, run_job, &j, y, count.n * sizeof(*y));
	for (size_t p = 0, at = 0; p < count.parts; at += count.size[p++]) {
		double limit = row->limit + (t_is_bf16(a) ? row->limit16 * T_BF16 / T_EPS : 0);
		double most = 1e-3, own = count.act[p] && t_is_bf16(a) ? 2 * T_BF16 : 0, worst = 0;

		for (size_t i = 0; i < count.size[p]; i++)
			most = fmax(most, fabs((double)x[at + i]));
		for (size_t i = 0; i < count.size[p]; i++) {
			double u = (double)x[at + i], v = (double)y[at + i], e;

			if (u == v)
				continue;
			e = (fabs(u - v) - own * fabs(u)) / most / T_EPS;
			worst = fmax(worst, e);
			if (!(e <= limit))
				fail_msg("%s %zu %zu %zu %zu %zu, output %zu [%zu of %zu]: %s "
					 "%.9g, "
					 "%s %.9g: %.0f roundings of %g, above %.0f (%s)",
						row->name, s[0], s[1], s[2], s[3], s[4], p, i,
						count.size[p], a->name, u, b->name, v, e, most,
						limit, row->why);
		}
		if (worst > limit / 4)
			print_message("# %s, output %zu: %.0f of %.0f roundings\n", row->name, p,
					worst, limit);
	}
	free(x), free(y);
}

/* What b is compared with. */
static const struct lk_ops *other(const struct lk_ops *b)
{
	enum lk_type act = t_is_bf16(b) ? LK_BF16 : LK_REAL;

	return t_on_cpu(b) ? lk_cpu_ops_isa("base", act) : lk_cpu_ops(act);
}

static void check_rows(const struct lk_ops *a, const struct lk_ops *b)
{
	for (size_t r = 0; r < T_LEN(rows); r++)
		for (size_t k = 0; k < T_LEN(rows[r].shapes) && rows[r].shapes[k][0] > 0; k++)
			compare(&rows[r], rows[r].shapes[k], a, b);
}

static void test_rows(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	if (ops != other(ops))
		check_rows(other(ops), ops);
}

static const char *const *asked; /* the names of two tables */

/* The table of this name, among those that are tested here and those that they are compared with. */
static const struct lk_ops *named(const char *name)
{
	const struct lk_ops *ops;

	T_EACH(ops)
	{
		if (strcmp(ops->name, name) == 0)
			return ops;
		if (strcmp(other(ops)->name, name) == 0)
			return other(ops);
	}
	fail_msg("no table is called %s", name);
	return NULL;
}

static void test_asked(void **state)
{
	(void)state;
	check_rows(named(asked[0]), named(asked[1]));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	const struct CMUnitTest one[] = { cmocka_unit_test(test_asked) };

	if (argc == 3) {
		asked = (const char *const *)argv + 1;
		return cmocka_run_group_tests_name("kernels/two_tables", one, NULL, NULL);
	}
	return cmocka_run_group_tests_name("kernels/two_tables", tests, NULL, NULL);
}
