/* The tokenizer: files that must be refused, what special tokens do, each component by example,
 * and long words. What presets train is in test_preset.c, equality with Hugging Face in
 * tests/interop/tok_*.py. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "libcommon/base/utf8.h"
#include "libcommon/bpetrain/preset.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

static struct lu_tok *parse(const char *json)
{
	struct lu_tok *tok;
	struct lu_err err = { 0 };

	if (lu_tok_parse(&tok, "x.json", lu_str_of(json), &err) < 0)
		fail_msg("%s", err.msg);
	return tok;
}

/* Encodes into a static array; the count. */
static size_t encode(const struct lu_tok *tok, struct lu_str text, enum lu_tok_special special,
		uint32_t out[64])
{
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_ids ids = { 0 };
	struct lu_err err;
	size_t n;

	assert_non_null(st);
	assert_int_equal(lu_tok_encode(tok, st, text, special, &ids, &err), 0);
	assert_true(ids.n <= 64);
	n = ids.n;
	if (n)
		memcpy(out, ids.p, n * sizeof(*out));
	lu_ids_release(&ids);
	lu_tok_state_free(st);
	return n;
}

#define EXPECT(tok, text, special, ...)                                \
	do {                                                           \
		const uint32_t want[] = { __VA_ARGS__ };               \
		uint32_t got[64];                                      \
		size_t n = encode(tok, lu_str_of(text), special, got); \
		assert_int_equal(n, sizeof(want) / sizeof(want[0]));   \
		assert_memory_equal(got, want, sizeof(want));          \
	} while (0)

#define HEAD(added) "{\"version\":\"1.0\",\"added_tokens\":[" added "],"
#define BOS "{\"id\":0,\"content\":\"<s>\",\"special\":true,\"normalized\":false}"
#define MODEL(more, vocab, merges) \
	"\"model\":{\"type\":\"BPE\"" more ",\"vocab\":{" vocab "},\"merges\":[" merges "]}}"
#define ABC "\"<s>\":0,\"a\":1,\"b\":2,\"c\":3,\"ab\":4,\"abc\":5"

/* --- files -------------------------------------------------------------------------------- */

