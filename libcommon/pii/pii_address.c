#include "libcommon/pii/pii_address.h"

#define LOCAL_MAX 64 /* RFC 5321, 4.5.3.1 */
#define LABEL_MAX 63 /* RFC 1035, 2.3.4 */
#define DOMAIN_MAX 253
#define TLD_MAX 24 /* the longest in use */

/* --- e-mail -------------------------------------------------------------------------------- */

/* Bytes of the character before p if it may belong to a local part, or 0. */
static size_t local_before(const struct lu_pii_stretch *t, const char *p)
{
	size_t n;

	if (p > t->begin && (p[-1] == '.' || p[-1] == '+' || p[-1] == '-'))
		return 1;
	return lu_pii_word_before(t, p, &n) ? n : 0;
}

/* Start of the local part before the '@', or NULL. */
static const char *local_part(const struct lu_pii_stretch *t, const char *at)
{
	const char *p = at;
	size_t n;

	while ((n = local_before(t, p)) > 0) {
		p -= n;
		if (at - p > LOCAL_MAX)
			return NULL;
	}
	for (const char *q = p; q + 1 < at; q++) {
		if (q[0] == '.' && q[1] == '.')
			p = q + 1;
	}
	while (p < at && (*p == '.' || *p == '+' || *p == '-'))
		p++;
	return p == at || at[-1] == '.' ? NULL : p;
}

/* True if the local part is that of a URL: "//", then at most 64 characters of user and password. */
static bool is_user_of_url(const struct lu_pii_stretch *t, const char *p)
{
	const char *q = p;

	while (q > t->begin && p - q < LOCAL_MAX &&
			(lu_pii_alnum(q[-1]) || lu_pii_in("._-+:%~!$", q[-1])))
		q--;
	return q - t->begin >= 2 && q[-1] == '/' && q[-2] == '/';
}

static const char file_endings[] = " png jpg jpeg gif svg webp bmp ico css js jsx mjs tsx html htm "
				   "php json xml txt csv "
				   "pdf exe dll jar tar gz bz xz deb rpm java cpp hpp conf cfg yml "
				   "yaml log tmp bak lock ";

static void lower_copy(char *to, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]);
	to[n] = '\0';
}

/* The last label of a domain: letters, or xn-- and what follows. */
static bool is_top_level(const char *p, size_t n)
{
	char name[LABEL_MAX + 1];
	bool ascii = true;

	if (n < 2 || n > LABEL_MAX)
		return false;
	lower_copy(name, p, n);
	if (n > 4 && strncmp(name, "xn--", 4) == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (!lu_pii_letter(p[i]) && !(p[i] & 0x80))
			return false;
		ascii = ascii && !(p[i] & 0x80);
	}
	return !ascii || (n <= TLD_MAX && !lu_pii_listed(file_endings, name));
}

/* Names of RFC 2606 and RFC 6761. */
static bool is_reserved(const char *p, size_t n)
{
	static const char *const name[] = { "example.com", "example.org", "example.net", "example",
		"invalid", "test", "localhost", NULL };
	char domain[DOMAIN_MAX + 1];

	lower_copy(domain, p, n);
	for (size_t i = 0; name[i]; i++) {
		size_t k = strlen(name[i]);

		if (n >= k && strcmp(domain + n - k, name[i]) == 0 &&
				(n == k || domain[n - k - 1] == '.'))
			return true;
	}
	return false;
}

