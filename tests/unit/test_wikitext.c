/* The text of MediaWiki's markup: each construct in French and English, the tables of templates, and
 * pages made to take long. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/wiki/wiki_template.h"
#include "unit.h"

static const char head[] =
		"<mediawiki xml:lang=\"%s\"><siteinfo><sitename>Wikipédia</sitename>"
		"<base>https://fr.wikipedia.org/wiki/Accueil</base><namespaces>"
		"<namespace key=\"6\">Fichier</namespace><namespace key=\"10\">Modèle</namespace>"
		"<namespace key=\"14\">Catégorie</namespace></namespaces></siteinfo>";

struct page {
	struct lu_wiki_site site;
	struct lu_wiki_options options;
	struct lu_wikitext w;
};

static void begin(struct page *p, const char *lang)
{
	char text[1024];
	struct lu_err err;

	*p = (struct page){ 0 };
	snprintf(text, sizeof(text), head, lang);
	assert_int_equal(lu_wiki_site_read(&p->site, lu_str_of(text), &err), 0);
	p->w.site = &p->site;
	p->w.options = &p->options;
	p->w.title = LU_STR("Chat (animal)");
}

static void end(struct page *p)
{
	lu_wikitext_release(&p->w);
	lu_wiki_site_release(&p->site);
}

static const char *text_of(struct page *p, struct lu_str markup)
{
	struct lu_err err;

	assert_int_equal(lu_wikitext(&p->w, markup, &err), 0);
	lu_buf_putc(&p->w.text, '\0');
	p->w.text.n--;
	return p->w.text.p;
}

struct expect {
	const char *markup, *text;
};

static void check_all(const char *lang, const struct expect *e, size_t n)
{
	struct page p;

	begin(&p, lang);
	for (size_t i = 0; i < n; i++) {
		const char *got = text_of(&p, lu_str_of(e[i].markup));

		if (strcmp(got, e[i].text) != 0)
			fail_msg("%s\n--- is\n%s--- not\n%s", e[i].markup, got, e[i].text);
	}
	end(&p);
}

#define NB "\xC2\xA0"
#define CHECK(lang, table) check_all(lang, table, sizeof(table) / sizeof((table)[0]))

static void markup(void **state)
{
	static const struct expect table[] = {
		{ "", "" },
		{ "a\nb\n\nc", "a b\n\nc\n" },
		{ "== T ==\ntext\n=== Vide ===\n== U ==\nfin", "T\n\ntext\n\nU\n\nfin\n" },
		{ "''i'' '''b''' '''''x'''''\n\nl'''Iliade''\n\nd'''eau''",
				"i b x\n\nl'Iliade\n\nd'eau\n" },
		{ "[[chat]]s, [[chat|le chat]], [[Aide:Chat (animal)|]], [[:Catégorie:X]]",
				"chats, le chat, Chat, Catégorie:X\n" },
		{ "a [[Fichier:x.jpg|vignette|Un [[chat]] {{x}}]] b", "a b\n" },
		{ "[[Image:x.jpg]]\na\n[[catégorie:X]]\n[[de:Katze]]", "a\n" },
		{ "[[doi:10.1]] [[non fermé\nsuite]] [[]]", "doi:10.1 [[non fermé suite]] [[]]\n" },
		{ "[http://a.fr un ''lien''] x [http://b.fr] http://c.fr [pas un lien]",
				"un lien x http://c.fr [pas un lien]\n" },
		{ "* a\n* b\n** c\n# d\n# e\nfin", "- a\n- b\n  - c\n1. d\n2. e\n\nfin\n" },
		{ "; terme : définition\n: suite", "terme\ndéfinition\nsuite\n" },
		{ "avant\n\n----\naprès", "avant\n\naprès\n" },
		{ "{| class=\"wikitable\"\n|+ style=\"x\" | Titre\n! A !! B\n|-\n| style=\"y\" | 1 "
		  "|| "
		  "[[x|2|3]]\n|-\n| 3\n| 4\n|}\nfin",
				"Titre\nA | B\n1 | 2|3\n3 | 4\n\nfin\n" },
		{ "{|\n| a\n* x\n* y\n| b\n{|\n| 1 || 2\n|-\n| 3 || 4\n|}\n|}",
				"a\nx\ny\nb\n1 | 2\n3 | 4\n" },
		{ "{| class=\"infobox\"\n| perdu\n|}\nvu", "vu\n" },
		{ "<table><tr><th>A</th><td>B</td></tr><tr><td>1<td>2</table>", "A | B\n1 | 2\n" },
		{ "a<ref>n {{x}}</ref> b<ref name=x /> c<!-- d --> e<br />f", "a b c e\nf\n" },
		{ "<!-- seul -->\na\n<!-- b -->\nc", "a c\n" },
		{ "<nowiki>[[a]] ''b'' &amp;</nowiki> <math>a^2 < {{b}}</math>",
				"[[a]] ''b'' & $a^2 < {{b}}$\n" },
		{ "<pre>\na\n  b\n</pre>c", "a\n  b\n\nc\n" },
		{ " code\n  deux\nfin", "code\ndeux\n\nfin\n" },
		{ "<div>a</div>b<p>c", "a\n\nb\n\nc\n" },
		{ "<ul><li>a</li><li>b</li></ul><ol><li>c</ol>", "- a\n- b\n\n1. c\n" },
		{ "10<sup>-6</sup> m<sup>2</sup> XIX<sup>e</sup> H<sub>2</sub>O",
				"10⁻⁶ m² XIXe H2O\n" },
		{ "&nbsp;&eacute;&#233;&#xE9;&lt;b&gt; &foo; &amp;amp; AT&T",
				NB "ééé<b> &foo; &amp; AT&T\n" },
		{ "__TOC__a __NOTOC__ b __init__ <inconnu> 1 < 2",
				"a b __init__ <inconnu> 1 < 2\n" },
		{ "<gallery>\nx.jpg|a\n</gallery>a<timeline>x</timeline>", "a\n" },
		{ "x\n== Voir aussi ==\n* [[y]]\n=== z ===\nz\n== Notes et références "
		  "==\n{{r}}\n== Suite ==\nw",
				"x\n\nSuite\n\nw\n" },
		{ "-{a}- <references/>b", "-{a}- b\n" },
		{ "<ref>jamais fermé", "jamais fermé\n" },
		{ "{{jamais|fermé", "{{jamais|fermé\n" },
	};

	(void)state;
	CHECK("fr", table);
}

static void french(void **state)
{
	static const struct expect table[] = {
		{ "{{unité|12345.6|km}}", "12" NB "345,6" NB "km\n" },
		{ "{{unité|10|m|3|s|-1}} {{Unité|4,5|kg}} {{unité|30 km}} {{unité|3|e=8|m/s}}",
				"10" NB "m³⋅s⁻¹ 4,5" NB "kg 30" NB "km 3" NB "×" NB "10⁸" NB
				"m/s\n" },
		{ "{{nombre|1500000|habitants}}", "1" NB "500" NB "000" NB "habitants\n" },
		{ "{{formatnum:12345}} {{formatnum:x}}",
				"12\xE2\x80\xAF"
				"345 x\n" },
		{ "{{date|1|janvier|2000}}, {{date-|14|7|1789}}, {{date||mai|1968|en France}}, "
		  "{{date|14 juillet 1789}}",
				"1er janvier 2000, 14 juillet 1789, mai 1968, 14 juillet 1789\n" },
		{ "{{s|XIX}}, {{s-|XX|e}}, {{-s|I|er}}, {{sp|XVIII|e|au|XIX|e}}, "
		  "{{s2|XI|e|XII|e}}, {{mill-|II|e}}",
				"XIXe" NB "siècle, XXe" NB "siècle, Ier" NB "siècle av." NB
				"J.-C., XVIIIe au XIXe" NB "siècle, XIe et XIIe" NB
				"siècles, IIe" NB "millénaire\n" },
		{ "{{XIXe siècle}}, {{1er}}, {{IIIe}}, {{2e}}", "XIXe siècle, 1er, IIIe, 2e\n" },
		{ "{{lang|en|cat}}, {{langue|de|Katze}}, {{lang|la|texte=felis|2=catus}}",
				"cat, Katze, catus\n" },
		{ "{{lien|langue=en|trad=Cat|fr=Chat|texte=le chat}}, {{Lien|Lion|en}}",
				"le chat, Lion\n" },
		{ "{{nobr|a b}}, {{abréviation|SNCF|Société}}, {{exposant|e}}, {{fchim|H|2|O}}, "
		  "{{citation|mot}}",
				"a b, SNCF, e, H2O, «" NB "mot" NB "»\n" },
		{ "{{Chiffre romain|1984}}, {{fraction|1|2}}, {{heure|12|30}}, {{n°|5}}, {{av JC}}",
				"MCMLXXXIV, 1/2, 12" NB "h 30, no" NB "5, av." NB "J.-C.\n" },
		{ "{{référence nécessaire|dit}}{{refnec}} {{en anglais|cat}} {{m2}}",
				"dit en anglais : cat m²\n" },
		{ "{{Infobox Chat\n| a = {{x}}\n| b = [[y|z]]\n}}\nLe "
		  "chat.\n{{Palette|a}}\n{{Portail|b}}",
				"Le chat.\n" },
		{ "a ({{prononciation inconnue}}) b ({{x}}, 1900), {{x}}.", "a b (1900),.\n" },
		{ "{{#if:|a|b}}{{#if:x|a|b}} {{#ifeq:a|a|=|!}} {{#switch:b|a=1|b|c=2|3}} "
		  "{{#switch:z|a=1|#default=4}} "
		  "{{uc:é}} {{lcfirst:ABC}} {{PAGENAME}} {{PLURIEL:2|x|y}}",
				"ba = 2 4 É aBC Chat (animal)\n" },
		{ "{{{1|défaut}}} {{Modèle:lang|en|x}} {{subst:nobr|y}} {{DEFAULTSORT:x}}",
				"défaut x y\n" },
		{ "{{lang|en|{{nobr|{{abr|a|b}}}}}} {{nobr|[[a|b]]|c}}", "a b\n" },
		{ "{{début citation}}\nà dire\n{{fin citation}}\nfin", "à dire\n\nfin\n" },
	};

	(void)state;
	CHECK("fr", table);
}

static void english(void **state)
{
	static const struct expect table[] = {
		{ "{{convert|5|km|mi}}, {{convert|1|ft}}, {{convert|5|to|10|kg|lb}}, "
		  "{{cvt|3|m|ft}}, {{convert|60|mi|km|adj=on}}",
				"5" NB "kilometres, 1" NB "foot, 5 to 10" NB "kilograms, 3" NB
				"m, 60-mile\n" },
		{ "{{birth date|1789|7|14}}; {{birth date and age|1950|12|1|df=y}}; {{death date "
		  "and age|1850|1|2|1789|7|14}}",
				"July 14, 1789; 1 December 1950; January 2, 1850 (aged" NB
				"60)\n" },
		{ "{{frac|2|1|3}} {{val|1234.5|0.2|e=6|u=km}} {{ordinal|22}} {{ordinal|11}} {{as "
		  "of|2010|5|lc=y}}",
				"2" NB "1/3 1,234.5±0.2×10⁶" NB "km 22nd 11th as of May 2010\n" },
		{ "{{lang-fr|chat}} {{nihongo|Tokyo|東京|Tōkyō}} {{circa|1500}} {{HMS|Hood|51}} "
		  "a{{snd}}b",
				"French: chat Tokyo (東京, Tōkyō) c." NB
				"1500 HMS Hood (51) a – b\n" },
		{ "x{{cn|date=May 2020}}{{sfn|Smith|1999}} y {{cite web|url=x|title={{x}}}}.",
				"x y.\n" },
		{ "{{quote|To be.|Shakespeare}}{{unbulleted list|a|b}}", "To be.\n\n- a\n- b\n" },
		{ "{{For|x|y}}\n{{formula one}} z", "z\n" },
		{ "a\n==See also==\n*b\n== External links ==\nc", "a\n" },
	};

	(void)state;
	CHECK("en", table);
}

static void other_languages(void **state)
{
	static const struct expect chinese[] = {
		{ "-{zh-hans:计算机; zh-hant:電腦;}- -{甲}- -{T|zh:x}-", "计算机 甲\n" },
	};
	static const struct expect german[] = {
		{ "{{lang|fr|chat}} {{formatnum:12345.6}} {{s|XIX}}", "chat 12.345,6\n" },
	};

	(void)state;
	CHECK("zh", chinese);
	CHECK("de", german);
}

static void counts(void **state)
{
	struct page p;
	const char *source =
			"{{inconnu|{{autre}}}} dit {{unité|}} à {{infobox "
			"x|{{perdu}}}}.\n{{seul}}\n"
			"fin {{#expr:1+1}} {{#invoke:m|f}}<ref>{{non}}</ref> {{nobr|{{autre}}}}";

	(void)state;
	begin(&p, "fr");
	text_of(&p, lu_str_of(source));
	assert_string_equal(p.w.text.p, "dit à. fin\n");
	lu_buf_putc(&p.w.names, '\0');
	/* Of an unknown template the arguments do not count, nor do those of what is left out. */
	assert_string_equal(p.w.names.p, "inconnu\nunité\nseul\n#expr\n#invoke:m\nautre\n");
	assert_int_equal(p.w.count.unexpanded, 6);
	assert_int_equal(p.w.count.holes, 5);
	assert_int_equal(p.w.count.left_out, 1);
	assert_int_equal(p.w.count.references, 1);
	end(&p);
}

