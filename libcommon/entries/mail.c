#include "libcommon/entries/mail.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/take_line.h"
#include "libcommon/base/utf8.h"
#include "libcommon/base/vec.h"
#include "libcommon/charset/charset.h"
#include "libcommon/entries/mime_words.h"

/* A message, or a part of one. */
struct part {
	struct lu_str fields, body;
};

struct message {
	const struct lu_entries_options *o;
	struct lu_buf plain, html; /* `html` has all text once there is a page */
	struct lu_buf decoded;
	struct lu_charset_work charset;
	uint64_t charset_errors;
	const char *guessed;		    /* charset of a part; NULL: none */
	struct LU_VEC(struct lu_str) inner; /* messages inside */
	uint64_t attachments;
	bool recoded;
	const char *refused; /* why a part was not converted; NULL: none */
};

/* --- structure ----------------------------------------------------------------------------- */

static bool is_field(struct lu_str line)
{
	size_t i = 0;

	while (i < line.n && line.p[i] > ' ' && line.p[i] != ':' && line.p[i] < 127)
		i++;
	return i > 0 && i < line.n && line.p[i] == ':';
}

/* Fields up to a blank line, or up to what is no field. */
static struct part split(struct lu_str s)
{
	struct part part = { .fields = { s.p, 0 }, .body = s };
	struct lu_str rest = s, line;

	while (lu_take_line(&rest, &line)) {
		bool blank = line.n == 0 || (line.n == 1 && line.p[0] == '\r');
		bool folded = line.n && (line.p[0] == ' ' || line.p[0] == '\t') && part.fields.n;

		if (!blank && !folded && !is_field(line))
			break;
		part.body = rest;
		if (blank)
			break;
		part.fields.n = (size_t)(rest.p - s.p);
	}
	return part;
}

/* The value of a field, with its line ends; .p NULL: there is none. */
static struct lu_str field(const struct part *part, const char *name)
{
	struct lu_str rest = part->fields, line, value = { 0 };

	while (lu_take_line(&rest, &line)) {
		if (value.p && line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
			value.n = (size_t)(line.p + line.n - value.p);
		else if (value.p)
			break;
		else
			lu_take_field(line, name, &value);
	}
	return value.p ? lu_trim_line(value) : value;
}

/* True if the field names this type: "text/plain", or all of "multipart/". */
static bool is_type(struct lu_str type, const char *name)
{
	size_t n = strlen(name);

	return type.n >= n && strncasecmp(type.p, name, n) == 0 &&
			(name[n - 1] == '/' || type.n == n || strchr("; \t\r\n", type.p[n]));
}

static struct lu_str type_of(const struct part *part, const char *absent)
{
	struct lu_str type = field(part, "Content-Type");

	return type.n ? type : lu_str_of(absent);
}

/* The next boundary line in s. *end: the last one; *behind: where the line ends. NULL: there is none. */
static const char *find_boundary(
		struct lu_str s, struct lu_str boundary, bool *end, const char **behind)
{
	const char *stop = s.p + s.n, *p = s.p;

	while ((size_t)(stop - p) > boundary.n + 1) {
		const char *b = memmem(p, (size_t)(stop - p), boundary.p, boundary.n), *q;

		if (!b)
			return NULL;
		p = b + boundary.n;
		if (b - s.p < 2 || b[-1] != '-' || b[-2] != '-' || (b - s.p > 2 && b[-3] != '\n'))
			continue;
		*end = stop - p >= 2 && p[0] == '-' && p[1] == '-';
		for (q = p + (*end ? 2 : 0); q < stop && (*q == ' ' || *q == '\t' || *q == '\r');
				q++)
			;
		if (q < stop && *q != '\n' && !*end)
			continue;
		*behind = q < stop ? q + 1 : stop;
		return b - 2;
	}
	return NULL;
}

/* Take the next part of a multipart body off *rest, which begins behind a boundary line. */
static bool next_part(struct lu_str *rest, struct lu_str boundary, struct lu_str *part)
{
	const char *behind = NULL, *at, *stop = rest->p + rest->n;
	bool end = false;

	if (rest->n == 0)
		return false;
	at = find_boundary(*rest, boundary, &end, &behind);
	*part = (struct lu_str){ rest->p, at ? (size_t)(at - rest->p) : rest->n };
	/* The line end before a boundary belongs to it. */
	if (at && part->n && part->p[part->n - 1] == '\n')
		part->n--;
	if (at && part->n && part->p[part->n - 1] == '\r')
		part->n--;
	*rest = at && !end ? (struct lu_str){ behind, (size_t)(stop - behind) }
			   : (struct lu_str){ stop, 0 };
	return true;
}

/* Go behind the first boundary line; false: there is none. */
static bool begin_parts(struct lu_str body, struct lu_str boundary, struct lu_str *rest)
{
	const char *behind = NULL;
	bool end = false;

	if (boundary.n == 0 || !find_boundary(body, boundary, &end, &behind) || end)
		return false;
	*rest = (struct lu_str){ behind, (size_t)(body.p + body.n - behind) };
	return true;
}

/* --- texts --------------------------------------------------------------------------------- */

static struct lu_str undo_transfer(struct message *m, const struct part *part)
{
	struct lu_str how = field(part, "Content-Transfer-Encoding");

