/*
 * Matrix products by cuBLASLt.
 *
 * cuBLASLt's matrices are column-major, and a row-major matrix is its own transpose there: the
 * product D = op(A) op(B) is computed as D' = op(B)' op(A)', with our B first. Accumulation is in
 * float; operands of float are multiplied as such, never rounded to TF32.
 *
 * A PLAN is what a shape, its types and its alignment need: descriptors, layouts and one algorithm,
 * the first that cuBLASLt's heuristic names and that keeps the sum over k in one piece (split-K adds
 * parts in the order in which they are ready, or through work space). It is made once for a queue and
 * used from then on, so that a product has the same bits every time; lk_cuda_choices() lists them. The
 * heuristic depends on the version of cuBLASLt, on the card and on the alignment, up to 16 bytes, of
 * pointers and rows: products whose operands are aligned otherwise may have other bits, as may a range
 * of rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cublasLt.h>

#include "kernels/cuda/attention_cudnn.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/library.h"

#define BUCKETS 256
#define CANDIDATES 16
#define SCALARS ((size_t)256) /* bytes of alpha and beta in the work space */
#define MIB ((size_t)1 << 20)

/* The functions in use, as "make a pointer of it". */
#define LT_FUNCTIONS(X)                 \
	X(Create)                       \
	X(Destroy)                      \
	X(GetVersion)                   \
	X(GetStatusString)              \
	X(MatmulDescCreate)             \
	X(MatmulDescDestroy)            \
	X(MatmulDescSetAttribute)       \
	X(MatrixLayoutCreate)           \
	X(MatrixLayoutDestroy)          \
	X(MatmulPreferenceCreate)       \
	X(MatmulPreferenceDestroy)      \
	X(MatmulPreferenceSetAttribute) \
	X(MatmulAlgoGetHeuristic)       \
	X(MatmulAlgoConfigGetAttribute) \
	X(Matmul)

struct functions {
#define LT_MEMBER(f) __typeof__(&cublasLt##f) f;
	LT_FUNCTIONS(LT_MEMBER)
#undef LT_MEMBER
};

/* All that a plan depends on; compared byte by byte. */
struct key {
	size_t m, n, k, lda, ldb, ldc, ldd;
	uint8_t ta, tb, ab16, cd16, scaled, align, unused[2];
};

struct plan {
	struct key key;
	struct plan *next, *later; /* in the bucket; in the order in which they were made */
	cublasLtMatmulDesc_t desc;
	cublasLtMatrixLayout_t a, b, c, d;
	cublasLtMatmulHeuristicResult_t chosen;
};

struct lk_cuda_products {
	void *library;
	struct functions lt;
	cublasLtHandle_t handle;
	size_t space; /* bytes that an algorithm may use */
	struct plan *bucket[BUCKETS], *first, **last;
};

/* Nothing is gained by another layout here: the weight itself. */
struct lk_packed_weight {
	const lk_act *w;
	size_t n, k, ld;
};

/* --- the library ------------------------------------------------------------------------------- */

static int failed(struct lk_queue *q, cublasStatus_t s, const char *what)
{
	const struct lk_cuda_products *p = q->products;

	if (s == CUBLAS_STATUS_SUCCESS)
		return 0;
	return lk_cuda_fail(q, "gemm: %s: cuBLASLt: %s", what, p->lt.GetStatusString(s));
}

int lk_cuda_products_open(struct lk_queue *q)
{
	static const char *const names[] = { "libcublasLt.so.13", "libcublasLt.so.12", NULL };
	struct lk_cuda_products *p = calloc(1, sizeof(*p));
	struct lk_symbol symbols[] = {
#define LT_SYMBOL(f) { "cublasLt" #f, &p->lt.f },
		LT_FUNCTIONS(LT_SYMBOL)
#undef LT_SYMBOL
	};
	int major;

	if (!p)
		return lk_cuda_fail(q, "cannot allocate the state of products");
	p->last = &p->first;
	p->library = lk_load(names + (CUBLAS_VERSION < 130000), symbols,
			sizeof(symbols) / sizeof(symbols[0]), &q->err);
	if (!p->library ||
			lk_cuda_check(q,
					cudaDeviceGetAttribute(&major,
							cudaDevAttrComputeCapabilityMajor,
							q->device),
					"products") < 0) {
		lk_unload(p->library);
		free(p);
		return -1;
	}
	/* What NVIDIA's guide names for Hopper and for the processors before it. */
	p->space = (major >= 9 ? 32 : 4) * MIB;
	q->products = p;
	return 0;
}

