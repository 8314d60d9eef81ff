/*
 * gemm.c: matrix product.  A and B are cut in blocks of KC along k and packed in panels (Goto and
 * van de Geijn 2008); tiles of MC x NC elements of D are then independent.  Element (i, j) of D is
 *	sum over blocks of alpha * (chain of multiply-adds in the block), after beta * C,
 * an order fixed by k alone: not by m, n, the tiles or the threads.
 */
#include <omp.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro.h"

/*
 * Measured on Zen 3: 512 x 16 of B fill the 32 KiB of the first cache and are read for each 6 rows
 * of A; 48 rows of A are 96 KiB of the second cache.  96 rows, or 256 along k, cost 5 to 10 %.
 */
#define GEMM_KC (LK_VEC_BYTES == 64 ? 384 : 512)
#define GEMM_MC (LK_MR * (52 / LK_MR)) /* rows of a tile */
#define GEMM_NC (LK_NR * 16)	       /* columns of a tile */
#define GEMM_MP (GEMM_MC * 48)	       /* rows packed at once */
#define GEMM_NP (GEMM_NC * 8)	       /* columns packed at once */

/* operands as strides: element (i, k) of op(A) at a[i * am + k * ak], likewise b */
struct gemm_run {
	const lk_real *a, *b, *c;
	lk_real *d;
	size_t am, ak, bn, bk, ldc, ldd;
	size_t m, n, k;
	lk_real alpha, beta;
	lk_real *pa, *pb;    /* packed panels */
	const lk_real *prep; /* all of B packed, or NULL */
};

static void gemm_pack_a(const struct gemm_run *r, size_t i0, size_t m, size_t k0, size_t k)
{
	size_t panels = lk_blocks(m, LK_MR);

#pragma omp parallel for schedule(static)
	for (size_t p = 0; p < panels; p++) {
		size_t i = p * LK_MR, rows = m - i < LK_MR ? m - i : LK_MR;

		micro_pack(r->pa + p * LK_MR * k, r->a + (i0 + i) * r->am + k0 * r->ak, r->am,
			r->ak, rows, k, LK_MR, 1);
	}
}

static void gemm_pack_b(
	const struct gemm_run *r, lk_real *to, size_t j0, size_t n, size_t k0, size_t k)
{
	size_t panels = lk_blocks(n, LK_NR);

#pragma omp parallel for schedule(static)
	for (size_t p = 0; p < panels; p++) {
		size_t j = p * LK_NR, cols = n - j < LK_NR ? n - j : LK_NR;

		micro_pack(to + p * LK_NR * k, r->b + (j0 + j) * r->bn + k0 * r->bk, r->bn, r->bk,
			cols, k, LK_NR, 1);
	}
}

/* D = beta C + alpha acc, rows x cols of it; C is D from the second block of k on */
LK_INLINE void gemm_put(const struct gemm_run *r, const struct lk_acc *acc, size_t i, size_t j,
	size_t rows, size_t cols, int first)
{
	const lk_real *c = first ? r->c : r->d;
	lk_real beta = first ? r->beta : 1, tmp[LK_MR * LK_NR];
	size_t ldc = first ? r->ldc : r->ldd;

	if (rows == LK_MR && cols == LK_NR) {
#pragma GCC unroll 16
		for (size_t x = 0; x < LK_MR; x++) {
			lk_real *d = r->d + (i + x) * r->ldd + j;
			lk_vec s0 = acc->v[x][0] * r->alpha, s1 = acc->v[x][1] * r->alpha;

			if (beta != 0) {
				const lk_real *o = c + (i + x) * ldc + j;

				s0 += v_load(o) * beta;
				s1 += v_load(o + LK_W) * beta;
			}
			v_store(d, s0);
			v_store(d + LK_W, s1);
		}
		return;
	}
	micro_store(acc, tmp, LK_NR);
	for (size_t x = 0; x < rows; x++)
		for (size_t y = 0; y < cols; y++) {
			lk_real s = tmp[x * LK_NR + y] * r->alpha;

			if (beta != 0)
				s += c[(i + x) * ldc + j + y] * beta;
			r->d[(i + x) * r->ldd + j + y] = s;
		}
}

/* One tile: rows i..i+m of the packed A at pa, columns j..j+n of the packed B at pb. */
static void gemm_tile(const struct gemm_run *r, const lk_real *pa, const lk_real *pb, size_t i,
	size_t m, size_t j, size_t n, size_t k, int first)
{
	for (size_t y = 0; y < n; y += LK_NR)
		for (size_t x = 0; x < m; x += LK_MR) {
			size_t rows = m - x < LK_MR ? m - x : LK_MR;
			struct lk_acc acc;

			for (size_t z = 0; z < rows; z++)
				__builtin_prefetch(r->d + (i + x + z) * r->ldd + j + y, 1);
			micro_zero(&acc);
			micro_packed(&acc, pa + x * k, pb + y * k, k);
			gemm_put(r, &acc, i + x, j + y, rows, n - y < LK_NR ? n - y : LK_NR, first);
		}
}

static void gemm_block(const struct gemm_run *r, const lk_real *pb, size_t i0, size_t m, size_t j0,
	size_t n, size_t k, int first)
{
	size_t mt = lk_blocks(m, GEMM_MC), nt = lk_blocks(n, GEMM_NC);

#pragma omp parallel for schedule(dynamic, 1)
	for (size_t t = 0; t < mt * nt; t++) {
		size_t i = t / nt * GEMM_MC, j = t % nt * GEMM_NC;
		size_t rows = m - i < GEMM_MC ? m - i : GEMM_MC;
		size_t cols = n - j < GEMM_NC ? n - j : GEMM_NC;

		gemm_tile(r, r->pa + i * k, pb + j * k, i0 + i, rows, j0 + j, cols, k, first);
	}
}

