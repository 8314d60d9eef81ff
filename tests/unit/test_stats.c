/* sys/stats.h: the accounting line, read back by jansson. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/summary.h"

static const struct lu_opt no_opts[] = { LU_OPT_END };
static const struct lu_tool tool = { "lucie-test", "tests", "", no_opts, 0, 0 };
static char name[] = "lucie-test", odd[] = "a \"b\"\n\xFF";
static char *argv[] = { name, odd, NULL };
static const struct lu_args args = { .tool = &tool, .argc = 2, .argv = argv };

static void test_line(void **state)
{
	struct lu_stats s = { .in = { 10, 1000 }, .out = { 7, 700 }, .repeated = 1 };
	struct lu_err err;
	const char *key;
	json_t *j, *v;
	size_t n = 0;

	(void)state;
	assert_int_equal(lu_stats_drop(&s, "z last", 1, &err), 0);
	assert_int_equal(lu_stats_drop(&s, "a \"first\"", 2, &err), 0);
	assert_int_equal(lu_stats_drop(&s, "z last", 1, &err), 0);
	assert_int_equal(lu_stats_dropped(&s), 4);
	lu_json_open_object(&s.extra, "more");
	lu_json_put_u64(&s.extra, "x", 1);
	lu_json_close_object(&s.extra);
	assert_int_equal(lu_stats_append(&s, &args, NULL, &err), 0);
	assert_int_equal(lu_stats_append(&s, &args, "s", &err), 0);
	lu_stats_release(&s);
	j = json_load_file("s", JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "tool")), "lucie-test");
	assert_string_equal(json_string_value(json_object_get(j, "version")), LU_VERSION);
	/* The command line as given, where it is UTF-8. */
	assert_string_equal(json_string_value(json_array_get(json_object_get(j, "args"), 0)),
			"a \"b\"\n\xEF\xBF\xBD");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "in"), "bytes")),
			1000);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "out"), "docs")), 7);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "more"), "x")), 1);
	/* jansson keeps the order of the file. */
	json_object_foreach(json_object_get(j, "dropped"), key, v)
	{
		static const char *const expected[] = { "a \"first\"", "z last" };

		assert_string_equal(key, expected[n++]);
		assert_int_equal(json_integer_value(v), 2);
	}
	assert_int_equal(n, 2);
	json_decref(j);
}

static void assert_described(
		const struct lu_stats *s, const char *noun, size_t width, const char *wanted)
{
	struct lu_buf b = { 0 };

	lu_summary_format(s, noun, "out", width, &b);
	assert_string_equal(b.p, wanted);
	lu_buf_release(&b);
}

static void test_summary(void **state)
{
	struct lu_stats s = { .in = { 9, 0 }, .out = { 2, 0 }, .repeated = 1 };
	struct lu_stats one = { .in = { 1, 0 }, .out = { 1, 0 } };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_stats_drop(&s, "short", 2, &err), 0);
	assert_int_equal(lu_stats_drop(&s, "empty", 4, &err), 0);
	assert_int_equal(lu_stats_drop(&s, "long", 2, &err), 0);
	assert_described(&one, "documents", 80, "1 document in, 1 out");
	assert_described(&s, "texts", 80,
			"9 texts in, 1 repeated, 2 out, 8 dropped: 4 empty, 2 long, 2 short");
	/* As many reasons as fit, without a line that is longer than the width. */
	assert_described(&s, "texts", 66,
			"9 texts in, 1 repeated, 2 out, 8 dropped: 4 empty, 2 long, 2 short");
	assert_described(&s, "texts", 65,
			"9 texts in, 1 repeated, 2 out, 8 dropped: 4 empty, 2 long, ...");
	assert_described(&s, "texts", 61, "9 texts in, 1 repeated, 2 out, 8 dropped: 4 empty, ...");
	/* The noun makes room for a reason. */
	assert_described(&s, "texts", 50, "9 in, 1 repeated, 2 out, 8 dropped: 4 empty, ...");
	assert_described(&s, "texts", 39, "9 in, 1 repeated, 2 out, 8 dropped");
	assert_described(&s, "texts", 1, "9 in, 1 repeated, 2 out, 8 dropped");
	lu_stats_release(&s);
}

