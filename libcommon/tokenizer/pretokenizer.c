/* Runs the steps of a pre_tokenizer: cuts a normalised text into words. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/bpe.h"

int lu_spans_push(struct lu_spans *s, size_t at, size_t n, struct lu_err *err)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		struct lu_span *p = realloc(s->p, cap * sizeof(*p));

		if (!p)
			return lu_err_nomem(err);
		s->p = p;
		s->cap = cap;
	}
	s->p[s->n++] = (struct lu_span){ at, n };
	return 0;
}

int lu_spans_add(struct lu_spans *s, size_t at, size_t n, struct lu_err *err)
{
	return n ? lu_spans_push(s, at, n, err) : 0;
}

/* One word being cut: matches and what lies between them arrive in order. */
struct cutter {
	const struct lu_pre_op *op;
	enum lu_behavior behavior;
	struct lu_spans *to;
	struct lu_err *err;
	size_t first;  /* index in `to` of this word's first part */
	bool previous; /* the part before was a match */
};

/*
 * The five behaviours. In the two Merged forms only the match that touches its neighbour
 * attaches: of several matches in a row the first goes to the part before (MergedWithPrevious),
 * or the last goes to the part after (MergedWithNext); the others stand alone.
 */
static int part(struct cutter *c, size_t at, size_t n, bool is_match)
{
	struct lu_span *last = c->to->n > c->first ? &c->to->p[c->to->n - 1] : NULL;
	bool join = false;

	if (n == 0)
		return 0;
	switch (c->behavior) {
	case LU_REMOVED:
		if (is_match)
			return 0;
		break;
	case LU_ISOLATED: break;
	case LU_MERGED_PREVIOUS: join = last && is_match && !c->previous; break;
	case LU_MERGED_NEXT: join = last && !is_match && c->previous; break;
	case LU_CONTIGUOUS: join = last && is_match == c->previous; break;
	}
	c->previous = is_match;
	if (join) {
		last->n += n;
		return 0;
	}
	return lu_spans_add(c->to, at, n, c->err);
}

static int cut_by_class(struct cutter *c, const struct lu_frozen_unicode *u, unsigned cls,
		const char *base, struct lu_span word)
{
	const char *p = base + word.at, *end = p + word.n, *from = p;

	while (p < end) {
		const char *at = p;

		if (!(lu_frozen_class(u, lu_utf8_next(&p)) & cls))
			continue;
		if (part(c, (size_t)(from - base), (size_t)(at - from), false) < 0 ||
				part(c, (size_t)(at - base), (size_t)(p - at), true) < 0)
			return -1;
		from = p;
	}
	return part(c, (size_t)(from - base), (size_t)(end - from), false);
}

static int cut_by_literal(struct cutter *c, struct lu_str lit, bool invert, const char *base,
		struct lu_span word)
{
	const char *p = base + word.at, *end = p + word.n;

	while (p < end) {
		const char *at = lu_str_find(p, end, lit);

		if (!at)
			break;
		if (part(c, (size_t)(p - base), (size_t)(at - p), invert) < 0 ||
				part(c, (size_t)(at - base), lit.n, !invert) < 0)
			return -1;
		p = at + lit.n;
	}
	return part(c, (size_t)(p - base), (size_t)(end - p), invert);
}

static int cut_by_regex(struct cutter *c, const struct lu_frozen_unicode *u,
		enum lu_split_regex regex, const char *base, struct lu_span word)
{
	const char *p = base + word.at, *end = p + word.n;

	while (p < end) {
		size_t n = lu_split_regex_match(regex, u, p, end);

		if (lu_spans_add(c->to, (size_t)(p - base), n, c->err) < 0)
			return -1;
		p += n;
	}
	return 0;
}

/* \w+|[^\w\s]+ of an engine whose \w also holds the two joiners. */
static int cut_whitespace(struct cutter *c, const struct lu_frozen_unicode *u, const char *base,
		struct lu_span word)
{
	const char *p = base + word.at, *end = p + word.n, *from = p;
	int kind = 0; /* 0 blank, 1 word, 2 other */

