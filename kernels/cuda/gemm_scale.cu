#include <string.h>

#include "kernels/cuda/gemm.h"

#define THREADS 256

static __device__ float element(const void *x, size_t i, int bf16)
{
	uint32_t bits;
	float f;

	if (!bf16)
		return static_cast<const float *>(x)[i];
	bits = static_cast<uint32_t>(static_cast<const uint16_t *>(x)[i]) << 16;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

__global__ void __launch_bounds__(1)
		gemm_scale(float *to, float alpha, float beta, const float *a, const float *b)
{
	to[0] = alpha * (a ? *a : 1) * (b ? *b : 1);
	to[1] = beta;
}

/* The largest of the block's values, in thread 0: a maximum has no order. NaN wins. */
static __device__ float block_max(float *shared, float x)
{
	unsigned t = threadIdx.x;

	shared[t] = x;
	__syncthreads();
	for (unsigned s = THREADS / 2; s > 0; s /= 2) {
		if (t < s && !(shared[t] >= shared[t + s]) && shared[t] == shared[t])
			shared[t] = shared[t + s];
		__syncthreads();
	}
	return shared[0];
}

/* Block i takes every gridDim-th stretch of THREADS elements of the rows, counted as if ld were n. */
__global__ void __launch_bounds__(THREADS)
		gemm_amax(float *part, const void *D, int bf16, size_t rows, size_t n, size_t ld)
{
	LK_SHARED(float, shared, THREADS);
	size_t step = static_cast<size_t>(gridDim.x) * THREADS;
	float most = 0;

	for (size_t i = static_cast<size_t>(blockIdx.x) * THREADS + threadIdx.x; i < rows * n;
			i += step) {
		float d = fabsf(element(D, i / n * ld + i % n, bf16));

		if (!(d <= most) && most == most)
			most = d;
	}
	most = block_max(shared, most);
	if (threadIdx.x == 0)
		part[blockIdx.x] = most;
}

__global__ void __launch_bounds__(THREADS)
		gemm_amax_all(float *amax, const float *part, size_t parts)
{
	LK_SHARED(float, shared, THREADS);
	float most = 0;

	for (size_t i = threadIdx.x; i < parts; i += THREADS)
		if (!(part[i] <= most) && most == most)
			most = part[i];
	most = block_max(shared, most);
	if (threadIdx.x == 0)
		*amax = most;
}

/* One thread an element; bf16 by rounding to nearest even, and a NaN stays one. */
__global__ void __launch_bounds__(THREADS) gemm_join(void *D, const float *T, const void *C,
		int bf16, size_t rows, size_t n, size_t ldd, size_t ldc, float beta)
{
	size_t i = static_cast<size_t>(blockIdx.x) * THREADS + threadIdx.x;
	size_t at = i / n * ldd + i % n;
	uint32_t bits;
	float d;

	if (i >= rows * n)
		return;
	d = T ? T[i] : 0;
	if (beta != 0)
		d += beta * element(C, i / n * ldc + i % n, bf16);
	if (!bf16) {
		static_cast<float *>(D)[at] = d;
		return;
	}
	memcpy(&bits, &d, sizeof(bits));
	bits = d == d ? bits + 0x7fff + (bits >> 16 & 1) : bits | 0x400000;
	static_cast<uint16_t *>(D)[at] = static_cast<uint16_t>(bits >> 16);
}

int lk_cuda_gemm_scale(struct lk_queue *q, float *to, double alpha, double beta, const lk_real *a,
		const lk_real *b)
{
	LK_LAUNCH(gemm_scale, 1, 1, 0, q, to, static_cast<float>(alpha), static_cast<float>(beta),
			a, b);
	return lk_cuda_launched(q, "gemm: scales");
}

int lk_cuda_gemm_amax(struct lk_queue *q, lk_real *amax, float *part, const void *D, int bf16,
		size_t rows, size_t n, size_t ld)
{
	size_t blocks = (rows * n + THREADS - 1) / THREADS;

	blocks = blocks < 1 ? 1 : blocks > LK_GEMM_PARTS ? LK_GEMM_PARTS : blocks;
	LK_LAUNCH(gemm_amax, static_cast<unsigned>(blocks), THREADS, 0, q, part, D, bf16, rows, n,
			ld);
	LK_LAUNCH(gemm_amax_all, 1, THREADS, 0, q, amax, part, blocks);
	return lk_cuda_launched(q, "gemm: amax");
}

int lk_cuda_gemm_join(struct lk_queue *q, void *D, const float *T, const void *C, int bf16,
		size_t rows, size_t n, size_t ldd, size_t ldc, double beta)
{
	size_t blocks = (rows * n + THREADS - 1) / THREADS;

	if (blocks == 0)
		return 0;
	if (blocks > 0x7fffffff)
		return lk_cuda_fail(q, "gemm: %zu x %zu elements are too many", rows, n);
	LK_LAUNCH(gemm_join, static_cast<unsigned>(blocks), THREADS, 0, q, D, T, C, bf16, rows, n,
			ldd, ldc, static_cast<float>(beta));
	return lk_cuda_launched(q, "gemm: sum");
}

int lk_cuda_gemm_empty(struct lk_queue *q, void *D, const void *C, int bf16, size_t rows, size_t n,
		size_t ldd, size_t ldc, double beta)
{
	return lk_cuda_gemm_join(q, D, nullptr, C, bf16, rows, n, ldd, ldc, beta);
}
