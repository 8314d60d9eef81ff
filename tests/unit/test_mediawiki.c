/* Dumps of wikis as entries: what is read of a page, what is dropped and why, and files that are cut,
 * damaged or hostile. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/wiki/enterprise.h"
#include "libcommon/wiki/mediawiki.h"
#include "libcommon/wiki/wikitext.h"
#include "unit.h"

#define HEAD                                                                                \
	"<mediawiki xmlns=\"http://www.mediawiki.org/xml/export-0.11/\" xml:lang=\"fr\">\n" \
	"  <siteinfo><sitename>Wikipédia</sitename><dbname>frwiki</dbname>"                \
	"<base>https://fr.wikipedia.org/wiki/Accueil</base><namespaces>"                    \
	"<namespace key=\"0\" /><namespace "                                                \
	"key=\"14\">Catégorie</namespace></namespaces></siteinfo>\n"
#define PAGE(title, ns, id, more, text)                                                           \
	"<page><title>" title "</title><ns>" ns "</ns><id>" id "</id>" more                       \
	"<revision><id>9</id><timestamp>2024-05-01T10:00:00Z</timestamp>"                         \
	"<contributor><username>x</username><id>1</id></contributor><comment>a &amp; b</comment>" \
	"<model>wikitext</model><text bytes=\"1\" xml:space=\"preserve\">" text                   \
	"</text></revision></page>\n"

static void put(struct lu_buf *out, const char *key, struct lu_str s)
{
	if (s.p)
		lu_buf_printf(out, " %s=" LU_STR_FMT, key, LU_STR_ARG(s));
}

static int take(void *ctx, const struct lu_entry *e, struct lu_err *err)
{
	struct lu_buf *out = ctx;

	(void)err;
	lu_buf_printf(out, LU_STR_FMT, LU_STR_ARG(e->name));
	if (e->drop) {
		lu_buf_printf(out, " %s%s", e->bad ? "!" : "", e->drop);
		put(out, "detail", e->detail);
	} else {
		put(out, "title", e->title);
		put(out, "url", e->url);
		put(out, "lang", e->lang);
		put(out, "date", e->date);
		put(out, "license", e->license);
		put(out, "more", e->more);
		if (e->charset_errors)
			lu_buf_printf(out, " errors=%d", (int)e->charset_errors);
		lu_buf_puts(out, " ");
		lu_buf_str(out, e->bytes);
	}
	lu_buf_puts(out, "\n");
	return 0;
}

/* The entries of a file in words, and behind them the sentence with which reading ended. */
static const char *entries_of(struct lu_buf *out, const struct lu_entries_type *type,
		struct lu_str file, const struct lu_entries_options *o)
{
	struct lu_str left = file;
	struct lu_buf block = { 0 };
	struct lu_err err;
	struct lu_feed *f;
	void *state;
	int rc;

	lu_buf_clear(out);
	assert_int_equal(lu_feed_open_str(&f, "x.xml", &left, &err), 0);
	assert_int_equal(type->open(&state, f, NULL, "/tmp", o, &err), 0);
	while ((rc = type->block(state, &block, &err)) > 0)
		assert_int_equal(type->convert(o, lu_buf_slice(&block), take, out, &err), 0);
	if (rc < 0)
		lu_buf_puts(out, err.msg);
	type->close(state);
	lu_feed_close(f);
	lu_buf_release(&block);
	lu_buf_putc(out, '\0');
	return out->p;
}

static void check(const struct lu_entries_type *type, const char *file, const char *want)
{
	struct lu_entries_options o = { .limit = 1 << 20 };
	struct lu_buf out = { 0 };
	const char *got = entries_of(&out, type, lu_str_of(file), &o);

	if (strcmp(got, want) != 0)
		fail_msg("%s\n--- is\n%s--- not\n%s", file, got, want);
	lu_buf_release(&out);
}

static void pages(void **state)
{
	(void)state;
	check(&lu_mediawiki,
			HEAD PAGE("L&apos;été &amp; A", "0", "3", "",
					"Un &lt;b>chat&lt;/b>&lt;ref&gt;x&lt;/ref&gt; &amp;amp; "
					"{{z}}") PAGE("R", "0", "4", "<redirect title=\"X\" />",
					"#REDIRECT [[X]]") PAGE("Catégorie:X", "14", "5", "", "x")
					PAGE("Vide", "0", "6", "",
							"{{Portail|x}}") "</mediawiki>\n",
			"3 title=L'été & A "
			"url=https://fr.wikipedia.org/wiki/L%27%C3%A9t%C3%A9_%26_A lang=fr "
			"date=2024-05-01T10:00:00Z "
			"more=\"pageid\":3,\"revid\":9,\"references\":1,\"unexpanded\":1,"
			"\"unexpanded_names\":[\"z\"],\"holes\":1 Un chat &\n\n"
			"4 redirect\n5 namespace\n6 no text\n");
	/* The last revision; a model that is no wikitext; no text at all; a number that does not rise. */
	check(&lu_mediawiki,
			HEAD
			"<page><title>A</title><ns>0</ns><id>3</id><revision><id>1</id><text>old</"
			"text></revision>"
			"<revision><id>2</id><model>wikitext</model><text>new</text></revision></"
			"page>"
			"<page><title>B</title><ns>0</ns><id>4</id><revision><model>javascript</"
			"model><text>x</text></revision></page>"
			"<page><title>C</title><ns>0</ns><id>5</id><revision><text "
			"deleted=\"deleted\" /></revision></page>"
			"<page><title>D</title><ns>0</ns><id>5</id><revision><text>d</text></"
			"revision></page></mediawiki>",
			"3 title=A url=https://fr.wikipedia.org/wiki/A lang=fr "
			"more=\"pageid\":3,\"revid\":2 new\n\n"
			"4 content model\n5 no text\n"
			"page-4 title=D url=https://fr.wikipedia.org/wiki/D lang=fr "
			"more=\"pageid\":5 d\n\n");
	check(&lu_mediawiki, HEAD "</mediawiki>", "");
}

