#include "libcommon/html/html_entity.h"

#include "libcommon/base/utf8.h"

/* Bytes of the longest name that needs no semicolon ("Aacute"). */
#define LEGACY_MAX 6

struct entity {
	const char *name;
	uint32_t c, second; /* 0: one character */
	bool legacy;	    /* known without its semicolon too */
};

#define E(name, c) { name, c, 0, false },
#define L(name, c) { name, c, 0, true },
#define D(name, c, second) { name, c, second, false },
static const struct entity entities[] = {
#include "libcommon/html/html_entities.inc"
};
#undef E
#undef L
#undef D

/* windows-1252 at 0x80-0x9F; 0 where it is undefined. */
static const uint16_t windows_1252[32] = { 0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020,
	0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C,
	0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178 };

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static const struct entity *find(const char *name, size_t n)
{
	size_t low = 0, high = sizeof(entities) / sizeof(entities[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strncmp(entities[middle].name, name, n);

		if (order == 0 && entities[middle].name[n] == '\0')
			return &entities[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static size_t digit(char c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return (size_t)(c - '0');
	if (base == 16 && (c | 32) >= 'a' && (c | 32) <= 'f')
		return (size_t)((c | 32) - 'a' + 10);
	return base;
}

/* p is behind "&#". Returns the end of the reference, NULL: it is none. */
static const char *numeric(const char *p, const char *end, char *out, size_t *n)
{
	unsigned base = p < end && (*p | 32) == 'x' ? 16 : 10;
	uint32_t c = 0;

	p += base == 16;
	if (p == end || digit(*p, base) == base)
		return NULL;
	for (; p < end && digit(*p, base) < base; p++)
		c = c > 0x10FFFF ? c : c * base + (uint32_t)digit(*p, base);
	if (c >= 0x80 && c < 0xA0 && windows_1252[c - 0x80])
		c = windows_1252[c - 0x80];
	if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		c = 0xFFFD;
	*n = lu_utf8_put(c, out);
	return p < end && *p == ';' ? p + 1 : p;
}

size_t lu_html_reference(const char *p, const char *end, bool attribute,
		char out[LU_HTML_REFERENCE_MAX], size_t *n)
{
	const char *from = p++;
	const struct entity *e = NULL;
	size_t len = 0;

	if (p < end && *p == '#') {
		p = numeric(p + 1, end, out, n);
		return p ? (size_t)(p - from) : 0;
	}
	while (p + len < end && is_alnum(p[len]))
		len++;
	if (p + len < end && p[len] == ';' && (e = find(p, len)) != NULL) {
		len++;
	} else {
		if (len > LEGACY_MAX)
			len = LEGACY_MAX;
		for (; len > 1; len--) {
			e = find(p, len);
			if (e && e->legacy)
				break;
		}
		if (len < 2)
			return 0;
		if (attribute && p + len < end && (p[len] == '=' || is_alnum(p[len])))
			return 0;
	}
	*n = lu_utf8_put(e->c, out);
	if (e->second)
		*n += lu_utf8_put(e->second, out + *n);
	return len + 1;
}

size_t lu_html_decode(struct lu_str s, bool attribute, char *out)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t n = 0;

	while (p < end) {
		const char *and = memchr(p, '&', (size_t)(end - p));
		size_t plain = (size_t)((and? and : end) - p), got, len;

		memcpy(out + n, p, plain);
		n += plain;
		if (!and)
			break;
		got = lu_html_reference(and, end, attribute, out + n, &len);
		if (!got) {
			out[n] = '&';
			got = len = 1;
		}
		n += len;
		p = and+got;
	}
	return n;
}
