/* Counts what tokenizers make of texts, by group. */
#include "libcommon/tokaudit/fit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/piece_bytes.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

enum { PLAIN, BYTES, UNKNOWN };

int lu_eval_start(struct lu_eval *e, struct lu_tok *const *tok, const char *const *file, size_t n,
		struct lu_err *err)
{
	*e = (struct lu_eval){ .tok = tok, .file = file, .toks = n };
	e->kind = calloc(n + 1, sizeof(*e->kind));
	if (!e->kind)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		uint32_t size = lu_tok_size(tok[i]);
		bool *bytes = calloc(size + (size_t)1, sizeof(*bytes));
		int rc;

		e->kind[i] = calloc(size + (size_t)1, 1);
		rc = bytes && e->kind[i] ? lu_mark_byte_pieces(tok[i], bytes, err)
					 : lu_err_nomem(err);
		for (uint32_t id = 0; rc == 0 && id < size; id++)
			e->kind[i][id] = bytes[id] ? BYTES : PLAIN;
		if (rc == 0 && tok[i]->bpe.unk != LU_BPE_NONE)
			e->kind[i][tok[i]->bpe.unk] = UNKNOWN;
		free(bytes);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* --- one text ----------------------------------------------------------------------------- */

/* White_Space, and four separators of ASCII. */
static bool is_blank(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
	return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
			c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

void lu_eval_measure(struct lu_str text, struct lu_eval_text *out)
{
	const char *p = text.p, *end = text.p + text.n;
	bool word = false;

	*out = (struct lu_eval_text){ .docs = 1, .bytes = text.n };
	while (p < end) {
		bool blank = is_blank(lu_utf8_next(&p));

		out->words += !blank && !word;
		out->characters++;
		word = !blank;
	}
}

void lu_eval_count(const struct lu_eval *e, size_t tok, const uint32_t *ids, size_t n,
		struct lu_eval_tokens *out)
{
	const uint8_t *kind = e->kind[tok];

	*out = (struct lu_eval_tokens){ .tokens = n };
	for (size_t i = 0; i < n; i++) {
		out->bytes += kind[ids[i]] == BYTES;
		out->unknown += kind[ids[i]] == UNKNOWN;
	}
}

/* --- groups ------------------------------------------------------------------------------- */

static struct lu_eval_row *row_of(struct lu_eval *e, struct lu_str group)
{
	struct lu_eval_row *r;

	if (!group.p || group.n == 0)
		group = LU_STR("none");
	if (e->rows && lu_str_is(group, e->row[e->last].group))
		return &e->row[e->last];
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < e->rows; i++) {
			if (lu_str_is(group, e->row[i].group)) {
				e->last = i;
				return &e->row[i];
			}
		}
		if (e->rows < LU_EVAL_GROUPS)
			break;
		group = LU_STR("other");
	}
	r = realloc(e->row, (e->rows + 1) * sizeof(*r));
	if (!r)
		return NULL;
	e->row = r;
	r = &r[e->rows];
	*r = (struct lu_eval_row){ .group = strndup(group.p, group.n),
		.tokens = calloc(e->toks + 1, sizeof(*r->tokens)) };
	if (!r->group || !r->tokens) {
		free(r->group);
		free(r->tokens);
		return NULL;
	}
	e->last = e->rows++;
	return r;
}

static void add_to(struct lu_eval_row *r, const struct lu_eval_text *text,
		const struct lu_eval_tokens *tokens, size_t toks)
{
	r->text.docs += text->docs;
	r->text.characters += text->characters;
	r->text.bytes += text->bytes;
	r->text.words += text->words;
	for (size_t i = 0; i < toks; i++) {
		r->tokens[i].tokens += tokens[i].tokens;
		r->tokens[i].bytes += tokens[i].bytes;
		r->tokens[i].unknown += tokens[i].unknown;
	}
}

int lu_eval_add(struct lu_eval *e, struct lu_str group, const struct lu_eval_text *text,
		const struct lu_eval_tokens *tokens, struct lu_err *err)
{
	struct lu_eval_row *r = row_of(e, group);

	if (!r)
		return lu_err_nomem(err);
	add_to(r, text, tokens, e->toks);
	return 0;
}

