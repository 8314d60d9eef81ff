/*
 * Attention in float, without tensor cores: for runs that are compared with the CPU, and for
 * activations of type LK_REAL. The formulas are those of attention.cu and attention_back.cu.
 *
 * A block has eight warps with F32_ROWS rows each, and goes through tiles of 32 columns: keys, or
 * queries where the rows are keys. For a score, a lane has one column and F32_ROWS rows; the weights
 * then go through shared memory, and for the sums over columns the lane has all rows and the elements
 * lane, lane + 32, ... of each. Tiles have an odd pitch, so that neither way has bank conflicts.
 */
#include "kernels/cuda/attn_tile.h"

#define F32_WARPS 8
#define F32_THREADS (F32_WARPS * 32)
#define F32_ROWS 4
#define F32_TILE 32 /* rows and columns of a block */

/* Fill a tile with n rows from x on, zeros after them. */
static __device__ __forceinline__ void f32_load(
		float *tile, int pitch, const float *x, size_t ld, int n, int dim)
{
	for (int id = (int)threadIdx.x; id < F32_TILE * dim; id += F32_THREADS) {
		int row = id / dim, c = id % dim;

		tile[row * pitch + c] = row < n ? x[(size_t)row * ld + c] : 0;
	}
}

/* s[r] = row r of the warp's rows times the lane's column. */
static __device__ __forceinline__ void f32_scores(
		float s[F32_ROWS], const float *rows, const float *column, int dim)
{
	for (int r = 0; r < F32_ROWS; r++)
		s[r] = 0;
	for (int c = 0; c < dim; c++) {
		float x = column[c];

#pragma unroll
		for (int r = 0; r < F32_ROWS; r++)
			s[r] = fmaf(rows[r * dim + c], x, s[r]);
	}
}

/* sum[r][u] += sum over columns j of w[r][j] * tile[j][lane + 32 u] */
template <int U>
static __device__ __forceinline__ void f32_add(float sum[F32_ROWS][U], const float (*w)[F32_TILE],
		const float *tile, int pitch, int dim)
{
	int lane = (int)threadIdx.x % 32;

	for (int j = 0; j < F32_TILE; j++)
#pragma unroll
		for (int u = 0; u < U; u++) {
			float x = lane + 32 * u < dim ? tile[j * pitch + lane + 32 * u] : 0;

#pragma unroll
			for (int r = 0; r < F32_ROWS; r++)
				sum[r][u] = fmaf(w[r][j], x, sum[r][u]);
		}
}

/* Store the warp's rows, of which n exist, times `by`. */
template <int U>
static __device__ __forceinline__ void f32_store(float *x, size_t ld, const float sum[F32_ROWS][U],
		int n, int dim, const float by[F32_ROWS], int add)
{
	int lane = (int)threadIdx.x % 32;

#pragma unroll
	for (int r = 0; r < F32_ROWS; r++)
#pragma unroll
		for (int u = 0; u < U; u++) {
			int c = lane + 32 * u;
			float *to = x + (size_t)r * ld + c;

			if (r < n && c < dim)
				*to = add ? *to + sum[r][u] * by[r] : sum[r][u] * by[r];
		}
}

static __device__ __forceinline__ bool f32_visible(const attn_args &a, int b, int i, int j)
{
	return i < a.tq && j < attn_limit(a, i) && j >= attn_first(a, b, i);
}

/* Update the running maximum and sum; s becomes the exponentials, by[] rescales what there is. */
static __device__ __forceinline__ void f32_softmax(
		float s[F32_ROWS], float max[F32_ROWS], float sum[F32_ROWS], float by[F32_ROWS])
{
#pragma unroll
	for (int r = 0; r < F32_ROWS; r++) {
		float m = s[r], l, base;

		for (int k = 16; k > 0; k /= 2)
			m = fmaxf(m, __shfl_xor_sync(ATTN_WARP, m, k));
		m = fmaxf(m, max[r]);
		base = m == -INFINITY ? 0 : m;
		l = s[r] = expf(s[r] - base);
		for (int k = 16; k > 0; k /= 2)
			l += __shfl_xor_sync(ATTN_WARP, l, k);
		by[r] = expf(max[r] - base);
		sum[r] = fmaf(sum[r], by[r], l);
		max[r] = m;
	}
}

