#ifndef LUCIE_KERNELS_REF_REF_H
#define LUCIE_KERNELS_REF_REF_H
/*
 * Reference implementations: what each operation of lk.h computes, as plain loops in double, one
 * file per operation. They define the operations for the reader and are the oracle of the tests; no
 * program links them.
 *
 * Arguments are those of lk.h without the queue, with double for lk_real and lk_act, and the ids of
 * the rows for struct lk_ids. Shapes are the caller's responsibility: there are no errors. Outputs
 * must not alias inputs, except where the operation works in place.
 *
 * Whatever the type of the activations, the operations read numbers that it holds, and their results
 * are exact: a backend's differ by one rounding, lk_ref_round(). The sum that rmsnorm stores and then
 * normalises is the one value that is rounded on the way.
 *
 * To add an operation: describe it in lk.h, define it here, write kernels/cpu/<op>.inc, and test
 * the one against the other in tests/kernels/test_<op>.c.
 */
#include "kernels/lk.h"

/* embed.c */
void lk_ref_embed(double *y, const double *w, const uint32_t *ids, size_t rows, size_t n, size_t v0,
		size_t v);
void lk_ref_embed_back(double *dw, const double *dy, const uint32_t *ids, size_t rows, size_t n,
		size_t v0, size_t v, int add);

/* round.c: the nearest number of a type, ties to even. */
double lk_ref_round(double x, enum lk_type type);

/* rmsnorm.c; `sum` is rounded to the type of the activations. */
void lk_ref_rmsnorm(double *y, double *rstd, double *sum, const double *x, const double *res,
		const double *w, size_t rows, size_t n, double eps, enum lk_type act);
void lk_ref_rmsnorm_back(double *dx, double *dw, const double *dy, const double *dres,
		const double *x, const double *w, const double *rstd, size_t rows, size_t n,
		int add);
void lk_ref_rmsnorm_again(double *y, const double *x, const double *w, const double *rstd,
		size_t rows, size_t n);

/* rope.c */
void lk_ref_rope_table(double *table, size_t pos0, size_t npos, size_t dim, const double *freq);
void lk_ref_rope(double *x, const double *table, const uint32_t *pos, size_t seq, size_t rows,
		size_t heads, size_t dim, size_t ld, int inverse);

/* attention.c */
void lk_ref_attention(const struct lk_attn *at, double *O, double *lse, const double *Q,
		const double *K, const double *V);
void lk_ref_attention_back(const struct lk_attn *at, double *dQ, double *dK, double *dV,
		const double *dO, const double *O, const double *lse, const double *Q,
		const double *K, const double *V);
void lk_ref_attn_merge(const struct lk_attn *at, double *O, double *lse, const double *O2,
		const double *lse2);

/* swiglu.c */
void lk_ref_swiglu(double *y, const double *gu, size_t rows, size_t f);
void lk_ref_swiglu_back(
		double *dgu, double *y, const double *dy, const double *gu, size_t rows, size_t f);

/* cross_entropy.c */
void lk_ref_cross_entropy(double *logp, double *dx, const double *x, const uint32_t *label,
		const double *weight, size_t rows, size_t v, size_t ld);
void lk_ref_ce_stats(double *stats, const double *x, const uint32_t *label, size_t rows, size_t v,
		size_t ld, size_t v0);
void lk_ref_ce_merge(double *stats, const double *all, size_t ranks, size_t rows);
void lk_ref_ce_grad(double *logp, double *dx, const double *x, const uint32_t *label,
		const double *weight, const double *stats, size_t rows, size_t v, size_t ld,
		size_t v0);

void lk_ref_dpo(double *out, double *weight, const double *logp, const double *reference,
		const struct lk_dpo *d);
/* All of kl_stats(), kl_merge() and kl_grad(). */
void lk_ref_kl(double *loss_row, double *dx, const double *x, const struct lk_kl *k, size_t rows,
		size_t v, size_t ld);

/* gemm.c */
void lk_ref_gemm(const struct lk_gemm *g, double *D, const double *A, const double *B,
		const double *C);

/* The inner product of two vectors. */
static inline double lk_ref_dot(const double *x, const double *y, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += x[i] * y[i];
	return s;
}

/* sums.c */
double lk_ref_sum(const double *x, size_t n);
double lk_ref_loss(const lk_real *logp, const lk_real *weight, size_t n);
void lk_ref_sqnorm(double *sums, const double *x, size_t n);
void lk_ref_clip(struct lk_step *step, double max_norm);
uint32_t lk_ref_finite(const double *x, size_t n);
/* Defined to the bit, hence over lk_real. */
void lk_ref_accumulate(lk_real *y, const lk_real *x, size_t n);
void lk_ref_lane_sum(lk_real *x, size_t lanes, size_t stride, size_t n);

/* adamw.c */
void lk_ref_adamw(double *p, double *m, double *v, const double *g, size_t n,
		const struct lk_adamw *h, const struct lk_step *step);

/* low.c; defined to the bit */
void lk_ref_low_accumulate(uint16_t *g, const lk_real *x, size_t n, int add,
		const struct lk_dither *d, const struct lk_step *step);
void lk_ref_low_adamw(uint16_t *hi, uint16_t *lo, uint16_t *m, uint16_t *v, const uint16_t *g,
		size_t n, const struct lk_adamw *h, const struct lk_step *step,
		const struct lk_dither *d);

#endif