void lu_eval_release(struct lu_eval *e)
{
	for (size_t i = 0; i < e->rows; i++) {
		free(e->row[i].group);
		free(e->row[i].tokens);
	}
	for (size_t i = 0; e->kind && i < e->toks; i++)
		free(e->kind[i]);
	free(e->kind);
	free(e->row);
	*e = (struct lu_eval){ 0 };
}

static int by_characters(const void *a, const void *b)
{
	const struct lu_eval_row *p = a, *q = b;

	if (p->text.characters != q->text.characters)
		return p->text.characters > q->text.characters ? -1 : 1;
	return strcmp(p->group, q->group);
}

/* Sorts the rows; the sum of all goes to *all, whose tokens are to be freed. */
static int sort_and_sum(struct lu_eval *e, struct lu_eval_row *all, struct lu_err *err)
{
	*all = (struct lu_eval_row){ .tokens = calloc(e->toks + 1, sizeof(*all->tokens)) };
	if (!all->tokens)
		return lu_err_nomem(err);
	if (e->rows)
		qsort(e->row, e->rows, sizeof(*e->row), by_characters);
	e->last = 0;
	for (size_t i = 0; i < e->rows; i++)
		add_to(all, &e->row[i].text, e->row[i].tokens, e->toks);
	return 0;
}

/* --- the table ---------------------------------------------------------------------------- */

#define COLUMNS 12
#define TEXT_COLUMNS 2 /* the first ones are set to the left */

static const char *const heads[COLUMNS] = { NULL, "tokenizer", "documents", "characters", "bytes",
	"words", "tokens", "chars/token", "bytes/token", "tokens/word", "byte-tokens", "unknown" };

/* Cells are the strings of one buffer, each with its NUL. */
struct cells {
	struct lu_buf text;
	size_t n, width[COLUMNS];
};

static void cell(struct cells *c, const char *s)
{
	size_t column = c->n++ % COLUMNS, n = lu_utf8_count(s, strlen(s));

	lu_buf_puts(&c->text, s);
	lu_buf_putc(&c->text, '\0');
	c->width[column] = n > c->width[column] ? n : c->width[column];
}

static void number(struct cells *c, uint64_t v)
{
	char s[32];

	snprintf(s, sizeof(s), "%" PRIu64, v);
	cell(c, s);
}

static void ratio(struct cells *c, uint64_t a, uint64_t b, double scale, const char *unit)
{
	char s[40];

	snprintf(s, sizeof(s), "%.3f%s", b ? scale * (double)a / (double)b : 0, unit);
	cell(c, b ? s : "-");
}

/* Bytes of the folders that all names share. */
static size_t shared_folders(const struct lu_eval *e)
{
	const char *slash = strrchr(e->file[0], '/');
	size_t n = slash ? (size_t)(slash - e->file[0]) + 1 : 0;

	for (size_t i = 1; i < e->toks; i++) {
		while (n && strncmp(e->file[0], e->file[i], n) != 0) {
			do
				n--;
			while (n && e->file[0][n - 1] != '/');
		}
	}
	return n;
}

static void cells_of(struct cells *c, const struct lu_eval *e, const char *group,
		const struct lu_eval_row *r)
{
	size_t skip = shared_folders(e);

	for (size_t i = 0; i < e->toks; i++) {
		const struct lu_eval_tokens *t = &r->tokens[i];

		cell(c, group);
		cell(c, e->file[i] + skip);
		number(c, r->text.docs);
		number(c, r->text.characters);
		number(c, r->text.bytes);
		number(c, r->text.words);
		number(c, t->tokens);
		ratio(c, r->text.characters, t->tokens, 1, "");
		ratio(c, r->text.bytes, t->tokens, 1, "");
		ratio(c, t->tokens, r->text.words, 1, "");
		ratio(c, t->bytes, t->tokens, 100, "%");
		number(c, t->unknown);
	}
}

static void pad(struct lu_buf *b, size_t n)
{
	while (n-- > 0)
		lu_buf_putc(b, ' ');
}

