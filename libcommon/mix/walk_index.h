#ifndef LUCIE_MIX_WALK_INDEX_H
#define LUCIE_MIX_WALK_INDEX_H
/*
 * The walk index of a plan, PLAN.walk (lucie-plan(5)): where a walk (walk.h) is every so many
 * documents, so that any token of the plan is found by a binary search and a short walk.
 *
 *	struct lu_walk_index *x;
 *	rc = lu_walk_index_open(&x, "mix.plan.walk", &plan, &err);	0, or 1: of another plan
 *	rc = lu_walk_index_build(&x, &plan, size_of, ctx, &err);	where there is none
 *	lu_walk_index_find(x, token, mark, &place, &err);
 *	lu_plan_walk_restore(walk, mark, &err);
 *	... then lu_plan_walk_next() reaches the token within lu_walk_index_interval() documents ...
 *	lu_walk_index_close(x);
 *
 * lu_walk_index_write() makes the bytes of the file in one walk over the plan and in bounded memory.
 * Its interval is chosen so that the file has at most LU_WALK_MARKS marks, of which one takes three
 * to four bytes: at least 512 documents, at least four times the number of groups, and for n
 * documents in g groups at least n g / LU_WALK_MARKS. So 10^8 documents in 140 groups take 560 from
 * one record to the next, and 3.5 10^9 documents 7,300.
 *
 * Opening reads the header and the directory, 24 bytes per 16 records. Each page has a checksum of
 * its own, which is compared when it is used, and by lu_walk_index_check() for all. An index that is
 * damaged is an error; one of another plan is not, since it may be left behind beside a plan that was
 * written anew.
 *
 * An open index is read-only: any number of threads may share it. Needs only libc: part of the bare
 * build.
 */
#include "libcommon/mix/walk.h"

#define LU_WALK_VERSION 1
#define LU_WALK_MARKS (UINT64_C(1) << 26)

/* Documents from one record of the index to the next. */
uint64_t lu_walk_interval(const struct lu_plan *p);

/* Takes the next n bytes of the file; 0, or -1. */
typedef int lu_walk_sink(void *ctx, const void *p, size_t n, struct lu_err *err);

/* The plan must have been read or written: the index names its checksum. Fails as a walk does. */
int lu_walk_index_write(const struct lu_plan *p, lu_plan_size_fn *size_of, void *size_ctx,
		lu_walk_sink *sink, void *sink_ctx, struct lu_err *err) LU_CHECKED;

struct lu_walk_index;

/* The plan must outlive the index. Returns 1, with *x NULL, if the index was made for another plan. */
int lu_walk_index_open(struct lu_walk_index **x, const char *path, const struct lu_plan *p,
		struct lu_err *err) LU_CHECKED;
/* Make the index in memory, which takes what the file would. */
int lu_walk_index_build(struct lu_walk_index **x, const struct lu_plan *p, lu_plan_size_fn *size_of,
		void *ctx, struct lu_err *err) LU_CHECKED;
void lu_walk_index_close(struct lu_walk_index *x); /* NULL is fine */

uint64_t lu_walk_index_interval(const struct lu_walk_index *x);
/* 0 only for a plan without documents. */
uint64_t lu_walk_index_records(const struct lu_walk_index *x);
/* Compare the checksum of every page. */
int lu_walk_index_check(const struct lu_walk_index *x, struct lu_err *err) LU_CHECKED;

/* Documents and tokens of the plan before a record. */
struct lu_walk_place {
	uint64_t record, documents, tokens;
};
/* The last record at or before a token, which is below plan->tokens: `mark` receives a mark for each
 * group. */
int lu_walk_index_find(const struct lu_walk_index *x, uint64_t token, struct lu_plan_mark *mark,
		struct lu_walk_place *place, struct lu_err *err) LU_CHECKED;
/* The same by the number of the record. */
int lu_walk_index_record(const struct lu_walk_index *x, uint64_t record, struct lu_plan_mark *mark,
		struct lu_walk_place *place, struct lu_err *err) LU_CHECKED;

#endif
