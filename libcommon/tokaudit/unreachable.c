/* What a normalizer never makes and a pre-tokenizer never leaves whole. */
#include "libcommon/tokaudit/unreachable.h"

#include "libcommon/base/utf8.h"

static bool one_char(struct lu_str s, uint32_t *c)
{
	const char *p = s.p;

	if (s.n == 0)
		return false;
	*c = lu_utf8_next(&p);
	return p == s.p + s.n;
}

static bool holds(struct lu_str s, uint32_t c)
{
	char utf8[4];

	return s.n && memmem(s.p, s.n, utf8, lu_utf8_put(c, utf8)) != NULL;
}

/* --- the normalizer ----------------------------------------------------------------------- */

/* The pre-tokenizer may put c into a text after the normalizer. */
static bool comes_later(const struct lu_parts *parts, uint32_t c)
{
	for (size_t i = 0; i < parts->pres; i++) {
		const struct lu_pre_op *op = &parts->pre[i];

		if ((op->kind == LU_PRE_METASPACE && holds(op->text, c)) ||
				(op->prefix_space && c == ' '))
			return true;
	}
	return false;
}

/* A normal form may make c of something else; of what is not asked. */
static bool puts_char(const struct lu_norm_op *op, uint32_t c)
{
	return op->kind == LU_NORM_FORM || (op->kind != LU_NORM_STRIP && holds(op->content, c));
}

/* 1: no c is left after this step. */
static int takes_char(
		const struct lu_uni *u, const struct lu_norm_op *op, uint32_t c, struct lu_err *err)
{
	char utf8[4];
	struct lu_str s = { utf8, lu_utf8_put(c, utf8) };
	struct lu_buf form = { 0 };
	int rc;

	if (op->kind == LU_NORM_REPLACE && !op->pattern.look && !holds(op->content, c))
		return op->pattern.lit.n ? lu_str_eq(op->pattern.lit, s)
					 : lu_cset_has(&op->pattern.set, u, c);
	if (op->kind != LU_NORM_FORM || lu_uni_normal_prefix(u, op->form, s) == s.n)
		return 0;
	rc = lu_uni_normalize(u, op->form, s, &form, err);
	if (rc == 0)
		rc = !holds(lu_buf_slice(&form), c);
	lu_buf_release(&form);
	return rc;
}

static int never_char(const struct lu_tok *tok, uint32_t c, struct lu_err *err)
{
	for (size_t i = tok->parts.norms; i-- > 0;) {
		int rc = takes_char(tok->uni, &tok->parts.norm[i], c, err);

		if (rc)
			return rc;
		if (puts_char(&tok->parts.norm[i], c))
			break;
	}
	return 0;
}

/* After this step x is never followed by y: it puts something between them, or for x. */
static bool parts_pair(const struct lu_uni *u, const struct lu_norm_op *op, uint32_t x, uint32_t y)
{
	const char *c = op->content.p, *end = c + op->content.n;
	uint32_t previous = 0, lit;
	bool is;

	if ((op->kind != LU_NORM_INSERT && (op->kind != LU_NORM_REPLACE || !op->pattern.look)) ||
			op->content.n == 0 || !lu_cset_has(&op->pattern.ahead, u, y))
		return false;
	if (op->kind == LU_NORM_INSERT)
		is = lu_cset_has(&op->after, u, x);
	else if (op->pattern.lit.n)
		is = one_char(op->pattern.lit, &lit) && lit == x;
	else
		is = lu_cset_has(&op->pattern.set, u, x);
	/* The pair may arise at the ends of what is put there, or inside it. */
	for (bool any = false; is && c < end; any = true) {
		uint32_t next = lu_utf8_next(&c);

		is = next != y || (any && previous != x);
		previous = next;
	}
	return is && previous != x;
}

/* A later step may bring x and y together: what deletes, and what puts one of them. */
static bool joins(const struct lu_norm_op *op, uint32_t x, uint32_t y)
{
	return op->kind != LU_NORM_STRIP &&
			(op->content.n == 0 || puts_char(op, x) || puts_char(op, y));
}

static bool never_pair(const struct lu_tok *tok, uint32_t x, uint32_t y)
{
	for (size_t i = tok->parts.norms; i-- > 0;) {
		if (parts_pair(tok->uni, &tok->parts.norm[i], x, y))
			return true;
		if (joins(&tok->parts.norm[i], x, y))
			break;
	}
	return false;
}

/* Parts of a text in a normal form are in it too (UAX #15, section 1.2). */
static int not_in_last_form(const struct lu_tok *tok, struct lu_str s, struct lu_err *err)
{
	const struct lu_parts *parts = &tok->parts;
	const struct lu_norm_op *last = parts->norms ? &parts->norm[parts->norms - 1] : NULL;
	struct lu_buf form = { 0 };
	int rc;

	if (!last || last->kind != LU_NORM_FORM)
		return 0;
	rc = lu_uni_normalize(tok->uni, last->form, s, &form, err);
	if (rc == 0)
		rc = !lu_str_eq(lu_buf_slice(&form), s);
	lu_buf_release(&form);
	return rc;
}

