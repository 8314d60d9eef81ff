#include "libcommon/langid/common_words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SLOTS 4096 /* five times the words, and a power of two */
#define LONGEST 8  /* bytes of a word of the table */
#define NEIGHBOURS LU_COMMON_LANGS
#define BLOCK 64
#define SETS (1U << (LU_COMMON_LANGS + 1))
#define UNIT 16 /* of the steps of has_stretch() */

static const struct {
	const char *code, *words;
} langs[LU_COMMON_LANGS + 1] = {
	{ "en",
			"about ad after al all also am an and any are as at be been before being "
			"between both but by can care come could did do does due each else every "
			"for from had has have he her here him his how if in into is it its just "
			"ma made many may me men might more most must my no non not now of off on "
			"one only or other our out over own per plus sea see shall she should "
			"since so some such than that the their them then there these they this "
			"those through to too under until up upon us very war was we well were "
			"what when where which while who will with would you your" },
	{ "fr",
			"afin ai ainsi aller alors après au aucun aucune aussi autre autres aux "
			"avait avant avec bien car ce cela celle celui ces cet cette ceux chaque "
			"ci comme dans de depuis des deux dit doit dont dos du elle elles en "
			"encore entre est et eux faire fait foi fut il ils je jusqu la le les "
			"leur leurs li lors lui là ma mais me mes met mit moi moins mon même ne "
			"ni non nos notre nous on ont ou où par pas peu peut peuvent plus pour "
			"puis qu quand que quelle qui quoi sa se sein sens sera ses si soit son "
			"sont sous sur ta te tous tout toute toutes très tu un une va vers voir "
			"vos votre vous à étaient était été être" },
	{ "de",
			"aber all alle allem allen aller alles als also am an ander andere "
			"anderen auch auf aus bei beim bis bist da dabei damit dann daran daraus "
			"das dass dazu dein dem den denn der des dich die dies diese diesem "
			"diesen dieser dieses doch dort du durch ein eine einem einen einer eines "
			"es etwas euch für gegen habe haben hat hatte her hier hin ich ihm ihn "
			"ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder "
			"jedes kann kein keine keinen können könnte mehr mein mich mir mit muss "
			"müssen nach nicht nichts noch nun nur ob oder ohne quelle sehr sei sein "
			"seine seinem seinen seiner seit sich sie sind so soll sollen sollte "
			"sollten sondern sonst um und uns unser unter vom von vor war waren was "
			"wegen weil welche wenn wer werden wie wieder wir wird wo worden wurde "
			"wurden zu zum zur zwei zwischen über" },
	{ "es",
			"al algo algunos ante antes aquel aquí así aunque bien cada como con "
			"contra cosa cual cuando dan de del desde donde dos el ella ellas ellos "
			"en entonces entre era eran eres es esa esas ese eso esos esta estas este "
			"esto estos está están fue fueron fué ha había han has hasta hay he la "
			"las le les lo los mas me mes mi mismo muy más mí nada ni no nos nosotros "
			"os otra otro otros para pero poco por porque puede pueden pues que quien "
			"qué se sea según ser será si sido sin sobre solo son su sus sí también "
			"tan te tiene tienen todas todo todos tu tus tú un una unos usted va vez "
			"viene vos ya yo á él" },
	{ "it",
			"abbia ad agli ai al alcuni all alla alle allo altra altre altri altro "
			"anche ancora avere aveva celle che chi ci come con cosa così cui da "
			"dagli dai dal dall dalla dalle dallo degli dei del dell della delle "
			"dello deve di dopo dove due ed era erano essa esse essere fa fare fatto "
			"fino fra gli ha hai hanno ho il in invece io la le lei li lo loro lui là "
			"ma me mentre mi mia mio molto ne negli nei nel nell nella nelle nello no "
			"noi nome non nostro né ogni oppure per perché però più poco poi possono "
			"prima può qua quale quali quando quanto quella quelle quelli quello "
			"questa queste questi questo qui quindi sarà se sei sempre senza si sia "
			"siano solo sono sopra sotto sta stato su sua sue sul sull sulla sulle "
			"suo suoi sì te tra tu tutta tutte tutti tutto un una va vi viene voi vos "
			"è" },
	{ "pt",
			"ainda ali ao aos apenas aqui as assim até bem cada como contra da das de "
			"dela dele depois desde deste do dois dos ela elas ele eles em entre era "
			"eram essa esse esta estas este estes está estão eu foi foram há isso "
			"isto já la lhe mais mas me mesmo meu minha muito na nada nas nem no nos "
			"numa não nós onde os ou outra outro outros para pela pelas pelo pelos "
			"pode podem por porque quais qual quando que quem se seja sempre ser será "
			"seu seus sobre sua suas são só também te tem todas todo todos tu tudo "
			"têm um uma você vos à às é" },
	{ "nl",
			"aan al alle alleen als altijd andere ben bij dan dat de deze die dit "
			"doen door dus een elke en geen had hadden heb hebben heeft hem hen het "
			"hier hij hoe hun iets ik in is ja je jullie kan kunnen maar me meer men "
			"met mij mijn moet moeten na naar niet nog nooit nu of om omdat onder ons "
			"ook op over te tegen tot uit uw van veel voor waar wanneer waren was wat "
			"we wel werd werden wie wij wil worden wordt ze zeer zelf zich zij zijn "
			"zo zonder zou zullen één" },
	/* Words of none of these. */
	{ "",
			"af això amb aquest aquesta ass att cando care cu cum dass dels det din "
			"dins ek els est este et fan gin het hierdie hulle hy ikke inte jy lo mat "
			"máis nie nu och og pe però pola polo på qui quod sed som sunt sy són til "
			"unha ut vir vun är és în și" },
};

