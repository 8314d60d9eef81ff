/* Decoding: the one pass gives what the chain of steps gives, for many chains and random ids, all
 * at once and in parts; what cannot be one pass is a chain; bytes that are no text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

#define MARK "\xE2\x96\x81"
#define R(a, b) "{\"type\":\"Replace\",\"pattern\":{\"String\":\"" a "\"},\"content\":\"" b "\"}"
#define BF "{\"type\":\"ByteFallback\"}"
#define FUSE "{\"type\":\"Fuse\"}"
#define META(scheme) \
	"{\"type\":\"Metaspace\",\"replacement\":\"" MARK "\",\"prepend_scheme\":\"" scheme "\"}"
#define STRIP(c, start, stop) \
	"{\"type\":\"Strip\",\"content\":\"" c "\",\"start\":" #start ",\"stop\":" #stop "}"
#define LEVEL "{\"type\":\"ByteLevel\"}"
#define AFTER R("( ", "(") "," R("\xC2\xAB ", "\xC2\xAB") "," R("\\n ", "\\n")

static const struct {
	const char *steps;
	bool one_pass;
} chain[] = {
	{ BF "," META("always") "," FUSE "," AFTER, true },
	{ BF "," META("never") "," FUSE "," AFTER, true },
	{ BF "," META("first"), true },
	{ META("always"), true },
	{ R(MARK, " ") "," BF "," FUSE "," STRIP(" ", 1, 0), true },
	{ R(MARK, " ") "," BF "," STRIP(" ", 1, 1), true },
	{ R("a", "<0x41>") "," BF "," FUSE, true },
	{ R("<0x41>", "b") "," BF "," R("b", "<0x41>"), true },
	{ BF "," FUSE "," R(MARK, " ") "," STRIP(" ", 2, 0) "," AFTER "," R("d", MARK), true },
	{ BF "," FUSE "," R(MARK, " ") "," STRIP(" ", 300, 0) "," AFTER, true },
	{ BF "," FUSE "," R(MARK, " "), true },
	{ BF "," R("\xC3\xA9", "xyz") "," FUSE "," R("x", "") "," R("\xC2\xAB" MARK, "\xC2\xAB"),
			true },
	{ BF "," R(MARK MARK, "_") "," FUSE, true },
	{ BF "," FUSE "," R("(" MARK, "(") "," R(MARK, " "), false },
	{ BF "," FUSE "," R("( ", "(") "," R(" (", " "), false },
	{ BF "," FUSE "," R("( ", "(") "," R("a ", "b"), false },
	{ BF "," FUSE "," R("( ", "(") "," STRIP(" ", 1, 0), false },
	{ BF "," FUSE "," STRIP("(", 1, 0) "," R("( ", "("), false },
	{ BF "," FUSE "," STRIP(" ", 1, 1), false },
	{ BF "," FUSE "," R("( ", "(") "," R("d", ""), false },
	{ BF "," FUSE "," R("( ", "(") "," R("d", "( "), false },
	{ BF "," FUSE "," META("always"), false },
	{ META("always") "," BF, false },
	{ BF "," BF, false },
	{ R("ab", "ba") "," FUSE "," R("ab", "x"), false },
	{ LEVEL, true },
	{ R("a", "b") "," LEVEL, false },
	{ LEVEL "," R("a", "b"), false },
	{ FUSE, true },
	{ "", true },
};

static const char *const piece[] = { "a", "b", " ", "  ", MARK, MARK "a", MARK MARK, "(", "( ",
	"((", " (", "(" MARK, MARK "(", "\xC2\xAB", "\xC2\xAB ", "x\xC2\xAB", "\\n", "\\n ",
	"\\n  x", " \\n", "d", "dd d", "ab", "ba", "aba", "", "<0x4>", "<0xe9>", "<0xG1>",
	"xyz\xC3\xA9", "a long piece of more than fourteen bytes (",
	" another that begins with a space", "( ( (  ( ", "\xC4\xA0",
	"\xC4\xA0"
	"a",
	"\xC3\xA2\xC4\xB8\xC5\x83", "\xC3\xA2", "\xC4\xB8", "\xC3\xBF", "\xE6\x97\xA5", "_" };
#define PIECES (sizeof(piece) / sizeof(piece[0]))
/* Byte tokens: é, a marker, 日, parts of them, and bytes that never are text. */
static const unsigned char byte[] = { 0x41, 0x20, 0x28, 0xC3, 0xA9, 0xE2, 0x96, 0x81, 0xE6, 0x97,
	0xA5, 0xF0, 0x9F, 0x98, 0x80, 0xFF, 0xC0, 0xED, 0xA0 };
