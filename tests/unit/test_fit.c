/* What is said about tokenizers: counts, dead pieces, losses, differences. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/compare.h"
#include "libcommon/tokaudit/dead.h"
#include "libcommon/tokaudit/fit.h"
#include "libcommon/tokaudit/lossless.h"
#include "libcommon/tokaudit/show.h"
#include "libcommon/tokenizer/components.h"
#include "tests/unit/unit.h"

static struct lu_tok *parse(const char *json)
{
	struct lu_tok *tok;
	struct lu_err err = { 0 };

	if (lu_tok_parse(&tok, "x.json", lu_str_of(json), &err) < 0)
		fail_msg("%s in %s", err.msg, json);
	return tok;
}

/* The vocabulary of GPT-2's 256 characters, each with its byte as id. */
static void put_bytes(struct lu_buf *json)
{
	for (unsigned b = 0; b < 256; b++) {
		char utf8[4];

		lu_buf_puts(json, b ? "," : "");
		lu_json_quote(json, (struct lu_str){ utf8, lu_utf8_put(lu_byte_char(b), utf8) });
		lu_buf_printf(json, ":%u", b);
	}
}

#define FILE_START "{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":null,\"pre_tokenizer\":"
#define MODEL_START \
	",\"post_processor\":null,\"decoder\":null,\"model\":{\"type\":\"BPE\",\"vocab\":{"

/* --- dead pieces -------------------------------------------------------------------------- */

#define FILE_OF(normalizer, pre, more, vocab, merges)                          \
	"{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":" normalizer  \
	",\"pre_tokenizer\":" pre ",\"post_processor\":null,\"decoder\":null," \
	"\"model\":{\"type\":\"BPE\"" more ",\"vocab\":{" vocab "},\"merges\":[" merges "]}}"
#define SPACE_TO_MARK \
	"{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\xE2\x96\x81\"}"
#define SPLIT(regex)                                          \
	"{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex \
	"\"},\"behavior\":\"Isolated\",\"invert\":false}"
