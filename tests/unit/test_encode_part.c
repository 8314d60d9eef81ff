/* The ids of a text do not depend on how the work is divided: on blocks, cuts, windows, parts,
 * remembered chunks, and whether normalizers are one pass or step by step. Tokenizers at random, of components that make dividing hard. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "libcommon/tokenizer/tokenizer_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t seed = 1;

static size_t below(size_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (size_t)(seed >> 33) % n;
}

/* --- files -------------------------------------------------------------------------------- */

/* As JSON spells them, and in UTF-8. */
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

#define REPLACE(kind, what, by) \
	"{\"type\":\"Replace\",\"pattern\":{\"" kind "\":\"" what "\"},\"content\":\"" by "\"}"

static const char *const forms[] = { "{\"type\":\"NFC\"},", "{\"type\":\"NFD\"},",
	"{\"type\":\"NFKC\"},", "{\"type\":\"NFKD\"},", "", "", "" };
static const char *const norms[] = {
	REPLACE("String", " ", "\\u2581"),
	REPLACE("String", "b", ""),
	REPLACE("String", "\\u00e9", "e("),
	REPLACE("String", "a", "bab"),
	REPLACE("String", "e", "("),
	REPLACE("Regex", "[1\\u0301]", " "),
	REPLACE("Regex", "\\\\((?=[\\\\wa ])", "( "),
	REPLACE("Regex", "a(?=[\\\\wa ])", "a "),
	REPLACE("String", "ab", "e"),
	REPLACE("Regex", "b(?=[ b])", ""),
	"{\"type\":\"Prepend\",\"prepend\":\"\\u2581\"}",
	"{\"type\":\"Prepend\",\"prepend\":\"e\"}",
	"{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":false}",
};
static const char *const pres[] = {
	"{\"type\":\"WhitespaceSplit\"}",
	"{\"type\":\"Whitespace\"}",
	"{\"type\":\"Digits\",\"individual_digits\":false}",
	"{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}",
	"{\"type\":\"Punctuation\",\"behavior\":\"MergedWithNext\"}",
	"{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"split\":false}",
	"{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"split\":true}",
	"{\"type\":\"Metaspace\",\"replacement\":\"a\",\"split\":false}",
	"{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_scheme\":\"never\"}",
	"{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"Removed\","
	"\"invert\":false}",
	"{\"type\":\"Split\",\"pattern\":{\"Regex\":\"'s|'t|'re|'ve|'m|'ll|'d| ?\\\\p{L}+| "
	"?\\\\p{N}+| ?[^\\\\s\\\\p{L}\\\\p{N}]+|\\\\s+(?!\\\\S)|\\\\s+\"},"
	"\"behavior\":\"Isolated\",\"invert\":false}",
};
static const char *const added[] = {
	"",
	"",
	"{\"id\":1000,\"content\":\"<s>\",\"special\":true,\"normalized\":false}",
	"{\"id\":1000,\"content\":\"a<s> b\",\"special\":false,\"normalized\":false}",
	"{\"id\":1000,\"content\":\"<s>a\",\"special\":false,\"normalized\":true}",
	"{\"id\":1000,\"content\":\"<s>\",\"special\":false,\"normalized\":false,\"lstrip\":true}",
};

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

