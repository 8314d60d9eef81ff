/* From ids to text: in one pass where the chain allows it (decode_table.h), else step by step over a
 * list of strings, one a token at first. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* A list of strings in one buffer, and the one that a step writes. */
struct list {
	struct lu_buf *text, *text2;
	struct lu_spans *parts, *parts2;
	struct lu_err *err;
};

static void swap(struct list *l)
{
	struct lu_buf *t = l->text;
	struct lu_spans *p = l->parts;

	l->text = l->text2;
	l->parts = l->parts2;
	l->text2 = t;
	l->parts2 = p;
}

/* Ends a string of the new list at the end of text2. It may be empty: a step may ask which
 * string is the first. */
static int end_part(struct list *l, size_t from)
{
	return lu_spans_push(l->parts2, from, l->text2->n - from, l->err);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int lu_dec_byte(struct lu_str s)
{
	int hi, lo;

	if (s.n != 6 || memcmp(s.p, "<0x", 3) != 0 || s.p[5] != '>')
		return -1;
	hi = hex(s.p[3]);
	lo = hex(s.p[4]);
	return hi >= 0 && lo >= 0 ? hi << 4 | lo : -1;
}

static int byte_fallback(struct list *l, uint64_t *replaced)
{
	struct lu_buf run = { 0 };
	int rc = -1;

	for (size_t i = 0; i <= l->parts->n; i++) {
		struct lu_str s = { "", 0 };
		int byte = -1;
		size_t from;

		if (i < l->parts->n) {
			s = (struct lu_str){ l->text->p + l->parts->p[i].at, l->parts->p[i].n };
			byte = lu_dec_byte(s);
		}
		if (byte >= 0) {
			lu_buf_putc(&run, (char)byte);
			continue;
		}
		if (lu_buf_check(&run, l->err) < 0)
			goto out;
		from = l->text2->n;
		if (run.n) {
			*replaced += lu_utf8_repair(l->text2, lu_buf_slice(&run));
			lu_buf_clear(&run);
			if (end_part(l, from) < 0)
				goto out;
		}
		from = l->text2->n;
		lu_buf_str(l->text2, s);
		if (i < l->parts->n && end_part(l, from) < 0)
			goto out;
	}
	rc = 0;
out:
	lu_buf_release(&run);
	return rc;
}

/* Strings of GPT-2's alphabet are bytes; a string with any other character is itself. */
static int byte_level(struct list *l, uint64_t *replaced)
{
	struct lu_buf bytes = { 0 };
	int rc = -1;

	for (size_t i = 0; i < l->parts->n; i++) {
		struct lu_span s = l->parts->p[i];
		const char *p = l->text->p + s.at, *end = p + s.n;
		size_t from = bytes.n;
		int b = 0;

		while (p < end && (b = lu_char_byte(lu_utf8_next(&p))) >= 0)
			lu_buf_putc(&bytes, (char)b);
		if (b < 0) {
			bytes.n = from;
			lu_buf_append(&bytes, l->text->p + s.at, s.n);
		}
	}
	if (lu_buf_check(&bytes, l->err) < 0)
		goto out;
	*replaced += lu_utf8_repair(l->text2, lu_buf_slice(&bytes));
	rc = end_part(l, 0);
out:
	lu_buf_release(&bytes);
	return rc;
}

/* --- steps on one string ------------------------------------------------------------------ */

/* Takes up to `start` and `stop` copies of the character off the ends. */
static struct lu_str strip(struct lu_str s, const struct lu_dec_op *op)
{
	struct lu_str c = op->content;
	const char *p = s.p, *end = p + s.n;

	for (uint64_t k = 0; k < op->start && (size_t)(end - p) >= c.n && memcmp(p, c.p, c.n) == 0;
			k++)
		p += c.n;
	for (uint64_t k = 0; k < op->stop && (size_t)(end - p) >= c.n &&
			memcmp(end - c.n, c.p, c.n) == 0;
			k++)
		end -= c.n;
	return (struct lu_str){ p, (size_t)(end - p) };
}

void lu_dec_string(const struct lu_dec_op *op, struct lu_str s, bool first, struct lu_buf *out)
{
	if (op->kind == LU_DEC_STRIP)
		lu_buf_str(out, strip(s, op));
	else if (op->kind == LU_DEC_REPLACE)
		lu_buf_replace(out, s, op->pattern.lit, op->content);
	else
		/* Metaspace: the marker is a space; in the first string it is nothing, unless none
		 * was put there. */
		lu_buf_replace(out, s, op->content,
				first && op->scheme != LU_NEVER ? LU_STR("") : LU_STR(" "));
}

static int each(struct list *l, const struct lu_dec_op *op)
{
	for (size_t i = 0; i < l->parts->n; i++) {
		struct lu_span s = l->parts->p[i];
		size_t from = l->text2->n;

		lu_dec_string(op, (struct lu_str){ l->text->p + s.at, s.n }, i == 0, l->text2);
		if (end_part(l, from) < 0)
			return -1;
	}
	return 0;
}

/* --- the chain ---------------------------------------------------------------------------- */

static int run(struct list *l, const struct lu_dec_op *op, uint64_t *replaced)
{
	lu_buf_clear(l->text2);
	l->parts2->n = 0;
	switch (op->kind) {
	case LU_DEC_REPLACE:
	case LU_DEC_STRIP:
	case LU_DEC_METASPACE: return each(l, op);
	case LU_DEC_BYTE_FALLBACK: return byte_fallback(l, replaced);
	case LU_DEC_FUSE: lu_buf_append(l->text2, l->text->p, l->text->n); return end_part(l, 0);
	case LU_DEC_BYTE_LEVEL: break;
	}
	return byte_level(l, replaced);
}

struct lu_str lu_dec_spelling(const struct lu_tok *tok, uint32_t id)
{
	for (size_t i = 0; i < tok->n_added && id < tok->size && (tok->special[id] & 2); i++) {
		if (tok->added[i].id == id)
			return tok->added[i].find;
	}
	return lu_tok_piece(tok, id);
}

/* The pieces of the ids, one string each. */
static int spell(const struct lu_tok *tok, struct list *l, const uint32_t *ids, size_t n,
		unsigned flags)
{
	lu_buf_clear(l->text);
	l->parts->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct lu_str piece = lu_dec_spelling(tok, ids[i]);
		size_t from = l->text->n;

		if (!piece.p)
			return lu_err_set(l->err, "id %u is not in the tokenizer", ids[i]);
		if ((flags & LU_TOK_SKIP_SPECIAL) && (tok->special[ids[i]] & 1))
			continue;
		lu_buf_str(l->text, piece);
		if (lu_spans_push(l->parts, from, piece.n, l->err) < 0)
			return -1;
	}
	return lu_buf_check(l->text, l->err);
}

