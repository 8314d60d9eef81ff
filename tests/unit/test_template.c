/* sys/template.h: files from templates, all or none. */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/sys/template.h"

static const char *const names[] = { "one", "two" };
static const struct lu_blank blanks[] = { { "@A@", "first" }, { "@B@", "@A@ second" } };

static void test_fill(void **state)
{
	struct lu_err err;

	(void)state;
	assert_int_equal(mkdir("from", 0777), 0);
	assert_int_equal(mkdir("to", 0777), 0);
	put_text("from/one", "@A@ and @B@, @A@\n");
	put_text("from/two", "");
	assert_int_equal(lu_template_absent("to", names, 2, &err), 0);
	assert_int_equal(lu_template_write("from", "to", names, 2, blanks, 2, &err), 0);
	/* What is filled in is not looked through for words that came before. */
	assert_file("to/one", "first and @A@ second, first\n");
	assert_file("to/two", "");
	assert_int_equal(lu_template_absent("to", names, 2, &err), -1);
	assert_string_equal(err.msg, "to/one: exists already; nothing was changed");
}

static void test_all_or_none(void **state)
{
	struct lu_err err;

	(void)state;
	assert_int_equal(mkdir("some", 0777), 0);
	assert_int_equal(mkdir("none", 0777), 0);
	put_text("some/one", "x");
	assert_int_equal(lu_template_write("some", "none", names, 2, blanks, 2, &err), -1);
	assert_string_equal(err.msg, "some/two: No such file or directory");
	/* No file, temporary ones included. */
	assert_int_equal(rmdir("none"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_all_or_none),
	};
	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
