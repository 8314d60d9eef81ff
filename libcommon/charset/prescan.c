#include "libcommon/charset/prescan.h"

#include <strings.h>

#include "libcommon/base/take_line.h"

struct scan {
	const char *p, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool starts(const struct scan *s, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(s->end - s->p) >= n && strncasecmp(s->p, word, n) == 0;
}

static bool same(struct lu_str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static void skip_to(struct scan *s, const char *needle)
{
	size_t n = strlen(needle);
	const char *at = s->p < s->end ? memmem(s->p, (size_t)(s->end - s->p), needle, n) : NULL;

	s->p = at ? at + n : s->end;
}

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
}

/* --- attributes ------------------------------------------------------------------------------ */

struct attribute {
	struct lu_str name, value;
};

static bool quoted_value(struct scan *s, struct lu_str *value)
{
	const char *quote = memchr(s->p + 1, *s->p, (size_t)(s->end - s->p - 1));

	if (!quote) {
		s->p = s->end;
		return false;
	}
	*value = (struct lu_str){ s->p + 1, (size_t)(quote - s->p - 1) };
	s->p = quote + 1;
	return true;
}

/* "Get an attribute" of the standard. False where the tag, or the input, ends. */
static bool next_attribute(struct scan *s, struct attribute *a)
{
	while (s->p < s->end && (is_blank(*s->p) || *s->p == '/'))
		s->p++;
	if (s->p >= s->end || *s->p == '>')
		return false;
	a->name = a->value = (struct lu_str){ s->p, 0 };
	while (s->p < s->end && !is_blank(*s->p) && *s->p != '/' && *s->p != '>' &&
			(*s->p != '=' || s->p == a->name.p))
		s->p++;
	a->name.n = (size_t)(s->p - a->name.p);
	skip_blanks(s);
	if (s->p >= s->end)
		return false;
	if (*s->p != '=')
		return true;
	s->p++;
	skip_blanks(s);
	if (s->p >= s->end)
		return false;
	if (*s->p == '"' || *s->p == '\'')
		return quoted_value(s, &a->value);
	a->value.p = s->p;
	while (s->p < s->end && !is_blank(*s->p) && *s->p != '>')
		s->p++;
	a->value.n = (size_t)(s->p - a->value.p);
	/* A value that the end of the input cuts is not one. */
	return s->p < s->end;
}

/* "Extract a character encoding from a meta element". */
static struct lu_str label_of_content(struct lu_str content)
{
	struct scan s = { content.p, content.p + content.n };
	struct lu_str value = { NULL, 0 };

	for (;;) {
		while (s.p < s.end && !starts(&s, "charset"))
			s.p++;
		if (s.p >= s.end)
			return value;
		s.p += strlen("charset");
		skip_blanks(&s);
		if (s.p < s.end && *s.p == '=')
			break;
	}
	s.p++;
	skip_blanks(&s);
	if (s.p >= s.end)
		return value;
	if (*s.p == '"' || *s.p == '\'') {
		quoted_value(&s, &value);
		return value;
	}
	value.p = s.p;
	while (s.p < s.end && !is_blank(*s.p) && *s.p != ';')
		s.p++;
	value.n = (size_t)(s.p - value.p);
	return value;
}

struct lu_str lu_charset_of_media_type(struct lu_str type)
{
	struct lu_str label = type.p ? label_of_content(type) : type;

	return label.n ? label : (struct lu_str){ NULL, 0 };
}

/* --- tags ------------------------------------------------------------------------------------ */

struct meta {
	bool pragma, from_charset;
	bool http_equiv, content; /* seen: the first of each counts */
	struct lu_str label;
};

static void take_attribute(struct meta *m, const struct attribute *a)
{
	if (same(a->name, "http-equiv") && !m->http_equiv) {
		m->http_equiv = true;
		m->pragma = same(a->value, "content-type");
	} else if (same(a->name, "content") && !m->content) {
		struct lu_str label = label_of_content(a->value);

		m->content = true;
		if (label.p && !m->from_charset)
			m->label = label;
	} else if (same(a->name, "charset") && !m->from_charset) {
		m->label = a->value;
		m->from_charset = true;
	}
}

/* The scan is behind "<meta". */
static enum lu_encoding take_meta(struct scan *s, struct lu_str *unknown)
{
	struct meta m = { 0 };
	struct attribute a;
	enum lu_encoding e;