#define IDS ((uint32_t)(PIECES + sizeof(byte) + 3)) /* and three added ones */

static struct lu_tok *make(const char *steps)
{
	struct lu_buf b = { 0 };
	struct lu_tok *tok;
	struct lu_err err;
	uint32_t id = 0;

	lu_buf_puts(&b, "{\"version\":\"1.0\",\"normalizer\":{\"type\":\"NFC\"},\"decoder\":");
	if (steps)
		lu_buf_printf(&b, "{\"type\":\"Sequence\",\"decoders\":[%s]}", steps);
	else
		lu_buf_puts(&b, "null");
	lu_buf_puts(&b, ",\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{");
	for (size_t i = 0; i < PIECES; i++)
		lu_buf_printf(&b, "%s\"%s\":%u", id ? "," : "", piece[i], id), id++;
	for (size_t i = 0; i < sizeof(byte); i++)
		lu_buf_printf(&b, ",\"<0x%02X>\":%u", byte[i], id++);
	lu_buf_puts(&b, "}},\"added_tokens\":[");
	lu_buf_printf(&b, "{\"id\":%u,\"content\":\"<s>\",\"special\":true},", id);
	lu_buf_printf(&b, "{\"id\":%u,\"content\":\"e\xCC\x81 \",\"normalized\":true},", id + 1);
	lu_buf_printf(&b, "{\"id\":%u,\"content\":\" <t>( \",\"special\":true}]}", id + 2);
	assert_true(lu_buf_ok(&b));
	if (lu_tok_parse(&tok, "made", lu_buf_slice(&b), &err) < 0)
		fail_msg("%s: %s", steps, err.msg);
	lu_buf_release(&b);
	assert_int_equal(lu_tok_size(tok), IDS);
	return tok;
}

static uint64_t below(uint64_t bound)
{
	static uint64_t n;

	return lu_rand_below(1, 2, n++, bound);
}

static void both_ways(void **state)
{

	(void)state;
	for (size_t k = 0; k < sizeof(chain) / sizeof(chain[0]); k++) {
		struct lu_tok *tok = make(chain[k].steps);
		struct lu_decode_table *spell = tok->decode_table;
		struct lu_tok_state *st = lu_tok_state_new(tok);
		struct lu_buf want = { 0 }, got = { 0 };
		struct lu_err err;

		assert_non_null(st);
		if ((spell != NULL) != chain[k].one_pass)
			fail_msg("one pass: %d: %s", spell != NULL, chain[k].steps);
		for (int round = 0; round < 3000; round++) {
			uint32_t ids[64];
			size_t n = below(round % 100 ? 12 : 64);
			unsigned flags = round & 1 ? LU_TOK_SKIP_SPECIAL : 0;
			uint64_t lost = 0, lost_too = 0;

			for (size_t i = 0; i < n; i++)
				ids[i] = (uint32_t)below(IDS);
			lu_buf_clear(&want);
			lu_buf_clear(&got);
			tok->decode_table = NULL;
			assert_int_equal(lu_tok_decode(tok, st, ids, n, flags, &want, &lost, &err),
					0);
			tok->decode_table = spell;
			if (round % 3 == 0) {
				assert_int_equal(lu_tok_decode(tok, st, ids, n, flags, &got,
								 &lost_too, &err),
						0);
			} else {
				lu_tok_decode_begin(tok, st);
				for (size_t i = 0, m; i < n; i += m) {
					m = 1 + below(n - i);
					assert_int_equal(lu_tok_decode_more(tok, st, ids + i, m,
									 flags, &got, &lost_too,
									 &err),
							0);
				}
				assert_int_equal(lu_tok_decode_end(tok, st, &got, &lost_too, &err),
						0);
			}
			if (!lu_str_eq(lu_buf_slice(&want), lu_buf_slice(&got)))
				fail_msg("%s:\nchain    %s\none pass %s", chain[k].steps, want.p,
						got.p);
			assert_int_equal(lost, lost_too);
			assert_int_equal(lu_utf8_valid(got.p, got.n), got.n);
		}
		lu_buf_release(&want);
		lu_buf_release(&got);
		lu_tok_state_free(st);
		lu_tok_free(tok);
	}
}

