/*
 * The digit groups from the first to the last with single separators between them are one candidate,
 * judged by its shape: "2-2-2-2-2", the lengths of its groups and what is between them. Rules by
 * country are a table of such shapes.
 */
#include "libcommon/pii/pii_phone.h"

#define GROUPS_MAX 12
#define DIGITS_MAX 16 /* ITU-T E.164 has 15 */
#define DIGITS_MIN 7

struct candidate {
	const char *start, *end;    /* with '+' and parentheses */
	const char *first;	    /* first digit */
	char digit[DIGITS_MAX + 1]; /* without those of "(0)" */
	size_t digits;
	char shape[2 * GROUPS_MAX + 2]; /* lengths of groups and separators: "2 2 2 2 2" */
	size_t groups;
	bool plus, paren, zero, same; /* '+', '(' first, "(0)" within, one separator throughout */
	bool too_long;
};

/* Separator at p and its bytes: ' ' for blanks, '-' for hyphens, '.', '/'; 0: none. */
static char separator(const char *p, const char *end, size_t *n)
{
	*n = 1;
	if (p == end)
		return 0;
	if (*p == ' ' || *p == '.' || *p == '-' || *p == '/')
		return *p;
	if (end - p >= 2 && memcmp(p, "\xC2\xA0", *n = 2) == 0)
		return ' ';
	if (end - p >= 3 && memcmp(p, "\xE2\x80\xAF", *n = 3) == 0)
		return ' ';
	return end - p >= 3 && memcmp(p, "\xE2\x80\x91", 3) == 0 ? '-' : 0;
}

/* The opening of what comes before the first digit: "+", "(", "(+", "+(". */
static const char *opening(const struct lu_pii_stretch *t, const char *p, struct candidate *c)
{
	for (int i = 0; i < 2 && p > t->begin; i++) {
		if (p[-1] == '+' && !c->plus)
			c->plus = true;
		else if (p[-1] == '(' && !c->paren)
			c->paren = true;
		else
			break;
		p--;
	}
	return p;
}

static void add_shape(struct candidate *c, char x)
{
	size_t n = strlen(c->shape);

	if (n + 1 < sizeof(c->shape)) {
		c->shape[n] = x;
		c->shape[n + 1] = '\0';
	}
}

/* Read one group; returns its end, or NULL where it is no part of the candidate. */
static const char *group(const struct lu_pii_stretch *t, const char *p, struct candidate *c)
{
	const char *q = p;
	size_t n;

	while (q < t->end && lu_pii_digit(*q))
		q++;
	n = (size_t)(q - p);
	if (n == 0 || lu_pii_at(t, q) == '@' || lu_pii_word_at(t, q, &(size_t){ 0 }))
		return NULL;
	if (c->digits + n > DIGITS_MAX || c->groups == GROUPS_MAX) {
		c->too_long = true;
		return q;
	}
	memcpy(c->digit + c->digits, p, n);
	c->digits += n;
	c->groups++;
	add_shape(c, (char)(n < 10 ? '0' + n : 'a' + (n - 10)));
	return q;
}

/* "(0)" behind the calling code, with or without blanks; returns what follows, or p. */
static const char *optional_zero(const struct lu_pii_stretch *t, const char *p, struct candidate *c)
{
	const char *q = p < t->end && *p == ' ' ? p + 1 : p;

	if (!c->plus || c->zero || t->end - q < 3 || memcmp(q, "(0)", 3) != 0)
		return p;
	c->zero = true;
	q += 3;
	return q < t->end && *q == ' ' ? q + 1 : q;
}

/* What lies between two groups; returns where the next begins, or NULL at the end. */
static const char *between(const struct lu_pii_stretch *t, const char *p, struct candidate *c,
		bool *open, char *last)
{
	const char *q = optional_zero(t, p, c);
	size_t n;
	char s = ' ';

	if (*open && q < t->end && *q == ')') {
		*open = false;
		q++;
		s = ')';
		if (separator(q, t->end, &n) == ' ' || separator(q, t->end, &n) == '-')
			q += n;
	} else if (q == p) {
		s = separator(p, t->end, &n);
		if (!s)
			return NULL;
		q += n;
		/* +1 (415) 555-0132 */
		if (s == ' ' && q < t->end && *q == '(' && c->plus && c->groups == 1) {
			*open = true;
			q++;
		}
	}
	if (q >= t->end || !lu_pii_digit(*q))
		return NULL;
	if (*last && s != *last)
		c->same = false;
	*last = s;
	add_shape(c, s);
	return q;
}

