#include "trainer/run/runfolder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"
#include "trainer/run/folder.h"
#include "trainer/run/step_folder.h"

static const struct lt_run no_run = { .log = { -1, -1 } };
static const char *const log_name[LT_LOGS] = { "metrics.jsonl", "timing.jsonl" };

/* --- the folder ------------------------------------------------------------------------------- */

/* Bytes of the longest part of the path that exists; 0 if none does, which is the current folder. */
static size_t existing(const char *path, struct stat *st)
{
	char *p = strdup(path);
	size_t n = p ? strlen(p) : 0;

	for (; n > 0; n--) {
		if (path[n] != '/' && path[n] != '\0')
			continue;
		p[n] = '\0';
		if (stat(p, st) == 0)
			break;
	}
	free(p);
	return n;
}

char *lt_run_existing(const char *path, struct lu_err *err)
{
	struct stat st;
	size_t n = existing(path, &st);
	char *found = n ? strndup(path, n) : strdup(*path == '/' ? "/" : ".");

	if (!found)
		lu_err_nomem(err);
	return found;
}

int lt_run_check(const char *path, struct lu_err *err)
{
	char *found = lt_run_existing(path, err);
	struct stat st;
	int rc = 0;

	if (!found)
		return -1;
	if (!*path)
		rc = lu_err_sys(err, ENOENT, "'%s'", path);
	else if (stat(found, &st) == 0 && !S_ISDIR(st.st_mode))
		rc = lu_err_sys(err, ENOTDIR, "%s", found);
	else if (access(found, W_OK | X_OK) < 0)
		rc = lu_err_sys(err, errno, "%s", found);
	free(found);
	return rc < 0 ? -1 : lt_owner_check(path, err);
}

static int remove_in(const char *dir, const char *name, struct lu_err *err)
{
	char *path = lu_concat(dir, "/", name);
	int rc = path ? lt_folder_remove(path, err) : lu_err_nomem(err);

	free(path);
	return rc;
}

/* ".step-N.HOST-PID.lu-tmp", a checkpoint that was being written, replaced or removed, or
 * ".latest..." */
