/* Language identification: the cases on which identifiers are known to fail. */
#include <math.h>
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

#define DE                                                                                     \
	"Die Leute aus dem Dorf treffen sich jeden Morgen auf dem Platz und kaufen das Brot, " \
	"das sie für den Tag benötigen."

static const struct lu_langid_options usual = {
	.min_bytes = 256, .max_bytes = 4096, .min_score = 0.1
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
	/* NUL is a blank. */
	is_bytes("fr", 0.5, (struct lu_str){ nul_fr, sizeof(nul_fr) - 1 });
}

static const char program[] = "#include <stdio.h>\n"
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
	is("und", program);
	is("und", markup);
	/* A page about code is in its language. */
	lu_buf_puts(&both, FR "\n" FR "\n");
	lu_buf_puts(&both, program);
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

/* Article 1 of the Universal Declaration of Human Rights in languages of France and around it, and
 * in others that only the large tables of CLD2 have. */
static void regional(void **state)
{
	(void)state;
	is("oc",
			"Totes los èssers umans naisson liures e egals en dignitat e en dreches. "
			"Son dotats "
			"de rason e de consciéncia e mai se devon comportar los unes amb los "
			"autres dins un "
			"esperit de fraternitat.");
	is("br",
			"Dieub hag ingal en o dellezegezh hag o gwirioù eo ganet an holl dud. "
			"Poell ha "
			"skiant zo dezho ha dleout a reont bevañ an eil gant egile en ur spered a "
			"genvreudeuriezh.");
	is("co",
			"Nascinu tutti l'omi libari è pari di dignità è di diritti. Pussedenu a "
			"raghjoni è a "
			"cuscenza è li tocca ad agiscia trà elli di modu fraternu.");
	is("ca",
			"Tots els éssers humans neixen lliures i iguals en dignitat i en drets. "
			"Són dotats de "
			"raó i de consciència, i han de comportar-se fraternalment els uns amb els "
			"altres.");
	is("eu",
			"Gizon-emakume guztiak aske jaiotzen dira, duintasun eta eskubide berberak "
			"dituztela; eta ezaguera eta kontzientzia dutenez gero, elkarren artean "
			"senide legez "
			"jokatu beharra dute.");
	is("gl",
			"Todos os seres humanos nacen libres e iguais en dignidade e dereitos e, "
			"dotados "
			"como están de razón e conciencia, débense comportar fraternalmente uns "
			"cos outros.");
	is("la",
			"Omnes homines dignitate et iure liberi et pares nascuntur, rationis et "
			"conscientiae "
			"participes sunt, quibus inter se concordiae studio est agendum.");
	is("el",
			"'Ολοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα "
			"δικαιώματα.");
	is("lb",
			"All Mënsch kënnt fräi a mat deer selwechter Dignitéit an deene selwechte "
			"Rechter "
			"op d'Welt. Jiddereen huet säi Verstand a säi Gewësse krut.");
}

/* Few letters are enough for a sure answer, and marks and references are no code. */
static void short_texts(void **state)
{
	(void)state;
	is("fr", "Vous avez raison");
	is("ko", "안녕하세요");
	is("th", "สวัสดีครับ");
	is("te", "తెలుగు భాష");
	is("fr", "Le haut du corps est sans cesse rel&#226;ch&#233; et d&#233;centr&#233;.");
	is("fr", "merci :-) c'est super ;-) à demain pour le match <3");
	is("fr",
			"| Ville | Pays | Les habitants |\n|---|---|---|\n| Lyon | France | ils "
			"sont "
			"nombreux dans cette ville |\n| Nice | France | elle est au bord de la mer "
			"|");
	is("fr",
			"== Histoire ==\n'''Lyon''' est une [[ville]] de [[France|la France]] dans "
			"le "
			"{{unité|12|km}} ''sud-est'' du [[pays]].<ref>Un livre</ref>");
	is("fr",
			"Voir la page https://exemple.fr/a/b?c=d&e=f pour tous les détails : "
			"https://exemple.fr/x_y/z");
	is("fr", "😀😀 Nous sommes très contents de vous voir ici 😀😀");
}

/* A list of names is in no language that has common words. */
static void no_words(void **state)
{
	(void)state;
	is("und",
			"Paris | France\nLyon | France\nNice | France\nLille | Flandre\nBrest | "
			"Bretagne\n"
			"Metz | Lorraine\nTours | Touraine\nArles | Provence\nPau | Béarn\n"
			"Dijon | Bourgogne\nCaen | Normandie\nTroyes | Champagne\n");
}

static void span_is(const struct lu_lang_span *s, const char *lang, size_t at, size_t n)
{
	assert_string_equal(s->lang, lang);
	assert_int_equal(s->at, at);
	assert_int_equal(s->n, n);
}