static const struct {
	const char *json, *says;
} bad[] = {
	{ "", "ends too early" },
	{ "[]", "not a JSON object" },
	{ "{\"version\":\"1.0\"", "ends too early" },
	{ "{}", "no \"version\"" },
	{ "{\"version\":\"2.0\"}", "version \"2.0\" is not supported" },
	{ "{\"version\":1}", "\"version\" is not a string" },
	{ "{\"version\":\"1.0\"}", "no model object" },
	{ HEAD("") "\"truncation\":{\"max_length\":3}," MODEL("", ABC, ""), "\"truncation\"" },
	{ HEAD("") "\"surprise\":1," MODEL("", ABC, ""), "\"surprise\" is not supported" },
	{ HEAD("") "\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}", "\"Unigram\"" },
	{ HEAD("") "\"model\":{\"type\":\"BPE\",\"vocab\":[],\"merges\":[]}}", "no \"vocab\"" },
	{ HEAD("") MODEL("", "", ""), "\"vocab\" is empty" },
	{ HEAD("") MODEL("", "\"a\":0,\"b\":0", ""), "two pieces have the id 0" },
	{ HEAD("") MODEL("", "\"a\":0,\"a\":1", ""), "occurs twice" },
	{ HEAD("") MODEL("", "\"a\":0,\"\\u0061\":1", ""), "occurs twice" },
	{ HEAD("") MODEL("", "\"a\":-1", ""), "is not a number below" },
	{ HEAD("") MODEL("", "\"a\":2147483648", ""), "is not a number below" },
	{ HEAD("") MODEL("", "\"a\":99999999999999999999", ""), "is not a number below" },
	{ HEAD("") MODEL("", "\"a\":16000000", ""), "too large for 1 pieces" },
	{ HEAD("") MODEL("", "\"a\":1.5", ""), "is not a number below" },
	{ HEAD("") MODEL("", "\"a\":\"0\"", ""), "is not a number below" },
	{ HEAD("") MODEL("", ABC, "\"a x\""), "\"x\" is not in the vocabulary" },
	{ HEAD("") MODEL("", ABC, "\"b c\""), "makes \"bc\", which is not" },
	{ HEAD("") MODEL("", ABC, "\"ab\""), "not two pieces with one space" },
	{ HEAD("") MODEL("", ABC, "\"a  b\""), "not two pieces with one space" },
	{ HEAD("") MODEL("", ABC, "[\"a\"]"), "not a pair" },
	{ HEAD("") MODEL("", ABC, "[\"a\",\"b\",\"c\"]"), "not a pair" },
	{ HEAD("") MODEL("", ABC, "[\"a\",1]"), "not a pair" },
	{ HEAD("") MODEL("", ABC, "7"), "not a pair" },
	{ HEAD("") "\"model\":{\"type\":\"BPE\",\"vocab\":{" ABC "}}}", "no \"merges\"" },
	{ HEAD("") MODEL(",\"dropout\":0.1", ABC, ""), "\"dropout\"" },
	{ HEAD("") MODEL(",\"end_of_word_suffix\":\"</w>\"", ABC, ""), "end_of_word_suffix" },
	{ HEAD("") MODEL(",\"continuing_subword_prefix\":\"##\"", ABC, ""),
			"continuing_subword_prefix" },
	{ HEAD("") MODEL(",\"unk_token\":\"<unk>\"", ABC, ""), "unk_token \"<unk>\"" },
	{ HEAD("") MODEL(",\"byte_fallback\":1", ABC, ""), "not true or false" },
	{ HEAD("{\"id\":1,\"content\":\"<s>\"}") MODEL("", ABC, ""),
			"has the id 1 and would get 0" },
	{ HEAD("{\"id\":9,\"content\":\"<x>\"}") MODEL("", ABC, ""),
			"has the id 9 and would get 6" },
	{ HEAD(BOS "," BOS) MODEL("", ABC, ""), "\"<s>\" occurs twice" },
	{ HEAD("{\"id\":2,\"content\":\"b\"}") "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{"
					       "\"String\":\"b\"},\"content\":\"\"}," MODEL(
							       "", ABC, ""),
			"\"b\" is normalized to nothing" },
	{ HEAD("{\"id\":2,\"content\":\"b\"},{\"id\":6,\"content\":\"bx\"}") "\"normalizer\":{"
									     "\"type\":\"Replace\","
									     "\"pattern\":{"
									     "\"String\":\"x\"},"
									     "\"content\":\"\"}"
									     "," MODEL("", ABC, ""),
			"are the same when normalized" },
	{ HEAD("{\"content\":\"<s>\"}") MODEL("", ABC, ""), "no \"id\"" },
	{ HEAD("7") MODEL("", ABC, ""), "not an object" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Lowercase\"}," MODEL("", ABC, ""),
			"normalizer: \"Lowercase\" is not supported" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":"
		   "\"Nmt\"}]}," MODEL("", ABC, ""),
			"normalizer: \"Nmt\" is not supported" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},"
		   "\"content\":\"\"}," MODEL("", ABC, ""),
			"\" {2,}\" is not supported" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a|b\"},"
		   "\"content\":\"\"}," MODEL("", ABC, ""),
			"\"a|b\" is not supported" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[^a]\"},"
		   "\"content\":\"\"}," MODEL("", ABC, ""),
			"\"[^a]\" is not supported" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[a-z]\"},"
		   "\"content\":\"\"}," MODEL("", ABC, ""),
			"\"[a-z]\" is not supported" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\d\"},"
		   "\"content\":\"\"}," MODEL("", ABC, ""),
			"is not supported" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},"
		   "\"content\":\"\"}," MODEL("", ABC, ""),
			"\"pattern\" is empty" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Prepend\"}," MODEL("", ABC, ""), "no \"prepend\"" },
	{ HEAD("") "\"normalizer\":{\"type\":\"NFC\",\"x\":1}," MODEL("", ABC, ""),
			"\"x\" is not supported" },
	{ HEAD("") "\"pre_tokenizer\":{\"type\":\"UnicodeScripts\"}," MODEL("", ABC, ""),
			"pre_tokenizer: \"UnicodeScripts\" is not supported" },
	{ HEAD("") "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a+\"},"
		   "\"behavior\":\"Isolated\",\"invert\":false}," MODEL("", ABC, ""),
			"\"a+\" is not supported" },
	{ HEAD("") "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
		   "\"ByteLevel\"},{\"type\":\"Digits\"}]}," MODEL("", ABC, ""),
			"ByteLevel is not the last step" },
	{ HEAD("") "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"ab\"}"
		   "," MODEL("", ABC, ""),
			"is not one character" },
	{ HEAD("") "\"normalizer\":{\"type\":\"NFKD\"},\"pre_tokenizer\":{\"type\":\"Sequence\","
		   "\"pretokenizers\":[{\"type\":\"Whitespace\"},{\"type\":\"Metaspace\","
		   "\"replacement\":\"_\",\"prepend_scheme\":\"first\"}]}," MODEL("", ABC, ""),
			"pre_tokenizer: Metaspace: \"prepend_scheme\" \"first\" is not supported "
			"with" },
	{ HEAD("") "\"normalizer\":{\"type\":\"Strip\"},\"pre_tokenizer\":{\"type\":\"Metaspace\","
		   "\"replacement\":\"_\",\"prepend_scheme\":\"first\"}," MODEL("", ABC, ""),
			"pre_tokenizer: Metaspace: \"prepend_scheme\" \"first\" is not supported "
			"with" },
	{ HEAD("") "\"decoder\":{\"type\":\"WordPiece\"}," MODEL("", ABC, ""),
			"decoder: \"WordPiece\" is not supported" },
	{ HEAD("") "\"decoder\":{\"type\":\"Strip\",\"content\":\" "
		   "\",\"start\":-1,\"stop\":0}," MODEL("", ABC, ""),
			"\"start\" is not a whole number" },
	{ HEAD("") "\"post_processor\":{\"type\":\"BertProcessing\"}," MODEL("", ABC, ""),
			"post_processor: \"BertProcessing\" is not supported" },
	{ HEAD("") "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{"
		   "\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}}],\"pair\":[],"
		   "\"special_tokens\":{}}," MODEL("", ABC, ""),
			"is not in special_tokens" },
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lu_tok *tok;
		struct lu_err err = { 0 };

		if (lu_tok_parse(&tok, "x.json", lu_str_of(bad[i].json), &err) == 0)
			fail_msg("accepted: %s", bad[i].json);
		assert_null(tok);
		if (strncmp(err.msg, "x.json: ", 8) != 0 || !strstr(err.msg, bad[i].says))
			fail_msg("%s\nsays: %s\nnot: %s", bad[i].json, err.msg, bad[i].says);
	}
}