static bool is_unfinished(const char *name)
{
	static const char suffix[] = ".lu-tmp";
	size_t n = strlen(name), end = sizeof(suffix) - 1;

	return n > end && strcmp(name + n - end, suffix) == 0 &&
			(strncmp(name, ".step-", 6) == 0 || strncmp(name, ".latest.", 8) == 0);
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

/* Remove the folders that lt_run_open() created, the deepest first. One that is not empty stays, with
 * those above it. */
static void remove_created(struct lt_run *r)
{
	for (size_t n = strlen(r->path); n > r->found; n--) {
		if (r->path[n] != '/' && r->path[n] != '\0')
			continue;
		r->path[n] = '\0';
		if (rmdir(r->path) < 0 && errno != ENOENT)
			break;
	}
}

static int release(struct lt_run *r, struct lu_err *err)
{
	int rc = lt_owner_release(&r->owner, err);

	remove_created(r);
	free(r->path);
	*r = no_run;
	return rc;
}

int lt_run_open(struct lt_run *r, const char *path, struct lu_err *err)
{
	struct lu_err ignored;
	struct stat st;

	*r = no_run;
	r->path = strdup(path);
	if (!r->path)
		return lu_err_nomem(err);
	r->found = existing(path, &st);
	if (lu_make_folders(path, err) == 0 && lt_owner_claim(&r->owner, path, err) == 0 &&
			lt_step_restore(path, err) == 0 && remove_unfinished(path, err) == 0)
		return 0;
	/* The first error is the one to report. */
	(void)release(r, &ignored);
	return -1;
}

int lt_run_close(struct lt_run *r, struct lu_err *err)
{
	struct lu_err ignored;
	int rc = 0;

	for (int i = 0; i < LT_LOGS; i++) {
		if (r->log[i] >= 0 && close(r->log[i]) < 0)
			rc = lu_err_sys(err, errno, "%s/%s", r->path, log_name[i]);
	}
	if (release(r, rc < 0 ? &ignored : err) < 0)
		rc = -1;
	return rc;
}

/* --- the logs --------------------------------------------------------------------------------- */

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

	if (rc == 0 && log == LT_METRICS)
		rc = lt_owner_holds(&r->owner, err);
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

int lt_run_sync(const struct lt_run *r, struct lu_err *err)
{
	for (int i = 0; i < LT_LOGS; i++) {
		if (r->log[i] >= 0 && fsync(r->log[i]) < 0)
			return lu_err_sys(err, errno, "%s/%s", r->path, log_name[i]);
	}
	return 0;
}

/* --- what a start writes ---------------------------------------------------------------------- */

/* Write a file under its temporary name, ready to be committed. */
static int prepare(struct lu_atomic *f, const char *path, struct lu_str text, struct lu_err *err)
{
	if (lu_atomic_open(f, path, err) < 0)
		return -1;
	if (lu_atomic_write(f, text.p, text.n, err) == 0)
		return lu_atomic_settle(f, err);
	lu_atomic_abort(f);
	return -1;
}

static int prepare_copy(struct lu_atomic *f, const char *path, const char *from, struct lu_err *err)
{
	char *text;
	size_t n;
	int rc;

	if (lu_read_file(from, LT_COPY_MAX, &text, &n, err) < 0)
		return -1;
	rc = prepare(f, path, (struct lu_str){ text, n }, err);
	free(text);
	return rc;
}

/* What lt_run_record() prepares, and what it needs to undo it. */
struct recording {
	char *config_path, *tokenizer_path, *metrics_path;
	struct lu_atomic config, tokenizer;
	struct lu_buf was; /* config.ini before; empty: there was none */
	off_t metrics;	   /* size before; -1: there was none */
};

static int open_recording(struct recording *g, const struct lt_run *r, struct lu_err *err)
{
	struct stat st;

	*g = (struct recording){ .config_path = lu_concat(r->path, "/", "config.ini"),
		.tokenizer_path = lu_concat(r->path, "/", "tokenizer.json"),
		.metrics_path = lu_concat(r->path, "/", log_name[LT_METRICS]),
		.config = LU_ATOMIC_NONE,
		.tokenizer = LU_ATOMIC_NONE };
	if (!g->config_path || !g->tokenizer_path || !g->metrics_path)
		return lu_err_nomem(err);
	g->metrics = stat(g->metrics_path, &st) == 0 ? st.st_size : -1;
	if (access(g->config_path, F_OK) < 0)
		return 0;
	return lu_read_file(g->config_path, LT_COPY_MAX, &g->was.p, &g->was.n, err);
}

static void close_recording(struct recording *g)
{
	lu_atomic_abort(&g->tokenizer);
	lu_atomic_abort(&g->config);
	free(g->config_path);
	free(g->tokenizer_path);
	free(g->metrics_path);
	lu_buf_release(&g->was);
}

/* Undo what has been done. The first error is the one to report, so those here are ignored. */
static void undo(struct lt_run *r, const struct lt_record *record, const struct recording *g)
{
	struct lu_err ignored;

	if (r->log[LT_METRICS] >= 0 && g->metrics < 0)
		unlink(g->metrics_path);
	else if (r->log[LT_METRICS] >= 0 && ftruncate(r->log[LT_METRICS], g->metrics) < 0)
		return;
	if (record->tokenizer)
		unlink(g->tokenizer_path);
	/* Where only the sync of the folder failed, the new file is in place. */
	if (!g->was.p)
		unlink(g->config_path);
	else if (lt_folder_write(r->path, "config.ini", lu_buf_slice(&g->was), &ignored) < 0)
		return;
}

int lt_run_record(struct lt_run *r, const struct lt_record *record, struct lu_err *err)
{
	struct recording g;
	int rc = open_recording(&g, r, err);

	/* All that can fail for want of space comes before the renames. */
	if (rc == 0 && record->tokenizer)
		rc = prepare_copy(&g.tokenizer, g.tokenizer_path, record->tokenizer, err);
	if (rc == 0)
		rc = prepare(&g.config, g.config_path, record->config, err);
	if (rc == 0) {
		if (record->line->n)
			rc = lt_run_log(r, LT_METRICS, record->line, err);
		if (rc == 0 && record->tokenizer)
			rc = lu_atomic_commit(&g.tokenizer, err);
		if (rc == 0)
			rc = lu_atomic_commit(&g.config, err);
		if (rc < 0)
			undo(r, record, &g);
	}
	close_recording(&g);
	return rc;
}
