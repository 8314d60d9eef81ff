#ifndef LUCIE_MIX_STREAM_H
#define LUCIE_MIX_STREAM_H
/*
 * The token stream of a training run: the documents of a list of shards and plans, end to end
 * (order/order.h says which samples are cut from it). lucie-train reads its samples from it and
 * lucie-trace looks them up, so that both find the same tokens at the same offset.
 *
 *	struct lu_stream *s;
 *	if (lu_stream_open(&s, "shards/fr mix.plan", trust, &err) < 0) ...
 *	struct lu_stream_cursor *c;
 *	lu_stream_cursor_new(&c, s, &err);
 *	lu_stream_seek(c, offset, &piece, &err);		what lies at an offset
 *	lu_stream_next(c, &piece, &err);			what comes next
 *	lu_stream_cursor_free(c);
 *	lu_stream_locate(s, range, n, found, ctx, &err);	some ranges of it
 *	lu_stream_close(s);
 *
 * A plan's order takes no memory: planned.h tells how an offset is found, and what `trust` leaves
 * out. Shards other than those that a plan was made for are refused. Any number of threads may share
 * an open stream, each with cursors of its own.
 *
 * Needs only libc: part of the bare build.
 */
#include <stdbool.h>
#include <stddef.h>

#include "libcommon/mix/planned.h"

struct lu_stream;

/* `names` are separated by blanks, as in a run's data.train. */
int lu_stream_open(
		struct lu_stream **s, const char *names, bool trust, struct lu_err *err) LU_CHECKED;
void lu_stream_close(struct lu_stream *s); /* NULL is fine */
uint64_t lu_stream_tokens(const struct lu_stream *s);

/* One name of the list. Everything in it lives as long as the stream. */
struct lu_stream_part {
	const char *name;
	bool is_plan;
	uint64_t tokens;	       /* that it adds to the stream */
	struct lu_shard *const *shard; /* the shard, or all shards that the plan names */
	size_t shards;
	const char *note; /* a sentence for people about how it was opened, or NULL */
};
size_t lu_stream_parts(const struct lu_stream *s);
struct lu_stream_part lu_stream_part(const struct lu_stream *s, size_t i);

/* After a failure of seek or next only seek or free may follow. */
struct lu_stream_cursor;
int lu_stream_cursor_new(struct lu_stream_cursor **c, const struct lu_stream *s,
		struct lu_err *err) LU_CHECKED;
void lu_stream_cursor_free(struct lu_stream_cursor *c); /* NULL is fine */

/* Go to the piece with this token of the stream, which is below lu_stream_tokens(): all of a shard, or
 * a document of a plan. piece->begin counts from the start of the stream. */
int lu_stream_seek(struct lu_stream_cursor *c, uint64_t at, struct lu_piece *piece,
		struct lu_err *err) LU_CHECKED;
/* The piece behind that of the last seek or next: 1, 0 at the end, -1. */
int lu_stream_next(
		struct lu_stream_cursor *c, struct lu_piece *piece, struct lu_err *err) LU_CHECKED;

struct lu_stream_range {
	uint64_t first, n; /* tokens of the stream */
	uint64_t tag;	   /* passed on to the callback */
};

/* Called with the pieces of a range in the order of the stream; returns 0 or -1. */
typedef int lu_stream_fn(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		uint64_t tag, struct lu_err *err);

/* Locate all ranges, in their order; in ascending order it is fastest. */
int lu_stream_locate(const struct lu_stream *s, const struct lu_stream_range *range, size_t n,
		lu_stream_fn *found, void *ctx, struct lu_err *err) LU_CHECKED;

#endif
