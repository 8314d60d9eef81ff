/*
 * attention.c: causal attention forward, and merging of two results.
 *
 * Everything is transposed: scores are kept as [key][query], LK_NR queries (a panel) wide, so the
 * running maximum and sum are vectors over queries, with no sum across lanes, and the exponentials
 * are packed B for the second product without a copy:
 *	S^T[key][query] = K Q^T		packed A: K by key blocks	packed B: Q
 *	O^T[c][query] += V^T P^T	packed A: V^T by blocks of c	packed B: P^T
 * K and V are packed once for all heads and queries that read them.  Keys come in tiles of AT_KEYS
 * from key 0, and an unseen key adds exactly 0 to a query: so a query's result depends on its own
 * keys alone.
 */
#include <math.h>
#include <omp.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro.h"

#define AT_KEYS (LK_MR * (96 / LK_MR))
#define AT_PANELS (LK_ATTN_TILE / LK_NR)
#define AT_LOWEST ((lk_real)-1e30) /* maximum of no scores: exp(-inf - it) is 0, not NaN */

struct attn_run {
	struct lk_attn at;
	lk_real scale;
	size_t group; /* query heads a key head */
	size_t ktiles, qtiles;
	size_t dp;	     /* dim in whole LK_MR: rows of O^T */
	size_t dn;	     /* dim in whole LK_NR */
	ptrdiff_t off;	     /* query i sees key j when j <= i + off */
	size_t ksize, vsize; /* a packed tile by key, and by c */
	lk_real *pack, *thread;
	size_t pack_size, thread_size; /* of one key head; of one thread */
	size_t heads;		       /* batch * heads, kvs: batch * kv_heads */
	size_t kvs;
};

LK_INLINE size_t at_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Keys that the queries up to query see: 0..tk. */
LK_INLINE size_t at_seen(const struct attn_run *r, size_t query)
{
	ptrdiff_t n = (ptrdiff_t)query + r->off + 1;

	return n <= 0 ? 0 : at_min((size_t)n, r->at.tk);
}

static int attn_setup(struct lk_queue *q, struct attn_run *r, const struct lk_attn *at)
{
	struct lk_attn *a = &r->at;

	r->at = *at;
	if (at->dim == 0 || at->dim > LK_ATTN_MAX_DIM)
		return lk_cpu_fail(
			q, "attention: dim %zu is not from 1 to %d", at->dim, LK_ATTN_MAX_DIM);
	if (at->kv_heads == 0 || at->heads % at->kv_heads != 0)
		return lk_cpu_fail(q, "attention: %zu heads do not divide among %zu key heads",
			at->heads, at->kv_heads);
	a->q_ld = a->q_ld == 0 ? a->heads * a->dim : a->q_ld;
	a->k_ld = a->k_ld == 0 ? a->kv_heads * a->dim : a->k_ld;
	a->o_ld = a->o_ld == 0 ? a->heads * a->dim : a->o_ld;
	a->q_seq = a->q_seq == 0 ? a->tq * a->q_ld : a->q_seq;
	a->k_seq = a->k_seq == 0 ? a->tk * a->k_ld : a->k_seq;
	a->o_seq = a->o_seq == 0 ? a->tq * a->o_ld : a->o_seq;
	if (a->q_ld < a->heads * a->dim || a->k_ld < a->kv_heads * a->dim ||
		a->o_ld < a->heads * a->dim)
		return lk_cpu_fail(q, "attention: a leading dimension is below its row's width");
	r->scale = (lk_real)(at->scale != 0 ? at->scale : 1 / sqrt((double)at->dim));
	r->group = at->heads / at->kv_heads;
	r->ktiles = lk_blocks(at->tk, AT_KEYS);
	r->qtiles = lk_blocks(at->tq, LK_ATTN_TILE);
	r->dp = lk_blocks(at->dim, LK_MR) * LK_MR;
	r->dn = lk_blocks(at->dim, LK_NR) * LK_NR;
	r->off = (ptrdiff_t)at->q_pos - (ptrdiff_t)at->k_pos;
	r->ksize = AT_KEYS * at->dim;
	r->vsize = AT_KEYS * r->dp;
	r->heads = at->batch * at->heads;
	r->kvs = at->batch * at->kv_heads;
	return 0;
}

/* nk keys by blocks of LK_MR keys: packed A whose k is c */
static void attn_pack_keys(const struct attn_run *r, lk_real *to, const lk_real *x, size_t nk)
{
	for (size_t j = 0; j < nk; j += LK_MR, to += LK_MR * r->at.dim)
		micro_pack(to, x + j * r->at.k_ld, r->at.k_ld, 1, at_min(nk - j, LK_MR), r->at.dim,
			LK_MR, 1);
}

/* nk keys by blocks of LK_MR of c: packed A whose k is the key */
static void attn_pack_dims(const struct attn_run *r, lk_real *to, const lk_real *x, size_t nk)
{
	for (size_t c = 0; c < r->at.dim; c += LK_MR, to += LK_MR * AT_KEYS)
		micro_pack(to, x + c, 1, r->at.k_ld, at_min(r->at.dim - c, LK_MR), nk, LK_MR, 1);
}

