/* Pages: from any bytes, repaired to UTF-8, come text and title in valid UTF-8 without C1 controls;
 * the text neither begins nor ends with a blank line. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/charset/charset.h"
#include "libcommon/html/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct lu_str s)
{
	const char *p = s.p;

	if (lu_utf8_valid(s.p, s.n) != s.n)
		abort();
	while (p < s.p + s.n) {
		uint32_t c = lu_utf8_next(&p);

		if (c >= 0x80 && c < 0xA0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_buf page = { 0 }, title = { 0 }, text = { 0 };
	struct lu_err err;
	struct lu_str label;
	int rc;

	if (size == 0)
		return 0;
	lu_utf8_repair(&page, (struct lu_str){ (const char *)data + 1, size - 1 });
	rc = lu_html_text(lu_buf_slice(&page), data[0] & 1, &title, NULL, &text, &err);
	if (rc < 0 || (rc > 0 && (title.n || text.n)))
		abort();
	check(lu_buf_slice(&title));
	check(lu_buf_slice(&text));
	if (text.n &&
			(text.p[0] == '\n' || text.p[text.n - 1] != '\n' ||
					text.p[text.n - 2] == '\n'))
		abort();
	lu_prescan_html(lu_buf_slice(&page), &label);
	lu_buf_release(&page);
	lu_buf_release(&title);
	lu_buf_release(&text);
	return 0;
}
