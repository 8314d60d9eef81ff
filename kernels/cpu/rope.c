/*
 * rope.c: rotary positions, in place: the pair (x[i], x[i + dim/2]) turns by the row's angle i.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define ROPE_ROWS 32

static void rope_head(lk_real *x, const lk_real *cs, size_t half, lk_real sign)
{
	lk_real *y = x + half;
	const lk_real *sn = cs + half;
	size_t i = 0;

	for (; i + LK_W <= half; i += LK_W) {
		lk_vec a = v_load(x + i), b = v_load(y + i);
		lk_vec c = v_load(cs + i), s = v_load(sn + i) * sign;

		v_store(x + i, a * c - b * s);
		v_store(y + i, b * c + a * s);
	}
	for (; i < half; i++) {
		lk_real a = x[i], b = y[i], s = sn[i] * sign;

		x[i] = a * cs[i] - b * s;
		y[i] = b * cs[i] + a * s;
	}
}

static int op_rope(struct lk_queue *q, lk_act *x, const lk_real *table, const uint32_t *pos,
	size_t seq, size_t rows, size_t heads, size_t dim, size_t ld, int inverse)
{
	lk_real sign = inverse ? -1 : 1;
	lk_real *to = x;

	if (dim % 2 != 0)
		return lk_cpu_fail(q, "rope: dim %zu is odd", dim);
	if (ld == 0)
		ld = heads * dim;
	if (ld < heads * dim)
		return lk_cpu_fail(q, "rope: leading dimension %zu is below %zu", ld, heads * dim);
#pragma omp parallel for schedule(static, ROPE_ROWS)
	for (size_t r = 0; r < rows; r++) {
		size_t p = pos != NULL ? pos[r] : seq != 0 ? r % seq : r;

		for (size_t h = 0; h < heads; h++)
			rope_head(to + r * ld + h * dim, table + p * dim, dim / 2, sign);
	}
	return 0;
}