/* End of the label at p. */
static const char *label_end(const struct lu_pii_stretch *t, const char *p)
{
	const char *q = p;
	size_t n;

	while (q < t->end && q - p <= LABEL_MAX) {
		if (*q == '-')
			q++;
		else if (*q != '_' && lu_pii_word_at(t, q, &n))
			q += n;
		else
			break;
	}
	return q;
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* End of the domain at p, or NULL. */
static const char *domain_end(const struct lu_pii_stretch *t, const char *p)
{
	const char *start = p, *label = p, *q = p;
	size_t labels = 0;

	for (;;) {
		const char *end = label_end(t, p);

		if (end == p || *p == '-' || end - p > LABEL_MAX || end - start > DOMAIN_MAX)
			break;
		/* The next sentence, without the blank. */
		if (labels >= 2 && is_capital(*p) && !is_capital(*label))
			break;
		label = p;
		q = end;
		while (q[-1] == '-')
			q--;
		labels++;
		/* A hyphen ends the domain, but not a label of it. */
		if (q != end && t->end - end >= 2 && *end == '.' && lu_pii_alnum(end[1]))
			return NULL;
		if (q != end || q + 1 >= t->end || *q != '.')
			break;
		p = q + 1;
	}
	if (labels < 2 || !is_top_level(label, (size_t)(q - label)) ||
			is_reserved(start, (size_t)(q - start)))
		return NULL;
	return lu_pii_at(t, q) == '(' ? NULL : q;
}

bool lu_pii_email(const struct lu_pii_stretch *t, const char *at, struct lu_pii_find *f)
{
	char after;

	f->start = local_part(t, at);
	f->end = f->start ? domain_end(t, at + 1) : NULL;
	if (!f->end || is_user_of_url(t, f->start))
		return false;
	after = lu_pii_at(t, f->end);
	return !(at - f->start == 3 && strncmp(f->start, "git", 3) == 0 &&
			(after == ':' || after == '/'));
}

/* --- IPv4 ---------------------------------------------------------------------------------- */

/* Ranges that are not globally reachable: IANA IPv4 Special-Purpose Address Registry, multicast. */
static bool is_global(uint32_t a)
{
	static const struct {
		uint32_t net;
		unsigned bits;
	} special[] = { { 0x00000000, 8 }, { 0x0A000000, 8 }, { 0x64400000, 10 }, { 0x7F000000, 8 },
		{ 0xA9FE0000, 16 }, { 0xAC100000, 12 }, { 0xC0000000, 24 }, { 0xC0000200, 24 },
		{ 0xC0A80000, 16 }, { 0xC6120000, 15 }, { 0xC6336400, 24 }, { 0xCB007100, 24 },
		{ 0xE0000000, 3 } };

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if ((a ^ special[i].net) >> (32 - special[i].bits) == 0)
			return false;
	}
	return true;
}

/* Read four octets at p; returns their end, or NULL. */
static const char *octets(const struct lu_pii_stretch *t, const char *p, uint32_t *address)
{
	*address = 0;
	for (int i = 0; i < 4; i++) {
		unsigned v = 0;
		const char *q = p;

		while (q < t->end && q - p < 3 && lu_pii_digit(*q))
			v = v * 10 + (unsigned)(*q++ - '0');
		if (q == p || v > 255 || (q - p > 1 && *p == '0'))
			return NULL;
		if (q < t->end && lu_pii_digit(*q))
			return NULL;
		*address = *address << 8 | v;
		p = q + 1;
		if (i == 3)
			return q;
		if (q == t->end || *q != '.')
			return NULL;
	}
	return NULL;
}

static const char version_words[] =
		" v ver vers version versions versione versiones versionen versión release rel rev "
		"revision build firmware driver update patch upgrade section sections sec "
		"abschnitt "
		"kapitel chapter chapitre article art clause figure fig table tab tableau appendix "
		"annexe paragraph paragraphe par oid kernel php java jdk sdk dll ";
static const char address_words[] = " ip ips ipv adresse address addr host hosts server serveur "
				    "dns ping nameserver from "
				    "gateway router netmask inet dirección indirizzo ";

/* At the start of a line, with a full stop and a blank behind: "49.6.4.5. Callback". */
static bool is_heading(const struct lu_pii_stretch *t, const char *p, const char *end)
{
	const char *q = p;

	while (q > t->begin && (q[-1] == ' ' || q[-1] == '\t') && p - q < 16)
		q--;
	return (q == t->begin || q[-1] == '\n') && lu_pii_at(t, end) == '.' && t->end - end >= 2 &&
			(end[1] == ' ' || end[1] & 0x80);
}

/* Parts of a version or section are below this; those of one address in 4,096 are too. */
#define PART_MAX 32

/* True if the four parts stand where an address does, and not a version. */
static bool is_placed(const struct lu_pii_stretch *t, const char *p, const char *end, uint32_t a)
{
	char before = lu_pii_before(t, p), after = lu_pii_at(t, end), word[LU_PII_WORD];
	char next = end + 1 < t->end ? end[1] : '<';
	const char *w;
	bool introduced;

	if ((before == '/' || before == '-') && p - t->begin >= 2 && lu_pii_alnum(p[-2]))
		return false;
	if (lu_pii_in(".+@", before) || (after == '.' && lu_pii_alnum(next)))
		return false;
	if (after == '@' || after == '+' || (after == '-' && lu_pii_alnum(next)))
		return false;
	w = lu_pii_last_word(t, p, " .:=\"'([#\t\xC2\xA0", word);
	if (lu_pii_listed(version_words, word))
		return false;
	introduced = lu_pii_listed(address_words, word) ||
			(w - t->begin >= 2 && w == p && w[-1] == '/' && w[-2] == '/') ||
			((after == ':' || after == '/') && lu_pii_digit(next));
	if (introduced)
		return true;
	if (is_heading(t, p, end))
		return false;
	for (unsigned shift = 0; shift < 32; shift += 8) {
		if ((a >> shift & 255) >= PART_MAX)
			return true;
	}
	return false;
}

