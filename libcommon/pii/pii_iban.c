#include "libcommon/pii/pii_iban.h"

#define IBAN_MAX 34

/* Lengths of the SWIFT registry of IBAN formats (ISO 13616), by country. */
static const char lengths[] =
		"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28"
		"EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26"
		"IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28"
		"NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25"
		"SV28TL23TN24TR26UA29VA22VG24XK20YE30";

static size_t length_of(char a, char b)
{
	for (const char *p = lengths; *p; p += 4) {
		if (p[0] == a && p[1] == b)
			return (size_t)(p[2] - '0') * 10 + (size_t)(p[3] - '0');
	}
	return 0;
}

/* Bytes of a separator between groups: a blank, U+00A0, U+202F or a hyphen; 0: none. */
static size_t separator(const char *p, const char *end)
{
	if (end - p >= 1 && (*p == ' ' || *p == '-'))
		return 1;
	if (end - p >= 2 && memcmp(p, "\xC2\xA0", 2) == 0)
		return 2;
	return end - p >= 3 && memcmp(p, "\xE2\x80\xAF", 3) == 0 ? 3 : 0;
}

static char upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
}

/* The country and check digits go to the end, letters count from A = 10, and the number is 1 modulo
 * 97 (ISO 7064 MOD 97-10). At least half of it are digits; in small letters, where it could be a
 * hexadecimal number, all but the country. */
static bool is_valid(const char *c, size_t n, bool lower)
{
	unsigned rest = 0;
	size_t digits = 0;

	for (size_t i = 0; i < n; i++) {
		char x = c[(i + 4) % n];

		if (lu_pii_digit(x))
			rest = (rest * 10 + (unsigned)(x - '0')) % 97;
		else
			rest = (rest * 100 + (unsigned)(x - 'A' + 10)) % 97;
		digits += lu_pii_digit(x);
	}
	return rest == 1 && (lower ? digits == n - 2 : 2 * digits >= n);
}

bool lu_pii_iban(const struct lu_pii_stretch *t, const char *p, struct lu_pii_find *f)
{
	char c[IBAN_MAX];
	const char *q = p;
	size_t n = 2, want, skip;

	if (p - t->begin < 2 || t->end - p < 2 || !lu_pii_letter(p[-1]) || !lu_pii_letter(p[-2]) ||
			!lu_pii_digit(p[1]) || (p[-1] & 0x20) != (p[-2] & 0x20))
		return false;
	c[0] = upper(p[-2]);
	c[1] = upper(p[-1]);
	want = length_of(c[0], c[1]);
	if (want == 0 || lu_pii_word_before(t, p - 2, &skip))
		return false;
	while (n < want) {
		if (q < t->end && lu_pii_alnum(*q)) {
			c[n++] = upper(*q++);
			continue;
		}
		skip = separator(q, t->end);
		/* Between groups, not behind the country; two in sequence end it. */
		if (skip == 0 || n < 4 || separator(q + skip, t->end))
			return false;
		q += skip;
	}
	if (lu_pii_word_at(t, q, &skip) || lu_pii_at(t, q) == '@' || !is_valid(c, n, p[-1] & 0x20))
		return false;
	*f = (struct lu_pii_find){ p - 2, q };
	return true;
}
