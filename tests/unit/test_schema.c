#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/schema/schema.h"
#include "libcommon/schema/token_mask.h"
#include "tests/unit/plain_schema.h"

static struct lu_schema *compile(const char *json)
{
	struct lu_schema *s;
	struct lu_err err;

	if (lu_schema_compile(&s, "test", lu_str_of(json), &err) < 0)
		fail_msg("%s: %s", json, err.msg);
	return s;
}

/* 1: a whole value; 0: the beginning of one; -1: refused. */
static int reads(struct lu_schema *s, const char *text)
{
	uint32_t state = LU_SCHEMA_START;
	struct lu_err err;

	for (const char *p = text; *p; p++) {
		if (lu_schema_next(s, state, (unsigned char)*p, &state, &err) != 1)
			return -1;
	}
	return lu_schema_complete(s, state);
}

/* Values by hand: whole ones, then those that are refused somewhere. */
static const struct {
	const char *schema;
	const char *good[8], *bad[12];
} cases[] = {
	{ "{\"type\":\"null\"}", { "null" }, { "nil", "\"null\"", " null" } },
	{ "{\"type\":[\"boolean\",\"null\"]}", { "true", "false", "null" }, { "True", "0" } },
	{ "{\"type\":\"integer\"}", { "0", "-1", "12", "999999999999999999" },
			{ "01", "-0", "1.0", "+1", "1e3", "1000000000000000000" } },
	{ "{\"type\":\"integer\",\"minimum\":-12,\"maximum\":305}",
			{ "-12", "-9", "0", "7", "99", "299", "305" },
			{ "-13", "-20", "306", "310", "400", "1000", "-100" } },
	{ "{\"type\":\"integer\",\"exclusiveMinimum\":7,\"exclusiveMaximum\":11}", { "8", "10" },
			{ "7", "11", "100" } },
	{ "{\"type\":\"integer\",\"maximum\":-95}", { "-95", "-96", "-100", "-1000" },
			{ "-94", "5", "-0" } },
	{ "{\"type\":\"number\"}", { "0", "-0.5", "1e3", "12.25E-07", "3.140" },
			{ ".5", "1.e", "1e123", "01", "--1", "Infinity", "NaN" } },
	{ "{\"type\":\"number\",\"minimum\":-2,\"maximum\":3}",
			{ "-2", "-2.00", "-1.99", "0.5", "2.999", "3.0", "-0.0" },
			{ "-2.01", "3.01", "4", "1e1", "-3" } },
	{ "{\"type\":\"string\"}",
			{ "\"\"", "\"a\\n\\u00e9\\ud7ff\"", "\"\xC3\xA9\xF0\x9F\x98\x80\"" },
			{ "\"\n", "\"\\x", "\"\\ud800", "\"\xC0\xAF", "\"\xED\xA0\x80", "\"\xF5",
					"a", "\"\xF4\x90" } },
	{ "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
			{ "\"ab\"", "\"\xC3\xA9\\u0041z\"" }, { "\"a\"", "\"abcd", "\"\"" } },
	{ "{\"enum\":[\"a b\", 1.50, {\"x\" : [1, \"\\\" \"]}]}",
			{ "\"a b\"", "1.50", "{\"x\":[1,\"\\\" \"]}" }, { "1.5 ", "\"a\"", "{ " } },
	{ "{\"type\":\"integer\",\"enum\":[1,\"a\",2.5]}", { "1" }, { "2", "\"a" } },
	{ "{\"const\":\"x\"}", { "\"x\"" }, { "x", "\"y" } },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"null\"}}",
			{ "[]", "[null]", "[null,null, null]" },
			{ "[ ", "[null,]", "[,", "[null,  " } },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":2,\"maxItems\":3}",
			{ "[null,null]", "[null,null,null]" },
			{ "[]", "[null]", "[null,null,null," } },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":2}",
			{ "[null,null]", "[null,null,null,null]" }, { "[]", "[null]" } },
	{ "{\"type\":\"object\",\"properties\":{}}", { "{}" }, { "{\"", "{ " } },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"},\"b\":{\"type\":\"null\"}"
	  ","
	  "\"c\":{\"type\":\"null\"}},\"required\":[\"b\"],\"additionalProperties\":false}",
			{ "{\"a\":null,\"b\":null,\"c\":null}", "{\"b\": null}",
					"{\"a\":null, \"b\":null}" },
			{ "{}", "{\"a\":null}", "{\"b\":null,\"a\"", "{\"b\":null,}", "{\"c",
					"{\"b\" :" } },
	{ "{\"$defs\":{\"a/b\":{\"type\":\"null\"}},\"anyOf\":[{\"$ref\":\"#/$defs/a~1b\"},"
	  "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/a~1b\"}}]}",
			{ "null", "[null]" }, { "[[" } },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lu_schema *s = compile(cases[i].schema);

		for (size_t k = 0; k < 8 && cases[i].good[k]; k++) {
			if (reads(s, cases[i].good[k]) != 1)
				fail_msg("%s: %s is not read", cases[i].schema, cases[i].good[k]);
		}
		for (size_t k = 0; k < 12 && cases[i].bad[k]; k++) {
			if (reads(s, cases[i].bad[k]) == 1)
				fail_msg("%s: %s is read", cases[i].schema, cases[i].bad[k]);
		}
		lu_schema_free(s);
	}
}

