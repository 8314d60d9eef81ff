#include "libcommon/import/import.h"

#include <strings.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/charset/charset.h"
#include "libcommon/html/html.h"
#include "libcommon/import/foreign.h"
#include "libcommon/import/http.h"

/* True if a Content-Type names this media type. */
static bool is_media_type(struct lu_str type, const char *name)
{
	size_t n = strlen(name);

	return type.n >= n && strncasecmp(type.p, name, n) == 0 &&
			(type.n == n || strchr("; \t", type.p[n]));
}

struct content {
	struct lu_str bytes;
	enum lu_kind kind;
	const char *code;      /* programming language, or NULL */
	struct lu_str charset; /* declared outside of the bytes; .p NULL: none */
};

/* The content and kind of a web archive's record. Returns NULL, or the reason to drop it. */
static const char *open_record(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct content *c)
{
	struct lu_str type = member->content_type;

	if (lu_str_is(member->type, "response") && is_media_type(type, "application/http")) {
		struct lu_http http;
		const char *reason;

		lu_buf_clear(&w->content);
		reason = lu_http_body(c->bytes, member->truncated.p != NULL, im->limit, &http,
				&w->content);
		if (reason)
			return reason;
		lu_notice_http(&w->notice, http.fields);
		type = http.content_type;
		c->bytes = lu_buf_slice(&w->content);
	} else if (!lu_str_is(member->type, "conversion") && !lu_str_is(member->type, "resource")) {
		return "record type";
	}
	c->charset = lu_charset_of_media_type(type);
	if (is_media_type(type, "text/html") || is_media_type(type, "application/xhtml+xml"))
		c->kind = LU_KIND_HTML;
	else if (is_media_type(type, "text/plain"))
		c->kind = LU_KIND_TEXT;
	else
		return "content type";
	return NULL;
}

/* The kind of a file. Returns NULL, or the reason to drop it. */
static const char *open_file(const struct lu_import *im, const struct lu_member *member,
		struct content *c, const struct lu_format **format)
{
	c->kind = im->kind;
	if (c->kind == LU_KIND_AUTO)
		c->kind = lu_kind_of(member->name, c->bytes, &c->code);
	else if (c->kind == LU_KIND_CODE)
		c->code = lu_kind_code(member->name, c->bytes);
	if (c->kind != LU_KIND_AUTO)
		return NULL;
	*format = lu_format_of(member->name, c->bytes);
	return "unknown kind";
}

/* Append the text of a page. 0; 1: res->drop says why there is none; -1. */
static int convert_html(struct lu_str html, bool whole, struct lu_buf *title,
		struct lu_notice *notice, struct lu_buf *text, struct lu_import_result *res,
		struct lu_err *err)
{
	int rc = lu_html_text(html, whole, title, notice, text, err);

	if (rc > 0)
		res->drop = "markup out of bounds";
	return rc;
}

/* Fills w->text and w->title. Returns as convert_html(). */
static int convert(const struct lu_import *im, struct lu_import_work *w, struct content *c,
		struct lu_import_result *res, struct lu_err *err)
{
	enum lu_charset_how how = LU_CHARSET_UTF8;
	struct lu_str text;
	int rc;

	if (!c->charset.p && c->kind == LU_KIND_HTML)
		c->charset = lu_charset_of_html(c->bytes);
	if (!c->charset.p && c->kind == LU_KIND_MAN)
		c->charset = lu_charset_of_man(c->bytes);
	rc = lu_charset_utf8(c->bytes, c->charset, im->charset, &w->store, &text, &how, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		res->drop = !im->charset && lu_is_no_text(c->bytes) ? "not text"
								    : "not valid in its charset";
		return 1;
	}
	res->recoded = how != LU_CHARSET_UTF8;
	lu_buf_clear(&w->text);
	lu_buf_clear(&w->title);
	if (c->kind == LU_KIND_HTML)
		return convert_html(text, im->whole, &w->title, &w->notice, &w->text, res, err);
	if (c->kind == LU_KIND_MAN) {
		rc = lu_man_html(&im->man, text, im->limit, &w->html, &res->drop, err);
		if (rc != 0)
			return rc;
		return convert_html(lu_buf_slice(&w->html), false, NULL, NULL, &w->text, res, err);
	}
	lu_buf_str(&w->text, text);
	return lu_buf_check(&w->text, err);
}

/* --- the record ---------------------------------------------------------------------------- */