	while (next_attribute(s, &a))
		take_attribute(&m, &a);
	/* The input ends within the tag. */
	if (s->p >= s->end)
		return LU_ENC_NONE;
	if (!m.from_charset && !m.pragma)
		return LU_ENC_NONE;
	e = lu_encoding_of_label(m.label);
	if (e == LU_ENC_NONE && m.label.n && !unknown->p)
		*unknown = m.label;
	if (e == LU_ENC_UTF_16LE || e == LU_ENC_UTF_16BE)
		return LU_ENC_UTF_8;
	return e == LU_ENC_X_USER_DEFINED ? LU_ENC_WINDOWS_1252 : e;
}

/* Elements whose content has no tags. */
static const char *const titles[] = { "title", "textarea", NULL };
static const char *const raw[] = { "title", "textarea", "script", "style", "xmp", "iframe",
	"noembed", "noframes", NULL };

/* Behind the start tag of a raw element: skip to its end tag, if there is one. */
static void skip_raw(struct scan *s, struct lu_str name)
{
	struct scan at = *s;

	while (at.p < at.end) {
		at.p = memmem(at.p, (size_t)(at.end - at.p), "</", 2);
		if (!at.p)
			return;
		at.p += 2;
		if ((size_t)(at.end - at.p) > name.n && strncasecmp(at.p, name.p, name.n) == 0 &&
				!is_letter(at.p[name.n])) {
			s->p = at.p - 2;
			return;
		}
	}
}

/* Pass over a tag, at its "<", and over the content of an element of `skip`. True at the end of the
 * head. */
static bool skip_tag(struct scan *s, const char *const *skip, bool *unclosed)
{
	bool closing = s->p[1] == '/';
	struct lu_str name = { s->p + 1 + closing, 0 };
	struct attribute a;

	while (name.p + name.n < s->end && !is_blank(name.p[name.n]) && name.p[name.n] != '>' &&
			name.p[name.n] != '/')
		name.n++;
	s->p = name.p + name.n;
	while (next_attribute(s, &a))
		;
	if (closing)
		return same(name, "head");
	for (size_t i = 0; skip[i] && !*unclosed; i++) {
		const char *before = s->p;

		if (!same(name, skip[i]))
			continue;
		skip_raw(s, name);
		/* Nor will another of its kind be closed: do not search again and again. */
		*unclosed = s->p == before;
	}
	return same(name, "body");
}

/* `whole`: as far as the head goes. */
static enum lu_encoding scan_metas(
		struct scan s, const char *const *skip, bool whole, struct lu_str *unknown)
{
	bool unclosed = false;

	while (s.p < s.end) {
		s.p = memchr(s.p, '<', (size_t)(s.end - s.p));
		if (!s.p || s.end - s.p < 2)
			break;
		if (starts(&s, "<!--")) {
			s.p += 2;
			skip_to(&s, "-->");
		} else if (starts(&s, "<meta") && s.end - s.p > 5 &&
				(is_blank(s.p[5]) || s.p[5] == '/')) {
			enum lu_encoding e;

			s.p += 5;
			e = take_meta(&s, unknown);
			if (e != LU_ENC_NONE)
				return e;
		} else if (is_letter(s.p[1]) ||
				(s.p[1] == '/' && s.end - s.p > 2 && is_letter(s.p[2]))) {
			if (skip_tag(&s, skip, &unclosed) && whole)
				break;
		} else if (s.p[1] == '!' || s.p[1] == '/' || s.p[1] == '?') {
			skip_to(&s, ">");
		} else {
			s.p++;
		}
	}
	return LU_ENC_NONE;
}

/* "Get an XML encoding": <?xml version="1.0" encoding="iso-8859-1"?> */
static enum lu_encoding xml_declaration(struct lu_str html, struct lu_str *unknown)
{
	struct scan s = { html.p, html.p + html.n };
	struct lu_str label;
	enum lu_encoding e;
	const char *end;

	if (!starts(&s, "<?xml"))
		return LU_ENC_NONE;
	end = memchr(s.p, '>', html.n);
	s.end = end ? end : s.p;
	skip_to(&s, "encoding");
	skip_blanks(&s);
	if (s.p >= s.end || *s.p++ != '=')
		return LU_ENC_NONE;
	skip_blanks(&s);
	if (s.p >= s.end || (*s.p != '"' && *s.p != '\'') || !quoted_value(&s, &label))
		return LU_ENC_NONE;
	e = lu_encoding_of_label(label);
	if (e == LU_ENC_NONE && label.n && !unknown->p)
		*unknown = label;
	return e == LU_ENC_UTF_16LE || e == LU_ENC_UTF_16BE ? LU_ENC_UTF_8 : e;
}

enum lu_encoding lu_prescan_html(struct lu_str html, struct lu_str *label)
{
	size_t first = html.n < LU_PRESCAN_BYTES ? html.n : LU_PRESCAN_BYTES;
	enum lu_encoding e;

	*label = (struct lu_str){ NULL, 0 };
	if (html.n >= 6 && memcmp(html.p, "<\0?\0x\0", 6) == 0)
		return LU_ENC_UTF_16LE;
	if (html.n >= 6 && memcmp(html.p, "\0<\0?\0x", 6) == 0)
		return LU_ENC_UTF_16BE;
	e = scan_metas((struct scan){ html.p, html.p + first }, raw, false, label);
	if (e == LU_ENC_NONE && html.n > first)
		e = scan_metas((struct scan){ html.p, html.p + html.n }, raw, true, label);
	if (e == LU_ENC_NONE)
		e = scan_metas((struct scan){ html.p, html.p + first }, titles, false, label);
	return e != LU_ENC_NONE ? e : xml_declaration(html, label);
}

struct lu_str lu_charset_of_man(struct lu_str page)
{
	static const char key[] = "coding:";
	struct lu_str line, name = { NULL, 0 };
	const char *p, *end;

	lu_take_line(&page, &line);
	p = line.n ? memmem(line.p, line.n, key, sizeof(key) - 1) : NULL;
	if (!p)
		return name;
	end = line.p + line.n;
	for (p += sizeof(key) - 1; p < end && *p == ' '; p++)
		;
	name.p = p;
	while (p < end && *p != ' ' && *p != ';')
		p++;
	name.n = (size_t)(p - name.p);
	return name;
}
