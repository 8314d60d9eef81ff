#include "libcommon/sys/run_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"

extern char **environ;

int lu_nowhere_open(int *nowhere, const char *tmpdir, struct lu_err *err)
{
	struct lu_buf name = { 0 };
	int rc = -1;

	*nowhere = -1;
	lu_buf_printf(&name, "%s/lucie-XXXXXX", tmpdir);
	if (lu_buf_check(&name, err) < 0)
		goto out;
	if (!mkdtemp(name.p)) {
		lu_err_sys(err, errno, "%s", tmpdir);
		goto out;
	}
	*nowhere = open(name.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*nowhere < 0)
		lu_err_sys(err, errno, "%s", name.p);
	else
		rc = 0;
	if (rmdir(name.p) < 0 && rc == 0)
		rc = lu_err_sys(err, errno, "%s", name.p);
out:
	lu_buf_release(&name);
	return rc;
}

void lu_nowhere_close(int nowhere)
{
	if (nowhere >= 0)
		close(nowhere);
}

/* A descriptor that reads the bytes and can seek. */
static int input_fd(struct lu_str input, struct lu_err *err)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return lu_err_sys(err, errno, "memfd_create");
	if (lu_write_all(fd, input.p, input.n, "input", err) < 0)
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

static int set_limit(pid_t pid, enum __rlimit_resource what, uint64_t limit, struct lu_err *err)
{
	struct rlimit l = { limit, limit };

	/* A process that has ended needs no limit. */
	if (prlimit(pid, what, &l, NULL) == 0 || errno == ESRCH)
		return 0;
	return lu_err_sys(err, errno, "prlimit");
}

/* The program runs by now; that it has computed for some microseconds without limits is no matter. */
static int set_limits(pid_t pid, const struct lu_program_limits *l, struct lu_err *err)
{
	if (l->cpu_seconds && set_limit(pid, RLIMIT_CPU, l->cpu_seconds, err) < 0)
		return -1;
	if (l->memory && set_limit(pid, RLIMIT_AS, l->memory, err) < 0)
		return -1;
	return set_limit(pid, RLIMIT_CORE, 0, err);
}

static int spawn(const struct lu_program *p, int in, int out, pid_t *pid, struct lu_err *err)
{
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
	rc = rc ? rc : posix_spawn_file_actions_addfchdir_np(&fa, p->nowhere);
	rc = rc ? rc : posix_spawnattr_setsigmask(&attr, &none);
	rc = rc ? rc : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	/* posix_spawnp() takes char *const argv[] and does not write to the strings. */
	memcpy(&argv, &p->argv, sizeof(argv));
	rc = rc ? rc : posix_spawnp(pid, p->argv[0], &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	if (rc == ENOENT)
		return lu_err_set(err, "%s is missing; install the package %s", p->argv[0],
				p->package);
	return rc ? lu_err_sys(err, rc, "%s (package %s)", p->argv[0], p->package) : 0;
}

/* Hand on what the program writes. 0 at its end, else 1 or -1 as lu_program_run(). */
static int read_output(const struct lu_program *p, int fd, struct lu_err *err)
{
	double until = lu_clock() + p->limits.wall_seconds;
	char block[32768];

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		double left = p->limits.wall_seconds ? until - lu_clock() : 3600;
		ssize_t n;
		int rc;

		if (left <= 0)
			return 1;
		n = poll(&pfd, 1, (int)(left * 1000) + 1);
		if (n == 0 || (n < 0 && errno == EINTR))
			continue;
		n = n < 0 ? -1 : read(fd, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lu_err_sys(err, errno, "%s", p->argv[0]);
		if (n == 0)
			return 0;
		rc = p->take(p->ctx, block, (size_t)n, err);
		if (rc != 0)
			return rc;
	}
}

/* Start the program; *out is the pipe with its output. */
static int start(const struct lu_program *p, int *out, pid_t *pid, struct lu_err *err)
{
	int in = input_fd(p->input, err), ends[2], rc;

	if (in < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		lu_err_sys(err, errno, "pipe");
		close(in);
		return -1;
	}
	rc = spawn(p, in, ends[1], pid, err);
	close(in);
	close(ends[1]);
	if (rc < 0)
		close(ends[0]);
	*out = ends[0];
	return rc;
}

int lu_program_run(const struct lu_program *p, int *status, struct lu_err *err)
{
	int out, rc;
	pid_t pid;

	if (start(p, &out, &pid, err) < 0)
		return -1;
	rc = set_limits(pid, &p->limits, err);
	if (rc == 0)
		rc = read_output(p, out, err);
	close(out);
	if (rc != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return rc;
}
