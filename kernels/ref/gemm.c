#include "kernels/ref/ref.h"

/* D = alpha * op(A) op(B) + beta * C; `packed` and `d_amax` are ignored, B is always read. */
void lk_ref_gemm(const struct lk_gemm *g, double *D, const double *A, const double *B,
		const double *C)
{
	size_t lda = g->lda ? g->lda : g->ta ? g->m : g->k;
	size_t ldb = g->ldb ? g->ldb : g->tb ? g->k : g->n;
	size_t ldc = g->ldc ? g->ldc : g->n, ldd = g->ldd ? g->ldd : g->n;
	double alpha = g->alpha;

	alpha *= g->a_scale ? (double)*g->a_scale : 1;
	alpha *= g->b_scale ? (double)*g->b_scale : 1;
	for (size_t i = g->row1 ? g->row0 : 0; i < (g->row1 ? g->row1 : g->m); i++)
		for (size_t j = 0; j < g->n; j++) {
			double s = 0;

			for (size_t l = 0; l < g->k; l++) {
				double a = g->ta ? A[l * lda + i] : A[i * lda + l];
				double b = g->tb ? B[j * ldb + l] : B[l * ldb + j];

				s += a * b;
			}
			s *= alpha;
			if (g->beta != 0)
				s += g->beta * C[i * ldc + j];
			D[i * ldd + j] = s;
		}
}
