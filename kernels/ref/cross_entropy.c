/*
 * Cross-entropy of rows of logits x with one label each:
 *	loss = log sum_j exp(x_j) - x_label	d loss / d x_j = softmax(x)_j - (j == label)
 * The split form (Megatron-LM, Shoeybi et al., arXiv:1909.08053) makes the same sums from slices of
 * the vocabulary; here the whole row is the only slice.
 */
#include <math.h>

#include "kernels/ref/ref.h"

/* Three numbers per row: the maximum, the sum of exp(x - maximum), the logit of the label. */
void lk_ref_ce_stats(double *stats, const double *x, const int32_t *labels, size_t rows, size_t v,
		size_t ld, size_t v0)
{
	for (size_t r = 0; r < rows; r++) {
		const double *row = x + r * (ld ? ld : v);
		double max = row[0], sum = 0, at_label = 0;

		for (size_t j = 0; j < v; j++)
			max = row[j] > max ? row[j] : max;
		for (size_t j = 0; j < v; j++) {
			sum += exp(row[j] - max);
			if (labels[r] >= 0 && v0 + j == (size_t)labels[r])
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

void lk_ref_ce_grad(double *loss, double *x, const int32_t *labels, const double *stats,
		size_t rows, size_t v, size_t ld, size_t v0, const struct lk_step *step)
{
	for (size_t r = 0; r < rows; r++) {
		double max = stats[r * 3], sum = stats[r * 3 + 1], at_label = stats[r * 3 + 2];
		double *row = x + r * (ld ? ld : v);
		int ignored = labels[r] < 0;

		if (loss)
			loss[r] = ignored ? 0 : max + log(sum) - at_label;
		for (size_t j = 0; step && j < v; j++) {
			double p = exp(row[j] - max) / sum;
			int is_label = !ignored && v0 + j == (size_t)labels[r];

			row[j] = ignored ? 0 : (p - is_label) * step->scale;
		}
	}
}

void lk_ref_cross_entropy(double *loss, double *x, const int32_t *labels, size_t rows, size_t v,
		size_t ld, const struct lk_step *step)
{
	ld = ld ? ld : v;
	for (size_t r = 0; r < rows; r++) {
		double stats[3];

		lk_ref_ce_stats(stats, x + r * ld, labels + r, 1, v, ld, 0);
		lk_ref_ce_grad(loss ? loss + r : NULL, x + r * ld, labels + r, stats, 1, v, ld, 0,
				step);
	}
}