#define LLAMA3                                                                                 \
	"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| " \
	"?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define BYTE_LEVEL(regex)                                                           \
	"{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true," \
	"\"use_regex\":" regex "}"

/* `dead`: "id:reason" of those that must be listed, in order. */
static const struct {
	const char *what, *json, *dead;
} files[] = {
	{ "nothing is wrong", FILE_OF("null", "null", "", "\"a\":0,\"b\":1,\"ab\":2", "\"a b\""),
			"" },
	{ "a character that the normalizer replaces",
			FILE_OF(SPACE_TO_MARK, "null", "",
					"\"a\":0,\" \":1,\"a \":2,\"\xE2\x96\x81\":3",
					"[\"a\",\" \"]"),
			"1:normalizer 2:normalizer" },
	{ "a character that comes back later",
			FILE_OF("{\"type\":\"Sequence\",\"normalizers\":[" SPACE_TO_MARK
				",{\"type\":\"Prepend\",\"prepend\":\" \"}]}",
					"null", "", "\"a\":0,\" \":1,\" a\":2,\"a \":3",
					"[\" \",\"a\"],[\"a\",\" \"]"),
			"3:not found" },
	{ "a character that Metaspace puts",
			FILE_OF("{\"type\":\"Replace\",\"pattern\":{\"String\":\"\xE2\x96\x81\"},"
				"\"content\":\"_\"}",
					"{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\","
					"\"prepend_scheme\":\"never\",\"split\":true}",
					"",
					"\"a\":0,\"\xE2\x96\x81\":1,\"\xE2\x96\x81"
					"a\":2,\"a\xE2\x96\x81\":3,\" \":4",
					"[\"\xE2\x96\x81\",\"a\"],[\"a\",\"\xE2\x96\x81\"]"),
			"3:cut 4:cut" },
	{ "not in the normal form",
			FILE_OF("{\"type\":\"NFC\"}", "null", "",
					"\"e\":0,\"\xCC\x81\":1,\"e\xCC\x81\":2,\"\xE2\x84\xAB\":3",
					"[\"e\",\"\xCC\x81\"]"),
			"2:normalizer 3:normalizer" },
	{ "the normal form may be undone",
			FILE_OF("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{"
				"\"type\":"
				"\"Replace\",\"pattern\":{\"String\":\"-\"},\"content\":\"\"}]}",
					"null", "", "\"e\":0,\"\xCC\x81\":1,\"e\xCC\x81\":2",
					"[\"e\",\"\xCC\x81\"]"),
			"2:not found" },
	{ "two neighbours that are kept apart",
			FILE_OF("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\((?=[\\\\w "
				"])\"},"
				"\"content\":\"( \"}",
					"null", "",
					"\"a\":0,\"(\":1,\" \":2,\"(a\":3,\"( \":4,\"((\":5",
					"[\"(\",\"a\"],[\"(\",\" \"],[\"(\",\"(\"]"),
			"3:normalizer" },
	{ "a lower merge takes a character",
			FILE_OF("null", "null", "",
					"\"a\":0,\"b\":1,\"c\":2,\"bc\":3,\"ab\":4,\"abc\":5",
					"\"b c\",\"a b\",\"ab c\""),
			"5:merges" },
	{ "two ways to a piece, one of which is taken",
			FILE_OF("null", "null", "",
					"\"a\":0,\"b\":1,\"c\":2,\"bc\":3,\"ab\":4,\"abc\":5",
					"\"b c\",\"a b\",\"ab c\",\"a bc\""),
			"" },
	{ "a piece without merges",
			FILE_OF("null", "null", "", "\"a\":0,\"b\":1,\"ab\":2,\"<ab>\":3,\"[a]\":4",
					""),
			"2:merges" },
	{ "which a whole word needs not have",
			FILE_OF("null", "{\"type\":\"WhitespaceSplit\"}", ",\"ignore_merges\":true",
					"\"a\":0,\"b\":1,\"ab\":2,\"a b\":3,\" \":4", ""),
			"3:cut 4:cut" },
	{ "a character without a piece of its own",
			FILE_OF("null", "null", "", "\"a\":0,\"ab\":1", ""), "1:merges" },
	{ "digits one by one",
			FILE_OF("null", "{\"type\":\"Digits\",\"individual_digits\":true}", "",
					"\"1\":0,\"a\":1,\"11\":2,\"1a\":3,\"aa\":4",
					"\"1 1\",\"1 a\",\"a a\""),
			"2:cut 3:cut" },
	{ "digits together",
			FILE_OF("null", "{\"type\":\"Digits\",\"individual_digits\":false}", "",
					"\"1\":0,\"a\":1,\"11\":2,\"1a\":3,\"aa\":4",
					"\"1 1\",\"1 a\",\"a a\""),
			"3:cut" },
	{ "punctuation",
			FILE_OF("null", "{\"type\":\"Punctuation\",\"behavior\":\"Isolated\"}", "",
					"\".\":0,\"a\":1,\"..\":2,\".a\":3,\"aa\":4",
					"\". .\",\". a\",\"a a\""),
			"2:cut 3:cut" },
	{ "punctuation that goes with what is before",
			FILE_OF("null",
					"{\"type\":\"Punctuation\",\"behavior\":"
					"\"MergedWithPrevious\"}",
					"", "\".\":0,\"a\":1,\"a.\":2,\".a\":3", "\"a .\",\". a\""),
			"3:not found" },
	{ "words and others",
			FILE_OF("null", "{\"type\":\"Whitespace\"}", "",
					"\".\":0,\"a\":1,\"a.\":2,\"..\":3,\"a \":4,\" \":5",
					"[\"a\",\".\"],[\".\",\".\"],[\"a\",\" \"]"),
			"2:cut 4:cut 5:cut" },
	{ "a letter alone",
			FILE_OF("null",
					"{\"type\":\"Split\",\"pattern\":{\"String\":\"-\"},"
					"\"behavior\":"
					"\"Isolated\",\"invert\":false}",
					"", "\"-\":0,\"a\":1,\"a-\":2,\"--\":3,\"aa\":4",
					"\"a -\",\"- -\",\"a a\""),
			"2:cut 3:cut" },
	{ "the expression of Llama 3",
			FILE_OF("null", SPLIT(LLAMA3), "",
					"\"1\":0,\"a\":1,\" \":2,\".\":3,\"11\":4,\"1111\":5,\" "
					"a\":6,\"a "
					"\":7,\".a\":8,"
					"\"..\":9,\" 1\":10,\"a1\":11,\"111\":12,\"  \":13",
					"[\"1\",\"1\"],[\"11\",\"11\"],[\" \",\"a\"],[\"a\",\" "
					"\"],[\".\",\"a\"],"
					"[\".\",\".\"],[\" "
					"\",\"1\"],[\"a\",\"1\"],[\"11\",\"1\"],[\" \",\" \"]"),
			"5:cut 7:cut 10:cut 11:cut" },
	/* E2 80 and 80 99 of U+2019; 80; C3 and a letter; the end of one and the start of the next
	 * character; C0, which no text has. */
	{ "parts of characters",
			FILE_OF("null", BYTE_LEVEL("false"), "",
					"\"â\":0,\"Ģ\":1,\"Ļ\":2,\"âĢ\":3,\"ĢĻ\":4,\"Ã\":5,\"a\":6,"
					"\"Ãa\":7,\"Ļâ\":"
					"8,"
					"\"À\":9,\"Àa\":10,\"aÃ\":11,\"日\":12,\"日a\":13",
					"[\"â\",\"Ģ\"],[\"Ģ\",\"Ļ\"],[\"Ã\",\"a\"],[\"Ļ\",\"â\"],["
					"\"À\",\"a\"],"
					"[\"a\",\"Ã\"]"),
			"7:utf-8 10:utf-8 12:merges 13:merges" },
};

static void lists_dead_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		static const char *const why[] = { "utf-8", "normalizer", "merges", "neighbours",
			"cut", "not found" };
		struct lu_tok *tok = parse(files[i].json);
		struct lu_dead d = { 0 };
		struct lu_buf got = { 0 };
		struct lu_err err;

		assert_int_equal(lu_dead_find(&d, tok, &err), 0);
		for (size_t k = 0; k < d.pieces; k++)
			lu_buf_printf(&got, "%s%u:%s", k ? " " : "", d.piece[k].id,
					why[d.piece[k].why]);
		if (!lu_str_is(lu_buf_slice(&got), files[i].dead))
			fail_msg("%s: " LU_STR_FMT, files[i].what, LU_STR_ARG(lu_buf_slice(&got)));
		lu_buf_release(&got);
		lu_dead_release(&d);
		lu_tok_free(tok);
	}
}

