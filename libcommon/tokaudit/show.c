#include "libcommon/tokaudit/show.h"

#include <inttypes.h>

#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

static bool is_visible(uint32_t c)
{
	enum lu_category cat = lu_unicode_category(c);

	return c == ' ' || (cat != LU_CAT_OTHER && cat != LU_CAT_MARK && cat != LU_CAT_SEPARATOR);
}

void lu_show(struct lu_buf *b, struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n;

	lu_buf_putc(b, '"');
	while (p < end) {
		const char *at = p;
		uint32_t c = lu_utf8_next(&p);

		if (c == '\n' || c == '\t' || c == '\r')
			lu_buf_puts(b, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
		else if (c == '"' || c == '\\')
			lu_buf_printf(b, "\\%c", (int)c);
		else if (is_visible(c))
			lu_buf_append(b, at, (size_t)(p - at));
		else
			lu_buf_printf(b, "\\u{%04" PRIX32 "}", c);
	}
	lu_buf_putc(b, '"');
}
