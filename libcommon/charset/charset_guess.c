#include "libcommon/charset/charset_guess.h"

#include <math.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/charset/charset_models.h"

#define SAMPLE ((size_t)16384)
#define MARGIN 6.0   /* bits between the best and the next */
#define QUALITY 10.0 /* bits of a character */
#define QUALITY_OF_PAIRS 13.0
#define WORD_BONUS 12.0 /* bits */
#define ERROR_COST 40.0
#define ASCII_COST 5.0
#define LETTERS 0x700 /* letters of the models are below */

/* Bits of characters that no model has. */
#define COST_SIGN 8.0
#define COST_RARE_SIGN 12.0
#define COST_LETTER 11.0
#define COST_FOREIGN 20.0
#define COST_CONTROL 24.0
#define COST_CAPITAL 4.0
#define COST_MIXED 7.0

enum kind { SINGLE, SHIFT_JIS, EUC_JP, GBK, BIG5, EUC_KR };

static const struct candidate {
	enum lu_encoding e;
	const char *name; /* of iconv */
	enum kind kind;
	enum lu_script_group group;
} candidates[] = {
	{ LU_ENC_WINDOWS_1252, NULL, SINGLE, LU_GROUP_WEST },
	{ LU_ENC_WINDOWS_1250, NULL, SINGLE, LU_GROUP_CENTRAL },
	{ LU_ENC_WINDOWS_1254, NULL, SINGLE, LU_GROUP_TURKISH },
	{ LU_ENC_WINDOWS_1257, NULL, SINGLE, LU_GROUP_BALTIC },
	{ LU_ENC_WINDOWS_1251, NULL, SINGLE, LU_GROUP_CYRILLIC },
	{ LU_ENC_WINDOWS_1253, NULL, SINGLE, LU_GROUP_GREEK },
	{ LU_ENC_WINDOWS_1255, NULL, SINGLE, LU_GROUP_HEBREW },
	{ LU_ENC_WINDOWS_1256, NULL, SINGLE, LU_GROUP_ARABIC },
	{ LU_ENC_ISO_8859_15, NULL, SINGLE, LU_GROUP_WEST },
	{ LU_ENC_ISO_8859_2, NULL, SINGLE, LU_GROUP_CENTRAL },
	{ LU_ENC_ISO_8859_5, NULL, SINGLE, LU_GROUP_CYRILLIC },
	{ LU_ENC_ISO_8859_7, NULL, SINGLE, LU_GROUP_GREEK },
	{ LU_ENC_KOI8_R, NULL, SINGLE, LU_GROUP_CYRILLIC },
	{ LU_ENC_KOI8_U, NULL, SINGLE, LU_GROUP_CYRILLIC },
	{ LU_ENC_IBM866, NULL, SINGLE, LU_GROUP_CYRILLIC },
	{ LU_ENC_X_MAC_CYRILLIC, NULL, SINGLE, LU_GROUP_CYRILLIC },
	{ LU_ENC_MACINTOSH, NULL, SINGLE, LU_GROUP_WEST },
	{ LU_ENC_NONE, "CP850", SINGLE, LU_GROUP_WEST },
	{ LU_ENC_NONE, "CP437", SINGLE, LU_GROUP_WEST },
	{ LU_ENC_NONE, "CP852", SINGLE, LU_GROUP_CENTRAL },
	{ LU_ENC_SHIFT_JIS, NULL, SHIFT_JIS, LU_GROUP_WEST },
	{ LU_ENC_EUC_JP, NULL, EUC_JP, LU_GROUP_WEST },
	{ LU_ENC_GBK, NULL, GBK, LU_GROUP_WEST },
	{ LU_ENC_BIG5, NULL, BIG5, LU_GROUP_WEST },
	{ LU_ENC_EUC_KR, NULL, EUC_KR, LU_GROUP_WEST },
};
#define CANDIDATES (sizeof(candidates) / sizeof(candidates[0]))

