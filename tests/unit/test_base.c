/* base/: buffers, arena, numbers, UTF-8, base64, strings, random numbers. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/base64.h"
#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/base/utf8.h"

static void test_buf(void **state)
{
	struct lu_buf b = { 0 };
	char long_text[300];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	lu_buf_puts(&b, "");
	assert_string_equal(b.p, "");
	lu_buf_printf(&b, "%s|%d", long_text, 42);
	assert_int_equal(b.n, 302);
	assert_string_equal(b.p + 299, "|42");
	lu_buf_clear(&b);
	lu_buf_u64(&b, 0);
	lu_buf_u64(&b, UINT64_MAX);
	lu_buf_putc(&b, '\0');
	assert_int_equal(b.n, 22);
	assert_string_equal(b.p, "018446744073709551615");
	/* What cannot be had is said once and stays said. */
	assert_false(lu_buf_reserve(&b, SIZE_MAX - 5));
	lu_buf_puts(&b, "more");
	assert_int_equal(b.n, 22);
	assert_false(lu_buf_ok(&b));
	lu_buf_clear(&b);
	assert_false(lu_buf_ok(&b));
	lu_buf_release(&b);
	assert_true(lu_buf_ok(&b));
}

static void test_str_order(void **state)
{
	(void)state;
	assert_true(lu_str_cmp(LU_STR("a"), LU_STR("b")) < 0);
	assert_true(lu_str_cmp(LU_STR("a"), LU_STR("ab")) < 0);
	assert_true(lu_str_cmp(LU_STR("\x7f"), LU_STR("\x80")) < 0);
	assert_int_equal(lu_str_cmp(LU_STR("a\0b"), LU_STR("a\0b")), 0);
	assert_false(lu_str_eq(LU_STR("a\0b"), LU_STR("a\0c")));
	assert_true(lu_str_eq((struct lu_str){ NULL, 0 }, LU_STR("")));
}

static void test_arena(void **state)
{
	struct lu_arena a = { 0 };
	char *p[100];
	void *first;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 100; i++) {
			size_t n = i * i * 37;

			p[i] = lu_arena_alloc(&a, n);
			assert_non_null(p[i]);
			assert_int_equal((uintptr_t)p[i] % 16, 0);
			memset(p[i], (int)i, n);
		}
		for (size_t i = 0; i < 100; i++) {
			for (size_t k = 0; k < i * i * 37; k++)
				assert_int_equal(p[i][k], (char)i);
		}
		if (round == 0)
			first = p[1];
		else
			assert_ptr_equal(first, p[1]);
		lu_arena_reset(&a);
	}
	assert_null(lu_arena_alloc(&a, SIZE_MAX - 3));
	assert_string_equal(lu_arena_str(&a, LU_STR("abc")).p, "abc");
	lu_arena_release(&a);
}

static void test_whole_numbers(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "1x", "0x10",
		"18446744073709551616", "99999999999999999999999", "1.0" };
	struct lu_err err;
	uint64_t u;
	int64_t i;

	(void)state;
	assert_int_equal(lu_num_u64("18446744073709551615", &u, &err), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(lu_num_u64("007", &u, &err), 0);
	assert_int_equal(u, 7);
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		assert_int_equal(lu_num_u64(bad[k], &u, &err), -1);
		assert_non_null(strstr(err.msg, bad[k]));
	}
	assert_int_equal(lu_num_i64("-9223372036854775808", &i, &err), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(lu_num_i64("9223372036854775807", &i, &err), 0);
	assert_true(i == INT64_MAX);
	assert_int_equal(lu_num_i64("9223372036854775808", &i, &err), -1);
	assert_int_equal(lu_num_i64("-9223372036854775809", &i, &err), -1);
	assert_int_equal(lu_num_i64("--1", &i, &err), -1);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "0", 0 }, { "10", 10 }, { "512M", UINT64_C(512) << 20 }, { "2k", 2048 },
		{ "3GB", UINT64_C(3) << 30 }, { "1T", UINT64_C(1) << 40 }, { "7B", 7 },
		{ "16777215T", UINT64_C(16777215) << 40 } };
	static const char *const bad[] = { "", "M", "1.5G", "1MM", "16777216T", "-1K",
		"18446744073709551615K", "1 M", "1BM" };
	struct lu_err err;
	uint64_t u;

	(void)state;
	for (size_t k = 0; k < sizeof(good) / sizeof(*good); k++) {
		assert_int_equal(lu_num_size(good[k].text, &u, &err), 0);
		assert_true(u == good[k].bytes);
	}
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
		assert_int_equal(lu_num_size(bad[k], &u, &err), -1);
}

