/*
 * Addition, gradient lanes, squared norm, finite check, conversion to activations.
 *
 * Bytes of memory an element (the floor; expected: 90 % of copy speed):
 *	add		3 activations		accumulate	12
 *	to_act		4 + an activation	finite		4
 *	sqnorm		4			lane_sum	4 (lanes + 1), up to 8 lanes
 * sqnorm and lane_sum have one block a chunk of LK_NORM_CHUNK elements, and the same order of sums,
 * so that lane_sum's are sqnorm()'s of its result.
 */
#include "kernels/cuda/access.h"
#include "kernels/cuda/reduce.h"

template <typename T> struct add_each {
	static constexpr int N = lk_width<T>, U = 2;
	struct regs {
		lk_vec<T, N> a, b;
	};
	T *y;
	const T *a, *b;

	template <bool V> __device__ __forceinline__ void load(regs &r, size_t i, int n) const
	{
		lk_get<V>(r.a, a + i, n);
		lk_get<V>(r.b, b + i, n);
	}

	template <bool V> __device__ __forceinline__ void store(regs &r, size_t i, int n) const
	{
		float s[N];

		LK_UNROLL
		for (int j = 0; j < N; j++)
			s[j] = r.a.at(j) + r.b.at(j);
		r.a.put(s);
		lk_set<V>(y + i, r.a, n);
	}
};

struct round_each {
	static constexpr int N = lk_width<float>, U = 4;
	struct regs {
		lk_vec<float, N> x;
	};
	lk_bf16 *y;
	const float *x;

	template <bool V> __device__ __forceinline__ void load(regs &r, size_t i, int n) const
	{
		lk_get<V>(r.x, x + i, n);
	}

	template <bool V> __device__ __forceinline__ void store(regs &r, size_t i, int n) const
	{
		lk_vec<lk_bf16, N> to;
		float v[N];

		LK_UNROLL
		for (int j = 0; j < N; j++)
			v[j] = r.x.at(j);
		to.put(v);
		lk_set<V>(y + i, to, n);
	}
};

template <typename T>
static int add(struct lk_queue *q, const char *what, void *y, const void *a, const void *b,
		size_t n)
{
	add_each<T> f = { (T *)y, (const T *)a, (const T *)b };

	return lk_each(q, what, f, n, lk_aligned(y, a, b));
}

int lk_cuda_add(struct lk_queue *q, lk_act *y, const lk_act *a, const lk_act *b, size_t n)
{
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0)
		return go;
	return q->act == LK_BF16 ? add<lk_bf16>(q, "add", y, a, b, n)
				 : add<float>(q, "add", y, a, b, n);
}

int lk_cuda_accumulate(struct lk_queue *q, lk_real *y, const lk_real *x, size_t n)
{
	int go = lk_cuda_begin(q, 0, 0);

	return go <= 0 ? go : add<float>(q, "accumulate", y, y, x, n);
}

int lk_cuda_to_act(struct lk_queue *q, lk_act *y, const lk_real *x, size_t n)
{
	round_each f = { (lk_bf16 *)y, x };
	int go;

	if (q->act != LK_BF16)
		return y == x ? 0 : lk_cuda_copy(q, y, x, n * sizeof(*x), LK_D2D);
	go = lk_cuda_begin(q, 0, 0);
	return go <= 0 ? go : lk_each(q, "to_act", f, n, lk_aligned(y, (const void *)x));
}

/* --- chunks ----------------------------------------------------------------------------------- */

#define CHUNK_THREADS 256
#define CHUNK_GROUPS (LK_NORM_CHUNK / CHUNK_THREADS / 4) /* of 4 elements, a thread */
#define LANES_AT_ONCE 8

/* The tree of lane_sum() over L registers. */
template <int L> static __device__ __forceinline__ float lanes_sum(float (&v)[L])
{
	LK_UNROLL
	for (int k = L; k > 1; k = (k + 1) / 2) {
		LK_UNROLL
		for (int j = 0; j < L; j++)
			if (j + (k + 1) / 2 < k)
				v[j] += v[j + (k + 1) / 2];
	}
	return v[0];
}

/* Groups of 4 elements of L lanes, and their squares. */
template <int L, bool V> struct chunk_part {
	lk_vec<float, 4> v[L];

	__device__ __forceinline__ void load(const float *x, size_t stride, int k)
	{
		LK_UNROLL
		for (int l = 0; l < L; l++)
			lk_get<V>(v[l], x + l * stride, k);
	}

	__device__ __forceinline__ void store(double *s, float *x, int k)
	{
		float sum[4];

		LK_UNROLL
		for (int j = 0; j < 4; j++) {
			float lane[L];

			LK_UNROLL
			for (int l = 0; l < L; l++)
				lane[l] = v[l].at(j);
			sum[j] = lanes_sum<L>(lane);
			*s += (double)sum[j] * (double)sum[j];
		}
		v[0].put(sum);
		if (L > 1)
			lk_set<V>(x, v[0], k);
	}
};

