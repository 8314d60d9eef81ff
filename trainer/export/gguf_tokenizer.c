#include "trainer/export/gguf_tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"
#include "trainer/run/json_members.h"

#define TOKENIZER_MAX ((size_t)1 << 30)

/* Kinds of tokens, as llama.cpp numbers them. */
enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6 };

static const char space[] = "\u2581";

struct source {
	const struct lt_gguf *g;
	char *text;
	struct lu_json_obj file, model;
	struct lu_arena arena;
	bool of_bytes;	 /* pieces of bytes, in the letters that GPT-2 has for them */
	const char *pre; /* of_bytes: the name of the expression */
	unsigned steps;	 /* of the pre-tokenizer */
	bool prefix;	 /* a space in front of the text */
	int32_t *kind;	 /* by id */
	float *score;
};

/* --- the file --------------------------------------------------------------------------------- */

static bool is_text(const struct lu_json_member *m, const char *text)
{
	return m && lt_json_is_text(m, text);
}

static int get_object(struct source *s, const struct lu_json_member *m, struct lu_json_obj *o)
{
	struct lu_json_fault fault;

	return m && m->type == LU_JSON_OBJECT ? lu_json_object(m->value, &s->arena, o, &fault) : -1;
}

static int open_source(struct source *s, struct lu_err *err)
{
	const char *path = s->g->tokenizer;
	struct lu_json_fault fault;
	size_t n;

	if (lu_read_file(path, TOKENIZER_MAX, &s->text, &n, err) < 0)
		return -1;
	/* It has been loaded before, so that only the memory can be missing. */
	if (lu_json_object((struct lu_str){ s->text, n }, &s->arena, &s->file, &fault) < 0 ||
			get_object(s, lu_json_get(&s->file, "model"), &s->model) < 0)
		return lu_err_set(err, "%s: not a tokenizer.json", path);
	return 0;
}

static int refuse(const struct source *s, const char *what, struct lu_err *err)
{
	return lu_err_set(err,
			"%s: llama.cpp has no tokenizer for %s: export without it, by "
			"--no-tokenizer",
			s->g->tokenizer, what);
}

/* --- which kind ------------------------------------------------------------------------------- */

/* Names that llama.cpp has for the expressions that split a text. */
static const struct {
	const char *regex, *name;
} splits[] = {
	{ "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
	  "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
			"llama-bpe" },
	{ "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
	  "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
			"qwen2" },
};

/* The name of a step Split, or NULL. */
static const char *name_of_split(struct source *s, const struct lu_json_obj *step)
{
	struct lu_json_obj pattern;
	const struct lu_json_member *m;
	struct lu_str regex;

	if (get_object(s, lu_json_get(step, "pattern"), &pattern) < 0)
		return NULL;
	m = lu_json_get(&pattern, "Regex");
	if (!m || m->type != LU_JSON_STRING || lu_json_decode(m->value, &s->arena, &regex) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
		if (lu_str_is(regex, splits[i].regex))
			return splits[i].name;
	}
	return NULL;
}

/* Follow the steps of a pre-tokenizer; s->pre is NULL where llama.cpp has no name for them. */
static void name_steps(struct source *s, const struct lu_json_obj *pre)
{
	const struct lu_json_member *list = lu_json_get(pre, "pretokenizers"), *m;
	struct lu_json_iter it;
	struct lu_json_obj step;
	bool splits_itself;

	if (is_text(lu_json_get(pre, "type"), "Sequence") && list && list->type == LU_JSON_ARRAY) {
		for (it = lu_json_iter(list->value); lu_json_next(&it);) {
			struct lu_json_member one = { .value = it.value, .type = it.type };

			if (get_object(s, &one, &step) == 0)
				name_steps(s, &step);
		}
		return;
	}
	if (is_text(lu_json_get(pre, "type"), "ByteLevel")) {
		m = lu_json_get(pre, "use_regex");
		splits_itself = !m || m->type != LU_JSON_FALSE;
		m = lu_json_get(pre, "add_prefix_space");
		s->of_bytes = true;
		if (splits_itself)
			s->pre = s->steps == 0 ? "gpt-2" : NULL;
		if (!m || m->type != LU_JSON_FALSE)
			s->pre = NULL;
	} else {
		s->pre = s->steps == 0 && is_text(lu_json_get(pre, "type"), "Split")
				? name_of_split(s, pre)
				: NULL;
	}
	s->steps++;
}

/* True if the first piece of a text begins with the sign for a space. */
static int find_prefix(struct source *s, struct lu_err *err)
{
	struct lu_tok_state *st = lu_tok_state_new(s->g->tok);
	struct lu_ids ids = { 0 };
	struct lu_str piece;
	int rc = -1;

	if (!st)
		return lu_err_nomem(err);
	if (lu_tok_encode(s->g->tok, st, LU_STR("a"), LU_TOK_SPECIAL_TEXT, &ids, err) == 0) {
		piece = ids.n ? lu_tok_piece(s->g->tok, ids.p[0]) : (struct lu_str){ "", 0 };
		s->prefix = piece.n >= 3 && memcmp(piece.p, space, 3) == 0;
		rc = 0;
	}
	lu_ids_release(&ids);
	lu_tok_state_free(st);
	return rc;
}

