/* Language identification: the cases on which identifiers are known to fail. */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "libcommon/base/utf8.h"
#include "libcommon/langid/langid.h"
#include "libcommon/langid/langid_sample.h"

#define FR                                                                                       \
	"Les habitants du village se retrouvent chaque matin sur la place pour acheter du pain " \
	"et parler du temps qu'il fera demain."
#define EN                                                                              \
	"The people of the village meet every morning on the square to buy some bread " \
	"and to talk about the weather of the next day."

static const struct lu_langid_options usual = {
	.min_bytes = 256, .max_bytes = 4096, .min_score = 0.5
};

static struct lu_lang ask_from(
		size_t min_bytes, size_t max_bytes, double min_score, struct lu_str text)
{
	struct lu_err err = { 0 };
	struct lu_langid_options o = {
		.min_bytes = min_bytes, .max_bytes = max_bytes, .min_score = min_score
	};
	struct lu_langid *id = lu_langid_new(NULL, &o, &err);
	struct lu_langid_work w = { 0 };
	struct lu_lang l;

	assert_non_null(id);
	assert_int_equal(lu_langid_text(id, &w, text, &l, &err), 0);
	lu_langid_work_release(&w);
	lu_langid_free(id);
	return l;
}

static struct lu_lang ask_with(size_t max_bytes, double min_score, struct lu_str text)
{
	return ask_from(256, max_bytes, min_score, text);
}

static struct lu_lang ask(const char *text)
{
	return ask_with(4096, 0.5, lu_str_of(text));
}

static void is(const char *lang, const char *text)
{
	struct lu_lang l = ask(text);

	if (strcmp(l.lang, lang) != 0)
		fail_msg("%s instead of %s: %s", l.lang, lang, text);
}

static void languages(void **state)
{
	(void)state;
	is("fr", FR);
	is("en", EN);
	is("de", "Die Leute aus dem Dorf treffen sich jeden Morgen auf dem Platz und kaufen Brot.");
	is("es", "La gente del pueblo se reúne todas las mañanas en la plaza para comprar pan.");
	is("it", "La gente del paese si incontra ogni mattina sulla piazza per comprare il pane.");
	is("ru", "Жители деревни каждое утро встречаются на площади, чтобы купить хлеб.");
	is("ja", "村の人々は毎朝広場に集まってパンを買います。");
	is("zh", "村里的人每天早上都在广场上见面，买面包，谈论明天的天气。");
	is("he", "אנשי הכפר נפגשים בכל בוקר בכיכר כדי לקנות לחם."); /* CLD2 calls it iw */
}

static const char capitals_fr[] =
		"LES HABITANTS DU VILLAGE SE RETROUVENT CHAQUE MATIN SUR LA PLACE POUR ACHETER DU "
		"PAIN ET PARLER DU TEMPS QU'IL FERA DEMAIN.";
static const char capitals_en[] =
		"THE PEOPLE OF THE VILLAGE MEET EVERY MORNING ON THE SQUARE TO BUY SOME BREAD AND "
		"TO TALK ABOUT THE WEATHER OF THE NEXT DAY.";
static const char broken_fr[] =
		"\n\n\nLes habitants\ndu village se retrouvent chaque\r\nmatin sur la place\n\n \n"
		"\tpour acheter du pain et parler\ndu temps qu'il fera\ndemain.\n\n\n";
static const char half_it_half_es[] =
		"archivo gff lleva por sí mismo suficiente información per applicazioni GNU "
		"Objective-C (file di sviluppo) Questo pacchetto contiene gli header e i file "
		"della";
static const char nul_fr[] = "Les habitants du village\0se retrouvent chaque matin\0ici";
static const char nul_only[21];
static const char addresses[] = "https://example.org/les/habitants/du/village/se/retrouvent "
				"www.example.org/la/place";

static void capitals(void **state)
{
	(void)state;
	is("fr", capitals_fr);
	is("en", capitals_en);
}

/* Blank lines and line breaks inside sentences change nothing, not even the score. */
static void line_breaks(void **state)
{
	struct lu_lang a = ask(FR), b = ask(broken_fr);

	(void)state;
	assert_string_equal(a.lang, b.lang);
	assert_true(a.score == b.score);
}

static void is_bytes(const char *lang, double min_score, struct lu_str text)
{
	struct lu_lang l = ask_with(4096, min_score, text);

	assert_string_equal(l.lang, lang);
}