static void write_cells(const struct cells *c, struct lu_buf *b)
{
	const char *s = c->text.p;

	for (size_t i = 0; i < c->n; i++, s += strlen(s) + 1) {
		size_t column = i % COLUMNS, n = c->width[column] - lu_utf8_count(s, strlen(s));

		if (column)
			lu_buf_puts(b, "  ");
		if (column >= TEXT_COLUMNS)
			pad(b, n);
		lu_buf_puts(b, s);
		if (column < TEXT_COLUMNS)
			pad(b, n);
		if (column == COLUMNS - 1)
			lu_buf_putc(b, '\n');
	}
}

int lu_eval_table(struct lu_eval *e, const char *by, struct lu_buf *out, struct lu_err *err)
{
	struct cells c = { 0 };
	struct lu_eval_row all;
	int rc;

	if (sort_and_sum(e, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < COLUMNS; i++)
		cell(&c, i ? heads[i] : by);
	for (size_t i = 0; i < e->rows; i++)
		cells_of(&c, e, e->row[i].group, &e->row[i]);
	if (e->rows > 1)
		cells_of(&c, e, "total", &all);
	rc = lu_buf_check(&c.text, err);
	if (rc == 0)
		write_cells(&c, out);
	lu_buf_release(&c.text);
	free(all.tokens);
	return rc < 0 ? -1 : lu_buf_check(out, err);
}

/* --- JSON --------------------------------------------------------------------------------- */

static void json_ratio(struct lu_buf *b, const char *name, uint64_t x, uint64_t y)
{
	lu_buf_printf(b, ",\"%s\":", name);
	if (y)
		lu_json_number(b, (double)x / (double)y);
	else
		lu_buf_puts(b, "null");
}

static void json_rows(struct lu_buf *b, const struct lu_eval *e, const struct lu_eval_row *r,
		const char *group, bool more)
{
	for (size_t i = 0; i < e->toks; i++) {
		const struct lu_eval_tokens *t = &r->tokens[i];

		lu_buf_puts(b, more || i ? ",{" : "{");
		if (group) {
			lu_buf_puts(b, "\"group\":");
			lu_json_quote(b, lu_str_of(group));
			lu_buf_putc(b, ',');
		}
		lu_buf_puts(b, "\"tokenizer\":");
		lu_json_quote(b, lu_str_of(e->file[i]));
		lu_buf_printf(b,
				",\"documents\":%" PRIu64 ",\"characters\":%" PRIu64
				",\"bytes\":%" PRIu64 ",\"words\":%" PRIu64 ",\"tokens\":%" PRIu64,
				r->text.docs, r->text.characters, r->text.bytes, r->text.words,
				t->tokens);
		json_ratio(b, "characters_per_token", r->text.characters, t->tokens);
		json_ratio(b, "bytes_per_token", r->text.bytes, t->tokens);
		json_ratio(b, "tokens_per_word", t->tokens, r->text.words);
		lu_buf_printf(b, ",\"byte_tokens\":%" PRIu64 ",\"unknown\":%" PRIu64 "}", t->bytes,
				t->unknown);
	}
}

int lu_eval_json(struct lu_eval *e, const char *by, struct lu_buf *b, struct lu_err *err)
{
	struct lu_eval_row all;

	if (sort_and_sum(e, &all, err) < 0)
		return -1;
	lu_buf_puts(b, "{\"rows\":[");
	for (size_t i = 0; i < e->rows; i++)
		json_rows(b, e, &e->row[i], e->row[i].group, i > 0);
	lu_buf_puts(b, "],\"total\":[");
	json_rows(b, e, &all, NULL, false);
	lu_buf_puts(b, "],\"by\":");
	lu_json_quote(b, lu_str_of(by));
	lu_buf_puts(b, ",\"tokenizers\":[");
	for (size_t i = 0; i < e->toks; i++) {
		char hash[33];

		lu_hash128_text(lu_tok_hash(e->tok[i]), hash);
		lu_buf_puts(b, i ? ",{\"file\":" : "{\"file\":");
		lu_json_quote(b, lu_str_of(e->file[i]));
		lu_buf_printf(b, ",\"ids\":%" PRIu32 ",\"xxh3_128\":\"%s\"}",
				lu_tok_size(e->tok[i]), hash);
	}
	lu_buf_puts(b, "]}");
	free(all.tokens);
	return lu_buf_check(b, err);
}
