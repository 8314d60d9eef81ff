#include "libcommon/report/plain.h"

#include <math.h>

#include "libcommon/base/utf8.h"

void lu_plain_str(struct lu_buf *b, struct lu_str s, size_t width)
{
	size_t at = b->n;

	lu_buf_str(b, s);
	if (!lu_buf_ok(b) || s.n == 0)
		return;
	lu_mask_controls(b->p + at);
	b->n = at + strlen(b->p + at);
	for (size_t n = lu_utf8_count(b->p + at, b->n - at); n < width; n++)
		lu_buf_putc(b, ' ');
}

void lu_plain_number(struct lu_buf *b, double v, int width, int decimals)
{
	if (isfinite(v))
		lu_buf_printf(b, "%*.*f", width, decimals, v);
	else
		lu_buf_printf(b, "%*s", width, "-");
}
