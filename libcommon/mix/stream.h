#ifndef LUCIE_MIX_STREAM_H
#define LUCIE_MIX_STREAM_H
/*
 * The stream of tokens that a run trains on (shard/order.h), from the names of shards and plans:
 * where in which shard its tokens are.
 *
 *	struct lu_stream *s;
 *	if (lu_stream_open(&s, "shards/fr plan.jsonl", &err) < 0) ...
 *	lu_stream_tokens(s)
 *	lu_stream_places(s, range, n, found, ctx, &err);
 *	lu_stream_close(s);
 *
 * A plan is walked each time, so its order takes no memory. Shards that are not those which a plan
 * was made for are refused.
 */
#include <stddef.h>

#include "libcommon/shard/reader.h"

struct lu_stream;

/* Names with blanks between them, as in a run's data.train. */
int lu_stream_open(struct lu_stream **s, const char *names, struct lu_err *err) LU_CHECKED;
void lu_stream_close(struct lu_stream *s); /* NULL is fine */
uint64_t lu_stream_tokens(const struct lu_stream *s);

struct lu_stream_range {
	uint64_t first, n; /* tokens of the stream */
	uint64_t tag;	   /* for found() */
};

/* Called with stretches of a range, in the order of the stream. 0 or -1. */
typedef int lu_stream_fn(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		uint64_t tag, struct lu_err *err);

/* Finds all ranges in one pass. They must be in order: neither firsts nor ends go back. */
int lu_stream_places(const struct lu_stream *s, const struct lu_stream_range *range, size_t n,
		lu_stream_fn *found, void *ctx, struct lu_err *err) LU_CHECKED;

#endif
