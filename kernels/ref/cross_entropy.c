/*
 * Cross-entropy of rows of logits x with one label each:
 *	log p = x_label - log sum_j exp(x_j)	- d log p / d x_j = softmax(x)_j - (j == label)
 * The split form (Megatron-LM, Shoeybi et al., arXiv:1909.08053) makes the same sums from slices of
 * the vocabulary; here the whole row is the only slice.
 */
#include <math.h>

#include "kernels/ref/ref.h"

/* Three numbers per row: the maximum, the sum of exp(x - maximum), the logit of the label. */
void lk_ref_ce_stats(double *stats, const double *x, const uint32_t *label, size_t rows, size_t v,
		size_t ld, size_t v0)
{
	for (size_t r = 0; r < rows; r++) {
		const double *row = x + r * (ld ? ld : v);
		double max = row[0], sum = 0, at_label = 0;

		for (size_t j = 0; j < v; j++)
			max = row[j] > max ? row[j] : max;
		for (size_t j = 0; j < v; j++) {
			sum += exp(row[j] - max);
			if (v0 + j == label[r])
				at_label = row[j];
		}
		stats[r * 3] = max;
		stats[r * 3 + 1] = sum;
		stats[r * 3 + 2] = at_label;
	}
}

void lk_ref_ce_merge(double *stats, const double *all, size_t ranks, size_t rows)
{
	for (size_t r = 0; r < rows; r++) {
		double max = all[r * 3], sum = 0, at_label = 0;

		for (size_t k = 0; k < ranks; k++)
			max = fmax(max, all[(k * rows + r) * 3]);
		for (size_t k = 0; k < ranks; k++) {
			const double *part = all + (k * rows + r) * 3;

			sum += part[1] * exp(part[0] - max);
			at_label += part[2];
		}
		stats[r * 3] = max;
		stats[r * 3 + 1] = sum;
		stats[r * 3 + 2] = at_label;
	}
}

void lk_ref_ce_grad(double *logp, double *dx, const double *x, const uint32_t *label,
		const double *weight, const double *stats, size_t rows, size_t v, size_t ld,
		size_t v0)
{
	for (size_t r = 0; r < rows; r++) {
		double max = stats[r * 3], sum = stats[r * 3 + 1], at_label = stats[r * 3 + 2];
		double w = weight ? weight[r] : 1;

		if (logp)
			logp[r] = at_label - (max + log(sum));
		for (size_t j = 0; dx && j < v; j++) {
			size_t i = r * (ld ? ld : v) + j;
			int is_label = v0 + j == label[r];

			dx[i] = w != 0 ? w * (exp(x[i] - max) / sum - is_label) : 0;
		}
	}
}

void lk_ref_cross_entropy(double *logp, double *dx, const double *x, const uint32_t *label,
		const double *weight, size_t rows, size_t v, size_t ld)
{
	for (size_t r = 0; r < rows; r++) {
		size_t at = r * (ld ? ld : v);
		double stats[3];

		lk_ref_ce_stats(stats, x + at, label + r, 1, v, 0, 0);
		lk_ref_ce_grad(logp ? logp + r : NULL, dx ? dx + at : NULL, x + at, label + r,
				weight ? weight + r : NULL, stats, 1, v, 0, 0);
	}
}