/* Every beginning of a good file is refused, and nothing leaks. */
static void refuses_truncated(void **state)
{
	static const char json[] =
			HEAD(BOS) "\"normalizer\":{\"type\":\"NFC\"}," MODEL("", ABC, "\"a b\"");

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(json); n++) {
		struct lu_tok *tok;
		struct lu_err err;

		assert_int_equal(
				lu_tok_parse(&tok, "x.json", (struct lu_str){ json, n }, &err), -1);
	}
	lu_tok_free(parse(json));
}

/* --- encoding ----------------------------------------------------------------------------- */

static void merges_by_rank(void **state)
{
	/* "b c" comes first, so "abc" is a bc; of two entries for a pair the last counts. */
	struct lu_tok *tok = parse(
			HEAD("") MODEL("", ABC ",\"bc\":6", "[\"b\",\"c\"],\"a b\",\"ab c\""));

	(void)state;
	EXPECT(tok, "abc", LU_TOK_SPECIAL_TEXT, 1, 6);
	EXPECT(tok, "abab", LU_TOK_SPECIAL_TEXT, 4, 4);
	EXPECT(tok, "xaxb", LU_TOK_SPECIAL_TEXT, 4); /* dropped characters let neighbours meet */
	lu_tok_free(tok);
	tok = parse(HEAD("") MODEL("", ABC ",\"bc\":6", "\"b c\",\"a b\",\"ab c\",\"b c\""));
	EXPECT(tok, "abc", LU_TOK_SPECIAL_TEXT, 5);
	lu_tok_free(tok);
}

static void nul_is_a_character(void **state)
{
	struct lu_tok *tok = parse(HEAD("") MODEL(
			"", "\"\\u0000\":0,\"a\":1,\"\\u0000a\":2", "\"\\u0000 a\""));
	uint32_t ids[64];

	(void)state;
	assert_int_equal(encode(tok, (struct lu_str){ "\0a\0", 3 }, LU_TOK_SPECIAL_TEXT, ids), 2);
	assert_int_equal(ids[0], 2);
	assert_int_equal(ids[1], 0);
	lu_tok_free(tok);
}