static void plan_free(const struct functions *lt, struct plan *plan)
{
	if (plan->desc)
		(void)lt->MatmulDescDestroy(plan->desc);
	if (plan->a)
		(void)lt->MatrixLayoutDestroy(plan->a);
	if (plan->b)
		(void)lt->MatrixLayoutDestroy(plan->b);
	if (plan->c)
		(void)lt->MatrixLayoutDestroy(plan->c);
	if (plan->d)
		(void)lt->MatrixLayoutDestroy(plan->d);
	free(plan);
}

void lk_cuda_products_close(struct lk_queue *q)
{
	struct lk_cuda_products *p = q->products;
	struct plan *next;

	if (!p)
		return;
	for (struct plan *plan = p->first; plan; plan = next) {
		next = plan->later;
		plan_free(&p->lt, plan);
	}
	if (p->handle)
		(void)p->lt.Destroy(p->handle);
	lk_unload(p->library);
	free(p);
	q->products = NULL;
}

/* --- plans ------------------------------------------------------------------------------------- */

static int describe(struct lk_queue *q, struct plan *plan)
{
	const struct functions *lt = &q->products->lt;
	const struct key *k = &plan->key;
	cublasOperation_t first = k->tb ? CUBLAS_OP_T : CUBLAS_OP_N,
			  second = k->ta ? CUBLAS_OP_T : CUBLAS_OP_N;
	int32_t mode = k->scaled ? CUBLASLT_POINTER_MODE_DEVICE : CUBLASLT_POINTER_MODE_HOST;
	cudaDataType_t ab = k->ab16 ? CUDA_R_16BF : CUDA_R_32F,
		       cd = k->cd16 ? CUDA_R_16BF : CUDA_R_32F;
	cublasStatus_t s = lt->MatmulDescCreate(&plan->desc, CUBLAS_COMPUTE_32F, CUDA_R_32F);

	if (!s)
		s = lt->MatmulDescSetAttribute(
				plan->desc, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof(first));
	if (!s)
		s = lt->MatmulDescSetAttribute(
				plan->desc, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof(second));
	if (!s)
		s = lt->MatmulDescSetAttribute(
				plan->desc, CUBLASLT_MATMUL_DESC_POINTER_MODE, &mode, sizeof(mode));
	if (!s)
		s = lt->MatrixLayoutCreate(&plan->b, ab, k->tb ? k->k : k->n, k->tb ? k->n : k->k,
				(int64_t)k->ldb);
	if (!s)
		s = lt->MatrixLayoutCreate(&plan->a, ab, k->ta ? k->m : k->k, k->ta ? k->k : k->m,
				(int64_t)k->lda);
	if (!s)
		s = lt->MatrixLayoutCreate(&plan->c, cd, k->n, k->m, (int64_t)k->ldc);
	if (!s)
		s = lt->MatrixLayoutCreate(&plan->d, cd, k->n, k->m, (int64_t)k->ldd);
	return failed(q, s, "description");
}

/* An attribute of an algorithm, 0 if it has none. */
static uint32_t attribute(const struct lk_cuda_products *p, const struct plan *plan,
		cublasLtMatmulAlgoConfigAttributes_t which)
{
	uint32_t value = 0;
	size_t written;

	/* Identifiers of two bytes leave the upper half 0. */
	if (p->lt.MatmulAlgoConfigGetAttribute(&plan->chosen.algo, which, &value, sizeof(value),
			    &written) != CUBLAS_STATUS_SUCCESS)
		(void)p->lt.MatmulAlgoConfigGetAttribute(
				&plan->chosen.algo, which, &value, sizeof(uint16_t), &written);
	return value;
}

/* Wishes: no reduction over parts of k, at most `space` bytes, the alignment that there is. */
static cublasStatus_t wish(
		const struct lk_cuda_products *p, cublasLtMatmulPreference_t wishes, uint32_t align)
{
	static const cublasLtMatmulPreferenceAttributes_t of[] = {
		CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
		CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
		CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
		CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES
	};
	uint32_t none = CUBLASLT_REDUCTION_SCHEME_NONE;
	uint64_t space = p->space;
	cublasStatus_t s = p->lt.MatmulPreferenceSetAttribute(
			wishes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &space, sizeof(space));

	if (!s)
		s = p->lt.MatmulPreferenceSetAttribute(wishes,
				CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &none, sizeof(none));
	for (size_t i = 0; !s && i < sizeof(of) / sizeof(of[0]); i++)
		s = p->lt.MatmulPreferenceSetAttribute(wishes, of[i], &align, sizeof(align));
	return s;
}

