/* text/unicode.c and text/normalize.c against NormalizationTest.txt of the Unicode Character
 * Database and against ICU's UTF-16 interface, which shares no code path with ours. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/normalize.h"
#include "libcommon/text/unicode.h"

#define UCD "/usr/share/unicode/NormalizationTest.txt"

/* "0044 0307" up to ';' as UTF-8. */
static const char *column(const char *p, struct lu_buf *out)
{
	lu_buf_clear(out);
	while (*p != ';') {
		char *end, bytes[4];
		unsigned long c = strtoul(p, &end, 16);

		assert_ptr_not_equal(p, end);
		lu_buf_append(out, bytes, lu_utf8_put((uint32_t)c, bytes));
		p = end;
	}
	assert_true(lu_buf_ok(out));
	return p + 1;
}

static void assert_same(const struct lu_buf *want, struct lu_str got, const char *line)
{
	if (want->n != got.n || memcmp(want->p, got.p, got.n) != 0)
		fail_msg("%s", line);
}

static void form_is(enum lu_normal_form form, const struct lu_buf *in, const struct lu_buf *want,
		const char *line)
{
	struct lu_buf out = { 0 };
	struct lu_err err;

	assert_int_equal(lu_unicode_normalize(form, lu_buf_slice(in), &out, &err), 0);
	assert_same(want, lu_buf_slice(&out), line);
	lu_buf_release(&out);
}

static void scan_is(const struct lu_normalizer *n, struct lu_normalize_work *w,
		const struct lu_buf *in, const struct lu_buf *want, const char *line)
{
	struct lu_str out;
	struct lu_err err;
	unsigned changed;

	assert_int_equal(lu_normalize(n, w, lu_buf_slice(in), &out, &changed, &err), 0);
	assert_same(want, out, line);
	if (!changed)
		assert_ptr_equal(out.p, in->p);
}

static struct lu_normalizer *new_form_normalizer(bool nfkc)
{
	struct lu_normalize_opts o = { .form = true, .nfkc = nfkc, .blank_lines = -1 };
	struct lu_err err;
	struct lu_normalizer *n = lu_normalizer_new(&o, &err);

	assert_non_null(n);
	return n;
}

/* The conformance rules given at the top of NormalizationTest.txt. */
static void conformance(void **state)
{
	FILE *f = popen("if [ -f " UCD " ]; then cat " UCD "; else bzcat " UCD ".bz2; fi", "r");
	struct lu_buf c[5] = { 0 };
	struct lu_normalizer *nfc = new_form_normalizer(false), *nfkc = new_form_normalizer(true);
	struct lu_normalize_work w = { 0 };
	char line[4096];
	int tests = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *p = line;

		if (*line == '#' || *line == '@' || *line == '\n')
			continue;
		for (int i = 0; i < 5; i++)
			p = column(p, &c[i]);
		for (int i = 0; i < 5; i++) {
			form_is(LU_FORM_NFC, &c[i], &c[i < 3 ? 1 : 3], line);
			form_is(LU_FORM_NFD, &c[i], &c[i < 3 ? 2 : 4], line);
			form_is(LU_FORM_NFKC, &c[i], &c[3], line);
			form_is(LU_FORM_NFKD, &c[i], &c[4], line);
			scan_is(nfc, &w, &c[i], &c[i < 3 ? 1 : 3], line);
			scan_is(nfkc, &w, &c[i], &c[3], line);
		}
		tests++;
	}
	assert_int_equal(pclose(f), 0);
	assert_true(tests > 18000);
	for (int i = 0; i < 5; i++)
		lu_buf_release(&c[i]);
	lu_normalize_work_release(&w);
	lu_normalizer_free(nfc);
	lu_normalizer_free(nfkc);
}

/* ICU over UTF-16. */
static void icu_utf16(bool nfkc, struct lu_str s, struct lu_buf *out)
{
	static UChar from[4096], to[16384];
	static char bytes[32768];
	UErrorCode code = U_ZERO_ERROR;
	const UNormalizer2 *n = nfkc ? unorm2_getNFKCInstance(&code) : unorm2_getNFCInstance(&code);
	int32_t len, got;

	u_strFromUTF8(from, 4096, &len, s.p, (int32_t)s.n, &code);
	len = unorm2_normalize(n, from, len, to, 16384, &code);
	u_strToUTF8(bytes, sizeof(bytes), &got, to, len, &code);
	assert_true(U_SUCCESS(code));
	lu_buf_clear(out);
	lu_buf_append(out, bytes, (size_t)got);
}

