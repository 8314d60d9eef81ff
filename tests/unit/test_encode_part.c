/* The ids of a text do not depend on how the work is divided: blocks, cuts, windows, parts, cached
 * chunks, normalizers in one pass or step by step. Random tokenizers, of components that make
 * dividing hard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit_tokenizer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t seed = 1;

static size_t below(size_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (size_t)(seed >> 33) % n;
}

/* --- random tokenizers -------------------------------------------------------------------- */

/* Characters, as JSON spells them and in UTF-8. */
static const struct {
	const char *json, *text;
} units[] = {
	{ "a", "a" },
	{ "b", "b" },
	{ "e", "e" },
	{ " ", " " },
	{ "\\u2581", "\xE2\x96\x81" },
	{ "\\u0301", "\xCC\x81" },
	{ "\\u00e9", "\xC3\xA9" },
	{ "\\u0327", "\xCC\xA7" },
	{ "(", "(" },
	{ "\\u00ff", "\xC3\xBF" },
	{ "\\u1112", "\xE1\x84\x92" },
	{ "\\u1161", "\xE1\x85\xA1" },
	{ "\\ud83d\\ude00", "\xF0\x9F\x98\x80" },
	{ "1", "1" },
	{ "\\u2126", "\xE2\x84\xA6" },
};

/* The lists of random-parts.json: raw JSON values, empty for null. */
static struct list {
	struct lu_str item[16];
	size_t n;
} forms, normalizers, pre_tokenizers, added_tokens;

static void read_list(const struct lu_json_obj *obj, const char *key, struct list *list)
{
	struct lu_json_iter it = lu_json_iter(lu_json_get(obj, key)->value);

	for (list->n = 0; lu_json_next(&it); list->n++) {
		assert_true(list->n < COUNT(list->item));
		list->item[list->n] = it.type == LU_JSON_NULL ? LU_STR("") : it.value;
	}
}

static struct lu_str pick(const struct list *list)
{
	return list->item[below(list->n)];
}

/* Append up to `max` items, each after a comma unless it begins the list. */
static void put_items(struct lu_buf *b, const struct list *list, size_t max)
{
	for (size_t i = 0, n = below(max + 1); i < n; i++) {
		if (b->p[b->n - 1] != '[')
			lu_buf_putc(b, ',');
		lu_buf_str(b, pick(list));
	}
}

/* Pieces as JSON spells them; a piece may come up twice. */
struct vocab {
	char piece[400][128];
	size_t n;
};

static bool has(const struct vocab *v, const char *piece)
{
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->piece[i], piece) == 0)
			return true;
	}
	return false;
}

static void put_model(struct lu_buf *b)
{
	static struct vocab v;
	struct lu_buf merges = { 0 };
	size_t units_kept, max = below(70), keep = below(3) ? 100 : 85;
	bool bytes = below(3) > 0;

	v.n = 0;
	for (size_t i = 0; i < COUNT(units); i++) {
		if (below(100) < keep || i == 0)
			snprintf(v.piece[v.n++], sizeof(v.piece[0]), "%s", units[i].json);
	}
	units_kept = v.n;
	for (size_t i = 0; i < max; i++) {
		const char *x = v.piece[below(2) ? below(v.n) : below(units_kept)];
		const char *y = v.piece[below(2) ? below(v.n) : below(units_kept)];
		char both[128];

		/* The same pair again, or another pair that gives the same piece, is valid. */
		if (snprintf(both, sizeof(both), "%s%s", x, y) > 60)
			continue;
		lu_buf_printf(&merges, "%s[\"%s\",\"%s\"]", merges.n ? "," : "", x, y);
		if (!has(&v, both))
			memcpy(v.piece[v.n++], both, sizeof(both));
	}
	lu_buf_printf(b, "\"model\":{\"type\":\"BPE\",\"fuse_unk\":%s,\"byte_fallback\":%s,",
			below(2) ? "true" : "false", bytes ? "true" : "false");
	lu_buf_printf(b, "\"ignore_merges\":%s,\"unk_token\":%s,\"vocab\":{",
			below(6) ? "false" : "true", below(2) ? "null" : "\"?\"");
	lu_buf_puts(b, "\"?\":0");
	for (size_t i = 0; i < 256 && (bytes || below(2)); i++)
		lu_buf_printf(b, ",\"<0x%02X>\":%zu", (unsigned)i, 700 + i);
	for (size_t i = 0; i < v.n; i++)
		lu_buf_printf(b, ",\"%s\":%zu", v.piece[i], i + 1);
	lu_buf_puts(b, ",\"x\":999},\"merges\":[");
	lu_buf_str(b, lu_buf_slice(&merges));
	lu_buf_puts(b, "]}");
	lu_buf_release(&merges);
}

static struct lu_tok *random_tokenizer(struct lu_buf *json)
{
	struct lu_str token = pick(&added_tokens);
	struct lu_tok *tok;