struct guesser {
	struct lu_charset_index *ix;
	struct lu_str sample;
	struct lu_buf text;			 /* the sample as the candidate has it */
	double cost[LU_CHARSET_MODELS][LETTERS]; /* bits; 0: not of the language */
	double bonus[LU_CHARSET_MODELS];
};

/* --- characters --------------------------------------------------------------------------------- */

static bool is_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= 0xC0 && c < 0x250 && c != 0xD7 && c != 0xF7) ||
			(c >= 0x386 && c < 0x530) || (c >= 0x5D0 && c <= 0x5EA) ||
			(c >= 0x620 && c <= 0x64A);
}

static int script_of(uint32_t c)
{
	return c < 0x250 ? 0 : c < 0x400 ? 1 : c < 0x530 ? 2 : c < 0x600 ? 3 : 4;
}

/* The small letter of a capital; c itself for others. */
static uint32_t lower(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) ||
			(c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
		return c + 32;
	if (c >= 0x400 && c <= 0x40F)
		return c + 80;
	if (c == 0x386 || (c >= 0x388 && c <= 0x38F))
		return c == 0x386 ? 0x3AC : c <= 0x38A ? c + 37 : c == 0x38C ? 0x3CC : c + 63;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177) || c == 0x490 || c == 0x218 ||
			c == 0x21A)
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
		return c + (c & 1);
	return c == 0x178 ? 0xFF : c;
}

static bool is_usual_sign(uint32_t c)
{
	static const uint16_t usual[] = { 0xA0, 0xA3, 0xA7, 0xA9, 0xAB, 0xAD, 0xAE, 0xB0, 0xB7,
		0xBB, 0xBF, 0x2013, 0x2014, 0x2018, 0x2019, 0x201A, 0x201C, 0x201D, 0x201E, 0x2022,
		0x2026, 0x20AC, 0x2116 };

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (usual[i] == c)
			return true;
	}
	return false;
}

/* Bits of a character beyond ASCII that is no letter. */
static double cost_of_sign(uint32_t c, uint32_t before, uint32_t after)
{
	double cost = c < 0xA0 ? COST_CONTROL : is_usual_sign(c) ? COST_SIGN : COST_RARE_SIGN;

	if (is_letter(before) && is_letter(after) && c != 0x2019 && c != 0xAD && c != 0xB7)
		cost += COST_MIXED;
	return cost;
}

static double cost_of_letter(const double *model, uint32_t c, uint32_t before, uint32_t after)
{
	uint32_t small = lower(c);
	double cost = small < LETTERS && model[small] > 0 ? model[small]
			: script_of(c) == 0		  ? COST_LETTER
							  : COST_FOREIGN;

	if (small != c) {
		cost += is_letter(before) && lower(before) == before ? COST_MIXED + COST_CAPITAL
				: is_letter(before) && lower(after) == after && is_letter(after)
				? COST_MIXED
				: COST_CAPITAL;
	} else if (is_letter(after) && lower(after) != after) {
		cost += COST_MIXED;
	}
	if ((is_letter(before) && script_of(before) != script_of(c)) ||
			(is_letter(after) && script_of(after) != script_of(c)))
		cost += COST_MIXED;
	return cost;
}

static double cost_of_ascii(uint32_t c)
{
	return c < 0x20 && !strchr("\t\n\r\f", (int)c) ? COST_CONTROL : ASCII_COST;
}

/* --- single bytes ---------------------------------------------------------------------------------- */

/* Bits of the text in a language. *chars is the number of characters beyond ASCII. */
static double cost_in(const double *model, struct lu_str text, size_t *chars)
{
	const char *p = text.p, *end = p + text.n;
	uint32_t before = 0, c = p < end ? lu_utf8_next(&p) : 0;
	double cost = 0;

	*chars = 0;
	while (c) {
		uint32_t after = p < end ? lu_utf8_next(&p) : 0;

		if (c < 0x80) {
			cost += cost_of_ascii(c);
		} else {
			++*chars;
			cost += is_letter(c) ? cost_of_letter(model, c, before, after)
					     : cost_of_sign(c, before, after);
		}
		before = c;
		c = after;
	}
	return cost;
}

