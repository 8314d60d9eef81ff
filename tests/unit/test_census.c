/* Count by language: order, bins, the rest; unknown licences. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "libcommon/report/census.h"

static const struct lu_census_room room = { .tmpdir = "/tmp", .top = 3 };

static void add(struct lu_census *c, const char *lang, uint64_t characters)
{
	struct lu_census_size size = { .bytes = 2 * characters, .characters = characters };
	struct lu_err err = { 0 };

	assert_int_equal(lu_census_add(c, lu_str_of(lang), &size, &err), 0);
}

static void finish_as(struct lu_census *c, const char *json)
{
	struct lu_buf b = { 0 };
	struct lu_err err = { 0 };

	assert_int_equal(lu_census_finish(c, &err), 0);
	lu_census_json(c, &b);
	assert_true(lu_buf_ok(&b));
	assert_string_equal(b.p, json);
	lu_census_release(c);
	lu_buf_release(&b);
}

static void test_json(void **state)
{
	struct lu_census_size size = {
		.bytes = 9, .characters = 8, .tokens = 3, .has_tokens = true
	};
	struct lu_census c;
	struct lu_err err = { 0 };

	(void)state;
	lu_census_init(&c, LU_CENSUS_LANG, &room);
	add(&c, "fr", 0);
	add(&c, "fr", 1);
	add(&c, "", 3);
	add(&c, "fr", 4);
	assert_int_equal(lu_census_add(&c, LU_STR("en"), &size, &err), 0);
	finish_as(&c,
			"{\"lang\":\"en\",\"docs\":1,\"bytes\":9,\"characters\":8,\"share\":0.5,"
			"\"tokens\":3,\"log2_characters\":[0,0,0,1]}\n"
			"{\"lang\":\"fr\",\"docs\":3,\"bytes\":10,\"characters\":5,\"share\":0."
			"3125,"
			"\"log2_characters\":[2,0,1]}\n"
			"{\"lang\":\"none\",\"docs\":1,\"bytes\":6,\"characters\":3,"
			"\"share\":0.1875,\"log2_characters\":[0,1]}\n");
}

static void test_rest(void **state)
{
	struct lu_census c;

	(void)state;
	lu_census_init(&c, LU_CENSUS_SOURCE, &room);
	for (int i = 0; i < 2 * 12; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%d", i % 12);
		add(&c, name, i % 12 < 2 ? 8 : 1);
	}
	finish_as(&c,
			"{\"source\":\"s0\",\"docs\":2,\"bytes\":32,\"characters\":16,\"share\":0."
			"3076923076923077}\n"
			"{\"source\":\"s1\",\"docs\":2,\"bytes\":32,\"characters\":16,\"share\":0."
			"3076923076923077}\n"
			"{\"source\":\"s5\",\"docs\":2,\"bytes\":4,\"characters\":2,\"share\":0."
			"038461538461538464}\n"
			"{\"others\":9,\"docs\":18,\"bytes\":36,\"characters\":18,\"share\":0."
			"34615384615384615}\n");
}

/* What nobody knows is a row, also where it is the only one. */
static void test_unknown(void **state)
{
	struct lu_census c;

	(void)state;
	lu_census_init(&c, LU_CENSUS_LICENSE, &room);
	add(&c, "MIT", 5);
	finish_as(&c,
			"{\"license\":\"MIT\",\"docs\":1,\"bytes\":10,\"characters\":5,\"share\":1."
			"0}"
			"\n"
			"{\"license\":\"unknown\",\"docs\":0,\"bytes\":0,\"characters\":0,"
			"\"share\":0.0}\n");
	lu_census_init(&c, LU_CENSUS_LICENSE, &room);
	add(&c, "Unknown", 1);
	add(&c, "NOASSERTION", 2);
	add(&c, "", 4);
	finish_as(&c,
			"{\"license\":\"unknown\",\"docs\":3,\"bytes\":14,\"characters\":7,"
			"\"share\":1.0}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
