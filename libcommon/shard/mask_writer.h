#ifndef LUCIE_SHARD_MASK_WRITER_H
#define LUCIE_SHARD_MASK_WRITER_H
/*
 * Writes the mask of a part of a shard (mask.h), for shard/writer.h.
 *
 *	struct lu_mask_writer w = LU_MASK_WRITER_NONE;
 *	lu_mask_writer_open(&w, tmpdir, &err);
 *	lu_mask_writer_add(&w, mask, n, &err);	a byte for each token, 0 or 1; any number of times
 *	lu_mask_writer_end(&w, sink, ctx, &err);	once: passes the bytes of the file to sink
 *	lu_mask_writer_close(&w);		in any case
 *
 * The bits wait in a spool, since the header has their number. Memory: the spool's window.
 */
#include "libcommon/io/spool.h"

struct lu_mask_writer {
	struct lu_spool bits;
	unsigned char last; /* the bits of a byte that is not full */
	uint64_t tokens, targets;
	struct lu_buf bytes;
};
/* clang-format off */
#define LU_MASK_WRITER_NONE { .bits = LU_SPOOL_NONE }
/* clang-format on */

typedef int lu_mask_sink_fn(void *ctx, const void *p, size_t n, struct lu_err *err);

int lu_mask_writer_open(
		struct lu_mask_writer *w, const char *tmpdir, struct lu_err *err) LU_CHECKED;
int lu_mask_writer_add(struct lu_mask_writer *w, const uint8_t *mask, size_t n,
		struct lu_err *err) LU_CHECKED;
int lu_mask_writer_end(struct lu_mask_writer *w, lu_mask_sink_fn *sink, void *ctx,
		struct lu_err *err) LU_CHECKED;
void lu_mask_writer_close(struct lu_mask_writer *w); /* twice is fine */

#endif
