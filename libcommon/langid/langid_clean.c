#include "libcommon/langid/langid_clean.h"

#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

struct lu_lang_cleaning lu_lang_cleaning_of(const struct lu_fasttext *model)
{
	struct lu_fasttext_words has = lu_fasttext_look(model);
	struct lu_lang_cleaning c = { !has.capitals, !has.punctuation, has.digits };
	char label[64];
	int two = 0, n = 0;

	for (; lu_fasttext_label(model, n, label, sizeof(label)); n++)
		two += strlen(label) == 2;
	return two * 2 > n ? (struct lu_lang_cleaning){ true, false, true } : c;
}

/* Most letters are capitals; ASCII tells. */
static bool is_shouted(struct lu_str s)
{
	size_t capitals = 0, small = 0;

	for (size_t i = 0; i < s.n; i++) {
		capitals += (unsigned char)(s.p[i] - 'A') < 26;
		small += (unsigned char)(s.p[i] - 'a') < 26;
	}
	return capitals > small;
}

/* Append what is letters, marks or blanks, and digits if `digits`; others are removed. */
static void keep_words(struct lu_str s, bool digits, struct lu_buf *out)
{
	const char *p = s.p, *end = p + s.n;

	while (p < end) {
		const char *from = p;
		uint32_t c = lu_utf8_next(&p);
		enum lu_category cat = lu_unicode_category(c);

		if (cat == LU_CAT_LETTER || cat == LU_CAT_MARK || cat == LU_CAT_SEPARATOR ||
				(cat == LU_CAT_NUMBER && digits) || c == '_')
			lu_buf_append(out, from, (size_t)(p - from));
	}
}

int lu_lang_clean(const struct lu_lang_cleaning *c, struct lu_str s, struct lu_buf *scratch,
		struct lu_buf *out, struct lu_err *err)
{
	lu_buf_clear(scratch);
	lu_buf_clear(out);
	if (c->lower || is_shouted(s)) {
		if (lu_unicode_lower(s, scratch, err) < 0)
			return -1;
		s = lu_buf_slice(scratch);
	}
	if (c->words)
		keep_words(s, c->digits, out);
	else
		lu_buf_str(out, s);
	return 0;
}