static void test_doubles(void **state)
{
	static const char *const bad[] = { "", "nan", "inf", "-inf", "0x1p3", " 1", "1 ", "1e",
		"1e999", "1,5", ".", "1.5.2" };
	static const struct {
		double v;
		const char *text;
	} shown[] = { { 0.1, "0.1" }, { 3, "3" }, { 100, "100" }, { 1e-5, "1e-05" },
		{ 1048576, "1048576" }, { 1e22, "1e+22" }, { -2.5, "-2.5" }, { 0.0, "0" },
		{ 999999999999999, "999999999999999" }, { 1.0 / 3, "0.3333333333333333" } };
	struct lu_err err;
	uint64_t seed = 1;
	char text[32];
	double v;

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
		assert_int_equal(lu_num_double(bad[k], &v, &err), -1);
	assert_int_equal(lu_num_double("-1.5e-3", &v, &err), 0);
	assert_true(v == -1.5e-3);
	for (size_t k = 0; k < sizeof(shown) / sizeof(*shown); k++) {
		lu_num_format(shown[k].v, text);
		assert_string_equal(text, shown[k].text);
	}
	for (int k = 0; k < 20000; k++) {
		uint64_t bits = unit_random(&seed);
		double back;

		memcpy(&v, &bits, sizeof(v));
		if (!isfinite(v))
			continue;
		lu_num_format(v, text);
		assert_true(strlen(text) < 32);
		back = strtod(text, NULL);
		assert_memory_equal(&back, &v, sizeof(v));
	}
}

static void test_little_endian(void **state)
{
	unsigned char b[9] = { 0 };

	(void)state;
	lu_store64(b + 1, UINT64_C(0x0123456789abcdef));
	assert_int_equal(b[1], 0xef);
	assert_int_equal(b[8], 0x01);
	assert_true(lu_load64(b + 1) == UINT64_C(0x0123456789abcdef));
	assert_int_equal(lu_load32(b + 1), 0x89abcdef);
	assert_int_equal(lu_load16(b + 1), 0xcdef);
}

/* --- UTF-8 against the definition, written the slow way ----------------------------------- */

/* The scalar value of a sequence of exactly n bytes, or -1: D92 of the Unicode standard by
 * decoding, then checking that encoding the value takes as many bytes. */
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

