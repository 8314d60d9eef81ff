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

static size_t plain_len(const char *p, size_t n)
{
	size_t i = 0;

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
}

/* Write the comma in front of a key or value. */
static void separate(struct lu_buf *b)
{
	if (b->n && !strchr("{[:, \t\n", b->p[b->n - 1]))
		lu_buf_putc(b, ',');
}

static void start(struct lu_buf *b, const char *key)
{
	separate(b);
	if (key) {
		lu_buf_putc(b, '"');
		lu_buf_puts(b, key);
		lu_buf_append(b, "\":", 2);
	}
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
