#include "libcommon/tokenizer/decode_table.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "libcommon/tokenizer/decode_step.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

/* Bytes. A byte run that can be split is decoded as soon as it is longer. */
#define MAX_RUN ((size_t)1 << 16)

/* --- classifying the steps ---------------------------------------------------------------- */

static bool contains(const struct lu_char_set *s, uint32_t c)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->c[i] == c)
			return true;
	}
	return false;
}

/* Add a step before Fuse. */
static bool add_early_or_late(struct lu_decode_table *t, const struct lu_decode_step *step)
{
	uint32_t c;

	switch (step->kind) {
	case LU_DECODE_BYTE_FALLBACK:
		if (t->bytes || t->first)
			return false;
		t->bytes = true;
		t->early_steps = t->steps;
		return true;
	case LU_DECODE_METASPACE: t->first |= step->scheme != LU_PREPEND_NEVER; break;
	case LU_DECODE_STRIP: t->split_runs &= !t->bytes; break;
	case LU_DECODE_REPLACE:
		t->split_runs &= !t->bytes || lu_utf8_single(step->pattern.literal, &c);
		break;
	default: return false;
	}
	t->step[t->steps++] = step;
	return true;
}

/* True if the text has a character of the strip or drop steps. */
static bool involves(const struct lu_decode_table *t, struct lu_str text)
{
	const char *p = text.p;

	while (p < text.p + text.n) {
		const char *at = p;
		uint32_t c = lu_utf8_next(&p);
		struct lu_str s = { at, (size_t)(p - at) };

		if (contains(&t->drop_after, c) || lu_str_eq(s, t->drop_char) ||
				lu_str_eq(s, t->strip_char))
			return true;
	}
	return false;
}

/* Add "c s becomes c". */
static bool add_drop(struct lu_decode_table *t, const struct lu_decode_step *step)
{
	struct lu_str lit = step->pattern.literal, drop_char;
	const char *p = lit.p;
	uint32_t c = lu_utf8_next(&p), s;
	struct lu_str first = { lit.p, (size_t)(p - lit.p) };

	drop_char = (struct lu_str){ p, lit.n - first.n };
	if (!lu_utf8_single(drop_char, &s) || !lu_str_eq(first, step->content) ||
			lu_str_eq(first, drop_char) || lu_str_eq(first, t->strip_char) ||
			contains(&t->drop_after, c) || contains(&t->drop_after, s) ||
			(t->drop_after.n && !lu_str_eq(drop_char, t->drop_char)))
		return false;
	t->drop_char = drop_char;
	t->drop_after.c[t->drop_after.n++] = c;
	t->drop_lead[(unsigned char)*lit.p] = 1;
	return true;
}

/* Add a step after Fuse. */
static bool add_fused(struct lu_decode_table *t, const struct lu_decode_step *step)
{
	uint32_t c;

	if (step->kind == LU_DECODE_FUSE)
		return true;
	if (step->kind == LU_DECODE_STRIP) {
		if (step->stop || t->drop_after.n || t->strip_char.n)
			return false;
		t->strip_count = step->start;
		t->strip_char = step->content;
		return true;
	}
	if (step->kind != LU_DECODE_REPLACE)
		return false;
	if (!lu_utf8_single(step->pattern.literal, &c))
		return add_drop(t, step);
	if ((t->drop_after.n || t->strip_char.n) &&
			(step->content.n == 0 || involves(t, step->pattern.literal) ||
					involves(t, step->content)))
		return false;
	t->step[t->steps++] = step;
	return true;
}

