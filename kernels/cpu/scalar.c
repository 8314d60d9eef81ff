/* Plain C is fast enough here, and has the same bits on every instruction set. */
#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/objective.h"

int lk_cpu_rope_table(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
		const double *freq)
{
	size_t half = dim / 2;
	int go;

	if (dim % 2 != 0)
		return lk_cpu_fail(q, "rope_table: dim %zu is odd", dim);
	go = lk_cpu_begin(q, 0, 0);
	if (go <= 0)
		return go;
#pragma omp taskloop default(shared) num_tasks(LK_TASKS)
	for (size_t p = 0; p < npos; p++)
		for (size_t i = 0; i < half; i++) {
			double a = (double)(pos0 + p) * freq[i];

			table[p * dim + i] = (lk_real)cos(a);
			table[p * dim + half + i] = (lk_real)sin(a);
		}
	return 0;
}

/* What a tree adds up: x, or - weight * logp. */
struct terms {
	const double *x;
	const lk_real *logp, *weight;
};

/* Sum of n terms from the first on, n at most LK_SUM_BLOCK. */
static double sum_block(const struct terms *t, size_t first, size_t n)
{
	double b[LK_SUM_BLOCK];

	for (size_t i = 0; i < n; i++)
		b[i] = t->x ? t->x[first + i]
			    : -(double)t->logp[first + i] *
						(t->weight ? (double)t->weight[first + i] : 1);
	for (size_t i = n; i < LK_SUM_BLOCK; i++)
		b[i] = 0;
	for (size_t s = LK_SUM_BLOCK / 2; s > 0; s /= 2)
		for (size_t j = 0; j < s; j++)
			b[j] += b[j + s];
	return b[0];
}

static int sum_tree(struct lk_queue *q, double *out, struct terms t, size_t n)
{
	size_t room = n / LK_SUM_BLOCK + 1;
	int go = lk_cpu_begin(q, 2 * room, sizeof(*out));
	double *to = q->work, *next = to + room;

	if (go <= 0)
		return go;
	if (n == 0)
		*out = 0;
	while (n > 0) {
		size_t blocks = (n + LK_SUM_BLOCK - 1) / LK_SUM_BLOCK;

#pragma omp taskloop default(shared) num_tasks(LK_TASKS)
		for (size_t i = 0; i < blocks; i++) {
			size_t first = i * LK_SUM_BLOCK, rest = n - first;

			to[i] = sum_block(&t, first, rest < LK_SUM_BLOCK ? rest : LK_SUM_BLOCK);
		}
		if (blocks == 1) {
			*out = to[0];
			break;
		}
		t = (struct terms){ .x = to };
		n = blocks;
		to = next;
		next = q->work;
	}
	return 0;
}

int lk_cpu_sum(struct lk_queue *q, double *out, const double *x, size_t n)
{
	return sum_tree(q, out, (struct terms){ .x = x }, n);
}

int lk_cpu_loss(struct lk_queue *q, double *out, const lk_real *logp, const lk_real *weight,
		size_t n)
{
	return sum_tree(q, out, (struct terms){ .logp = logp, .weight = weight }, n);
}

int lk_cpu_clip(struct lk_queue *q, struct lk_step *step, double max_norm)
{
	int go = lk_cpu_begin(q, 0, 0);
	double c;

	if (go <= 0)
		return go;
	step->scale = step->weights > 0 ? 1 / step->weights : 0;
	step->norm = sqrt(step->sqnorm) * step->scale;
	if (!isfinite(step->norm) || !isfinite(step->loss))
		step->finite = 0;
	step->skip = !(step->weights > 0) || (step->limit > 0 && step->norm > step->limit);
	c = max_norm / (step->norm + 1e-6);
	step->clip = max_norm != 0 && c < 1 ? step->scale * c : step->scale;
	return 0;
}

/* Merge rows of `width` numbers, the first three of which are maximum, sum and a logit, the others
 * logits, 0 where a rank has none. Sums are rescaled to the largest maximum, and added in the order
 * of the ranks. */
static int merge(struct lk_queue *q, const char *what, lk_real *stats, const lk_real *all,
		size_t ranks, size_t rows, size_t width)
{
	int go;

	if (ranks == 0)
		return lk_cpu_fail(q, "%s: no ranks", what);
	go = lk_cpu_begin(q, 0, 0);
	if (go <= 0)
		return go;
	for (size_t r = 0; r < rows; r++) {
		const lk_real *x = all + r * width;
		double max = (double)x[0], sum = 0;

		for (size_t k = 1; k < ranks; k++)
			if ((double)x[k * rows * width] > max)
				max = (double)x[k * rows * width];
		/* A part without exponentials has no maximum either. */
		for (size_t k = 0; k < ranks; k++)
			if (x[k * rows * width + 1] != 0)
				sum += (double)x[k * rows * width + 1] *
						exp((double)x[k * rows * width] - max);
		for (size_t i = 2; i < width; i++) {
			double logit = 0;

			for (size_t k = 0; k < ranks; k++)
				logit += (double)x[k * rows * width + i];
			stats[r * width + i] = (lk_real)logit;
		}
		stats[r * width] = (lk_real)max;
		stats[r * width + 1] = (lk_real)sum;
	}
	return 0;
}

int lk_cpu_ce_merge(
		struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks, size_t rows)
{
	return merge(q, "ce_merge", stats, all, ranks, rows, 3);
}

int lk_cpu_kl_merge(struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks,
		size_t rows, size_t n)
{
	return merge(q, "kl_merge", stats, all, ranks, rows, 3 + n);
}

int lk_cpu_dpo(struct lk_queue *q, double *out, size_t stride, lk_real *weight, const lk_real *logp,
		const double *reference, const struct lk_dpo *d)
{
	double total[LK_SUMS] = { 0 };
	int go = lk_cpu_begin(q, 0, 0);

	if (go <= 0)
		return go;
	for (size_t k = 0; k < d->pairs; k++) {
		double sum[2] = { 0 }, n[2] = { 0 };
		size_t first = 2 * k * d->t;
		struct lk_pair p;

		for (size_t r = 0; r < 2 * d->t; r++) {
			double w = (double)weight[first + r];

			/* A row that does not count may have any log p. */
			sum[r >= d->t] += w != 0 ? w * (double)logp[first + r] : 0;
			n[r >= d->t] += w;
		}
		p = lk_pair_of(d, sum, n, reference + 2 * k);
		for (size_t r = 0; r < 2 * d->t; r++)
			weight[first + r] =
					(lk_real)((double)weight[first + r] * p.weight[r >= d->t]);
		total[LK_SUM_LOSS] += p.loss;
		total[LK_SUM_WEIGHTS] += 1;
		total[LK_SUM_CHOSEN] += p.chosen;
		total[LK_SUM_REJECTED] += p.rejected;
		total[LK_SUM_RIGHT] += p.chosen > p.rejected;
	}
	for (size_t k = 0; k < LK_SUMS; k++)
		out[k * stride] = total[k];
	return 0;
}
