#include "libcommon/base/json_writer.h"

#include <math.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"

/* Letter behind the backslash, for characters with a two-byte escape. */
static const char short_escape[128] = { ['\b'] = 'b',
	['\t'] = 't',
	['\n'] = 'n',
	['\f'] = 'f',
	['\r'] = 'r',
	['"'] = '"',
	['\\'] = '\\' };

static bool needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* Every byte of a word set to c. */
#define ALL_BYTES(c) (UINT64_MAX / 255 * (c))

/* Not 0 if a byte of the word is below n, for n up to 128 (Anderson, "Bit Twiddling Hacks"). */
static uint64_t has_below(uint64_t word, unsigned n)
{
	return (word - ALL_BYTES(n)) & ~word & ALL_BYTES(0x80);
}

/* Length of the prefix that needs no escape. Texts are long, so eight bytes are tested at once. */
static size_t plain_len(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t word = lu_load64(p + i);

		if (has_below(word, 0x20) | has_below(word ^ ALL_BYTES('"'), 1) |
				has_below(word ^ ALL_BYTES('\\'), 1))
			break;
	}
	while (i < n && !needs_escape((unsigned char)p[i]))
		i++;
	return i;
}

void lu_json_quote(struct lu_buf *b, struct lu_str s)
{
	struct lu_buf fixed = { 0 };
	size_t at = 0;

	if (lu_utf8_valid(s.p, s.n) != s.n) {
		lu_utf8_repair(&fixed, s);
		if (!lu_buf_ok(&fixed))
			b->failed = true;
		s = lu_buf_slice(&fixed);
	}
	lu_buf_reserve(b, s.n + 2);
	lu_buf_putc(b, '"');
	while (at < s.n) {
		size_t run = plain_len(s.p + at, s.n - at);

		lu_buf_append(b, s.p + at, run);
		at += run;
		if (at < s.n) {
			unsigned char c = (unsigned char)s.p[at++];

			if (short_escape[c]) {
				lu_buf_putc(b, '\\');
				lu_buf_putc(b, short_escape[c]);
			} else {
				lu_buf_printf(b, "\\u%04x", c);
			}
		}
	}
	lu_buf_putc(b, '"');
	lu_buf_release(&fixed);
}

void lu_json_number(struct lu_buf *b, double v)
{
	char text[32];

	if (!isfinite(v)) {
		lu_buf_puts(b, "null");
		return;
	}
	lu_num_format(v, text);
	lu_buf_puts(b, text);
	if (!strpbrk(text, ".e"))
		lu_buf_puts(b, ".0");
}

/* True if a comma is due before a value or a key: unless it begins the buffer, an object, an array,
 * or a member, or follows white space or a comma. */
static bool comma_due(const struct lu_buf *b)
{
	if (b->n == 0)
		return false;
	switch (b->p[b->n - 1]) {
	case '{':
	case '[':
	case ':':
	case ',':
	case ' ':
	case '\t':
	case '\n': return false;
	default: return true;
	}
}

static void separate(struct lu_buf *b)
{
	if (comma_due(b))
		lu_buf_putc(b, ',');
}

/* The comma and the key, in one piece: records and ledger lines have many members. */
static void start(struct lu_buf *b, const char *key)
{
	bool comma = comma_due(b);
	size_t n = key ? strlen(key) : 0;
	char *p;

	if (!lu_buf_reserve(b, n + 4))
		return;
	p = b->p + b->n;
	if (comma)
		*p++ = ',';
	if (key) {
		*p++ = '"';
		p = (char *)memcpy(p, key, n) + n;
		*p++ = '"';
		*p++ = ':';
	}
	b->n = (size_t)(p - b->p);
	*p = '\0';
}

void lu_json_open_object(struct lu_buf *b, const char *key)
{
	start(b, key);
	lu_buf_putc(b, '{');
}

void lu_json_close_object(struct lu_buf *b)
{
	lu_buf_putc(b, '}');
}

void lu_json_open_array(struct lu_buf *b, const char *key)
{
	start(b, key);
	lu_buf_putc(b, '[');
}

void lu_json_close_array(struct lu_buf *b)
{
	lu_buf_putc(b, ']');
}

void lu_json_key(struct lu_buf *b, struct lu_str key)
{
	separate(b);
	lu_json_quote(b, key);
	lu_buf_putc(b, ':');
}

void lu_json_put_str(struct lu_buf *b, const char *key, struct lu_str s)
{
	start(b, key);
	lu_json_quote(b, s);
}

void lu_json_put_cstr(struct lu_buf *b, const char *key, const char *s)
{
	lu_json_put_str(b, key, lu_str_of(s));
}

void lu_json_put_u64(struct lu_buf *b, const char *key, uint64_t v)
{
	start(b, key);
	lu_buf_u64(b, v);
}

void lu_json_put_double(struct lu_buf *b, const char *key, double v)
{
	start(b, key);
	lu_json_number(b, v);
}

void lu_json_put_fixed(struct lu_buf *b, const char *key, double v, int decimals)
{
	start(b, key);
	if (isfinite(v))
		lu_buf_printf(b, "%.*f", decimals, v);
	else
		lu_buf_puts(b, "null");
}

void lu_json_put_bool(struct lu_buf *b, const char *key, bool v)
{
	start(b, key);
	lu_buf_puts(b, v ? "true" : "false");
}

void lu_json_put_null(struct lu_buf *b, const char *key)
{
	start(b, key);
	lu_buf_puts(b, "null");
}

void lu_json_put_raw(struct lu_buf *b, const char *key, struct lu_str json)
{
	start(b, key);
	lu_buf_str(b, json);
}

void lu_json_newline(struct lu_buf *b)
{
	separate(b);
	lu_buf_putc(b, '\n');
}