/* Paragraphs cover the text; a heading goes with its neighbours, code does not. */
static void paragraphs(void **state)
{
	struct lu_buf b = { 0 };
	struct lu_langid_work w = { 0 };
	struct lu_lang l;
	struct lu_err err;
	struct lu_langid *id = lu_langid_new(NULL, &usual, &err);
	size_t n[5];

	(void)state;
	assert_non_null(id);
	lu_buf_puts(&b, "Le village\n\n" FR "\n\n" FR "\n\n");
	n[0] = b.n;
	lu_buf_printf(&b, "%s\n\n", program);
	n[1] = b.n;
	lu_buf_puts(&b, EN "\n\nBread\n\n" EN "\n\n");
	n[2] = b.n;
	lu_buf_puts(&b, FR);
	assert_int_equal(lu_langid_paragraphs(id, &w, lu_buf_slice(&b), &l, &err), 0);
	assert_int_equal(w.spans.n, 4);
	span_is(&w.spans.p[0], "fr", 0, n[0]);
	span_is(&w.spans.p[1], "und", n[0], n[1] - n[0]);
	span_is(&w.spans.p[2], "en", n[1], n[2] - n[1]);
	span_is(&w.spans.p[3], "fr", n[2], b.n - n[2]);
	assert_string_equal(l.part[0].lang, "fr");
	assert_true(l.part[0].share == l.score);
	assert_int_equal(l.parts, 3);
	/* Without a blank line each line is one. */
	lu_buf_clear(&b);
	lu_buf_puts(&b, FR "\n" DE "\n" DE "\n" DE);
	assert_int_equal(lu_langid_paragraphs(id, &w, lu_buf_slice(&b), &l, &err), 0);
	assert_int_equal(w.spans.n, 2);
	assert_string_equal(l.lang, "de");
	assert_int_equal(lu_langid_paragraphs(id, &w, LU_STR(""), &l, &err), 0);
	assert_int_equal(w.spans.n, 0);
	assert_string_equal(l.lang, "und");
	lu_langid_work_release(&w);
	lu_langid_free(id);
	lu_buf_release(&b);
}

static void has_shares(struct lu_lang l, const char *a, double sa, const char *b, double sb)
{
	assert_true(l.parts >= 2);
	assert_string_equal(l.part[0].lang, a);
	assert_string_equal(l.part[1].lang, b);
	if (fabs(l.part[0].share - sa) > 0.05 || fabs(l.part[1].share - sb) > 0.05)
		fail_msg("%s %.3f, %s %.3f", a, l.part[0].share, b, l.part[1].share);
}

/* The shares of sentences that alternate, of lines, and of scripts. Near ones leave no language. */
static void alternating(void **state)
{
	static const char el[] = "Οι κάτοικοι του χωριού συναντιούνται κάθε πρωί στην πλατεία.";
	static const char la[] = "Actiones eius indefessae praesertim in Africa sic honorentur.";
	struct lu_buf b = { 0 };
	struct lu_lang l;

	(void)state;
	for (int i = 0; i < 10; i++)
		lu_buf_puts(&b, FR " " EN " ");
	l = ask(b.p);
	has_shares(l, "fr", 0.5, "en", 0.5);
	assert_string_equal(l.lang, "fr"); /* English must have twice as much */
	lu_buf_clear(&b);
	for (int i = 0; i < 10; i++)
		lu_buf_puts(&b, FR " " DE " ");
	l = ask(b.p);
	assert_true(l.part[0].share < 0.55 && l.part[1].share > 0.45);
	assert_string_equal(l.lang, "und");
	assert_true(l.score == l.part[0].share);
	lu_buf_clear(&b);
	for (int i = 0; i < 9; i++)
		lu_buf_printf(&b, "%s\n", i % 3 ? FR : EN);
	l = ask(b.p);
	has_shares(l, "fr", 0.67, "en", 0.33);
	assert_string_equal(l.lang, "fr");
	lu_buf_clear(&b);
	for (int i = 0; i < 9; i++)
		lu_buf_printf(&b, "%s ",
				i % 3 ? la : "Il fait beau aujourd'hui dans tous les villages.");
	has_shares(ask(b.p), "la", 0.71, "fr", 0.29);
	lu_buf_clear(&b);
	for (int i = 0; i < 6; i++)
		lu_buf_printf(&b, "%s %s ", el, "The people of the village meet on the square");
	has_shares(ask(b.p), "el", 0.7, "en", 0.3);
	lu_buf_release(&b);
}

/* A long text is sampled at 1/4, 1/2 and 3/4 of it too, and the sample has a limit. */
static void windows(void **state)
{
	struct lu_buf text = { 0 };
	struct lu_lang_sampler s = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		lu_buf_puts(&text, i < 200 ? FR "\n" : EN "\n");
	assert_string_equal(ask(text.p).lang, "en");
	lu_buf_clear(&text);
	for (int i = 0; i < 100000; i++)
		lu_buf_puts(&text, "été ");
	lu_lang_sample(&s, lu_buf_slice(&text), 1000, false);
	assert_in_range(s.out.n, 980, 1000 + 4 * 64);
	assert_int_equal(s.letters, 3 * s.words); /* no window begins inside a character */
	/* One word of ten megabytes, without a blank to cut at. */
	lu_buf_clear(&text);
	lu_buf_puts(&text, "a");
	for (int i = 0; i < 5000001; i++)
		lu_buf_puts(&text, "é");
	lu_lang_sample(&s, lu_buf_slice(&text), 1000, false);
	assert_in_range(s.out.n, 980, 1020);
	assert_int_equal(s.words, 4);
	assert_int_equal(lu_utf8_valid(s.out.p, s.out.n), s.out.n);
	lu_buf_release(&text);
	lu_lang_sampler_release(&s);
}

