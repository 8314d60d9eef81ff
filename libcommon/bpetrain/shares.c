#include "libcommon/bpetrain/shares.h"

#include <stdbool.h>
#include <string.h>

/* Parse "33.5" up to `end` into thousandths; UINT32_MAX if it is malformed. */
static uint32_t parse_share(const char *p, const char *end)
{
	uint32_t v = 0, scale = 1000;
	bool digit = false;

	for (; p < end && *p >= '0' && *p <= '9' && v <= 1000; p++, digit = true)
		v = v * 10 + (uint32_t)(*p - '0');
	v *= 1000;
	if (p < end && *p == '.') {
		for (p++; p < end && *p >= '0' && *p <= '9' && scale > 1; p++) {
			scale /= 10;
			v += (uint32_t)(*p - '0') * scale;
		}
		digit = digit && scale < 1000;
	}
	return digit && p == end ? v : UINT32_MAX;
}

int lu_shares_parse(const char *text, struct lu_shares *out, struct lu_err *err)
{
	uint32_t sum = 0;

	out->n = 0;
	for (const char *p = text;; p++) {
		const char *end = p + strcspn(p, ","), *eq = memchr(p, '=', (size_t)(end - p));
		struct lu_share *s = &out->item[out->n];

		if (out->n == LU_SHARES)
			return lu_err_set(err, "more than %d languages", LU_SHARES);
		if (!eq || eq == p || (size_t)(eq - p) >= sizeof(s->lang) ||
				(s->share = parse_share(eq + 1, end)) == UINT32_MAX)
			return lu_err_set(err, "'%.*s' is not LANG=PERCENT, as in fr=33",
					(int)(end - p > 100 ? 100 : end - p), p);
		memcpy(s->lang, p, (size_t)(eq - p));
		s->lang[eq - p] = '\0';
		for (size_t i = 0; i < out->n; i++) {
			if (strcmp(out->item[i].lang, s->lang) == 0)
				return lu_err_set(err, "'%s' is given twice", s->lang);
		}
		sum += s->share;
		if (sum > LU_SHARE_ALL)
			return lu_err_set(err, "the shares add up to more than 100");
		out->n++;
		p = end;
		if (!*p)
			break;
	}
	out->rest = LU_SHARE_ALL - sum;
	return 0;
}
