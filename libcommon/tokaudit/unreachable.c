#include "libcommon/tokaudit/unreachable.h"

#include "libcommon/base/utf8.h"

static bool contains(struct lu_str s, uint32_t c)
{
	char utf8[4];

	return s.n && memmem(s.p, s.n, utf8, lu_utf8_put(c, utf8)) != NULL;
}

/* --- the normalizer ----------------------------------------------------------------------- */

/* True if the pre-tokenizer may insert c after the normalizer. */
static bool is_inserted_later(const struct lu_components *parts, uint32_t c)
{
	for (size_t i = 0; i < parts->pres; i++) {
		const struct lu_pre_step *op = &parts->pre[i];

		if ((op->kind == LU_PRE_METASPACE && contains(op->text, c)) ||
				(op->prefix_space && c == ' '))
			return true;
	}
	return false;
}

/* True if the step may add a c. A normal form may make it of anything. */
static bool may_insert(const struct lu_norm_step *op, uint32_t c)
{
	return op->kind == LU_NORM_FORM || (op->kind != LU_NORM_STRIP && contains(op->content, c));
}

/* 1 if the step leaves no c, 0, -1. */
static int removes(const struct lu_frozen_unicode *u, const struct lu_norm_step *op, uint32_t c,
		struct lu_err *err)
{
	char utf8[4];
	struct lu_str s = { utf8, lu_utf8_put(c, utf8) };
	struct lu_buf form = { 0 };
	int rc;

	if (op->kind == LU_NORM_REPLACE && !op->pattern.has_lookahead && !contains(op->content, c))
		return op->pattern.literal.n ? lu_str_eq(op->pattern.literal, s)
					     : lu_char_set_has(&op->pattern.set, u, c);
	if (op->kind != LU_NORM_FORM || lu_frozen_normal_prefix(u, op->form, s) == s.n)
		return 0;
	rc = lu_frozen_normalize(u, op->form, s, &form, err);
	if (rc == 0)
		rc = !contains(lu_buf_slice(&form), c);
	lu_buf_release(&form);
	return rc;
}

/* 1 if no normalised text contains c, 0, -1. */
static int never_contains(const struct lu_tok *tok, uint32_t c, struct lu_err *err)
{
	for (size_t i = tok->components.norms; i-- > 0;) {
		int rc = removes(tok->unicode, &tok->components.norm[i], c, err);

		if (rc)
			return rc;
		if (may_insert(&tok->components.norm[i], c))
			break;
	}
	return 0;
}

/* True if x is never followed by y after this step, which inserts a string between them or replaces
 * x. */
static bool separates(const struct lu_frozen_unicode *u, const struct lu_norm_step *op, uint32_t x,
		uint32_t y)
{
	const char *c = op->content.p, *end = c + op->content.n;
	uint32_t previous = 0, lit;
	bool is;

	if ((op->kind != LU_NORM_INSERT &&
			    (op->kind != LU_NORM_REPLACE || !op->pattern.has_lookahead)) ||
			op->content.n == 0 || !lu_char_set_has(&op->pattern.lookahead, u, y))
		return false;
	if (op->kind == LU_NORM_INSERT)
		is = lu_char_set_has(&op->after, u, x);
	else if (op->pattern.literal.n)
		is = lu_utf8_single(op->pattern.literal, &lit) && lit == x;
	else
		is = lu_char_set_has(&op->pattern.set, u, x);
	/* The inserted string must not make the pair inside it or at its ends. */
	for (bool any = false; is && c < end; any = true) {
		uint32_t next = lu_utf8_next(&c);

		is = next != y || (any && previous != x);
		previous = next;
	}
	return is && previous != x;
}

/* True if the step may make x and y adjacent: by deleting, or by adding one of them. */
static bool may_join(const struct lu_norm_step *op, uint32_t x, uint32_t y)
{
	return op->kind != LU_NORM_STRIP &&
			(op->content.n == 0 || may_insert(op, x) || may_insert(op, y));
}

/* True if no normalised text has x followed by y. */
static bool never_adjacent(const struct lu_tok *tok, uint32_t x, uint32_t y)
{
	for (size_t i = tok->components.norms; i-- > 0;) {
		if (separates(tok->unicode, &tok->components.norm[i], x, y))
			return true;
		if (may_join(&tok->components.norm[i], x, y))
			break;
	}
	return false;
}

/* 1 if the last step makes a normal form and s is not in it, as every part of a text in a normal
 * form is (UAX #15, section 1.2). 0; -1. */
static int not_in_last_form(const struct lu_tok *tok, struct lu_str s, struct lu_err *err)
{
	const struct lu_components *parts = &tok->components;
	const struct lu_norm_step *last = parts->norms ? &parts->norm[parts->norms - 1] : NULL;
	struct lu_buf form = { 0 };
	int rc;

	if (!last || last->kind != LU_NORM_FORM)
		return 0;
	rc = lu_frozen_normalize(tok->unicode, last->form, s, &form, err);
	if (rc == 0)
		rc = !lu_str_eq(lu_buf_slice(&form), s);
	lu_buf_release(&form);
	return rc;
}