/* Words of at most eight bytes as numbers, with the bit of lower case set in each byte. */
struct lu_common_words {
	uint64_t key[SLOTS]; /* 0: empty */
	uint8_t set[SLOTS];  /* bit i: langs[i] */
};

#define LOWER UINT64_C(0x2020202020202020)

static size_t slot_of(const struct lu_common_words *w, uint64_t key)
{
	/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). */
	size_t i = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 52);

	while (w->key[i] && w->key[i] != key)
		i = (i + 1) & (SLOTS - 1);
	return i;
}

/* The key of a word; 0 if it is too long for the table. */
static inline uint64_t key_of(const unsigned char *p, size_t n, const unsigned char *end)
{
	static const unsigned char ones[2 * LONGEST] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF };
	uint64_t v = 0, mask;

	memcpy(&v, p, end - p < LONGEST ? (size_t)(end - p) : LONGEST);
	memcpy(&mask, ones + (n > LONGEST ? LONGEST : LONGEST - n), sizeof(mask));
	return (v | LOWER) & mask;
}

struct lu_common_words *lu_common_words_new(void)
{
	struct lu_common_words *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	for (unsigned i = 0; i <= NEIGHBOURS; i++) {
		const unsigned char *p = (const unsigned char *)langs[i].words;
		const unsigned char *end = p + strlen(langs[i].words);

		while (p < end) {
			size_t n = strcspn((const char *)p, " ");
			uint64_t key = key_of(p, n, end);
			size_t at = slot_of(w, key);

			w->key[at] = key;
			w->set[at] |= (uint8_t)(1U << i);
			p += n + (p + n < end);
		}
	}
	return w;
}

const char *lu_common_words_list(unsigned i, const char **words)
{
	*words = langs[i].words;
	return langs[i].code;
}

void lu_common_words_free(struct lu_common_words *w)
{
	free(w);
}

void lu_common_scan_clear(struct lu_common_scan *s)
{
	s->sets.n = 0;
	s->bytes = s->script = s->signs = 0;
}

void lu_common_scan_release(struct lu_common_scan *s)
{
	lu_vec_release(&s->sets);
}

/* A bit for each byte of a block. */
struct masks {
	uint64_t letter, two, three; /* the first byte of a mark of two or three bytes */
	uint64_t script, sign;
};

#ifdef __SSE2__
static inline uint64_t bits(__m128i v)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(v);
}

/* Bytes of lo to lo + n - 1. */
static inline __m128i within(__m128i v, char lo, char n)
{
	__m128i d = _mm_sub_epi8(v, _mm_set1_epi8(lo));

	return _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8((char)(n - 1))), d);
}

static inline struct masks masks_of(const unsigned char *p)
{
	struct masks m = { 0 };

	for (unsigned i = 0; i < BLOCK; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i low = _mm_or_si128(v, _mm_set1_epi8(0x20));
		uint64_t high = bits(v);

		m.letter |= (bits(within(low, 'a', 26)) | high) << i;
		m.sign |= bits(_mm_or_si128(within(low, '{', 5), within(v, ';', 4))) << i;
		if (!high)
			continue;
		m.two |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xC2))) << i;
		m.three |= bits(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xE2))) << i;
		m.script |= bits(within(v, (char)0xC4, 0x100 - 0xC4)) << i;
	}
	m.script &= ~m.three;
	return m;
}
#else
static inline struct masks masks_of(const unsigned char *p)
{
	struct masks m = { 0 };

	for (unsigned i = 0; i < BLOCK; i++) {
		unsigned c = p[i], low = c | 0x20;

		m.letter |= (uint64_t)(low - 'a' < 26 || c >= 0x80) << i;
		m.sign |= (uint64_t)(low - '{' < 5 || c - ';' < 4) << i;
		m.two |= (uint64_t)(c == 0xC2) << i;
		m.three |= (uint64_t)(c == 0xE2) << i;
		m.script |= (uint64_t)(c >= 0xC4 && c != 0xE2) << i;
	}
	return m;
}
#endif

