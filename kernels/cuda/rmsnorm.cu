/*
 * Root mean square normalisation, with an optional residual added first; one block a row.
 *
 * Bytes of memory an element, a bytes of an activation (the floor; expected: 85 % of copy speed):
 *	rmsnorm		2a, with a residual 4a: a row waits in registers for its sum
 *	rmsnorm_again	2a
 *	rmsnorm_back	3a, 4a with dres, and 1/4 for the partial sums of dw
 * The order of the sums depends on n alone. dw is summed over strips of NORM_ROWS rows, one block
 * each, and then over the strips, by NORM_SETS interleaved sets that are added in order.
 */
#include "kernels/cuda/access.h"
#include "kernels/cuda/reduce.h"

#define NORM_HELD 4
#define NORM_ROWS 32
#define NORM_BACK_THREADS 512
#define NORM_SETS 8

/* s = x + res as it is stored, and its squares into *sum. */
template <typename T, int N>
static __device__ __forceinline__ void norm_add(
		lk_vec<T, N> &x, const lk_vec<T, N> &res, bool has_res, float *sum)
{
	if (has_res) {
		float s[N];

		LK_UNROLL
		for (int j = 0; j < N; j++)
			s[j] = x.at(j) + res.at(j);
		x.put(s);
	}
	LK_UNROLL
	for (int j = 0; j < N; j++)
		*sum = fmaf(x.at(j), x.at(j), *sum);
}

template <bool V, typename T, int N>
static __device__ __forceinline__ void norm_out(
		T *y, const lk_vec<T, N> &x, const float *w, float rstd, int n)
{
	lk_vec<float, N> weight;
	lk_vec<T, N> to;
	float v[N];

	lk_get<V>(weight, w, n);
	LK_UNROLL
	for (int j = 0; j < N; j++)
		v[j] = x.at(j) * rstd * weight.at(j);
	to.put(v);
	lk_set<V>(y, to, n);
}

template <typename T, bool V>
static __global__ void __launch_bounds__(1024) norm_kernel(T *y, float *rstd, T *sum, const T *x,
		const T *res, const float *__restrict__ w, size_t n, float eps)
{
	LK_SHARED(float, room, 32);
	constexpr int N = lk_width<T>;
	const unsigned threads = blockDim.x, groups = (unsigned)((n + N - 1) / N);
	const size_t row = (size_t)blockIdx.x * n;
	lk_vec<T, N> held[NORM_HELD], other[NORM_HELD];
	float squares = 0, k;
	const T *s = res ? sum : x;

	x += row, y += row, s += row;
	LK_UNROLL
	for (int h = 0; h < NORM_HELD; h++) {
		unsigned u = threadIdx.x + h * threads;

		if (u < groups) {
			lk_get<V>(held[h], x + u * N, lk_part<V, N>(n, u));
			if (res)
				lk_get<V>(other[h], res + row + u * N, lk_part<V, N>(n, u));
		}
	}
	LK_UNROLL
	for (int h = 0; h < NORM_HELD; h++) {
		unsigned u = threadIdx.x + h * threads;

		if (u < groups) {
			norm_add(held[h], other[h], res != NULL, &squares);
			if (res)
				lk_set<V>(sum + row + u * N, held[h], lk_part<V, N>(n, u));
		}
	}
	for (unsigned u = threadIdx.x + NORM_HELD * threads; u < groups; u += threads) {
		lk_vec<T, N> a, b;

		lk_get<V>(a, x + u * N, lk_part<V, N>(n, u));
		if (res)
			lk_get<V>(b, res + row + u * N, lk_part<V, N>(n, u));
		norm_add(a, b, res != NULL, &squares);
		if (res)
			lk_set<V>(sum + row + u * N, a, lk_part<V, N>(n, u));
	}
	k = 1.0f / sqrtf(lk_block_sum(squares, (float *)room) / (float)n + eps);
	if (rstd && threadIdx.x == 0)
		rstd[blockIdx.x] = k;
	LK_UNROLL
	for (int h = 0; h < NORM_HELD; h++) {
		unsigned u = threadIdx.x + h * threads;

		if (u < groups)
			norm_out<V>(y + u * N, held[h], w + u * N, k, lk_part<V, N>(n, u));
	}
	/* What did not fit into registers is read again, by the thread that wrote it. */
	for (unsigned u = threadIdx.x + NORM_HELD * threads; u < groups; u += threads) {
		lk_vec<T, N> a;

		lk_get<V>(a, s + u * N, lk_part<V, N>(n, u));
		norm_out<V>(y + u * N, a, w + u * N, k, lk_part<V, N>(n, u));
	}
}