int lu_never_normal(const struct lu_tok *tok, struct lu_str s, uint32_t c[2], struct lu_err *err)
{
	const char *p = s.p, *end = s.p + s.n;
	uint32_t before = 0;
	bool known = false, later = false; /* of `before`; of any */

	c[0] = c[1] = 0;
	while (p < end) {
		uint32_t next = lu_utf8_next(&p);
		int rc;

		if (comes_later(&tok->parts, next)) {
			known = false;
			later = true;
			continue;
		}
		rc = never_char(tok, next, err);
		if (rc < 0)
			return -1;
		if (rc || (known && never_pair(tok, before, next))) {
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

static bool is_word(const struct lu_uni *u, uint32_t c)
{
	return (lu_uni_class(u, c) & LU_UC_WORD_BRACKET) || c == 0x200C || c == 0x200D;
}

/* The step leaves no c in any word. */
static bool drops_char(const struct lu_uni *u, const struct lu_pre_op *op, uint32_t c)
{
	switch (op->kind) {
	case LU_PRE_METASPACE: return c == ' ' && !holds(op->text, c);
	case LU_PRE_WHITESPACE:
	case LU_PRE_WHITESPACE_SPLIT: return lu_uni_class(u, c) & LU_UC_SPACE;
	case LU_PRE_PUNCTUATION:
		return op->behavior == LU_REMOVED && (lu_uni_class(u, c) & LU_UC_PUNCT);
	default: return false;
	}
}

/* The step cuts between two neighbours whatever stands around them. */
static bool cuts_pair(const struct lu_uni *u, const struct lu_pre_op *op, uint32_t x, uint32_t y)
{
	unsigned a = lu_uni_class(u, x), b = lu_uni_class(u, y);
	uint32_t mark;

	switch (op->kind) {
	case LU_PRE_DIGITS: return ((op->individual ? a | b : a ^ b) & LU_UC_DIGIT) != 0;
	case LU_PRE_PUNCTUATION:
		if (op->behavior == LU_CONTIGUOUS)
			return ((a ^ b) & LU_UC_PUNCT) != 0;
		return op->behavior == LU_ISOLATED && ((a | b) & LU_UC_PUNCT) != 0;
	case LU_PRE_METASPACE: return op->split && one_char(op->text, &mark) && y == mark;
	case LU_PRE_WHITESPACE: return is_word(u, x) != is_word(u, y);
	case LU_PRE_SPLIT_LITERAL:
		if (!one_char(op->text, &mark) || (x != mark && y != mark))
			return false;
		return op->behavior == LU_CONTIGUOUS ? x != y : op->behavior == LU_ISOLATED;
	case LU_PRE_WHITESPACE_SPLIT:
	case LU_PRE_SPLIT_REGEX:
	case LU_PRE_BYTE_LEVEL: break;
	}
	return false;
}

/*
 * Whether one of the splitting expressions leaves s whole in some context: 1, 0, -1. When it
 * matches u s v, then it matches s alone, or s and one more character: each of the alternatives is
 * a run of characters of one kind, with at most a character before it or line ends after it, and
 * looks at most one character ahead and never back.
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

			p += lu_split_regex_match(regex, tok->uni, p, end);
			rc = word <= from && p >= from + s.n;
		}
	}
	lu_buf_release(&text);
	return rc;
}

static bool step_cuts(const struct lu_uni *u, const struct lu_pre_op *op, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n;
	uint32_t before = 0;

	for (bool any = false; p < end; any = true) {
		uint32_t c = lu_utf8_next(&p);

		if (drops_char(u, op, c) || (any && cuts_pair(u, op, before, c)))
			return true;
		before = c;
	}
	return false;
}

int lu_always_cut(const struct lu_tok *tok, struct lu_str s, struct lu_err *err)
{
	const struct lu_parts *parts = &tok->parts;
	size_t from = 0;

	/* A step before one that puts markers saw something else where they are. */
	for (size_t i = 0; i < parts->pres; i++) {
		if (parts->pre[i].kind == LU_PRE_METASPACE || parts->pre[i].prefix_space)
			from = i;
	}
	for (size_t i = from; i < parts->pres; i++) {
		const struct lu_pre_op *op = &parts->pre[i];
		int rc;

		if (step_cuts(tok->uni, op, s))
			return 1;
		if (op->regex == LU_SPLIT_NONE)
			continue;
		rc = regex_keeps(tok, op->regex, s, err);
		if (rc <= 0)
			return rc < 0 ? -1 : 1;
	}
	return 0;
}
