/* sys/progress.h: the line fits, whatever the terminal. */
#include "tests/unit/unit.h"

#include "libcommon/sys/progress.h"

static const char *format(const struct lu_progress *p, uint64_t done, size_t columns)
{
	static char line[LU_PROGRESS_LINE];

	lu_progress_format(p, done, 1234, 10, columns, line);
	return line;
}

static void test_parts(void **state)
{
	const struct lu_progress bytes = { .tool = "lucie-x", .unit = "docs", .total = 40000000 };
	const struct lu_progress open = { .tool = "lucie-x", .unit = "docs" };
	const struct lu_progress units = {
		.tool = "lucie-x", .unit = "tokens", .total = 400, .counts = true
	};

	(void)state;
	assert_string_equal(format(&bytes, 10000000, 80),
			"lucie-x: 10.0 MB of 40.0 (25%), 1234 docs, 1.0 MB/s, 30 s left");
	assert_string_equal(format(&bytes, 10000000, 61),
			"lucie-x: 10.0 MB of 40.0 (25%), 1234 docs, 30 s left");
	assert_string_equal(
			format(&bytes, 10000000, 50), "lucie-x: 10.0 MB of 40.0 (25%), 30 s left");
	assert_string_equal(format(&bytes, 10000000, 40), "lucie-x: 10.0 MB of 40.0 (25%)");
	assert_string_equal(format(&bytes, 10000000, 12), "lucie-x: 10.");
	assert_string_equal(format(&bytes, 40000000, 80),
			"lucie-x: 40.0 MB of 40.0 (100%), 1234 docs, 4.0 MB/s");
	assert_string_equal(format(&open, 10000000, 80), "lucie-x: 10.0 MB, 1234 docs, 1.0 MB/s");
	assert_string_equal(format(&units, 100, 80),
			"lucie-x: 100 of 400 tokens (25%), 10/s, 30 s left");
}

static void test_width(void **state)
{
	const struct lu_progress p = { .tool = "lucie-tok-encode",
		.unit = "documents of a very long name, longer than any that there is",
		.total = UINT64_MAX };

	(void)state;
	for (size_t columns = 0; columns < 300; columns++) {
		assert_true(strlen(format(&p, UINT64_MAX / 3, columns)) <= columns);
		assert_true(strlen(format(&p, 0, columns)) <= columns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_width),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
