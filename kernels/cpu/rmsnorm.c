/*
 * rmsnorm.c: root mean square normalisation, with the residual added before it when asked.
 * Backward leaves each block of NORM_ROWS rows' share of dw in the work space; the shares are then
 * added in the order of the blocks.
 */
#include <math.h>
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define NORM_ROWS 32
#define NORM_COLS 256

static void norm_add(lk_real *s, const lk_real *x, const lk_real *res, size_t n)
{
	size_t i = 0;

	for (; i + LK_W <= n; i += LK_W)
		v_store(s + i, v_load(x + i) + v_load(res + i));
	for (; i < n; i++)
		s[i] = x[i] + res[i];
}

static void norm_row(lk_real *y, const lk_real *x, const lk_real *w, size_t n, lk_real rstd)
{
	lk_vec k = v_set(rstd);
	size_t i = 0;

	for (; i + LK_W <= n; i += LK_W)
		v_store(y + i, v_load(x + i) * k * v_load(w + i));
	for (; i < n; i++)
		y[i] = x[i] * rstd * w[i];
}

static int op_rmsnorm(struct lk_queue *q, lk_act *y, lk_real *rstd, lk_act *sum, const lk_act *x,
	const lk_act *res, const lk_real *w, size_t rows, size_t n, double eps)
{
	(void)q;
#pragma omp parallel for schedule(static, NORM_ROWS)
	for (size_t r = 0; r < rows; r++) {
		const lk_real *s = (const lk_real *)x + r * n;
		double mean;
		lk_real k;

		if (res != NULL) {
			norm_add((lk_real *)sum + r * n, s, (const lk_real *)res + r * n, n);
			s = (const lk_real *)sum + r * n;
		}
		mean = (double)v_dot(s, s, n) / (double)n;
		k = (lk_real)(1 / sqrt(mean + eps));
		if (rstd != NULL)
			rstd[r] = k;
		norm_row((lk_real *)y + r * n, s, w, n, k);
	}
	return 0;
}

/* One row's input gradient, and its share of dw. */
static void norm_back_row(lk_real *dx, lk_real *dw, const lk_real *dy, const lk_real *dres,
	const lk_real *x, const lk_real *w, size_t n, lk_real rstd)
{
	lk_vec s[2] = { { 0 } }, k = v_set(rstd), m;
	lk_real mean, dot = 0;
	size_t i = 0;

	for (; i + 2 * LK_W <= n; i += 2 * LK_W)
		for (size_t j = i; j < i + 2 * LK_W; j += LK_W) {
			lk_vec a = v_load(dy + j) * v_load(x + j);

			v_store(dw + j, v_fma(a, k, v_load(dw + j)));
			s[j > i] = v_fma(a, v_load(w + j), s[j > i]);
		}
	for (; i < n; i++) {
		lk_real a = dy[i] * x[i];

		dw[i] += a * rstd;
		dot += a * w[i];
	}
	/* mean(g * xh) * rstd, so that xh * mean(g * xh) is x times it */
	mean = (v_sum(s[0] + s[1]) + dot) * rstd / (lk_real)n * rstd;
	m = v_set(mean);
	i = 0;
	for (; i + LK_W <= n; i += LK_W) {
		lk_vec g = v_load(dy + i) * v_load(w + i);
		lk_vec d = (g - v_load(x + i) * m) * k;

		v_store(dx + i, dres == NULL ? d : d + v_load(dres + i));
	}
	for (; i < n; i++) {
		lk_real d = (dy[i] * w[i] - x[i] * mean) * rstd;

		dx[i] = dres == NULL ? d : d + dres[i];
	}
}

static int op_rmsnorm_back(struct lk_queue *q, lk_act *dx, lk_real *dw, const lk_act *dy,
	const lk_act *dres, const lk_act *x, const lk_real *w, const lk_real *rstd, size_t rows,
	size_t n)
{
	size_t blocks = rows / NORM_ROWS + (rows % NORM_ROWS != 0);
	lk_real *part = lk_cpu_scratch(q, blocks * n, sizeof *part);

	if (part == NULL)
		return -1;
#pragma omp parallel for schedule(static, 1)
	for (size_t b = 0; b < blocks; b++) {
		size_t end = (b + 1) * NORM_ROWS < rows ? (b + 1) * NORM_ROWS : rows;

		memset(part + b * n, 0, n * sizeof *part);
		for (size_t r = b * NORM_ROWS; r < end; r++)
			norm_back_row((lk_real *)dx + r * n, part + b * n,
				(const lk_real *)dy + r * n,
				dres == NULL ? NULL : (const lk_real *)dres + r * n,
				(const lk_real *)x + r * n, w, n, rstd[r]);
	}
#pragma omp parallel for schedule(static, 1)
	for (size_t c = 0; c < n; c += NORM_COLS) {
		size_t cols = n - c < NORM_COLS ? n - c : NORM_COLS;

		for (size_t b = 0; b < blocks; b++)
			norm_add(dw + c, dw + c, part + b * n + c, cols);
	}
	return 0;
}