/* Read the candidate whose first digit is at p. */
static void read_candidate(const struct lu_pii_stretch *t, const char *p, struct candidate *c)
{
	char last = 0;
	bool open, same = true, was_open;

	*c = (struct candidate){ .first = p, .same = true };
	c->start = opening(t, p, c);
	c->end = p;
	open = c->paren;
	while (p) {
		const char *q = group(t, p, c);

		if (!q) {
			/* The separator before it is no part either. */
			if (c->groups)
				c->shape[strlen(c->shape) - 1] = '\0';
			c->same = same;
			break;
		}
		c->end = q;
		same = c->same;
		was_open = open;
		p = between(t, q, c, &open, &last);
		/* All of it in parentheses: they stay. */
		if (!p && was_open && lu_pii_at(t, q) == ')' && c->start < c->first) {
			c->start = c->first - (c->first[-1] == '+');
			open = false;
		}
	}
	if (open)
		c->too_long = true;
}

/* --- international ------------------------------------------------------------------------- */

/* Calling codes in use (ITU-T E.164, list of assigned country codes), and those with a known length
 * of the national number, "code:least-most". */
static const char codes[] =
		" 1:10-10 7:10-10 20:8-10 27:9-9 30:10-10 31:9-9 32:8-9 33:9-9 34:9-9 36:8-9 "
		"39:6-12 40:9-9 "
		"41:9-9 43:7-13 44:9-10 45:8-8 46:7-10 47:8-8 48:9-9 49:7-13 51: 52:10-10 53: "
		"54:10-11 "
		"55:10-11 56:9-9 57:10-10 58:10-10 60: 61:9-9 62: 63: 64: 65:8-8 66: 81: 82: 84: "
		"86:10-11 90:10-10 91:10-10 92: 93: 94: 95: 98: 211: 212:9-9 213:8-9 216:8-8 218: "
		"220: "
		"221:9-9 222: 223: 224: 225:8-10 226: 227: 228: 229: 230: 231: 232: 233: 234: 235: "
		"236: "
		"237: 238: 239: 240: 241: 242: 243: 244: 245: 246: 247: 248: 249: 250: 251: 252: "
		"253: "
		"254: 255: 256: 257: 258: 260: 261: 262:9-9 263: 264: 265: 266: 267: 268: 269: "
		"290: "
		"291: 297: 298: 299: 350: 351:9-9 352:6-9 353: 354: 355: 356: 357: 358: 359: 370: "
		"371: "
		"372: 373: 374: 375: 376: 377:8-9 378: 380: 381: 382: 383: 385: 386: 387: 389: "
		"420:9-9 "
		"421:9-9 423: 500: 501: 502: 503: 504: 505: 506: 507: 508: 509: 590:9-9 591: 592: "
		"593: "
		"594:9-9 595: 596:9-9 597: 598: 599: 670: 672: 673: 674: 675: 676: 677: 678: 679: "
		"680: "
		"681: 682: 683: 685: 686: 687: 688: 689: 690: 691: 692: 850: 852: 853: 855: 856: "
		"880: "
		"886: 960: 961: 962: 963: 964: 965: 966: 967: 968: 970: 971: 972: 973: 974: 975: "
		"976: "
		"977: 992: 993: 994: 995: 996: 998: ";

/* Look up the calling code at the start of digits; returns its length, 0 if there is none. */
static size_t calling_code(const char *d, size_t n, size_t *least, size_t *most)
{
	char key[6];

	for (size_t k = 1; k <= 3 && k < n; k++) {
		const char *p;
		char *end;

		key[0] = ' ';
		memcpy(key + 1, d, k);
		key[k + 1] = ':';
		key[k + 2] = '\0';
		p = strstr(codes, key);
		if (!p)
			continue;
		p += k + 2;
		*least = 7, *most = 12;
		if (lu_pii_digit(*p)) {
			*least = strtoul(p, &end, 10);
			*most = strtoul(end + 1, NULL, 10);
		}
		return k;
	}
	return 0;
}