static int run_chain(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids,
		size_t n, unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err)
{
	struct list l = { &st->text, &st->text2, &st->parts, &st->parts2, err };

	/* The steps point into both buffers, even when nothing is in them. */
	if (!lu_buf_reserve(l.text, 1) || !lu_buf_reserve(l.text2, 1))
		return lu_err_nomem(err);
	if (spell(tok, &l, ids, n, flags) < 0)
		return -1;
	for (size_t i = 0; i < tok->parts.decs; i++) {
		if (run(&l, &tok->parts.dec[i], replaced) < 0 || lu_buf_check(l.text2, err) < 0)
			return -1;
		swap(&l);
	}
	for (size_t i = 0; i < l.parts->n; i++) {
		if (i && !tok->parts.has_decoder)
			lu_buf_putc(out, ' ');
		lu_buf_append(out, lu_buf_slice(l.text).p + l.parts->p[i].at, l.parts->p[i].n);
	}
	return lu_buf_check(out, err);
}

/* --- the interface ------------------------------------------------------------------------ */

void lu_tok_decode_begin(const struct lu_tok *tok, struct lu_tok_state *st)
{
	st->held.n = 0;
	if (tok->spell)
		lu_spell_begin(tok->spell, &st->spell);
}

int lu_tok_decode_more(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids,
		size_t n, unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err)
{
	uint64_t unused = 0;

	if (tok->spell)
		return lu_spell_more(tok, &st->spell, ids, n, flags, out,
				replaced ? replaced : &unused, err);
	if (lu_ids_reserve(&st->held, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!lu_tok_piece(tok, ids[i]).p)
			return lu_err_set(err, "id %u is not in the tokenizer", ids[i]);
		if (!(flags & LU_TOK_SKIP_SPECIAL) || !(tok->special[ids[i]] & 1))
			st->held.p[st->held.n++] = ids[i];
	}
	return 0;
}

int lu_tok_decode_end(const struct lu_tok *tok, struct lu_tok_state *st, struct lu_buf *out,
		uint64_t *replaced, struct lu_err *err)
{
	uint64_t unused = 0;

	if (tok->spell)
		return lu_spell_end(tok, &st->spell, out, replaced ? replaced : &unused, err);
	return run_chain(tok, st, st->held.p, st->held.n, 0, out, replaced ? replaced : &unused,
			err);
}

int lu_tok_decode(const struct lu_tok *tok, struct lu_tok_state *st, const uint32_t *ids, size_t n,
		unsigned flags, struct lu_buf *out, uint64_t *replaced, struct lu_err *err)
{
	uint64_t unused = 0;

	if (!tok->spell)
		return run_chain(tok, st, ids, n, flags, out, replaced ? replaced : &unused, err);
	lu_tok_decode_begin(tok, st);
	if (lu_tok_decode_more(tok, st, ids, n, flags, out, replaced, err) < 0)
		return -1;
	return lu_tok_decode_end(tok, st, out, replaced, err);
}
