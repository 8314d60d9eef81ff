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

/* Prose of one language needs little; a half or an eighth in another one, or names, is seen. */
static void early(void **state)
{
	struct lu_buf b = { 0 };
	struct lu_common_words *w = lu_common_words_new();
	struct lu_common_counts c = { 0 };
	struct lu_lang l, whole;

	(void)state;
	repeat(&b, FR, 4000);
	l = ask_from(256, 4096, 0.5, lu_buf_slice(&b));
	assert_string_equal(l.lang, "fr");
	assert_int_equal(l.parts, 1);
	lu_common_words_count(w, lu_buf_slice(&b), &c);
	assert_string_equal(lu_common_words_guess(&c), "fr");

	for (size_t part = 2; part <= 8; part *= 4) {
		lu_buf_clear(&b);
		repeat(&b, EN, 4000 / part);
		repeat(&b, FR, 4000);
		c = (struct lu_common_counts){ 0 };
		lu_common_words_count(w, lu_buf_slice(&b), &c);
		assert_null(part == 2 ? lu_common_words_guess(&c) : NULL);
		l = ask_from(256, 4096, 0.5, lu_buf_slice(&b));
		whole = ask_from(4096, 4096, 0.5, lu_buf_slice(&b));
		assert_memory_equal(&l.part, &whole.part, sizeof(l.part));
		assert_int_equal(l.parts, 2);
	}

	lu_buf_clear(&b);
	repeat(&b, "Noto Sans Gujarati SemiCondensed Black", 2000);
	c = (struct lu_common_counts){ 0 };
	lu_common_words_count(w, lu_buf_slice(&b), &c);
	assert_null(lu_common_words_guess(&c));
	c = (struct lu_common_counts){ 0 };
	lu_common_words_count(w, LU_STR("L\u2019\u00c9T\u00c9, \u00c0 l\u2019\u00abun\u00bb"), &c);
	assert_int_equal(c.words, 5);
	lu_common_words_free(w);
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
		cmocka_unit_test(windows),
		cmocka_unit_test(sample),
		cmocka_unit_test(threads),
		cmocka_unit_test(bad_models),
	};

	return cmocka_run_group_tests_name("langid", tests, NULL, NULL);
}
