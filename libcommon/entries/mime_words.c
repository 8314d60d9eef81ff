#include "libcommon/entries/mime_words.h"

#include <ctype.h>
#include <strings.h>

#include "libcommon/base/num.h"
#include "libcommon/base/take_line.h"
#include "libcommon/base/utf8.h"
#include "libcommon/charset/charset.h"

/* An encoded word has 75 bytes at most; some programs write longer ones. */
#define WORD_MAX 2000

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void lu_mime_base64(struct lu_str s, struct lu_buf *out)
{
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = base64_value(s.p[i]);

		/* Several texts, each with padding, may have been joined. */
		if (s.p[i] == '=')
			have = 0;
		if (v < 0)
			continue;
		bits = bits << 6 | (unsigned)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			lu_buf_putc(out, (char)(bits >> have & 0xff));
		}
	}
}

/* Append a line, which ended with a newline if `nl`. Blanks at its end are of the transport. */
static void quoted_line(struct lu_str line, bool nl, bool header, struct lu_buf *out)
{
	bool soft;

	while (!header && line.n && strchr(" \t\r", line.p[line.n - 1]) && line.p[line.n - 1])
		line.n--;
	soft = !header && line.n && line.p[line.n - 1] == '=';
	line.n -= soft;
	for (size_t i = 0; i < line.n; i++) {
		int hi = i + 2 < line.n ? lu_hex_digit(line.p[i + 1]) : -1;
		int lo = i + 2 < line.n ? lu_hex_digit(line.p[i + 2]) : -1;

		if (line.p[i] == '=' && hi >= 0 && lo >= 0) {
			lu_buf_putc(out, (char)(hi * 16 + lo));
			i += 2;
		} else {
			lu_buf_putc(out, header && line.p[i] == '_' ? ' ' : line.p[i]);
		}
	}
	if (nl && !soft)
		lu_buf_putc(out, '\n');
}

void lu_mime_quoted(struct lu_str s, bool header, struct lu_buf *out)
{
	struct lu_str line;

	if (header) {
		quoted_line(s, false, true, out);
		return;
	}
	while (lu_take_line(&s, &line))
		quoted_line(line, line.p[line.n] == '\n' && line.p + line.n < s.p, false, out);
}

/* --- fields -------------------------------------------------------------------------------- */

struct word {
	struct lu_str charset, text;
	char encoding;
	size_t n; /* of the whole */
};

/* An encoded word at the beginning of s: "=?charset?Q?text?=", the charset with a language in RFC 2231. */
static bool encoded_word(struct lu_str s, struct word *w)
{
	const char *end = s.p + s.n, *q, *star, *stop;

	if (s.n < 8 || s.p[0] != '=' || s.p[1] != '?')
		return false;
	/* Bounds, for fields of many words without an end. */
	end = s.n > WORD_MAX ? s.p + WORD_MAX : end;
	q = memchr(s.p + 2, '?', (size_t)(end - s.p - 2));
	if (!q || end - q < 5 || q[2] != '?')
		return false;
	w->charset = (struct lu_str){ s.p + 2, (size_t)(q - s.p - 2) };
	star = memchr(w->charset.p, '*', w->charset.n);
	if (star)
		w->charset.n = (size_t)(star - w->charset.p);
	w->encoding = (char)toupper((unsigned char)q[1]);
	w->text.p = q + 3;
	stop = memmem(w->text.p, (size_t)(end - w->text.p), "?=", 2);
	if (!stop || (w->encoding != 'B' && w->encoding != 'Q'))
		return false;
	w->text.n = (size_t)(stop - w->text.p);
	/* Blanks and line ends are not part of a word, except in what careless programs write. */
	w->n = (size_t)(stop + 2 - s.p);
	return !memchr(w->text.p, '\n', w->text.n);
}

/* Append bytes as UTF-8. */
static int put_utf8(struct lu_str s, struct lu_str declared, const char *charset,
		struct lu_buf *out, struct lu_err *err)
{
	struct lu_buf store = { 0 };
	enum lu_charset_how how;
	struct lu_str text;
	int rc = lu_charset_utf8(s, declared, charset, &store, &text, &how, err);

