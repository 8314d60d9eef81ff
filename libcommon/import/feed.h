#ifndef LUCIE_IMPORT_FEED_H
#define LUCIE_IMPORT_FEED_H
/*
 * Decompressed bytes with lookahead, by which a file is recognised before it is read.
 *
 *	struct lu_feed *f;
 *	if (lu_feed_open(&f, path, &err) < 0) ...	or lu_feed_open_fn(), lu_feed_open_str()
 *	lu_feed_peek(f, 512, &head, &err);		consumes nothing
 *	while ((n = lu_feed_read(f, buf, size, &err)) > 0) ...
 *	lu_feed_close(f);
 *
 * It reads through io/instream.h, which decompresses and verifies gzip, zstd and xz, for files and
 * for members of archives alike. One thread at a time.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/instream.h"

#define LU_FEED_AHEAD ((size_t)64 << 10)

struct lu_feed {
	struct lu_in *in;
	char *ahead; /* LU_FEED_AHEAD bytes, of which at .. n - 1 are unread */
	size_t at, n;
	uint64_t given; /* bytes that the caller has read */
};

int lu_feed_open(struct lu_feed **f, const char *path, struct lu_err *err) LU_CHECKED;
int lu_feed_open_fn(struct lu_feed **f, const char *name, lu_in_fn *fn, void *ctx,
		struct lu_err *err) LU_CHECKED;
/* Over bytes in memory: *left is consumed and stays the caller's until close. */
int lu_feed_open_str(struct lu_feed **f, const char *name, struct lu_str *left,
		struct lu_err *err) LU_CHECKED;
/* The next n (at most LU_FEED_AHEAD) bytes, fewer only at the end; valid until the next call. */
int lu_feed_peek(struct lu_feed *f, size_t n, struct lu_str *out, struct lu_err *err) LU_CHECKED;
/* Fills p unless the stream ends. 0 at the end, -1 on error. */
ssize_t lu_feed_read(struct lu_feed *f, void *p, size_t n, struct lu_err *err) LU_CHECKED;
/* Append the rest of the stream. 1; 0 when it is longer than `limit` (the remainder is not read);
 * -1. */
int lu_feed_all(struct lu_feed *f, uint64_t limit, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;
/* The next line with its newline, valid until the next call. 1; 0 at the end; -1, also for a line
 * longer than LU_FEED_AHEAD. */
int lu_feed_line(struct lu_feed *f, struct lu_str *line, struct lu_err *err) LU_CHECKED;
/* Skip n bytes; -1 also when the stream ends before. */
int lu_feed_skip(struct lu_feed *f, uint64_t n, struct lu_err *err) LU_CHECKED;
const char *lu_feed_name(const struct lu_feed *f);
void lu_feed_close(struct lu_feed *f); /* NULL is fine */

#endif