/* n rows at x by panels of LK_NR rows: packed B whose k is c, times scale */
static void attn_pack_rows(
	const struct attn_run *r, lk_real *to, const lk_real *x, size_t ld, size_t n, lk_real scale)
{
	for (size_t i = 0; i < n; i += LK_NR, to += LK_NR * r->at.dim)
		micro_pack(to, x + i * ld, ld, 1, at_min(n - i, LK_NR), r->at.dim, LK_NR, scale);
}

/* S^T of one panel of queries against the first nk keys of a packed tile */
static void attn_scores(
	const struct attn_run *r, lk_real *s, const lk_real *keys, const lk_real *panel, size_t nk)
{
	for (size_t j = 0; j < nk; j += LK_MR) {
		struct lk_acc acc;

		micro_zero(&acc);
		micro_packed(&acc, keys + j * r->at.dim, panel, r->at.dim);
		micro_store(&acc, s + j * LK_NR, LK_NR);
	}
}

/* which lanes of half h of a panel, whose lane 0 sees keys below limit, do not see key j >= limit */
LK_INLINE lk_ivec attn_unseen(size_t j, ptrdiff_t limit, size_t h)
{
	lk_vec lane;

	for (size_t i = 0; i < LK_W; i++)
		lane[i] = (lk_real)(h * LK_W + i);
	return lane <= v_set((lk_real)((ptrdiff_t)j - limit));
}

/*
 * One tile of keys for one panel: scores to exponentials, and the running state.  Lane 0 of the
 * panel sees the first limit keys of the tile, lane t the first limit + t.  c receives the factor
 * of what came before.
 */
static void attn_softmax(
	lk_real *s, lk_real *max, lk_real *sum, lk_real *c, size_t nk, ptrdiff_t limit)
{
	lk_vec m[2], l[2], k[2];

	for (size_t h = 0; h < 2; h++) {
		k[h] = m[h] = v_load(max + h * LK_W);
		l[h] = v_load(sum + h * LK_W);
	}
	for (size_t j = 0; j < nk; j++)
		for (size_t h = 0; h < 2; h++) {
			lk_vec x = v_load(s + j * LK_NR + h * LK_W);

			if ((ptrdiff_t)j >= limit) {
				x = v_pick(attn_unseen(j, limit, h), v_set(-LK_INF), x);
				v_store(s + j * LK_NR + h * LK_W, x);
			}
			m[h] = v_max(x, m[h]);
		}
	for (size_t h = 0; h < 2; h++) {
		k[h] = v_exp(k[h] - m[h]);
		l[h] = l[h] * k[h];
	}
	for (size_t j = 0; j < nk; j++)
		for (size_t h = 0; h < 2; h++) {
			lk_vec x = v_exp(v_load(s + j * LK_NR + h * LK_W) - m[h]);

			v_store(s + j * LK_NR + h * LK_W, x);
			l[h] += x;
		}
	for (size_t h = 0; h < 2; h++) {
		v_store(max + h * LK_W, m[h]);
		v_store(sum + h * LK_W, l[h]);
		v_store(c + h * LK_W, k[h]);
	}
}

/* O^T = c O^T + V^T P^T */
static void attn_values(const struct attn_run *r, lk_real *o, const lk_real *values,
	const lk_real *p, const lk_real *c, size_t nk)
{
	lk_vec c0 = v_load(c), c1 = v_load(c + LK_W);

	for (size_t i = 0; i < r->dp; i += LK_MR) {
		struct lk_acc acc;

		micro_load(&acc, o + i * LK_NR, LK_NR);
#pragma GCC unroll 16
		for (size_t x = 0; x < LK_MR; x++) {
			acc.v[x][0] *= c0;
			acc.v[x][1] *= c1;
		}
		micro_packed(&acc, values + i * AT_KEYS, p, nk);
		micro_store(&acc, o + i * LK_NR, LK_NR);
	}
}

/* Rows of O and lse from a finished tile of n queries. */
static void attn_finish(const struct attn_run *r, lk_real *O, lk_real *lse, const lk_real *o,
	const lk_real *max, const lk_real *sum, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const lk_real *from = o + i / LK_NR * r->dp * LK_NR + i % LK_NR;
		lk_real *to = O + i * r->at.o_ld, k = sum[i] > 0 ? 1 / sum[i] : 0;

		if (isnan(sum[i]))
			k = sum[i];
		for (size_t c = 0; c < r->at.dim; c++)
			to[c] = from[c * LK_NR] * k;
		if (sum[i] == 0)
			lse[i] = -LK_INF;
		else
			lse[i] = (lk_real)((double)max[i] + log((double)sum[i]));
	}
}

