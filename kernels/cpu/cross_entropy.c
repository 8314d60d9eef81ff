/*
 * cross_entropy.c: loss and gradient of rows of logits, in place.  The sum of exponentials is made
 * in blocks of CE_COLS columns in lk_real, and over the blocks in double.
 */
#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define CE_COLS 4096

static lk_real ce_max(const lk_real *x, size_t n)
{
	lk_vec m[4];
	lk_real r = x[0];
	size_t i = 0;

	for (size_t j = 0; j < 4; j++)
		m[j] = v_set(x[0]);
	for (; i + 4 * LK_W <= n; i += 4 * LK_W)
		for (size_t j = 0; j < 4; j++)
			m[j] = v_max(m[j], v_load(x + i + j * LK_W));
	r = v_max_lane(v_max(v_max(m[0], m[1]), v_max(m[2], m[3])));
	for (; i < n; i++)
		if (x[i] > r)
			r = x[i];
	return r;
}

/* sum of exp(x - max); the terms go to e unless it is NULL; e may be x */
static double ce_sum(lk_real *e, const lk_real *x, size_t n, lk_real max)
{
	double sum = 0;

	for (size_t c = 0; c < n; c += CE_COLS) {
		size_t i = c, end = n - c < CE_COLS ? n : c + CE_COLS;
		lk_vec s[2] = { { 0 } }, v;

		for (; i + 2 * LK_W <= end; i += 2 * LK_W)
			for (size_t j = 0; j < 2; j++) {
				v = v_exp(v_load(x + i + j * LK_W) - max);
				s[j] += v;
				if (e != NULL)
					v_store(e + i + j * LK_W, v);
			}
		for (; i < end; i += LK_W) {
			size_t k = end - i < LK_W ? end - i : LK_W;

			v = v_exp(v_load_part(x + i, k, -LK_INF) - max);
			s[0] += v;
			if (e != NULL)
				v_store_part(e + i, v, k);
		}
		sum += (double)v_sum(s[0] + s[1]);
	}
	return sum;
}

static void ce_zero(lk_real *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = 0;
}

static void ce_scale(lk_real *x, size_t n, lk_real k)
{
	size_t i = 0;

	for (; i + LK_W <= n; i += LK_W)
		v_store(x + i, v_load(x + i) * k);
	for (; i < n; i++)
		x[i] *= k;
}

/* From the exponentials to the gradient; label counts from the first column, v or more: not here. */
static void ce_to_grad(lk_real *x, size_t v, lk_real sum, size_t label, const struct lk_step *step)
{
	lk_real k = (lk_real)(step->scale / (double)sum);

	ce_scale(x, v, k);
	if (label < v)
		x[label] -= (lk_real)step->scale;
}

LK_INLINE lk_real ce_loss(lk_real max, lk_real sum, lk_real label)
{
	return (lk_real)(log((double)sum) + ((double)max - (double)label));
}

/* label's column among v from v0 on; SIZE_MAX when it is not one of them (l - v0 wraps) */
LK_INLINE size_t ce_column(int32_t label, size_t v0, size_t v)
{
	size_t l = (size_t)label;

	return label >= 0 && l - v0 < v ? l - v0 : SIZE_MAX;
}

static int ce_bad(struct lk_queue *q, size_t ld, size_t v)
{
	return lk_cpu_fail(q, "cross entropy: rows of %zu columns, leading dimension %zu", v, ld);
}

static int op_cross_entropy(struct lk_queue *q, lk_real *loss, lk_real *x, const int32_t *labels,
	size_t rows, size_t v, size_t ld, const struct lk_step *step)
{
	ld = ld == 0 ? v : ld;
	if (v == 0 || ld < v)
		return ce_bad(q, ld, v);
#pragma omp parallel for schedule(dynamic, 4)
	for (size_t r = 0; r < rows; r++) {
		lk_real *row = x + r * ld, max, sum, at;
		size_t label = ce_column(labels[r], 0, v);

		if (labels[r] < 0) {
			if (loss != NULL)
				loss[r] = 0;
			if (step != NULL)
				ce_zero(row, v);
			continue;
		}
		max = ce_max(row, v);
		at = label < v ? row[label] : 0;
		sum = (lk_real)ce_sum(step == NULL ? NULL : row, row, v, max);
		if (loss != NULL)
			loss[r] = ce_loss(max, sum, at);
		if (step != NULL)
			ce_to_grad(row, v, sum, label, step);
	}
	return 0;
}

static int op_ce_stats(struct lk_queue *q, lk_real *stats, const lk_real *x, const int32_t *labels,
	size_t rows, size_t v, size_t ld, size_t v0)
{
	ld = ld == 0 ? v : ld;
	if (v == 0 || ld < v)
		return ce_bad(q, ld, v);
#pragma omp parallel for schedule(dynamic, 4)
	for (size_t r = 0; r < rows; r++) {
		const lk_real *row = x + r * ld;
		size_t label = ce_column(labels[r], v0, v);
		lk_real max = ce_max(row, v);

		stats[r * 3] = max;
		stats[r * 3 + 1] = (lk_real)ce_sum(NULL, row, v, max);
		stats[r * 3 + 2] = label < v ? row[label] : 0;
	}
	return 0;
}

static int op_ce_grad(struct lk_queue *q, lk_real *loss, lk_real *x, const int32_t *labels,
	const lk_real *stats, size_t rows, size_t v, size_t ld, size_t v0,
	const struct lk_step *step)
{
	ld = ld == 0 ? v : ld;
	if (v == 0 || ld < v)
		return ce_bad(q, ld, v);
#pragma omp parallel for schedule(dynamic, 4)
	for (size_t r = 0; r < rows; r++) {
		lk_real *row = x + r * ld;
		const lk_real *s = stats + r * 3;

		if (loss != NULL)
			loss[r] = labels[r] < 0 ? 0 : ce_loss(s[0], s[1], s[2]);
		if (step == NULL)
			continue;
		if (labels[r] < 0) {
			ce_zero(row, v);
			continue;
		}
		(void)ce_sum(row, row, v, s[0]);
		ce_to_grad(row, v, s[1], ce_column(labels[r], v0, v), step);
	}
	return 0;
}
