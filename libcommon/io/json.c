#include "libcommon/io/json.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/json_escape.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct scan {
	const char *start, *p, *end;
	struct lu_json_fault *fault;
};

static int fail_at(struct scan *s, enum lu_json_fault_kind kind, const char *at)
{
	s->fault->kind = kind;
	s->fault->at = (size_t)(at - s->start);
	return -1;
}

/* Unexpected input; at the end of the text it is reported as truncation. */
static int syntax(struct scan *s)
{
	return fail_at(s, s->p >= s->end ? LU_JSON_TRUNCATED : LU_JSON_SYNTAX, s->p);
}

static inline void skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

/*
 * End of a plain run inside a string: the first '"', '\\', control character or lead byte of a
 * multi-byte character. This loop sees almost every byte of the input.
 */
static inline const char *plain_end(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(0x20);

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* Signed comparison: bytes from 0x80 are negative, so "< 0x20" catches them too. */
		__m128i odd = _mm_or_si128(_mm_cmplt_epi8(v, space),
				_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)));
		int m = _mm_movemask_epi8(odd);

		if (m)
			return p + __builtin_ctz((unsigned)m);
	}
#endif
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
			*p != '\\')
		p++;
	return p;
}

/* s->p behind "\u"; leaves it behind the escape, or behind the surrogate pair. */
static int scan_unicode(struct scan *s, const char *escape)
{
	unsigned c;

	if (lu_json_hex4(s->p, s->end, &c) < 0)
		return fail_at(s, s->end - s->p < 4 ? LU_JSON_TRUNCATED : LU_JSON_SYNTAX, s->p);
	s->p += 4;
	if (c < 0xD800 || c > 0xDFFF)
		return 0;
	if (c > 0xDBFF || !lu_json_low_surrogate(s->p, s->end))
		return fail_at(s, LU_JSON_LONE_SURROGATE, escape);
	s->p += 6;
	return 0;
}

static int scan_escape(struct scan *s)
{
	const char *escape = s->p++;

	if (s->p >= s->end)
		return syntax(s);
	switch (*s->p++) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': return 0;
	case 'u': return scan_unicode(s, escape);
	default: s->p--; return fail_at(s, LU_JSON_SYNTAX, s->p);
	}
}

/* s->p at the opening quote; leaves it behind the closing one. */
static int scan_string(struct scan *s, bool *escaped)
{
	*escaped = false;
	s->p++;
	for (;;) {
		unsigned char c;

		s->p = plain_end(s->p, s->end);
		if (s->p >= s->end)
			return syntax(s);
		c = (unsigned char)*s->p;
		if (c == '"') {
			s->p++;
			return 0;
		}
		if (c == '\\') {
			*escaped = true;
			if (scan_escape(s) < 0)
				return -1;
		} else if (c < 0x20) {
			return fail_at(s, LU_JSON_CONTROL, s->p);
		} else {
			/* Text beyond ASCII comes in runs. */
			do {
				size_t len = lu_utf8_seq(s->p, (size_t)(s->end - s->p));

				if (len == 0)
					return fail_at(s, LU_JSON_BAD_UTF8, s->p);
				s->p += len;
			} while (s->p < s->end && (unsigned char)*s->p >= 0x80);
		}
	}
}

static inline bool digit(const struct scan *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static int digits(struct scan *s)
{
	if (!digit(s))
		return syntax(s);
	while (digit(s))
		s->p++;
	return 0;
}

static int scan_number(struct scan *s)
{
	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (digits(s) < 0)
		return -1;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (digits(s) < 0)
			return -1;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (digits(s) < 0)
			return -1;
	}
	return 0;
}

static int scan_word(struct scan *s, const char *word)
{
	for (; *word; word++, s->p++) {
		if (s->p >= s->end || *s->p != *word)
			return syntax(s);
	}
	return 0;
}

static int scan_scalar(struct scan *s, enum lu_json_type *type, bool *escaped)
{
	*escaped = false;
	switch (*s->p) {
	case '"': *type = LU_JSON_STRING; return scan_string(s, escaped);
	case 't': *type = LU_JSON_TRUE; return scan_word(s, "true");
	case 'f': *type = LU_JSON_FALSE; return scan_word(s, "false");
	case 'n': *type = LU_JSON_NULL; return scan_word(s, "null");
	default:
		*type = LU_JSON_NUMBER;
		if (*s->p != '-' && !digit(s))
			return syntax(s);
		return scan_number(s);
	}
}

static int scan_key(struct scan *s, bool *escaped)
{
	skip_blanks(s);
	if (s->p >= s->end || *s->p != '"')
		return syntax(s);
	if (scan_string(s, escaped) < 0)
		return -1;
	skip_blanks(s);
	if (s->p >= s->end || *s->p != ':')
		return syntax(s);
	s->p++;
	return 0;
}

static inline bool open_is_object(const uint64_t *kinds, size_t depth)
{
	return kinds[depth / 64] >> (depth % 64) & 1;
}

