/* Pages: the tree of broken markup as the HTML standard has it, character references, bounds, what a
 * page states about itself, and rules of the main text on pages too small for a golden case. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/html/html.h"
#include "libcommon/html/html_entity.h"
#include "libcommon/html/html_parse.h"
#include "libcommon/html/html_words.h"

/* --- trees ---------------------------------------------------------------------------------- */

/* The children of an element as "name(...)" and texts, blanks between them left out. */
static void dump(const struct lu_html_node *n, struct lu_buf *out)
{
	for (const struct lu_html_node *c = n->first; c; c = c->next) {
		bool text = c->tag == LU_TAG_NONE;

		if (c->prev && !(text && c->prev->tag == LU_TAG_NONE))
			lu_buf_putc(out, ' ');
		lu_buf_str(out, c->text);
		if (!text) {
			lu_buf_putc(out, '(');
			dump(c, out);
			lu_buf_putc(out, ')');
		}
	}
}

static void expect_tree(const char *html, const char *want)
{
	struct lu_arena arena = { 0 };
	struct lu_buf out = { 0 };
	struct lu_html_node *root;
	struct lu_err err;

	assert_int_equal(lu_html_parse(lu_str_of(html), &arena, &root, &err), 0);
	dump(lu_html_find(root, LU_TAG_BODY) ? lu_html_find(root, LU_TAG_BODY) : root, &out);
	lu_buf_putc(&out, '\0');
	if (strcmp(out.p, want) != 0)
		fail_msg("%s\n  gives %s\n  not   %s", html, out.p, want);
	lu_buf_release(&out);
	lu_arena_release(&arena);
}

