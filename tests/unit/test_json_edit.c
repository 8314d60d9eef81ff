/* io/json_edit.c: members changed, everything else byte for byte; repair. Checked with jansson. */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "libcommon/io/json.h"

static void check_rewrite(const char *line, const struct lu_json_edit *edit, size_t edits,
		const char *expected)
{
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_buf out = { 0 };

	assert_int_equal(lu_json_object(lu_str_of(line), &arena, &obj, &fault), 0);
	lu_json_rewrite(&obj, edit, edits, &out);
	assert_true(lu_buf_ok(&out));
	assert_string_equal(out.p, expected);
	lu_buf_release(&out);
	lu_arena_release(&arena);
}

static void test_rewrite(void **state)
{
	const struct lu_json_edit lang = { "lang", LU_STR("\"fr\"") };
	const struct lu_json_edit two[] = { { "text", LU_STR("\"B\"") },
		{ "score", LU_STR("0.5") } };
	const struct lu_json_edit twice[] = { { "x", LU_STR("1") }, { "x", LU_STR("2") } };
	const struct lu_json_edit quoted = { "a\"b", LU_STR("1") };

	(void)state;
	/* Replaced: blanks, order, escapes and number formats of the record are kept. */
	check_rewrite("{\"lang\" :  \"en\" , \"n\":1.50e+01,\"t\":\"\\u00e9\\/\"}", &lang, 1,
			"{\"lang\" :  \"fr\" , \"n\":1.50e+01,\"t\":\"\\u00e9\\/\"}");
	/* Appended, spaced as the record is. */
	check_rewrite("{\"a\":1}", &lang, 1, "{\"a\":1,\"lang\":\"fr\"}");
	check_rewrite("{\"a\": 1}", &lang, 1, "{\"a\": 1, \"lang\": \"fr\"}");
	check_rewrite("{}", &lang, 1, "{\"lang\":\"fr\"}");
	check_rewrite(" { } \r", &lang, 1, " { \"lang\":\"fr\"} \r");
	check_rewrite("{\"text\":\"A\",\"z\":{\"text\":\"C\"}}", two, 2,
			"{\"text\":\"B\",\"z\":{\"text\":\"C\"},\"score\":0.5}");
	check_rewrite("{\"a\":1}", twice, 2, "{\"a\":1,\"x\":2}");
	check_rewrite("{\"x\":0}", twice, 2, "{\"x\":2}");
	check_rewrite("{}", &quoted, 1, "{\"a\\\"b\":1}");
	/* An escaped name is the same name. */
	check_rewrite("{\"l\\u0061ng\":1}", &lang, 1, "{\"l\\u0061ng\":\"fr\"}");
}

/* jansson sees exactly the edits, whatever they are. */
static void test_rewrite_random(void **state)
{
	static const char *const keys[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
	struct lu_arena arena = { 0 };
	uint64_t r = 3;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct lu_buf line = { 0 }, out = { 0 };
		struct lu_json_edit edit[4];
		size_t edits = unit_random(&r) % 4, start = unit_random(&r) % 8;
		struct lu_json_fault fault;
		struct lu_json_obj obj;
		json_t *before, *after;

		lu_buf_putc(&line, '{');
		for (size_t k = 0; k < start; k++)
			lu_buf_printf(&line, "%s\"%s\":%s[%" PRIu64 "]", k ? "," : "", keys[k],
					unit_random(&r) % 2 ? " " : "", unit_random(&r) % 100);
		lu_buf_putc(&line, '}');
		for (size_t k = 0; k < edits; k++)
			edit[k] = (struct lu_json_edit){ keys[unit_random(&r) % 8],
				LU_STR("{\"new\":true}") };
		assert_int_equal(lu_json_object(lu_buf_slice(&line), &arena, &obj, &fault), 0);
		lu_json_rewrite(&obj, edit, edits, &out);
		before = json_loadb(line.p, line.n, 0, NULL);
		after = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(before);
		assert_non_null(after);
		for (size_t k = 0; k < edits; k++)
			json_object_set_new(before, edit[k].key, json_pack("{s:b}", "new", 1));
		assert_true(json_equal(before, after));
		json_decref(before);
		json_decref(after);
		lu_buf_release(&line);
		lu_buf_release(&out);
		lu_arena_reset(&arena);
	}
	lu_arena_release(&arena);
}

