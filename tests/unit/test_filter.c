/* Quality measures against counts by hand, n-grams against a plain count, rules and presets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "libcommon/base/rng.h"
#include "libcommon/filter/ngrams.h"
#include "libcommon/filter/rules.h"

static struct lu_measurer *measurer;

static int make_measurer(void **state)
{
	struct lu_err err;

	(void)state;
	measurer = lu_measurer_new(&err);
	return measurer ? 0 : -1;
}

static int free_measurer(void **state)
{
	(void)state;
	lu_measurer_free(measurer);
	return 0;
}

static double of(struct lu_str text, enum lu_stop_list stop, enum lu_measure which)
{
	struct lu_measures w = { 0 };
	struct lu_err err;
	double v;

	lu_measures_start(measurer, &w, text, stop);
	assert_int_equal(lu_measures_get(&w, which, &v, &err), 0);
	lu_measures_release(&w);
	return v;
}

static void is(enum lu_measure which, const char *text, double want)
{
	double got = of(lu_str_of(text), LU_STOP_FR, which);

	if (got < want - 1e-12 || got > want + 1e-12)
		fail_msg("%s of '%.60s': %.17g, not %.17g", lu_measure_name(which), text, got,
				want);
}

static void words(void **state)
{
	(void)state;
	is(LU_M_WORDS, "", 0);
	is(LU_M_WORDS, " \n\t ", 0);
	is(LU_M_WORDS, "un deux, trois !", 3);
	is(LU_M_WORDS, "... --- !!! « »", 0);
	is(LU_M_WORDS, "l'eau d’été qu'il aujourd'hui", 7); /* l' eau d’ été qu' il aujourd'hui */
	is(LU_M_WORDS, "L'EAU Qu'elle JUSQU'ICI", 6);
	is(LU_M_WORDS, "don't rock'n'roll 'quoted' dogs'", 4);
	is(LU_M_WORDS, "porte-clés a_b 3,5 1999", 6);
	is(LU_M_WORDS, "5'10 l'5", 4); /* 5 10 l' 5 */
	is(LU_M_WORDS, "日本語。ไทย", 6);
	is(LU_M_WORDS, "a\u00A0b\u3000c\u00ADd می\u200Cخواهم",
			4); /* format characters are inside */
	is(LU_M_WORDS, "e\u0301te\u0301", 1);
	is(LU_M_WORDS, "3 € → ok", 4); /* symbols outside ASCII are not punctuation */
	is(LU_M_MEAN_WORD_LENGTH, "été, à la mer", 9 / 4.0);
	is(LU_M_MEAN_WORD_LENGTH, "!", 0);
	is(LU_M_ALPHA_WORDS, "un 2 trois . !!", 2 / 5.0);
	is(LU_M_ALPHA_WORDS, "un.deux", 2 / 3.0);
	is(LU_M_HASH_RATIO, "# un ## deux", 3 / 4.0);
	is(LU_M_ELLIPSIS_RATIO, "un... deux… trois .... ..", 3 / 7.0);
	is(LU_M_NEWLINE_RATIO, "un\ndeux\n\n", 3 / 2.0);
	assert_true(of((struct lu_str){ "a\0b c", 5 }, LU_STOP_NONE, LU_M_WORDS) == 3);
}

static void stop_words(void **state)
{
	(void)state;
	is(LU_M_STOP_WORDS, "la la la le chat", 2);
	is(LU_M_STOP_WORDS, "La Le LES", 0); /* case counts */
	is(LU_M_STOP_WORDS, "l'eau l’eau d’été", 2);
	assert_true(of(LU_STR("the cat and the dog"), LU_STOP_EN, LU_M_STOP_WORDS) == 2);
	assert_true(of(LU_STR("the cat and the dog"), LU_STOP_NONE, LU_M_STOP_WORDS) == 0);
	assert_int_equal(lu_stop_list(LU_STR("fr")), LU_STOP_FR);
	assert_int_equal(lu_stop_list(LU_STR("en")), LU_STOP_EN);
	assert_int_equal(lu_stop_list(LU_STR("de")), LU_STOP_NONE);
}

