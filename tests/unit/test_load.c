/* Loading a tokenizer.json that is wrong: each value of good files in turn replaced by every other
 * kind of value, left out, given twice; each must load, or be refused with one sentence that
 * begins with the file's name. What loads encodes and decodes. The messages of single faults are
 * in test_tokenizer.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* Together these hold every component there is. */
#define ADDED                                                                                     \
	"\"added_tokens\":[{\"id\":0,\"content\":\"<s>\",\"single_word\":false,\"lstrip\":false," \
	"\"rstrip\":false,\"normalized\":false,\"special\":true},{\"id\":3,\"content\":\"c\","    \
	"\"single_word\":true,\"lstrip\":true,\"rstrip\":true,\"normalized\":true,\"special\":"   \
	"false}],"
#define POST                                                                                    \
	"\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\","    \
	"\"add_prefix_space\":true,\"trim_offsets\":false,\"use_regex\":true},{\"type\":"       \
	"\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}}," \
	"{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[{\"Sequence\":{\"id\":\"A\","   \
	"\"type_id\":0}},{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":"      \
	"{\"<s>\":{\"id\":\"<s>\",\"ids\":[0],\"tokens\":[\"<s>\"]}}}]},"
#define MODEL                                                                                  \
	"\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":\"<s>\","                  \
	"\"continuing_subword_prefix\":null,\"end_of_word_suffix\":\"\",\"fuse_unk\":true,"    \
	"\"byte_fallback\":true,\"ignore_merges\":false,\"vocab\":{\"<s>\":0,\"a\":1,\"b\":2," \
	"\"c\":3,\"ab\":4,\"abc\":5,\"<0x41>\":6,\"\\u0000\":7},\"merges\":[\"a b\",[\"ab\","  \
	"\"c\"]]}}"

static const char *const good[] = {
	"{\"version\":\"1.0\",\"truncation\":null,\"padding\":null," ADDED
	"\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":"
	"\"Replace\",\"pattern\":{\"Regex\":\"\\\\((?=[ \\\\w])\"},\"content\":\"( \"},{\"type\":"
	"\"Replace\",\"pattern\":{\"String\":\"x\"},\"content\":\"\"},{\"type\":\"Prepend\","
	"\"prepend\":\" \"},{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":false}]},"
	"\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Metaspace\","
	"\"replacement\":\"_\",\"prepend_scheme\":\"always\",\"split\":true},{\"type\":\"Digits\","
	"\"individual_digits\":true},{\"type\":\"Punctuation\",\"behavior\":\"Isolated\"},"
	"{\"type\":\"Split\",\"pattern\":{\"String\":\"b\"},\"behavior\":\"Contiguous\","
	"\"invert\":false},{\"type\":\"Whitespace\"}]}," POST
	"\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":"
	"{\"String\":\"_\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
	"{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0},{\"type\":\"Metaspace\","
	"\"replacement\":\"_\",\"prepend_scheme\":\"first\",\"split\":true}]}," MODEL,
	"{\"version\":\"1.0\"," ADDED
	"\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
	"\"Split\",\"pattern\":{\"Regex\":\"'s|'t|'re|'ve|'m|'ll|'d| ?\\\\p{L}+| ?\\\\p{N}+| "
	"?[^\\\\s\\\\p{L}\\\\p{N}]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Removed\",\"invert\":"
	"true},{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,"
	"\"use_regex\":false}]},\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\","
	"\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}," MODEL,
};

/* --- the values of a text ----------------------------------------------------------------- */

struct place {
	size_t from, to; /* of the value */
	size_t key;	 /* where its name begins; == from in arrays and at the top */
};

struct places {
	const char *text;
	struct place place[512];
	size_t n;
};

static size_t string_end(const char *text, size_t at)
{
	for (at++; text[at] != '"'; at++)
		at += text[at] == '\\';
	return at + 1;
}

/* Notes the value at `at` and all within it; where it ends. The text has no blanks. */
static size_t find_places(struct places *f, size_t at, size_t key)
{
	size_t me = f->n++, from = at;
	char open = f->text[at];

	assert_true(f->n <= sizeof(f->place) / sizeof(f->place[0]));
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
			at = find_places(f, at, name);
			if (f->text[at] != ',')
				break;
		}
		at++;
	}
	f->place[me] = (struct place){ from, at, key };
	return at;
}