static inline uint8_t set_of(const struct lu_common_words *w, const unsigned char *p,
		const unsigned char *q, const unsigned char *end)
{
	uint64_t key = key_of(p, (size_t)(q - p), end);

	return w->set[slot_of(w, key)];
}

/* Put the sets of the words of a text into set[], one for two bytes at most; returns how many.
 * Letters are told from other bytes 64 at once: one by one, that would take most of the time. */
static size_t scan(const struct lu_common_words *w, const unsigned char *p,
		const unsigned char *end, struct lu_common_scan *s, uint8_t *set)
{
	const unsigned char *word = NULL; /* one that has begun */
	uint64_t marked = 0, before = 0;  /* of marks, and of a letter, before the block */
	unsigned char tail[BLOCK];
	size_t n = 0;

	for (; p < end; p += BLOCK) {
		const unsigned char *block = p;

		if (end - p < BLOCK) {
			memset(tail, 0, sizeof(tail));
			block = memcpy(tail, p, (size_t)(end - p));
		}
		struct masks m = masks_of(block);
		uint64_t first = m.two | m.three;
		uint64_t letter = m.letter & ~(marked | first | first << 1 | m.three << 2);
		uint64_t start = letter & ~(letter << 1 | before);
		uint64_t stop = ~letter & (letter << 1 | before);

		marked = first >> 63 | m.three >> 62;
		before = letter >> 63;
		if (m.script | m.sign) {
			s->script += (unsigned)__builtin_popcountll(m.script);
			s->signs += (unsigned)__builtin_popcountll(m.sign);
		}
		for (; stop; stop &= stop - 1) {
			if (!word) {
				word = p + __builtin_ctzll(start);
				start &= start - 1;
			}
			const unsigned char *q = p + __builtin_ctzll(stop);

			set[n] = set_of(w, word, q, end);
			n += q - word > 1;
			word = NULL;
		}
		if (start)
			word = p + __builtin_ctzll(start);
	}
	if (word && end - word > 1)
		set[n++] = set_of(w, word, end, end);
	return n;
}

int lu_common_words_scan(const struct lu_common_words *w, struct lu_str text,
		struct lu_common_scan *s, struct lu_err *err)
{
	const unsigned char *p = (const unsigned char *)text.p;

	if (text.n == 0)
		return 0;
	if (!lu_vec_reserve(&s->sets, text.n / 2 + 1))
		return lu_err_nomem(err);
	s->bytes += text.n;
	s->sets.n += scan(w, p, p + text.n, s, s->sets.p + s->sets.n);
	return 0;
}

/* Words that each language has, and that any has. */
struct sums {
	uint64_t own[LU_COMMON_LANGS], any, all;
};

static void add_sums(const uint8_t *set, size_t n, struct sums *sums)
{
	uint64_t by_set[SETS] = { 0 };

	for (size_t i = 0; i < n; i++)
		by_set[set[i]]++;
	for (unsigned k = 1; k < SETS; k++) {
		if (!by_set[k])
			continue;
		sums->any += by_set[k];
		for (unsigned i = 0; i < LU_COMMON_LANGS; i++)
			sums->own[i] += k & 1U << i ? by_set[k] : 0;
	}
	sums->all += n;
}

static struct sums sums_of(const struct lu_common_scan *s)
{
	struct sums sums = { 0 };

	add_sums(s->sets.p, s->sets.n, &sums);
	return sums;
}

/* The CUSUM test for language i: what the sum may be, and the step of each set of languages. */
struct cusum {
	int64_t most;
	int16_t step[SETS];
};

static struct cusum cusum_of(unsigned i, const struct sums *sums)
{
	int64_t n = (int64_t)sums->all, has = (int64_t)sums->own[i], unknown;
	struct cusum c;

	c.most = UNIT * (n / LU_COMMON_PART);
	c.most = c.most < UNIT * LU_COMMON_STRETCH ? UNIT * LU_COMMON_STRETCH : c.most;
	/* has * -8 + (n - has) * unknown = n * -2.5 */
	unknown = (UNIT * 8 * has - UNIT * 5 / 2 * n) / (n - has + 1);
	unknown = unknown < UNIT ? UNIT : unknown > 8 * UNIT ? 8 * UNIT : unknown;
	for (unsigned set = 0; set < SETS; set++)
		c.step[set] = (int16_t)(!set ? unknown : (set & 1U << i ? -8 : 14) * UNIT);
	return c;
}