/* False when the chain has a step of no kind in decode_table.h. */
static bool classify(struct lu_decode_table *t, const struct lu_components *components)
{
	bool fused = false;

	t->split_runs = true;
	if (components->decs && components->dec[0].kind == LU_DECODE_BYTE_LEVEL) {
		t->byte_level = true;
		return components->decs == 1;
	}
	for (size_t i = 0; i < components->decs; i++) {
		const struct lu_decode_step *step = &components->dec[i];
		bool is_fuse = step->kind == LU_DECODE_FUSE;

		if (!(fused ? add_fused(t, step) : is_fuse || add_early_or_late(t, step)))
			return false;
		fused |= is_fuse;
	}
	return components->has_decoder;
}

/* --- one string --------------------------------------------------------------------------- */

/* Run the steps from .. to - 1 on s. The result is s or in a buffer of d until the next call. */
static struct lu_str run_steps(const struct lu_decode_table *t, struct lu_decode_state *d,
		size_t from, size_t to, bool first, struct lu_str s)
{
	for (size_t i = from; i < to; i++) {
		const struct lu_decode_step *step = t->step[i];
		struct lu_buf *b = &d->scratch[s.p == d->scratch[0].p];

		/* Most strings do not contain the needle. */
		if (step->needle.n && !lu_str_find(s.p, s.p + s.n, step->needle))
			continue;
		lu_buf_clear(b);
		lu_decode_step_run(step, s, first, b);
		s = lu_buf_slice(b);
	}
	return s;
}

static int check_scratch(const struct lu_decode_state *d, struct lu_err *err)
{
	return lu_buf_check(&d->scratch[0], err) < 0 ? -1 : lu_buf_check(&d->scratch[1], err);
}

/* Append s without the s after each c. *after_c: the text before ends with a c. */
static void put_dropping(
		const struct lu_decode_table *t, struct lu_str s, bool *after_c, struct lu_buf *out)
{
	const char *p = s.p, *end = s.p + s.n, *from = p;

	if (t->drop_after.n == 0) {
		lu_buf_str(out, s);
		return;
	}
	while (p < end) {
		if (*after_c && (size_t)(end - p) >= t->drop_char.n &&
				memcmp(p, t->drop_char.p, t->drop_char.n) == 0) {
			lu_buf_append(out, from, (size_t)(p - from));
			from = p += t->drop_char.n;
			*after_c = false;
			continue;
		}
		*after_c = false;
		if (t->drop_lead[(unsigned char)*p])
			*after_c = contains(&t->drop_after, lu_utf8_next(&p));
		else
			p++;
	}
	lu_buf_append(out, from, (size_t)(end - from));
}

/* Append a string after its early and late steps. */
static void put_string(const struct lu_decode_table *t, struct lu_decode_state *d, struct lu_str s,
		struct lu_buf *out)
{
	while (d->strip && s.n) {
		if (s.n < t->strip_char.n || memcmp(s.p, t->strip_char.p, t->strip_char.n) != 0) {
			d->strip = 0;
			break;
		}
		s.p += t->strip_char.n;
		s.n -= t->strip_char.n;
		d->strip--;
	}
	put_dropping(t, s, &d->after_c, out);
}

/* --- building the table ------------------------------------------------------------------- */

/* lu_tok_spelling() of all ids at once. */
static struct lu_str *all_spellings(const struct lu_tok *tok)
{
	struct lu_str *s = malloc(((size_t)tok->size + 1) * sizeof(*s));

	if (!s)
		return NULL;
	for (uint32_t i = 0; i < tok->size; i++)
		s[i] = lu_tok_piece(tok, i);
	for (size_t i = tok->n_added; i-- > 0;) {
		if (tok->id_flags[tok->added[i].id] & LU_ID_NORMALIZED)
			s[tok->added[i].id] = tok->added[i].needle;
	}
	return s;
}

static int store(struct lu_decode_table *t, struct lu_decode_entry *e, struct lu_str s,
		struct lu_arena *arena, struct lu_err *err)
{
	struct lu_str kept;

