/*
 * Rotary position embedding: Su et al., arXiv:2104.09864. The pairs are (i, i + dim/2), as in
 * Hugging Face's Llama; the paper pairs (2i, 2i + 1).
 */
#include <math.h>

#include "kernels/ref/ref.h"

/* Row p: the cosines, then the sines, of (pos0 + p) * freq_i; the paper's are theta^(-2i/dim). */
void lk_ref_rope_table(double *table, size_t pos0, size_t npos, size_t dim, const double *freq)
{
	for (size_t p = 0; p < npos; p++)
		for (size_t i = 0; i < dim / 2; i++) {
			double a = (double)(pos0 + p) * freq[i];

			table[p * dim + i] = cos(a);
			table[p * dim + dim / 2 + i] = sin(a);
		}
}

/* (a, b) becomes (a cos - b sin, b cos + a sin); the inverse turns by the negative angle. */
void lk_ref_rope(double *x, const double *table, const uint32_t *pos, size_t seq, size_t rows,
		size_t heads, size_t dim, size_t ld, int inverse)
{
	size_t half = dim / 2;

	for (size_t r = 0; r < rows; r++) {
		size_t p = pos ? pos[r] : seq ? r % seq : r;

		for (size_t h = 0; h < heads; h++)
			for (size_t i = 0; i < half; i++) {
				double *y = x + r * (ld ? ld : heads * dim) + h * dim;
				double c = table[p * dim + i], s = table[p * dim + half + i];
				double a = y[i], b = y[i + half];

				if (inverse)
					s = -s;
				y[i] = a * c - b * s;
				y[i + half] = b * c + a * s;
			}
	}
}
