#include "libcommon/import/import.h"

#include <strings.h>

#include "libcommon/charset/charset.h"
#include "libcommon/entries/notebook.h"
#include "libcommon/html/html.h"
#include "libcommon/import/document.h"
#include "libcommon/import/foreign.h"
#include "libcommon/import/from_office.h"
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
	struct lu_str charset; /* that the transport names; .p NULL: none */
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
		reason = lu_http_body(c->bytes, im->limit, &http, &w->content);
		lu_notice_http(&w->notice, http.fields);
		if (reason)
			return reason;
		w->cut = http.cut;
		if (!lu_http_date(http.date, w->http_date))
			w->http_date[0] = '\0';
		if (!lu_http_date(http.modified, w->modified))
			w->modified[0] = '\0';
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
		c->kind = lu_office_type(type);
	return c->kind == LU_KIND_AUTO ? "content type" : NULL;
}

/* The kind of a file. Returns NULL, or the reason to drop it. */
static const char *open_file(const struct lu_import *im, const struct lu_member *member,
		struct content *c, const struct lu_format **format)
{
	c->kind = im->kind == LU_KIND_AUTO ? member->kind : im->kind;
	if (c->kind == LU_KIND_AUTO)
		c->kind = lu_kind_of(member->name, c->bytes, &c->code);
	else if (c->kind == LU_KIND_CODE)
		c->code = lu_kind_code(member->name, c->bytes);
	if (c->kind != LU_KIND_AUTO)
		return NULL;
	*format = lu_format_of(member->name, c->bytes);
	return "unknown kind";
}

static int refuse_page(int rc, struct lu_import_result *res)
{
	if (rc > 0)
		res->drop = "markup out of bounds";
	return rc;
}

int lu_import_page(const struct lu_import *im, struct lu_import_work *w, struct lu_str html,
		struct lu_import_result *res, struct lu_err *err)
{
	enum lu_html_extent extent = im->whole ? LU_HTML_WHOLE
			: im->comments	       ? LU_HTML_COMMENTS
					       : LU_HTML_MAIN;

	return refuse_page(lu_html_page(html, extent, &w->meta, &w->notice, &w->text, err), res);
}

/* The content in UTF-8, a slice of the bytes or of w->charset. Returns as lu_import_page(). */
static int recode(const struct lu_import *im, struct lu_import_work *w, const struct content *c,
		struct lu_str *text, struct lu_import_result *res, struct lu_err *err)
{
	const struct lu_charset how = {
		.fallback = im->charset, .guess = im->guess_charset, .strict = im->strict_charset
	};
	struct lu_charset_in in = {
		.bytes = c->bytes, .transport = c->charset, .html = c->kind == LU_KIND_HTML
	};
	struct lu_charset_result result;
	int rc;

	if (c->kind == LU_KIND_MAN)
		in.declared = lu_charset_of_man(c->bytes);
	rc = lu_charset_convert(&how, &w->charset, &in, &result, err);
	if (rc < 0)
		return -1;
	/* Images and packed data under the name of a text. */
	if ((rc == 0 || result.errors) && !im->charset && lu_is_no_text(c->bytes) &&
			result.how != LU_CHARSET_MARK && result.how != LU_CHARSET_GUESSED) {
		rc = 0;
		result.reason = "not text";
	}
	if (rc == 0) {
		res->drop = result.reason;
		return 1;
	}
	res->recoded = result.how != LU_CHARSET_UTF8;
	res->charset_errors = result.errors;
	*text = result.text;
	return 0;
}

/* Fills w->text and w->title. Returns as lu_import_page(). */
static int convert(const struct lu_import *im, struct lu_import_work *w, struct content *c,
		struct lu_import_result *res, struct lu_err *err)
{
	struct lu_str text;
	int rc = recode(im, w, c, &text, res, err);