	lu_buf_clear(&m->decoded);
	if (is_type(how, "base64"))
		lu_mime_base64(part->body, &m->decoded);
	else if (is_type(how, "quoted-printable"))
		lu_mime_quoted(part->body, false, &m->decoded);
	else
		return part->body;
	return lu_buf_slice(&m->decoded);
}

/* The content of a text part in UTF-8: 1; 0: not valid in its charset; -1. */
static int read_text(struct message *m, const struct part *part, struct lu_str type, bool html,
		struct lu_str *text, struct lu_err *err)
{
	struct lu_str bytes = undo_transfer(m, part);
	const struct lu_charset how = { .fallback = m->o->charset,
		.guess = m->o->guess_charset,
		.strict = m->o->strict_charset };
	const struct lu_charset_in in = {
		.bytes = bytes, .transport = lu_mime_parameter(type, "charset"), .html = html
	};
	struct lu_charset_result result;
	int rc;

	if (lu_buf_check(&m->decoded, err) < 0)
		return -1;
	rc = lu_charset_convert(&how, &m->charset, &in, &result, err);
	m->recoded |= rc > 0 && result.how != LU_CHARSET_UTF8;
	m->refused = rc == 0 ? result.reason : m->refused;
	m->charset_errors += rc > 0 ? result.errors : 0;
	if (rc > 0 && result.how == LU_CHARSET_GUESSED)
		m->guessed = result.name;
	*text = result.text;
	return rc;
}

static bool is_blank(struct lu_str s)
{
	return lu_str_only(s, " \t\r\n\f");
}

/* Append with line ends of Unix. */
static void put_lines(struct lu_str s, struct lu_buf *out)
{
	struct lu_str line;

	while (lu_take_line(&s, &line)) {
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		lu_buf_str(out, line);
		lu_buf_putc(out, '\n');
	}
}

/* Append text as a page shows it. */
static void put_as_html(struct lu_str s, struct lu_buf *out)
{
	lu_buf_puts(out, "<pre>\n");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '<')
			lu_buf_puts(out, "&lt;");
		else if (s.p[i] == '&')
			lu_buf_puts(out, "&amp;");
		else
			lu_buf_putc(out, s.p[i]);
	}
	lu_buf_puts(out, "</pre>\n");
}

static void take_plain(struct message *m, struct lu_str text)
{
	size_t from = m->plain.n;

	if (from && !is_blank(text))
		lu_buf_putc(&m->plain, '\n');
	put_lines(text, &m->plain);
	if (m->html.n && m->plain.n > from)
		put_as_html((struct lu_str){ m->plain.p + from, m->plain.n - from }, &m->html);
}

static void take_html(struct message *m, struct lu_str page)
{
	if (m->html.n == 0 && !is_blank(lu_buf_slice(&m->plain)))
		put_as_html(lu_buf_slice(&m->plain), &m->html);
	lu_buf_str(&m->html, page);
	lu_buf_putc(&m->html, '\n');
}

/* --- parts --------------------------------------------------------------------------------- */

static int take_part(struct message *m, const struct part *part, const char *absent, int depth,
		struct lu_err *err);

