#include "libcommon/html/html_words.h"

#include <strings.h>

struct word {
	const char *p;
	unsigned char n;
	bool prefix; /* of longer words too */
	unsigned char kind;
};

/* W: the word, P: all words that begin so. */
#define W(word, kind) { word, sizeof(word) - 1, false, LU_WORDS_##kind },
#define P(word, kind) { word, sizeof(word) - 1, true, LU_WORDS_##kind },
#define END                       \
	{                         \
		NULL, 0, false, 0 \
	}
/* clang-format off */
static const struct word words_a[] = {
	W("aboutauthor", RELATED) W("actions", WEAK) W("ad", NAVIGATION)
	W("adblock", NAVIGATION) W("addthis", RELATED) W("addtoany", RELATED)
	W("ads", NAVIGATION) W("adsense", NAVIGATION) W("adslot", NAVIGATION)
	W("adv", NAVIGATION) P("advert", NAVIGATION) P("aehnlich", RELATED)
	W("akismet", DETAIL) W("alsoread", RELATED) P("anzeige", NAVIGATION)
	W("auteur", DETAIL) P("author", DETAIL) W("authorbio", RELATED) W("authorbox", RELATED)
	W("authorinfo", RELATED) P("autor", DETAIL) END };
static const struct word words_b[] = {
	P("banner", NAVIGATION) W("barre", NAVIGATION) W("bildunterschrift", DETAIL)
	W("bio", RELATED) P("breadcrumb", NAVIGATION) W("btn", DETAIL) W("button", WEAK)
	W("buttons", WEAK) W("byline", DETAIL) END };
static const struct word words_c[] = {
	P("caption", DETAIL) P("carousel", NAVIGATION) W("categories", WEAK)
	W("catlinks", NAVIGATION) W("catlist", DETAIL) W("colonne", NAVIGATION)
	P("coment", COMMENTS) P("comment", COMMENTS) W("compartir", RELATED)
	W("condividi", RELATED) W("consent", NAVIGATION) P("cookie", NAVIGATION)
	W("copy", WEAK) P("copyright", DETAIL) W("counter", WEAK) P("credit", DETAIL)
	P("crosslink", RELATED) P("crumb", NAVIGATION) W("cta", RELATED) END };
static const struct word words_d[] = {
	W("date", WEAK) W("dateline", DETAIL) W("datetime", DETAIL) W("datum", WEAK)
	W("disclaimer", DETAIL) W("disclosure", WEAK) W("disqus", COMMENTS)
	W("docnav", NAVIGATION) W("donate", RELATED) W("donation", RELATED)
	W("dropdown", NAVIGATION) W("drucken", DETAIL) END };
static const struct word words_e[] = {
	W("edit", WEAK) W("edited", WEAK) W("editsection", NAVIGATION)
	P("empfehl", RELATED) END };
static const struct word words_f[] = {
	W("feedback", COMMENTS) W("figcaption", DETAIL) W("follow", RELATED)
	W("followus", RELATED) W("foot", NAVIGATION) P("footer", NAVIGATION) END };
static const struct word words_g[] = {
	W("gdpr", NAVIGATION) W("guestbook", COMMENTS) END };
static const struct word words_h[] = {
	W("headerlink", NAVIGATION) END };
static const struct word words_i[] = {
	W("imagecredit", DETAIL) W("info", WEAK) W("infobar", NAVIGATION) END };
static const struct word words_j[] = {
	W("jp", RELATED) W("jump", NAVIGATION) END };
static const struct word words_k[] = {
	W("keywords", WEAK) W("kicker", WEAK) P("kommentar", COMMENTS) END };
static const struct word words_l[] = {
	W("legende", DETAIL) W("lesenauch", RELATED) W("lightbox", NAVIGATION)
	W("likes", RELATED) W("lireaussi", RELATED) W("livefyre", COMMENTS)
	P("login", NAVIGATION) W("logon", NAVIGATION) END };
