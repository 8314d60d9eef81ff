#ifndef LUCIE_KERNELS_CUDA_REDUCE_H
#define LUCIE_KERNELS_CUDA_REDUCE_H
/*
 * Sums and maxima over a warp and over a block, by a tree that the number of threads alone fixes. All
 * threads call, and all get the result with the same bits: both halves of an exchange add the same
 * two numbers.
 *
 * A block has one dimension, of a multiple of 32 threads. It needs `room`, 32 elements of shared
 * memory, for itself until the next barrier after the call.
 */
#include "kernels/cuda/cuda.h"

#define LK_ALL_LANES 0xffffffffu

struct lk_sum_of {
	template <typename T> __device__ __forceinline__ T operator()(T a, T b) const
	{
		return a + b;
	}
};

struct lk_max_of {
	__device__ __forceinline__ float operator()(float a, float b) const
	{
		return fmaxf(a, b);
	}
};

template <typename F, typename T> static __device__ __forceinline__ T lk_warp(F f, T v)
{
	for (int s = 16; s > 0; s /= 2)
		v = f(v, __shfl_xor_sync(LK_ALL_LANES, v, s));
	return v;
}

/* `none` is what f() leaves the other argument unchanged by. */
template <typename F, typename T>
static __device__ __forceinline__ T lk_block(F f, T v, T none, T *room)
{
	const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;

	v = lk_warp(f, v);
	if (warps == 1)
		return v;
	if (lane == 0)
		room[warp] = v;
	__syncthreads();
	return lk_warp(f, lane < warps ? room[lane] : none);
}

template <typename T> static __device__ __forceinline__ T lk_block_sum(T v, T *room)
{
	return lk_block(lk_sum_of(), v, (T)0, room);
}

static __device__ __forceinline__ float lk_block_max(float v, float *room)
{
	return lk_block(lk_max_of(), v, -INFINITY, room);
}

/* e^x for x <= 0: within 1 ulp, 0 below -87, where lk.h's CPU has it too. */
static __device__ __forceinline__ float lk_exp(float x)
{
	return x < -87.0f ? 0.0f : expf(x);
}

#endif
