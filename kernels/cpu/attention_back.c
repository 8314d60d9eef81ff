/*
 * attention_back.c: causal attention backward (Dao 2023, section 3.1.2), transposed as in
 * attention.c, whose helpers it uses.  With D = rowsum(dO O):
 *	P^T = exp(S^T - lse)		dP^T = V dO^T		dS^T = P^T (dP^T - D)
 *	dV += P^T dO	dK += dS^T Q		plain A: what was just computed, packed B: dO, Q
 *	dQ^T += K^T dS^T			packed A: K^T by blocks of c
 * One thread does one query head, tile of queries by tile of queries; dK and dV of each head stay
 * in the work space and are added by head at the end.
 */
#include <omp.h>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro.h"

/* one thread's scratch, for one tile of queries */
struct attn_back {
	lk_real *q, *d;	  /* packed B by panels: Q scale, dO */
	lk_real *qn, *dn; /* packed B by LK_NR of c, k the query: Q scale, dO */
	lk_real *dq;	  /* dQ^T by panels */
	lk_real *p, *ds;  /* P^T, dS^T by panels: AT_KEYS x LK_NR */
	lk_real *lse, *delta;
};

static size_t attn_back_size(const struct attn_run *r)
{
	return LK_ATTN_TILE * (2 * r->at.dim + 2 * r->dn + r->dp + 2 * AT_KEYS + 2);
}

static void attn_back_set(struct attn_back *w, const struct attn_run *r)
{
	w->q = r->thread + (size_t)omp_get_thread_num() * r->thread_size;
	w->d = w->q + LK_ATTN_TILE * r->at.dim;
	w->qn = w->d + LK_ATTN_TILE * r->at.dim;
	w->dn = w->qn + LK_ATTN_TILE * r->dn;
	w->dq = w->dn + LK_ATTN_TILE * r->dn;
	w->p = w->dq + LK_ATTN_TILE * r->dp;
	w->ds = w->p + LK_ATTN_TILE * AT_KEYS;
	w->lse = w->ds + LK_ATTN_TILE * AT_KEYS;
	w->delta = w->lse + LK_ATTN_TILE;
}

/* n rows by panels of LK_NR of c: packed B whose k is the row, zeros past the end of both */
static void attn_pack_cols(
	const struct attn_run *r, lk_real *to, const lk_real *x, size_t ld, size_t n, lk_real scale)
{
	for (size_t c = 0; c < r->at.dim; c += LK_NR, to += LK_ATTN_TILE * LK_NR) {
		micro_pack(to, x + c, 1, ld, at_min(r->at.dim - c, LK_NR), n, LK_NR, scale);
		memset(to + n * LK_NR, 0, (LK_ATTN_TILE - n) * LK_NR * sizeof *to);
	}
}

/* The tile's queries: packed, with D and lse; queries past the end get P = 0. */
static void attn_back_begin(const struct attn_run *r, struct attn_back *w, const lk_real *Q,
	const lk_real *dO, const lk_real *O, const lk_real *lse, size_t n)
{
	size_t ld = r->at.o_ld;

	attn_pack_rows(r, w->q, Q, r->at.q_ld, n, r->scale);
	attn_pack_cols(r, w->qn, Q, r->at.q_ld, n, r->scale);
	attn_pack_rows(r, w->d, dO, ld, n, 1);
	attn_pack_cols(r, w->dn, dO, ld, n, 1);
	memset(w->dq, 0, LK_ATTN_TILE * r->dp * sizeof *w->dq);
	for (size_t i = 0; i < LK_ATTN_TILE; i++) {
		w->lse[i] = i < n ? lse[i] : LK_INF;
		w->delta[i] = i < n ? v_dot(dO + i * ld, O + i * ld, r->at.dim) : 0;
	}
}

/*
 * P and dS of one panel from its S (in p) and dP (in ds), for nk keys; the rest of the last block of
 * LK_MR keys becomes 0.  limit as in attn_softmax.
 */
