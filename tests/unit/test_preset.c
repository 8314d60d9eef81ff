/* Tokenizers trained by preset: ids decode to the text, no piece is dead, options have their effect.
 * Equality with Hugging Face is tested in tests/interop/tok_preset.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/bpetrain/preset.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "tests/unit/unit.h"

#define FIRST_LEARNT 324    /* in the lucie presets, with their defaults */
#define ESCAPED_MARK 0xFDD0 /* the noncharacter that lucie uses itself */

/* What other tokenizers get wrong: no-break spaces inside words, between digits and after quotes,
 * marks that compose and marks that do not, joiners, flags, scripts without spaces, code, rulers,
 * the marker itself. */
static const char corpus[] =
		"Le soleil se lève sur la rivière. L'eau est froide, l'été est loin ; "
		"\u00AB\u00A0oui\u00A0\u00BB\u202F! Le XIXe\u00A0siècle, 10\u00A0000\u00A0km, "
		"n°\u00A01.\n"
		"The river runs to the sea, and the sea is wide: 1999, 2026, 3.14 (more or less).\n"
		"\tif (x == y) {\n\t\treturn x + y;\n\t}\n        indented by eight\n    by "
		"four\r\n"
		"Le soleil et la rivière, the river and the sea, l'eau de la rivière et "
		"l'été.\n\n\n"
		"语言模型 日本語の文 한국어 \u1112\u1161\u11AB می\u200cخواهم "
		"\u0915\u094D\u200D\u0937 "
		"\U0001F469\u200D\U0001F680\u2764\uFE0F \U0001F1EB\U0001F1F7 e\u0301 x\u0302\u0323 "
		"(\u0301 <\u0338 \u2581\u2581 \u2581x ----------------==== ((({{{\"'\" ½ x²+y³ "
		"\uFEFF\n";

static struct lu_preset preset(enum lu_preset_kind kind, uint32_t vocab_size)
{
	struct lu_preset p;

	lu_preset_defaults(&p, kind);
	p.vocab_size = vocab_size;
	return p;
}

static struct lu_tok *train(const struct lu_preset *p, const char *text)
{
	struct lu_preset_splitter *splitter;
	struct lu_preset_info info;
	struct lu_word_counts count = { .threads = 1 };
	struct lu_word_counts_thread thread;
	struct lu_step_buffers work = { 0 };
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	struct lu_err err;

