#include "libcommon/text/repair_steps.h"

#include "libcommon/base/utf8.h"

const char *lu_repair_skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

uint32_t lu_repair_before(const char *start, const char *p)
{
	if (p <= start)
		return 0;
	do
		p--;
	while (p > start && ((unsigned char)*p & 0xC0) == 0x80);
	return lu_utf8_next(&p);
}

struct lu_str lu_repair_word_before(const char *start, const char *p)
{
	const char *from = p;

	while (from > start && lu_doc_words_letter(lu_repair_before(start, from))) {
		do
			from--;
		while (((unsigned char)*from & 0xC0) == 0x80);
	}
	return (struct lu_str){ from, (size_t)(p - from) };
}

struct lu_str lu_repair_word_after(const char *p, const char *end)
{
	struct lu_str word = { p, 0 };

	while (p < end && lu_doc_words_letter(lu_utf8_next(&p)))
		word.n = (size_t)(p - word.p);
	return word;
}

const char *lu_repair_next_line(const char *p, const char *end, const char **broke)
{
	p = lu_repair_skip_blanks(p, end);
	if (p == end || *p != '\n')
		return NULL;
	*broke = p++;
	if (p < end && *p == '\f')
		p++;
	p = lu_repair_skip_blanks(p, end);
	return p == end || *p == '\n' ? NULL : p;
}
