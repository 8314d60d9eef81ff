#include "libcommon/tokaudit/fit.h"

#include <math.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/text_table.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/piece_bytes.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

enum { PLAIN, BYTE, UNKNOWN };

int lu_fit_init(struct lu_fit *f, struct lu_tok *const *tok, const char *const *file, size_t n,
		struct lu_err *err)
{
	*f = (struct lu_fit){ .tok = tok, .file = file, .toks = n };
	f->kind = calloc(n + 1, sizeof(*f->kind));
	if (!f->kind)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		uint32_t size = lu_tok_size(tok[i]);
		bool *is_byte = calloc(size + (size_t)1, sizeof(*is_byte));
		int rc;

		f->kind[i] = calloc(size + (size_t)1, 1);
		rc = is_byte && f->kind[i] ? lu_mark_byte_pieces(tok[i], is_byte, err)
					   : lu_err_nomem(err);
		for (uint32_t id = 0; rc == 0 && id < size; id++)
			f->kind[i][id] = is_byte[id] ? BYTE : PLAIN;
		if (rc == 0 && tok[i]->bpe.unk != LU_BPE_NONE)
			f->kind[i][tok[i]->bpe.unk] = UNKNOWN;
		free(is_byte);
		if (rc < 0)
			return -1;
	}
	return 0;
}

void lu_fit_release(struct lu_fit *f)
{
	for (size_t i = 0; i < f->row.n; i++) {
		free(f->row.p[i].group);
		free(f->row.p[i].tokens);
	}
	for (size_t i = 0; f->kind && i < f->toks; i++)
		free(f->kind[i]);
	free(f->kind);
	lu_vec_release(&f->row);
	lu_map_release(&f->groups);
	*f = (struct lu_fit){ 0 };
}

/* --- one text ----------------------------------------------------------------------------- */

