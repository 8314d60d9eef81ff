/* base/utf8.h against a plain decoder that follows the definition. */
#include "tests/unit/unit.h"

#include "libcommon/base/utf8.h"

/* Scalar value of a sequence of exactly n bytes, or -1: D92 of the Unicode Standard, by decoding
 * and then checking that the value needs n bytes. */
static int64_t decode_exact(const unsigned char *s, size_t n)
{
	static const unsigned char lead[5] = { 0, 0x00, 0xC0, 0xE0, 0xF0 };
	static const unsigned char mask[5] = { 0, 0x80, 0xE0, 0xF0, 0xF8 };
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;

	if ((s[0] & mask[n]) != lead[n])
		return -1;
	c = s[0] & (unsigned char)~mask[n];
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return -1;
		c = c << 6 | (s[i] & 0x3F);
	}
	if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return -1;
	return c;
}

static size_t sequence_length(const unsigned char *s, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++) {
		if (decode_exact(s, len) >= 0)
			return len;
	}
	return 0;
}

static void test_sequences(void **state)
{
	/* Bytes on both sides of every boundary of table 3-7. */
	static const unsigned char edge[] = { 0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
		0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4,
		0xF5, 0xFF };
	const size_t k = sizeof(edge);

	(void)state;
	for (size_t i = 0; i < k * k * k * k; i++) {
		unsigned char s[4] = { edge[i % k], edge[i / k % k], edge[i / k / k % k],
			edge[i / k / k / k] };

		for (size_t n = 1; n <= 4; n++)
			assert_int_equal(lu_utf8_seq((const char *)s, n), sequence_length(s, n));
	}
}

static void test_every_character(void **state)
{
	char all[4 * 300];
	size_t n = 0, count = 0;

	(void)state;
	for (uint32_t c = 0; c <= 0x10FFFF; c++) {
		char one[4];
		const char *p = one;
		size_t len;

		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		len = lu_utf8_put(c, one);
		assert_int_equal(decode_exact((unsigned char *)one, len), c);
		assert_int_equal(lu_utf8_next(&p), c);
		assert_ptr_equal(p, one + len);
		memcpy(all + n, one, len);
		n += len;
		count++;
		/* Long mixed stretches go through the 16-byte path at every alignment. */
		if (count == 300 || c == 0x10FFFF) {
			assert_int_equal(lu_utf8_valid(all, n), n);
			assert_int_equal(lu_utf8_count(all, n), count);
			n = count = 0;
		}
	}
}

static void test_valid_prefix(void **state)
{
	char text[100];

	(void)state;
	for (size_t n = 1; n < sizeof(text); n++) {
		for (size_t bad = 0; bad < n; bad++) {
			memset(text, 'a', n);
			text[bad] = '\x80';
			assert_int_equal(lu_utf8_valid(text, n), bad);
		}
	}
}

static void test_single(void **state)
{
	uint32_t c = 0;

	(void)state;
	assert_true(lu_utf8_single(LU_STR("\u20ac"), &c));
	assert_int_equal(c, 0x20AC);
	assert_true(lu_utf8_single(LU_STR("a"), &c));
	assert_int_equal(c, 'a');
	assert_false(lu_utf8_single(LU_STR(""), &c));
	assert_false(lu_utf8_single(LU_STR("ab"), &c));
}

static void test_repair(void **state)
{
	/* Table 3-8 of the standard, and its neighbours 3-9 to 3-11. */
	static const struct {
		const char *bad, *good;
		size_t repaired;
	} t[] = { { "\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64",
				  "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd", 6 },
		{ "\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
				"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41", 8 },
		{ "\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41",
				"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41", 8 },
		{ "\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42",
				"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41\uFFFD\uFFFD\x42", 7 },
		{ "\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "\uFFFD\uFFFD\uFFFD\uFFFD\x41", 4 },
		{ "d\xC3\xA9j\xC3", "d\u00E9j\uFFFD", 1 }, { "", "", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct lu_buf b = { 0 };

		lu_buf_puts(&b, "");
		assert_int_equal(lu_utf8_repair(&b, lu_str_of(t[i].bad)), t[i].repaired);
		assert_string_equal(b.p, t[i].good);
		lu_buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_valid_prefix),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_repair),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
