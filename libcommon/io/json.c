#include "libcommon/io/json.h"

#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"

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

/* At the end of the text what is missing is the reason, whatever was expected. */
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
 * The first byte that ends a plain run inside a string: '"', '\\', a control character or the
 * lead of a multi-byte character. This loop sees almost every byte of the input.
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

static int hex4(const char *p, const char *end, unsigned *out)
{
	unsigned v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v <<= 4;
		if (c >= '0' && c <= '9')
			v |= (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v |= (unsigned)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v |= (unsigned)(c - 'A' + 10);
		else
			return -1;
	}
	*out = v;
	return 0;
}

/* After "\u": p at the first digit. Leaves p after the escape, or after the pair. */
static int scan_unicode(struct scan *s, const char *escape)
{
	unsigned hi, lo;

	if (hex4(s->p, s->end, &hi) < 0)
		return fail_at(s, s->end - s->p < 4 ? LU_JSON_TRUNCATED : LU_JSON_SYNTAX, s->p);
	s->p += 4;
	if (hi < 0xD800 || hi > 0xDFFF)
		return 0;
	if (hi <= 0xDBFF && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' &&
			hex4(s->p + 2, s->end, &lo) == 0 && lo >= 0xDC00 && lo <= 0xDFFF) {
		s->p += 6;
		return 0;
	}
	return fail_at(s, LU_JSON_LONE_SURROGATE, escape);
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

/* s->p at the opening quote; leaves it after the closing one. */
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
			/* Accented text comes in runs; stay here while it lasts. */
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

/* Token ids are long rows of whole numbers with nothing but commas between them: skips all of
 * those that another value follows. */
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
 * One value of any depth. A bit a level remembers whether it is an object: the whole state of
 * a recursive parser in 128 bytes.
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

/* Few members: compare all pairs. Many: sort a copy, so that a hostile record stays cheap. */
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
		/* The closing quote is not the first quote: find it again from the end. */
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
		/* JSON of another kind and no JSON at all are different mistakes. */
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

const struct lu_json_member *lu_json_get(const struct lu_json_obj *obj, const char *key)
{
	struct lu_str k = lu_str_of(key);

	for (size_t i = 0; i < obj->members; i++) {
		if (lu_str_eq(obj->member[i].key, k))
			return &obj->member[i];
	}
	return NULL;
}

/* The character of a checked escape at p (after the backslash); advances p. */
static uint32_t decode_escape(const char **p)
{
	unsigned hi = 0, lo = 0;
	char c = *(*p)++;

	switch (c) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'u': break;
	default: return (unsigned char)c;
	}
	if (hex4(*p, *p + 4, &hi) < 0)
		return 0xFFFD;
	*p += 4;
	if (hi < 0xD800 || hi > 0xDBFF)
		return hi;
	if (hex4(*p + 2, *p + 6, &lo) < 0)
		return 0xFFFD;
	*p += 6;
	return 0x10000 + ((hi - 0xD800) << 10) + (lo - 0xDC00);
}

int lu_json_decode_known(
		struct lu_str raw, bool escaped, struct lu_arena *arena, struct lu_str *out)
{
	const char *p = raw.p + 1, *end = raw.p + raw.n - 1;
	char *to;

	if (!escaped) {
		*out = (struct lu_str){ p, (size_t)(end - p) };
		return 0;
	}
	/* An escape is never shorter than what it stands for. */
	to = lu_arena_alloc(arena, raw.n);
	if (!to)
		return -1;
	out->p = to;
	while (p < end) {
		const char *back = memchr(p, '\\', (size_t)(end - p));
		size_t run = (size_t)((back ? back : end) - p);

		memcpy(to, p, run);
		to += run;
		p += run;
		if (back) {
			p++;
			to += lu_utf8_put(decode_escape(&p), to);
		}
	}
	out->n = (size_t)(to - out->p);
	return 0;
}

int lu_json_decode(struct lu_str raw, struct lu_arena *arena, struct lu_str *out)
{
	return lu_json_decode_known(raw, memchr(raw.p, '\\', raw.n) != NULL, arena, out);
}

bool lu_json_double(const struct lu_json_member *m, double *out)
{
	char text[64], *copy = text;

	if (m->type != LU_JSON_NUMBER)
		return false;
	if (m->value.n >= sizeof(text) && !(copy = malloc(m->value.n + 1)))
		return false;
	memcpy(copy, m->value.p, m->value.n);
	copy[m->value.n] = '\0';
	*out = strtod(copy, NULL);
	if (copy != text)
		free(copy);
	return true;
}

