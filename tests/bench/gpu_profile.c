/* bench_gpu: a table of operations that waits after each and adds up its time by kind. */
#include <string.h>

#include "tests/bench/gpu.h"

enum kind { PRODUCTS, ATTENTION, NORMS, ROPE, SWIGLU, LOSS, EMBED, UPDATE, SUMS, REST };

static const char *const names[PROFILE_KINDS] = { "products", "attention", "rmsnorm", "rope",
	"swiglu", "cross entropy", "embedding", "adamw", "sums, norm, clip",
	"copies, zeros, adds" };

/* A table has no place for context: this program has one profile. */
static const struct lk_ops *real;
static struct lk_ops table;
static double seconds[PROFILE_KINDS];
static uint64_t calls[PROFILE_KINDS];

/* Before the call all work before it is done. */
static double begin(struct lk_queue *q)
{
	(void)real->sync(q);
	return now();
}

static int end(struct lk_queue *q, enum kind kind, double start, int rc)
{
	if (rc == 0)
		rc = real->sync(q);
	seconds[kind] += now() - start;
	calls[kind]++;
	return rc;
}

#define ARGS(...) __VA_ARGS__
#define TIMED(kind, op, parameters, arguments)                           \
	static int timed_##op(struct lk_queue *q, ARGS parameters)       \
	{                                                                \
		double start = begin(q);                                 \
                                                                         \
		return end(q, kind, start, real->op(q, ARGS arguments)); \
	}

TIMED(REST, zero, (void *p, size_t n), (p, n))
TIMED(REST, copy, (void *d, const void *s, size_t n, enum lk_copy how), (d, s, n, how))
TIMED(REST, to_act, (lk_act * y, const lk_real *x, size_t n), (y, x, n))
TIMED(REST, add, (lk_act * y, const lk_act *a, const lk_act *b, size_t n), (y, a, b, n))
TIMED(EMBED, embed,
		(lk_act * y, const lk_act *w, const uint32_t *ids, size_t rows, size_t n, size_t v0,
				size_t v),
		(y, w, ids, rows, n, v0, v))
TIMED(EMBED, embed_back,
		(lk_real * dw, const lk_act *dy, const struct lk_ids *ids, size_t n, size_t v0,
				size_t v, int add),
		(dw, dy, ids, n, v0, v, add))
TIMED(NORMS, rmsnorm,
		(lk_act * y, lk_real *rstd, lk_act *sum, const lk_act *x, const lk_act *res,
				const lk_real *w, size_t rows, size_t n, double eps),
		(y, rstd, sum, x, res, w, rows, n, eps))
TIMED(NORMS, rmsnorm_again,
		(lk_act * y, const lk_act *x, const lk_real *w, const lk_real *rstd, size_t rows,
				size_t n),
		(y, x, w, rstd, rows, n))
TIMED(NORMS, rmsnorm_back,
		(lk_act * dx, lk_real *dw, const lk_act *dy, const lk_act *dres, const lk_act *x,
				const lk_real *w, const lk_real *rstd, size_t rows, size_t n,
				int add),
		(dx, dw, dy, dres, x, w, rstd, rows, n, add))
TIMED(ROPE, rope,
		(lk_act * x, const lk_real *t, const uint32_t *pos, size_t seq, size_t rows,
				size_t heads, size_t dim, size_t ld, int inverse),
		(x, t, pos, seq, rows, heads, dim, ld, inverse))
TIMED(ATTENTION, attention,
		(const struct lk_attn *at, lk_act *O, lk_real *lse, const lk_act *Q,
				const lk_act *K, const lk_act *V),
		(at, O, lse, Q, K, V))
TIMED(ATTENTION, attention_back,
		(const struct lk_attn *at, lk_act *dQ, lk_act *dK, lk_act *dV, const lk_act *dO,
				const lk_act *O, const lk_real *lse, const lk_act *Q,
				const lk_act *K, const lk_act *V),
		(at, dQ, dK, dV, dO, O, lse, Q, K, V))