template <int U>
__global__ void __launch_bounds__(F32_THREADS) attn_f32_forward(const attn_args a, float *O,
		float *lse, const float *Q, const float *K, const float *V)
{
	LK_SHARED_DYNAMIC(float, sq);
	LK_SHARED(float, weights, F32_WARPS *F32_ROWS *F32_TILE);
	const int pitch = a.dim | 1, warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
	float *sk = sq + F32_TILE * a.dim, *sv = sk + F32_TILE * pitch;
	float(*w)[F32_TILE] =
			reinterpret_cast<float(*)[F32_TILE]>(weights + warp * F32_ROWS * F32_TILE);
	attn_place at = attn_block(blockIdx.x, a.heads, a.batch);
	int q0 = (a.tiles - 1 - at.tile) * F32_TILE, i0 = q0 + warp * F32_ROWS;
	int end = attn_limit(a, min(q0 + F32_TILE, a.tq) - 1);
	size_t kv = (size_t)at.b * a.k_seq + (size_t)(at.head / a.group * a.dim);
	float o[F32_ROWS][U] = {}, max[F32_ROWS], sum[F32_ROWS] = {}, by[F32_ROWS], s[F32_ROWS];

	for (int r = 0; r < F32_ROWS; r++)
		max[r] = -INFINITY;
	f32_load(sq, a.dim,
			Q + (size_t)at.b * a.q_seq + (size_t)q0 * a.q_ld +
					(size_t)(at.head * a.dim),
			a.q_ld, a.tq - q0, a.dim);
	for (int j = attn_firsts(a, at.b, q0, min(a.tq - q0, F32_TILE)).x / F32_TILE * F32_TILE;
			j < end; j += F32_TILE) {
		__syncthreads();
		f32_load(sk, pitch, K + kv + (size_t)j * a.k_ld, a.k_ld, a.tk - j, a.dim);
		f32_load(sv, pitch, V + kv + (size_t)j * a.k_ld, a.k_ld, a.tk - j, a.dim);
		__syncthreads();
		f32_scores(s, sq + warp * F32_ROWS * a.dim, sk + lane * pitch, a.dim);
#pragma unroll
		for (int r = 0; r < F32_ROWS; r++)
			s[r] = f32_visible(a, at.b, i0 + r, j + lane) ? s[r] * a.scale : -INFINITY;
		f32_softmax(s, max, sum, by);
#pragma unroll
		for (int r = 0; r < F32_ROWS; r++) {
			w[r][lane] = s[r];
#pragma unroll
			for (int u = 0; u < U; u++)
				o[r][u] *= by[r];
		}
		__syncwarp();
		f32_add<U>(o, w, sv, pitch, a.dim);
		__syncwarp();
	}
	lse += ((size_t)at.b * (size_t)a.heads + (size_t)at.head) * (size_t)a.tq + (size_t)i0;
#pragma unroll
	for (int r = 0; r < F32_ROWS; r++) {
		if (lane == 0 && i0 + r < a.tq)
			lse[r] = sum[r] == 0 ? -INFINITY : max[r] + logf(sum[r]);
		by[r] = sum[r] == 0 ? 0 : 1 / sum[r];
	}
	f32_store<U>(O + (size_t)at.b * a.o_seq + (size_t)i0 * a.o_ld + (size_t)(at.head * a.dim),
			a.o_ld, o, a.tq - i0, a.dim, by, 0);
}

/* The rows of a backward kernel, its columns, and where its tiles are. */
struct f32_back {
	float *ra, *rb, *ca, *cb;	       /* tiles: Q and dO, K and V; rows, then columns */
	float (*p)[F32_TILE], (*ds)[F32_TILE]; /* the warp's */
	int pitch;
};

static __device__ __forceinline__ f32_back f32_tiles(float *shared, float *weights, int dim)
{
	int warp = (int)threadIdx.x / 32;
	f32_back t;

	t.pitch = dim | 1;
	t.ra = shared;
	t.rb = t.ra + F32_TILE * dim;
	t.ca = t.rb + F32_TILE * dim;
	t.cb = t.ca + F32_TILE * t.pitch;
	t.p = reinterpret_cast<float(*)[F32_TILE]>(weights + warp * 2 * F32_ROWS * F32_TILE);
	t.ds = t.p + F32_ROWS;
	return t;
}