static void unsure(void **state)
{
	(void)state;
	is("und", "");
	is("und", "\n\n");
	is("und", "Bonjour");
	is("und", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀");
	is("und", "1234 5678 90 - 12 / 13 : 14 = 15 ... !!! ??? 1234 5678 90 12 13 14 15 16 17 18");
	is("und", addresses);
	is("und", "zxq vbnk wrtp zzgh qqlm xwvk pprt zzkx qwzx vvbn hjkl xcvb qwrt zzzx bbbn kkkl");
	is_bytes("und", 0.5, (struct lu_str){ nul_only, sizeof(nul_only) });
	/* Both languages are parts, neither is the language of the text. */
	is_bytes("und", 0, lu_str_of(half_it_half_es));
	/* NUL is a blank. */
	is_bytes("fr", 0.5, (struct lu_str){ nul_fr, sizeof(nul_fr) - 1 });
}

static const char code[] = "#include <stdio.h>\n"
			   "\n"
			   "static int add(struct list *l, int value)\n"
			   "{\n"
			   "\tif (l->n == l->cap) {\n"
			   "\t\tl->p = realloc(l->p, 2 * l->cap * sizeof(*l->p));\n"
			   "\t\tl->cap *= 2;\n"
			   "\t}\n"
			   "\tl->p[l->n++] = value;\n"
			   "\treturn 0;\n"
			   "}\n";
static const char markup[] =
		"<html><head><title>x</title></head>\n"
		"<body class=\"main\"><div id=\"menu\"><ul>"
		"<li><a href=\"/a.html\">a</a></li><li><a href=\"/b.html\">b</a></li></ul></div>\n"
		"<script>var x={a:1,b:[2,3]};f(x);</script></body></html>\n";

static void program_code(void **state)
{
	struct lu_buf both = { 0 };

	(void)state;
	is("und", code);
	is("und", markup);
	/* A page about code is in its language. */
	lu_buf_puts(&both, FR "\n" FR "\n");
	lu_buf_puts(&both, code);
	lu_buf_puts(&both, FR "\n" FR "\n");
	is("fr", both.p);
	lu_buf_release(&both);
}

static void mixed(void **state)
{
	struct lu_lang l = ask(FR " " FR "\n\n" EN "\n");

	(void)state;
	assert_string_equal(l.lang, "fr");
	assert_true(l.score > 0.5 && l.score < 0.8);
	assert_int_equal(l.parts, 2);
	assert_string_equal(l.part[0].lang, "fr");
	assert_string_equal(l.part[1].lang, "en");
	assert_true(l.part[0].share == l.score);
	assert_true(l.part[1].share > 0.2);
	/* With a minimum above its share the language is und, but the score stays. */
	l = ask_with(4096, 0.9, LU_STR(FR " " FR "\n\n" EN "\n"));
	assert_string_equal(l.lang, "und");
	assert_true(l.score > 0.5 && l.score < 0.8);
}

/* A long text is sampled at 1/4, 1/2 and 3/4 of it too, and the sample has a limit. */
static void windows(void **state)
{
	struct lu_buf text = { 0 }, out = { 0 };
	struct lu_lang_sample s;

	(void)state;
	for (int i = 0; i < 1000; i++)
		lu_buf_puts(&text, i < 200 ? FR "\n" : EN "\n");
	assert_string_equal(ask(text.p).lang, "en");
	lu_buf_clear(&text);
	for (int i = 0; i < 100000; i++)
		lu_buf_puts(&text, "été ");
	lu_lang_sample(lu_buf_slice(&text), 1000, &out, &s);
	assert_in_range(out.n, 980, 1000 + 4 * 64);
	assert_int_equal(s.letters, 3 * s.words); /* no window begins inside a character */
	/* One word of ten megabytes, without a blank to cut at. */
	lu_buf_clear(&text);
	lu_buf_puts(&text, "a");
	for (int i = 0; i < 5000001; i++)
		lu_buf_puts(&text, "é");
	lu_buf_clear(&out);
	lu_lang_sample(lu_buf_slice(&text), 1000, &out, &s);
	assert_in_range(out.n, 980, 1020);
	assert_int_equal(s.words, 4);
	assert_int_equal(lu_utf8_valid(out.p, out.n), out.n);
	lu_buf_release(&text);
	lu_buf_release(&out);
}

static void sample(void **state)
{
	static const struct {
		const char *in, *out;
	} e[] = {
		{ "Un, deux (trois) : «quatre» 5 !", "Un deux trois «quatre» " },
		{ "voir http://a.b/c et me@x.org ou /usr/bin ici même", "voir et ou ici même " },
		{ "porte-clés aujourd'hui l’eau 3,5", "porte-clés aujourd'hui l’eau " },
		{ "x = y; z[i] = f(x);\nbonjour", "bonjour " },
		{ "a.b c.d e f", "e f " },
		{ "a.b c.d e.f g", "" },
		{ "東京は日本の首都", "東京は日本の首都 " },
	};
	struct lu_buf out = { 0 };
	struct lu_lang_sample s;

	(void)state;
	for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
		lu_buf_clear(&out);
		lu_lang_sample(lu_str_of(e[i].in), 4096, &out, &s);
		lu_buf_append(&out, "", 0);
		assert_string_equal(out.p ? out.p : "", e[i].out);
	}
	assert_int_equal(s.letters, 3 * 8);
	lu_buf_release(&out);
}

struct thread {
	const struct lu_langid *id;
	int wrong;
};

static void *many(void *arg)
{
	struct thread *t = arg;
	struct lu_langid_work w = { 0 };

	for (int i = 0; i < 500; i++) {
		struct lu_lang l;
		struct lu_err err;

		if (lu_langid_text(t->id, &w, i % 2 ? LU_STR(FR) : LU_STR(EN), &l, &err) < 0 ||
				strcmp(l.lang, i % 2 ? "fr" : "en") != 0)
			t->wrong++;
	}
	lu_langid_work_release(&w);
	return NULL;
}

