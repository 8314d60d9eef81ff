/*
 * Causal attention, backward (Dao 2023, section 3.1.2), without atomic additions. With
 * D = rowsum(dO O), P = exp(S - lse) and dS = P (dP - D), all of the scores of visible keys:
 *	S = Q K^T scale		dP = dO V^T
 *	dV = P^T dO		dK = dS^T Q scale		dQ = dS K scale
 * Three kernels:
 *	attn_statistics		lse and D of each query
 *	attn_back_keys		a block has a tile of keys, and goes through the queries that see it, of
 *				all heads of its group, in ascending order; dK and dV stay in registers
 *	attn_back_queries	a block has a tile of queries, and goes through the keys that it sees
 * Scores are computed twice, 7 products instead of the 5 of a kernel that adds to dQ in memory. With
 * atomic additions that one has other bits on every call; made to take turns it moves 8 bytes of dQ
 * in and out of L2 for each 5 * 2 * 128 operations, waits for the slowest block, and depends on the
 * order in which blocks begin. 7/5 of the work, all of it in registers, is the better bargain.
 *
 * Scores are computed transposed by attn_back_keys, [key][query], so that P^T and dS^T are already
 * left operands of the products that follow, as in the forward kernel.
 */
#include "kernels/cuda/attn_tile.h"

/* --- statistics -------------------------------------------------------------------------------- */

#define STAT_THREADS 128
#define STAT_LANES 16 /* of a row */

/* Sum of the products of eight elements, n of which exist. */
template <class T> static __device__ __forceinline__ float dot8(const T *x, const T *y, int n, bool)
{
	float sum = 0;

	for (int c = 0; c < n && c < 8; c++)
		sum = fmaf((float)x[c], (float)y[c], sum);
	return sum;
}

static __device__ __forceinline__ float dot8(
		const __nv_bfloat16 *x, const __nv_bfloat16 *y, int n, bool vec)
{
	float sum = 0;
	uint4 u, v;

	if (!vec)
		return dot8<__nv_bfloat16>(x, y, n, false);
	u = *reinterpret_cast<const uint4 *>(x);
	v = *reinterpret_cast<const uint4 *>(y);
	const uint32_t p[4] = { u.x, u.y, u.z, u.w }, r[4] = { v.x, v.y, v.z, v.w };

#pragma unroll
	for (int c = 0; c < 4; c++) {
		sum = fmaf(__uint_as_float(p[c] << 16), __uint_as_float(r[c] << 16), sum);
		sum = fmaf(__uint_as_float(p[c] & 0xffff0000u), __uint_as_float(r[c] & 0xffff0000u),
				sum);
	}
	return sum;
}

template <class T, bool VEC>
__global__ void __launch_bounds__(STAT_THREADS) attn_statistics(const attn_args a, attn_stats stats,
		const T *dO, const T *O, const float *lse, float base)
{
	attn_place at = attn_block(blockIdx.x, a.heads, a.batch);
	int q0 = at.tile * ATTN_PART, lane = (int)threadIdx.x % STAT_LANES;
	size_t row0 = (size_t)at.b * (size_t)a.heads + (size_t)at.head;
	size_t from = (size_t)at.b * a.o_seq + (size_t)(at.head * a.dim);

	for (int r = (int)threadIdx.x / STAT_LANES; r < ATTN_PART; r += STAT_THREADS / STAT_LANES) {
		size_t i = (size_t)(q0 + r), to = row0 * (size_t)(a.parts * ATTN_PART) + i;
		float sum = 0, l = -INFINITY;

		for (int c = lane * 8; c < a.dim && q0 + r < a.tq; c += STAT_LANES * 8)
			sum += dot8(dO + from + i * a.o_ld + c, O + from + i * a.o_ld + c,
					a.dim - c, VEC);
		for (int k = STAT_LANES / 2; k > 0; k /= 2)
			sum += __shfl_xor_sync(ATTN_WARP, sum, k);
		if (lane != 0)
			continue;
		if (q0 + r < a.tq)
			l = lse[row0 * (size_t)a.tq + i];
		stats.lse[to] = l == -INFINITY ? INFINITY : l * base;
		stats.delta[to] = sum;
	}
	if (at.head == 0 && threadIdx.x < 32) {
		int2 firsts = attn_firsts(a, at.b, q0, min(a.tq - q0, ATTN_PART));

		if (threadIdx.x == 0)
			stats.firsts[(size_t)at.b * (size_t)a.parts + (size_t)at.tile] = firsts;
	}
}

