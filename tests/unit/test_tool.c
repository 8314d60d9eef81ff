/* What a program prints about itself: --help, --version, completions; and how it ends. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/completion.h"
#include "libcommon/sys/help.h"
#include "libcommon/sys/threads.h"
#include "libcommon/sys/tool.h"
#include "libcommon/sys/version.h"

/* As a program with these two parts would define them. */
const char lu_version_cuda[] = "12.4";
const char lu_version_mpi[] = "Open MPI 4.1";

struct config {
	struct lu_std std;
	const char *name, *other;
	bool flag, side_given;
	uint64_t count, size;
	double share;
	enum side { LEFT, RIGHT } side, whence;
};

static const struct lu_enum sides[] = {
	{ "left", LEFT },
	{ "right", RIGHT },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('n', "name", struct config, name, "NAME", "the file's [own] name"),
	LU_OPT_FLAG(0, "flag", struct config, flag, "a flag"),
	LU_OPT_STR(0, "a-very-long-option", struct config, other, "ARGUMENT",
			"goes past its column"),
	LU_OPT_ALIAS("old", "flag"),
	LU_OPT_U64(0, "count", struct config, count, "N", "a count"),
	LU_OPT_SIZE(0, "size", struct config, size, "SIZE", "a size"),
	LU_OPT_DOUBLE(0, "share", struct config, share, "X", 0, 1, "a share (most of it)"),
	LU_OPT_ENUM(0, "side", struct config, side, sides, "a side"),
	LU_OPT_ENUM_GIVEN(0, "whence", struct config, whence, side_given, sides, "its side"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-x", "does a thing", "[FILE...]", opts, LU_STD_FILTER,
	offsetof(struct config, std) };

static void test_help(void **state)
{
	struct config c = { .std = LU_STD_DEFAULTS, .name = "x", .size = 3 << 10, .share = 0.5 };
	struct lu_buf b = { 0 };

	(void)state;
	lu_help_put(&tool, &c, &b);
	assert_string_equal(b.p,
			"usage: lucie-x [options] [FILE...]\n"
			"Does a thing.\n"
			"\n"
			"  -n, --name NAME               the file's [own] name (x)\n"
			"      --flag                    a flag\n"
			"      --a-very-long-option ARGUMENT  goes past its column\n"
			"      --count N                 a count\n"
			"      --size SIZE               a size (3K)\n"
			"      --share X                 a share (most of it)\n"
			"      --side left|right         a side (left)\n"
			"      --whence left|right       its side\n"
			"  common: -o FILE  -z HOW  -j N  --text-field MEMBER  "
			"--map NAME=MEMBER,...\n"
			"          --rejects FILE  --max-bad N  --max-line SIZE  --allow-empty\n"
			"          --stats FILE  --progress WHEN  -q  -v  -h  --version\n"
			"Manual: man lucie-x; the shared options: man 7 lucie\n");
	lu_buf_release(&b);
}

static void test_options(void **state)
{
	static const struct lu_tool quiet = { "lucie-y", "does a thing", "", opts, LU_STD_PROGRESS,
		0 };
	struct lu_buf b = { 0 };

	(void)state;
	lu_completion_options(&quiet, &b);
	assert_string_equal(b.p,
			"n\tname\tNAME\n"
			"\tflag\t\n"
			"\ta-very-long-option\tARGUMENT\n"
			"\tcount\tN\n"
			"\tsize\tSIZE\n"
			"\tshare\tX\n"
			"\tside\tleft|right\n"
			"\twhence\tleft|right\n"
			"\tprogress\tauto|always|never\n"
			"q\tquiet\t\n"
			"v\tverbose\t\n"
			"h\thelp\t\n"
			"\tversion\t\n");
	lu_buf_release(&b);
}

static void test_completion(void **state)
{
	static const struct lu_tool quiet = { "lucie-y", "does a thing", "", opts, 0, 0 };
	struct lu_err err = { 0 };
	struct lu_buf b = { 0 };

	(void)state;
	assert_int_equal(lu_completion_script(&quiet, "bash", &b, &err), 0);
	assert_non_null(strstr(b.p, "\n\t-n|--name) compopt +o default 2>/dev/null; return ;;\n"));
	assert_non_null(strstr(b.p, "\n\t--side) words='left right' ;;\n"));
	assert_non_null(strstr(b.p,
			"words='--name --flag --a-very-long-option --count --size "
			"--share --side --whence --quiet --verbose --help --version'"));
	assert_non_null(strstr(b.p, "\ncomplete -o default -F _lucie_y lucie-y\n"));
	lu_buf_clear(&b);
	assert_int_equal(lu_completion_script(&quiet, "zsh", &b, &err), 0);
	assert_non_null(strstr(
			b.p, "'(-n --name)'{-n+,--name=}'[the file'\\''s \\[own\\] name]:NAME: '"));
	assert_non_null(strstr(b.p, "  '--side=[a side]:side:(left right)' \\\n"));
	assert_non_null(strstr(b.p, "  '*'{-v,--verbose}'[say more]' \\\n"));
	assert_int_equal(lu_completion_script(&quiet, "fish", &b, &err), -1);
	assert_string_equal(err.msg, "'fish' is not one of bash|zsh");
	lu_buf_release(&b);
}

/* The parts that this program does not define are not in. */
static void test_version(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	lu_version_put("lucie-x", &b);
	assert_memory_equal(b.p, "lucie-x (lucie) " LU_VERSION "\n",
			sizeof("lucie-x (lucie) " LU_VERSION "\n") - 1);
	assert_non_null(strstr(b.p, "\nCUDA 12.4, NCCL no, MPI Open MPI 4.1\n"));
	lu_buf_release(&b);
}

/* Runs the function in a child; its exit status and what it wrote to standard error. */
static int child(void (*run)(void), char *said, size_t size)
{
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		run();
		_exit(0);
	}
	close(ends[1]);
	for (size_t got = 0; (n = read(ends[0], said + got, size - 1 - got)) > 0;)
		said[got += (size_t)n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void wrong_value(void)
{
	struct lu_err err = { 0 };

	lu_err_set(&err, "'out of memory' is not a preset");
	lu_usage_fail(&err, "--preset");
}

static void no_memory(void)
{
	struct lu_err err = { 0 };

	lu_err_nomem(&err);
	lu_err_wrap(&err, "loading a preset");
	lu_usage_fail(&err, "--preset");
}

static void no_file(void)
{
	struct lu_err err = { 0 };

	lu_err_sys(&err, ENOENT, "x.ini");
	lu_usage_fail(&err, "--set");
}

/* The hint belongs to wrong input alone, whatever the words of the error are. */
static void test_usage_hint(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(child(wrong_value, said, sizeof(said)), 2);
	assert_string_equal(said,
			"lucie: --preset: 'out of memory' is not a preset\nTry 'lucie --help'.\n");
	assert_int_equal(child(no_memory, said, sizeof(said)), 2);
	assert_string_equal(said, "lucie: --preset: loading a preset: out of memory\n");
	assert_int_equal(child(no_file, said, sizeof(said)), 2);
	assert_string_equal(said, "lucie: --set: x.ini: No such file or directory\n");
}

static void library_exits(void)
{
	static char name[] = "lucie-x", *argv[] = { name, NULL };
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_atomic f;
	struct lu_err err;

	lu_tool_start(&tool, 1, argv, &c, &args);
	if (lu_atomic_open(&f, "unfinished", &err) < 0)
		_exit(3);
	exit(1);
}

/* The status of a library that gives up is not an answer, and leaves no half a file. */
static void test_exit_by_others(void **state)
{
	char said[512] = "";

	(void)state;
	assert_int_equal(child(library_exits, said, sizeof(said)), 2);
	assert_int_equal(unfinished_in("."), 0);
}

static void test_threads(void **state)
{
	struct rlimit space, small;
	struct lu_err err = { 0 };

	(void)state;
	assert_int_equal(lu_threads_check(0, &err), 0);
	assert_int_equal(lu_threads_check(1, &err), 0);
	assert_int_equal(lu_threads_check(40, &err), 0);
	omp_set_num_threads(99999);
	assert_int_equal(lu_threads_default(), LU_THREADS_MAX);
	omp_set_num_threads(3);
	assert_int_equal(lu_threads_default(), 3);
	/* The stacks of so many threads do not fit in the address space. Sanitizers need more. */
	if (getenv("LUCIE_CONFIG") && strcmp(getenv("LUCIE_CONFIG"), "release") != 0)
		return;
	assert_int_equal(getrlimit(RLIMIT_AS, &space), 0);
	small = space;
	small.rlim_cur = (rlim_t)2 << 30;
	assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
	assert_int_equal(lu_threads_check(1000, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_AS, &space), 0);
	assert_int_equal(strncmp(err.msg, "cannot start 1000 threads (use fewer: -j ", 41), 0);
	assert_int_equal(err.errnum, EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_usage_hint),
		cmocka_unit_test(test_exit_by_others),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("tool", tests, scratch_make, scratch_remove);
}