	if (rc > 0)
		lu_buf_str(out, text);
	else if (rc == 0)
		lu_utf8_repair(out, s);
	lu_buf_release(&store);
	return rc < 0 ? -1 : lu_buf_check(out, err);
}

/* Append the text of encoded words of one charset and encoding that follow one another, since a character
 * may be divided among them. Sets *used to their length. */
static int put_words(struct lu_str s, const char *charset, size_t *used, struct lu_buf *out,
		struct lu_err *err)
{
	struct lu_buf bytes = { 0 };
	struct word first, w;
	size_t at = 0, next = 0;
	int rc = -1;

	if (!encoded_word(s, &first))
		goto out;
	while (encoded_word((struct lu_str){ s.p + next, s.n - next }, &w) &&
			w.charset.n == first.charset.n &&
			strncasecmp(w.charset.p, first.charset.p, w.charset.n) == 0) {
		if (w.encoding == 'B')
			lu_mime_base64(w.text, &bytes);
		else
			lu_mime_quoted(w.text, true, &bytes);
		at = next = next + w.n;
		while (next < s.n && s.p[next] && strchr(" \t\r\n", s.p[next]))
			next++;
	}
	*used = at;
	if (lu_buf_check(&bytes, err) == 0)
		rc = put_utf8(lu_buf_slice(&bytes), first.charset, charset, out, err);
out:
	lu_buf_release(&bytes);
	return rc;
}

int lu_mime_words(struct lu_str value, const char *charset, struct lu_buf *out, struct lu_err *err)
{
	struct lu_buf raw = { 0 };
	size_t i = 0, from = out->n;
	struct word w;
	int rc = -1;

	value = lu_trim_line(value);
	while (i < value.n) {
		struct lu_str rest = { value.p + i, value.n - i };
		size_t used = 0, run = 0;

		if (encoded_word(rest, &w)) {
			if (put_words(rest, charset, &used, out, err) < 0)
				goto out;
			i += used;
			/* Blanks between two words of any charset are not shown. */
			run = i;
			while (run < value.n && value.p[run] && strchr(" \t\r\n", value.p[run]))
				run++;
			if (encoded_word((struct lu_str){ value.p + run, value.n - run }, &w))
				i = run;
			continue;
		}
		for (run = 1; run < rest.n && rest.p[run] != '='; run++)
			;
		lu_buf_clear(&raw);
		for (size_t k = 0; k < run; k++) {
			if (rest.p[k] != '\r' && rest.p[k] != '\n')
				lu_buf_putc(&raw, rest.p[k] == '\t' ? ' ' : rest.p[k]);
		}
		if (lu_buf_check(&raw, err) < 0 ||
				put_utf8(lu_buf_slice(&raw), (struct lu_str){ 0 }, charset, out,
						err) < 0)
			goto out;
		i += run;
	}
	for (size_t k = from; k < out->n; k++) {
		if ((unsigned char)out->p[k] < 0x20)
			out->p[k] = ' ';
	}
	rc = lu_buf_check(out, err);
out:
	lu_buf_release(&raw);
	return rc;
}

struct lu_str lu_mime_parameter(struct lu_str value, const char *name)
{
	const char *p = value.n ? memchr(value.p, ';', value.n) : NULL;
	const char *end = p ? value.p + value.n : NULL;
	size_t n = strlen(name);

	while (p && p < end) {
		const char *from, *stop;

		for (p++; p < end && *p && strchr(" \t\r\n", *p); p++)
			;
		from = p;
		while (p < end && *p != '=' && *p != ';')
			p++;
		if (p == end || *p == ';')
			continue;
		stop = p++;
		while (stop > from && (stop[-1] == ' ' || stop[-1] == '\t'))
			stop--;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p < end && *p == '"') {
			const char *q = memchr(p + 1, '"', (size_t)(end - p - 1));

			value = (struct lu_str){ p + 1, (size_t)((q ? q : end) - p - 1) };
			p = q ? memchr(q, ';', (size_t)(end - q)) : end;
		} else {
			const char *q = memchr(p, ';', (size_t)(end - p));

			value = lu_trim_line((struct lu_str){ p, (size_t)((q ? q : end) - p) });
			p = q;
		}
		if ((size_t)(stop - from) == n && strncasecmp(from, name, n) == 0)
			return value;
	}
	return (struct lu_str){ 0 };
}