	lu_word_counts_join(&count, &thread);
	assert_int_equal(lu_preset_splitter_new(&splitter, p, &err), 0);
	assert_int_equal(lu_preset_words(splitter, &work, lu_str_of(text), &thread.words, &err), 0);
	assert_int_equal(lu_word_counts_take(&count, &thread, &err), 0);
	if (lu_preset_train(p, &count, &json, &info, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(info.pieces <= p->vocab_size);
	if (lu_tok_parse(&tok, "trained", lu_buf_slice(&json), &err) < 0)
		fail_msg("%s", err.msg);
	lu_preset_splitter_free(splitter);
	lu_word_counts_release(&count);
	lu_step_buffers_release(&work);
	lu_buf_release(&json);
	return tok;
}

/* --- round trips -------------------------------------------------------------------------- */

struct trip {
	struct lu_tok *tok;
	struct lu_tok_state *st;
	struct lu_frozen_unicode *uni; /* NULL: no normal form */
	struct lu_ids ids;
	struct lu_buf text, want, got;
};

static void trip_init(struct trip *l, const struct lu_preset *p, bool nfc)
{
	struct lu_err err;

	*l = (struct trip){ .tok = train(p, corpus) };
	l->st = lu_tok_state_new(l->tok);
	assert_non_null(l->st);
	if (nfc) {
		assert_int_equal(lu_frozen_new(&l->uni, &err), 0);
		assert_int_equal(lu_frozen_load_form(l->uni, LU_FORM_NFC, &err), 0);
	}
}

static void trip_release(struct trip *l)
{
	lu_buf_release(&l->text);
	lu_buf_release(&l->want);
	lu_buf_release(&l->got);
	lu_ids_release(&l->ids);
	lu_tok_state_free(l->st);
	lu_frozen_free(l->uni);
	lu_tok_free(l->tok);
}

static void round_trip(struct trip *l, struct lu_str text)
{
	struct lu_str want = text, got;
	struct lu_err err;
	size_t at = 0;

	lu_buf_clear(&l->want);
	lu_buf_clear(&l->got);
	l->ids.n = 0;
	if (l->uni) {
		assert_int_equal(lu_frozen_normalize(l->uni, LU_FORM_NFC, text, &l->want, &err), 0);
		want = lu_buf_slice(&l->want);
	}
	assert_int_equal(lu_tok_encode(l->tok, l->st, text, LU_TOK_SPECIAL_TEXT, &l->ids, &err), 0);
	assert_int_equal(lu_tok_decode(l->tok, l->st, l->ids.p, l->ids.n, 0, &l->got, NULL, &err),
			0);
	got = lu_buf_slice(&l->got);
	if (lu_str_eq(want, got))
		return;
	while (at < want.n && at < got.n && want.p[at] == got.p[at])
		at++;
	at = at < 12 ? 0 : at - 12;
	fail_msg("not the same: \"%.24s\" and \"%.24s\"", want.p + at, got.p + at);
}

/* True for the scalar values below U+3400, where most scripts are, and each step-th of the rest. */
static bool is_tried(uint32_t c, uint32_t step)
{
	return (c < 0xD800 || c > 0xDFFF) && c != ESCAPED_MARK && (c < 0x3400 || c % step == 0);
}

/* Try each scalar value between two strings, thousands of them in one text. */
static void try_between(struct trip *l, const char *before, const char *after, uint32_t step)
{
	size_t n = 0;

	lu_buf_clear(&l->text);
	for (uint32_t c = 0; c < 0x110000; c++) {
		char utf8[4];

		if (!is_tried(c, step))
			continue;
		lu_buf_puts(&l->text, before);
		lu_buf_append(&l->text, utf8, lu_utf8_put(c, utf8));
		lu_buf_puts(&l->text, after);
		if (++n % 4096 == 0) {
			round_trip(l, lu_buf_slice(&l->text));
			lu_buf_clear(&l->text);
		}
	}
	round_trip(l, lu_buf_slice(&l->text));
}

/* Try each scalar value as a text of its own. */
static void try_alone(struct trip *l, uint32_t step)
{
	for (uint32_t c = 0; c < 0x110000; c++) {
		char utf8[4];

		if (is_tried(c, step))
			round_trip(l, (struct lu_str){ utf8, lu_utf8_put(c, utf8) });
	}
}

static const char *const texts[] = {
	"",
	" ",
	"  ",
	"        ",
	"         x",
	" x ",
	"\n",
	"\n\n\nx",
	"\t \t",
	"a\r\nb\r\n",
	"\r",
	"\uFEFFabc",
	"abc\uFEFF",
	"x\u00A0y",
	"\u00AB\u00A0Mot\u00A0\u00BB",
	"\u00AB Mot \u00BB",
	"(\u00A0x",
	"a'\u00A0b",
	"(\u202Fx",
	"( \u0301",
	"(\u0301",
	" \u0301",
	"<\u0338",
	"=\u0338",
	"e\u0301",
	"a\u0327\u0301",
	"\u0301\u0323",
	"\u1112\u1161\u11AB",
	"\uD55C\u11A8",
	"\u2581",
	"\u2581\u2581a",
	" \u2581 ",
	"(\u2581",
	"<s>hi</s>",
	"<0x41>",
	"<unused5>",
	"\U0001F469\u200D\U0001F680",
	"\u2764\uFE0F",
	"\U0001F1EB\U0001F1F7",
	"می\u200cخواهم",
	"l'été à Paris, aujourd\u2019hui",
	"((((  ((((x",
	"''' ' x",
	"\u2013\u2014\u2015 \u2013x",
	"1999 \u00BD \u00B2",
	"\u0344",
	"\u0958",
	"\u2126",
	"\u00C5\u212B",
};

/* The 18 joiners, after which a space is inserted, then others. */
static const char *const before[] = { "\n", "\t", "(", "[", "{", "/", "<", "'", "\u2019", "\"",
	"\u00AB", "\u201C", "\u2018", "\u201A", "\u2039", "\u2014", "\u2013", "\u2015", "\u00A0",
	"\u202F", " ", "( ", "\u2581", "\u200D", "e" };
#define BEFORE (sizeof(before) / sizeof(before[0]))

static void try_texts(struct trip *l, bool mark)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!mark && strstr(texts[i], "\u2581"))
			continue;
		round_trip(l, lu_str_of(texts[i]));
		for (size_t k = 0; k < BEFORE; k++) {
			if (!mark && strstr(before[k], "\u2581"))
				continue;
			lu_buf_clear(&l->text);
			lu_buf_puts(&l->text, before[k]);
			lu_buf_puts(&l->text, texts[i]);
			round_trip(l, lu_buf_slice(&l->text));
		}
	}
	round_trip(l, (struct lu_str){ "\0", 1 });
	round_trip(l, (struct lu_str){ "(\0x\0", 4 });
}

/* Every scalar value in every context in the release build. With sanitizers this would take
 * minutes: a sample. */
