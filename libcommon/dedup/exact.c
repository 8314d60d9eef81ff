#include "libcommon/dedup/exact.h"

/* What stands before each line in the spool. */
struct entry {
	uint32_t key;	 /* number */
	uint32_t unused; /* written to the file, so no padding */
	uint64_t length; /* of the line so far */
};

int lu_exact_open(struct lu_exact *x, bool log, const char *tmpdir, struct lu_err *err)
{
	*x = (struct lu_exact){ .log = log, .spool = LU_SPOOL_NONE };
	return log ? lu_spool_open(&x->spool, tmpdir, err) : 0;
}

static int add_cluster(struct lu_exact *x, const struct lu_origin *origin, struct lu_err *err)
{
	struct lu_exact_cluster c = { *origin, 1 };

	c.first.id = lu_arena_str(&x->ids, origin->id);
	return c.first.id.p && lu_vec_push(&x->cluster, c) ? 0 : lu_err_nomem(err);
}

int lu_exact_add(struct lu_exact *x, struct lu_hash128 key, const struct lu_origin *origin,
		struct lu_err *err)
{
	struct entry e = { 0 };
	int rc = lu_keyset_add(&x->keys, key, &e.key, err);

	if (rc < 0 || !x->log)
		return rc;
	if (rc > 0)
		return add_cluster(x, origin, err) < 0 ? -1 : 1;
	x->cluster.p[e.key].copies++;
	lu_buf_clear(&x->line);
	lu_removed_open(&x->line, "exact", origin, &x->cluster.p[e.key].first, 1);
	if (lu_buf_check(&x->line, err) < 0)
		return -1;
	e.length = x->line.n;
	if (lu_spool_add(&x->spool, &e, sizeof(e), err) < 0)
		return -1;
	return lu_spool_add(&x->spool, x->line.p, x->line.n, err);
}

int lu_exact_write_log(struct lu_exact *x, struct lu_out *out, struct lu_err *err)
{
	uint64_t at = 0;
	struct lu_str s;
	struct entry e;

	if (lu_spool_rewind(&x->spool, err) < 0)
		return -1;
	while (at < lu_spool_size(&x->spool)) {
		if (lu_spool_get(&x->spool, at, sizeof(e), &s, err) < 0)
			return -1;
		memcpy(&e, s.p, sizeof(e));
		at += sizeof(e);
		if (lu_spool_get(&x->spool, at, (size_t)e.length, &s, err) < 0)
			return -1;
		at += e.length;
		lu_buf_clear(&x->line);
		lu_buf_str(&x->line, s);
		lu_removed_close(&x->line, x->cluster.p[e.key].copies);
		if (lu_out_buf(out, &x->line, err) < 0)
			return -1;
	}
	return 0;
}

void lu_exact_close(struct lu_exact *x)
{
	lu_keyset_release(&x->keys);
	lu_vec_release(&x->cluster);
	lu_arena_release(&x->ids);
	lu_spool_close(&x->spool);
	lu_buf_release(&x->line);
}
