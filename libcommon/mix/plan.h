#ifndef LUCIE_MIX_PLAN_H
#define LUCIE_MIX_PLAN_H
/*
 * A plan: which documents of which shards are used and how often (lucie-plan(5)). The order
 * follows from it (walk.h); planned.h also opens the shards.
 *
 *	struct lu_plan plan = { 0 };
 *	if (lu_plan_read(&plan, path, &err) < 0) ...
 *	lu_plan_release(&plan);
 *
 * Needs only libc: part of the bare build.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"

#define LU_PLAN_VERSION 1

struct lu_plan_shard {
	const char *prefix;
	uint64_t documents, tokens;
	const char *manifest; /* 32 hexadecimal digits, XXH3-128 of PREFIX.json */
};

struct lu_plan_range {
	uint64_t shard, first, count; /* documents first .. first + count - 1 of the shard */
};

struct lu_plan_group {
	const char *name;
	uint64_t documents, tokens; /* in its ranges */
	uint64_t quota;		    /* in documents or tokens, as `by_documents` says */
	uint64_t passes, last;	    /* whole passes, and documents of one more */
	uint64_t planned;	    /* tokens of these passes */
	struct lu_plan_range *range;
	size_t ranges;
	uint64_t *before; /* by range: documents of the group in earlier ranges */
};

struct lu_plan {
	uint64_t seed;
	bool by_documents;	    /* quotas count documents, else tokens */
	uint64_t documents, tokens; /* of the mix */
	struct lu_plan_shard *shard;
	size_t shards;
	struct lu_plan_group *group;
	size_t groups;
	uint64_t checksum;     /* of the text, as in its last line; set by reading and writing */
	struct lu_arena arena; /* owns everything above */
};

/* True if the file begins like a plan, to tell it from a shard prefix; false if it does not or
 * cannot be read. */
bool lu_plan_is(const char *path);
/* Read and check a plan. Errors name the file and the line. */
int lu_plan_read(struct lu_plan *p, const char *path, struct lu_err *err) LU_CHECKED;
/* Append the text of the plan. */
void lu_plan_write(struct lu_plan *p, struct lu_buf *out);
void lu_plan_release(struct lu_plan *p);

#endif
