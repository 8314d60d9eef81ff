/* Loading a malformed tokenizer.json: the messages of single faults; and each value of good files
 * in turn replaced by every other kind of value, left out, given twice. Each such file must load,
 * or be refused by one sentence that begins with its name. What loads must encode and decode. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/utf8.h"
#include "tests/unit/unit_tokenizer.h"

/* --- single faults ------------------------------------------------------------------------ */

/* Cut the next line off *text, without its line feed. */
static char *next_line(char **text)
{
	char *line = *text;

	line[strcspn(line, "\n")] = '\0';
	*text += strlen(line) + 1;
	return line;
}

static void refused(void **state)
{
	char *text = tokenizer_data("refused.txt"), *p = text, *end = text + strlen(text);
	size_t cases = 0;

	(void)state;
	while (p < end) {
		const char *message = next_line(&p), *json;
		struct lu_tok *tok;
		struct lu_err err = { 0 };

		if (!*message || *message == '#')
			continue;
		json = next_line(&p);
		if (lu_tok_parse(&tok, "x.json", lu_str_of(json), &err) == 0)
			fail_msg("accepted: %s", json);
		assert_null(tok);
		if (strncmp(err.msg, "x.json: ", 8) != 0 || strcmp(err.msg + 8, message) != 0)
			fail_msg("%s\nmessage: %s\nwanted:  x.json: %s", json, err.msg, message);
		cases++;
	}
	assert_int_equal(cases, 59);
	free(text);
}

/* Every proper prefix of a good file is refused, and nothing leaks. */
static void refuses_prefixes(void **state)
{
	char *json = tokenizer_data("small.json");
	struct lu_str s = { json, strlen(json) - 1 }; /* without its line feed */

	(void)state;
	for (size_t n = 0; n < s.n; n++) {
		struct lu_tok *tok;
		struct lu_err err;

		assert_int_equal(
				lu_tok_parse(&tok, "x.json", (struct lu_str){ json, n }, &err), -1);
		assert_null(tok);
	}
	lu_tok_free(parse_tokenizer(s));
	free(json);
}

/* --- the values of a file ----------------------------------------------------------------- */

/* Together these have every component. */
static const char *const good_name[] = { "all-components.json", "byte-level-split.json" };
#define GOOD 2
static char *good[GOOD]; /* without blanks between tokens */

struct value {
	size_t from, to;
	size_t key; /* offset of its key; == from in arrays and at the top */
};

struct values {
	const char *text;
	struct value value[512];
	size_t n;
};

static size_t string_end(const char *text, size_t at)
{
	for (at++; text[at] != '"'; at++)
		at += text[at] == '\\';
	return at + 1;
}

/* Remove the blanks between tokens, in place. */
static void minify(char *json)
{
	char *out = json;

	while (*json) {
		size_t n = *json == '"' ? string_end(json, 0) : 1;

		if (!strchr(" \t\n", *json)) {
			memmove(out, json, n);
			out += n;
		}
		json += n;
	}
	*out = '\0';
}

static int read_good(void **state)
{
	(void)state;
	for (size_t g = 0; g < GOOD; g++) {
		good[g] = tokenizer_data(good_name[g]);
		minify(good[g]);
	}
	return 0;
}

static int free_good(void **state)
{
	(void)state;
	for (size_t g = 0; g < GOOD; g++)
		free(good[g]);
	return 0;
}

/* Record the value at `at` and all values within it. Returns its end. The text has no blanks. */
static size_t find_values(struct values *f, size_t at, size_t key)
{
	size_t me = f->n++, from = at;
	char open = f->text[at];

	assert_true(f->n <= sizeof(f->value) / sizeof(f->value[0]));
	if (open == '"') {
		at = string_end(f->text, at);
	} else if (open != '{' && open != '[') {
		at += strcspn(f->text + at, ",]}");
	} else if (f->text[++at] == ']' || f->text[at] == '}') {
		at++;
	} else {
		for (;; at++) {
			size_t name = at;

			if (open == '{')
				at = string_end(f->text, at) + 1;
			at = find_values(f, at, name);
			if (f->text[at] != ',')
				break;
		}
		at++;
	}
	f->value[me] = (struct value){ from, at, key };
	return at;
}

/* --- mutations ---------------------------------------------------------------------------- */

/* A message is valid UTF-8 without control characters, and begins with the name of the file. */
static void check_message(const char *msg, const char *json)
{
	if (strncmp(msg, "x.json: ", 8) != 0 || strlen(msg) < 12 || strpbrk(msg, "\n\r\t\x1b") ||
			lu_utf8_valid(msg, strlen(msg)) != strlen(msg))
		fail_msg("%.500s\nmessage: %s", json, msg);
}

/* True if the file loads. */
static bool try(struct lu_str json)
{
	static const char text[] =
			"ab  abc <s> c c(a) l'\xC3\xA9t\xC3\xA9 1999\r\n\tAxb \xE2\x96\x81";
	struct lu_tok *tok;
	struct lu_tok_state *st;
	struct lu_ids ids = { 0 };
	struct lu_buf out = { 0 };
	struct lu_err err = { 0 };

	if (lu_tok_parse(&tok, "x.json", json, &err) < 0) {
		assert_null(tok);
		check_message(err.msg, json.p);
		return false;
	}
	st = lu_tok_state_new(tok);
	assert_non_null(st);
	assert_int_equal(lu_tok_encode(tok, st, LU_STR(text), LU_TOK_SPECIAL_PARSE, &ids, &err), 0);
	for (size_t i = 0; i < ids.n; i++)
		assert_non_null(lu_tok_piece(tok, ids.p[i]).p);
	assert_int_equal(lu_tok_decode(tok, st, ids.p, ids.n, 0, &out, NULL, &err), 0);
	assert_int_equal(lu_utf8_valid(out.p, out.n), out.n);
	lu_ids_release(&ids);
	lu_buf_release(&out);
	lu_tok_state_free(st);
	lu_tok_free(tok);
	return true;
}

