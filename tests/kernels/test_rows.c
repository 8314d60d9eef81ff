/*
 * test_rows.c: the operations that work row by row (embedding, RMSNorm, rotary positions, SwiGLU,
 * addition) against plain loops in double, and their gradients against central differences.
 */
#include "tests/kernels/lk_test.h"

static const size_t shapes[][2] = { { 1, 1 }, { 3, 17 }, { 17, 33 }, { 33, 127 }, { 70, 256 },
	{ 129, 96 } };

struct rows_data {
	size_t rows, n;
	lk_real *x, *w, *dy, *res, *rstd;
	int with_res, in_place;
};

static void rows_make(struct rows_data *d, size_t rows, size_t n)
{
	*d = (struct rows_data){ .rows = rows,
		.n = n,
		.x = t_fill(1, rows * n, 3),
		.w = t_fill(2, n, 1),
		.dy = t_fill(3, rows * n, 1),
		.res = t_fill(4, rows * n, 2),
		.rstd = t_alloc(rows, sizeof *d->rstd) };
}

static void rows_free(struct rows_data *d)
{
	free(d->x);
	free(d->w);
	free(d->dy);
	free(d->res);
	free(d->rstd);
}

/* rmsnorm: y, rstd, s */

#define NORM_EPS 1e-5

static void norm_want(
		size_t rows, size_t n, const double *s, const double *w, double *y, double *rstd)
{
	for (size_t r = 0; r < rows; r++) {
		double sq = 0;

		for (size_t i = 0; i < n; i++)
			sq += s[r * n + i] * s[r * n + i];
		rstd[r] = 1 / sqrt(sq / (double)n + NORM_EPS);
		for (size_t i = 0; i < n; i++)
			y[r * n + i] = s[r * n + i] * rstd[r] * w[i];
	}
}

static void norm_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct rows_data *d = arg;
	size_t bytes = d->rows * d->n * sizeof(lk_real);
	lk_real *x = t_dev(t, d->x, bytes), *w = t_dev(t, d->w, d->n * sizeof *w);
	lk_real *res = t_dev(t, d->res, bytes), *y = t_dev(t, NULL, bytes);
	lk_real *rstd = t_dev(t, NULL, d->rows * sizeof *rstd);
	lk_real *s = d->in_place ? x : t_dev(t, NULL, bytes);

	if (d->in_place && !d->with_res)
		y = x;
	t_ok(t,
			t->ops->rmsnorm(t->q, y, rstd, d->with_res ? s : NULL, x,
					d->with_res ? res : NULL, w, d->rows, d->n, NORM_EPS));
	out = t_get(t, t_get(t, out, y, bytes), rstd, d->rows * sizeof *rstd);
	t_get(t, out, d->with_res ? s : y, bytes);
}

static void norm_back_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct rows_data *d = arg;
	size_t bytes = d->rows * d->n * sizeof(lk_real);
	lk_real *x = t_dev(t, d->x, bytes), *w = t_dev(t, d->w, d->n * sizeof *w);
	lk_real *dy = t_dev(t, d->dy, bytes), *res = t_dev(t, d->res, bytes);
	lk_real *rstd = t_dev(t, d->rstd, d->rows * sizeof *rstd);
	lk_real *dw = t_dev(t, d->w, d->n * sizeof *dw);
	lk_real *dx = d->in_place ? d->with_res ? res : dy : t_dev(t, NULL, bytes);

	t_ok(t,
			t->ops->rmsnorm_back(t->q, dx, dw, dy, d->with_res ? res : NULL, x, w, rstd,
					d->rows, d->n));
	t_get(t, t_get(t, out, dx, bytes), dw, d->n * sizeof *dw);
}

/* sum of dy * y as a function of (x, w) */
static double norm_loss(const void *arg, const double *in)
{
	const struct rows_data *d = arg;
	double *y = t_alloc(d->rows * d->n, sizeof *y), *rstd = t_alloc(d->rows, sizeof *rstd);
	double s = 0;

	norm_want(d->rows, d->n, in, in + d->rows * d->n, y, rstd);
	for (size_t i = 0; i < d->rows * d->n; i++)
		s += y[i] * (double)d->dy[i];
	free(y);
	free(rstd);
	return s;
}

