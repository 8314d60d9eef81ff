#ifndef LUCIE_KERNELS_CUDA_GEMM_H
#define LUCIE_KERNELS_CUDA_GEMM_H
/*
 * What products need beside cuBLASLt, which has scales and a largest absolute value for 8-bit types
 * only, no product of float matrices in bf16, and none without terms.
 */
#include "kernels/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LK_GEMM_PARTS ((size_t)1024) /* partial maxima of gemm_amax */

/* to[0] = alpha * a[0] * b[0], to[1] = beta; a or b NULL stands for 1. */
int lk_cuda_gemm_scale(struct lk_queue *q, float *to, double alpha, double beta, const lk_real *a,
		const lk_real *b);
/* *amax = the largest |D[i][j]|, 0 if there is none; part[LK_GEMM_PARTS] is work space. bf16: the
 * type of D, otherwise float. */
int lk_cuda_gemm_amax(struct lk_queue *q, lk_real *amax, float *part, const void *D, int bf16,
		size_t rows, size_t n, size_t ld);
/* D = T + beta C, with T[rows][n] in float or NULL for zeros; C is not read if beta is 0. */
int lk_cuda_gemm_join(struct lk_queue *q, void *D, const float *T, const void *C, int bf16,
		size_t rows, size_t n, size_t ldd, size_t ldc, double beta);
/* D = beta C */
int lk_cuda_gemm_empty(struct lk_queue *q, void *D, const void *C, int bf16, size_t rows, size_t n,
		size_t ldd, size_t ldc, double beta);

#ifdef __cplusplus
}
#endif
#endif
