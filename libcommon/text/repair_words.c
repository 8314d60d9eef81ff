#include "libcommon/text/repair_words.h"

#include <stdlib.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/utf8.h"
#include "libcommon/text/unicode.h"

#define WORD_MAX 30

/* clang-format off */
static const char common[] =
	" a able about after all also an and any are as at be been but by can could did do does down each"
	" even for from get go had has have he her here him his how if in into is it its just know last less"
	" like made make many may me more most much must my near no nor not now of on one only open or other"
	" our out over part per same see she so some such take than that the their them then there these they"
	" this those time to too two under up us use very was way we well were what when where which while who"
	" why will with would you your"
	" ai au aux avec car ce ces cet cette ceux chez comme dans de des donc du elle elles en entre est et"
	" eu eux fait font il ils je la le les leur leurs lui ma mais me mes moi mon ne ni nos notre nous"
	" on ont ou par pas peu peut plus pour qu que quel qui sa sans se ses si soit son sont sous sur ta te"
	" tes toi ton tous tout tu un une vers vos votre vous"
	" aber als am an auch auf aus bei bin bis da das dem den der des die doch du ein eine einem einen einer"
	" er es hat hatte ich ihm ihn ihr im in ist ja kann man mehr mein mit nach nicht noch nun nur ob oder"
	" sein sich sie sind so um und uns vom von vor war was weil wenn wer werden wie wir wird wo zu zum zur"
	" al como con cuando del donde el ella ellos era es esa ese esta este fue ha hay las lo los muy"
	" nada nos o para pero por porque se ser sin sobre su sus tan todo una uno y ya"
	" agli ai alla alle anche che chi ci col come cosa da dai dal dalla degli dei del della delle di e"
	" gli ha hanno i il io lo loro ma nei nel nella noi non ogni per quando quella questa questo sei"
	" si sia sono su sul sulla tra tu tutti tutto una vi voi"
	" ao aos com da das do dos ela ele em foi isso isto mas na nas nem no nos o os ou pela pelo que se sem"
	" seu seus sua suas um uma"
	" aan als bij dan dat de deze dit door een en er geen haar heb heeft het hij hun ik in is je kan maar"
	" meer met mijn naar niet nog of om ook op over te tot uit van voor was wat we wel werd wij wordt zich"
	" zij zijn zo"
	" off staff stuff cliff tariff sheriff bluff cuff puff sniff stiff scoff payoff layoff takeoff cutoff"
	" tradeoff playoff kickoff riff whiff gruff scruff snuff fluff buff stoff schiff griff begriff angriff"
	" zugriff eingriff treff betreff pfiff kniff wifi hifi bouff ",
	first[] =
	" all anti arri\303\250re apr\303\250s au auto avant beau belle bien bon ce celle celles celui ceux ci co contre"
	" cross demi deux dix double ex extra far first fourth full grand grande gros half haut high ill il in"
	" inter ivre l\303\240 long low mal m\303\252me mi mid mini multi neuf new no non nord nouveau old on one open"
	" ouest outre par peut petit petite post pour pr\303\251 pre pro pseudo quasi quatre qu re real sans second"
	" self semi short single six soi sous state sub sud super sur tele third three time tout toute trente trois"
	" two ultra un vice vingt vis well wide moi toi lui elle elles eux nous vous est jean sino anglo franco"
	" afro euro socio r\303\251 quarante cinquante soixante cent mille cinq sept huit ",
	second[] =
	" aged based born bound built by ci credit day dire down edge elle elles en end eux face faced fold form"
	" free friendly full group half hand haut il ils in je known l\303\240 la le les leur leurs level life like"
	" line looking lui made man mat\303\251riel m\303\252me m\303\252mes midi moi moins mort nous off old on one ones out"
	" over paced party pense point proof quality que rate related right s\303\273r scale self sen side sided size"
	" sized soir sol soon specific speed state style t tel temps term the time to toi ton tout tu type up"
	" vis vivre vous wide wise word work worker y year yourself \303\240 \303\252tre ",
	endings[] =
	" tion tions tional tionally sion sions ment ments mente mentos mento menti ness ing ings ity ities"
	" ble able ables ibles ible ance ances ence ences ency ancy tive tives ture tures tur ten ter ters ted"
	" ting ly ry ty ally cal cally ical ism isme ismes iste istes ist ists tique tiques rique riques"
	" sique ciques it\303\251 it\303\251s t\303\251 t\303\251s teur teurs trice eur eurs eux euse euses aire aires oire oires"
	" ure ures ung ungen keit keiten heit heiten lich liche lichen schaft schaften isch ische ischen ci\303\263n"
	" ciones si\303\263n dad dades zione zioni sione sioni zza zze t\303\240 \303\247\303\243o \303\247\303\265es mos ndo nt"
	" ntes tes nes res ses ves nal nale nales naux rie ries nie gie gies gique giques graph graphy logie"
	" logy logies ";