/* --- dK, dV ------------------------------------------------------------------------------------ */

/*
 * WARPS is 8, or 4 where a block has to do with 99 KiB of shared memory: on devices of compute
 * capability 8.6, 8.9 and 12. The order of all sums is the same.
 */
template <int DIM, int WARPS> struct keys_shape {
	static const int MT = DIM <= 64 ? 2 : 1; /* dK and dV take MT * OUT registers */
	static const int threads = WARPS * 32;
	static const int OUT =
			DIM > 128 ? 128 : DIM;	   /* columns of dK and dV that a block computes */
	static const int BN = WARPS * MT * 16;	   /* keys */
	static const int BM = DIM > 128 ? 16 : 64; /* queries in shared memory, twice */
	static const int NB = DIM == 64 || DIM > 128 ? 16 : 32; /* queries in registers */
	static const int stage = 2 * BM * DIM;			/* elements of Q and dO */
	static const int shared = (2 * BN * DIM + 2 * stage) * 2 + 2 * 2 * BM * 4;
	static const int blocks = WARPS == 4 ? 2 : 1; /* on a multiprocessor */
};

/* The tiles of queries that see a tile of keys, over the heads of a group. */
struct keys_walk {
	int head, tile;	 /* the current one */
	int begin, last; /* first tile under the diagonal; last key */
};

/* attn_first() of the queries around i, least and largest. */
static __device__ __forceinline__ int2 keys_firsts(
		const attn_args &a, const attn_stats &stats, int b, int i)
{
	return stats.firsts[b * a.parts + i / ATTN_PART];
}

static __device__ __forceinline__ bool keys_next(
		keys_walk &w, const attn_args &a, const attn_stats &stats, int b, int rows)
{
	while (w.head < a.group) {
		if (++w.tile * rows >= a.tq) {
			w.tile = w.begin - 1;
			w.head++;
		} else if (a.pos == NULL || keys_firsts(a, stats, b, w.tile * rows).x <= w.last) {
			return true;
		}
	}
	return false;
}

/* attn_mask() of transposed scores; j and i: key and query of s.d[0][0][0]. */
template <int MT, int NT>
static __device__ __forceinline__ void keys_mask(
		attn_sums<MT, NT> &s, const attn_args &a, int b, int j, int i)
{
	lk_keep(i);
#pragma unroll
	for (int n = 0; n < NT; n++)
#pragma unroll
		for (int c = 0; c < 2; c++) {
			int query = min(i + n * 8 + c, a.tq - 1);
			int first = attn_first(a, b, query) - j, limit = attn_limit(a, query) - j;

#pragma unroll
			for (int m = 0; m < MT; m++)
#pragma unroll
				for (int h = 0; h < 2; h++)
					if (m * 16 + h * 8 < first || m * 16 + h * 8 >= limit)
						s.d[m][n][h * 2 + c] = -INFINITY;
		}
}

/* s becomes P, dp becomes dS; lse and delta of the column of s.d[0][0][0] on. */
template <int MT, int NT>
static __device__ __forceinline__ void keys_softmax(attn_sums<MT, NT> &s, attn_sums<MT, NT> &dp,
		const float *lse, const float *delta, float scale2)
{
#pragma unroll
	for (int n = 0; n < NT; n++) {
		float2 l = *reinterpret_cast<const float2 *>(lse + n * 8);
		float2 d = *reinterpret_cast<const float2 *>(delta + n * 8);

#pragma unroll
		for (int m = 0; m < MT; m++)
#pragma unroll
			for (int c = 0; c < 4; c++) {
				float p = lk_exp2(fmaf(
						s.d[m][n][c], scale2, c % 2 == 0 ? -l.x : -l.y));

				s.d[m][n][c] = p;
				dp.d[m][n][c] = p * (dp.d[m][n][c] - (c % 2 == 0 ? d.x : d.y));
			}
	}
}