	while (p < end) {
		const char *at = p;
		uint32_t ch = lu_utf8_next(&p);
		unsigned cls = lu_frozen_class(u, ch);
		int k = cls & LU_FROZEN_SPACE ? 0
				: (cls & LU_FROZEN_WORD_BRACKET) || ch == 0x200C || ch == 0x200D
				? 1
				: 2;

		if (k == kind)
			continue;
		if (kind &&
				lu_spans_add(c->to, (size_t)(from - base), (size_t)(at - from),
						c->err) < 0)
			return -1;
		from = at;
		kind = k;
	}
	return kind ? lu_spans_add(c->to, (size_t)(from - base), (size_t)(end - from), c->err) : 0;
}

static int cut(struct cutter *c, const struct lu_frozen_unicode *u, const char *base,
		struct lu_span word)
{
	const struct lu_pre_op *op = c->op;

	c->first = c->to->n;
	c->previous = false;
	switch (op->kind) {
	case LU_PRE_DIGITS:
		c->behavior = op->individual ? LU_ISOLATED : LU_CONTIGUOUS;
		return cut_by_class(c, u, LU_FROZEN_DIGIT, base, word);
	case LU_PRE_PUNCTUATION: return cut_by_class(c, u, LU_FROZEN_PUNCT, base, word);
	case LU_PRE_SPLIT_LITERAL: return cut_by_literal(c, op->text, op->invert, base, word);
	case LU_PRE_SPLIT_REGEX: return cut_by_regex(c, u, op->regex, base, word);
	case LU_PRE_WHITESPACE: return cut_whitespace(c, u, base, word);
	case LU_PRE_WHITESPACE_SPLIT:
		c->behavior = LU_REMOVED;
		return cut_by_class(c, u, LU_FROZEN_SPACE, base, word);
	case LU_PRE_METASPACE:
		if (!op->split)
			return lu_spans_add(c->to, word.at, word.n, c->err);
		c->behavior = LU_MERGED_NEXT;
		return cut_by_literal(c, op->text, false, base, word);
	case LU_PRE_BYTE_LEVEL: break;
	}
	if (op->regex == LU_SPLIT_NONE)
		return lu_spans_add(c->to, word.at, word.n, c->err);
	return cut_by_regex(c, u, op->regex, base, word);
}

static bool starts(struct lu_str text, struct lu_span s, struct lu_str with)
{
	return s.n >= with.n && memcmp(text.p + s.at, with.p, with.n) == 0;
}

/* Copies the words into `to` with `mark` for each space (when `spaces`) and before each word
 * that asks for it; the spans follow. */
static int rewrite(const struct lu_pre_op *op, struct lu_str mark, struct lu_spans *spans,
		struct lu_str text, bool first, struct lu_buf *to, struct lu_err *err)
{
	bool spaces = op->kind == LU_PRE_METASPACE;

	for (size_t i = 0; i < spans->n; i++) {
		struct lu_span *s = &spans->p[i];
		const char *p = text.p + s->at, *end = p + s->n;
		size_t at = to->n;
		bool marked = starts(text, *s, mark) || (spaces && *p == ' ');
		bool ask = spaces ? op->scheme == LU_ALWAYS ||
						(op->scheme == LU_FIRST && first && s->at == 0)
				  : op->prefix_space;

		if (ask && !marked)
			lu_buf_str(to, mark);
		while (p < end) {
			const char *space = spaces ? memchr(p, ' ', (size_t)(end - p)) : NULL;

			lu_buf_append(to, p, (size_t)((space ? space : end) - p));
			p = space ? space + 1 : end;
			if (space)
				lu_buf_str(to, mark);
		}
		*s = (struct lu_span){ at, to->n - at };
	}
	lu_buf_reserve(to, LU_BPE_PAD);
	return lu_buf_check(to, err);
}