/* --- dead pieces beside all short texts --------------------------------------------------- */

#define LETTERS 5
static const char *const letters[2][LETTERS] = { { "a", "b", " ", "(", "1" },
	{ "a", "é", "à", "’", "“" } };
static const char *const normalizers[] = { "null", SPACE_TO_MARK,
	"{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\" \"},"
	"" SPACE_TO_MARK "]}",
	"{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{\"Regex\":"
	"\"\\\\((?=[ \\\\w])\"},\"content\":\"( \"},{\"type\":\"Prepend\",\"prepend\":\" \"},"
	"{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[ 1]\"},\"content\":\"\xE2\x96\x81\"}]}",
	"{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Replace\",\"pattern\":{\"String\":"
	"\"(\"},\"content\":\"\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":"
	"\"a(?=[1b])\"},\"content\":\"b\"}]}" };
static const char *const pres[] = { "null", "{\"type\":\"Digits\",\"individual_digits\":true}",
	"{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}", "{\"type\":\"Whitespace\"}",
	"{\"type\":\"Metaspace\",\"replacement\":\"\xE2\x96\x81\",\"prepend_scheme\":\"always\","
	"\"split\":true}",
	SPLIT(LLAMA3), BYTE_LEVEL("true") };

/* A tokenizer of a few random merges over the letters of set 0 or, of their bytes, of set 1. */
static struct lu_tok *random_tokenizer(uint64_t *seed, int set, struct lu_buf *json)
{
	static const char *const marked[] = { "a", "b", " ", "(", "1", "\xE2\x96\x81" };
	static const char *const bytes[] = { "a", "b", "\xC4\xA0", "(", "1", "c" };
	/* C3 A9 and C3 A0, E2 80 99 and E2 80 9C */
	static const char *const parts[] = { "a", "Ã", "©", "ł", "â", "Ģ", "Ļ", "ľ" };
	size_t norm = set ? 0 : unit_random(seed) % 5, pre = set ? 6 : unit_random(seed) % 7;
	size_t firsts = set ? 8 : 6, pieces = firsts;
	const char *const *first = set ? parts : pre == 6 ? bytes : marked;
	struct lu_buf piece[24] = { 0 }, merges = { 0 };

