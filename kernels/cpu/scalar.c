/* One thread and plain C are fast enough here, and have the same bits on every instruction set. */
#include <math.h>

#include "kernels/cpu/cpu.h"

int lk_cpu_rope_table(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
		double theta)
{
	size_t half = dim / 2;

	if (dim % 2 != 0)
		return lk_cpu_fail(q, "rope_table: dim %zu is odd", dim);
	for (size_t i = 0; i < half; i++) {
		double f = pow(theta, -2.0 * (double)i / (double)dim);

		for (size_t p = 0; p < npos; p++) {
			double a = (double)(pos0 + p) * f;

			table[p * dim + i] = (lk_real)cos(a);
			table[p * dim + half + i] = (lk_real)sin(a);
		}
	}
	return 0;
}

int lk_cpu_sum(struct lk_queue *q, double *out, const double *x, size_t n)
{
	double s = 0;

	(void)q;
	for (size_t i = 0; i < n; i++)
		s += x[i];
	*out = s;
	return 0;
}

int lk_cpu_sum_real(struct lk_queue *q, double *out, const lk_real *x, size_t n)
{
	double s = 0;

	(void)q;
	for (size_t i = 0; i < n; i++)
		s += (double)x[i];
	*out = s;
	return 0;
}

int lk_cpu_clip(struct lk_queue *q, struct lk_step *step, double max_norm)
{
	double c;

	(void)q;
	step->norm = sqrt(step->sqnorm);
	step->finite = isfinite(step->norm) != 0;
	c = max_norm / (step->norm + 1e-6);
	step->clip = max_norm != 0 && c < 1 ? c : 1;
	return 0;
}

/* Sums are rescaled to the largest maximum and added in the order of the ranks. */
int lk_cpu_ce_merge(
		struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks, size_t rows)
{
	if (ranks == 0)
		return lk_cpu_fail(q, "ce_merge: no ranks");
	for (size_t r = 0; r < rows; r++) {
		const lk_real *x = all + r * 3;
		double max = (double)x[0], sum = 0, label = 0;

		for (size_t k = 1; k < ranks; k++)
			if ((double)x[k * rows * 3] > max)
				max = (double)x[k * rows * 3];
		for (size_t k = 0; k < ranks; k++, x += rows * 3) {
			sum += (double)x[1] * exp((double)x[0] - max);
			label += (double)x[2];
		}
		stats[r * 3] = (lk_real)max;
		stats[r * 3 + 1] = (lk_real)sum;
		stats[r * 3 + 2] = (lk_real)label;
	}
	return 0;
}
