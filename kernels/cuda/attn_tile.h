#ifndef LUCIE_KERNELS_CUDA_ATTN_TILE_H
#define LUCIE_KERNELS_CUDA_ATTN_TILE_H
/*
 * The parts of attention that its kernels share.
 *
 * TILES
 * Rows of Q, K, V and dO come into shared memory in tiles of bf16, DIM columns wide: dim rounded up
 * to 32, 64, 96, 128 or 256, the rest filled with zeros, as are rows past the end. A row is cut into
 * chunks of 16 bytes, and chunk c of row r lies at the place of chunk c ^ (r & 7) of its row (of
 * c ^ (r / 2 & 3) where a row is no multiple of 128 bytes). The eight rows that one ldmatrix reads,
 * and the eight chunks that a quarter of a warp stores, are then in different banks.
 * VEC says that all rows start at multiples of 16 bytes: tiles are then copied by cp.async, and
 * otherwise element by element. The results have the same bits.
 *
 * PRODUCTS
 * A warp computes MT x 16 rows of a product. attn_product() has both operands in tiles and sums
 * over their columns: A B^T. attn_product_rows() has the left one in registers, where an
 * attn_product() left it, and sums over the rows of the right one: A B. Nothing but tiles is
 * exchanged through shared memory.
 *
 * VISIBLE KEYS
 * Query i sees the keys first <= j < limit, see attn_first() and attn_limit(): indices from 0 to tk.
 */
#include <math.h>

#include "kernels/cuda/ptx.h"

#define ATTN_LOG2E 1.4426950408889634 /* log2(e): exponentials are powers of 2 */
#define ATTN_WARP 0xffffffffu	      /* all lanes */
#define ATTN_MOST (1 << 29) /* rows of a sequence and positions: they and their sums are int */
#define ATTN_PART 64 /* queries of a row of attn_row_bounds and of a tile of the statistics */

/* What a kernel is told. Strides are in elements. */
struct attn_args {
	int heads, kv_heads, group, dim, batch, add;
	int tq, tk;
	int tiles;		   /* of the rows that are spread over the grid */
	int off;		   /* query i and key i + off have the same position */
	int parts;		   /* ceil(tq / ATTN_PART) */
	uint32_t q_ld, k_ld, o_ld; /* 32 bits: one instruction computes the address of a row */
	size_t q_seq, k_seq, o_seq;
	const uint32_t *pos;
	float scale, scale2; /* of the scores, and times log2(e) */
};

/*
 * What the backward kernels read of each query, for `parts` parts of ATTN_PART queries of each head:
 * the log-sum-exp, to base 2 for bf16, and infinity where there is no visible key or no query; and
 * D = rowsum(dO O), or 0. Of each part of a sequence, the least and the largest attn_first().
 */
struct attn_stats {
	float *lse, *delta; /* [batch * heads][parts * ATTN_PART] */
	int2 *firsts;	    /* [batch][parts] */
};

#ifdef __cplusplus
extern "C" {
#endif

/* Check *at and fill *a, all but `tiles`. Returns 0, or -1 with the queue's message. */
int lk_attn_setup(struct lk_queue *q, struct attn_args *a, const struct lk_attn *at);
/* Set a->tiles for tiles of `rows` of t rows, of which each of `heads` heads of each sequence has
 * its own; *grid is the number of blocks, heads running fastest. */
int lk_attn_grid(struct lk_queue *q, struct attn_args *a, unsigned *grid, int t, int rows,
		int heads);

/* float, attn_f32.cu; backward from the statistics that attention_back.cu has computed. */
int lk_attn_f32(struct lk_queue *q, struct attn_args *a, float *O, float *lse, const float *Q,
		const float *K, const float *V);
int lk_attn_back_f32(struct lk_queue *q, struct attn_args *a, float *dQ, float *dK, float *dV,
		const float *dO, const float *Q, const float *K, const float *V,
		const struct attn_stats *stats);

#ifdef __cplusplus
}
#endif

/* Bytes of shared memory that a block of the queue's device may have; 0 if it does not say. */
static inline int attn_room(const struct lk_queue *q)
{
	int bytes = 0;

	return cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, q->device) ==
					cudaSuccess
			? bytes
			: 0;
}

/* Let kernel k have `bytes` of dynamic shared memory: more than 48 KiB must be asked for. */
template <class Kernel> static inline int attn_allow(struct lk_queue *q, Kernel *k, size_t bytes)
{
	if (bytes > (size_t)attn_room(q))
		return lk_cuda_fail(q,
				"attention: this width needs %zu bytes of shared memory in a "
				"block, "
				"device %d has %d",
				bytes, q->device, attn_room(q));
	return lk_cuda_check(q,
			cudaFuncSetAttribute(
					k, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes),
			"attention");
}

