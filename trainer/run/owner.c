#include "trainer/run/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"
#include "trainer/run/folder.h"
#include "trainer/run/json_members.h"

#define LOCK_MAX ((size_t)1 << 16)

/* What the file says. */
struct mark {
	char host[HOST_NAME_MAX + 1];
	char boot[64], pids[64]; /* boot id; PID namespace; "": unknown */
	uint64_t pid, start;	 /* start: clock ticks after the boot; 0: unknown */
	char since[32];
	char job[64]; /* "": not under Slurm */
	uint64_t attempt;
};

/* --- this process and others ------------------------------------------------------------------ */

/* Copy the first line of a small file; "" if it cannot be read. */
static void first_line(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(out, (int)size, f))
		*out = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* The start of a process in clock ticks after the boot (proc(5)). 0: there is none, or it has ended
 * and only waits for its parent; UINT64_MAX: it cannot be known. */
static uint64_t start_of(uint64_t pid)
{
	char path[64], stat[1024], *at;
	unsigned long long start;
	char status;

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/stat", pid);
	first_line(path, stat, sizeof(stat));
	/* The name of the program, in parentheses, may contain any character. */
	at = strrchr(stat, ')');
	if (!at)
		return kill((pid_t)pid, 0) < 0 && errno == ESRCH ? 0 : UINT64_MAX;
	if (sscanf(at,
			    ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			    "%*d "
			    "%*d %llu",
			    &status, &start) != 2)
		return UINT64_MAX;
	return status == 'Z' || status == 'X' ? 0 : start;
}

static void copy_env(const char *name, char *out, size_t size)
{
	const char *value = getenv(name);

	snprintf(out, size, "%s", value ? value : "");
}

static void mark_self(struct mark *m)
{
	const char *restarts = getenv("SLURM_RESTART_COUNT");
	time_t now = time(NULL);
	struct lu_err ignored;
	struct tm tm;
	ssize_t n;

	*m = (struct mark){ .pid = (uint64_t)getpid() };
	gethostname(m->host, sizeof(m->host) - 1);
	first_line("/proc/sys/kernel/random/boot_id", m->boot, sizeof(m->boot));
	n = readlink("/proc/self/ns/pid", m->pids, sizeof(m->pids) - 1);
	m->pids[n < 0 ? 0 : n] = '\0';
	m->start = start_of(m->pid);
	gmtime_r(&now, &tm);
	strftime(m->since, sizeof(m->since), "%Y-%m-%dT%H:%M:%SZ", &tm);
	copy_env("SLURM_JOB_ID", m->job, sizeof(m->job));
	if (restarts && lu_num_u64(restarts, &m->attempt, &ignored) < 0)
		m->attempt = 0;
}

static bool gone(const struct mark *was, const struct mark *me)
{
	uint64_t start;

	if (*me->job && strcmp(was->job, me->job) == 0 && was->attempt < me->attempt)
		return true;
	if (strcmp(was->host, me->host) != 0)
		return false;
	if (strcmp(was->boot, me->boot) != 0)
		return true;
	if (strcmp(was->pids, me->pids) != 0)
		return false;
	start = start_of(was->pid);
	return start == 0 || (start != UINT64_MAX && start != was->start);
}

/* --- the file --------------------------------------------------------------------------------- */

static void format(const struct mark *m, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "host", m->host);
	lu_json_put_u64(b, "pid", m->pid);
	lu_json_put_cstr(b, "since", m->since);
	if (*m->job) {
		lu_json_put_cstr(b, "slurm_job", m->job);
		lu_json_put_u64(b, "slurm_restart", m->attempt);
	}
	lu_json_put_cstr(b, "boot", m->boot);
	lu_json_put_cstr(b, "pid_namespace", m->pids);
	lu_json_put_u64(b, "start", m->start);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

/* Copy a string member; "" if there is none. */
static void get_text(const struct lu_json_obj *o, const char *name, struct lu_arena *arena,
		char *out, size_t size)
{
	const struct lu_json_member *m = lu_json_get(o, name);
	struct lu_str s = { 0 };

	if (m && m->type == LU_JSON_STRING && lu_json_decode(m->value, arena, &s) < 0)
		s.n = 0;
	snprintf(out, size, "%.*s", (int)s.n, s.p ? s.p : "");
}

static bool parse(struct lu_str text, struct mark *m)
{
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj o;
	bool valid;

	*m = (struct mark){ 0 };
	valid = lu_json_object(text, &arena, &o, &fault) == 0 &&
			lt_json_get_u64(&o, "pid", &m->pid) &&
			lt_json_get_u64(&o, "start", &m->start) && m->pid > 0 && m->pid <= INT_MAX;
	if (valid) {
		get_text(&o, "host", &arena, m->host, sizeof(m->host));
		get_text(&o, "boot", &arena, m->boot, sizeof(m->boot));
		get_text(&o, "pid_namespace", &arena, m->pids, sizeof(m->pids));
		get_text(&o, "since", &arena, m->since, sizeof(m->since));
		get_text(&o, "slurm_job", &arena, m->job, sizeof(m->job));
		lt_json_get_u64(&o, "slurm_restart", &m->attempt);
	}
	lu_arena_release(&arena);
	return valid;
}

