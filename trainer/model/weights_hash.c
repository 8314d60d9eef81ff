#include "trainer/model/weights_hash.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "trainer/model/weights_place.h"

/* Elements copied to the host at once. */
#define CHUNK ((size_t)1 << 20)

static int hash_param(struct lt_weights *w, const struct lt_param *p, lk_real *host,
		struct lu_hash128 *out, struct lu_err *err)
{
	/* Those of norms, ones at first, are read as lk_real. */
	bool norm = p->std == 0;
	size_t width = norm ? sizeof(lk_real) : w->ops->act_size;
	struct lu_hasher *h = lu_hasher_new();
	int rc = h ? 0 : lu_err_nomem(err);

	for (size_t first = 0; first < p->local_count && rc == 0; first += CHUNK) {
		size_t left = p->local_count - first, n = left < CHUNK ? left : CHUNK;
		size_t at = p->offset + first;
		const void *from =
				norm ? (const void *)lt_weights_norm(w, at) : lt_weights_act(w, at);

		if (w->ops->copy(w->q, host, from, n * width, LK_D2H) < 0 || w->ops->sync(w->q) < 0)
			rc = lt_queue_err(w->ops, w->q, err);
		else
			lu_hasher_add(h, host, n * width);
	}
	if (rc == 0)
		*out = lu_hasher_end(h);
	lu_hasher_free(h);
	return rc;
}

int lt_weights_hashes(struct lt_weights *w, struct lu_hash128 *own, struct lu_err *err)
{
	lk_real *host = w->ops->host_alloc(w->q, CHUNK * sizeof(*host));
	int rc = host ? 0 : lu_err_nomem(err);

	for (size_t i = 0; i < w->table.n && rc == 0; i++) {
		own[i] = (struct lu_hash128){ 0, 0 };
		if (w->table.param[i].offset != LT_ELSEWHERE)
			rc = hash_param(w, &w->table.param[i], host, &own[i], err);
	}
	w->ops->host_free(w->q, host);
	return rc;
}

void lt_weights_hash_add(struct lu_hasher *h, struct lu_hash128 x)
{
	unsigned char b[16];

	lu_store64(b, x.lo);
	lu_store64(b + 8, x.hi);
	lu_hasher_add(h, b, sizeof(b));
}

int lt_weights_hash(struct lt_weights *w, char hash[33], struct lu_err *err)
{
	struct lu_hash128 *own = calloc(w->table.n + 1, sizeof(*own));
	struct lu_hasher *h = lu_hasher_new();
	int rc = own && h ? lt_weights_hashes(w, own, err) : lu_err_nomem(err);

	for (size_t i = 0; i < w->table.n && rc == 0; i++)
		lt_weights_hash_add(h, own[i]);
	if (rc == 0)
		lu_hash128_text(lu_hasher_end(h), hash);
	lu_hasher_free(h);
	free(own);
	return rc;
}
