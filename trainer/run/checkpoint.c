#include "trainer/run/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libcommon/base/vec.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/mapped.h"
#include "trainer/run/folder.h"

/* --- names ----------------------------------------------------------------------------------- */

/* RUN/step-N; NULL when memory is out. */
static char *step_folder(const char *run, uint64_t step)
{
	char *path;

	return asprintf(&path, "%s/step-%08" PRIu64, run, step) < 0 ? NULL : path;
}

/* RUN/.step-N.HOST-PID.lu-tmp, which does not look like a checkpoint and is no other attempt's; NULL
 * when memory is out. */
static char *hidden_folder(const struct lt_run *run, uint64_t step)
{
	char *path;

	return asprintf(&path, "%s/.step-%08" PRIu64 ".%s.lu-tmp", run->path, step,
			       run->owner.attempt) < 0
			? NULL
			: path;
}

/* Parse "step-00001000"; false for other names. */
static bool parse_step(const char *name, uint64_t *step)
{
	char *end;

	if (strncmp(name, "step-", 5) != 0 || strlen(name) < 13 || name[5] < '0' || name[5] > '9')
		return false;
	errno = 0;
	*step = strtoull(name + 5, &end, 10);
	return *end == '\0' && errno == 0;
}

/* --- writing --------------------------------------------------------------------------------- */

int lt_checkpoint_space(const char *run, const struct lt_table *table, struct lu_err *err)
{
	uint64_t need = (uint64_t)table->total * sizeof(lk_real) * LT_VECTORS + ((uint64_t)1 << 20);
	struct statvfs fs;

	if (statvfs(run, &fs) < 0)
		return lu_err_sys(err, errno, "%s", run);
	if ((uint64_t)fs.f_bavail * fs.f_frsize < need)
		return lu_err_set(err,
				"%s: a checkpoint needs %" PRIu64 " bytes, the disk has %" PRIu64
				" free",
				run, need, (uint64_t)fs.f_bavail * fs.f_frsize);
	return 0;
}

