/* base/err.h: sentences and their cause. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "libcommon/base/err.h"

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

static void test_long_sentences_are_cut(void **state)
{
	char long_name[2000];
	struct lu_err err;

	(void)state;
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	lu_err_sys(&err, ENOENT, "%s", long_name);
	lu_err_wrap(&err, "%s", long_name);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
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
		cmocka_unit_test(test_long_sentences_are_cut),
		cmocka_unit_test(test_errnum),
		cmocka_unit_test(test_mask_controls),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
