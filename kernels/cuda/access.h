#ifndef LUCIE_KERNELS_CUDA_ACCESS_H
#define LUCIE_KERNELS_CUDA_ACCESS_H
/*
 * Elements in memory and in registers.
 *
 * lk_vec<T, N> is N elements of T, float or lk_bf16, as they are in memory. lk_get() and lk_set()
 * bring them in accesses of 16 bytes, or one element at a time where `V` is false or fewer than N are
 * there; both give the same bits, since which thread holds which elements depends on N only. V is
 * chosen on the host, by lk_aligned(): pointers are only aligned to their element. v.at(i) is element
 * i as a float, v.put() rounds floats, to the nearest, ties to even.
 *
 * lk_tile() runs an element-wise operation F over the elements of a block:
 *	F::N		elements of one access: 16 bytes of the widest type
 *	F::U		such accesses of one array that a thread has in flight
 *	struct regs	what it holds of one group of N elements
 *	load<V>(regs &, i, n)	store<V>(regs &, i, n)	elements i .. i + n - 1, n <= N
 * lk_each() launches it over n elements. Warps read and write whole lines, in order.
 */
#include "kernels/cuda/cuda.h"

#define LK_EACH_THREADS 256

/* g++ knows no such pragma; the loops are right without it. */
#ifdef __CUDACC__
#define LK_UNROLL _Pragma("unroll")
#else
#define LK_UNROLL
#endif

typedef __nv_bfloat16 lk_bf16;

/* Elements of 16 bytes. */
template <typename T> constexpr int lk_width = 16 / (int)sizeof(T);

template <typename T> static __device__ __forceinline__ uint32_t lk_bits(T x);
template <> __device__ __forceinline__ uint32_t lk_bits(float x)
{
	return __float_as_uint(x);
}
template <> __device__ __forceinline__ uint32_t lk_bits(lk_bf16 x)
{
	return __bfloat16_as_ushort(x);
}

/* Two floats as two bf16 in a word, the first one below. */
static __device__ __forceinline__ uint32_t lk_two(float a, float b)
{
	__nv_bfloat162 h = __floats2bfloat162_rn(a, b);

	return (uint32_t)__bfloat16_as_ushort(h.x) | (uint32_t)__bfloat16_as_ushort(h.y) << 16;
}

template <typename T, int N> struct lk_vec {
	static_assert(N * sizeof(T) % 4 == 0, "whole words");
	static constexpr int words = N * (int)sizeof(T) / 4, per_word = 4 / (int)sizeof(T);
	uint32_t w[words];

	__device__ __forceinline__ float at(int i) const
	{
		if constexpr (per_word == 1)
			return __uint_as_float(w[i]);
		return __uint_as_float(i % 2 ? w[i / 2] & 0xffff0000u : w[i / 2] << 16);
	}

	__device__ __forceinline__ void put(const float (&v)[N])
	{
		LK_UNROLL
		for (int i = 0; i < words; i++)
			if constexpr (per_word == 1)
				w[i] = __float_as_uint(v[i]);
			else
				w[i] = lk_two(v[2 * i], v[2 * i + 1]);
	}

	__device__ __forceinline__ void fill(T x)
	{
		LK_UNROLL
		for (int i = 0; i < words; i++)
			w[i] = per_word == 1 ? lk_bits(x) : lk_bits(x) * 0x10001u;
	}
};

/* n <= N elements from p; the rest become `rest`. */
template <bool V, typename T, int N>
static __device__ __forceinline__ void lk_get(
		lk_vec<T, N> &v, const T *p, int n = N, float rest = 0)
{
	constexpr int bytes = N * (int)sizeof(T);

	if (V && n == N) {
		if constexpr (bytes == 8) {
			uint2 q = *reinterpret_cast<const uint2 *>(p);

			v.w[0] = q.x, v.w[1] = q.y;
		} else {
			LK_UNROLL
			for (int i = 0; i < bytes / 16; i++) {
				uint4 q = reinterpret_cast<const uint4 *>(p)[i];

				v.w[4 * i] = q.x, v.w[4 * i + 1] = q.y;
				v.w[4 * i + 2] = q.z, v.w[4 * i + 3] = q.w;
			}
		}
		return;
	}
	v.fill((T)rest);
	LK_UNROLL
	for (int i = 0; i < N; i++)
		if (i < n) {
			if constexpr (sizeof(T) == 4)
				v.w[i] = lk_bits(p[i]);
			else if (i % 2)
				v.w[i / 2] = (v.w[i / 2] & 0xffffu) | lk_bits(p[i]) << 16;
			else
				v.w[i / 2] = (v.w[i / 2] & 0xffff0000u) | lk_bits(p[i]);
		}
}