/* --- dates --------------------------------------------------------------------------------- */

/* Take a number of at most `most` digits, behind blanks. */
static bool take_number(struct lu_str *s, int most, int *out, int *digits)
{
	int n = 0;

	*s = lu_trim_line(*s);
	for (*out = 0; n < most && (size_t)n < s->n && isdigit((unsigned char)s->p[n]); n++)
		*out = *out * 10 + (s->p[n] - '0');
	s->p += n;
	s->n -= (size_t)n;
	*digits = n;
	return n > 0;
}

static bool take_char(struct lu_str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

static int take_month(struct lu_str *s)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	*s = lu_trim_line(*s);
	for (int m = 0; m < 12 && s->n >= 3; m++) {
		if (strncasecmp(s->p, names + 3 * m, 3) == 0) {
			while (s->n && isalpha((unsigned char)s->p[0])) {
				s->p++;
				s->n--;
			}
			return m + 1;
		}
	}
	return 0;
}

/* The zone in minutes; false: unknown. */
static bool take_zone(struct lu_str s, int *minutes)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = { { "GMT", 0 }, { "UT", 0 }, { "UTC", 0 }, { "Z", 0 }, { "EST", -5 },
		{ "EDT", -4 }, { "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 },
		{ "PST", -8 }, { "PDT", -7 } };
	int sign, v, digits;

	s = lu_trim_line(s);
	if (s.n && (s.p[0] == '+' || s.p[0] == '-')) {
		sign = s.p[0] == '-' ? -1 : 1;
		s.p++;
		s.n--;
		if (!take_number(&s, 4, &v, &digits) || digits != 4 || v % 100 > 59 || v > 1500)
			return false;
		*minutes = sign * (v / 100 * 60 + v % 100);
		return true;
	}
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		size_t n = strlen(zones[i].name);

		if (s.n >= n && strncasecmp(s.p, zones[i].name, n) == 0 &&
				(s.n == n || !isalpha((unsigned char)s.p[n]))) {
			*minutes = zones[i].hours * 60;
			return true;
		}
	}
	return false;
}

bool lu_mime_date(struct lu_str value, struct lu_buf *out)
{
	const char *comma = value.n ? memchr(value.p, ',', value.n) : NULL;
	struct lu_str s = value;
	int day, month, year, hour = 0, minute = 0, second = 0, zone = 0, digits;

	if (value.n == 0)
		return false;
	if (comma)
		s = (struct lu_str){ comma + 1, value.n - (size_t)(comma + 1 - value.p) };
	if (!take_number(&s, 2, &day, &digits))
		return false;
	take_char(&s, '-');
	month = take_month(&s);
	take_char(&s, '-');
	if (!month || !take_number(&s, 4, &year, &digits))
		return false;
	/* RFC 5322, section 4.3. */
	if (digits == 2)
		year += year < 50 ? 2000 : 1900;
	else if (digits == 3)
		year += 1900;
	if (!take_number(&s, 2, &hour, &digits) || !take_char(&s, ':') ||
			!take_number(&s, 2, &minute, &digits))
		return false;
	if (take_char(&s, ':') && !take_number(&s, 2, &second, &digits))
		return false;
	if (day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
		return false;
	lu_buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, hour, minute, second);
	if (take_zone(s, &zone))
		lu_buf_printf(out, "%c%02d:%02d", zone < 0 ? '-' : '+',
				zone < 0 ? -zone / 60 : zone / 60,
				zone < 0 ? -zone % 60 : zone % 60);
	return true;
}