static void test_utf8_sequences(void **state)
{
	/* Bytes at both sides of every border of table 3-7. */
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

static void test_utf8_every_character(void **state)
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

static void test_utf8_valid_prefix(void **state)
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

static void test_utf8_repair(void **state)
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

static void test_base64(void **state)
{
	/* RFC 4648, section 10. */
	static const char *const t[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" }, { "\xFF\xFE\xFD", "//79" } };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct lu_buf b = { 0 };

		lu_buf_puts(&b, "");
		lu_base64(&b, lu_str_of(t[i][0]));
		assert_string_equal(b.p, t[i][1]);
		lu_buf_release(&b);
	}
}

static void test_json_quote(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	lu_json_quote(&b, LU_STR("a\"\\/\b\t\n\f\r\x01\x1f\x7f\0é\xff"));
	assert_string_equal(
			b.p, "\"a\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\\u0000\u00e9\uFFFD\"");
	lu_buf_clear(&b);
	lu_json_number(&b, NAN);
	lu_json_number(&b, INFINITY);
	lu_json_number(&b, 0.25);
	assert_string_equal(b.p, "nullnull0.25");
	lu_buf_release(&b);
}

/* --- random numbers ----------------------------------------------------------------------- */

static void test_philox_vectors(void **state)
{
	/* The known answers published with the paper: philox4x32, 10 rounds. */
	static const struct {
		uint64_t seed, n, stream;
		uint32_t out[4];
	} t[] = {
		{ 0, 0, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX,
				{ 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ UINT64_C(0x299f31d0a4093822), UINT64_C(0x85a308d3243f6a88),
				UINT64_C(0x0370734413198a2e),
				{ 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		uint32_t out[4];

		lu_rand_block(t[i].seed, t[i].stream, t[i].n, out);
		assert_memory_equal(out, t[i].out, sizeof(out));
	}
}

static void test_permutation(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 4, 5, 15, 16, 17, 255, 1000, 4097, 65536 };

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		uint64_t n = sizes[k], fixed = 0;
		bool *seen = calloc(n, sizeof(*seen));

		assert_non_null(seen);
		for (uint64_t i = 0; i < n; i++) {
			uint64_t to = lu_rand_permute(7, k, i, n);

			assert_true(to < n);
			assert_false(seen[to]);
			seen[to] = true;
			fixed += to == i;
		}
		/* A random permutation has one fixed point on average, whatever its size. */
		assert_true(n < 10 || fixed < 10);
		free(seen);
	}
	for (uint64_t i = UINT64_MAX - 1000; i < UINT64_MAX; i++)
		assert_true(lu_rand_permute(1, 2, i, UINT64_MAX) < UINT64_MAX);
}

static void test_uniform_and_normal(void **state)
{
	const uint64_t n = 100000;
	double sum = 0, sum2 = 0, normal = 0, normal2 = 0;
	uint64_t bucket[10] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		double v = lu_rand_double(3, 9, i), g[2];

		assert_true(v >= 0 && v < 1);
		sum += v;
		sum2 += v * v;
		bucket[lu_rand_below(5, 1, i, 10)]++;
		lu_rand_normal2(4, 2, i, g);
		normal += g[0] + g[1];
		normal2 += g[0] * g[0] + g[1] * g[1];
		assert_true(lu_rand_below(5, 1, i, 1) == 0);
	}
	/* Five standard errors. */
	assert_true(fabs(sum / (double)n - 0.5) < 5 * 0.2887 / sqrt((double)n));
	assert_true(fabs(sum2 / (double)n - 1.0 / 3) < 5 * 0.2981 / sqrt((double)n));
	assert_true(fabs(normal / (2.0 * (double)n)) < 5 / sqrt(2.0 * (double)n));
	assert_true(fabs(normal2 / (2.0 * (double)n) - 1) < 5 * 1.4142 / sqrt(2.0 * (double)n));
	for (int b = 0; b < 10; b++)
		assert_true(fabs((double)bucket[b] - (double)n / 10) < 5 * sqrt((double)n * 0.09));
	assert_true(lu_rand_u64(1, 2, 0) != lu_rand_u64(1, 2, 1));
	assert_true(lu_rand_stream("init", 0) != lu_rand_stream("init", 1));
	assert_true(lu_rand_stream("init", 0) != lu_rand_stream("data", 0));
}

static void test_errors(void **state)
{
	struct lu_err err = { 0 };
	char long_name[2000];

	(void)state;
	assert_int_equal(lu_err_set(&err, "line %d", 3), -1);
	assert_int_equal(lu_err_wrap(&err, "%s", "x.jsonl"), -1);
	assert_string_equal(err.msg, "x.jsonl: line 3");
	assert_int_equal(lu_err_sys(&err, 2, "y"), -1);
	assert_string_equal(err.msg, "y: No such file or directory");
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	lu_err_sys(&err, 2, "%s", long_name);
	lu_err_wrap(&err, "%s", long_name);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_str_order),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_little_endian),
		cmocka_unit_test(test_utf8_sequences),
		cmocka_unit_test(test_utf8_every_character),
		cmocka_unit_test(test_utf8_valid_prefix),
		cmocka_unit_test(test_utf8_repair),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_json_quote),
		cmocka_unit_test(test_philox_vectors),
		cmocka_unit_test(test_permutation),
		cmocka_unit_test(test_uniform_and_normal),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
