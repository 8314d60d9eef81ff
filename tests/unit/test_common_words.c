/* The common words of seven languages: what they answer for, and where words begin and end. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "libcommon/langid/common_words.h"

#define FR                                                                                       \
	"Les habitants du village se retrouvent chaque matin sur la place pour acheter du pain " \
	"et parler du temps qu'il fera demain."
#define EN                                                                              \
	"The people of the village meet every morning on the square to buy some bread " \
	"and to talk about the weather of the next day."

static const char capitals_fr[] =
		"LES HABITANTS DU VILLAGE SE RETROUVENT CHAQUE MATIN SUR LA PLACE POUR ACHETER DU "
		"PAIN ET PARLER DU TEMPS QU'IL FERA DEMAIN.";
static const char *judge(struct lu_str text)
{
	struct lu_common_words *w = lu_common_words_new();
	struct lu_common_scan s = { 0 };
	struct lu_err err;
	const char *found;
	double share;

	assert_non_null(w);
	assert_int_equal(lu_common_words_scan(w, text, &s, &err), 0);
	found = lu_common_words_judge(&s, &share);
	assert_true(!found || (share > 0.9 && share <= 1));
	lu_common_scan_release(&s);
	lu_common_words_free(w);
	return found;
}

/* The answer of the common words to a text that is repeated; "" for none. */
static void words_say(const char *lang, const char *text)
{
	struct lu_buf b = { 0 };
	const char *said;

	while (b.n < 2000)
		lu_buf_printf(&b, "%s ", text);
	said = judge(lu_buf_slice(&b));
	if (strcmp(said ? said : "", lang) != 0)
		fail_msg("'%s' instead of '%s': %s", said ? said : "", lang, text);
	lu_buf_release(&b);
}

/* The table answers for prose of its seven languages, never for their neighbours (the first article of
 * the Universal Declaration of Human Rights), lists, code or other scripts. */
static void common_words(void **state)
{
	(void)state;
	words_say("fr", FR);
	words_say("en", EN);
	words_say("fr", capitals_fr);
	words_say("fr",
			"L\u2019\u00c9T\u00c9 EST L\u00c0, ET \u00c0 L\u2019\u00ab\u00c9COLE\u00bb "
			"ON NE S\u2019EN PLAINT PAS ICI.");
	words_say("de",
			"Die Leute aus dem Dorf treffen sich jeden Morgen auf dem Platz und kaufen "
			"das Brot.");
	words_say("es",
			"La gente del pueblo se reúne todas las mañanas en la plaza para comprar "
			"el pan.");
	words_say("it",
			"La gente del paese si incontra ogni mattina sulla piazza per comprare il "
			"pane.");
	words_say("pt",
			"A gente da aldeia encontra-se todas as manhãs na praça para comprar o "
			"pão.");
	words_say("nl",
			"De mensen van het dorp komen elke morgen op het plein bijeen om brood te "
			"kopen.");
	words_say("",
			"Todos os seres humanos nacen libres e iguais en dignidade e dereitos e, "
			"dotados como están de razón e conciencia, débense comportar "
			"fraternalmente uns cos outros.");
	words_say("",
			"Tots els éssers humans neixen lliures i iguals en dignitat i en drets. "
			"Són dotats de raó i de consciència, i han de comportar-se fraternalment "
			"els uns amb els altres.");
	words_say("",
			"Totes los èssers umans naisson liures e egals en dignitat e en dreches. "
			"Son dotats de rason e de consciéncia e mai se devon comportar los unes "
			"amb los autres dins un esperit de fraternitat.");
	words_say("",
			"Toate ființele umane se nasc libere și egale în demnitate și în drepturi. "
			"Ele sunt înzestrate cu rațiune și conștiință și trebuie să se comporte "
			"unele față de altele în spiritul fraternității.");
	words_say("",
			"Alle menslike wesens word vry, met gelyke waardigheid en regte, gebore. "
			"Hulle het rede en gewete en behoort in die gees van broederskap teenoor "
			"mekaar op te tree.");
	words_say("",
			"Alle mennesker er født frie og lige i værdighed og rettigheder. De er "
			"udstyret med fornuft og samvittighed, og de bør handle mod hverandre i en "
			"broderskabets ånd.");
	words_say("",
			"Alla människor är födda fria och lika i värde och rättigheter. De är "
			"utrustade med förnuft och samvete och bör handla gentemot varandra i en "
			"anda av broderskap.");
	words_say("",
			"All Mënsch kënnt fräi a mat deer selwechter Dignitéit an deene selwechte "
			"Rechter op d'Welt.");
	words_say("",
			"Omnes homines dignitate et iure liberi et pares nascuntur, rationis et "
			"conscientiae participes sunt.");
	words_say("", "Noto Sans Gujarati SemiCondensed Black");
	words_say("", "Noto Sans Gujarati of Black");
	words_say("", EN " Жители деревни");
	words_say("",
			"if (a[i] <= the_end) { return is_in(the, of); } else { for (it = to; it; "
			"it = it->as) do_it(); }");
	assert_null(judge(LU_STR(FR))); /* 24 words */
	assert_null(judge((struct lu_str){ NULL, 0 }));
}

