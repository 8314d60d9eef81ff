#include "libcommon/office/docx.h"

#include "libcommon/office/doc_meta.h"
#include "libcommon/office/docx_body.h"
#include "libcommon/office/zip_parts.h"

enum part { MAIN, STYLES, NUMBERING, FOOTNOTES, ENDNOTES, CORE, PARTS };

/* Ends of the content types of the parts (ECMA-376, part 1, 11.3 and 15.2). */
static const struct {
	const char *end;
	enum part part;
} types[] = {
	{ ".document.main+xml", MAIN },
	{ "wordprocessingml.template.main+xml", MAIN },
	{ "ms-word.document.macroEnabled.main+xml", MAIN },
	{ "ms-word.template.macroEnabledTemplate.main+xml", MAIN },
	{ "wordprocessingml.styles+xml", STYLES },
	{ "wordprocessingml.numbering+xml", NUMBERING },
	{ "wordprocessingml.footnotes+xml", FOOTNOTES },
	{ "wordprocessingml.endnotes+xml", ENDNOTES },
	{ "package.core-properties+xml", CORE },
};

struct docx {
	uint64_t limit; /* of a part */
	struct lu_buf name[PARTS];
	bool found[PARTS];
	struct lu_doc_meta meta;
	struct lu_docx_styles styles;
	struct lu_docx_body body;
	unsigned walk; /* which parts are read */
	bool typed;
};

/* --- [Content_Types].xml --------------------------------------------------------------------- */

static void type_start(void *ctx, const struct lu_xml_tag *tag)
{
	struct docx *d = ctx;
	struct lu_str name = lu_xml_attribute(tag, "PartName");
	struct lu_str type = lu_xml_attribute(tag, "ContentType");

	if (strcmp(tag->name, "Override") != 0 || !name.p || !type.p || name.n > 1024)
		return;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct lu_buf *to = &d->name[types[i].part];
		size_t n = strlen(types[i].end);

		if (type.n < n || memcmp(type.p + type.n - n, types[i].end, n) != 0 || to->n)
			continue;
		/* Names of parts begin with a slash that names of members lack. */
		lu_buf_append(to, name.p + (name.n && name.p[0] == '/'),
				name.n - (name.n && name.p[0] == '/'));
		return;
	}
}

static void ignore_end(void *ctx, const char *name, const char *uri)
{
	(void)ctx, (void)name, (void)uri;
}

static void ignore_text(void *ctx, struct lu_str s)
{
	(void)ctx, (void)s;
}

static int read_types(void *ctx, struct lu_zip *z, struct lu_str name, struct lu_err *err)
{
	struct docx *d = ctx;
	struct lu_xml x = { .start = type_start, .end = ignore_end, .text = ignore_text, .ctx = d };
	int rc;

	if (lu_str_is(name, "EncryptedPackage"))
		return LU_PARTS_ENCRYPTED;
	if (!lu_str_is(name, "[Content_Types].xml"))
		return 0;
	rc = lu_xml_zip(&x, z, d->limit, err);
	d->typed = true;
	return rc ? rc : LU_PARTS_STOP;
}

/* --- the other parts ------------------------------------------------------------------------- */

static void styles_start(void *ctx, const struct lu_xml_tag *tag)
{
	lu_docx_styles_start(ctx, tag);
}

static void numbering_start(void *ctx, const struct lu_xml_tag *tag)
{
	lu_docx_numbering_start(ctx, tag);
}

static void styles_end(void *ctx, const char *name, const char *uri)
{
	(void)uri;
	lu_docx_styles_end(ctx, name);
}

static void meta_start(void *ctx, const struct lu_xml_tag *tag)
{
	lu_doc_meta_start(ctx, tag->name);
}

static void meta_end(void *ctx, const char *name, const char *uri)
{
	(void)name, (void)uri;
	lu_doc_meta_end(ctx);
}

static void meta_text(void *ctx, struct lu_str s)
{
	lu_doc_meta_text(ctx, s);
}