/* Read the file. Returns 1, 0 if there is none, or -1. */
static int read_lock(const char *path, struct lu_buf *text, struct lu_err *err)
{
	if (lu_read_file(path, LOCK_MAX, &text->p, &text->n, err) < 0)
		return err->errnum == ENOENT || err->errnum == ENOTDIR ? 0 : -1;
	return 1;
}

static int understand(
		const char *path, const struct lu_buf *text, struct mark *m, struct lu_err *err)
{
	if (parse(lu_buf_slice(text), m))
		return 0;
	return lu_err_set(err, "%s: not written by a trainer; remove it if nobody trains this run",
			path);
}

/* --- interface -------------------------------------------------------------------------------- */

static int check(const char *path, const char *run, const struct mark *me, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	struct mark was;
	int rc = read_lock(path, &text, err);

	if (rc > 0)
		rc = understand(path, &text, &was, err);
	else if (rc == 0)
		return 0;
	if (rc == 0 && !gone(&was, me))
		rc = lu_err_set(err,
				"%s: another trainer, process %" PRIu64
				" on host %s, has had it since %s; if that process is gone, remove "
				"%s",
				run, was.pid, was.host, was.since, path);
	lu_buf_release(&text);
	return rc;
}

int lt_owner_check(const char *run, struct lu_err *err)
{
	char *path = lu_concat(run, "/", LT_OWNER_FILE);
	struct mark me;
	int rc;

	mark_self(&me);
	rc = path ? check(path, run, &me, err) : lu_err_nomem(err);
	free(path);
	return rc;
}

int lt_owner_claim(struct lt_owner *o, const char *run, struct lu_err *err)
{
	struct lu_err ignored;
	struct mark me;

	*o = (struct lt_owner){ 0 };
	if (lt_owner_check(run, err) < 0)
		return -1;
	mark_self(&me);
	format(&me, &o->line);
	snprintf(o->attempt, sizeof(o->attempt), "%.64s-%" PRIu64, me.host, me.pid);
	o->run = strdup(run);
	o->path = lu_concat(run, "/", LT_OWNER_FILE);
	if (!o->run || !o->path || lu_buf_check(&o->line, err) < 0) {
		(void)lt_owner_release(o, &ignored);
		return lu_err_nomem(err);
	}
	if (lt_folder_write(run, LT_OWNER_FILE, lu_buf_slice(&o->line), err) < 0 ||
			lt_owner_holds(o, err) < 0) {
		(void)lt_owner_release(o, &ignored);
		return -1;
	}
	return 0;
}

/* True if the file has our line: the quick answer for every step. */
static bool is_ours(const struct lt_owner *o, const char *path)
{
	char text[2048];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	return n >= 0 && (size_t)n == o->line.n && memcmp(text, o->line.p, o->line.n) == 0;
}

/* Report whose line the file has now. Returns 0 where only the quick answer failed. */
static int lost(const struct lt_owner *o, const char *path, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	struct mark now;
	int rc = read_lock(path, &text, err);
	bool ours = rc > 0 && text.n == o->line.n && memcmp(text.p, o->line.p, text.n) == 0;

	if (rc == 0)
		lu_err_set(err,
				"%s: removed while this trainer ran; it stops without writing "
				"anything more",
				path);
	else if (rc > 0 && !ours && understand(path, &text, &now, err) == 0)
		lu_err_set(err,
				"%s: taken over by another trainer, process %" PRIu64
				" on host %s, since %s; this one stops without writing anything "
				"more",
				o->run, now.pid, now.host, now.since);
	lu_buf_release(&text);
	return ours ? 0 : -1;
}

int lt_owner_holds(const struct lt_owner *o, struct lu_err *err)
{
	return is_ours(o, o->path) ? 0 : lost(o, o->path, err);
}

int lt_owner_release(struct lt_owner *o, struct lu_err *err)
{
	int rc = o->run ? lt_owner_holds(o, err) : 0;

	if (o->run && rc == 0 && unlink(o->path) < 0)
		rc = lu_err_sys(err, errno, "%s", o->path);
	else if (rc < 0 && err->errnum == 0)
		rc = 0; /* of another trainer by now: everything of this one is published */
	free(o->run);
	free(o->path);
	lu_buf_release(&o->line);
	*o = (struct lt_owner){ 0 };
	return rc;
}
