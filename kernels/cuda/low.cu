/*
 * Training in 10 bytes a parameter, with the bits of kernels/ref/low.c.
 *
 * Bytes of memory an element (the floor; expected: 85 % of copy speed):
 *	low_split, low_join	8		low_accumulate	8, 6 without `add`
 *	low_sqnorm		2		low_adamw	18
 * Random bits take about 25 instructions an element.
 */
#include "kernels/cuda/access.h"
#include "kernels/cuda/reduce.h"
#include "kernels/dither.h"

/* Types of 16 bits move as bf16 do. */
static __device__ __forceinline__ const lk_bf16 *as16(const uint16_t *p)
{
	return reinterpret_cast<const lk_bf16 *>(p);
}

static __device__ __forceinline__ lk_bf16 *as16(uint16_t *p)
{
	return reinterpret_cast<lk_bf16 *>(p);
}

template <int N>
static __device__ __forceinline__ uint16_t get_half(const lk_vec<lk_bf16, N> &v, int i)
{
	return (uint16_t)(v.w[i / 2] >> (i % 2 * 16));
}

template <int N>
static __device__ __forceinline__ void put_half(lk_vec<lk_bf16, N> &v, int i, uint16_t x)
{
	v.w[i / 2] = i % 2 ? (v.w[i / 2] & 0xffff) | (uint32_t)x << 16
			   : (v.w[i / 2] & 0xffff0000) | x;
}

/*
 * The random bits of elements i + j, j < N, of a call: one after the other if `Row`, where no row of
 * the tensor ends among them.
 */
template <bool Row>
static __device__ __forceinline__ uint64_t low_bits(
		const lk_dither &d, uint64_t key, uint64_t index, size_t i, int j)
{
	return lk_dither_bits(key, Row ? index + j : lk_walk_from(&d, i + j).index);
}

struct low_split_each {
	static constexpr int N = 4, U = 4;
	struct regs {
		lk_vec<float, N> p;
	};
	uint16_t *hi, *lo;
	const float *p;

	template <bool V> __device__ __forceinline__ void load(regs &r, size_t i, int n) const
	{
		lk_get<V>(r.p, p + i, n);
	}

	template <bool V> __device__ __forceinline__ void store(regs &r, size_t i, int n) const
	{
		lk_vec<lk_bf16, N> a = {}, b = {};

		LK_UNROLL
		for (int j = 0; j < N; j++) {
			uint16_t x, y;

			lk_low_split(r.p.w[j], &x, &y);
			put_half(a, j, x);
			put_half(b, j, y);
		}
		lk_set<V>(as16(hi + i), a, n);
		if (lo)
			lk_set<V>(as16(lo + i), b, n);
	}
};

struct low_join_each {
	static constexpr int N = 4, U = 4;
	struct regs {
		lk_vec<lk_bf16, N> hi, lo;
	};
	float *p;
	const uint16_t *hi, *lo;

	template <bool V> __device__ __forceinline__ void load(regs &r, size_t i, int n) const
	{
		lk_get<V>(r.hi, as16(hi + i), n);
		r.lo = {};
		if (lo)
			lk_get<V>(r.lo, as16(lo + i), n);
	}

	template <bool V> __device__ __forceinline__ void store(regs &r, size_t i, int n) const
	{
		lk_vec<float, N> to;

		LK_UNROLL
		for (int j = 0; j < N; j++)
			to.w[j] = lk_low_join(get_half(r.hi, j), get_half(r.lo, j));
		lk_set<V>(p + i, to, n);
	}
};

int lk_cuda_low_split(struct lk_queue *q, uint16_t *hi, uint16_t *lo, const lk_real *p, size_t n)
{
	low_split_each f = { hi, lo, p };
	int go = lk_cuda_begin(q, 0, 0);

	return go <= 0 ? go
		       : lk_each(q, "low_split", f, n,
					 lk_aligned((const void *)hi, (const void *)lo,
							 (const void *)p));
}

int lk_cuda_low_join(
		struct lk_queue *q, lk_real *p, const uint16_t *hi, const uint16_t *lo, size_t n)
{
	low_join_each f = { p, hi, lo };
	int go = lk_cuda_begin(q, 0, 0);

	return go <= 0 ? go
		       : lk_each(q, "low_join", f, n,
					 lk_aligned((const void *)hi, (const void *)lo,
							 (const void *)p));
}

