/*
 * Matrix products of the emulated GPU, in place of kernels/cuda/gemm_lt.c: plain loops, with sums in
 * float in the order of k. Checks and refusals are those of gemm_lt.c; scales, the largest absolute value
 * and products without terms are gemm_scale.cu's there and here.
 */
#include <stdlib.h>

#include <vector>

#include "kernels/cuda/gemm.h"

/* Bytes at the work space's beginning for alpha and beta, or for partial maxima. */
#define SPACE (LK_GEMM_PARTS * sizeof(float))
#define COLUMNS ((size_t)64) /* of D at once */

struct lk_packed_weight {
	const lk_act *w;
	size_t n, k, ld;
};

namespace
{

/* One operand: element (i, j) of op(X) is at i * down + j * across. */
struct operand {
	const void *p;
	size_t down, across;
	bool half;

	float at(size_t i, size_t j) const
	{
		size_t k = i * down + j * across;

		return half ? emu_widen_bf16(static_cast<const uint16_t *>(p)[k])
			    : static_cast<const float *>(p)[k];
	}
};

struct product {
	operand a, b, c;
	void *d;
	size_t rows, n, k, ldd;
	const float *factors; /* alpha and beta in device memory, or NULL: */
	float alpha, beta;
};

} // namespace

static void put(const product &p, size_t i, size_t j, float x)
{
	if (p.c.half)
		static_cast<uint16_t *>(p.d)[i * p.ldd + j] = emu_round_bf16(x);
	else
		static_cast<float *>(p.d)[i * p.ldd + j] = x;
}

/* The stream runs this, with device memory at hand. */
static void multiply(const product &p)
{
	const float alpha = p.factors ? p.factors[0] : p.alpha;
	const float beta = p.factors ? p.factors[1] : p.beta;
	std::vector<float> a(p.k), b(p.k * COLUMNS);

	for (size_t j0 = 0; j0 < p.n; j0 += COLUMNS) {
		size_t m = p.n - j0 < COLUMNS ? p.n - j0 : COLUMNS;

		for (size_t l = 0; l < p.k; l++)
			for (size_t j = 0; j < COLUMNS; j++)
				b[l * COLUMNS + j] = j < m ? p.b.at(l, j0 + j) : 0;
		for (size_t i = 0; i < p.rows; i++) {
			float sum[COLUMNS] = {};

			for (size_t l = 0; l < p.k; l++)
				a[l] = p.a.at(i, l);
			for (size_t l = 0; l < p.k; l++)
				for (size_t j = 0; j < COLUMNS; j++)
					sum[j] += a[l] * b[l * COLUMNS + j];
			for (size_t j = 0; j < m; j++)
				put(p, i, j0 + j,
						beta != 0 ? alpha * sum[j] + beta * p.c.at(i, j0 + j)
							  : alpha * sum[j]);
		}
	}
}

int lk_cuda_products_open(struct lk_queue *q)
{
	q->products = nullptr;
	return 0;
}

void lk_cuda_products_close(struct lk_queue *q)
{
	(void)q;
}

size_t lk_cuda_choices(const struct lk_queue *q, char *text, size_t size)
{
	(void)q;
	return (size_t)snprintf(text, size, "products by plain loops\n");
}

static int check_ld(struct lk_queue *q, char name, size_t *ld, size_t columns)
{
	if (*ld == 0)
		*ld = columns;
	return *ld >= columns ? 0
			      : lk_cuda_fail(q, "gemm: leading dimension %zu of %c, below %zu", *ld,
						name, columns);
}

/* Fill in the defaults of g. */
static int check(struct lk_queue *q, struct lk_gemm *g)
{
	const struct lk_packed_weight *w = g->packed;

	if (g->row1 == 0) {
		g->row0 = 0;
		g->row1 = g->m;
	}
	if (w && (w->n != (g->tb ? g->n : g->k) || w->k != (g->tb ? g->k : g->n)))
		return lk_cuda_fail(q, "gemm: the packed weight is %zu x %zu", w->n, w->k);
	if (w)
		g->ldb = w->ld;
	if (g->ab_type > LK_REAL || g->cd_type > LK_REAL)
		return lk_cuda_fail(q, "gemm: types %d and %d", (int)g->ab_type, (int)g->cd_type);
	if (q->act == LK_BF16 && g->ab_type == LK_REAL && g->cd_type == LK_ACT)
		return lk_cuda_fail(q, "gemm: no product of fp32 matrices in bf16");
	if (g->row0 > g->row1 || g->row1 > g->m)
		return lk_cuda_fail(q, "gemm: rows %zu to %zu of %zu", g->row0, g->row1, g->m);
	return check_ld(q, 'A', &g->lda, g->ta ? g->m : g->k) < 0 ||
					check_ld(q, 'B', &g->ldb, g->tb ? g->k : g->n) < 0 ||
					check_ld(q, 'C', &g->ldc, g->n) < 0 ||
					check_ld(q, 'D', &g->ldd, g->n) < 0
			? -1
			: 0;
}