/* Fast path for token ids, which are long runs of whole numbers separated by nothing but commas:
 * skip those that another value follows. */
static void skip_numbers(struct scan *s)
{
	const char *p = s->p;

	while (p < s->end && *p >= '1' && *p <= '9') {
		do
			p++;
		while (p < s->end && *p >= '0' && *p <= '9');
		if (p >= s->end || *p != ',')
			break;
		s->p = ++p;
	}
}

/*
 * Scan one value of any depth. One bit per level tells objects from arrays: the whole state of a
 * recursive parser in 128 bytes.
 */
static int scan_value(struct scan *s, enum lu_json_type *type, bool *escaped)
{
	uint64_t kinds[LU_JSON_DEPTH / 64] = { 0 };
	size_t depth = 0;
	enum lu_json_type inner;
	bool esc;

	skip_blanks(s);
	if (s->p >= s->end)
		return syntax(s);
	if (*s->p != '{' && *s->p != '[')
		return scan_scalar(s, type, escaped);
	*type = *s->p == '{' ? LU_JSON_OBJECT : LU_JSON_ARRAY;
	*escaped = false;
	for (;;) {
		bool object;

		skip_blanks(s);
		if (s->p >= s->end)
			return syntax(s);
		if (*s->p == '{' || *s->p == '[') {
			object = *s->p == '{';
			if (depth == LU_JSON_DEPTH)
				return fail_at(s, LU_JSON_TOO_DEEP, s->p);
			kinds[depth / 64] &= ~(UINT64_C(1) << depth % 64);
			kinds[depth / 64] |= (uint64_t)object << depth % 64;
			depth++;
			s->p++;
			skip_blanks(s);
			if (s->p < s->end && *s->p == (object ? '}' : ']'))
				goto close;
			if (object && scan_key(s, &esc) < 0)
				return -1;
			continue;
		}
		if (scan_scalar(s, &inner, &esc) < 0)
			return -1;
	after:
		skip_blanks(s);
		if (s->p >= s->end)
			return syntax(s);
		object = open_is_object(kinds, depth - 1);
		if (*s->p == ',') {
			s->p++;
			if (!object)
				skip_numbers(s);
			else if (scan_key(s, &esc) < 0)
				return -1;
			continue;
		}
		if (*s->p != (object ? '}' : ']'))
			return syntax(s);
	close:
		s->p++;
		if (--depth == 0)
			return 0;
		goto after;
	}
}

static int only_blanks_left(struct scan *s)
{
	skip_blanks(s);
	return s->p == s->end ? 0 : fail_at(s, LU_JSON_SYNTAX, s->p);
}

int lu_json_check(struct lu_str text, enum lu_json_type *type, struct lu_json_fault *fault)
{
	struct scan s = { text.p, text.p, text.p + text.n, fault };
	bool escaped;

	*fault = (struct lu_json_fault){ 0 };
	if (scan_value(&s, type, &escaped) < 0)
		return -1;
	return only_blanks_left(&s);
}

static int cmp_key(const void *a, const void *b)
{
	return lu_str_cmp(((const struct lu_json_member *)a)->key,
			((const struct lu_json_member *)b)->key);
}

/* Few members: compare all pairs. Many: sort a copy, so that a hostile record takes O(n log n). */
static int refuse_duplicates(struct scan *s, struct lu_arena *arena, const struct lu_json_obj *obj)
{
	struct lu_json_member *sorted;
	size_t n = obj->members;

	if (n <= 24) {
		for (size_t i = 1; i < n; i++) {
			for (size_t j = 0; j < i; j++) {
				if (lu_str_eq(obj->member[i].key, obj->member[j].key))
					return fail_at(s, LU_JSON_DUPLICATE,
							obj->member[i].value.p);
			}
		}
		return 0;
	}
	sorted = lu_arena_alloc(arena, n * sizeof(*sorted));
	if (!sorted)
		return fail_at(s, LU_JSON_NO_MEMORY, s->p);
	memcpy(sorted, obj->member, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), cmp_key);
	for (size_t i = 1; i < n; i++) {
		if (lu_str_eq(sorted[i].key, sorted[i - 1].key))
			return fail_at(s, LU_JSON_DUPLICATE, sorted[i].value.p);
	}
	return 0;
}

static struct lu_json_member *new_member(
		struct lu_json_obj *obj, size_t *cap, struct lu_arena *arena)
{
	if (obj->members == *cap) {
		size_t more = *cap ? *cap * 2 : 16;
		struct lu_json_member *m = lu_arena_alloc(arena, more * sizeof(*m));

		if (!m)
			return NULL;
		if (obj->members)
			memcpy(m, obj->member, obj->members * sizeof(*m));
		obj->member = m;
		*cap = more;
	}
	return &obj->member[obj->members++];
}