/* --- gradients -------------------------------------------------------------------------------- */

struct low_accumulate_each {
	static constexpr int N = 4, U = 4;
	struct regs {
		lk_vec<float, N> x;
		lk_vec<lk_bf16, N> g;
	};
	uint16_t *g;
	const float *x;
	int add;
	lk_dither d;
	uint64_t key;

	template <bool V> __device__ __forceinline__ void load(regs &r, size_t i, int n) const
	{
		lk_get<V>(r.x, x + i, n);
		r.g.fill((lk_bf16)0.0f);
		if (add)
			lk_get<V>(r.g, as16(g + i), n);
	}

	template <bool V> __device__ __forceinline__ void store(regs &r, size_t i, int n) const
	{
		const struct lk_walk w = lk_walk_from(&d, i);

		if (w.left >= N)
			round<true>(r, w.index, i);
		else
			round<false>(r, w.index, i);
		lk_set<V>(as16(g + i), r.g, n);
	}

	template <bool Row>
	__device__ __forceinline__ void round(regs &r, uint64_t index, size_t i) const
	{
		LK_UNROLL
		for (int j = 0; j < N; j++) {
			float s = add ? r.g.at(j) + r.x.at(j) : r.x.at(j);

			put_half(r.g, j,
					lk_dither_round(__float_as_uint(s),
							low_bits<Row>(d, key, index, i, j)));
		}
	}
};

template <bool V>
static __global__ void __launch_bounds__(LK_EACH_THREADS)
		low_accumulate_kernel(low_accumulate_each f, const struct lk_step *step, size_t n)
{
	f.key = lk_dither_key(&f.d, step->number);
	lk_tile<V>(f, n);
}

int lk_cuda_low_accumulate(struct lk_queue *q, uint16_t *g, const lk_real *x, size_t n, int add,
		const struct lk_dither *d, const struct lk_step *step)
{
	low_accumulate_each f = { g, x, add, *d, 0 };
	auto *k = lk_aligned((const void *)g, (const void *)x) ? low_accumulate_kernel<true>
							       : low_accumulate_kernel<false>;
	unsigned grid;
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0 || n == 0)
		return go < 0 ? go : 0;
	if (lk_grid(q, "low_accumulate", lk_ceil(n, (size_t)LK_EACH_THREADS * f.N * f.U), &grid) <
			0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(LK_EACH_THREADS), 0, q, f, step, n);
	return lk_cuda_launched(q, "low_accumulate");
}

#define CHUNK_THREADS 256

template <bool V>
static __global__ void __launch_bounds__(CHUNK_THREADS)
		low_sqnorm_kernel(double *sums, const uint16_t *g, size_t n)
{
	LK_SHARED(double, room, 32);
	constexpr int N = 8, G = LK_NORM_CHUNK / CHUNK_THREADS / N;
	const size_t first = (size_t)blockIdx.x * LK_NORM_CHUNK + threadIdx.x * N;
	lk_vec<lk_bf16, N> v[G];
	double s = 0;

	LK_UNROLL
	for (int h = 0; h < G; h++) {
		size_t i = first + (size_t)h * (CHUNK_THREADS * N);

		v[h].fill((lk_bf16)0.0f);
		if (i + N <= n)
			lk_get<V>(v[h], as16(g + i));
		else if (i < n)
			lk_get<false>(v[h], as16(g + i), (int)(n - i));
	}
	LK_UNROLL
	for (int h = 0; h < G; h++) {
		LK_UNROLL
		for (int j = 0; j < N; j++)
			s += (double)v[h].at(j) * (double)v[h].at(j);
	}
	s = lk_block_sum(s, (double *)room);
	if (threadIdx.x == 0)
		sums[blockIdx.x] = s;
}

int lk_cuda_low_sqnorm(struct lk_queue *q, double *sums, const uint16_t *g, size_t n)
{
	auto *k = lk_aligned(g) ? low_sqnorm_kernel<true> : low_sqnorm_kernel<false>;
	unsigned grid;
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0 || n == 0)
		return go < 0 ? go : 0;
	if (lk_grid(q, "low_sqnorm", lk_ceil(n, LK_NORM_CHUNK), &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(CHUNK_THREADS), 0, q, sums, g, n);
	return lk_cuda_launched(q, "low_sqnorm");
}

