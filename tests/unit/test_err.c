/* base/err.h: sentences and their cause. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "libcommon/base/err.h"
#include "libcommon/base/utf8.h"

static void test_sentences(void **state)
{
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_err_set(&err, "line %d", 3), -1);
	assert_int_equal(lu_err_wrap(&err, "%s", "x.jsonl"), -1);
	assert_string_equal(err.msg, "x.jsonl: line 3");
	assert_int_equal(lu_err_sys(&err, ENOENT, "y"), -1);
	assert_string_equal(err.msg, "y: No such file or directory");
	assert_int_equal(lu_err_nomem(&err), -1);
	assert_string_equal(err.msg, "out of memory");
}

/* The beginning of the path and the reason stay; UTF-8 is not cut. */
static void test_long_sentences(void **state)
{
	char long_name[9000];
	struct lu_err err;

	(void)state;
	for (size_t cut = 0; cut < 4; cut++) {
		memset(long_name, 'n', cut);
		for (size_t i = cut; i + 3 < sizeof(long_name); i += 3)
			memcpy(long_name + i, "\xe2\x82\xac", 4);
		lu_err_sys(&err, ENOENT, "folder/%s/file", long_name);
		lu_err_wrap(&err, "%s", "recipe.ini");
		assert_true(strlen(err.msg) > sizeof(err.msg) - 8);
		assert_int_equal(strncmp(err.msg, "recipe.ini: folder/", 19), 0);
		assert_non_null(strstr(err.msg, "/file: No such file or directory"));
		assert_non_null(strstr(err.msg, " ... "));
		assert_true(lu_utf8_valid(err.msg, strlen(err.msg)) == strlen(err.msg));
	}
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	lu_err_set(&err, "%.700s", long_name);
	assert_int_equal(strlen(err.msg), 700);
	lu_err_set(&err, "%.767s", long_name);
	assert_int_equal(strlen(err.msg), 767);
	assert_null(strstr(err.msg, "..."));
	lu_err_set(&err, "%.768s", long_name);
	assert_int_equal(strlen(err.msg), 767);
	assert_non_null(strstr(err.msg, " ... "));
}

/* Callers decide by errnum: what the system refused, ENOMEM, or 0 for wrong input. */
static void test_errnum(void **state)
{
	struct lu_err err;

	(void)state;
	lu_err_sys(&err, EACCES, "x");
	assert_int_equal(err.errnum, EACCES);
	lu_err_wrap(&err, "recipe %d", 1);
	assert_int_equal(err.errnum, EACCES);
	lu_err_nomem(&err);
	assert_int_equal(err.errnum, ENOMEM);
	lu_err_wrap(&err, "recipe");
	assert_int_equal(err.errnum, ENOMEM);
	lu_err_set(&err, "out of memory");
	assert_int_equal(err.errnum, 0);
	lu_err_wrap(&err, "recipe");
	assert_int_equal(err.errnum, 0);
}

static void test_mask_controls(void **state)
{
	char text[] = "a\x1b[2J\n\x7f\xc3\xa9\t";

	(void)state;
	lu_mask_controls(text);
	assert_string_equal(text, "a?[2J??\xc3\xa9?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_long_sentences),
		cmocka_unit_test(test_errnum),
		cmocka_unit_test(test_mask_controls),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