static int scan_member(struct scan *s, struct lu_arena *arena, struct lu_json_member *m)
{
	const char *from;
	bool key_escaped;

	skip_blanks(s);
	from = s->p;
	if (scan_key(s, &key_escaped) < 0)
		return -1;
	m->key.p = from + 1;
	m->key.n = (size_t)((const char *)memchr(from + 1, '"', (size_t)(s->p - from - 1)) - from) -
			1;
	if (key_escaped) {
		/* The closing quote need not be the first one: search from the end. */
		const char *q = s->p - 1;

		while (*q != '"')
			q--;
		if (lu_json_decode_known((struct lu_str){ from, (size_t)(q - from) + 1 }, true,
				    arena, &m->key) < 0)
			return fail_at(s, LU_JSON_NO_MEMORY, from);
	}
	skip_blanks(s);
	from = s->p;
	if (scan_value(s, &m->type, &m->escaped) < 0)
		return -1;
	m->value = (struct lu_str){ from, (size_t)(s->p - from) };
	return 0;
}

int lu_json_object(struct lu_str line, struct lu_arena *arena, struct lu_json_obj *obj,
		struct lu_json_fault *fault)
{
	struct scan s = { line.p, line.p, line.p + line.n, fault };
	enum lu_json_type type;
	size_t cap = 0;

	*fault = (struct lu_json_fault){ 0 };
	*obj = (struct lu_json_obj){ .line = line };
	skip_blanks(&s);
	if (s.p >= s.end)
		return syntax(&s);
	if (*s.p != '{') {
		/* Tell other JSON values from text that is no JSON. */
		if (lu_json_check(line, &type, fault) < 0)
			return -1;
		return fail_at(&s, LU_JSON_NOT_OBJECT, s.p);
	}
	s.p++;
	skip_blanks(&s);
	if (s.p < s.end && *s.p == '}')
		goto closed;
	for (;;) {
		struct lu_json_member *m = new_member(obj, &cap, arena);

		if (!m)
			return fail_at(&s, LU_JSON_NO_MEMORY, s.p);
		if (scan_member(&s, arena, m) < 0)
			return -1;
		skip_blanks(&s);
		if (s.p >= s.end)
			return syntax(&s);
		if (*s.p == '}')
			break;
		if (*s.p != ',')
			return syntax(&s);
		s.p++;
	}
closed:
	obj->end = (size_t)(s.p - s.start);
	s.p++;
	if (only_blanks_left(&s) < 0)
		return -1;
	return refuse_duplicates(&s, arena, obj);
}

const char *lu_json_fault_text(enum lu_json_fault_kind kind)
{
	static const char *const text[] = {
		[LU_JSON_OK] = "no fault",
		[LU_JSON_SYNTAX] = "not JSON",
		[LU_JSON_TRUNCATED] = "JSON ends too early",
		[LU_JSON_NOT_OBJECT] = "not a JSON object",
		[LU_JSON_BAD_UTF8] = "invalid UTF-8",
		[LU_JSON_LONE_SURROGATE] = "lone surrogate",
		[LU_JSON_CONTROL] = "raw control character in a string",
		[LU_JSON_TOO_DEEP] = "nested too deeply",
		[LU_JSON_DUPLICATE] = "two members of the same name",
		[LU_JSON_NO_MEMORY] = "out of memory",
	};

	return text[kind];
}

int lu_json_fail(const struct lu_json_fault *fault, struct lu_err *err)
{
	if (fault->kind == LU_JSON_NO_MEMORY)
		return lu_err_nomem(err);
	return lu_err_set(err, "%s", lu_json_fault_text(fault->kind));
}

const struct lu_json_member *lu_json_find(const struct lu_json_obj *obj, struct lu_str key)
{
	for (size_t i = 0; i < obj->members; i++) {
		if (lu_str_eq(obj->member[i].key, key))
			return &obj->member[i];
	}
	return NULL;
}

const struct lu_json_member *lu_json_get(const struct lu_json_obj *obj, const char *key)
{
	return lu_json_find(obj, lu_str_of(key));
}

struct lu_json_iter lu_json_iter(struct lu_str raw)
{
	struct lu_json_iter it = { .p = raw.p, .end = raw.p };

	if (raw.n >= 2 && (*raw.p == '[' || *raw.p == '{')) {
		it.object = *raw.p == '{';
		it.p = raw.p + 1;
		it.end = raw.p + raw.n - 1;
	}
	return it;
}

bool lu_json_next(struct lu_json_iter *it)
{
	struct lu_json_fault fault;
	struct scan s = { it->p, it->p, it->end, &fault };
	bool escaped;

	skip_blanks(&s);
	if (s.p < s.end && *s.p == ',')
		s.p++;
	skip_blanks(&s);
	if (s.p >= s.end)
		return false;
	if (it->object) {
		it->key.p = s.p;
		if (scan_string(&s, &escaped) < 0)
			return false;
		it->key.n = (size_t)(s.p - it->key.p);
		skip_blanks(&s);
		s.p++;
		skip_blanks(&s);
	}
	it->value.p = s.p;
	if (scan_value(&s, &it->type, &escaped) < 0)
		return false;
	it->value.n = (size_t)(s.p - it->value.p);
	it->p = s.p;
	return true;
}
