#include "libcommon/charset/charset.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>

#include "libcommon/base/take_line.h"
#include "libcommon/base/utf8.h"

#define NAME_SIZE 64

/* Labels that the Encoding Standard and iconv understand differently. */
static const struct {
	const char *label, *name;
} labels[] = {
	{ "iso-8859-1", "windows-1252" },
	{ "iso8859-1", "windows-1252" },
	{ "iso_8859-1", "windows-1252" },
	{ "latin1", "windows-1252" },
	{ "latin-1", "windows-1252" },
	{ "l1", "windows-1252" },
	{ "ascii", "windows-1252" },
	{ "us-ascii", "windows-1252" },
	{ "iso-8859-9", "windows-1254" },
	{ "latin5", "windows-1254" },
	{ "x-sjis", "shift_jis" },
	{ "ks_c_5601-1987", "euc-kr" },
	{ "gb2312", "gbk" },
};

static iconv_t open_charset(struct lu_str label)
{
	char name[NAME_SIZE];

	if (label.n == 0 || label.n >= sizeof(name) || memchr(label.p, 0, label.n))
		return (iconv_t)-1;
	memcpy(name, label.p, label.n);
	name[label.n] = '\0';
	/* "//TRANSLIT" and the like are instructions to iconv, not names. */
	if (strchr(name, '/'))
		return (iconv_t)-1;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (strcasecmp(name, labels[i].label) == 0)
			return iconv_open("UTF-8", labels[i].name);
	}
	return iconv_open("UTF-8", name);
}

bool lu_charset_known(const char *name)
{
	iconv_t cd = open_charset(lu_str_of(name));

	if (cd == (iconv_t)-1)
		return false;
	iconv_close(cd);
	return true;
}

bool lu_charset_has_nuls(const char *name)
{
	static const char *const prefix[] = { "utf-16", "utf16", "utf-32", "utf32", "ucs-2", "ucs2",
		"ucs-4", "ucs4" };

	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
		if (strncasecmp(name, prefix[i], strlen(prefix[i])) == 0)
			return true;
	}
	return false;
}

/* 1: converted; 0: the charset is unknown or the bytes are not valid in it; -1: out of memory. */
static int convert(struct lu_str in, struct lu_str label, struct lu_buf *store, struct lu_err *err)
{
	iconv_t cd = open_charset(label);
	const char *from = in.p;
	size_t left = in.n;
	int rc = 0;

	if (cd == (iconv_t)-1)
		return 0;
	lu_buf_clear(store);
	do {
		char *p, *to;
		size_t room;

		if (!lu_buf_reserve(store, in.n + 64)) {
			rc = lu_err_nomem(err);
			break;
		}
		to = store->p + store->n;
		room = store->cap - store->n - 1;
		/* iconv() does not write to its input, although the prototype lacks the const. */
		memcpy(&p, &from, sizeof(p));
		if (iconv(cd, &p, &left, &to, &room) != (size_t)-1)
			rc = 1;
		else if (errno != E2BIG)
			left = 0;
		from = p;
		store->n = (size_t)(to - store->p);
		store->p[store->n] = '\0';
	} while (left > 0);
	iconv_close(cd);
	return rc == 1 && lu_utf8_valid(store->p, store->n) != store->n ? 0 : rc;
}

static bool is_utf8_label(struct lu_str s)
{
	return (s.n == 5 && strncasecmp(s.p, "utf-8", 5) == 0) ||
			(s.n == 4 && strncasecmp(s.p, "utf8", 4) == 0);
}

int lu_charset_utf8(struct lu_str in, struct lu_str declared, const char *fallback,
		struct lu_buf *store, struct lu_str *out, enum lu_charset_how *how,
		struct lu_err *err)
{
	const unsigned char *p = (const unsigned char *)in.p;
	bool utf32_mark = in.n >= 4 && memcmp(in.p, "\xFF\xFE\0\0", 4) == 0;
	int rc;

	if (fallback && lu_charset_has_nuls(fallback) && memchr(in.p, 0, in.n) &&
			(utf32_mark || in.n < 2 ||
					(memcmp(in.p, "\xFF\xFE", 2) != 0 &&
							memcmp(in.p, "\xFE\xFF", 2) != 0))) {
		*how = LU_CHARSET_FALLBACK;
		rc = convert(in, lu_str_of(fallback), store, err);
		*out = lu_buf_slice(store);
		if (out->n >= 3 && memcmp(out->p, "\xEF\xBB\xBF", 3) == 0)
			*out = (struct lu_str){ out->p + 3, out->n - 3 };
		/* Another width than the charset's. */
		return rc > 0 && memchr(out->p, 0, out->n) ? 0 : rc;
	}
	if (in.n >= 2 && ((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF))) {
		struct lu_str rest = { in.p + 2, in.n - 2 };

		*how = LU_CHARSET_MARK;
		rc = convert(rest, p[0] == 0xFF ? LU_STR("UTF-16LE") : LU_STR("UTF-16BE"), store,
				err);
		*out = lu_buf_slice(store);
		return rc;
	}
	if (in.n >= 3 && memcmp(in.p, "\xEF\xBB\xBF", 3) == 0)
		in = (struct lu_str){ in.p + 3, in.n - 3 };
	*how = LU_CHARSET_UTF8;
	*out = in;
	if (lu_utf8_valid(in.p, in.n) == in.n)
		return 1;
	*how = LU_CHARSET_DECLARED;
	if (declared.p && !is_utf8_label(declared)) {
		rc = convert(in, declared, store, err);
		*out = lu_buf_slice(store);
		if (rc != 0)
			return rc;
	}
	*how = LU_CHARSET_FALLBACK;
	if (!fallback)
		return 0;
	rc = convert(in, lu_str_of(fallback), store, err);
	*out = lu_buf_slice(store);
	return rc;
}

struct lu_str lu_charset_of_media_type(struct lu_str type)
{
	static const char name[] = "charset=";
	const char *end = type.p + type.n;

	for (const char *p = type.p; p && (size_t)(end - p) >= sizeof(name) - 1; p++) {
		struct lu_str value = { p + sizeof(name) - 1, 0 };

		if (strncasecmp(p, name, sizeof(name) - 1) != 0)
			continue;
		while (value.p < end && (*value.p == '"' || *value.p == '\'' || *value.p == ' '))
			value.p++;
		while (value.p + value.n < end && !strchr("\"'; \t", value.p[value.n]))
			value.n++;
		return value;
	}
	return (struct lu_str){ NULL, 0 };
}

struct lu_str lu_charset_of_html(struct lu_str html)
{
	size_t n = html.n < 1024 ? html.n : 1024;

	/* "charset" in a meta element or "encoding" in an XML declaration, then = and a name. */
	for (size_t i = 0; i + 9 < n; i++) {
		const char *p = html.p + i, *end = html.p + n;
		const char *word = strncasecmp(p, "charset", 7) == 0 ? p + 7
				: strncmp(p, "encoding", 8) == 0     ? p + 8
								     : NULL;
		struct lu_str name;

		if (!word)
			continue;
		while (word < end && (*word == ' ' || *word == '\t' || *word == '\n'))
			word++;
		if (word == end || *word != '=')
			continue;
		word++;
		while (word < end && strchr(" \t\n\"'", *word) && *word)
			word++;
		name.p = word;
		while (word < end && *word && !strchr(" \t\r\n\"';/>?", *word))
			word++;
		name.n = (size_t)(word - name.p);
		if (name.n)
			return name;
	}
	return (struct lu_str){ NULL, 0 };
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
