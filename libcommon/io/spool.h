#ifndef LUCIE_IO_SPOOL_H
#define LUCIE_IO_SPOOL_H
/*
 * Bytes that are written once and read again: what standard input cannot give twice.
 *
 *	struct lu_spool s = LU_SPOOL_NONE;
 *	lu_spool_open(&s, std->tmpdir, &err);
 *	at = lu_spool_size(&s);
 *	lu_spool_add(&s, p, n, &err);			any number of times
 *	lu_spool_rewind(&s, &err);			once: from adding to reading
 *	lu_spool_get(&s, at, n, &slice, &err);		any place, any number of times
 *	lu_spool_close(&s);
 *
 * The file has no name and vanishes with the process. Memory is one window of LU_SPOOL_WINDOW
 * bytes, or of the longest piece asked for. Pieces that are read one behind the other are served
 * from the window; a jump reads just the piece. A slice is valid until the next get.
 * One thread at a time.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_SPOOL_WINDOW ((size_t)1 << 20)

struct lu_spool {
	int fd;
	uint64_t size; /* bytes added */
	uint64_t from; /* reading: offset of the window's first byte */
	uint64_t next; /* reading: where the last piece ended */
	struct lu_buf window;
};
#define LU_SPOOL_NONE    \
	{                \
		.fd = -1 \
	}

int lu_spool_open(struct lu_spool *s, const char *dir, struct lu_err *err) LU_CHECKED;
int lu_spool_add(struct lu_spool *s, const void *p, size_t n, struct lu_err *err) LU_CHECKED;
static inline uint64_t lu_spool_size(const struct lu_spool *s)
{
	return s->size;
}
int lu_spool_rewind(struct lu_spool *s, struct lu_err *err) LU_CHECKED;
int lu_spool_get(struct lu_spool *s, uint64_t at, size_t n, struct lu_str *out,
		struct lu_err *err) LU_CHECKED;
void lu_spool_close(struct lu_spool *s); /* LU_SPOOL_NONE is fine */

#endif