static void samples_as(const char *in, bool raw, const char *out)
{
	struct lu_lang_sampler s = { 0 };

	lu_lang_sample(&s, lu_str_of(in), 4096, raw);
	lu_buf_append(&s.out, "", 1);
	assert_string_equal(s.out.p, out);
	lu_lang_sampler_release(&s);
}

static void sample(void **state)
{
	static const struct {
		const char *in, *out;
	} e[] = {
		{ "Un, deux (trois) : «quatre» 5 !", "Un deux trois «quatre»\n" },
		{ "Il pleut. Il neige ! Oui", "Il pleut\nIl neige Oui\n" },
		{ "voir http://a.b/c et me@x.org ou /usr/bin ici même", "voir et ou ici même\n" },
		{ "porte-clés aujourd'hui l’eau 3,5", "porte-clés aujourd'hui l’eau\n" },
		{ "x = y; z[i] = f(x);\nbonjour", "bonjour\n" },
		{ "notes.txt www.exemple.fr d e", "d e\n" },
		{ "東京は日本の首都", "東京は日本の首都\n" },
		/* What people write is no code. */
		{ "| Paris | France |\n|-------|--------|", "Paris France\n" },
		{ "** gras ** __fort__ # titre ~~non~~", "gras fort titre non\n" },
		{ "== Titre ==\n* [[Paris|la ville]]s {{pays}}", "Titre\nParis la ville s pays\n" },
		{ "rel&#226;ch&#xe9; &eacute;t&eacute; &amp; &nbsp;", "relâché été\n" },
		{ "<p>Le <b>chat</b><br/>dort</p>", "Le chat dort\n" },
		{ "merci :-) <3 ^_^ ;-) bien", "merci bien\n" },
		{ "et/ou ami(e)s open(2) fin.Début", "et ou ami e s open fin Début\n" },
		{ "A -> B => C", "A B C\n" },
		/* Code is. */
		{ "if (p->n == q->n) {", "" },
		{ "#include <stdio.h>", "" },
		{ "le nom a_b est celui que std::x donne", "le nom est celui que donne\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++)
		samples_as(e[i].in, false, e[i].out);
	samples_as("Il pleut, <b>non</b> ?\nOui\t: 3 fois.", true,
			"Il pleut,  non  ? Oui : 3 fois. ");
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

/* Text of `bytes` with a part in another language after `before` bytes. */
static void mix(struct lu_buf *b, const char *text, const char *other, size_t before, size_t part,
		size_t bytes)
{
	lu_buf_clear(b);
	repeat(b, text, before);
	repeat(b, other, b->n + part);
	repeat(b, text, bytes);
}

/* The languages that CLD2 finds in all of it, with nearly the same shares. */
static void as_whole(struct lu_str text)
{
	struct lu_lang l = ask_from(256, 4096, 0.1, text);
	struct lu_lang whole = ask_from(4096, 4096, 0.1, text);

	assert_true(whole.parts >= 2);
	assert_string_equal(l.lang, whole.lang);
	has_shares(l, whole.part[0].lang, whole.part[0].share, whole.part[1].lang,
			whole.part[1].share);
}

/* Common words decide about prose of one language only; CLD2 is asked about a part in another one,
 * wherever it is. */
static void early(void **state)
{
	static const char indonesian[] =
			"Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang "
			"sama. Mereka dikaruniai akal dan hati nurani.";
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
			mix(&b, EN, indonesian, n / 8 * at, n / 8, n);
			as_whole(lu_buf_slice(&b));
		}
		lu_buf_clear(&b);
		repeat(&b, FR " " EN, n);
		as_whole(lu_buf_slice(&b));
	}
	lu_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(early),
		cmocka_unit_test(languages),
		cmocka_unit_test(capitals),
		cmocka_unit_test(line_breaks),
		cmocka_unit_test(unsure),
		cmocka_unit_test(program_code),
		cmocka_unit_test(mixed),
		cmocka_unit_test(alternating),
		cmocka_unit_test(regional),
		cmocka_unit_test(short_texts),
		cmocka_unit_test(no_words),
		cmocka_unit_test(paragraphs),
		cmocka_unit_test(windows),
		cmocka_unit_test(sample),
		cmocka_unit_test(threads),
		cmocka_unit_test(bad_models),
	};

	return cmocka_run_group_tests_name("langid", tests, NULL, NULL);
}