#define NULLS "{\"type\":\"null\"}"

/* What is refused, and words of the reason. */
static const struct {
	const char *schema, *why;
} refused[] = {
	{ "", "ends" },
	{ "true", "#: a schema is an object, not true" },
	{ "{}", "needs type" },
	{ "{\"type\":\"string\"", "byte 16" },
	{ "{\"type\":\"date\"}", "type \"date\" does not exist" },
	{ "{\"type\":[]}", "allows nothing" },
	{ "{\"type\":\"string\",\"pattern\":\"a+\"}", "\"pattern\" is not in the subset" },
	{ "{\"type\":\"string\",\"format\":\"date\"}", "\"format\" is not in the subset" },
	{ "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"x\"}]}", "f.json: #/anyOf/1: type" },
	{ "{\"oneOf\":[" NULLS "]}", "\"oneOf\" is not in the subset" },
	{ "{\"type\":\"string\",\"minItems\":1}", "\"minItems\" has no effect" },
	{ "{\"type\":\"string\",\"minLength\":-1}", "minLength -1" },
	{ "{\"type\":\"string\",\"minLength\":3,\"maxLength\":2}", "more than maxLength" },
	{ "{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}", "no number is from" },
	{ "{\"type\":\"integer\",\"minimum\":0.5}", "minimum 0.5 is not a whole number" },
	{ "{\"type\":\"number\",\"exclusiveMinimum\":0}", "exclusiveMaximum of a number" },
	{ "{\"type\":\"array\"}", "needs items" },
	{ "{\"type\":\"array\",\"items\":[" NULLS "]}", "#/items: a schema is an object" },
	{ "{\"type\":\"array\",\"items\":" NULLS ",\"minItems\":2,\"maxItems\":1}",
			"more than maxItems" },
	{ "{\"type\":\"object\"}", "needs properties" },
	{ "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":true}",
			"can only be false" },
	{ "{\"type\":\"object\",\"properties\":{},\"required\":[\"a\"]}", "not in properties" },
	{ "{\"type\":\"object\",\"properties\":{},\"required\":1}", "not an array" },
	{ "{\"type\":\"object\",\"properties\":{\"a\":" NULLS ",\"a\":" NULLS "}}",
			"properties: " },
	{ "{\"type\":\"object\",\"properties\":{\"a\":{\"not\":{}}}}", "#/properties/a: \"not\"" },
	{ "{\"enum\":[]}", "no value" },
	{ "{\"type\":\"string\",\"enum\":[1]}", "no value of the type" },
	{ "{\"type\":\"string\",\"const\":1}", "not of the type" },
	{ "{\"enum\":[1],\"minimum\":0}", "beside \"enum\"" },
	{ "{\"anyOf\":[]}", "allows nothing" },
	{ "{\"anyOf\":[" NULLS "],\"type\":\"null\"}", "beside \"anyOf\"" },
	{ "{\"$ref\":\"#/$defs/x\"}", "leads nowhere" },
	{ "{\"$ref\":\"http://x/y\"}", "is not of this schema" },
	{ "{\"$ref\":\"#\"}", "recursive" },
	{ "{\"$defs\":{\"a\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/a\"}}},"
	  "\"$ref\":\"#/$defs/a\"}",
			"recursive" },
	{ "{\"type\":\"string\",\"maxLength\":1000000}", "lower maxLength" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
	  "\"minItems\":1000},\"minItems\":1000}",
			"minItems" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct lu_schema *s;
		struct lu_err err = { 0 };

		if (lu_schema_compile(&s, "f.json", lu_str_of(refused[i].schema), &err) == 0)
			fail_msg("%s is taken", refused[i].schema);
		if (strncmp(err.msg, "f.json: ", 8) != 0 || !strstr(err.msg, refused[i].why))
			fail_msg("%s: \"%s\" instead of \"%s\"", refused[i].schema, err.msg,
					refused[i].why);
	}
}

