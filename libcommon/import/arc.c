#include "libcommon/import/arc.h"

#include <ctype.h>
#include <stdio.h>

#include "libcommon/base/take_line.h"

/* Fields of version 2 behind the URL, and one for what is no record. */
#define FIELDS 10

/* "20260102030405" and, from before 1996, "260102030405". */
static bool is_date(struct lu_str s)
{
	if (s.n != 14 && s.n != 12)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	}
	return true;
}

static void put_date(struct lu_str s, char out[24])
{
	static const int from[] = { 1, 1, 0, 0, 0 }, to[] = { 12, 31, 23, 59, 60 };
	const char *p = s.p + s.n - 10;
	int part[5];

	out[0] = '\0';
	for (int i = 0; i < 5; i++) {
		part[i] = (p[2 * i] - '0') * 10 + p[2 * i + 1] - '0';
		if (part[i] < from[i] || part[i] > to[i])
			return;
	}
	snprintf(out, 24, "%s%.*s-%02d-%02dT%02d:%02d:%02dZ", s.n == 12 ? "19" : "",
			(int)(s.n - 10), s.p, part[0], part[1], part[2], part[3], part[4]);
}

/* An address, of version 4 or 6, as far as a glance tells. */
static bool is_address(struct lu_str s)
{
	size_t between = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!isxdigit((unsigned char)s.p[i]) && s.p[i] != '.' && s.p[i] != ':')
			return false;
		between += s.p[i] == '.' || s.p[i] == ':';
	}
	return between >= 2;
}

static bool has_scheme(struct lu_str url)
{
	size_t i = 0;

	while (i < url.n && (isalnum((unsigned char)url.p[i]) || strchr("+-.", url.p[i])))
		i++;
	return i > 1 && i < url.n && url.p[i] == ':' && isalpha((unsigned char)url.p[0]);
}

static bool to_length(struct lu_str s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]))
			return false;
		*out = *out * 10 + (uint64_t)(s.p[i] - '0');
	}
	return s.n > 0 && s.n < 19;
}

bool lu_arc_line(struct lu_str line, struct lu_arc_line *out)
{
	struct lu_str rest = lu_trim_line(line), word[FIELDS];
	size_t n = 0;

	*out = (struct lu_arc_line){ 0 };
	/* From the right. */
	while (n < FIELDS && rest.n) {
		size_t from = rest.n;

		while (from > 0 && rest.p[from - 1] != ' ')
			from--;
		word[n++] = (struct lu_str){ rest.p + from, rest.n - from };
		rest.n = from > 0 ? from - 1 : 0;
		if (n < 4 || !is_date(word[n - 2]) || !is_address(word[n - 1]))
			continue;
		out->url = rest;
		out->type = word[n - 3];
		put_date(word[n - 2], out->date);
		return has_scheme(rest) && to_length(word[0], &out->length);
	}
	return false;
}

bool lu_arc_looks(struct lu_str head)
{
	static const char mark[] = "filedesc:";

	while (head.n && head.p[0] && strchr("\r\n", head.p[0])) {
		head.p++;
		head.n--;
	}
	return head.n >= sizeof(mark) - 1 && memcmp(head.p, mark, sizeof(mark) - 1) == 0;
}
