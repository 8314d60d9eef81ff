#include <math.h>

#include "kernels/ref/ref.h"

/* The sum of one block, which is destroyed. */
static double sum_block(double *b)
{
	for (size_t s = LK_SUM_BLOCK / 2; s > 0; s /= 2)
		for (size_t j = 0; j < s; j++)
			b[j] += b[j + s];
	return b[0];
}

/* Blocks of LK_SUM_BLOCK, then blocks of their sums, until one is left. Defined to the bit. */
double lk_ref_sum(const double *x, size_t n)
{
	double block[LK_SUM_BLOCK] = { 0 };
	size_t span = LK_SUM_BLOCK;

	if (n <= LK_SUM_BLOCK) {
		for (size_t i = 0; i < n; i++)
			block[i] = x[i];
		return sum_block(block);
	}
	/* The last level has at most LK_SUM_BLOCK sums, each over `span` elements. */
	while ((n + span - 1) / span > LK_SUM_BLOCK)
		span *= LK_SUM_BLOCK;
	for (size_t i = 0; i * span < n; i++)
		block[i] = lk_ref_sum(x + i * span, n - i * span < span ? n - i * span : span);
	return sum_block(block);
}

double lk_ref_loss(const lk_real *logp, const lk_real *weight, size_t n)
{
	double part[LK_SUM_BLOCK] = { 0 };
	size_t blocks = (n + LK_SUM_BLOCK - 1) / LK_SUM_BLOCK;

	/* For at most LK_SUM_BLOCK^2 rows. */
	for (size_t i = 0; i < blocks; i++) {
		double b[LK_SUM_BLOCK] = { 0 };

		for (size_t j = 0; j < LK_SUM_BLOCK && i * LK_SUM_BLOCK + j < n; j++) {
			size_t r = i * LK_SUM_BLOCK + j;

			b[j] = -(double)logp[r] * (weight ? (double)weight[r] : 1);
		}
		part[i] = sum_block(b);
	}
	return lk_ref_sum(part, blocks);
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
	step->scale = step->weights > 0 ? 1 / step->weights : 0;
	step->norm = sqrt(step->sqnorm) * step->scale;
	step->finite = step->finite && isfinite(step->norm) && isfinite(step->loss);
	step->skip = !(step->weights > 0) || (step->limit > 0 && step->norm > step->limit);
	step->clip = step->scale;
	if (max_norm != 0 && max_norm / (step->norm + 1e-6) < 1)
		step->clip *= max_norm / (step->norm + 1e-6);
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

/* Five lanes: 0 += 3, 1 += 4; then three: 0 += 2; then two: 0 += 1. */
void lk_ref_lane_sum(lk_real *x, size_t lanes, size_t stride, size_t n)
{
	for (size_t k = lanes, s; k > 1; k = s) {
		s = (k + 1) / 2;
		for (size_t j = 0; j + s < k; j++)
			lk_ref_accumulate(x + j * stride, x + (j + s) * stride, n);
	}
}