static void threads(void **state)
{
	struct lu_err err;
	struct lu_langid *id = lu_langid_new(NULL, &usual, &err);
	struct thread t[4];
	pthread_t thread[4];

	(void)state;
	assert_non_null(id);
	for (int i = 0; i < 4; i++) {
		t[i] = (struct thread){ id, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, many, &t[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(t[i].wrong, 0);
	}
	lu_langid_free(id);
}

/* A file that is not a model gives an error, never a crash. */
static void bad_models(void **state)
{
	static const unsigned char head[] = { 0xBA, 0x16, 0x4F, 0x2F, 12, 0, 0, 0, 100, 0, 0, 0 };
	char path[] = "/tmp/lucie-model-XXXXXX";
	struct lu_err err = { 0 };
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	assert_null(lu_langid_new("/nonexistent/model.bin", &usual, &err));
	assert_non_null(strstr(err.msg, "/nonexistent/model.bin: "));
	assert_null(lu_langid_new(path, &usual, &err)); /* empty */
	assert_int_equal(fwrite(head, 1, sizeof(head), f), sizeof(head));
	assert_int_equal(fclose(f), 0);
	assert_null(lu_langid_new(path, &usual, &err)); /* cut off */
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("no model at all, but long enough for a head\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_null(lu_langid_new(path, &usual, &err));
	assert_non_null(strstr(err.msg, "not a fastText model"));
	assert_int_equal(remove(path), 0);
}

static void repeat(struct lu_buf *b, const char *text, size_t bytes)
{
	while (b->n < bytes) {
		lu_buf_puts(b, text);
		lu_buf_putc(b, ' ');
	}
}

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

	repeat(&b, text, 2000);
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
	words_say("", EN " Жители деревни");
	words_say("",
			"if (a[i] <= the_end) { return is_in(the, of); } else { for (it = to; it; "
			"it = it->as) do_it(); }");
	assert_null(judge(LU_STR(FR))); /* 24 words */
	assert_null(judge((struct lu_str){ NULL, 0 }));
}

/* Text of `bytes` with a part in another language after `before` bytes. */
static void mix(struct lu_buf *b, const char *text, const char *other, size_t before, size_t part,
		size_t bytes)
{
	lu_buf_clear(b);
	repeat(b, text, before);
	repeat(b, other, b->n + part);
	repeat(b, text, bytes);
}

static void as_whole(struct lu_str text)
{
	struct lu_lang l = ask_from(256, 4096, 0.5, text);
	struct lu_lang whole = ask_from(4096, 4096, 0.5, text);

	assert_true(whole.parts >= 2);
	assert_string_equal(l.lang, whole.lang);
	assert_int_equal(l.parts, whole.parts);
	for (size_t i = 0; i < l.parts; i++) {
		assert_string_equal(l.part[i].lang, whole.part[i].lang);
		assert_true(l.part[i].share == whole.part[i].share);
	}
}

/* Common words decide about prose of one language only: whatever has a part in another one gets the
 * shares that CLD2 gives to all of it, wherever the part is. */
static void early(void **state)
{
	static const char polish[] = "Wszyscy ludzie rodzą się wolni i równi pod względem swej "
				     "godności i swych praw.";
	struct lu_buf b = { 0 };
	struct lu_lang l;

	(void)state;
	repeat(&b, FR " " FR " und " FR, 4000);
	l = ask_from(256, 4096, 0.5, lu_buf_slice(&b));
	assert_string_equal(l.lang, "fr");
	assert_int_equal(l.parts, 1);
	assert_true(l.score == l.part[0].share && l.score > 0.95 && l.score < 1);
	/* A score that is asked for and not reached is CLD2's. */
	l = ask_from(256, 4096, 1, lu_buf_slice(&b));
	assert_string_equal(l.lang, "und");
	assert_true(l.score < 1);

	for (size_t n = 1300; n <= 12000; n *= 3) {
		/* A long text is looked at in each quarter. */
		for (size_t at = 0; at<8; at += n> 4096 ? 2 : 1) {
			mix(&b, FR, EN, n / 8 * at, n / 8, n);
			as_whole(lu_buf_slice(&b));
			mix(&b, EN, polish, n / 8 * at, n / 8, n);
			as_whole(lu_buf_slice(&b));
		}
		lu_buf_clear(&b);
		repeat(&b, FR " " EN, n);
		as_whole(lu_buf_slice(&b));
	}
	lu_buf_release(&b);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_words),
		cmocka_unit_test(blocks),
		cmocka_unit_test(early),
		cmocka_unit_test(languages),
		cmocka_unit_test(capitals),
		cmocka_unit_test(line_breaks),
		cmocka_unit_test(unsure),
		cmocka_unit_test(program_code),
		cmocka_unit_test(mixed),
		cmocka_unit_test(windows),
		cmocka_unit_test(sample),
		cmocka_unit_test(threads),
		cmocka_unit_test(bad_models),
	};

	return cmocka_run_group_tests_name("langid", tests, NULL, NULL);
}
