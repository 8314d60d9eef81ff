#include "libcommon/import/man.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/base/take_line.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"

extern char **environ;

/* The longest page of Debian takes 0.3 s; only a page made to hang reaches the limit. */
#define TIMEOUT_SECONDS 60

int lu_man_open(struct lu_man *m, const char *tmpdir, struct lu_err *err)
{
	struct lu_buf name = { 0 };
	int rc = -1;

	m->nowhere = -1;
	lu_buf_printf(&name, "%s/lucie-import-XXXXXX", tmpdir);
	if (lu_buf_check(&name, err) < 0)
		goto out;
	if (!mkdtemp(name.p)) {
		lu_err_sys(err, errno, "%s", tmpdir);
		goto out;
	}
	m->nowhere = open(name.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->nowhere < 0)
		lu_err_sys(err, errno, "%s", name.p);
	else
		rc = 0;
	if (rmdir(name.p) < 0 && rc == 0)
		rc = lu_err_sys(err, errno, "%s", name.p);
out:
	lu_buf_release(&name);
	return rc;
}

void lu_man_close(struct lu_man *m)
{
	if (m->nowhere >= 0)
		close(m->nowhere);
	m->nowhere = -1;
}

/* True if the first line other than a comment includes another page. */
static bool only_includes(struct lu_str page)
{
	struct lu_str line;

	while (lu_take_line(&page, &line)) {
		bool request = line.n >= 3 && (line.p[0] == '.' || line.p[0] == '\'');

		if (line.n == 0 || (request && memcmp(line.p + 1, "\\\"", 2) == 0))
			continue;
		return line.n > 3 && memcmp(line.p, ".so", 3) == 0 &&
				(line.p[3] == ' ' || line.p[3] == '\t');
	}
	return false;
}

/* A descriptor that reads the page. */
static int page_fd(struct lu_str page, struct lu_err *err)
{
	int fd = memfd_create("page", MFD_CLOEXEC);

	if (fd < 0)
		return lu_err_sys(err, errno, "memfd_create");
	if (lu_write_all(fd, page.p, page.n, "page", err) < 0)
		goto fail;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		lu_err_sys(err, errno, "lseek");
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

static int spawn(const struct lu_man *m, int in, int out, pid_t *pid, struct lu_err *err)
{
	/* -Ios: a page without .Os would otherwise name this machine's kernel. */
	static const char *const command[] = { "mandoc", "-Thtml", "-Ofragment", "-Kutf-8",
		"-Ios=", NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	char **argv;
	int rc;

	sigemptyset(&none);
	if (posix_spawn_file_actions_init(&fa) != 0)
		return lu_err_nomem(err);
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return lu_err_nomem(err);
	}
	rc = posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	rc = rc ? rc
		: posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	rc = rc ? rc : posix_spawn_file_actions_addfchdir_np(&fa, m->nowhere);
	rc = rc ? rc : posix_spawnattr_setsigmask(&attr, &none);
	rc = rc ? rc : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	/* posix_spawnp() takes char *const argv[] and does not write to the strings. */
	memcpy(&argv, &(const char *const *){ command }, sizeof(argv));
	rc = rc ? rc : posix_spawnp(pid, "mandoc", &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return rc ? lu_err_sys(err, rc, "mandoc (package mandoc)") : 0;
}

/* Read to the end of the file; false at the timeout, beyond the limit, or on an error. */
static bool read_html(int fd, uint64_t limit, struct lu_buf *html)
{
	double until = lu_clock() + TIMEOUT_SECONDS;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		double left = until - lu_clock();
		ssize_t n;

		if (left <= 0 || html->n > limit || !lu_buf_reserve(html, 32768))
			return false;
		n = poll(&p, 1, (int)(left * 1000) + 1);
		if (n == 0 || (n < 0 && errno == EINTR))
			continue;
		n = n < 0 ? -1 : read(fd, html->p + html->n, 32768);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		html->n += (size_t)n;
	}
}

/* Start mandoc on the page; *out is the pipe with its output. */
static int start(const struct lu_man *m, struct lu_str page, int *out, pid_t *pid,
		struct lu_err *err)
{
	int in = page_fd(page, err), ends[2], rc;

	if (in < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		lu_err_sys(err, errno, "pipe");
		close(in);
		return -1;
	}
	rc = spawn(m, in, ends[1], pid, err);
	close(in);
	close(ends[1]);
	if (rc < 0)
		close(ends[0]);
	*out = ends[0];
	return rc;
}

int lu_man_html(const struct lu_man *m, struct lu_str page, uint64_t limit, struct lu_buf *html,
		const char **reason, struct lu_err *err)
{
	int out, status;
	bool complete;
	pid_t pid;

	lu_buf_clear(html);
	if (only_includes(page)) {
		*reason = "page that only includes another";
		return 1;
	}
	if (start(m, page, &out, &pid, err) < 0)
		return -1;
	complete = read_html(out, limit, html);
	close(out);
	if (!complete)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* 0 to 4 grade the page's own faults, 5 and 6 are mandoc's trouble (mandoc(1)). */
	if (complete && WIFEXITED(status) && WEXITSTATUS(status) <= 4)
		return 0;
	*reason = "mandoc failed";
	return 1;
}