	lu_buf_printf(json,
			"{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":%s,\"pre_"
			"tokenizer\":%s,"
			"\"post_processor\":null,\"decoder\":null,\"model\":{\"type\":\"BPE\"%s,"
			"\"vocab\":"
			"{",
			normalizers[norm], pres[pre],
			unit_random(seed) % 4 ? "" : ",\"ignore_merges\":true");
	for (size_t i = 0; i < firsts; i++)
		lu_buf_puts(&piece[i], first[i]);
	for (int i = 0; i < 60 && pieces < 20; i++) {
		size_t l = unit_random(seed) % pieces, r = unit_random(seed) % pieces, k = 0;
		struct lu_buf *to = &piece[pieces];

		lu_buf_clear(to);
		lu_buf_str(to, lu_buf_slice(&piece[l]));
		lu_buf_str(to, lu_buf_slice(&piece[r]));
		while (k < pieces && !lu_str_eq(lu_buf_slice(to), lu_buf_slice(&piece[k])))
			k++;
		if (lu_utf8_count(to->p, to->n) > 4)
			continue;
		pieces += k == pieces;
		lu_buf_puts(&merges, merges.n ? ",[" : "[");
		lu_json_quote(&merges, lu_buf_slice(&piece[l]));
		lu_buf_putc(&merges, ',');
		lu_json_quote(&merges, lu_buf_slice(&piece[r]));
		lu_buf_putc(&merges, ']');
	}
	for (size_t i = 0; i < pieces; i++) {
		lu_buf_puts(json, i ? "," : "");
		lu_json_quote(json, lu_buf_slice(&piece[i]));
		lu_buf_printf(json, ":%zu", i);
	}
	lu_buf_puts(json, "},\"merges\":[");
	lu_buf_str(json, lu_buf_slice(&merges));
	lu_buf_puts(json, "]}}");
	for (size_t i = 0; i < 24; i++)
		lu_buf_release(&piece[i]);
	lu_buf_release(&merges);
	return parse(json->p);
}

/* Marks the ids of every text of up to six letters. */
static void mark_produced(const struct lu_tok *tok, int set, bool *produced)
{
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_ids ids = { 0 };
	struct lu_err err;

	assert_non_null(st);
	for (unsigned n = 0, all = 1; n <= 6; n++, all *= LETTERS) {
		for (unsigned i = 0; i < all; i++) {
			char text[32];
			size_t size = 0;
			unsigned k = i;

			for (unsigned at = 0; at < n; at++, k /= LETTERS) {
				const char *c = letters[set][k % LETTERS];

				memcpy(text + size, c, strlen(c));
				size += strlen(c);
			}
			ids.n = 0;
			assert_int_equal(lu_tok_encode(tok, st, (struct lu_str){ text, size },
							 LU_TOK_SPECIAL_TEXT, &ids, &err),
					0);
			for (size_t j = 0; j < ids.n; j++)
				produced[ids.p[j]] = true;
		}
	}
	lu_ids_release(&ids);
	lu_tok_state_free(st);
}

static void no_dead_piece_lives(void **state)
{
	uint64_t seed = 1;
	unsigned not_found = 0, missed = 0, dead = 0;

	(void)state;
	for (int round = 0; round < 150; round++) {
		struct lu_buf json = { 0 };
		struct lu_tok *tok = random_tokenizer(&seed, round % 3 == 2, &json);
		struct lu_dead d = { 0 };
		bool produced[32] = { false };
		struct lu_err err;

		mark_produced(tok, round % 3 == 2, produced);
		assert_int_equal(lu_dead_find(&d, tok, &err), 0);
		for (size_t i = 0; i < d.pieces; i++) {
			if (produced[d.piece[i].id] && d.piece[i].why != LU_DEAD_NOT_FOUND)
				fail_msg("piece %u lives: reason %d in %s", d.piece[i].id,
						d.piece[i].why, json.p);
		}
		for (size_t i = 0; i < d.pieces; i++)
			missed += produced[d.piece[i].id];
		not_found += d.why[LU_DEAD_NOT_FOUND];
		dead += (unsigned)d.pieces;
		lu_dead_release(&d);
		lu_tok_free(tok);
		lu_buf_release(&json);
	}
	assert_true(dead > 300);
	print_message("# %u dead pieces; of %u nothing is proved, %u of these live\n", dead,
			not_found, missed);
	assert_true(not_found * 20 < dead);
	assert_int_equal(missed, 0);
}