	if (s.n <= LU_DECODE_SHORT) {
		if (s.n)
			memcpy(e->text, s.p, s.n);
		e->n = (uint8_t)s.n;
		return 0;
	}
	kept = lu_arena_str(arena, s);
	if (!kept.p)
		return lu_err_nomem(err);
	lu_store32(e->text, t->long_texts);
	e->n = LU_DECODE_LONG;
	t->long_text[t->long_texts++] = kept;
	return 0;
}

/* Append the text of a token that is not the first string, and set the flags of its entry. */
static void decode_token(const struct lu_decode_table *t, struct lu_decode_state *d,
		struct lu_str s, struct lu_decode_entry *e, struct lu_buf *out)
{
	bool after_c = false;
	int byte;

	s = run_steps(t, d, 0, t->early_steps, false, s);
	if (t->byte_level) {
		e->flags |= LU_DECODE_BYTES;
		lu_decode_byte_level(s, out);
		return;
	}
	if (t->bytes && (byte = lu_byte_token_value(s)) >= 0) {
		e->flags |= LU_DECODE_BYTES;
		lu_buf_putc(out, (char)byte);
		return;
	}
	s = run_steps(t, d, t->early_steps, t->steps, false, s);
	put_dropping(t, s, &after_c, out);
	if (t->drop_after.n && s.n >= t->drop_char.n &&
			memcmp(s.p, t->drop_char.p, t->drop_char.n) == 0)
		e->flags |= LU_DECODE_STARTS_WITH_S;
	e->flags |= after_c ? LU_DECODE_ENDS_WITH_C : 0;
	e->flags |= s.n == 0 ? LU_DECODE_EMPTY : 0;
}

static int fill(struct lu_decode_table *t, const struct lu_tok *tok, struct lu_str *spelling,
		struct lu_arena *arena, struct lu_err *err)
{
	struct lu_decode_state d = { 0 };
	struct lu_buf text = { 0 };
	int rc = 0;

	for (uint32_t id = 0; rc == 0 && id < tok->size; id++) {
		struct lu_decode_entry *e = &t->entry[id];

		if (!spelling[id].p) {
			e->flags = LU_DECODE_MISSING;
			continue;
		}
		e->flags = lu_tok_is_special(tok, id) ? LU_DECODE_SPECIAL : 0;
		lu_buf_clear(&text);
		decode_token(t, &d, spelling[id], e, &text);
		rc = lu_buf_check(&text, err) < 0 || check_scratch(&d, err) < 0
				? -1
				: store(t, e, lu_buf_slice(&text), arena, err);
	}
	lu_buf_release(&text);
	lu_decode_state_release(&d);
	return rc;
}

/* Upper bound of the number of long texts: a step can make a short string long. */
static size_t count_long(const struct lu_tok *tok, const struct lu_str *spelling)
{
	size_t n = 0, growth = 1;

	for (size_t i = 0; i < tok->components.decs; i++)
		growth += tok->components.dec[i].content.n;
	for (uint32_t id = 0; id < tok->size; id++)
		n += spelling[id].n * growth > LU_DECODE_SHORT;
	return n;
}

int lu_decode_table_build(struct lu_decode_table **table, const struct lu_tok *tok,
		struct lu_arena *arena, struct lu_err *err)
{
	struct lu_decode_table *t = lu_arena_alloc(arena, sizeof(*t));
	size_t steps = tok->components.decs + 1, size = ((size_t)tok->size + 1) * sizeof(*t->entry);
	struct lu_str *spelling;
	int rc;

	*table = NULL;
	if (!t)
		return lu_err_nomem(err);
	*t = (struct lu_decode_table){ .step = lu_arena_alloc(arena, steps * sizeof(*t->step)),
		.drop_after = { .c = lu_arena_alloc(arena, steps * sizeof(uint32_t)) },
		.drop_char = { "", 0 },
		.strip_char = { "", 0 } };
	if (!t->step || !t->drop_after.c)
		return lu_err_nomem(err);
	if (!classify(t, &tok->components))
		return 0;
	spelling = all_spellings(tok);
	if (!spelling)
		return lu_err_nomem(err);
	t->entry = lu_arena_alloc(arena, size);
	t->long_text = lu_arena_alloc(
			arena, (count_long(tok, spelling) + 1) * sizeof(*t->long_text));
	if (t->entry && t->long_text) {
		memset(t->entry, 0, size);
		rc = fill(t, tok, spelling, arena, err);
	} else {
		rc = lu_err_nomem(err);
	}
	free(spelling);
	if (rc == 0)
		*table = t;
	return rc;
}