template <typename T, bool V>
static __global__ void __launch_bounds__(1024) norm_again_kernel(
		T *y, const T *x, const float *__restrict__ w, const float *rstd, size_t n)
{
	constexpr int N = lk_width<T>;
	const unsigned threads = blockDim.x, groups = (unsigned)((n + N - 1) / N);
	const size_t row = (size_t)blockIdx.x * n;
	const float k = rstd[blockIdx.x];

	for (unsigned first = threadIdx.x; first < groups; first += 2 * threads) {
		lk_vec<T, N> a[2];

		LK_UNROLL
		for (unsigned h = 0; h < 2; h++)
			if (first + h * threads < groups)
				lk_get<V>(a[h], x + row + (first + h * threads) * N,
						lk_part<V, N>(n, first + h * threads));
		LK_UNROLL
		for (unsigned h = 0; h < 2; h++)
			if (first + h * threads < groups)
				norm_out<V>(y + row + (first + h * threads) * N, a[h],
						w + (first + h * threads) * N, k,
						lk_part<V, N>(n, first + h * threads));
	}
}

template <typename T>
static bool norm_wide(
		const void *a, const void *b, const void *c, const void *d, const void *e, size_t n)
{
	return lk_aligned(a, b, c, d, e) && n % lk_width<T> == 0;
}

