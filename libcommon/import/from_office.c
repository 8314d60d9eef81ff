#include "libcommon/import/from_office.h"

#include <strings.h>

#include "libcommon/import/foreign.h"
#include "libcommon/office/docx.h"
#include "libcommon/office/epub.h"
#include "libcommon/office/odt.h"
#include "libcommon/office/pdf.h"

static const struct {
	const char *type;
	enum lu_kind kind;
} types[] = {
	{ "application/pdf", LU_KIND_PDF },
	{ "application/x-pdf", LU_KIND_PDF },
	{ "application/epub+zip", LU_KIND_EPUB },
	{ "application/vnd.oasis.opendocument.text", LU_KIND_ODT },
	{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document", LU_KIND_DOCX },
};

bool lu_is_office(enum lu_kind kind)
{
	return kind == LU_KIND_DOCX || kind == LU_KIND_ODT || kind == LU_KIND_EPUB ||
			kind == LU_KIND_PDF;
}

enum lu_kind lu_office_type(struct lu_str type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i].type);

		if (type.n >= n && strncasecmp(type.p, types[i].type, n) == 0 &&
				(type.n == n || strchr("; \t", type.p[n])))
			return types[i].kind;
	}
	return LU_KIND_AUTO;
}

int lu_from_office(const struct lu_import *im, struct lu_import_work *w, enum lu_kind kind,
		struct lu_str bytes, const struct lu_member *member, struct lu_import_result *res,
		struct lu_err *err)
{
	const char *reason = NULL;
	int rc;

	if (kind == LU_KIND_DOCX)
		rc = lu_docx_text(bytes, im->whole, im->limit, &w->office, &reason, err);
	else if (kind == LU_KIND_ODT)
		rc = lu_odt_text(bytes, im->whole, im->limit, &w->office, &reason, err);
	else if (kind == LU_KIND_EPUB)
		rc = lu_epub_text(bytes, im->whole, im->limit, &w->office, &reason, err);
	else
		rc = lu_pdf_text(im->man.nowhere, bytes, im->whole, im->limit, &w->office, &reason,
				err);
	if (rc <= 0) {
		w->cut = w->cut || w->office.cut;
		res->charset_errors = w->office.charset_errors;
		return rc;
	}
	res->drop = reason;
	/* As of other records, what a crawler got is no damage of the archive. */
	res->bad = !member->warc &&
			(strcmp(reason, "damaged") == 0 || strcmp(reason, "encrypted") == 0);
	/* Another document of the same office. */
	if (strcmp(reason, "not text") == 0)
		res->format = lu_format_of_zip(bytes);
	return 1;
}

/* What an office document says of itself, for the record. */
struct lu_entry lu_office_about(const struct lu_office *o, const struct lu_member *member)
{
	struct lu_entry e = { .more = lu_buf_slice(&o->more) };

	if (o->title.n)
		e.title = lu_buf_slice(&o->title);
	if (o->date.n)
		e.date = lu_buf_slice(&o->date);
	if (o->lang.n)
		e.lang = lu_buf_slice(&o->lang);
	/* A sentence about rights is less than a licence that is known from elsewhere. */
	if (o->license.n && !member->license.p)
		e.license = lu_buf_slice(&o->license);
	return e;
}