/* Of alternatives: the first plain text, or else the last, richest one that gives a text. */
static int take_alternative(struct message *m, struct lu_str rest, struct lu_str boundary,
		int depth, struct lu_err *err)
{
	struct LU_VEC(struct part) parts = { 0 };
	struct lu_str bytes, text;
	int rc = 0;

	while (rc >= 0 && next_part(&rest, boundary, &bytes)) {
		struct part part = split(bytes);
		struct lu_str type = type_of(&part, "text/plain");

		rc = is_type(type, "text/plain") ? read_text(m, &part, type, false, &text, err) : 0;
		if (rc > 0 && !is_blank(text)) {
			take_plain(m, text);
			goto out;
		}
		if (rc >= 0 && !is_type(type, "text/plain") && !lu_vec_push(&parts, part))
			rc = lu_err_nomem(err);
	}
	for (size_t i = parts.n; rc >= 0 && i > 0; i--) {
		size_t before = m->plain.n + m->html.n;
		uint64_t attachments = m->attachments;

		rc = take_part(m, &parts.p[i - 1], "text/plain", depth, err);
		if (m->plain.n + m->html.n > before)
			break;
		/* A form of the text that is not read is no attachment. */
		m->attachments = attachments;
	}
out:
	lu_vec_release(&parts);
	return rc < 0 ? -1 : 0;
}

static int take_multipart(struct message *m, const struct part *part, struct lu_str type, int depth,
		struct lu_err *err)
{
	struct lu_str boundary = lu_mime_parameter(type, "boundary"), rest, bytes, text;
	int rc;
	const char *absent = is_type(type, "multipart/digest") ? "message/rfc822" : "text/plain";

	if (!begin_parts(part->body, boundary, &rest)) {
		rc = read_text(m, part, (struct lu_str){ 0 }, false, &text, err);
		if (rc > 0)
			take_plain(m, text);
		return rc < 0 ? -1 : 0;
	}
	if (is_type(type, "multipart/alternative"))
		return take_alternative(m, rest, boundary, depth, err);
	while (next_part(&rest, boundary, &bytes)) {
		struct part inner = split(bytes);

		if (take_part(m, &inner, absent, depth, err) < 0)
			return -1;
	}
	return 0;
}

/* Take the text of a part; `absent` is its type where it names none. */
static int take_part(struct message *m, const struct part *part, const char *absent, int depth,
		struct lu_err *err)
{
	struct lu_str type = type_of(part, absent);
	struct lu_str how = field(part, "Content-Transfer-Encoding"), text;
	bool html = is_type(type, "text/html");
	int rc;

	/* Mail programs call a forwarded message an attachment too. */
	if (is_type(type, "message/rfc822") && depth < LU_MAIL_DEPTH && !is_type(how, "base64") &&
			!is_type(how, "quoted-printable")) {
		if (!lu_vec_push(&m->inner, part->body))
			return lu_err_nomem(err);
	} else if (depth >= LU_MAIL_DEPTH ||
			is_type(field(part, "Content-Disposition"), "attachment")) {
		m->attachments++;
	} else if (is_type(type, "multipart/")) {
		return take_multipart(m, part, type, depth + 1, err);
	} else if (html || is_type(type, "text/plain") || is_type(type, "text")) {
		rc = read_text(m, part, type, html, &text, err);
		if (rc > 0 && html)
			take_html(m, text);
		else if (rc > 0)
			take_plain(m, text);
		/* It is in the message all the same. */
		m->attachments += rc == 0;
		return rc < 0 ? -1 : 0;
	} else {
		m->attachments++;
	}
	return 0;
}

/* --- messages ------------------------------------------------------------------------------ */

/* The inside of the first angle brackets. */
static struct lu_str in_brackets(struct lu_str s)
{
	const char *from = s.n ? memchr(s.p, '<', s.n) : NULL;
	const char *end = from ? memchr(from, '>', s.n - (size_t)(from - s.p)) : NULL;

	return end ? (struct lu_str){ from + 1, (size_t)(end - from - 1) }
		   : (struct lu_str){ s.p, 0 };
}

struct members {
	struct lu_buf name, title, author, reply, date, more;
};

static void release_members(struct members *v)
{
	lu_buf_release(&v->name);
	lu_buf_release(&v->title);
	lu_buf_release(&v->author);
	lu_buf_release(&v->reply);
	lu_buf_release(&v->date);
	lu_buf_release(&v->more);
}