TIMED(SWIGLU, swiglu, (lk_act * y, const lk_act *gu, size_t rows, size_t f), (y, gu, rows, f))
TIMED(SWIGLU, swiglu_back,
		(lk_act * dgu, lk_act *y, const lk_act *dy, const lk_act *gu, size_t rows,
				size_t f),
		(dgu, y, dy, gu, rows, f))
TIMED(LOSS, cross_entropy,
		(lk_real * logp, lk_act *dx, const lk_real *x, const uint32_t *label,
				const lk_real *weight, size_t rows, size_t v, size_t ld),
		(logp, dx, x, label, weight, rows, v, ld))
TIMED(PRODUCTS, gemm,
		(const struct lk_gemm *g, void *D, const void *A, const void *B, const void *C),
		(g, D, A, B, C))
TIMED(SUMS, sum, (double *out, const double *x, size_t n), (out, x, n))
TIMED(SUMS, loss, (double *out, const lk_real *logp, const lk_real *weight, size_t n),
		(out, logp, weight, n))
TIMED(SUMS, sqnorm, (double *sums, const lk_real *x, size_t n), (sums, x, n))
TIMED(SUMS, clip, (struct lk_step * step, double most), (step, most))
TIMED(SUMS, accumulate, (lk_real * y, const lk_real *x, size_t n), (y, x, n))
TIMED(SUMS, lane_sum, (lk_real * x, size_t lanes, size_t stride, size_t n, double *sums),
		(x, lanes, stride, n, sums))
TIMED(UPDATE, adamw,
		(lk_real * p, lk_real *m, lk_real *v, const lk_real *g, lk_act *copy, size_t n,
				const struct lk_adamw *h, const struct lk_step *step),
		(p, m, v, g, copy, n, h, step))

TIMED(SUMS, low_accumulate,
		(uint16_t * g, const lk_real *x, size_t n, int add, const struct lk_dither *d,
				const struct lk_step *step),
		(g, x, n, add, d, step))
TIMED(SUMS, low_sqnorm, (double *sums, const uint16_t *g, size_t n), (sums, g, n))
TIMED(UPDATE, low_adamw,
		(uint16_t * hi, uint16_t *lo, uint16_t *m, uint16_t *v, const uint16_t *g, size_t n,
				const struct lk_adamw *h, const struct lk_dither *d,
				const struct lk_step *step),
		(hi, lo, m, v, g, n, h, d, step))

const struct lk_ops *profile_ops(const struct lk_ops *ops)
{
	real = ops;
	table = *ops;
	table.zero = timed_zero, table.copy = timed_copy, table.to_act = timed_to_act;
	table.add = timed_add, table.embed = timed_embed, table.embed_back = timed_embed_back;
	table.rmsnorm = timed_rmsnorm, table.rmsnorm_again = timed_rmsnorm_again;
	table.rmsnorm_back = timed_rmsnorm_back, table.rope = timed_rope;
	table.attention = timed_attention, table.attention_back = timed_attention_back;
	table.swiglu = timed_swiglu, table.swiglu_back = timed_swiglu_back;
	table.cross_entropy = timed_cross_entropy, table.gemm = timed_gemm, table.sum = timed_sum;
	table.loss = timed_loss, table.sqnorm = timed_sqnorm, table.clip = timed_clip;
	table.accumulate = timed_accumulate, table.lane_sum = timed_lane_sum;
	table.adamw = timed_adamw, table.low_adamw = timed_low_adamw;
	table.low_accumulate = timed_low_accumulate, table.low_sqnorm = timed_low_sqnorm;
	return &table;
}

void profile_clear(void)
{
	memset(seconds, 0, sizeof(seconds));
	memset(calls, 0, sizeof(calls));
}

double profile_seconds(size_t kind, const char **name, uint64_t *n)
{
	*name = names[kind];
	*n = calls[kind];
	return seconds[kind];
}
