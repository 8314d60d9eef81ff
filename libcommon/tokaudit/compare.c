/* Compares what two tokenizers make of a text. */
#include "libcommon/tokaudit/compare.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokaudit/show.h"

int lu_diff_start(struct lu_diff *d, const struct lu_tok *a, const struct lu_tok *b,
		struct lu_err *err)
{
	uint32_t size = lu_tok_size(a);

	*d = (struct lu_diff){ { a, b }, calloc(size + (size_t)1, sizeof(*d->other)) };
	if (!d->other)
		return lu_err_nomem(err);
	for (uint32_t id = 0; id < size; id++) {
		struct lu_str piece = lu_tok_piece(a, id);

		if (!piece.p || !lu_tok_id(b, piece, &d->other[id]))
			d->other[id] = UINT32_MAX;
	}
	return 0;
}

void lu_diff_release(struct lu_diff *d)
{
	free(d->other);
	*d = (struct lu_diff){ 0 };
}

bool lu_diff_at(const struct lu_diff *d, const struct lu_ids *a, const struct lu_ids *b,
		size_t *first)
{
	size_t n = a->n < b->n ? a->n : b->n, i = 0;

	while (i < n && d->other[a->p[i]] == b->p[i])
		i++;
	*first = i;
	return i < n || a->n != b->n;
}

/* --- the first difference ----------------------------------------------------------------- */

/* How far the text is what the first tokens decode to. */
static int find_place(const struct lu_diff *d, struct lu_str text, const struct lu_ids *a,
		size_t first, struct lu_difference *out, struct lu_err *err)
{
	struct lu_tok_state *st = lu_tok_state_new(d->tok[0]);
	struct lu_buf got = { 0 };
	size_t n = 0;
	int rc = st ? lu_tok_decode(d->tok[0], st, a->p, first, 0, &got, NULL, err)
		    : lu_err_nomem(err);

	if (rc == 0) {
		while (n < got.n && n < text.n && got.p[n] == text.p[n])
			n++;
		out->exact = n == got.n;
		/* A byte-level token may end inside a character. */
		while (n && n < text.n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
			n--;
		out->byte = n;
		out->character = lu_utf8_count(text.p, n);
	}
	lu_buf_release(&got);
	lu_tok_state_free(st);
	return rc;
}

static void take_context(struct lu_str text, struct lu_difference *w)
{
	const char *place = text.p + w->byte, *from = place, *to = place, *end = text.p + text.n;

	for (int i = 0; i < LU_DIFF_CONTEXT && from > text.p; i++) {
		do
			from--;
		while (((unsigned char)*from & 0xC0) == 0x80);
	}
	for (int i = 0; i < LU_DIFF_CONTEXT && to < end; i++)
		lu_utf8_next(&to);
	w->before = (struct lu_str){ from, (size_t)(place - from) };
	w->after = (struct lu_str){ place, (size_t)(to - place) };
}

int lu_diff_look(const struct lu_diff *d, struct lu_str text, const struct lu_ids *a,
		const struct lu_ids *b, size_t first, struct lu_difference *w, struct lu_err *err)
{
	const struct lu_ids *ids[2] = { a, b };
	size_t said[2] = { 0, 0 };

	*w = (struct lu_difference){ .tokens = { a->n, b->n } };
	if (find_place(d, text, a, first, w, err) < 0)
		return -1;
	take_context(text, w);
	for (int k = 0; k < 2; k++)
		w->id[k] = ids[k]->n > first ? ids[k]->p + first : NULL;
	/* The shorter one goes on until both have spelled equally much. */
	do {
		int k = said[0] <= said[1] ? 0 : 1;
		struct lu_str piece;

		if (first + w->n[k] >= ids[k]->n)
			k = !k;
		if (first + w->n[k] >= ids[k]->n || w->n[k] >= LU_DIFF_TOKENS)
			break;
		piece = lu_tok_piece(d->tok[k], w->id[k][w->n[k]++]);
		said[k] += lu_utf8_count(piece.p, piece.n);
	} while (said[0] != said[1]);
	return 0;
}

/* --- telling ------------------------------------------------------------------------------ */

void lu_difference_text(const struct lu_diff *d, const char *const name[2],
		const struct lu_difference *w, struct lu_buf *b)
{
	size_t width = strlen(name[0]) > strlen(name[1]) ? strlen(name[0]) : strlen(name[1]);

	lu_buf_printf(b, "%s:%" PRIu64, w->file, w->line);
	if (w->name.p) {
		lu_buf_putc(b, ' ');
		lu_buf_str(b, w->name);
	}
	lu_buf_printf(b, ": %sbyte %" PRIu64 ", character %" PRIu64 "; %zu and %zu tokens\n  ",
			w->exact ? "" : "about ", w->byte, w->character, w->tokens[0],
			w->tokens[1]);
	lu_show(b, w->before);
	lu_buf_puts(b, " | ");
	lu_show(b, w->after);
	lu_buf_putc(b, '\n');
	for (int k = 0; k < 2; k++) {
		lu_buf_printf(b, "  %-*s ", (int)width, name[k]);
		for (size_t i = 0; i < w->n[k]; i++) {
			lu_buf_putc(b, ' ');
			lu_show(b, lu_tok_piece(d->tok[k], w->id[k][i]));
		}
		lu_buf_putc(b, '\n');
	}
}

void lu_difference_json(const struct lu_diff *d, const struct lu_difference *w, struct lu_buf *b)
{
	lu_buf_puts(b, "{\"file\":");
	lu_json_quote(b, lu_str_of(w->file));
	lu_buf_printf(b, ",\"line\":%" PRIu64, w->line);
	if (w->name.p) {
		lu_buf_puts(b, ",\"id\":");
		lu_buf_str(b, w->name);
	}
	lu_buf_printf(b,
			",\"byte\":%" PRIu64 ",\"character\":%" PRIu64
			",\"exact\":%s,\"tokens\":[%zu,%zu],"
			"\"before\":",
			w->byte, w->character, w->exact ? "true" : "false", w->tokens[0],
			w->tokens[1]);
	lu_json_quote(b, w->before);
	lu_buf_puts(b, ",\"after\":");
	lu_json_quote(b, w->after);
	lu_buf_puts(b, ",\"pieces\":[");
	for (int k = 0; k < 2; k++) {
		lu_buf_puts(b, k ? ",[" : "[");
		for (size_t i = 0; i < w->n[k]; i++) {
			lu_buf_puts(b, i ? "," : "");
			lu_json_quote(b, lu_tok_piece(d->tok[k], w->id[k][i]));
		}
		lu_buf_putc(b, ']');
	}
	lu_buf_puts(b, "]}");
}
