#include "trainer/run/runfolder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"

#define COPY_MAX ((size_t)1 << 30)

static const char *const log_name[LT_LOGS] = { "metrics.jsonl", "timing.jsonl" };

char *lt_run_path(const char *run, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", run, name) < 0 ? NULL : path;
}

bool lt_run_has(const char *run, const char *name)
{
	char *path = lt_run_path(run, name);
	bool has = path && access(path, F_OK) == 0;

	free(path);
	return has;
}

int lt_folder_remove(const char *path, struct lu_err *err)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : lu_err_sys(err, errno, "%s", path);
	while (rc == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) < 0)
			rc = lu_err_sys(err, errno, "%s/%s", path, e->d_name);
	}
	closedir(d);
	if (rc == 0 && rmdir(path) < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	return rc;
}

static int remove_in(const char *run, const char *name, struct lu_err *err)
{
	char *path = lt_run_path(run, name);
	int rc = path ? lt_folder_remove(path, err) : lu_err_nomem(err);

	free(path);
	return rc;
}

/* What never became a checkpoint: .step-N.lu-tmp. */
static int clean(struct lt_run *r, struct lu_err *err)
{
	DIR *d = opendir(r->path);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return lu_err_sys(err, errno, "%s", r->path);
	while (rc == 0 && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (strncmp(e->d_name, ".step-", 6) == 0 && n > 13 &&
				strcmp(e->d_name + n - 7, ".lu-tmp") == 0)
			rc = remove_in(r->path, e->d_name, err);
	}
	closedir(d);
	return rc;
}

int lt_run_open(struct lt_run *r, const char *path, struct lu_err *err)
{
	*r = (struct lt_run){ .dir = -1, .log = { -1, -1 } };
	r->path = strdup(path);
	if (!r->path)
		return lu_err_nomem(err);
	if (lu_make_folders(path, err) < 0)
		goto fail;
	r->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0) {
		lu_err_sys(err, errno, "%s", path);
		goto fail;
	}
	if (flock(r->dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			lu_err_set(err, "%s: another trainer is at work in this folder", path);
		else
			lu_err_sys(err, errno, "%s", path);
		goto fail;
	}
	if (clean(r, err) < 0)
		goto fail;
	return 0;
fail:
	if (r->dir >= 0)
		close(r->dir);
	free(r->path);
	*r = (struct lt_run){ .dir = -1, .log = { -1, -1 } };
	return -1;
}

int lt_run_close(struct lt_run *r, struct lu_err *err)
{
	int rc = 0;

	for (int i = 0; i < LT_LOGS; i++) {
		if (r->log[i] >= 0 && close(r->log[i]) < 0)
			rc = lu_err_sys(err, errno, "%s/%s", r->path, log_name[i]);
	}
	if (r->dir >= 0)
		close(r->dir);
	free(r->path);
	*r = (struct lt_run){ .dir = -1, .log = { -1, -1 } };
	return rc;
}

static int write_file(const char *path, const char *p, size_t n, struct lu_err *err)
{
	struct lu_atomic f;

	if (lu_atomic_open(&f, path, err) < 0)
		return -1;
	if (lu_atomic_write(&f, p, n, err) < 0) {
		lu_atomic_abort(&f);
		return -1;
	}
	return lu_atomic_commit(&f, err);
}

int lt_run_write(struct lt_run *r, const char *name, struct lu_str text, struct lu_err *err)
{
	char *path = lt_run_path(r->path, name);
	int rc = path ? write_file(path, text.p, text.n, err) : lu_err_nomem(err);

	free(path);
	return rc;
}

int lt_run_copy(const char *from, const char *run, const char *name, struct lu_err *err)
{
	char *path = lt_run_path(run, name), *text = NULL;
	size_t n;
	int rc = -1;

	if (!path)
		return lu_err_nomem(err);
	if (lu_read_file(from, COPY_MAX, &text, &n, err) == 0)
		rc = write_file(path, text, n, err);
	free(text);
	free(path);
	return rc;
}

/* A kill may have left half a line at the end: it is cut off. */
static int cut_half_line(int fd, const char *path, struct lu_err *err)
{
	off_t end = lseek(fd, 0, SEEK_END), keep = end;
	char last;

	if (end < 0)
		return lu_err_sys(err, errno, "%s", path);
	for (; keep > 0; keep--) {
		if (lu_pread_all(fd, &last, 1, (uint64_t)keep - 1, path, err) < 0)
			return -1;
		if (last == '\n')
			break;
	}
	if (keep < end && ftruncate(fd, keep) < 0)
		return lu_err_sys(err, errno, "%s", path);
	return 0;
}

int lt_run_log(struct lt_run *r, enum lt_log log, const struct lu_buf *line, struct lu_err *err)
{
	char *path = lt_run_path(r->path, log_name[log]);
	int *fd = &r->log[log], rc = path ? lu_buf_check(line, err) : lu_err_nomem(err);

	if (rc == 0 && *fd < 0) {
		*fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		rc = *fd < 0 ? lu_err_sys(err, errno, "%s", path) : cut_half_line(*fd, path, err);
	}
	if (rc == 0)
		rc = lu_write_all(*fd, line->p, line->n, path, err);
	free(path);
	return rc;
}
