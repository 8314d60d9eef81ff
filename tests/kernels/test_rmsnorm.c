#include "tests/kernels/lk_test.h"

#define EPS 1e-5

struct norm_data {
	size_t rows, n;
	lk_real *x, *w, *dy, *res, *rstd;
	int with_res, in_place, add;
};

static void norm_make(const struct lk_ops *ops, struct norm_data *d, size_t rows, size_t n)
{
	*d = (struct norm_data){ .rows = rows,
		.n = n,
		.x = t_fill_act(ops, 1, rows * n, 3),
		.w = t_fill(2, n, 1),
		.dy = t_fill_act(ops, 3, rows * n, 1),
		.res = t_fill_act(ops, 4, rows * n, 2),
		.rstd = t_alloc(rows, sizeof(*d->rstd)) };
}

static void norm_free(struct norm_data *d)
{
	free(d->x), free(d->w), free(d->dy), free(d->res), free(d->rstd);
}

/* out: y, rstd, the sum with the residual (or y again), and y from that sum and rstd. */
static void norm_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct norm_data *d = arg;
	size_t n = d->rows * d->n;
	lk_act *x = t_act(t, d->x, n), *res = t_act(t, d->res, n), *y = t_act(t, NULL, n);
	lk_act *s = d->in_place ? x : t_act(t, NULL, n);
	lk_real *w = t_dev(t, d->w, d->n * sizeof(*w));
	lk_real *rstd = t_dev(t, NULL, d->rows * sizeof(*rstd));

	if (d->in_place && !d->with_res)
		y = x;
	t_ok(t,
			t_ops(t)->rmsnorm(t_queue(t), y, rstd, d->with_res ? s : NULL, x,
					d->with_res ? res : NULL, w, d->rows, d->n, EPS));
	out = t_get(t, t_get_act(t, out, y, n), rstd, d->rows * sizeof(*rstd));
	out = t_get_act(t, out, d->with_res ? s : y, n);
	if (d->in_place && !d->with_res) { /* x is gone */
		t_get_act(t, out, y, n);
		return;
	}
	t_ok(t,
			t_ops(t)->rmsnorm_again(t_queue(t), res, d->with_res ? s : x, w, rstd,
					d->rows, d->n));
	t_get_act(t, out, res, n);
}

/* out: dx, dw; dw begins as w. */
static void norm_back_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct norm_data *d = arg;
	size_t n = d->rows * d->n;
	lk_act *x = t_act(t, d->x, n), *dy = t_act(t, d->dy, n), *res = t_act(t, d->res, n);
	lk_act *dx = d->in_place ? d->with_res ? res : dy : t_act(t, NULL, n);
	lk_real *w = t_dev(t, d->w, d->n * sizeof(*w));
	lk_real *rstd = t_dev(t, d->rstd, d->rows * sizeof(*rstd));
	lk_real *dw = t_dev(t, d->w, d->n * sizeof(*dw));

	t_ok(t,
			t_ops(t)->rmsnorm_back(t_queue(t), dx, dw, dy, d->with_res ? res : NULL, x,
					w, rstd, d->rows, d->n, d->add));
	t_get(t, t_get_act(t, out, dx, n), dw, d->n * sizeof(*dw));
}

static void norm_check(const struct lk_ops *ops, struct norm_data *d)
{
	size_t n = d->rows * d->n;
	double *x = t_widen(d->x, n), *w = t_widen(d->w, d->n), *res = t_widen(d->res, n);
	double *dy = t_widen(d->dy, n), *y = t_alloc(n, sizeof(*y)),
	       *sum = t_alloc(n, sizeof(*sum));
	double *rstd = t_alloc(d->rows, sizeof(*rstd)), *dx = t_alloc(n, sizeof(*dx));
	double *dw = t_widen(d->w, d->n);
	lk_real *out = t_alloc(3 * n + d->rows, sizeof(*out));
	double tol = T_EPS * (16 + (double)d->n / 512); /* a sum in lk_real, longer with n */

	lk_ref_rmsnorm(y, rstd, sum, x, d->with_res ? res : NULL, w, d->rows, d->n, EPS, ops->act);
	t_run(ops, norm_run, d, out, (3 * n + d->rows) * sizeof(*out));
	t_near_act(ops, "rmsnorm y", out, y, n, tol);
	t_near("rmsnorm rstd", out + n, rstd, d->rows, tol);
	t_near_act(ops, "rmsnorm sum", out + n + d->rows, d->with_res ? sum : y, n, tol);

	assert_memory_equal(out, out + 2 * n + d->rows, n * sizeof(*out));
	lk_ref_rmsnorm_again(dx, d->with_res ? sum : x, w, rstd, d->rows, d->n);
	t_near_act(ops, "rmsnorm again", out + 2 * n + d->rows, dx, n, tol);

	/* Backward at x, with the rstd of x. */
	lk_ref_rmsnorm(y, rstd, NULL, x, NULL, w, d->rows, d->n, EPS, ops->act);
	for (size_t r = 0; r < d->rows; r++)
		d->rstd[r] = (lk_real)rstd[r];
	lk_ref_rmsnorm_back(
			dx, dw, dy, d->with_res ? res : NULL, x, w, rstd, d->rows, d->n, d->add);
	t_run(ops, norm_back_run, d, out, (n + d->n) * sizeof(*out));
	/* With one column the gradient is a difference of equal numbers. */
	t_near_act(ops, "rmsnorm dx", out, dx, n, d->n == 1 ? T_EPS * 2000 : 2 * tol);
	t_near("rmsnorm dw", out + n, dw, d->n, T_EPS * 64);
	free(x), free(w), free(res), free(dy), free(y), free(sum), free(rstd), free(dx), free(dw);
	free(out);
}

static void test_rmsnorm(void **state)
{
	static const size_t shapes[][2] = { { 1, 1 }, { 3, 17 }, { 17, 33 }, { 33, 127 },
		{ 70, 256 }, { 129, 96 }, { 5, 2304 }, { 2, 8200 }, { 1, 33000 } };
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t i = 0; i < T_LEN(shapes) * 8; i++) {
		struct norm_data d;

		norm_make(ops, &d, shapes[i / 8][0], shapes[i / 8][1]);
		d.with_res = i & 1;
		d.in_place = i >> 1 & 1;
		d.add = i >> 2 & 1;
		norm_check(ops, &d);
		norm_free(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rmsnorm) };

	return cmocka_run_group_tests_name("kernels/rmsnorm", tests, NULL, NULL);
}
