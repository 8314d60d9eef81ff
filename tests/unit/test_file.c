/* sys/file.h: complete reads and writes, folders, paths. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/sys/file.h"

static void test_read_file(void **state)
{
	struct lu_err err;
	char *p;
	size_t n;

	(void)state;
	put_file("in", "a\0b", 3);
	assert_int_equal(lu_read_file("in", 3, &p, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(p, "a\0b", 4);
	free(p);
	assert_int_equal(lu_read_file("in", 2, &p, &n, &err), -1);
	assert_string_equal(err.msg, "in: larger than 2 bytes");
	assert_int_equal(lu_read_file(".", 2, &p, &n, &err), -1);
	assert_int_equal(lu_read_file("missing", 2, &p, &n, &err), -1);
	for (size_t size = 65534; size < 65540; size++) {
		char *big = calloc(1, size);

		assert_non_null(big);
		put_file("in", big, size);
		free(big);
		assert_int_equal(lu_read_file("in", 100000, &p, &n, &err), 0);
		assert_int_equal(n, size);
		free(p);
	}
}

static void test_temp(void **state)
{
	struct lu_err err;
	char back[4];
	int fd = lu_temp_open(".", &err);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(lu_write_all(fd, "spill", 5, "t", &err), 0);
	assert_int_equal(lu_pread_all(fd, back, 4, 1, "t", &err), 0);
	assert_memory_equal(back, "pill", 4);
	assert_int_equal(lu_pread_all(fd, back, 4, 2, "t", &err), -1);
	assert_string_equal(err.msg, "t: ends too early");
	close(fd);
	assert_int_equal(lu_temp_open("none", &err), -1);
}

static void test_write_all(void **state)
{
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_write_all(-1, "x", 1, "no file", &err), -1);
	assert_string_equal(err.msg, "no file: Bad file descriptor");
	assert_int_equal(lu_write_all(-1, "", 0, "no file", &err), 0);
}

static void test_make_folders(void **state)
{
	struct lu_err err;
	struct stat st;

	(void)state;
	assert_int_equal(lu_make_folders("", &err), -1);
	assert_int_equal(lu_make_folders("p/q//r", &err), 0);
	assert_int_equal(lu_make_folders("p/q/r/", &err), 0);
	assert_int_equal(stat("p/q/r", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	put_text("file", "");
	assert_int_equal(lu_make_folders("file/q", &err), -1);
	assert_string_equal(err.msg, "file/q: Not a directory");
}

static void test_sync_folder(void **state)
{
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_sync_folder("in-this-folder", &err), 0);
	assert_int_equal(lu_sync_folder("/tmp", &err), 0);
	assert_int_equal(lu_sync_folder("missing/file", &err), -1);
	assert_string_equal(err.msg, "missing: No such file or directory");
}

static void test_concat(void **state)
{
	static const struct {
		const char *a, *b, *c, *all;
	} t[] = { { "run/", "step", ".json", "run/step.json" }, { "a", "b", NULL, "ab" },
		{ "a", NULL, "ignored", "a" }, { "", "", "", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char *s = lu_concat(t[i].a, t[i].b, t[i].c);

		assert_string_equal(s, t[i].all);
		free(s);
	}
}

static void test_distinct(void **state)
{
	static struct {
		char path[4][12];
		const char *suffix, *message;
	} t[] = {
		{ { "one", "two", "-", "-" }, "", NULL },
		{ { "one", "two", "one", "two" }, "", "one: given twice" },
		{ { "two", "one", "./one", "link" }, "",
				"./one: given twice, it is the same file as one" },
		{ { "one", "two", "missing", "link" }, "",
				"link: given twice, it is the same file as one" },
		{ { "/dev/null", "/dev/null", "missing", "missing" }, "", NULL },
		{ { "o", "./o", "tw", "two" }, "ne", "./o: given twice, it is the same file as o" },
	};
	struct lu_err err;

	(void)state;
	put_text("one", "");
	put_text("two", "");
	assert_int_equal(symlink("one", "link"), 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char *path[] = { t[i].path[0], t[i].path[1], t[i].path[2], t[i].path[3] };

		assert_int_equal(lu_files_distinct(path, 4, t[i].suffix, &err),
				t[i].message ? -1 : 0);
		if (t[i].message)
			assert_string_equal(err.msg, t[i].message);
	}
	assert_int_equal(lu_files_distinct(NULL, 0, "", &err), 0);
}

/* What is not there yet is waited for where LUCIE_WAIT says so, files and the folders of outputs; and no
 * longer than that. */
static void test_wait(void **state)
{
	struct lu_err err;
	pid_t pid;
	int fd, status;

	(void)state;
	assert_int_equal(lu_open_read("late/file", &err), -1);
	assert_string_equal(err.msg, "late/file: No such file or directory");
	assert_false(lu_await("late/file"));
	assert_int_equal(setenv("LUCIE_WAIT", "soon", 1), 0);
	assert_int_equal(lu_open_read("late/file", &err), -1);
	assert_int_equal(setenv("LUCIE_WAIT", "60", 1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		usleep(100000);
		_exit(mkdir("late", 0777) < 0 || (usleep(100000), rename("new", "late/file") < 0));
	}
	put_file("new", "x", 1);
	fd = lu_open("late/out", O_WRONLY | O_CREAT, 0666);
	assert_true(fd >= 0);
	close(fd);
	fd = lu_open_read("late/file", &err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(lu_await("late/file"));
	assert_int_equal(setenv("LUCIE_WAIT", "1", 1), 0);
	assert_int_equal(lu_open_read("late/none", &err), -1);
	assert_string_equal(err.msg,
			"late/none: no such file, and none came within LUCIE_WAIT=1 seconds");
	assert_int_equal(err.errnum, ENOENT);
	/* Other errors are errors at once. */
	assert_int_equal(setenv("LUCIE_WAIT", "60", 1), 0);
	assert_int_equal(lu_open_read("late/file/below", &err), -1);
	assert_int_equal(unsetenv("LUCIE_WAIT"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_temp),
		cmocka_unit_test(test_write_all),
		cmocka_unit_test(test_make_folders),
		cmocka_unit_test(test_sync_folder),
		cmocka_unit_test(test_concat),
		cmocka_unit_test(test_distinct),
		cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests_name("file", tests, scratch_make, scratch_remove);
}