/* A row of byte tokens longer than what is kept, cut anywhere, in memory that does not grow. */
static void long_rows(void **state)
{
	const uint32_t from = PIECES;
	const uint32_t row[] = { 3, 4, 5, 6, 7, 0, 11, 12, 13, 14, 15, 8, 9, 10, 4, 4, 4, 4, 4,
		11 };
	struct lu_tok *tok = make(chain[0].steps);
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_buf one = { 0 }, all = { 0 };
	struct lu_err err;
	uint64_t lost = 0, lost_too = 0;
	uint32_t *ids = malloc(400000 * sizeof(*ids));

	(void)state;
	assert_non_null(st);
	assert_non_null(ids);
	assert_non_null(tok->decode_table);
	for (size_t i = 0; i < 400000; i++)
		ids[i] = from + row[i % (sizeof(row) / sizeof(row[0]))];
	assert_int_equal(lu_tok_decode(tok, st, ids, 400000, 0, &one, &lost, &err), 0);
	/* The marker is lost in the first string, which is all of it. */
	assert_null(memmem(one.p, one.n, MARK, 3));
	assert_int_equal(lost, 400000 / 20 * 7);
	lu_tok_decode_begin(tok, st);
	for (size_t i = 0; i < 400000; i += 7) {
		size_t n = 400000 - i < 7 ? 400000 - i : 7;

		assert_int_equal(lu_tok_decode_more(tok, st, ids + i, n, 0, &all, &lost_too, &err),
				0);
		assert_true(st->decode.run.cap < 200000);
	}
	assert_int_equal(lu_tok_decode_end(tok, st, &all, &lost_too, &err), 0);
	assert_true(lu_str_eq(lu_buf_slice(&one), lu_buf_slice(&all)));
	assert_int_equal(lost, lost_too);
	free(ids);
	lu_buf_release(&one);
	lu_buf_release(&all);
	lu_tok_state_free(st);
	lu_tok_free(tok);
}

static void no_such_id(void **state)
{
	static const uint32_t wrong[] = { IDS, 1 << 24, UINT32_MAX };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct lu_tok *tok = make(i == 0 ? NULL : chain[i == 3 ? 13 : i].steps);
		struct lu_tok_state *st = lu_tok_state_new(tok);
		struct lu_buf out = { 0 };
		struct lu_err err;

		assert_non_null(st);
		for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
			uint32_t ids[] = { 0, wrong[k] };
			char says[64];

			snprintf(says, sizeof(says), "id %u is not in the tokenizer", wrong[k]);
			assert_int_equal(lu_tok_decode(tok, st, ids, 2, 0, &out, NULL, &err), -1);
			assert_string_equal(err.msg, says);
			lu_tok_decode_begin(tok, st);
			assert_int_equal(lu_tok_decode_more(tok, st, ids, 2, 0, &out, NULL, &err),
					-1);
			assert_string_equal(err.msg, says);
		}
		out.n = 0;
		assert_int_equal(lu_tok_decode(tok, st, NULL, 0, 0, &out, NULL, &err), 0);
		assert_int_equal(out.n, 0);
		lu_buf_release(&out);
		lu_tok_state_free(st);
		lu_tok_free(tok);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(long_rows),
		cmocka_unit_test(no_such_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
