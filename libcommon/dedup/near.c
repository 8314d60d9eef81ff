#include "libcommon/dedup/near.h"

#include <stdlib.h>

int lu_near_open(
	struct lu_near *n, const struct lu_minhash *mh, const char *tmpdir, struct lu_err *err)
{
	*n = (struct lu_near){ .spool = LU_SPOOL_NONE };
	lu_join_init(&n->join, mh);
	return lu_spool_open(&n->spool, tmpdir, err);
}

/* Follows the capacity of the join. */
static int grow(struct lu_near *n, struct lu_err *err)
{
	uint32_t cap = n->join.cap;
	struct lu_place *place = realloc(n->place, cap * sizeof(*place));
	uint64_t *at;

	if (!place)
		return lu_err_nomem(err);
	n->place = place;
	at = realloc(n->at, cap * sizeof(*at));
	if (!at)
		return lu_err_nomem(err);
	n->at = at;
	n->cap = cap;
	return 0;
}

int lu_near_add(struct lu_near *n, struct lu_str record, const struct lu_place *place,
	const void *signature, uint64_t length, struct lu_err *err)
{
	uint32_t i = n->join.docs;

	if (lu_join_add(&n->join, signature, length, err) < 0)
		return -1;
	if (i >= n->cap && grow(n, err) < 0)
		return -1;
	n->at[i] = lu_spool_size(&n->spool);
	n->place[i] = *place;
	n->place[i].id = lu_arena_str(&n->ids, place->id);
	if (!n->place[i].id.p)
		return lu_err_nomem(err);
	return lu_spool_add(&n->spool, record.p, record.n, err);
}

int lu_near_solve(struct lu_near *n, const struct lu_join_how *how, struct lu_err *err)
{
	if (lu_spool_rewind(&n->spool, err) < 0)
		return -1;
	return lu_join_solve(&n->join, how, err);
}

int lu_near_record(struct lu_near *n, uint32_t i, struct lu_str *record, struct lu_err *err)
{
	uint64_t end = i + 1 < n->join.docs ? n->at[i + 1] : lu_spool_size(&n->spool);

	return lu_spool_get(&n->spool, n->at[i], (size_t)(end - n->at[i]), record, err);
}

void lu_near_close(struct lu_near *n)
{
	lu_join_release(&n->join);
	lu_spool_close(&n->spool);
	lu_arena_release(&n->ids);
	free(n->place);
	free(n->at);
	*n = (struct lu_near){ .spool = LU_SPOOL_NONE };
}