static void attn_back_scores(lk_real *p, lk_real *ds, const lk_real *lse, const lk_real *delta,
	size_t nk, ptrdiff_t limit)
{
	lk_vec l[2] = { v_load(lse), v_load(lse + LK_W) };
	lk_vec d[2] = { v_load(delta), v_load(delta + LK_W) };
	size_t end = lk_blocks(nk, LK_MR) * LK_MR;

	for (size_t j = 0; j < nk; j++)
		for (size_t h = 0; h < 2; h++) {
			size_t at = j * LK_NR + h * LK_W;
			lk_vec x = v_exp(v_load(p + at) - l[h]);

			if ((ptrdiff_t)j >= limit)
				x = v_pick(attn_unseen(j, limit, h), (lk_vec){ 0 }, x);
			v_store(p + at, x);
			v_store(ds + at, x * (v_load(ds + at) - d[h]));
		}
	memset(p + nk * LK_NR, 0, (end - nk) * LK_NR * sizeof *p);
	memset(ds + nk * LK_NR, 0, (end - nk) * LK_NR * sizeof *ds);
}

/* dQ^T += K^T dS^T for one panel */
static void attn_back_dq(
	const struct attn_run *r, lk_real *dq, const lk_real *keys, const lk_real *ds, size_t nk)
{
	for (size_t i = 0; i < r->dp; i += LK_MR) {
		struct lk_acc acc;

		micro_load(&acc, dq + i * LK_NR, LK_NR);
		micro_packed(&acc, keys + i * AT_KEYS, ds, nk);
		micro_store(&acc, dq + i * LK_NR, LK_NR);
	}
}

/* to[key][c] += sum over the tile's queries of x[key][query] y[query][c]; panel p has nk[p] keys */
static void attn_back_dkv(const struct attn_run *r, lk_real *to, const lk_real *x, const lk_real *y,
	const size_t *nk, size_t panels)
{
	size_t most = nk[panels - 1];

	for (size_t c = 0; c < r->dn; c += LK_NR)
		for (size_t j = 0; j < most; j += LK_MR) {
			struct lk_acc acc;

			micro_load(&acc, to + j * r->dn + c, r->dn);
			for (size_t p = 0; p < panels; p++)
				if (j < nk[p])
					micro_plain(&acc, x + (p * AT_KEYS + j) * LK_NR,
						y + c * LK_ATTN_TILE + p * LK_NR * LK_NR, LK_NR);
			micro_store(&acc, to + j * r->dn + c, r->dn);
		}
}

/* One tile of keys (packed at kv: K, V by key, K by c) against one tile of queries from q0 on. */
static void attn_back_tile(const struct attn_run *r, struct attn_back *w, const lk_real *kv,
	lk_real *dk, lk_real *dv, size_t key, size_t q0, size_t n)
{
	size_t nk[AT_PANELS], panels = lk_blocks(n, LK_NR), ps = AT_KEYS * LK_NR;

	for (size_t p = 0; p < panels; p++) {
		size_t first = q0 + p * LK_NR, last = at_min(first + LK_NR, q0 + n) - 1;
		size_t seen = at_seen(r, last);

		nk[p] = seen <= key ? 0 : at_min(seen - key, AT_KEYS);
		attn_scores(r, w->p + p * ps, kv, w->q + p * LK_NR * r->at.dim, nk[p]);
		attn_scores(r, w->ds + p * ps, kv + r->ksize, w->d + p * LK_NR * r->at.dim, nk[p]);
		attn_back_scores(w->p + p * ps, w->ds + p * ps, w->lse + p * LK_NR,
			w->delta + p * LK_NR, nk[p],
			(ptrdiff_t)first + r->off + 1 - (ptrdiff_t)key);
		attn_back_dq(
			r, w->dq + p * LK_NR * r->dp, kv + 2 * r->ksize, w->ds + p * ps, nk[p]);
	}
	attn_back_dkv(r, dv, w->p, w->dn, nk, panels);
	attn_back_dkv(r, dk, w->ds, w->qn, nk, panels);
}

static void attn_back_end(const struct attn_run *r, lk_real *dQ, const lk_real *dq, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const lk_real *from = dq + i / LK_NR * r->dp * LK_NR + i % LK_NR;
		lk_real *to = dQ + i * r->at.q_ld;

		for (size_t c = 0; c < r->at.dim; c++)
			to[c] = (r->at.add ? to[c] : 0) + from[c * LK_NR] * r->scale;
	}
}

