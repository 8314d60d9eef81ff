#include "libcommon/report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/sys/file.h"

extern char **environ;

/* Within single quotes gnuplot interprets only the quote, written twice. */
static void put_quoted(struct lu_buf *b, const char *s)
{
	lu_buf_putc(b, '\'');
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			lu_buf_putc(b, '?');
		else if (*s == '\'')
			lu_buf_puts(b, "''");
		else
			lu_buf_putc(b, *s);
	}
	lu_buf_putc(b, '\'');
}

static void put_data(struct lu_buf *b, size_t i, const struct lu_curve *c)
{
	lu_buf_printf(b, "$curve%zu << END\n", i);
	for (size_t k = 0; k < c->point.n; k++)
		lu_buf_printf(b, "%.17g %.17g\n", c->point.p[k].x, c->point.p[k].y);
	lu_buf_puts(b, "END\n");
}

/* Write the data blocks of all curves, or, with `plot`, the elements of the plot command. */
static void put_curves(struct lu_buf *b, const struct lu_metrics *m, size_t n, bool plot)
{
	size_t i = 0;

	for (size_t run = 0; run < n; run++) {
		const char *in = n > 1 ? m[run].name : "", *of = n > 1 ? ": " : "";
		struct lu_buf name = { 0 };

		for (size_t k = 0; k <= m[run].valid.n; k++) {
			const struct lu_curve *c = k ? &m[run].valid.p[k - 1].loss : &m[run].loss;

			if (c->point.n == 0)
				continue;
			lu_buf_clear(&name);
			lu_buf_printf(&name, "%s%s%s", in, of,
					k ? m[run].valid.p[k - 1].name : "training");
			if (!plot) {
				put_data(b, i, c);
			} else {
				lu_buf_printf(b, "%s$curve%zu with %s title ", i ? ", " : "", i,
						k ? "linespoints pointtype 7" : "lines");
				put_quoted(b, name.p ? name.p : "");
			}
			i++;
		}
		b->failed |= name.failed;
		lu_buf_release(&name);
	}
}

static void put_script(struct lu_buf *b, const struct lu_metrics *m, size_t n, const char *title,
		const char *x_name)
{
	lu_buf_puts(b,
			"set terminal pngcairo size 960,540 noenhanced font 'sans,12'\n"
			"set grid\nset ylabel 'loss'\nset xlabel ");
	put_quoted(b, x_name);
	lu_buf_puts(b, "\nset title ");
	put_quoted(b, title);
	lu_buf_putc(b, '\n');
	put_curves(b, m, n, false);
	lu_buf_puts(b, "plot ");
	put_curves(b, m, n, true);
	lu_buf_putc(b, '\n');
}

/* Read from the pipe to its end. */
static int read_all(int fd, struct lu_buf *out, struct lu_err *err)
{
	char chunk[4096];
	ssize_t n;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lu_err_sys(err, errno, "gnuplot");
		if (n == 0)
			return lu_buf_check(out, err);
		lu_buf_append(out, chunk, (size_t)n);
	}
}

static int start(int script, int output, pid_t *pid, struct lu_err *err)
{
	char name[] = "gnuplot";
	char *argv[] = { name, NULL };
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return lu_err_sys(err, rc, "gnuplot");
	rc = posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawnp(pid, name, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc == 0 ? 0 : lu_err_sys(err, rc, "gnuplot");
}

static int run(int script, struct lu_buf *png, struct lu_err *err)
{
	int end[2], status, rc;
	pid_t pid;

	if (pipe2(end, O_CLOEXEC) < 0)
		return lu_err_sys(err, errno, "gnuplot");
	rc = start(script, end[1], &pid, err);
	close(end[1]);
	if (rc == 0) {
		rc = read_all(end[0], png, err);
		close(end[0]);
		end[0] = -1;
		while (waitpid(pid, &status, 0) < 0) {
			if (errno != EINTR)
				return lu_err_sys(err, errno, "gnuplot");
		}
		if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
			rc = lu_err_set(err, "gnuplot: failed; see its messages");
	}
	if (end[0] >= 0)
		close(end[0]);
	return rc;
}

int lu_gnuplot_loss(const struct lu_metrics *m, size_t n, const char *title, const char *x_name,
		const char *tmpdir, struct lu_buf *png, struct lu_err *err)
{
	struct lu_buf script = { 0 };
	int fd = -1, rc = -1;

	put_script(&script, m, n, title, x_name);
	if (lu_buf_check(&script, err) < 0)
		goto out;
	fd = lu_temp_open(tmpdir, err);
	if (fd < 0 || lu_write_all(fd, script.p, script.n, tmpdir, err) < 0)
		goto out;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		lu_err_sys(err, errno, "%s: temporary file", tmpdir);
		goto out;
	}
	rc = run(fd, png, err);
	if (rc == 0 && (png->n < 8 || memcmp(png->p, "\x89PNG", 4) != 0))
		rc = lu_err_set(err, "gnuplot: its output is not a PNG");
out:
	if (fd >= 0)
		close(fd);
	lu_buf_release(&script);
	return rc;
}