/* --- decoding ----------------------------------------------------------------------------- */

void lu_decode_state_release(struct lu_decode_state *d)
{
	lu_buf_release(&d->run);
	lu_buf_release(&d->repaired);
	lu_buf_release(&d->scratch[0]);
	lu_buf_release(&d->scratch[1]);
}

void lu_decode_table_begin(const struct lu_decode_table *t, struct lu_decode_state *d)
{
	d->begun = d->after_c = d->first_run = false;
	d->strip = t->strip_count;
	lu_buf_clear(&d->run);
}

/* Length of the prefix of a byte run that does not depend on what follows: all but an unfinished
 * character. There is a boundary before any byte that begins a character. */
static size_t stable_prefix(struct lu_str run)
{
	for (size_t k = 1; k <= 3 && k < run.n; k++) {
		if (((unsigned char)run.p[run.n - k] & 0xC0) != 0x80)
			return run.n - k;
	}
	/* Four continuation bytes: the last belongs to no character that goes on. */
	return run.n > 3 ? run.n : 0;
}

/* Decode the first n bytes of the run. */
static int flush_run(const struct lu_decode_table *t, struct lu_decode_state *d, size_t n,
		struct lu_buf *out, uint64_t *replaced, struct lu_err *err)
{
	struct lu_str s = { d->run.p, n };

	if (n == 0)
		return 0;
	if (t->byte_level || (t->steps == t->early_steps && !t->drop_after.n && !d->strip)) {
		*replaced += lu_utf8_repair(out, s);
	} else {
		lu_buf_clear(&d->repaired);
		*replaced += lu_utf8_repair(&d->repaired, s);
		s = run_steps(t, d, t->early_steps, t->steps, d->first_run,
				lu_buf_slice(&d->repaired));
		put_string(t, d, s, out);
	}
	memmove(d->run.p, d->run.p + n, d->run.n - n);
	d->run.n -= n;
	if (lu_buf_check(&d->repaired, err) < 0 || check_scratch(d, err) < 0)
		return -1;
	return lu_buf_check(out, err);
}

static inline struct lu_str text_of(
		const struct lu_decode_table *t, const struct lu_decode_entry *e)
{
	if (e->n == LU_DECODE_LONG)
		return t->long_text[lu_load32(e->text)];
	return (struct lu_str){ e->text, e->n };
}

/* Append the bytes of an entry to the run. */
static inline void put_bytes(const struct lu_decode_table *t, struct lu_decode_state *d,
		const struct lu_decode_entry *e)
{
	struct lu_buf *run = &d->run;

	if (run->n == 0)
		d->first_run = !d->begun;
	d->begun = true;
	if (e->n == LU_DECODE_LONG) {
		lu_buf_str(run, text_of(t, e));
	} else if (run->cap - run->n >= 2 * sizeof(*e) || lu_buf_reserve(run, MAX_RUN / 4)) {
		memcpy(run->p + run->n, (const char *)e, sizeof(*e));
		run->n += e->n;
	}
}

/* Decode an id whose entry cannot simply be copied. */
static int put_id(const struct lu_tok *tok, struct lu_decode_state *d, uint32_t id, unsigned flags,
		struct lu_buf *out, uint64_t *replaced, struct lu_err *err)
{
	const struct lu_decode_table *t = tok->decode_table;
	const struct lu_decode_entry *e = id < tok->size ? &t->entry[id] : NULL;
	struct lu_str s;

