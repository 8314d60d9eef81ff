#ifndef LUCIE_IO_SPOOL_H
#define LUCIE_IO_SPOOL_H
/*
 * Spool: bytes written once and then read in any order, for input that cannot be read twice.
 *
 *	struct lu_spool s = LU_SPOOL_NONE;
 *
 *	lu_spool_open(&s, std->tmpdir, err);
 *	at = lu_spool_size(&s);
 *	lu_spool_add(&s, p, n, err);			any number of times
 *	lu_spool_rewind(&s, err);			once, before reading
 *	lu_spool_get(&s, at, n, &slice, err);		any number of times
 *	lu_spool_close(&s);
 *
 * The temporary file has no name and vanishes with the process. Memory is one window of
 * LU_SPOOL_WINDOW bytes, or the longest piece requested. Sequential reads are served from the
 * window; a jump reads just the piece. A slice is valid until the next get. One thread at a time.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_SPOOL_WINDOW ((size_t)1 << 20)

struct lu_spool {
	int fd;
	uint64_t size; /* bytes added */
	uint64_t from; /* reading: offset of the window's first byte */
	uint64_t next; /* reading: end of the last piece, to detect sequential reads */
	struct lu_buf window;
};
#define LU_SPOOL_NONE    \
	{                \
		.fd = -1 \
	}

int lu_spool_open(struct lu_spool *s, const char *dir, struct lu_err *err) LU_CHECKED;
int lu_spool_add(struct lu_spool *s, const void *p, size_t n, struct lu_err *err) LU_CHECKED;
/* Bytes added so far: the offset of the next piece. */
static inline uint64_t lu_spool_size(const struct lu_spool *s)
{
	return s->size;
}
int lu_spool_rewind(struct lu_spool *s, struct lu_err *err) LU_CHECKED;
/* The n bytes at offset `at`, which must all have been added. */
int lu_spool_get(struct lu_spool *s, uint64_t at, size_t n, struct lu_str *out,
		struct lu_err *err) LU_CHECKED;
/* The same for a reader that goes forwards and leaves pieces out: always fills the window. */
int lu_spool_get_ahead(struct lu_spool *s, uint64_t at, size_t n, struct lu_str *out,
		struct lu_err *err) LU_CHECKED;
/* Copy n bytes at offset `at` to p, without moving the window: for a second, random reader beside one
 * that reads on. */
int lu_spool_peek(const struct lu_spool *s, uint64_t at, size_t n, void *p,
		struct lu_err *err) LU_CHECKED;
void lu_spool_close(struct lu_spool *s); /* no effect on LU_SPOOL_NONE */

#endif
