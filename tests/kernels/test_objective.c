/* What training minimises besides cross-entropy: preferences of pairs, and a teacher's distribution. */
#include "tests/kernels/lk_test.h"

/* --- preferences ------------------------------------------------------------------------------ */

struct dpo_data {
	struct lk_dpo d;
	lk_real *weight, *logp;
	double *reference;
};

static void dpo_make(struct dpo_data *x, size_t pairs, size_t t, int normalized)
{
	size_t rows = 2 * pairs * t;

	*x = (struct dpo_data){ .d = { pairs, t, 0.1, normalized },
		.weight = t_fill(1, rows, 1),
		.logp = t_fill(2, rows, 4),
		.reference = t_alloc(2 * pairs, sizeof(double)) };
	for (size_t r = 0; r < rows; r++) {
		/* The second answer of the last pair has no row that counts. */
		x->weight[r] = r % 5 < 3 && r + t < rows ? (lk_real)(1 + r % 2) : 0;
		x->logp[r] -= 4;
	}
	for (size_t i = 0; i < 2 * pairs; i++)
		x->reference[i] = -3.0 * (double)t * (1 + t_rand(3, i) / 4);
}

static void dpo_free(struct dpo_data *x)
{
	free(x->weight), free(x->logp), free(x->reference);
}

/* out: the sums, then the weights. */
static void dpo_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct dpo_data *x = arg;
	size_t rows = 2 * x->d.pairs * x->d.t;
	lk_real *w = t_dev(t, x->weight, rows * sizeof(*w)),
		*logp = t_dev(t, x->logp, rows * sizeof(*logp));
	double *reference = t_dev8(t, x->reference, 2 * x->d.pairs * sizeof(double));
	double *sums = t_dev8(t, NULL, 3 * LK_SUMS * sizeof(*sums));
	char *to = out;

	t_ok(t, t_ops(t)->dpo(t_queue(t), sums, 3, w, logp, reference, &x->d));
	for (size_t k = 0; k < LK_SUMS; k++)
		to = t_get(t, to, sums + 3 * k, sizeof(*sums));
	t_get(t, to, w, rows * sizeof(*w));
}

static void dpo_check(const struct lk_ops *ops, const struct dpo_data *x)
{
	size_t rows = 2 * x->d.pairs * x->d.t, bytes = LK_SUMS * sizeof(double);
	double *w = t_widen(x->weight, rows), *logp = t_widen(x->logp, rows), want[LK_SUMS];
	char *out = t_alloc(bytes + rows * sizeof(lk_real), 1);
	double got[LK_SUMS];

	lk_ref_dpo(want, w, logp, x->reference, &x->d);
	t_run(ops, dpo_run, x, out, bytes + rows * sizeof(lk_real));
	memcpy(got, out, sizeof(got));
	for (size_t k = 0; k < LK_SUMS; k++)
		assert_true(fabs(got[k] - want[k]) <= 1e-11 * (1 + fabs(want[k])));
	t_near("weights", (const lk_real *)(const void *)(out + bytes), w, rows, T_EPS * 4);
	free(w), free(logp), free(out);
}

static void test_dpo(void **state)
{
	static const size_t shapes[][2] = { { 0, 3 }, { 1, 1 }, { 1, 33 }, { 3, 64 }, { 7, 300 } };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < 2 * T_LEN(shapes); k++) {
		struct dpo_data x;

		dpo_make(&x, shapes[k / 2][0], shapes[k / 2][1], k % 2);
		dpo_check(ops, &x);
		dpo_free(&x);
	}
}

/* Equal models: loss ln 2, margin 0, nobody is right, and both answers pull alike. Rows that do not
 * count may have any log p. */
static void test_dpo_begin(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct {
			double sums[LK_SUMS];
			lk_real weight[4];
		} out;
		lk_real weight[] = { 1, 0, 1, 1 }, logp[] = { -2, -(lk_real)INFINITY, -1, -4 };
		double reference[] = { -2, -5 };
		struct dpo_data x = { { 1, 2, 0.5, 0 }, weight, logp, reference };

		t_run(ops, dpo_run, &x, &out, sizeof(out));
		assert_true(fabs(out.sums[LK_SUM_LOSS] - log(2)) < 1e-15);
		assert_true(out.sums[LK_SUM_WEIGHTS] == 1 && out.sums[LK_SUM_RIGHT] == 0);
		assert_true(out.sums[LK_SUM_CHOSEN] == 0 && out.sums[LK_SUM_REJECTED] == 0);
		assert_true(out.weight[0] == (lk_real)0.25 && out.weight[1] == 0);
		assert_true(out.weight[2] == (lk_real)-0.25 && out.weight[3] == (lk_real)-0.25);
		/* Sure and right, sure and wrong: nothing overflows. */
		for (int right = 0; right < 2; right++) {
			reference[0] = right ? -1e4 : 1e4;
			t_run(ops, dpo_run, &x, &out, sizeof(out));
			assert_true(right ? out.sums[LK_SUM_LOSS] == 0
					  : fabs(out.sums[LK_SUM_LOSS] - 5001) < 1e-9);
			assert_true(out.sums[LK_SUM_RIGHT] == right);
			assert_true(out.weight[0] == (lk_real)(right ? 0 : 0.5));
		}
	}
}

