#ifndef LUCIE_MIX_PLANNED_H
#define LUCIE_MIX_PLANNED_H
/*
 * A plan with its shards open, and the places in its order.
 *
 *	struct lu_planned p = { 0 };
 *	if (lu_planned_open(&p, path, trust, &err) < 0) ...
 *	struct lu_planned_cursor *c;
 *	lu_planned_cursor_new(&c, &p, &err);
 *	lu_planned_seek(c, token, &piece, &err);	the document with a token of the plan
 *	lu_planned_next(c, &piece, &err);		the one after it, and so on
 *	lu_planned_cursor_free(c);
 *	lu_planned_close(&p);
 *
 * Shards other than those that the plan was made for (their counts differ, or the hash of their
 * manifest, where the build has hashes) are refused.
 *
 * A place is found by the walk index PLAN.walk (walk_index.h) and a walk of half an interval on
 * average, so opening takes neither time nor memory for the documents of the plan. Where there is no
 * such file, or one that belongs to another plan, the index is made in memory, which costs a walk over
 * the whole plan, about half a microsecond a document; `note` says so.
 *
 * With `trust` the shards are opened by lu_shard_open_trusted(), and the index is taken as it is but
 * for checksums. Without it the index is also compared with the shards at a few places, by walking
 * from one record to the next.
 *
 * An open plan is read-only and must not be moved: any number of threads may share it, each with
 * cursors of its own. Part of the bare build.
 */
#include "libcommon/mix/plan.h"
#include "libcommon/mix/walk_index.h"
#include "libcommon/shard/reader.h"

struct lu_planned {
	const char *path; /* the caller's */
	struct lu_plan plan;
	struct lu_shard **shard; /* plan.shards of them; one set to NULL is the caller's to close */
	struct lu_walk_index *index;
	char *note; /* a sentence for people, or NULL */
};

/* On failure nothing is left open. */
int lu_planned_open(
		struct lu_planned *p, const char *path, bool trust, struct lu_err *err) LU_CHECKED;
void lu_planned_close(struct lu_planned *p); /* twice is fine */

/* Tokens of a sequence that lie one after the other in a shard: tokens first .. first + n - 1 of it
 * are begin .. begin + n - 1 of the sequence. */
struct lu_piece {
	const struct lu_shard *shard;
	uint64_t first;
	uint64_t begin, n; /* n is not 0 */
	bool document;	   /* a document of a plan, else all of a shard */
};

/* After a failure of seek or next only seek or free may follow. */
struct lu_planned_cursor;
int lu_planned_cursor_new(struct lu_planned_cursor **c, const struct lu_planned *p,
		struct lu_err *err) LU_CHECKED;
void lu_planned_cursor_free(struct lu_planned_cursor *c); /* NULL is fine */

/* Go to the document with this token of the plan, which is below plan.tokens. A cursor that is less
 * than an interval before it walks on from where it is. */
int lu_planned_seek(struct lu_planned_cursor *c, uint64_t token, struct lu_piece *piece,
		struct lu_err *err) LU_CHECKED;
/* The next document that is not empty, at first that of token 0: 1, 0 at the end, -1. */
int lu_planned_next(
		struct lu_planned_cursor *c, struct lu_piece *piece, struct lu_err *err) LU_CHECKED;

#endif
