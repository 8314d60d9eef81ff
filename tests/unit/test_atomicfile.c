/*
 * sys/atomicfile.h: files appear complete or not at all, also when the process is killed, when two
 * runs write at once, and through links. What ends a process runs in a child.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"

static bool there(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static int temps(void)
{
	return unfinished_in(".");
}

static void write_whole(const char *name, const char *text)
{
	struct lu_err err = { 0 };
	struct lu_atomic f;

	if (lu_atomic_open(&f, name, &err) < 0 ||
			lu_atomic_write(&f, text, strlen(text), &err) < 0 ||
			lu_atomic_commit(&f, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_commit_and_abort(void **state)
{
	struct lu_err err;
	struct lu_atomic f;

	(void)state;
	assert_int_equal(lu_atomic_open(&f, "x", &err), 0);
	assert_int_equal(temps(), 1);
	assert_false(there("x"));
	assert_int_equal(lu_atomic_write(&f, "new", 3, &err), 0);
	assert_int_equal(f.written, 3);
	assert_int_equal(lu_atomic_commit(&f, &err), 0);
	assert_file("x", "new");
	assert_int_equal(temps(), 0);
	lu_atomic_abort(&f);

	assert_int_equal(lu_atomic_open(&f, "x", &err), 0);
	assert_int_equal(lu_atomic_write(&f, "lost", 4, &err), 0);
	lu_atomic_abort(&f);
	assert_file("x", "new");
	assert_int_equal(temps(), 0);
}

/* After settle the data are complete and closed, and only the name is missing. */
static void test_settle(void **state)
{
	struct lu_err err;
	struct lu_atomic f, g;

	(void)state;
	assert_int_equal(lu_atomic_open(&f, "x", &err), 0);
	assert_int_equal(lu_atomic_open(&g, "y", &err), 0);
	assert_int_equal(lu_atomic_write(&f, "one", 3, &err), 0);
	assert_int_equal(lu_atomic_write(&g, "two", 3, &err), 0);
	assert_int_equal(lu_atomic_settle(&f, &err), 0);
	assert_int_equal(lu_atomic_settle(&g, &err), 0);
	assert_file(f.temp, "one");
	assert_int_equal(f.fd, -1);
	assert_int_equal(lu_atomic_commit(&f, &err), 0);
	assert_file("x", "one");
	assert_int_equal(temps(), 1);
	lu_atomic_abort(&g);
	assert_int_equal(temps(), 0);
	assert_false(there("y"));

	/* Directly written targets have nothing to settle. */
	assert_int_equal(lu_atomic_open(&f, "/dev/null", &err), 0);
	assert_int_equal(lu_atomic_settle(&f, &err), 0);
	assert_int_equal(lu_atomic_write(&f, "x", 1, &err), 0);
	assert_int_equal(lu_atomic_commit(&f, &err), 0);
	unlink("x");
}

/* An abort of a file that was never opened leaves those of others alone. */
static void test_abort_of_none(void **state)
{
	struct lu_atomic none = LU_ATOMIC_NONE, f;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_atomic_open(&f, "x", &err), 0);
	lu_atomic_abort(&none);
	lu_atomic_remove_all();
	assert_int_equal(temps(), 0);
	lu_atomic_abort(&f);
}

