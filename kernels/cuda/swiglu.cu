/*
 * The gated activation: each row of gu holds the gate, then u.
 *
 * Bytes of memory an element of y, a bytes of an activation: forward 3a, backward 5a, 6a with y
 * (expected: 85 % of copy speed; about 30 and 45 instructions an element, 60 % of what a
 * multiprocessor can issue in that time in bf16).
 */
#include "kernels/cuda/access.h"
#include "kernels/cuda/reduce.h"

#define SWIGLU_THREADS 256
#define SWIGLU_HELD 2

/*
 * sigmoid(g) and sigmoid(-g), neither of which overflows or cancels. The quotient is within 2 ulp: the
 * exact one would take a third of the instructions.
 */
static __device__ __forceinline__ void swiglu_sigmoid(float g, float *pos, float *neg)
{
	const float e = expf(-fabsf(g)), big = __fdividef(1.0f, e + 1.0f), small = e * big;

	*pos = g < 0 ? small : big;
	*neg = g < 0 ? big : small;
}

template <typename T> struct swiglu_rows {
	T *y, *dgu;
	const T *gu, *dy;
	size_t f;
	unsigned tiles; /* blocks a row */
};

template <bool V, typename T, int N>
static __device__ __forceinline__ void swiglu_forward(
		T *y, const lk_vec<T, N> &g, const lk_vec<T, N> &u, int n)
{
	lk_vec<T, N> to;
	float v[N], pos, neg;

	LK_UNROLL
	for (int j = 0; j < N; j++) {
		swiglu_sigmoid(g.at(j), &pos, &neg);
		v[j] = g.at(j) * pos * u.at(j);
	}
	to.put(v);
	lk_set<V>(y, to, n);
}

template <typename T, bool V>
static __global__ void __launch_bounds__(SWIGLU_THREADS) swiglu_kernel(swiglu_rows<T> a)
{
	constexpr int N = lk_width<T>;
	const size_t row = blockIdx.x / a.tiles;
	const unsigned first =
			(blockIdx.x % a.tiles) * (SWIGLU_THREADS * SWIGLU_HELD) + threadIdx.x;
	const unsigned groups = (unsigned)((a.f + N - 1) / N);
	const T *gate = a.gu + row * 2 * a.f;
	lk_vec<T, N> g[SWIGLU_HELD], u[SWIGLU_HELD];

	LK_UNROLL
	for (int h = 0; h < SWIGLU_HELD; h++) {
		unsigned k = first + h * SWIGLU_THREADS;

		if (k < groups) {
			lk_get<V>(g[h], gate + k * N, lk_part<V, N>(a.f, k));
			lk_get<V>(u[h], gate + a.f + k * N, lk_part<V, N>(a.f, k));
		}
	}
	LK_UNROLL
	for (int h = 0; h < SWIGLU_HELD; h++) {
		unsigned k = first + h * SWIGLU_THREADS;

		if (k < groups)
			swiglu_forward<V>(
					a.y + row * a.f + k * N, g[h], u[h], lk_part<V, N>(a.f, k));
	}
}

template <bool V, typename T, int N>
static __device__ __forceinline__ void swiglu_backward(T *dg, T *du, T *y, const lk_vec<T, N> &d,
		const lk_vec<T, N> &g, const lk_vec<T, N> &u, int n)
{
	lk_vec<T, N> to;
	float a[N], b[N], c[N];

	LK_UNROLL
	for (int j = 0; j < N; j++) {
		float pos, neg, silu;

		swiglu_sigmoid(g.at(j), &pos, &neg);
		silu = g.at(j) * pos;
		a[j] = d.at(j) * u.at(j) * (pos * (g.at(j) * neg + 1.0f));
		b[j] = d.at(j) * silu;
		c[j] = silu * u.at(j);
	}
	to.put(a);
	lk_set<V>(dg, to, n);
	to.put(b);
	lk_set<V>(du, to, n);
	if (y) {
		to.put(c);
		lk_set<V>(y, to, n);
	}
}

