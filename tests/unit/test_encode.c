/* Encoding: merges, added and special tokens by example; division of the work with trained
 * tokenizers; long words. Random tokenizers are in test_encode_part.c, equality with Hugging Face
 * is in tests/interop/tok_*.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/train_preset.h"
#include "tests/unit/unit_tokenizer.h"

static struct lu_ids encode_ids(
		const struct lu_tok *tok, struct lu_str text, enum lu_tok_special special)
{
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_ids ids = { 0 };
	struct lu_err err;

	assert_non_null(st);
	assert_int_equal(lu_tok_encode(tok, st, text, special, &ids, &err), 0);
	lu_tok_state_free(st);
	return ids;
}

/* Check the ids of a text: check_ids(tok, text, special, id...). */
#define check_ids(tok, text, special, ...)                                                        \
	do {                                                                                      \
		uint32_t want_id[] = { __VA_ARGS__ };                                             \
		struct lu_ids want = { .p = want_id, .n = sizeof(want_id) / sizeof(want_id[0]) }; \
		struct lu_ids got = encode_ids(tok, text, special);                               \
                                                                                                  \
		assert_same_ids(&got, &want);                                                     \
		lu_ids_release(&got);                                                             \
	} while (0)

/* --- examples ----------------------------------------------------------------------------- */

/* "b c" comes first, so "abc" is a bc. */
static void merges_by_rank(void **state)
{
	struct lu_tok *tok = load_tokenizer("ranks.json");

	(void)state;
	check_ids(tok, LU_STR("abc"), LU_TOK_SPECIAL_TEXT, 1, 6);
	check_ids(tok, LU_STR("abab"), LU_TOK_SPECIAL_TEXT, 4, 4);
	/* Characters without a piece are dropped, so a and b become neighbours. */
	check_ids(tok, LU_STR("xaxb"), LU_TOK_SPECIAL_TEXT, 4);
	lu_tok_free(tok);
}

/* Of two merges of the same pair the last one counts. */
static void repeated_merge(void **state)
{
	struct lu_tok *tok = load_tokenizer("ranks-repeated.json");

	(void)state;
	check_ids(tok, LU_STR("abc"), LU_TOK_SPECIAL_TEXT, 5);
	lu_tok_free(tok);
}

/* With ignore_merges a word that is a piece is that piece, also where merging gives one id; parts of
 * other words are merged. */
static void whole_words(void **state)
{
	struct lu_tok *tok = load_tokenizer("whole-words.json");

	(void)state;
	check_ids(tok, LU_STR("abab cabab abab"), LU_TOK_SPECIAL_TEXT, 6, 3, 4, 4, 6);
	/* Without a piece for x the merges of xab give ab. */
	check_ids(tok, LU_STR("xab cxab"), LU_TOK_SPECIAL_TEXT, 7, 3, 4);
	lu_tok_free(tok);
}

static void nul_is_a_character(void **state)
{
	struct lu_tok *tok = load_tokenizer("nul.json");

	(void)state;
	check_ids(tok, LU_STR("\0a\0"), LU_TOK_SPECIAL_TEXT, 2, 0);
	lu_tok_free(tok);
}

