/*
 * embed.c: rows of a table by token id.  Backward cuts the columns, not the rows: one thread adds
 * all rows to its columns in order, so equal ids need no care.
 */
#include <string.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#define EMBED_ROWS 32
#define EMBED_COLS 64

static int op_embed(struct lk_queue *q, lk_act *y, const lk_act *w, const uint32_t *ids,
	size_t rows, size_t n, size_t v0, size_t v)
{
	lk_real *to = y;
	const lk_real *from = w;

	(void)q;
#pragma omp parallel for schedule(static, EMBED_ROWS)
	for (size_t r = 0; r < rows; r++) {
		if (ids[r] >= v0 && ids[r] - v0 < v)
			memcpy(to + r * n, from + (ids[r] - v0) * n, n * sizeof *to);
		else
			memset(to + r * n, 0, n * sizeof *to);
	}
	return 0;
}

static void embed_add(lk_real *dw, const lk_real *dy, size_t n)
{
	size_t i = 0;

	for (; i + LK_W <= n; i += LK_W)
		v_store(dw + i, v_load(dw + i) + v_load(dy + i));
	for (; i < n; i++)
		dw[i] += dy[i];
}

static int op_embed_back(struct lk_queue *q, lk_real *dw, const lk_act *dy, const uint32_t *ids,
	size_t rows, size_t n, size_t v0, size_t v)
{
	const lk_real *from = dy;

	(void)q;
#pragma omp parallel for schedule(static, 1)
	for (size_t c = 0; c < n; c += EMBED_COLS)
		for (size_t r = 0; r < rows; r++)
			if (ids[r] >= v0 && ids[r] - v0 < v)
				embed_add(dw + (ids[r] - v0) * n + c, from + r * n + c,
					n - c < EMBED_COLS ? n - c : EMBED_COLS);
	return 0;
}