void lu_import_id(const struct lu_member *member, struct lu_buf *out)
{
	struct lu_buf id = { 0 };

	lu_buf_str(&id, member->source);
	lu_buf_putc(&id, ':');
	lu_buf_str(&id, member->path);
	lu_json_put_str(out, "id", lu_buf_slice(&id));
	if (!lu_buf_ok(&id))
		out->failed = true;
	lu_buf_release(&id);
}

static void write_lang(const struct lu_import *im, const struct lu_member *member,
		const struct content *c, struct lu_buf *out)
{
	char from_path[3];

	if (c->code) {
		/* Our own words: nothing to escape. */
		lu_json_key(out, LU_STR("lang"));
		lu_buf_printf(out, "\"code:%s\"", c->code);
	} else if (c->kind != LU_KIND_CODE && im->lang_path &&
			lu_lang_of_path(member->name, from_path)) {
		lu_json_put_cstr(out, "lang", from_path);
	} else if (im->lang) {
		lu_json_put_cstr(out, "lang", im->lang);
	}
}

/* The members about the use and the completeness of a page. */
static void write_notice(
		const struct lu_import_work *w, const struct lu_member *member, struct lu_buf *out)
{
	const struct lu_notice *n = &w->notice;

	if (n->optout) {
		lu_json_open_array(out, "optout");
		for (unsigned i = 0; lu_notice_signals[i]; i++) {
			if (n->optout & 1u << i)
				lu_json_put_cstr(out, NULL, lu_notice_signals[i]);
		}
		lu_json_close_array(out);
	}
	if (n->policy.n)
		lu_json_put_str(out, "tdm_policy", lu_buf_slice(&n->policy));
	if (member->truncated.p)
		lu_json_put_str(out, "truncated", member->truncated);
}

static void write_record(const struct lu_import *im, const struct lu_import_work *w,
		const struct lu_member *member, const struct content *c, struct lu_buf *out)
{
	lu_json_open_object(out, NULL);
	lu_import_id(member, out);
	lu_json_put_str(out, "source", member->source);
	if (member->license.p)
		lu_json_put_str(out, "license", member->license);
	else if (w->notice.license.n)
		lu_json_put_str(out, "license", lu_buf_slice(&w->notice.license));
	else
		lu_json_put_null(out, "license");
	if (member->url.p)
		lu_json_put_str(out, "url", member->url);
	if (member->date.p)
		lu_json_put_str(out, "date", member->date);
	write_lang(im, member, c, out);
	if (im->category)
		lu_json_put_cstr(out, "category", im->category);
	else if (c->kind == LU_KIND_CODE)
		lu_json_put_cstr(out, "category", "code");
	if (w->title.n)
		lu_json_put_str(out, "title", lu_buf_slice(&w->title));
	write_notice(w, member, out);
	lu_json_put_str(out, "text", lu_buf_slice(&w->text));
	lu_json_close_object(out);
	lu_buf_putc(out, '\n');
}

static bool is_blank(struct lu_str s)
{
	return lu_str_only(s, " \t\r\n\f");
}

int lu_import_one(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_buf *out, struct lu_import_result *res,
		struct lu_err *err)
{
	struct content c = { .bytes = lu_buf_slice(&member->bytes) };
	int rc;

	*res = (struct lu_import_result){
		.drop = member->drop, .bad = member->bad, .format = member->format
	};
	lu_notice_clear(&w->notice);
	if (!res->drop && member->warc)
		res->drop = open_record(im, w, member, &c);
	if (!res->drop && is_blank(c.bytes))
		res->drop = "empty";
	if (!res->drop && !member->warc)
		res->drop = open_file(im, member, &c, &res->format);
	if (res->drop)
		return 0;
	rc = convert(im, w, &c, res, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (is_blank(lu_buf_slice(&w->text)))
		res->drop = "no text";
	else if (w->text.n < im->min_bytes)
		res->drop = "too short";
	if (!res->drop) {
		write_record(im, w, member, &c, out);
		res->optout = w->notice.optout != 0;
		res->truncated = member->truncated.p != NULL;
	}
	return lu_buf_check(out, err) < 0 ? -1 : lu_buf_check(&w->notice.license, err);
}

void lu_import_work_release(struct lu_import_work *w)
{
	lu_buf_release(&w->store);
	lu_buf_release(&w->html);
	lu_buf_release(&w->content);
	lu_buf_release(&w->title);
	lu_buf_release(&w->text);
	lu_notice_release(&w->notice);
}
