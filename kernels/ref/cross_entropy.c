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

/* Rafailov et al., arXiv:2305.18290, equation 7; loss, pairs, rewards and accuracy summed over pairs. */
void lk_ref_dpo(double *out, double *weight, const double *logp, const double *reference,
		const struct lk_dpo *d)
{
	for (size_t k = 0; k < LK_SUMS; k++)
		out[k] = 0;
	for (size_t p = 0; p < d->pairs; p++) {
		double reward[2], scale[2], h, sigmoid;

		for (size_t i = 0; i < 2; i++) {
			double sum = 0, n = 0;

			for (size_t r = (2 * p + i) * d->t; r < (2 * p + i + 1) * d->t; r++) {
				sum += weight[r] * logp[r];
				n += weight[r];
			}
			scale[i] = n == 0 ? 0 : d->beta / (d->normalized ? n : 1);
			reward[i] = scale[i] * (sum - reference[2 * p + i]);
		}
		h = reward[0] - reward[1];
		sigmoid = 1 / (1 + exp(-h));
		for (size_t r = 0; r < 2 * d->t; r++)
			weight[2 * p * d->t + r] *= r < d->t ? scale[0] * (1 - sigmoid)
							     : -scale[1] * (1 - sigmoid);
		out[LK_SUM_LOSS] -= log(sigmoid);
		out[LK_SUM_WEIGHTS] += 1;
		out[LK_SUM_CHOSEN] += reward[0];
		out[LK_SUM_REJECTED] += reward[1];
		out[LK_SUM_RIGHT] += h > 0;
	}
}

/* The place of column j in the top of a row, or n. */
static size_t place_in_top(const struct lk_kl *k, size_t row, size_t j)
{
	size_t i = 0;

	while (i < k->n && k->top[row * k->n + i] != j)
		i++;
	return i;
}

/* Kullback-Leibler divergence with the tail as one event, and cross-entropy, of whole rows. */
void lk_ref_kl(double *loss_row, double *dx, const double *x, const struct lk_kl *k, size_t rows,
		size_t v, size_t ld)
{
	for (size_t r = 0; r < rows; r++) {
		const double *row = x + r * ld, t = k->teacher;
		const double w = k->weight ? (double)k->weight[r] : 1;
		double max = row[0], sum = 0, p_tail = 1, q_tail = 0, lse, loss = 0;

		for (size_t j = 0; j < v; j++)
			max = fmax(max, row[j]);
		for (size_t j = 0; j < v; j++)
			sum += exp(row[j] - max);
		lse = max + log(sum);
		for (size_t j = 0; j < v; j++) {
			size_t i = place_in_top(k, r, j);
			double log_p;

			if (i == k->n) {
				q_tail += exp(row[j] - lse);
				continue;
			}
			p_tail -= exp((double)k->top_logp[r * k->n + i]);
			log_p = (double)k->top_logp[r * k->n + i];
			loss += t * exp(log_p) * (log_p - (row[j] - lse));
		}
		p_tail = q_tail > 0 ? fmax(p_tail, 0) : 0;
		if (p_tail > 0)
			loss += t * p_tail * log(p_tail / q_tail);
		loss_row[r] = -loss + (t < 1 ? (1 - t) * (row[k->label[r]] - lse) : 0);
		for (size_t j = 0; j < v; j++) {
			size_t i = place_in_top(k, r, j);
			double q = exp(row[j] - lse), p;

			p = i < k->n ? exp((double)k->top_logp[r * k->n + i]) : p_tail * q / q_tail;
			dx[r * ld + j] =
					w != 0 ? w * (q - t * p - (1 - t) * (j == k->label[r])) : 0;
		}
	}
}