static void lines(void **state)
{
	(void)state;
	is(LU_M_BULLET_LINES, "- a\n  • b\n* c\n\n", 2 / 4.0);
	is(LU_M_ELLIPSIS_LINES, "a... \nb…\nc\n", 2 / 3.0);
	is(LU_M_DUP_LINES, "ab\ncd\nab\n\n\nab\n", 2 / 4.0);
	is(LU_M_DUP_LINE_CHARS, "éé\ncd\néé", 2 / 8.0);
	is(LU_M_DUP_PARAS, "\n\nab\ncd\n\n\nef\n\nab\ncd\n\n", 1 / 3.0);
	is(LU_M_DUP_PARA_CHARS, "ab\n\nef\n\nab", 2 / 10.0);
	is(LU_M_LINE_PUNCT, "Oui.\nNon\n\n  \n«Si»\nAh ?\n好。\nEt…", 5 / 6.0);
	is(LU_M_LINE_PUNCT, "Oui. \n", 0); /* a blank at the end */
	is(LU_M_LINE_PUNCT, "", 0);
	is(LU_M_SHORT_LINES, "éééééééééééééééééééééééééééééé\néééééééééééééééééééééééééééééééé\n\n",
			1 / 2.0);
	is(LU_M_CHAR_DUP_RATIO, "abc\nabc\n  \n  \n", 3 / 10.0);
}

static void whole_text(void **state)
{
	(void)state;
	is(LU_M_SENTENCES, "Un. Deux ! ... Trois", 3);
	is(LU_M_SENTENCES, ". . !", 0);
	is(LU_M_CURLY_RATIO, "{é}", 2 / 3.0);
	is(LU_M_LOREM_IPSUM, "Lorem Ipsum, lorem  ipsum, lorem ipsu", 1);
	is(LU_M_LOREM_IPSUM, "llorem ipsum", 1);
}

static void grams(void **state)
{
	(void)state;
	/* The first of equals counts: "un deux" 7, once, of 13. */
	is(LU_M_TOP_2GRAM, "un deux trois", 7 / 13.0);
	is(LU_M_TOP_2GRAM, "a b a b a", 3 * 2 / 9.0);
	is(LU_M_TOP_3GRAM, "a b a b a", 5 * 2 / 9.0);
	is(LU_M_TOP_4GRAM, "a b c", 0);
	is(LU_M_DUP_5GRAM, "a b c d e a b c d e", 5 / 19.0);
	is(LU_M_DUP_6GRAM, "a b c d e a b c d e", 0);
	/* Skipped as a whole: the 5-grams that overlap it do not count again. */
	is(LU_M_DUP_5GRAM, "a a a a a a a a a a a a", 10 / 23.0);
	is(LU_M_DUP_10GRAM, "a b c d e f g h i j a b c d e f g h i j", 10 / 39.0);
}

/* The n-gram measures on random words, against counts that compare words instead of hashes. */
static size_t plain_dup(const uint8_t *w, size_t count, size_t n)
{
	size_t repeated = 0;
	bool *start = calloc(count + 1, sizeof(*start));

	assert_non_null(start);
	for (size_t i = 0; i + n <= count;) {
		bool met = false;

		for (size_t j = 0; j < i && !met; j++)
			met = start[j] && memcmp(w + i, w + j, n) == 0;
		start[i] = !met;
		repeated += met ? n : 0;
		i += met ? n : 1;
	}
	free(start);
	return repeated;
}

static size_t plain_top(const uint8_t *w, size_t count, size_t n)
{
	size_t most = 0;

	for (size_t i = 0; i + n <= count; i++) {
		size_t same = 0;

		for (size_t j = i; j + n <= count; j++)
			same += memcmp(w + i, w + j, n) == 0;
		most = same > most ? same : most;
	}
	return most;
}

static void random_grams(void **state)
{
	struct lu_buf text = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		size_t count = 1 + lu_rand_below(seed, 1, 0, 200);
		uint64_t letters = 1 + lu_rand_below(seed, 2, 0, 5);
		uint8_t w[200];
		double chars = (double)(2 * count - 1);

		lu_buf_clear(&text);
		for (size_t i = 0; i < count; i++) {
			/* Words of one letter: characters are words. */
			w[i] = (uint8_t)('a' + lu_rand_below(seed, 3, i, letters));
			lu_buf_puts(&text, i ? " " : "");
			lu_buf_putc(&text, (char)w[i]);
		}
		for (size_t n = 5; n <= 10; n++)
			is(LU_M_DUP_5GRAM + (int)n - 5, text.p,
					(double)plain_dup(w, count, n) / chars);
		for (size_t n = 2; n <= 4; n++)
			is(LU_M_TOP_2GRAM + (int)n - 2, text.p,
					(double)(plain_top(w, count, n) * (2 * n - 1)) / chars);
	}
	lu_buf_release(&text);
}

