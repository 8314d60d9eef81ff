#ifndef LUCIE_MIX_PLAN_FILES_H
#define LUCIE_MIX_PLAN_FILES_H
/*
 * A plan as files: the plan itself and, beside it, its walk index (walk_index.h).
 *
 *	struct lu_plan_files f = { 0 };
 *	rc = lu_plan_files_write(&f, &plan, "mix.plan", size_of, ctx, &err);
 *	if (rc == 0)
 *		rc = lu_plan_files_commit(&f, &err);
 *	lu_plan_files_abort(&f);			always
 *
 * The index gets its name first: one without its plan is ignored, a plan without its index is slow.
 */
#include "libcommon/io/outstream.h"
#include "libcommon/mix/walk_index.h"

struct lu_plan_files {
	struct lu_out *plan, *walk;
};

/* Write both files under temporary names, and sync them. `target` is a file name; NULL and "-" are
 * standard output. There, and where it is no regular file or in /dev or /proc, there is no index. */
int lu_plan_files_write(struct lu_plan_files *f, struct lu_plan *p, const char *target,
		lu_plan_size_fn *size_of, void *ctx, struct lu_err *err) LU_CHECKED;
int lu_plan_files_commit(struct lu_plan_files *f, struct lu_err *err) LU_CHECKED;
/* Remove what is not committed. */
void lu_plan_files_abort(struct lu_plan_files *f);

#endif