bool lu_pii_ipv4(const struct lu_pii_stretch *t, const char *p, struct lu_pii_find *f)
{
	uint32_t address;
	size_t n;
	const char *end = octets(t, p, &address);

	if (!end || !is_global(address) || lu_pii_word_before(t, p, &n) ||
			lu_pii_word_at(t, end, &n) || !is_placed(t, p, end, address))
		return false;
	*f = (struct lu_pii_find){ p, end };
	return true;
}

/* --- IPv6 ---------------------------------------------------------------------------------- */

static bool is_hex(char c)
{
	return lu_pii_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static unsigned hex_value(char c)
{
	return (unsigned)(lu_pii_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

static const char *hex_group(const char *p, const char *end, unsigned *v)
{
	const char *q = p;

	*v = 0;
	while (q < end && q - p < 5 && is_hex(*q))
		*v = *v << 4 | hex_value(*q++);
	return q - p <= 4 ? q : NULL;
}

/* End of the address at p, whose first two groups are stored, or NULL. */
static const char *groups(const struct lu_pii_stretch *t, const char *p, unsigned first[2])
{
	unsigned n = 0;
	bool gap = false;

	first[0] = first[1] = 0;
	for (;;) {
		unsigned v;
		const char *q = hex_group(p, t->end, &v);

		if (!q)
			return NULL;
		if (q == p) /* only behind "::" */
			break;
		if (n < 2 && !gap)
			first[n] = v;
		n++;
		p = q;
		if (n == 8 || lu_pii_at(t, p) != ':')
			break;
		if (p + 1 < t->end && p[1] == ':') {
			if (gap)
				return NULL;
			gap = true;
			p += 2;
		} else if (p + 1 < t->end && is_hex(p[1])) {
			p++;
		} else {
			break;
		}
	}
	return gap ? (n < 8 ? p : NULL) : (n == 8 ? p : NULL);
}

bool lu_pii_ipv6(const struct lu_pii_stretch *t, const char *colon, struct lu_pii_find *f)
{
	const char *p = colon - 4;
	unsigned first[2];
	uint32_t last;
	size_t n;

	/* Global unicast is 2000::/3, so the first group has four digits. */
	if (colon - t->begin >= 4 && !(is_hex(p[1]) && is_hex(p[2]) && is_hex(p[3])))
		return false;
	if (colon - t->begin < 4 || (*p != '2' && *p != '3') || colon + 1 >= t->end ||
			(colon[1] != ':' && !is_hex(colon[1])))
		return false;
	if (lu_pii_word_before(t, p, &n) || lu_pii_in(":.-", lu_pii_before(t, p)))
		return false;
	*f = (struct lu_pii_find){ p, groups(t, p, first) };
	if (!f->end || lu_pii_word_at(t, f->end, &n))
		return false;
	if (lu_pii_at(t, f->end) == ':' && f->end + 1 < t->end && lu_pii_alnum(f->end[1]))
		return false;
	if (lu_pii_at(t, f->end) == '.' && f->end + 1 < t->end && lu_pii_digit(f->end[1])) {
		/* The last 32 bits as IPv4: RFC 4291, section 2.2. */
		for (p = f->end; p[-1] != ':';)
			p--;
		f->end = octets(t, p, &last);
		if (!f->end || lu_pii_word_at(t, f->end, &n))
			return false;
	}
	if (lu_pii_at(t, f->end) == ':' && lu_pii_before(t, f->end) != ':' && f->end + 1 < t->end &&
			f->end[1] == ':')
		return false;
	/* Documentation: RFC 3849, RFC 9637. */
	return !(first[0] == 0x2001 && first[1] == 0x0DB8) &&
			!(first[0] == 0x3FFF && first[1] < 0x1000);
}