/* White_Space, and the four separators of ASCII. */
static bool is_blank(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
	return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
			c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

void lu_fit_measure(struct lu_str text, struct lu_fit_text *out)
{
	const char *p = text.p, *end = text.p + text.n;
	bool in_word = false;

	*out = (struct lu_fit_text){ .docs = 1, .bytes = text.n };
	while (p < end) {
		bool blank = is_blank(lu_utf8_next(&p));

		out->words += !blank && !in_word;
		out->characters++;
		in_word = !blank;
	}
}

void lu_fit_count(const struct lu_fit *f, size_t tok, const uint32_t *ids, size_t n,
		struct lu_fit_tokens *out)
{
	const uint8_t *kind = f->kind[tok];

	*out = (struct lu_fit_tokens){ .tokens = n };
	for (size_t i = 0; i < n; i++) {
		out->byte_tokens += kind[ids[i]] == BYTE;
		out->unknown += kind[ids[i]] == UNKNOWN;
	}
}

/* --- groups ------------------------------------------------------------------------------- */

static uint64_t group_hash(const void *items, uint32_t i)
{
	const struct lu_fit_row *row = items;

	return lu_hash64(row[i].group, strlen(row[i].group), 0);
}

static bool group_same(const void *items, uint32_t i, const void *key)
{
	const struct lu_fit_row *row = items;

	return lu_str_is(*(const struct lu_str *)key, row[i].group);
}

static uint32_t find_row(const struct lu_fit *f, struct lu_str group)
{
	return lu_map_find(
			&f->groups, lu_hash64(group.p, group.n, 0), f->row.p, group_same, &group);
}

static int add_row(struct lu_fit *f, struct lu_str group, struct lu_err *err)
{
	struct lu_fit_row r = { .group = strndup(group.p, group.n),
		.tokens = calloc(f->toks + 1, sizeof(*r.tokens)) };

	if (!r.group || !r.tokens || !lu_map_reserve(&f->groups, f->row.p, group_hash) ||
			!lu_vec_push(&f->row, r)) {
		free(r.group);
		free(r.tokens);
		return lu_err_nomem(err);
	}
	lu_map_add(&f->groups, lu_hash64(group.p, group.n, 0));
	return 0;
}

/* Find the row of a group, or add it, and store its index in f->last. */
static int select_row(struct lu_fit *f, struct lu_str group, struct lu_err *err)
{
	uint32_t i;

	if (!group.p || group.n == 0)
		group = LU_STR("none");
	if (f->row.n && lu_str_is(group, f->row.p[f->last].group))
		return 0;
	i = find_row(f, group);
	if (i == LU_MAP_NONE && f->row.n >= LU_FIT_GROUPS) {
		group = LU_STR("other");
		i = find_row(f, group);
	}
	if (i == LU_MAP_NONE) {
		i = (uint32_t)f->row.n;
		if (add_row(f, group, err) < 0)
			return -1;
	}
	f->last = i;
	return 0;
}

static void sum(struct lu_fit_row *r, const struct lu_fit_text *text,
		const struct lu_fit_tokens *tokens, size_t toks)
{
	r->text.docs += text->docs;
	r->text.characters += text->characters;
	r->text.bytes += text->bytes;
	r->text.words += text->words;
	for (size_t i = 0; i < toks; i++) {
		r->tokens[i].tokens += tokens[i].tokens;
		r->tokens[i].byte_tokens += tokens[i].byte_tokens;
		r->tokens[i].unknown += tokens[i].unknown;
	}
}

int lu_fit_add(struct lu_fit *f, struct lu_str group, const struct lu_fit_text *text,
		const struct lu_fit_tokens *tokens, struct lu_err *err)
{
	if (select_row(f, group, err) < 0)
		return -1;
	sum(&f->row.p[f->last], text, tokens, f->toks);
	return 0;
}

uint64_t lu_fit_total(const struct lu_fit *f, size_t tok)
{
	uint64_t total = 0;

	for (size_t i = 0; i < f->row.n; i++)
		total += f->row.p[i].tokens[tok].tokens;
	return total;
}

/* The rows of a report. */
struct sorted {
	struct lu_fit_row *row; /* their group and tokens belong to the struct lu_fit */
	size_t rows;
	struct lu_fit_row total;
};

static int by_characters(const void *a, const void *b)
{
	const struct lu_fit_row *p = a, *q = b;

	if (p->text.characters != q->text.characters)
		return p->text.characters > q->text.characters ? -1 : 1;
	return strcmp(p->group, q->group);
}

static void sorted_release(struct sorted *s)
{
	free(s->row);
	free(s->total.tokens);
}

static int sorted_init(struct sorted *s, const struct lu_fit *f, struct lu_err *err)
{
	*s = (struct sorted){ .row = malloc((f->row.n + 1) * sizeof(*s->row)),
		.rows = f->row.n,
		.total.tokens = calloc(f->toks + 1, sizeof(*s->total.tokens)) };
	if (!s->row || !s->total.tokens) {
		sorted_release(s);
		return lu_err_nomem(err);
	}
	for (size_t i = 0; i < s->rows; i++) {
		s->row[i] = f->row.p[i];
		sum(&s->total, &s->row[i].text, s->row[i].tokens, f->toks);
	}
	qsort(s->row, s->rows, sizeof(*s->row), by_characters);
	return 0;
}

/* --- the table ---------------------------------------------------------------------------- */

#define COLUMNS 12

static void add_ratio(struct lu_table *t, uint64_t a, uint64_t b, double scale, const char *unit)
{
	lu_table_fixed(t, b ? scale * (double)a / (double)b : (double)NAN, 3, unit);
}

/* Length of the folders that all file names share. */
static size_t shared_folders(const struct lu_fit *f)
{
	const char *slash = strrchr(f->file[0], '/');
	size_t n = slash ? (size_t)(slash - f->file[0]) + 1 : 0;

	for (size_t i = 1; i < f->toks; i++) {
		while (n && strncmp(f->file[0], f->file[i], n) != 0) {
			do
				n--;
			while (n && f->file[0][n - 1] != '/');
		}
	}
	return n;
}

/* Add a line for each tokenizer. */
static void add_group(struct lu_table *t, const struct lu_fit *f, const char *group,
		const struct lu_fit_row *r)
{
	size_t skip = shared_folders(f);

	for (size_t i = 0; i < f->toks; i++) {
		const struct lu_fit_tokens *n = &r->tokens[i];

		lu_table_cstr(t, group);
		lu_table_cstr(t, f->file[i] + skip);
		lu_table_u64(t, r->text.docs);
		lu_table_u64(t, r->text.characters);
		lu_table_u64(t, r->text.bytes);
		lu_table_u64(t, r->text.words);
		lu_table_u64(t, n->tokens);
		add_ratio(t, r->text.characters, n->tokens, 1, "");
		add_ratio(t, r->text.bytes, n->tokens, 1, "");
		add_ratio(t, n->tokens, r->text.words, 1, "");
		add_ratio(t, n->byte_tokens, n->tokens, 100, "%");
		lu_table_u64(t, n->unknown);
	}
}

int lu_fit_table(const struct lu_fit *f, const char *by, struct lu_buf *out, struct lu_err *err)
{
	const char *const heads[COLUMNS] = { by, "tokenizer", "documents", "characters", "bytes",
		"words", "tokens", "chars/token", "bytes/token", "tokens/word", "byte-tokens",
		"unknown" };
	struct lu_table t = { .head = heads, .columns = COLUMNS, .left = 2 };
	struct sorted s;
	int rc;

	if (sorted_init(&s, f, err) < 0)
		return -1;
	for (size_t i = 0; i < s.rows; i++)
		add_group(&t, f, s.row[i].group, &s.row[i]);
	if (s.rows > 1)
		add_group(&t, f, "total", &s.total);
	rc = lu_table_put(&t, out, err);
	lu_table_release(&t);
	sorted_release(&s);
	return rc;
}

/* --- JSON --------------------------------------------------------------------------------- */

/* null if y is 0. */
static void json_ratio(struct lu_buf *b, const char *key, uint64_t x, uint64_t y)
{
	lu_json_put_double(b, key, y ? (double)x / (double)y : (double)NAN);
}

/* Put an object for each tokenizer; group NULL is the total. */
static void json_group(struct lu_buf *b, const struct lu_fit *f, const char *group,
		const struct lu_fit_row *r)
{
	for (size_t i = 0; i < f->toks; i++) {
		const struct lu_fit_tokens *t = &r->tokens[i];

		lu_json_open_object(b, NULL);
		if (group)
			lu_json_put_cstr(b, "group", group);
		lu_json_put_cstr(b, "tokenizer", f->file[i]);
		lu_json_put_u64(b, "documents", r->text.docs);
		lu_json_put_u64(b, "characters", r->text.characters);
		lu_json_put_u64(b, "bytes", r->text.bytes);
		lu_json_put_u64(b, "words", r->text.words);
		lu_json_put_u64(b, "tokens", t->tokens);
		json_ratio(b, "characters_per_token", r->text.characters, t->tokens);
		json_ratio(b, "bytes_per_token", r->text.bytes, t->tokens);
		json_ratio(b, "tokens_per_word", t->tokens, r->text.words);
		lu_json_put_u64(b, "byte_tokens", t->byte_tokens);
		lu_json_put_u64(b, "unknown", t->unknown);
		lu_json_close_object(b);
	}
}

static void json_tokenizers(struct lu_buf *b, const struct lu_fit *f)
{
	lu_json_open_array(b, "tokenizers");
	for (size_t i = 0; i < f->toks; i++) {
		char hash[33];

		lu_hash128_text(lu_tok_hash(f->tok[i]), hash);
		lu_json_open_object(b, NULL);
		lu_json_put_cstr(b, "file", f->file[i]);
		lu_json_put_u64(b, "ids", lu_tok_size(f->tok[i]));
		lu_json_put_cstr(b, "xxh3_128", hash);
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
}

int lu_fit_json(const struct lu_fit *f, const char *by, struct lu_buf *b, struct lu_err *err)
{
	struct sorted s;

	if (sorted_init(&s, f, err) < 0)
		return -1;
	lu_json_open_object(b, NULL);
	lu_json_open_array(b, "rows");
	for (size_t i = 0; i < s.rows; i++)
		json_group(b, f, s.row[i].group, &s.row[i]);
	lu_json_close_array(b);
	lu_json_open_array(b, "total");
	json_group(b, f, NULL, &s.total);
	lu_json_close_array(b);
	lu_json_put_cstr(b, "by", by);
	json_tokenizers(b, f);
	lu_json_close_object(b);
	sorted_release(&s);
	return lu_buf_check(b, err);
}