/* --- trying ------------------------------------------------------------------------------- */

/* One sentence without line ends in valid UTF-8, which begins with the name. */
static void one_sentence(const char *msg, const char *json)
{
	if (strncmp(msg, "x.json: ", 8) != 0 || strlen(msg) < 12 || strpbrk(msg, "\n\r\t\x1b") ||
			lu_utf8_valid(msg, strlen(msg)) != strlen(msg))
		fail_msg("%.500s\nsays: %s", json, msg);
}

/* True when it loaded. */
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
		one_sentence(err.msg, json.p);
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

static bool try_with(const char *json, size_t from, size_t to, const char *by)
{
	struct lu_buf b = { 0 };
	bool loaded;

	lu_buf_append(&b, json, from);
	lu_buf_puts(&b, by);
	lu_buf_puts(&b, json + to);
	assert_true(lu_buf_ok(&b));
	loaded = try(lu_buf_slice(&b));
	lu_buf_release(&b);
	return loaded;
}

static void wrong_values(void **state)
{
	static const char *const value[] = { "null", "true", "false", "0", "1", "-1", "1.5", "5e0",
		"2147483648", "4294967296", "9223372036854775808", "1e999", "\"\"", "\"5\"",
		"\"a\\u0000\\n\\u001b[31m\"", "\"\\u2028\\ud83d\\ude00\"", "[]", "[0]", "[[]]",
		"{}", "{\"\":0}", "{\"type\":\"Sequence\"}", "{\"type\":1}", "{\"type\":\"\\n\"}",
		"{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}" };

	(void)state;
	for (size_t g = 0; g < sizeof(good) / sizeof(good[0]); g++) {
		struct places f = { .text = good[g] };
		size_t loaded = 0, tried = 0;

		assert_true(try(lu_str_of(good[g])));
		assert_int_equal(find_places(&f, 0, 0), strlen(good[g]));
		for (size_t i = 0; i < f.n; i++) {
			for (size_t v = 0; v < sizeof(value) / sizeof(value[0]); v++, tried++)
				loaded += try_with(
						good[g], f.place[i].from, f.place[i].to, value[v]);
		}
		/* Most of it must be noticed. */
		assert_true(tried > 1500);
		assert_true(loaded < tried / 4);
	}
}

/* A member or element left out, and one given twice. */
static void wrong_numbers_of_values(void **state)
{
	(void)state;
	for (size_t g = 0; g < sizeof(good) / sizeof(good[0]); g++) {
		struct places f = { .text = good[g] };

		find_places(&f, 0, 0);
		for (size_t i = 1; i < f.n; i++) {
			struct place p = f.place[i];
			char again[2048];

			snprintf(again, sizeof(again), ",%.*s", (int)(p.to - p.key),
					good[g] + p.key);
			try_with(good[g], p.to, p.to, again);
			if (good[g][p.to] == ',')
				try_with(good[g], p.key, p.to + 1, "");
			else if (good[g][p.key - 1] == ',')
				try_with(good[g], p.key - 1, p.to, "");
			else
				try_with(good[g], p.key, p.to, "");
		}
	}
}

/* What stands before or behind the value, and nesting. */
static void wrong_frames(void **state)
{
	static const char *const before[] = { "\xEF\xBB\xBF", "[", "x", "{}", "\xFF", "\"" };
	static const char *const behind[] = { "x", "}", ",", "{}", "\xC3", "\"", "null" };
	struct lu_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		assert_false(try_with(good[0], 0, 0, before[i]));
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
		assert_false(try_with(good[0], strlen(good[0]), strlen(good[0]), behind[i]));
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

/* Bytes that are no UTF-8, and lone surrogates, anywhere in a string. */
static void wrong_text(void **state)
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
		cmocka_unit_test(wrong_values),
		cmocka_unit_test(wrong_numbers_of_values),
		cmocka_unit_test(wrong_frames),
		cmocka_unit_test(wrong_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
