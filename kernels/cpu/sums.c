/*
 * sums.c: element-wise addition, lanes, squared norm, finite check, conversions.
 */
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define SUMS_TILE 4096

typedef double lk_dvec __attribute__((vector_size(LK_VEC_BYTES)));
typedef lk_real lk_hvec
	__attribute__((vector_size(LK_VEC_BYTES / (sizeof(double) / sizeof(lk_real)))));

#define SUMS_HW (LK_VEC_BYTES / sizeof(double))

static void sums_add(lk_real *y, const lk_real *a, const lk_real *b, size_t n)
{
	size_t i = 0;

	for (; i + LK_W <= n; i += LK_W)
		v_store(y + i, v_load(a + i) + v_load(b + i));
	for (; i < n; i++)
		y[i] = a[i] + b[i];
}

static int op_add(struct lk_queue *q, lk_act *y, const lk_act *a, const lk_act *b, size_t n)
{
	(void)q;
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i += SUMS_TILE)
		sums_add((lk_real *)y + i, (const lk_real *)a + i, (const lk_real *)b + i,
			n - i < SUMS_TILE ? n - i : SUMS_TILE);
	return 0;
}

static int op_accumulate(struct lk_queue *q, lk_real *y, const lk_real *x, size_t n)
{
	return op_add(q, y, y, x, n);
}

static int op_lane_sum(struct lk_queue *q, lk_real *x, size_t lanes, size_t stride, size_t n)
{
	if (lanes == 0 || (lanes & (lanes - 1)) != 0)
		return lk_cpu_fail(q, "lane_sum: %zu lanes is not a power of two", lanes);
	if (lanes > 1 && stride < n)
		return lk_cpu_fail(q, "lane_sum: stride %zu is below %zu", stride, n);
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i += SUMS_TILE)
		for (size_t s = lanes / 2; s > 0; s /= 2)
			for (size_t j = 0; j < s; j++)
				sums_add(x + j * stride + i, x + j * stride + i,
					x + (j + s) * stride + i,
					n - i < SUMS_TILE ? n - i : SUMS_TILE);
	return 0;
}

LK_INLINE lk_dvec sums_widen(const lk_real *x)
{
	lk_hvec h;

	memcpy(&h, x, sizeof h);
	return __builtin_convertvector(h, lk_dvec);
}

static double sums_square(const lk_real *x, size_t n)
{
	lk_dvec s[4] = { { 0 } };
	double lanes[SUMS_HW], sum = 0;
	size_t i = 0;

	for (; i + 4 * SUMS_HW <= n; i += 4 * SUMS_HW)
		for (size_t j = 0; j < 4; j++) {
			lk_dvec v = sums_widen(x + i + j * SUMS_HW);

			s[j] += v * v;
		}
	s[0] = (s[0] + s[1]) + (s[2] + s[3]);
	memcpy(lanes, &s[0], sizeof lanes);
	for (size_t j = 0; j < SUMS_HW; j++)
		sum += lanes[j];
	for (; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return sum;
}

static int op_sqnorm(struct lk_queue *q, double *sums, const lk_real *x, size_t n)
{
	(void)q;
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i += LK_NORM_CHUNK)
		sums[i / LK_NORM_CHUNK] =
			sums_square(x + i, n - i < LK_NORM_CHUNK ? n - i : LK_NORM_CHUNK);
	return 0;
}

/* x - x is 0 for every finite x and nothing else */
static uint32_t sums_finite(const lk_real *x, size_t n)
{
	lk_ivec bad = { 0 };
	lk_int any = 0;
	size_t i = 0;

	for (; i + LK_W <= n; i += LK_W) {
		lk_vec v = v_load(x + i);

		bad |= v - v != (lk_vec){ 0 };
	}
	for (size_t j = 0; j < LK_W; j++)
		any |= bad[j];
	for (; i < n; i++)
		any |= x[i] - x[i] != 0;
	return any == 0;
}

static int op_finite(struct lk_queue *q, uint32_t *ok, const lk_real *x, size_t n)
{
	size_t tiles = n / SUMS_TILE + 1;
	uint32_t *flag = lk_cpu_scratch(q, tiles, sizeof *flag);

	if (flag == NULL)
		return -1;
#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < tiles; t++)
		flag[t] = sums_finite(x + t * SUMS_TILE,
			n - t * SUMS_TILE < SUMS_TILE ? n - t * SUMS_TILE : SUMS_TILE);
	*ok = 1;
	for (size_t t = 0; t < tiles; t++)
		*ok &= flag[t];
	return 0;
}

static int op_to_act(struct lk_queue *q, lk_act *y, const lk_real *x, size_t n)
{
	return n == 0 ? 0 : lk_cpu_copy(q, y, x, n * sizeof *x, LK_D2D);
}

static int op_to_real(struct lk_queue *q, lk_real *y, const lk_act *x, size_t n)
{
	return n == 0 ? 0 : lk_cpu_copy(q, y, x, n * sizeof *y, LK_D2D);
}