static void check_head(const char *line, const char *expected)
{
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_buf out = { 0 };
	struct lu_str rest;

	assert_int_equal(lu_json_object(lu_str_of(line), &arena, &obj, &fault), 0);
	rest = lu_json_head(&obj, "ids", &out);
	lu_buf_puts(&out, "[1,2]");
	lu_buf_str(&out, rest);
	assert_string_equal(out.p, expected);
	lu_buf_release(&out);
	lu_arena_release(&arena);
}

static void test_head(void **state)
{
	(void)state;
	check_head("{\"a\":1} \r", "{\"a\":1,\"ids\":[1,2]} \r");
	check_head("{\"a\": 1}", "{\"a\": 1, \"ids\": [1,2]}");
	check_head("{}", "{\"ids\":[1,2]}");
}

static void test_repair(void **state)
{
	static const struct {
		const char *bad, *good;
		size_t repaired;
	} t[] = {
		{ "{\"text\":\"a\xFF\"}", "{\"text\":\"a\xEF\xBF\xBD\"}", 1 },
		{ "{\"text\":\"\\ud800\"}", "{\"text\":\"\\ufffd\"}", 1 },
		{ "{\"text\":\"\\ud800\\u0041\"}", "{\"text\":\"\\ufffd\\u0041\"}", 1 },
		{ "{\"text\":\"\\udc00\\ud83d\\ude00\"}", "{\"text\":\"\\ufffd\\ud83d\\ude00\"}",
				1 },
		{ "{\"text\":\"\\ud83d\\ud83d\\ude00\"}", "{\"text\":\"\\ufffd\\ud83d\\ude00\"}",
				1 },
		/* An escaped backslash starts no escape. */
		{ "{\"text\":\"\\\\ud800\"}", "{\"text\":\"\\\\ud800\"}", 0 },
		{ "{\"text\":\"\\\\\\ud800\"}", "{\"text\":\"\\\\\\ufffd\"}", 1 },
		{ "{\"text\":\"\xED\xA0\x80\\uDBFF\"}",
				"{\"text\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\ufffd\"}", 4 },
		{ "{\"text\":\"fine \xC3\xA9\"}", "{\"text\":\"fine \xC3\xA9\"}", 0 },
		{ "\\u", "\\u", 0 },
		{ "\\", "\\", 0 },
		{ "", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct lu_buf out = { 0 };

		lu_buf_puts(&out, "");
		assert_int_equal(lu_json_repair(lu_str_of(t[i].bad), &out), t[i].repaired);
		assert_string_equal(out.p, t[i].good);
		lu_buf_release(&out);
	}
}

/* Repair turns any bytes inside a string into a record that both readers accept. */
static void test_repair_random(void **state)
{
	static const char *const piece[] = { "\\ud800", "\\udc00", "\xFF", "\xC3", "\xC3\xA9", "x",
		"\\\\", "\\n", "\xED\xA0\x80", "\xF0\x9F", "\\uDBFF\\uDFFF", "\\u0041" };
	struct lu_arena arena = { 0 };
	uint64_t r = 11;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct lu_buf line = { 0 }, out = { 0 };
		struct lu_json_fault fault;
		struct lu_json_obj obj;
		size_t repaired;
		bool good;
		json_t *j;

		lu_buf_puts(&line, "{\"text\":\"");
		for (uint64_t k = unit_random(&r) % 12; k > 0; k--)
			lu_buf_puts(&line,
					piece[unit_random(&r) % (sizeof(piece) / sizeof(*piece))]);
		lu_buf_puts(&line, "\"}");
		good = lu_json_object(lu_buf_slice(&line), &arena, &obj, &fault) == 0;
		repaired = lu_json_repair(lu_buf_slice(&line), &out);
		assert_int_equal(good, repaired == 0);
		assert_int_equal(lu_json_object(lu_buf_slice(&out), &arena, &obj, &fault), 0);
		j = json_loadb(out.p, out.n, 0, NULL);
		assert_non_null(j);
		json_decref(j);
		lu_buf_release(&line);
		lu_buf_release(&out);
		lu_arena_reset(&arena);
	}
	lu_arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewrite),
		cmocka_unit_test(test_rewrite_random),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_repair),
		cmocka_unit_test(test_repair_random),
	};

	return cmocka_run_group_tests_name("json_edit", tests, NULL, NULL);
}
