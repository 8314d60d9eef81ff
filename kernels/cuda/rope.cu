/*
 * Rotary positions, in place: the pair (x[i], x[i + dim/2]) is rotated by angle i of the row. One
 * block a row; a thread keeps cosines and sines of its columns for all heads.
 *
 * Bytes of memory an element, a bytes of an activation: 2a, and 4 / heads of the table, which stays
 * in L2 for sequences of one length (expected: 85 % of copy speed).
 */
#include "kernels/cuda/access.h"

#define ROPE_THREADS 256
#define ROPE_FREQS 128

struct rope_freqs {
	double f[ROPE_FREQS];
};

/* Columns first .. first + n - 1 of one row of the table, as cosines and as sines. */
static __global__ void rope_table_kernel(
		float *table, size_t pos0, size_t half, size_t first, rope_freqs freqs)
{
	const size_t p = blockIdx.x, i = threadIdx.x;
	const double a = (double)(pos0 + p) * freqs.f[i];

	table[p * 2 * half + first + i] = (float)cos(a);
	table[p * 2 * half + half + first + i] = (float)sin(a);
}

/* The frequencies travel as an argument, since they are host memory that is read at once. */
int lk_cuda_rope_table(struct lk_queue *q, lk_real *table, size_t pos0, size_t npos, size_t dim,
		const double *freq)
{
	const size_t half = dim / 2;
	unsigned grid;
	int go;

	if (dim % 2 != 0)
		return lk_cuda_fail(q, "rope_table: dim %zu is odd", dim);
	if (lk_grid(q, "rope_table", npos, &grid) < 0)
		return -1;
	go = lk_cuda_begin(q, 0, 0);
	if (go <= 0 || npos == 0)
		return go < 0 ? go : 0;
	for (size_t first = 0; first < half; first += ROPE_FREQS) {
		size_t n = half - first < ROPE_FREQS ? half - first : ROPE_FREQS;
		rope_freqs f = {};

		for (size_t i = 0; i < n; i++)
			f.f[i] = freq[first + i];
		LK_LAUNCH(rope_table_kernel, dim3(grid), dim3((unsigned)n), 0, q, table, pos0, half,
				first, f);
		if (lk_cuda_launched(q, "rope_table") < 0)
			return -1;
	}
	return 0;
}

struct rope_rows {
	const float *table;
	const uint32_t *pos;
	size_t seq, ld;
	unsigned heads, half;
	float sign;
};

template <bool V, typename T, int N>
static __device__ __forceinline__ void rope_turn(T *x, size_t half, const lk_vec<float, N> &c,
		const lk_vec<float, N> &s, float sign, int n)
{
	lk_vec<T, N> a, b;
	float u[N], v[N];

	lk_get<V>(a, x, n);
	lk_get<V>(b, x + half, n);
	LK_UNROLL
	for (int j = 0; j < N; j++) {
		float sine = s.at(j) * sign;

		u[j] = a.at(j) * c.at(j) - b.at(j) * sine;
		v[j] = b.at(j) * c.at(j) + a.at(j) * sine;
	}
	a.put(u);
	b.put(v);
	lk_set<V>(x, a, n);
	lk_set<V>(x + half, b, n);
}

/* threadIdx.x: a group of columns; threadIdx.y: a head. */
template <typename T, bool V>
static __global__ void __launch_bounds__(ROPE_THREADS) rope_kernel(T *x, rope_rows a)
{
	constexpr int N = lk_width<T>;
	const size_t row = blockIdx.x;
	const size_t p = a.pos ? a.pos[row] : a.seq != 0 ? row % a.seq : row;
	const float *cs = a.table + p * 2 * a.half;

	x += row * a.ld;
	for (unsigned i = threadIdx.x * N; i < a.half; i += blockDim.x * N) {
		const int n = lk_part<V, N>(a.half, i / N);
		lk_vec<float, N> c, s;

		lk_get<V>(c, cs + i, n);
		lk_get<V>(s, cs + a.half + i, n);
		LK_UNROLL
		for (unsigned h = threadIdx.y; h < a.heads; h += blockDim.y)
			rope_turn<V>(x + (size_t)h * 2 * a.half + i, a.half, c, s, a.sign, n);
	}
}

template <typename T> static int rope(struct lk_queue *q, void *x, rope_rows a, size_t rows)
{
	constexpr unsigned N = lk_width<T>;
	const bool wide = lk_aligned(x, (const void *)a.table) && a.half % N == 0 && a.ld % N == 0;
	auto *k = wide ? rope_kernel<T, true> : rope_kernel<T, false>;
	const unsigned columns =
			(a.half + N - 1) / N < ROPE_THREADS ? (a.half + N - 1) / N : ROPE_THREADS;
	const unsigned passes = (unsigned)lk_ceil(a.heads, ROPE_THREADS / columns);
	unsigned grid;

	if (lk_grid(q, "rope", rows, &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(columns, (unsigned)lk_ceil(a.heads, passes)), 0, q, (T *)x,
			a);
	return lk_cuda_launched(q, "rope");
}

int lk_cuda_rope(struct lk_queue *q, lk_act *x, const lk_real *table, const uint32_t *pos,
		size_t seq, size_t rows, size_t heads, size_t dim, size_t ld, int inverse)
{
	int go;

	if (dim % 2 != 0)
		return lk_cuda_fail(q, "rope: dim %zu is odd", dim);
	if (ld == 0)
		ld = heads * dim;
	if (ld < heads * dim)
		return lk_cuda_fail(
				q, "rope: leading dimension %zu is less than %zu", ld, heads * dim);
	if (lk_row_fits(q, "rope", ld) < 0)
		return -1;
	go = lk_cuda_begin(q, 0, 0);
	if (go <= 0 || rows == 0 || heads == 0 || dim == 0)
		return go < 0 ? go : 0;
	rope_rows a = { table, pos, seq, ld, (unsigned)heads, (unsigned)(dim / 2),
		inverse ? -1.0f : 1.0f };
	return q->act == LK_BF16 ? rope<lk_bf16>(q, x, a, rows) : rope<float>(q, x, a, rows);
}