/* beta C alone */
static void gemm_empty(const struct gemm_run *r)
{
	for (size_t i = 0; i < r->m; i++)
		for (size_t j = 0; j < r->n; j++)
			r->d[i * r->ldd + j] = r->beta == 0 ? 0 : r->c[i * r->ldc + j] * r->beta;
}

static int gemm_go(struct lk_queue *q, struct gemm_run *r)
{
	size_t kc = r->k < GEMM_KC ? r->k : GEMM_KC;
	size_t mp = r->m < GEMM_MP ? lk_blocks(r->m, LK_MR) * LK_MR : GEMM_MP;
	size_t np = r->n < GEMM_NP ? lk_blocks(r->n, LK_NR) * LK_NR : GEMM_NP;

	if (r->k == 0) {
		gemm_empty(r);
		return 0;
	}
	r->pb = lk_cpu_scratch(q, (mp + (r->prep == NULL ? np : 0)) * kc, sizeof(lk_real));
	if (r->pb == NULL)
		return -1;
	r->pa = r->pb + (r->prep == NULL ? np * kc : 0);
	for (size_t j = 0; j < r->n; j += np) {
		size_t n = r->n - j < np ? r->n - j : np;

		for (size_t l = 0; l < r->k; l += kc) {
			size_t k = r->k - l < kc ? r->k - l : kc;
			const lk_real *pb = r->pb;

			if (r->prep != NULL)
				pb = r->prep + l * lk_blocks(r->n, LK_NR) * LK_NR + j * k;
			else
				gemm_pack_b(r, r->pb, j, n, l, k);
			for (size_t i = 0; i < r->m; i += mp) {
				size_t m = r->m - i < mp ? r->m - i : mp;

				gemm_pack_a(r, i, m, l, k);
				gemm_block(r, pb, i, m, j, n, k, l == 0);
			}
		}
	}
	return 0;
}

static int gemm_bad(struct lk_queue *q, const char *what, size_t ld, size_t cols)
{
	return lk_cpu_fail(
		q, "gemm: leading dimension %zu of %s is below its %zu columns", ld, what, cols);
}

static int op_gemm(struct lk_queue *q, const struct lk_gemm *g, void *D, const void *A,
	const void *B, const void *C)
{
	size_t acols = g->ta ? g->m : g->k, bcols = g->tb ? g->k : g->n;
	size_t lda = g->lda == 0 ? acols : g->lda, ldb = g->ldb == 0 ? bcols : g->ldb;
	size_t ldc = g->ldc == 0 ? g->n : g->ldc, ldd = g->ldd == 0 ? g->n : g->ldd;
	size_t row1 = g->row1 == 0 ? g->m : g->row1, row0 = g->row1 == 0 ? 0 : g->row0;
	struct gemm_run r = { .b = B, .alpha = (lk_real)g->alpha, .beta = (lk_real)g->beta };

	if (g->b != NULL) {
		if (g->b->n != (g->tb ? g->n : g->k) || g->b->k != bcols)
			return lk_cpu_fail(
				q, "gemm: the prepared weight is %zu x %zu", g->b->n, g->b->k);
		r.b = g->b->w;
		r.prep = g->tb ? g->b->packed : NULL;
		ldb = g->b->ld;
	}
	if (lda < acols)
		return gemm_bad(q, "A", lda, acols);
	if (ldb < bcols)
		return gemm_bad(q, "B", ldb, bcols);
	if (ldc < g->n)
		return gemm_bad(q, "C", ldc, g->n);
	if (ldd < g->n)
		return gemm_bad(q, "D", ldd, g->n);
	if (row0 > row1 || row1 > g->m)
		return lk_cpu_fail(q, "gemm: rows %zu to %zu of %zu", row0, row1, g->m);
	if (C == NULL && r.beta != 0)
		return lk_cpu_fail(q, "gemm: beta is not 0 and there is no C");
	if (row0 == row1 || g->n == 0)
		return 0;
	r.am = g->ta ? 1 : lda;
	r.ak = g->ta ? lda : 1;
	r.bn = g->tb ? ldb : 1;
	r.bk = g->tb ? 1 : ldb;
	r.a = (const lk_real *)A + row0 * r.am;
	r.c = C == NULL ? NULL : (const lk_real *)C + row0 * ldc;
	r.d = (lk_real *)D + row0 * ldd;
	r.ldc = ldc;
	r.ldd = ldd;
	r.m = row1 - row0;
	r.n = g->n;
	r.k = g->k;
	return gemm_go(q, &r);
}

/* Packs W as operand B of A W^T: blocks of KC along k, in each the panels of all n columns. */
static int op_prepare(
	struct lk_queue *q, struct lk_prep **p, const lk_act *w, size_t n, size_t k, size_t ld)
{
	size_t np = lk_blocks(n, LK_NR) * LK_NR;
	struct gemm_run r = { .b = w, .bn = ld == 0 ? k : ld, .bk = 1 };

	if (lk_cpu_prepare(q, p, w, n, k, ld, np * k) == -1)
		return -1;
	for (size_t l = 0; l < k; l += GEMM_KC)
		gemm_pack_b(&r, (lk_real *)(*p)->packed + l * np, 0, n, l,
			k - l < GEMM_KC ? k - l : GEMM_KC);
	return 0;
}