static void model(struct lu_buf *b)
{
	static struct vocab v;
	struct lu_buf merges = { 0 };
	size_t firsts, most = below(70), keep = below(3) ? 100 : 85;
	bool bytes = below(3) > 0;

	v.n = 0;
	for (size_t i = 0; i < COUNT(units); i++) {
		if (below(100) < keep || i == 0)
			snprintf(v.piece[v.n++], sizeof(v.piece[0]), "%s", units[i].json);
	}
	firsts = v.n;
	for (size_t i = 0; i < most; i++) {
		const char *x = v.piece[below(2) ? below(v.n) : below(firsts)];
		const char *y = v.piece[below(2) ? below(v.n) : below(firsts)];
		char both[128];

		/* The same pair again, or another way to the same piece, is fine. */
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
	lu_buf_printf(b, ",\"x\":999},\"merges\":[");
	lu_buf_str(b, lu_buf_slice(&merges));
	lu_buf_puts(b, "]}}");
	lu_buf_release(&merges);
}

static void list(struct lu_buf *b, const char *const *from, size_t n, size_t most)
{
	for (size_t i = 0, count = below(most + 1); i < count; i++)
		lu_buf_printf(b, "%s%s", i ? "," : "", from[below(n)]);
}

static struct lu_tok *random_tokenizer(struct lu_buf *json)
{
	struct lu_tok *tok;
	struct lu_err err = { 0 };
	const char *token = added[below(COUNT(added))];

	lu_buf_clear(json);
	lu_buf_printf(json, "{\"version\":\"1.0\",\"normalizer\":{\"type\":\"Sequence\",");
	lu_buf_printf(json, "\"normalizers\":[%s", forms[below(COUNT(forms))]);
	list(json, norms, COUNT(norms), 3);
	if (json->p[json->n - 1] == ',')
		json->n--;
	lu_buf_puts(json, "]},\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[");
	if (below(2))
		list(json, pres, COUNT(pres), 3);
	lu_buf_puts(json, "]},");
	model(json);
	/* A token that the model has not gets the next free id. */
	json->n--;
	if (*token) {
		const char *id = strstr(token, "1000");

		lu_buf_puts(json, "}");
		assert_int_equal(lu_tok_parse(&tok, "x", lu_buf_slice(json), &err), 0);
		json->n--;
		lu_buf_printf(json, ",\"added_tokens\":[%.*s%u%s]", (int)(id - token), token,
				tok->bpe.pieces, id + 4);
		lu_tok_free(tok);
	}
	lu_buf_puts(json, "}");
	if (lu_tok_parse(&tok, "x", lu_buf_slice(json), &err) < 0)
		fail_msg("%s\n%s", err.msg, json->p);
	return tok;
}

/* --- dividing ----------------------------------------------------------------------------- */

static void random_text(struct lu_buf *text)
{
	size_t n = below(300), period = below(3) ? 300 : 1 + below(7), pick[300];

	for (size_t i = 0; i < period; i++)
		pick[i] = below(below(2) ? 7 : COUNT(units));
	lu_buf_clear(text);
	for (size_t i = 0; i < n; i++) {
		lu_buf_puts(text, units[pick[i % period]].text);
		if (below(50) == 0)
			lu_buf_puts(text, below(2) ? "<s>" : "a<s> b");
	}
}

static void compare(const struct lu_buf *json, struct lu_str s, const struct lu_ids *want,
		const struct lu_ids *got, const char *what)
{
	if (want->n == got->n &&
			(!want->n || memcmp(want->p, got->p, want->n * sizeof(*want->p)) == 0))
		return;
	fail_msg("%s: %zu ids, not %zu: \"%.*s\" by %s", what, got->n, want->n, (int)s.n, s.p,
			json->p);
}

static size_t divide(struct lu_tok *tok, struct lu_tok_state *st, struct lu_tok_state *small,
		const struct lu_buf *json, struct lu_str s, enum lu_tok_special special)
{
	struct lu_ids whole = { 0 }, got = { 0 };
	struct lu_err err;
	bool cuts = tok->bpe.cuts, pass = tok->parts.pass->ok;
	size_t parts = 0;

	tok->bpe.cuts = tok->parts.pass->ok = false;
	assert_int_equal(lu_tok_encode(tok, st, s, special, &whole, &err), 0);
	tok->parts.pass->ok = pass;
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

static void division_changes_nothing(void **state)
{
	const char *env = getenv("ROUNDS");
	unsigned long rounds = env ? strtoul(env, NULL, 10) : 300;
	struct lu_buf json = { 0 }, text = { 0 };
	size_t parts = 0;

	(void)state;
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
	lu_buf_release(&json);
	lu_buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(division_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
