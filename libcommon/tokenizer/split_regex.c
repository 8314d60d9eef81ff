/*
 * The regular expressions that tokenizer files use, without an expression engine: each is known
 * by its form, and matched in one pass without backtracking or recursion. Any other is refused.
 */
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "libcommon/base/utf8.h"
#include "libcommon/tokenizer/components.h"

bool lu_cset_has(const struct lu_cset *s, const struct lu_frozen_unicode *u, uint32_t c)
{
	if (lu_frozen_class(u, c) & s->cls)
		return true;
	for (size_t i = 0; i < s->n; i++) {
		if (s->c[i] == c)
			return true;
	}
	return false;
}

/* A place in an expression. */
struct rx {
	const char *p, *end;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Oniguruma: \xHH takes one or two digits, \uHHHH exactly four. */
static bool hex_escape(struct rx *r, int least, int most, uint32_t *c)
{
	int n = 0;

	*c = 0;
	while (n < most && r->p < r->end && hex_digit(*r->p) >= 0) {
		*c = *c << 4 | (uint32_t)hex_digit(*r->p++);
		n++;
	}
	/* \x80 and above would be a byte, not a character. */
	return n >= least && (most > 2 || *c < 0x80) && (*c < 0xD800 || *c > 0xDFFF);
}

/* One character, escaped or not; or a class letter: *cls. False: not understood. */
static bool one_char(struct rx *r, bool bracket, uint32_t *c, unsigned *cls)
{
	const char *special = bracket ? "[]^-&" : ".^$*+?()[]{}|";

	*cls = 0;
	if (r->p >= r->end)
		return false;
	if (*r->p != '\\') {
		if (*r->p && strchr(special, *r->p))
			return false;
		*c = lu_utf8_next(&r->p);
		return true;
	}
	if (++r->p >= r->end)
		return false;
	*c = lu_utf8_next(&r->p);
	switch (*c) {
	case 'n': *c = '\n'; return true;
	case 'r': *c = '\r'; return true;
	case 't': *c = '\t'; return true;
	case 'f': *c = '\f'; return true;
	case 'v': *c = '\v'; return true;
	case 'x': return hex_escape(r, 1, 2, c);
	case 'u': return hex_escape(r, 4, 4, c);
	case 'w': *cls = bracket ? LU_FROZEN_WORD_BRACKET : LU_FROZEN_WORD; return true;
	case 's': *cls = LU_FROZEN_SPACE; return true;
	default: break;
	}
	/* An escaped letter or digit that is not listed means something else. */
	return !(*c < 0x80 &&
			((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
					(*c >= 'A' && *c <= 'Z')));
}

/* "[...]" at r->p. */
static bool read_set(struct rx *r, struct lu_arena *arena, struct lu_cset *set)
{
	*set = (struct lu_cset){ 0 };
	if (r->p >= r->end || *r->p != '[')
		return false;
	r->p++;
	set->c = lu_arena_alloc(arena, (size_t)(r->end - r->p + 1) * sizeof(*set->c));
	if (!set->c)
		return false;
	while (r->p < r->end && *r->p != ']') {
		uint32_t c;
		unsigned cls;

		if (!one_char(r, true, &c, &cls))
			return false;
		if (cls)
			set->cls |= cls;
		else
			set->c[set->n++] = c;
	}
	if (r->p >= r->end || (set->n == 0 && set->cls == 0))
		return false;
	r->p++;
	return true;
}

static bool starts_with(const struct rx *r, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(r->end - r->p) >= n && memcmp(r->p, s, n) == 0;
}

/* A literal of one or more characters, up to a look-ahead or the end. */
static bool read_literal(struct rx *r, struct lu_arena *arena, struct lu_pattern *out)
{
	char *to = lu_arena_alloc(arena, (size_t)(r->end - r->p) + 4);

	if (!to)
		return false;
	out->lit.p = to;
	while (r->p < r->end && !starts_with(r, "(?=")) {
		uint32_t c;
		unsigned cls;

		if (!one_char(r, false, &c, &cls))
			return false;
		if (cls) {
			/* \w or \s alone is a set. */
			if (out->lit.n || (r->p < r->end && !starts_with(r, "(?=")))
				return false;
			out->set.cls = cls;
			return true;
		}
		out->lit.n += lu_utf8_put(c, to + out->lit.n);
	}
	return out->lit.n > 0;
}

static bool read_regex(struct lu_str text, struct lu_arena *arena, struct lu_pattern *out)
{
	struct rx r = { text.p, text.p + text.n };

	if (r.p < r.end && *r.p == '[') {
		if (!read_set(&r, arena, &out->set))
			return false;
	} else if (!read_literal(&r, arena, out)) {
		return false;
	}
	if (r.p == r.end)
		return true;
	if (!starts_with(&r, "(?="))
		return false;
	r.p += 3;
	out->look = true;
	return read_set(&r, arena, &out->ahead) && starts_with(&r, ")") && r.p + 1 == r.end;
}

int lu_pattern_read(const struct lu_tj *j, const struct lu_json_obj *obj, struct lu_pattern *out)
{
	const struct lu_json_member *m = lu_json_get(obj, "pattern");
	struct lu_json_obj p;
	struct lu_str type, text;

	*out = (struct lu_pattern){ .lit = { "", 0 } };
	if (!m || m->type != LU_JSON_OBJECT)
		return lu_tj_fail(j, "\"pattern\" is not an object");
	if (lu_tj_object(j, m->value, &p, &type) < 0 || lu_tj_only(j, &p, "String|Regex") < 0)
		return -1;
	if (p.members != 1)
		return lu_tj_fail(j, "\"pattern\" needs one of \"String\" and \"Regex\"");
	if (lu_json_get(&p, "String")) {
		if (lu_tj_str(j, &p, "String", &out->lit) < 0)
			return -1;
		return out->lit.n ? 0 : lu_tj_fail(j, "\"pattern\" is empty");
	}
	if (lu_tj_str(j, &p, "Regex", &text) < 0)
		return -1;
	if (!read_regex(text, j->arena, out))
		return lu_tj_fail(j, "the expression \"" LU_STR_FMT "\" is not supported",
				LU_STR_ARG(text));
	return 0;
}

/* --- splitting expressions ---------------------------------------------------------------- */

static const struct {
	enum lu_split_regex id;
	const char *text;
} known[] = {
	{ LU_SPLIT_GPT2,
			"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| "
			"?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|"
			"\\s+" },
	{ LU_SPLIT_CL100K,
			"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
			"?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" },
	{ LU_SPLIT_O200K,
			"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"
			"[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}"
			"\\p{N}]?"
			"[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
			"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|"
			"\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" },
	{ LU_SPLIT_QWEN2,
			"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
			"?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" },
};

enum lu_split_regex lu_split_regex_known(struct lu_str regex)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (lu_str_is(regex, known[i].text))
			return known[i].id;
	}
	return LU_SPLIT_NONE;
}