/* A word is found wherever it begins in a block of 64 bytes, and none is read past the end. */
static void blocks(void **state)
{
	struct lu_common_words *w = lu_common_words_new();
	struct lu_err err;

	(void)state;
	assert_non_null(w);
	for (size_t before = 0; before < 140; before++) {
		static const char words[] = "«Était» l’hier «THE à»\u2026und x Straßen-los";
		size_t n = before + sizeof(words) - 1;
		char *text = malloc(n); /* exactly: the sanitizer sees what is read past it */
		struct lu_common_scan s = { 0 };

		assert_non_null(text);
		memset(text, '.', before);
		memcpy(text + before, words, sizeof(words) - 1);
		assert_int_equal(lu_common_words_scan(w, (struct lu_str){ text, n }, &s, &err), 0);
		assert_int_equal(s.sets.n, 7);
		for (size_t i = 0; i < s.sets.n; i++)
			assert_int_equal(s.sets.p[i] != 0, i != 5);
		free(text);
		lu_common_scan_release(&s);
	}
	lu_common_words_free(w);
}

/* A stretch in another language, with the words before and behind it; the offsets of words. */
static void stretches(void **state)
{
	static const char indonesian[] =
			"Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang "
			"sama. Mereka dikaruniai akal dan hati nurani. ";
	struct lu_common_words *w = lu_common_words_new();
	struct lu_common_scan s = { 0 };
	struct lu_common_stretch found[LU_COMMON_STRETCHES];
	struct lu_buf b = { 0 };
	struct lu_err err;
	size_t n, words, from, to, before = 0, behind = 0;

	(void)state;
	assert_non_null(w);
	for (int i = 0; i < 15; i++) {
		if (i == 6)
			before = b.n;
		lu_buf_puts(&b, i >= 6 && i < 10 ? indonesian : FR " ");
		if (i == 9)
			behind = b.n;
	}
	assert_int_equal(lu_common_words_scan(w, lu_buf_slice(&b), &s, &err), 0);
	assert_non_null(lu_common_words_stretches(&s, found, &n));
	assert_int_equal(n, 1);
	from = lu_common_words_offset(lu_buf_slice(&b), found[0].from, &words);
	to = lu_common_words_offset(lu_buf_slice(&b), found[0].to, &words);
	assert_in_range(from, before - 20, before + 20);
	assert_in_range(to, behind - 20, behind + 20);
	assert_int_equal(lu_common_words_offset(lu_buf_slice(&b), SIZE_MAX, &words), b.n);
	assert_int_equal(words, s.sets.n);
	assert_int_equal(lu_common_words_offset(LU_STR("a «\u00e9t\u00e9» l\u2019an"), 1, &words),
			15);
	lu_common_scan_release(&s);
	lu_common_words_free(w);
	lu_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_words),
		cmocka_unit_test(blocks),
		cmocka_unit_test(stretches),
	};

	return cmocka_run_group_tests_name("common_words", tests, NULL, NULL);
}