static void lucie_loses_nothing(void **state)
{
	static const char *const after[] = { " ", "x", "\u0301", "(", "\u2581", "\n" };
	const char *config = getenv("LUCIE_CONFIG");
	uint32_t step = !config || strcmp(config, "release") == 0 ? 1 : 61;
	struct lu_preset p = preset(LU_PRESET_LUCIE, 900);
	struct trip l;

	(void)state;
	trip_init(&l, &p, true);
	try_alone(&l, step);
	for (size_t i = 0; i < 19; i++)
		try_between(&l, before[i], "", step);
	for (size_t i = 0; i < BEFORE; i++) {
		for (size_t k = 0; k < sizeof(after) / sizeof(after[0]); k++)
			try_between(&l, before[i], after[k], step * 61);
	}
	try_texts(&l, true);
	round_trip(&l, lu_str_of(corpus));
	trip_release(&l);
}

/* A vocabulary in which most characters, and the marker, are spelled in bytes. */
static void lucie_loses_nothing_in_bytes(void **state)
{
	struct lu_preset p = preset(LU_PRESET_LUCIE, 600);
	struct trip l;

	(void)state;
	p.limit_alphabet = 1;
	p.runs[0] = 0;
	p.single_digits = p.split_symbols = false;
	trip_init(&l, &p, true);
	try_alone(&l, 61);
	try_texts(&l, true);
	round_trip(&l, lu_str_of(corpus));
	trip_release(&l);
}

static void others_lose_nothing(void **state)
{
	static const struct {
		enum lu_preset_kind kind;
		bool mark;
	} kinds[] = { { LU_PRESET_BYTELEVEL, true }, { LU_PRESET_METASPACE, false } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct lu_preset p = preset(kinds[i].kind, 600);
		struct trip l;

		trip_init(&l, &p, false);
		for (uint32_t c = 0; c < 0x110000; c++) {
			char utf8[4];

			if ((c >= 0x3400 && c % 61) || (c >= 0xD800 && c <= 0xDFFF) ||
					(c == 0x2581 && !kinds[i].mark))
				continue;
			round_trip(&l, (struct lu_str){ utf8, lu_utf8_put(c, utf8) });
		}
		try_texts(&l, kinds[i].mark);
		trip_release(&l);
	}
}

/* --- pieces ------------------------------------------------------------------------------- */

/* The text that a piece of lucie spells. */
static void spell(struct lu_buf *b, struct lu_str piece)
{
	lu_buf_clear(b);
	for (const char *p = piece.p; p < piece.p + piece.n;) {
		uint32_t c = lu_utf8_next(&p);
		char utf8[4];

		c = c == 0x2581 ? ' ' : c == ESCAPED_MARK ? 0x2581 : c;
		lu_buf_append(b, utf8, lu_utf8_put(c, utf8));
	}
}

static bool is_live(struct trip *l, uint32_t id)
{
	static const char *const around[] = { "", "1", "a", ".", " ", "\u00A0", "\n", "\t" };
	struct lu_err err;
	struct lu_buf text = { 0 };
	bool found = false;

	spell(&l->got, lu_tok_piece(l->tok, id));
	for (size_t i = 0; !found && i < 64; i++) {
		lu_buf_clear(&text);
		lu_buf_puts(&text, around[i % 8]);
		lu_buf_str(&text, lu_buf_slice(&l->got));
		lu_buf_puts(&text, around[i / 8]);
		l->ids.n = 0;
		assert_int_equal(lu_tok_encode(l->tok, l->st, lu_buf_slice(&text),
						 LU_TOK_SPECIAL_TEXT, &l->ids, &err),
				0);
		for (size_t k = 0; k < l->ids.n; k++)
			found |= l->ids.p[k] == id;
	}
	lu_buf_release(&text);
	return found;
}

