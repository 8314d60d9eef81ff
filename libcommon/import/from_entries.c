#include "libcommon/import/from_entries.h"

#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/charset/charset.h"
#include "libcommon/import/document.h"
#include "libcommon/io/json.h"

/* Members that are set in a record at most. */
#define EDITS 24

struct block {
	const struct lu_import *im;
	struct lu_import_work *w;
	const struct lu_member *member;
	struct lu_arena *arena;
	struct lu_buf *out;
	struct lu_import_results *results;
};

/* A record whose members are changed. */
struct record {
	struct lu_json_obj obj;
	struct lu_json_edit edit[EDITS];
	size_t from[EDITS], end[EDITS]; /* of the values, in w->values */
	size_t edits;
};

/* --- names and sentences ------------------------------------------------------------------- */

/* FILE#NAME. */
static int set_path(const struct block *b, const struct lu_entry *e, struct lu_str *path,
		struct lu_err *err)
{
	struct lu_str file = b->member->path;
	char *p;

	*path = file;
	if (e->name.n == 0)
		return 0;
	p = lu_arena_alloc(&b->w->arena, file.n + 1 + e->name.n);
	if (!p)
		return lu_err_nomem(err);
	memcpy(p, file.p, file.n);
	p[file.n] = '#';
	memcpy(p + file.n + 1, e->name.p, e->name.n);
	*path = (struct lu_str){ p, file.n + 1 + e->name.n };
	return 0;
}

/* "FILE:LINE: what". */
static int set_detail(const struct block *b, const struct lu_entry *e, struct lu_str what,
		struct lu_import_result *res, struct lu_err *err)
{
	struct lu_buf s = { 0 };
	int rc = -1;

	lu_buf_str(&s, b->member->path);
	if (e->line)
		lu_buf_printf(&s, ":%" PRIu64, e->line);
	else if (e->name.n)
		lu_buf_printf(&s, "#" LU_STR_FMT, LU_STR_ARG(e->name));
	lu_buf_puts(&s, ": ");
	lu_buf_str(&s, what);
	if (lu_buf_check(&s, err) == 0) {
		res->detail = lu_arena_str(b->arena, lu_buf_slice(&s));
		rc = res->detail.p ? 0 : lu_err_nomem(err);
	}
	lu_buf_release(&s);
	return rc;
}

static int bad(const struct block *b, const struct lu_entry *e, const char *reason,
		struct lu_import_result *res, struct lu_err *err)
{
	res->bad = true;
	res->drop = reason;
	return set_detail(b, e, lu_str_of(reason), res, err);
}

/* --- records ------------------------------------------------------------------------------- */

/* Begin the value of a member in w->values; end_edit() ends it. */
static struct lu_buf *begin_edit(const struct block *b, struct record *r, const char *key)
{
	struct lu_buf *v = &b->w->values;

	r->edit[r->edits].key = key;
	r->from[r->edits] = v->n;
	return v;
}

static void end_edit(const struct block *b, struct record *r)
{
	r->end[r->edits] = b->w->values.n;
	r->edits++;
}

static void set_str(const struct block *b, struct record *r, const char *key, struct lu_str s)
{
	lu_json_quote(begin_edit(b, r, key), s);
	end_edit(b, r);
}

static bool lacks(const struct record *r, const char *key)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, key);

	return !m || m->type == LU_JSON_NULL;
}

/* The value of a member that is a string; .p NULL: it is none. */
static int get_str(const struct block *b, const struct record *r, const char *key, struct lu_str *s,
		struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, key);

	*s = (struct lu_str){ 0 };
	if (!m || m->type != LU_JSON_STRING)
		return 0;
	return lu_json_decode_known(m->value, m->escaped, &b->w->arena, s) < 0 ? lu_err_nomem(err)
									       : 0;
}

static bool is_set(const struct record *r, const char *key)
{
	for (size_t i = 0; i < r->edits; i++) {
		if (strcmp(r->edit[i].key, key) == 0)
			return true;
	}
	return false;
}

/* Add what its page says of itself and the record does not. */
static int add_page(const struct block *b, struct record *r, struct lu_err *err)
{
	struct lu_buf *page = &b->w->changed;
	struct lu_json_iter it;

	lu_buf_clear(page);
	lu_document_page(b->w, page);
	if (lu_buf_check(page, err) < 0)
		return -1;
	it = lu_json_iter(lu_buf_slice(page));
	while (lu_json_next(&it) && r->edits < EDITS) {
		struct lu_str key = lu_arena_str(
				&b->w->arena, (struct lu_str){ it.key.p + 1, it.key.n - 2 });

		if (!key.p)
			return lu_err_nomem(err);
		if (!lacks(r, key.p) || is_set(r, key.p))
			continue;
		lu_buf_str(begin_edit(b, r, key.p), it.value);
		end_edit(b, r);
	}
	return 0;
}

