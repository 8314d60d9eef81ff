#include "trainer/run/weights_hash.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"

/* Elements copied to the host at once. */
#define CHUNK ((size_t)1 << 20)

/* Parameters whose hashes are collected at once: a message of at most 64 KiB. */
#define AT_ONCE ((size_t)2048)

static int hash_param(struct lt_weights *w, const struct lt_param *p, lk_real *host,
		struct lu_hash128 *out, struct lu_err *err)
{
	struct lu_hasher *h = lu_hasher_new();
	int rc = h ? 0 : lu_err_nomem(err);

	for (size_t first = 0; first < p->local_count && rc == 0; first += CHUNK) {
		size_t left = p->local_count - first, n = left < CHUNK ? left : CHUNK;
		size_t bytes = lt_weights_get_shared(w, p->offset + first, n, host, err);

		if (bytes == 0)
			rc = -1;
		else
			lu_hasher_add(h, host, bytes);
	}
	if (rc == 0)
		*out = lu_hasher_end(h);
	lu_hasher_free(h);
	return rc;
}

/* Hashes of the parameters that this rank holds; zeros of the others. */
static int hash_all(struct lt_weights *w, struct lu_hash128 *own, struct lu_err *err)
{
	lk_real *host = w->ops->host_alloc(w->q, CHUNK * sizeof(*host));
	int rc = host ? 0 : lu_err_nomem(err);

	for (size_t i = 0; i < w->table.n && rc == 0; i++) {
		if (w->table.param[i].offset != LT_ELSEWHERE)
			rc = hash_param(w, &w->table.param[i], host, &own[i], err);
	}
	w->ops->host_free(w->q, host);
	return rc;
}

static void add_hash(struct lu_hasher *h, struct lu_hash128 x)
{
	unsigned char b[16];

	lu_store64(b, x.lo);
	lu_store64(b + 8, x.hi);
	lu_hasher_add(h, b, sizeof(b));
}

/* Rank 0: add n parameters, whose hashes on rank r are at all + r * n. The first data-parallel rank of
 * each slice counts. */
static void add_params(const struct lt_layout *l, struct lu_hasher *h, const struct lu_hash128 *all,
		size_t n)
{
	const struct lu_hash128 none = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		for (size_t r = 0; r < l->mesh.ranks; r++) {
			struct lu_hash128 x = all[r * n + i];

			if (lt_mesh_peer(&l->mesh, LT_DP, r, 0) == r && !lu_hash128_eq(x, none))
				add_hash(h, x);
		}
	}
}

int lt_weights_hash_whole(struct lt_weights *w, char hash[33], struct lu_err *err)
{
	struct lu_hash128 *own = calloc(w->table.n + 1, sizeof(*own));
	struct lu_hasher *h = lu_hasher_new();
	int rc = own && h ? hash_all(w, own, err) : lu_err_nomem(err);

	for (size_t i = 0; i < w->table.n && rc == 0; i++)
		add_hash(h, own[i]);
	if (rc == 0)
		lu_hash128_text(lu_hasher_end(h), hash);
	lu_hasher_free(h);
	free(own);
	return rc;
}

int lt_weights_hash(
		const struct lt_layout *l, struct lt_weights *w, char hash[33], struct lu_err *err)
{
	size_t n = w->table.n, room = n < AT_ONCE ? n : AT_ONCE;
	struct lu_hash128 *own = calloc(n + 1, sizeof(*own));
	struct lu_hash128 *all = calloc(room * l->mesh.ranks + 1, sizeof(*all));
	struct lu_hasher *h = lu_hasher_new();
	int rc = own && all && h ? hash_all(w, own, err) : lu_err_nomem(err);

	rc = lt_comm_agree(l->comm, LT_CHANNEL_MAIN, rc, err);
	for (size_t i = 0; i < n && rc == 0; i += room) {
		size_t k = n - i < room ? n - i : room;

		rc = lt_comm_collect(l->comm, LT_CHANNEL_MAIN, own + i, k * sizeof(*own), all, err);
		if (rc == 0 && l->rank == 0)
			add_params(l, h, all, k);
	}
	if (rc == 0) {
		lu_hash128_text(lu_hasher_end(h), hash);
		rc = lt_comm_share(l->comm, LT_CHANNEL_MAIN, hash, 33, err);
	}
	lu_hasher_free(h);
	free(all);
	free(own);
	return rc;
}
