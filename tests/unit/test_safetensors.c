/* The safetensors reader on good and bad headers, and bfloat16. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcommon/base/num.h"
#include "libcommon/io/safetensors.h"

/* Writes a file with this header and `data` bytes of data, opens it, removes it. */
static int open_text(struct lu_st *st, const char *header, size_t data, struct lu_err *err)
{
	char path[] = "/tmp/lucie-test-XXXXXX", zeros[256] = { 0 };
	unsigned char length[8];
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	lu_store64(length, strlen(header));
	assert_int_equal(write(fd, length, 8), 8);
	assert_int_equal(write(fd, header, strlen(header)), strlen(header));
	assert_int_equal(write(fd, zeros, data), data);
	close(fd);
	rc = lu_st_open(st, path, err);
	unlink(path);
	return rc;
}

static void test_good(void **state)
{
	static const char header[] =
			"{\"b\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[16,28]},"
			"\"__metadata__\":{\"format\":\"pt\"},"
			"\"a\\u00e9\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
			"\"none\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[28,28]}}   ";
	const struct lu_st_tensor *t;
	struct lu_err err;
	struct lu_st st;
	double two[2];

	(void)state;
	assert_int_equal(open_text(&st, header, 28, &err), 0);
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

static void test_bad(void **state)
{
#define T(offsets) "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets "}}"
	static const struct {
		const char *header;
		size_t data;
	} bad[] = {
		{ T("[0,8]"), 7 },
		{ T("[0,8]"), 9 },
		{ T("[0,7]"), 7 },
		{ T("[4,12]"), 12 },
		{ T("[8,0]"), 8 },
		{ T("[0]"), 8 },
		{ T("[0,8,8]"), 8 },
		{ T("[0,-8]"), 8 },
		{ T("[0,8]") "x", 8 },
		{ "{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8 },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,2],"
		  "\"data_offsets\":[0,0]}}",
				0 },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}"
		  "}",
				4 },
		{ "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8 },
		{ "{\"a\":[]}", 0 },
		{ "[]", 0 },
		{ "", 0 },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
		  "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
				12 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lu_err err = { .msg = "" };
		struct lu_st st;

		if (open_text(&st, bad[i].header, bad[i].data, &err) == 0)
			fail_msg("case %zu was taken", i);
		assert_non_null(strstr(err.msg, "/tmp/lucie-test-"));
	}
}

static void test_length(void **state)
{
	char path[] = "/tmp/lucie-test-XXXXXX";
	unsigned char length[8];
	struct lu_err err;
	struct lu_st st;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (int i = 0; i < 3; i++) {
		lu_store64(length, i == 0 ? UINT64_MAX : i == 1 ? 3 : LU_ST_HEADER_MAX + 1);
		assert_int_equal(pwrite(fd, length, i == 2 ? 7 : 8, 0), i == 2 ? 7 : 8);
		if (i == 2)
			assert_int_equal(ftruncate(fd, 7), 0);
		assert_int_equal(lu_st_open(&st, path, &err), -1);
	}
	close(fd);
	unlink(path);
	assert_int_equal(lu_st_open(&st, path, &err), -1);
}

static void test_header(void **state)
{
	struct lu_st_tensor t[2] = {
		{ .name = LU_STR("x\"y"), .type = LU_ST_F32, .dims = 2, .dim = { 3, 5 } },
		{ .name = LU_STR("z"), .type = LU_ST_BF16, .dims = 1, .dim = { 7 } },
	};
	struct lu_buf b = { 0 };
	struct lu_err err;
	struct lu_st st;

	(void)state;
	assert_int_equal(lu_st_header(t, 2, "{\"format\":\"pt\"}", &b, &err), 0);
	assert_int_equal(b.n % 64, 0);
	assert_int_equal(lu_load64(b.p), b.n - 8);
	assert_int_equal(t[1].begin, 60);
	assert_int_equal(t[1].end, 74);
	assert_int_equal(open_text(&st, b.p + 8, 74, &err), 0);
	assert_non_null(lu_st_find(&st, "x\"y"));
	lu_st_close(&st);
	lu_buf_release(&b);
}

static void test_bf16(void **state)
{
	/* halfway cases go to the even neighbour */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_bf16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
