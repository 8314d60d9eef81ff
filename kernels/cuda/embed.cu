/*
 * Rows of a table by token id.
 *
 * Bytes of memory an element, a bytes of an activation: forward 2a; backward a a row of dy and 4 a
 * row of dw, 8 with `add` (expected: 85 % of copy speed).
 *
 * Backward walks the sorted ids in pieces of EMBED_ROWS rows, one block each and EMBED_THREADS groups
 * of columns. A segment inside a piece is written to dw there. Of one that goes on, each piece leaves
 * its sum in the work space, and a second launch adds these up in order, in the block of the piece in
 * which the segment begins. Thus a long segment, a comma in a text, is read by many blocks, and a row
 * of dw has one writer.
 */
#include "kernels/cuda/access.h"

#define EMBED_ROWS 32
#define EMBED_THREADS 256
#define EMBED_HELD 4

template <typename T, bool V>
static __global__ void __launch_bounds__(EMBED_THREADS)
		embed_kernel(T *y, const T *w, const uint32_t *ids, size_t n, size_t v0, size_t v)
{
	constexpr int N = lk_width<T>;
	const unsigned groups = (unsigned)((n + N - 1) / N), threads = blockDim.x;
	const size_t id = ids[blockIdx.x];
	const bool here = id >= v0 && id - v0 < v;
	lk_vec<T, N> g[2];

	g[0].fill((T)0.0f);
	g[1].fill((T)0.0f);
	y += (size_t)blockIdx.x * n;
	w += here ? (id - v0) * n : 0;
	for (unsigned first = threadIdx.x; first < groups; first += 2 * threads) {
		LK_UNROLL
		for (int h = 0; h < 2; h++) {
			unsigned u = first + h * threads;

			if (here && u < groups)
				lk_get<V>(g[h], w + u * N, lk_part<V, N>(n, u));
		}
		LK_UNROLL
		for (int h = 0; h < 2; h++) {
			unsigned u = first + h * threads;

			if (u < groups)
				lk_set<V>(y + u * N, g[h], lk_part<V, N>(n, u));
		}
	}
}