/* Add the members that every document has and the record lacks. */
static int complete(const struct block *b, struct record *r, const struct lu_entry *e,
		const struct lu_import_result *res, struct lu_err *err)
{
	const struct lu_import *im = b->im;
	const struct lu_member *m = b->member;
	struct lu_import_work *w = b->w;
	struct lu_str source, path, license;
	const char *lang;
	char buf[3];

	if (get_str(b, r, "source", &source, err) < 0 || set_path(b, e, &path, err) < 0)
		return -1;
	if (lacks(r, "id")) {
		size_t from = b->w->more.n;

		lu_buf_str(&b->w->more, source.p ? source : m->source);
		lu_buf_putc(&b->w->more, ':');
		lu_buf_str(&b->w->more, path);
		if (lu_buf_check(&b->w->more, err) < 0)
			return -1;
		set_str(b, r, "id", (struct lu_str){ b->w->more.p + from, b->w->more.n - from });
	}
	if (lacks(r, "source"))
		set_str(b, r, "source", m->source);
	license = m->license.p ? m->license : lu_buf_slice(&w->notice.license);
	if (license.n && lacks(r, "license")) {
		set_str(b, r, "license", license);
	} else if (!lu_json_get(&r->obj, "license")) {
		lu_buf_puts(begin_edit(b, r, "license"), "null");
		end_edit(b, r);
	}
	if (lacks(r, "lang") && lu_document_lang(im, m, &lang, buf)) {
		set_str(b, r, "lang", lu_str_of(lang));
		lu_buf_clear(&w->meta.value[LU_META_LANG]);
	}
	if (im->category && lacks(r, "category"))
		set_str(b, r, "category", lu_str_of(im->category));
	if (res->charset_errors && lacks(r, "charset_errors")) {
		lu_buf_printf(begin_edit(b, r, "charset_errors"), "%" PRIu64, res->charset_errors);
		end_edit(b, r);
	}
	if (im->html && add_page(b, r, err) < 0)
		return -1;
	return lu_buf_check(&b->w->values, err);
}

/* Append the record on one line: line ends stand between its values only. */
static void put_line(struct lu_str json, struct lu_buf *out)
{
	const char *end = json.p + json.n, *p;

	for (const char *from = json.p; from < end; from = p) {
		const char *cr;

		p = memchr(from, '\n', (size_t)(end - from));
		p = p ? p : end;
		cr = memchr(from, '\r', (size_t)(p - from));
		p = cr ? cr : p;
		lu_buf_append(out, from, (size_t)(p - from));
		while (p < end && strchr(" \t\r\n", *p))
			p++;
	}
	lu_buf_putc(out, '\n');
}

static void write_record(const struct block *b, struct record *r)
{
	struct lu_buf *changed = &b->w->changed;

	if (r->edits == 0) {
		put_line(r->obj.line, b->out);
		return;
	}
	for (size_t i = 0; i < r->edits; i++)
		r->edit[i].value = (struct lu_str){ b->w->values.p + r->from[i],
			r->end[i] - r->from[i] };
	lu_buf_clear(changed);
	lu_json_rewrite(&r->obj, r->edit, r->edits, changed);
	if (!lu_buf_ok(changed))
		b->out->failed = true;
	else
		put_line(lu_buf_slice(changed), b->out);
}

/* Scan the record under the known names. 0; 1: res->drop says what is wrong with it; -1. */
static int scan(const struct block *b, struct record *r, const struct lu_entry *e,
		struct lu_import_result *res, struct lu_err *err)
{
	const struct lu_charset how = { b->im->charset, b->im->guess_charset,
		b->im->strict_charset };
	const struct lu_charset_in in = { .bytes = e->bytes };
	struct lu_charset_result utf8;
	struct lu_json_fault fault;
	const char *reason = NULL;
	int rc = lu_json_object(e->bytes, &b->w->arena, &r->obj, &fault);

	if (rc < 0 && fault.kind == LU_JSON_BAD_UTF8 && (how.fallback || how.guess)) {
		rc = lu_charset_convert(&how, &b->w->charset, &in, &utf8, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return bad(b, e, utf8.reason, res, err) < 0 ? -1 : 1;
		res->recoded = true;
		res->charset_errors = utf8.errors;
		rc = lu_json_object(utf8.text, &b->w->arena, &r->obj, &fault);
	}
	if (rc < 0 && fault.kind == LU_JSON_NO_MEMORY)
		return lu_err_nomem(err);
	if (rc < 0)
		return bad(b, e, lu_json_fault_text(fault.kind), res, err) < 0 ? -1 : 1;
	if (b->im->fields.n &&
			lu_fields_rename(&b->im->fields, &r->obj, &b->w->arena, &b->w->content,
					&reason, err) < 0)
		return -1;
	if (reason)
		return bad(b, e, reason, res, err) < 0 ? -1 : 1;
	return 0;
}

/* The text of a record. 0; 1: it has none, as res->drop says; -1. */
static int find_text(const struct block *b, struct record *r, const struct lu_entry *e,
		struct lu_str *text, struct lu_import_result *res, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, "text");
	struct lu_buf hint = { 0 };
	int rc;

