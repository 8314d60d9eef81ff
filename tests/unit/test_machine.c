/* Date and machine of a run. */
#include "tests/unit/unit.h"

#include <sys/utsname.h>

#include "libcommon/sys/machine.h"

static void test_date(void **state)
{
	static const char form[] = "2000-00-00T00:00:00Z";
	struct lu_buf b = { 0 };

	(void)state;
	lu_date(&b);
	assert_int_equal(b.n, strlen(form));
	for (size_t i = 0; i < b.n; i++) {
		if (form[i] == '0')
			assert_in_range(b.p[i], '0', '9');
		else
			assert_int_equal(b.p[i], form[i]);
	}
	lu_buf_release(&b);
}

static void test_machine(void **state)
{
	struct lu_buf b = { 0 };
	struct utsname u;

	(void)state;
	assert_int_equal(uname(&u), 0);
	lu_machine(&b);
	assert_memory_equal(b.p, u.nodename, strlen(u.nodename));
	assert_non_null(strstr(b.p, " processor"));
	assert_null(strchr(b.p, '\n'));
	lu_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
