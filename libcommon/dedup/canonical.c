#include "libcommon/dedup/canonical.h"

#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

int lu_canonical(struct lu_canonical_work *w, struct lu_str s, struct lu_buf *out,
		struct lu_err *err)
{
	const char *p, *end;
	size_t from = out->n;
	bool blank = false;

	lu_buf_clear(&w->a);
	lu_buf_clear(&w->b);
	if (lu_unicode_normalize(LU_FORM_NFC, s, &w->a, err) < 0 ||
			lu_unicode_fold(lu_buf_slice(&w->a), &w->b, err) < 0)
		return -1;
	/* Folding can take a text out of NFC. */
	lu_buf_clear(&w->a);
	if (lu_unicode_normalize(LU_FORM_NFC, lu_buf_slice(&w->b), &w->a, err) < 0 ||
			lu_buf_check(&w->a, err) < 0)
		return -1;
	p = lu_buf_slice(&w->a).p;
	end = p + w->a.n;
	while (p < end) {
		const char *at = p;

		if (lu_unicode_is_space(lu_utf8_next(&p))) {
			blank = out->n > from;
			continue;
		}
		if (blank)
			lu_buf_putc(out, ' ');
		blank = false;
		lu_buf_append(out, at, (size_t)(p - at));
	}
	return lu_buf_check(out, err);
}

void lu_canonical_release(struct lu_canonical_work *w)
{
	lu_buf_release(&w->a);
	lu_buf_release(&w->b);
}
