/* Decoding: the decode table gives what the chain of steps gives, for many chains and random ids,
 * at once and in parts; invalid bytes; ids that the tokenizer does not have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/rng.h"
#include "libcommon/base/utf8.h"
#include "tests/unit/unit_tokenizer.h"

#define MARK "\xE2\x96\x81"

/* The lines of decoder-chains.jsonl: lists of steps, and whether they fit into a decode table. */
static struct {
	struct lu_str steps; /* raw JSON */
	bool has_table;
} chain[64];
static size_t chains;

/* decoder-vocab.json: a whole tokenizer.json but for the decoder. */
static char *vocab, *chain_lines;
static struct lu_arena arena;

static int read_chains(void **state)
{
	char *line = chain_lines = tokenizer_data("decoder-chains.jsonl"), *end;

	(void)state;
	vocab = tokenizer_data("decoder-vocab.json");
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1, chains++) {
		struct lu_str s = { line, (size_t)(end - line) };
		struct lu_json_obj obj;
		struct lu_json_fault fault;

		assert_true(chains < sizeof(chain) / sizeof(chain[0]));
		assert_int_equal(lu_json_object(s, &arena, &obj, &fault), 0);
		chain[chains].steps = lu_json_get(&obj, "decoders")->value;
		chain[chains].has_table = lu_json_get(&obj, "table")->type == LU_JSON_TRUE;
	}
	return 0;
}

static int free_chains(void **state)
{
	(void)state;
	lu_arena_release(&arena);
	free(vocab);
	free(chain_lines);
	return 0;
}

/* A tokenizer with these steps, or without a decoder. */
static struct lu_tok *make_tokenizer(const struct lu_str *steps)
{
	struct lu_buf b = { 0 };
	struct lu_tok *tok;

	lu_buf_puts(&b, "{\"decoder\":");
	if (steps) {
		lu_buf_puts(&b, "{\"type\":\"Sequence\",\"decoders\":");
		lu_buf_str(&b, *steps);
		lu_buf_putc(&b, '}');
	} else {
		lu_buf_puts(&b, "null");
	}
	lu_buf_putc(&b, ',');
	lu_buf_puts(&b, vocab + 1);
	assert_true(lu_buf_ok(&b));
	tok = parse_tokenizer(lu_buf_slice(&b));
	lu_buf_release(&b);
	return tok;
}

static uint32_t id_of(const struct lu_tok *tok, const char *piece)
{
	uint32_t id;

	assert_true(lu_tok_id(tok, lu_str_of(piece), &id));
	return id;
}

static uint64_t below(uint64_t limit)
{
	static uint64_t n;

	return lu_rand_below(1, 2, n++, limit);
}

static void table_equals_chain(void **state)
{
	(void)state;
	for (size_t k = 0; k < chains; k++) {
		struct lu_tok *tok = make_tokenizer(&chain[k].steps);
		struct lu_decode_table *table = tok->decode_table;
		struct lu_tok_state *st = lu_tok_state_new(tok);
		struct lu_buf want = { 0 }, got = { 0 };
		struct lu_err err;

		assert_non_null(st);
		if ((table != NULL) != chain[k].has_table)
			fail_msg("table: %d: %.*s", table != NULL, (int)chain[k].steps.n,
					chain[k].steps.p);
		for (int round = 0; round < 3000; round++) {
			uint32_t ids[64];
			size_t n = below(round % 100 ? 12 : 64);
			unsigned flags = round & 1 ? LU_TOK_SKIP_SPECIAL : 0;
			uint64_t lost = 0, lost_too = 0;

			for (size_t i = 0; i < n; i++)
				ids[i] = (uint32_t)below(lu_tok_size(tok));
			lu_buf_clear(&want);
			lu_buf_clear(&got);
			tok->decode_table = NULL;
			assert_int_equal(lu_tok_decode(tok, st, ids, n, flags, &want, &lost, &err),
					0);
			tok->decode_table = table;
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
				fail_msg("%.*s:\nchain %s\ntable %s", (int)chain[k].steps.n,
						chain[k].steps.p, want.p, got.p);
			assert_int_equal(lost, lost_too);
			assert_int_equal(lu_utf8_valid(got.p, got.n), got.n);
		}
		lu_buf_release(&want);
		lu_buf_release(&got);
		lu_tok_state_free(st);
		lu_tok_free(tok);
	}
}

