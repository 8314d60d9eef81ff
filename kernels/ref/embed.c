#include "kernels/ref/ref.h"

/* y[r] = w[id of row r] */
void lk_ref_embed(double *y, const double *w, const uint32_t *ids, size_t rows, size_t n, size_t v0,
		size_t v)
{
	for (size_t r = 0; r < rows; r++) {
		int here = ids[r] >= v0 && ids[r] < v0 + v;

		for (size_t i = 0; i < n; i++)
			y[r * n + i] = here ? w[(ids[r] - v0) * n + i] : 0;
	}
}

/* dw[id of row r] += dy[r], in the order of r; the sum begins at 0 without `add`. */
void lk_ref_embed_back(double *dw, const double *dy, const uint32_t *ids, size_t rows, size_t n,
		size_t v0, size_t v, int add)
{
	for (size_t i = 0; i < v * n && !add; i++)
		dw[i] = 0;
	for (size_t r = 0; r < rows; r++) {
		if (ids[r] < v0 || ids[r] >= v0 + v)
			continue;
		for (size_t i = 0; i < n; i++)
			dw[(ids[r] - v0) * n + i] += dy[r * n + i];
	}
}