template <typename T>
static int norm(struct lk_queue *q, void *y, float *rstd, void *sum, const void *x, const void *res,
		const float *w, size_t rows, size_t n, double eps)
{
	auto *k = norm_wide<T>(y, res ? sum : NULL, x, res, w, n) ? norm_kernel<T, true>
								  : norm_kernel<T, false>;
	unsigned grid;

	if (lk_grid(q, "rmsnorm", rows, &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(lk_row_threads(lk_ceil(n, lk_width<T>), NORM_HELD, 1024)), 0,
			q, (T *)y, rstd, (T *)sum, (const T *)x, (const T *)res, w, n, (float)eps);
	return lk_cuda_launched(q, "rmsnorm");
}

int lk_cuda_rmsnorm(struct lk_queue *q, lk_act *y, lk_real *rstd, lk_act *sum, const lk_act *x,
		const lk_act *res, const lk_real *w, size_t rows, size_t n, double eps)
{
	int go = lk_row_fits(q, "rmsnorm", n) < 0 ? -1 : lk_cuda_begin(q, 0, 0);

	if (go <= 0 || rows == 0 || n == 0)
		return go < 0 ? go : 0;
	return q->act == LK_BF16 ? norm<lk_bf16>(q, y, rstd, sum, x, res, w, rows, n, eps)
				 : norm<float>(q, y, rstd, sum, x, res, w, rows, n, eps);
}

template <typename T>
static int norm_again(struct lk_queue *q, void *y, const void *x, const float *w, const float *rstd,
		size_t rows, size_t n)
{
	auto *k = norm_wide<T>(y, x, w, NULL, NULL, n) ? norm_again_kernel<T, true>
						       : norm_again_kernel<T, false>;
	unsigned grid;

	if (lk_grid(q, "rmsnorm_again", rows, &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(lk_row_threads(lk_ceil(n, lk_width<T>), 2, 1024)), 0, q,
			(T *)y, (const T *)x, w, rstd, n);
	return lk_cuda_launched(q, "rmsnorm_again");
}

int lk_cuda_rmsnorm_again(struct lk_queue *q, lk_act *y, const lk_act *x, const lk_real *w,
		const lk_real *rstd, size_t rows, size_t n)
{
	int go = lk_row_fits(q, "rmsnorm_again", n) < 0 ? -1 : lk_cuda_begin(q, 0, 0);

	if (go <= 0 || rows == 0 || n == 0)
		return go < 0 ? go : 0;
	return q->act == LK_BF16 ? norm_again<lk_bf16>(q, y, x, w, rstd, rows, n)
				 : norm_again<float>(q, y, x, w, rstd, rows, n);
}

/* --- backward --------------------------------------------------------------------------------- */

/* The part of one group in mean(g * xh), without rstd / n, and in dw. */
template <typename T, int N>
static __device__ __forceinline__ float norm_back_dot(const lk_vec<T, N> &dy, const lk_vec<T, N> &x,
		const lk_vec<float, N> &w, float rstd, float (&dw)[N])
{
	float s = 0;

	LK_UNROLL
	for (int j = 0; j < N; j++) {
		float a = dy.at(j) * x.at(j);

		dw[j] = fmaf(a, rstd, dw[j]);
		s = fmaf(a, w.at(j), s);
	}
	return s;
}

/* dx of one group; mean = mean(g * xh) * rstd, whose product with x is xh * mean(g * xh). */
template <bool V, typename T, int N>
static __device__ __forceinline__ void norm_back_out(T *dx, const lk_vec<T, N> &dy,
		const lk_vec<T, N> &dres, bool has_dres, const lk_vec<T, N> &x,
		const lk_vec<float, N> &w, float rstd, float mean, int n)
{
	lk_vec<T, N> to;
	float v[N];

	LK_UNROLL
	for (int j = 0; j < N; j++) {
		v[j] = (dy.at(j) * w.at(j) - x.at(j) * mean) * rstd;
		if (has_dres)
			v[j] += dres.at(j);
	}
	to.put(v);
	lk_set<V>(dx, to, n);
}

struct norm_back_row {
	const float *w, *rstd;
	float *part; /* [strips][n] */
	size_t rows, n;
};

/* A strip of rows, of at most H * blockDim groups each: a thread keeps dw of its columns. */
template <typename T, int H, bool V>
static __global__ void __launch_bounds__(NORM_BACK_THREADS)
		norm_back_kernel(T *dx, const T *dy, const T *dres, const T *x, norm_back_row a)
{
	LK_SHARED(float, room, 64);
	constexpr int N = lk_width<T>;
	const unsigned threads = blockDim.x, groups = (unsigned)((a.n + N - 1) / N);
	const size_t first = (size_t)blockIdx.x * NORM_ROWS;
	const size_t end = first + NORM_ROWS < a.rows ? first + NORM_ROWS : a.rows;
	float dw[H][N];

	LK_UNROLL
	for (int h = 0; h < H; h++)
		LK_UNROLL
	for (int j = 0; j < N; j++)
		dw[h][j] = 0;
	for (size_t r = first; r < end; r++) {
		const size_t row = r * a.n;
		const float rstd = a.rstd[r];
		lk_vec<T, N> gy[H], gx[H], gr[H];
		float s = 0, mean;

		LK_UNROLL
		for (int h = 0; h < H; h++) {
			unsigned u = threadIdx.x + h * threads;

			if (u < groups) {
				lk_get<V>(gy[h], dy + row + u * N, lk_part<V, N>(a.n, u));
				lk_get<V>(gx[h], x + row + u * N, lk_part<V, N>(a.n, u));
				if (dres)
					lk_get<V>(gr[h], dres + row + u * N, lk_part<V, N>(a.n, u));
			}
		}
		LK_UNROLL
		for (int h = 0; h < H; h++) {
			unsigned u = threadIdx.x + h * threads;
			lk_vec<float, N> w;

			if (u < groups) {
				lk_get<V>(w, a.w + u * N, lk_part<V, N>(a.n, u));
				s += norm_back_dot(gy[h], gx[h], w, rstd, dw[h]);
			}
		}
		/* Two rooms by turns, so that a row need not wait until all have read the last. */
		mean = lk_block_sum(s, (float *)room + (r & 1) * 32) * rstd / (float)a.n * rstd;
		LK_UNROLL
		for (int h = 0; h < H; h++) {
			unsigned u = threadIdx.x + h * threads;
			lk_vec<float, N> w;

			if (u < groups) {
				lk_get<V>(w, a.w + u * N, lk_part<V, N>(a.n, u));
				norm_back_out<V>(dx + row + u * N, gy[h], gr[h], dres != NULL,
						gx[h], w, rstd, mean, lk_part<V, N>(a.n, u));
			}
		}
	}
	LK_UNROLL
	for (int h = 0; h < H; h++) {
		unsigned u = threadIdx.x + h * threads;
		lk_vec<float, N> to;

		to.put(dw[h]);
		if (u < groups)
			lk_set<V>(a.part + blockIdx.x * a.n + u * N, to, lk_part<V, N>(a.n, u));
	}
}

/* The same for rows of any length: dw stays in a.part, and a row is read twice. */
template <typename T, bool V>
static __global__ void __launch_bounds__(NORM_BACK_THREADS) norm_back_long_kernel(
		T *dx, const T *dy, const T *dres, const T *x, norm_back_row a)
{
	LK_SHARED(float, room, 64);
	constexpr int N = lk_width<T>;
	const unsigned threads = blockDim.x, groups = (unsigned)((a.n + N - 1) / N);
	const size_t first = (size_t)blockIdx.x * NORM_ROWS;
	const size_t end = first + NORM_ROWS < a.rows ? first + NORM_ROWS : a.rows;
	float *part = a.part + blockIdx.x * a.n;

	for (size_t r = first; r < end; r++) {
		const size_t row = r * a.n;
		const float rstd = a.rstd[r];
		lk_vec<T, N> gy, gx, gr;
		lk_vec<float, N> w, sum;
		float s = 0, mean;

		for (unsigned u = threadIdx.x; u < groups; u += threads) {
			int k = lk_part<V, N>(a.n, u);
			float dw[N];

			lk_get<V>(gy, dy + row + u * N, k);
			lk_get<V>(gx, x + row + u * N, k);
			lk_get<V>(w, a.w + u * N, k);
			sum.fill(0);
			if (r > first)
				lk_get<V>(sum, part + u * N, k);
			LK_UNROLL
			for (int j = 0; j < N; j++)
				dw[j] = sum.at(j);
			s += norm_back_dot(gy, gx, w, rstd, dw);
			sum.put(dw);
			lk_set<V>(part + u * N, sum, k);
		}
		mean = lk_block_sum(s, (float *)room + (r & 1) * 32) * rstd / (float)a.n * rstd;
		for (unsigned u = threadIdx.x; u < groups; u += threads) {
			int k = lk_part<V, N>(a.n, u);

			lk_get<V>(gy, dy + row + u * N, k);
			lk_get<V>(gx, x + row + u * N, k);
			lk_get<V>(w, a.w + u * N, k);
			if (dres)
				lk_get<V>(gr, dres + row + u * N, k);
			norm_back_out<V>(dx + row + u * N, gy, gr, dres != NULL, gx, w, rstd, mean,
					k);
		}
	}
}

/* dw of 32 columns: warp s sums the strips s, s + NORM_SETS, ..., then warp 0 the warps. */
static __global__ void __launch_bounds__(32 * NORM_SETS) norm_dw_kernel(
		float *dw, const float *__restrict__ part, size_t strips, size_t n, int add)
{
	LK_SHARED(float, set, 32 * NORM_SETS);
	const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	const size_t c = (size_t)blockIdx.x * 32 + lane;
	float s = 0;

	if (c < n) {
		LK_UNROLL
		for (size_t b = warp; b < strips; b += NORM_SETS)
			s += part[b * n + c];
	}
	set[warp * 32 + lane] = s;
	__syncthreads();
	if (warp > 0 || c >= n)
		return;
	for (int k = 1; k < NORM_SETS; k++)
		s += set[k * 32 + lane];
	dw[c] = add ? dw[c] + s : s;
}

template <typename T>
static int norm_back(struct lk_queue *q, void *dx, float *dw, const void *dy, const void *dres,
		const void *x, norm_back_row a, int add)
{
	const size_t groups = lk_ceil(a.n, lk_width<T>), strips = lk_ceil(a.rows, NORM_ROWS);
	const size_t held = groups <= 256 ? 1 : groups <= 512 ? 2 : 4;
	const bool wide = norm_wide<T>(dx, dy, dres, x, a.w, a.n),
		   fits = groups <= 4 * NORM_BACK_THREADS;
	void (*k)(T *, const T *, const T *, const T *, norm_back_row) = !fits
			? wide ? norm_back_long_kernel<T, true> : norm_back_long_kernel<T, false>
			: held == 1
			? wide ? norm_back_kernel<T, 1, true> : norm_back_kernel<T, 1, false>
			: held == 2
			? wide ? norm_back_kernel<T, 2, true> : norm_back_kernel<T, 2, false>
			: wide ? norm_back_kernel<T, 4, true>
			       : norm_back_kernel<T, 4, false>;
	unsigned grid, columns;

	if (lk_grid(q, "rmsnorm_back", strips, &grid) < 0 ||
			lk_grid(q, "rmsnorm_back", lk_ceil(a.n, 32), &columns) < 0)
		return -1;
	if (strips > 0)
		LK_LAUNCH(k, dim3(grid), dim3(lk_row_threads(groups, held, NORM_BACK_THREADS)), 0,
				q, (T *)dx, (const T *)dy, (const T *)dres, (const T *)x, a);
	if (lk_cuda_launched(q, "rmsnorm_back") < 0)
		return -1;
	LK_LAUNCH(norm_dw_kernel, dim3(columns), dim3(32 * NORM_SETS), 0, q, dw, a.part, strips,
			a.n, add);
	return lk_cuda_launched(q, "rmsnorm_back");
}

int lk_cuda_rmsnorm_back(struct lk_queue *q, lk_act *dx, lk_real *dw, const lk_act *dy,
		const lk_act *dres, const lk_act *x, const lk_real *w, const lk_real *rstd,
		size_t rows, size_t n, int add)
{
	size_t part;
	int go;

	if (lk_row_fits(q, "rmsnorm_back", n) < 0)
		return -1;
	if (__builtin_mul_overflow(lk_ceil(rows, NORM_ROWS), n, &part))
		return lk_cuda_fail(q, "rmsnorm_back: %zu rows of %zu are too many", rows, n);
	go = lk_cuda_begin(q, part, sizeof(*dw));
	if (go <= 0 || n == 0)
		return go < 0 ? go : 0;
	norm_back_row a = { w, rstd, (float *)q->work, rows, n };
	return q->act == LK_BF16 ? norm_back<lk_bf16>(q, dx, dw, dy, dres, x, a, add)
				 : norm_back<float>(q, dx, dw, dy, dres, x, a, add);
}
