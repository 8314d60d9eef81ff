#include "libcommon/import/import.h"

#include <strings.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/import/charset.h"
#include "libcommon/import/html.h"
#include "libcommon/import/warc.h"

/* The value of a parameter of a media type, "charset" in "text/html; charset=\"utf-8\"". */
static struct lu_str parameter(struct lu_str type, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n < type.n; i++) {
		struct lu_str v = { type.p + i + n + 1, 0 };
		const char *end = type.p + type.n;

		if (strncasecmp(type.p + i, name, n) != 0 || type.p[i + n] != '=')
			continue;
		while (v.p < end && (*v.p == '"' || *v.p == '\'' || *v.p == ' '))
			v.p++;
		while (v.p + v.n < end && !strchr("\"'; \t", v.p[v.n]))
			v.n++;
		return v;
	}
	return (struct lu_str){ NULL, 0 };
}

static bool media(struct lu_str type, const char *name)
{
	size_t n = strlen(name);

	return type.n >= n && strncasecmp(type.p, name, n) == 0 &&
			(type.n == n || strchr("; \t", type.p[n]));
}

/* "-*- coding: ISO-8859-1 -*-" in the first line of a manual page. */
static struct lu_str coding_tag(struct lu_str page)
{
	const char *nl = page.n ? memchr(page.p, '\n', page.n) : NULL;
	size_t n = nl ? (size_t)(nl - page.p) : page.n;
	const char *tag = n ? memmem(page.p, n, "coding:", 7) : NULL;
	struct lu_str name = { NULL, 0 };

	if (!tag)
		return name;
	for (tag += 7; tag < page.p + n && *tag == ' '; tag++)
		;
	name.p = tag;
	while (tag < page.p + n && *tag != ' ' && *tag != ';')
		tag++;
	name.n = (size_t)(tag - name.p);
	return name;
}

/* What is known of a document besides its text. */
struct what {
	enum lu_kind kind;
	const char *code; /* programming language */
	struct lu_str content, charset;
};

/* The content of a record of a web archive and what it is; or the reason why there is none. */
static const char *open_record(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct what *what)
{
	struct lu_str type = member->content_type, body = lu_buf_slice(&member->bytes);
	const char *reason;

	if (lu_str_is(member->type, "conversion") || lu_str_is(member->type, "resource")) {
		what->content = body;
	} else if (lu_str_is(member->type, "response") && media(type, "application/http")) {
		struct lu_http http;

		lu_buf_clear(&w->content);
		reason = lu_http_body(body, member->truncated, im->limit, &http, &w->content);
		if (reason)
			return reason;
		type = http.content_type;
		what->content = lu_buf_slice(&w->content);
	} else {
		return "record type";
	}
	what->charset = type.p ? parameter(type, "charset") : type;
	if (media(type, "text/html") || media(type, "application/xhtml+xml"))
		what->kind = LU_KIND_HTML;
	else if (media(type, "text/plain"))
		what->kind = LU_KIND_TEXT;
	else
		return "content type";
	return NULL;
}

static const char *open_file(
		const struct lu_import *im, const struct lu_member *member, struct what *what)
{
	struct lu_str head = lu_buf_slice(&member->bytes);

	what->content = head;
	if (im->kind == LU_KIND_AUTO) {
		what->kind = lu_kind_of(member->path, head, &what->code);
	} else {
		what->kind = (enum lu_kind)im->kind;
		if (what->kind == LU_KIND_CODE)
			what->code = lu_kind_code(member->path, head);
	}
	return what->kind == LU_KIND_AUTO ? "unknown kind" : NULL;
}

/* Fills w->text and w->title. 0; 1: *reason; -1. */
static int convert(const struct lu_import *im, struct lu_import_work *w, struct what *what,
		struct lu_import_result *res, struct lu_err *err)
{
	enum lu_charset_how how = LU_CHARSET_UTF8;
	struct lu_str text;
	int rc;

