#include "libcommon/langid/langid_code.h"

#include <stdint.h>
#include <string.h>

#include "libcommon/base/utf8.h"

#define LONGEST_REFERENCE 12
#define LONGEST_TAG 300

static bool is_alnum(char c)
{
	unsigned char b = (unsigned char)c;

	return (b | 0x20U) - 'a' < 26 || b - (unsigned)'0' < 10 || b >= 0x80;
}

static bool is_letter(char c)
{
	return ((unsigned char)c | 0x20U) - 'a' < 26;
}

/* What is at p[i], a NUL outside of the line. */
static char at(struct lu_str s, size_t i)
{
	return i < s.n ? s.p[i] : '\0';
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/* The bracket that closes the one at i around at most three letters or digits; 0 if there is none. */
static size_t closing(struct lu_str s, size_t i, char close)
{
	size_t k = i + 1;

	while (k < s.n && k < i + 4 && is_alnum(s.p[k]))
		k++;
	return at(s, k) == close ? k : 0;
}

/* A bracket after a letter or digit at i - 1: a call or an index, if it is not "(s)" or "[12]". */
static unsigned bracket(struct lu_str s, size_t i)
{
	char close = s.p[i] == '(' ? ')' : ']';

	if (at(s, i + 1) == close)
		return 2;
	if (i == 0 || !is_alnum(s.p[i - 1]) || (unsigned char)s.p[i - 1] >= 0x80)
		return 0;
	return closing(s, i, close) ? 0 : 2;
}

/* A brace: not a template of a wiki, {{...}}, nor a formula's {h}. *next is behind these. */
static unsigned brace(struct lu_str s, size_t i, size_t *next)
{
	size_t end = s.p[i] == '{' ? closing(s, i, '}') : 0;

	*next = end > i + 1 ? end + 1 : i + 1 + (at(s, i + 1) == s.p[i]);
	return *next == i + 1;
}

/* The weight of a run of = at i; *next is its end. */
static unsigned equals(struct lu_str s, size_t i, size_t *next)
{
	size_t k = i;

	while (at(s, k) == '=')
		k++;
	*next = k;
	if (k - i > 3 || (k - i > 1 && (i == 0 || k == s.n)))
		return 0;
	if (at(s, k) == '>')
		return i > 0 && is_alnum(s.p[i - 1]);
	return 1;
}

/* The weight of what is at i; *next is where to go on. */
static unsigned sign(struct lu_str s, size_t i, size_t *next)
{
	char before = i ? s.p[i - 1] : '\0', c = s.p[i], after = at(s, i + 1);
	bool joined = i && (is_alnum(before) || before == ')' || before == ']');

	*next = i + 1;
	switch (c) {
	case '(':
	case '[': return bracket(s, i);
	case '{':
	case '}': return brace(s, i, next);
	case '=': return equals(s, i, next);
	case ';':
		return joined && i + 1 < s.n && !is_blank(after) && after != '"' &&
				(unsigned char)after < 0x80;
	case '_': return joined && is_alnum(after);
	case '\\': return 1;
	case '$': return is_letter(after) || after == '{' || after == '(';
	case ':': *next += after == ':'; return after == ':' && joined && is_alnum(at(s, i + 2));
	case '&':
	case '+': *next += after == c; return after == c || (c == '+' && after == '=');
	case '<':
	case '>': return after == '=';
	case '-': return after == '>' && joined;
	default: return 0;
	}
}

/* One of ( [ { } = ; _ \\ $ : & + < > - by a bit for each ASCII character. */
static bool may_be_sign(unsigned char c)
{
	static const uint64_t set[2] = { UINT64_C(0x7C00295000000000),
		UINT64_C(0x2800000098000000) };

	return c < 0x80 && set[c >> 6] >> (c & 63) & 1;
}

/* Whether a line begins with one of the words of the preprocessor, a comment or #!. */
static unsigned beginning(struct lu_str s)
{
	static const char *const words[] = { "#include", "#define", "#if", "#endif", "#undef",
		"#pragma", "#!", "//", "/*", "*/" };
	size_t i = 0;

	while (i < s.n && is_blank(s.p[i]))
		i++;
	for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
		size_t n = strlen(words[k]);

		if (s.n - i >= n && memcmp(s.p + i, words[k], n) == 0)
			return 3;
	}
	return 0;
}