/* --- pairs ------------------------------------------------------------------------------------------- */

static bool is_in(const char *list, uint32_t c)
{
	char bytes[5] = { 0 };

	lu_utf8_put(c, bytes);
	return strstr(list, bytes) != NULL;
}

/* Bits of a character c whose first byte is `lead`, by the rows of its code. */
static double cost_of_pair(enum kind kind, unsigned char lead, unsigned char trail, uint32_t c)
{
	bool kana = c >= 0x3041 && c <= 0x30FE;

	if (c >= 0xE000 && c <= 0xF8FF)
		return COST_CONTROL;
	if (c < 0x3041 || c >= 0xFF00)
		return c >= 0xFF61 && c <= 0xFF9F ? 13 : c >= 0x3000 || is_usual_sign(c) ? 8 : 14;
	switch (kind) {
	case SHIFT_JIS:
	case EUC_JP:
		if (kana)
			return c < 0x30A0 ? 7 : 9;
		if (is_in(lu_charset_kanji, c))
			return 10;
		return (kind == SHIFT_JIS ? lead >= 0x88 && lead <= 0x97
					  : lead >= 0xB0 && lead <= 0xCF)
				? 13
				: 18;
	case GBK:
		if (trail < 0xA1 || lead < 0xA1)
			return 22;
		return is_in(lu_charset_hans, c) ? 8.5 : lead >= 0xB0 && lead <= 0xD7 ? 13 : 19;
	case BIG5:
		return is_in(lu_charset_hant, c) ? 8.5 : lead >= 0xA4 && lead <= 0xC6 ? 13.5 : 19;
	default:
		if (c >= 0xAC00 && c <= 0xD7A3)
			return is_in(lu_charset_hangul, c)				? 7
					: lead >= 0xB0 && lead <= 0xC8 && trail >= 0xA1 ? 12
											: 19;
		return 17;
	}
}

/* Number of bytes that a character took. */
static size_t length_of(enum kind kind, unsigned char lead)
{
	if (lead < 0x80 || (kind == SHIFT_JIS && (lead == 0x80 || (lead >= 0xA1 && lead <= 0xDF))))
		return 1;
	if (kind == EUC_JP && lead == 0x8F)
		return 3;
	return kind == GBK && lead == 0x80 ? 1 : 2;
}

/* Bits of the text whose bytes are the sample; the two are walked side by side. */
static double cost_of_pairs(enum kind kind, struct lu_str bytes, struct lu_str text, size_t *chars)
{
	const unsigned char *b = (const unsigned char *)bytes.p, *stop = b + bytes.n;
	const char *p = text.p, *end = p + text.n;
	double cost = 0;

	*chars = 0;
	while (p < end && b < stop) {
		uint32_t c = lu_utf8_next(&p);
		size_t n = length_of(kind, *b);

		/* The sample ends within a pair. */
		if (c == 0xFFFD && stop - b == 1)
			break;
		if (c == 0xFFFD)
			return HUGE_VAL;
		if (n > (size_t)(stop - b))
			return HUGE_VAL;
		if (c < 0x80) {
			cost += cost_of_ascii(c);
		} else {
			++*chars;
			cost += cost_of_pair(kind, b[0], n > 1 ? b[1] : 0, c);
		}
		b += n;
	}
	/* Four bytes of GB 18030, or two characters of Big5: rare enough to be no text. */
	return p < end || stop - b > 1 ? HUGE_VAL : cost;
}

/* --- candidates ------------------------------------------------------------------------------------ */