/* P and dS of the warp's rows and the tile of columns; `row` and `column` are its first ones. */
template <bool KEYS>
static __device__ __forceinline__ void f32_weights(const attn_args &a, const attn_stats &stats,
		const f32_back &t, const attn_place &at, int row, int column)
{
	int warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
	size_t from = ((size_t)at.b * (size_t)a.heads + (size_t)at.head) *
			(size_t)(a.parts * ATTN_PART);
	float s[F32_ROWS], dp[F32_ROWS];

	f32_scores(s, t.ra + warp * F32_ROWS * a.dim, t.ca + lane * t.pitch, a.dim);
	f32_scores(dp, t.rb + warp * F32_ROWS * a.dim, t.cb + lane * t.pitch, a.dim);
	__syncwarp();
#pragma unroll
	for (int r = 0; r < F32_ROWS; r++) {
		int i = KEYS ? column + lane : row + r, j = KEYS ? row + r : column + lane;
		float p = 0, ds = 0;

		if (f32_visible(a, at.b, i, j)) {
			p = expf(s[r] * a.scale - stats.lse[from + (size_t)i]);
			ds = p * (dp[r] - stats.delta[from + (size_t)i]);
		}
		t.p[r][lane] = p;
		t.ds[r][lane] = ds;
	}
	__syncwarp();
}

template <int U>
__global__ void __launch_bounds__(F32_THREADS)
		attn_f32_back_queries(const attn_args a, const attn_stats stats, float *dQ,
				const float *dO, const float *Q, const float *K, const float *V)
{
	LK_SHARED_DYNAMIC(float, shared);
	LK_SHARED(float, weights, F32_WARPS * 2 * F32_ROWS * F32_TILE);
	f32_back t = f32_tiles(shared, weights, a.dim);
	attn_place at = attn_block(blockIdx.x, a.heads, a.batch);
	int q0 = (a.tiles - 1 - at.tile) * F32_TILE, i0 = q0 + (int)threadIdx.x / 32 * F32_ROWS;
	int end = attn_limit(a, min(q0 + F32_TILE, a.tq) - 1);
	size_t kv = (size_t)at.b * a.k_seq + (size_t)(at.head / a.group * a.dim);
	float dq[F32_ROWS][U] = {}, by[F32_ROWS];

	Q += (size_t)at.b * a.q_seq + (size_t)q0 * a.q_ld + (size_t)(at.head * a.dim);
	dO += (size_t)at.b * a.o_seq + (size_t)q0 * a.o_ld + (size_t)(at.head * a.dim);
	f32_load(t.ra, a.dim, Q, a.q_ld, a.tq - q0, a.dim);
	f32_load(t.rb, a.dim, dO, a.o_ld, a.tq - q0, a.dim);
	for (int j = attn_firsts(a, at.b, q0, min(a.tq - q0, F32_TILE)).x / F32_TILE * F32_TILE;
			j < end; j += F32_TILE) {
		__syncthreads();
		f32_load(t.ca, t.pitch, K + kv + (size_t)j * a.k_ld, a.k_ld, a.tk - j, a.dim);
		f32_load(t.cb, t.pitch, V + kv + (size_t)j * a.k_ld, a.k_ld, a.tk - j, a.dim);
		__syncthreads();
		f32_weights<false>(a, stats, t, at, i0, j);
		f32_add<U>(dq, t.ds, t.ca, t.pitch, a.dim);
	}
	for (int r = 0; r < F32_ROWS; r++)
		by[r] = a.scale;
	f32_store<U>(dQ + (size_t)at.b * a.q_seq + (size_t)i0 * a.q_ld + (size_t)(at.head * a.dim),
			a.q_ld, dq, a.tq - i0, a.dim, by, a.add);
}

