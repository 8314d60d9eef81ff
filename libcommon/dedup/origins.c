#include "libcommon/dedup/origins.h"

struct entry {
	uint64_t offset; /* of the id */
	uint64_t line;
	uint32_t file, length;
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
	struct entry e = { lu_spool_size(&o->ids), origin->line, 0, (uint32_t)origin->id.n };

	if ((o->file.n == 0 || o->file.p[o->file.n - 1] != origin->file) &&
			!lu_vec_push(&o->file, origin->file))
		return lu_err_nomem(err);
	e.file = (uint32_t)(o->file.n - 1);
	o->n++;
	if (lu_spool_add(&o->table, &e, sizeof(e), err) < 0)
		return -1;
	return lu_spool_add(&o->ids, origin->id.p, origin->id.n, err);
}

int lu_origins_rewind(struct lu_origins *o, struct lu_err *err)
{
	return lu_spool_rewind(&o->table, err) < 0 ? -1 : lu_spool_rewind(&o->ids, err);
}

int lu_origins_get(const struct lu_origins *o, uint64_t number, struct lu_origin *origin,
		struct lu_buf *id, struct lu_err *err)
{
	struct entry e;

	LU_ASSERT(number < o->n);
	if (lu_spool_peek(&o->table, number * sizeof(e), sizeof(e), &e, err) < 0)
		return -1;
	lu_buf_clear(id);
	if (!lu_buf_reserve(id, e.length))
		return lu_err_nomem(err);
	if (lu_spool_peek(&o->ids, e.offset, e.length, id->p, err) < 0)
		return -1;
	id->n = e.length;
	*origin = (struct lu_origin){ o->file.p[e.file], e.line, lu_buf_slice(id) };
	return 0;
}

void lu_origins_close(struct lu_origins *o)
{
	lu_spool_close(&o->table);
	lu_spool_close(&o->ids);
	lu_vec_release(&o->file);
	*o = (struct lu_origins)LU_ORIGINS_NONE;
}
