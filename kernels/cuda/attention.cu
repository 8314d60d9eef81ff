/*
 * Causal attention, forward (Dao 2023, algorithm 1): a block of four warps has BM queries of a head
 * and goes through the keys that one of them sees, BN at a time, in ascending order. Each warp has
 * MT x 16 queries of its own, so that a fragment of keys or values that it reads serves MT products.
 * While the scores are computed the values are on their way, and during softmax and the product with
 * the values the next keys: one buffer of each is enough, and two blocks fit on a multiprocessor,
 * one of which multiplies while the other is at its exponentials.
 *
 * The order of the keys and of the sums depends on nothing but key 0: a query has the same bits
 * whatever tq, tk, the batch, the heads and the documents of other queries are.
 */
#include <float.h>
#include <string.h>

#include "kernels/cuda/attn_tile.h"

template <int DIM> struct fwd_shape {
	static const int threads = 128;
	static const int MT = DIM > 128 ? 1 : 2; /* O takes MT * DIM / 2 registers */
	static const int BM = 64 * MT;
	static const int BN = 64;
	static const int shared = (BM + 2 * BN) * DIM * 2;
};

/* The running result of a warp; lanes of a quad have the same m, and a part of l each. */
template <int MT, int DIM> struct fwd_state {
	attn_sums<MT, DIM / 8> o;
	float m[MT][2], l[MT][2]; /* maximum of the scores, sum of the exponentials */
};

/* Turn scores into exponentials, update m and l, and rescale o where a maximum has grown. */
template <int MT, int NT, int DIM>
static __device__ __forceinline__ void fwd_softmax(
		attn_sums<MT, NT> &s, fwd_state<MT, DIM> &w, float scale2)
{
#pragma unroll
	for (int m = 0; m < MT; m++) {
		float by[2];

#pragma unroll
		for (int h = 0; h < 2; h++) {
			float most = w.m[m][h], base, sum = 0;

#pragma unroll
			for (int n = 0; n < NT; n++)
				most = fmaxf(most, fmaxf(s.d[m][n][h * 2], s.d[m][n][h * 2 + 1]));
			most = fmaxf(most, __shfl_xor_sync(ATTN_WARP, most, 1));
			most = fmaxf(most, __shfl_xor_sync(ATTN_WARP, most, 2));
			base = most == -INFINITY ? 0 : most * scale2;
#pragma unroll
			for (int n = 0; n < NT; n++)
#pragma unroll
				for (int c = h * 2; c < h * 2 + 2; c++) {
					s.d[m][n][c] = lk_exp2(fmaf(s.d[m][n][c], scale2, -base));
					sum += s.d[m][n][c];
				}
			by[h] = lk_exp2(fmaf(w.m[m][h], scale2, -base));
			w.m[m][h] = most;
			w.l[m][h] = fmaf(w.l[m][h], by[h], sum);
		}
		/* The maximum seldom grows after the first tiles. */
		if (!__any_sync(ATTN_WARP, by[0] != 1 || by[1] != 1))
			continue;
#pragma unroll
		for (int n = 0; n < DIM / 8; n++)
#pragma unroll
			for (int c = 0; c < 4; c++)
				w.o.d[m][n][c] *= by[c / 2];
	}
}

/* Write O and lse of the warp's queries, the first of which is number `warp_row` of the block. */
template <bool VEC, int MT, int DIM>
static __device__ __forceinline__ void fwd_finish(const attn_args &a, fwd_state<MT, DIM> &w,
		__nv_bfloat16 *O, float *lse, int warp_row)
{
	unsigned id = blockIdx.x;
	int g = (int)(threadIdx.x % 32) / 4, t = (int)(threadIdx.x % 4);

	lk_keep(id);
	attn_place at = attn_block(id, a.heads, a.batch);
	int i0 = (a.tiles - 1 - at.tile) * fwd_shape<DIM>::BM + warp_row, n = a.tq - i0;

	O += (size_t)at.b * a.o_seq + (size_t)i0 * a.o_ld + (size_t)(at.head * a.dim);
	lse += ((size_t)at.b * (size_t)a.heads + (size_t)at.head) * (size_t)a.tq + (size_t)i0;
#pragma unroll
	for (int m = 0; m < MT; m++)
#pragma unroll
		for (int h = 0; h < 2; h++) {
			float l = w.l[m][h], by;
			int row = m * 16 + h * 8 + g;

			l += __shfl_xor_sync(ATTN_WARP, l, 1);
			l += __shfl_xor_sync(ATTN_WARP, l, 2);
			by = l == 0 ? 0 : 1 / l;
#pragma unroll
			for (int k = 0; k < DIM / 8; k++) {
				w.o.d[m][k][h * 2] *= by;
				w.o.d[m][k][h * 2 + 1] *= by;
			}
			if (t == 0 && row < n)
				lse[row] = l == 0 ? -INFINITY : w.m[m][h] * a.scale + logf(l);
		}
	attn_store<VEC>(O, a.o_ld, w.o, n, 0, a.dim, 1, 0);
}