/* Begin to copy a tile of Q, dO and their statistics into a stage. */
template <int DIM, int WARPS, bool VEC>
static __device__ __forceinline__ void keys_load(const attn_args &a, const attn_stats &stats,
		__nv_bfloat16 *tile, float *st, const __nv_bfloat16 *Q, const __nv_bfloat16 *dO,
		size_t row, int q0)
{
	typedef keys_shape<DIM, WARPS> S;
	const int BM = S::BM, chunks = BM / 4;
	size_t from = row * (size_t)(a.parts * ATTN_PART) + (size_t)q0;
	int id = (int)threadIdx.x;

	lk_keep(q0); /* the thread's addresses are cheaper than registers for them */
	attn_load<BM, DIM, S::threads, VEC>(tile,
			attn_source<DIM, S::threads>(Q + (size_t)q0 * a.q_ld, a.q_ld), a.q_ld,
			a.tq - q0, a.dim);
	attn_load<BM, DIM, S::threads, VEC>(tile + BM * DIM,
			attn_source<DIM, S::threads>(dO + (size_t)q0 * a.o_ld, a.o_ld), a.o_ld,
			a.tq - q0, a.dim);
	if (id < 2 * chunks)
		lk_cp_async(lk_shared_address(st + id * 4),
				id < chunks ? stats.lse + from + id * 4
					    : stats.delta + from + (id - chunks) * 4,
				true);
	lk_cp_async_commit();
}

/* Add what the BM queries from q0 on, in `tile`, contribute to the warp's keys from j on. */
template <int DIM, int WARPS>
static __device__ __forceinline__ void keys_add(const attn_args &a,
		attn_sums<keys_shape<DIM, WARPS>::MT, keys_shape<DIM, WARPS>::OUT / 8> &dk,
		attn_sums<keys_shape<DIM, WARPS>::MT, keys_shape<DIM, WARPS>::OUT / 8> &dv,
		lk_shared_at keys, const __nv_bfloat16 *tile, const float *st, int b, int j, int q0,
		int2 firsts, int part)
{
	typedef keys_shape<DIM, WARPS> S;
	const int MT = S::MT, NB = S::NB, BM = S::BM;
	int lane = (int)threadIdx.x % 32;
	lk_shared_at cols = attn_lane_cols<DIM>(tile, 0), rows = attn_lane_rows<DIM>(tile, 0);
	const unsigned do_at = (unsigned)(BM * DIM * 2), v_at = (unsigned)(S::BN * DIM * 2);
	bool mask = j + MT * 16 - 1 > q0 + a.off || j < firsts.y;

	rows += (unsigned)(part * S::OUT * 2);
#pragma unroll 1
	for (int sub = 0; sub < BM; sub += NB) {
		attn_sums<MT, NB / 8> s, dp;
		attn_left<MT, NB / 16> p;
		unsigned at = (unsigned)(sub * DIM * 2);

		attn_product<DIM>(s, keys, cols + at);
		attn_product<DIM>(dp, keys + v_at, cols + do_at + at);
		if (mask)
			keys_mask(s, a, b, j + lane / 4, q0 + sub + lane % 4 * 2);
		keys_softmax(s, dp, st + sub + lane % 4 * 2, st + BM + sub + lane % 4 * 2,
				a.scale2);
		attn_round(p, s);
		attn_product_rows<DIM>(dv, p, rows + do_at + at);
		attn_round(p, dp);
		attn_product_rows<DIM>(dk, p, rows + at);
	}
}

/* Store dK and dV of the warp's keys, the first of which is number `row` of the block. */
template <int DIM, int WARPS, bool VEC, int MT, int NT>
static __device__ __forceinline__ void keys_finish(const attn_args &a, __nv_bfloat16 *dK,
		__nv_bfloat16 *dV, const attn_sums<MT, NT> &dk, const attn_sums<MT, NT> &dv,
		int row)
{
	typedef keys_shape<DIM, WARPS> S;
	const int parts = DIM / S::OUT;
	unsigned id = blockIdx.x;

	lk_keep(id);
	attn_place at = attn_block(id / parts, a.kv_heads, a.batch);
	int part = (int)id % parts * S::OUT, j = at.tile * S::BN + row;
	size_t kv = (size_t)at.b * a.k_seq + (size_t)j * a.k_ld + (size_t)(at.head * a.dim);

	attn_store<VEC>(dV + kv, a.k_ld, dv, a.tk - j, part, a.dim, 1, a.add);
	attn_store<VEC>(dK + kv, a.k_ld, dk, a.tk - j, part, a.dim, a.scale, a.add);
}