unsigned lu_lang_code_signs(struct lu_str line)
{
	unsigned signs;

	while (line.n && is_blank(line.p[line.n - 1]))
		line.n--;
	while (line.n && is_blank(*line.p))
		line.p++, line.n--;
	signs = beginning(line);
	for (size_t i = 0; i < line.n;) {
		if (may_be_sign((unsigned char)line.p[i]))
			signs += sign(line, i, &i);
		else
			i++;
	}
	return signs + (signs && at(line, line.n - 1) == ';');
}

/* Letters of ISO 8859-1 from U+00C0 on by their names in HTML, and what else text has of these. */
static const char latin[] =
		"Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml "
		"Igrave "
		"Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave "
		"Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig "
		"ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute "
		"ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml ";
static const struct {
	const char *name;
	uint32_t c;
} others[] = { { "amp", '&' }, { "quot", '"' }, { "apos", '\'' }, { "lt", ' ' }, { "gt", ' ' },
	{ "nbsp", ' ' }, { "oelig", 0x153 }, { "OElig", 0x152 }, { "rsquo", '\'' },
	{ "lsquo", '\'' }, { "laquo", 0xAB }, { "raquo", 0xBB }, { "hellip", 0x2026 },
	{ "ndash", 0x2013 }, { "mdash", 0x2014 }, { "ldquo", '"' }, { "rdquo", '"' },
	{ "euro", 0x20AC } };

static uint32_t named(struct lu_str name)
{
	uint32_t c = 0xC0;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (lu_str_is(name, others[i].name))
			return others[i].c;
	}
	for (const char *p = latin; *p; c++) {
		size_t n = strcspn(p, " ");

		if (n == name.n && memcmp(p, name.p, n) == 0)
			return c;
		p += n + 1;
	}
	return 0;
}

static uint32_t numbered(struct lu_str digits)
{
	bool hex = digits.n && (*digits.p == 'x' || *digits.p == 'X');
	uint32_t c = 0;

	for (size_t i = hex; i < digits.n; i++) {
		unsigned char b = (unsigned char)digits.p[i];
		unsigned d = b - (unsigned)'0';

		if (d >= 10)
			d = (b | 0x20U) - 'a' + 10;

		if (d >= (hex ? 16U : 10U) || c > 0x10FFFF)
			return 0;
		c = c * (hex ? 16 : 10) + d;
	}
	return c > 0x10FFFF || c - 0xD800 < 0x800 ? 0 : c < ' ' ? ' ' : c;
}

/* The bytes of a reference at p, and its character; 0: there is none. */
static size_t reference(const char *p, const char *end, uint32_t *c)
{
	size_t n = 1, most = (size_t)(end - p);
	struct lu_str name;

	most = most < LONGEST_REFERENCE ? most : LONGEST_REFERENCE;
	while (n < most &&
			(is_letter(p[n]) || (p[n] >= '0' && p[n] <= '9') ||
					(n == 1 && p[n] == '#')))
		n++;
	if (n < 3 || n == most || p[n] != ';')
		return 0;
	name = (struct lu_str){ p + 1, n - 1 };
	*c = *name.p == '#' ? numbered((struct lu_str){ name.p + 1, name.n - 1 }) : named(name);
	return *c ? n + 1 : 0;
}

/* The bytes of a tag at p: <a ...>, </a>, <br/>, <!...>; 0: there is none. */
static size_t tag(const char *p, const char *end)
{
	const char *q = p + 1, *close;

	if (q < end && *q == '/')
		q++;
	if (q == end || !(is_letter(*q) || (*q == '!' && q == p + 1)))
		return 0;
	while (q < end && (is_letter(*q) || (*q >= '0' && *q <= '9') || *q == '-' || *q == '!'))
		q++;
	if (q == end || !(is_blank(*q) || *q == '>' || *q == '/'))
		return 0;
	close = memchr(q, '>', (size_t)(end - q) < LONGEST_TAG ? (size_t)(end - q) : LONGEST_TAG);
	return close && !memchr(q, '<', (size_t)(close - q)) ? (size_t)(close - p) + 1 : 0;
}

void lu_lang_unmark(struct lu_str line, struct lu_buf *out)
{
	const char *p = line.p, *end = p + line.n;

	while (p < end) {
		const char *from = p;
		uint32_t c = ' ';
		size_t n;

		while (p < end && *p != '&' && *p != '<')
			p++;
		lu_buf_append(out, from, (size_t)(p - from));
		if (p == end)
			return;
		n = *p == '&' ? reference(p, end, &c) : tag(p, end);
		if (n) {
			char utf8[4];

			lu_buf_append(out, utf8, lu_utf8_put(c, utf8));
			p += n;
		} else {
			lu_buf_putc(out, *p++);
		}
	}
}
