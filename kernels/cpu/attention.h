#ifndef LUCIE_KERNELS_CPU_ATTENTION_H
#define LUCIE_KERNELS_CPU_ATTENTION_H
/*
 * The parts of attention that forward and backward share.
 *
 * Everything is transposed: scores are stored as [key][query], LK_NR queries (a panel) wide. The
 * running maximum and sum are then vectors over queries, without sums across lanes, and the
 * exponentials already have the layout of a packed B for the next product:
 *	S^T[key][query] = K Q^T		packed A: K by blocks of keys	packed B: Q
 *	O^T[c][query] += V^T P^T	packed A: V^T by blocks of c	packed B: P^T
 * Keys come in tiles of ATTN_KEYS from key 0, and a masked key adds exactly 0 to a query, so that
 * the result of a query depends on its visible keys only.
 */
#include <math.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro.h"

#define ATTN_QUERIES 64			   /* per tile */
#define ATTN_KEYS (LK_MR * (96 / LK_MR))   /* per tile */
#define ATTN_PANELS (ATTN_QUERIES / LK_NR) /* per tile */

/* Per-call context. */
struct attn_ctx {
	struct lk_attn at; /* strides and scale filled in */
	lk_real scale;
	size_t group; /* query heads per key head */
	size_t ktiles, qtiles;
	size_t dp;	     /* dim rounded up to LK_MR: rows of O^T */
	size_t dn;	     /* dim rounded up to LK_NR */
	ptrdiff_t off;	     /* key j is visible to query i if j <= i + off */
	size_t ksize, vsize; /* elements of a tile packed by key, and by c */
	lk_real *pack, *thread;
	size_t pack_size, thread_size; /* elements per key head, and per thread */
	size_t heads, kv_heads;	       /* over the batch */
};

/* Number of keys visible to a query, 0..tk; earlier queries see no more. */
LK_INLINE size_t attn_visible(const struct attn_ctx *ctx, size_t query)
{
	ptrdiff_t n = (ptrdiff_t)query + ctx->off + 1;

	return n <= 0 ? 0 : lk_min((size_t)n, ctx->at.tk);
}

/* First key that a query of sequence b sees, if it sees any: later ones of its document follow. */
LK_INLINE size_t attn_first(const struct attn_ctx *ctx, size_t b, size_t query)
{
	const struct lk_attn *a = &ctx->at;
	ptrdiff_t own = (ptrdiff_t)query + ctx->off;

	if (!a->pos || own <= (ptrdiff_t)a->pos[b * a->tq + query])
		return 0;
	return (size_t)own - a->pos[b * a->tq + query];
}

/* attn_first() of the n queries of a tile from q0 on, repeated up to ATTN_QUERIES. */
static void attn_starts(const struct attn_ctx *ctx, size_t *lo, size_t b, size_t q0, size_t n)
{
	for (size_t i = 0; i < ATTN_QUERIES; i++)
		lo[i] = attn_first(ctx, b, q0 + lk_min(i, n - 1));
}

/* The least of n of these. */
LK_INLINE size_t attn_least(const size_t *lo, size_t n)
{
	size_t least = lo[0];

	for (size_t i = 1; i < n; i++)
		least = lk_min(least, lo[i]);
	return least;
}

static int attn_setup(struct lk_queue *q, struct attn_ctx *ctx, const struct lk_attn *at)
{
	struct lk_attn *a = &ctx->at;

	ctx->at = *at;
	if (at->dim == 0 || at->dim > LK_ATTN_MAX_DIM)
		return lk_cpu_fail(q, "attention: dim %zu is not from 1 to %d", at->dim,
				LK_ATTN_MAX_DIM);
	if (at->kv_heads == 0 || at->heads % at->kv_heads != 0)
		return lk_cpu_fail(q, "attention: %zu heads are not a multiple of %zu key heads",
				at->heads, at->kv_heads);
	a->q_ld = a->q_ld == 0 ? a->heads * a->dim : a->q_ld;
	a->k_ld = a->k_ld == 0 ? a->kv_heads * a->dim : a->k_ld;
	a->o_ld = a->o_ld == 0 ? a->heads * a->dim : a->o_ld;
	a->q_seq = a->q_seq == 0 ? a->tq * a->q_ld : a->q_seq;
	a->k_seq = a->k_seq == 0 ? a->tk * a->k_ld : a->k_seq;
	a->o_seq = a->o_seq == 0 ? a->tq * a->o_ld : a->o_seq;
	if (a->q_ld < a->heads * a->dim || a->k_ld < a->kv_heads * a->dim ||
			a->o_ld < a->heads * a->dim)
		return lk_cpu_fail(q,
				"attention: a leading dimension is less than the width of its "
				"rows");
	ctx->scale = (lk_real)(at->scale != 0 ? at->scale : 1 / sqrt((double)at->dim));
	ctx->group = at->heads / at->kv_heads;
	ctx->ktiles = lk_blocks(at->tk, ATTN_KEYS);
	ctx->qtiles = lk_blocks(at->tq, ATTN_QUERIES);
	ctx->dp = lk_blocks(at->dim, LK_MR) * LK_MR;
	ctx->dn = lk_blocks(at->dim, LK_NR) * LK_NR;
	ctx->off = (ptrdiff_t)at->q_pos - (ptrdiff_t)at->k_pos;
	ctx->ksize = ATTN_KEYS * at->dim;
	ctx->vsize = ATTN_KEYS * ctx->dp;
	ctx->heads = at->batch * at->heads;
	ctx->kv_heads = at->batch * at->kv_heads;
	return 0;
}