static int choose(struct lk_queue *q, struct plan *plan)
{
	const struct lk_cuda_products *p = q->products;
	cublasLtMatmulHeuristicResult_t found[CANDIDATES];
	cublasLtMatmulPreference_t wishes = NULL;
	int n = 0;
	cublasStatus_t s = p->lt.MatmulPreferenceCreate(&wishes);

	if (!s)
		s = wish(p, wishes, plan->key.align);
	if (!s)
		s = p->lt.MatmulAlgoGetHeuristic(p->handle, plan->desc, plan->b, plan->a, plan->c,
				plan->d, wishes, CANDIDATES, found, &n);
	if (wishes)
		(void)p->lt.MatmulPreferenceDestroy(wishes);
	for (int i = 0; !s && i < n; i++) {
		plan->chosen = found[i];
		if (found[i].state == CUBLAS_STATUS_SUCCESS && found[i].workspaceSize <= p->space &&
				attribute(p, plan, CUBLASLT_ALGO_CONFIG_SPLITK_NUM) <= 1)
			return 0;
	}
	return lk_cuda_fail(q,
			"gemm: cuBLASLt has no algorithm for %zu x %zu x %zu (transposed %d and "
			"%d, rows "
			"of %zu, %zu and %zu elements, aligned to %d bytes): %s",
			plan->key.m, plan->key.n, plan->key.k, plan->key.ta, plan->key.tb,
			plan->key.lda, plan->key.ldb, plan->key.ldd, plan->key.align,
			p->lt.GetStatusString(s ? s : CUBLAS_STATUS_NOT_SUPPORTED));
}

static size_t hash(const struct key *key)
{
	const unsigned char *x = (const unsigned char *)key;
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a (Fowler, Noll, Vo 1991) */

	for (size_t i = 0; i < sizeof(*key); i++)
		h = (h ^ x[i]) * 0x100000001b3;
	return (h ^ h >> 32) % BUCKETS;
}

/* The plan of a key, made if it is new; NULL on failure. */
static struct plan *plan_of(struct lk_queue *q, const struct key *key)
{
	struct lk_cuda_products *p = q->products;
	struct plan **bucket = &p->bucket[hash(key)], *plan;

	for (plan = *bucket; plan; plan = plan->next)
		if (memcmp(&plan->key, key, sizeof(*key)) == 0)
			return plan;
	if (!p->handle && failed(q, p->lt.Create(&p->handle), "start") < 0) {
		p->handle = NULL;
		return NULL;
	}
	plan = calloc(1, sizeof(*plan));
	if (!plan) {
		(void)lk_cuda_fail(q, "gemm: cannot allocate a plan");
		return NULL;
	}
	plan->key = *key;
	if (describe(q, plan) < 0 || choose(q, plan) < 0) {
		plan_free(&p->lt, plan);
		return NULL;
	}
	plan->next = *bucket;
	*bucket = plan;
	*p->last = plan;
	p->last = &plan->later;
	return plan;
}

size_t lk_cuda_choices(const struct lk_queue *q, char *text, size_t size)
{
	const struct lk_cuda_products *p = q->products;
	size_t n = lk_cudnn_choices(q, text, size);
	int put;

	for (const struct plan *plan = p ? p->first : NULL; plan; plan = plan->later) {
		const struct key *k = &plan->key;

		put = snprintf(n < size ? text + n : NULL, n < size ? size - n : 0,
				"product %zu x %zu x %zu %c%c %s to %s%s, aligned to %d: cuBLASLt "
				"%zu algorithm %u tile %u stages %u cluster %u, %zu bytes\n",
				k->m, k->n, k->k, k->ta ? 't' : 'n', k->tb ? 't' : 'n',
				k->ab16 ? "bf16" : "fp32", k->cd16 ? "bf16" : "fp32",
				k->scaled ? " scaled" : "", k->align, p->lt.GetVersion(),
				attribute(p, plan, CUBLASLT_ALGO_CONFIG_ID),
				attribute(p, plan, CUBLASLT_ALGO_CONFIG_TILE_ID),
				attribute(p, plan, CUBLASLT_ALGO_CONFIG_STAGES_ID),
				attribute(p, plan, CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID),
				plan->chosen.workspaceSize);
		n += put > 0 ? (size_t)put : 0;
	}
	return n;
}