static const char *failed(const struct lu_rules *r, const char *text, enum lu_stop_list stop)
{
	struct lu_measures w = { 0 };
	struct lu_line_cut cut = { 0 };
	const struct lu_rule *rule;
	struct lu_err err;
	double v;

	lu_measures_start(measurer, &w, lu_str_of(text), stop);
	assert_int_equal(lu_rules_judge(r, &w, &cut, &rule, &v, &err), 0);
	lu_measures_release(&w);
	lu_buf_release(&cut.text);
	return rule ? rule->reason : "none";
}

static void rules(void **state)
{
	struct lu_rules r = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	assert_int_equal(lu_rules_set(&r, "min_words=2", &err), 0);
	assert_int_equal(lu_rules_set(&r, "max_hash_ratio=0.5", &err), 0);
	assert_string_equal(failed(&r, "un", LU_STOP_NONE), "words < 2");
	assert_string_equal(failed(&r, "un deux", LU_STOP_NONE), "none"); /* equality passes */
	assert_string_equal(failed(&r, "un deux # #", LU_STOP_NONE), "none");
	assert_string_equal(failed(&r, "un deux # # #", LU_STOP_NONE), "hash_ratio > 0.5");
	assert_int_equal(lu_rules_set(&r, "min_words=3", &err), 0);
	assert_int_equal(r.n, 2);
	assert_string_equal(failed(&r, "un deux", LU_STOP_NONE), "words < 3");
	assert_int_equal(lu_rules_set(&r, "min_words=off", &err), 0);
	assert_int_equal(r.n, 1);
	assert_string_equal(failed(&r, "un", LU_STOP_NONE), "none");
	assert_int_equal(lu_rules_set(&r, "min_stop_words=1", &err), 0);
	assert_string_equal(failed(&r, "un", LU_STOP_EN), "stop_words < 1");
	assert_string_equal(failed(&r, "un", LU_STOP_NONE), "none"); /* no list, no rule */
	assert_int_equal(lu_rules_set(&r, "words=1", &err), -1);
	assert_int_equal(lu_rules_set(&r, "min_wordy=1", &err), -1);
	assert_int_equal(lu_rules_set(&r, "min_words", &err), -1);
	assert_int_equal(lu_rules_set(&r, "min_words=", &err), -1);
	assert_int_equal(lu_rules_set(&r, "=1", &err), -1);
	assert_int_equal(lu_rules_preset(&r, "gofer", &err), -1);
	lu_rules_release(&r);
}

/* Each threshold of a preset has a source, and presets drop empty texts and punctuation. */
static void presets(void **state)
{
	(void)state;
	for (int i = 0; i < LU_RULES_PRESETS; i++) {
		struct lu_rules r = { 0 };
		struct lu_err err;

		assert_int_equal(lu_rules_preset(&r, lu_rules_presets[i].name, &err), 0);
		for (size_t j = 0; j < r.n; j++)
			assert_true(r.p[j].source && *r.p[j].source);
		assert_string_not_equal(failed(&r, "", LU_STOP_FR), "none");
		assert_string_not_equal(failed(&r, "!!! ??? ;;;", LU_STOP_FR), "none");
		lu_rules_release(&r);
	}
}

/* 10 MB in one line, and of one word: linear time and no overflow. */
static void large(void **state)
{
	struct lu_buf text = { 0 };
	struct lu_rules r = { 0 };
	struct lu_err err;

	(void)state;
	for (int i = 0; i < 2000000; i++)
		lu_buf_puts(&text, "mot. ");
	assert_int_equal(lu_rules_set(&r, "max_dup_10gram=0.5", &err), 0);
	assert_string_equal(failed(&r, text.p, LU_STOP_FR), "dup_10gram > 0.5");
	lu_buf_clear(&text);
	for (int i = 0; i < 10000000; i++)
		lu_buf_putc(&text, 'a');
	is(LU_M_WORDS, text.p, 1);
	is(LU_M_MEAN_WORD_LENGTH, text.p, 1e7);
	lu_rules_release(&r);
	lu_buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(stop_words),
		cmocka_unit_test(lines),
		cmocka_unit_test(whole_text),
		cmocka_unit_test(grams),
		cmocka_unit_test(random_grams),
		cmocka_unit_test(rules),
		cmocka_unit_test(presets),
		cmocka_unit_test(large),
	};

	return cmocka_run_group_tests_name("filter", tests, make_measurer, free_measurer);
}