static void fill_models(struct guesser *g)
{
	double most = 0;

	for (int i = 0; i < LU_CHARSET_MODELS; i++) {
		const char *letters = lu_charset_model[i].letters;
		size_t n = lu_utf8_count(letters, strlen(letters)), rank = 0;
		double total = 0;

		for (size_t k = 0; k < n; k++)
			total += exp(-3.0 * (double)k / (double)n);
		for (const char *p = letters; *p; rank++) {
			double share = exp(-3.0 * (double)rank / (double)n) / total;

			g->cost[i][lu_utf8_next(&p)] = -log2(0.9 * share);
		}
	}
	for (int i = 0; i < LU_CHARSET_MODELS; i++)
		most = g->bonus[i] > most ? g->bonus[i] : most;
	/* A few words are a chance. */
	for (int i = 0; i < LU_CHARSET_MODELS; i++)
		g->bonus[i] *= WORD_BONUS / (most > 8 ? most : 8);
}

/* Count the frequent words of each language. */
static void count_words(struct guesser *g)
{
	const char *p = g->sample.p, *end = p + g->sample.n;

	while (p < end) {
		char key[12];
		size_t n = 0;

		while (p < end &&
				(((unsigned char)*p | 32) < 'a' ||
						((unsigned char)*p | 32) > 'z') &&
				(unsigned char)*p < 0x80)
			p++;
		key[n++] = ' ';
		for (; p < end &&
				(((*p | 32) >= 'a' && (*p | 32) <= 'z') ||
						(unsigned char)*p >= 0x80);
				p++) {
			if (n < sizeof(key) - 2)
				key[n++] = (unsigned char)*p >= 0x80 ? '?' : (char)(*p | 32);
			else
				key[1] = '?';
		}
		key[n++] = ' ';
		key[n] = '\0';
		for (int i = 0; n > 3 && i < LU_CHARSET_MODELS; i++)
			g->bonus[i] += strstr(lu_charset_model[i].words, key) != NULL;
	}
}

static bool is_written_in(enum lu_script_group group, const struct candidate *c)
{
	return group == c->group ||
			(group == LU_GROUP_ESTONIAN &&
					(c->e == LU_ENC_WINDOWS_1252 ||
							c->e == LU_ENC_ISO_8859_15));
}

/* The bits of the sample in a candidate; HUGE_VAL: not valid in it. */
static int evaluate(struct guesser *g, const struct candidate *c, double *cost, size_t *chars,
		struct lu_err *err)
{
	uint64_t errors = 0;
	int rc;

	lu_buf_clear(&g->text);
	*cost = HUGE_VAL;
	*chars = 1;
	rc = c->name ? lu_charset_decode_named(g->ix, c->name, g->sample, &g->text, &errors, err)
		     : lu_charset_decode(g->ix, c->e, g->sample, &g->text, &errors, err);
	if (rc < 0)
		return -1;
	if (c->kind != SINGLE) {
		if (errors <= 1)
			*cost = cost_of_pairs(c->kind, g->sample, lu_buf_slice(&g->text), chars);
		return 0;
	}
	for (int i = 0; i < LU_CHARSET_MODELS; i++) {
		double bits;

		if (!is_written_in(lu_charset_model[i].group, c))
			continue;
		bits = cost_in(g->cost[i], lu_buf_slice(&g->text), chars) - g->bonus[i];
		*cost = bits < *cost ? bits : *cost;
	}
	*cost += (double)errors * ERROR_COST;
	return 0;
}

