/*
 * Attention over two sets of keys from that over each: the log-sum-exp of both, and the mean of the
 * outputs by its parts. Memory-bound: a row of a head is read by 16 lanes, eight elements each.
 */
#include "kernels/cuda/attn_tile.h"

#define MERGE_THREADS 128
#define MERGE_LANES 16
#define MERGE_ROWS (MERGE_THREADS / MERGE_LANES)

/* The weight of a part with log-sum-exp x in one of `all`; a part without keys has none. */
static __device__ __forceinline__ float merge_weight(float x, float all)
{
	return x == -INFINITY ? 0 : expf(x - all);
}

/* Eight elements of a row, n of which exist. */
static __device__ __forceinline__ void merge8(
		float *x, const float *y, int n, float a, float b, bool)
{
	for (int c = 0; c < n && c < 8; c++)
		x[c] = x[c] * a + y[c] * b;
}

static __device__ __forceinline__ uint32_t merge2(uint32_t x, uint32_t y, float a, float b)
{
	float low = __uint_as_float(x << 16) * a + __uint_as_float(y << 16) * b;
	float high = __uint_as_float(x & 0xffff0000u) * a + __uint_as_float(y & 0xffff0000u) * b;

	return lk_pack_bf16(low, high);
}

static __device__ __forceinline__ void merge8(
		__nv_bfloat16 *x, const __nv_bfloat16 *y, int n, float a, float b, bool vec)
{
	if (vec) {
		uint4 u = *reinterpret_cast<const uint4 *>(x);
		uint4 v = *reinterpret_cast<const uint4 *>(y);

		*reinterpret_cast<uint4 *>(x) =
				make_uint4(merge2(u.x, v.x, a, b), merge2(u.y, v.y, a, b),
						merge2(u.z, v.z, a, b), merge2(u.w, v.w, a, b));
		return;
	}
	for (int c = 0; c < n && c < 8; c++)
		x[c] = __nv_bfloat16((float)x[c] * a + (float)y[c] * b);
}

template <class T, bool VEC>
__global__ void __launch_bounds__(MERGE_THREADS)
		attn_merging(const attn_args a, T *O, float *lse, const T *O2, const float *lse2)
{
	attn_place at = attn_block(blockIdx.x, a.heads, a.batch);
	int i = at.tile * MERGE_ROWS + (int)threadIdx.x / MERGE_LANES;
	int lane = (int)threadIdx.x % MERGE_LANES;
	size_t row = ((size_t)at.b * (size_t)a.heads + (size_t)at.head) * (size_t)a.tq + (size_t)i;
	size_t from = (size_t)at.b * a.o_seq + (size_t)i * a.o_ld + (size_t)(at.head * a.dim);
	float x = -INFINITY, y = -INFINITY;

	if (i < a.tq) {
		x = lse[row];
		y = lse2[row];
	}
	__syncwarp(); /* all lanes have read lse before one writes it */
	if (y == -INFINITY)
		return;
	float m = x > y ? x : y, l = merge_weight(x, m) + merge_weight(y, m);

	for (int c = lane * 8; c < a.dim; c += MERGE_LANES * 8)
		merge8(O + from + c, O2 + from + c, a.dim - c, merge_weight(x, m) / l,
				merge_weight(y, m) / l, VEC);
	if (lane == 0)
		lse[row] = m + logf(l);
}

template <class T, bool VEC>
static int merge(struct lk_queue *q, struct attn_args *a, void *O, float *lse, const void *O2,
		const float *lse2)
{
	unsigned grid = 0;

	if (lk_attn_grid(q, a, &grid, a->tq, MERGE_ROWS, a->heads) < 0)
		return -1;
	if (grid == 0)
		return 0;
	LK_LAUNCH((attn_merging<T, VEC>), grid, MERGE_THREADS, 0, q, *a, static_cast<T *>(O), lse,
			static_cast<const T *>(O2), lse2);
	return lk_cuda_launched(q, "attn_merge");
}

int lk_cuda_attn_merge(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *O2, const lk_real *lse2)
{
	struct attn_args a;
	int go;

	if (lk_attn_setup(q, &a, at) < 0)
		return -1;
	go = lk_cuda_begin(q, 0, 0);
	if (go <= 0)
		return go;
	if (q->act != LK_BF16)
		return merge<float, false>(q, &a, O, lse, O2, lse2);
	if (a.dim % 8 == 0 && attn_aligned(O, a.o_ld, a.o_seq) && attn_aligned(O2, a.o_ld, a.o_seq))
		return merge<__nv_bfloat16, true>(q, &a, O, lse, O2, lse2);
	return merge<__nv_bfloat16, false>(q, &a, O, lse, O2, lse2);
}