static void options(void **state)
{
	struct page p;

	(void)state;
	begin(&p, "fr");
	p.options.references = p.options.sections = true;
	assert_string_equal(
			text_of(&p,
					LU_STR("a<ref>la note</ref>.<ref>{{ouvrage|x}}</ref>\n== "
					       "Voir aussi ==\n* b")),
			"a [la note].\n\nVoir aussi\n\n- b\n");
	end(&p);
}

static void own_rows(void **state)
{
	struct page p;
	struct lu_err err;

	(void)state;
	begin(&p, "fr");
	put_text("rows",
			"# nom\tformat\nMon modèle\t<{1}>[ de "
			"{auteur|2}]\nunité\t-\nvers*\t@roman\n");
	assert_int_equal(lu_wiki_templates_read(&p.options.own, "rows", &err), 0);
	assert_string_equal(text_of(&p,
					    LU_STR("{{mon_modèle|x|auteur=y}} {{Mon modèle|z}} "
						   "{{unité|1|m}}{{vers 1|4}}")),
			"<x> de y <z> IV\n");
	lu_wiki_templates_free(p.options.own);
	put_text("rows", "a\t{1}\nb\n");
	assert_int_equal(lu_wiki_templates_read(&p.options.own, "rows", &err), -1);
	assert_string_equal(err.msg, "rows:2: no tab between name and format");
	put_text("rows", "a\t@nothing\n");
	assert_int_equal(lu_wiki_templates_read(&p.options.own, "rows", &err), -1);
	assert_string_equal(err.msg,
			"rows:1: there is no function '@nothing'; lucie-wiki(5) lists them");
	end(&p);
}

