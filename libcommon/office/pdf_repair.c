#include "libcommon/office/pdf_repair.h"

#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

static bool breaks_word(struct lu_str s, size_t i, size_t *rest)
{
	const char *p;
	size_t k = i + 1;

	while (k < s.n && (s.p[k] == '\n' || s.p[k] == '\f'))
		k++;
	if (i == 0 || k == i + 1 || k == s.n || (unsigned char)s.p[i - 1] < 'A')
		return false;
	p = s.p + k;
	*rest = k;
	return lu_unicode_is_lower(lu_utf8_next(&p));
}

void lu_pdf_join_words(struct lu_str s, struct lu_buf *out)
{
	for (size_t i = 0; i < s.n;) {
		const char *p = memchr(s.p + i, '-', s.n - i);
		size_t n = p ? (size_t)(p - s.p) : s.n, rest, end;

		lu_buf_append(out, s.p + i, n - i);
		i = n;
		if (i == s.n)
			return;
		if (!breaks_word(s, i, &rest)) {
			lu_buf_putc(out, s.p[i++]);
			continue;
		}
		for (end = rest; end < s.n && !strchr(" \n\f", s.p[end]);)
			end++;
		lu_buf_append(out, s.p + rest, end - rest);
		/* The end of the page, or of the line, comes behind the word. */
		lu_buf_append(out, s.p + i + 1, rest - i - 1);
		i = end + (end < s.n && s.p[end] == ' ');
	}
}
