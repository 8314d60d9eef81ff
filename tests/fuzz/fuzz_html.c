/*
 * Pages: from any bytes, repaired to UTF-8, come text and statements in valid UTF-8 without C1
 * controls; the text neither begins nor ends with a blank line; a page that has text as a whole has a
 * main text; and reading is repeatable.
 */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/html/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct lu_str s)
{
	const char *p = s.p;

	if (lu_utf8_valid(s.p, s.n) != s.n)
		abort();
	while (p < s.p + s.n) {
		uint32_t c = lu_utf8_next(&p);

		if (c == 0 || (c >= 0x80 && c < 0xA0))
			abort();
	}
}

static int read_page(struct lu_str page, enum lu_html_extent extent, struct lu_html_meta *meta,
		struct lu_buf *text)
{
	struct lu_notice notice = { 0 };
	struct lu_err err;
	int rc = lu_html_page(page, extent, meta, &notice, text, &err);

	if (rc < 0 || (rc > 0 && text->n))
		abort();
	check(lu_buf_slice(text));
	if (text->n &&
			(text->p[0] == '\n' || text->p[text->n - 1] != '\n' ||
					text->p[text->n - 2] == '\n'))
		abort();
	lu_notice_release(&notice);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_buf page = { 0 }, text = { 0 }, whole = { 0 }, again = { 0 };
	struct lu_html_meta meta = { 0 };
	enum lu_html_extent extent;

	if (size == 0)
		return 0;
	extent = (enum lu_html_extent)(data[0] % (LU_HTML_MANUAL + 1));
	lu_utf8_repair(&page, (struct lu_str){ (const char *)data + 1, size - 1 });
	read_page(lu_buf_slice(&page), extent, &meta, &text);
	for (size_t i = 0; i < LU_META_COUNT; i++) {
		check(lu_buf_slice(&meta.value[i]));
		if (meta.value[i].n > LU_META_BYTES)
			abort();
	}
	read_page(lu_buf_slice(&page), extent, NULL, &again);
	if (!lu_str_eq(lu_buf_slice(&text), lu_buf_slice(&again)))
		abort();
	read_page(lu_buf_slice(&page), LU_HTML_WHOLE, NULL, &whole);
	if (text.n == 0 && whole.n && extent != LU_HTML_MANUAL)
		abort();
	lu_html_meta_release(&meta);
	lu_buf_release(&page);
	lu_buf_release(&text);
	lu_buf_release(&whole);
	lu_buf_release(&again);
	return 0;
}
