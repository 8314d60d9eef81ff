/* Dead pieces: the reason of each in small tokenizers (tests/data/dead-pieces.jsonl); random
 * tokenizers against every short text; pieces that are parts of characters. */
#include <stdio.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/dead.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "libcommon/tokenizer/components.h"
#include "tests/unit/tokenizer_cases.h"
#include "tests/unit/unit.h"

/* Member `dead`: "id:reason" of each dead piece, by id. */
static void each_reason(void **state)
{
	static const char *const reason[] = { "utf-8", "normalizer", "merges", "neighbours", "cut",
		"not found" };
	struct tok_cases cases;

	(void)state;
	tok_cases_read(&cases, "dead-pieces.jsonl");
	assert_true(cases.line.n > 0);
	for (size_t i = 0; i < cases.line.n; i++) {
		const struct tok_case *t = &cases.line.p[i];
		struct lu_tok *tok = tok_make(t);
		struct lu_dead d = { 0 };
		struct lu_buf got = { 0 };
		struct lu_err err;

		assert_int_equal(lu_dead_find(&d, tok, &err), 0);
		for (size_t k = 0; k < d.piece.n; k++)
			lu_buf_printf(&got, "%s%u:%s", k ? " " : "", d.piece.p[k].id,
					reason[d.piece.p[k].why]);
		if (!lu_str_eq(lu_buf_slice(&got), t->dead))
			fail_msg(LU_STR_FMT ": " LU_STR_FMT, LU_STR_ARG(t->name),
					LU_STR_ARG(lu_buf_slice(&got)));
		lu_buf_release(&got);
		lu_dead_release(&d);
		lu_tok_free(tok);
	}
	tok_cases_release(&cases);
}

/* --- against all short texts -------------------------------------------------------------- */

enum { NORMALIZERS = 5, PRE_TOKENIZERS = 7, BYTE_LEVEL = 6, PIECES = 20, LETTERS = 5 };

/* Of characters, and of bytes. */
static const char *const letters[2][LETTERS] = { { "a", "b", " ", "(", "1" },
	{ "a", "é", "à", "’", "“" } };

/* The pieces that are not merged: letters, a marker for the space; in bytes C3 A9, C3 A0, E2 80 99
 * and E2 80 9C. */
static size_t put_letters(struct lu_buf *piece, bool bytes, size_t pre)
{
	static const char *const marked[] = { "a", "b", " ", "(", "1", "\u2581" };
	static const char *const byte_level[] = { "a", "b", "Ġ", "(", "1", "c" };
	static const char *const parts[] = { "a", "Ã", "©", "ł", "â", "Ģ", "Ļ", "ľ" };
	const char *const *from = bytes ? parts : pre == BYTE_LEVEL ? byte_level : marked;
	size_t n = bytes ? 8 : 6;

	for (size_t i = 0; i < n; i++)
		lu_buf_puts(&piece[i], from[i]);
	return n;
}

/* Append random merges of up to four characters. Returns the number of pieces. */
static size_t put_merges(struct lu_buf *json, struct lu_buf *piece, size_t pieces, uint64_t *seed)
{
	lu_json_open_array(json, "merges");
	for (int i = 0; i < 60 && pieces < PIECES; i++) {
		size_t l = unit_random(seed) % pieces, r = unit_random(seed) % pieces, k = 0;
		struct lu_buf *merged = &piece[pieces];

		lu_buf_clear(merged);
		lu_buf_str(merged, lu_buf_slice(&piece[l]));
		lu_buf_str(merged, lu_buf_slice(&piece[r]));
		while (k < pieces && !lu_str_eq(lu_buf_slice(merged), lu_buf_slice(&piece[k])))
			k++;
		if (lu_utf8_count(merged->p, merged->n) > 4)
			continue;
		pieces += k == pieces;
		lu_json_open_array(json, NULL);
		lu_json_put_str(json, NULL, lu_buf_slice(&piece[l]));
		lu_json_put_str(json, NULL, lu_buf_slice(&piece[r]));
		lu_json_close_array(json);
	}
	lu_json_close_array(json);
	return pieces;
}

/* A tokenizer with a few random merges, and its model as JSON. */
static struct lu_tok *random_tokenizer(
		const struct tok_cases *steps, uint64_t *seed, bool bytes, struct lu_buf *json)
{
	size_t norm = bytes ? 0 : unit_random(seed) % NORMALIZERS;
	size_t pre = bytes ? BYTE_LEVEL : unit_random(seed) % PRE_TOKENIZERS;
	struct tok_case t = { .normalizer = steps->line.p[norm].normalizer,
		.pre_tokenizer = steps->line.p[pre].pre_tokenizer };
	struct lu_buf piece[PIECES + 1] = { 0 };
	size_t pieces = put_letters(piece, bytes, pre);

	lu_json_open_object(json, NULL);
	lu_json_put_cstr(json, "type", "BPE");
	if (unit_random(seed) % 4 == 0)
		lu_json_put_bool(json, "ignore_merges", true);
	pieces = put_merges(json, piece, pieces, seed);
	lu_json_open_object(json, "vocab");
	for (size_t i = 0; i < pieces; i++) {
		lu_json_key(json, lu_buf_slice(&piece[i]));
		lu_json_put_u64(json, NULL, i);
	}
	lu_json_close_object(json);
	lu_json_close_object(json);
	for (size_t i = 0; i <= PIECES; i++)
		lu_buf_release(&piece[i]);
	t.model = lu_buf_slice(json);
	return tok_make(&t);
}

