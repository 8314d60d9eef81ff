#include "libcommon/mix/plan_files.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "libcommon/sys/file.h"

/* True if a file can lie beside the target. */
static bool has_beside(const char *target)
{
	struct stat st;

	if (!target || strcmp(target, "-") == 0 || strncmp(target, "/dev/", 5) == 0 ||
			strncmp(target, "/proc/", 6) == 0)
		return false;
	return stat(target, &st) < 0 || S_ISREG(st.st_mode);
}

static int to_out(void *ctx, const void *p, size_t n, struct lu_err *err)
{
	return lu_out_write(ctx, p, n, err);
}

static int write_walk(struct lu_plan_files *f, const struct lu_plan *p, const char *target,
		lu_plan_size_fn *size_of, void *ctx, struct lu_err *err)
{
	char *path = lu_concat(target, ".walk", NULL);
	int rc = path ? lu_out_open(&f->walk, path, "none", 1, err) : lu_err_nomem(err);

	free(path);
	if (rc == 0)
		rc = lu_walk_index_write(p, size_of, ctx, to_out, f->walk, err);
	return rc == 0 ? lu_out_settle(f->walk, err) : -1;
}

int lu_plan_files_write(struct lu_plan_files *f, struct lu_plan *p, const char *target,
		lu_plan_size_fn *size_of, void *ctx, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc;

	lu_plan_write(p, &text);
	rc = lu_out_open(&f->plan, target, target ? NULL : "none", 1, err);
	if (rc == 0)
		rc = lu_out_buf(f->plan, &text, err);
	lu_buf_release(&text);
	if (rc == 0 && has_beside(target))
		rc = write_walk(f, p, target, size_of, ctx, err);
	return rc == 0 ? lu_out_settle(f->plan, err) : -1;
}

int lu_plan_files_commit(struct lu_plan_files *f, struct lu_err *err)
{
	struct lu_out *plan = f->plan, *walk = f->walk;

	f->walk = NULL;
	if (walk && lu_out_commit(walk, err) < 0)
		return -1;
	f->plan = NULL;
	return lu_out_commit(plan, err);
}

void lu_plan_files_abort(struct lu_plan_files *f)
{
	lu_out_abort(f->plan);
	lu_out_abort(f->walk);
	*f = (struct lu_plan_files){ 0 };
}
