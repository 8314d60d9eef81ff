#ifndef LUCIE_MIX_WALK_H
#define LUCIE_MIX_WALK_H
/*
 * The order of a plan (lucie-plan(5)): a pure function of the plan and of the sizes of its
 * documents.
 *
 *	struct lu_plan_walk *w;
 *	lu_plan_walk_new(&w, &plan, size_of, ctx, &err);
 *	while ((rc = lu_plan_walk_next(w, &e, &err)) > 0)
 *		... document e.document of shard e.shard ...
 *	lu_plan_walk_free(w);
 *
 * size_of() gives the tokens of a document (its length in the .idx). The walk fails where the
 * sizes do not add up to what the plan says: the shards are not those it was made for.
 *
 * A walk can be left and taken up again where it was, by itself or by another of the same plan:
 * lu_plan_walk_marks() tells how far each group is, lu_plan_walk_restore() goes there. walk_index.h
 * keeps such marks to find any token of a plan.
 *
 * The groups compete in a tournament tree (Knuth, The Art of Computer Programming 3, 5.4.1), so a step
 * costs log2(groups) comparisons, one permutation and one size; memory is constant. A walk belongs to
 * one thread; any number of walks may share a plan. Needs only libc: part of the bare build.
 */
#include "libcommon/mix/plan.h"

struct lu_plan_entry {
	uint64_t shard, document;
	uint64_t size;	      /* from size_of() */
	uint64_t group, pass; /* that it is taken for; passes count from 0 */
};

/* Document i of a group, i below g->documents: shard and document are set. */
struct lu_plan_entry lu_plan_document(const struct lu_plan_group *g, uint64_t i);

/* Sets *size and returns 0, or -1. */
typedef int lu_plan_size_fn(
		void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err);

struct lu_plan_walk;
int lu_plan_walk_new(struct lu_plan_walk **w, const struct lu_plan *p, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err) LU_CHECKED;
/* 1: the next document; 0: the end; -1: size_of() failed, or the sizes do not match the plan. After
 * a failure only restore and free may follow. */
int lu_plan_walk_next(
		struct lu_plan_walk *w, struct lu_plan_entry *e, struct lu_err *err) LU_CHECKED;
void lu_plan_walk_free(struct lu_plan_walk *w); /* NULL is fine */

/* What a group has yielded so far. */
struct lu_plan_mark {
	uint64_t documents, tokens;
};
/* Set the marks of all groups: plan->groups of them. */
void lu_plan_walk_marks(const struct lu_plan_walk *w, struct lu_plan_mark *mark);
/* Go on from there. Marks that no walk of the plan can have are an error. */
int lu_plan_walk_restore(struct lu_plan_walk *w, const struct lu_plan_mark *mark,
		struct lu_err *err) LU_CHECKED;

#endif