/* Mark the ids that any text of up to six letters gives. */
static void mark_live(const struct lu_tok *tok, bool bytes, bool *live)
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
				const char *c = letters[bytes][k % LETTERS];

				memcpy(text + size, c, strlen(c));
				size += strlen(c);
			}
			ids.n = 0;
			assert_int_equal(lu_tok_encode(tok, st, (struct lu_str){ text, size },
							 LU_TOK_SPECIAL_TEXT, &ids, &err),
					0);
			for (size_t j = 0; j < ids.n; j++)
				live[ids.p[j]] = true;
		}
	}
	lu_ids_release(&ids);
	lu_tok_state_free(st);
}

static void no_live_piece_is_dead(void **state)
{
	struct tok_cases steps;
	uint64_t seed = 1;
	size_t not_found = 0, missed = 0, dead = 0;

	(void)state;
	tok_cases_read(&steps, "tokenizer-steps.jsonl");
	assert_int_equal(steps.line.n, PRE_TOKENIZERS);
	for (int round = 0; round < 150; round++) {
		bool bytes = round % 3 == 2, live[PIECES] = { false };
		struct lu_buf json = { 0 };
		struct lu_tok *tok = random_tokenizer(&steps, &seed, bytes, &json);
		struct lu_dead d = { 0 };
		struct lu_err err;

		mark_live(tok, bytes, live);
		assert_int_equal(lu_dead_find(&d, tok, &err), 0);
		for (size_t i = 0; i < d.piece.n; i++) {
			const struct lu_dead_piece *p = &d.piece.p[i];

			if (live[p->id] && p->why != LU_DEAD_NOT_FOUND)
				fail_msg("piece %u is live: reason %d in %s", p->id, p->why,
						json.p);
			missed += live[p->id];
		}
		not_found += d.why[LU_DEAD_NOT_FOUND];
		dead += d.piece.n;
		lu_dead_release(&d);
		lu_tok_free(tok);
		lu_buf_release(&json);
	}
	tok_cases_release(&steps);
	assert_true(dead > 300);
	print_message("# %zu dead pieces; for %zu nothing is proved, and %zu of these are live\n",
			dead, not_found, missed);
	assert_true(not_found * 20 < dead);
	assert_int_equal(missed, 0);
}

/* --- parts of characters ------------------------------------------------------------------ */

/* A model of all bytes, E2 80, which begins U+2000 to U+203F, and each of these characters. With
 * `beside` the third byte of U+2019 and a letter are a piece too. */
static void put_model(struct lu_buf *json, bool beside)
{
	uint32_t id = 256;

	lu_json_open_object(json, NULL);
	lu_json_put_cstr(json, "type", "BPE");
	lu_json_open_object(json, "vocab");
	tok_put_bytes(json);
	if (beside)
		lu_json_put_u64(json, "Ļa", id++);
	lu_json_put_u64(json, "âĢ", id++);
	for (unsigned b = 0x80; b < 0xC0; b++) {
		char piece[16] = "âĢ";

		lu_utf8_put(lu_byte_level_char(b), piece + strlen(piece));
		lu_json_put_u64(json, piece, id++);
	}
	lu_json_close_object(json);
	lu_json_open_array(json, "merges");
	if (beside)
		lu_json_put_cstr(json, NULL, "Ļ a");
	lu_json_put_cstr(json, NULL, "â Ģ");
	for (unsigned b = 0x80; b < 0xC0; b++) {
		char merge[16] = "âĢ ";

		lu_utf8_put(lu_byte_level_char(b), merge + strlen(merge));
		lu_json_put_cstr(json, NULL, merge);
	}
	lu_json_close_array(json);
	lu_json_close_object(json);
}

/* E2 80 merges with every third byte, unless that may be in another piece. */
static void parts_of_characters(void **state)
{
	struct tok_cases cases;
	struct tok_case t;

	(void)state;
	tok_cases_read(&cases, "tokenizers.jsonl");
	t = *tok_case(&cases, "byte level");
	for (int beside = 0; beside < 2; beside++) {
		struct lu_buf json = { 0 };
		struct lu_dead d = { 0 };
		struct lu_tok *tok;
		struct lu_err err;

		put_model(&json, beside);
		t.model = lu_buf_slice(&json);
		tok = tok_make(&t);
		assert_int_equal(lu_dead_find(&d, tok, &err), 0);
		assert_int_equal(d.piece.n, !beside);
		if (!beside)
			assert_int_equal(d.piece.p[0].why, LU_DEAD_NEIGHBOURS);
		lu_dead_release(&d);
		lu_tok_free(tok);
		lu_buf_release(&json);
	}
	tok_cases_release(&cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason),
		cmocka_unit_test(no_live_piece_is_dead),
		cmocka_unit_test(parts_of_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