static int choose(struct guesser *g, struct lu_charset_guess *guess, struct lu_err *err)
{
	struct lu_buf text[CANDIDATES] = { 0 };
	double cost[CANDIDATES], quality, next = HUGE_VAL;
	size_t best = 0, chars[CANDIDATES], ascii = 0;
	int rc = -1;

	for (size_t i = 0; i < CANDIDATES; i++) {
		if (evaluate(g, &candidates[i], &cost[i], &chars[i], err) < 0)
			goto out;
		/* Keep what it decodes to. */
		text[i] = g->text;
		g->text = (struct lu_buf){ 0 };
		if (cost[i] < cost[best])
			best = i;
	}
	for (size_t i = 0; i < CANDIDATES; i++) {
		if (cost[i] < next && !lu_str_eq(lu_buf_slice(&text[i]), lu_buf_slice(&text[best])))
			next = cost[i];
		/* The first of those with the same text. */
		if (i < best && lu_str_eq(lu_buf_slice(&text[i]), lu_buf_slice(&text[best])))
			best = i;
	}
	quality = candidates[best].kind == SINGLE ? QUALITY : QUALITY_OF_PAIRS;
	for (size_t i = 0; i < text[best].n; i++)
		ascii += (unsigned char)text[best].p[i] < 0x80;
	if (cost[best] + MARGIN <= next && cost[best] < HUGE_VAL &&
			cost[best] - ASCII_COST * (double)ascii <= quality * (double)chars[best]) {
		guess->e = candidates[best].e;
		guess->name = candidates[best].name ? candidates[best].name
						    : lu_encoding_name(candidates[best].e);
	}
	rc = 0;
out:
	for (size_t i = 0; i < CANDIDATES; i++)
		lu_buf_release(&text[i]);
	return rc;
}

/* --- the sample ---------------------------------------------------------------------------------------- */

static bool has_high(struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	}
	return false;
}

static void take_sample(struct lu_str in, struct lu_buf *sample)
{
	const char *p = in.p, *end = p + in.n;

	lu_buf_clear(sample);
	while (p < end && sample->n < SAMPLE) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		struct lu_str line = { p, (size_t)((nl ? nl + 1 : end) - p) };

		p += line.n;
		if (line.n > SAMPLE)
			line.n = SAMPLE;
		if (has_high(line))
			lu_buf_str(sample, line);
	}
}

/* UTF-16 without a mark: NULs at every second place, and a text in it. */
static enum lu_encoding wide_of(struct lu_str in)
{
	size_t nul[2] = { 0, 0 };

	for (size_t i = 0; i < in.n; i++)
		nul[i & 1] += in.p[i] == 0;
	/* Every text has blanks or line ends, and few scripts have them as rarely as Chinese. */
	if (in.n % 2 != 0 || nul[0] + nul[1] < 2 || (nul[0] + nul[1]) * 64 < in.n)
		return LU_ENC_NONE;
	/* The ideographic space, U+3000, has its NUL on the other side. */
	return nul[0] * 8 <= nul[1]	       ? LU_ENC_UTF_16LE
			: nul[1] * 8 <= nul[0] ? LU_ENC_UTF_16BE
					       : LU_ENC_NONE;
}

static bool is_iso_2022_jp(struct lu_str in)
{
	return (memmem(in.p, in.n, "\x1B$B", 3) || memmem(in.p, in.n, "\x1B$@", 3)) &&
			(memmem(in.p, in.n, "\x1B(B", 3) || memmem(in.p, in.n, "\x1B(J", 3)) &&
			!has_high(in);
}

int lu_charset_guess(struct lu_charset_index *ix, struct lu_str in, struct lu_buf *scratch,
		struct lu_charset_guess *guess, struct lu_err *err)
{
	struct guesser *g;
	int rc;

	*guess = (struct lu_charset_guess){ LU_ENC_NONE, NULL };
	if (memchr(in.p, 0, in.n))
		guess->e = wide_of(in);
	else if (is_iso_2022_jp(in))
		guess->e = LU_ENC_ISO_2022_JP;
	if (guess->e != LU_ENC_NONE)
		guess->name = lu_encoding_name(guess->e);
	if (guess->name || memchr(in.p, 0, in.n))
		return 0;
	take_sample(in, scratch);
	if (lu_buf_check(scratch, err) < 0)
		return -1;
	if (scratch->n == 0)
		return 0;
	g = calloc(1, sizeof(*g));
	if (!g)
		return lu_err_nomem(err);
	g->ix = ix;
	g->sample = lu_buf_slice(scratch);
	count_words(g);
	fill_models(g);
	rc = choose(g, guess, err);
	lu_buf_release(&g->text);
	free(g);
	return rc;
}