/* Try the file with from .. to - 1 replaced. */
static bool try_with(const char *json, size_t from, size_t to, const char *replacement)
{
	struct lu_buf b = { 0 };
	bool loaded;

	lu_buf_append(&b, json, from);
	lu_buf_puts(&b, replacement);
	lu_buf_puts(&b, json + to);
	assert_true(lu_buf_ok(&b));
	loaded = try(lu_buf_slice(&b));
	lu_buf_release(&b);
	return loaded;
}

static void wrong_value(void **state)
{
	static const char *const value[] = { "null", "true", "false", "0", "1", "-1", "1.5", "5e0",
		"2147483648", "4294967296", "9223372036854775808", "1e999", "\"\"", "\"5\"",
		"\"a\\u0000\\n\\u001b[31m\"", "\"\\u2028\\ud83d\\ude00\"", "[]", "[0]", "[[]]",
		"{}", "{\"\":0}", "{\"type\":\"Sequence\"}", "{\"type\":1}", "{\"type\":\"\\n\"}",
		"{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}" };

	(void)state;
	for (size_t g = 0; g < GOOD; g++) {
		struct values f = { .text = good[g] };
		size_t loaded = 0, tried = 0;

		assert_true(try(lu_str_of(good[g])));
		assert_int_equal(find_values(&f, 0, 0), strlen(good[g]));
		for (size_t i = 0; i < f.n; i++) {
			for (size_t v = 0; v < sizeof(value) / sizeof(value[0]); v++, tried++)
				loaded += try_with(
						good[g], f.value[i].from, f.value[i].to, value[v]);
		}
		/* Most must be refused. */
		assert_true(tried > 1500);
		assert_true(loaded < tried / 4);
	}
}

/* Each member or element left out, and given twice. */
static void missing_or_repeated_value(void **state)
{
	(void)state;
	for (size_t g = 0; g < GOOD; g++) {
		struct values f = { .text = good[g] };

		find_values(&f, 0, 0);
		for (size_t i = 1; i < f.n; i++) {
			struct value v = f.value[i];
			char again[2048];

			snprintf(again, sizeof(again), ",%.*s", (int)(v.to - v.key),
					good[g] + v.key);
			try_with(good[g], v.to, v.to, again);
			if (good[g][v.to] == ',')
				try_with(good[g], v.key, v.to + 1, "");
			else if (good[g][v.key - 1] == ',')
				try_with(good[g], v.key - 1, v.to, "");
			else
				try_with(good[g], v.key, v.to, "");
		}
	}
}

/* Text before and after the object, and deep nesting. */
static void surrounding_text(void **state)
{
	static const char *const before[] = { "\xEF\xBB\xBF", "[", "x", "{}", "\xFF", "\"" };
	static const char *const after[] = { "x", "}", ",", "{}", "\xC3", "\"", "null" };
	struct lu_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		assert_false(try_with(good[0], 0, 0, before[i]));
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		assert_false(try_with(good[0], strlen(good[0]), strlen(good[0]), after[i]));
	assert_true(try_with(good[0], strlen(good[0]), strlen(good[0]), " \r\n\t"));
	assert_true(try_with(good[0], 0, 0, "\n "));
	for (size_t depth = 1; depth < 200000; depth = depth * 3 + 1) {
		lu_buf_clear(&b);
		lu_buf_puts(&b, "{\"version\":\"1.0\",\"padding\":");
		for (size_t i = 0; i < depth; i++)
			lu_buf_putc(&b, '[');
		for (size_t i = 0; i < depth; i++)
			lu_buf_putc(&b, ']');
		lu_buf_puts(&b, "}");
		assert_false(try(lu_buf_slice(&b)));
		lu_buf_clear(&b);
		lu_buf_puts(&b, "{\"version\":\"1.0\",\"normalizer\":");
		for (size_t i = 0; i < depth; i++)
			lu_buf_puts(&b, "{\"type\":\"Sequence\",\"normalizers\":[");
		for (size_t i = 0; i < depth; i++)
			lu_buf_puts(&b, "]}");
		lu_buf_puts(&b, "}");
		assert_false(try(lu_buf_slice(&b)));
	}
	lu_buf_release(&b);
}

/* Invalid UTF-8, lone surrogates and malformed escapes anywhere in a string. */
static void invalid_string(void **state)
{
	static const char *const bytes[] = { "\xFF", "\x80", "\xC0\xAF", "\xE0\x80\x80",
		"\xED\xA0\x80", "\xED\xA0\xBD\xED\xB8\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x98",
		"\\ud800", "\\udc00", "\\ud800\\ud800", "\\ud83dx", "\\x", "\\u12", "\x01" };

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		const char *at = strstr(good[0], "\"abc\"");

		for (size_t k = 1; k < 5; k++)
			assert_false(try_with(good[0], (size_t)(at - good[0]) + k,
					(size_t)(at - good[0]) + k, bytes[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(refuses_prefixes),
		cmocka_unit_test(wrong_value),
		cmocka_unit_test(missing_or_repeated_value),
		cmocka_unit_test(surrounding_text),
		cmocka_unit_test(invalid_string),
	};

	return cmocka_run_group_tests(tests, read_good, free_good);
}
