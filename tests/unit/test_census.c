/* Count by language: order, bins, and the limit on languages. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "libcommon/report/census.h"

static void add(struct lu_census *c, const char *lang, uint64_t characters)
{
	struct lu_census_size size = { .bytes = 2 * characters, .characters = characters };
	struct lu_err err = { 0 };

	assert_int_equal(lu_census_add(c, lu_str_of(lang), &size, &err), 0);
}

static void test_json(void **state)
{
	struct lu_census_size size = {
		.bytes = 9, .characters = 8, .tokens = 3, .has_tokens = true
	};
	struct lu_census c = { 0 };
	struct lu_buf b = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	add(&c, "fr", 0);
	add(&c, "fr", 1);
	add(&c, "", 3);
	add(&c, "fr", 4);
	assert_int_equal(lu_census_add(&c, LU_STR("en"), &size, &err), 0);
	lu_census_json(&c, &b);
	assert_true(lu_buf_ok(&b));
	assert_string_equal(b.p,
			"{\"lang\":\"en\",\"docs\":1,\"bytes\":9,\"characters\":8,\"share\":0.5,"
			"\"tokens\":3,\"log2_characters\":[0,0,0,1]}\n"
			"{\"lang\":\"fr\",\"docs\":3,\"bytes\":10,\"characters\":5,\"share\":0."
			"3125,"
			"\"log2_characters\":[2,0,1]}\n"
			"{\"lang\":\"none\",\"docs\":1,\"bytes\":6,\"characters\":3,"
			"\"share\":0.1875,\"log2_characters\":[0,1]}\n");
	/* Sorting moved the rows: the next document must find its own. */
	add(&c, "en", 100);
	assert_int_equal(c.row.n, 3);
	assert_int_equal(c.row.p[0].docs, 2);
	lu_census_release(&c);
	lu_buf_release(&b);
}

static void test_other(void **state)
{
	struct lu_census c = { 0 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < LU_CENSUS_LANGS + 5; i++) {
			char lang[16];

			snprintf(lang, sizeof(lang), "l%d", i);
			add(&c, lang, 1);
		}
	}
	assert_int_equal(c.row.n, LU_CENSUS_LANGS + 1);
	assert_string_equal(c.row.p[LU_CENSUS_LANGS].lang, "other");
	assert_int_equal(c.row.p[LU_CENSUS_LANGS].docs, 10);
	assert_int_equal(c.row.p[0].docs, 2);
	lu_census_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