static void special_tokens(void **state)
{
	struct lu_tok *tok = parse(HEAD(BOS ",{\"id\":6,\"content\":\"cc\"}")
					MODEL(",\"unk_token\":\"c\"", ABC, "\"a b\""));
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_ids ids = { 0 };
	struct lu_err err;
	uint32_t id;

	(void)state;
	EXPECT(tok, "a<s>b", LU_TOK_SPECIAL_PARSE, 1, 0, 2);
	EXPECT(tok, "a<s>b", LU_TOK_SPECIAL_TEXT, 1, 3, 3, 3, 2);
	EXPECT(tok, "accb", LU_TOK_SPECIAL_TEXT, 1, 6, 2);
	EXPECT(tok, "ccc", LU_TOK_SPECIAL_ERROR, 6, 3);
	assert_int_equal(lu_tok_encode(tok, st, LU_STR("ab"), LU_TOK_SPECIAL_ERROR, &ids, &err), 0);
	assert_int_equal(lu_tok_encode(tok, st, LU_STR("ab<s>"), LU_TOK_SPECIAL_ERROR, &ids, &err),
			1);
	assert_int_equal(ids.n, 1);
	assert_true(lu_tok_role(tok, LU_TOK_BOS, &id) && id == 0);
	assert_false(lu_tok_role(tok, LU_TOK_EOS, &id));
	assert_true(lu_tok_is_special(tok, 0) && !lu_tok_is_special(tok, 6));
	assert_int_equal(lu_tok_size(tok), 7);
	assert_true(lu_tok_id(tok, LU_STR("cc"), &id) && id == 6);
	assert_null(lu_tok_piece(tok, 7).p);
	lu_ids_release(&ids);
	lu_tok_state_free(st);
	lu_tok_free(tok);
}

/* A token of blanks that the one before took already is no token again. */
static void tokens_of_blanks(void **state)
{
	struct lu_tok *tok = parse(HEAD("{\"id\":6,\"content\":\" \",\"special\":false,"
					"\"normalized\":false,\"lstrip\":true,\"rstrip\":true}")
					MODEL("", ABC, ""));
	struct lu_buf blanks = { 0 };
	uint32_t ids[64];

	(void)state;
	EXPECT(tok, "a   b  c", LU_TOK_SPECIAL_TEXT, 1, 6, 2, 6, 3);
	/* Nor are a million of them looked at a million times. */
	lu_buf_reserve(&blanks, 1000000);
	assert_true(lu_buf_ok(&blanks));
	memset(blanks.p, ' ', 1000000);
	assert_int_equal(
			encode(tok, (struct lu_str){ blanks.p, 1000000 }, LU_TOK_SPECIAL_TEXT, ids),
			1);
	lu_buf_release(&blanks);
	lu_tok_free(tok);
}

/* What is prepended may become what an insertion asks for. */
static void prepends_before_insertions(void **state)
{
	struct lu_tok *tok =
			parse(HEAD("") "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["
				       "{\"type\":\"Prepend\",\"prepend\":\"x\"},"
				       "{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},"
				       "\"content\":\"b\"},{\"type\":\"Replace\",\"pattern\":"
				       "{\"Regex\":\"b(?=[\\\\w])\"},\"content\":\"bc\"}]}," MODEL(
						       "", ABC, ""));

	(void)state;
	EXPECT(tok, "a", LU_TOK_SPECIAL_TEXT, 2, 3, 1);
	EXPECT(tok, "xa", LU_TOK_SPECIAL_TEXT, 2, 3, 2, 3, 1);
	lu_tok_free(tok);
}

static void unknown_ids(void **state)
{
	struct lu_tok *tok = parse(HEAD("") MODEL("", "\"a\":0,\"b\":2", ""));
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_buf out = { 0 };
	struct lu_err err;
	uint32_t hole = 1, past = 3, top = UINT32_MAX;

	(void)state;
	assert_int_equal(lu_tok_decode(tok, st, &hole, 1, 0, &out, NULL, &err), -1);
	assert_int_equal(lu_tok_decode(tok, st, &past, 1, 0, &out, NULL, &err), -1);
	assert_int_equal(lu_tok_decode(tok, st, &top, 1, 0, &out, NULL, &err), -1);
	assert_string_equal(err.msg, "id 4294967295 is not in the tokenizer");
	lu_buf_release(&out);
	lu_tok_state_free(st);
	lu_tok_free(tok);
}