/* the gradient of norm_loss by formula, checked in norm_differences */
static void norm_grad(
		const struct rows_data *d, const double *x, const double *w, double *dx, double *dw)
{
	size_t n = d->n;

	for (size_t r = 0; r < d->rows; r++) {
		double sq = 0, dot = 0, k;

		for (size_t i = 0; i < n; i++) {
			sq += x[r * n + i] * x[r * n + i];
			dot += x[r * n + i] * (double)d->dy[r * n + i] * w[i];
		}
		k = 1 / sqrt(sq / (double)n + NORM_EPS);
		for (size_t i = 0; i < n; i++) {
			dx[r * n + i] = k * (double)d->dy[r * n + i] * w[i] -
					x[r * n + i] * k * k * k * dot / (double)n;
			dw[i] += (double)d->dy[r * n + i] * x[r * n + i] * k;
		}
	}
}

static void norm_check(const struct lk_ops *ops, struct rows_data *d)
{
	size_t n = d->rows * d->n;
	double *s = t_widen(d->x, n), *w = t_widen(d->w, d->n), *y = t_alloc(n, sizeof *y);
	double *rstd = t_alloc(d->rows, sizeof *rstd), *dx = t_alloc(n, sizeof *dx);
	double *dw = t_widen(d->w, d->n);
	lk_real *out = t_alloc(2 * n + d->rows, sizeof *out);

	norm_grad(d, s, w, dx, dw);
	for (size_t i = 0; d->with_res && i < n; i++) {
		s[i] += (double)d->res[i];
		dx[i] += (double)d->res[i];
	}
	norm_want(d->rows, d->n, s, w, y, rstd);
	t_run(ops, norm_run, d, out, (2 * n + d->rows) * sizeof *out);
	t_near("rmsnorm y", out, y, n, T_EPS * 16);
	t_near("rmsnorm rstd", out + n, rstd, d->rows, T_EPS * 16);
	t_near("rmsnorm s", out + n + d->rows, d->with_res ? s : y, n, T_EPS * 16);
	for (size_t r = 0; r < d->rows; r++) {
		double sq = 0;

		for (size_t i = 0; i < d->n; i++)
			sq += (double)d->x[r * d->n + i] * (double)d->x[r * d->n + i];
		d->rstd[r] = (lk_real)(1 / sqrt(sq / (double)d->n + NORM_EPS));
	}
	t_run(ops, norm_back_run, d, out, (n + d->n) * sizeof *out);
	/* with one column the gradient is a difference of equal numbers */
	t_near("rmsnorm dx", out, dx, n, T_EPS * (d->n == 1 ? 2000 : 32));
	t_near("rmsnorm dw", out + n, dw, d->n, T_EPS * 64);
	free(s), free(w), free(y), free(rstd), free(dx), free(dw), free(out);
}

static void test_rmsnorm(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t i = 0; i < T_LEN(shapes) * 4; i++) {
		struct rows_data d;

		rows_make(&d, shapes[i / 4][0], shapes[i / 4][1]);
		d.with_res = i & 1;
		d.in_place = i >> 1 & 1;
		norm_check(ops, &d);
		rows_free(&d);
	}
}

static void norm_differences(void **state)
{
	struct rows_data d;
	double in[5 * 7 + 7], num[5 * 7 + 7], grad[5 * 7 + 7] = { 0 };

	(void)state;
	rows_make(&d, 5, 7);
	for (size_t i = 0; i < T_LEN(in); i++)
		in[i] = t_rand(5, i);
	t_gradient(norm_loss, &d, in, num, T_LEN(in));
	norm_grad(&d, in, in + 35, grad, grad + 35);
	for (size_t i = 0; i < T_LEN(in); i++)
		assert_true(fabs(num[i] - grad[i]) < 1e-8);
	rows_free(&d);
}

