#include "libcommon/base/utf8.h"
#include "libcommon/text/repair_steps.h"
#include "libcommon/text/unicode.h"

#define ACCENTS 12

/* Spacing accents as fonts of TeX and old PDF files have them, and the letters that bear them. */
static const struct {
	uint32_t spacing, combining;
	const char *letters;
} accent[ACCENTS] = {
	{ 0xB4, 0x301, "aeiouyAEIOUY" },
	{ 0x60, 0x300, "aeiouAEIOU" },
	{ 0xA8, 0x308, "aeiouyAEIOUY" },
	{ 0x2C6, 0x302, "aeiouAEIOU" },
	{ 0x2DC, 0x303, "anoANO" },
	{ 0xB8, 0x327, "csCS" },
	{ 0x2C7, 0x30C, "cdenrstzCDENRSTZ" },
	{ 0x2D8, 0x306, "agAG" },
	{ 0x2D9, 0x307, "ceIzCEZ" },
	{ 0x2DA, 0x30A, "auAU" },
	{ 0x2DB, 0x328, "aeAE" },
	{ 0x2DD, 0x30B, "ouOU" },
};
enum { ACUTE, GRAVE, DIAERESIS };

/* What the document shows of one accent. */
struct use {
	uint64_t ahead, behind; /* only the letter after it can bear it; only the one before it */
	uint64_t sure, weak;	/* accents; those that alone are no evidence */
	uint64_t other;		/* an apostrophe, a quotation mark, a prime */
	uint64_t composed;
};

static int accent_of(uint32_t c)
{
	for (int i = 0; i < ACCENTS; i++) {
		if (accent[i].spacing == c)
			return i;
	}
	return -1;
}

/* A dotless i bears what an i does. */
static bool bears(int i, uint32_t c)
{
	return (c == 0x131 && strchr(accent[i].letters, 'i')) ||
			(c > 0 && c < 0x80 && strchr(accent[i].letters, (int)c));
}

/* --- one accent and its place ------------------------------------------------------------------------- */

struct place {
	struct lu_str left, right; /* the letters on both sides */
	bool blank;		   /* between the accent and `right` */
	bool ahead, behind;	   /* who can bear it */
};

static uint32_t first_of(struct lu_str s)
{
	const char *p = s.p;

	return s.n ? lu_utf8_next(&p) : 0;
}

/* The accent i at `at`, which ends at p. */
static struct place look(int i, struct lu_str in, const char *at, const char *p)
{
	const char *end = in.p + in.n;
	struct place a = { .left = lu_repair_word_before(in.p, at),
		.right = lu_repair_word_after(p, end) };
	uint32_t c = first_of(a.right);

	a.behind = a.left.n && bears(i, lu_repair_before(in.p, at));
	if (a.right.n == 0 && a.left.n && p < end && *p == ' ' && i != GRAVE) {
		a.right = lu_repair_word_after(p + 1, end);
		c = first_of(a.right);
		a.blank = c >= 'a' && c <= 'z' && bears(i, c) && !a.behind;
		if (!a.blank)
			a.right.n = 0;
		c = first_of(a.right);
	}
	a.ahead = a.right.n && bears(i, c);
	return a;
}

static bool is_one_of(struct lu_str word, const char *list)
{
	char key[16];

	if (word.n == 0 || word.n > sizeof(key) - 3)
		return false;
	key[0] = ' ';
	for (size_t i = 0; i < word.n; i++)
		key[i + 1] = (char)(word.p[i] >= 'A' && word.p[i] <= 'Z' ? word.p[i] + 32
									 : word.p[i]);
	memcpy(key + 1 + word.n, " ", 2);
	return strstr(list, key) != NULL;
}

/* True for the place of an apostrophe, of a quotation mark, or of a prime ("a´"). */
static bool is_other(int i, const struct place *a, struct lu_str in, const char *at, const char *p)
{
	const char *end = in.p + in.n;

	if (i != ACUTE && i != DIAERESIS)
		return false;
	if (a->left.n == 0 && a->right.n) {
		/* An opening quotation mark has a closing one on its line. */
		char mark[4];
		size_t n = lu_utf8_put(accent[i].spacing, mark);
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *q = p;

		for (nl = nl ? nl : end; (q = memmem(q, (size_t)(nl - q), mark, n)) != NULL;
				q += n) {
			if (lu_doc_words_letter(lu_repair_before(in.p, q)) &&
					lu_repair_word_after(q + n, end).n == 0)
				return true;
		}
		return false;
	}
	if (a->left.n == 1 && a->right.n == 0)
		return true;
	if (i != ACUTE)
		return false;
	if (a->blank)
		return lu_doc_words_common(a->right);
	/* Ejectives: "K´iche´", "Q´anjob´al". */
	if (a->left.n && strchr("kKqQ", a->left.p[a->left.n - 1]))
		return true;
	return is_one_of(a->left,
			       " c d j l m n s t qu jusqu lorsqu puisqu quelqu quoiqu presqu "
			       "aujourd entr"
			       " dell all nell sull dall coll un quest quell bell sant o ") ||
			is_one_of(a->right, " s t m d re ve ll n em un ") ||
			(at > in.p && a->left.n && a->right.n == 0 &&
					lu_repair_before(in.p, at) == 's');
}

