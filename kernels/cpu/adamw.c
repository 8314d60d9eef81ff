/*
 * adamw.c: the optimizer, element by element.
 */
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define ADAMW_TILE 4096

struct adamw_run {
	lk_real b1, c1, b2, c2; /* beta, 1 - beta */
	lk_real i1, i2;		/* 1 / bias */
	lk_real lr, eps, decay, clip;
};

LK_INLINE lk_vec adamw_vec(const struct adamw_run *a, lk_vec p, lk_vec *m, lk_vec *v, lk_vec g)
{
	g = g * a->clip;
	*m = *m * a->b1 + g * a->c1;
	*v = *v * a->b2 + g * g * a->c2;
	return p - (*m * a->i1 / (v_sqrt(*v * a->i2) + a->eps) + p * a->decay) * a->lr;
}

static void adamw_tile(
	const struct adamw_run *a, lk_real *p, lk_real *m, lk_real *v, const lk_real *g, size_t n)
{
	size_t i = 0, k;
	lk_vec x, y, z;

	for (; i + LK_W <= n; i += LK_W) {
		y = v_load(m + i);
		z = v_load(v + i);
		x = adamw_vec(a, v_load(p + i), &y, &z, v_load(g + i));
		v_store(p + i, x);
		v_store(m + i, y);
		v_store(v + i, z);
	}
	k = n - i;
	if (k == 0)
		return;
	y = v_load_part(m + i, k, 0);
	z = v_load_part(v + i, k, 0);
	x = adamw_vec(a, v_load_part(p + i, k, 0), &y, &z, v_load_part(g + i, k, 0));
	v_store_part(p + i, x, k);
	v_store_part(m + i, y, k);
	v_store_part(v + i, z, k);
}

static int op_adamw(struct lk_queue *q, lk_real *p, lk_real *m, lk_real *v, const lk_real *g,
	lk_act *copy, size_t n, const struct lk_adamw *h, const struct lk_step *step)
{
	struct adamw_run a = { (lk_real)h->beta1, (lk_real)(1 - h->beta1), (lk_real)h->beta2,
		(lk_real)(1 - h->beta2), (lk_real)(1 / step->bias1), (lk_real)(1 / step->bias2),
		(lk_real)step->lr, (lk_real)h->eps, (lk_real)h->decay, (lk_real)step->clip };

	(void)q;
	if (!step->finite)
		return 0;
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i += ADAMW_TILE) {
		size_t k = n - i < ADAMW_TILE ? n - i : ADAMW_TILE;

		adamw_tile(&a, p + i, m + i, v + i, g + i, k);
		if (copy != NULL && copy != p)
			memcpy((lk_real *)copy + i, p + i, k * sizeof *p);
	}
	return 0;
}
