/* io/safetensors.h: good and bad headers, and bfloat16. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/io/safetensors.h"

/* Open the file "t" with this header and `data` zero bytes of data. */
static int open_header(struct lu_st *st, struct lu_str header, size_t data, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	unsigned char length[8];

	lu_store64(length, header.n);
	lu_buf_append(&b, length, sizeof(length));
	lu_buf_str(&b, header);
	for (size_t i = 0; i < data; i++)
		lu_buf_putc(&b, '\0');
	assert_true(lu_buf_ok(&b));
	put_file("t", b.p, b.n);
	lu_buf_release(&b);
	return lu_st_open(st, "t", err);
}

static void test_good(void **state)
{
	const struct lu_st_tensor *t;
	struct lu_err err;
	struct lu_st st;
	double two[2];
	size_t n;
	char *header = get_data("safetensors-good.json", &n);

	(void)state;
	assert_int_equal(open_header(&st, (struct lu_str){ header, n }, 28, &err), 0);
	free(header);
	assert_int_equal(st.n, 3);
	t = lu_st_find(&st, "a\xc3\xa9");
	assert_non_null(t);
	assert_int_equal(lu_st_count(t), 2);
	assert_int_equal(lu_st_read(&st, t, 0, two, sizeof(two), &err), 0);
	assert_int_equal(lu_st_read(&st, t, 8, two, 9, &err), -1);
	t = lu_st_find(&st, "b");
	assert_int_equal(t->type, LU_ST_BF16);
	assert_int_equal(t->dim[1], 3);
	assert_null(lu_st_find(&st, "c"));
	lu_st_close(&st);
}

/* Each line of the file is a number of data bytes, a blank and a header that does not fit it. */
static void test_bad(void **state)
{
	char *text, *line, *rest, *header;
	size_t n;

	(void)state;
	text = get_data("safetensors-bad.txt", &n);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		size_t data = strtoul(line, &header, 10);
		struct lu_err err = { .msg = "" };
		struct lu_st st;

		assert_int_equal(*header, ' ');
		if (open_header(&st, lu_str_of(header + 1), data, &err) == 0)
			fail_msg("accepted: %s", line);
		if (strncmp(err.msg, "t: ", 3) != 0)
			fail_msg("%s: does not name the file: %s", line, err.msg);
	}
	free(text);
}

static void refuse(const char *bytes, size_t n, const char *message)
{
	struct lu_err err = { .msg = "" };
	struct lu_st st;

	put_file("t", bytes, n);
	assert_int_equal(lu_st_open(&st, "t", &err), -1);
	assert_string_equal(err.msg, message);
}

/* The length in front of the header. */
static void test_length(void **state)
{
	char length[8];
	struct lu_err err;
	struct lu_st st;

	(void)state;
	refuse("", 0, "t: too short for a safetensors file");
	refuse("\0\0\0\0\0\0\0", 7, "t: too short for a safetensors file");
	lu_store64(length, UINT64_MAX);
	refuse(length, 8, "t: not a safetensors file, or cut short");
	lu_store64(length, 3);
	refuse(length, 8, "t: not a safetensors file, or cut short");
	lu_store64(length, LU_ST_HEADER_MAX + 1);
	refuse(length, 8, "t: not a safetensors file, or cut short");
	lu_store64(length, 0);
	refuse(length, 8, "t: header: JSON ends too early");
	assert_int_equal(lu_st_open(&st, "missing", &err), -1);
	assert_string_equal(err.msg, "missing: No such file or directory");
}

static void test_messages(void **state)
{
	static const char unknown[] =
			"{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}";
	static const char misfit[] =
			"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,7]}}";
	struct lu_err err;
	struct lu_st st;

	(void)state;
	assert_int_equal(open_header(&st, LU_STR(unknown), 8, &err), -1);
	assert_string_equal(err.msg, "t: tensor a: unsupported dtype \"F99\"");
	assert_int_equal(open_header(&st, LU_STR(misfit), 7, &err), -1);
	assert_string_equal(
			err.msg, "t: tensor a: data_offsets 0-7 do not fit its shape of 8 bytes");
}

static void test_header(void **state)
{
	struct lu_st_tensor t[2] = {
		{ .name = LU_STR("x\"y"), .type = LU_ST_F32, .dims = 2, .dim = { 3, 5 } },
		{ .name = LU_STR("z"), .type = LU_ST_BF16, .dims = 1, .dim = { 7 } },
	};
	static const char expected[] =
			"{\"__metadata__\":{\"format\":\"pt\"},"
			"\"x\\\"y\":{\"dtype\":\"F32\",\"shape\":[3,5],\"data_offsets\":[0,60]},"
			"\"z\":{\"dtype\":\"BF16\",\"shape\":[7],\"data_offsets\":[60,74]}} ";
	struct lu_buf b = { 0 };
	struct lu_err err;
	struct lu_st st;

	(void)state;
	assert_int_equal(lu_st_header(t, 2, "{\"format\":\"pt\"}", &b, &err), 0);
	assert_int_equal(b.n % 64, 0);
	assert_int_equal(lu_load64(b.p), b.n - 8);
	assert_int_equal(t[1].begin, 60);
	assert_int_equal(t[1].end, 74);
	assert_memory_equal(b.p + 8, expected, sizeof(expected) - 1);
	assert_int_equal(open_header(&st, (struct lu_str){ b.p + 8, b.n - 8 }, 74, &err), 0);
	assert_non_null(lu_st_find(&st, "x\"y"));
	lu_st_close(&st);
	lu_buf_release(&b);
}

static void test_bf16(void **state)
{
	/* Halfway cases go to the even neighbour. */
	static const struct {
		float in;
		uint16_t out;
	} golden[] = { { 0, 0 }, { 1, 0x3f80 }, { -2, 0xc000 }, { 1.00390625f, 0x3f80 },
		{ 1.01171875f, 0x3f82 }, { 1.0039064f, 0x3f81 }, { 3.4e38f, 0x7f80 } };

	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++)
		assert_int_equal(lu_bf16_of(golden[i].in), golden[i].out);
	assert_true(isnan(lu_bf16_to(lu_bf16_of((float)NAN))));
	for (uint32_t u = 0; u < 65536; u++) {
		float f = lu_bf16_to((uint16_t)u);

		if (!isnan(f))
			assert_int_equal(lu_bf16_of(f), u);
	}
}

/* Every half comes back; between two, the nearer one is taken, and half way the even one. */
static void test_f16(void **state)
{
	(void)state;
	for (uint32_t u = 0; u < 0x7c00; u++) {
		/* The last step leads to the infinity, which stands for 65536 here. */
		float a = lu_f16_to((uint16_t)u);
		float b = u == 0x7bff ? 65536 : lu_f16_to((uint16_t)(u + 1));
		float middle = a / 2 + b / 2;
		uint32_t even = u + (u & 1);

		assert_int_equal(lu_f16_of(a), u);
		assert_int_equal(lu_f16_of(-a), u | 0x8000);
		assert_int_equal(lu_f16_of(middle), even);
		assert_int_equal(lu_f16_of(nextafterf(middle, 0)), u);
		assert_int_equal(lu_f16_of(nextafterf(middle, 1e9f)), u + 1);
	}
	assert_int_equal(lu_f16_of(INFINITY), 0x7c00);
	assert_int_equal(lu_f16_of(1e30f), 0x7c00);
	assert_true(isnan(lu_f16_to(lu_f16_of((float)NAN))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_f16),
		cmocka_unit_test(test_bf16),
	};

	return cmocka_run_group_tests_name("safetensors", tests, scratch_make, scratch_remove);
}
