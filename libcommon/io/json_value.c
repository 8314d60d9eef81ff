#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/json.h"
#include "libcommon/io/json_escape.h"

/* Character of a checked escape, with *p behind the backslash; advances *p. */
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
	if (lu_json_hex4(*p, *p + 4, &hi) < 0)
		return 0xFFFD;
	*p += 4;
	if (hi < 0xD800 || hi > 0xDBFF)
		return hi;
	if (lu_json_hex4(*p + 2, *p + 6, &lo) < 0)
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
	/* An escape is never shorter than its character. */
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