/* The digits behind '+' or 00. */
static bool is_international(const struct candidate *c, size_t from)
{
	const char *d = c->digit + from;
	size_t n = c->digits - from, least, most;
	size_t k = calling_code(d, n, &least, &most);

	/* A point elsewhere than behind the code is that of a decimal number. */
	if (k == 0 ||
			(c->shape[1] == '.' && c->groups == 2 &&
					c->shape[0] != '0' + (char)(from + k)))
		return false;
	/* A national prefix that should have been left out: +33 06 12 34 56 78. Italy keeps it. */
	if (d[k] == '0' && strncmp(d, "39", k) != 0) {
		if (n - k - 1 < least || d[k + 1] == '0' || least != most)
			return false;
		return n - k - 1 <= most;
	}
	if (*d == '1' && k == 1 && (d[1] < '2' || d[4] < '2'))
		return false;
	return n - k >= least && n - k <= most && n >= (least == most || c->groups > 1 ? 8 : 10) &&
			n <= 15;
}

/* --- national ------------------------------------------------------------------------------ */

/* A number that begins as `start` says, one character a digit: '.' any, '2' 2-9, others themselves;
 * its shape, where s is any one separator throughout. */
struct form {
	const char *start, *shape;
};
static const struct form forms[] = {
	{ "0+", "2s2s2s2s2" }, /* France */
	{ "0+", "4s2s2s2" },   /* France, Belgium */
	{ "08", "4 3 3" },     /* France */
	{ "08", "1 3 3 3" },   /* France */
	{ "22.2", "3-3-4" },   /* North America */
	{ "2..2", "3-3-4" },
	{ "2..2", "3.3.4" },
	{ "12..2", "1-3-3-4" },
	{ "12..2", "1.3.3.4" },
	{ "2..2", "3)3-4" },
	{ "2..2", "3)3.4" },
	{ "2..2", "3)3 4" },
	{ "02", "3 4 4" }, /* United Kingdom */
	{ "0+", "5 6" },
	{ "0+", "5 3 3" },
	{ "01", "4 3 4" },
	{ "03", "4 3 4" },
	{ "08", "4 3 4" },
	{ "6", "3 2 2 2" }, /* Spain */
	{ "7", "3 2 2 2" },
	{ "9", "3 2 2 2" },
	{ "8", "2 3 2 2" },
	{ "9", "2 3 2 2" },
	{ "0+", "3 3 2 2" }, /* Switzerland */
	{ "0+", "2 3 2 2" }, /* Belgium */
	{ "04", "4/2.2.2" },
	{ "0+", "2/3.2.2" },
	{ "0+", "3-7" }, /* Netherlands */
	{ "06", "2-8" },
};

static bool starts(const struct candidate *c, const char *start)
{
	for (size_t i = 0; start[i]; i++) {
		char d = c->digit[i];

		if (start[i] == '.' || start[i] == d)
			continue;
		if (start[i] == '2' ? d < '2' : start[i] != '+' || d == '0')
			return false;
	}
	return true;
}

static bool has_shape(const struct candidate *c, const char *shape)
{
	size_t i;

	for (i = 0; shape[i] && c->shape[i]; i++) {
		if (shape[i] == 's' ? !c->same || c->shape[i] == ')' : shape[i] != c->shape[i])
			return false;
	}
	return !shape[i] && !c->shape[i];
}

/* Germany, Italy: an area code in parentheses or before a slash. */
static bool has_area_code(const struct candidate *c)
{
	char first = c->shape[0], s = c->shape[1];

	if (c->digit[0] != '0' || c->digit[1] < '2' || c->digits < 8 || c->digits > 12)
		return false;
	return first >= '2' && first <= '5' && (s == ')' || s == '/') && c->groups <= 5 &&
			c->shape[2] >= '2' && !strpbrk(c->shape + 2, ")/");
}

/* True if a blank and two hexadecimal digits, a letter among them, are at p: pairs of digits beside
 * them are bytes. */