/* What follows a ligature in English and French, and a few words that would pass for two. */
static const char tails[] =
	" nd nds nding nal nally rst rstly gure gures eld elds le les ll lled lling lm lms ght ve fth res x xed"
	" xing ber bers ned nes ning nite nitely nition nitions nitive nance nancial nanci\303\250re cit cits c cs"
	" cally cation cations cant cantly cance catif ed cial cially ciary rm rms rmed rming rmation dence dent"
	" guration gured cult cult\303\251 culty culties cient ciently ciency ciente ce cer cers ciel cielle liate"
	" liated erent erently erence erences \303\251rent \303\251rente \303\251rence ect ects ected ective"
	" ectively ort orts ering uence uences uenced ation ection ections ict icts icting oor oors ow ows owing"
	" ight ights exible uid uids ame ux eet ance ling ts ted n ns que ques cace cacit\303\251 ",
	known[] = " define refine confine benefit profit unfit offer differ suffer buffer affect effect effort fine"
		  " file files final finals ";
/* clang-format on */

uint32_t lu_doc_words_lower(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) ||
			(c >= 0x410 && c <= 0x42F))
		return c + 32;
	if (c >= 0x400 && c <= 0x40F)
		return c + 80;
	/* Pairs of a capital and a small letter, the capital at an even or an odd place. */
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
		return c + (c & 1);
	return c;
}

bool lu_doc_words_letter(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	if (c >= 0xC0 && c < 0x250)
		return c != 0xD7 && c != 0xF7;
	return lu_unicode_category(c) == LU_CAT_LETTER || lu_unicode_category(c) == LU_CAT_MARK;
}

/* --- lists ---------------------------------------------------------------------------------------- */

static bool is_listed(const char *list, struct lu_str word)
{
	char key[WORD_MAX + 8];
	size_t n = 0;

	if (word.n == 0 || word.n > WORD_MAX)
		return false;
	key[n++] = ' ';
	for (const char *p = word.p, *end = p + word.n; p < end && n < WORD_MAX;)
		n += lu_utf8_put(lu_doc_words_lower(lu_utf8_next(&p)), key + n);
	key[n++] = ' ';
	key[n] = '\0';
	return strstr(list, key) != NULL;
}

bool lu_doc_words_common(struct lu_str word)
{
	return is_listed(common, word);
}

bool lu_doc_words_compound_first(struct lu_str word)
{
	return is_listed(first, word);
}

bool lu_doc_words_compound_second(struct lu_str word)
{
	return is_listed(second, word);
}

bool lu_doc_words_ending(struct lu_str word)
{
	return is_listed(endings, word);
}

bool lu_doc_words_after_ligature(struct lu_str head, struct lu_str tail)
{
	char word[2 * WORD_MAX];

	if (head.n + tail.n >= sizeof(word))
		return false;
	memcpy(word, head.p, head.n);
	memcpy(word + head.n, tail.p, tail.n);
	return is_listed(known, (struct lu_str){ word, head.n + tail.n }) ||
			(is_listed(tails, tail) && !lu_doc_words_common(tail));
}

/* --- the set -------------------------------------------------------------------------------------- */

static uint64_t add_char(uint64_t h, uint32_t c)
{
	char bytes[4];
	size_t n = lu_utf8_put(lu_doc_words_lower(c), bytes);

	return lu_fnv1a(h, bytes, n);
}

static const char *ligature(uint32_t c)
{
	static const char *const letters[] = { "ff", "fi", "fl", "ffi", "ffl", "st", "st" };

	return c >= 0xFB00 && c <= 0xFB06 ? letters[c - 0xFB00] : NULL;
}

