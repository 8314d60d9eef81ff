#include <math.h>

#include "kernels/ref/ref.h"

double lk_ref_sum(const double *x, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += x[i];
	return s;
}

/* One sum of squares per chunk of LK_NORM_CHUNK elements. */
void lk_ref_sqnorm(double *sums, const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i % LK_NORM_CHUNK == 0)
			sums[i / LK_NORM_CHUNK] = 0;
		sums[i / LK_NORM_CHUNK] += x[i] * x[i];
	}
}

/* Pascanu, Mikolov and Bengio, arXiv:1211.5063, with the 1e-6 of PyTorch's clip_grad_norm_. */
void lk_ref_clip(struct lk_step *step, double max_norm)
{
	step->norm = sqrt(step->sqnorm);
	step->finite = isfinite(step->norm) != 0;
	step->clip = 1;
	if (max_norm != 0 && max_norm / (step->norm + 1e-6) < 1)
		step->clip = max_norm / (step->norm + 1e-6);
}

uint32_t lk_ref_finite(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return 0;
	return 1;
}

void lk_ref_accumulate(lk_real *y, const lk_real *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

/* Four lanes: lane 0 += lane 2, lane 1 += lane 3, lane 0 += lane 1. */
void lk_ref_lane_sum(lk_real *x, size_t lanes, size_t stride, size_t n)
{
	for (size_t s = lanes / 2; s > 0; s /= 2)
		for (size_t j = 0; j < s; j++)
			lk_ref_accumulate(x + j * stride, x + (j + s) * stride, n);
}