/* Worked out by the rules of the standard, 13.2.6. */
static void trees(void **state)
{
	static const char *const t[][2] = {
		{ "", "" },
		{ "<p>a<p>b<div>c</p>d", "p(a) p(b) div(c p() d)" },
		{ "<p>1<b>2<i>3</b>4</i>5", "p(1 b(2 i(3)) i(4) 5)" },
		{ "<b>1<p>2</b>3</p>", "b(1) p(b(2) 3)" },
		{ "<a>1<div>2<div>3</a>4</div>5</div>", "a(1) div(a(2) div(a(3) 4) 5)" },
		{ "<ul><li>a<li>b<ul><li>c</ul><li>d</ul>e", "ul(li(a) li(b ul(li(c))) li(d)) e" },
		{ "<dl><dt>a<dd>b<dt>c</dl>", "dl(dt(a) dd(b) dt(c))" },
		{ "<table>a<tr><td>b<td>c</table>d", "a table(tbody(tr(td(b) td(c)))) d" },
		{ "<table><td>a<table><td>b</table>c</table>",
				"table(tbody(tr(td(a table(tbody(tr(td(b)))) c))))" },
		{ "<table><caption>a<tr><td>b", "table(caption(a) tbody(tr(td(b))))" },
		{ "<table><b>a<tr><td>b</table>c", "b(a) table(tbody(tr(td(b)))) b(c)" },
		{ "<a href=1>x<a href=2>y", "a(x) a(y)" },
		{ "<h1>a<h2>b</h3>c", "h1(a) h2(b) c" },
		{ "<!doctype html><p>a<table><tr><td>b", "p(a) table(tbody(tr(td(b))))" },
		{ "<select><option>a<option>b</select>c", "select(option(a) option(b)) c" },
		{ "<button>a<button>b", "button(a) button(b)" },
		{ "<form>a<form>b</form>c", "form(ab) c" },
		{ "a<br/>b</br>c</p>d", "a br() b br() c p() d" },
		{ "<svg><title>a</title><p>b", "svg(title(a)) p(b)" },
		{ "<math><mi>a<b>c</b></mi></math>d", "math(mi(a b(c))) d" },
		{ "<svg><![CDATA[a<b]]></svg><![CDATA[c]]>d", "svg(a<b) d" },
		{ "<title>a<b></title><p>c", "p(c)" },
		{ "<script>a</p><!-- <script>b</script> c --></script>d<script>e</script>f",
				"d script(e) f" },
		{ "<textarea>\na<b></textarea>c", "textarea(a<b>) c" },
		{ "<plaintext>a</plaintext>b", "plaintext(a</plaintext>b)" },
		{ "a<!-- x --!>b<!-->c<!--->d<!y>e<?z>f</ g>h", "abcdefh" },
		{ "a < b <3 <", "a < b <3 <" },
		{ "a</", "a</" },
		{ "<p a='<' b=\">\" c=x/y =d e>f", "p(f)" },
		{ "<p", "" },
		{ "<template><td>a</template>b", "b" },
		{ "<noscript><p>a</noscript>b", "b" },
		{ "<body><noscript><p>a</noscript>b", "noscript(<p>a) b" },
		{ "<ruby>a<rt>b<rt>c</ruby>", "ruby(a rt(b) rt(c))" },
		{ "<frameset><frame></frameset>a", "head() frameset()" },
		{ "<x-y>a<X-Y>b</x-y>c</X-y>d", "x-y(a X-Y(b) c) d" },
		{ "</html>a</body>b", "ab" },
		{ "<object><p>a</object>b", "object(p(a)) b" },
		{ "<p><object></p>a</object>b", "p(object(p() a) b)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect_tree(t[i][0], t[i][1]);
}

static void character_references(void **state)
{
	static const char *const t[][2] = {
		{ "&amp;&AMP;&amp &ampx;", "&&& &x;" },
		{ "&notit; &notin; &notinx;", "\xC2\xACit; \xE2\x88\x89 \xC2\xACinx;" },
		{ "&eacute;&Eacute &eacut;", "\xC3\xA9\xC3\x89 &eacut;" },
		{ "&#233;&#xe9;&#XE9 &#x;&#;&#g", "\xC3\xA9\xC3\xA9\xC3\xA9 &#x;&#;&#g" },
		{ "&#128;&#x99;&#x81;", "\xE2\x82\xAC\xE2\x84\xA2" },
		{ "&#0;&#xD800;&#x110000;&#99999999999999999999;",
				"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
		{ "&nGt;&period;&lpar;&CounterClockwiseContourIntegral;",
				"\xE2\x89\xAB\xE2\x83\x92.(\xE2\x88\xB3" },
		{ "& &; &", "& &; &" },
		{ "a&shy;b\xC2\xAD"
		  "c",
				"abc" },
	};
	struct lu_buf text = { 0 };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		lu_buf_clear(&text);
		assert_int_equal(
				lu_html_text(lu_str_of(t[i][0]), true, NULL, NULL, &text, &err), 0);
		text.p[text.n - 1] = '\0';
		assert_string_equal(text.p, t[i][1]);
	}
	lu_buf_release(&text);
}

/* In an address &copy=1 is no sign. */
static void references_in_attributes(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(lu_html_decode(LU_STR("?a&copy=1&amp;b&reg;&lt"), true, out), 14);
	assert_memory_equal(out, "?a&copy=1&b\xC2\xAE<", 14);
	assert_int_equal(lu_html_decode(LU_STR("?a&copy=1"), false, out), 6);
	assert_memory_equal(out, "?a\xC2\xA9=1", 6);
}

/* --- bounds --------------------------------------------------------------------------------- */

static void repeat(struct lu_buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lu_buf_puts(b, s);
}

static int read_page(struct lu_buf *page, struct lu_buf *text)
{
	struct lu_err err;
	int rc = lu_html_text(lu_buf_slice(page), false, NULL, NULL, text, &err);

	assert_true(rc >= 0);
	return rc;
}

/* Each of these takes a parser time or memory with the square of its length, or its stack. */
static void hostile(void **state)
{
	static const char *const t[] = { "<div>", "<b>", "<a x=1>", "<table>", "<table><tr><td>",
		"<b><p>", "<p><b></b>", "</b><b></p><p>", "<svg><desc>", "<math><mi>", "<template>",
		"<li><ul>", "<form><object>", "<select><option>", "<a><div></a>", "<font><td>",
		"<table>x<b>", "<nobr><table>", "<ruby><rt>", "<h1><h2>", "<dl><dt><dd>",
		"<i></p>" };
	struct lu_buf page = { 0 }, text = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		lu_buf_clear(&page);
		lu_buf_clear(&text);
		repeat(&page, t[i], 4000);
		lu_buf_puts(&page, "<p>end");
		read_page(&page, &text);
	}
	/* Deep elements are shown, in place of being refused. */
	lu_buf_clear(&page);
	lu_buf_clear(&text);
	repeat(&page, "<div>", 20000);
	lu_buf_puts(&page, "end");
	assert_int_equal(read_page(&page, &text), 0);
	assert_string_equal(text.p, "end\n");
	/* Attributes beyond those that are known cost nothing. */
	lu_buf_clear(&page);
	lu_buf_puts(&page, "<p ");
	for (unsigned i = 0; i < 50000; i++)
		lu_buf_printf(&page, "a%u=1 class=x ", i);
	lu_buf_puts(&page, ">end");
	lu_buf_clear(&text);
	assert_int_equal(read_page(&page, &text), 0);
	assert_string_equal(text.p, "end\n");
	lu_buf_release(&page);
	lu_buf_release(&text);
}

static void too_many_nodes(void **state)
{
	struct lu_buf page = { 0 }, text = { 0 };

	(void)state;
	repeat(&page, "<p>", LU_HTML_NODES + 1);
	assert_int_equal(read_page(&page, &text), 1);
	assert_int_equal(text.n, 0);
	lu_buf_release(&page);
	lu_buf_release(&text);
}

/* --- what a page states --------------------------------------------------------------------- */

static void expect_meta(const char *html, enum lu_html_meta_field field, const char *want)
{
	struct lu_html_meta meta = { 0 };
	struct lu_buf text = { 0 };
	struct lu_err err;

	assert_int_equal(lu_html_page(lu_str_of(html), LU_HTML_MAIN, &meta, NULL, &text, &err), 0);
	if (!lu_str_is(lu_buf_slice(&meta.value[field]), want))
		fail_msg("%s: %.*s in place of %s", html, (int)meta.value[field].n,
				meta.value[field].p, want);
	lu_html_meta_release(&meta);
	lu_buf_release(&text);
}

#define LD(json) "<script type=\"application/ld+json\"> " json " </script>"

static void metadata(void **state)
{
	static const struct {
		const char *html;
		enum lu_html_meta_field field;
		const char *want;
	} t[] = {
		{ "<title> A\n &amp; b </title><meta property=og:title content=c>", LU_META_TITLE,
				"A & b" },
		{ "<meta property='og:title' content='c d'>", LU_META_TITLE, "c d" },
		{ "<svg><title>no</title></svg>", LU_META_TITLE, "" },
		{ "<html lang=fr-CA>", LU_META_LANG, "fr-CA" },
		{ "<html xml:lang=br>", LU_META_LANG, "br" },
		{ "<meta http-equiv=Content-Language content=oc>", LU_META_LANG, "oc" },
		{ "<html lang=''>", LU_META_LANG, "" },
		{ "<html lang='{{ lang }}'>", LU_META_LANG, "" },
		{ "<link rel=canonical href='https://a.fr/b?c=1&amp;d'>", LU_META_URL,
				"https://a.fr/b?c=1&d" },
		{ "<link rel=canonical href=/b>", LU_META_URL, "" },
		{ "<meta property=og:url content=http://a.fr/>", LU_META_URL, "http://a.fr/" },
		{ "<meta name=Author content=' Ana  B. '>", LU_META_AUTHOR, "Ana B." },
		{ "<meta property=article:author content=https://facebook.com/x>", LU_META_AUTHOR,
				"" },
		{ "<p>by <a rel=author href=x><b>Ana</b> B.</a>", LU_META_AUTHOR, "Ana B." },
		{ LD("{\"@type\":\"NewsArticle\",\"author\":[{\"name\":\"\\u00c9va\"},\"x\"]}"),
				LU_META_AUTHOR, "\xC3\x89va" },
		{ LD("{\"@graph\":[{\"@type\":[\"Thing\",\"BlogPosting\"],\"author\":\"C\"}]}"),
				LU_META_AUTHOR, "C" },
		{ LD("{\"@type\":\"Organization\",\"author\":\"C\"}"), LU_META_AUTHOR, "" },
		{ LD("{\"@type\":\"Article\",\"author\":\"C\",}"), LU_META_AUTHOR, "" },
		{ "<meta name=date content='2024-02-30'>", LU_META_DATE, "2024-02-30" },
		{ "<meta name=date content='31/05/2024'>", LU_META_DATE, "" },
		{ "<meta name=date content='2024-13-01'>", LU_META_DATE, "" },
		{ "<meta property=article:published_time content=2024-05-31T08:00:00+02:00>",
				LU_META_DATE, "2024-05-31T08:00:00+02:00" },
		{ "<time itemprop=datePublished datetime=2024-05-31>hier</time>", LU_META_DATE,
				"2024-05-31" },
		{ "<time datetime=2024-05-31>hier</time>", LU_META_DATE, "" },
		{ LD("[{\"@type\":\"Article\",\"datePublished\":\"2024-01-02\"}]") "<meta "
										   "name=date "
										   "content=2024-"
										   "05-31>",
				LU_META_DATE, "2024-01-02" },
		{ "<meta name=description content='x y'><meta property=og:description content=z>",
				LU_META_DESCRIPTION, "x y" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect_meta(t[i].html, t[i].field, t[i].want);
}

/* --- main text ------------------------------------------------------------------------------ */

/* A paragraph of prose, and one of two lines. */
#define PROSE                                                                                      \
	"<p>A long enough sentence stands for a paragraph of an article in some newspaper, which " \
	"goes on for a while and ends here.</p>"
#define SAID                                                                                    \
	"A long enough sentence stands for a paragraph of an article in some newspaper, which " \
	"goes "                                                                                 \
	"on for a while and ends here.\n"

static void expect_main(const char *html, const char *want)
{
	struct lu_buf text = { 0 };
	struct lu_err err;

	assert_int_equal(lu_html_text(lu_str_of(html), false, NULL, NULL, &text, &err), 0);
	if (!lu_str_is(lu_buf_slice(&text), want))
		fail_msg("%s\n  gives %.*s\n  not   %s", html, (int)text.n, text.p, want);
	lu_buf_release(&text);
}

static void main_text(void **state)
{
	static const char *const t[][2] = {
		/* Left out by element and by words, unless most of the page is in them. */
		{ "<nav>x</nav><aside>y</aside>" PROSE "<footer>z</footer>", SAID },
		{ "<div class=sidebar>x</div>" PROSE "<ul id=breadcrumb><li>y</ul>", SAID },
		{ "<div class=sidebar-layout>" PROSE "</div>", SAID },
		{ "<header>" PROSE, SAID },
		{ "<main></main><div class=contents>" PROSE "</div>", SAID },
		/* A menu is better than nothing. */
		{ "<nav>x</nav>", "x\n" },
		{ "<footer><p>x</footer>", "x\n" },
		/* Comments and their form. */
		{ PROSE "<div class=comments-area><h3>2 comments</h3>" PROSE "</div>", SAID },
		{ "<article>" PROSE "</article><form><h3>Reply</h3><label>Name</label></form>",
				SAID },
		/* The beginning of this page, and that of another. */
		{ "<div class=teaser>Short.</div>" PROSE PROSE
		  "<div class=teaser><a href=x>More</a> "
		  "said.</div>",
				"Short.\n\n" SAID "\n" SAID },
		/* A heading goes with what stood under it. */
		{ PROSE "<h3>More</h3><p><a href=x>This</a></p><h3>End</h3><p>Done.",
				SAID "\nEnd\n\nDone.\n" },
		{ PROSE "<p>Read more: <a href=x>about this</a></p>", SAID },
		/* Documentation: an id that is derived from the heading. */
		{ PROSE PROSE "<div id=related-tools><h2>2. Related tools</h2>" PROSE "</div>",
				SAID "\n" SAID "\n2. Related tools\n\n" SAID },
		{ PROSE "<pre>a <span class=comment>// b</span></pre>", SAID "\na // b\n" },
		/* Rows of data with links are no list of links. */
		{ PROSE PROSE "<div><table><tr><td><a href=x>gcc</a><td>a compiler</table></div>",
				SAID "\n" SAID "\ngcc | a compiler\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		expect_main(t[i][0], t[i][1]);
}

static void comments_are_kept(void **state)
{
	static const char html[] = PROSE "<div class=comments-area><p>I agree.</p></div>";
	struct lu_buf text = { 0 };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_html_page(LU_STR(html), LU_HTML_COMMENTS, NULL, NULL, &text, &err), 0);
	assert_string_equal(text.p, SAID "\nI agree.\n");
	lu_buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees),
		cmocka_unit_test(character_references),
		cmocka_unit_test(references_in_attributes),
		cmocka_unit_test(hostile),
		cmocka_unit_test(too_many_nodes),
		cmocka_unit_test(metadata),
		cmocka_unit_test(main_text),
		cmocka_unit_test(comments_are_kept),
	};

	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
