#include "libcommon/charset/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <strings.h>

#include "libcommon/base/utf8.h"
#include "libcommon/charset/charset_guess.h"

#define NAME_SIZE 64
/* Characters beyond ASCII that show that valid UTF-8 is no chance: two bytes of GBK are valid in one
 * case of three at most. */
#define UTF8_EVIDENCE 10
/* Errors of a text whose encoding is another. */
#define ERRORS_MIN 16
#define ERRORS_SHARE 10

static const char invalid[] = "ill-formed in its charset", not_text[] = "not text";
static const char unknown[] = "not valid in its charset";

/* An encoding of the standard, or, where e is LU_ENC_NONE, a charset of iconv. */
struct charset {
	enum lu_encoding e;
	char name[NAME_SIZE];
};

static bool iconv_knows(const char *name)
{
	/* "//TRANSLIT" and the like are instructions to iconv, not names. */
	iconv_t cd = strchr(name, '/') ? (iconv_t)-1 : iconv_open("UTF-8", name);

	/* Out of memory, it may know it: the decoder tells. */
	if (cd == (iconv_t)-1)
		return errno == ENOMEM && !strchr(name, '/');
	iconv_close(cd);
	return true;
}

/* False for a label that names nothing. */
static bool find_charset(struct lu_str label, bool of_user, struct charset *c)
{
	if (label.n == 0 || label.n >= NAME_SIZE || memchr(label.p, 0, label.n))
		return false;
	c->e = lu_encoding_of_label(label);
	/* Python's name, which the standard lacks. */
	if (label.n == 7 && strncasecmp(label.p, "latin-1", 7) == 0)
		c->e = LU_ENC_WINDOWS_1252;
	memcpy(c->name, label.p, label.n);
	c->name[label.n] = '\0';
	if (c->e != LU_ENC_NONE) {
		/* What nobody writes in text, and every page so labelled is in. */
		if (c->e == LU_ENC_X_USER_DEFINED)
			c->e = LU_ENC_WINDOWS_1252;
		return true;
	}
	if (!of_user &&
			(lu_charset_has_nuls(c->name) || strncasecmp(c->name, "utf-7", 5) == 0 ||
					strncasecmp(c->name, "utf7", 4) == 0 ||
					strcasecmp(c->name, "wchar_t") == 0 ||
					strcasecmp(c->name, "char") == 0 ||
					strcasecmp(c->name, "internal") == 0))
		return false;
	return iconv_knows(c->name);
}

bool lu_charset_known(const char *name)
{
	struct charset c;

	return find_charset(lu_str_of(name), true, &c) && c.e != LU_ENC_REPLACEMENT;
}

void lu_charset_work_release(struct lu_charset_work *w)
{
	lu_charset_index_release(&w->index);
	lu_buf_release(&w->text);
	lu_buf_release(&w->scratch);
}

/* --- what the bytes show --------------------------------------------------------------------- */

static bool starts(struct lu_str s, const char *mark, size_t n)
{
	return s.n >= n && memcmp(s.p, mark, n) == 0;
}

static bool wide_has_mark(struct lu_str s)
{
	return starts(s, "\xFF\xFE", 2) || starts(s, "\xFE\xFF", 2);
}

/* The number of characters beyond ASCII in valid UTF-8, as far as `enough`. */
static size_t count_beyond_ascii(struct lu_str s, size_t enough)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < enough; i++)
		n += ((unsigned char)s.p[i] & 0xC0) == 0xC0;
	return n;
}

/* True for UTF-8 with few errors among its characters. */
static bool is_damaged_utf8(struct lu_str s)
{
	size_t beyond = 0, errors = 0;

	for (size_t i = 0; i < s.n;) {
		size_t ok = lu_utf8_valid(s.p + i, s.n - i);

		beyond += count_beyond_ascii((struct lu_str){ s.p + i, ok }, SIZE_MAX);
		i += ok;
		if (i < s.n) {
			i += lu_utf8_bad_len(s.p + i, s.n - i);
			errors++;
		}
		/* What is no UTF-8 shows it soon. */
		if (errors > 256 && beyond < errors)
			return false;
	}
	return beyond >= UTF8_EVIDENCE * errors;
}

bool lu_charset_begins_page(struct lu_str s)
{
	while (s.n && strchr(" \t\r\n\f", *s.p) && *s.p)
		s.p++, s.n--;
	return s.n > 1 && s.p[0] == '<' && s.p[1] != 0;
}