/* The text from p: one character, its class, and where the next begins. */
struct peek {
	uint32_t c;
	unsigned cls;
	const char *next;
};

static inline struct peek peek(const struct lu_frozen_unicode *u, const char *p)
{
	struct peek k = { .next = p };

	k.c = lu_utf8_next(&k.next);
	k.cls = lu_frozen_class(u, k.c);
	return k;
}

/* End of the run of ASCII letters at p: sixteen at a time, since where a word ends is what a
 * processor guesses wrong. */
static inline const char *ascii_letters(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i from_a = _mm_sub_epi8(
				_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
		__m128i is = _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8(25)), from_a);
		unsigned mask = (unsigned)_mm_movemask_epi8(is);

		if (mask != 0xFFFF)
			return p + __builtin_ctz(~mask);
		p += 16;
	}
#endif
	while (p < end && (unsigned char)((*p | 0x20) - 'a') < 26)
		p++;
	return p;
}

/* End of the run of characters that have a bit of `yes` and none of `no` (yes 0: any). */
static const char *run_of(const struct lu_frozen_unicode *u, const char *p, const char *end,
		unsigned yes, unsigned no)
{
	while (p < end) {
		struct peek k;

		if (yes == LU_FROZEN_LETTER && (p = ascii_letters(p, end)) == end)
			break;
		/* Most are ASCII, and there the next place does not wait for the class. */
		if (!(*p & 0x80)) {
			unsigned cls = lu_frozen_class(u, (unsigned char)*p);

			if ((yes && !(cls & yes)) || (cls & no))
				break;
			p++;
			continue;
		}
		k = peek(u, p);
		if ((yes && !(k.cls & yes)) || (k.cls & no))
			break;
		p = k.next;
	}
	return p;
}