/* True for an acute that alone would be no evidence: "gwich´in", "würd´ ein". */
static bool is_weak(const struct place *a)
{
	return a->blank || (a->left.n > 0 && a->right.n > 1);
}

/* --- the document -------------------------------------------------------------------------------------- */

/* Count a composed letter under its accent. */
static void count_composed(uint32_t c, struct use *use)
{
	static const char acute[] = "\303\201\303\211\303\215\303\223\303\232\303\241\303\251\303"
				    "\255\303\263\303\272";
	static const char diaeresis[] = "\303\204\303\213\303\217\303\226\303\234\303\244\303\253"
					"\303\257\303\266\303\274";
	char bytes[5] = { 0 };

	if (c < 0xC0 || c > 0xFF)
		return;
	lu_utf8_put(c, bytes);
	use[ACUTE].composed += strstr(acute, bytes) != NULL;
	use[DIAERESIS].composed += strstr(diaeresis, bytes) != NULL;
}

static void count(struct use *use, const struct place *a, bool weak)
{
	use->ahead += a->ahead && !a->behind;
	use->behind += a->behind && !a->ahead;
	use->weak += weak;
	use->sure += !weak;
}

static void survey(struct lu_str in, struct use *use)
{
	const char *p = in.p, *end = p + in.n;

	while (p < end) {
		const char *at = p;
		uint32_t c = lu_utf8_next(&p);
		int i;
		struct place a;

		if (c < 0x80 && c != '`')
			continue;
		count_composed(c, use);
		i = c > 0x2DD ? -1 : accent_of(c);
		if (i < 0)
			continue;
		a = look(i, in, at, p);
		if (is_other(i, &a, in, at, p))
			use[i].other++;
		else if (a.ahead || a.behind)
			count(&use[i], &a, i == ACUTE && is_weak(&a));
	}
}

/* Which accents are to be repaired. Returns their number. */
static unsigned decide(const struct use *use, bool *repaired)
{
	unsigned n = 0;

	/* The acute and the grave come last: whether there are others tells what they are. */
	for (int i = ACCENTS; i-- > 0;) {
		uint64_t sure = use[i].sure;

		if (use[i].weak > 1 || n > 0)
			sure += use[i].weak;
		repaired[i] = i == GRAVE ? false
					 : sure > use[i].other && use[i].composed <= 4 * sure;
		n += repaired[i];
	}
	repaired[GRAVE] = n > 0 && use[GRAVE].sure > 0;
	return n;
}

static int put_composed(int i, uint32_t letter, struct lu_buf *out, struct lu_err *err)
{
	char bytes[8];
	size_t n;

	n = lu_utf8_put(letter == 0x131 ? 'i' : letter, bytes);
	n += lu_utf8_put(accent[i].combining, bytes + n);
	return lu_unicode_normalize(LU_FORM_NFC, (struct lu_str){ bytes, n }, out, err);
}

/* "voil`a", "`a"; never the first of a pair of marks around a word. */
static bool is_grave(const struct place *a)
{
	return a->ahead && (a->left.n > 0 || lu_utf8_count(a->right.p, a->right.n) == 1);
}

int lu_repair_accents(struct lu_str in, struct lu_buf *out, uint64_t *n, struct lu_err *err)
{
	struct use use[ACCENTS] = { 0 };
	bool repaired[ACCENTS], mostly_behind;
	uint64_t ahead = 0, behind = 0;
	const char *p = in.p, *end = p + in.n, *from = p;

	survey(in, use);
	if (decide(use, repaired) == 0) {
		lu_buf_str(out, in);
		return lu_buf_check(out, err);
	}
	for (int i = 0; i < ACCENTS; i++) {
		ahead += repaired[i] ? use[i].ahead : 0;
		behind += repaired[i] ? use[i].behind : 0;
	}
	mostly_behind = behind > ahead;
	while (p < end) {
		const char *at = p;
		uint32_t c = lu_utf8_next(&p);
		int i = c == '`' || (c >= 0x80 && c <= 0x2DD) ? accent_of(c) : -1;
		struct place a;

		if (i < 0 || !repaired[i])
			continue;
		a = look(i, in, at, p);
		if ((!a.ahead && !a.behind) || (i == GRAVE && !is_grave(&a)))
			continue;
		++*n;
		lu_buf_append(out, from, (size_t)(at - from));
		if (a.ahead && !(a.behind && mostly_behind)) {
			uint32_t letter;

			p += a.blank;
			letter = lu_utf8_next(&p);
			if (put_composed(i, letter, out, err) < 0)
				return -1;
		} else {
			uint32_t letter = lu_repair_before(in.p, at);

			/* Unless an accent before it took the letter. */
			if (from < at) {
				out->n -= letter == 0x131 ? 2 : 1;
				if (put_composed(i, letter, out, err) < 0)
					return -1;
			} else {
				--*n;
				lu_buf_append(out, at, (size_t)(p - at));
			}
		}
		from = p;
	}
	lu_buf_append(out, from, (size_t)(end - from));
	return lu_buf_check(out, err);
}