	if (!what->charset.p && what->kind == LU_KIND_HTML)
		what->charset = lu_html_charset(what->content);
	if (!what->charset.p && what->kind == LU_KIND_MAN)
		what->charset = coding_tag(what->content);
	rc = lu_charset_utf8(
			what->content, what->charset, im->charset, &w->store, &text, &how, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		res->drop = "not valid in its charset";
		return 1;
	}
	res->recoded = how != LU_CHARSET_UTF8;
	lu_buf_clear(&w->text);
	lu_buf_clear(&w->title);
	switch (what->kind) {
	case LU_KIND_HTML:
		rc = lu_html_text(text, im->whole, &w->title, &w->text, err);
		if (rc > 0)
			res->drop = "markup out of bounds";
		return rc;
	case LU_KIND_MAN:
		res->drop = lu_man_html(&im->man, text, im->limit, &w->html, &rc, err);
		if (rc < 0 || res->drop)
			return rc < 0 ? -1 : 1;
		rc = lu_html_text(lu_buf_slice(&w->html), false, NULL, &w->text, err);
		if (rc > 0)
			res->drop = "markup out of bounds";
		return rc;
	default: lu_buf_str(&w->text, text); return lu_buf_check(&w->text, err);
	}
}

static bool only_blanks(struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!strchr(" \t\r\n\f", s.p[i]) || !s.p[i])
			return false;
	}
	return true;
}

static void string(struct lu_buf *out, const char *key, struct lu_str value)
{
	lu_buf_printf(out, ",\"%s\":", key);
	lu_json_quote(out, value);
}

void lu_import_id(const struct lu_member *member, struct lu_buf *out)
{
	struct lu_buf id = { 0 };

	lu_buf_str(&id, member->source);
	lu_buf_putc(&id, ':');
	lu_buf_str(&id, member->path);
	lu_json_quote(out, lu_buf_slice(&id));
	if (!lu_buf_ok(&id))
		out->failed = true;
	lu_buf_release(&id);
}

static void write_record(const struct lu_import *im, const struct lu_import_work *w,
		const struct lu_member *member, const struct what *what, struct lu_buf *out)
{
	const char *category = im->category	     ? im->category
			: what->kind == LU_KIND_CODE ? "code"
						     : NULL;
	const char *lang = im->lang;
	char from_path[3];

	lu_buf_puts(out, "{\"id\":");
	lu_import_id(member, out);
	string(out, "source", member->source);
	if (member->license.p)
		string(out, "license", member->license);
	else
		lu_buf_puts(out, ",\"license\":null");
	if (member->url.p)
		string(out, "url", member->url);
	if (member->date.p)
		string(out, "date", member->date);
	if (what->kind != LU_KIND_CODE && im->lang_path && lu_lang_of_path(member->path, from_path))
		lang = from_path;
	if (what->code)
		lu_buf_printf(out, ",\"lang\":\"code:%s\"", what->code);
	else if (lang)
		string(out, "lang", lu_str_of(lang));
	if (category)
		string(out, "category", lu_str_of(category));
	if (w->title.n)
		string(out, "title", lu_buf_slice(&w->title));
	string(out, "text", lu_buf_slice(&w->text));
	lu_buf_puts(out, "}\n");
}

int lu_import_one(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_buf *out, struct lu_import_result *res,
		struct lu_err *err)
{
	struct what what = { 0 };
	int rc;

	*res = (struct lu_import_result){ .drop = member->drop, .bad = member->bad };
	if (res->drop)
		return 0;
	res->drop = member->warc ? open_record(im, w, member, &what) : NULL;
	if (!res->drop && only_blanks(member->warc ? what.content : lu_buf_slice(&member->bytes)))
		res->drop = "empty";
	if (!res->drop && !member->warc)
		res->drop = open_file(im, member, &what);
	if (res->drop)
		return 0;
	rc = convert(im, w, &what, res, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (only_blanks(lu_buf_slice(&w->text)))
		res->drop = "no text";
	else if (w->text.n < im->min_bytes)
		res->drop = "too short";
	else
		write_record(im, w, member, &what, out);
	return lu_buf_check(out, err);
}

void lu_import_work_release(struct lu_import_work *w)
{
	lu_buf_release(&w->store);
	lu_buf_release(&w->html);
	lu_buf_release(&w->content);
	lu_buf_release(&w->title);
	lu_buf_release(&w->text);
}
