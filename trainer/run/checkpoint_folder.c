#include "trainer/run/checkpoint_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "trainer/run/folder.h"
#include "trainer/run/step_folder.h"

/* RUN/.step-N.HOST-PID.SUFFIX; NULL when memory is out. */
static char *hidden_folder(const struct lt_run *run, uint64_t step, const char *suffix)
{
	char *path;

	return asprintf(&path, "%s/.step-%08" PRIu64 ".%s.%s", run->path, step, run->owner.attempt,
			       suffix) < 0
			? NULL
			: path;
}

/* --- files ----------------------------------------------------------------------------------- */

/* Give a file its size. Where the file system cannot reserve the space, a write will find out. */
static int reserve(int fd, uint64_t bytes, const char *path, struct lu_err *err)
{
	while (fallocate(fd, 0, 0, (off_t)bytes) < 0) {
		if (errno == ENOSPC || errno == EDQUOT)
			return lu_err_sys(err, errno, "%s: %" PRIu64 " bytes", path, bytes);
		if (errno != EINTR)
			return ftruncate(fd, (off_t)bytes) < 0 ? lu_err_sys(err, errno, "%s", path)
							       : 0;
	}
	return 0;
}

/* Write a new file that begins with `head` and is `bytes` long, and sync it. */
static int create_file(const char *dir, const char *name, struct lu_str head, uint64_t bytes,
		struct lu_err *err)
{
	char *path = lu_concat(dir, "/", name);
	int fd, rc = -1;

	if (!path)
		return lu_err_nomem(err);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		lu_err_sys(err, errno, "%s", path);
		goto out;
	}
	rc = bytes > head.n ? reserve(fd, bytes, path, err) : 0;
	if (rc == 0)
		rc = lu_pwrite_all(fd, head.p, head.n, 0, path, err);
	if (rc == 0 && fsync(fd) < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	if (close(fd) < 0 && rc == 0)
		rc = lu_err_sys(err, errno, "%s", path);
out:
	free(path);
	return rc;
}

/* --- writing --------------------------------------------------------------------------------- */

int lt_draft_create(struct lt_draft *d, const struct lt_run *run, uint64_t step,
		const struct lt_tensors_layout *layout, struct lu_err *err)
{
	*d = (struct lt_draft){ hidden_folder(run, step, "lu-tmp"),
		lt_step_folder(run->path, step) };
	if (!d->temp || !d->dir) {
		lu_err_nomem(err);
		goto fail;
	}
	if (lt_owner_holds(&run->owner, err) < 0 || lt_folder_remove(d->temp, err) < 0)
		goto fail;
	if (mkdir(d->temp, 0777) < 0) {
		lu_err_sys(err, errno, "%s", d->temp);
		goto fail;
	}
	for (int i = 0; i < LT_VECTORS; i++) {
		if (create_file(d->temp, lt_vector_files[i], lu_buf_slice(&layout->header),
				    layout->bytes, err) < 0)
			goto fail;
	}
	return 0;
fail:
	lt_draft_discard(d);
	return -1;
}

void lt_draft_discard(struct lt_draft *d)
{
	struct lu_err ignored;

	/* Whatever stays is removed when the run is started again. */
	if (d->temp)
		(void)lt_folder_remove(d->temp, &ignored);
	free(d->temp);
	free(d->dir);
	*d = (struct lt_draft){ 0 };
}

/* --- publishing ------------------------------------------------------------------------------ */

/* Prepare the link to the checkpoint, by name within the run, under a temporary name. */
static int make_link(const char *temp, const char *dir, struct lu_err *err)
{
	if ((unlink(temp) < 0 && errno != ENOENT) || symlink(strrchr(dir, '/') + 1, temp) < 0)
		return lu_err_sys(err, errno, "%s", temp);
	return 0;
}

static int rename_link(const char *temp, const char *latest, struct lu_err *err)
{
	return rename(temp, latest) < 0 ? lu_err_sys(err, errno, "%s", latest)
					: lu_sync_folder(latest, err);
}

/* Rename temp to dir, whose present folder becomes `old`. For a moment neither has the name `dir`: see
 * lt_step_aside(). */