template <int DIM, int WARPS, bool VEC>
__global__ void __launch_bounds__(keys_shape<DIM, WARPS>::threads, keys_shape<DIM, WARPS>::blocks)
		attn_back_keys(const attn_args a, const attn_stats stats, __nv_bfloat16 *dK,
				__nv_bfloat16 *dV, const __nv_bfloat16 *dO, const __nv_bfloat16 *Q,
				const __nv_bfloat16 *K, const __nv_bfloat16 *V)
{
	typedef keys_shape<DIM, WARPS> S;
	const int MT = S::MT, BN = S::BN, BM = S::BM, parts = DIM / S::OUT;
	LK_SHARED_DYNAMIC(__nv_bfloat16, sk);
	__nv_bfloat16 *sv = sk + BN * DIM, *sq = sv + BN * DIM;
	float *st = reinterpret_cast<float *>(sq + 2 * S::stage);
	attn_place at = attn_block(blockIdx.x / parts, a.kv_heads, a.batch);
	int part = (int)blockIdx.x % parts, n0 = at.tile * BN,
	    row0 = (int)threadIdx.x / 32 * MT * 16;
	int h0 = at.head * a.group, stage = 0;
	size_t kv = (size_t)at.b * a.k_seq + (size_t)n0 * a.k_ld + (size_t)(at.head * a.dim);
	int sees = n0 - a.off; /* the first query that sees a key */
	lk_shared_at keys = attn_lane_rows<DIM>(sk, row0);
	attn_sums<MT, S::OUT / 8> dk, dv;
	keys_walk next;
	bool more;

	Q += (size_t)at.b * a.q_seq + (size_t)(h0 * a.dim);
	dO += (size_t)at.b * a.o_seq + (size_t)(h0 * a.dim);
	next.begin = sees < 0 ? 0 : sees > a.tq ? a.tq / BM + 1 : sees / BM;
	next.head = 0;
	next.tile = next.begin - 1;
	next.last = n0 + BN - 1;
	attn_load<BN, DIM, S::threads, VEC>(
			sk, attn_source<DIM, S::threads>(K + kv, a.k_ld), a.k_ld, a.tk - n0, a.dim);
	attn_load<BN, DIM, S::threads, VEC>(
			sv, attn_source<DIM, S::threads>(V + kv, a.k_ld), a.k_ld, a.tk - n0, a.dim);
	attn_zero(dk);
	attn_zero(dv);
	more = keys_next(next, a, stats, at.b, BM);
	if (more)
		keys_load<DIM, WARPS, VEC>(a, stats, sq, st, Q + next.head * a.dim,
				dO + next.head * a.dim,
				(size_t)at.b * (size_t)a.heads + (size_t)(h0 + next.head),
				next.tile * BM);
	while (more) {
		int q0 = next.tile * BM;
		int2 f = keys_firsts(a, stats, at.b, q0);

		lk_cp_async_wait<0>();
		__syncthreads(); /* the stage is there, and the other one is done with */
		more = keys_next(next, a, stats, at.b, BM);
		if (more)
			keys_load<DIM, WARPS, VEC>(a, stats, sq + (stage ^ 1) * S::stage,
					st + (stage ^ 1) * 2 * BM, Q + next.head * a.dim,
					dO + next.head * a.dim,
					(size_t)at.b * (size_t)a.heads + (size_t)(h0 + next.head),
					next.tile * BM);
		if (n0 + row0 <= q0 + BM - 1 + a.off && n0 + row0 + MT * 16 > f.x)
			keys_add<DIM, WARPS>(a, dk, dv, keys, sq + stage * S::stage,
					st + stage * 2 * BM, at.b, n0 + row0, q0, f, part);
		stage ^= 1;
	}
	lk_cp_async_wait<0>();
	keys_finish<DIM, WARPS, VEC>(a, dK, dV, dk, dv, row0);
}

/* --- dQ ---------------------------------------------------------------------------------------- */

template <int DIM> struct queries_shape {
	static const int threads = 128;
	static const int MT = DIM > 128 ? 1 : 2; /* dQ takes MT * DIM / 2 registers */
	static const int BM = 64 * MT;
	static const int BN = DIM <= 32 ? 64 : DIM <= 128 ? 32 : 16;
	static const int stage = 2 * BN * DIM; /* elements of K and V */
	static const int shared = (2 * BM * DIM + 2 * stage) * 2;
};