/* --- distillation ----------------------------------------------------------------------------- */

struct kl_data {
	size_t rows, v, ld, n, ranks;
	double teacher;
	int in_place, unweighted;
	uint32_t *label, *top;
	lk_real *x, *weight, *top_logp;
};

static void kl_make(struct kl_data *d, size_t rows, size_t v, size_t ld, size_t n, double mass)
{
	*d = (struct kl_data){ .rows = rows,
		.v = v,
		.ld = ld,
		.n = n,
		.ranks = 1,
		.teacher = 1,
		.label = t_alloc(rows, sizeof(*d->label)),
		.top = t_alloc(rows * n, sizeof(*d->top)),
		.x = t_fill(1, rows * ld, 5),
		.weight = t_fill(2, rows, 2),
		.top_logp = t_alloc(rows * n, sizeof(*d->top_logp)) };
	for (size_t r = 0; r < rows; r++) {
		d->label[r] = (uint32_t)(r * 7 % v);
		d->weight[r] = r % 5 == 3 ? 0 : d->weight[r];
		for (size_t i = 0; i < n; i++) {
			/* All different, here and there the label; a share of the mass each. */
			d->top[r * n + i] = (uint32_t)((r + i * (v / n)) % v);
			d->top_logp[r * n + i] = (lk_real)log(
					mass * 2 * (double)(i + 1) / (double)(n * (n + 1)));
		}
	}
}

static void kl_free(struct kl_data *d)
{
	free(d->label), free(d->top), free(d->x), free(d->weight), free(d->top_logp);
}

/* out: rows of the loss, dx. */
static void kl_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct kl_data *d = arg;
	size_t part = d->v / d->ranks, width = 3 + d->n, many = d->rows * d->n;
	lk_real *x = t_dev(t, d->x, d->rows * d->ld * sizeof(*x));
	lk_real *loss = t_dev(t, NULL, d->rows * sizeof(*loss)), *stats;
	lk_real *all = t_dev(t, NULL, d->ranks * d->rows * width * sizeof(*all));
	lk_act *dx = d->in_place ? (lk_act *)x : t_act(t, d->x, d->rows * d->ld);
	const struct lk_kl k = { d->n, t_dev8(t, d->label, d->rows * sizeof(*d->label)),
		t_dev8(t, d->top, many * sizeof(*d->top)),
		t_dev(t, d->top_logp, many * sizeof(*d->top_logp)),
		d->unweighted ? NULL : t_dev(t, d->weight, d->rows * sizeof(*d->weight)),
		d->teacher };

	stats = d->ranks == 1 ? all : t_dev(t, NULL, d->rows * width * sizeof(*stats));
	for (size_t i = 0; i < d->ranks; i++)
		t_ok(t,
				t_ops(t)->kl_stats(t_queue(t), all + i * d->rows * width,
						x + i * part, k.label, k.top, d->n, d->rows,
						i + 1 < d->ranks ? part : d->v - i * part, d->ld,
						i * part));
	t_ok(t, t_ops(t)->kl_merge(t_queue(t), stats, all, d->ranks, d->rows, d->n));
	for (size_t i = 0; i < d->ranks; i++)
		t_ok(t,
				t_ops(t)->kl_grad(t_queue(t), loss,
						t_act_at(t_ops(t), dx, i * part), x + i * part,
						stats, &k, d->rows,
						i + 1 < d->ranks ? part : d->v - i * part, d->ld,
						i * part));
	t_get_act(t, t_get(t, out, loss, d->rows * sizeof(*loss)), dx, d->rows * d->ld);
}

static void kl_check(const struct lk_ops *ops, const struct kl_data *d)
{
	size_t n = d->rows * d->ld;
	double *loss = t_alloc(d->rows, sizeof(*loss)), *dx = t_alloc(n, sizeof(*dx));
	double *x = t_widen(d->x, n);
	lk_real *out = t_alloc(n + d->rows, sizeof(*out));
	const struct lk_kl k = { d->n, d->label, d->top, d->top_logp,
		d->unweighted ? NULL : d->weight, d->teacher };

	lk_ref_kl(loss, dx, x, &k, d->rows, d->v, d->ld);
	t_run(ops, kl_run, d, out, (n + d->rows) * sizeof(*out));
	t_near("loss", out, loss, d->rows, T_EPS * 16);
	for (size_t r = 0; r < d->rows; r++)
		t_near_act(ops, "dlogits", out + d->rows + r * d->ld, dx + r * d->ld, d->v,
				T_EPS * 32);
	free(loss), free(dx), free(x), free(out);
}