/* Whether all rows from p on start at multiples of 16 bytes. */
static inline bool attn_aligned(const void *p, size_t ld, size_t seq)
{
	return reinterpret_cast<uintptr_t>(p) % 16 == 0 && ld % 8 == 0 && seq % 8 == 0;
}

/* Block `id` of the grid: heads run fastest, so that blocks of one length run side by side. */
struct attn_place {
	int tile, head, b;
};

static __device__ __forceinline__ attn_place attn_block(unsigned id, int heads, int batch)
{
	unsigned n = (unsigned)(heads * batch), h = id % n;

	return { (int)(id / n), (int)(h % (unsigned)heads), (int)(h / (unsigned)heads) };
}

/* The first key that query i of sequence b sees, if it sees any. */
static __device__ __forceinline__ int attn_first(const attn_args &a, int b, int i)
{
	uint32_t pos;

	if (a.pos == NULL)
		return 0;
	pos = a.pos[(size_t)b * (size_t)a.tq + (size_t)i];
	return min(max(i + a.off - (int)min(pos, 2u * ATTN_MOST), 0), a.tk);
}

/* One past the last key that query i sees. */
static __device__ __forceinline__ int attn_limit(const attn_args &a, int i)
{
	return min(max(i + a.off + 1, 0), a.tk);
}

/* Least and largest first key of n queries from i on, i + n <= tq, in all lanes of the warp. */
static __device__ __forceinline__ int2 attn_firsts(const attn_args &a, int b, int i, int n)
{
	int2 m = { a.tk, 0 };

	for (int k = (int)(threadIdx.x % 32); k < n; k += 32) {
		int j = attn_first(a, b, i + k);

		m.x = min(m.x, j);
		m.y = max(m.y, j);
	}
	for (int k = 16; k > 0; k /= 2) {
		m.x = min(m.x, __shfl_xor_sync(ATTN_WARP, m.x, k));
		m.y = max(m.y, __shfl_xor_sync(ATTN_WARP, m.y, k));
	}
	return m;
}

/* The keys that some query of a warp sees, and those that all of them see. */
struct attn_seen {
	int any_from, any_to, all_from, all_to;
};

static __device__ __forceinline__ void attn_see(
		attn_seen *f, const attn_args &a, int b, int i, int n)
{
	int2 firsts = attn_firsts(a, b, i, n);

	if (threadIdx.x % 32 == 0)
		*f = { firsts.x, n > 0 ? attn_limit(a, i + n - 1) : 0, firsts.y, attn_limit(a, i) };
}

/* --- tiles ------------------------------------------------------------------------------------ */

template <int DIM> struct attn_row {
	static const int bytes = DIM * 2, chunks = DIM / 8;
	/* A row's chunks change places within groups of `span`. */
	static const int span = DIM % 64 == 0 ? 8 : 4;

	static __device__ __forceinline__ int turn(int row)
	{
		return span == 8 ? row & 7 : row / 2 & 3;
	}
};

/*
 * Copying a tile. A row is shared by `lanes` threads, each of which copies `groups` chunks of it, and
 * the block copies `step` rows at a time. Addresses are those of a thread's first chunk plus
 * constants, which is why a thread has a pointer of its own: from attn_source().
 */
template <int DIM, int THREADS> struct attn_copy {
	static const int chunks = attn_row<DIM>::chunks;
	static const int lanes = chunks & -chunks, groups = chunks / lanes;
	static const int step = THREADS / lanes;

	static __device__ __forceinline__ int row()
	{
		return (int)threadIdx.x / lanes;
	}
	static __device__ __forceinline__ int chunk()
	{
		return (int)threadIdx.x % lanes;
	}
};

/* Where this thread begins to copy rows that start at x. */
template <int DIM, int THREADS>
static __device__ __forceinline__ const __nv_bfloat16 *attn_source(
		const __nv_bfloat16 *x, uint32_t ld)
{
	typedef attn_copy<DIM, THREADS> copy;

	return x + (size_t)copy::row() * ld + copy::chunk() * 8;
}

/* Eight elements one by one, of which n exist. */
static __device__ __forceinline__ void attn_copy_plain(
		__nv_bfloat16 *to, const __nv_bfloat16 *from, int n)
{
	for (int c = 0; c < 8; c++)
		to[c] = c < n ? from[c] : __nv_bfloat16(0.0f);
}

