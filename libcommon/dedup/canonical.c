#include "libcommon/dedup/canonical.h"

#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

/* Append s with each run of white space as one blank, none at either end. */
static void squeeze(struct lu_str s, struct lu_buf *out)
{
	const char *p = s.p, *end = s.p + s.n;
	size_t from = out->n;
	bool blank = false;

	while (p < end) {
		const char *character = p;

		if (lu_unicode_is_space(lu_utf8_next(&p))) {
			blank = out->n > from;
			continue;
		}
		if (blank)
			lu_buf_putc(out, ' ');
		blank = false;
		lu_buf_append(out, character, (size_t)(p - character));
	}
}

int lu_canonical(struct lu_canonical_scratch *scratch, struct lu_str s, struct lu_buf *out,
		struct lu_err *err)
{
	struct lu_buf *a = &scratch->a, *b = &scratch->b;

	lu_buf_clear(a);
	lu_buf_clear(b);
	if (lu_unicode_normalize(LU_FORM_NFC, s, a, err) < 0 ||
			lu_unicode_fold(lu_buf_slice(a), b, err) < 0)
		return -1;
	/* Case folding can take a text out of NFC. */
	lu_buf_clear(a);
	if (lu_unicode_normalize(LU_FORM_NFC, lu_buf_slice(b), a, err) < 0 ||
			lu_buf_check(a, err) < 0)
		return -1;
	squeeze(lu_buf_slice(a), out);
	return lu_buf_check(out, err);
}

void lu_canonical_release(struct lu_canonical_scratch *scratch)
{
	lu_buf_release(&scratch->a);
	lu_buf_release(&scratch->b);
}
