#ifndef LUCIE_MIX_PLAN_H
#define LUCIE_MIX_PLAN_H
/*
 * A plan: which documents are used, how often and in what order (lucie-plan(5)). The order is a
 * pure function of what the plan holds and of the documents' sizes.
 *
 * Reading one and walking through it:
 *
 *	struct lu_plan plan = { 0 };
 *	if (lu_plan_read(&plan, path, &err) < 0) ...
 *	... open plan.shard[i].prefix for each i, compare documents and tokens ...
 *	struct lu_plan_walk *w;
 *	lu_plan_walk_new(&w, &plan, size_of, shards, &err);
 *	while ((rc = lu_plan_next(w, &place, &err)) > 0)
 *		... document place.document of shard place.shard ...
 *	lu_plan_walk_free(w);
 *	lu_plan_release(&plan);
 *
 * size_of() tells a document's tokens (its length in the .idx); the walk fails when the sizes do
 * not add up to what the plan says, that is when the
 * shards are not those it was made for. Walking takes a few operations a group and document and
 * constant memory beside the ranges. One thread at a time a walk; a plan may be shared.
 *
 * Needs nothing but libc: it is part of the bare build.
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
	uint64_t shard, first, count;
};

struct lu_plan_group {
	const char *name;
	uint64_t documents, tokens; /* what it has */
	uint64_t quota;		    /* in the measure */
	uint64_t passes, last;	    /* how it is met */
	uint64_t planned;	    /* what it gives, in tokens */
	struct lu_plan_range *range;
	size_t ranges;
	uint64_t *before; /* by range: the group's documents before it */
};

struct lu_plan {
	uint64_t seed;
	bool by_documents;	    /* the measure: documents, else tokens */
	uint64_t documents, tokens; /* what it gives */
	struct lu_plan_shard *shard;
	size_t shards;
	struct lu_plan_group *group;
	size_t groups;
	struct lu_arena arena; /* everything above lives here */
};

/* True when the file begins like a plan: to tell it from a shard prefix. False when it does not,
 * or cannot be read. */
bool lu_plan_is(const char *path);
/* Reads and checks one. Errors name the file and the line. */
int lu_plan_read(struct lu_plan *p, const char *path, struct lu_err *err) LU_CHECKED;
/* Appends the text of the plan. */
void lu_plan_write(const struct lu_plan *p, struct lu_buf *out);
void lu_plan_release(struct lu_plan *p);

struct lu_plan_place {
	uint64_t shard, document; /* which document of which shard */
	uint64_t size;		  /* what size_of() said */
	uint64_t group, pass;	  /* why it is here; pass counts from 0 */
};

/* Document i of a group, i below its documents: shard and document are filled. */
struct lu_plan_place lu_plan_document(const struct lu_plan_group *g, uint64_t i);

typedef uint64_t lu_plan_size_fn(void *ctx, uint64_t shard, uint64_t document);

struct lu_plan_walk;
int lu_plan_walk_new(struct lu_plan_walk **w, const struct lu_plan *p, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err) LU_CHECKED;
/* 1 the next document; 0 the end; -1 the sizes are not those of the plan. */
int lu_plan_next(
		struct lu_plan_walk *w, struct lu_plan_place *place, struct lu_err *err) LU_CHECKED;
void lu_plan_walk_free(struct lu_plan_walk *w);

#endif