	if (m && m->type == LU_JSON_STRING)
		return get_str(b, r, "text", text, err);
	if (m && m->type != LU_JSON_NULL)
		return bad(b, e, "\"text\" is not a string", res, err) < 0 ? -1 : 1;
	res->drop = m ? "empty" : LU_NO_TEXT_MEMBER;
	if (m)
		return 1;
	lu_fields_suggest(&r->obj, &hint);
	rc = lu_buf_check(&hint, err);
	if (rc == 0)
		rc = set_detail(b, e, lu_buf_slice(&hint), res, err);
	lu_buf_release(&hint);
	return rc < 0 ? -1 : 1;
}

/* Returns 0 (res->drop may be set) or -1. */
static int convert_record(const struct block *b, const struct lu_entry *e,
		struct lu_import_result *res, struct lu_err *err)
{
	struct record r = { 0 };
	struct lu_str text;
	int rc = scan(b, &r, e, res, err);

	if (rc == 0)
		rc = find_text(b, &r, e, &text, res, err);
	if (rc == 0 && b->im->html) {
		rc = lu_import_page(b->im, b->w, text, res, err);
		text = lu_buf_slice(&b->w->text);
		if (rc == 0)
			set_str(b, &r, "text", text);
	}
	if (rc == 0)
		lu_import_judge(b->im, text, res);
	if (rc != 0 || res->drop)
		return rc < 0 ? -1 : 0;
	if (complete(b, &r, e, res, err) < 0)
		return -1;
	write_record(b, &r);
	res->optout = b->w->notice.optout != 0;
	return 0;
}

/* --- texts and pages ----------------------------------------------------------------------- */

static int convert_text(const struct block *b, const struct lu_entry *e,
		struct lu_import_result *res, struct lu_err *err)
{
	struct lu_document doc = { .member = b->member,
		.entry = e,
		.text = e->bytes,
		.charset_errors = e->charset_errors };

	if (set_path(b, e, &doc.path, err) < 0)
		return -1;
	if (e->content == LU_ENTRY_HTML || e->content == LU_ENTRY_ARTICLE) {
		struct lu_import im = *b->im;

		im.whole |= e->content == LU_ENTRY_ARTICLE;
		if (lu_import_page(&im, b->w, e->bytes, res, err) < 0)
			return -1;
		doc.text = lu_buf_slice(&b->w->text);
	}
	if (!res->drop)
		lu_import_judge(b->im, doc.text, res);
	if (res->drop)
		return 0;
	lu_document_write(b->im, b->w, &doc, b->out, &res->name_end);
	res->optout = b->w->notice.optout != 0;
	return 0;
}

/* --- the block ----------------------------------------------------------------------------- */

/* What is kept of an entry that was dropped. */
static int keep(const struct block *b, const struct lu_entry *e, struct lu_import_result *res,
		struct lu_err *err)
{
	struct lu_str path;

	if (set_path(b, e, &path, err) < 0)
		return -1;
	res->path = lu_arena_str(b->arena, path);
	if (!res->path.p)
		return lu_err_nomem(err);
	if (e->content == LU_ENTRY_RECORD && e->bytes.n) {
		res->raw = lu_arena_str(b->arena, e->bytes);
		if (!res->raw.p)
			return lu_err_nomem(err);
	}
	return 0;
}

/* What is missing from the text of a document. */
static int keep_missing(const struct block *b, const struct lu_entry *e,
		struct lu_import_result *res, struct lu_err *err)
{
	res->holes = e->holes;
	res->references = e->references;
	if (e->missing.n == 0)
		return 0;
	res->missing = lu_arena_str(b->arena, e->missing);
	return res->missing.p ? 0 : lu_err_nomem(err);
}

static int take(void *ctx, const struct lu_entry *e, struct lu_err *err)
{
	struct block *b = ctx;
	struct lu_import_result res = { .drop = e->drop,
		.bad = e->bad,
		.size = e->size,
		.line = e->line,
		.recoded = e->recoded,
		.charset_errors = e->charset_errors };
	int rc = 0;

	if (!res.drop && e->charset_errors && b->im->strict_charset)
		res.drop = "ill-formed in its charset";
	lu_arena_reset(&b->w->arena);
	lu_import_work_clear(b->w);
	lu_buf_clear(&b->w->values);
	if (res.drop)
		rc = set_detail(b, e, e->detail.p ? e->detail : lu_str_of(res.drop), &res, err);
	else if (e->content == LU_ENTRY_RECORD)
		rc = convert_record(b, e, &res, err);
	else
		rc = convert_text(b, e, &res, err);
	if (rc == 0 && (res.drop || (res.name_end && !b->member->entries->distinct)))
		rc = keep(b, e, &res, err);
	if (rc == 0 && !res.drop)
		rc = keep_missing(b, e, &res, err);
	if (rc < 0 || lu_buf_check(b->out, err) < 0 || lu_notice_check(&b->w->notice, err) < 0)
		return -1;
	res.end = b->out->n;
	return lu_vec_push(b->results, res) ? 0 : lu_err_nomem(err);
}

int lu_import_block(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_arena *arena, struct lu_buf *out,
		struct lu_import_results *results, struct lu_err *err)
{
	struct block b = { im, w, member, arena, out, results };

	return member->entries->convert(&im->entries, lu_buf_slice(&member->bytes), take, &b, err);
}
