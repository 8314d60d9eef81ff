#include "libcommon/tokaudit/compare.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/show.h"

int lu_compare_init(struct lu_compare *c, const struct lu_tok *a, const struct lu_tok *b,
		struct lu_err *err)
{
	uint32_t size = lu_tok_size(a);

	*c = (struct lu_compare){ { a, b }, calloc(size + (size_t)1, sizeof(*c->other)) };
	if (!c->other)
		return lu_err_nomem(err);
	for (uint32_t id = 0; id < size; id++) {
		struct lu_str piece = lu_tok_piece(a, id);

		if (!piece.p || !lu_tok_id(b, piece, &c->other[id]))
			c->other[id] = UINT32_MAX;
	}
	return 0;
}

void lu_compare_release(struct lu_compare *c)
{
	free(c->other);
	*c = (struct lu_compare){ 0 };
}

bool lu_compare_ids(const struct lu_compare *c, const struct lu_ids *a, const struct lu_ids *b,
		size_t *first)
{
	size_t n = a->n < b->n ? a->n : b->n, i = 0;

	while (i < n && c->other[a->p[i]] == b->p[i])
		i++;
	*first = i;
	return i < n || a->n != b->n;
}

/* --- the first difference ----------------------------------------------------------------- */

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* Find how far the text is what the first tokens decode to. */
static int find_position(const struct lu_compare *c, struct lu_str text, const struct lu_ids *a,
		size_t first, struct lu_difference *d, struct lu_err *err)
{
	struct lu_tok_state *st = lu_tok_state_new(c->tok[0]);
	struct lu_buf got = { 0 };
	size_t n = 0;
	int rc = st ? lu_tok_decode(c->tok[0], st, a->p, first, 0, &got, NULL, err)
		    : lu_err_nomem(err);

	if (rc == 0) {
		while (n < got.n && n < text.n && got.p[n] == text.p[n])
			n++;
		d->exact = n == got.n;
		/* A byte-level token may end inside a character. */
		while (n && n < text.n && is_continuation(text.p[n]))
			n--;
		d->byte = n;
		d->character = lu_utf8_count(text.p, n);
	}
	lu_buf_release(&got);
	lu_tok_state_free(st);
	return rc;
}

static void find_context(struct lu_str text, struct lu_difference *d)
{
	const char *at = text.p + d->byte, *from = at, *to = at, *end = text.p + text.n;

	for (int i = 0; i < LU_DIFF_CONTEXT && from > text.p; i++) {
		do
			from--;
		while (is_continuation(*from));
	}
	for (int i = 0; i < LU_DIFF_CONTEXT && to < end; i++)
		lu_utf8_next(&to);
	d->before = (struct lu_str){ from, (size_t)(at - from) };
	d->after = (struct lu_str){ at, (size_t)(to - at) };
}

int lu_compare_describe(const struct lu_compare *c, struct lu_str text, const struct lu_ids *a,
		const struct lu_ids *b, size_t first, struct lu_difference *d, struct lu_err *err)
{
	const struct lu_ids *ids[2] = { a, b };
	size_t spelled[2] = { 0, 0 };

	*d = (struct lu_difference){ .tokens = { a->n, b->n } };
	if (find_position(c, text, a, first, d, err) < 0)
		return -1;
	find_context(text, d);
	for (int k = 0; k < 2; k++)
		d->id[k] = ids[k]->n > first ? ids[k]->p + first : NULL;
	/* Take tokens of the one that is behind until both have spelled equally much. */
	do {
		int k = spelled[0] <= spelled[1] ? 0 : 1;
		struct lu_str piece;

		if (first + d->ids[k] >= ids[k]->n)
			k = !k;
		if (first + d->ids[k] >= ids[k]->n || d->ids[k] >= LU_DIFF_TOKENS)
			break;
		piece = lu_tok_piece(c->tok[k], d->id[k][d->ids[k]++]);
		spelled[k] += lu_utf8_count(piece.p, piece.n);
	} while (spelled[0] != spelled[1]);
	return 0;
}

/* --- reports ------------------------------------------------------------------------------ */

void lu_difference_text(const struct lu_compare *c, const char *const name[2],
		const struct lu_difference *d, struct lu_buf *b)
{
	size_t width = strlen(name[0]) > strlen(name[1]) ? strlen(name[0]) : strlen(name[1]);

	lu_buf_masked(b, lu_str_of(d->file));
	lu_buf_printf(b, ":%" PRIu64, d->line);
	if (d->doc_id.p) {
		lu_buf_putc(b, ' ');
		lu_buf_str(b, d->doc_id);
	}
	lu_buf_printf(b, ": %sbyte %" PRIu64 ", character %" PRIu64 "; %zu and %zu tokens\n  ",
			d->exact ? "" : "about ", d->byte, d->character, d->tokens[0],
			d->tokens[1]);
	lu_show(b, d->before);
	lu_buf_puts(b, " | ");
	lu_show(b, d->after);
	lu_buf_putc(b, '\n');
	for (int k = 0; k < 2; k++) {
		lu_buf_puts(b, "  ");
		lu_buf_masked(b, lu_str_of(name[k]));
		lu_buf_printf(b, "%*s ", (int)(width - strlen(name[k])), "");
		for (size_t i = 0; i < d->ids[k]; i++) {
			lu_buf_putc(b, ' ');
			lu_show(b, lu_tok_piece(c->tok[k], d->id[k][i]));
		}
		lu_buf_putc(b, '\n');
	}
}

void lu_difference_json(const struct lu_compare *c, const struct lu_difference *d, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "file", d->file);
	lu_json_put_u64(b, "line", d->line);
	if (d->doc_id.p)
		lu_json_put_raw(b, "id", d->doc_id);
	lu_json_put_u64(b, "byte", d->byte);
	lu_json_put_u64(b, "character", d->character);
	lu_json_put_bool(b, "exact", d->exact);
	lu_json_open_array(b, "tokens");
	for (int k = 0; k < 2; k++)
		lu_json_put_u64(b, NULL, d->tokens[k]);
	lu_json_close_array(b);
	lu_json_put_str(b, "before", d->before);
	lu_json_put_str(b, "after", d->after);
	lu_json_open_array(b, "pieces");
	for (int k = 0; k < 2; k++) {
		lu_json_open_array(b, NULL);
		for (size_t i = 0; i < d->ids[k]; i++)
			lu_json_put_str(b, NULL, lu_tok_piece(c->tok[k], d->id[k][i]));
		lu_json_close_array(b);
	}
	lu_json_close_array(b);
	lu_json_close_object(b);
}

void lu_compare_totals_text(const struct lu_compare_totals *t, struct lu_buf *b)
{
	lu_buf_printf(b,
			"%" PRIu64 " of %" PRIu64 " documents differ; %" PRIu64 " and %" PRIu64
			" tokens\n",
			t->differing, t->documents, t->tokens[0], t->tokens[1]);
}

void lu_compare_totals_json(
		const struct lu_compare_totals *t, const char *const name[2], struct lu_buf *b)
{
	lu_json_close_array(b);
	lu_json_put_u64(b, "documents", t->documents);
	lu_json_put_u64(b, "differing", t->differing);
	lu_json_open_array(b, "tokenizers");
	for (size_t i = 0; i < 2; i++) {
		lu_json_open_object(b, NULL);
		lu_json_put_cstr(b, "file", name[i]);
		lu_json_put_u64(b, "tokens", t->tokens[i]);
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
	lu_json_close_object(b);
}