/* Nothing is read beyond the matrices: checked where they begin and end. */
static int check_memory(struct lk_queue *q, const char *name, const void *p, size_t rows, size_t ld,
		size_t columns, size_t size)
{
	size_t last = rows == 0 || columns == 0 ? 0 : (rows - 1) * ld + columns;

	if (last == 0 || emu_owns(p, last * size))
		return 0;
	return lk_cuda_fail(q, "gemm: %s is not in device memory", name);
}

int lk_cuda_gemm(struct lk_queue *q, const struct lk_gemm *given, void *D, const void *A,
		const void *B, const void *C)
{
	struct lk_gemm g = *given;
	bool ab16, cd16;
	product p;
	size_t ab, cd;
	int go;

	if (check(q, &g) < 0)
		return -1;
	go = lk_cuda_begin(q, SPACE, 1);
	if (go <= 0)
		return go;
	if (!C && g.beta != 0)
		return lk_cuda_fail(q, "gemm: beta is %g, but there is no C", g.beta);
	ab16 = q->act == LK_BF16 && g.ab_type == LK_ACT;
	cd16 = q->act == LK_BF16 && g.cd_type == LK_ACT;
	ab = ab16 ? 2 : 4;
	cd = cd16 ? 2 : 4;
	p.a = { A, g.ta ? 1 : g.lda, g.ta ? g.lda : 1, ab16 };
	p.b = { g.packed ? g.packed->w : B, g.tb ? 1 : g.ldb, g.tb ? g.ldb : 1, ab16 };
	p.rows = g.row1 - g.row0;
	p.n = g.n;
	p.k = g.k;
	p.ldd = g.ldd;
	p.alpha = (float)g.alpha;
	p.beta = (float)g.beta;
	p.factors = g.a_scale || g.b_scale ? static_cast<float *>(q->work) : nullptr;
	p.d = static_cast<char *>(D) + g.row0 * g.ldd * cd;
	p.c = { C ? static_cast<const char *>(C) + g.row0 * g.ldc * cd : nullptr, g.ldc, 1, cd16 };
	p.a.p = static_cast<const char *>(A) + g.row0 * p.a.down * ab;
	if (p.rows > 0 && g.n > 0 && g.k == 0) {
		if (lk_cuda_gemm_empty(q, p.d, p.c.p, cd16, p.rows, g.n, g.ldd, g.ldc, g.beta) < 0)
			return -1;
	} else if (p.rows > 0 && g.n > 0) {
		if (check_memory(q, "B", p.b.p, g.tb ? g.n : g.k, g.ldb, g.tb ? g.k : g.n, ab) <
						0 ||
				check_memory(q, "A", p.a.p, g.ta ? g.k : p.rows, g.lda,
						g.ta ? p.rows : g.k, ab) < 0 ||
				check_memory(q, "D", p.d, p.rows, g.ldd, g.n, cd) < 0)
			return -1;
		if (p.factors &&
				lk_cuda_gemm_scale(q, static_cast<float *>(q->work), g.alpha,
						g.beta, g.a_scale, g.b_scale) < 0)
			return -1;
		emu_enqueue(q->stream, [p]() { multiply(p); });
	}
	if (!g.d_amax)
		return 0;
	return lk_cuda_gemm_amax(
			q, g.d_amax, static_cast<float *>(q->work), p.d, cd16, p.rows, g.n, g.ldd);
}

int lk_cuda_pack(struct lk_queue *q, struct lk_packed_weight **p, const lk_act *w, size_t n,
		size_t k, size_t ld)
{
	if (ld == 0)
		ld = k;
	if (ld < k)
		return lk_cuda_fail(q, "pack: leading dimension %zu, below %zu", ld, k);
	if (*p && ((*p)->n != n || (*p)->k != k))
		return lk_cuda_fail(q, "pack: the packed weight is %zu x %zu", (*p)->n, (*p)->k);
	if (!*p)
		*p = new lk_packed_weight;
	**p = { w, n, k, ld };
	return 0;
}

void lk_cuda_pack_free(struct lk_queue *q, struct lk_packed_weight *p)
{
	(void)q;
	delete p;
}

uint64_t lk_cuda_pack_bytes(size_t n, size_t k)
{
	(void)n, (void)k;
	return 0;
}