static int replace(const char *temp, const char *dir, const char *old, struct lu_err *err)
{
	if (rename(dir, old) < 0)
		return lu_err_sys(err, errno, "%s", dir);
	if (rename(temp, dir) == 0)
		return 0;
	lu_err_sys(err, errno, "%s", dir);
	/* What fails here, lt_step_restore() does when the run is started again. */
	(void)!rename(old, dir);
	return -1;
}

/* Rename temp to dir, and remove the checkpoint that has that name. */
static int move_into_place(const struct lt_draft *d, const struct lt_run *run, uint64_t step,
		struct lu_err *err)
{
	char *aside = hidden_folder(run, step, LT_ASIDE_SUFFIX);
	const char *old = NULL;
	int rc = 0;

	if (!aside)
		return lu_err_nomem(err);
	if (access(d->dir, F_OK) < 0) {
		if (rename(d->temp, d->dir) < 0)
			rc = lu_err_sys(err, errno, "%s", d->dir);
	} else if (renameat2(AT_FDCWD, d->temp, AT_FDCWD, d->dir, RENAME_EXCHANGE) == 0) {
		old = d->temp;
	} else {
		/* NFS and Lustre have no such call. */
		rc = replace(d->temp, d->dir, aside, err);
		old = aside;
	}
	/* The one that was there goes only when the new one is sure to stay. */
	if (rc == 0)
		rc = lu_sync_folder(d->dir, err);
	if (rc == 0 && old)
		rc = lt_folder_remove(old, err);
	free(aside);
	return rc;
}

/* Hide a checkpoint before removing it: half of one must not look like a checkpoint. */
static int remove_step(const struct lt_run *run, uint64_t step, struct lu_err *err)
{
	char *dir = lt_step_folder(run->path, step), *temp = hidden_folder(run, step, "lu-tmp");
	int rc = -1;

	if (!dir || !temp)
		lu_err_nomem(err);
	else if (lt_folder_remove(temp, err) == 0)
		rc = rename(dir, temp) < 0 ? lu_err_sys(err, errno, "%s", dir)
					   : lt_folder_remove(temp, err);
	free(dir);
	free(temp);
	return rc;
}

/* Remove the oldest checkpoints up to step `last` so that `keep` of them, or all if 0, remain. */
static int remove_old(const struct lt_run *run, uint64_t last, size_t keep, struct lu_err *err)
{
	struct lt_steps steps = { 0 };
	int rc = 0;

	if (keep == 0)
		return 0;
	rc = lt_steps_list(run->path, last, &steps, err);
	for (size_t i = 0; rc == 0 && i + keep < steps.n; i++)
		rc = remove_step(run, steps.p[i], err);
	lu_vec_release(&steps);
	return rc;
}

int lt_draft_publish(struct lt_draft *d, const struct lt_run *run, const struct lt_published *what,
		bool *published, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	char *manifest = lu_concat(d->temp, "/", "manifest.json"), *link;
	char *latest = lu_concat(run->path, "/", "latest");
	int rc = -1;

	*published = false;
	if (asprintf(&link, "%s/.latest.%s.lu-tmp", run->path, run->owner.attempt) < 0)
		link = NULL;
	lt_manifest_format(what->pos, what->table, what->digest, &text);
	if (!manifest || !latest || !link) {
		lu_err_nomem(err);
		goto out;
	}
	/* All that needs space comes before the renames. */
	if (lu_buf_check(&text, err) < 0 ||
			create_file(d->temp, "manifest.json", lu_buf_slice(&text), 0, err) < 0 ||
			lu_sync_folder(manifest, err) < 0 || lt_run_sync(run, err) < 0 ||
			make_link(link, d->dir, err) < 0 || lt_owner_holds(&run->owner, err) < 0 ||
			move_into_place(d, run, what->pos->step, err) < 0 ||
			rename_link(link, latest, err) < 0)
		goto out;
	*published = true;
	rc = remove_old(run, what->pos->step, what->keep, err);
out:
	if (link && !*published)
		unlink(link);
	free(latest);
	free(link);
	free(manifest);
	lu_buf_release(&text);
	return rc;
}