template <int DIM, bool VEC>
__global__ void __launch_bounds__(fwd_shape<DIM>::threads, 2) attn_forward(const attn_args a,
		__nv_bfloat16 *O, float *lse, const __nv_bfloat16 *Q, const __nv_bfloat16 *K,
		const __nv_bfloat16 *V)
{
	typedef fwd_shape<DIM> F;
	const int MT = F::MT, BM = F::BM, BN = F::BN;
	LK_SHARED_DYNAMIC(__nv_bfloat16, sq);
	LK_SHARED(attn_seen, seen_by, 4);
	__nv_bfloat16 *sk = sq + BM * DIM, *sv = sk + BN * DIM;
	attn_place at = attn_block(blockIdx.x, a.heads, a.batch);
	int q0 = (a.tiles - 1 - at.tile) * BM; /* tiles that see most keys first */
	int warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32, i0 = q0 + warp * MT * 16;
	int j = a.tk, end = attn_limit(a, min(q0 + BM, a.tq) - 1);
	size_t kv = (size_t)at.b * a.k_seq + (size_t)(at.head / a.group * a.dim);
	lk_shared_at lq = attn_lane_rows<DIM>(sq, warp * MT * 16);
	lk_shared_at lk = attn_lane_cols<DIM>(sk, 0), lv = attn_lane_rows<DIM>(sv, 0);
	fwd_state<MT, DIM> w;

	attn_see(&seen_by[warp], a, at.b, i0, min(a.tq - i0, MT * 16));
	__syncthreads();
	for (int k = 0; k < 4; k++)
		j = min(j, seen_by[k].any_from);
	j = j / BN * BN;
	Q = attn_source<DIM, F::threads>(Q + (size_t)at.b * a.q_seq + (size_t)q0 * a.q_ld +
					(size_t)(at.head * a.dim),
			a.q_ld);
	K = attn_source<DIM, F::threads>(K + kv + (size_t)j * a.k_ld, a.k_ld);
	V = attn_source<DIM, F::threads>(V + kv + (size_t)j * a.k_ld, a.k_ld);
	attn_load<BM, DIM, F::threads, VEC>(sq, Q, a.q_ld, a.tq - q0, a.dim);
	if (j < end)
		attn_load<BN, DIM, F::threads, VEC>(sk, K, a.k_ld, a.tk - j, a.dim);
	lk_cp_async_commit();
	attn_zero(w.o);
#pragma unroll
	for (int m = 0; m < MT * 2; m++) {
		w.m[m / 2][m % 2] = -INFINITY;
		w.l[m / 2][m % 2] = 0;
	}
	for (; j < end; j += BN) {
		attn_seen f = seen_by[warp];
		bool seen = j < f.any_to && j + BN > f.any_from;
		attn_sums<MT, BN / 8> s;
		attn_left<MT, BN / 16> p;

		lk_cp_async_wait<0>();
		__syncthreads(); /* the keys are there; the values before are done with */
		attn_load<BN, DIM, F::threads, VEC>(sv, V, a.k_ld, a.tk - j, a.dim);
		lk_cp_async_commit();
		if (seen)
			attn_product<DIM>(s, lq, lk);
		lk_cp_async_wait<0>();
		__syncthreads(); /* the values are there; the keys are done with */
		K += (size_t)BN * a.k_ld;
		V += (size_t)BN * a.k_ld;
		if (j + BN < end)
			attn_load<BN, DIM, F::threads, VEC>(sk, K, a.k_ld, a.tk - j - BN, a.dim);
		lk_cp_async_commit();
		if (!seen)
			continue;
		if (j < f.all_from || j + BN > f.all_to)
			attn_mask(s, a, at.b, i0 + lane / 4, j + lane % 4 * 2);
		fwd_softmax(s, w, a.scale2);
		attn_round(p, s);
		attn_product_rows<DIM>(w.o, p, lv);
	}
	fwd_finish<VEC>(a, w, O, lse, warp * MT * 16);
}

template <int DIM, bool VEC>
static int forward(struct lk_queue *q, struct attn_args *a, void *O, float *lse, const void *Q,
		const void *K, const void *V)
{
	typedef __nv_bfloat16 T;
	typedef fwd_shape<DIM> F;
	unsigned grid = 0;

	if (lk_attn_grid(q, a, &grid, a->tq, F::BM, a->heads) < 0)
		return -1;
	if (grid == 0)
		return 0;
	if (attn_allow(q, attn_forward<DIM, VEC>, F::shared) < 0)
		return -1;
	LK_LAUNCH((attn_forward<DIM, VEC>), grid, F::threads, F::shared, q, *a, static_cast<T *>(O),
			lse, static_cast<const T *>(Q), static_cast<const T *>(K),
			static_cast<const T *>(V));
	return lk_cuda_launched(q, "attention");
}

template <bool VEC>
static int forward_dim(struct lk_queue *q, struct attn_args *a, void *O, float *lse, const void *Q,
		const void *K, const void *V)
{
	if (a->dim <= 32)
		return forward<32, VEC>(q, a, O, lse, Q, K, V);
	if (a->dim <= 64)
		return forward<64, VEC>(q, a, O, lse, Q, K, V);
	if (a->dim <= 96)
		return forward<96, VEC>(q, a, O, lse, Q, K, V);
	if (a->dim <= 128)
		return forward<128, VEC>(q, a, O, lse, Q, K, V);
	return forward<256, VEC>(q, a, O, lse, Q, K, V);
}