bool lu_json_u64(const struct lu_json_member *m, uint64_t *out)
{
	uint64_t v = 0;

	if (m->type != LU_JSON_NUMBER || m->value.n == 0)
		return false;
	for (size_t i = 0; i < m->value.n; i++) {
		char c = m->value.p[i];

		if (c < '0' || c > '9' || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
				__builtin_add_overflow(v, (uint64_t)(c - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

struct lu_json_iter lu_json_iter(struct lu_str raw)
{
	struct lu_json_iter it = { .p = raw.p + 1, .end = raw.p + raw.n - 1 };

	if (raw.n < 2 || (*raw.p != '[' && *raw.p != '{'))
		it.p = it.end = raw.p;
	it.type = raw.n && *raw.p == '{' ? LU_JSON_OBJECT : LU_JSON_ARRAY;
	it.key = (struct lu_str){ NULL, *raw.p == '{' };
	return it;
}

bool lu_json_next(struct lu_json_iter *it)
{
	struct lu_json_fault fault;
	struct scan s = { it->p, it->p, it->end, &fault };
	bool object = it->key.n != 0;
	bool escaped;

	skip_blanks(&s);
	if (s.p < s.end && *s.p == ',')
		s.p++;
	skip_blanks(&s);
	if (s.p >= s.end)
		return false;
	if (object) {
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

static const struct lu_json_edit *find_edit(
		const struct lu_json_edit *edit, size_t edits, struct lu_str key)
{
	/* The last edit of a key is the one that counts. */
	for (size_t i = edits; i-- > 0;) {
		if (lu_str_is(key, edit[i].key))
			return &edit[i];
	}
	return NULL;
}

/* Added members are spaced as the record's own are: Python writes blanks, jq does not. */
static void put_key(const struct lu_json_obj *obj, bool first, const char *key, struct lu_buf *out)
{
	bool spaced = obj->members > 0 && obj->member[0].value.p[-1] == ' ';

	lu_buf_puts(out, first ? "" : spaced ? ", " : ",");
	lu_json_quote(out, lu_str_of(key));
	lu_buf_puts(out, spaced ? ": " : ":");
}

struct lu_str lu_json_head(const struct lu_json_obj *obj, const char *key, struct lu_buf *out)
{
	lu_buf_append(out, obj->line.p, obj->end);
	put_key(obj, obj->members == 0, key, out);
	return (struct lu_str){ obj->line.p + obj->end, obj->line.n - obj->end };
}

void lu_json_rewrite(const struct lu_json_obj *obj, const struct lu_json_edit *edit, size_t edits,
		struct lu_buf *out)
{
	const char *from = obj->line.p;
	bool empty = obj->members == 0;

	for (size_t i = 0; i < obj->members; i++) {
		const struct lu_json_member *m = &obj->member[i];
		const struct lu_json_edit *e = find_edit(edit, edits, m->key);

		if (!e)
			continue;
		lu_buf_append(out, from, (size_t)(m->value.p - from));
		lu_buf_str(out, e->value);
		from = m->value.p + m->value.n;
	}
	lu_buf_append(out, from, (size_t)(obj->line.p + obj->end - from));
	for (size_t i = 0; i < edits; i++) {
		if (lu_json_get(obj, edit[i].key) ||
				find_edit(edit, edits, lu_str_of(edit[i].key)) != &edit[i])
			continue;
		put_key(obj, empty, edit[i].key, out);
		empty = false;
		lu_buf_str(out, edit[i].value);
	}
	lu_buf_append(out, obj->line.p + obj->end, obj->line.n - obj->end);
}

/* Replaces lone \uD800-\uDFFF escapes by \ufffd of the same length, in place. */
static size_t repair_surrogates(char *p, size_t n)
{
	size_t repaired = 0;
	char *end = p + n;

	while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		unsigned hi, lo;

		if (end - p < 2 || p[1] != 'u') {
			p += end - p < 2 ? 1 : 2;
			continue;
		}
		if (hex4(p + 2, end, &hi) < 0) {
			p += 2;
		} else if (hi < 0xD800 || hi > 0xDFFF) {
			p += 6;
		} else if (hi <= 0xDBFF && end - p >= 12 && p[6] == '\\' && p[7] == 'u' &&
				hex4(p + 8, end, &lo) == 0 && lo >= 0xDC00 && lo <= 0xDFFF) {
			p += 12;
		} else {
			memcpy(p + 2, "fffd", 4);
			p += 6;
			repaired++;
		}
	}
	return repaired;
}

size_t lu_json_repair(struct lu_str line, struct lu_buf *out)
{
	size_t from = out->n;
	size_t repaired = lu_utf8_repair(out, line);

	if (!lu_buf_ok(out) || out->n == from)
		return repaired;
	return repaired + repair_surrogates(out->p + from, out->n - from);
}
