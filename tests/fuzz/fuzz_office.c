/* XML of office documents: from any bytes, as the parts of a docx, an odt or an EPUB, comes text in valid
 * UTF-8 that ends with one line feed, or one of the reasons. The first byte chooses the part. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/office/docx_body.h"
#include "libcommon/office/odt.h"
#include "libcommon/office/odt_body.h"
#include "libcommon/office/opf.h"
#include "libcommon/office/xhtml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT ((uint64_t)1 << 20)

static void check(struct lu_str s)
{
	if (lu_utf8_valid(s.p, s.n) != s.n || (s.n && s.p[s.n - 1] != '\n'))
		abort();
}

static void styles_start(void *ctx, const struct lu_xml_tag *tag)
{
	lu_docx_styles_start(ctx, tag);
	lu_docx_numbering_start(ctx, tag);
}

static void styles_end(void *ctx, const char *name, const char *uri)
{
	(void)uri;
	lu_docx_styles_end(ctx, name);
}

static void no_text(void *ctx, struct lu_str s)
{
	(void)ctx, (void)s;
}

static void no_end(void *ctx, const char *name, const char *uri)
{
	(void)ctx, (void)name, (void)uri;
}

/* Styles, notes and text from the same bytes, up to a form feed each. */
static void word(struct lu_str s)
{
	struct lu_docx_styles styles = { .level = -1, .override = -1 };
	struct lu_buf text = { 0 };
	struct lu_docx_body b = { .styles = &styles, .limit = LIMIT };
	struct lu_xml x = {
		.start = styles_start, .end = styles_end, .text = no_text, .ctx = &styles
	};
	struct lu_err err;
	int rc = 0;

	for (int i = 0; i < 3 && rc >= 0; i++) {
		const char *p = s.n ? memchr(s.p, '\f', s.n) : NULL;
		size_t n = p ? (size_t)(p - s.p) : s.n;

		if (i == 1)
			lu_docx_styles_ready(&styles);
		if (i == 2)
			lu_docx_sort_notes(&b);
		if (i > 0)
			x = (struct lu_xml){ .start = lu_docx_start,
				.end = lu_docx_end,
				.text = lu_docx_text_piece,
				.ctx = &b };
		b.xml = &x;
		b.flow.out = i == 2 ? &text : &b.notes;
		rc = lu_xml_bytes(&x, (struct lu_str){ s.p, n }, &err);
		s.p += p ? n + 1 : 0;
		s.n -= p ? n + 1 : 0;
	}
	if (rc < 0 || lu_docx_put_notes(&b, &err) < 0)
		abort();
	lu_doc_finish(&b.flow);
	if (lu_docx_check(&b, &err) < 0)
		abort();
	check(lu_buf_slice(&text));
	lu_docx_body_release(&b);
	lu_docx_styles_release(&styles);
	lu_buf_release(&text);
}

static void odt(struct lu_str s)
{
	struct lu_office o = { 0 };
	const char *reason = NULL;
	struct lu_err err;
	int rc = lu_odt_text(s, s.n & 1, LIMIT, &o, &reason, &err);

	if (rc < 0 || (rc > 0) != (reason != NULL))
		abort();
	check(lu_buf_slice(&o.text));
	lu_office_release(&o);
}

static void package(struct lu_str s)
{
	struct lu_opf opf = { 0 };
	struct lu_office o = { 0 };
	struct lu_xml x = {
		.start = lu_opf_encryption_start, .end = no_end, .text = no_text, .ctx = &opf
	};
	struct lu_err err;

	if (lu_xml_bytes(&x, s, &err) < 0)
		abort();
	x.start = lu_opf_container_start;
	if (lu_xml_bytes(&x, s, &err) < 0)
		abort();
	x = (struct lu_xml){
		.start = lu_opf_start, .end = lu_opf_end, .text = lu_opf_text, .ctx = &opf
	};
	if (lu_xml_bytes(&x, s, &err) < 0 || lu_opf_ready(&opf, s.n & 1, &err) < 0 ||
			lu_doc_meta_put(&opf.meta, &o, &err) < 0)
		abort();
	for (size_t i = 0; i < opf.chapters.n; i++) {
		if (opf.chapters.p[i].item >= opf.items.n)
			abort();
	}
	lu_opf_find(&opf, LU_STR("a"));
	lu_office_release(&o);
	lu_opf_release(&opf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str s = { (const char *)data + 1, size - 1 };
	struct lu_buf html = { 0 };

	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0: word(s); break;
	case 1: odt(s); break;
	case 2: package(s); break;
	default:
		lu_xhtml_to_html(s, &html);
		if (html.n > 6 * s.n + 16)
			abort();
	}
	lu_buf_release(&html);
	return 0;
}