/* 's 't 're 've 'm 'll 'd at p, which is an apostrophe; 0 when none. Without regard to case in
 * the later expressions, where the long s folds to s as well. */
static size_t contraction(const char *p, const char *end, bool fold)
{
	char a, b;

	if (fold && end - p >= 3 && memcmp(p + 1, "\xC5\xBF", 2) == 0)
		return 3;
	if (end - p < 2)
		return 0;
	a = p[1];
	b = end - p >= 3 ? p[2] : '\0';
	if (fold) {
		a = (char)(a >= 'A' && a <= 'Z' ? a + 32 : a);
		b = (char)(b >= 'A' && b <= 'Z' ? b + 32 : b);
	}
	if (a == 's' || a == 't' || a == 'm' || a == 'd')
		return 2;
	if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
		return 3;
	return 0;
}

/* \s+(?!\S)|\s+ at p: the whole run when the text ends after it, else all but its last
 * character, but at least one. */
static const char *blanks(const struct lu_frozen_unicode *u, const char *p, const char *end)
{
	const char *last = p, *q = p;

	while (q < end) {
		struct peek k = peek(u, q);

		if (!(k.cls & LU_FROZEN_SPACE))
			return last > p ? last : q;
		last = q;
		q = k.next;
	}
	return end;
}

static const char *match_gpt2(const struct lu_frozen_unicode *u, const char *p, const char *end)
{
	const unsigned L = LU_FROZEN_LETTER, N = LU_FROZEN_NUMBER, S = LU_FROZEN_SPACE;
	const char *q = p;
	struct peek k = peek(u, p);

	if (k.c == '\'') {
		size_t n = contraction(p, end, false);

		if (n)
			return p + n;
	}
	if (k.c == ' ' && k.next < end) {
		q = k.next;
		k = peek(u, q);
	}
	if (k.cls & L)
		return run_of(u, k.next, end, L, 0);
	if (k.cls & N)
		return run_of(u, k.next, end, N, 0);
	if (!(k.cls & S))
		return run_of(u, k.next, end, 0, S | L | N);
	return blanks(u, p, end);
}

/* \p{N}{1,most} at p, which is a number. */
static const char *numbers(
		const struct lu_frozen_unicode *u, const char *p, const char *end, int most)
{
	for (; most > 0 && p < end; most--) {
		struct peek k = peek(u, p);

		if (!(k.cls & LU_FROZEN_NUMBER))
			break;
		p = k.next;
	}
	return p;
}

/* The end of the later expressions, for what begins with neither letter nor number; `more` is a
 * character that may follow a row of symbols as line ends do. */