static const struct word words_m[] = {
	W("mainmenu", NAVIGATION) W("mashsb", RELATED) W("masthead", NAVIGATION)
	W("megamenu", NAVIGATION) W("meistgelesen", RELATED) P("menu", NAVIGATION)
	W("meta", WEAK) W("metadata", WEAK) W("meteo", NAVIGATION) P("modal", NAVIGATION)
	W("mostread", RELATED) W("mostviewed", RELATED) END };
static const struct word words_n[] = {
	W("nav", NAVIGATION) W("navbar", NAVIGATION) W("navbottom", NAVIGATION)
	W("navbox", NAVIGATION) W("navfooter", NAVIGATION) W("navheader", NAVIGATION)
	W("navi", NAVIGATION) P("navigat", NAVIGATION) W("navlinks", NAVIGATION)
	W("navtop", NAVIGATION) P("newsletter", RELATED) W("nextprev", RELATED)
	W("noprint", NAVIGATION) END };
static const struct word words_o[] = {
	W("offcanvas", NAVIGATION) W("outbrain", NAVIGATION) W("outlinks", RELATED)
	P("overlay", NAVIGATION) END };
static const struct word words_p[] = {
	W("pagenav", NAVIGATION) W("pager", NAVIGATION) P("paginat", NAVIGATION)
	W("paging", NAVIGATION) P("partage", RELATED) P("paywall", NAVIGATION)
	W("photocredit", DETAIL) P("pingback", COMMENTS)
	W("poll", RELATED) P("popular", RELATED) P("popup", NAVIGATION) W("posted", DETAIL)
	W("postmeta", DETAIL) W("prevnext", NAVIGATION) W("print", DETAIL)
	W("printfooter", NAVIGATION) W("printonly", DETAIL) P("promo", NAVIGATION)
	W("pubdate", DETAIL) W("publicite", NAVIGATION)
	W("publish", DETAIL) W("published", DETAIL) END };
static const struct word words_q[] = {
	W("quiz", RELATED) END };
static const struct word words_r[] = {
	P("rating", RELATED) P("reaction", COMMENTS) W("reading", WEAK)
	W("readingtime", DETAIL) W("readmore", RELATED) W("recherche", NAVIGATION)
	P("recommand", RELATED) P("recommend", RELATED) P("register", NAVIGATION)
	P("relacion", RELATED) P("related", RELATED) W("replies", COMMENTS)
	W("reply", COMMENTS) W("respond", COMMENTS) W("rgpd", NAVIGATION) END };
static const struct word words_s[] = {
	W("schlagworte", DETAIL) P("search", NAVIGATION) W("seitenleiste", NAVIGATION)
	P("share", RELATED) W("shariff", RELATED) W("sharing", RELATED)
	P("sidebar", NAVIGATION) W("sidenav", NAVIGATION) W("signin", NAVIGATION)
	W("signup", NAVIGATION) P("similar", RELATED) W("skip", NAVIGATION)
	P("skiplink", NAVIGATION) W("skipnav", NAVIGATION) P("slider", NAVIGATION)
	P("social", RELATED) W("sommaire", NAVIGATION) P("source", WEAK)
	W("spenden", RELATED) W("sphinxsidebar", NAVIGATION) P("sponsor", NAVIGATION)
	W("ssba", RELATED) W("stats", WEAK) W("submenu", NAVIGATION) P("subscri", NAVIGATION)
	W("suche", NAVIGATION) W("suggested", RELATED) P("suggestion", RELATED)
	W("survey", RELATED) W("swiper", NAVIGATION) END };
static const struct word words_t[] = {
	W("taboola", NAVIGATION) W("tagged", DETAIL) W("taglinks", DETAIL) W("taglist", DETAIL)
	W("tags", DETAIL) P("teaser", TEASER) W("teilen", RELATED) W("ticker", NAVIGATION)
	W("timestamp", DETAIL) W("toc", NAVIGATION) W("toctree", NAVIGATION)
	P("toolbar", NAVIGATION) W("toolbox", NAVIGATION) W("tools", NAVIGATION)
	W("topbar", NAVIGATION) W("topnav", NAVIGATION) P("trackback", COMMENTS)
	P("trending", RELATED) END };
