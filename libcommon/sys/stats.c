#include "libcommon/sys/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"

int lu_stats_drop(struct lu_stats *s, const char *reason, uint64_t n, struct lu_err *err)
{
	struct lu_reason *bigger;

	for (size_t i = 0; i < s->reasons; i++) {
		if (strcmp(s->dropped[i].name, reason) == 0) {
			s->dropped[i].n += n;
			return 0;
		}
	}
	bigger = realloc(s->dropped, (s->reasons + 1) * sizeof(*bigger));
	if (!bigger)
		return lu_err_nomem(err);
	s->dropped = bigger;
	bigger[s->reasons] = (struct lu_reason){ strdup(reason), n };
	if (!bigger[s->reasons].name)
		return lu_err_nomem(err);
	s->reasons++;
	return 0;
}

uint64_t lu_stats_dropped(const struct lu_stats *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->reasons; i++)
		n += s->dropped[i].n;
	return n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct lu_reason *)a)->name, ((const struct lu_reason *)b)->name);
}

static void put_time(struct lu_buf *b, const struct lu_args *args)
{
	struct rusage me, kids;
	double cpu;

	getrusage(RUSAGE_SELF, &me);
	getrusage(RUSAGE_CHILDREN, &kids);
	cpu = (double)(me.ru_utime.tv_sec + me.ru_stime.tv_sec + kids.ru_utime.tv_sec +
			      kids.ru_stime.tv_sec) +
			1e-6 *
					(double)(me.ru_utime.tv_usec + me.ru_stime.tv_usec +
							kids.ru_utime.tv_usec +
							kids.ru_stime.tv_usec);
	lu_buf_printf(b, ",\"time\":{\"wall_s\":%.3f,\"cpu_s\":%.3f,\"rss_bytes\":%llu}}\n",
			lu_clock() - args->start_wall, cpu,
			(unsigned long long)me.ru_maxrss * 1024);
}

static void put_line(struct lu_buf *b, struct lu_stats *s, const struct lu_args *args)
{
	lu_buf_printf(b, "{\"tool\":\"%s\",\"version\":\"%s\",\"args\":[", args->tool->name,
			LU_VERSION);
	for (int i = 1; i < args->argc; i++) {
		if (i > 1)
			lu_buf_putc(b, ',');
		lu_json_quote(b, lu_str_of(args->argv[i]));
	}
	lu_buf_printf(b,
			"],\"in\":{\"docs\":%llu,\"bytes\":%llu},\"out\":{\"docs\":%llu,\"bytes\":%"
			"llu}",
			(unsigned long long)s->in.docs, (unsigned long long)s->in.bytes,
			(unsigned long long)s->out.docs, (unsigned long long)s->out.bytes);
	lu_buf_puts(b, ",\"dropped\":{");
	qsort(s->dropped, s->reasons, sizeof(*s->dropped), by_name);
	for (size_t i = 0; i < s->reasons; i++) {
		lu_buf_puts(b, i ? "," : "");
		lu_json_quote(b, lu_str_of(s->dropped[i].name));
		lu_buf_putc(b, ':');
		lu_buf_u64(b, s->dropped[i].n);
	}
	lu_buf_puts(b, "},\"repeated\":");
	lu_buf_u64(b, s->repeated);
	lu_buf_str(b, lu_buf_slice(&s->extra));
	put_time(b, args);
}

int lu_stats_check(const char *path, struct lu_err *err)
{
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK) : -1;
	const char *slash;
	char *folder;
	int rc = 0;

	if (fd >= 0)
		close(fd);
	/* ENXIO: a pipe that nobody reads yet. */
	if (!path || fd >= 0 || errno == ENXIO)
		return 0;
	if (errno != ENOENT)
		return lu_err_sys(err, errno, "%s", path);
	slash = strrchr(path, '/');
	folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!folder)
		return lu_err_nomem(err);
	if (!*path || access(folder, W_OK | X_OK) < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	free(folder);
	return rc;
}

int lu_stats_append(struct lu_stats *s, const struct lu_args *args, const char *path,
		struct lu_err *err)
{
	struct lu_buf line = { 0 };
	int fd, rc;

	if (!path)
		return 0;
	if (!s->dropped)
		s->dropped = calloc(1, sizeof(*s->dropped)); /* qsort(NULL) is undefined */
	put_line(&line, s, args);
	rc = lu_buf_check(&line, err);
	if (rc == 0) {
		/* One write on an O_APPEND descriptor: lines of programs running at once never mix.
		 */
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (fd < 0) {
			rc = lu_err_sys(err, errno, "%s", path);
		} else {
			rc = lu_write_all(fd, line.p, line.n, path, err);
			if (close(fd) < 0 && rc == 0)
				rc = lu_err_sys(err, errno, "%s", path);
		}
	}
	lu_buf_release(&line);
	return rc;
}

void lu_stats_release(struct lu_stats *s)
{
	for (size_t i = 0; i < s->reasons; i++)
		free(s->dropped[i].name);
	free(s->dropped);
	lu_buf_release(&s->extra);
	*s = (struct lu_stats){ 0 };
}
