/*
 * Causal attention with grouped queries: Vaswani et al., arXiv:1706.03762; Ainslie et al.,
 * arXiv:2305.13245. For a query q at position i of one head, over the keys j <= i of its document:
 *	s_j = q . k_j * scale		p_j = exp(s_j - lse), lse = log sum_j exp(s_j)
 *	o = sum_j p_j v_j
 */
#include <math.h>

#include "kernels/ref/ref.h"

#define MINUS_INFINITY (-(double)INFINITY)

/* The description with its defaults filled in. */
static struct lk_attn resolve(const struct lk_attn *at)
{
	struct lk_attn a = *at;

	a.q_ld = a.q_ld ? a.q_ld : a.heads * a.dim;
	a.k_ld = a.k_ld ? a.k_ld : a.kv_heads * a.dim;
	a.o_ld = a.o_ld ? a.o_ld : a.heads * a.dim;
	a.q_seq = a.q_seq ? a.q_seq : a.tq * a.q_ld;
	a.k_seq = a.k_seq ? a.k_seq : a.tk * a.k_ld;
	a.o_seq = a.o_seq ? a.o_seq : a.tq * a.o_ld;
	a.scale = a.scale != 0 ? a.scale : 1 / sqrt((double)a.dim);
	return a;
}

/* Offsets of query i of head h in sequence b: its rows of Q, K (row 0) and O, and its lse. */
struct offsets {
	size_t q, k, o, lse;
};

static struct offsets offsets(const struct lk_attn *a, size_t b, size_t h, size_t i)
{
	size_t kv_head = h / (a->heads / a->kv_heads);

	return (struct offsets){ .q = b * a->q_seq + i * a->q_ld + h * a->dim,
		.k = b * a->k_seq + kv_head * a->dim,
		.o = b * a->o_seq + i * a->o_ld + h * a->dim,
		.lse = (b * a->heads + h) * a->tq + i };
}

static int visible(const struct lk_attn *a, size_t b, size_t query, size_t key)
{
	size_t q = a->q_pos + query, k = a->k_pos + key;

	return k <= q && (!a->pos || q <= k + a->pos[b * a->tq + query]);
}

static void query_forward(const struct lk_attn *a, size_t b, size_t i, double *o, double *lse,
		const double *q, const double *k, const double *v)
{
	double max = MINUS_INFINITY, sum = 0;

	for (size_t c = 0; c < a->dim; c++)
		o[c] = 0;
	for (size_t j = 0; j < a->tk; j++)
		if (visible(a, b, i, j))
			max = fmax(max, lk_ref_dot(q, k + j * a->k_ld, a->dim) * a->scale);
	for (size_t j = 0; j < a->tk; j++) {
		double e;

		if (!visible(a, b, i, j))
			continue;
		e = exp(lk_ref_dot(q, k + j * a->k_ld, a->dim) * a->scale - max);
		sum += e;
		for (size_t c = 0; c < a->dim; c++)
			o[c] += e * v[j * a->k_ld + c];
	}
	for (size_t c = 0; c < a->dim && sum > 0; c++)
		o[c] /= sum;
	*lse = sum > 0 ? max + log(sum) : MINUS_INFINITY;
}

/*
 * With D = do . o:
 *	dp_j = do . v_j		ds_j = p_j (dp_j - D) scale
 *	dv_j += p_j do		dk_j += ds_j q		dq = sum_j ds_j k_j
 */
static void query_back(const struct lk_attn *a, size_t b, size_t i, double *dq, double *dk,
		double *dv, const double *d, const double *o, double lse, const double *q,
		const double *k, const double *v)
{
	double D = lk_ref_dot(d, o, a->dim);

	for (size_t j = 0; j < a->tk; j++) {
		size_t row = j * a->k_ld;
		double p, ds;

		if (!visible(a, b, i, j))
			continue;
		p = exp(lk_ref_dot(q, k + row, a->dim) * a->scale - lse);
		ds = p * (lk_ref_dot(d, v + row, a->dim) - D) * a->scale;
		for (size_t c = 0; c < a->dim; c++) {
			dv[row + c] += p * d[c];
			dk[row + c] += ds * q[c];
			dq[c] += ds * k[row + c];
		}
	}
}

void lk_ref_attention(const struct lk_attn *at, double *O, double *lse, const double *Q,
		const double *K, const double *V)
{
	struct lk_attn a = resolve(at);

	for (size_t b = 0; b < a.batch; b++)
		for (size_t h = 0; h < a.heads; h++)
			for (size_t i = 0; i < a.tq; i++) {
				struct offsets f = offsets(&a, b, h, i);

				query_forward(&a, b, i, O + f.o, lse + f.lse, Q + f.q, K + f.k,
						V + f.k);
			}
}

/* Set `width` elements of each of t rows to zero. */
static void zero(double *x, size_t batch, size_t seq, size_t t, size_t ld, size_t width)
{
	for (size_t b = 0; b < batch; b++)
		for (size_t i = 0; i < t; i++)
			for (size_t c = 0; c < width; c++)
				x[b * seq + i * ld + c] = 0;
}

void lk_ref_attention_back(const struct lk_attn *at, double *dQ, double *dK, double *dV,
		const double *dO, const double *O, const double *lse, const double *Q,
		const double *K, const double *V)
{
	struct lk_attn a = resolve(at);

	if (!a.add) {
		zero(dQ, a.batch, a.q_seq, a.tq, a.q_ld, a.heads * a.dim);
		zero(dK, a.batch, a.k_seq, a.tk, a.k_ld, a.kv_heads * a.dim);
		zero(dV, a.batch, a.k_seq, a.tk, a.k_ld, a.kv_heads * a.dim);
	}
	for (size_t b = 0; b < a.batch; b++)
		for (size_t h = 0; h < a.heads; h++)
			for (size_t i = 0; i < a.tq; i++) {
				struct offsets f = offsets(&a, b, h, i);

				query_back(&a, b, i, dQ + f.q, dK + f.k, dV + f.k, dO + f.o,
						O + f.o, lse[f.lse], Q + f.q, K + f.k, V + f.k);
			}
}

/* lse = log(exp(lse) + exp(lse2)), and o the mean of o and o2 weighted by exp(lse), exp(lse2). */
void lk_ref_attn_merge(const struct lk_attn *at, double *O, double *lse, const double *O2,
		const double *lse2)
{
	struct lk_attn a = resolve(at);

	for (size_t b = 0; b < a.batch; b++)
		for (size_t h = 0; h < a.heads; h++)
			for (size_t i = 0; i < a.tq; i++) {
				struct offsets f = offsets(&a, b, h, i);
				double l = lse[f.lse], l2 = lse2[f.lse], max = fmax(l, l2);
				double sum = exp(l - max) + exp(l2 - max);

				if (max == MINUS_INFINITY)
					continue;
				for (size_t c = f.o; c < f.o + a.dim; c++)
					O[c] = (O[c] * exp(l - max) + O2[c] * exp(l2 - max)) / sum;
				lse[f.lse] = max + log(sum);
			}
}