/* --- optimizer -------------------------------------------------------------------------------- */

struct low_factors {
	float b1, c1, b2, c2, i1, i2, lr, eps, decay, clip;
	uint64_t key;
};

struct low_adamw_each {
	static constexpr int N = 8, U = 1;
	struct regs {
		lk_vec<lk_bf16, N> hi, lo, m, v, g;
	};
	uint16_t *hi, *lo, *m, *v;
	const uint16_t *g;
	lk_dither d;
	low_factors a;

	template <bool V> __device__ __forceinline__ void load(regs &r, size_t i, int n) const
	{
		lk_get<V>(r.g, as16(g + i), n);
		lk_get<V>(r.m, as16(m + i), n);
		lk_get<V>(r.v, as16(v + i), n);
		lk_get<V>(r.hi, as16(hi + i), n);
		lk_get<V>(r.lo, as16(lo + i), n);
	}

	template <bool V> __device__ __forceinline__ void store(regs &r, size_t i, int n) const
	{
		const struct lk_walk w = lk_walk_from(&d, i);

		if (w.left >= N)
			update<true>(r, w.index, i);
		else
			update<false>(r, w.index, i);
		lk_set<V>(as16(hi + i), r.hi, n);
		lk_set<V>(as16(lo + i), r.lo, n);
		lk_set<V>(as16(m + i), r.m, n);
		lk_set<V>(as16(v + i), r.v, n);
	}

	template <bool Row>
	__device__ __forceinline__ void update(regs &r, uint64_t index, size_t i) const
	{

		LK_UNROLL
		for (int j = 0; j < N; j++) {
			const uint64_t random = low_bits<Row>(d, a.key, index, i, j);
			const float p = __uint_as_float(
					lk_low_join(get_half(r.hi, j), get_half(r.lo, j)));
			const float c = r.g.at(j) * a.clip;
			const float y = r.m.at(j) * a.b1 + c * a.c1;
			const float z = r.v.at(j) * a.b2 + c * c * a.c2;
			uint16_t hi16, lo16;

			lk_low_split(__float_as_uint(p -
						     (y * a.i1 / (sqrtf(z * a.i2) + a.eps) +
								     p * a.decay) *
								     a.lr),
					&hi16, &lo16);
			put_half(r.hi, j, hi16);
			put_half(r.lo, j, lo16);
			put_half(r.m, j, lk_dither_round(__float_as_uint(y), random));
			put_half(r.v, j, lk_dither_round(__float_as_uint(z), random >> 16));
		}
	}
};

template <bool V>
static __global__ void __launch_bounds__(LK_EACH_THREADS)
		low_adamw_kernel(low_adamw_each f, lk_adamw h, const struct lk_step *step, size_t n)
{
	LK_SHARED(low_factors, room, 1);

	if (step->finite == 0 || step->skip)
		return;
	if (threadIdx.x == 0)
		room[0] = { (float)h.beta1, (float)(1 - h.beta1), (float)h.beta2,
			(float)(1 - h.beta2), (float)(1 / step->bias1), (float)(1 / step->bias2),
			(float)step->lr, (float)h.eps, (float)h.decay, (float)step->clip,
			lk_dither_key(&f.d, step->number) };
	__syncthreads();
	f.a = room[0];
	lk_tile<V>(f, n);
}

int lk_cuda_low_adamw(struct lk_queue *q, uint16_t *hi, uint16_t *lo, uint16_t *m, uint16_t *v,
		const uint16_t *g, size_t n, const struct lk_adamw *h, const struct lk_dither *d,
		const struct lk_step *step)
{
	low_adamw_each f = { hi, lo, m, v, g, *d, {} };
	auto *k = lk_aligned((const uint16_t *)hi, (const uint16_t *)lo, (const uint16_t *)m,
				  (const uint16_t *)v, g)
			? low_adamw_kernel<true>
			: low_adamw_kernel<false>;
	unsigned grid;
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0 || n == 0)
		return go < 0 ? go : 0;
	if (lk_grid(q, "low_adamw", lk_ceil(n, (size_t)LK_EACH_THREADS * f.N * f.U), &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(LK_EACH_THREADS), 0, q, f, *h, step, n);
	return lk_cuda_launched(q, "low_adamw");
}
