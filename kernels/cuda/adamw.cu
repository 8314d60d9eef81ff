/*
 * AdamW over fp32 master weights, moments and gradients, and the copy that products read.
 *
 * Bytes of memory an element: 28, 30 with a copy in bf16 (expected: 90 % of copy speed). Without
 * contraction the bits are the CPU's.
 */
#include "kernels/cuda/access.h"

struct adamw_factors {
	float b1, c1, b2, c2; /* beta, 1 - beta */
	float i1, i2;	      /* 1 / bias */
	float lr, eps, decay, clip;
};

template <typename C> struct adamw_each {
	static constexpr int N = 4, U = 2;
	struct regs {
		lk_vec<float, N> p, m, v, g;
	};
	float *p, *m, *v;
	const float *g;
	C *copy;
	adamw_factors a;

	template <bool V> __device__ __forceinline__ void load(regs &r, size_t i, int n) const
	{
		lk_get<V>(r.g, g + i, n);
		lk_get<V>(r.m, m + i, n);
		lk_get<V>(r.v, v + i, n);
		lk_get<V>(r.p, p + i, n);
	}

	template <bool V> __device__ __forceinline__ void store(regs &r, size_t i, int n) const
	{
		float x[N], y[N], z[N];

		LK_UNROLL
		for (int j = 0; j < N; j++) {
			float c = r.g.at(j) * a.clip;

			y[j] = r.m.at(j) * a.b1 + c * a.c1;
			z[j] = r.v.at(j) * a.b2 + c * c * a.c2;
			x[j] = r.p.at(j) -
					(y[j] * a.i1 / (sqrtf(z[j] * a.i2) + a.eps) +
							r.p.at(j) * a.decay) *
							a.lr;
		}
		r.p.put(x);
		lk_set<V>(p + i, r.p, n);
		r.p.put(y);
		lk_set<V>(m + i, r.p, n);
		r.p.put(z);
		lk_set<V>(v + i, r.p, n);
		if (copy) {
			lk_vec<C, N> to;

			to.put(x);
			lk_set<V>(copy + i, to, n);
		}
	}
};

template <bool V, typename C>
static __global__ void __launch_bounds__(LK_EACH_THREADS)
		adamw_kernel(adamw_each<C> f, lk_adamw h, const struct lk_step *step, size_t n)
{
	/* Divisions of doubles, which some GPUs are slow at, by one thread. */
	LK_SHARED(adamw_factors, room, 1);

	if (step->finite == 0 || step->skip)
		return;
	if (threadIdx.x == 0)
		room[0] = { (float)h.beta1, (float)(1 - h.beta1), (float)h.beta2,
			(float)(1 - h.beta2), (float)(1 / step->bias1), (float)(1 / step->bias2),
			(float)step->lr, (float)h.eps, (float)h.decay, (float)step->clip };
	__syncthreads();
	f.a = room[0];
	lk_tile<V>(f, n);
}

template <typename C>
static int launch(struct lk_queue *q, adamw_each<C> f, const struct lk_adamw *h,
		const struct lk_step *step, size_t n)
{
	const bool wide = lk_aligned((const void *)f.p, (const void *)f.m, (const void *)f.v,
			(const void *)f.g, (const void *)f.copy);
	auto *k = wide ? adamw_kernel<true, C> : adamw_kernel<false, C>;
	unsigned grid;

	if (lk_grid(q, "adamw", lk_ceil(n, (size_t)LK_EACH_THREADS * f.N * f.U), &grid) < 0)
		return -1;
	LK_LAUNCH(k, dim3(grid), dim3(LK_EACH_THREADS), 0, q, f, *h, step, n);
	return lk_cuda_launched(q, "adamw");
}

int lk_cuda_adamw(struct lk_queue *q, lk_real *p, lk_real *m, lk_real *v, const lk_real *g,
		lk_act *copy, size_t n, const struct lk_adamw *h, const struct lk_step *step)
{
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0 || n == 0)
		return go < 0 ? go : 0;
	if (q->act == LK_BF16)
		return launch<lk_bf16>(q, { p, m, v, g, (lk_bf16 *)copy, {} }, h, step, n);
	return launch<float>(q, { p, m, v, g, copy == p ? NULL : (float *)copy, {} }, h, step, n);
}