/* --- the operation ----------------------------------------------------------------------------- */

/* A product with its defaults filled in, on the rows of its range. */
struct product {
	struct lk_gemm g;
	int ab16, cd16;
	size_t rows;
	const char *a, *b, *c;
	char *d;
};

static int bad_ld(struct lk_queue *q, const char *operand, size_t ld, size_t columns)
{
	return lk_cuda_fail(q, "gemm: leading dimension %zu of %s is less than its %zu columns", ld,
			operand, columns);
}

static int resolve(struct lk_queue *q, struct product *p, const struct lk_gemm *g)
{
	const struct lk_packed_weight *w = g->packed;
	size_t acols = g->ta ? g->m : g->k, bcols = g->tb ? g->k : g->n;
	size_t brows = g->tb ? g->n : g->k;

	p->g = *g;
	p->g.lda = g->lda ? g->lda : acols;
	p->g.ldb = w ? w->ld : g->ldb ? g->ldb : bcols;
	p->g.ldc = g->ldc ? g->ldc : g->n;
	p->g.ldd = g->ldd ? g->ldd : g->n;
	p->g.row0 = g->row1 ? g->row0 : 0;
	p->g.row1 = g->row1 ? g->row1 : g->m;
	p->rows = p->g.row1 - p->g.row0;
	p->ab16 = g->ab_type == LK_ACT && q->act == LK_BF16;
	p->cd16 = g->cd_type == LK_ACT && q->act == LK_BF16;
	if (g->ab_type > LK_REAL || g->cd_type > LK_REAL)
		return lk_cuda_fail(q, "gemm: an operand's type is neither LK_ACT nor LK_REAL");
	if (w && (w->n != brows || w->k != bcols))
		return lk_cuda_fail(q, "gemm: the packed weight is %zu x %zu, not %zu x %zu", w->n,
				w->k, brows, bcols);
	if (p->g.lda < acols)
		return bad_ld(q, "A", p->g.lda, acols);
	if (p->g.ldb < bcols)
		return bad_ld(q, "B", p->g.ldb, bcols);
	if (p->g.ldc < g->n)
		return bad_ld(q, "C", p->g.ldc, g->n);
	if (p->g.ldd < g->n)
		return bad_ld(q, "D", p->g.ldd, g->n);
	if (p->g.row0 > p->g.row1 || p->g.row1 > g->m)
		return lk_cuda_fail(q, "gemm: row range %zu to %zu of %zu rows", p->g.row0,
				p->g.row1, g->m);
	return 0;
}

/* The power of two, up to 16, that divides an address or a number of bytes. */
static size_t alignment(size_t x, size_t most)
{
	while (x % most != 0)
		most /= 2;
	return most;
}

static int multiply(struct lk_queue *q, const struct product *p, void *space)
{
	const struct lk_gemm *g = &p->g;
	const struct functions *lt = &q->products->lt;
	size_t ab = p->ab16 ? 2 : 4, cd = p->cd16 ? 2 : 4, align = 16;
	float alpha = (float)g->alpha, beta = (float)g->beta, *scalars = space;
	/* Without beta C is not read, but must be named. */
	size_t ldc = g->beta != 0 ? g->ldc : g->ldd;
	const char *c = g->beta != 0 ? p->c : p->d;
	struct key key;
	struct plan *plan;
	int scaled = g->a_scale || g->b_scale;

	align = alignment(
			(uintptr_t)p->a | (uintptr_t)p->b | (uintptr_t)c | (uintptr_t)p->d, align);
	align = alignment(g->lda * ab | g->ldb * ab | ldc * cd | g->ldd * cd, align);
	memset(&key, 0, sizeof(key));
	key.m = p->rows, key.n = g->n, key.k = g->k;
	key.lda = g->lda, key.ldb = g->ldb, key.ldc = ldc, key.ldd = g->ldd;
	key.ta = g->ta != 0, key.tb = g->tb != 0;
	key.ab16 = p->ab16 != 0, key.cd16 = p->cd16 != 0, key.scaled = scaled != 0;
	key.align = (uint8_t)align;
	plan = plan_of(q, &key);
	if (!plan)
		return -1;
	if (scaled && lk_cuda_gemm_scale(q, scalars, g->alpha, g->beta, g->a_scale, g->b_scale) < 0)
		return -1;
	return failed(q,
			lt->Matmul(q->products->handle, plan->desc, scaled ? scalars : &alpha, p->b,
					plan->b, p->a, plan->a, scaled ? scalars + 1 : &beta, c,
					plan->c, p->d, plan->d, &plan->chosen.algo,
					(char *)space + SCALARS, plan->chosen.workspaceSize,
					q->stream),
			"product");
}

