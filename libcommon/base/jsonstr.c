#include "libcommon/base/jsonstr.h"

#include <math.h>

#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"

/* For each byte below 0x80: 0 copy, 1 escape as \u00xx, else the letter after the backslash. */
static const char escape[128] = {
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	'b',
	't',
	'n',
	1,
	'f',
	'r',
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	1,
	['"'] = '"',
	['\\'] = '\\',
};

static size_t plain_run(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && ((unsigned char)p[i] >= 0x80 || !escape[(unsigned char)p[i]]))
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
		size_t run = plain_run(s.p + at, s.n - at);

		lu_buf_append(b, s.p + at, run);
		at += run;
		if (at < s.n) {
			unsigned char c = (unsigned char)s.p[at++];

			if (escape[c] == 1) {
				lu_buf_printf(b, "\\u%04x", c);
			} else {
				lu_buf_putc(b, '\\');
				lu_buf_putc(b, escape[c]);
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