static void damage(void **state)
{
	(void)state;
	check(&lu_mediawiki,
			HEAD
			"<page><title>A</title><revision><text>x "
			"<page><title>B</title><ns>0</ns><id>4</id>"
			"<revision><text>b</text></revision></page>"
			"</text></revision></page><page><title>C</title><text>&nbsp;</text></page>"
			"<page><title>D</title><revision><text>&nbsp;</text></revision></page>"
			"<page><title>E\xFF</title><id>9</id><revision><text>a&#7;\x01 "
			"b</text></revision></page></mediawiki>",
			"page-1 !damaged detail=page 1 'A': another page begins inside it\n"
			"4 title=B url=https://fr.wikipedia.org/wiki/B lang=fr more=\"pageid\":4 "
			"b\n\n"
			"page-3 !damaged detail=page 3 'without a title': its beginning is "
			"missing\n"
			"page-4 no text\n"
			"page-5 !damaged detail=page 5 'D': a reference that XML does not know\n"
			"9 title=E\xEF\xBF\xBD url=https://fr.wikipedia.org/wiki/E%EF%BF%BD "
			"lang=fr "
			"more=\"pageid\":9 errors=3 a\xEF\xBF\xBD b\n\n");
	/* What is whole comes first. */
	check(&lu_mediawiki, HEAD PAGE("A", "0", "3", "", "a"),
			"3 title=A url=https://fr.wikipedia.org/wiki/A lang=fr "
			"date=2024-05-01T10:00:00Z "
			"more=\"pageid\":3,\"revid\":9 a\n\n"
			"x.xml: the dump is cut: it ends behind page 1 without </mediawiki>; "
			"compare its size with "
			"the original");
	check(&lu_mediawiki, HEAD "<page><title>A</title><text>x",
			"x.xml: the dump is cut: it ends inside page 1, 'A'");
	check(&lu_mediawiki, "<html>", "x.xml: no export of MediaWiki: no <mediawiki>");
}

/* A page beyond the limit, of a size that is never held; and a file that never begins. */
static void large(void **state)
{
	struct lu_entries_options o = { .limit = 1 << 20 };
	struct lu_buf file = { 0 }, out = { 0 };

	(void)state;
	lu_buf_puts(&file, HEAD "<page><title>Long</title><ns>0</ns><id>3</id><revision><text>");
	for (size_t i = 0; i < 6 << 16; i++)
		lu_buf_puts(&file, "0123456789abcdef ");
	lu_buf_puts(&file, "</text></revision></page>" PAGE("A", "0", "4", "", "a") "</mediawiki>");
	assert_string_equal(entries_of(&out, &lu_mediawiki, lu_buf_slice(&file), &o),
			"page-1 too large\n4 title=A url=https://fr.wikipedia.org/wiki/A lang=fr "
			"date=2024-05-01T10:00:00Z more=\"pageid\":4,\"revid\":9 a\n\n");
	memset(file.p, 0, file.n);
	assert_string_equal(entries_of(&out, &lu_mediawiki, lu_buf_slice(&file), &o),
			"x.xml: no export of MediaWiki: no <page> in its first 4 MiB");
	lu_buf_release(&file);
	lu_buf_release(&out);
}

static void namespaces(void **state)
{
	struct lu_wiki_options wiki = { .references = true };
	struct lu_entries_options o = { .limit = 1 << 20, .wiki = &wiki };
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_wiki_spaces_parse("14,help", &wiki.spaces, &err), 0);
	assert_string_equal(entries_of(&out, &lu_mediawiki,
					    LU_STR(HEAD PAGE("A", "0", "3", "", "a") PAGE(
							    "Catégorie:B", "14", "4", "",
							    "b") PAGE("Aide:C", "12", "5", "",
							    "c&lt;ref>d&lt;/ref>") "</mediawiki>"),
					    &o),
			"3 namespace\n"
			"4 title=Catégorie:B url=https://fr.wikipedia.org/wiki/Cat%C3%A9gorie:B "
			"lang=fr date=2024-05-01T10:00:00Z "
			"more=\"pageid\":4,\"revid\":9,\"namespace\":14 b\n\n"
			"5 title=Aide:C url=https://fr.wikipedia.org/wiki/Aide:C lang=fr "
			"date=2024-05-01T10:00:00Z "
			"more=\"pageid\":5,\"revid\":9,\"namespace\":12,\"references\":1 c "
			"[d]\n\n");
	assert_int_equal(lu_wiki_spaces_parse("14,aide", &wiki.spaces, &err), -1);
	assert_string_equal(err.msg,
			"'aide' is no namespace: give numbers, such as 0,14, or names in English");
	lu_vec_release(&wiki.spaces);
	lu_buf_release(&out);
}