static void compare(bool nfkc, const struct lu_normalizer *n, struct lu_normalize_work *w,
		const struct lu_buf *in)
{
	struct lu_buf want = { 0 };

	icu_utf16(nfkc, lu_buf_slice(in), &want);
	scan_is(n, w, in, &want, in->p);
	lu_buf_release(&want);
}

static void every_character(void **state)
{
	struct lu_buf s = { 0 };
	struct lu_normalize_work w = { 0 };

	(void)state;
	for (int nfkc = 0; nfkc < 2; nfkc++) {
		struct lu_normalizer *n = new_form_normalizer(nfkc);

		for (uint32_t c = 0; c < 0x110000; c++) {
			char bytes[4];

			if (c >= 0xD800 && c < 0xE000)
				continue;
			/* Alone, and within reach of the wide scan with something to compose. */
			lu_buf_clear(&s);
			lu_buf_append(&s, bytes, lu_utf8_put(c, bytes));
			compare(nfkc, n, &w, &s);
			lu_buf_clear(&s);
			lu_buf_puts(&s, "abcdefgho");
			lu_buf_append(&s, bytes, lu_utf8_put(c, bytes));
			lu_buf_puts(&s, "\xCC\xA3\xCC\x81ijklmnopqrstuvwxyz");
			compare(nfkc, n, &w, &s);
		}
		lu_normalizer_free(n);
	}
	lu_normalize_work_release(&w);
	lu_buf_release(&s);
}

static void plain_characters(void **state)
{
	(void)state;
	for (int form = 0; form < LU_FORMS; form++) {
		uint64_t *not_plain = calloc(LU_UNICODE_BITMAP, sizeof(*not_plain));
		struct lu_err err;

		assert_non_null(not_plain);
		assert_int_equal(lu_unicode_mark_not_plain(
						 (enum lu_normal_form)form, not_plain, &err),
				0);
		for (uint32_t c = 0; c < 0x110000; c++) {
			bool plain = lu_unicode_is_plain((enum lu_normal_form)form, c);

			if (c < 0xD800 || c > 0xDFFF)
				assert_int_equal(lu_unicode_in(not_plain, c), !plain);
		}
		free(not_plain);
	}
}

static void random_text(struct lu_buf *s, uint64_t seed)
{
	/* Blocks that interact: marks, jamo, compatibility forms, scripts, plain ASCII. */
	static const uint32_t from[] = { 0x20, 0x20, 0xC0, 0x300, 0x300, 0x900, 0x1100, 0x1E00,
		0x2000, 0x3040, 0xAC00, 0xF900, 0xFB00, 0x1D400, 0x1D160, 0x11100 };
	static const uint32_t count[] = { 95, 95, 0x180, 0x50, 0x70, 0x200, 0x100, 0x200, 0x300,
		0xC0, 200, 0x200, 0x500, 0x400, 0x60, 0x100 };
	size_t n = lu_rand_below(seed, 1, 0, 60);

	lu_buf_clear(s);
	for (size_t i = 0; i < n; i++) {
		uint64_t k = lu_rand_below(seed, 2, i, sizeof(from) / sizeof(from[0]));
		char bytes[4];

		lu_buf_append(s, bytes,
				lu_utf8_put(from[k] + (uint32_t)lu_rand_below(seed, 3, i, count[k]),
						bytes));
	}
	lu_buf_append(s, "", 0);
}

static void random_texts(void **state)
{
	struct lu_buf s = { 0 };
	struct lu_normalize_work w = { 0 };

	(void)state;
	for (int nfkc = 0; nfkc < 2; nfkc++) {
		struct lu_normalizer *n = new_form_normalizer(nfkc);

		for (uint64_t i = 0; i < 20000; i++) {
			random_text(&s, i);
			if (s.n)
				compare(nfkc, n, &w, &s);
		}
		lu_normalizer_free(n);
	}
	lu_normalize_work_release(&w);
	lu_buf_release(&s);
}

/* Mark out of canonical order, for which ICU alone takes quadratic time. */
static void long_runs(void **state)
{
	struct lu_buf in = { 0 }, want = { 0 };
	size_t marks = 300000;

	(void)state;
	lu_buf_puts(&in, "e");
	for (size_t i = 0; i < marks; i++)
		lu_buf_puts(&in, i % 2 ? "\xCC\xA3" : "\xCC\x81"); /* acute, dot below */
	lu_buf_puts(&in, "z");
	lu_buf_puts(&want, "\xE1\xBA\xB9"); /* e with dot below; dots sort before acutes */
	for (size_t i = 1; i < marks; i++)
		lu_buf_puts(&want, i < marks / 2 ? "\xCC\xA3" : "\xCC\x81");
	lu_buf_puts(&want, "z");
	form_is(LU_FORM_NFC, &in, &want, "long run");
	lu_buf_release(&in);
	lu_buf_release(&want);
}

