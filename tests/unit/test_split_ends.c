/* The expressions by which text is split: many matches at once are the matches one by one, whatever
 * stands behind the text, and both are those of another engine (ICU) on random text. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unicode/uregex.h>
#include <unicode/ustring.h>

#include "libcommon/base/utf8.h"
#include "libcommon/text/split_ends.h"

enum { CHARS = 180, PADDING = 16, ROUNDS = 6000 };

/* ICU's \s is not White_Space. */
#define S "\\p{White_Space}"
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define LATER(digits, trailer)                                              \
	"|" digits "| ?[^" S "\\p{L}\\p{N}]+" trailer "|" S "*[\\r\\n]+|" S \
	"+(?!\\P{White_Space})|" S "+"

static const struct {
	enum lu_split_regex id;
	const char *icu;
} expression[] = {
	{ LU_SPLIT_GPT2,
			"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" S "\\p{L}\\p{N}]+|" S
			"+(?!\\P{White_Space})|" S "+" },
	{ LU_SPLIT_CL100K,
			CONTRACTION
			"|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+" LATER("\\p{N}{1,3}", "[\\r\\n]*") },
	{ LU_SPLIT_QWEN2,
			CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+" LATER("\\p{N}", "[\\r\\n]*") },
	{ LU_SPLIT_O200K,
			"[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" CONTRACTION
			"?|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*" CONTRACTION
			"?" LATER("\\p{N}{1,3}", "[\\r\\n/]*") },
};

static struct lu_frozen_unicode *unicode;

/* A random text whose characters are those that the expressions tell apart, in runs. */
static size_t make_text(uint64_t *seed, char *text)
{
	static const char *const kind[] = { "abcdefghijklmnopqrstuvwxyz", "STReVElLdm", "  ", "''s",
		"0123456789", "\r\n", "\t\v\f ", ".,;:!?()[]{}-_/*\"#", "\xC3\xA9\xC3\x89\xC5\xBF",
		"\xC2\xA0\xE2\x80\x83\xC2\x85", "\xC2\xB2\xD9\xA3", "\xC3\x97\xC3\xB7\xC3\xA9",
		"\xE6\xBC\xA2\xE3\x81\x82\xCC\x81", "\xE2\x82\xAC\xF0\x9F\x98\x80",
		"\x1C\x01\x7F" };
	uint64_t want = unit_random(seed) % CHARS;
	size_t n = 0;

	while (want > 0) {
		const char *k = kind[unit_random(seed) % (sizeof(kind) / sizeof(kind[0]))];
		uint64_t run = 1 + unit_random(seed) % (unit_random(seed) % 8 ? 4 : 40);

		for (; run > 0 && want > 0; run--, want--) {
			const char *p = k;

			for (uint64_t skip = unit_random(seed) % lu_utf8_count(k, strlen(k)); skip;
					skip--)
				lu_utf8_next(&p);
			n += lu_utf8_put(lu_utf8_next(&p), text + n);
		}
	}
	return n;
}

static void same_as_one_by_one(const char *text, size_t n, size_t max)
{
	for (size_t e = 0; e < sizeof(expression) / sizeof(expression[0]); e++) {
		const char *p = text, *end = text + n, *ends[64];
		size_t got = 0, k = 0;

		while (p < end) {
			if (k == got) {
				got = lu_split_regex_ends(
						expression[e].id, unicode, p, end, ends, max);
				k = 0;
				assert_true(got > 0 && got <= max);
			}
			p += lu_split_regex_match(expression[e].id, unicode, p, end);
			if (ends[k++] != p)
				fail_msg("expression %zu at byte %td of '%.*s'", e,
						ends[k - 1] - text, (int)n, text);
		}
		assert_int_equal(k, got);
		assert_int_equal(lu_split_regex_ends(expression[e].id, unicode, p, end, ends, max),
				0);
	}
}

static void many_at_once(void **state)
{
	static char text[4 * CHARS + PADDING];
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		static const char behind[] = "aA '0.\n\t\xC3";
		size_t n = make_text(&seed, text);

		memset(text + n, behind[unit_random(&seed) % (sizeof(behind) - 1)], PADDING);
		same_as_one_by_one(text, n, 1 + unit_random(&seed) % 64);
	}
}

/* Offsets of UTF-16 become those of UTF-8. */
static void same_as_icu(URegularExpression *re, enum lu_split_regex id, const char *text, size_t n)
{
	static UChar wide[2 * CHARS + 1];
	UErrorCode status = U_ZERO_ERROR;
	const char *p = text;
	int32_t length, at = 0;

	u_strFromUTF8(wide, 2 * CHARS + 1, &length, text, (int32_t)n, &status);
	uregex_setText(re, wide, length, &status);
	assert_true(U_SUCCESS(status));
	while (p < text + n) {
		const char *from = p;

		assert_true(uregex_find(re, at, &status));
		assert_int_equal(uregex_start(re, 0, &status), at);
		p += lu_split_regex_match(id, unicode, p, text + n);
		for (const char *q = from; q < p;)
			at += lu_utf8_next(&q) >= 0x10000 ? 2 : 1;
		if (uregex_end(re, 0, &status) != at)
			fail_msg("expression %d at byte %td of '%.*s'", (int)id, from - text,
					(int)n, text);
	}
	assert_true(U_SUCCESS(status));
}

static void another_engine(void **state)
{
	static char text[4 * CHARS + PADDING];
	uint64_t seed = 2;

	(void)state;
	for (size_t e = 0; e < sizeof(expression) / sizeof(expression[0]); e++) {
		UErrorCode status = U_ZERO_ERROR;
		UParseError where;
		URegularExpression *re = uregex_openC(expression[e].icu, 0, &where, &status);

		assert_true(U_SUCCESS(status));
		for (int round = 0; round < ROUNDS / 20; round++)
			same_as_icu(re, expression[e].id, text, make_text(&seed, text));
		uregex_close(re);
	}
}

static int set_up(void **state)
{
	struct lu_err err;

	(void)state;
	return lu_frozen_new(&unicode, &err) < 0 || lu_frozen_load_case(unicode, &err) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	lu_frozen_free(unicode);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(another_engine),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
