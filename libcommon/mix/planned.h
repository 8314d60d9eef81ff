#ifndef LUCIE_MIX_PLANNED_H
#define LUCIE_MIX_PLANNED_H
/*
 * A plan with its shards open.
 *
 *	struct lu_planned p = { 0 };
 *	if (lu_planned_open(&p, path, &err) < 0) ...
 *	lu_planned_walk(&p, piece, ctx, &err);
 *	lu_planned_close(&p);
 *
 * Shards other than those that the plan was made for (their counts differ, or the hash of their
 * manifest, where the build has hashes) are refused. Part of the bare build.
 */
#include "libcommon/mix/plan.h"
#include "libcommon/shard/reader.h"

struct lu_planned {
	const char *path; /* the caller's */
	struct lu_plan plan;
	struct lu_shard **shard; /* plan.shards of them; one set to NULL is the caller's to close */
};

/* On failure nothing is left open. */
int lu_planned_open(struct lu_planned *p, const char *path, struct lu_err *err) LU_CHECKED;
void lu_planned_close(struct lu_planned *p); /* twice is fine */

/* A piece of a sequence of tokens: tokens first .. first + n - 1 of the shard. Returns 0 to go on,
 * 1 to stop, -1 on error. */
typedef int lu_piece_fn(void *ctx, const struct lu_shard *shard, uint64_t first, uint64_t n,
		struct lu_err *err);

/* Call piece() for each document in the order of the plan. Returns 0 at the end, 1 when piece()
 * returned 1, or -1. */
int lu_planned_walk(const struct lu_planned *p, lu_piece_fn *piece, void *ctx,
		struct lu_err *err) LU_CHECKED;

#endif