	if (rc != 0)
		return rc;
	if (c->kind == LU_KIND_HTML)
		return lu_import_page(im, w, text, res, err);
	if (c->kind == LU_KIND_NOTEBOOK)
		return lu_notebook_text(text, im->outputs, &w->arena, &w->text, &w->title, &w->more,
				&res->drop, err);
	if (c->kind == LU_KIND_MAN) {
		rc = lu_man_html(&im->man, text, im->limit, &w->html, &res->drop, err);
		if (rc != 0)
			return rc;
		rc = lu_html_page(
				lu_buf_slice(&w->html), LU_HTML_MANUAL, NULL, NULL, &w->text, err);
		return refuse_page(rc, res);
	}
	lu_buf_str(&w->text, text);
	return lu_buf_check(&w->text, err);
}

void lu_import_judge(const struct lu_import *im, struct lu_str text, struct lu_import_result *res)
{
	if (lu_import_is_blank(text))
		res->drop = "no text";
	else if (text.n < im->min_bytes)
		res->drop = "too short";
}

static int import_member(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_buf *out, struct lu_import_result *res,
		struct lu_err *err)
{
	struct content c = { .bytes = lu_buf_slice(&member->bytes) };
	struct lu_document doc = { .member = member, .path = member->path };
	struct lu_entry entry;
	int rc;

	*res = (struct lu_import_result){ .drop = member->drop,
		.bad = member->bad,
		.format = member->format,
		.size = member->size,
		.path = member->path,
		.wrong_length = member->wrong_length,
		.detail = member->detail };
	lu_import_work_clear(w);
	if (!res->drop && member->warc)
		res->drop = open_record(im, w, member, &c);
	res->truncated = member->truncated.p || w->cut;
	if (!res->drop && res->truncated && im->drop_truncated)
		res->drop = "truncated";
	if (!res->drop && lu_import_is_blank(c.bytes))
		res->drop = "empty";
	if (!res->drop && !member->warc)
		res->drop = open_file(im, member, &c, &res->format);
	if (res->drop)
		return 0;
	if (lu_is_office(c.kind))
		rc = lu_from_office(im, w, c.kind, c.bytes, member, res, err);
	else
		rc = convert(im, w, &c, res, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	doc.text = lu_buf_slice(lu_is_office(c.kind) ? &w->office.text : &w->text);
	lu_import_judge(im, doc.text, res);
	res->truncated = res->truncated || w->cut;
	if (!res->drop && res->truncated && im->drop_truncated)
		res->drop = "truncated";
	if (!res->drop) {
		entry = lu_office_about(&w->office, member);
		doc.entry = lu_is_office(c.kind) ? &entry : NULL;
		doc.lang_code = c.code;
		doc.is_code = c.kind == LU_KIND_CODE;
		doc.charset_errors = res->charset_errors;
		lu_document_write(im, w, &doc, out, NULL);
	}
	return lu_buf_check(out, err);
}

int lu_import_one(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_buf *out, struct lu_import_result *res,
		struct lu_err *err)
{
	int rc = import_member(im, w, member, out, res, err);

	/* Of what was dropped for other reasons, too. */
	res->optout = w->notice.optout != 0;
	return rc < 0 ? -1 : lu_notice_check(&w->notice, err);
}

void lu_import_work_clear(struct lu_import_work *w)
{
	lu_buf_clear(&w->title);
	lu_buf_clear(&w->text);
	lu_buf_clear(&w->more);
	lu_html_meta_clear(&w->meta);
	lu_notice_clear(&w->notice);
	lu_office_clear(&w->office);
	w->cut = false;
	w->http_date[0] = w->modified[0] = '\0';
}

void lu_import_work_release(struct lu_import_work *w)
{
	lu_charset_work_release(&w->charset);
	lu_buf_release(&w->html);
	lu_buf_release(&w->content);
	lu_buf_release(&w->title);
	lu_buf_release(&w->text);
	lu_buf_release(&w->more);
	lu_buf_release(&w->changed);
	lu_buf_release(&w->values);
	lu_arena_release(&w->arena);
	lu_html_meta_release(&w->meta);
	lu_notice_release(&w->notice);
	lu_office_release(&w->office);
}