/* embedding */

struct embed_data {
	size_t rows, n, v0, v;
	const uint32_t *ids;
	lk_real *w, *dy;
};

static void embed_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct embed_data *d = arg;
	size_t bytes = d->rows * d->n * sizeof(lk_real), wb = d->v * d->n * sizeof(lk_real);
	lk_real *w = t_dev(t, d->w, wb), *y = t_dev(t, NULL, bytes), *dy = t_dev(t, d->dy, bytes);
	size_t shift = t->shift;
	uint32_t *ids;

	t->shift = shift / 8 * 8;
	ids = t_dev(t, d->ids, d->rows * sizeof *ids);
	t->shift = shift;
	t_ok(t, t->ops->embed(t->q, y, w, ids, d->rows, d->n, d->v0, d->v));
	t_ok(t, t->ops->embed_back(t->q, w, dy, ids, d->rows, d->n, d->v0, d->v));
	t_get(t, t_get(t, out, y, bytes), w, wb);
}

static void test_embed(void **state)
{
	static const size_t ns[] = { 1, 3, 17, 64, 127, 200 };
	uint32_t ids[133];
	const struct lk_ops *ops;

	(void)state;
	for (size_t i = 0; i < T_LEN(ids); i++)
		ids[i] = (uint32_t)((t_rand(7, i) + 1) * 10);
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(ns) * 2; k++) {
		size_t n = ns[k / 2], rows = T_LEN(ids);
		struct embed_data d = { rows, n, k & 1 ? 5 : 0, k & 1 ? 9 : 20, ids,
			t_fill(1, 20 * n, 1), t_fill(2, rows * n, 1) };
		lk_real *out = t_alloc((rows + 20) * n, sizeof *out);
		double *dw = t_widen(d.w, d.v * n);

		t_run(ops, embed_run, &d, out, (rows + d.v) * n * sizeof *out);
		for (size_t i = 0; i < rows * n; i++) {
			size_t id = ids[i / n];
			int here = id >= d.v0 && id < d.v0 + d.v;

			assert_true(out[i] == (here ? d.w[(id - d.v0) * n + i % n] : 0));
			if (here)
				dw[(id - d.v0) * n + i % n] += (double)d.dy[i];
		}
		t_near("embed dw", out + rows * n, dw, d.v * n, T_EPS * 16);
		free(out), free(dw), free(d.w), free(d.dy);
	}
}

/* rotary positions */

struct rope_data {
	size_t rows, heads, dim, ld, seq;
	const uint32_t *pos;
	int inverse;
	lk_real *x;
};

static void rope_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct rope_data *d = arg;
	size_t bytes = d->rows * d->ld * sizeof(lk_real), shift = t->shift;
	lk_real *x = t_dev(t, d->x, bytes);
	lk_real *table = t_dev(t, NULL, 200 * d->dim * sizeof *table);
	uint32_t *pos = NULL;

	t->shift = shift / 8 * 8;
	if (d->pos != NULL)
		pos = t_dev(t, d->pos, d->rows * sizeof *pos);
	t->shift = shift;
	t_ok(t, t->ops->rope_table(t->q, table, 3900, 200, d->dim, 500000));
	t_ok(t,
			t->ops->rope(t->q, x, table, pos, d->seq, d->rows, d->heads, d->dim, d->ld,
					d->inverse));
	t_get(t, out, x, bytes);
}

static void rope_want(const struct rope_data *d, double *x)
{
	for (size_t r = 0; r < d->rows; r++)
		for (size_t i = 0; i < d->heads * d->dim / 2; i++) {
			size_t half = d->dim / 2, h = i / half, c = i % half;
			size_t p = d->pos != NULL ? d->pos[r] : d->seq != 0 ? r % d->seq : r;
			double a = (double)(3900 + p) *
					pow(500000, -2 * (double)c / (double)d->dim);
			double *u = x + r * d->ld + h * d->dim + c, *v = u + half, s = *u, t = *v;

			a = d->inverse ? -a : a;
			*u = s * cos(a) - t * sin(a);
			*v = t * cos(a) + s * sin(a);
		}
}

