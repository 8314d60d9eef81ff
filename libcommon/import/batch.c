#include "libcommon/import/batch.h"

int lu_import_batch_read(struct lu_import_batch *b, struct lu_members *reader, bool *ended,
		struct lu_err *err)
{
	uint64_t bytes = 0;

	lu_arena_reset(&b->arena);
	lu_buf_clear(&b->out);
	b->results.n = 0;
	b->n = 0;
	while (!*ended && b->n < LU_IMPORT_BATCH_MEMBERS && bytes < LU_IMPORT_BATCH_BYTES) {
		int rc = lu_members_next(reader, &b->member[b->n], &b->arena, err);

		if (rc < 0)
			return -1;
		*ended = rc == 0;
		if (rc > 0)
			/* A block of entries is a batch of its own: its few bytes may be many. */
			bytes += b->member[b->n].entries ? LU_IMPORT_BATCH_BYTES
							 : b->member[b->n].bytes.n;
		b->n += rc > 0;
	}
	return b->n > 0;
}

static int map_member(struct lu_import_batch *b, const struct lu_import *im,
		struct lu_import_work *w, const struct lu_member *m, struct lu_err *err)
{
	struct lu_import_result res;

	if (m->entries)
		return lu_import_block(im, w, m, &b->arena, &b->out, &b->results, err);
	if (lu_import_one(im, w, m, &b->out, &res, err) < 0)
		return -1;
	res.end = b->out.n;
	return lu_vec_push(&b->results, res) ? 0 : lu_err_nomem(err);
}

int lu_import_batch_map(struct lu_import_batch *b, const struct lu_import *im,
		struct lu_import_work *w, struct lu_err *err)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct lu_member *m = &b->member[i];

		if (map_member(b, im, w, m, err) < 0)
			return lu_err_wrap(err, "%s: " LU_STR_FMT, m->file, LU_STR_ARG(m->path));
		b->end[i] = b->results.n;
	}
	return 0;
}

void lu_import_batch_release(struct lu_import_batch *b)
{
	for (size_t k = 0; k < LU_IMPORT_BATCH_MEMBERS; k++)
		lu_buf_release(&b->member[k].bytes);
	lu_vec_release(&b->results);
	lu_arena_release(&b->arena);
	lu_buf_release(&b->out);
}