static const char *symbols_or_blanks(
		const struct lu_frozen_unicode *u, const char *p, const char *end, char more)
{
	const unsigned none = LU_FROZEN_SPACE | LU_FROZEN_LETTER | LU_FROZEN_NUMBER;
	const char *q = *p == ' ' ? p + 1 : p, *line = NULL;

	/* " ?[^\s\p{L}\p{N}]+[\r\n]*" */
	if (q < end && !(peek(u, q).cls & none)) {
		q = run_of(u, q, end, 0, none);
		while (q < end && (*q == '\r' || *q == '\n' || *q == more))
			q++;
		return q;
	}
	/* "\s*[\r\n]+": up to the last line end of the run of blanks. */
	for (q = p; q < end;) {
		struct peek k = peek(u, q);

		if (!(k.cls & LU_FROZEN_SPACE))
			break;
		q = k.next;
		if (k.c == '\r' || k.c == '\n')
			line = q;
	}
	return line ? line : blanks(u, p, end);
}

static const char *match_cl100k(
		const struct lu_frozen_unicode *u, const char *p, const char *end, int digits)
{
	const unsigned L = LU_FROZEN_LETTER;
	struct peek k = peek(u, p);

	if (k.c == '\'') {
		size_t n = contraction(p, end, true);

		if (n)
			return p + n;
	}
	if (k.cls & L)
		return run_of(u, k.next, end, L, 0);
	if (k.cls & LU_FROZEN_NUMBER)
		return numbers(u, p, end, digits);
	if (k.c != '\r' && k.c != '\n' && k.next < end && (peek(u, k.next).cls & L))
		return run_of(u, k.next, end, L, 0);
	return symbols_or_blanks(u, p, end, '\n');
}

/*
 * The two alternatives of words in o200k, U*L+ and U+L*, where U is upper and title case, L lower
 * case, and letters without case and marks are both. What an engine finds by going back: the run
 * of U is taken whole; if an L follows, that run of L is too; otherwise characters of U are given
 * back until one is an L, which is the last that is both, and the match ends there. Only when
 * there is none the second alternative comes, if it is asked for: it takes the run of U.
 */
static const char *cased_word(
		const struct lu_frozen_unicode *u, const char *p, const char *end, bool second)
{
	const char *from = p, *both = NULL;
	unsigned cls = 0;

	while (p < end) {
		const char *q = p;

		cls = lu_frozen_case(u, lu_utf8_next(&q));
		if (!(cls & LU_FROZEN_UPPER))
			break;
		p = q;
		if (cls & LU_FROZEN_LOWER)
			both = p;
	}
	if (p < end && (cls & LU_FROZEN_LOWER)) {
		while (p < end) {
			const char *q = p;

			if (!(lu_frozen_case(u, lu_utf8_next(&q)) & LU_FROZEN_LOWER))
				break;
			p = q;
		}
		both = p;
	}
	if (!both && second && p > from)
		both = p;
	if (both && both < end && *both == '\'')
		both += contraction(both, end, true);
	return both;
}

static const char *match_o200k(const struct lu_frozen_unicode *u, const char *p, const char *end)
{
	struct peek k = peek(u, p);
	bool lead = !(k.cls & (LU_FROZEN_LETTER | LU_FROZEN_NUMBER)) && k.c != '\r' &&
			k.c != '\n' && k.next < end;
	const char *q = NULL;

	for (int second = 0; !q && second < 2; second++) {
		if (lead)
			q = cased_word(u, k.next, end, second);
		if (!q)
			q = cased_word(u, p, end, second);
	}
	if (q)
		return q;
	return k.cls & LU_FROZEN_NUMBER ? numbers(u, p, end, 3) : symbols_or_blanks(u, p, end, '/');
}

size_t lu_split_regex_match(enum lu_split_regex r, const struct lu_frozen_unicode *u, const char *p,
		const char *end)
{
	const char *q;

	switch (r) {
	case LU_SPLIT_GPT2: q = match_gpt2(u, p, end); break;
	case LU_SPLIT_CL100K: q = match_cl100k(u, p, end, 3); break;
	case LU_SPLIT_QWEN2: q = match_cl100k(u, p, end, 1); break;
	case LU_SPLIT_O200K: q = match_o200k(u, p, end); break;
	default: q = end; break;
	}
	return (size_t)(q - p);
}
