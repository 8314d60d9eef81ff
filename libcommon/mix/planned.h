#ifndef LUCIE_MIX_PLANNED_H
#define LUCIE_MIX_PLANNED_H
/*
 * A plan with its shards open: what the trainer reads and what lucie-trace explains, so that both
 * see the same documents in the same order.
 *
 *	struct lu_planned p = { 0 };
 *	if (lu_planned_open(&p, path, &err) < 0) ...
 *	lu_planned_walk(&p, piece, ctx, &err);
 *	lu_planned_close(&p);
 *
 * Shards that are not those which the plan was made for (other counts, or a manifest with another
 * hash, where the build has hashes) are refused. Part of the bare build.
 */
#include "libcommon/mix/plan.h"
#include "libcommon/shard/reader.h"

struct lu_planned {
	const char *path; /* the caller's */
	struct lu_plan plan;
	struct lu_shard **shard; /* plan.shards of them; one that is set to NULL is the caller's */
};

/* On failure nothing is left open. */
int lu_planned_open(struct lu_planned *p, const char *path, struct lu_err *err) LU_CHECKED;
void lu_planned_close(struct lu_planned *p); /* twice is fine */

/* The next document of the plan: tokens first .. first + n - 1 of the shard. Returns 0 to go on,
 * 1 when it has seen enough, -1. */
typedef int lu_planned_fn(void *ctx, const struct lu_shard *shard, uint64_t first, uint64_t n,
		struct lu_err *err);
int lu_planned_walk(const struct lu_planned *p, lu_planned_fn *piece, void *ctx,
		struct lu_err *err) LU_CHECKED;

#endif