static bool is_byte(const char *p, const char *end)
{
	size_t letters = 0;

	for (size_t i = 0; i < 2; i++) {
		if (end - p < 2 ||
				!(lu_pii_digit(p[i]) ||
						(lu_pii_letter(p[i]) && (p[i] | 0x20) <= 'f')))
			return false;
		letters += lu_pii_letter(p[i]);
	}
	return letters > 0;
}

static bool is_among_bytes(const struct lu_pii_stretch *t, const struct candidate *c)
{
	return (c->start - t->begin >= 3 && c->start[-1] == ' ' && is_byte(c->start - 3, t->end)) ||
			(t->end - c->end >= 6 && c->end[0] == ' ' && c->end[3] == ' ' &&
					is_byte(c->end + 1, t->end) && lu_pii_digit(c->end[4]));
}

/* Pairs at even distances are a series: 01 02 03 04 05, 02 04 06 08 10. */
static bool is_series(const struct candidate *c)
{
	int step = 0;

	for (size_t i = 2; i + 1 < c->digits; i += 2) {
		int a = (c->digit[i - 2] - '0') * 10 + c->digit[i - 1] - '0';
		int b = (c->digit[i] - '0') * 10 + c->digit[i + 1] - '0';

		if (i > 2 && b - a != step)
			return false;
		step = b - a;
	}
	return true;
}

bool lu_pii_is_isbn10(const char digit[10])
{
	unsigned sum = 0;

	for (unsigned i = 0; i < 10; i++)
		sum += (10 - i) * (unsigned)(digit[i] - '0');
	return sum % 11 == 0;
}

/* Ten digits without separator, standing alone as a word does. */
static bool is_compact_french(const struct lu_pii_stretch *t, const struct candidate *c)
{
	char before = lu_pii_before(t, c->start), after = lu_pii_at(t, c->end);

	return c->groups == 1 && c->digits == 10 && c->digit[0] == '0' && c->digit[1] != '0' &&
			c->digit[1] != '8' && !is_series(c) && !lu_pii_is_isbn10(c->digit) &&
			strncmp(c->digit, "0123456789", 10) != 0 &&
			!lu_pii_in("/=_#.-&?%\\$|\"'`", before) && !lu_pii_in("/=_#&?%\\|", after);
}

static bool is_national(const struct lu_pii_stretch *t, const struct candidate *c)
{
	if (c->plus)
		return false;
	if (has_area_code(c) || is_compact_french(t, c))
		return true;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (starts(c, forms[i].start) && has_shape(c, forms[i].shape))
			return c->groups != 5 || (!is_series(c) && !is_among_bytes(t, c));
	}
	return false;
}

/* --- context ------------------------------------------------------------------------------- */

static const char phone_words[] =
		" tel tél téléphone telephone telephones téléphones phone phones fax télécopie "
		"telefax "
		"mobile mobil mob cell cellphone portable gsm telefon telefonnummer tel-nr handy "
		"rufnummer hotline teléfono telefono teléfonos tfno móvil movil cellulare cell "
		"whatsapp "
		"tlf ";
/* Between such a word and the number. */
static const char filler_words[] =
		" number numbers no nr n n° num numéro numero número nummer is est "
		"au de at direct fixe office home work ";
static const char other_words[] =
		" isbn issn ean siret siren doi rfc pmid pmc bug id ids ref réf référence "
		"reference "
		"isrc upc asin arxiv cve crc ticket issue invoice facture commande tva vat ";

/* True if a sign of a telephone, ☎ ☏ ✆ 📞 📱, ends at p but for blanks. */
static bool has_sign(const struct lu_pii_stretch *t, const char *p)
{
	static const char *const sign[] = { "\xE2\x98\x8E", "\xE2\x98\x8F", "\xE2\x9C\x86",
		"\xF0\x9F\x93\x9E", "\xF0\x9F\x93\xB1" };

	while (p > t->begin && (p[-1] == ' ' || p[-1] == ':'))
		p--;
	/* Variation selector of emoji. */
	if (p - t->begin >= 3 && memcmp(p - 3, "\xEF\xB8\x8F", 3) == 0)
		p -= 3;
	for (size_t i = 0; i < sizeof(sign) / sizeof(sign[0]); i++) {
		size_t n = strlen(sign[i]);

		if ((size_t)(p - t->begin) >= n && memcmp(p - n, sign[i], n) == 0)
			return true;
	}
	return false;
}