/* Offset of row j of a key head, and of row i of a query head; heads are counted over the batch. */
LK_INLINE size_t attn_key(const struct attn_ctx *ctx, size_t kv, size_t j)
{
	const struct lk_attn *a = &ctx->at;

	return kv / a->kv_heads * a->k_seq + j * a->k_ld + kv % a->kv_heads * a->dim;
}

LK_INLINE size_t attn_query(
		const struct attn_ctx *ctx, size_t seq, size_t ld, size_t head, size_t i)
{
	return head / ctx->at.heads * seq + i * ld + head % ctx->at.heads * ctx->at.dim;
}

/* Pack nk keys in blocks of LK_MR keys: a packed A with k over c. */
static void attn_pack_keys(const struct attn_ctx *ctx, lk_real *to, const lk_actv *x, size_t nk)
{
	for (size_t j = 0; j < nk; j += LK_MR, to += LK_MR * ctx->at.dim)
		micro_pack(to, x + j * ctx->at.k_ld, LK_AS_ACT, ctx->at.k_ld, 1,
				lk_min(nk - j, LK_MR), ctx->at.dim, LK_MR, 1);
}

/* Pack nk keys in blocks of LK_MR of c: a packed A with k over keys. */
static void attn_pack_dims(const struct attn_ctx *ctx, lk_real *to, const lk_actv *x, size_t nk)
{
	for (size_t c = 0; c < ctx->at.dim; c += LK_MR, to += LK_MR * ATTN_KEYS)
		micro_pack(to, x + c, LK_AS_ACT, 1, ctx->at.k_ld, lk_min(ctx->at.dim - c, LK_MR),
				nk, LK_MR, 1);
}

/* Pack n rows, times scale, in panels of LK_NR rows: a packed B with k over c. */
static void attn_pack_rows(const struct attn_ctx *ctx, lk_real *to, const lk_actv *x, size_t ld,
		size_t n, lk_real scale)
{
	for (size_t i = 0; i < n; i += LK_NR, to += LK_NR * ctx->at.dim)
		micro_pack(to, x + i * ld, LK_AS_ACT, ld, 1, lk_min(n - i, LK_NR), ctx->at.dim,
				LK_NR, scale);
}

/* S^T of one panel of queries and the first nk keys of a packed tile. */
static void attn_scores(const struct attn_ctx *ctx, lk_real *s, const lk_real *keys,
		const lk_real *panel, size_t nk)
{
	for (size_t j = 0; j < nk; j += LK_MR) {
		struct lk_acc acc;

		micro_zero(&acc);
		micro_packed(&acc, keys + j * ctx->at.dim, panel, ctx->at.dim);
		micro_store(&acc, s + j * LK_NR, LK_NR);
	}
}

/* The keys of a tile that a panel of queries sees: lane i those from from[i] to limit + i - 1. */
struct attn_mask {
	ptrdiff_t limit, below; /* keys from `below` to limit - 1 are seen by all lanes */
	lk_real from[LK_NR];
};

/* For the panel whose first query is `first` and whose queries see the keys from lo[] on. */
LK_INLINE void attn_mask_set(struct attn_mask *m, const struct attn_ctx *ctx, const size_t *lo,
		size_t first, size_t key)
{
	size_t below = 0;

	for (size_t i = 0; i < LK_NR; i++) {
		size_t from = lo[i] > key ? lk_min(lo[i] - key, ATTN_KEYS) : 0;

		m->from[i] = (lk_real)from;
		below = from > below ? from : below;
	}
	m->below = (ptrdiff_t)below;
	m->limit = (ptrdiff_t)first + ctx->off + 1 - (ptrdiff_t)key;
}

LK_INLINE int attn_any_masked(const struct attn_mask *m, size_t j)
{
	return (ptrdiff_t)j >= m->limit || (ptrdiff_t)j < m->below;
}

/* Lanes of half h of a panel that do not see key j. */
LK_INLINE lk_ivec attn_masked(const struct attn_mask *m, size_t j, size_t h)
{
	lk_vec lane;

	for (size_t i = 0; i < LK_W; i++)
		lane[i] = (lk_real)(h * LK_W + i);
	return (lane <= v_set((lk_real)((ptrdiff_t)j - m->limit))) |
			(v_load(m->from + h * LK_W) > v_set((lk_real)j));
}

#endif