/* s becomes P, dp becomes dS; st: lse and delta of the rows. */
template <int MT, int NT>
static __device__ __forceinline__ void queries_softmax(
		attn_sums<MT, NT> &s, attn_sums<MT, NT> &dp, const float (*st)[2][2], float scale2)
{
#pragma unroll
	for (int m = 0; m < MT; m++)
#pragma unroll
		for (int n = 0; n < NT; n++)
#pragma unroll
			for (int c = 0; c < 4; c++) {
				float p = lk_exp2(fmaf(s.d[m][n][c], scale2, -st[m][c / 2][0]));

				dp.d[m][n][c] = p * (dp.d[m][n][c] - st[m][c / 2][1]);
			}
}

/* Store dQ of the warp's queries, the first of which is number `warp_row` of the block. */
template <int DIM, bool VEC, int MT>
static __device__ __forceinline__ void queries_finish(const attn_args &a, __nv_bfloat16 *dQ,
		const attn_sums<MT, DIM / 8> &dq, int warp_row)
{
	unsigned id = blockIdx.x;

	lk_keep(id);
	attn_place at = attn_block(id, a.heads, a.batch);
	int i0 = (a.tiles - 1 - at.tile) * queries_shape<DIM>::BM + warp_row;

	attn_store<VEC>(dQ + (size_t)at.b * a.q_seq + (size_t)i0 * a.q_ld +
					(size_t)(at.head * a.dim),
			a.q_ld, dq, a.tq - i0, 0, a.dim, a.scale, a.add);
}

template <int DIM, bool VEC>
__global__ void __launch_bounds__(queries_shape<DIM>::threads, 2)
		attn_back_queries(const attn_args a, const attn_stats stats, __nv_bfloat16 *dQ,
				const __nv_bfloat16 *dO, const __nv_bfloat16 *Q,
				const __nv_bfloat16 *K, const __nv_bfloat16 *V)
{
	typedef queries_shape<DIM> S;
	const int MT = S::MT, BM = S::BM, BN = S::BN;
	LK_SHARED_DYNAMIC(__nv_bfloat16, sq);
	LK_SHARED(attn_seen, seen_by, 4);
	__nv_bfloat16 *sd = sq + BM * DIM, *sk = sd + BM * DIM;
	attn_place at = attn_block(blockIdx.x, a.heads, a.batch);
	int q0 = (a.tiles - 1 - at.tile) * BM, warp = (int)threadIdx.x / 32;
	int lane = (int)threadIdx.x % 32, i0 = q0 + warp * MT * 16;
	int j = a.tk, end = attn_limit(a, min(q0 + BM, a.tq) - 1), stage = 0;
	size_t kv = (size_t)at.b * a.k_seq + (size_t)(at.head / a.group * a.dim);
	lk_shared_at lq = attn_lane_rows<DIM>(sq, warp * MT * 16);
	lk_shared_at cols = attn_lane_cols<DIM>(sk, 0), rows = attn_lane_rows<DIM>(sk, 0);
	attn_sums<MT, DIM / 8> dq;
	float st[MT][2][2];

	attn_see(&seen_by[warp], a, at.b, i0, min(a.tq - i0, MT * 16));
	__syncthreads();
	for (int k = 0; k < 4; k++)
		j = min(j, seen_by[k].any_from);
	j = j / BN * BN;
	Q += (size_t)at.b * a.q_seq + (size_t)q0 * a.q_ld + (size_t)(at.head * a.dim);
	dO += (size_t)at.b * a.o_seq + (size_t)q0 * a.o_ld + (size_t)(at.head * a.dim);
	K = attn_source<DIM, S::threads>(K + kv + (size_t)j * a.k_ld, a.k_ld);
	V = attn_source<DIM, S::threads>(V + kv + (size_t)j * a.k_ld, a.k_ld);
	attn_load<BM, DIM, S::threads, VEC>(
			sq, attn_source<DIM, S::threads>(Q, a.q_ld), a.q_ld, a.tq - q0, a.dim);
	attn_load<BM, DIM, S::threads, VEC>(
			sd, attn_source<DIM, S::threads>(dO, a.o_ld), a.o_ld, a.tq - q0, a.dim);
	if (j < end) {
		attn_load<BN, DIM, S::threads, VEC>(sk, K, a.k_ld, a.tk - j, a.dim);
		attn_load<BN, DIM, S::threads, VEC>(sk + BN * DIM, V, a.k_ld, a.tk - j, a.dim);
	}
	lk_cp_async_commit();
#pragma unroll
	for (int m = 0; m < MT * 2; m++) {
		size_t row = ((size_t)at.b * (size_t)a.heads + (size_t)at.head) *
				(size_t)(a.parts * ATTN_PART);
		/* Parts are as long as the smallest tile; of a larger one the end may be missing. */
		int i = i0 + m / 2 * 16 + m % 2 * 8 + lane / 4;
		bool there = i < a.parts * ATTN_PART;

		st[m / 2][m % 2][0] = there ? stats.lse[row + (size_t)i] : INFINITY;
		st[m / 2][m % 2][1] = there ? stats.delta[row + (size_t)i] : 0;
	}
	attn_zero(dq);
	for (; j < end; j += BN, stage ^= 1) {
		attn_seen f = seen_by[warp];
		attn_sums<MT, BN / 8> s, dp;
		attn_left<MT, BN / 16> p;
		unsigned from = (unsigned)(stage * S::stage * 2);

		lk_cp_async_wait<0>();
		__syncthreads(); /* the stage is there, and the other one is done with */
		K += (size_t)BN * a.k_ld;
		V += (size_t)BN * a.k_ld;
		if (j + BN < end) {
			__nv_bfloat16 *to = sk + (stage ^ 1) * S::stage;

			attn_load<BN, DIM, S::threads, VEC>(to, K, a.k_ld, a.tk - j - BN, a.dim);
			attn_load<BN, DIM, S::threads, VEC>(
					to + BN * DIM, V, a.k_ld, a.tk - j - BN, a.dim);
		}
		lk_cp_async_commit();
		if (j >= f.any_to || j + BN <= f.any_from)
			continue;
		attn_product<DIM>(s, lq, cols + from);
		attn_product<DIM>(dp, lq + BM * DIM * 2, cols + BN * DIM * 2 + from);
		if (j < f.all_from || j + BN > f.all_to)
			attn_mask(s, a, at.b, i0 + lane / 4, j + lane % 4 * 2);
		queries_softmax(s, dp, st, a.scale2);
		attn_round(p, dp);
		attn_product_rows<DIM>(dq, p, rows + from);
	}
	queries_finish<DIM, VEC>(a, dQ, dq, warp * MT * 16);
}