enum context { CONTEXT_NONE, CONTEXT_PHONE, CONTEXT_OTHER };

static enum context context(const struct lu_pii_stretch *t, const char *p)
{
	char word[LU_PII_WORD];

	if (has_sign(t, p))
		return CONTEXT_PHONE;
	for (int i = 0; i < 3; i++) {
		const char *w = lu_pii_last_word(t, p, " :.=#(\"'\t", word);

		if (lu_pii_listed(phone_words, word))
			return CONTEXT_PHONE;
		if (lu_pii_listed(other_words, word))
			return CONTEXT_OTHER;
		if (!lu_pii_listed(filler_words, word))
			return CONTEXT_NONE;
		p = w;
	}
	return CONTEXT_NONE;
}

/* A day, month and year in any order, or a year and what follows. */
static bool is_date(const struct candidate *c)
{
	static const char *const shape[] = { "2s2s4", "1s2s4", "2s1s4", "1s1s4", "4s2s2", "4s1s2",
		"4s1s1", "8", "4s4" };

	for (size_t i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		bool ends = i < 4;
		const char *year = ends ? c->digit + c->digits - 4 : c->digit;

		if (has_shape(c, shape[i]) &&
				(strncmp(year, "19", 2) == 0 || strncmp(year, "20", 2) == 0))
			return true;
	}
	return false;
}

/* True if nothing on either side says that the digits are part of something else. */
static bool is_apart(const struct lu_pii_stretch *t, const struct candidate *c)
{
	char before = lu_pii_before(t, c->start), after = lu_pii_at(t, c->end);
	size_t n;

	if (lu_pii_word_before(t, c->start, &n) || lu_pii_in("$@+*^\\", before) ||
			lu_pii_in("$%@*+^", after))
		return false;
	if (!c->plus && lu_pii_in("./-,", before) && c->start - t->begin >= 2 &&
			lu_pii_alnum(c->start[-2]))
		return false;
	/* € £ ¥ */
	if (c->start - t->begin >= 3 && memcmp(c->start - 3, "\xE2\x82\xAC", 3) == 0)
		return false;
	if (c->start - t->begin >= 2 &&
			(memcmp(c->start - 2, "\xC2\xA3", 2) == 0 ||
					memcmp(c->start - 2, "\xC2\xA5", 2) == 0))
		return false;
	if (after == ',' && c->end + 1 < t->end && lu_pii_digit(c->end[1]))
		return false;
	n = (size_t)(t->end - c->end);
	return !(n >= 3 && memcmp(c->end, "\xE2\x82\xAC", 3) == 0) &&
			!(n >= 4 && memcmp(c->end, " \xE2\x82\xAC", 4) == 0) &&
			!(n >= 5 && memcmp(c->end, "\xC2\xA0\xE2\x82\xAC", 5) == 0);
}

bool lu_pii_phone(const struct lu_pii_stretch *t, const char *p, struct lu_pii_find *f)
{
	struct candidate c;
	enum context near;

	read_candidate(t, p, &c);
	*f = (struct lu_pii_find){ c.start, c.end };
	if (f->end == p) {
		while (f->end < t->end && lu_pii_digit(*f->end))
			f->end++;
	}
	if (c.too_long || c.digits < DIGITS_MIN || !is_apart(t, &c))
		return false;
	near = context(t, c.start);
	if (c.plus)
		return is_international(&c, 0);
	if (near == CONTEXT_OTHER)
		return false;
	if (near == CONTEXT_PHONE && c.digits <= 15 && !is_date(&c))
		return true;
	/* Not 0031 2044 0035, which are code points, nor 0.064 0.226. */
	if (c.digits >= 11 && strncmp(c.digit, "00", 2) == 0 && c.groups > 1 && c.shape[0] != '1' &&
			strcmp(c.shape, "4 4 4") != 0)
		return is_international(&c, 2);
	return is_national(t, &c);
}
