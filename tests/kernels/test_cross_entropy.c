#include "tests/kernels/lk_test.h"

struct ce_data {
	size_t rows, v, ld;
	int logp_only, grad_only, in_place, unweighted;
	size_t ranks; /* slices of the vocabulary; 0: cross_entropy() on the whole */
	uint32_t *label;
	lk_real *x, *weight;
};

static void ce_make(struct ce_data *d, size_t rows, size_t v, size_t ld)
{
	*d = (struct ce_data){ .rows = rows,
		.v = v,
		.ld = ld,
		.x = t_fill(1, rows * ld, 9),
		.weight = t_fill(2, rows, 2),
		.label = t_alloc(rows, sizeof(*d->label)) };
	for (size_t r = 0; r < rows; r++) {
		d->label[r] = (uint32_t)(r * 7 % v);
		d->weight[r] = r % 5 == 3 ? 0 : d->weight[r];
	}
}

static void ce_free(struct ce_data *d)
{
	free(d->x);
	free(d->weight);
	free(d->label);
}

/* Slices of the vocabulary as ranks would hold them; the last one takes the remainder. */
static void ce_split(struct t_ctx *t, const struct ce_data *d, lk_real *logp, lk_act *dx,
		const lk_real *x, const uint32_t *label, const lk_real *weight)
{
	lk_real *all = t_dev(t, NULL, d->ranks * d->rows * 3 * sizeof(*all)), *stats;
	size_t part = d->v / d->ranks;

	stats = d->ranks == 1 ? all : t_dev(t, NULL, d->rows * 3 * sizeof(*stats));
	for (size_t k = 0; k < d->ranks; k++)
		t_ok(t,
				t_ops(t)->ce_stats(t_queue(t), all + k * d->rows * 3, x + k * part,
						label, d->rows,
						k + 1 < d->ranks ? part : d->v - k * part, d->ld,
						k * part));
	t_ok(t, t_ops(t)->ce_merge(t_queue(t), stats, all, d->ranks, d->rows));
	for (size_t k = 0; k < d->ranks; k++)
		t_ok(t,
				t_ops(t)->ce_grad(t_queue(t), logp,
						t_act_at(t_ops(t), dx, k * part), x + k * part,
						label, weight, stats, d->rows,
						k + 1 < d->ranks ? part : d->v - k * part, d->ld,
						k * part));
}

/* out: logp, dx. dx begins as x. */
static void ce_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct ce_data *d = arg;
	size_t bytes = d->rows * d->ld * sizeof(lk_real);
	lk_real *x = t_dev(t, d->x, bytes), *logp = t_dev(t, NULL, d->rows * sizeof(*logp));
	lk_real *weight = t_dev(t, d->weight, d->rows * sizeof(*weight));
	lk_act *dx = d->in_place ? (lk_act *)x : t_act(t, d->x, d->rows * d->ld);
	uint32_t *label = t_dev8(t, d->label, d->rows * sizeof(*label));

	if (d->ranks != 0)
		ce_split(t, d, logp, dx, x, label, weight);
	else
		t_ok(t,
				t_ops(t)->cross_entropy(t_queue(t), d->grad_only ? NULL : logp,
						d->logp_only ? NULL : dx, x, label,
						d->unweighted ? NULL : weight, d->rows, d->v,
						d->ld));
	t_get_act(t, t_get(t, out, logp, d->rows * sizeof(*logp)), dx, d->rows * d->ld);
}

static void ce_check(const struct lk_ops *ops, struct ce_data *d, lk_real *out)
{
	size_t n = d->rows * d->ld;
	double *logp = t_alloc(d->rows, sizeof(*logp)), *dx = t_alloc(n, sizeof(*dx));
	double *x = t_widen(d->x, n), *weight = t_widen(d->weight, d->rows);

	lk_ref_cross_entropy(
			logp, dx, x, d->label, d->unweighted ? NULL : weight, d->rows, d->v, d->ld);
	t_run(ops, ce_run, d, out, (n + d->rows) * sizeof(*out));
	if (!d->grad_only)
		t_near("logp", out, logp, d->rows, T_EPS * 8);
	for (size_t i = 0; i < n; i++)
		if (d->logp_only || i % d->ld >= d->v)
			assert_true(isnan(d->x[i]) ||
					out[d->rows + i] == (lk_real)t_round(ops, x[i]));
	for (size_t r = 0; r < d->rows && !d->logp_only; r++)
		t_near_act(ops, "dlogits", out + d->rows + r * d->ld, dx + r * d->ld, d->v,
				T_EPS * 16);
	free(logp), free(dx), free(x), free(weight);
}

static void test_ce(void **state)
{
	static const size_t shapes[][3] = { { 1, 1, 1 }, { 3, 17, 17 }, { 17, 33, 40 },
		{ 5, 127, 127 }, { 9, 4097, 4100 }, { 2, 9000, 9000 }, { 1, 300001, 300001 } };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(shapes); k++) {
		struct ce_data d;
		size_t n;
		lk_real *all, *out;

		ce_make(&d, shapes[k][0], shapes[k][1], shapes[k][2]);
		n = d.rows * d.ld + d.rows;
		all = t_alloc(n, sizeof(*all));
		out = t_alloc(n, sizeof(*out));
		d.unweighted = 1;
		ce_check(ops, &d, all);
		d.unweighted = 0;
		ce_check(ops, &d, all);
		d.in_place = !t_is_bf16(ops);
		ce_check(ops, &d, out);
		assert_memory_equal(all, out, n * sizeof(*out));
		d.in_place = 0;
		d.logp_only = 1;
		ce_check(ops, &d, out);
		assert_memory_equal(all, out, d.rows * sizeof(*out));
		d.logp_only = 0;
		d.grad_only = 1;
		ce_check(ops, &d, out);
		assert_memory_equal(all + d.rows, out + d.rows, (n - d.rows) * sizeof(*out));
		d.grad_only = 0;
		d.ranks = 1;
		ce_check(ops, &d, out);
		assert_memory_equal(all, out, n * sizeof(*out));
		d.ranks = d.v > 3 ? 3 : 1;
		ce_check(ops, &d, out);
		free(all);
		free(out);
		ce_free(&d);
	}
}

