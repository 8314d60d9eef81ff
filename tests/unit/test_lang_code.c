/* text/lang_code.h: codes of languages, and the words that people write instead. */
#include "tests/unit/unit.h"

#include "libcommon/text/lang_code.h"

static void test_check(void **state)
{
	static const char *const good[] = { "fr", "en", "ceb", "und", "zxx", "pt-BR", "zh-Hant",
		"code:python", "fra" };
	static const struct {
		const char *code, *error;
	} bad[] = {
		{ "FR", "unknown language 'FR', did you mean 'fr'" },
		{ "french", "unknown language 'french', did you mean 'fr'" },
		{ "fr_FR", "unknown language 'fr_FR', did you mean 'fr'" },
		{ "fr-", "unknown language 'fr-', did you mean 'fr'" },
		{ "xx",
				"unknown language 'xx'; codes are those of ISO 639 such as fr and "
				"pt-BR, "
				"or code:python" },
		{ "code:",
				"unknown language 'code:'; codes are those of ISO 639 such as fr "
				"and "
				"pt-BR, or code:python" },
		{ "",
				"unknown language ''; codes are those of ISO 639 such as fr and "
				"pt-BR, or "
				"code:python" },
	};
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(lu_lang_code_check(good[i], &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(lu_lang_code_check(bad[i].code, &err), -1);
		assert_string_equal(err.msg, bad[i].error);
	}
}

static void test_meant(void **state)
{
	static const struct {
		const char *word, *code;
	} cases[] = {
		{ "FR", "fr" },
		{ "fra", "fr" },
		{ "fre", "fr" },
		{ "ger", "de" },
		{ "fra_Latn", "fr" },
		{ "EN-us", "en" },
		{ "french", "fr" },
		{ "French", "fr" },
		{ "frensh", "fr" },
		{ "fran\xC3\xA7"
		  "ais",
				"fr" },
		{ "german", "de" },
		{ "Deutsch", "de" },
		{ "english", "en" },
		{ "espa\xC3\xB1ol", "es" },
		{ "chinese", "zh" },
		{ "xx", "" },
		{ "qqqqqqqq", "" },
		{ "", "" },
	};
	char code[LU_LANG_CODE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		lu_lang_code_meant(lu_str_of(cases[i].word), code);
		if (strcmp(code, cases[i].code) != 0)
			fail_msg("'%s': '%s' instead of '%s'", cases[i].word, code, cases[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_meant),
	};

	return cmocka_run_group_tests_name("lang_code", tests, NULL, NULL);
}
