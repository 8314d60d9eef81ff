/*
 * sys/atomicfile.h: files appear complete or not at all, also when the process is killed, when two
 * runs write at once, and through links. What ends a process runs in a child.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"

#define TEMP ".x.lu-tmp"

static bool there(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
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
	assert_true(there(TEMP));
	assert_false(there("x"));
	assert_int_equal(lu_atomic_write(&f, "new", 3, &err), 0);
	assert_int_equal(f.written, 3);
	assert_int_equal(lu_atomic_commit(&f, &err), 0);
	assert_file("x", "new");
	assert_false(there(TEMP));
	lu_atomic_abort(&f);

	assert_int_equal(lu_atomic_open(&f, "x", &err), 0);
	assert_int_equal(lu_atomic_write(&f, "lost", 4, &err), 0);
	lu_atomic_abort(&f);
	assert_file("x", "new");
	assert_false(there(TEMP));
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
	assert_file(TEMP, "one");
	assert_int_equal(f.fd, -1);
	assert_int_equal(lu_atomic_commit(&f, &err), 0);
	assert_file("x", "one");
	assert_false(there(TEMP));
	lu_atomic_abort(&g);
	assert_false(there(".y.lu-tmp"));
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
	assert_false(there(TEMP));
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
	assert_false(there("d/.y.lu-tmp"));
	/* A circle is an error, not a loop. */
	unlink("x");
	assert_int_equal(symlink("x", "x"), 0);
	assert_int_equal(lu_atomic_open(&f, "x", &err), -1);
	assert_string_equal(err.msg, "x: Too many levels of symbolic links");
	unlink("x");
}

/* The name of the temporary file is predictable: a link planted there is not followed. */
static void test_planted_link(void **state)
{
	struct lu_err err;
	struct lu_atomic f;

	(void)state;
	put_text("victim", "kept");
	assert_int_equal(symlink("victim", TEMP), 0);
	assert_int_equal(lu_atomic_open(&f, "x", &err), -1);
	assert_file("victim", "kept");
	unlink(TEMP);
}

static void test_second_writer(void **state)
{
	struct lu_err err;
	struct lu_atomic f, g;
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(lu_atomic_open(&f, "x", &err), 0);
	assert_int_equal(lu_atomic_open(&g, "x", &err), -1);
	assert_string_equal(err.msg, "x: another run is writing it");
	child = fork();
	if (child == 0) {
		/* fork() shares the lock of the open file; a new open is refused here too. */
		_exit(lu_atomic_open(&g, "x", &err) < 0 ? 7 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(lu_atomic_write(&f, "mine", 4, &err), 0);
	assert_int_equal(lu_atomic_commit(&f, &err), 0);
	assert_file("x", "mine");
	/* The lock is released. */
	write_whole("x", "next");
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

		lu_atomic_install();
		if (lu_atomic_open(&f, "x", &err) < 0 ||
				lu_atomic_write(&f, "half of it", 10, &err) < 0 ||
				write(end[1], "!", 1) != 1)
			_exit(9);
		for (;;)
			pause();
	}
	close(end[1]);
	assert_int_equal(read(end[0], &c, 1), 1);
	close(end[0]);
	return child;
}

static void test_left_by_kill_is_reused(void **state)
{
	int status;
	pid_t child = start_child();

	(void)state;
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(there(TEMP));
	write_whole("x", "new");
	assert_file("x", "new");
	assert_false(there(TEMP));
	unlink("x");
}

static void test_signals_remove(void **state)
{
	static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU, SIGXFSZ };

	(void)state;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		int status;
		pid_t child = start_child();

		assert_true(there(TEMP));
		kill(child, deadly[i]);
		assert_int_equal(waitpid(child, &status, 0), child);
		/* The child dies of the signal, as the shell and make expect. */
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), deadly[i]);
		assert_false(there(TEMP));
		assert_false(there("x"));
	}
}

/* A file that another run made under the same name after ours was renamed is kept. */
static void test_remove_only_ours(void **state)
{
	struct lu_err err;
	struct lu_atomic f;

	(void)state;
	assert_int_equal(lu_atomic_open(&f, "x", &err), 0);
	assert_int_equal(rename(TEMP, "elsewhere"), 0);
	put_text(TEMP, "of another run");
	lu_atomic_remove_all();
	assert_file(TEMP, "of another run");
	lu_atomic_abort(&f);
	unlink(TEMP);
	unlink("elsewhere");
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
	static const char *const name[] = { "none/x", ".", "", "x/", "/proc/x" };
	struct lu_err err;
	struct lu_atomic f;

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		assert_int_equal(lu_atomic_open(&f, name[i], &err), -1);
		assert_true(strlen(err.msg) > strlen(name[i]) + 3);
	}
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
	assert_true(there(".m299.lu-tmp"));
	lu_atomic_remove_all();
	assert_false(there(".m0.lu-tmp"));
	assert_false(there(".m299.lu-tmp"));
	for (size_t n = 0; n < 300; n++)
		lu_atomic_abort(&f[n]);
	write_whole("x", "works again");
	unlink("x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit_and_abort),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_abort_of_none),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_planted_link),
		cmocka_unit_test(test_second_writer),
		cmocka_unit_test(test_left_by_kill_is_reused),
		cmocka_unit_test(test_signals_remove),
		cmocka_unit_test(test_remove_only_ours),
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_many_at_once),
	};

	return cmocka_run_group_tests_name("atomicfile", tests, scratch_make, scratch_remove);
}
