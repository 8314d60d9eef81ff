/*
 * Log p and gradient of rows of logits; one block a row. The first pass takes the maximum and the sum
 * of exponentials as it reads, the second writes the gradient and reads the row again from its end,
 * which is what L2 kept best: the rows of 132 blocks of 65,024 columns are 34 MB.
 *
 * Bytes of memory an element, a bytes of an activation: 4 + a (expected: 75 % of copy speed where the
 * rows at work fit into L2, else 4 more bytes). About 12 instructions an element and pass.
 *
 * The threads of a block depend on the number of columns, so the bits do not depend on the rows.
 */
#include "kernels/cuda/access.h"
#include "kernels/cuda/reduce.h"
#include "kernels/objective.h"

#define CE_HELD 4
#define CE_N 4 /* logits of one access */

/* Running maximum and the sum of exp(x - maximum). */
struct ce_sum {
	float max, sum;

	__device__ __forceinline__ void add(const float *x, int n)
	{
		float m = max, base;

		LK_UNROLL
		for (int j = 0; j < n; j++)
			m = fmaxf(m, x[j]);
		/* Of a thread whose logits are all impossible so far, the sum stays 0. */
		base = m == -INFINITY ? 0.0f : m;
		if (m > max) {
			sum *= lk_exp(max - base);
			max = m;
		}
		LK_UNROLL
		for (int j = 0; j < n; j++)
			sum += lk_exp(x[j] - base);
	}
};

/* Sums of the row x of v logits; all threads get them. */
template <bool V>
static __device__ __forceinline__ ce_sum ce_scan(const float *x, size_t v, double *room)
{
	const unsigned threads = blockDim.x, groups = (unsigned)((v + CE_N - 1) / CE_N);
	ce_sum s = { -INFINITY, 0 };
	unsigned first = threadIdx.x;
	float max;

	for (; first + (CE_HELD - 1) * threads + 1 < groups; first += CE_HELD * threads) {
		lk_vec<float, CE_N> g[CE_HELD];
		float y[CE_HELD * CE_N];

		LK_UNROLL
		for (unsigned h = 0; h < CE_HELD; h++)
			lk_get<V>(g[h], x + (first + h * threads) * CE_N);
		LK_UNROLL
		for (int j = 0; j < CE_HELD * CE_N; j++)
			y[j] = g[j / CE_N].at(j % CE_N);
		s.add(y, CE_HELD * CE_N);
	}
	for (; first < groups; first += threads) {
		lk_vec<float, CE_N> g;
		float y[CE_N];

		lk_get<V>(g, x + first * CE_N, lk_part<V, CE_N>(v, first), -INFINITY);
		LK_UNROLL
		for (int j = 0; j < CE_N; j++)
			y[j] = g.at(j);
		s.add(y, CE_N);
	}
	max = lk_block_max(s.max, (float *)room);
	__syncthreads();
	s.sum = (float)lk_block_sum(
			(double)s.sum * (double)(s.max == max ? 1.0f : lk_exp(s.max - max)), room);
	s.max = max;
	return s;
}

static __device__ __forceinline__ float ce_logp(float max, float sum, float label)
{
	return (float)(((double)label - (double)max) - log((double)sum));
}

/* Column of the label in v0 .. v0 + v - 1, or one that no logit has (label - v0 wraps). */
static __device__ __forceinline__ size_t ce_column(uint32_t label, size_t v0, size_t v)
{
	return label - v0 < v ? label - v0 : SIZE_MAX;
}

/* The gradient of one group of logits: k exp(x - max), less `weight` at the label. */
template <bool V, typename T>
static __device__ __forceinline__ void ce_out(T *dx, const lk_vec<float, CE_N> &x, float max,
		float k, float weight, size_t column, size_t first, int n)
{
	lk_vec<T, CE_N> to;
	float d[CE_N];

	LK_UNROLL
	for (int j = 0; j < CE_N; j++) {
		d[j] = lk_exp(x.at(j) - max) * k;
		if (first + j == column)
			d[j] -= weight;
	}
	to.put(d);
	lk_set<V>(dx, to, n);
}

