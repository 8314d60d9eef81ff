/* Held-out sets: shares, their stability, names, and malformed arguments. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "libcommon/shard/holdout.h"

#define KEYS 100000

static const struct lu_holdout *choose(const struct lu_holdouts *h, unsigned i)
{
	char key[16];

	snprintf(key, sizeof(key), "k%u", i);
	return lu_holdout_choose(h, 0, lu_str_of(key));
}

static void test_shares(void **state)
{
	struct lu_holdouts small = { 0 }, large = { 0 };
	size_t valid = 0, test = 0;
	struct lu_err err = { 0 };

	(void)state;
	assert_int_equal(lu_holdout_add(&small, "valid=0.01", &err), 0);
	assert_int_equal(lu_holdout_add(&small, "test=0.2", &err), 0);
	assert_int_equal(lu_holdout_add(&large, "valid=0.01", &err), 0);
	assert_int_equal(lu_holdout_add(&large, "test=0.3", &err), 0);
	for (unsigned i = 0; i < KEYS; i++) {
		const struct lu_holdout *a = choose(&small, i), *b = choose(&large, i);

		valid += a == &small.item.p[0];
		test += a == &small.item.p[1];
		/* A larger share only gains documents, and those before it keep theirs. */
		if (a)
			assert_int_equal(a - small.item.p, b - large.item.p);
	}
	/* Five standard deviations of a binomial distribution. */
	assert_in_range(valid, 1000 - 158, 1000 + 158);
	assert_in_range(test, 20000 - 633, 20000 + 633);
	lu_holdouts_release(&small);
	lu_holdouts_release(&large);
}

static void test_all_and_none(void **state)
{
	struct lu_holdouts h = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	assert_null(choose(&h, 1));
	/* 0.7 + 0.2 + 0.1 < 1 in binary: nothing may fall through. */
	assert_int_equal(lu_holdout_add(&h, "none=0", &err), 0);
	assert_int_equal(lu_holdout_add(&h, "a=0.7", &err), 0);
	assert_int_equal(lu_holdout_add(&h, "b=0.2", &err), 0);
	assert_int_equal(lu_holdout_add(&h, "c=0.1", &err), 0);
	assert_true(h.item.p[3].all);
	for (unsigned i = 0; i < 1000; i++) {
		const struct lu_holdout *o = choose(&h, i);

		assert_non_null(o);
		assert_ptr_not_equal(o, &h.item.p[0]);
	}
	assert_int_equal(lu_holdout_add(&h, "d=0.001", &err), -1);
	assert_string_equal(err.msg, "'d=0.001': the shares add up to more than 1");
	lu_holdouts_release(&h);
}

static void test_names(void **state)
{
	static const struct {
		const char *holdout, *lang, *name; /* NULL: no file name */
	} t[] = {
		{ "valid=1", "a/b", "valid" },
		{ "valid-{lang}=1", "fr", "valid-fr" },
		{ "{lang}=1", "code:c++", "code-c--" },
		{ "a{lang}b=1", "fr,en", "afr-enb" },
		{ "v-{lang}=1", "a/b", NULL },
		{ "v-{lang}=1", "", NULL },
		{ "v-{lang}=1",
				"fran\xC3\xA7"
				"ais",
				NULL },
	};
	struct lu_arena arena = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct lu_holdouts h = { 0 };
		struct lu_str name;
		int rc;

		assert_int_equal(lu_holdout_add(&h, t[i].holdout, &err), 0);
		rc = lu_holdout_name(&h.item.p[0], lu_str_of(t[i].lang), &arena, &name, &err);
		assert_int_equal(rc, t[i].name ? 0 : 1);
		if (t[i].name)
			assert_true(lu_str_is(name, t[i].name));
		lu_holdouts_release(&h);
	}
	lu_arena_release(&arena);
}

static void test_malformed(void **state)
{
	static const char *const arg[] = { "", "a", "=0.1", "a=", "a=x", "a=-0.1", "a=1.5", "a=nan",
		"a/b=0.1", "00001=0.1" };
	struct lu_holdouts h = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(arg) / sizeof(arg[0]); i++) {
		if (lu_holdout_add(&h, arg[i], &err) == 0)
			fail_msg("'%s' is accepted", arg[i]);
		assert_int_equal(err.errnum, 0);
	}
	assert_int_equal(h.item.n, 0);
	lu_holdouts_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_all_and_none),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
