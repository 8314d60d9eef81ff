#include "libcommon/shard/mask_writer.h"

#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"
#include "libcommon/shard/mask.h"

#define CHUNK ((size_t)1 << 16)

int lu_mask_writer_open(struct lu_mask_writer *w, const char *tmpdir, struct lu_err *err)
{
	w->tokens = w->targets = 0;
	w->last = 0;
	return lu_spool_open(&w->bits, tmpdir, err);
}

int lu_mask_writer_add(struct lu_mask_writer *w, const uint8_t *mask, size_t n, struct lu_err *err)
{
	lu_buf_clear(&w->bytes);
	for (size_t i = 0; i < n; i++) {
		w->last |= (unsigned char)((mask[i] != 0) << w->tokens % 8);
		w->targets += mask[i] != 0;
		if (++w->tokens % 8 == 0) {
			lu_buf_putc(&w->bytes, (char)w->last);
			w->last = 0;
		}
	}
	if (lu_buf_check(&w->bytes, err) < 0)
		return -1;
	return w->bytes.n ? lu_spool_add(&w->bits, w->bytes.p, w->bytes.n, err) : 0;
}

int lu_mask_writer_end(
		struct lu_mask_writer *w, lu_mask_sink_fn *sink, void *ctx, struct lu_err *err)
{
	unsigned char head[LU_MASK_HEADER] = LU_MASK_MAGIC, tail[LU_MASK_TRAILER];
	struct lu_hasher *h = lu_hasher_new();
	struct lu_str piece;
	int rc = h ? 0 : lu_err_nomem(err);

	lu_store32(head + 8, LU_MASK_VERSION);
	lu_store64(head + 16, w->tokens);
	lu_store64(head + 24, w->targets);
	if (rc == 0 && w->tokens % 8)
		rc = lu_spool_add(&w->bits, &w->last, 1, err);
	if (rc == 0)
		rc = lu_spool_rewind(&w->bits, err);
	if (rc == 0) {
		lu_hasher_add(h, head, sizeof(head));
		rc = sink(ctx, head, sizeof(head), err);
	}
	for (uint64_t at = 0, n = lu_spool_size(&w->bits); rc == 0 && at < n; at += piece.n) {
		rc = lu_spool_get(&w->bits, at, n - at < CHUNK ? (size_t)(n - at) : CHUNK, &piece,
				err);
		if (rc == 0) {
			lu_hasher_add(h, piece.p, piece.n);
			rc = sink(ctx, piece.p, piece.n, err);
		}
	}
	if (rc == 0) {
		lu_store64(tail, lu_hasher_end64(h));
		rc = sink(ctx, tail, sizeof(tail), err);
	}
	lu_hasher_free(h);
	return rc;
}

void lu_mask_writer_close(struct lu_mask_writer *w)
{
	lu_spool_close(&w->bits);
	lu_buf_release(&w->bytes);
	*w = (struct lu_mask_writer)LU_MASK_WRITER_NONE;
}
