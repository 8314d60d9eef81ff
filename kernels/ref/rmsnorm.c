/* Root mean square normalisation: Zhang and Sennrich, arXiv:1910.07467. */
#include <math.h>

#include "kernels/ref/ref.h"

/* y = s / sqrt(mean(s^2) + eps) * w, s = x + res rounded to the type of the activations */
void lk_ref_rmsnorm(double *y, double *rstd, double *sum, const double *x, const double *res,
		const double *w, size_t rows, size_t n, double eps, enum lk_type act)
{
	for (size_t r = 0; r < rows; r++) {
		double squares = 0, k;

		for (size_t i = r * n; i < (r + 1) * n; i++) {
			double s = res ? lk_ref_round(x[i] + res[i], act) : x[i];

			squares += s * s;
			if (res)
				sum[i] = s;
		}
		k = 1 / sqrt(squares / (double)n + eps);
		for (size_t i = 0; i < n; i++)
			y[r * n + i] = (res ? sum : x)[r * n + i] * k * w[i];
		if (rstd)
			rstd[r] = k;
	}
}

void lk_ref_rmsnorm_again(double *y, const double *x, const double *w, const double *rstd,
		size_t rows, size_t n)
{
	for (size_t i = 0; i < rows * n; i++)
		y[i] = x[i] * rstd[i / n] * w[i % n];
}

/*
 * With xh = x * rstd and g = dy * w:
 *	dw += dy * xh		dx = rstd * (g - xh * mean(g * xh)) + dres
 * The second term of dx is the derivative of rstd, d rstd / d x_i = -rstd^3 x_i / n.
 */
void lk_ref_rmsnorm_back(double *dx, double *dw, const double *dy, const double *dres,
		const double *x, const double *w, const double *rstd, size_t rows, size_t n,
		int add)
{
	for (size_t i = 0; i < n && !add; i++)
		dw[i] = 0;
	for (size_t r = 0; r < rows; r++) {
		double mean = 0;

		for (size_t i = 0; i < n; i++) {
			double xh = x[r * n + i] * rstd[r];

			dw[i] += dy[r * n + i] * xh;
			mean += dy[r * n + i] * w[i] * xh / (double)n;
		}
		for (size_t i = 0; i < n; i++) {
			double xh = x[r * n + i] * rstd[r], g = dy[r * n + i] * w[i];

			dx[r * n + i] = rstd[r] * (g - xh * mean);
			if (dres)
				dx[r * n + i] += dres[r * n + i];
		}
	}
}
