#include "libcommon/par/held.h"

#include <stdlib.h>

#include "libcommon/base/vec.h"

int lu_held_open(struct lu_held *h, const char *tmpdir, struct lu_err *err)
{
	*h = (struct lu_held)LU_HELD_NONE;
	return lu_spool_open(&h->spool, tmpdir, err);
}

int lu_held_add(struct lu_held *h, const struct lu_doc *doc, struct lu_err *err)
{
	if (!lu_vec_grow(&h->doc, &h->cap, h->docs, 1, sizeof(*h->doc)))
		return lu_err_nomem(err);
	h->doc[h->docs++] = (struct lu_held_doc){ lu_spool_size(&h->spool), doc->file, doc->line };
	return lu_spool_add(&h->spool, doc->obj.line.p, doc->obj.line.n, err);
}

int lu_held_rewind(struct lu_held *h, struct lu_err *err)
{
	return lu_spool_rewind(&h->spool, err);
}

int lu_held_get(struct lu_held *h, uint64_t i, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_held_doc *d = &h->doc[i];
	uint64_t end = i + 1 < h->docs ? d[1].offset : lu_spool_size(&h->spool);
	struct lu_str record;

	LU_ASSERT(i < h->docs);
	if (lu_spool_get(&h->spool, d->offset, (size_t)(end - d->offset), &record, err) < 0)
		return -1;
	*doc = (struct lu_doc){ .raw = record,
		.obj = { .line = record },
		.text = { "", 0 },
		.file = d->file,
		.line = d->line,
		.index = i,
		.arena = doc->arena,
		.verdict = LU_KEEP,
		.repeat = 1 };
	return 0;
}

void lu_held_close(struct lu_held *h)
{
	lu_spool_close(&h->spool);
	free(h->doc);
	*h = (struct lu_held)LU_HELD_NONE;
}
