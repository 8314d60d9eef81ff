#include "libcommon/par/held.h"

/* What the table has of a record. */
struct entry {
	uint64_t offset, length; /* in the spool */
	uint64_t line;
	uint32_t file, tag;
};

int lu_held_open(struct lu_held *h, const char *tmpdir, struct lu_err *err)
{
	*h = (struct lu_held)LU_HELD_NONE;
	if (lu_spool_open(&h->spool, tmpdir, err) < 0)
		return -1;
	return lu_spool_open(&h->table, tmpdir, err);
}

int lu_held_add(struct lu_held *h, const struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str record = doc->obj.line;
	struct entry e = { lu_spool_size(&h->spool), record.n, doc->line, 0, h->tag };

	/* Documents come file by file, and the name of a file is one pointer. */
	if ((h->file.n == 0 || h->file.p[h->file.n - 1] != doc->file) &&
			!lu_vec_push(&h->file, doc->file))
		return lu_err_nomem(err);
	e.file = (uint32_t)(h->file.n - 1);
	h->docs++;
	if (lu_spool_add(&h->table, &e, sizeof(e), err) < 0)
		return -1;
	return lu_spool_add(&h->spool, record.p, record.n, err);
}

int lu_held_rewind(struct lu_held *h, struct lu_err *err)
{
	return lu_spool_rewind(&h->table, err) < 0 ? -1 : lu_spool_rewind(&h->spool, err);
}

int lu_held_get(struct lu_held *h, uint64_t i, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str record;
	struct entry e;

	LU_ASSERT(i < h->docs);
	if (lu_spool_get(&h->table, i * sizeof(e), sizeof(e), &record, err) < 0)
		return -1;
	memcpy(&e, record.p, sizeof(e));
	if (lu_spool_get(&h->spool, e.offset, (size_t)e.length, &record, err) < 0)
		return -1;
	h->tag = e.tag;
	*doc = (struct lu_doc){ .raw = record,
		.obj = { .line = record },
		.text = { "", 0 },
		.file = h->file.p[e.file],
		.line = e.line,
		.index = i,
		.arena = doc->arena,
		.verdict = LU_KEEP,
		.repeat = 1 };
	return 0;
}

void lu_held_close(struct lu_held *h)
{
	lu_spool_close(&h->spool);
	lu_spool_close(&h->table);
	lu_vec_release(&h->file);
	*h = (struct lu_held)LU_HELD_NONE;
}