/* Begin to fill tile[ROWS][DIM] with n rows from attn_source() on; n may be out of range. */
template <int ROWS, int DIM, int THREADS, bool VEC>
static __device__ __forceinline__ void attn_load(
		__nv_bfloat16 *tile, const __nv_bfloat16 *source, uint32_t ld, int n, int dim)
{
	typedef attn_copy<DIM, THREADS> copy;
	typedef attn_row<DIM> row_type;
	static_assert(ROWS % copy::step == 0, "all threads copy the same number of rows");
	int place = copy::row() * DIM + (copy::chunk() ^ row_type::turn(copy::row())) * 8;
	lk_shared_at to = lk_shared_address(tile + place);

	n -= copy::row();
	dim -= copy::chunk() * 8;
#pragma unroll
	for (int r = 0; r < ROWS; r += copy::step)
#pragma unroll
		for (int g = 0; g < copy::groups; g++) {
			int turn = row_type::turn(r) * 8, at = r * DIM + g * copy::lanes * 8;
			int left = r < n ? dim - g * copy::lanes * 8 : 0;
			const __nv_bfloat16 *from =
					source + (uint64_t)ld * (unsigned)r + g * copy::lanes * 8;

			if (VEC)
				lk_cp_async((to ^ (unsigned)(turn * 2)) + (unsigned)(at * 2), from,
						left > 0);
			else
				attn_copy_plain(tile + (place ^ turn) + at, from, left);
		}
}

/*
 * Where this lane reads fragments of rows row, row + 1, ... of a tile: A and the right operand of
 * attn_product_rows() by attn_lane_rows(), the right operand of attn_product() by attn_lane_cols(). In
 * ptx.h's terms the four matrices of an ldmatrix are a[0..3], or b[0], b[1] of two B side by side.
 */
template <int DIM>
static __device__ __forceinline__ lk_shared_at attn_lane(const void *tile, int row, int chunk)
{
	typedef attn_row<DIM> row_type;

	return lk_shared_address(tile) +
			(unsigned)(row * row_type::bytes + (chunk ^ row_type::turn(row)) * 16);
}

template <int DIM>
static __device__ __forceinline__ lk_shared_at attn_lane_rows(const void *tile, int row)
{
	int lane = (int)(threadIdx.x % 32);

	return attn_lane<DIM>(tile, row + lane % 16, lane / 16);
}

template <int DIM>
static __device__ __forceinline__ lk_shared_at attn_lane_cols(const void *tile, int row)
{
	int lane = (int)(threadIdx.x % 32);

	return attn_lane<DIM>(tile, row + lane % 8 + lane / 16 * 8, lane / 8 % 2);
}

/* The same `row` rows and 16 * col columns further; row is a multiple of 16. */
template <int DIM>
static __device__ __forceinline__ lk_shared_at attn_at(lk_shared_at lane, int row, int col)
{
	const int steps = attn_row<DIM>::span / 2;

	return (lane ^ (unsigned)(col % steps * 32)) +
			(unsigned)(row * attn_row<DIM>::bytes + col / steps * steps * 32);
}

/* --- products --------------------------------------------------------------------------------- */

/* MT x NT fragments of a product: rows 16 mt and columns 8 nt on. */
template <int MT, int NT> struct attn_sums {
	float d[MT][NT][4];
};

/* The same as left operand of the next product. */
template <int MT, int KT> struct attn_left {
	uint32_t a[MT][KT][4];
};

template <int MT, int NT> static __device__ __forceinline__ void attn_zero(attn_sums<MT, NT> &s)
{
#pragma unroll
	for (int m = 0; m < MT; m++)
#pragma unroll
		for (int n = 0; n < NT; n++)
#pragma unroll
			for (int c = 0; c < 4; c++)
				s.d[m][n][c] = 0;
}

template <int MT, int NT>
static __device__ __forceinline__ void attn_round(
		attn_left<MT, NT / 2> &p, const attn_sums<MT, NT> &s)
{
#pragma unroll
	for (int m = 0; m < MT; m++)
#pragma unroll
		for (int n = 0; n < NT; n++) {
			p.a[m][n / 2][n % 2 * 2] = lk_pack_bf16(s.d[m][n][0], s.d[m][n][1]);
			p.a[m][n / 2][n % 2 * 2 + 1] = lk_pack_bf16(s.d[m][n][2], s.d[m][n][3]);
		}
}