	lu_buf_clear(json);
	lu_buf_puts(json, "{\"version\":\"1.0\",\"normalizer\":{\"type\":\"Sequence\",");
	lu_buf_puts(json, "\"normalizers\":[");
	lu_buf_str(json, pick(&forms));
	put_items(json, &normalizers, 3);
	lu_buf_puts(json, "]},\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[");
	if (below(2))
		put_items(json, &pre_tokenizers, 3);
	lu_buf_puts(json, "]},");
	put_model(json);
	if (token.n) {
		uint32_t id;

		/* Its id is the next free one. */
		lu_buf_putc(json, '}');
		tok = parse_tokenizer(lu_buf_slice(json));
		id = tok->bpe.pieces;
		lu_tok_free(tok);
		json->n--;
		lu_buf_printf(json, ",\"added_tokens\":[{\"id\":%u,", id);
		lu_buf_append(json, token.p + 1, token.n - 1);
		lu_buf_putc(json, ']');
	}
	lu_buf_putc(json, '}');
	return parse_tokenizer(lu_buf_slice(json));
}

/* --- dividing ----------------------------------------------------------------------------- */

static void random_text(struct lu_buf *text)
{
	size_t n = below(300), period = below(3) ? 300 : 1 + below(7), unit[300];

	for (size_t i = 0; i < period; i++)
		unit[i] = below(below(2) ? 7 : COUNT(units));
	lu_buf_clear(text);
	for (size_t i = 0; i < n; i++) {
		lu_buf_puts(text, units[unit[i % period]].text);
		if (below(50) == 0)
			lu_buf_puts(text, below(2) ? "<s>" : "a<s> b");
	}
}

static void compare(const struct lu_buf *json, struct lu_str s, const struct lu_ids *want,
		const struct lu_ids *got, const char *how)
{
	if (want->n == got->n &&
			(!want->n || memcmp(want->p, got->p, want->n * sizeof(*want->p)) == 0))
		return;
	fail_msg("%s: %zu ids, not %zu: \"%.*s\" by %s", how, got->n, want->n, (int)s.n, s.p,
			json->p);
}

/* Compare the ways to encode a text. Returns the number of parts. */
static size_t divide(struct lu_tok *tok, struct lu_tok_state *st, struct lu_tok_state *small,
		const struct lu_buf *json, struct lu_str s, enum lu_tok_special special)
{
	struct lu_ids whole = { 0 }, got = { 0 };
	struct lu_err err;
	bool cuts = tok->bpe.cuts, pass = tok->components.pass->ok;
	size_t parts = 0;

	tok->bpe.cuts = tok->components.pass->ok = false;
	assert_int_equal(lu_tok_encode(tok, st, s, special, &whole, &err), 0);
	tok->components.pass->ok = pass;
	small->block = 4 + below(40);
	small->bpe.merger.window = 4 + below(50);
	assert_int_equal(lu_tok_encode(tok, small, s, special, &got, &err), 0);
	compare(json, s, &whole, &got, "in blocks and windows");
	tok->bpe.cuts = cuts;
	got.n = 0;
	assert_int_equal(lu_tok_encode(tok, small, s, special, &got, &err), 0);
	compare(json, s, &whole, &got, "with cuts");
	got.n = 0;
	for (size_t from = 0, to; from < s.n; from = to, parts++) {
		to = lu_tok_split(tok, s, from + 1 + below(30), special);
		assert_true(to > from && to <= s.n);
		assert_int_equal(lu_tok_encode_part(tok, small, s, from, to, special, &got, &err),
				0);
	}
	compare(json, s, &whole, &got, "in parts");
	lu_ids_release(&whole);
	lu_ids_release(&got);
	return parts;
}

static void ids_do_not_depend_on_division(void **state)
{
	const char *env = getenv("ROUNDS");
	unsigned long rounds = env ? strtoul(env, NULL, 10) : 300;
	char *lists = tokenizer_data("random-parts.json");
	struct lu_buf json = { 0 }, text = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	size_t parts = 0;

	(void)state;
	assert_int_equal(lu_json_object(lu_str_of(lists), &arena, &obj, &fault), 0);
	read_list(&obj, "forms", &forms);
	read_list(&obj, "normalizers", &normalizers);
	read_list(&obj, "pre_tokenizers", &pre_tokenizers);
	read_list(&obj, "added_tokens", &added_tokens);
	for (unsigned long r = 0; r < rounds; r++) {
		struct lu_tok *tok = random_tokenizer(&json);
		struct lu_tok_state *st, *small;

		st = lu_tok_state_new(tok);
		small = lu_tok_state_new(tok);
		assert_non_null(st);
		assert_non_null(small);
		st->block = st->bpe.merger.window = SIZE_MAX / 2;
		for (int i = 0; i < 8; i++) {
			random_text(&text);
			parts += divide(tok, st, small, &json, lu_buf_slice(&text),
					i & 1 ? LU_TOK_SPECIAL_PARSE : LU_TOK_SPECIAL_TEXT);
		}
		lu_tok_state_free(st);
		lu_tok_state_free(small);
		lu_tok_free(tok);
	}
	assert_true(parts > 10 * rounds);
	lu_arena_release(&arena);
	lu_buf_release(&json);
	lu_buf_release(&text);
	free(lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_do_not_depend_on_division),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
