#include "libcommon/dedup/origins.h"

/* Ids of at most so many bytes, as numbers and short names are, need no second look-up. */
#define SHORT 24

struct entry {
	uint64_t line;
	uint32_t file, length;
	union {
		char text[SHORT];
		uint64_t offset; /* of a longer id */
	} id;
};

int lu_origins_open(struct lu_origins *o, const char *tmpdir, struct lu_err *err)
{
	*o = (struct lu_origins)LU_ORIGINS_NONE;
	if (lu_spool_open(&o->table, tmpdir, err) < 0)
		return -1;
	return lu_spool_open(&o->ids, tmpdir, err);
}

int lu_origins_add(struct lu_origins *o, const struct lu_origin *origin, struct lu_err *err)
{
	struct entry e = { .line = origin->line, .length = (uint32_t)origin->id.n };
	bool is_long = origin->id.n > SHORT;

	if ((o->file.n == 0 || o->file.p[o->file.n - 1] != origin->file) &&
			!lu_vec_push(&o->file, origin->file))
		return lu_err_nomem(err);
	e.file = (uint32_t)(o->file.n - 1);
	o->n++;
	if (is_long)
		e.id.offset = lu_spool_size(&o->ids);
	else if (origin->id.n)
		memcpy(e.id.text, origin->id.p, origin->id.n);
	if (lu_spool_add(&o->table, &e, sizeof(e), err) < 0)
		return -1;
	return is_long ? lu_spool_add(&o->ids, origin->id.p, origin->id.n, err) : 0;
}

int lu_origins_rewind(struct lu_origins *o, struct lu_err *err)
{
	return lu_spool_rewind(&o->table, err) < 0 ? -1 : lu_spool_rewind(&o->ids, err);
}

static int from_entry(const struct lu_origins *o, const struct entry *e, struct lu_origin *origin,
		struct lu_buf *id, struct lu_err *err)
{
	lu_buf_clear(id);
	if (!lu_buf_reserve(id, e->length))
		return lu_err_nomem(err);
	if (e->length <= SHORT)
		memcpy(id->p, e->id.text, e->length);
	else if (lu_spool_peek(&o->ids, e->id.offset, e->length, id->p, err) < 0)
		return -1;
	id->n = e->length;
	*origin = (struct lu_origin){ o->file.p[e->file], e->line, lu_buf_slice(id) };
	return 0;
}

int lu_origins_get(const struct lu_origins *o, uint64_t number, struct lu_origin *origin,
		struct lu_buf *id, struct lu_err *err)
{
	struct entry e;

	LU_ASSERT(number < o->n);
	if (lu_spool_peek(&o->table, number * sizeof(e), sizeof(e), &e, err) < 0)
		return -1;
	return from_entry(o, &e, origin, id, err);
}

int lu_origins_get_next(struct lu_origins *o, uint64_t number, struct lu_origin *origin,
		struct lu_buf *id, struct lu_err *err)
{
	struct lu_str s;
	struct entry e;

	LU_ASSERT(number < o->n);
	if (lu_spool_get_ahead(&o->table, number * sizeof(e), sizeof(e), &s, err) < 0)
		return -1;
	memcpy(&e, s.p, sizeof(e));
	return from_entry(o, &e, origin, id, err);
}

void lu_origins_close(struct lu_origins *o)
{
	lu_spool_close(&o->table);
	lu_spool_close(&o->ids);
	lu_vec_release(&o->file);
	*o = (struct lu_origins)LU_ORIGINS_NONE;
}