template <bool V, typename T>
static __device__ __forceinline__ void ce_to_grad(
		T *dx, const float *x, size_t v, float max, float k, size_t column, float weight)
{
	const unsigned threads = blockDim.x, groups = (unsigned)((v + CE_N - 1) / CE_N);
	const unsigned stride = CE_HELD * threads, passes = (groups + stride - 1) / stride;

	for (unsigned pass = passes; pass-- > 0;) {
		lk_vec<float, CE_N> g[CE_HELD];

		LK_UNROLL
		for (unsigned h = 0; h < CE_HELD; h++) {
			unsigned u = pass * stride + h * threads + threadIdx.x;

			if (u < groups)
				lk_get<V>(g[h], x + u * CE_N, lk_part<V, CE_N>(v, u));
		}
		LK_UNROLL
		for (unsigned h = 0; h < CE_HELD; h++) {
			unsigned u = pass * stride + h * threads + threadIdx.x;

			if (u < groups)
				ce_out<V>(dx + u * CE_N, g[h], max, k, weight, column,
						(size_t)u * CE_N, lk_part<V, CE_N>(v, u));
		}
	}
}

template <bool V, typename T> static __device__ __forceinline__ void ce_zero(T *dx, size_t v)
{
	lk_vec<T, CE_N> none;

	none.fill((T)0.0f);
	for (unsigned u = threadIdx.x; u * CE_N < v; u += blockDim.x)
		lk_set<V>(dx + u * CE_N, none, lk_part<V, CE_N>(v, u));
}

template <typename T> struct ce_rows {
	float *logp, *stats;
	T *dx;
	const float *x;
	const uint32_t *label;
	const float *weight;
	size_t v, ld, v0;
};

template <typename T, bool V> static __global__ void __launch_bounds__(1024) ce_kernel(ce_rows<T> a)
{
	LK_SHARED(double, room, 32);
	const size_t r = blockIdx.x, column = ce_column(a.label[r], 0, a.v);
	const float *x = a.x + r * a.ld;
	const float weight = a.weight ? a.weight[r] : 1.0f;
	/* Before the gradient takes its place; a label that is no label has none. */
	const float label = threadIdx.x == 0 && column < a.v ? x[column] : NAN;
	ce_sum s = { 0, 0 };

	if (a.logp || weight != 0)
		s = ce_scan<V>(x, a.v, (double *)room);
	if (a.logp && threadIdx.x == 0)
		a.logp[r] = ce_logp(s.max, s.sum, label);
	if (a.dx && weight != 0)
		ce_to_grad<V>(a.dx + r * a.ld, x, a.v, s.max, weight / s.sum, column, weight);
	else if (a.dx)
		ce_zero<V>(a.dx + r * a.ld, a.v);
}

template <typename T, bool V>
static __global__ void __launch_bounds__(1024) ce_stats_kernel(ce_rows<T> a)
{
	LK_SHARED(double, room, 32);
	const size_t r = blockIdx.x, column = ce_column(a.label[r], a.v0, a.v);
	const ce_sum s = ce_scan<V>(a.x + r * a.ld, a.v, (double *)room);

	if (threadIdx.x > 0)
		return;
	a.stats[r * 3] = s.max;
	a.stats[r * 3 + 1] = s.sum;
	a.stats[r * 3 + 2] = column < a.v ? a.x[r * a.ld + column] : 0.0f;
}

template <typename T, bool V>
static __global__ void __launch_bounds__(1024) ce_grad_kernel(ce_rows<T> a)
{
	const size_t r = blockIdx.x;
	const float *s = a.stats + r * 3;
	const float weight = a.weight ? a.weight[r] : 1.0f;

	if (a.logp && threadIdx.x == 0)
		a.logp[r] = ce_logp(s[0], s[1], s[2]);
	if (a.dx && weight != 0)
		ce_to_grad<V>(a.dx + r * a.ld, a.x + r * a.ld, a.v, s[0], weight / s[1],
				ce_column(a.label[r], a.v0, a.v), weight);
	else if (a.dx)
		ce_zero<V>(a.dx + r * a.ld, a.v);
}

/* Check the shape and begin, as lk_cuda_begin() does; a leading dimension of 0 becomes v. */
static int ce_begin(struct lk_queue *q, size_t *ld, size_t v)
{
	*ld = *ld == 0 ? v : *ld;
	if (v == 0 || *ld < v)
		return lk_cuda_fail(
				q, "cross entropy: leading dimension %zu for %zu columns", *ld, v);
	return lk_row_fits(q, "cross entropy", v) < 0 ? -1 : lk_cuda_begin(q, 0, 0);
}

enum ce_what { CE_ALL, CE_STATS, CE_GRAD };

