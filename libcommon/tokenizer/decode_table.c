#include "libcommon/tokenizer/decode_table.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

#define ROW_MAX ((size_t)1 << 16)

/* --- the chain, sorted by kind ------------------------------------------------------------ */

static bool one_char(struct lu_str s, uint32_t *c)
{
	const char *p = s.p;

	if (s.n == 0)
		return false;
	*c = lu_utf8_next(&p);
	return p == s.p + s.n;
}

static bool among(const struct lu_cset *s, uint32_t c)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->c[i] == c)
			return true;
	}
	return false;
}

/* A step before Fuse. */
static bool sort_each(struct lu_spell *s, const struct lu_dec_op *op)
{
	uint32_t c;

	switch (op->kind) {
	case LU_DEC_BYTE_FALLBACK:
		if (s->bytes || s->first)
			return false;
		s->bytes = true;
		s->earlies = s->steps;
		return true;
	case LU_DEC_METASPACE: s->first |= op->scheme != LU_NEVER; break;
	case LU_DEC_STRIP: s->in_parts &= !s->bytes; break;
	case LU_DEC_REPLACE: s->in_parts &= !s->bytes || one_char(op->pattern.lit, &c); break;
	default: return false;
	}
	s->step[s->steps++] = op;
	return true;
}

static bool concerns(const struct lu_spell *s, struct lu_str text)
{
	const char *p = text.p;

	while (p < text.p + text.n) {
		const char *at = p;
		uint32_t c = lu_utf8_next(&p);
		struct lu_str one = { at, (size_t)(p - at) };

		if (among(&s->after, c) || lu_str_eq(one, s->gone) || lu_str_eq(one, s->start_char))
			return true;
	}
	return false;
}

/* "c s becomes c". */
static bool sort_after(struct lu_spell *s, const struct lu_dec_op *op)
{
	struct lu_str lit = op->pattern.lit, gone;
	const char *p = lit.p;
	uint32_t c = lu_utf8_next(&p), last;
	struct lu_str one = { lit.p, (size_t)(p - lit.p) };

	gone = (struct lu_str){ p, lit.n - one.n };
	if (!one_char(gone, &last) || !lu_str_eq(one, op->content) || lu_str_eq(one, gone) ||
			lu_str_eq(one, s->start_char) || among(&s->after, c) ||
			among(&s->after, last) || (s->after.n && !lu_str_eq(gone, s->gone)))
		return false;
	s->gone = gone;
	s->after.c[s->after.n++] = c;
	s->lead[(unsigned char)*lit.p] = 1;
	return true;
}

/* A step after Fuse. */
static bool sort_fused(struct lu_spell *s, const struct lu_dec_op *op)
{
	uint32_t c;

	if (op->kind == LU_DEC_FUSE)
		return true;
	if (op->kind == LU_DEC_STRIP) {
		if (op->stop || s->after.n || s->start_char.n)
			return false;
		s->start = op->start;
		s->start_char = op->content;
		return true;
	}
	if (op->kind != LU_DEC_REPLACE)
		return false;
	if (!one_char(op->pattern.lit, &c))
		return sort_after(s, op);
	if ((s->after.n || s->start_char.n) &&
			(op->content.n == 0 || concerns(s, op->pattern.lit) ||
					concerns(s, op->content)))
		return false;
	s->step[s->steps++] = op;
	return true;
}

static bool sort_chain(struct lu_spell *s, const struct lu_parts *parts)
{
	bool fused = false;

	if (parts->decs && parts->dec[0].kind == LU_DEC_BYTE_LEVEL) {
		s->byte_level = s->in_parts = true;
		return parts->decs == 1;
	}
	s->in_parts = true;
	for (size_t i = 0; i < parts->decs; i++) {
		const struct lu_dec_op *op = &parts->dec[i];

		if (!(fused ? sort_fused(s, op) : op->kind == LU_DEC_FUSE || sort_each(s, op)))
			return false;
		fused |= op->kind == LU_DEC_FUSE;
	}
	return parts->has_decoder;
}

/* --- one string --------------------------------------------------------------------------- */

/* The steps from..to on s; the result is s or lies in a buffer of d until the next call. */
static struct lu_str run_steps(const struct lu_spell *sp, struct lu_spell_state *d, size_t from,
		size_t to, bool first, struct lu_str s)
{
	for (size_t i = from; i < to; i++) {
		struct lu_buf *b = &d->one[s.p == d->one[0].p];

		/* Most strings hold nothing of what a step looks for. */
		if (sp->step[i]->sought.n && !lu_str_find(s.p, s.p + s.n, sp->step[i]->sought))
			continue;
		lu_buf_clear(b);
		lu_dec_string(sp->step[i], s, first, b);
		s = lu_buf_slice(b);
	}
	return s;
}

