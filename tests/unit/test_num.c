/* base/num.h: numbers as text and as bytes. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "libcommon/base/num.h"

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

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		double seconds;
	} good[] = { { "0", 0 }, { "90", 90 }, { "2s", 2 }, { "1.5h", 5400 }, { "90m", 5400 },
		{ "20h", 72000 }, { "2d", 172800 }, { "0.25", 0.25 } };
	static const char *const bad[] = { "", "h", "-1", "+1", "1e3", "0x10", "1.5.2", "1 h",
		"1hm", "1:30", "2w", "1H", ".5", "inf" };
	struct lu_err err;
	double d;

	(void)state;
	for (size_t k = 0; k < sizeof(good) / sizeof(*good); k++) {
		assert_int_equal(lu_num_duration(good[k].text, &d, &err), 0);
		assert_true(d == good[k].seconds);
	}
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		assert_int_equal(lu_num_duration(bad[k], &d, &err), -1);
		assert_non_null(strstr(err.msg, "not a duration"));
		assert_non_null(strstr(err.msg, bad[k]));
	}
	assert_int_equal(lu_num_duration("99999999999999d", &d, &err), -1);
	assert_non_null(strstr(err.msg, "too large"));
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

static void test_hex_digits(void **state)
{
	const char *digits = "0123456789abcdefABCDEF", *at;

	(void)state;
	for (int c = -128; c < 128; c++) {
		at = c ? strchr(digits, c) : NULL;
		assert_int_equal(lu_hex_digit((char)c),
				!at ? -1 : (int)(at - digits) - (at - digits > 15 ? 6 : 0));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_hex_digits),
		cmocka_unit_test(test_little_endian),
	};

	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