/* All queries of one head; its dK and dV at dkv, each ktiles * AT_KEYS rows of dn */
static void attn_back_head(const struct attn_run *r, lk_real *dQ, lk_real *dkv, const lk_real *dO,
	const lk_real *O, const lk_real *lse, const lk_real *Q, size_t head)
{
	const struct lk_attn *a = &r->at;
	size_t b = head / a->heads, h = head % a->heads, rows = r->ktiles * AT_KEYS * r->dn;
	const lk_real *kv = r->pack + (b * a->kv_heads + h / r->group) * r->pack_size;
	struct attn_back w;

	attn_back_set(&w, r);
	memset(dkv, 0, 2 * rows * sizeof *dkv);
	for (size_t q0 = 0; q0 < a->tq; q0 += LK_ATTN_TILE) {
		size_t n = at_min(a->tq - q0, LK_ATTN_TILE);
		size_t qat = b * a->q_seq + q0 * a->q_ld + h * a->dim;
		size_t oat = b * a->o_seq + q0 * a->o_ld + h * a->dim;

		attn_back_begin(r, &w, Q + qat, dO + oat, O + oat, lse + head * a->tq + q0, n);
		for (size_t t = 0; t * AT_KEYS < at_seen(r, q0 + n - 1); t++)
			attn_back_tile(r, &w, kv + t * (2 * r->ksize + r->vsize),
				dkv + t * AT_KEYS * r->dn, dkv + rows + t * AT_KEYS * r->dn,
				t * AT_KEYS, q0, n);
		attn_back_end(r, dQ + qat, w.dq, n);
	}
}

/* Row key of one key head: the sum over its query heads, in order, at part. */
static void attn_back_sum(const struct attn_run *r, lk_real *to, const lk_real *part, size_t stride)
{
	for (size_t c = 0; c < r->at.dim; c++) {
		lk_real s = part[c];

		for (size_t g = 1; g < r->group; g++)
			s += part[g * stride + c];
		to[c] = (r->at.add ? to[c] : 0) + s;
	}
}

static void attn_back_pack(const struct attn_run *r, const lk_real *K, const lk_real *V)
{
	const struct lk_attn *a = &r->at;

#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < r->kvs * r->ktiles; t++) {
		size_t kv = t / r->ktiles, j = t % r->ktiles * AT_KEYS;
		size_t n = at_min(a->tk - j, AT_KEYS);
		size_t from = kv / a->kv_heads * a->k_seq + j * a->k_ld + kv % a->kv_heads * a->dim;
		lk_real *to = r->pack + t * (2 * r->ksize + r->vsize);

		attn_pack_keys(r, to, K + from, n);
		attn_pack_keys(r, to + r->ksize, V + from, n);
		attn_pack_dims(r, to + 2 * r->ksize, K + from, n);
	}
}

static int op_attention_back(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
	lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse, const lk_act *Q,
	const lk_act *K, const lk_act *V)
{
	struct attn_run r;
	const struct lk_attn *a = &r.at;
	lk_real *part;
	size_t rows;

	if (attn_setup(q, &r, at) == -1)
		return -1;
	rows = r.ktiles * AT_KEYS * r.dn;
	r.pack_size = r.ktiles * (2 * r.ksize + r.vsize);
	r.thread_size = attn_back_size(&r);
	r.pack = lk_cpu_scratch(q,
		r.kvs * r.pack_size + r.heads * 2 * rows +
			(size_t)omp_get_max_threads() * r.thread_size,
		sizeof(lk_real));
	if (r.pack == NULL)
		return -1;
	part = r.pack + r.kvs * r.pack_size;
	r.thread = part + r.heads * 2 * rows;
	attn_back_pack(&r, K, V);
#pragma omp parallel for schedule(dynamic, 1)
	for (size_t t = 0; t < r.heads; t++)
		attn_back_head(&r, dQ, part + t * 2 * rows, dO, O, lse, Q, t);
#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < r.kvs * a->tk; t++) {
		size_t kv = t / a->tk, j = t % a->tk;
		size_t to = kv / a->kv_heads * a->k_seq + j * a->k_ld + kv % a->kv_heads * a->dim;
		const lk_real *from = part + kv * r.group * 2 * rows + j * r.dn;

		attn_back_sum(&r, (lk_real *)dK + to, from, 2 * rows);
		attn_back_sum(&r, (lk_real *)dV + to, from + rows, 2 * rows);
	}
	return 0;
}