/* The id of the token of a byte. */
static bool byte_token(const struct source *s, unsigned byte, uint32_t *id)
{
	char name[8];

	snprintf(name, sizeof(name), "<0x%02X>", byte);
	return lu_tok_id(s->g->tok, lu_str_of(name), id);
}

static int find_kind(struct source *s, struct lu_err *err)
{
	const struct lu_json_member *m;
	struct lu_json_obj pre;
	uint32_t id;

	if (get_object(s, lu_json_get(&s->file, "pre_tokenizer"), &pre) == 0)
		name_steps(s, &pre);
	/* Whole words that are pieces are taken without merges under the name of Llama 3 alone. */
	m = lu_json_get(&s->model, "ignore_merges");
	if (s->pre && (strcmp(s->pre, "llama-bpe") == 0) != (m && m->type == LU_JSON_TRUE))
		s->pre = NULL;
	if (s->of_bytes)
		return s->pre ? 0 : refuse(s, "the way its pre_tokenizer splits texts", err);
	for (unsigned i = 0; i < 256; i++) {
		if (!byte_token(s, i, &id))
			return refuse(s, "pieces of characters without tokens for all bytes", err);
	}
	if (!lu_tok_id(s->g->tok, lu_str_of(space), &id))
		return refuse(s, "pieces of characters without U+2581", err);
	return find_prefix(s, err);
}

/* --- tokens ----------------------------------------------------------------------------------- */

/* Tokens that are added but not special. */
static void mark_added(struct source *s, size_t n)
{
	const struct lu_json_member *m = lu_json_get(&s->file, "added_tokens");
	struct lu_json_iter it;

	if (!m || m->type != LU_JSON_ARRAY)
		return;
	for (it = lu_json_iter(m->value); lu_json_next(&it);) {
		struct lu_json_member one = { .value = it.value, .type = it.type };
		const struct lu_json_member *number, *special;
		struct lu_json_obj o;
		uint64_t id;

		if (get_object(s, &one, &o) < 0)
			continue;
		number = lu_json_get(&o, "id");
		special = lu_json_get(&o, "special");
		if (number && lu_json_u64(number, &id) && id < n &&
				(!special || special->type != LU_JSON_TRUE))
			s->kind[id] = USER_DEFINED;
	}
}

static void find_kinds(struct source *s, size_t vocab)
{
	const struct lu_tok *tok = s->g->tok;
	uint32_t n = lu_tok_size(tok), id;

	for (size_t i = 0; i < vocab; i++)
		s->kind[i] = i < n && lu_tok_piece(tok, (uint32_t)i).p ? NORMAL : UNUSED;
	for (unsigned i = 0; i < 256 && !s->of_bytes; i++) {
		if (byte_token(s, i, &id))
			s->kind[id] = BYTE;
	}
	mark_added(s, n);
	for (uint32_t i = 0; i < n; i++) {
		if (lu_tok_is_special(tok, i))
			s->kind[i] = CONTROL;
	}
	if (!s->of_bytes && lu_tok_role(tok, LU_TOK_UNK, &id))
		s->kind[id] = UNKNOWN;
}

static void put_tokens(struct source *s, struct lt_gguf_pairs *p, size_t vocab)
{
	uint32_t n = lu_tok_size(s->g->tok);
	char name[32];

	lt_gguf_array(p, "tokenizer.ggml.tokens", LT_GGUF_STRING, vocab);
	for (size_t i = 0; i < vocab; i++) {
		struct lu_str piece = { NULL, 0 };

		if (i < n)
			piece = lu_tok_piece(s->g->tok, (uint32_t)i);
		if (!piece.p) {
			/* No text of a tokenizer, and no two alike. */
			snprintf(name, sizeof(name), "[unused %zu]", i);
			piece = lu_str_of(name);
		}
		lt_gguf_element(p, piece);
	}
	lt_gguf_array(p, "tokenizer.ggml.token_type", LT_GGUF_I32, vocab);
	for (size_t i = 0; i < vocab; i++)
		lu_buf_le32(&p->b, (uint32_t)s->kind[i]);
}

/* --- merges ----------------------------------------------------------------------------------- */

/* A merge as "left right", whichever way the file spells it: a text, or a list of two. */
static int read_merge(struct source *s, const struct lu_json_iter *it, struct lu_buf *merge,
		size_t *left, struct lu_err *err)
{
	struct lu_json_iter part;
	struct lu_str text;
	size_t n = 0;

	lu_buf_clear(merge);
	if (it->type == LU_JSON_STRING) {
		if (lu_json_decode(it->value, &s->arena, &text) < 0)
			return lu_err_nomem(err);
		lu_buf_str(merge, text);
		*left = 0;
		while (*left < text.n && (text.p[*left] != ' ' || *left == 0))
			(*left)++;
		return lu_buf_check(merge, err);
	}
	for (part = lu_json_iter(it->value); lu_json_next(&part); n++) {
		if (lu_json_decode(part.value, &s->arena, &text) < 0)
			return lu_err_nomem(err);
		if (n == 1) {
			*left = merge->n;
			lu_buf_putc(merge, ' ');
		}
		lu_buf_str(merge, text);
	}
	return lu_buf_check(merge, err);
}