/* A run of byte tokens longer than the buffer, divided anywhere, in bounded memory. */
static void long_byte_run(void **state)
{
	/* é, the marker, A, 😀, an invalid byte, 日, five stray continuation bytes, a lead byte. */
	static const char *const run[] = { "<0xC3>", "<0xA9>", "<0xE2>", "<0x96>", "<0x81>",
		"<0x41>", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "<0xFF>", "<0xE6>", "<0x97>",
		"<0xA5>", "<0xA9>", "<0xA9>", "<0xA9>", "<0xA9>", "<0xA9>", "<0xF0>" };
	struct lu_tok *tok = make_tokenizer(&chain[0].steps);
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
		ids[i] = id_of(tok, run[i % 20]);
	assert_int_equal(lu_tok_decode(tok, st, ids, 400000, 0, &one, &lost, &err), 0);
	/* The marker is dropped in the first string, which is the whole text. */
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

static void unknown_id_in_every_chain(void **state)
{
	(void)state;
	for (size_t c = 0; c <= chains; c++) {
		struct lu_tok *tok = make_tokenizer(c < chains ? &chain[c].steps : NULL);
		const uint32_t unknown[] = { lu_tok_size(tok), 1 << 24, UINT32_MAX };
		struct lu_tok_state *st = lu_tok_state_new(tok);
		struct lu_buf out = { 0 };
		struct lu_err err;

		assert_non_null(st);
		for (size_t k = 0; k < sizeof(unknown) / sizeof(unknown[0]); k++) {
			uint32_t ids[] = { 0, unknown[k] };
			char want[64];

			snprintf(want, sizeof(want), "id %u is not in the tokenizer", unknown[k]);
			assert_int_equal(lu_tok_decode(tok, st, ids, 2, 0, &out, NULL, &err), -1);
			assert_string_equal(err.msg, want);
			lu_tok_decode_begin(tok, st);
			assert_int_equal(lu_tok_decode_more(tok, st, ids, 2, 0, &out, NULL, &err),
					-1);
			assert_string_equal(err.msg, want);
		}
		out.n = 0;
		assert_int_equal(lu_tok_decode(tok, st, NULL, 0, 0, &out, NULL, &err), 0);
		assert_int_equal(out.n, 0);
		lu_buf_release(&out);
		lu_tok_state_free(st);
		lu_tok_free(tok);
	}
}

static void unused_ids(void **state)
{
	static const uint32_t unknown[] = { 1, 3, UINT32_MAX };
	struct lu_tok *tok = load_tokenizer("unused-id.json");
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	assert_non_null(st);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		char want[64];

		snprintf(want, sizeof(want), "id %u is not in the tokenizer", unknown[i]);
		assert_int_equal(lu_tok_decode(tok, st, &unknown[i], 1, 0, &out, NULL, &err), -1);
		assert_string_equal(err.msg, want);
	}
	lu_buf_release(&out);
	lu_tok_state_free(st);
	lu_tok_free(tok);
}

/* In a byte-level file, a piece with a character outside the byte alphabet spells itself. */
static void byte_level(void **state)
{
	static const uint32_t ids[] = { 0, 1, 2, 0 };
	struct lu_tok *tok = load_tokenizer("byte-level.json");
	struct lu_tok_state *st = lu_tok_state_new(tok);
	struct lu_buf out = { 0 };
	uint64_t replaced = 0;
	struct lu_err err;

	(void)state;
	assert_non_null(st);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_equals_chain),
		cmocka_unit_test(long_byte_run),
		cmocka_unit_test(unknown_id_in_every_chain),
		cmocka_unit_test(unused_ids),
		cmocka_unit_test(byte_level),
	};

	return cmocka_run_group_tests(tests, read_chains, free_chains);
}