	if (!e || (e->flags & LU_DECODE_MISSING))
		return lu_err_set(err, "id %u is not in the tokenizer", id);
	if ((e->flags & LU_DECODE_SPECIAL) && (flags & LU_TOK_SKIP_SPECIAL))
		return 0;
	if (e->flags & LU_DECODE_BYTES) {
		put_bytes(t, d, e);
		if (lu_buf_check(&d->run, err) < 0)
			return -1;
		if (d->run.n < MAX_RUN || !t->split_runs)
			return 0;
		return flush_run(t, d, stable_prefix(lu_buf_slice(&d->run)), out, replaced, err);
	}
	if (flush_run(t, d, d->run.n, out, replaced, err) < 0)
		return -1;
	s = run_steps(t, d, 0, t->early_steps, false, lu_tok_spelling(tok, id));
	s = run_steps(t, d, t->early_steps, t->steps, !d->begun, s);
	d->begun = true;
	put_string(t, d, s, out);
	return check_scratch(d, err);
}

int lu_decode_table_more(const struct lu_tok *tok, struct lu_decode_state *d, const uint32_t *ids,
		size_t n, unsigned flags, struct lu_buf *out, uint64_t *replaced,
		struct lu_err *err)
{
	const struct lu_decode_table *t = tok->decode_table;
	const unsigned not_plain = LU_DECODE_EMPTY | LU_DECODE_BYTES | LU_DECODE_MISSING |
			(flags & LU_TOK_SKIP_SPECIAL ? LU_DECODE_SPECIAL : 0);
	const size_t drop = t->drop_char.n;
	bool plain = d->begun && d->strip == 0 && d->run.n == 0;

	for (size_t i = 0; i < n; i++) {
		const struct lu_decode_entry *e;
		size_t skip;

		if (ids[i] < tok->size && (t->entry[ids[i]].flags & not_plain) == LU_DECODE_BYTES &&
				d->run.n && d->run.n < MAX_RUN) {
			put_bytes(t, d, &t->entry[ids[i]]);
			continue;
		}
		if (!plain || ids[i] >= tok->size || (t->entry[ids[i]].flags & not_plain)) {
			if (put_id(tok, d, ids[i], flags, out, replaced, err) < 0)
				return -1;
			plain = d->begun && d->strip == 0 && d->run.n == 0;
			continue;
		}
		e = &t->entry[ids[i]];
		skip = d->after_c && (e->flags & LU_DECODE_STARTS_WITH_S) ? drop : 0;
		d->after_c = e->flags & LU_DECODE_ENDS_WITH_C;
		if (e->n == LU_DECODE_LONG) {
			struct lu_str s = text_of(t, e);

			lu_buf_append(out, s.p + skip, s.n - skip);
			continue;
		}
		/* Copy the whole entry, of constant size; only its text counts. */
		if (out->cap - out->n < 2 * sizeof(*e) && !lu_buf_reserve(out, 4 * (n - i) + 64))
			break;
		memcpy(out->p + out->n, (const char *)e + skip, sizeof(*e));
		out->n += e->n - skip;
	}
	if (out->p)
		out->p[out->n] = '\0';
	/* The run may never end, but most of it is stable. */
	if (t->byte_level && d->run.n &&
			flush_run(t, d, stable_prefix(lu_buf_slice(&d->run)), out, replaced, err) <
					0)
		return -1;
	return lu_buf_check(out, err);
}

int lu_decode_table_end(const struct lu_tok *tok, struct lu_decode_state *d, struct lu_buf *out,
		uint64_t *replaced, struct lu_err *err)
{
	int rc = flush_run(tok->decode_table, d, d->run.n, out, replaced, err);

	lu_decode_table_begin(tok->decode_table, d);
	return rc < 0 ? -1 : lu_buf_check(out, err);
}