/* One tile of queries of one head; head counts over the batch. */
static void attn_tile(const struct attn_run *r, lk_real *O, lk_real *lse, const lk_real *Q,
	size_t head, size_t tile)
{
	const struct lk_attn *a = &r->at;
	size_t b = head / a->heads, h = head % a->heads, q0 = tile * LK_ATTN_TILE;
	size_t n = at_min(a->tq - q0, LK_ATTN_TILE);
	const lk_real *kv = r->pack + (b * a->kv_heads + h / r->group) * r->pack_size;
	lk_real *panels = r->thread + (size_t)omp_get_thread_num() * r->thread_size;
	lk_real *o = panels + LK_ATTN_TILE * a->dim, *s = o + LK_ATTN_TILE * r->dp;
	lk_real *max = s + AT_KEYS * LK_NR, *sum = max + LK_ATTN_TILE, *c = sum + LK_ATTN_TILE;

	attn_pack_rows(
		r, panels, Q + b * a->q_seq + q0 * a->q_ld + h * a->dim, a->q_ld, n, r->scale);
	memset(o, 0, LK_ATTN_TILE * r->dp * sizeof *o);
	for (size_t i = 0; i < LK_ATTN_TILE; i++) {
		max[i] = AT_LOWEST;
		sum[i] = 0;
	}
	for (size_t t = 0; t * AT_KEYS < at_seen(r, q0 + n - 1); t++, kv += r->ksize + r->vsize)
		for (size_t p = 0; p * LK_NR < n; p++) {
			size_t first = q0 + p * LK_NR, last = at_min(first + LK_NR, q0 + n) - 1;
			size_t seen = at_seen(r, last), nk;

			if (seen <= t * AT_KEYS)
				continue;
			nk = at_min(seen - t * AT_KEYS, AT_KEYS);
			attn_scores(r, s, kv, panels + p * LK_NR * a->dim, nk);
			attn_softmax(s, max + p * LK_NR, sum + p * LK_NR, c, nk,
				(ptrdiff_t)first + r->off + 1 - (ptrdiff_t)(t * AT_KEYS));
			attn_values(r, o + p * LK_NR * r->dp, kv + r->ksize, s, c, nk);
		}
	attn_finish(r, O + b * a->o_seq + q0 * a->o_ld + h * a->dim, lse + head * a->tq + q0, o,
		max, sum, n);
}

static int op_attention(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
	const lk_act *Q, const lk_act *K, const lk_act *V)
{
	struct attn_run r;
	const struct lk_attn *a = &r.at;

	if (attn_setup(q, &r, at) == -1)
		return -1;
	r.pack_size = r.ktiles * (r.ksize + r.vsize);
	r.thread_size = LK_ATTN_TILE * (a->dim + r.dp + 2) + AT_KEYS * LK_NR + LK_NR;
	r.pack = lk_cpu_scratch(q,
		r.kvs * r.pack_size + (size_t)omp_get_max_threads() * r.thread_size,
		sizeof(lk_real));
	if (r.pack == NULL)
		return -1;
	r.thread = r.pack + r.kvs * r.pack_size;
#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < r.kvs * r.ktiles; t++) {
		size_t kv = t / r.ktiles, j = t % r.ktiles * AT_KEYS;
		size_t from = kv / a->kv_heads * a->k_seq + j * a->k_ld + kv % a->kv_heads * a->dim;
		lk_real *to = r.pack + t * (r.ksize + r.vsize);

		attn_pack_keys(&r, to, (const lk_real *)K + from, at_min(a->tk - j, AT_KEYS));
		attn_pack_dims(
			&r, to + r.ksize, (const lk_real *)V + from, at_min(a->tk - j, AT_KEYS));
	}
	/* the tiles with most keys first */
#pragma omp parallel for schedule(dynamic, 1)
	for (size_t t = 0; t < r.heads * r.qtiles; t++)
		attn_tile(&r, O, lse, Q, t % r.heads, r.qtiles - 1 - t / r.heads);
	return 0;
}

static void attn_merge_row(lk_real *o, lk_real *lse, const lk_real *o2, lk_real lse2, size_t n)
{
	double m = (double)(*lse > lse2 ? *lse : lse2), a, b, l;

	if (lse2 == -LK_INF)
		return;
	a = exp((double)*lse - m);
	b = exp((double)lse2 - m);
	l = a + b;
	for (size_t c = 0; c < n; c++)
		o[c] = (lk_real)((double)o[c] * (a / l) + (double)o2[c] * (b / l));
	*lse = (lk_real)(m + log(l));
}

static int op_attn_merge(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
	const lk_act *O2, const lk_real *lse2)
{
	struct attn_run r;
	const struct lk_attn *a = &r.at;

	if (attn_setup(q, &r, at) == -1)
		return -1;
#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < r.heads; t++)
		for (size_t i = 0; i < a->tq; i++) {
			size_t at0 = t / a->heads * a->o_seq + i * a->o_ld + t % a->heads * a->dim;

			attn_merge_row((lk_real *)O + at0, lse + t * a->tq + i,
				(const lk_real *)O2 + at0, lse2[t * a->tq + i], a->dim);
		}
	return 0;
}