/* Every byte, the first two of U+2000 to U+203F, and all characters that these begin. With
 * `beside` the third byte of U+2019 and a letter are a piece too. */
static void part_of_a_character(bool beside, enum lu_dead_why *why, size_t *dead)
{
	struct lu_buf json = { 0 }, merges = { 0 };
	struct lu_dead d = { 0 };
	struct lu_tok *tok;
	struct lu_err err;
	uint32_t id = 256;

	lu_buf_puts(&json, FILE_START BYTE_LEVEL("false") MODEL_START);
	put_bytes(&json);
	if (beside) {
		lu_buf_printf(&json, ",\"Ļa\":%u", id++);
		lu_buf_puts(&merges, "[\"Ļ\",\"a\"],");
	}
	lu_buf_printf(&json, ",\"âĢ\":%u", id++);
	lu_buf_puts(&merges, "[\"â\",\"Ģ\"]");
	for (unsigned b = 0x80; b < 0xC0; b++) {
		char utf8[5] = { 0 };

		lu_utf8_put(lu_byte_char(b), utf8);
		lu_buf_printf(&json, ",\"âĢ%s\":%u", utf8, id++);
		lu_buf_printf(&merges, ",[\"âĢ\",\"%s\"]", utf8);
	}
	lu_buf_printf(&json, "},\"merges\":[%s]}}", merges.p);
	tok = parse(json.p);
	assert_int_equal(lu_dead_find(&d, tok, &err), 0);
	*dead = d.pieces;
	*why = d.pieces ? d.piece[0].why : LU_DEAD_WHYS;
	lu_dead_release(&d);
	lu_tok_free(tok);
	lu_buf_release(&json);
	lu_buf_release(&merges);
}

static void what_must_merge(void **state)
{
	enum lu_dead_why why;
	size_t dead;

	(void)state;
	part_of_a_character(false, &why, &dead);
	assert_int_equal(dead, 1);
	assert_int_equal(why, LU_DEAD_NEIGHBOURS);
	part_of_a_character(true, &why, &dead);
	assert_int_equal(dead, 0);
}

/* --- counts ------------------------------------------------------------------------------- */

static void measures_texts(void **state)
{
	static const struct {
		const char *text;
		uint64_t characters, words;
	} texts[] = { { "", 0, 0 }, { " ", 1, 0 }, { "a", 1, 1 }, { " l'eau  b\n", 10, 2 },
		{ "\xC2\xAB\xC2\xA0oui\xC2\xA0\xC2\xBB", 7, 3 },
		{ "a\x1F"
		  "b\x1C",
				4, 2 },
		{ "1\xE2\x80\xAF"
		  "000\xE3\x80\x80x\xE2\x80\x8By",
				9, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct lu_eval_text m;

		lu_eval_measure(lu_str_of(texts[i].text), &m);
		assert_int_equal(m.docs, 1);
		assert_int_equal(m.bytes, strlen(texts[i].text));
		assert_int_equal(m.characters, texts[i].characters);
		assert_int_equal(m.words, texts[i].words);
	}
}

static void counts_byte_tokens(void **state)
{
	struct lu_tok *tok[2] = {
		parse(FILE_OF("null", "null", ",\"byte_fallback\":true,\"unk_token\":\"?\"",
				"\"<0x41>\":0,\"a\":1,\"?\":2", "")),
		parse(FILE_OF("null", BYTE_LEVEL("false"), "", "\"a\":0,\"Ã\":1,\"©\":2,\"Ã©\":3",
				"\"Ã ©\"")),
	};
	static const char *const file[2] = { "one", "other" };
	const uint32_t ids[] = { 0, 1, 2, 0, 1, 1, 2 };
	struct lu_eval_tokens n;
	struct lu_eval e;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_eval_start(&e, tok, file, 2, &err), 0);
	lu_eval_count(&e, 0, ids, 7, &n);
	assert_int_equal(n.tokens, 7);
	assert_int_equal(n.bytes, 2);
	assert_int_equal(n.unknown, 2);
	lu_eval_count(&e, 1, ids, 7, &n);
	assert_int_equal(n.bytes, 5);
	assert_int_equal(n.unknown, 0);
	lu_eval_release(&e);
	lu_tok_free(tok[0]);
	lu_tok_free(tok[1]);
}

