#include "libcommon/office/epub.h"

#include "libcommon/base/json_writer.h"
#include "libcommon/charset/charset.h"
#include "libcommon/html/html.h"
#include "libcommon/office/opf.h"
#include "libcommon/office/xhtml.h"
#include "libcommon/office/zip_parts.h"

struct book {
	struct lu_opf opf;
	bool whole, cut;
	uint64_t limit, errors;
	size_t left;		       /* chapters not yet found */
	struct lu_buf page, html, one; /* of a chapter */
	struct lu_charset_work charset;
	struct lu_buf text; /* of the chapters, in the order of the archive */
};

static void ignore_end(void *ctx, const char *name, const char *uri)
{
	(void)ctx, (void)name, (void)uri;
}

static void ignore_text(void *ctx, struct lu_str s)
{
	(void)ctx, (void)s;
}

/* The first walk: where the package is, and what is encrypted. */
static int read_container(void *ctx, struct lu_zip *z, struct lu_str name, struct lu_err *err)
{
	struct book *b = ctx;
	struct lu_xml x = { .end = ignore_end, .text = ignore_text, .ctx = &b->opf };

	if (lu_str_is(name, "META-INF/container.xml"))
		x.start = lu_opf_container_start;
	else if (lu_str_is(name, "META-INF/encryption.xml"))
		x.start = lu_opf_encryption_start;
	return x.start ? lu_xml_zip(&x, z, b->limit, err) : 0;
}

/* The second: the package. */
static int read_package(void *ctx, struct lu_zip *z, struct lu_str name, struct lu_err *err)
{
	struct book *b = ctx;
	struct lu_xml x = {
		.start = lu_opf_start, .end = lu_opf_end, .text = lu_opf_text, .ctx = &b->opf
	};
	int rc;

	if (!lu_str_eq(name, lu_buf_slice(&b->opf.package)))
		return 0;
	rc = lu_xml_zip(&x, z, b->limit, err);
	return rc ? rc : LU_PARTS_STOP;
}

/* The encoding that an XML declaration names; .p NULL: none. */
static struct lu_str xml_encoding(struct lu_str s)
{
	static const char key[] = "encoding=";
	const char *end = s.n > 5 && memcmp(s.p, "<?xml", 5) == 0 ? memchr(s.p, '>', s.n) : NULL;
	const char *p = end ? memmem(s.p, (size_t)(end - s.p), key, sizeof(key) - 1) : NULL, *close;

	if (!p)
		return (struct lu_str){ NULL, 0 };
	p += sizeof(key);
	close = p < end ? memchr(p, p[-1], (size_t)(end - p)) : NULL;
	return (struct lu_str){ close ? p : NULL, close ? (size_t)(close - p) : 0 };
}

/* Append the text of b->page. 0; 1: it is no text; -1. */
static int convert_page(struct book *b, struct lu_err *err)
{
	const struct lu_charset how = { .fallback = NULL };
	struct lu_charset_in in = { .bytes = lu_buf_slice(&b->page), .html = true };
	struct lu_charset_result result;
	int rc;

	in.declared = xml_encoding(in.bytes);
	rc = lu_charset_convert(&how, &b->charset, &in, &result, err);
	if (rc <= 0)
		return rc < 0 ? -1 : 1;
	b->errors += result.errors;
	lu_buf_clear(&b->html);
	lu_buf_clear(&b->one);
	lu_xhtml_to_html(result.text, &b->html);
	if (lu_buf_check(&b->html, err) < 0)
		return -1;
	rc = lu_html_text(lu_buf_slice(&b->html), true, NULL, NULL, &b->one, err);
	lu_buf_str(&b->text, lu_buf_slice(&b->one));
	return rc;
}

/* The third: the chapters, as they come. */
static int read_chapter(void *ctx, struct lu_zip *z, struct lu_str name, struct lu_err *err)
{
	struct book *b = ctx;
	struct lu_opf_chapter *c = lu_opf_find(&b->opf, name);
	int rc;

	if (!c)
		return 0;
	lu_buf_clear(&b->page);
	rc = lu_zip_all(z, b->limit, &b->page, err);
	if (rc)
		return rc;
	c->found = true;
	c->from = b->text.n;
	rc = convert_page(b, err);
	if (rc < 0)
		return -1;
	b->cut = b->cut || rc > 0;
	c->n = b->text.n - c->from;
	if (b->text.n > b->limit)
		return LU_PARTS_LARGE;
	return --b->left ? 0 : LU_PARTS_STOP;
}

/* The chapters in the order of the book. */
static void put_chapters(struct book *b, struct lu_office *o)
{
	lu_json_open_array(&o->more, "chapters");
	for (size_t i = 0; i < b->opf.chapters.n; i++) {
		const struct lu_opf_chapter *c = &b->opf.chapters.p[i];

		b->cut = b->cut || !c->found;
		if (c->n == 0)
			continue;
		if (o->text.n)
			lu_buf_putc(&o->text, '\n');
		lu_json_put_u64(&o->more, NULL, o->text.n);
		lu_buf_append(&o->text, b->text.p + c->from, c->n);
	}
	lu_json_close_array(&o->more);
	o->cut = b->cut;
	o->charset_errors = b->errors;
}

static int read_book(struct book *b, struct lu_str bytes, struct lu_office *o, struct lu_err *err)
{
	int rc = lu_zip_walk(bytes, read_container, b, err);

	if (rc == 0 && b->opf.package.n == 0)
		rc = LU_PARTS_DAMAGED;
	if (rc == 0)
		rc = lu_zip_walk(bytes, read_package, b, err);
	if (rc == 0)
		rc = lu_opf_ready(&b->opf, b->whole, err);
	b->left = b->opf.chapters.n;
	if (rc == 0)
		rc = lu_zip_walk(bytes, read_chapter, b, err);
	if (rc == 0)
		rc = lu_doc_meta_put(&b->opf.meta, o, err);
	if (rc == 0) {
		put_chapters(b, o);
		rc = lu_office_check(o, err);
	}
	return rc;
}

int lu_epub_text(struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err)
{
	struct book b = { .whole = whole, .limit = limit };
	int rc = read_book(&b, bytes, o, err);

	lu_opf_release(&b.opf);
	lu_buf_release(&b.page);
	lu_charset_work_release(&b.charset);
	lu_buf_release(&b.html);
	lu_buf_release(&b.one);
	lu_buf_release(&b.text);
	if (rc > 0) {
		lu_office_clear(o);
		*reason = lu_parts_reason(rc);
	}
	return rc > 0 ? 1 : rc;
}