/* Five marks of three combining classes in random order: sorting must be stable. */
static void long_random_runs(void **state)
{
	static const uint32_t mark[] = { 0x301, 0x300, 0x323, 0x324, 0x334 };
	struct lu_buf in = { 0 };
	struct lu_normalizer *n = new_form_normalizer(false);
	struct lu_normalize_work w = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		lu_buf_clear(&in);
		lu_buf_puts(&in, "A long one: e");
		for (uint64_t i = 0; i < 1500; i++) {
			char bytes[4];

			lu_buf_append(&in, bytes,
					lu_utf8_put(mark[lu_rand_below(seed, 1, i, 5)], bytes));
		}
		lu_buf_puts(&in, "z");
		compare(false, n, &w, &in);
	}
	lu_normalize_work_release(&w);
	lu_normalizer_free(n);
	lu_buf_release(&in);
}

static void folding(void **state)
{
	struct lu_buf out = { 0 };
	struct lu_err err;
	size_t n = 100000;

	(void)state;
	assert_int_equal(lu_unicode_fold(LU_STR("ÉTÉ Straße ΣΑΣ İ"), &out, &err), 0);
	assert_string_equal(out.p, "été strasse σασ i\xCC\x87");
	lu_buf_clear(&out);
	assert_int_equal(lu_unicode_lower(LU_STR("ÉTÉ Straße ΣΑΣ"), &out, &err), 0);
	assert_string_equal(out.p, "été straße σας");
	lu_buf_clear(&out);
	/* The largest growth of one character: U+0390, 2 bytes to 6. */
	{
		struct lu_buf in = { 0 };

		for (size_t i = 0; i < n; i++)
			lu_buf_puts(&in, "\xCE\x90");
		assert_int_equal(lu_unicode_fold(lu_buf_slice(&in), &out, &err), 0);
		lu_buf_release(&in);
	}
	assert_int_equal(out.n, 6 * n);
	lu_buf_release(&out);
}

static void properties(void **state)
{
	(void)state;
	assert_int_equal(lu_unicode_category('a'), LU_CAT_LETTER);
	assert_int_equal(lu_unicode_category(0x301), LU_CAT_MARK);
	assert_int_equal(lu_unicode_category(0xBD), LU_CAT_NUMBER);
	assert_int_equal(lu_unicode_category(0xAB), LU_CAT_PUNCTUATION);
	assert_int_equal(lu_unicode_category(0x20AC), LU_CAT_SYMBOL);
	assert_int_equal(lu_unicode_category(0xA0), LU_CAT_SEPARATOR);
	assert_int_equal(lu_unicode_category(0x200B), LU_CAT_OTHER);
	assert_true(lu_unicode_is_space(0x202F));
	assert_false(lu_unicode_is_space(0x200B));
	assert_false(lu_unicode_is_digit(0x2163));
	assert_true(lu_unicode_is_unspaced(0x4E00));
	assert_false(lu_unicode_is_unspaced(0x3002)); /* ideographic full stop */
}

static void language_tags(void **state)
{
	static const char *const e[][2] = { { "fr", "fr" }, { "fra_Latn", "fr" }, { "eng", "en" },
		{ "zh-Hant", "zh" }, { "cmn_Hani", "zh" }, { "arb_Arab", "ar" }, { "iw", "he" },
		{ "ceb", "ceb" }, { "tl", "tl" }, { "no", "no" }, { "en-GB", "en" },
		{ "sr-ME", "sr" } };
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
		assert_true(lu_unicode_language(e[i][0], out, sizeof(out)));
		assert_string_equal(out, e[i][1]);
	}
	assert_false(lu_unicode_language("", out, sizeof(out)));
	assert_false(lu_unicode_language("ceb", out, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conformance),
		cmocka_unit_test(every_character),
		cmocka_unit_test(plain_characters),
		cmocka_unit_test(random_texts),
		cmocka_unit_test(long_runs),
		cmocka_unit_test(long_random_runs),
		cmocka_unit_test(folding),
		cmocka_unit_test(properties),
		cmocka_unit_test(language_tags),
	};

	return cmocka_run_group_tests_name("unicode", tests, NULL, NULL);
}
