/*
 * Operations on a few numbers: the trees of lk.h, with the bits of the CPU, and the clip factor.
 * A level of a tree reads 8 bytes an element (loss: 4, or 8 with weights); 1.6 million elements are
 * three launches.
 */
#include "kernels/cuda/access.h"
#include "kernels/cuda/reduce.h"

#define TREE_THREADS (LK_SUM_BLOCK / 2)

/* What a tree adds up: x, or - weight * logp. */
struct terms {
	const double *x;
	const float *logp, *weight;

	/* The product is rounded before it is added, hence no contraction. */
	__device__ __forceinline__ double at(size_t i, size_t n) const
	{
		if (i >= n)
			return 0;
		return x ? x[i] : __dmul_rn(-(double)logp[i], weight ? (double)weight[i] : 1.0);
	}
};

/* Sums of blocks of LK_SUM_BLOCK: b[j] += b[j + s] for s = 512, 256 .. 1. */
static __global__ void __launch_bounds__(TREE_THREADS) tree_kernel(double *sums, terms t, size_t n)
{
	LK_SHARED(double, b, TREE_THREADS);
	const unsigned j = threadIdx.x;
	const size_t i = (size_t)blockIdx.x * LK_SUM_BLOCK + j;
	double v = t.at(i, n) + t.at(i + TREE_THREADS, n);

	b[j] = v;
	for (unsigned s = TREE_THREADS / 2; s >= 32; s /= 2) {
		__syncthreads();
		if (j < s)
			b[j] = v += b[j + s];
	}
	if (j >= 32)
		return;
	for (unsigned s = 16; s > 0; s /= 2)
		v += __shfl_down_sync(LK_ALL_LANES, v, s);
	if (j == 0)
		sums[blockIdx.x] = v;
}

static int sum_tree(struct lk_queue *q, const char *what, double *out, terms t, size_t n)
{
	size_t room = n / LK_SUM_BLOCK + 1;
	int go = lk_cuda_begin(q, 2 * room, sizeof(*out));
	double *to = (double *)q->work, *next = to ? to + room : NULL;

	if (go <= 0)
		return go;
	if (n == 0)
		return lk_cuda_zero(q, out, sizeof(*out));
	for (;;) {
		size_t blocks = lk_ceil(n, LK_SUM_BLOCK);
		unsigned grid;

		if (lk_grid(q, what, blocks, &grid) < 0)
			return -1;
		LK_LAUNCH(tree_kernel, dim3(grid), dim3(TREE_THREADS), 0, q, blocks == 1 ? out : to,
				t, n);
		if (lk_cuda_launched(q, what) < 0)
			return -1;
		if (blocks == 1)
			return 0;
		t = { to, NULL, NULL };
		n = blocks;
		to = next;
		next = (double *)q->work;
	}
}

int lk_cuda_sum(struct lk_queue *q, double *out, const double *x, size_t n)
{
	return sum_tree(q, "sum", out, { x, NULL, NULL }, n);
}

int lk_cuda_loss(struct lk_queue *q, double *out, const lk_real *logp, const lk_real *weight,
		size_t n)
{
	return sum_tree(q, "loss", out, { NULL, logp, weight }, n);
}

static __global__ void clip_kernel(struct lk_step *step, double max_norm)
{
	double scale = step->weights > 0 ? 1 / step->weights : 0;
	double norm = sqrt(step->sqnorm) * scale, c = max_norm / (norm + 1e-6);

	step->scale = scale;
	step->norm = norm;
	/* x - x is 0 if and only if x is finite. */
	if (norm - norm != 0 || step->loss - step->loss != 0)
		step->finite = 0;
	step->skip = !(step->weights > 0) || (step->limit > 0 && norm > step->limit);
	step->clip = max_norm != 0 && c < 1 ? scale * c : scale;
}

int lk_cuda_clip(struct lk_queue *q, struct lk_step *step, double max_norm)
{
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0)
		return go;
	LK_LAUNCH(clip_kernel, dim3(1), dim3(1), 0, q, step, max_norm);
	return lk_cuda_launched(q, "clip");
}