/* In a byte-level file a piece with a character that stands for no byte is spelled as it is. */
static void bytelevel_spells_the_rest(void **state)
{
	struct lu_tok *tok = parse(HEAD("{\"id\":2,\"content\":\"<\u8a9e\u00e9>\",\"special\":"
					"true}") "\"decoder\":{\"type\":\"ByteLevel\"}," MODEL("",
			"\"\u00c3\":0,\"\u00a9\":1", ""));
	struct lu_tok_state *st = lu_tok_state_new(tok);
	static const uint32_t ids[] = { 0, 1, 2, 0 };
	struct lu_buf out = { 0 };
	uint64_t replaced = 0;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_tok_decode(tok, st, ids, 4, 0, &out, &replaced, &err), 0);
	assert_string_equal(out.p, "\xC3\xA9<\xE8\xAA\x9E\xC3\xA9>\xEF\xBF\xBD");
	assert_int_equal(replaced, 1);
	lu_buf_clear(&out);
	assert_int_equal(lu_tok_decode(tok, st, ids, 3, LU_TOK_SKIP_SPECIAL, &out, NULL, &err), 0);
	assert_string_equal(out.p, "\xC3\xA9");
	lu_buf_release(&out);
	lu_tok_state_free(st);
	lu_tok_free(tok);
}

/* --- trained ------------------------------------------------------------------------------ */

static const char corpus[] =
		"Le soleil se lève sur la rivière. L'eau est froide, l'été est loin ; "
		"\xC2\xAB\xC2\xA0oui\xC2\xA0\xC2\xBB !\n"
		"The river runs to the sea, and the sea is wide: 1999, 2026, 3.14 (more or less).\n"
		"\tif (x == y) {\n\t\treturn x + y;\n\t}\n        indented by eight\n    by four\n"
		"Le soleil et la rivière, the river and the sea, l'eau de la rivière et "
		"l'été.\n\n\n";

static struct lu_tok *train(enum lu_preset_kind kind, uint32_t vocab_size)
{
	struct lu_preset p;
	struct lu_preset_cut *cut;
	struct lu_preset_info info;
	struct lu_tokcount count = { .threads = 1 };
	struct lu_tokcount_thread thread;
	struct lu_step_buffers work = { 0 };
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	struct lu_err err;

	lu_tokcount_join(&count, &thread);
	lu_preset_defaults(&p, kind);
	p.vocab_size = vocab_size;
	assert_int_equal(lu_preset_cut_new(&cut, &p, &err), 0);
	assert_int_equal(lu_preset_words(cut, &work, lu_str_of(corpus), &thread.words, &err), 0);
	assert_int_equal(lu_tokcount_take(&count, &thread, &err), 0);
	assert_int_equal(lu_preset_train(&p, &count, &json, &info, &err), 0);
	assert_true(info.pieces <= vocab_size);
	if (lu_tok_parse(&tok, "trained", lu_buf_slice(&json), &err) < 0)
		fail_msg("%s", err.msg);
	lu_preset_cut_free(cut);
	lu_tokcount_release(&count);
	lu_step_buffers_release(&work);
	lu_buf_release(&json);
	return tok;
}

/* A text of everything that makes cutting, blocks, windows and parts hard. */
static void hard_text(struct lu_buf *text, uint64_t *seed)
{
	static const char *const bits[] = { " ", "  ", "\n", "a", "b", "aaaaaaaaaaaaaaaa", "l'",
		"(", "\xC3\xA9", "e", "\xCC\x81", "\xCC\xA7", "\xC2\xA0", "\xC2\xAB",
		"\xE2\x96\x81", "\xE1\x84\x92", "\xE1\x85\xA1", "\xF0\x9F\x98\x80", "the", "9", ".",
		", word", " and", " eau", "\r", "\xEF\xBB\xBF", "ab", "ba", " of the ", "<s>",
		"\xC3\xBF" };

	lu_buf_clear(text);
	for (int i = 0; i < 400; i++) {
		*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		lu_buf_puts(text, bits[(*seed >> 33) % (sizeof(bits) / sizeof(bits[0]))]);
	}
}