template <typename T>
static int ce(struct lk_queue *q, enum ce_what what, size_t rows, ce_rows<T> a)
{
	static const char *const name[] = { "cross_entropy", "ce_stats", "ce_grad" };
	const bool wide = lk_aligned((const void *)a.x, (const void *)a.dx) && a.v % CE_N == 0 &&
			a.ld % CE_N == 0;
	void (*k)(ce_rows<T>) = what == CE_ALL ? wide ? ce_kernel<T, true> : ce_kernel<T, false>
			: what == CE_STATS
			? wide ? ce_stats_kernel<T, true> : ce_stats_kernel<T, false>
			: wide ? ce_grad_kernel<T, true>
			       : ce_grad_kernel<T, false>;
	unsigned grid;

	if (rows == 0 || lk_grid(q, name[what], rows, &grid) < 0)
		return rows == 0 ? 0 : -1;
	LK_LAUNCH(k, dim3(grid), dim3(lk_row_threads(lk_ceil(a.v, CE_N), CE_HELD, 1024)), 0, q, a);
	return lk_cuda_launched(q, name[what]);
}

int lk_cuda_cross_entropy(struct lk_queue *q, lk_real *logp, lk_act *dx, const lk_real *x,
		const uint32_t *label, const lk_real *weight, size_t rows, size_t v, size_t ld)
{
	int go = ce_begin(q, &ld, v);

	if (go <= 0)
		return go;
	if (q->act == LK_BF16)
		return ce<lk_bf16>(q, CE_ALL, rows,
				{ logp, NULL, (lk_bf16 *)dx, x, label, weight, v, ld, 0 });
	return ce<float>(q, CE_ALL, rows, { logp, NULL, (float *)dx, x, label, weight, v, ld, 0 });
}

int lk_cuda_ce_stats(struct lk_queue *q, lk_real *stats, const lk_real *x, const uint32_t *label,
		size_t rows, size_t v, size_t ld, size_t v0)
{
	int go = ce_begin(q, &ld, v);

	return go <= 0 ? go
		       : ce<float>(q, CE_STATS, rows,
					 { NULL, stats, NULL, x, label, NULL, v, ld, v0 });
}

int lk_cuda_ce_grad(struct lk_queue *q, lk_real *logp, lk_act *dx, const lk_real *x,
		const uint32_t *label, const lk_real *weight, const lk_real *stats, size_t rows,
		size_t v, size_t ld, size_t v0)
{
	lk_real *s = const_cast<lk_real *>(stats); /* only read */
	int go = ce_begin(q, &ld, v);

	if (go <= 0)
		return go;
	if (q->act == LK_BF16)
		return ce<lk_bf16>(q, CE_GRAD, rows,
				{ logp, s, (lk_bf16 *)dx, x, label, weight, v, ld, v0 });
	return ce<float>(q, CE_GRAD, rows, { logp, s, (float *)dx, x, label, weight, v, ld, v0 });
}

/*
 * Rows of `width` numbers, the first three of which are maximum, sum and a logit, the others logits, 0
 * where a rank has none. Sums are rescaled to the largest maximum, and added in the order of the ranks.
 */
static __global__ void ce_merge_kernel(
		float *stats, const float *all, size_t ranks, size_t rows, size_t width)
{
	const size_t r = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
	double max, sum = 0;

	if (r >= rows)
		return;
	max = (double)all[r * width];
	for (size_t k = 1; k < ranks; k++)
		if ((double)all[(k * rows + r) * width] > max)
			max = (double)all[(k * rows + r) * width];
	for (size_t k = 0; k < ranks; k++) {
		const float *part = all + (k * rows + r) * width;

		/* A part without exponentials has no maximum either. */
		if (part[1] != 0)
			sum += (double)part[1] * exp((double)part[0] - max);
	}
	for (size_t i = 2; i < width; i++) {
		double logit = 0;

		for (size_t k = 0; k < ranks; k++)
			logit += (double)all[(k * rows + r) * width + i];
		stats[r * width + i] = (float)logit;
	}
	stats[r * width] = (float)max;
	stats[r * width + 1] = (float)sum;
}

static int merge(struct lk_queue *q, const char *what, float *stats, const float *all, size_t ranks,
		size_t rows, size_t width)
{
	unsigned grid;
	int go;

	if (ranks == 0)
		return lk_cuda_fail(q, "%s: no ranks", what);
	if (lk_grid(q, what, lk_ceil(rows, 128), &grid) < 0)
		return -1;
	go = lk_cuda_begin(q, 0, 0);
	if (go <= 0 || rows == 0)
		return go < 0 ? go : 0;
	LK_LAUNCH(ce_merge_kernel, dim3(grid), dim3(128), 0, q, stats, all, ranks, rows, width);
	return lk_cuda_launched(q, what);
}

int lk_cuda_ce_merge(
		struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks, size_t rows)
{
	return merge(q, "ce_merge", stats, all, ranks, rows, 3);
}