static void test_permissions(void **state)
{
	struct stat st;

	(void)state;
	umask(022);
	write_whole("x", "1");
	assert_int_equal(stat("x", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(chmod("x", 0600), 0);
	write_whole("x", "2");
	assert_int_equal(stat("x", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink("x");
}

static void test_links(void **state)
{
	struct lu_err err;
	struct lu_atomic f;

	(void)state;
	assert_int_equal(mkdir("d", 0777), 0);
	assert_int_equal(symlink("d/y", "x"), 0);
	/* To a file that does not exist yet, then to one that does. */
	write_whole("x", "1");
	assert_file("d/y", "1");
	write_whole("x", "2");
	assert_file("d/y", "2");
	assert_int_equal(symlink("../x", "d/z"), 0);
	write_whole("d/z", "3");
	assert_file("d/y", "3");
	assert_int_equal(unfinished_in("d"), 0);
	/* A circle is an error, not a loop. */
	unlink("x");
	assert_int_equal(symlink("x", "x"), 0);
	assert_int_equal(lu_atomic_open(&f, "x", &err), -1);
	assert_string_equal(err.msg, "x: Too many levels of symbolic links");
	unlink("x");
}

/* A child opens "x", writes, says so through the pipe, and waits to be killed. */
static pid_t start_child(void)
{
	int end[2];
	char c;
	pid_t child;

	assert_int_equal(pipe(end), 0);
	child = fork();
	if (child == 0) {
		struct lu_err err;
		struct lu_atomic f;
		sigset_t go;
		int signal;

		sigemptyset(&go);
		sigaddset(&go, SIGUSR1);
		sigprocmask(SIG_BLOCK, &go, NULL);
		lu_atomic_install();
		if (lu_atomic_open(&f, "x", &err) < 0 ||
				lu_atomic_write(&f, "half of it", 10, &err) < 0 ||
				write(end[1], "!", 1) != 1)
			_exit(9);
		/* SIGUSR1 lets it end well. */
		sigwait(&go, &signal);
		_exit(lu_atomic_commit(&f, &err) < 0);
	}
	close(end[1]);
	assert_int_equal(read(end[0], &c, 1), 1);
	close(end[0]);
	return child;
}

/* Two attempts at one target have a file each; the one that ends last gives its own. */
static void test_two_attempts(void **state)
{
	pid_t child = start_child();
	int status;

	(void)state;
	write_whole("x", "mine");
	assert_int_equal(temps(), 1);
	kill(child, SIGUSR1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_file("x", "half of it");
	assert_int_equal(temps(), 0);
	unlink("x");
}

/* Two outputs of one process must not be one file. */
static void test_one_target_twice(void **state)
{
	static const char *const name[] = { "x", "./x", "l" };
	struct lu_err err;
	struct lu_atomic f, g;

	(void)state;
	assert_int_equal(symlink("x", "l"), 0);
	assert_int_equal(lu_atomic_open(&f, "x", &err), 0);
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		assert_int_equal(lu_atomic_open(&g, name[i], &err), -1);
		assert_non_null(strstr(err.msg, "x: two outputs have this name"));
		lu_atomic_abort(&g);
	}
	assert_int_equal(temps(), 1);
	lu_atomic_abort(&f);
	write_whole("x", "again");
	unlink("x");
	unlink("l");
}

/* The first open of a process removes what a killed one left, for whatever target. */
static void test_left_by_kill(void **state)
{
	siginfo_t info;
	pid_t child = start_child();

	(void)state;
	kill(child, SIGKILL);
	/* It has ended, and nobody has waited for it. */
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(temps(), 1);
	put_text(".x.elsewhere-0.99999999.0.lu-tmp", "of another host");
	/* This process has looked at this folder before, when nothing was stale. */
	assert_int_equal(mkdir("other", 0777), 0);
	write_whole("other/y", "1");
	write_whole("x", "new");
	assert_file("x", "new");
	assert_int_equal(temps(), 1);
	assert_true(there(".x.elsewhere-0.99999999.0.lu-tmp"));
	unlink(".x.elsewhere-0.99999999.0.lu-tmp");
	unlink("x");
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* A live attempt is left alone, however another one ends. */
static void test_live_attempt_stays(void **state)
{
	int status;
	pid_t child = start_child();

	(void)state;
	write_whole("other/z", "1");
	write_whole("x", "mine");
	assert_int_equal(temps(), 1);
	kill(child, SIGTERM);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(temps(), 0);
	assert_file("x", "mine");
	unlink("x");
}

static void test_stale_names(void **state)
{
	static const char *const never[] = { "", ".lu-tmp", "x", ".x.lu-tmp", ".x.0.lu-tmp",
		".1.0.lu-tmp", ".x..1.0.lu-tmp", ".x.somewhere-0.4000000.0.lu-tmp", "..lu-tmp",
		"...lu-tmp" };
	char *ours = lu_attempt_name("folder/x");
	char name[512], *slash = strchr(ours, '/');
	int status, end[2];
	pid_t child;

	(void)state;
	assert_non_null(slash);
	assert_memory_equal(slash, "/.x.", 4);
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		assert_false(lu_attempt_is_stale(never[i]));
	assert_false(lu_attempt_is_stale(slash + 1));
	/* The name that a child made is stale once the child has ended. */
	assert_int_equal(pipe(end), 0);
	child = fork();
	if (child == 0) {
		char *theirs = lu_attempt_name("x");

		_exit(write(end[1], theirs, strlen(theirs) + 1) < 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(read(end[0], name, sizeof(name)) > 0);
	close(end[0]);
	close(end[1]);
	assert_true(lu_attempt_is_stale(name));
	free(ours);
}

/* A name of 255 bytes is the longest that file systems take. */
static void test_long_name(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	write_whole(name, "1");
	assert_file(name, "1");
	unlink(name);
}

static void test_signals_remove(void **state)
{
	static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU, SIGXFSZ };

	(void)state;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		int status;
		pid_t child = start_child();

		assert_int_equal(temps(), 1);
		kill(child, deadly[i]);
		assert_int_equal(waitpid(child, &status, 0), child);
		/* The child dies of the signal, as the shell and make expect. */
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), deadly[i]);
		assert_int_equal(temps(), 0);
		assert_false(there("x"));
	}
}

static void test_direct(void **state)
{
	struct lu_err err;
	struct lu_atomic f;
	struct stat st;

	(void)state;
	assert_int_equal(lu_atomic_open(&f, "/dev/null", &err), 0);
	assert_int_equal(lu_atomic_write(&f, "x", 1, &err), 0);
	assert_int_equal(lu_atomic_commit(&f, &err), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(lu_atomic_open(&f, "/dev/full", &err), 0);
	assert_int_equal(lu_atomic_write(&f, "x", 1, &err), -1);
	assert_string_equal(err.msg, "/dev/full: No space left on device");
	lu_atomic_abort(&f);
}

static void test_wrong_names(void **state)
{
	static const char *const name[] = { "none/x", "none/deep/x", ".", "", "x/", "/proc/x" };
	struct lu_err err;
	struct lu_atomic f;

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		assert_int_equal(lu_atomic_open(&f, name[i], &err), -1);
		assert_true(strlen(err.msg) > strlen(name[i]) + 3);
	}
	assert_int_equal(lu_atomic_open(&f, "none/x", &err), -1);
	assert_string_equal(err.msg, "none/x: there is no folder 'none', create it first");
}

static void test_many_at_once(void **state)
{
	static struct lu_atomic f[300];
	struct lu_err err;

	(void)state;
	for (size_t n = 0; n < 300; n++) {
		char name[16];

		snprintf(name, sizeof(name), "m%zu", n);
		assert_int_equal(lu_atomic_open(&f[n], name, &err), 0);
	}
	assert_int_equal(temps(), 300);
	lu_atomic_remove_all();
	assert_int_equal(temps(), 0);
	for (size_t n = 0; n < 300; n++)
		lu_atomic_abort(&f[n]);
	write_whole("x", "works again");
	unlink("x");
}

/* A reserved name is written whole, again and again; another output of that name is refused. */
static void test_replace(void **state)
{
	struct lu_err err;
	struct lu_atomic f;

	(void)state;
	assert_int_equal(lu_atomic_reserve("line", &err), 0);
	assert_int_equal(lu_atomic_open(&f, "line", &err), -1);
	assert_string_equal(err.msg, "line: two outputs have this name");
	assert_int_equal(lu_atomic_replace("line", "first", 5, &err), 0);
	assert_file("line", "first");
	assert_int_equal(lu_atomic_replace("line", "2nd", 3, &err), 0);
	assert_file("line", "2nd");
	assert_int_equal(temps(), 0);
	assert_int_equal(lu_atomic_replace("no/folder/line", "x", 1, &err), -1);
}

/* A rename that is asked for twice, as a network file system does that lost the answer, has happened;
 * one whose file is gone has not. */
static void test_renamed_already(void **state)
{
	struct lu_err err;
	struct lu_atomic f;

	(void)state;
	assert_int_equal(lu_atomic_open(&f, "twice", &err), 0);
	assert_int_equal(lu_atomic_write(&f, "x", 1, &err), 0);
	assert_int_equal(rename(f.temp, "twice"), 0);
	assert_int_equal(lu_atomic_commit(&f, &err), 0);
	assert_file("twice", "x");
	assert_int_equal(lu_atomic_open(&f, "twice", &err), 0);
	assert_int_equal(unlink(f.temp), 0);
	assert_int_equal(lu_atomic_commit(&f, &err), -1);
	assert_string_equal(err.msg, "twice: No such file or directory");
	assert_file("twice", "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit_and_abort),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_abort_of_none),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_two_attempts),
		cmocka_unit_test(test_one_target_twice),
		cmocka_unit_test(test_left_by_kill),
		cmocka_unit_test(test_live_attempt_stays),
		cmocka_unit_test(test_stale_names),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_signals_remove),
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_renamed_already),
	};

	return cmocka_run_group_tests_name("atomicfile", tests, scratch_make, scratch_remove);
}