/* A row of weight 0 has gradient 0, whatever its logits are. */
static void test_no_weight(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t ranks = 0; ranks < 3; ranks++) {
		struct ce_data d;
		lk_real out[2 * 101];

		ce_make(&d, 2, 100, 100);
		d.ranks = ranks;
		d.weight[0] = 0;
		d.weight[1] = 1;
		d.x[30] = (lk_real)NAN;
		d.x[70] = (lk_real)INFINITY;
		t_run(ops, ce_run, &d, out, sizeof(out));
		assert_true(isnan(out[0]) && isfinite(out[1]));
		for (size_t j = 0; j < 100; j++)
			assert_true(out[2 + j] == 0 && isfinite(out[102 + j]));
		ce_free(&d);
	}
}

/* One logit far above the rest, at every position of a vector: nothing overflows. */
static void test_large(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t at = 0; at < 127; at++) {
		struct ce_data d;
		lk_real out[2 * 128];

		ce_make(&d, 2, 127, 127);
		d.x[at] = 1000;
		d.x[127 + at] = -1000;
		ce_check(ops, &d, out);
		ce_free(&d);
	}
}

/* Logits of -infinity, single ones and a whole block, are impossible and change nothing else. */
static void test_masked(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t ranks = 0; ranks < 3; ranks++) {
		struct ce_data d;
		lk_real *out = t_alloc(2 * 12001, sizeof(*out));

		ce_make(&d, 2, 12000, 12000);
		d.ranks = ranks;
		for (size_t j = 4000; j < 9000; j++)
			d.x[j] = (lk_real)-INFINITY;
		d.x[12000 + 5] = (lk_real)-INFINITY;
		ce_check(ops, &d, out);
		for (size_t j = 4000; j < 9000; j++)
			assert_true(out[2 + j] == 0);
		assert_true(isfinite(out[0]) && isfinite(out[1]) && out[2 + 12005] == 0);
		free(out);
		ce_free(&d);
	}
}

static void test_not_finite(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t at = 0; at < 100; at += 33) {
		struct ce_data d;
		lk_real out[101];

		ce_make(&d, 1, 100, 100);
		d.weight[0] = 1;
		d.x[at] = (lk_real)NAN;
		t_run(ops, ce_run, &d, out, sizeof(out));
		assert_true(isnan(out[0]));
		assert_true(isnan(out[1]));
		ce_free(&d);
	}
}

/*
 * The error of the exponential, measured through ce_grad: with maximum 0, sum 1, weight 1 and the
 * label in another slice it turns x into exp(x), here for 0 >= x >= -87 (-708).
 */
#define EXP_N 400000

static void exp_run(struct t_ctx *t, const void *arg, void *out)
{
	const lk_real one[3] = { 0, 1, 0 };
	const uint32_t host = 1 << 30;
	lk_real *x = t_dev(t, arg, EXP_N * sizeof(*x)), *stats = t_dev(t, one, sizeof(one));
	uint32_t *label = t_dev8(t, &host, sizeof(host));

	t_ok(t, t_ops(t)->ce_grad(t_queue(t), NULL, x, x, label, NULL, stats, 1, EXP_N, 0, 0));
	t_get(t, out, x, EXP_N * sizeof(*x));
}

static void test_exp(void **state)
{
	const double low = sizeof(lk_real) == sizeof(float) ? -87 : -708;
	lk_real *x = t_alloc(EXP_N, sizeof(*x)), *y = t_alloc(EXP_N, sizeof(*y));
	const struct lk_ops *ops;

	(void)state;
	for (size_t i = 0; i < EXP_N; i++) {
		x[i] = (lk_real)((t_rand(3, i) - 1) * (i % 2 == 0 ? 0.5 * -low : 0.5));
		if (i % 16 == 0)
			x[i] = (lk_real)-pow(2, -20 * (t_rand(4, i) + 1));
	}
	x[0] = 0;
	x[1] = (lk_real)(low - 1e-3 * fabs(low));
	x[2] = (lk_real)-INFINITY;
	x[3] = (lk_real)NAN;
	T_EACH(ops)
	{
		double worst = 0;

		if (t_is_bf16(ops)) /* which would round what is measured */
			continue;
		t_run(ops, exp_run, x, y, EXP_N * sizeof(*y));
		assert_true(y[0] == 1);
		assert_true(y[1] == 0);
		assert_true(y[2] == 0);
		assert_true(isnan(y[3]));
		for (size_t i = 4; i < EXP_N; i++) {
			long double want = expl((long double)x[i]);
			long double ulp = ldexpl(T_EPS > 1e-10 ? 0x1p-23L : 0x1p-52L, ilogbl(want));
			double e = (double)(fabsl((long double)y[i] - want) / ulp);

			worst = e > worst ? e : worst;
		}
		print_message("# %s: exp within %.3f ulp\n", ops->name, worst);
		assert_true(worst < 1.5);
	}
	free(x);
	free(y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ce),
		cmocka_unit_test(test_no_weight),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_not_finite),
		cmocka_unit_test(test_exp),
	};

	return cmocka_run_group_tests_name("kernels/cross_entropy", tests, NULL, NULL);
}