int lu_pre_run(const struct lu_parts *parts, const struct lu_frozen_unicode *u, struct lu_work *w,
		struct lu_str text, bool first, struct lu_str *out, struct lu_err *err)
{
	w->spans.n = 0;
	if (lu_spans_add(&w->spans, 0, text.n, err) < 0)
		return -1;
	for (size_t i = 0; i < parts->pres; i++) {
		const struct lu_pre_op *op = &parts->pre[i];
		struct cutter c = {
			.op = op, .behavior = op->behavior, .to = &w->more, .err = err
		};
		struct lu_spans swap;

		if (op->kind == LU_PRE_METASPACE || op->prefix_space) {
			bool in_a = w->a.p && text.p >= w->a.p && text.p <= w->a.p + w->a.cap;
			struct lu_buf *to = in_a ? &w->b : &w->a;

			lu_buf_clear(to);
			if (rewrite(op, op->kind == LU_PRE_METASPACE ? op->text : LU_STR(" "),
					    &w->spans, text, first, to, err) < 0)
				return -1;
			text = lu_buf_slice(to);
		}
		w->more.n = 0;
		for (size_t k = 0; k < w->spans.n; k++) {
			if (cut(&c, u, text.p, w->spans.p[k]) < 0)
				return -1;
		}
		swap = w->spans;
		w->spans = w->more;
		w->more = swap;
	}
	*out = text;
	return 0;
}

bool lu_pre_cuts_words(const struct lu_parts *parts)
{
	bool cuts = false;

	for (size_t i = 0; i < parts->pres; i++) {
		const struct lu_pre_op *op = &parts->pre[i];

		switch (op->kind) {
		/* These look at one character at a time, and a letter or a space is none of
		 * theirs. */
		case LU_PRE_DIGITS:
		case LU_PRE_PUNCTUATION: break;
		/* A literal might hold the place. */
		case LU_PRE_SPLIT_LITERAL: return false;
		/* A space that is written otherwise may be no space for the next. */
		case LU_PRE_METASPACE:
			if (!op->split && !cuts)
				return false;
			cuts = true;
			break;
		case LU_PRE_BYTE_LEVEL: cuts |= op->regex != LU_SPLIT_NONE; break;
		case LU_PRE_SPLIT_REGEX:
		case LU_PRE_WHITESPACE:
		case LU_PRE_WHITESPACE_SPLIT: cuts = true; break;
		}
	}
	return cuts;
}

enum lu_split_regex lu_pre_only_regex(const struct lu_parts *parts)
{
	enum lu_split_regex found = LU_SPLIT_NONE;

	for (size_t i = 0; i < parts->pres; i++) {
		const struct lu_pre_op *op = &parts->pre[i];

		/* ByteLevel after an expression only changes how bytes are spelled. */
		if (i == 1 && op->kind == LU_PRE_BYTE_LEVEL && !op->prefix_space &&
				op->regex == LU_SPLIT_NONE)
			continue;
		if (i > 0 || op->prefix_space ||
				(op->kind != LU_PRE_SPLIT_REGEX && op->kind != LU_PRE_BYTE_LEVEL))
			return LU_SPLIT_NONE;
		found = op->regex;
	}
	return found;
}

/*
 * GPT-2's alphabet for bytes: a printable Latin-1 character stands for itself; the 68 other
 * bytes (00-20, 7F-A0, AD) are given U+0100 to U+0143, in order.
 */
uint32_t lu_byte_char(unsigned byte)
{
	if (byte <= 0x20)
		return 0x100 + byte;
	if (byte >= 0x7F && byte <= 0xA0)
		return 0x121 + byte - 0x7F;
	return byte == 0xAD ? 0x143 : byte;
}

int lu_char_byte(uint32_t c)
{
	if (c >= 0x100 && c <= 0x120)
		return (int)(c - 0x100);
	if (c >= 0x121 && c <= 0x142)
		return (int)(c - 0x121 + 0x7F);
	if (c == 0x143)
		return 0xAD;
	return c < 0x100 && lu_byte_char(c) == c ? (int)c : -1;
}