static void test_rope(void **state)
{
	static const size_t dims[] = { 2, 6, 34, 64, 126 };
	uint32_t pos[65];
	const struct lk_ops *ops;

	(void)state;
	for (size_t i = 0; i < T_LEN(pos); i++)
		pos[i] = (uint32_t)(i * 3 % 200);
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(dims) * 4; k++) {
		struct rope_data d = { 65, 3, dims[k / 4], dims[k / 4] * 3 + (k & 1 ? 5 : 0),
			k & 2 ? 20 : 0, k & 1 ? pos : NULL, k & 1, NULL };
		size_t n = d.rows * d.ld;
		lk_real *out = t_alloc(n, sizeof *out);
		double *want;

		d.x = t_fill(3, n, 1);
		want = t_widen(d.x, n);
		rope_want(&d, want);
		t_run(ops, rope_run, &d, out, n * sizeof *out);
		t_near("rope", out, want, n, T_EPS * 8);
		free(out), free(want), free(d.x);
	}
}

/* SwiGLU */

struct glu_data {
	size_t rows, f;
	int in_place;
	lk_real *gu, *dy;
};

static double silu(double x)
{
	return x / (1 + exp(-x));
}

static void glu_run(struct t_ctx *t, const void *arg, void *out)
{
	const struct glu_data *d = arg;
	size_t bytes = d->rows * d->f * sizeof(lk_real);
	lk_real *gu = t_dev(t, d->gu, 2 * bytes), *dy = t_dev(t, d->dy, bytes);
	lk_real *y = t_dev(t, NULL, bytes), *again = d->in_place ? dy : t_dev(t, NULL, bytes);
	lk_real *dgu = d->in_place ? gu : t_dev(t, NULL, 2 * bytes);

	t_ok(t, t->ops->swiglu(t->q, y, gu, d->rows, d->f));
	t_ok(t, t->ops->swiglu_back(t->q, dgu, again, dy, gu, d->rows, d->f));
	out = t_get(t, t_get(t, out, y, bytes), again, bytes);
	t_get(t, out, dgu, 2 * bytes);
}

static void test_swiglu(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	for (size_t k = 0; k < T_LEN(shapes) * 2; k++) {
		size_t rows = shapes[k / 2][0], f = shapes[k / 2][1], n = rows * f;
		struct glu_data d = { rows, f, k & 1, t_fill(1, 2 * n, k & 2 ? 12 : 100),
			t_fill(2, n, 1) };
		lk_real *out = t_alloc(4 * n, sizeof *out);
		double *y = t_alloc(n, sizeof *y), *dgu = t_alloc(2 * n, sizeof *dgu);

		for (size_t i = 0; i < n; i++) {
			size_t at = i / f * 2 * f + i % f;
			double g = (double)d.gu[at], u = (double)d.gu[at + f];
			double dy = (double)d.dy[i];

			y[i] = silu(g) * u;
			dgu[at] = dy * u * (silu(g + 1e-5) - silu(g - 1e-5)) / 2e-5;
			dgu[at + f] = dy * silu(g);
		}
		t_run(ops, glu_run, &d, out, 4 * n * sizeof *out);
		t_near("swiglu", out, y, n, T_EPS * 8);
		assert_memory_equal(out, out + n, n * sizeof *out);
		t_near("swiglu dgu", out + 2 * n, dgu, 2 * n, T_EPS * 8 + 1e-9);
		free(out), free(y), free(dgu), free(d.gu), free(d.dy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(norm_differences),
		cmocka_unit_test(test_rmsnorm),
		cmocka_unit_test(test_embed),
		cmocka_unit_test(test_rope),
		cmocka_unit_test(test_swiglu),
	};

	return cmocka_run_group_tests_name("kernels/rows", tests, NULL, NULL);
}