/* --- launches ---------------------------------------------------------------------------------- */

template <class T, bool VEC>
static int statistics(struct lk_queue *q, struct attn_args *a, struct attn_stats *stats,
		const void *dO, const void *O, const float *lse)
{
	const size_t rows = (size_t)a->batch * (size_t)a->heads * (size_t)a->parts * ATTN_PART;
	unsigned grid = 0;

	stats->lse = static_cast<float *>(q->work);
	stats->delta = stats->lse + rows;
	stats->firsts = reinterpret_cast<int2 *>(stats->delta + rows);
	if (lk_attn_grid(q, a, &grid, a->tq, ATTN_PART, a->heads) < 0)
		return -1;
	if (grid == 0)
		return 0;
	LK_LAUNCH((attn_statistics<T, VEC>), grid, STAT_THREADS, 0, q, *a, *stats,
			static_cast<const T *>(dO), static_cast<const T *>(O), lse,
			q->act == LK_BF16 ? (float)ATTN_LOG2E : 1);
	return lk_cuda_launched(q, "attention_back");
}

/* The tensors of a call. */
struct back_call {
	void *dQ, *dK, *dV;
	const void *dO, *O, *Q, *K, *V;
	const float *lse;
};

template <int DIM, int WARPS, bool VEC>
static int back_keys(struct lk_queue *q, struct attn_args *a, const struct attn_stats *stats,
		const struct back_call *c)
{
	typedef __nv_bfloat16 T;
	typedef keys_shape<DIM, WARPS> S;
	unsigned grid = 0;

	if (lk_attn_grid(q, a, &grid, a->tk, S::BN, a->kv_heads * (DIM / S::OUT)) < 0)
		return -1;
	if (grid == 0)
		return 0;
	if (attn_allow(q, attn_back_keys<DIM, WARPS, VEC>, S::shared) < 0)
		return -1;
	LK_LAUNCH((attn_back_keys<DIM, WARPS, VEC>), grid, S::threads, S::shared, q, *a, *stats,
			static_cast<T *>(c->dK), static_cast<T *>(c->dV),
			static_cast<const T *>(c->dO), static_cast<const T *>(c->Q),
			static_cast<const T *>(c->K), static_cast<const T *>(c->V));
	return lk_cuda_launched(q, "attention_back");
}

