#ifndef LUCIE_KERNELS_OBJECTIVE_H
#define LUCIE_KERNELS_OBJECTIVE_H
/*
 * The definitions of dpo() and kl_grad() of lk.h: what follows from the sums of a pair, and from the
 * statistics of a row. In double, the same source in C and in CUDA.
 */
#include <math.h>

#include "kernels/dither.h"

/* A pair: rewards of its two answers, loss, and the factors of their weights. */
struct lk_pair {
	double chosen, rejected, loss;
	double weight[2]; /* of the chosen answer's rows, of the rejected one's */
};

/* sum: of weight * logp over the rows of the two answers; n: of the weights. */
LK_BOTH struct lk_pair lk_pair_of(
		const struct lk_dpo *d, const double *sum, const double *n, const double *reference)
{
	struct lk_pair p;
	double per[2], h, slope;

	for (int i = 0; i < 2; i++)
		per[i] = n[i] == 0 ? 0 : d->normalized ? d->beta / n[i] : d->beta;
	p.chosen = (sum[0] - reference[0]) * per[0];
	p.rejected = (sum[1] - reference[1]) * per[1];
	h = p.chosen - p.rejected;
	/* Either exponential is at most 1. */
	if (h >= 0) {
		p.loss = log1p(exp(-h));
		slope = exp(-h) / (1 + exp(-h));
	} else {
		p.loss = log1p(exp(h)) - h;
		slope = 1 / (1 + exp(h));
	}
	p.weight[0] = slope * per[0];
	p.weight[1] = -slope * per[1];
	return p;
}

/* A row: loss, logarithm of the sum of all exponentials, and of what the gradient is made. */
struct lk_kl_row {
	double lse, loss;
	double tail; /* gradient at column j of the tail: tail * softmax over the tail */
};

/* The probability that the teacher gives to token i of its top. */
LK_BOTH double lk_kl_p(const struct lk_kl *k, size_t row, size_t i)
{
	return exp((double)k->top_logp[row * k->n + i]);
}

/* stats: those of the row, as kl_merge() leaves them. */
LK_BOTH struct lk_kl_row lk_kl_row_of(const struct lk_kl *k, const lk_real *stats, size_t row)
{
	const double max = (double)stats[0], sum = (double)stats[1];
	const lk_real *x = stats + 3;
	double most = sum != 0 ? max : (double)x[0], all = 0, top = 0, kl = 0, p_tail, q_tail;
	struct lk_kl_row r;

	for (size_t i = 0; i < k->n; i++)
		most = (double)x[i] > most ? (double)x[i] : most;
	if (sum != 0)
		all = sum * exp(max - most);
	q_tail = all;
	for (size_t i = 0; i < k->n; i++)
		all += exp((double)x[i] - most);
	r.lse = most + log(all);
	q_tail /= all;
	for (size_t i = 0; i < k->n; i++) {
		const double p = lk_kl_p(k, row, i);

		top += p;
		if (p > 0)
			kl += p * ((double)k->top_logp[row * k->n + i] - ((double)x[i] - r.lse));
	}
	/* Without a tail, where top is the whole vocabulary, nothing is left for it. */
	p_tail = sum != 0 && top < 1 ? 1 - top : 0;
	if (p_tail > 0)
		kl += p_tail * (log(p_tail) - (max + log(sum) - r.lse));
	r.tail = q_tail - k->teacher * p_tail;
	r.loss = k->teacher * kl;
	if (k->teacher < 1)
		r.loss -= (1 - k->teacher) * ((double)stats[2] - r.lse);
	return r;
}

/* The gradient at token i of the top. */
LK_BOTH double lk_kl_top(const struct lk_kl *k, const struct lk_kl_row *r, const lk_real *stats,
		size_t row, size_t i)
{
	const double q = exp((double)stats[3 + i] - r->lse);
	const double label = k->top[row * k->n + i] == k->label[row] ? 1 - k->teacher : 0;

	return q - k->teacher * lk_kl_p(k, row, i) - label;
}

#endif
