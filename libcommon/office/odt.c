#include "libcommon/office/odt.h"

#include "libcommon/office/docx.h"
#include "libcommon/office/odt_body.h"
#include "libcommon/office/zip_parts.h"

/* The parts of a walk: the text refers to the styles. */
enum walk { FIRST, SECOND };

struct odt {
	uint64_t limit; /* of a part */
	struct lu_odt_body body;
	enum walk walk;
	bool encrypted;
};

/* A member that is encrypted by a password has an element in the manifest. */
static void manifest_start(void *ctx, const struct lu_xml_tag *tag)
{
	struct odt *o = ctx;

	o->encrypted = o->encrypted || strcmp(tag->name, "encryption-data") == 0;
}

static void manifest_end(void *ctx, const char *name, const char *uri)
{
	(void)ctx, (void)name, (void)uri;
}

static void manifest_text(void *ctx, struct lu_str s)
{
	(void)ctx, (void)s;
}

static struct lu_xml handler(struct odt *o)
{
	return (struct lu_xml){
		.start = lu_odt_start, .end = lu_odt_end, .text = lu_odt_text_piece, .ctx = &o->body
	};
}

static int read_part(void *ctx, struct lu_zip *z, struct lu_str name, struct lu_err *err)
{
	struct odt *o = ctx;
	struct lu_xml x = handler(o);
	int rc;

	o->body.xml = &x;
	if (o->walk == FIRST && lu_str_is(name, "META-INF/manifest.xml")) {
		x.start = manifest_start;
		x.end = manifest_end;
		x.text = manifest_text;
		x.ctx = o;
		rc = lu_xml_zip(&x, z, o->limit, err);
		return rc ? rc : o->encrypted ? LU_PARTS_ENCRYPTED : 0;
	}
	if (o->walk == FIRST ? !lu_str_is(name, "styles.xml") && !lu_str_is(name, "meta.xml")
			     : !lu_str_is(name, "content.xml"))
		return 0;
	rc = lu_xml_zip(&x, z, o->limit, err);
	/* Damaged styles are no reason to lose the text, and encrypted ones are seen in the manifest. */
	if (rc == LU_PARTS_DAMAGED && o->walk == FIRST)
		rc = 0;
	return rc < 0 || lu_odt_check(&o->body, err) < 0 ? -1 : rc;
}

static bool is_zip(struct lu_str bytes)
{
	return bytes.n > 4 && memcmp(bytes.p, "PK\3\4", 4) == 0;
}

static int read_flat(struct odt *o, struct lu_str bytes, struct lu_err *err)
{
	struct lu_xml x = handler(o);
	int rc;

	o->body.xml = &x;
	rc = lu_xml_bytes(&x, bytes, err);
	return rc < 0 || lu_odt_check(&o->body, err) < 0 ? -1 : rc;
}

/* The notes behind the text. */
static void finish(struct lu_odt_body *b)
{
	lu_doc_finish(&b->flow);
	if (!b->notes.n)
		return;
	if (b->flow.out->n)
		lu_buf_putc(b->flow.out, '\n');
	lu_buf_str(b->flow.out, lu_buf_slice(&b->notes));
	lu_buf_putc(b->flow.out, '\n');
}

int lu_odt_text(struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err)
{
	struct odt odt = { .limit = limit < UINT64_MAX / LU_OFFICE_EXPANSION
				? limit * LU_OFFICE_EXPANSION
				: UINT64_MAX,
		.body = { .whole = whole, .limit = limit, .flow = { .out = &o->text } } };
	int rc = 0;

	if (!is_zip(bytes))
		rc = read_flat(&odt, bytes, err);
	for (odt.walk = FIRST; is_zip(bytes) && rc == 0 && odt.walk <= SECOND; odt.walk++)
		rc = lu_zip_walk(bytes, read_part, &odt, err);
	if (rc == 0 && !odt.body.text_seen)
		rc = LU_PARTS_OTHER;
	if (rc == 0) {
		finish(&odt.body);
		rc = lu_odt_check(&odt.body, err);
	}
	if (rc == 0)
		rc = lu_doc_meta_put(&odt.body.meta, o, err);
	lu_odt_body_release(&odt.body);
	if (rc > 0) {
		lu_office_clear(o);
		*reason = lu_parts_reason(rc);
	}
	return rc > 0 ? 1 : rc;
}