template <int DIM, bool VEC>
static int backward(struct lk_queue *q, struct attn_args *a, const struct attn_stats *stats,
		const struct back_call *c)
{
	typedef __nv_bfloat16 T;
	typedef queries_shape<DIM> S;
	const int warps = DIM == 96 || DIM == 128 ? 8 : 4, fewer = DIM == 128 ? 4 : warps;
	const bool fits = keys_shape<DIM, warps>::shared <= attn_room(q);
	unsigned grid = 0;

	if ((fits ? back_keys<DIM, warps, VEC>(q, a, stats, c)
		  : back_keys<DIM, fewer, VEC>(q, a, stats, c)) < 0)
		return -1;
	if (lk_attn_grid(q, a, &grid, a->tq, S::BM, a->heads) < 0)
		return -1;
	if (grid == 0)
		return 0;
	if (attn_allow(q, attn_back_queries<DIM, VEC>, S::shared) < 0)
		return -1;
	LK_LAUNCH((attn_back_queries<DIM, VEC>), grid, S::threads, S::shared, q, *a, *stats,
			static_cast<T *>(c->dQ), static_cast<const T *>(c->dO),
			static_cast<const T *>(c->Q), static_cast<const T *>(c->K),
			static_cast<const T *>(c->V));
	return lk_cuda_launched(q, "attention_back");
}

template <bool VEC>
static int backward_dim(struct lk_queue *q, struct attn_args *a, const struct back_call *c)
{
	struct attn_stats stats;

	if (statistics<__nv_bfloat16, VEC>(q, a, &stats, c->dO, c->O, c->lse) < 0)
		return -1;
	if (a->dim <= 32)
		return backward<32, VEC>(q, a, &stats, c);
	if (a->dim <= 64)
		return backward<64, VEC>(q, a, &stats, c);
	if (a->dim <= 96)
		return backward<96, VEC>(q, a, &stats, c);
	if (a->dim <= 128)
		return backward<128, VEC>(q, a, &stats, c);
	return backward<256, VEC>(q, a, &stats, c);
}

int lk_cuda_attention_back(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
		lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse, const lk_act *Q,
		const lk_act *K, const lk_act *V)
{
	const struct back_call c = { dQ, dK, dV, dO, O, Q, K, V, lse };
	struct attn_stats stats;
	struct attn_args a;
	size_t n;
	int go;

	if (lk_attn_setup(q, &a, at) < 0)
		return -1;
	/* lse and delta, and a pair of numbers for each part */
	if (__builtin_mul_overflow(at->batch, at->heads * 2 * ATTN_PART + 2, &n) ||
			__builtin_mul_overflow(n, (size_t)a.parts, &n))
		n = SIZE_MAX;
	go = lk_cuda_begin(q, n, sizeof(float));
	if (go <= 0)
		return go;
	if (q->act != LK_BF16) {
		if (statistics<float, false>(q, &a, &stats, dO, O, lse) < 0)
			return -1;
		return lk_attn_back_f32(q, &a, static_cast<float *>(dQ), static_cast<float *>(dK),
				static_cast<float *>(dV), static_cast<const float *>(dO),
				static_cast<const float *>(Q), static_cast<const float *>(K),
				static_cast<const float *>(V), &stats);
	}
	if (a.dim % 8 == 0 && attn_aligned(dQ, a.q_ld, a.q_seq) &&
			attn_aligned(dK, a.k_ld, a.k_seq) && attn_aligned(dV, a.k_ld, a.k_seq) &&
			attn_aligned(dO, a.o_ld, a.o_seq) && attn_aligned(O, a.o_ld, a.o_seq) &&
			attn_aligned(Q, a.q_ld, a.q_seq) && attn_aligned(K, a.k_ld, a.k_seq) &&
			attn_aligned(V, a.k_ld, a.k_seq))
		return backward_dim<true>(q, &a, &c);
	return backward_dim<false>(q, &a, &c);
}