static uint64_t add_string(uint64_t h, struct lu_str s)
{
	for (const char *p = s.p, *end = p + s.n; p < end;) {
		uint32_t c = lu_utf8_next(&p);
		const char *letters = ligature(c);

		if (!letters)
			h = add_char(h, c);
		for (; letters && *letters; letters++)
			h = add_char(h, (unsigned char)*letters);
	}
	return h;
}

static uint64_t hash_of(struct lu_str a, struct lu_str b, bool hyphen)
{
	uint64_t h = add_string(LU_FNV_BASIS, a);

	if (hyphen)
		h = add_char(h, '-');
	h = add_string(h, b);
	return h ? h : 1;
}

static size_t slot_of(const struct lu_doc_words *w, uint64_t h)
{
	size_t at = (size_t)(h ^ h >> 32) & (w->slots - 1);

	while (w->hash[at] && w->hash[at] != h)
		at = (at + 1) & (w->slots - 1);
	return at;
}

static bool grow(struct lu_doc_words *w)
{
	struct lu_doc_words next = { .slots = w->slots ? 2 * w->slots : 1024 };

	next.hash = calloc(next.slots, sizeof(*next.hash));
	next.count = calloc(next.slots, sizeof(*next.count));
	if (!next.hash || !next.count) {
		free(next.hash);
		free(next.count);
		return false;
	}
	for (size_t i = 0; i < w->slots; i++) {
		size_t at = w->hash[i] ? slot_of(&next, w->hash[i]) : 0;

		if (!w->hash[i])
			continue;
		next.hash[at] = w->hash[i];
		next.count[at] = w->count[i];
	}
	free(w->hash);
	free(w->count);
	w->hash = next.hash;
	w->count = next.count;
	w->slots = next.slots;
	return true;
}

static bool add(struct lu_doc_words *w, uint64_t h)
{
	size_t at;

	if (4 * w->used >= 3 * w->slots && !grow(w))
		return false;
	at = slot_of(w, h);
	w->used += w->hash[at] == 0;
	w->hash[at] = h;
	if (w->count[at] < UINT32_MAX)
		w->count[at]++;
	return true;
}

uint32_t lu_doc_words_count(
		const struct lu_doc_words *w, struct lu_str a, struct lu_str b, bool hyphen)
{
	size_t at;

	if (w->slots == 0)
		return 0;
	at = slot_of(w, hash_of(a, b, hyphen));
	return w->hash[at] ? w->count[at] : 0;
}

size_t lu_doc_words_hyphen(const char *p, const char *end)
{
	if (p < end && *p == '-')
		return 1;
	return end - p >= 3 && memcmp(p, "\xE2\x80\x90", 3) == 0 ? 3 : 0;
}

static bool ends_line(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p < end && *p == '\n';
}

int lu_doc_words_add_text(struct lu_doc_words *w, struct lu_str text, struct lu_err *err)
{
	const char *p = text.p, *end = p + text.n;
	struct lu_str last = { NULL, 0 }; /* the part before a hyphen */
	bool broken = false;		  /* the line before ends with a hyphen */

	while (p < end) {
		const char *next = p;
		struct lu_str word = { p, 0 };
		size_t hyphen;

		while (next < end && lu_doc_words_letter(lu_utf8_next(&next)))
			word.n = (size_t)(next - p);
		if (word.n == 0) {
			last.p = NULL;
			p = next;
			continue;
		}
		p += word.n;
		hyphen = lu_doc_words_hyphen(p, end);
		if (hyphen && ends_line(p + hyphen, end)) {
			broken = true;
			last.p = NULL;
			continue;
		}
		if (!broken &&
				(!add(w, hash_of(word, (struct lu_str){ "", 0 }, false)) ||
						(last.p && !add(w, hash_of(last, word, true)))))
			return lu_err_nomem(err);
		w->total++;
		broken = false;
		last = hyphen ? word : (struct lu_str){ NULL, 0 };
		p += hyphen;
	}
	return 0;
}

void lu_doc_words_release(struct lu_doc_words *w)
{
	free(w->hash);
	free(w->count);
	*w = (struct lu_doc_words){ 0 };
}