int lk_cuda_kl_merge(struct lk_queue *q, lk_real *stats, const lk_real *all, size_t ranks,
		size_t rows, size_t n)
{
	return merge(q, "kl_merge", stats, all, ranks, rows, 3 + n);
}

/* --- distillation ----------------------------------------------------------------------------- */

struct kl_rows {
	float *stats, *x;
	const uint32_t *label, *top;
	size_t n, v, ld, v0;
};

template <bool V> static __global__ void __launch_bounds__(1024) kl_stats_kernel(kl_rows a)
{
	LK_SHARED(double, room, 32);
	const size_t r = blockIdx.x, label = ce_column(a.label[r], a.v0, a.v);
	float *x = a.x + r * a.ld, *stats = a.stats + r * (3 + a.n), at_label = 0;
	ce_sum s;

	if (threadIdx.x == 0 && label < a.v)
		at_label = x[label];
	__syncthreads();
	for (size_t i = threadIdx.x; i < a.n; i += blockDim.x) {
		const size_t column = ce_column(a.top[r * a.n + i], a.v0, a.v);

		stats[3 + i] = column < a.v ? x[column] : 0.0f;
		if (column < a.v)
			x[column] = -INFINITY;
	}
	__syncthreads();
	s = ce_scan<V>(x, a.v, (double *)room);
	if (threadIdx.x > 0)
		return;
	stats[0] = s.max;
	stats[1] = s.sum;
	stats[2] = at_label;
}

template <typename T> struct kl_grads {
	float *loss_row;
	T *dx;
	const float *x, *stats;
	struct lk_kl k;
	size_t v, ld, v0;
};

template <typename T, bool V>
static __global__ void __launch_bounds__(1024) kl_grad_kernel(kl_grads<T> a)
{
	LK_SHARED(lk_kl_row, shared, 1);
	const size_t r = blockIdx.x;
	const float *s = a.stats + r * (3 + a.k.n);
	const float weight = a.k.weight ? a.k.weight[r] : 1.0f;
	T *dx = a.dx + r * a.ld;
	lk_kl_row row;

	if (threadIdx.x == 0)
		shared[0] = lk_kl_row_of(&a.k, s, r);
	__syncthreads();
	row = shared[0];
	if (threadIdx.x == 0)
		a.loss_row[r] = (float)-row.loss;
	if (weight == 0) {
		ce_zero<V>(dx, a.v);
		return;
	}
	ce_to_grad<V>(dx, a.x + r * a.ld, a.v, s[1] != 0 ? s[0] : 0.0f,
			s[1] != 0 ? (float)((double)weight * row.tail / (double)s[1]) : 0.0f,
			ce_column(a.k.label[r], a.v0, a.v),
			(float)((double)weight * (1 - a.k.teacher)));
	__syncthreads();
	for (size_t i = threadIdx.x; i < a.k.n; i += blockDim.x) {
		const size_t column = ce_column(a.k.top[r * a.k.n + i], a.v0, a.v);
		const float d[2] = { (float)((double)weight * lk_kl_top(&a.k, &row, s, r, i)), 0 };
		lk_vec<T, 2> to;

		to.put(d);
		if (column < a.v)
			lk_set<false>(dx + column, to, 1);
	}
}

int lk_cuda_kl_stats(struct lk_queue *q, lk_real *stats, lk_real *x, const uint32_t *label,
		const uint32_t *top, size_t n, size_t rows, size_t v, size_t ld, size_t v0)
{
	int go = ce_begin(q, &ld, v);
	const bool wide = lk_aligned((const void *)x) && v % CE_N == 0 && ld % CE_N == 0;
	unsigned grid;

	if (go >= 0 && (n == 0 || n > LK_TOP_MAX))
		return lk_cuda_fail(q, "kl_stats: a top of %zu, not of 1 to %d", n, LK_TOP_MAX);
	if (go <= 0 || rows == 0)
		return go < 0 ? go : 0;
	if (lk_grid(q, "kl_stats", rows, &grid) < 0)
		return -1;
	LK_LAUNCH((wide ? kl_stats_kernel<true> : kl_stats_kernel<false>), dim3(grid),
			dim3(lk_row_threads(lk_ceil(v, CE_N), CE_HELD, 1024)), 0, q,
			kl_rows{ stats, x, label, top, n, v, ld, v0 });
	return lk_cuda_launched(q, "kl_stats");
}

