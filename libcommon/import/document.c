#include "libcommon/import/document.h"

#include "libcommon/base/json_writer.h"

void lu_document_id(struct lu_str source, struct lu_str path, struct lu_buf *out)
{
	struct lu_buf id = { 0 };

	lu_buf_str(&id, source);
	lu_buf_putc(&id, ':');
	lu_buf_str(&id, path);
	lu_json_put_str(out, "id", lu_buf_slice(&id));
	if (!lu_buf_ok(&id))
		out->failed = true;
	lu_buf_release(&id);
}

bool lu_document_lang(const struct lu_import *im, const struct lu_member *member, const char **lang,
		char buf[3])
{
	*lang = im->lang_path && lu_lang_of_path(member->name, buf) ? buf : im->lang;
	return *lang != NULL;
}

/* What the page says of itself; .p NULL: nothing. */
static struct lu_str stated(const struct lu_import_work *w, enum lu_html_meta_field field)
{
	const struct lu_buf *value = &w->meta.value[field];

	return value->n ? lu_buf_slice(value) : (struct lu_str){ NULL, 0 };
}

static void put_lang(const struct lu_import *im, const struct lu_import_work *w,
		const struct lu_document *d, struct lu_buf *out)
{
	const char *lang;
	char buf[3];

	if (d->lang_code) {
		/* Our own words: nothing to escape. */
		lu_json_key(out, LU_STR("lang"));
		lu_buf_printf(out, "\"code:%s\"", d->lang_code);
	} else if (d->entry && d->entry->lang.p) {
		lu_json_put_str(out, "lang", d->entry->lang);
	} else if (d->is_code) {
		if (im->lang)
			lu_json_put_cstr(out, "lang", im->lang);
	} else if (lu_document_lang(im, d->member, &lang, buf)) {
		lu_json_put_cstr(out, "lang", lang);
	} else if (stated(w, LU_META_LANG).p) {
		lu_json_put_str(out, "lang", stated(w, LU_META_LANG));
	}
}

/* The members about the use and the completeness of a page. */
static void put_notice(
		const struct lu_import_work *w, const struct lu_member *member, struct lu_buf *out)
{
	lu_notice_write(&w->notice, out);
	if (member->truncated.p)
		lu_json_put_str(out, "truncated", member->truncated);
	else if (w->cut)
		lu_json_put_cstr(out, "truncated", LU_INCOMPLETE);
}

static void put_if(struct lu_buf *out, const char *key, struct lu_str a, struct lu_str b)
{
	if (a.p || b.p)
		lu_json_put_str(out, key, a.p ? a : b);
}

/* Append a comma and members without their braces. */
static void put_more(struct lu_buf *out, struct lu_str more)
{
	if (more.n) {
		lu_buf_putc(out, ',');
		lu_buf_str(out, more);
	}
}

/* True if the members, without their braces, have this one; in a nested object counts too. */
static bool has(struct lu_str more, const char *quoted)
{
	return more.n && memmem(more.p, more.n, quoted, strlen(quoted));
}

void lu_document_page(const struct lu_import_work *w, struct lu_buf *out)
{
	static const struct {
		const char *name;
		enum lu_html_meta_field field;
	} members[] = { { "url", LU_META_URL }, { "date", LU_META_DATE },
		{ "title", LU_META_TITLE }, { "author", LU_META_AUTHOR },
		{ "description", LU_META_DESCRIPTION }, { "lang", LU_META_LANG } };

	lu_json_open_object(out, NULL);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct lu_str value = stated(w, members[i].field);

		if (value.p)
			lu_json_put_str(out, members[i].name, value);
	}
	lu_notice_write(&w->notice, out);
	lu_json_close_object(out);
}

void lu_document_write(const struct lu_import *im, const struct lu_import_work *w,
		const struct lu_document *d, struct lu_buf *out, size_t *name_end)
{
	static const struct lu_entry none = { 0 };
	const struct lu_entry *e = d->entry ? d->entry : &none;
	const struct lu_member *m = d->member;
	struct lu_str source = e->source.p ? e->source : m->source;
	struct lu_str title = e->title.p ? e->title : lu_buf_slice(&w->title);
	struct lu_str published = stated(w, LU_META_DATE), author = stated(w, LU_META_AUTHOR);
	struct lu_str about = stated(w, LU_META_DESCRIPTION);
	struct lu_str license = e->license.p ? e->license : m->license;

	lu_json_open_object(out, NULL);
	if (e->id.p)
		lu_json_put_str(out, "id", e->id);
	else
		lu_document_id(source, d->path, out);
	if (name_end)
		*name_end = e->id.p ? 0 : out->n - 1;
	lu_json_put_str(out, "source", source);
	if (license.p)
		lu_json_put_str(out, "license", license);
	else if (w->notice.license.n)
		lu_json_put_str(out, "license", lu_buf_slice(&w->notice.license));
	else
		lu_json_put_null(out, "license");
	put_if(out, "url", e->url, m->url.p ? m->url : stated(w, LU_META_URL));
	put_if(out, "date", e->date, m->date.p ? m->date : published);
	if (published.p && (e->date.p || m->date.p))
		lu_json_put_str(out, "published", published);
	if (w->http_date[0])
		lu_json_put_cstr(out, "http_date", w->http_date);
	if (w->modified[0])
		lu_json_put_cstr(out, "modified", w->modified);
	put_lang(im, w, d, out);
	if (im->category)
		lu_json_put_cstr(out, "category", im->category);
	else if (d->is_code)
		lu_json_put_cstr(out, "category", "code");
	if (title.n == 0)
		title = lu_buf_slice(&w->meta.value[LU_META_TITLE]);
	if (title.n)
		lu_json_put_str(out, "title", title);
	if (author.p && !has(e->more, "\"author\":"))
		lu_json_put_str(out, "author", author);
	if (about.p && !has(e->more, "\"description\":"))
		lu_json_put_str(out, "description", about);
	put_notice(w, m, out);
	if (d->charset_errors)
		lu_json_put_u64(out, "charset_errors", d->charset_errors);
	put_more(out, e->more);
	put_more(out, lu_buf_slice(&w->more));
	lu_json_put_str(out, "text", d->text);
	lu_json_close_object(out);
	lu_buf_putc(out, '\n');
}