int lu_never_normal(const struct lu_tok *tok, struct lu_str s, uint32_t c[2], struct lu_err *err)
{
	const char *p = s.p, *end = s.p + s.n;
	uint32_t before = 0;
	bool known = false; /* no later step inserts `before` */
	bool later = false; /* one inserts some character of s */

	c[0] = c[1] = 0;
	while (p < end) {
		uint32_t next = lu_utf8_next(&p);
		int rc;

		if (is_inserted_later(&tok->components, next)) {
			known = false;
			later = true;
			continue;
		}
		rc = never_contains(tok, next, err);
		if (rc < 0)
			return -1;
		if (rc || (known && never_adjacent(tok, before, next))) {
			c[0] = rc ? next : before;
			c[1] = rc ? 0 : next;
			return 1;
		}
		before = next;
		known = true;
	}
	return later ? 0 : not_in_last_form(tok, s, err);
}

/* --- the pre-tokenizer -------------------------------------------------------------------- */

static bool is_word(const struct lu_frozen_unicode *u, uint32_t c)
{
	return (lu_frozen_class(u, c) & LU_FROZEN_WORD_BRACKET) || c == 0x200C || c == 0x200D;
}

/* True if the step leaves no c in any word. */
static bool drops(const struct lu_frozen_unicode *u, const struct lu_pre_step *op, uint32_t c)
{
	switch (op->kind) {
	case LU_PRE_METASPACE: return c == ' ' && !contains(op->text, c);
	case LU_PRE_WHITESPACE:
	case LU_PRE_WHITESPACE_SPLIT: return lu_frozen_class(u, c) & LU_FROZEN_SPACE;
	case LU_PRE_PUNCTUATION:
		return op->behavior == LU_BEHAVIOR_REMOVED &&
				(lu_frozen_class(u, c) & LU_FROZEN_PUNCT);
	default: return false;
	}
}

/* True if the step splits between x and y in any context. */
static bool splits_pair(const struct lu_frozen_unicode *u, const struct lu_pre_step *op, uint32_t x,
		uint32_t y)
{
	unsigned a = lu_frozen_class(u, x), b = lu_frozen_class(u, y);
	uint32_t mark;

	switch (op->kind) {
	case LU_PRE_DIGITS: return ((op->individual ? a | b : a ^ b) & LU_FROZEN_DIGIT) != 0;
	case LU_PRE_PUNCTUATION:
		if (op->behavior == LU_BEHAVIOR_CONTIGUOUS)
			return ((a ^ b) & LU_FROZEN_PUNCT) != 0;
		return op->behavior == LU_BEHAVIOR_ISOLATED && ((a | b) & LU_FROZEN_PUNCT) != 0;
	case LU_PRE_METASPACE: return op->split && lu_utf8_single(op->text, &mark) && y == mark;
	case LU_PRE_WHITESPACE: return is_word(u, x) != is_word(u, y);
	case LU_PRE_SPLIT_LITERAL:
		if (!lu_utf8_single(op->text, &mark) || (x != mark && y != mark))
			return false;
		return op->behavior == LU_BEHAVIOR_CONTIGUOUS
				? x != y
				: op->behavior == LU_BEHAVIOR_ISOLATED;
	case LU_PRE_WHITESPACE_SPLIT:
	case LU_PRE_SPLIT_REGEX:
	case LU_PRE_BYTE_LEVEL: break;
	}
	return false;
}

/*
 * 1 if one of the splitting expressions keeps s whole in some context, 0, -1. If it matches u s v,
 * then it also matches s alone or with one more character: each alternative is a run of characters
 * of one kind, with at most one character before it or line ends after it, and looks at most one
 * character ahead and never behind.
 */
static int regex_keeps(const struct lu_tok *tok, enum lu_split_regex regex, struct lu_str s,
		struct lu_err *err)
{
	static const char *const around[] = { "", " ", "a", "1", "!", "\n" };
	struct lu_buf text = { 0 };
	int rc = 0;

	for (size_t i = 0; i < 36 && rc == 0; i++) {
		const char *before = around[i / 6], *p, *from, *end;

		lu_buf_clear(&text);
		lu_buf_puts(&text, before);
		lu_buf_str(&text, s);
		lu_buf_puts(&text, around[i % 6]);
		rc = lu_buf_check(&text, err);
		if (rc < 0)
			break;
		p = text.p;
		from = p + strlen(before);
		end = p + text.n;
		while (rc == 0 && p <= from) {
			const char *word = p;

			p += lu_split_regex_match(regex, tok->unicode, p, end);
			rc = word <= from && p >= from + s.n;
		}
	}
	lu_buf_release(&text);
	return rc;
}

/* True if the step splits s, or drops a character of it, in any context. */
static bool step_splits(
		const struct lu_frozen_unicode *u, const struct lu_pre_step *op, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n;
	uint32_t before = 0;

	for (bool any = false; p < end; any = true) {
		uint32_t c = lu_utf8_next(&p);

		if (drops(u, op, c) || (any && splits_pair(u, op, before, c)))
			return true;
		before = c;
	}
	return false;
}

int lu_always_cut(const struct lu_tok *tok, struct lu_str s, struct lu_err *err)
{
	const struct lu_components *parts = &tok->components;
	size_t from = 0;

	/* Start at the last step that inserts markers: steps before it see other text. */
	for (size_t i = 0; i < parts->pres; i++) {
		if (parts->pre[i].kind == LU_PRE_METASPACE || parts->pre[i].prefix_space)
			from = i;
	}
	for (size_t i = from; i < parts->pres; i++) {
		const struct lu_pre_step *op = &parts->pre[i];
		int rc;

		if (step_splits(tok->unicode, op, s))
			return 1;
		if (op->regex == LU_SPLIT_NONE)
			continue;
		rc = regex_keeps(tok, op->regex, s, err);
		if (rc <= 0)
			return rc < 0 ? -1 : 1;
	}
	return 0;
}
