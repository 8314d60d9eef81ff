#include "trainer/run/runfolder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "trainer/run/folder.h"

static const struct lt_run no_run = { .dir = -1, .log = { -1, -1 } };
static const char *const log_name[LT_LOGS] = { "metrics.jsonl", "timing.jsonl" };

static int remove_in(const char *dir, const char *name, struct lu_err *err)
{
	char *path = lu_concat(dir, "/", name);
	int rc = path ? lt_folder_remove(path, err) : lu_err_nomem(err);

	free(path);
	return rc;
}

/* ".step-N.lu-tmp", a checkpoint being written or removed. */
static bool is_unfinished(const char *name)
{
	static const char prefix[] = ".step-", suffix[] = ".lu-tmp";
	size_t n = strlen(name), shortest = sizeof(prefix) + sizeof(suffix) - 2;

	return n > shortest && strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
			strcmp(name + n - (sizeof(suffix) - 1), suffix) == 0;
}

static int remove_unfinished(const char *run, struct lu_err *err)
{
	DIR *d = opendir(run);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return lu_err_sys(err, errno, "%s", run);
	while (rc == 0 && (e = readdir(d))) {
		if (is_unfinished(e->d_name))
			rc = remove_in(run, e->d_name, err);
	}
	closedir(d);
	return rc;
}

static int lock(struct lt_run *r, struct lu_err *err)
{
	r->dir = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0)
		return lu_err_sys(err, errno, "%s", r->path);
	if (flock(r->dir, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return lu_err_set(err, "%s: locked by another trainer", r->path);
	return lu_err_sys(err, errno, "%s", r->path);
}

int lt_run_open(struct lt_run *r, const char *path, struct lu_err *err)
{
	*r = no_run;
	r->path = strdup(path);
	if (!r->path)
		return lu_err_nomem(err);
	if (lu_make_folders(path, err) == 0 && lock(r, err) == 0 &&
			remove_unfinished(path, err) == 0)
		return 0;
	if (r->dir >= 0)
		close(r->dir);
	free(r->path);
	*r = no_run;
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
	*r = no_run;
	return rc;
}

/* Truncate the file after its last newline: a kill may have left a partial line. */
static int cut_partial_line(int fd, const char *path, struct lu_err *err)
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
	char *path = lu_concat(r->path, "/", log_name[log]);
	int *fd = &r->log[log], rc = path ? lu_buf_check(line, err) : lu_err_nomem(err);

	if (rc == 0 && *fd < 0) {
		*fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		rc = *fd < 0 ? lu_err_sys(err, errno, "%s", path)
			     : cut_partial_line(*fd, path, err);
	}
	if (rc == 0)
		rc = lu_write_all(*fd, line->p, line->n, path, err);
	free(path);
	return rc;
}