bool lu_charset_is_wide(struct lu_str s)
{
	size_t nuls = 0, limit = s.n / (lu_charset_begins_page(s) ? 4 : 32);

	if (s.n == 0 || !memchr(s.p, 0, s.n))
		return false;
	for (size_t i = 0; i < s.n && nuls <= limit; i++)
		nuls += s.p[i] == 0;
	return nuls > limit;
}

/* --- decoding ---------------------------------------------------------------------------------- */

static int refuse(struct lu_charset_result *r, const char *reason)
{
	r->reason = reason;
	return 0;
}

/* Decode by c. Returns as lu_charset_convert(). */
static int decode(const struct lu_charset *how, struct lu_charset_work *w, struct lu_str in,
		const struct charset *c, struct lu_charset_result *r, struct lu_err *err)
{
	bool wide = c->e == LU_ENC_UTF_16LE || c->e == LU_ENC_UTF_16BE ||
			(c->e == LU_ENC_NONE && lu_charset_has_nuls(c->name));
	int rc;

	if (c->e == LU_ENC_REPLACEMENT)
		return refuse(r, "charset not decoded");
	if (!wide && lu_charset_is_wide(in))
		return refuse(r, not_text);
	r->name = c->e != LU_ENC_NONE ? lu_encoding_name(c->e) : c->name;
	if (c->e == LU_ENC_UTF_8 && lu_utf8_valid(in.p, in.n) == in.n) {
		r->text = in;
		r->how = LU_CHARSET_UTF8;
		return 1;
	}
	lu_buf_clear(&w->text);
	rc = c->e != LU_ENC_NONE ? lu_charset_decode(&w->index, c->e, in, &w->text, &r->errors, err)
				 : lu_charset_decode_named(&w->index, c->name, in, &w->text,
						   &r->errors, err);
	if (rc < 0)
		return -1;
	r->text = lu_buf_slice(&w->text);
	if (c->e == LU_ENC_UTF_8)
		r->how = LU_CHARSET_UTF8;
	/* A damaged text has errors, or NULs; what has both is an image or another width. */
	if ((wide || r->errors) && memchr(r->text.p, 0, r->text.n))
		return refuse(r, not_text);
	if (r->errors && how->strict)
		return refuse(r, invalid);
	if ((wide && r->errors > r->text.n / 64) ||
			(r->errors > ERRORS_MIN && r->errors > in.n / ERRORS_SHARE))
		return refuse(r, r->how == LU_CHARSET_FALLBACK ? unknown : invalid);
	return 1;
}

/* The encoding that the transport or the document names. */
static bool find_named(const struct lu_charset_in *in, struct charset *c)
{
	struct lu_str label;

	if (in->transport.p && find_charset(in->transport, false, c))
		return true;
	if (in->declared.p && find_charset(in->declared, false, c))
		return true;
	if (!in->html)
		return false;
	c->e = lu_prescan_html(in->bytes, &label);
	return c->e != LU_ENC_NONE || (label.p && find_charset(label, false, c));
}

static bool has_single_bytes(const struct charset *c)
{
	return c->e == LU_ENC_NONE ? !lu_charset_has_nuls(c->name)
				   : lu_encoding_iconv_name(c->e) != NULL;
}

static bool is_ascii_superset(enum lu_encoding e)
{
	return e != LU_ENC_NONE && e != LU_ENC_ISO_2022_JP && e != LU_ENC_UTF_16LE &&
			e != LU_ENC_UTF_16BE && e != LU_ENC_REPLACEMENT;
}

/* True for what looks like ISO-2022-JP. */
static bool has_escapes(struct lu_str s)
{
	return memchr(s.p, 0x1B, s.n) && memmem(s.p, s.n, "\x1B$", 2) &&
			memmem(s.p, s.n, "\x1B(", 2);
}

/* Nothing is named, and the bytes are not valid UTF-8. */
static int decode_unnamed(const struct lu_charset *how, struct lu_charset_work *w,
		const struct lu_charset_in *in, struct lu_charset_result *r, struct lu_err *err)
{
	struct charset c = { LU_ENC_UTF_8, "" };
	struct lu_charset_guess guess;

	if (!lu_charset_is_wide(in->bytes) && !has_escapes(in->bytes) && is_damaged_utf8(in->bytes))
		return decode(how, w, in->bytes, &c, r, err);
	if (how->fallback) {
		r->how = LU_CHARSET_FALLBACK;
		if (find_charset(lu_str_of(how->fallback), true, &c))
			return decode(how, w, in->bytes, &c, r, err);
	}
	if (!how->guess)
		return refuse(r, unknown);
	r->how = LU_CHARSET_GUESSED;
	if (lu_charset_guess(&w->index, in->bytes, &w->scratch, &guess, err) < 0)
		return -1;
	if (!guess.name)
		return refuse(r, lu_charset_is_wide(in->bytes) ? not_text : unknown);
	c.e = guess.e;
	snprintf(c.name, sizeof(c.name), "%s", guess.name);
	return decode(how, w, in->bytes, &c, r, err);
}

