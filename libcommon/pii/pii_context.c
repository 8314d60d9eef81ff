#include "libcommon/pii/pii_context.h"

#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

static bool is_word(uint32_t c)
{
	enum lu_category k = lu_unicode_category(c);

	return (k == LU_CAT_LETTER || k == LU_CAT_MARK || k == LU_CAT_NUMBER) &&
			!lu_unicode_is_unspaced(c);
}

bool lu_pii_word_before(const struct lu_pii_stretch *t, const char *p, size_t *length)
{
	const char *q = p;

	*length = 0;
	if (p == t->begin)
		return false;
	while (q > t->begin && p - q < 4 && (*--q & 0xC0) == 0x80)
		;
	*length = (size_t)(p - q);
	return *q & 0x80 ? is_word(lu_utf8_next(&q)) : *q == '_' || lu_pii_alnum(*q);
}

bool lu_pii_word_at(const struct lu_pii_stretch *t, const char *p, size_t *length)
{
	const char *q = p;
	uint32_t c;

	*length = 0;
	if (p == t->end)
		return false;
	c = lu_utf8_next(&q);
	*length = (size_t)(q - p);
	return c >= 0x80 ? is_word(c) : c == '_' || lu_pii_alnum((char)c);
}

const char *lu_pii_last_word(const struct lu_pii_stretch *t, const char *p, const char *set,
		char word[LU_PII_WORD])
{
	const char *end;
	size_t n;

	for (end = p; end > t->begin && p - end < 6 && lu_pii_in(set, end[-1]);)
		end--;
	for (p = end; p > t->begin && end - p < LU_PII_WORD &&
			(lu_pii_letter(p[-1]) || p[-1] & 0x80);)
		p--;
	n = (size_t)(end - p);
	if (n >= LU_PII_WORD)
		n = 0;
	for (size_t i = 0; i < n; i++)
		word[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]);
	word[n] = '\0';
	return p;
}

bool lu_pii_listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	if (n == 0)
		return false;
	for (const char *p = strstr(list, word); p; p = strstr(p + 1, word)) {
		if (p[-1] == ' ' && p[n] == ' ')
			return true;
	}
	return false;
}