static void special_tokens(void **state)
{
	struct lu_tok *tok = load_tokenizer("special.json");
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_ids ids = { 0 };
	struct lu_err err;
	uint32_t id;

	(void)state;
	assert_non_null(st);
	check_ids(tok, LU_STR("a<s>b"), LU_TOK_SPECIAL_PARSE, 1, 0, 2);
	check_ids(tok, LU_STR("a<s>b"), LU_TOK_SPECIAL_TEXT, 1, 3, 3, 3, 2);
	check_ids(tok, LU_STR("accb"), LU_TOK_SPECIAL_TEXT, 1, 6, 2);
	check_ids(tok, LU_STR("ccc"), LU_TOK_SPECIAL_ERROR, 6, 3);
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

/* A token of blanks is not found again in blanks that the previous one took; and a run of a million
 * blanks is not scanned a million times. */
static void tokens_of_blanks(void **state)
{
	struct lu_tok *tok = load_tokenizer("blank-token.json");
	const size_t n = 1000000;
	char *blanks = malloc(n);

	(void)state;
	assert_non_null(blanks);
	memset(blanks, ' ', n);
	check_ids(tok, LU_STR("a   b  c"), LU_TOK_SPECIAL_TEXT, 1, 6, 2, 6, 3);
	check_ids(tok, ((struct lu_str){ blanks, n }), LU_TOK_SPECIAL_TEXT, 6);
	free(blanks);
	lu_tok_free(tok);
}

/* A prepended string may become one that causes an insertion. */
static void prepend_before_insert(void **state)
{
	struct lu_tok *tok = load_tokenizer("prepend-insert.json");

	(void)state;
	check_ids(tok, LU_STR("a"), LU_TOK_SPECIAL_TEXT, 2, 3, 1);
	check_ids(tok, LU_STR("xa"), LU_TOK_SPECIAL_TEXT, 2, 3, 2, 3, 1);
	lu_tok_free(tok);
}

/* --- trained tokenizers ------------------------------------------------------------------- */

static const char corpus[] =
		"Le soleil se lève sur la rivière. L'eau est froide, l'été est loin ; "
		"\xC2\xAB\xC2\xA0oui\xC2\xA0\xC2\xBB !\n"
		"The river runs to the sea, and the sea is wide: 1999, 2026, 3.14 (more or less).\n"
		"\tif (x == y) {\n\t\treturn x + y;\n\t}\n        indented by eight\n    by four\n"
		"Le soleil et la rivière, the river and the sea, l'eau de la rivière et "
		"l'été.\n\n\n";

static struct lu_tok *train(enum lu_preset_kind kind, uint32_t vocab_size)
{
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	struct lu_err err;
	uint32_t pieces;

	if (train_preset(kind, vocab_size, lu_str_of(corpus), &json, &pieces, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(pieces <= vocab_size);
	tok = parse_tokenizer(lu_buf_slice(&json));
	lu_buf_release(&json);
	return tok;
}

/* A random text of strings that make cuts, blocks, windows and parts hard. */
static void random_text(struct lu_buf *text, uint64_t *seed)
{
	static const char *const string[] = { " ", "  ", "\n", "a", "b", "aaaaaaaaaaaaaaaa", "l'",
		"(", "\xC3\xA9", "e", "\xCC\x81", "\xCC\xA7", "\xC2\xA0", "\xC2\xAB",
		"\xE2\x96\x81", "\xE1\x84\x92", "\xE1\x85\xA1", "\xF0\x9F\x98\x80", "the", "9", ".",
		", word", " and", " eau", "\r", "\xEF\xBB\xBF", "ab", "ba", " of the ", "<s>",
		"\xC3\xBF" };

	lu_buf_clear(text);
	for (int i = 0; i < 400; i++) {
		*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		lu_buf_puts(text, string[(*seed >> 33) % (sizeof(string) / sizeof(string[0]))]);
	}
}

/* The ids of a text do not depend on how the work is divided. */
static void division(void **state)
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

			random_text(&text, &seed);
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
			assert_same_ids(&got, &whole);
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
			assert_same_ids(&got, &whole);
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

/* One word of a million characters: encoding and training must stay near linear. */
static void long_word(void **state)
{
	struct lu_tok *tok = train(LU_PRESET_BYTELEVEL, 400);
	struct lu_bpe_train set = { .vocab_size = 300, .min_frequency = 2 };
	struct lu_bpe_trained out;
	struct lu_word_counts count = { .threads = 1 };
	struct lu_word_counts_thread thread;
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
	lu_word_counts_join(&count, &thread);
	assert_int_equal(lu_words_add(&thread.words, (struct lu_str){ text, n }, 1, &err), 0);
	assert_int_equal(lu_word_counts_take(&count, &thread, &err), 0);
	assert_int_equal(lu_bpe_train(&set, &count, &out, &err), 0);
	assert_true(out.merges > 10);
	lu_bpe_trained_release(&out);
	lu_word_counts_release(&count);
	lu_ids_release(&ids);
	lu_tok_state_free(st);
	lu_tok_free(tok);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges_by_rank),
		cmocka_unit_test(repeated_merge),
		cmocka_unit_test(whole_words),
		cmocka_unit_test(nul_is_a_character),
		cmocka_unit_test(special_tokens),
		cmocka_unit_test(tokens_of_blanks),
		cmocka_unit_test(prepend_before_insert),
		cmocka_unit_test(division),
		cmocka_unit_test(long_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