template <typename T> static int kl_grad(struct lk_queue *q, size_t rows, kl_grads<T> a)
{
	const bool wide = lk_aligned((const void *)a.x, (const void *)a.dx) && a.v % CE_N == 0 &&
			a.ld % CE_N == 0;
	unsigned grid;

	if (rows == 0 || lk_grid(q, "kl_grad", rows, &grid) < 0)
		return rows == 0 ? 0 : -1;
	LK_LAUNCH((wide ? kl_grad_kernel<T, true> : kl_grad_kernel<T, false>), dim3(grid),
			dim3(lk_row_threads(lk_ceil(a.v, CE_N), CE_HELD, 1024)), 0, q, a);
	return lk_cuda_launched(q, "kl_grad");
}

int lk_cuda_kl_grad(struct lk_queue *q, lk_real *loss_row, lk_act *dx, const lk_real *x,
		const lk_real *stats, const struct lk_kl *k, size_t rows, size_t v, size_t ld,
		size_t v0)
{
	int go = ce_begin(q, &ld, v);

	if (go <= 0)
		return go;
	if (q->act == LK_BF16)
		return kl_grad<lk_bf16>(
				q, rows, { loss_row, (lk_bf16 *)dx, x, stats, *k, v, ld, v0 });
	return kl_grad<float>(q, rows, { loss_row, (float *)dx, x, stats, *k, v, ld, v0 });
}

/* --- preferences ------------------------------------------------------------------------------ */

#define DPO_THREADS 256

/* A pair a block: its terms of the sums, and the weights of its rows. */
static __global__ void __launch_bounds__(DPO_THREADS) dpo_kernel(
		double *terms, float *weight, const float *logp, const double *reference, lk_dpo d)
{
	LK_SHARED(double, room, 32);
	LK_SHARED(lk_pair, pair, 1);
	double sum[2] = { 0, 0 }, n[2] = { 0, 0 };

	weight += 2 * blockIdx.x * d.t;
	logp += 2 * blockIdx.x * d.t;
	for (int i = 0; i < 2; i++) {
		for (size_t r = threadIdx.x; r < d.t; r += blockDim.x) {
			const double w = (double)weight[i * d.t + r];

			/* A row that does not count may have any log p. */
			sum[i] += w != 0 ? w * (double)logp[i * d.t + r] : 0;
			n[i] += w;
		}
		sum[i] = lk_block_sum(sum[i], (double *)room);
		__syncthreads();
		n[i] = lk_block_sum(n[i], (double *)room);
		__syncthreads();
	}
	if (threadIdx.x == 0) {
		const lk_pair p = lk_pair_of(&d, sum, n, reference + 2 * blockIdx.x);
		double *to = terms + blockIdx.x * LK_SUMS;

		pair[0] = p;
		to[LK_SUM_LOSS] = p.loss;
		to[LK_SUM_WEIGHTS] = 1;
		to[LK_SUM_CHOSEN] = p.chosen;
		to[LK_SUM_REJECTED] = p.rejected;
		to[LK_SUM_RIGHT] = p.chosen > p.rejected ? 1 : 0;
	}
	__syncthreads();
	for (size_t r = threadIdx.x; r < 2 * d.t; r += blockDim.x)
		weight[r] = (float)((double)weight[r] * pair[0].weight[r < d.t ? 0 : 1]);
}

/* A sum a thread, in the order of the pairs. */
static __global__ void dpo_sum_kernel(double *out, size_t stride, const double *terms, size_t pairs)
{
	double sum = 0;

	if (threadIdx.x >= LK_SUMS)
		return;
	for (size_t k = 0; k < pairs; k++)
		sum += terms[k * LK_SUMS + threadIdx.x];
	out[threadIdx.x * stride] = sum;
}

int lk_cuda_dpo(struct lk_queue *q, double *out, size_t stride, lk_real *weight,
		const lk_real *logp, const double *reference, const struct lk_dpo *d)
{
	int go = lk_cuda_begin(q, d->pairs * LK_SUMS, sizeof(*out));
	double *terms = (double *)q->work;
	unsigned grid;

	if (go <= 0)
		return go;
	if (d->pairs > 0) {
		if (lk_grid(q, "dpo", d->pairs, &grid) < 0)
			return -1;
		LK_LAUNCH(dpo_kernel, dim3(grid), dim3(DPO_THREADS), 0, q, terms, weight, logp,
				reference, *d);
		if (lk_cuda_launched(q, "dpo") < 0)
			return -1;
	}
	LK_LAUNCH(dpo_sum_kernel, dim3(1), dim3(32), 0, q, out, stride, terms, d->pairs);
	return lk_cuda_launched(q, "dpo");
}