/* The bytes are part of the contract; only the times differ. */
static void test_bytes(void **state)
{
	static const char expected[] = "{\"tool\":\"lucie-test\",\"version\":\"" LU_VERSION
				       "\",\"args\":[\"a \\\"b\\\"\\n\xEF\xBF\xBD\"],"
				       "\"in\":{\"docs\":2,\"bytes\":20},\"out\":{\"docs\":1,"
				       "\"bytes\":18446744073709551615},"
				       "\"dropped\":{\"short\":1},\"repeated\":0,\"tokens\":7,"
				       "\"time\":{\"wall_s\":";
	struct lu_stats s = { .in = { 2, 20 }, .out = { 1, UINT64_MAX } };
	struct lu_err err;
	char *line;
	size_t n;

	(void)state;
	unlink("s");
	assert_int_equal(lu_stats_drop(&s, "short", 1, &err), 0);
	/* Members appended by hand bring their comma along. */
	lu_buf_puts(&s.extra, ",\"tokens\":7");
	assert_int_equal(lu_stats_append(&s, &args, "s", &err), 0);
	lu_stats_release(&s);
	line = get_file("s", &n);
	assert_memory_equal(line, expected, sizeof(expected) - 1);
	assert_string_equal(line + n - 3, "}}\n");
	free(line);
}

static void test_concurrent_lines(void **state)
{
	char *text, *line, *rest;
	size_t n, lines = 0;

	(void)state;
	unlink("s");
	for (int p = 0; p < 4; p++) {
		if (fork() == 0) {
			struct lu_stats s = { .in = { 1, 1 } };
			struct lu_err err;

			for (int i = 0; i < 100; i++) {
				if (lu_stats_append(&s, &args, "s", &err) < 0)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int p = 0; p < 4; p++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	text = get_file("s", &n);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		json_t *j = json_loads(line, 0, NULL);

		assert_non_null(j);
		json_decref(j);
		lines++;
	}
	assert_int_equal(lines, 400);
	free(text);
}

static void test_check(void **state)
{
	struct lu_err err;

	(void)state;
	unlink("s");
	assert_int_equal(lu_stats_check(NULL, &err), 0);
	assert_int_equal(lu_stats_check("s", &err), 0);
	assert_int_equal(access("s", F_OK), -1);
	assert_int_equal(lu_stats_check("/dev/null", &err), 0);
	assert_int_equal(lu_stats_check("none/s", &err), -1);
	assert_string_equal(err.msg, "none/s: there is no folder 'none', create it first");
	assert_int_equal(lu_stats_check(".", &err), -1);
	assert_int_equal(lu_stats_check("", &err), -1);
}

static void test_full_disk(void **state)
{
	struct lu_stats s = { .in = { 1, 1 } };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_stats_append(&s, &args, "/dev/full", &err), -1);
	assert_string_equal(err.msg, "/dev/full: No space left on device");
	lu_stats_release(&s);
}

/* new:FILE has the line of the last run alone. */
static void test_new(void **state)
{
	struct lu_stats s = { .in = { 1, 10 }, .out = { 1, 10 } };
	struct lu_err err;
	json_t *j;

	(void)state;
	put_file("alone", "of another run\nand more\n", 24);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lu_stats_check("new:alone", &err), 0);
		assert_int_equal(lu_stats_append(&s, &args, "new:alone", &err), 0);
	}
	j = json_load_file("alone", JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	json_decref(j);
	assert_int_equal(unfinished_in("."), 0);
	assert_int_equal(lu_stats_check("new:no/folder", &err), -1);
	assert_non_null(strstr(err.msg, "there is no folder 'no'"));
	lu_stats_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_concurrent_lines),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests_name("stats", tests, scratch_make, scratch_remove);
}