static const struct word words_u[] = {
	W("upnext", RELATED) END };
static const struct word words_v[] = {
	P("verwandt", RELATED) W("views", WEAK) W("voiraussi", RELATED) W("vote", RELATED)
	W("votes", RELATED) END };
static const struct word words_w[] = {
	W("weather", NAVIGATION) P("werbung", NAVIGATION) W("wetter", NAVIGATION)
	P("widget", NAVIGATION) END };
static const struct word words_y[] = {
	W("yarpp", RELATED) END };
static const struct word none[] = { END };
static const struct word *const by_letter[26] = {
	words_a, words_b, words_c, words_d, words_e, words_f, words_g, words_h, words_i, words_j,
	words_k, words_l, words_m, words_n, words_o, words_p, words_q, words_r, words_s, words_t,
	words_u, words_v, words_w, none, words_y, none };
/* clang-format on */
#undef W
#undef P
#undef END

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_small(char c)
{
	return c >= 'a' && c <= 'z';
}

/* The kind of one word, in any case. */
static unsigned kind_of(const char *p, size_t n)
{
	const struct word *w;

	if (n < 2 || !(is_small((char)(*p | 32))))
		return 0;
	for (w = by_letter[(*p | 32) - 'a']; w->p; w++) {
		if ((w->prefix ? n >= w->n : n == w->n) && strncasecmp(p, w->p, w->n) == 0)
			return w->kind;
	}
	return 0;
}

/* Page builders call every part of a page a widget, the text too. */
static bool is_builder(const char *p, size_t n)
{
	return n > 9 &&
			(strncasecmp(p, "elementor", 9) == 0 ||
					strncasecmp(p, "siteorigin", 9) == 0);
}

/* The kinds of the words of a blank-separated list of names. */
static unsigned kinds_of(struct lu_str s)
{
	const char *p = s.p, *end = s.p + s.n;
	unsigned kinds = 0;

	while (p < end) {
		const char *from = p;

		bool camel;

		while (p < end && (is_capital(*p) || is_small(*p)) &&
				!(p > from && is_capital(*p) && is_small(p[-1])))
			p++;
		/* Short words count only where they stand alone: names such as jpYiwZ are random. */
		camel = p < end && is_capital(*p);
		camel |= from > s.p && is_small(from[-1]);
		if (p == from) {
			p++;
			continue;
		}
		if (camel && p - from < 4)
			continue;
		if (is_builder(from, (size_t)(p - from))) {
			while (p < end && !strchr(" \t\r\n\f", *p))
				p++;
			continue;
		}
		kinds |= kind_of(from, (size_t)(p - from));
	}
	return kinds;
}

/* True for the elements whose id names what they hold. That of a heading, an anchor or a term is
 * derived from its text. */
static bool has_own_id(const struct lu_html_node *n)
{
	switch (n->tag) {
	case LU_TAG_ARTICLE:
	case LU_TAG_CENTER:
	case LU_TAG_DIV:
	case LU_TAG_FIELDSET:
	case LU_TAG_FORM:
	case LU_TAG_HEADER:
	case LU_TAG_OL:
	case LU_TAG_P:
	case LU_TAG_SECTION:
	case LU_TAG_TABLE:
	case LU_TAG_TD:
	case LU_TAG_UL: return true;
	default: return false;
	}
}

unsigned lu_html_words(const struct lu_html_node *n)
{
	unsigned kinds = kinds_of(lu_html_attribute(n, LU_ATTRIBUTE_CLASS)) |
			kinds_of(lu_html_attribute(n, LU_ATTRIBUTE_ROLE));
	unsigned by_id = 0;

	if (has_own_id(n))
		by_id = kinds_of(lu_html_attribute(n, LU_ATTRIBUTE_ID));
	if (by_id && !kinds)
		kinds = LU_WORDS_SLUG;
	return kinds | by_id;
}
