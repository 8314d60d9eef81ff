#include "libcommon/sys/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/machine.h"
#include "libcommon/sys/progress.h"

int lu_stats_drop(struct lu_stats *s, const char *reason, uint64_t n, struct lu_err *err)
{
	struct lu_reason r = { NULL, n };

	for (size_t i = 0; i < s->dropped.n; i++) {
		if (strcmp(s->dropped.p[i].name, reason) == 0) {
			s->dropped.p[i].n += n;
			return 0;
		}
	}
	r.name = strdup(reason);
	if (!r.name || !lu_vec_push(&s->dropped, r)) {
		free(r.name);
		return lu_err_nomem(err);
	}
	return 0;
}

uint64_t lu_stats_dropped(const struct lu_stats *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->dropped.n; i++)
		n += s->dropped.p[i].n;
	return n;
}

const char *lu_stats_main_reason(const struct lu_stats *s)
{
	const struct lu_reason *most = NULL;

	for (size_t i = 0; i < s->dropped.n; i++) {
		const struct lu_reason *r = &s->dropped.p[i];

		if (!most || r->n > most->n || (r->n == most->n && strcmp(r->name, most->name) < 0))
			most = r;
	}
	return most ? most->name : NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct lu_reason *)a)->name, ((const struct lu_reason *)b)->name);
}

static void put_count(struct lu_buf *b, const char *key, struct lu_count c)
{
	lu_json_open_object(b, key);
	lu_json_put_u64(b, "docs", c.docs);
	lu_json_put_u64(b, "bytes", c.bytes);
	lu_json_close_object(b);
}

static double cpu_seconds(const struct rusage *r)
{
	return (double)(r->ru_utime.tv_sec + r->ru_stime.tv_sec) +
			1e-6 * (double)(r->ru_utime.tv_usec + r->ru_stime.tv_usec);
}

static void put_time(struct lu_buf *b, const struct lu_args *args)
{
	struct lu_buf date = { 0 }, machine = { 0 };
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	lu_json_open_object(b, "time");
	lu_json_put_fixed(b, "wall_s", lu_clock() - args->start_wall, 3);
	lu_json_put_fixed(b, "cpu_s", cpu_seconds(&self) + cpu_seconds(&children), 3);
	lu_json_put_u64(b, "rss_bytes", (uint64_t)self.ru_maxrss * 1024);
	lu_date(&date);
	lu_machine(&machine);
	lu_json_put_str(b, "date", lu_buf_slice(&date));
	lu_json_put_str(b, "machine", lu_buf_slice(&machine));
	lu_json_close_object(b);
	b->failed |= date.failed || machine.failed;
	lu_buf_release(&date);
	lu_buf_release(&machine);
}

static void put_line(struct lu_buf *b, struct lu_stats *s, const struct lu_args *args)
{
	if (s->dropped.n)
		qsort(s->dropped.p, s->dropped.n, sizeof(*s->dropped.p), by_name);
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "tool", args->tool->name);
	lu_json_put_cstr(b, "version", LU_VERSION);
	lu_json_open_array(b, "args");
	for (int i = 1; i < args->argc; i++)
		lu_json_put_cstr(b, NULL, args->argv[i]);
	lu_json_close_array(b);
	put_count(b, "in", s->in);
	put_count(b, "out", s->out);
	lu_json_open_object(b, "dropped");
	for (size_t i = 0; i < s->dropped.n; i++) {
		lu_json_key(b, lu_str_of(s->dropped.p[i].name));
		lu_json_put_u64(b, NULL, s->dropped.p[i].n);
	}
	lu_json_close_object(b);
	lu_json_put_u64(b, "repeated", s->repeated);
	/* Members appended by hand start with their comma. */
	if (s->extra.n && s->extra.p[0] != ',')
		lu_buf_putc(b, ',');
	lu_buf_str(b, lu_buf_slice(&s->extra));
	put_time(b, args);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

/* The file of "new:FILE"; NULL if the line is to be appended. */
static const char *replaced_file(const char *path)
{
	return path && strncmp(path, "new:", 4) == 0 ? path + 4 : NULL;
}

int lu_stats_check(const char *argument, struct lu_err *err)
{
	const char *path = replaced_file(argument) ? replaced_file(argument) : argument;
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK) : -1;
	const char *slash;
	char *folder;
	int rc = 0;

	if (fd >= 0)
		close(fd);
	if (!path)
		return 0;
	/* ENXIO: a pipe without a reader yet. */
	if (fd >= 0 || errno == ENXIO)
		return lu_atomic_reserve(path, err);
	if (errno != ENOENT)
		return lu_err_sys(err, errno, "%s", path);
	slash = strrchr(path, '/');
	folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!folder)
		return lu_err_nomem(err);
	if (!*path || access(folder, W_OK | X_OK) < 0)
		rc = lu_fail_create(path, errno, err);
	free(folder);
	return rc < 0 ? rc : lu_atomic_reserve(path, err);
}

int lu_stats_append(struct lu_stats *s, const struct lu_args *args, const char *path,
		struct lu_err *err)
{
	struct lu_buf line = { 0 };
	int fd, rc;

	if (!path)
		return 0;
	put_line(&line, s, args);
	rc = lu_buf_check(&s->extra, err) < 0 ? -1 : lu_buf_check(&line, err);
	if (rc < 0)
		goto out;
	if (replaced_file(path)) {
		rc = lu_atomic_replace(replaced_file(path), line.p, line.n, err);
		goto out;
	}
	/* One write to an O_APPEND descriptor: lines of concurrent programs never interleave. */
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0) {
		rc = lu_err_sys(err, errno, "%s", path);
		goto out;
	}
	rc = lu_write_all(fd, line.p, line.n, path, err);
	if (close(fd) < 0 && rc == 0)
		rc = lu_err_sys(err, errno, "%s", path);
out:
	lu_buf_release(&line);
	return rc;
}

void lu_stats_release(struct lu_stats *s)
{
	for (size_t i = 0; i < s->dropped.n; i++)
		free(s->dropped.p[i].name);
	lu_vec_release(&s->dropped);
	lu_buf_release(&s->extra);
	*s = (struct lu_stats){ 0 };
}
