/* Labels of language and script. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "libcommon/text/lang_label.h"

static void labels(void **state)
{
	static const struct {
		const char *lang, *text, *label;
	} e[] = {
		{ "fr", "Il fait beau", "fra_Latn" },
		{ "de", "Es ist schön", "deu_Latn" },
		{ "el", "Οι κάτοικοι του χωριού", "ell_Grek" },
		{ "br", "Brezhoneg", "bre_Latn" },
		{ "ceb", "Ang tanan nga mga tawo", "ceb_Latn" },
		{ "sr", "Сва људска бића", "srp_Cyrl" },
		{ "sr", "Sva ljudska bića rađaju se slobodna", "srp_Latn" },
		/* A tenth is enough. */
		{ "sr", "Сва људска ABCDEFGHIJKLMNOPQRSTUVWXYZ", "srp_Cyrl" },
		{ "ru", "iPhone", "rus_Latn" },
		{ "ar", "يولد جميع الناس", "ara_Arab" },
		{ "ja", "村の人々は毎朝", "jpn_Jpan" },
		{ "ko", "모든 인간은", "kor_Hang" },
		{ "zh", "人人生而自由，他们说这是时间的问题", "zho_Hans" },
		{ "zh", "人人生而自由，他們說這是時間的問題", "zho_Hant" },
		{ "zh", "人人生而自由", "zho_Hani" },
		{ "und", "abc дом abcd", "und_Latn" },
		{ "und", "12 34", "und_Zyyy" },
		{ "und", "", "und_Zyyy" },
		{ "zxx", "12", "zxx_Zxxx" },
		{ "no", "Alle mennesker", "nor_Latn" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(e) / sizeof(*e); i++) {
		struct lu_scripts s = { 0 };
		char label[LU_LANG_LABEL];

		lu_scripts_count(&s, lu_str_of(e[i].text));
		lu_lang_label(e[i].lang, &s, label);
		assert_string_equal(label, e[i].label);
	}
}

/* More scripts than are kept: the first ones are, and all letters count. */
static void many_scripts(void **state)
{
	static const char all[] = "aбαאعहকગਕଓகకಕമකກขကክᎠកᠠあ가ߊ中ⴀა";
	struct lu_scripts s = { 0 };

	(void)state;
	lu_scripts_count(&s, lu_str_of(all));
	assert_int_equal(s.letters, 28);
	for (size_t i = 0; i < LU_SCRIPTS_KEPT; i++)
		assert_int_equal(s.of[i].letters, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels),
		cmocka_unit_test(many_scripts),
	};

	return cmocka_run_group_tests_name("lang_label", tests, NULL, NULL);
}
