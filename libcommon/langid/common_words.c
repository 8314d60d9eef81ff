#include "libcommon/langid/common_words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 2048 /* four times the words, and a power of two */
#define LONGEST 8  /* bytes of a word of the table */
/* Least share of own words, and most of foreign ones beside them, in per cent. */
#define LEAST_OWN 15
#define MOST_FOREIGN 20
#define FEWEST 20 /* words below which there is no guess */

static const struct {
	const char *code, *words;
} langs[LU_COMMON_LANGS] = {
	{ "en",
			"a an and are as at be been but by can for from has have if in is it no "
			"not of on "
			"one or that the their they this to use was we were which will with you "
			"your" },
	{ "fr",
			"à a au aux avec c ce ces cette d dans de des du elle en est et être il "
			"ils je l "
			"la le les mais n ne nous on ou par pas plus pour qu que qui s sa se ses "
			"si son "
			"sont sur un une vous" },
	{ "de",
			"als am an auch auf aus bei das dass dem den der des die ein eine einem "
			"einen "
			"einer er es für hat ich im in ist man mit nach nicht noch nur oder sich "
			"sie sind "
			"so um und von war was werden wie wird zu zum zur" },
	{ "es",
			"a al como con de del el ella en entre es esta está este ha la las le lo "
			"los más "
			"mi no o para pero por que se si sin sobre son su sus también un una y "
			"ya" },
	{ "it",
			"a ad al all alla anche che ci come con d da dal dalla dei del dell della "
			"delle di "
			"e è ed gli ha i il in io l la le lo ma nel nell nella non o per più "
			"quando "
			"questo se si sono su un una" },
	{ "pt",
			"a ao aos as com como da das de do dos e é em mais mas na não no nos o os "
			"ou para "
			"pela pelo por que se sem ser seu são sua também um uma" },
	{ "nl",
			"aan als bij dat de die door een en er het hij ik in is je maar met naar "
			"niet nog "
			"of om ook op te tot uit van voor was wat wordt ze zijn zo" },
};

/* Words of at most eight bytes as numbers. */
struct lu_common_words {
	uint64_t key[SLOTS]; /* 0: empty */
	uint8_t set[SLOTS];  /* bit i: langs[i] */
	uint8_t fold[256];   /* the lower case of a byte of a word, 0 for others */
};

/* Fold A-Z; and 0x80 to 0x9E as after 0xC3, where they are capitals. After another byte two letters may
 * become one, of words that are not in the table. */
static void fold_bytes(struct lu_common_words *w)
{
	for (unsigned b = 'A'; b < 256; b++) {
		bool letter = b >= 0x80 || (b | 0x20) - 'a' < 26;

		if (letter && b != 0xC2 && b != 0xE2)
			w->fold[b] = (uint8_t)(b < 0x9F ? b | 0x20 : b);
	}
}

static size_t slot_of(const struct lu_common_words *w, uint64_t key)
{
	/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). */
	size_t i = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 53);

	while (w->key[i] && w->key[i] != key)
		i = (i + 1) & (SLOTS - 1);
	return i;
}

struct lu_common_words *lu_common_words_new(void)
{
	struct lu_common_words *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	fold_bytes(w);
	for (unsigned i = 0; i < LU_COMMON_LANGS; i++) {
		uint64_t key = 0;

		for (const unsigned char *p = (const unsigned char *)langs[i].words;; p++) {
			if (*p && *p != ' ') {
				key = key << 8 | *p;
				continue;
			}
			size_t at = slot_of(w, key);

			w->key[at] = key;
			w->set[at] |= (uint8_t)(1U << i);
			key = 0;
			if (!*p)
				break;
		}
	}
	return w;
}

void lu_common_words_free(struct lu_common_words *w)
{
	free(w);
}

void lu_common_words_count(
		const struct lu_common_words *w, struct lu_str text, struct lu_common_counts *c)
{
	const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n;

	while (p < end) {
		const unsigned char *start = p;
		uint64_t key = 0;

		for (; p < end && w->fold[*p]; p++)
			key = key << 8 | w->fold[*p];
		c->words += p > start;
		if (p > start && p - start <= LONGEST)
			c->by_set[w->set[slot_of(w, key)]]++;
		/* The marks of U+0080 to U+00BF and U+2000 to U+2FFF end a word. */
		if (p < end)
			p += *p == 0xC2 ? 2 : *p == 0xE2 ? 3 : 1;
	}
}

const char *lu_common_words_guess(const struct lu_common_counts *c)
{
	if (c->words < FEWEST)
		return NULL;
	for (unsigned i = 0; i < LU_COMMON_LANGS; i++) {
		uint64_t own = 0, foreign = 0;

		for (unsigned set = 1; set < 1U << LU_COMMON_LANGS; set++)
			*(set & 1U << i ? &own : &foreign) += c->by_set[set];
		if (own * 100 >= c->words * LEAST_OWN && foreign * 100 <= own * MOST_FOREIGN)
			return langs[i].code;
	}
	return NULL;
}