static void test_kl(void **state)
{
	/* rows, columns, leading dimension, top */
	static const size_t shapes[][4] = { { 1, 2, 2, 1 }, { 3, 17, 17, 4 }, { 17, 33, 40, 33 },
		{ 5, 127, 128, 64 }, { 9, 4097, 4100, 16 } };
	static const double teachers[] = { 1, 0.25, 0 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(shapes); k++)
		for (size_t i = 0; i < T_LEN(teachers); i++) {
			struct kl_data d;

			kl_make(&d, shapes[k][0], shapes[k][1], shapes[k][2], shapes[k][3], 0.9);
			d.teacher = teachers[i];
			d.unweighted = i == 1;
			kl_check(ops, &d);
			d.in_place = !t_is_bf16(ops);
			/* With 33 tokens of 33 each slice is all top. */
			d.ranks = d.v > 3 ? 3 : 1;
			kl_check(ops, &d);
			kl_free(&d);
		}
}

/* With the teacher's share 0 it is cross-entropy; a teacher that the student equals has no gradient. */
static void test_kl_limits(void **state)
{
	enum { V = 100, N = 10 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		lk_real out[1 + V];
		double sum = 0;
		struct kl_data d;

		kl_make(&d, 1, V, V, N, 1);
		d.unweighted = 1;
		for (size_t j = 0; j < V; j++)
			sum += exp((double)d.x[j]);
		for (size_t i = 0; i < N; i++)
			d.top_logp[i] = (lk_real)((double)d.x[d.top[i]] - log(sum));
		t_run(ops, kl_run, &d, out, sizeof(out));
		assert_true(fabs((double)out[0]) < 1e-6);
		for (size_t j = 0; j < V; j++)
			assert_true(fabs((double)out[1 + j]) < 1e-6);
		kl_free(&d);
	}
}

/*
 * A student that is sure: in lk_real, 1 minus the probability of the top would be 0. The gradient of the
 * tail is that of double precision all the same, and the loss is finite where the tail underflows.
 */
static void test_kl_sure(void **state)
{
	static const double far[] = { 20, 80, 700 };
	enum { V = 50 };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t i = 0; i < T_LEN(far); i++) {
		lk_real out[1 + V];
		struct kl_data d;
		double share = 0, want;

		kl_make(&d, 1, V, V, 1, 0.75);
		d.unweighted = 1;
		d.x[d.top[0]] = (lk_real)far[i];
		t_run(ops, kl_run, &d, out, sizeof(out));
		for (size_t j = 0; j < V; j++)
			share += j == d.top[0] ? 0 : exp((double)d.x[j]);
		want = (share / (share + exp(far[i])) - 0.25) * exp((double)d.x[7]) / share;
		assert_true(fabs((double)out[8] / want - 1) < (t_is_bf16(ops) ? 5e-3 : 1e-6));
		want = 0.75 * log(0.75) + 0.25 * (log(0.25) - (log(share) - far[i]));
		assert_true(fabs((double)-out[0] / want - 1) < 1e-6);
		kl_free(&d);
	}
}

/* A row of weight 0 has no gradient, whatever its logits are; one that is not finite is seen. */
static void test_kl_bad(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t ranks = 1; ranks < 3; ranks++) {
		struct kl_data d;
		lk_real out[2 * 101];

		kl_make(&d, 2, 100, 100, 5, 0.5);
		d.ranks = ranks;
		d.weight[0] = 0;
		d.weight[1] = 1;
		d.x[30] = (lk_real)NAN;
		d.x[170] = (lk_real)NAN;
		t_run(ops, kl_run, &d, out, sizeof(out));
		assert_true(isnan(out[0]) && isnan(out[1]));
		for (size_t j = 0; j < 100; j++)
			assert_true(out[2 + j] == 0);
		assert_true(isnan(out[102 + 70]));
		kl_free(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_dpo),
		cmocka_unit_test(test_dpo_begin), cmocka_unit_test(test_kl),
		cmocka_unit_test(test_kl_limits), cmocka_unit_test(test_kl_sure),
		cmocka_unit_test(test_kl_bad) };

	return cmocka_run_group_tests_name("kernels/objective", tests, NULL, NULL);
}
