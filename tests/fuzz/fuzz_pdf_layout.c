/* The output of pdftotext: from any bytes come lines, and from these paragraphs in valid UTF-8 whose
 * pages begin in order; the same in pieces as at once. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/office/pdf_columns.h"
#include "libcommon/office/pdf_heads.h"
#include "libcommon/office/pdf_layout.h"
#include "libcommon/office/pdf_reflow.h"
#include "libcommon/office/pdf_tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void convert(struct lu_str s, size_t piece, struct lu_buf *text)
{
	struct lu_pdf_layout l = { .limit = 1 << 20 };
	struct lu_pdf_offsets pages = { 0 };
	struct lu_buf marked = { 0 };
	struct lu_err err;
	int rc = 0;

	for (size_t i = 0; i < s.n && rc == 0; i += piece)
		rc = lu_pdf_layout_take(&l, s.p + i, s.n - i < piece ? s.n - i : piece, &err);
	if (rc == 0)
		rc = lu_pdf_layout_end(&l, &err);
	if (rc < 0)
		abort();
	if (rc == 0) {
		if (lu_pdf_mark_heads(&l, &err) < 0 || lu_pdf_order_columns(&l, &err) < 0 ||
				lu_pdf_find_tables(&l, &err) < 0 ||
				lu_pdf_reflow(&l, &marked, &err) < 0 ||
				lu_pdf_join(lu_buf_slice(&marked), l.pages.n, text, &pages, &err) <
						0)
			abort();
		if (pages.n != l.pages.n)
			abort();
	}
	for (size_t i = 0; i < pages.n; i++) {
		if (pages.p[i] > text->n || (i && pages.p[i] < pages.p[i - 1]) ||
				(pages.p[i] < text->n && (text->p[pages.p[i]] & 0xC0) == 0x80))
			abort();
	}
	lu_buf_release(&marked);
	lu_vec_release(&pages);
	lu_pdf_layout_release(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str s = { (const char *)data, size };
	struct lu_buf once = { 0 }, pieces = { 0 };

	convert(s, size + 1, &once);
	convert(s, 7, &pieces);
	if (!lu_str_eq(lu_buf_slice(&once), lu_buf_slice(&pieces)) ||
			lu_utf8_valid(once.p, once.n) != once.n)
		abort();
	lu_buf_release(&once);
	lu_buf_release(&pieces);
	return 0;
}
