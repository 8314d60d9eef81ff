#include "trainer/run/model_hash.h"

#include <stdlib.h>

#include "trainer/model/weights_hash.h"

/* Parameters whose hashes are collected at once: a message of at most 64 KiB. */
#define AT_ONCE ((size_t)2048)

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
				lt_weights_hash_add(h, x);
		}
	}
}

int lt_model_hash(
		const struct lt_layout *l, struct lt_weights *w, char hash[33], struct lu_err *err)
{
	size_t n = w->table.n, room = n < AT_ONCE ? n : AT_ONCE;
	struct lu_hash128 *own = calloc(n + 1, sizeof(*own));
	struct lu_hash128 *all = calloc(room * l->mesh.ranks + 1, sizeof(*all));
	struct lu_hasher *h = lu_hasher_new();
	int rc = own && all && h ? lt_weights_hashes(w, own, err) : lu_err_nomem(err);

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