template <typename T, bool V>
static __global__ void __launch_bounds__(SWIGLU_THREADS) swiglu_back_kernel(swiglu_rows<T> a)
{
	constexpr int N = lk_width<T>;
	const size_t row = blockIdx.x / a.tiles;
	const unsigned first =
			(blockIdx.x % a.tiles) * (SWIGLU_THREADS * SWIGLU_HELD) + threadIdx.x;
	const unsigned groups = (unsigned)((a.f + N - 1) / N);
	const size_t at = row * 2 * a.f;
	lk_vec<T, N> g[SWIGLU_HELD], u[SWIGLU_HELD], d[SWIGLU_HELD];

	LK_UNROLL
	for (int h = 0; h < SWIGLU_HELD; h++) {
		unsigned k = first + h * SWIGLU_THREADS;

		if (k < groups) {
			lk_get<V>(g[h], a.gu + at + k * N, lk_part<V, N>(a.f, k));
			lk_get<V>(u[h], a.gu + at + a.f + k * N, lk_part<V, N>(a.f, k));
			lk_get<V>(d[h], a.dy + row * a.f + k * N, lk_part<V, N>(a.f, k));
		}
	}
	LK_UNROLL
	for (int h = 0; h < SWIGLU_HELD; h++) {
		unsigned k = first + h * SWIGLU_THREADS;

		if (k < groups)
			swiglu_backward<V>(a.dgu + at + k * N, a.dgu + at + a.f + k * N,
					a.y ? a.y + row * a.f + k * N : NULL, d[h], g[h], u[h],
					lk_part<V, N>(a.f, k));
	}
}

template <typename T>
static int launch(struct lk_queue *q, const char *what, void *y, void *dgu, const void *dy,
		const void *gu, size_t rows, size_t f)
{
	swiglu_rows<T> a = { (T *)y, (T *)dgu, (const T *)gu, (const T *)dy, f,
		(unsigned)lk_ceil(f, (size_t)SWIGLU_THREADS * SWIGLU_HELD * lk_width<T>) };
	const bool wide = lk_aligned(y, dgu, gu, dy) && f % lk_width<T> == 0;
	void (*k)(swiglu_rows<T>) = dgu
			? wide ? swiglu_back_kernel<T, true> : swiglu_back_kernel<T, false>
			: wide ? swiglu_kernel<T, true>
			       : swiglu_kernel<T, false>;
	unsigned grid;

	if (lk_grid(q, what, rows * a.tiles, &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(SWIGLU_THREADS), 0, q, a);
	return lk_cuda_launched(q, what);
}

int lk_cuda_swiglu(struct lk_queue *q, lk_act *y, const lk_act *gu, size_t rows, size_t f)
{
	int go = lk_row_fits(q, "swiglu", f) < 0 ? -1 : lk_cuda_begin(q, 0, 0);

	if (go <= 0 || rows == 0 || f == 0)
		return go < 0 ? go : 0;
	return q->act == LK_BF16 ? launch<lk_bf16>(q, "swiglu", y, NULL, NULL, gu, rows, f)
				 : launch<float>(q, "swiglu", y, NULL, NULL, gu, rows, f);
}

int lk_cuda_swiglu_back(struct lk_queue *q, lk_act *dgu, lk_act *y, const lk_act *dy,
		const lk_act *gu, size_t rows, size_t f)
{
	int go = lk_row_fits(q, "swiglu_back", f) < 0 ? -1 : lk_cuda_begin(q, 0, 0);

	if (go <= 0 || rows == 0 || f == 0)
		return go < 0 ? go : 0;
	return q->act == LK_BF16 ? launch<lk_bf16>(q, "swiglu_back", y, dgu, dy, gu, rows, f)
				 : launch<float>(q, "swiglu_back", y, dgu, dy, gu, rows, f);
}