/* The parts of each walk: styles, then notes, which use them, then the text, which refers to both. */
static const unsigned walks[] = { 1 << STYLES | 1 << NUMBERING | 1 << CORE,
	1 << FOOTNOTES | 1 << ENDNOTES, 1 << MAIN };

static int read_body(struct docx *d, struct lu_zip *z, struct lu_err *err)
{
	struct lu_xml x = { .start = lu_docx_start,
		.end = lu_docx_end,
		.text = lu_docx_text_piece,
		.ctx = &d->body };
	int rc;

	d->body.xml = &x;
	rc = lu_xml_zip(&x, z, d->limit, err);
	return rc < 0 || lu_docx_check(&d->body, err) < 0 ? -1 : rc;
}

static int read_part(void *ctx, struct lu_zip *z, struct lu_str name, struct lu_err *err)
{
	struct docx *d = ctx;
	struct lu_xml styles = {
		.start = styles_start, .end = styles_end, .text = ignore_text, .ctx = &d->styles
	};
	struct lu_xml numbering = styles;
	struct lu_xml meta = {
		.start = meta_start, .end = meta_end, .text = meta_text, .ctx = &d->meta
	};

	numbering.start = numbering_start;
	for (unsigned i = 0; i < PARTS; i++) {
		if (!(walks[d->walk] & 1u << i) || d->found[i] ||
				!lu_str_eq(name, lu_buf_slice(&d->name[i])))
			continue;
		d->found[i] = true;
		if (i == STYLES)
			return lu_xml_zip(&styles, z, d->limit, err);
		if (i == NUMBERING)
			return lu_xml_zip(&numbering, z, d->limit, err);
		if (i == CORE)
			return lu_xml_zip(&meta, z, d->limit, err);
		return read_body(d, z, err);
	}
	return 0;
}

static int read_parts(struct docx *d, struct lu_str bytes, struct lu_buf *text, struct lu_err *err)
{
	int rc = 0;

	for (d->walk = 0; d->walk < 3 && rc == 0; d->walk++) {
		if (d->walk == 1)
			lu_docx_styles_ready(&d->styles);
		if (d->walk == 2)
			lu_docx_sort_notes(&d->body);
		d->body.flow.out = d->walk == 2 ? text : &d->body.notes;
		rc = lu_zip_walk(bytes, read_part, d, err);
	}
	if (rc == 0 && !d->found[MAIN])
		rc = LU_PARTS_DAMAGED;
	if (rc == 0 && lu_docx_put_notes(&d->body, err) < 0)
		rc = -1;
	if (rc == 0)
		lu_doc_finish(&d->body.flow);
	if (rc == 0 && lu_docx_check(&d->body, err) < 0)
		rc = -1;
	return rc;
}

int lu_docx_text(struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err)
{
	struct docx d = { .limit = limit < UINT64_MAX / LU_OFFICE_EXPANSION
				? limit * LU_OFFICE_EXPANSION
				: UINT64_MAX,
		.styles = { .level = -1, .override = -1 },
		.body = { .whole = whole, .limit = limit } };
	int rc;

	d.body.styles = &d.styles;
	rc = lu_zip_walk(bytes, read_types, &d, err);
	if (rc == 0 && (!d.typed || !d.name[MAIN].n))
		rc = d.typed ? LU_PARTS_OTHER : LU_PARTS_DAMAGED;
	if (rc == 0)
		rc = read_parts(&d, bytes, &o->text, err);
	if (rc == 0)
		rc = lu_doc_meta_put(&d.meta, o, err);
	for (unsigned i = 0; i < PARTS; i++)
		lu_buf_release(&d.name[i]);
	lu_doc_meta_release(&d.meta);
	lu_docx_body_release(&d.body);
	lu_docx_styles_release(&d.styles);
	if (rc > 0) {
		lu_office_clear(o);
		*reason = lu_parts_reason(rc);
	}
	return rc > 0 ? 1 : rc;
}