/* Give each piece the number of the first merge that makes it, or append the merges themselves. */
static int use_merges(struct source *s, struct lt_gguf_pairs *p, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&s->model, "merges");
	struct lu_buf merge = { 0 };
	struct lu_json_iter it;
	size_t n = 0, left = 0;
	int rc = 0;

	if (!m || m->type != LU_JSON_ARRAY)
		return refuse(s, "a model without merges", err);
	for (it = lu_json_iter(m->value); s->of_bytes && lu_json_next(&it);)
		n++;
	if (s->of_bytes)
		lt_gguf_array(p, "tokenizer.ggml.merges", LT_GGUF_STRING, n);
	n = 0;
	for (it = lu_json_iter(m->value); rc == 0 && lu_json_next(&it); n++) {
		uint32_t id;

		rc = read_merge(s, &it, &merge, &left, err);
		if (rc < 0 || s->of_bytes) {
			lt_gguf_element(p, lu_buf_slice(&merge));
			continue;
		}
		memmove(merge.p + left, merge.p + left + 1, merge.n - left - 1);
		if (lu_tok_id(s->g->tok, (struct lu_str){ merge.p, merge.n - 1 }, &id) &&
				s->score[id] == 0)
			s->score[id] = -(float)(n + 1);
	}
	lu_buf_release(&merge);
	return rc;
}

static void put_scores(const struct source *s, struct lt_gguf_pairs *p, size_t vocab)
{
	lt_gguf_array(p, "tokenizer.ggml.scores", LT_GGUF_F32, vocab);
	for (size_t i = 0; i < vocab; i++) {
		/* Of pieces that no merge makes, the score is never looked at before others. */
		float score = s->kind[i] == NORMAL && s->score[i] == 0 ? -1e9f : s->score[i];
		uint32_t u;

		memcpy(&u, &score, sizeof(u));
		lu_buf_le32(&p->b, u);
	}
}

/* --- all of it -------------------------------------------------------------------------------- */

static void put_ids(const struct source *s, struct lt_gguf_pairs *p)
{
	static const struct {
		enum lu_tok_role role;
		const char *key;
	} roles[] = {
		{ LU_TOK_BOS, "tokenizer.ggml.bos_token_id" },
		{ LU_TOK_EOS, "tokenizer.ggml.eos_token_id" },
		{ LU_TOK_UNK, "tokenizer.ggml.unknown_token_id" },
		{ LU_TOK_PAD, "tokenizer.ggml.padding_token_id" },
	};
	const struct lu_tok *tok = s->g->tok;
	struct lu_tok_template around = lu_tok_template(tok);
	uint32_t id;

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (lu_tok_role(tok, roles[i].role, &id))
			lt_gguf_u32(p, roles[i].key, id);
	}
	lt_gguf_bool(p, "tokenizer.ggml.add_bos_token",
			lu_tok_role(tok, LU_TOK_BOS, &id) && around.n_before &&
					around.before[0] == id);
	lt_gguf_bool(p, "tokenizer.ggml.add_eos_token",
			lu_tok_role(tok, LU_TOK_EOS, &id) && around.n_after &&
					around.after[around.n_after - 1] == id);
}

static int put_all(struct source *s, struct lt_gguf_pairs *p, size_t vocab, struct lu_err *err)
{
	if (open_source(s, err) < 0 || find_kind(s, err) < 0)
		return -1;
	s->kind = calloc(vocab, sizeof(*s->kind));
	s->score = calloc(vocab, sizeof(*s->score));
	if (!s->kind || !s->score)
		return lu_err_nomem(err);
	find_kinds(s, vocab);
	lt_gguf_string(p, "tokenizer.ggml.model", s->of_bytes ? LU_STR("gpt2") : LU_STR("llama"));
	lt_gguf_string(p, "tokenizer.ggml.pre", lu_str_of(s->of_bytes ? s->pre : "default"));
	put_tokens(s, p, vocab);
	if (use_merges(s, p, err) < 0)
		return -1;
	if (!s->of_bytes) {
		put_scores(s, p, vocab);
		lt_gguf_bool(p, "tokenizer.ggml.add_space_prefix", s->prefix);
	}
	put_ids(s, p);
	if (s->g->chat.n)
		lt_gguf_string(p, "tokenizer.chat_template", s->g->chat);
	return 0;
}

int lt_gguf_tokenizer(
		struct lt_gguf_pairs *p, const struct lt_gguf *g, size_t vocab, struct lu_err *err)
{
	struct source s = { .g = g };
	int rc = put_all(&s, p, vocab, err);

	lu_arena_release(&s.arena);
	free(s.score);
	free(s.kind);
	free(s.text);
	return rc;
}
