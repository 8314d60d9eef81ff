/* Plain C is fast enough here, and has the same bits on every instruction set. */
#include <math.h>

#include "kernels/cpu/cpu.h"

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
	step->norm = sqrt(step->sqnorm) * step->scale;
	if (!isfinite(step->norm) || !isfinite(step->loss))
		step->finite = 0;
	step->skip = step->limit > 0 && step->norm > step->limit;
	c = max_norm / (step->norm + 1e-6);
	step->clip = max_norm != 0 && c < 1 ? step->scale * c : step->scale;
	return 0;
}

/* Sums are rescaled to the largest maximum and added in the order of the ranks. */
int lk_cpu_ce_merge(
		struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks, size_t rows)
{
	int go;

	if (ranks == 0)
		return lk_cpu_fail(q, "ce_merge: no ranks");
	go = lk_cpu_begin(q, 0, 0);
	if (go <= 0)
		return go;
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