template <typename T>
static int embed(struct lk_queue *q, void *y, const void *w, const uint32_t *ids, size_t rows,
		size_t n, size_t v0, size_t v)
{
	auto *k = lk_aligned(y, w) && n % lk_width<T> == 0 ? embed_kernel<T, true>
							   : embed_kernel<T, false>;
	unsigned grid;

	if (lk_grid(q, "embed", rows, &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(lk_row_threads(lk_ceil(n, lk_width<T>), 2, EMBED_THREADS)), 0,
			q, (T *)y, (const T *)w, ids, n, v0, v);
	return lk_cuda_launched(q, "embed");
}

int lk_cuda_embed(struct lk_queue *q, lk_act *y, const lk_act *w, const uint32_t *ids, size_t rows,
		size_t n, size_t v0, size_t v)
{
	int go = lk_row_fits(q, "embed", n) < 0 ? -1 : lk_cuda_begin(q, 0, 0);

	if (go <= 0 || rows == 0 || n == 0)
		return go < 0 ? go : 0;
	return q->act == LK_BF16 ? embed<lk_bf16>(q, y, w, ids, rows, n, v0, v)
				 : embed<float>(q, y, w, ids, rows, n, v0, v);
}

/* --- backward --------------------------------------------------------------------------------- */

struct embed_back_rows {
	float *dw, *part; /* part[pieces][2][n]: of the segments that the piece begins and ends with */
	struct lk_ids ids;
	size_t n, v0, v;
	int add;
};

/* The last segment that begins at sorted row `at` or before. */
static __device__ size_t embed_segment(const struct lk_ids &ids, size_t at)
{
	size_t low = 0, high = ids.segments;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (ids.begin[mid] <= at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

template <bool V, int N>
static __device__ __forceinline__ void embed_store(float *to, float (&sum)[N], int add, int n)
{
	lk_vec<float, N> v;

	if (add) {
		lk_get<V>(v, to, n);
		LK_UNROLL
		for (int j = 0; j < N; j++)
			sum[j] += v.at(j);
	}
	v.put(sum);
	lk_set<V>(to, v, n);
}

/* Where the sum of segment s, of the rows of this piece, goes: NULL if the id is not here. */
static __device__ __forceinline__ float *embed_to(
		const embed_back_rows &a, size_t s, size_t first, size_t end, int *add)
{
	const size_t id = a.ids.id[s];

	*add = 0;
	if (id < a.v0 || id - a.v0 >= a.v)
		return NULL;
	if (a.ids.begin[s] < first)
		return a.part + 2 * blockIdx.x * a.n;
	if (a.ids.begin[s + 1] > end)
		return a.part + (2 * blockIdx.x + 1) * a.n;
	*add = a.add;
	return a.dw + (id - a.v0) * a.n;
}

/* blockIdx.x: a piece; blockIdx.y: EMBED_THREADS groups of columns. */
template <typename T, bool V>
static __global__ void __launch_bounds__(EMBED_THREADS)
		embed_back_kernel(const T *dy, embed_back_rows a)
{
	constexpr int N = lk_width<T>;
	const size_t first = (size_t)blockIdx.x * EMBED_ROWS;
	const size_t end = first + EMBED_ROWS < a.ids.rows ? first + EMBED_ROWS : a.ids.rows;
	const size_t u = (size_t)blockIdx.y * EMBED_THREADS + threadIdx.x;
	size_t s, next;
	float sum[N];

	if (u * N >= a.n)
		return;
	const int n = lk_part<V, N>(a.n, u);

	s = embed_segment(a.ids, first);
	next = a.ids.begin[s + 1];
	LK_UNROLL
	for (int j = 0; j < N; j++)
		sum[j] = 0;
	for (size_t i = first; i < end; i += EMBED_HELD) {
		lk_vec<T, N> g[EMBED_HELD];

		LK_UNROLL
		for (int h = 0; h < EMBED_HELD; h++)
			if (i + h < end)
				lk_get<V>(g[h], dy + a.ids.row[i + h] * a.n + u * N, n);
		LK_UNROLL
		for (int h = 0; h < EMBED_HELD; h++) {
			int add;
			float *to;

			if (i + h >= end)
				break;
			LK_UNROLL
			for (int j = 0; j < N; j++)
				sum[j] += g[h].at(j);
			if (i + h + 1 < next && i + h + 1 < end)
				continue;
			to = embed_to(a, s, first, end, &add);
			if (to)
				embed_store<V, N>(to + u * N, sum, add, n);
			LK_UNROLL
			for (int j = 0; j < N; j++)
				sum[j] = 0;
			if (i + h + 1 < end)
				next = a.ids.begin[++s + 1];
		}
	}
}

/* The segments that go on past the piece in which they begin. */
template <bool V>
static __global__ void __launch_bounds__(EMBED_THREADS) embed_join_kernel(embed_back_rows a)
{
	constexpr int N = 4;
	const size_t last = ((size_t)blockIdx.x + 1) * EMBED_ROWS - 1;
	const size_t u = (size_t)blockIdx.y * EMBED_THREADS + threadIdx.x;
	size_t s, pieces;
	float sum[N];
	lk_vec<float, N> g;

	if (last + 1 >= a.ids.rows || u * N >= a.n)
		return;
	const int n = lk_part<V, N>(a.n, u);
	const size_t id = a.ids.id[s = embed_segment(a.ids, last)];

	if (a.ids.begin[s + 1] <= last + 1 || a.ids.begin[s] / EMBED_ROWS != blockIdx.x ||
			id < a.v0 || id - a.v0 >= a.v)
		return;
	lk_get<V>(g, a.part + (2 * blockIdx.x + 1) * a.n + u * N, n);
	LK_UNROLL
	for (int j = 0; j < N; j++)
		sum[j] = g.at(j);
	pieces = (a.ids.begin[s + 1] - 1) / EMBED_ROWS;
	LK_UNROLL
	for (size_t k = (size_t)blockIdx.x + 1; k <= pieces; k++) {
		lk_get<V>(g, a.part + 2 * k * a.n + u * N, n);
		LK_UNROLL
		for (int j = 0; j < N; j++)
			sum[j] += g.at(j);
	}
	embed_store<V, N>(a.dw + (id - a.v0) * a.n + u * N, sum, a.add, n);
}

/* Zero the rows of dw that have no segment: EMBED_ROWS ids a block. */
template <bool V>
static __global__ void __launch_bounds__(EMBED_THREADS) embed_zero_kernel(embed_back_rows a)
{
	constexpr int N = 4;
	const size_t first = (size_t)blockIdx.x * EMBED_ROWS;
	const size_t end = first + EMBED_ROWS < a.v ? first + EMBED_ROWS : a.v;
	lk_vec<float, N> none;
	size_t low = 0, high = a.ids.segments;

	none.fill(0);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (a.ids.id[mid] < a.v0 + first)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t r = first; r < end; r++) {
		if (low < a.ids.segments && a.ids.id[low] == a.v0 + r) {
			low++;
			continue;
		}
		for (size_t u = threadIdx.x; u * N < a.n; u += EMBED_THREADS)
			lk_set<V>(a.dw + r * a.n + u * N, none, lk_part<V, N>(a.n, u));
	}
}

static int embed_zero(struct lk_queue *q, embed_back_rows a)
{
	auto *k = lk_aligned(a.dw) && a.n % 4 == 0 ? embed_zero_kernel<true>
						   : embed_zero_kernel<false>;
	unsigned grid;

	if (a.v == 0 || lk_grid(q, "embed_back", lk_ceil(a.v, EMBED_ROWS), &grid) < 0)
		return a.v == 0 ? 0 : -1;
	LK_LAUNCH(k, dim3(grid), dim3(EMBED_THREADS), 0, q, a);
	return lk_cuda_launched(q, "embed_back");
}

template <typename T>
static int embed_back(struct lk_queue *q, const void *dy, embed_back_rows a, unsigned pieces)
{
	constexpr size_t N = lk_width<T>;
	const bool wide = lk_aligned(a.dw, (const float *)dy) && a.n % N == 0;
	auto *k = wide ? embed_back_kernel<T, true> : embed_back_kernel<T, false>;
	auto *join = wide ? embed_join_kernel<true> : embed_join_kernel<false>;

	LK_LAUNCH(k, dim3(pieces, (unsigned)lk_ceil(a.n, N * EMBED_THREADS)), dim3(EMBED_THREADS),
			0, q, (const T *)dy, a);
	if (lk_cuda_launched(q, "embed_back") < 0)
		return -1;
	LK_LAUNCH(join, dim3(pieces, (unsigned)lk_ceil(a.n, 4 * EMBED_THREADS)),
			dim3(EMBED_THREADS), 0, q, a);
	return lk_cuda_launched(q, "embed_back");
}

int lk_cuda_embed_back(struct lk_queue *q, lk_real *dw, const lk_act *dy, const struct lk_ids *ids,
		size_t n, size_t v0, size_t v, int add)
{
	unsigned pieces;
	size_t part;
	int go;

	/* Blocks of columns are counted by the grid's second dimension, which has 16 bits. */
	if (n > (size_t)65535 * 4 * EMBED_THREADS)
		return lk_cuda_fail(q, "embed_back: rows of %zu elements are too long", n);
	if (lk_grid(q, "embed_back", lk_ceil(ids->rows, EMBED_ROWS), &pieces) < 0)
		return -1;
	if (__builtin_mul_overflow(lk_ceil(ids->rows, EMBED_ROWS) * 2, n, &part))
		return lk_cuda_fail(q, "embed_back: %zu rows of %zu are too many", ids->rows, n);
	go = lk_cuda_begin(q, part, sizeof(*dw));
	if (go <= 0 || n == 0)
		return go < 0 ? go : 0;
	embed_back_rows a = { dw, (float *)q->work, *ids, n, v0, v, add };

	if (!add && embed_zero(q, a) < 0)
		return -1;
	if (ids->rows == 0 || ids->segments == 0 || v == 0)
		return 0;
	return q->act == LK_BF16 ? embed_back<lk_bf16>(q, dy, a, pieces)
				 : embed_back<float>(q, dy, a, pieces);
}