int lu_charset_convert(const struct lu_charset *how, struct lu_charset_work *w,
		const struct lu_charset_in *in, struct lu_charset_result *r, struct lu_err *err)
{
	struct lu_charset_in rest = *in;
	struct charset c = { LU_ENC_UTF_8, "" };
	bool named, valid, utf32 = starts(in->bytes, "\xFF\xFE\0\0", 4);
	size_t evidence;

	*r = (struct lu_charset_result){ .name = "UTF-8" };
	if (how->fallback && lu_charset_has_nuls(how->fallback) &&
			memchr(in->bytes.p, 0, in->bytes.n) &&
			(utf32 || !wide_has_mark(in->bytes)) &&
			find_charset(lu_str_of(how->fallback), true, &c)) {
		r->how = LU_CHARSET_FALLBACK;
		return decode(how, w, in->bytes, &c, r, err);
	}
	if (wide_has_mark(in->bytes)) {
		c.e = in->bytes.p[0] == '\xFF' ? LU_ENC_UTF_16LE : LU_ENC_UTF_16BE;
		r->how = LU_CHARSET_MARK;
		rest.bytes = (struct lu_str){ in->bytes.p + 2, in->bytes.n - 2 };
		return decode(how, w, rest.bytes, &c, r, err);
	}
	if (starts(in->bytes, "\xEF\xBB\xBF", 3)) {
		rest.bytes = (struct lu_str){ in->bytes.p + 3, in->bytes.n - 3 };
		return decode(how, w, rest.bytes, &c, r, err);
	}
	named = find_named(in, &c);
	valid = lu_utf8_valid(in->bytes.p, in->bytes.n) == in->bytes.n;
	evidence = valid ? count_beyond_ascii(in->bytes, UTF8_EVIDENCE) : 0;
	if (named && (!evidence || (evidence < UTF8_EVIDENCE && !has_single_bytes(&c)))) {
		/* ASCII is the same in nearly all. */
		if (valid && !evidence && is_ascii_superset(c.e))
			c.e = LU_ENC_UTF_8;
		r->how = LU_CHARSET_DECLARED;
		return decode(how, w, in->bytes, &c, r, err);
	}
	if (lu_charset_is_wide(in->bytes) && !how->guess)
		return refuse(r, not_text);
	if (valid && !lu_charset_is_wide(in->bytes) && !(how->guess && has_escapes(in->bytes))) {
		r->text = in->bytes;
		return 1;
	}
	return decode_unnamed(how, w, &rest, r, err);
}

int lu_charset_utf8(struct lu_str in, struct lu_str declared, const char *fallback,
		struct lu_buf *store, struct lu_str *out, enum lu_charset_how *how,
		struct lu_err *err)
{
	const struct lu_charset options = { .fallback = fallback };
	const struct lu_charset_in what = { .bytes = in, .declared = declared };
	struct lu_charset_work work = { .text = *store };
	struct lu_charset_result result;
	int rc = lu_charset_convert(&options, &work, &what, &result, err);

	*store = work.text;
	work.text = (struct lu_buf){ 0 };
	lu_charset_work_release(&work);
	*how = result.how;
	*out = result.text;
	return rc;
}

int lu_charset_of_rows(struct lu_str rows, const char **name, struct lu_err *err)
{
	struct lu_charset_work work = { .text = { 0 } };
	struct lu_charset_guess guess = { LU_ENC_NONE, NULL };
	int rc = 0;

	/* Escapes and NULs are no matter of single rows. */
	if (lu_utf8_valid(rows.p, rows.n) != rows.n && !memchr(rows.p, 0, rows.n))
		rc = lu_charset_guess(&work.index, rows, &work.scratch, &guess, err);
	*name = guess.e == LU_ENC_ISO_2022_JP ? NULL : guess.name;
	lu_charset_work_release(&work);
	return rc;
}