static void many_groups(void **state)
{
	struct lu_tok *tok = parse(FILE_OF("null", "null", "", "\"a\":0", ""));
	static const char *const file[1] = { "x" };
	struct lu_eval_text text = { 1, 2, 2, 1 };
	struct lu_eval_tokens tokens = { 2, 0, 0 };
	struct lu_buf out = { 0 };
	struct lu_eval e;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_eval_start(&e, &tok, file, 1, &err), 0);
	for (int i = 0; i < 2 * LU_EVAL_GROUPS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "g%d", i);
		assert_int_equal(lu_eval_add(&e, lu_str_of(name), &text, &tokens, &err), 0);
	}
	assert_int_equal(lu_eval_table(&e, "group", &out, &err), 0);
	assert_int_equal(e.rows, LU_EVAL_GROUPS + 1);
	assert_string_equal(e.row[0].group, "other");
	assert_int_equal(e.row[0].text.docs, LU_EVAL_GROUPS);
	lu_buf_release(&out);
	lu_eval_release(&e);
	lu_tok_free(tok);
}

/* --- losses ------------------------------------------------------------------------------- */

static void ranges(void **state)
{
	static const char *const bad[] = { "", "-", "1", "1-", "-1", "2-1", "0-110000", "0-0",
		"1-2-3", " 1-2", "+1-2", "0x1-2", "1-2 ", "-1-2", "ffffffffffffffffff-2" };
	struct lu_losses l = { 0 };

	(void)state;
	assert_true(lu_losses_parse_range(&l, "U+00A0-10ffff"));
	assert_int_equal(l.first, 0xA0);
	assert_int_equal(l.last, 0x10FFFF);
	assert_true(lu_losses_parse_range(&l, "41-41"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (lu_losses_parse_range(&l, bad[i]))
			fail_msg("'%s' was read as %x-%x", bad[i], l.first, l.last);
	}
}

/* Capitals become "", a noncharacter "x", NFC the rest. */
#define LOSES                                                                                     \
	"{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":{\"type\":\"Sequence\","         \
	"\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":"       \
	"\"[BCD\xEF\xB7\x90]\"},\"content\":\"x\"}]},\"pre_tokenizer\":" BYTE_LEVEL(              \
			"false") ",\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\","  \
				 "\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":" \
				 "true},"                                                         \
				 "\"model\":{\"type\":\"BPE\",\"vocab\":{"

static struct lu_tok *losing(void)
{
	struct lu_buf json = { 0 };
	struct lu_tok *tok;

	lu_buf_puts(&json, LOSES);
	put_bytes(&json);
	lu_buf_puts(&json, "},\"merges\":[]}}");
	tok = parse(json.p);
	lu_buf_release(&json);
	return tok;
}

static void finds_losses(void **state)
{
	struct lu_tok *tok = losing();
	uint32_t everywhere = (UINT32_C(1) << LU_LOSS_CONTEXTS) - 1;

	(void)state;
	for (int threads = 1; threads <= 3; threads++) {
		struct lu_losses l = { .first = 0x40, .last = 0x350 }, n = { 0 };
		struct lu_err err;

		assert_int_equal(lu_losses_find(&l, tok, threads, &err), 0);
		assert_int_equal(l.scalars_tried, 0x311);
		assert_int_equal(l.scalars[LU_LOSS_LOST], 3);
		assert_int_equal(l.range.p[0].from, 'B');
		assert_int_equal(l.range.p[0].to, 'D');
		assert_int_equal(l.range.p[0].contexts, everywhere);
		assert_true(lu_str_is(l.range.p[0].text, "B"));
		assert_true(lu_str_is(l.range.p[0].got, "x"));
		/* After a letter a mark composes. */
		assert_int_equal(l.range.p[1].from, 0x300);
		assert_int_equal(l.range.p[1].to, 0x304);
		assert_int_equal(l.range.p[1].kind, LU_LOSS_NORMALISED);
		assert_int_equal(l.range.p[1].contexts, UINT32_C(1) << 20);
		/* One of the strings holds a C. */
		assert_int_equal(l.strings[LU_LOSS_LOST], 1);
		assert_int_equal(l.strings[LU_LOSS_NORMALISED], 2);
		assert_false(lu_losses_none(&l));
		lu_losses_release(&l);

		assert_true(lu_losses_parse_range(&n, "FDC0-FDEF"));
		assert_int_equal(lu_losses_find(&n, tok, threads, &err), 0);
		assert_int_equal(n.range.n, 1);
		assert_int_equal(n.range.p[0].kind, LU_LOSS_NONCHARACTER);
		assert_int_equal(n.range.p[0].from, 0xFDD0);
		assert_int_equal(n.scalars[LU_LOSS_LOST], 0);
		lu_losses_release(&n);
	}
	lu_tok_free(tok);
}

static void needs_a_decoder(void **state)
{
	struct lu_tok *tok = parse(FILE_OF("null", "null", "", "\"a\":0", ""));
	struct lu_losses l = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	assert_int_equal(lu_losses_find(&l, tok, 1, &err), -1);
	assert_non_null(strstr(err.msg, "no decoder"));
	lu_losses_release(&l);
	lu_tok_free(tok);
}

/* --- differences -------------------------------------------------------------------------- */

#define VOCAB(more) "\"a\":0,\"b\":1,\" \":2,\"ab\":3" more

static void finds_the_place(void **state)
{
	struct lu_tok *tok[2] = {
		parse(FILE_OF("null", "null", "", VOCAB(",\"aba\":4"),
				"[\"a\",\"b\"],[\"ab\",\"a\"]")),
		parse(FILE_OF("null", "null", "", "\"ab\":0,\"ba\":3,\" \":4,\"b\":1,\"a\":2",
				"[\"a\",\"b\"],[\"b\",\"a\"]")),
	};
	struct lu_str text = LU_STR("ab b ababa b");
	struct lu_ids ids[2] = { 0 };
	struct lu_difference w;
	struct lu_diff d;
	struct lu_err err;
	size_t first;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct lu_tok_state *st = lu_tok_state_new(tok[i]);

		assert_int_equal(
				lu_tok_encode(tok[i], st, text, LU_TOK_SPECIAL_TEXT, &ids[i], &err),
				0);
		lu_tok_state_free(st);
	}
	assert_int_equal(lu_diff_start(&d, tok[0], tok[1], &err), 0);
	assert_true(lu_diff_at(&d, &ids[0], &ids[1], &first));
	/* "ab" " " "b" " " "ab" "aba" beside "ab" "ab" "a" */
	assert_int_equal(first, 5);
	assert_int_equal(lu_diff_look(&d, text, &ids[0], &ids[1], first, &w, &err), 0);
	assert_int_equal(w.n[0], 1);
	assert_int_equal(w.n[1], 2);
	/* Without a decoder spaces stand between the tokens. */
	assert_false(w.exact);
	ids[0].n = ids[1].n = 5;
	assert_false(lu_diff_at(&d, &ids[0], &ids[1], &first));
	ids[1].n = 4;
	assert_true(lu_diff_at(&d, &ids[0], &ids[1], &first));
	assert_int_equal(first, 4);
	assert_int_equal(lu_diff_look(&d, text, &ids[0], &ids[1], first, &w, &err), 0);
	assert_int_equal(w.n[0], 1);
	assert_int_equal(w.n[1], 0);
	lu_diff_release(&d);
	for (int i = 0; i < 2; i++) {
		lu_ids_release(&ids[i]);
		lu_tok_free(tok[i]);
	}
}

static void shows_texts(void **state)
{
	struct lu_buf b = { 0 };

	(void)state;
	lu_show(&b, LU_STR("a \"\\\n\t\r\x01\xC2\xA0\xC3\xA9\xCC\x81\xE2\x80\x8D日"));
	assert_true(lu_str_is(lu_buf_slice(&b),
			"\"a \\\"\\\\\\n\\t\\r\\u{0001}\\u{00A0}é\\u{0301}\\u{200D}日\""));
	lu_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_dead_pieces),
		cmocka_unit_test(no_dead_piece_lives),
		cmocka_unit_test(what_must_merge),
		cmocka_unit_test(measures_texts),
		cmocka_unit_test(counts_byte_tokens),
		cmocka_unit_test(many_groups),
		cmocka_unit_test(ranges),
		cmocka_unit_test(finds_losses),
		cmocka_unit_test(needs_a_decoder),
		cmocka_unit_test(finds_the_place),
		cmocka_unit_test(shows_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