static int write_file(const char *path, const struct lu_buf *text, struct lu_err *err)
{
	int fd, rc;

	if (lu_buf_check(text, err) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return lu_err_sys(err, errno, "%s", path);
	rc = lu_write_all(fd, text->p, text->n, path, err);
	if (rc == 0 && fsync(fd) < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	if (close(fd) < 0 && rc == 0)
		rc = lu_err_sys(err, errno, "%s", path);
	return rc;
}

/* Write the files of a checkpoint to an empty folder, the manifest last, and sync the folder. */
static int write_files(const char *dir, struct lt_weights *w, const struct lt_position *pos,
		struct lu_err *err)
{
	struct lt_digest digest[LT_VECTORS];
	struct lu_buf text = { 0 };
	char *path;
	int rc = 0;

	for (int i = 0; i < LT_VECTORS && rc == 0; i++) {
		path = lu_concat(dir, "/", lt_vector_files[i]);
		rc = path ? lt_tensors_write(w, (enum lt_vector)i, 0, w->table.n, lt_real_type(),
					    path, NULL, &digest[i], err)
			  : lu_err_nomem(err);
		free(path);
	}
	if (rc < 0)
		return -1;
	lt_manifest_format(pos, &w->table, digest, &text);
	path = lu_concat(dir, "/", "manifest.json");
	rc = path ? write_file(path, &text, err) : lu_err_nomem(err);
	if (rc == 0)
		rc = lu_sync_folder(path, err);
	free(path);
	lu_buf_release(&text);
	return rc;
}

/* Exchange two folders. Without the system call for it (NFS, Lustre) neither has the name `dir` for
 * a moment. */
static int exchange(const char *temp, const char *dir, struct lu_err *err)
{
	char *old;
	int rc;

	if (renameat2(AT_FDCWD, temp, AT_FDCWD, dir, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return lu_err_sys(err, errno, "%s", dir);
	old = lu_concat(temp, ".old", ".lu-tmp");
	if (!old)
		return lu_err_nomem(err);
	rc = rename(dir, old) < 0 || rename(temp, dir) < 0 || rename(old, temp) < 0
			? lu_err_sys(err, errno, "%s", dir)
			: 0;
	free(old);
	return rc;
}

/* Rename temp to dir. A checkpoint of the same step, which was abandoned or precedes a validation, is
 * replaced. */
static int move_into_place(const char *temp, const char *dir, struct lu_err *err)
{
	if (access(dir, F_OK) < 0) {
		if (rename(temp, dir) < 0)
			return lu_err_sys(err, errno, "%s", dir);
	} else if (exchange(temp, dir, err) < 0 || lt_folder_remove(temp, err) < 0) {
		return -1;
	}
	return lu_sync_folder(dir, err);
}

/* Let RUN/latest point to the checkpoint, by name within the run. */
static int point_latest(const struct lt_run *run, const char *dir, struct lu_err *err)
{
	char *latest = lu_concat(run->path, "/", "latest"), *temp;
	int rc = -1;

	if (asprintf(&temp, "%s/.latest.%s.lu-tmp", run->path, run->owner.attempt) < 0)
		temp = NULL;
	if (!latest || !temp) {
		lu_err_nomem(err);
		goto out;
	}
	if ((unlink(temp) < 0 && errno != ENOENT) || symlink(strrchr(dir, '/') + 1, temp) < 0 ||
			rename(temp, latest) < 0) {
		lu_err_sys(err, errno, "%s", latest);
		unlink(temp);
		goto out;
	}
	rc = lu_sync_folder(latest, err);
out:
	free(latest);
	free(temp);
	return rc;
}

/* --- removing old checkpoints ----------------------------------------------------------------- */

struct steps LU_VEC(uint64_t);

static int by_step(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* List the checkpoints up to step `last`, in ascending order. */
static int list_steps(const char *run, uint64_t last, struct steps *steps, struct lu_err *err)
{
	DIR *d = opendir(run);
	struct dirent *e;
	uint64_t step;
	int rc = 0;

	if (!d)
		return lu_err_sys(err, errno, "%s", run);
	while (rc == 0 && (e = readdir(d))) {
		if (parse_step(e->d_name, &step) && step <= last && !lu_vec_push(steps, step))
			rc = lu_err_nomem(err);
	}
	closedir(d);
	if (steps->n)
		qsort(steps->p, steps->n, sizeof(*steps->p), by_step);
	return rc;
}

/* Hide a checkpoint before removing it: half of one must not look like a checkpoint. */
static int remove_step(const struct lt_run *run, uint64_t step, struct lu_err *err)
{
	char *dir = step_folder(run->path, step), *temp = hidden_folder(run, step);
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
	struct steps steps = { 0 };
	int rc = 0;

	if (keep == 0)
		return 0;
	rc = list_steps(run->path, last, &steps, err);
	for (size_t i = 0; rc == 0 && i + keep < steps.n; i++)
		rc = remove_step(run, steps.p[i], err);
	lu_vec_release(&steps);
	return rc;
}

/* --- interface ------------------------------------------------------------------------------- */

int lt_checkpoint_save(struct lt_run *run, struct lt_weights *w, const struct lt_position *pos,
		size_t keep, struct lu_err *err)
{
	char *temp = hidden_folder(run, pos->step), *dir = step_folder(run->path, pos->step);
	int rc = -1;

	LU_ASSERT(w->lanes > 0);
	if (!temp || !dir) {
		lu_err_nomem(err);
		goto out;
	}
	if (lt_owner_holds(&run->owner, err) < 0 || lt_folder_remove(temp, err) < 0 ||
			lt_checkpoint_space(run->path, &w->table, err) < 0)
		goto out;
	if (mkdir(temp, 0777) < 0) {
		lu_err_sys(err, errno, "%s", temp);
		goto out;
	}
	/* A shard that was cut may have been read as zeros. */
	if (write_files(temp, w, pos, err) < 0 || lt_manifest_verify(temp, err) < 0 ||
			lu_mapped_check(err) < 0 || lt_owner_holds(&run->owner, err) < 0 ||
			move_into_place(temp, dir, err) < 0) {
		struct lu_err ignored;

		/* The first error is the one to report. */
		(void)lt_folder_remove(temp, &ignored);
		goto out;
	}
	if (point_latest(run, dir, err) < 0 || remove_old(run, pos->step, keep, err) < 0)
		goto out;
	rc = 0;
out:
	free(temp);
	free(dir);
	return rc < 0 ? lu_err_wrap(err, "checkpoint") : 0;
}

int lt_checkpoint_load(const char *dir, struct lt_weights *w, struct lu_err *err)
{
	if (lt_manifest_verify(dir, err) < 0)
		return -1;
	for (int i = 0; i < LT_VECTORS; i++) {
		char *path;
		int rc;

		if (!w->vector[i])
			continue;
		path = lu_concat(dir, "/", lt_vector_files[i]);
		rc = path ? lt_tensors_read(w, (enum lt_vector)i, path, err) : lu_err_nomem(err);
		free(path);
		if (rc < 0)
			return -1;
	}
	return lt_weights_refresh(w, err);
}

/* *dir = path if it exists, otherwise NULL; takes ownership of path. */
static int if_exists(char *path, char **dir, struct lu_err *err)
{
	struct stat sb;

	*dir = NULL;
	if (!path)
		return lu_err_nomem(err);
	if (lstat(path, &sb) == 0)
		*dir = path;
	else
		free(path);
	return 0;
}

int lt_checkpoint_find(const char *path, uint64_t step, char **dir, struct lu_err *err)
{
	*dir = NULL;
	if (step != UINT64_MAX) {
		char *folder = step_folder(path, step);

		if (!folder)
			return lu_err_nomem(err);
		if (access(folder, F_OK) < 0) {
			lu_err_sys(err, errno, "%s", folder);
			free(folder);
			return -1;
		}
		*dir = folder;
		return 0;
	}
	if (if_exists(lu_concat(path, "/", "latest"), dir, err) < 0)
		return -1;
	if (!*dir && lt_folder_has(path, "manifest.json") && !(*dir = strdup(path)))
		return lu_err_nomem(err);
	return 0;
}