/* Bytes of D in float, for a product that cuBLASLt does not have: of float matrices in bf16. */
static int by_way(struct lk_queue *q, const struct product *p, size_t *bytes)
{
	*bytes = 0;
	if (p->ab16 || !p->cd16)
		return 0;
	if (__builtin_mul_overflow(p->rows, p->g.n, bytes) ||
			__builtin_mul_overflow(*bytes, sizeof(float), bytes))
		return lk_cuda_fail(q, "gemm: %zu x %zu elements are too many", p->rows, p->g.n);
	*bytes = (*bytes + 255) / 256 * 256;
	return 0;
}

/* The product of a non-empty shape, in `way` bytes of the work space and rounded once, or at once. */
static int compute(struct lk_queue *q, const struct product *p, size_t way)
{
	struct product t = *p;

	if (p->g.k == 0)
		return lk_cuda_gemm_empty(q, p->d, p->c, p->cd16, p->rows, p->g.n, p->g.ldd,
				p->g.ldc, p->g.beta);
	if (way == 0)
		return multiply(q, p, q->work);
	t.cd16 = 0;
	t.d = q->work;
	t.c = NULL;
	t.g.beta = 0;
	t.g.ldc = t.g.ldd = p->g.n;
	if (multiply(q, &t, (char *)q->work + way) < 0)
		return -1;
	return lk_cuda_gemm_join(
			q, p->d, q->work, p->c, 1, p->rows, p->g.n, p->g.ldd, p->g.ldc, p->g.beta);
}

int lk_cuda_gemm(struct lk_queue *q, const struct lk_gemm *g, void *D, const void *A, const void *B,
		const void *C)
{
	struct product p;
	size_t ab, cd, way;
	int go, rc = 0;

	if (resolve(q, &p, g) < 0 || by_way(q, &p, &way) < 0)
		return -1;
	go = lk_cuda_begin(q, way + SCALARS + q->products->space, 1);
	if (go <= 0)
		return go;
	if (!C && g->beta != 0)
		return lk_cuda_fail(q, "gemm: C is NULL although beta is not 0");
	ab = p.ab16 ? 2 : 4;
	cd = p.cd16 ? 2 : 4;
	p.a = (const char *)A + p.g.row0 * (g->ta ? 1 : p.g.lda) * ab;
	p.b = g->packed ? g->packed->w : B;
	p.c = C ? (const char *)C + p.g.row0 * p.g.ldc * cd : NULL;
	p.d = (char *)D + p.g.row0 * p.g.ldd * cd;
	if (p.rows > 0 && g->n > 0)
		rc = compute(q, &p, way);
	if (rc == 0 && g->d_amax)
		rc = lk_cuda_gemm_amax(q, g->d_amax, q->work, p.d, p.cd16, p.rows, g->n, p.g.ldd);
	return rc;
}

/* --- packed weights ---------------------------------------------------------------------------- */

int lk_cuda_pack(struct lk_queue *q, struct lk_packed_weight **p, const lk_act *w, size_t n,
		size_t k, size_t ld)
{
	struct lk_packed_weight *h = *p;

	if (ld != 0 && ld < k)
		return lk_cuda_fail(q, "pack: leading dimension %zu is less than %zu", ld, k);
	if (h && (h->n != n || h->k != k))
		return lk_cuda_fail(q, "pack: the packed weight is %zu x %zu, not %zu x %zu", h->n,
				h->k, n, k);
	if (!h)
		h = calloc(1, sizeof(*h));
	if (!h)
		return lk_cuda_fail(q, "pack: cannot allocate a packed weight");
	*h = (struct lk_packed_weight){ w, n, k, ld ? ld : k };
	*p = h;
	return 0;
}

void lk_cuda_pack_free(struct lk_queue *q, struct lk_packed_weight *p)
{
	(void)q;
	free(p);
}

uint64_t lk_cuda_pack_bytes(size_t n, size_t k)
{
	(void)n;
	(void)k;
	return 0;
}