static void tables_in_order(void **state)
{
	const struct lu_wiki_table *tables[] = { &lu_wiki_common, &lu_wiki_fr, &lu_wiki_fr_out,
		&lu_wiki_en, &lu_wiki_en_out };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < tables[i]->n; k++) {
			const struct lu_wiki_row *row = &tables[i]->row[k];
			struct lu_buf folded = { 0 };

			if (k > 0)
				assert_true(strcmp(row[-1].name, row->name) < 0);
			lu_wiki_fold(lu_str_of(row->name), &folded);
			if (!lu_str_is(lu_buf_slice(&folded), row->name))
				fail_msg("'%s' is not folded", row->name);
			if (row->format[0] == '@' && !lu_wiki_function_of(row->format + 1))
				fail_msg("'%s': no function %s", row->name, row->format);
			lu_buf_release(&folded);
		}
	}
}

/* Pages of 200 kB, each a construct that never ends, or that nests: the size of the text is bounded, and
 * the test would not end if the time grew with the square. */
static void hostile(void **state)
{
	static const char *const units[] = { "{{", "{{{", "{{a|", "}}", "[[", "[[a|", "]]", "{|\n",
		"{|\n|\n", "{{a|[[b|{|\n", "[http://a ", "<", "<b ", "<b a='", "<ref>", "<math>",
		"<!--", "<!-- -", "''' '' ", "'", "=", "=a=\n", "*", "*#:;a\n", "&", "&#",
		"{{lang|fr|", "__A", "||", "{{#switch:x|", "<sup>2", "<ul><li>", "<table><tr><td>",
		"; a : b\n", ";a<", "{{x}}", "[[File:a|", "-{", "{{unité|1|", "\n", " ", "!!",
		"{{nobr|{{x}}", "<nowiki>", "[[a]]", "(<ref/>" };
	struct page p;
	struct lu_buf b = { 0 };

	(void)state;
	begin(&p, "zh");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		lu_buf_clear(&b);
		lu_buf_puts(&b, "{|\n|");
		while (b.n < 200000)
			lu_buf_puts(&b, units[i]);
		text_of(&p, lu_buf_slice(&b));
		assert_true(p.w.text.n < 3 * b.n);
		text_of(&p, (struct lu_str){ b.p + 4, b.n - 4 });
		assert_true(p.w.text.n < 3 * b.n);
	}
	lu_buf_release(&b);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup),
		cmocka_unit_test(french),
		cmocka_unit_test(english),
		cmocka_unit_test(other_languages),
		cmocka_unit_test(counts),
		cmocka_unit_test(options),
		cmocka_unit_test(own_rows),
		cmocka_unit_test(tables_in_order),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests_name("wikitext", tests, scratch_make, scratch_remove);
}
