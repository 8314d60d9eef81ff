#ifndef LUCIE_IO_FEED_H
#define LUCIE_IO_FEED_H
/*
 * Decompressed bytes with lookahead, by which a file is recognised before it is read.
 *
 *	struct lu_feed *f;
 *	if (lu_feed_open(&f, path, &err) < 0) ...	or lu_feed_open_fn(), lu_feed_open_str()
 *	lu_feed_peek(f, 512, &head, &err);		consumes nothing
 *	while ((n = lu_feed_read(f, buf, size, &err)) > 0) ...
 *	lu_feed_close(f);
 *
 * It reads through io/instream.h, which decompresses and verifies, for files and for members of
 * archives alike. One thread at a time.
 *
 * A format whose records are members of their own (WARC) need not trust the lengths that it states:
 *
 *	lu_feed_stop_at(f, begins_record);
 *
 * From then on reading ends, as at the end of the stream, before each compressed member that begins
 * with a record; lu_feed_resume() goes on. It ends as well where the stream is damaged, of which
 * lu_feed_broken() tells, and lu_feed_mend() goes on at the next member.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/instream.h"

#define LU_FEED_AHEAD ((size_t)64 << 10)

/* Tell whether a compressed member begins with a record. */
typedef bool lu_feed_mark_fn(const char *p, size_t n);

struct lu_feed {
	struct lu_in *in;
	char *ahead; /* bytes at .. n - 1 are unread */
	size_t at, n;
	uint64_t given;	       /* bytes that the caller has read */
	lu_feed_mark_fn *mark; /* NULL: no stops */
	size_t begin;	       /* offset in `ahead` where the first member begins, or SIZE_MAX */
	size_t stop;	       /* where a member begins with the mark, or SIZE_MAX */
	uint64_t marks;	       /* members that began so */
	/* Taken back, to be read before the stream: at back_at .. n - 1. */
	struct lu_buf back;
	size_t back_at;
	size_t back_stop; /* where a member begins with the mark, or SIZE_MAX */
	bool broken;
	struct lu_err why; /* it is broken */
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
/* The next line with its newline, valid until the next call. 1; 0 at the end; 2: it is longer than
 * LU_FEED_AHEAD and was not read; -1. */
int lu_feed_line(struct lu_feed *f, struct lu_str *line, struct lu_err *err) LU_CHECKED;
/* Pass over n bytes of the last peek. */
void lu_feed_skip(struct lu_feed *f, size_t n);
/* Stop before each member whose first bytes, up to LU_FEED_AHEAD, have the mark. */
void lu_feed_stop_at(struct lu_feed *f, lu_feed_mark_fn *mark);
/* True when the next byte is behind a stop. */
bool lu_feed_stopped(const struct lu_feed *f);
/* Go on behind a stop. */
void lu_feed_resume(struct lu_feed *f);
/* True when nothing is left to read in front of damage, which f->why describes. A member that is damaged
 * from its beginning on is behind a stop. */
bool lu_feed_broken(const struct lu_feed *f);
/* Go on behind the damage. 1; 0: nothing is behind it; -1. */
int lu_feed_mend(struct lu_feed *f, struct lu_err *err) LU_CHECKED;
/* Take back the bytes read last: those of *read from offset `from` on, which are then gone from it. */
int lu_feed_take_back(
		struct lu_feed *f, struct lu_buf *read, size_t from, struct lu_err *err) LU_CHECKED;
const char *lu_feed_name(const struct lu_feed *f);
void lu_feed_close(struct lu_feed *f); /* NULL is fine */

#endif