/* Appends s as it stands after *after, without the s behind each c. */
static void put_after(const struct lu_spell *sp, struct lu_str s, bool *after, struct lu_buf *out)
{
	const char *p = s.p, *end = s.p + s.n, *from = p;

	if (sp->after.n == 0) {
		lu_buf_str(out, s);
		return;
	}
	while (p < end) {
		if (*after && (size_t)(end - p) >= sp->gone.n &&
				memcmp(p, sp->gone.p, sp->gone.n) == 0) {
			lu_buf_append(out, from, (size_t)(p - from));
			from = p += sp->gone.n;
			*after = false;
			continue;
		}
		*after = false;
		if (sp->lead[(unsigned char)*p])
			*after = among(&sp->after, lu_utf8_next(&p));
		else
			p++;
	}
	lu_buf_append(out, from, (size_t)(end - from));
}

/* A string that has been through all steps on strings. */
static void put_string(const struct lu_spell *sp, struct lu_spell_state *d, struct lu_str s,
		struct lu_buf *out)
{
	while (d->start && s.n) {
		if (s.n < sp->start_char.n ||
				memcmp(s.p, sp->start_char.p, sp->start_char.n) != 0) {
			d->start = 0;
			break;
		}
		s.p += sp->start_char.n;
		s.n -= sp->start_char.n;
		d->start--;
	}
	put_after(sp, s, &d->after, out);
}

/* --- the table ---------------------------------------------------------------------------- */

/* lu_dec_spelling() of all ids at once. */
static struct lu_str *spelled(const struct lu_tok *tok)
{
	struct lu_str *s = malloc(((size_t)tok->size + 1) * sizeof(*s));

	if (!s)
		return NULL;
	for (uint32_t i = 0; i < tok->size; i++)
		s[i] = lu_tok_piece(tok, i);
	for (size_t i = tok->n_added; i-- > 0;) {
		if (tok->special[tok->added[i].id] & 2)
			s[tok->added[i].id] = tok->added[i].find;
	}
	return s;
}

static int store(struct lu_spell *sp, struct lu_spelling *e, struct lu_str s,
		struct lu_arena *arena, struct lu_err *err)
{
	struct lu_str kept;

	if (s.n <= LU_SPELL_SHORT) {
		if (s.n)
			memcpy(e->text, s.p, s.n);
		e->n = (uint8_t)s.n;
		return 0;
	}
	kept = lu_arena_str(arena, s);
	if (!kept.p)
		return lu_err_nomem(err);
	lu_store32(e->text, sp->longs);
	e->n = LU_SPELL_LONG;
	sp->text[sp->longs++] = kept;
	return 0;
}

/* The bytes that a byte-level token spells; one with any other character spells itself. */
static void to_bytes(struct lu_str s, struct lu_buf *out)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t from = out->n;
	int b = 0;

	while (p < end && (b = lu_char_byte(lu_utf8_next(&p))) >= 0)
		lu_buf_putc(out, (char)b);
	if (b < 0) {
		out->n = from;
		lu_buf_str(out, s);
	}
}

static int fill(struct lu_spell *sp, const struct lu_tok *tok, struct lu_str *spelling,
		struct lu_spell_state *d, struct lu_arena *arena, struct lu_err *err)
{
	struct lu_buf made = { 0 };
	int rc = 0;

	for (uint32_t id = 0; rc == 0 && id < tok->size; id++) {
		struct lu_spelling *e = &sp->id[id];
		struct lu_str s = spelling[id];
		bool after = false;
		char byte;
		int b;

		if (!s.p) {
			e->flags = LU_SPELL_MISSING;
			continue;
		}
		e->flags = tok->special[id] & 1 ? LU_SPELL_SPECIAL : 0;
		lu_buf_clear(&made);
		s = run_steps(sp, d, 0, sp->earlies, false, s);
		if (sp->byte_level) {
			e->flags |= LU_SPELL_BYTES;
			to_bytes(s, &made);
		} else if (sp->bytes && (b = lu_dec_byte(s)) >= 0) {
			e->flags |= LU_SPELL_BYTES;
			byte = (char)b;
			lu_buf_append(&made, &byte, 1);
		} else {
			s = run_steps(sp, d, sp->earlies, sp->steps, false, s);
			put_after(sp, s, &after, &made);
			if (sp->after.n && s.n >= sp->gone.n &&
					memcmp(s.p, sp->gone.p, sp->gone.n) == 0)
				e->flags |= LU_SPELL_EATEN;
			e->flags |= after ? LU_SPELL_AFTER : 0;
			e->flags |= s.n == 0 ? LU_SPELL_EMPTY : 0;
		}
		rc = lu_buf_check(&made, err) < 0 || lu_buf_check(&d->one[0], err) < 0 ||
						lu_buf_check(&d->one[1], err) < 0
				? -1
				: store(sp, e, lu_buf_slice(&made), arena, err);
	}
	lu_buf_release(&made);
	return rc;
}