/* Some text gives each piece of lucie that is not special, a byte or reserved. */
static void no_piece_is_dead(void **state)
{
	static const struct {
		uint32_t limit;
		bool digits, split;
	} cases[] = { { 0, true, true }, { 30, true, true }, { 30, false, false },
		{ 0, true, false }, { 60, false, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lu_preset p = preset(LU_PRESET_LUCIE, 900);
		struct trip l;

		p.limit_alphabet = cases[i].limit;
		p.single_digits = cases[i].digits;
		p.split_symbols = cases[i].split;
		p.min_frequency = 1;
		trip_init(&l, &p, true);
		assert_true(lu_tok_size(l.tok) > FIRST_LEARNT + 100);
		for (uint32_t id = 300; id < lu_tok_size(l.tok); id++) {
			if (!is_live(&l, id))
				fail_msg("case %zu: piece %u, \"" LU_STR_FMT "\"", i, id,
						LU_STR_ARG(lu_tok_piece(l.tok, id)));
		}
		trip_release(&l);
	}
}

/* The character between a letter and an accent may have no piece. Hugging Face's trainer then merges
 * the two, which no text in NFC contains. */
static void skipped_characters_make_no_dead_pieces(void **state)
{
	static const char text[] =
			"e\u8A9E\u0301 e\u8A9E\u0301 e\u8A9E\u0301 (\u2603a (\u2603a (\u2603a "
			"e e a a ( ( \u0301\u0301";
	struct lu_preset p = preset(LU_PRESET_LUCIE, 600);
	struct lu_tok *tok;
	uint32_t id;

	(void)state;
	p.limit_alphabet = 5;
	p.split_symbols = false;
	tok = train(&p, text);
	assert_false(lu_tok_id(tok, LU_STR("\u8A9E"), &id));
	assert_true(lu_tok_id(tok, LU_STR("\u0301"), &id));
	assert_true(lu_tok_id(tok, LU_STR("\u2581e"), &id));
	assert_false(lu_tok_id(tok, LU_STR("e\u0301"), &id));
	assert_false(lu_tok_id(tok, LU_STR("\u2581e\u0301"), &id));
	assert_false(lu_tok_id(tok, LU_STR("(a"), &id));
	lu_tok_free(tok);
	p.kind = LU_PRESET_LUCIE_2024;
	tok = train(&p, text);
	assert_true(lu_tok_id(tok, LU_STR("\u2581e\u0301"), &id));
	lu_tok_free(tok);
}

/* --- options ------------------------------------------------------------------------------ */

static void longest_runs(void **state)
{
	static const struct {
		uint32_t runs[3];
		const char *text;
		size_t ids;
	} cases[] = {
		{ { 8, 4, 2 }, "        ", 2 }, /* 8 and the one prepended */
		{ { 8, 4, 2 }, "       ", 1 },
		{ { 3, 0, 0 }, "        ", 3 },
		{ { 1, 1, 1 }, "   ", 4 },
		{ { 0, 0, 0 }, "   ", 4 },
		{ { 256, 4, 2 }, "   ", 1 },
		{ { 8, 4, 2 }, "\t\t\t\t\t", 3 },
		{ { 8, 0, 2 }, "\t\t", 3 },
		{ { 8, 4, 3 }, "\n\n\n\n", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lu_preset p = preset(LU_PRESET_LUCIE, 1500);
		struct trip l;

		memcpy(p.runs, cases[i].runs, sizeof(p.runs));
		trip_init(&l, &p, true);
		round_trip(&l, lu_str_of(cases[i].text));
		if (l.ids.n != cases[i].ids)
			fail_msg("case %zu: %zu ids", i, l.ids.n);
		trip_release(&l);
	}
}

static void vocabulary_too_small(void **state)
{
	struct lu_preset p = preset(LU_PRESET_LUCIE, 300);
	struct lu_word_counts count = { .threads = 1 };
	struct lu_buf json = { 0 };
	struct lu_preset_info info;
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_preset_train(&p, &count, &json, &info, &err), -1);
	assert_string_equal(
			err.msg, "a vocabulary of 300 pieces is too small for 324 special ones");
	p = preset(LU_PRESET_BYTELEVEL, 259);
	assert_int_equal(lu_preset_train(&p, &count, &json, &info, &err), -1);
	lu_word_counts_release(&count);
	lu_buf_release(&json);
}

static void special_tokens_are_checked(void **state)
{
	static const struct {
		const char *token, *message;
	} bad[] = { { "<s>", "'<s>' is a token already" },
		{ "<0x41>", "'<0x41>' is a token already" },
		{ "<unused39>", "'<unused39>' is a token already" },
		{ "\u2581", "'\u2581' is a token already" }, { "\t", "'\t' is a token already" },
		{ "7", "'7' is a token already" }, { "<a>", "'<a>' is a token already" },
		{ "", "a token is empty" }, { "\xFF", "'\xFF' is not valid UTF-8" } };
	const char *list[2] = { "<a>", NULL };
	struct lu_preset p = preset(LU_PRESET_LUCIE, 400);
	struct lu_err err;

	(void)state;
	p.special = list;
	p.specials = 2;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		list[1] = bad[i].token;
		assert_int_equal(lu_preset_check(&p, &err), -1);
		assert_string_equal(err.msg, bad[i].message);
	}
	list[1] = "<b>";
	assert_int_equal(lu_preset_check(&p, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lucie_loses_nothing),
		cmocka_unit_test(lucie_loses_nothing_in_bytes),
		cmocka_unit_test(others_lose_nothing),
		cmocka_unit_test(no_piece_is_dead),
		cmocka_unit_test(skipped_characters_make_no_dead_pieces),
		cmocka_unit_test(longest_runs),
		cmocka_unit_test(vocabulary_too_small),
		cmocka_unit_test(special_tokens_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