/* s = A B^T over the DIM columns of the tiles; `left` by attn_lane_rows(), `right` attn_lane_cols() */
template <int DIM, int MT, int NT>
static __device__ __forceinline__ void attn_product(
		attn_sums<MT, NT> &s, lk_shared_at left, lk_shared_at right)
{
	attn_zero(s);
	lk_keep(left);
	lk_keep(right);
#pragma unroll
	for (int k = 0; k < DIM / 16; k++) {
		uint32_t a[MT][4], b[4];

#pragma unroll
		for (int m = 0; m < MT; m++)
			lk_ldmatrix(a[m], attn_at<DIM>(left, m * 16, k));
#pragma unroll
		for (int n = 0; n < NT; n += 2) {
			lk_ldmatrix(b, attn_at<DIM>(right, n * 8, k));
#pragma unroll
			for (int m = 0; m < MT; m++) {
				lk_mma(s.d[m][n], a[m], b[0], b[1]);
				lk_mma(s.d[m][n + 1], a[m], b[2], b[3]);
			}
		}
	}
}

/* s += A B for KT x 16 rows and NT x 8 columns of a tile; `right` by attn_lane_rows(). */
template <int DIM, int MT, int KT, int NT>
static __device__ __forceinline__ void attn_product_rows(
		attn_sums<MT, NT> &s, const attn_left<MT, KT> &p, lk_shared_at right)
{
	lk_keep(right);
#pragma unroll
	for (int k = 0; k < KT; k++)
#pragma unroll
		for (int n = 0; n < NT; n += 2) {
			uint32_t b[4];

			lk_ldmatrix_trans(b, attn_at<DIM>(right, k * 16, n / 2));
#pragma unroll
			for (int m = 0; m < MT; m++) {
				lk_mma(s.d[m][n], p.a[m][k], b[0], b[1]);
				lk_mma(s.d[m][n + 1], p.a[m][k], b[2], b[3]);
			}
		}
}

/* Set the scores that are not visible to -infinity; i and j: query and key of s.d[0][0][0]. */
template <int MT, int NT>
static __device__ __forceinline__ void attn_mask(
		attn_sums<MT, NT> &s, const attn_args &a, int b, int i, int j)
{
	lk_keep(i);
#pragma unroll
	for (int m = 0; m < MT; m++)
#pragma unroll
		for (int h = 0; h < 2; h++) {
			int query = min(i + m * 16 + h * 8, a.tq - 1);
			int first = attn_first(a, b, query) - j, limit = attn_limit(a, query) - j;

#pragma unroll
			for (int n = 0; n < NT; n++)
#pragma unroll
				for (int c = 0; c < 2; c++)
					if (n * 8 + c < first || n * 8 + c >= limit)
						s.d[m][n][h * 2 + c] = -INFINITY;
		}
}

/* Store two neighbouring elements, or add them to what is there. n: how many of them exist. */
template <bool VEC>
static __device__ __forceinline__ void attn_store2(
		__nv_bfloat16 *p, float x, float y, int n, int add)
{
	if (VEC) {
		uint32_t *w = reinterpret_cast<uint32_t *>(p);

		if (n <= 0)
			return;
		if (add) {
			x += __uint_as_float(*w << 16);
			y += __uint_as_float(*w & 0xffff0000u);
		}
		*w = lk_pack_bf16(x, y);
		return;
	}
	if (n > 0)
		p[0] = __nv_bfloat16(add ? x + (float)p[0] : x);
	if (n > 1)
		p[1] = __nv_bfloat16(add ? y + (float)p[1] : y);
}

/* Store MT x 16 rows, of which n exist, times `by`; columns from col on. */
template <bool VEC, int MT, int NT>
static __device__ __forceinline__ void attn_store(__nv_bfloat16 *x, size_t ld,
		const attn_sums<MT, NT> &s, int n, int col, int dim, float by, int add)
{
	int g = (int)(threadIdx.x % 32) / 4, t = (int)(threadIdx.x % 4);

#pragma unroll
	for (int m = 0; m < MT; m++)
#pragma unroll
		for (int h = 0; h < 2; h++) {
			int row = m * 16 + h * 8 + g;

			if (row >= n)
				continue;
#pragma unroll
			for (int k = 0; k < NT; k++) {
				int c = col + k * 8 + t * 2;

				attn_store2<VEC>(x + (size_t)row * ld + c, s.d[m][k][h * 2] * by,
						s.d[m][k][h * 2 + 1] * by, dim - c, add);
			}
		}
}

#endif