int lk_attn_grid(
		struct lk_queue *q, struct attn_args *a, unsigned *grid, int t, int rows, int heads)
{
	size_t n;

	a->tiles = (t + rows - 1) / rows;
	if (__builtin_mul_overflow((size_t)heads, (size_t)a->batch, &n) ||
			__builtin_mul_overflow(n, (size_t)a->tiles, &n) || n > INT32_MAX)
		return lk_cuda_fail(q,
				"attention: %d sequences of %d heads and %d tiles are too many",
				a->batch, heads, a->tiles);
	*grid = (unsigned)n;
	return 0;
}

static int check(struct lk_queue *q, const struct lk_attn *at)
{
	if (at->dim == 0 || at->dim > LK_ATTN_MAX_DIM)
		return lk_cuda_fail(q, "attention: dim %zu is not from 1 to %d", at->dim,
				LK_ATTN_MAX_DIM);
	if (at->kv_heads == 0 || at->heads % at->kv_heads != 0)
		return lk_cuda_fail(q, "attention: %zu heads are not a multiple of %zu key heads",
				at->heads, at->kv_heads);
	if (at->tq > ATTN_MOST || at->tk > ATTN_MOST || at->heads > ATTN_MOST / LK_ATTN_MAX_DIM ||
			at->batch > ATTN_MOST)
		return lk_cuda_fail(q,
				"attention: %zu sequences, %zu heads, %zu queries or %zu keys are "
				"too many",
				at->batch, at->heads, at->tq, at->tk);
	if (at->q_ld > ATTN_MOST || at->k_ld > ATTN_MOST || at->o_ld > ATTN_MOST)
		return lk_cuda_fail(q, "attention: a leading dimension is more than %d", ATTN_MOST);
	if (at->q_pos > ATTN_MOST || at->k_pos > ATTN_MOST)
		return lk_cuda_fail(q, "attention: position %zu or %zu is too large", at->q_pos,
				at->k_pos);
	if (!(at->scale >= 0) || at->scale > (double)FLT_MAX)
		return lk_cuda_fail(q, "attention: scale %g is not a positive number", at->scale);
	return 0;
}

int lk_attn_setup(struct lk_queue *q, struct attn_args *a, const struct lk_attn *at)
{
	double scale = at->scale != 0 ? at->scale : 1 / sqrt((double)at->dim);

	if (check(q, at) < 0)
		return -1;
	memset(a, 0, sizeof(*a));
	a->heads = (int)at->heads;
	a->kv_heads = (int)at->kv_heads;
	a->group = (int)(at->heads / at->kv_heads);
	a->dim = (int)at->dim;
	a->batch = (int)at->batch;
	a->tq = (int)at->tq;
	a->tk = (int)at->tk;
	a->add = at->add;
	a->parts = (a->tq + ATTN_PART - 1) / ATTN_PART;
	a->off = (int)at->q_pos - (int)at->k_pos;
	a->q_ld = (uint32_t)(at->q_ld != 0 ? at->q_ld : at->heads * at->dim);
	a->k_ld = (uint32_t)(at->k_ld != 0 ? at->k_ld : at->kv_heads * at->dim);
	a->o_ld = (uint32_t)(at->o_ld != 0 ? at->o_ld : at->heads * at->dim);
	a->q_seq = at->q_seq != 0 ? at->q_seq : at->tq * a->q_ld;
	a->k_seq = at->k_seq != 0 ? at->k_seq : at->tk * a->k_ld;
	a->o_seq = at->o_seq != 0 ? at->o_seq : at->tq * a->o_ld;
	a->pos = at->pos;
	a->scale = (float)scale;
	a->scale2 = (float)(scale * ATTN_LOG2E);
	if (a->q_ld < at->heads * at->dim || a->k_ld < at->kv_heads * at->dim ||
			a->o_ld < at->heads * at->dim)
		return lk_cuda_fail(q,
				"attention: a leading dimension is less than the width of its "
				"rows");
	return 0;
}

int lk_cuda_attention(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *Q, const lk_act *K, const lk_act *V)
{
	struct attn_args a;
	int go;

	if (lk_attn_setup(q, &a, at) < 0)
		return -1;
	go = lk_cuda_begin(q, 0, 0);
	if (go <= 0)
		return go;
	if (q->act != LK_BF16)
		return lk_attn_f32(q, &a, static_cast<float *>(O), lse,
				static_cast<const float *>(Q), static_cast<const float *>(K),
				static_cast<const float *>(V));
	if (a.dim % 8 == 0 && attn_aligned(O, a.o_ld, a.o_seq) &&
			attn_aligned(Q, a.q_ld, a.q_seq) && attn_aligned(K, a.k_ld, a.k_seq) &&
			attn_aligned(V, a.k_ld, a.k_seq))
		return forward_dim<true>(q, &a, O, lse, Q, K, V);
	return forward_dim<false>(q, &a, O, lse, Q, K, V);
}
