/*
 * swiglu.c: silu(gate) * up.  With e = exp(-|g|) neither the sigmoid nor one minus it loses
 * digits: they are 1 / (1 + e) and e / (1 + e), or the other way round for g < 0.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define SWIGLU_ROWS 8

struct swiglu_sig {
	lk_vec pos; /* sigmoid(g) */
	lk_vec neg; /* sigmoid(-g) */
};

LK_INLINE struct swiglu_sig swiglu_sigmoid(lk_vec g)
{
	lk_ivec below = g < (lk_vec){ 0 };
	lk_vec e = v_exp(v_pick(below, g, -g)), big = (lk_real)1 / (e + (lk_real)1),
	       small = e * big;
	struct swiglu_sig s = { v_pick(below, small, big), v_pick(below, big, small) };

	return s;
}

LK_INLINE lk_vec swiglu_vec(lk_vec g, lk_vec u)
{
	return g * swiglu_sigmoid(g).pos * u;
}

/* dg and du from d; the result is the forward value */
LK_INLINE lk_vec swiglu_back_vec(lk_vec *dg, lk_vec *du, lk_vec d, lk_vec g, lk_vec u)
{
	struct swiglu_sig s = swiglu_sigmoid(g);
	lk_vec silu = g * s.pos;

	*dg = d * u * (s.pos * (g * s.neg + (lk_real)1));
	*du = d * silu;
	return silu * u;
}

static int op_swiglu(struct lk_queue *q, lk_act *y, const lk_act *gu, size_t rows, size_t f)
{
	(void)q;
#pragma omp parallel for schedule(static, SWIGLU_ROWS)
	for (size_t r = 0; r < rows; r++) {
		const lk_real *g = (const lk_real *)gu + r * 2 * f, *u = g + f;
		lk_real *to = (lk_real *)y + r * f;
		size_t i = 0;

		for (; i + LK_W <= f; i += LK_W)
			v_store(to + i, swiglu_vec(v_load(g + i), v_load(u + i)));
		if (i < f)
			v_store_part(to + i,
				swiglu_vec(
					v_load_part(g + i, f - i, 0), v_load_part(u + i, f - i, 0)),
				f - i);
	}
	return 0;
}

static void swiglu_back_row(lk_real *dg, lk_real *du, lk_real *y, const lk_real *dy,
	const lk_real *g, const lk_real *u, size_t f)
{
	lk_vec a, b, s;
	size_t i = 0, n;

	for (; i + LK_W <= f; i += LK_W) {
		s = swiglu_back_vec(&a, &b, v_load(dy + i), v_load(g + i), v_load(u + i));
		v_store(dg + i, a);
		v_store(du + i, b);
		if (y != NULL)
			v_store(y + i, s);
	}
	n = f - i;
	if (n == 0)
		return;
	s = swiglu_back_vec(&a, &b, v_load_part(dy + i, n, 0), v_load_part(g + i, n, 0),
		v_load_part(u + i, n, 0));
	v_store_part(dg + i, a, n);
	v_store_part(du + i, b, n);
	if (y != NULL)
		v_store_part(y + i, s, n);
}

static int op_swiglu_back(struct lk_queue *q, lk_act *dgu, lk_act *y, const lk_act *dy,
	const lk_act *gu, size_t rows, size_t f)
{
	(void)q;
#pragma omp parallel for schedule(static, SWIGLU_ROWS)
	for (size_t r = 0; r < rows; r++) {
		const lk_real *g = (const lk_real *)gu + r * 2 * f;
		lk_real *dg = (lk_real *)dgu + r * 2 * f;

		swiglu_back_row(dg, dg + f, y == NULL ? NULL : (lk_real *)y + r * f,
			(const lk_real *)dy + r * f, g, g + f, f);
	}
	return 0;
}
