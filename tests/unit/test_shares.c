/* The argument of --balance. */
#include "tests/unit/unit.h"

#include "libcommon/bpetrain/shares.h"

static void parses_shares(void **state)
{
	static const char *const bad[] = { "", "fr", "fr=", "=3", "fr=x", "fr=3,", ",fr=3", "fr=-1",
		"fr=1.2345", "fr=1.", "fr=.5", "fr=3 ", "fr=101", "fr=60,en=50", "fr=1,fr=2",
		"fr=99999999999",
		"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg=1" };
	struct lu_shares s;
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (lu_shares_parse(bad[i], &s, &err) == 0)
			fail_msg("'%s' is accepted", bad[i]);
	}
	assert_int_equal(lu_shares_parse("fr=33.3,en=0.005,de=0", &s, &err), 0);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.item[0].share, 33300);
	assert_int_equal(s.item[1].share, 5);
	assert_int_equal(s.rest, 100000 - 33305);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