/* References that double at each level, and levels without end. */
static void test_hostile(void **state)
{
	struct lu_buf b = { 0 };
	struct lu_schema *s;
	struct lu_err err;

	(void)state;
	lu_buf_puts(&b, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
	for (int i = 0; i < 40; i++)
		lu_buf_printf(&b,
				"\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/"
				"$defs/d%d\"}]},",
				i, i + 1, i + 1);
	lu_buf_puts(&b, "\"d40\":" NULLS "}}");
	assert_int_equal(lu_schema_compile(&s, "f", lu_buf_slice(&b), &err), -1);
	lu_buf_clear(&b);
	for (int i = 0; i < 500; i++)
		lu_buf_puts(&b, "{\"type\":\"array\",\"items\":");
	lu_buf_puts(&b, NULLS);
	for (int i = 0; i < 500; i++)
		lu_buf_putc(&b, '}');
	assert_int_equal(lu_schema_compile(&s, "f", lu_buf_slice(&b), &err), -1);
	assert_non_null(strstr(err.msg, "levels"));
	lu_buf_release(&b);
}

/* --- random schemas ---------------------------------------------------------------------------- */

static uint64_t seed;

static unsigned below(unsigned n)
{
	return (unsigned)(unit_random(&seed) % n);
}

static void random_schema(struct lu_buf *b, int depth);

static void random_object(struct lu_buf *b, int depth)
{
	unsigned n = below(5), needed[5] = { 0 };

	lu_json_put_cstr(b, "type", "object");
	lu_json_open_object(b, "properties");
	for (unsigned i = 0; i < n; i++) {
		static const char *const names[] = { "a", "ab", "k\xC3\xA9y", "x\"y\\", "" };

		lu_json_key(b, lu_str_of(names[i]));
		random_schema(b, depth - 1);
		needed[i] = below(2);
	}
	lu_json_close_object(b);
	if (n && needed[0]) {
		lu_json_open_array(b, "required");
		lu_json_put_cstr(b, NULL, "a");
		if (n > 3 && needed[3])
			lu_json_put_cstr(b, NULL, "x\"y\\");
		lu_json_close_array(b);
	}
}

static void random_simple(struct lu_buf *b)
{
	static const char *const names[] = { "null", "boolean", "integer", "number", "string" };
	unsigned type = below(5), low = below(50);

	lu_json_put_cstr(b, "type", names[type]);
	if ((type == 2 || type == 3) && below(2)) {
		lu_buf_printf(b, ",\"minimum\":%d", (int)low - 25);
		lu_buf_printf(b, ",\"maximum\":%d", (int)(low - 25 + below(2000)));
	}
	if (type == 2 && below(3) == 0)
		lu_buf_puts(b, ",\"exclusiveMaximum\":5000");
	if (type == 4 && below(2))
		lu_json_put_u64(b, "minLength", below(4));
	if (type == 4)
		lu_json_put_u64(b, "maxLength", 4 + below(9));
}

static void random_schema(struct lu_buf *b, int depth)
{
	static const char *const lists[] = { "[1,\"a\",null]", "[\"yes\",\"no\"]",
		"[[1, {\"a\": 2}], -3.5]" };
	unsigned kind = below(depth > 0 ? 8 : 4);

	lu_json_open_object(b, NULL);
	switch (kind) {
	case 4:
	case 5: random_object(b, depth); break;
	case 6:
		lu_json_put_cstr(b, "type", "array");
		lu_json_key(b, LU_STR("items"));
		random_schema(b, depth - 1);
		lu_json_put_u64(b, "minItems", below(3));
		lu_json_put_u64(b, "maxItems", 3 + below(3));
		break;
	case 7:
		lu_json_open_array(b, "anyOf");
		for (unsigned i = 1 + below(3); i; i--)
			random_schema(b, depth - 1);
		lu_json_close_array(b);
		break;
	case 3: lu_json_put_raw(b, "enum", lu_str_of(lists[below(3)])); break;
	case 2:
		if (depth < 3) {
			lu_json_put_cstr(b, "$ref", "#/$defs/leaf");
			break;
		}
		/* fall through */
	default: random_simple(b);
	}
	lu_json_close_object(b);
}

/* Every byte, and strings as they occur in JSON. */
static size_t vocabulary(struct lu_str *bytes, char *single)
{
	static const char *const words[] = { "\":", "\", \"", "{\"", "{\"a\":", "null", "true}",
		"},{", "]}", " ", " {", " \"", ": ", " a", "123", "0.5", "\xC3\xA9", "\\u00",
		"aaaa", "\"a\"", "[[", "\"\"", "ab\"", "null," };
	size_t n = 0;

	for (; n < 256; n++) {
		single[n] = (char)n;
		bytes[n] = (struct lu_str){ single + n, 1 };
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		bytes[n++] = lu_str_of(words[i]);
	bytes[n++] = LU_STR(""); /* a token that stands for nothing */
	return n;
}

/* The text of what was written, which a decoder makes of it: without a blank behind each quote or
 * bracket, where the blank is dropped. */
static void decode(const struct lu_token_bytes *b, const struct lu_buf *raw, struct lu_buf *out)
{
	lu_buf_clear(out);
	for (size_t i = 0; i < raw->n; i++) {
		lu_buf_putc(out, raw->p[i]);
		if (b->dropped.n && memchr("\"[{", raw->p[i], 3) && i + 1 < raw->n &&
				raw->p[i + 1] == ' ')
			i++;
	}
}

/* Write a value with tokens chosen at random from the mask, and end at random where it may end. */
static void random_value(struct lu_schema *s, struct lu_token_mask *m,
		const struct lu_token_bytes *b, struct lu_buf *raw)
{
	struct lu_token_place at = { .state = LU_SCHEMA_START };
	struct lu_err err;

	lu_buf_clear(raw);
	for (;;) {
		const uint64_t *bits;
		uint32_t id;
		int any = lu_token_mask_of(m, &at, &bits, &err);

		assert_true(any >= 0);
		assert_int_equal(any == 0, lu_schema_closed(s, at.state, &err));
		assert_true(any || lu_schema_complete(s, at.state));
		if (!any || (lu_schema_complete(s, at.state) && below(3) == 0))
			return;
		do
			id = below((unsigned)b->tokens);
		while (!(bits[id / 64] >> (id % 64) & 1));
		lu_buf_str(raw, b->bytes[id]);
		assert_int_equal(lu_token_mask_advance(m, &at, id, &err), 0);
	}
}

/* The mask has just the tokens whose bytes can be read. */
static void check_mask(struct lu_schema *s, struct lu_token_mask *m, const struct lu_token_bytes *b,
		const struct lu_buf *text)
{
	struct lu_token_place at = { .state = LU_SCHEMA_START };
	const uint64_t *bits;
	struct lu_err err;

	for (size_t i = 0; i < text->n / 2; i++)
		assert_int_equal(lu_schema_next(s, at.state, (unsigned char)text->p[i], &at.state,
						 &err),
				1);
	assert_true(lu_token_mask_of(m, &at, &bits, &err) >= 0);
	for (size_t id = 0; id < b->tokens; id++) {
		struct lu_str t = b->bytes[id];
		uint32_t to = at.state;
		bool can = t.n > 0;

		for (size_t i = 0; i < t.n && can; i++)
			can = lu_schema_next(s, to, (unsigned char)t.p[i], &to, &err) == 1;
		assert_int_equal(bits[id / 64] >> (id % 64) & 1, can);
	}
}

static void check_schema(struct lu_str schema, const struct lu_token_bytes *b)
{
	struct lu_schema *s = compile(schema.p);
	struct lu_buf raw = { 0 }, value = { 0 };
	struct lu_token_mask *m;
	struct lu_err err;

	assert_int_equal(lu_token_mask_new(&m, s, b, &err), 0);
	for (int k = 0; k < 4; k++) {
		random_value(s, m, b, &raw);
		decode(b, &raw, &value);
		if (!plain_valid(schema, lu_buf_slice(&value)))
			fail_msg("%s: %s", schema.p, value.p);
	}
	check_mask(s, m, b, &value);
	lu_token_mask_free(m);
	lu_schema_free(s);
	lu_buf_release(&raw);
	lu_buf_release(&value);
}

static void test_random(void **state)
{
	static char single[256];
	uint32_t after[] = { '"', '[', '{' };
	struct lu_str list[300];
	struct lu_token_bytes b = { .bytes = list, .after = after, .n_after = 3 };
	struct lu_buf schema = { 0 };

	(void)state;
	b.tokens = vocabulary(list, single);
	for (unsigned n = 0; n < 150; n++) {
		seed = n;
		b.dropped = n % 2 ? LU_STR(" ") : LU_STR("");
		lu_buf_clear(&schema);
		random_schema(&schema, 3);
		/* What leaves refer to. */
		assert_true(schema.n > 2 && schema.p[schema.n - 1] == '}');
		schema.n--;
		lu_buf_puts(&schema, ",\"$defs\":{\"leaf\":{\"type\":[\"integer\",\"null\"]}}}");
		check_schema(lu_buf_slice(&schema), &b);
	}
	/* A blank that has to stand behind one that is dropped. */
	b.dropped = LU_STR(" ");
	check_schema(LU_STR("{\"enum\":[\"[ a\",\" b\"]}"), &b);
	lu_buf_release(&schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