template <int U>
__global__ void __launch_bounds__(F32_THREADS)
		attn_f32_back_keys(const attn_args a, const attn_stats stats, float *dK, float *dV,
				const float *dO, const float *Q, const float *K, const float *V)
{
	LK_SHARED_DYNAMIC(float, shared);
	LK_SHARED(float, weights, F32_WARPS * 2 * F32_ROWS * F32_TILE);
	f32_back t = f32_tiles(shared, weights, a.dim);
	attn_place at = attn_block(blockIdx.x, a.kv_heads, a.batch);
	int n0 = at.tile * F32_TILE, j0 = n0 + (int)threadIdx.x / 32 * F32_ROWS;
	int h0 = at.head * a.group;
	size_t kv = (size_t)at.b * a.k_seq + (size_t)(at.head * a.dim);
	int sees = n0 - a.off; /* the first query that sees a key */
	int begin = sees < 0 ? 0 : sees > a.tq ? a.tq : sees / F32_TILE * F32_TILE;
	float dk[F32_ROWS][U] = {}, dv[F32_ROWS][U] = {}, by[F32_ROWS];

	f32_load(t.ra, a.dim, K + kv + (size_t)n0 * a.k_ld, a.k_ld, a.tk - n0, a.dim);
	f32_load(t.rb, a.dim, V + kv + (size_t)n0 * a.k_ld, a.k_ld, a.tk - n0, a.dim);
	for (at.head = h0; at.head < h0 + a.group; at.head++)
		for (int i = begin; i < a.tq; i += F32_TILE) {
			const float *q = Q + (size_t)at.b * a.q_seq + (size_t)i * a.q_ld;
			const float *d = dO + (size_t)at.b * a.o_seq + (size_t)i * a.o_ld;

			if (stats.firsts[(size_t)at.b * (size_t)a.parts + (size_t)(i / ATTN_PART)]
							.x >= n0 + F32_TILE)
				continue;
			__syncthreads();
			f32_load(t.ca, t.pitch, q + at.head * a.dim, a.q_ld, a.tq - i, a.dim);
			f32_load(t.cb, t.pitch, d + at.head * a.dim, a.o_ld, a.tq - i, a.dim);
			__syncthreads();
			f32_weights<true>(a, stats, t, at, j0, i);
			f32_add<U>(dv, t.p, t.cb, t.pitch, a.dim);
			f32_add<U>(dk, t.ds, t.ca, t.pitch, a.dim);
		}
	kv += (size_t)j0 * a.k_ld;
	for (int r = 0; r < F32_ROWS; r++)
		by[r] = 1;
	f32_store<U>(dV + kv, a.k_ld, dv, a.tk - j0, a.dim, by, a.add);
	for (int r = 0; r < F32_ROWS; r++)
		by[r] = a.scale;
	f32_store<U>(dK + kv, a.k_ld, dk, a.tk - j0, a.dim, by, a.add);
}

template <int U>
static int forward(struct lk_queue *q, struct attn_args *a, float *O, float *lse, const float *Q,
		const float *K, const float *V)
{
	size_t shared = (size_t)(F32_TILE * (a->dim + 2 * (a->dim | 1))) * sizeof(float);
	unsigned grid = 0;

	if (lk_attn_grid(q, a, &grid, a->tq, F32_TILE, a->heads) < 0)
		return -1;
	if (grid == 0)
		return 0;
	if (attn_allow(q, attn_f32_forward<U>, shared) < 0)
		return -1;
	LK_LAUNCH(attn_f32_forward<U>, grid, F32_THREADS, shared, q, *a, O, lse, Q, K, V);
	return lk_cuda_launched(q, "attention");
}

int lk_attn_f32(struct lk_queue *q, struct attn_args *a, float *O, float *lse, const float *Q,
		const float *K, const float *V)
{
	if (a->dim <= 64)
		return forward<2>(q, a, O, lse, Q, K, V);
	if (a->dim <= 128)
		return forward<4>(q, a, O, lse, Q, K, V);
	return forward<8>(q, a, O, lse, Q, K, V);
}

template <int U>
static int backward(struct lk_queue *q, struct attn_args *a, float *dQ, float *dK, float *dV,
		const float *dO, const float *Q, const float *K, const float *V,
		const struct attn_stats *stats)
{
	size_t shared = (size_t)(F32_TILE * 2 * (a->dim + (a->dim | 1))) * sizeof(float);
	unsigned grid = 0;

	if (attn_allow(q, attn_f32_back_keys<U>, shared) < 0 ||
			attn_allow(q, attn_f32_back_queries<U>, shared) < 0 ||
			lk_attn_grid(q, a, &grid, a->tk, F32_TILE, a->kv_heads) < 0)
		return -1;
	if (grid > 0) {
		LK_LAUNCH(attn_f32_back_keys<U>, grid, F32_THREADS, shared, q, *a, *stats, dK, dV,
				dO, Q, K, V);
		if (lk_cuda_launched(q, "attention_back") < 0)
			return -1;
	}
	if (lk_attn_grid(q, a, &grid, a->tq, F32_TILE, a->heads) < 0)
		return -1;
	if (grid == 0)
		return 0;
	LK_LAUNCH(attn_f32_back_queries<U>, grid, F32_THREADS, shared, q, *a, *stats, dQ, dO, Q, K,
			V);
	return lk_cuda_launched(q, "attention_back");
}

int lk_attn_back_f32(struct lk_queue *q, struct attn_args *a, float *dQ, float *dK, float *dV,
		const float *dO, const float *Q, const float *K, const float *V,
		const struct attn_stats *stats)
{
	if (a->dim <= 64)
		return backward<2>(q, a, dQ, dK, dV, dO, Q, K, V, stats);
	if (a->dim <= 128)
		return backward<4>(q, a, dQ, dK, dV, dO, Q, K, V, stats);
	return backward<8>(q, a, dQ, dK, dV, dO, Q, K, V, stats);
}