/* Find the next stretch from word `at` on; false if there is none. */
static bool next_stretch(const struct lu_common_scan *s, const struct cusum *c, size_t at,
		struct lu_common_stretch *found)
{
	int64_t sum = 0, largest = 0;
	size_t from = at;

	for (size_t k = at; k < s->sets.n; k++) {
		sum += c->step[s->sets.p[k]];
		if (sum > largest) {
			largest = sum;
			*found = (struct lu_common_stretch){ from, k + 1 };
		}
		/* The end of one: the sum has lost what it takes to begin another. */
		if (largest > c->most && sum < largest - c->most)
			return true;
		if (sum <= 0) {
			if (largest > c->most)
				return true;
			sum = largest = 0;
			from = k + 1;
		}
	}
	return largest > c->most;
}

/* Whether a sum of consecutive words says that they are not in language i. */
static bool has_stretch(const struct lu_common_scan *s, unsigned i, const struct sums *sums)
{
	struct cusum c = cusum_of(i, sums);
	int64_t sum = 0;

	for (size_t k = 0; k < s->sets.n; k++) {
		sum += c.step[s->sets.p[k]];
		sum = sum < 0 ? 0 : sum;
		if (sum > c.most)
			return true;
	}
	return false;
}

static unsigned best_of(const struct sums *sums)
{
	unsigned best = 0;

	for (unsigned i = 1; i < LU_COMMON_LANGS; i++)
		best = sums->own[i] > sums->own[best] ? i : best;
	return best;
}

static bool has_foreign(const struct sums *sums, unsigned i)
{
	return (sums->any - sums->own[i]) * 100 > sums->own[i] * LU_COMMON_FOREIGN;
}

static bool is_prose(const struct sums *sums, unsigned i)
{
	return sums->all >= LU_COMMON_WORDS && sums->own[i] * 100 >= sums->all * LU_COMMON_OWN &&
			!has_foreign(sums, i);
}

static bool is_plain(const struct lu_common_scan *s)
{
	return s->script * 1000 <= s->bytes * LU_COMMON_SCRIPT &&
			s->signs * 1000 <= s->bytes * LU_COMMON_SIGNS;
}

const char *lu_common_words_judge(const struct lu_common_scan *s, double *share)
{
	struct sums sums;
	unsigned best;

	if (s->sets.n < LU_COMMON_WORDS || !is_plain(s))
		return NULL;
	sums = sums_of(s);
	best = best_of(&sums);
	if (!is_prose(&sums, best) || has_stretch(s, best, &sums))
		return NULL;
	*share = (double)sums.own[best] / (double)sums.any;
	return langs[best].code;
}

const char *lu_common_words_only(const struct lu_common_scan *s, double *any)
{
	struct sums sums = sums_of(s);
	unsigned best = best_of(&sums);

	*any = s->sets.n ? (double)sums.any / (double)s->sets.n : 0;
	return sums.own[best] * 100 >= s->sets.n * LU_COMMON_FEW && !has_foreign(&sums, best) &&
					!has_stretch(s, best, &sums)
			? langs[best].code
			: NULL;
}

const char *lu_common_words_stretches(const struct lu_common_scan *s,
		struct lu_common_stretch stretch[LU_COMMON_STRETCHES], size_t *n)
{
	struct sums sums = sums_of(s), rest = { 0 };
	unsigned best = best_of(&sums);
	struct cusum c = cusum_of(best, &sums);
	size_t at = 0;

	*n = 0;
	if (!is_plain(s) || s->sets.n == 0)
		return NULL;
	while (next_stretch(s, &c, at, &stretch[*n])) {
		add_sums(s->sets.p + at, stretch[*n].from - at, &rest);
		at = stretch[(*n)++].to;
		if (*n == LU_COMMON_STRETCHES)
			return NULL;
	}
	add_sums(s->sets.p + at, s->sets.n - at, &rest);
	if (*n == 0 || rest.all * 2 < s->sets.n || !is_prose(&rest, best))
		return NULL;
	return langs[best].code;
}

/* The bytes of a mark at p: ASCII but letters, or the marks of the header. 0: a letter. */
static size_t mark(const unsigned char *p)
{
	if (*p < 0x80)
		return (*p | 0x20U) - 'a' >= 26;
	return *p == 0xC2 ? 2 : *p == 0xE2 ? 3 : 0;
}

size_t lu_common_words_offset(struct lu_str text, size_t word, size_t *words)
{
	const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n;

	*words = 0;
	while (p < end) {
		const unsigned char *from = p;
		size_t after = 0;

		while (p < end && (after = mark(p)) == 0)
			p++;
		if (p - from > 1 && (*words)++ == word)
			return (size_t)(from - (const unsigned char *)text.p);
		p += p < end ? after : 0;
	}
	return text.n;
}