static size_t count_long(const struct lu_tok *tok, const struct lu_str *spelling)
{
	size_t n = 0, growth = 1;

	/* A step can make a short string long. */
	for (size_t i = 0; i < tok->parts.decs; i++)
		growth += tok->parts.dec[i].content.n;
	for (uint32_t id = 0; id < tok->size; id++)
		n += spelling[id].n * growth > LU_SPELL_SHORT;
	return n;
}

int lu_spell_make(struct lu_spell **spell, const struct lu_tok *tok, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_spell_state d = { 0 };
	struct lu_spell *sp = lu_arena_alloc(arena, sizeof(*sp));
	size_t steps = tok->parts.decs + 1, table = ((size_t)tok->size + 1) * sizeof(*sp->id);
	struct lu_str *spelling;
	int rc;

	*spell = NULL;
	if (!sp)
		return lu_err_nomem(err);
	*sp = (struct lu_spell){ .step = lu_arena_alloc(arena, steps * sizeof(*sp->step)),
		.after = { .c = lu_arena_alloc(arena, steps * sizeof(uint32_t)) },
		.gone = { "", 0 },
		.start_char = { "", 0 } };
	if (!sp->step || !sp->after.c)
		return lu_err_nomem(err);
	if (!sort_chain(sp, &tok->parts))
		return 0;
	spelling = spelled(tok);
	if (!spelling)
		return lu_err_nomem(err);
	sp->id = lu_arena_alloc(arena, table);
	sp->text = lu_arena_alloc(arena, (count_long(tok, spelling) + 1) * sizeof(*sp->text));
	if (sp->id && sp->text) {
		memset(sp->id, 0, table);
		rc = fill(sp, tok, spelling, &d, arena, err);
	} else {
		rc = lu_err_nomem(err);
	}
	free(spelling);
	lu_spell_state_release(&d);
	if (rc == 0)
		*spell = sp;
	return rc;
}

/* --- decoding ----------------------------------------------------------------------------- */

void lu_spell_state_release(struct lu_spell_state *d)
{
	lu_buf_release(&d->row);
	lu_buf_release(&d->fixed);
	lu_buf_release(&d->one[0]);
	lu_buf_release(&d->one[1]);
}

void lu_spell_begin(const struct lu_spell *sp, struct lu_spell_state *d)
{
	d->begun = d->after = d->first_row = false;
	d->start = sp->start;
	lu_buf_clear(&d->row);
}

/* How much of a row of bytes does not depend on what follows: all but an unfinished character. A
 * byte that begins a character is a border whatever stands before it. */
static size_t certain(struct lu_str row)
{
	for (size_t k = 1; k <= 3 && k < row.n; k++) {
		if (((unsigned char)row.p[row.n - k] & 0xC0) != 0x80)
			return row.n - k;
	}
	/* Four bytes that continue a character: the last belongs to none that goes on. */
	return row.n > 3 ? row.n : 0;
}

/* Handles the first n bytes of the row. */
static int end_row(const struct lu_spell *sp, struct lu_spell_state *d, size_t n,
		struct lu_buf *out, uint64_t *replaced, struct lu_err *err)
{
	struct lu_str s = { d->row.p, n };

	if (n == 0)
		return 0;
	if (sp->byte_level || (sp->steps == sp->earlies && !sp->after.n && !d->start)) {
		*replaced += lu_utf8_repair(out, s);
	} else {
		lu_buf_clear(&d->fixed);
		*replaced += lu_utf8_repair(&d->fixed, s);
		s = run_steps(sp, d, sp->earlies, sp->steps, d->first_row, lu_buf_slice(&d->fixed));
		put_string(sp, d, s, out);
	}
	memmove(d->row.p, d->row.p + n, d->row.n - n);
	d->row.n -= n;
	if (lu_buf_check(&d->fixed, err) < 0 || lu_buf_check(&d->one[0], err) < 0 ||
			lu_buf_check(&d->one[1], err) < 0)
		return -1;
	return lu_buf_check(out, err);
}

static inline struct lu_str text_of(const struct lu_spell *sp, const struct lu_spelling *e)
{
	if (e->n == LU_SPELL_LONG)
		return sp->text[lu_load32(e->text)];
	return (struct lu_str){ e->text, e->n };
}