/* The ids of a text do not depend on how the work is divided. */
static void division_changes_nothing(void **state)
{
	static const enum lu_preset_kind kind[] = { LU_PRESET_LUCIE, LU_PRESET_LUCIE_2024,
		LU_PRESET_METASPACE, LU_PRESET_BYTELEVEL };
	struct lu_ids whole = { 0 }, got = { 0 };
	struct lu_buf text = { 0 };
	struct lu_err err;
	uint64_t seed = 1;
	size_t parts = 0;

	(void)state;
	for (int k = 0; k < 4; k++) {
		struct lu_tok *tok = train(kind[k], 800);
		struct lu_tok_state *st = lu_tok_state_new(tok), *small = lu_tok_state_new(tok);

		assert_non_null(st);
		assert_non_null(small);
		for (int round = 0; round < 200; round++) {
			struct lu_str s;

			hard_text(&text, &seed);
			s = lu_buf_slice(&text);
			small->block = 8 + round % 40;
			small->bpe.merger.window = 4 + (size_t)round % 50;
			tok->bpe.cuts = false;
			whole.n = got.n = 0;
			assert_int_equal(lu_tok_encode(tok, st, s, LU_TOK_SPECIAL_TEXT, &whole,
							 &err),
					0);
			assert_int_equal(lu_tok_encode(tok, small, s, LU_TOK_SPECIAL_TEXT, &got,
							 &err),
					0);
			assert_int_equal(got.n, whole.n);
			assert_memory_equal(got.p, whole.p, whole.n * sizeof(*whole.p));
			tok->bpe.cuts = true;
			for (size_t from = 0, to; from < s.n; from = to) {
				if (from == 0)
					got.n = 0;
				to = lu_tok_split(tok, s, from + 50, LU_TOK_SPECIAL_TEXT);
				assert_int_equal(lu_tok_encode_part(tok, small, s, from, to,
								 LU_TOK_SPECIAL_TEXT, &got, &err),
						0);
				parts++;
			}
			assert_int_equal(got.n, whole.n);
			assert_memory_equal(got.p, whole.p, whole.n * sizeof(*whole.p));
		}
		lu_tok_state_free(st);
		lu_tok_state_free(small);
		lu_tok_free(tok);
	}
	assert_true(parts > 8000);
	lu_ids_release(&whole);
	lu_ids_release(&got);
	lu_buf_release(&text);
}

/* One word of a million characters: both ends of merging must stay near linear. */
static void a_long_word(void **state)
{
	struct lu_tok *tok = train(LU_PRESET_BYTELEVEL, 400);
	struct lu_bpe_train set = { .vocab_size = 300, .min_frequency = 2 };
	struct lu_bpe_trained out;
	struct lu_tokcount count = { .threads = 1 };
	struct lu_tokcount_thread thread;
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_ids ids = { 0 };
	struct lu_err err;
	const size_t n = 1000000;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + i * i % 7 + (i & 1));
	assert_int_equal(lu_tok_encode(tok, st, (struct lu_str){ text, n }, LU_TOK_SPECIAL_TEXT,
					 &ids, &err),
			0);
	assert_true(ids.n > 1000);
	lu_tokcount_join(&count, &thread);
	assert_int_equal(lu_words_add(&thread.words, (struct lu_str){ text, n }, 1, &err), 0);
	assert_int_equal(lu_tokcount_take(&count, &thread, &err), 0);
	assert_int_equal(lu_bpe_train(&set, &count, &out, &err), 0);
	assert_true(out.merges > 10);
	lu_bpe_trained_release(&out);
	lu_tokcount_release(&count);
	lu_ids_release(&ids);
	lu_tok_state_free(st);
	lu_tok_free(tok);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_truncated),
		cmocka_unit_test(merges_by_rank),
		cmocka_unit_test(nul_is_a_character),
		cmocka_unit_test(special_tokens),
		cmocka_unit_test(tokens_of_blanks),
		cmocka_unit_test(prepends_before_insertions),
		cmocka_unit_test(unknown_ids),
		cmocka_unit_test(bytelevel_spells_the_rest),
		cmocka_unit_test(division_changes_nothing),
		cmocka_unit_test(a_long_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
