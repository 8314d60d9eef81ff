#include "trainer/run/replicas.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/hash/hash.h"

/* Elements copied to the host at once. */
#define CHUNK ((size_t)1 << 20)

/* Hashes of what a rank holds: of all its parameters, and of those that are not split. */
struct hashes {
	struct lu_hash128 all, whole;
};

static int hash_param(struct lt_weights *w, const struct lt_param *p, lk_real *host,
		struct lu_hasher *all, struct lu_hasher *whole, struct lu_err *err)
{
	for (size_t first = 0; first < p->local_count; first += CHUNK) {
		size_t left = p->local_count - first, n = left < CHUNK ? left : CHUNK;

		size_t bytes = lt_weights_get_shared(w, p->offset + first, n, host, err);

		if (bytes == 0)
			return -1;
		lu_hasher_add(all, host, bytes);
		if (p->split == LT_SPLIT_NONE)
			lu_hasher_add(whole, host, bytes);
	}
	return 0;
}

static int hash_all(struct lt_weights *w, struct hashes *h, struct lu_err *err)
{
	struct lu_hasher *all = lu_hasher_new(), *whole = lu_hasher_new();
	lk_real *host = w->ops->host_alloc(w->q, CHUNK * sizeof(*host));
	int rc = all && whole && host ? 0 : lu_err_nomem(err);

	for (size_t i = 0; i < w->table.n && rc == 0; i++) {
		if (w->table.param[i].offset != LT_ELSEWHERE)
			rc = hash_param(w, &w->table.param[i], host, all, whole, err);
	}
	if (rc == 0)
		*h = (struct hashes){ lu_hasher_end(all), lu_hasher_end(whole) };
	w->ops->host_free(w->q, host);
	lu_hasher_free(all);
	lu_hasher_free(whole);
	return rc;
}

/* Rank 0: compare each rank with the first of its data-parallel group, and norms with the first of
 * its tensor-parallel group. */
static int compare(const struct lt_layout *l, const struct hashes *h, uint64_t step,
		struct lu_err *err)
{
	for (size_t r = 0; r < l->mesh.ranks; r++) {
		size_t dp = lt_mesh_peer(&l->mesh, LT_DP, r, 0);
		size_t tp = lt_mesh_peer(&l->mesh, LT_TP, r, 0), other = r;

		if (!lu_hash128_eq(h[r].all, h[dp].all))
			other = dp;
		else if (!lu_hash128_eq(h[r].whole, h[tp].whole))
			other = tp;
		if (other != r)
			return lu_err_set(err,
					"step %" PRIu64
					": rank %zu on host %s and rank %zu on host %s hold the "
					"same parameters, but their bits differ; the memory or a "
					"processor of one of them is at fault: leave it out, and "
					"continue from a checkpoint before",
					step, other, lt_comm_host(l->comm, other), r,
					lt_comm_host(l->comm, r));
	}
	return 0;
}

int lt_replicas_check(
		const struct lt_layout *l, struct lt_weights *w, uint64_t step, struct lu_err *err)
{
	struct hashes own, *all;
	int rc;

	if (l->mesh.ranks == 1 || !lu_hash_available())
		return 0;
	lt_comm_at(l->comm, "step %" PRIu64 ", comparing replicas", step);
	all = calloc(l->mesh.ranks, sizeof(*all));
	rc = all ? hash_all(w, &own, err) : lu_err_nomem(err);
	if (lt_comm_agree(l->comm, LT_CHANNEL_MAIN, rc, err) == 0)
		rc = lt_comm_collect(l->comm, LT_CHANNEL_MAIN, &own, sizeof(own), all, err);
	else
		rc = -1;
	if (rc == 0) {
		if (l->rank == 0)
			rc = compare(l, all, step, err);
		rc = lt_comm_agree(l->comm, LT_CHANNEL_MAIN, rc, err);
	}
	free(all);
	return rc;
}
