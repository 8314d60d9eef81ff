/* base/json_writer.h: commas, keys and numbers; what is written reads back in jansson. */
#include "libcommon/base/json_writer.h"

#include <jansson.h>
#include <math.h>

#include "tests/unit/unit.h"

static void same(struct lu_buf *b, const char *expected)
{
	assert_true(lu_buf_ok(b));
	assert_string_equal(b->p, expected);
	lu_buf_release(b);
}

static void commas_are_inserted(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	lu_json_open_object(&b, NULL);
	lu_json_put_u64(&b, "docs", UINT64_MAX);
	lu_json_open_array(&b, "files");
	lu_json_put_cstr(&b, NULL, "a{");
	lu_json_put_cstr(&b, NULL, "b");
	lu_json_open_object(&b, NULL);
	lu_json_close_object(&b);
	lu_json_open_array(&b, NULL);
	lu_json_close_array(&b);
	lu_json_put_null(&b, NULL);
	lu_json_close_array(&b);
	lu_json_put_bool(&b, "ok", true);
	lu_json_key(&b, LU_STR("a \"key\""));
	lu_json_put_bool(&b, NULL, false);
	lu_json_put_raw(&b, "raw", LU_STR("[1]"));
	lu_json_close_object(&b);
	same(&b,
			"{\"docs\":18446744073709551615,\"files\":[\"a{\",\"b\",{},[],null],"
			"\"ok\":true,\"a \\\"key\\\"\":false,\"raw\":[1]}");
}

static void lines(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		lu_json_open_object(&b, NULL);
		lu_json_newline(&b);
		lu_json_put_u64(&b, "a", 1);
		lu_json_newline(&b);
		lu_json_put_u64(&b, "b", 2);
		lu_json_close_object(&b);
		lu_buf_putc(&b, '\n');
	}
	same(&b, "{\n\"a\":1,\n\"b\":2}\n{\n\"a\":1,\n\"b\":2}\n");
}

static void numbers(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	lu_json_open_array(&b, NULL);
	lu_json_put_double(&b, NULL, 0.1);
	lu_json_put_double(&b, NULL, 3);
	lu_json_put_double(&b, NULL, (double)INFINITY);
	lu_json_put_fixed(&b, NULL, 2.0 / 3, 3);
	lu_json_put_fixed(&b, NULL, (double)NAN, 3);
	lu_json_put_double(&b, NULL, -1e-7);
	lu_json_close_array(&b);
	same(&b, "[0.1,3.0,null,0.667,null,-1e-07]");
}

static void escapes(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	lu_json_quote(&b, LU_STR("a\"\\/\b\t\n\f\r\x01\x1f\x7f\0é\xff"));
	assert_string_equal(
			b.p, "\"a\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\\u0000\u00e9\uFFFD\"");
	lu_buf_release(&b);
}

/* Every byte, in strings that are UTF-8 and in strings that are not. */
static void strings_read_back(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		char text[] = { 'x', (char)c, 'y', (char)c };
		struct lu_buf b = { 0 };
		json_t *read;

		lu_json_open_array(&b, NULL);
		lu_json_put_str(&b, NULL, (struct lu_str){ text, sizeof(text) });
		lu_json_close_array(&b);
		assert_true(lu_buf_ok(&b));
		read = json_loadb(b.p, b.n, JSON_ALLOW_NUL, NULL);
		assert_non_null(read);
		if (c < 128) {
			const json_t *s = json_array_get(read, 0);

			assert_int_equal(json_string_length(s), sizeof(text));
			assert_memory_equal(json_string_value(s), text, sizeof(text));
		} else {
			assert_string_equal(json_string_value(json_array_get(read, 0)),
					"x\xEF\xBF\xBDy\xEF\xBF\xBD");
		}
		json_decref(read);
		lu_buf_release(&b);
	}
}

/* Eight bytes are tested at once: each byte must be seen wherever it stands in them. */
static void escapes_at_every_offset(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 128; c++) {
		char one = (char)c;
		struct lu_buf alone = { 0 };

		lu_json_quote(&alone, (struct lu_str){ &one, 1 });
		for (size_t at = 0; at < 20; at++) {
			char text[20];
			struct lu_buf b = { 0 }, expected = { 0 };

			memset(text, 0x7f, sizeof(text));
			text[at] = one;
			lu_json_quote(&b, (struct lu_str){ text, sizeof(text) });
			lu_buf_putc(&expected, '"');
			for (size_t i = 0; i < sizeof(text); i++) {
				if (i == at)
					lu_buf_append(&expected, alone.p + 1, alone.n - 2);
				else
					lu_buf_putc(&expected, 0x7f);
			}
			lu_buf_putc(&expected, '"');
			assert_string_equal(b.p, expected.p);
			lu_buf_release(&b);
			lu_buf_release(&expected);
		}
		lu_buf_release(&alone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_are_inserted),
		cmocka_unit_test(lines),
		cmocka_unit_test(numbers),
		cmocka_unit_test(escapes),
		cmocka_unit_test(strings_read_back),
		cmocka_unit_test(escapes_at_every_offset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
