/* SwiGLU: Shazeer, arXiv:2002.05202. Each row of gu holds the gate g, then u. */
#include <math.h>

#include "kernels/ref/ref.h"

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

/* y = silu(g) * u, silu(g) = g sigmoid(g) */
void lk_ref_swiglu(double *y, const double *gu, size_t rows, size_t f)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < f; i++) {
			double g = gu[r * 2 * f + i], u = gu[r * 2 * f + f + i];

			y[r * f + i] = g * sigmoid(g) * u;
		}
}

/* du = dy silu(g), dg = dy u silu'(g), silu'(g) = sigmoid(g) (1 + g (1 - sigmoid(g))) */
void lk_ref_swiglu_back(
		double *dgu, double *y, const double *dy, const double *gu, size_t rows, size_t f)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < f; i++) {
			double g = gu[r * 2 * f + i], u = gu[r * 2 * f + f + i], d = dy[r * f + i];

			dgu[r * 2 * f + i] = d * u * sigmoid(g) * (1 + g * sigmoid(-g));
			dgu[r * 2 * f + f + i] = d * g * sigmoid(g);
			if (y)
				y[r * f + i] = g * sigmoid(g) * u;
		}
}
