/* base/suggest.h: the nearest name. */
#include "tests/unit/unit.h"

#include "libcommon/base/suggest.h"

static unsigned distance(const char *a, const char *b, unsigned limit)
{
	unsigned d = lu_edit_distance(lu_str_of(a), lu_str_of(b), limit);

	assert_int_equal(d, lu_edit_distance(lu_str_of(b), lu_str_of(a), limit));
	return d;
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(distance("", "", 9), 0);
	assert_int_equal(distance("", "abc", 9), 3);
	assert_int_equal(distance("kitten", "sitting", 9), 3);
	assert_int_equal(distance("kitten", "sitting", 2), 3);
	assert_int_equal(distance("kitten", "sitting", 1), 2);
	assert_int_equal(distance("lenght", "length", 9), 1);
	assert_int_equal(distance("ab", "ba", 9), 1);
	assert_int_equal(distance("abc", "ca", 9), 3); /* an edited pair is not edited again */
	assert_int_equal(distance("MAX_LEN", "max-len", 9), 0);
}

static const char *nearest(const char *word)
{
	static const char *const names[] = { "tokenizer", "vocab-size", "min-score", "max-tokens",
		"preset", "progress", "keep", "keep-lang", "fr", "en", "j", "as" };
	struct lu_suggest s = lu_suggest_for(lu_str_of(word));

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		lu_suggest_try(&s, names[i]);
	return s.best ? s.best : "none";
}

static void test_nearest(void **state)
{
	static const struct {
		const char *word, *name;
	} cases[] = {
		{ "tokeniser", "tokenizer" },
		{ "tokenizr", "tokenizer" },
		{ "Tokenizer", "tokenizer" },
		{ "vocab", "vocab-size" },
		{ "vocab_size", "vocab-size" },
		{ "vocabsize", "vocab-size" },
		{ "score", "min-score" },
		{ "tokens", "max-tokens" },
		{ "maxtoken", "max-tokens" },
		{ "keep-lagn", "keep-lang" },
		{ "kep", "keep" },
		{ "FR", "fr" },
		{ "french", "fr" },
		{ "de", "none" },
		{ "zzz", "none" },
		{ "frobnicate", "fr" },
		{ "workers", "none" },
		{ "x", "none" },
		{ "", "none" },
		/* longer than is compared */
		{ "tokenizertokenizertokenizertokenizertokenizertokenizertokenizert", "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(nearest(cases[i].word), cases[i].name);
}

static void test_hint(void **state)
{
	struct lu_suggest s = lu_suggest_for(LU_STR("presett"));

	(void)state;
	assert_string_equal(lu_suggest_hint(&s), "");
	lu_suggest_try(&s, "preset");
	assert_string_equal(lu_suggest_hint(&s), ", did you mean 'preset'");
	lu_suggest_try(&s, "presets"); /* no nearer: the first stays */
	assert_string_equal(lu_suggest_hint(&s), ", did you mean 'preset'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