/* Adds to the row. */
static inline void put_bytes(
		const struct lu_spell *sp, struct lu_spell_state *d, const struct lu_spelling *e)
{
	struct lu_buf *row = &d->row;

	if (row->n == 0)
		d->first_row = !d->begun;
	d->begun = true;
	if (e->n == LU_SPELL_LONG) {
		lu_buf_str(row, text_of(sp, e));
	} else if (row->cap - row->n >= 2 * sizeof(*e) || lu_buf_reserve(row, ROW_MAX / 4)) {
		memcpy(row->p + row->n, (const char *)e, sizeof(*e));
		row->n += e->n;
	}
}

/* An id that is not simply copied. */
static int put_odd(const struct lu_tok *tok, struct lu_spell_state *d, uint32_t id, unsigned flags,
		struct lu_buf *out, uint64_t *replaced, struct lu_err *err)
{
	const struct lu_spell *sp = tok->spell;
	const struct lu_spelling *e = id < tok->size ? &sp->id[id] : NULL;
	struct lu_str s;

	if (!e || (e->flags & LU_SPELL_MISSING))
		return lu_err_set(err, "id %u is not in the tokenizer", id);
	if ((e->flags & LU_SPELL_SPECIAL) && (flags & LU_TOK_SKIP_SPECIAL))
		return 0;
	if (e->flags & LU_SPELL_BYTES) {
		put_bytes(sp, d, e);
		if (lu_buf_check(&d->row, err) < 0)
			return -1;
		if (d->row.n < ROW_MAX || !sp->in_parts)
			return 0;
		return end_row(sp, d, certain(lu_buf_slice(&d->row)), out, replaced, err);
	}
	if (end_row(sp, d, d->row.n, out, replaced, err) < 0)
		return -1;
	s = run_steps(sp, d, 0, sp->earlies, false, lu_dec_spelling(tok, id));
	s = run_steps(sp, d, sp->earlies, sp->steps, !d->begun, s);
	d->begun = true;
	put_string(sp, d, s, out);
	return lu_buf_check(&d->one[0], err) < 0 ? -1 : lu_buf_check(&d->one[1], err);
}

int lu_spell_more(const struct lu_tok *tok, struct lu_spell_state *d, const uint32_t *ids, size_t n,
		unsigned flags, struct lu_buf *out, uint64_t *replaced, struct lu_err *err)
{
	const struct lu_spell *sp = tok->spell;
	const unsigned odd = LU_SPELL_EMPTY | LU_SPELL_BYTES | LU_SPELL_MISSING |
			(flags & LU_TOK_SKIP_SPECIAL ? LU_SPELL_SPECIAL : 0);
	const size_t gone = sp->gone.n;
	bool plain = d->begun && d->start == 0 && d->row.n == 0;

	for (size_t i = 0; i < n; i++) {
		const struct lu_spelling *e;
		size_t skip;

		if (ids[i] < tok->size && (sp->id[ids[i]].flags & odd) == LU_SPELL_BYTES &&
				d->row.n && d->row.n < ROW_MAX) {
			put_bytes(sp, d, &sp->id[ids[i]]);
			continue;
		}
		if (!plain || ids[i] >= tok->size || (sp->id[ids[i]].flags & odd)) {
			if (put_odd(tok, d, ids[i], flags, out, replaced, err) < 0)
				return -1;
			plain = d->begun && d->start == 0 && d->row.n == 0;
			continue;
		}
		e = &sp->id[ids[i]];
		skip = d->after && (e->flags & LU_SPELL_EATEN) ? gone : 0;
		d->after = e->flags & LU_SPELL_AFTER;
		if (e->n == LU_SPELL_LONG) {
			struct lu_str s = text_of(sp, e);

			lu_buf_append(out, s.p + skip, s.n - skip);
			continue;
		}
		/* A whole entry is copied, and as much of it counts as is text. */
		if (out->cap - out->n < 2 * sizeof(*e) && !lu_buf_reserve(out, 4 * (n - i) + 64))
			break;
		memcpy(out->p + out->n, (const char *)e + skip, sizeof(*e));
		out->n += e->n - skip;
	}
	if (out->p)
		out->p[out->n] = '\0';
	/* The row has no end, but most of it is certain. */
	if (sp->byte_level && d->row.n &&
			end_row(sp, d, certain(lu_buf_slice(&d->row)), out, replaced, err) < 0)
		return -1;
	return lu_buf_check(out, err);
}

int lu_spell_end(const struct lu_tok *tok, struct lu_spell_state *d, struct lu_buf *out,
		uint64_t *replaced, struct lu_err *err)
{
	int rc = end_row(tok->spell, d, d->row.n, out, replaced, err);

	lu_spell_begin(tok->spell, d);
	return rc < 0 ? -1 : lu_buf_check(out, err);
}