/* One chunk: the sum of L lanes into lane 0, and of its squares; with one lane nothing is stored. */
template <int L, bool V>
static __global__ void __launch_bounds__(CHUNK_THREADS)
		chunk_kernel(double *sums, float *x, size_t stride, size_t n)
{
	LK_SHARED(double, room, 32);
	constexpr int G = L <= 2 ? 4 : L <= 4 ? 2 : 1; /* groups in flight */
	constexpr size_t apart = CHUNK_THREADS * 4;
	const size_t first = (size_t)blockIdx.x * LK_NORM_CHUNK + threadIdx.x * 4;
	chunk_part<L, V> part[G];
	double s = 0;

	if ((blockIdx.x + (size_t)1) * LK_NORM_CHUNK <= n) {
		for (int h = 0; h < CHUNK_GROUPS; h += G) {
			LK_UNROLL
			for (int g = 0; g < G; g++)
				part[g].load(x + first + (h + g) * apart, stride, 4);
			LK_UNROLL
			for (int g = 0; g < G; g++)
				part[g].store(&s, x + first + (h + g) * apart, 4);
		}
	} else {
		for (size_t i = first; i < n && i < first + LK_NORM_CHUNK; i += apart) {
			part[0].load(x + i, stride, n - i < 4 ? (int)(n - i) : 4);
			part[0].store(&s, x + i, n - i < 4 ? (int)(n - i) : 4);
		}
	}
	if (!sums)
		return;
	s = lk_block_sum(s, (double *)room);
	if (threadIdx.x == 0)
		sums[blockIdx.x] = s;
}

template <int L>
static int chunks(struct lk_queue *q, const char *what, double *sums, float *x, size_t stride,
		size_t n)
{
	bool aligned = lk_aligned(x) && (L == 1 || stride % 4 == 0);
	auto *k = aligned ? chunk_kernel<L, true> : chunk_kernel<L, false>;
	unsigned grid;

	if (n == 0 || lk_grid(q, what, lk_ceil(n, LK_NORM_CHUNK), &grid) < 0)
		return n == 0 ? 0 : -1;
	LK_LAUNCH(k, dim3(grid), dim3(CHUNK_THREADS), 0, q, sums, x, stride, n);
	return lk_cuda_launched(q, what);
}

int lk_cuda_sqnorm(struct lk_queue *q, double *sums, const lk_real *x, size_t n)
{
	int go = lk_cuda_begin(q, 0, 0);

	/* One lane is only read. */
	return go <= 0 ? go : chunks<1>(q, "sqnorm", sums, const_cast<lk_real *>(x), 0, n);
}

/* The upper levels of the tree in memory, until few enough lanes are left. */
static int lanes_halve(struct lk_queue *q, lk_real *x, size_t *lanes, size_t stride, size_t n)
{
	while (*lanes > LANES_AT_ONCE) {
		size_t s = (*lanes + 1) / 2;

		for (size_t j = 0; j + s < *lanes; j++)
			if (add<float>(q, "lane_sum", x + j * stride, x + j * stride,
					    x + (j + s) * stride, n) < 0)
				return -1;
		*lanes = s;
	}
	return 0;
}

int lk_cuda_lane_sum(
		struct lk_queue *q, lk_real *x, size_t lanes, size_t stride, size_t n, double *sums)
{
	int go;

	if (lanes == 0)
		return lk_cuda_fail(q, "lane_sum: no lanes");
	if (lanes > 1 && stride < n)
		return lk_cuda_fail(q, "lane_sum: stride %zu is less than %zu", stride, n);
	go = lk_cuda_begin(q, 0, 0);
	if (go <= 0 || lanes_halve(q, x, &lanes, stride, n) < 0)
		return go < 0 || go > 0 ? -1 : 0;
	switch (lanes) {
	case 1: return sums ? chunks<1>(q, "lane_sum", sums, x, stride, n) : 0;
	case 2: return chunks<2>(q, "lane_sum", sums, x, stride, n);
	case 3: return chunks<3>(q, "lane_sum", sums, x, stride, n);
	case 4: return chunks<4>(q, "lane_sum", sums, x, stride, n);
	case 5: return chunks<5>(q, "lane_sum", sums, x, stride, n);
	case 6: return chunks<6>(q, "lane_sum", sums, x, stride, n);
	case 7: return chunks<7>(q, "lane_sum", sums, x, stride, n);
	default: return chunks<8>(q, "lane_sum", sums, x, stride, n);
	}
}

/* --- finite ----------------------------------------------------------------------------------- */

static __global__ void finite_begin(uint32_t *ok)
{
	*ok = 1;
}

/* Threads that find something all write the same. */
struct finite_each {
	static constexpr int N = 4, U = 4;
	struct regs {
		lk_vec<float, N> x;
	};
	uint32_t *ok;
	const float *x;

	template <bool V> __device__ __forceinline__ void load(regs &r, size_t i, int n) const
	{
		lk_get<V>(r.x, x + i, n);
	}

	template <bool V> __device__ __forceinline__ void store(regs &r, size_t, int) const
	{
		bool good = true;

		LK_UNROLL
		for (int j = 0; j < N; j++)
			good = good && (r.x.w[j] & 0x7f800000u) != 0x7f800000u;
		if (!good)
			*ok = 0;
	}
};

int lk_cuda_finite(struct lk_queue *q, uint32_t *ok, const lk_real *x, size_t n)
{
	finite_each f = { ok, x };
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0)
		return go;
	LK_LAUNCH(finite_begin, dim3(1), dim3(1), 0, q, ok);
	if (lk_cuda_launched(q, "finite") < 0)
		return -1;
	return lk_each(q, "finite", f, n, lk_aligned(x));
}
