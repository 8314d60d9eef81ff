#include "libcommon/dedup/exact.h"

#include <stdlib.h>

struct entry {
	uint32_t key;
	uint32_t unused;
	uint64_t n;
};

int lu_exact_open(struct lu_exact *x, bool log, const char *tmpdir, struct lu_err *err)
{
	*x = (struct lu_exact){ .log = log, .spool = LU_SPOOL_NONE };
	return log ? lu_spool_open(&x->spool, tmpdir, err) : 0;
}

static int keep_place(struct lu_exact *x, uint32_t number, const struct lu_place *place,
		struct lu_err *err)
{
	struct lu_exact_first *f;

	if (number >= x->cap) {
		f = realloc(x->first, (size_t)x->seen.cap * sizeof(*f));
		if (!f)
			return lu_err_nomem(err);
		x->first = f;
		x->cap = x->seen.cap;
	}
	f = &x->first[number];
	*f = (struct lu_exact_first){ *place, 1 };
	f->place.id = lu_arena_str(&x->ids, place->id);
	return f->place.id.p ? 0 : lu_err_nomem(err);
}

int lu_exact_see(struct lu_exact *x, struct lu_hash128 key, const struct lu_place *place,
		struct lu_err *err)
{
	struct entry e = { 0 };
	int rc = lu_seen_add(&x->seen, key, &e.key, err);

	if (rc < 0 || !x->log)
		return rc;
	if (rc > 0)
		return keep_place(x, e.key, place, err) < 0 ? -1 : 1;
	x->first[e.key].copies++;
	lu_buf_clear(&x->line);
	lu_removed_open(&x->line, "exact", place, &x->first[e.key].place, 1);
	if (lu_buf_check(&x->line, err) < 0)
		return -1;
	e.n = x->line.n;
	if (lu_spool_add(&x->spool, &e, sizeof(e), err) < 0)
		return -1;
	return lu_spool_add(&x->spool, x->line.p, x->line.n, err);
}

int lu_exact_log(struct lu_exact *x, struct lu_out *out, struct lu_err *err)
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
		if (lu_spool_get(&x->spool, at, (size_t)e.n, &s, err) < 0)
			return -1;
		at += e.n;
		lu_buf_clear(&x->line);
		lu_buf_str(&x->line, s);
		lu_removed_close(&x->line, x->first[e.key].copies);
		if (lu_out_buf(out, &x->line, err) < 0)
			return -1;
	}
	return 0;
}

void lu_exact_close(struct lu_exact *x)
{
	lu_seen_release(&x->seen);
	free(x->first);
	lu_arena_release(&x->ids);
	lu_spool_close(&x->spool);
	lu_buf_release(&x->line);
}