static int read_members(const struct message *m, const struct part *top, struct members *v,
		struct lu_entry *e, struct lu_err *err)
{
	/* Fields are too short for a guess of their own. */
	const char *charset = m->guessed ? m->guessed : m->o->charset;
	struct lu_str id = in_brackets(field(top, "Message-ID"));
	struct lu_str reply = in_brackets(field(top, "In-Reply-To"));

	if (lu_mime_words(field(top, "Subject"), charset, &v->title, err) < 0 ||
			lu_mime_words(field(top, "From"), charset, &v->author, err) < 0)
		return -1;
	lu_utf8_repair(&v->name, id);
	lu_utf8_repair(&v->reply, reply);
	if (lu_mime_date(field(top, "Date"), &v->date))
		e->date = lu_buf_slice(&v->date);
	if (v->title.n)
		e->title = lu_buf_slice(&v->title);
	if (id.n && e->name.n)
		e->name = lu_buf_slice(&v->name);
	if (v->author.n)
		lu_json_put_str(&v->more, "author", lu_buf_slice(&v->author));
	if (v->reply.n)
		lu_json_put_str(&v->more, "in_reply_to", lu_buf_slice(&v->reply));
	if (m->attachments)
		lu_json_put_u64(&v->more, "attachments", m->attachments);
	e->more = lu_buf_slice(&v->more);
	return lu_buf_check(&v->name, err) < 0 || lu_buf_check(&v->reply, err) < 0 ||
					lu_buf_check(&v->date, err) < 0
			? -1
			: lu_buf_check(&v->more, err);
}

static int give_message(const struct lu_entries_options *o, struct lu_str bytes,
		const struct lu_entry *base, int depth, lu_entry_fn *emit, void *ctx,
		struct lu_err *err);

/* Give the messages inside, named by the one around them. */
static int give_inner(const struct message *m, struct lu_str name, const struct lu_entry *base,
		int depth, lu_entry_fn *emit, void *ctx, struct lu_err *err)
{
	struct lu_buf own = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->inner.n; i++) {
		struct lu_entry inner = { .line = base->line };

		lu_buf_clear(&own);
		lu_buf_str(&own, name);
		lu_buf_printf(&own, "%s%zu", name.n ? "." : "", i + 1);
		inner.name = lu_buf_slice(&own);
		rc = lu_buf_check(&own, err);
		if (rc == 0)
			rc = give_message(m->o, m->inner.p[i], &inner, depth + 1, emit, ctx, err);
	}
	lu_buf_release(&own);
	return rc;
}

static int give_message(const struct lu_entries_options *o, struct lu_str bytes,
		const struct lu_entry *base, int depth, lu_entry_fn *emit, void *ctx,
		struct lu_err *err)
{
	struct message m = { .o = o };
	struct members v = { 0 };
	struct lu_entry e = *base;
	struct part top = split(bytes);
	int rc = -1;

	if (take_part(&m, &top, "text/plain", depth, err) < 0 ||
			read_members(&m, &top, &v, &e, err) < 0 ||
			lu_buf_check(&m.plain, err) < 0 || lu_buf_check(&m.html, err) < 0)
		goto out;
	e.content = m.html.n ? LU_ENTRY_HTML : LU_ENTRY_TEXT;
	e.bytes = lu_buf_slice(m.html.n ? &m.html : &m.plain);
	e.recoded = m.recoded;
	e.charset_errors = m.charset_errors;
	if (top.fields.n == 0)
		e.drop = "no fields of a message";
	else if (m.refused && (o->strict_charset || is_blank(e.bytes)))
		e.drop = m.refused;
	/* A message that only holds others. */
	if (m.inner.n && !e.drop && is_blank(e.bytes))
		rc = 0;
	else
		rc = emit(ctx, &e, err);
	if (rc == 0)
		rc = give_inner(&m, e.name, base, depth, emit, ctx, err);
out:
	release_members(&v);
	lu_buf_release(&m.plain);
	lu_buf_release(&m.html);
	lu_buf_release(&m.decoded);
	lu_charset_work_release(&m.charset);
	lu_vec_release(&m.inner);
	return rc;
}

int lu_mail_message(const struct lu_entries_options *o, struct lu_str message,
		const struct lu_entry *base, lu_entry_fn *emit, void *ctx, struct lu_err *err)
{
	return give_message(o, message, base, 0, emit, ctx, err);
}