template <bool V, typename T, int N>
static __device__ __forceinline__ void lk_set(T *p, const lk_vec<T, N> &v, int n = N)
{
	constexpr int bytes = N * (int)sizeof(T);

	if (V && n == N) {
		if constexpr (bytes == 8) {
			*reinterpret_cast<uint2 *>(p) = make_uint2(v.w[0], v.w[1]);
		} else {
			LK_UNROLL
			for (int i = 0; i < bytes / 16; i++)
				reinterpret_cast<uint4 *>(p)[i] = make_uint4(v.w[4 * i],
						v.w[4 * i + 1], v.w[4 * i + 2], v.w[4 * i + 3]);
		}
		return;
	}
	LK_UNROLL
	for (int i = 0; i < N; i++)
		if (i < n) {
			if constexpr (sizeof(T) == 4)
				p[i] = __uint_as_float(v.w[i]);
			else
				p[i] = __ushort_as_bfloat16(
						(unsigned short)(v.w[i / 2] >> (i % 2 * 16)));
		}
}

/*
 * Elements of group u of a row of n: N, or fewer in the last one. Rows are accessed wide only if n is
 * a multiple of N, so that no branch keeps the loads of a thread apart.
 */
template <bool V, int N> static __device__ __forceinline__ int lk_part(size_t n, size_t u)
{
	return V || n - u * N >= N ? N : (int)(n - u * N);
}

template <bool V, typename F> static __device__ __forceinline__ void lk_tile(const F &f, size_t n)
{
	constexpr int N = F::N, U = F::U;
	const size_t tile = (size_t)blockIdx.x * (LK_EACH_THREADS * N * U);
	const size_t first = tile + (size_t)threadIdx.x * N;
	typename F::regs r[U];

	if (tile + LK_EACH_THREADS * N * U <= n) {
		LK_UNROLL
		for (int u = 0; u < U; u++)
			f.template load<V>(r[u], first + (size_t)u * (LK_EACH_THREADS * N), N);
		LK_UNROLL
		for (int u = 0; u < U; u++)
			f.template store<V>(r[u], first + (size_t)u * (LK_EACH_THREADS * N), N);
		return;
	}
	for (int u = 0; u < U; u++) {
		size_t i = first + (size_t)u * (LK_EACH_THREADS * N);
		int k = i >= n ? 0 : n - i < N ? (int)(n - i) : N;

		if (k == 0)
			break;
		f.template load<V>(r[0], i, k);
		f.template store<V>(r[0], i, k);
	}
}

template <bool V, typename F>
static __global__ void __launch_bounds__(LK_EACH_THREADS) lk_each_kernel(F f, size_t n)
{
	lk_tile<V>(f, n);
}

/* --- host ------------------------------------------------------------------------------------- */

/* All pointers are multiples of 16 bytes; NULL is. */
template <typename... P> static inline bool lk_aligned(const P *...p)
{
	return ((reinterpret_cast<uintptr_t>(p) | ...) & 15) == 0;
}

static inline size_t lk_ceil(size_t n, size_t size)
{
	return n / size + (n % size != 0);
}

/* The size of a grid, or -1 with the message set: CUDA takes fewer than 2^31 blocks. */
static inline int lk_grid(struct lk_queue *q, const char *what, size_t blocks, unsigned *grid)
{
	*grid = (unsigned)blocks;
	if (blocks <= INT32_MAX)
		return 0;
	return lk_cuda_fail(q, "%s: %zu blocks of rows are more than a GPU takes at once", what,
			blocks);
}

/* A row is shorter than 2^31 elements, so that an index inside it has 32 bits. */
static inline int lk_row_fits(struct lk_queue *q, const char *what, size_t n)
{
	return n <= INT32_MAX ? 0
			      : lk_cuda_fail(q, "%s: rows of %zu elements are too long", what, n);
}

/* The threads of a block that has a row of `groups` groups, `held` of them a thread. */
static inline unsigned lk_row_threads(size_t groups, size_t held, size_t most)
{
	size_t threads = lk_ceil(lk_ceil(groups, held), 32) * 32;

	return (unsigned)(threads < 32 ? 32 : threads > most ? most : threads);
}

template <typename F>
static inline int lk_each(struct lk_queue *q, const char *what, const F &f, size_t n, bool aligned)
{
	auto *k = aligned ? lk_each_kernel<true, F> : lk_each_kernel<false, F>;
	unsigned grid;

	if (n == 0)
		return 0;
	if (lk_grid(q, what, lk_ceil(n, (size_t)LK_EACH_THREADS * F::N * F::U), &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(LK_EACH_THREADS), 0, q, f, n);
	return lk_cuda_launched(q, what);
}

#endif