static void enterprise(void **state)
{
	(void)state;
	check(&lu_enterprise,
			"{\"name\":\"Chat\",\"identifier\":3,\"date_modified\":\"2024-05-01T10:00:"
			"00Z\",\"version\":{\"identifier\":9},"
			"\"url\":\"https://fr.wikipedia.org/wiki/"
			"Chat\",\"in_language\":{\"identifier\":\"fr\"},"
			"\"article_body\":{\"html\":\"<p>Un<sup class=\\\"mw-ref "
			"reference\\\">[1]</sup> chat</p>\"},"
			"\"license\":[{\"name\":\"x\",\"identifier\":\"CC-BY-SA-4.0\"}]}\n"
			"{\"name\":\"X\",\"namespace\":{\"identifier\":14},\"article_body\":{"
			"\"html\":\"y\"}}\n"
			"{\"name\":\"Y\"}\n{\"name\":\n",
			"1 title=Chat url=https://fr.wikipedia.org/wiki/Chat lang=fr "
			"date=2024-05-01T10:00:00Z "
			"license=CC-BY-SA-4.0 more=\"pageid\":3,\"revid\":9,\"references\":1 <p>Un "
			"chat</p>\n"
			"2 namespace\n3 no article body\n4 !damaged detail=JSON ends too early\n");
}

static void parsoid(void **state)
{
	static const struct {
		const char *html, *text;
	} table[] = {
		{ "<p>a</p><div class=\"navbox x\" "
		  "data-mw='{\"a\":\">\"}'><div>b</div></div><p>c</p>",
				"<p>a</p><p>c</p>" },
		{ "<table class=\"infobox\"><tr><td><table><tr/></table></td></tr></table>d", "d" },
		{ "<div role=\"navigation\">a</div><div role=\"main\">b</div>",
				"<div role=\"main\">b</div>" },
		{ "<div class=\"navbox\">nie zu", "<div class=\"navbox\">nie zu" },
		{ "<link rel=\"mw:PageProp/Category\" href=\"x\"/>a<img class=\"noprint\">b",
				"ab" },
		{ "10<sup>-6</sup> XIX<sup>e</sup>", "10⁻⁶ XIX<sup>e</sup>" },
		{ "<span class=\"mwe-math-element\"><math><annotation "
		  "encoding=\"application/x-tex\">{\\displaystyle a&lt;b}"
		  "</annotation></math></span>",
				"$a&lt;b$" },
		{ "<section><h2 id=\"x\">Voir "
		  "aussi<span>[m]</span></h2><p>a</p></section><section><h2>Vie</h2></section>",
				"<section><h2>Vie</h2></section>" },
		{ "a < b <3 <", "a < b <3 <" },
	};
	struct lu_buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		lu_buf_clear(&out);
		lu_parsoid_strip(lu_str_of(table[i].html), NULL, &out);
		lu_buf_putc(&out, '\0');
		assert_string_equal(out.p, table[i].text);
	}
	/* Attributes and elements that never end. */
	for (unsigned k = 0; k < 2; k++) {
		struct lu_buf page = { 0 };

		while (page.n < 300000)
			lu_buf_puts(&page, k ? "<div class=\"navbox\">" : "<a \"");
		lu_buf_clear(&out);
		lu_parsoid_strip(lu_buf_slice(&page), NULL, &out);
		assert_int_equal(out.n, page.n);
		lu_buf_release(&page);
	}
	lu_buf_release(&out);
}

static void recognised(void **state)
{
	(void)state;
	assert_true(lu_mediawiki_begins(LU_STR("\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- x --> "
					       "<mediawiki xmlns=\"x\">")));
	assert_false(lu_mediawiki_begins(LU_STR("<p>&lt;mediawiki x <mediawiki xml>")));
	assert_false(lu_mediawiki_begins(LU_STR("<?xml")));
	assert_true(lu_enterprise_begins(LU_STR(
			"{\"name\":\"X\",\"identifier\":3,\"date_modified\":\"x\",\"version\":{")));
	assert_false(lu_enterprise_begins(
			LU_STR("{\"name\":\"X\",\"identifier\":3,\"text\":\"x\"}")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages),
		cmocka_unit_test(damage),
		cmocka_unit_test(large),
		cmocka_unit_test(namespaces),
		cmocka_unit_test(enterprise),
		cmocka_unit_test(parsoid),
		cmocka_unit_test(recognised),
	};

	return cmocka_run_group_tests_name("mediawiki", tests, NULL, NULL);
}
