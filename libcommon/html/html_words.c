#include "libcommon/html/html_words.h"

#include <string.h>
#include <strings.h>

/* Bytes of two words that are listed as one; shorter ones are found in random names. A word is in its
 * row, not elsewhere: names are looked up for every element. */
#define SHORTEST_PAIR 6
#define LONGEST_WORD 20

struct word {
	char p[LONGEST_WORD];
	unsigned char n;
	bool prefix; /* of longer words too */
	unsigned char kind;
};

/* W: the word, P: all words that begin so. */
#define W(word, kind) { word, sizeof(word) - 1, false, LU_WORDS_##kind },
#define P(word, kind) { word, sizeof(word) - 1, true, LU_WORDS_##kind },
#define END                     \
	{                       \
		"", 0, false, 0 \
	}
/* Sorted by their first two letters. */
/* clang-format off */
static const struct word words_a[] = {
	W("abbonamento", NAVIGATION) P("abonne", NAVIGATION) W("abonnieren", NAVIGATION)
	W("aboutauthor", RELATED) W("aboutme", RELATED) W("actions", WEAK) W("ad", NAVIGATION)
	W("adblock", NAVIGATION) W("adbox", NAVIGATION) W("adcontainer", NAVIGATION)
	W("addthis", RELATED) W("addtoany", RELATED) W("adecouvrir", RELATED) W("ads", NAVIGATION)
	W("adsbygoogle", NAVIGATION) W("adsense", NAVIGATION) W("adslot", NAVIGATION)
	W("adunit", NAVIGATION) W("adv", NAVIGATION) P("advert", NAVIGATION)
	W("adwrapper", NAVIGATION) P("aehnlich", RELATED) W("aimerez", RELATED)
	W("aimerezaussi", RELATED) W("akismet", DETAIL) P("aktuell", NAVIGATION)
	W("alaune", NAVIGATION) W("alire", RELATED) W("alsolike", RELATED) W("alsoread", RELATED)
	P("angebot", NAVIGATION) W("anmelden", NAVIGATION) W("anmeldung", NAVIGATION)
	W("annonceur", NAVIGATION) W("annonceurs", NAVIGATION) P("announcement", NAVIGATION)
	P("anzeige", NAVIGATION) W("appeldon", RELATED) W("appeldons", RELATED)
	W("arbo", NAVIGATION) W("archives", NAVIGATION) W("ariane", NAVIGATION)
	W("articleassocie", RELATED) W("articlelie", RELATED) W("articleprecedent", RELATED)
	W("articlesassocies", RELATED) W("articleslies", RELATED) W("articlesrecents", RELATED)
	W("articlesuivant", RELATED) P("aside", NAVIGATION) W("auteur", DETAIL)
	P("author", DETAIL) W("authorbio", RELATED) W("authorbox", RELATED)
	W("authorinfo", RELATED) P("autor", DETAIL) W("autorenbox", RELATED)
	W("autorenprofil", RELATED) W("autresarticles", RELATED) W("avatar", RELATED)
	W("avislecteurs", COMMENTS) END };
static const struct word words_b[] = {
	W("backtotop", NAVIGATION) W("bandeau", NAVIGATION) P("banner", NAVIGATION)
	W("barre", NAVIGATION) W("barrelaterale", NAVIGATION) W("barreoutils", NAVIGATION)
	W("basdepage", NAVIGATION) W("basket", NAVIGATION) W("baspage", NAVIGATION)
	W("bildnachweis", DETAIL) W("bildquelle", DETAIL) W("bildrechte", DETAIL)
	W("bildunterschrift", DETAIL) W("billboard", NAVIGATION) W("bio", RELATED)
	W("blocpub", NAVIGATION) W("blogroll", NAVIGATION) P("bookmark", RELATED)
	W("borlabs", NAVIGATION) W("bottombar", NAVIGATION) W("boutonpartage", RELATED)
	W("boutonspartage", RELATED) P("breadcrumb", NAVIGATION) W("briciole", NAVIGATION)
	W("brotkrumen", NAVIGATION) W("btn", DETAIL) W("button", WEAK) W("buttons", WEAK)
	W("byline", DETAIL) END };
static const struct word words_c[] = {
	W("cabecalho", NAVIGATION) W("cabecera", NAVIGATION) W("calendar", NAVIGATION)
	P("caption", DETAIL) P("carousel", NAVIGATION) W("cart", NAVIGATION) W("categories", WEAK)
	W("catlinks", NAVIGATION) W("catlist", DETAIL) W("choixlangue", NAVIGATION)
	W("cmplz", NAVIGATION) W("colonne", NAVIGATION) W("columnleft", NAVIGATION)
	W("columnright", NAVIGATION) P("coment", COMMENTS) P("comment", COMMENTS)
	W("compartir", RELATED) W("complementary", NAVIGATION) W("condividi", RELATED)
	W("connexion", NAVIGATION) W("consent", NAVIGATION) W("contactbox", NAVIGATION)
	W("contactform", NAVIGATION) P("cookie", NAVIGATION) P("copyright", DETAIL)
	W("coral", COMMENTS) W("correlati", RELATED) W("counter", WEAK) P("credit", DETAIL)
	W("criteo", NAVIGATION) P("crosslink", RELATED) W("crp", RELATED) P("crumb", NAVIGATION)
	W("cta", RELATED) END };
static const struct word words_d[] = {
	W("date", WEAK) W("dateline", DETAIL) W("datepublication", DETAIL) W("datetime", DETAIL)
	W("datum", WEAK) W("deal", NAVIGATION) W("deals", NAVIGATION) W("derecha", NAVIGATION)
	W("dernieresactus", RELATED) W("dernieresnews", RELATED) W("derniersarticles", RELATED)
	W("dfp", NAVIGATION) W("didomi", NAVIGATION) W("disclaimer", DETAIL) W("disclosure", WEAK)
	W("disqus", COMMENTS) W("docnav", NAVIGATION) W("donate", RELATED) W("donation", RELATED)
	W("drawer", NAVIGATION) W("dropdown", NAVIGATION) W("drucken", DETAIL) W("dsq", COMMENTS)
	W("dureelecture", DETAIL) END };
static const struct word words_e[] = {
	W("edit", WEAK) W("edited", WEAK) W("editsection", NAVIGATION) P("empfehl", RELATED)
	W("encart", WEAK) W("encartpub", NAVIGATION) W("entete", NAVIGATION)
	W("espaceabonne", NAVIGATION) W("espacepub", NAVIGATION) W("essb", RELATED)
	W("etiquettes", DETAIL) END };
static const struct word words_f[] = {
	W("facebook", RELATED) W("fb", RELATED) W("fbcomments", COMMENTS) W("feedback", COMMENTS)
	W("figcaption", DETAIL) W("filariane", NAVIGATION) W("fildactu", NAVIGATION)
	W("filhierarchie", NAVIGATION) W("filinfo", NAVIGATION) W("filinfos", NAVIGATION)
	W("flyout", NAVIGATION) W("follow", RELATED) W("followus", RELATED) W("foot", NAVIGATION)
	P("footer", NAVIGATION) W("fotograf", DETAIL) W("fusszeile", NAVIGATION) END };
static const struct word words_g[] = {
	W("gdpr", NAVIGATION) W("gpt", NAVIGATION) W("gravatar", RELATED) W("guestbook", COMMENTS)
	END };
static const struct word words_h[] = {
	W("habillage", NAVIGATION) W("hauptnavigation", NAVIGATION) W("hautpage", NAVIGATION)
	W("headerlink", NAVIGATION) W("heateor", NAVIGATION) W("hustle", RELATED)
	W("hyvor", COMMENTS) END };
static const struct word words_i[] = {
	W("imagecaption", DETAIL) W("imagecredit", DETAIL) W("impressum", NAVIGATION)
	W("imprimer", DETAIL) W("imprint", NAVIGATION) W("info", WEAK) W("infobar", NAVIGATION)
	W("infolettre", RELATED) W("infospalte", NAVIGATION) W("inhaltsempfehlung", RELATED)
	W("inscription", NAVIGATION) W("instagram", RELATED) W("interstitial", NAVIGATION)
	W("isso", COMMENTS) W("iubenda", NAVIGATION) W("izquierda", NAVIGATION) END };
static const struct word words_j[] = {
	W("jp", RELATED) W("jump", NAVIGATION) END };
static const struct word words_k[] = {
	W("kalender", NAVIGATION) W("keywords", WEAK) W("kicker", WEAK) W("klaro", NAVIGATION)
	P("kommentar", COMMENTS) W("kommentieren", COMMENTS) W("kontaktbox", NAVIGATION)
	W("kopfzeile", NAVIGATION) END };
static const struct word words_l[] = {
	P("langswitch", NAVIGATION) W("languageswitcher", NAVIGATION) W("lateral", NAVIGATION)
	W("laune", NAVIGATION) W("leaderboard", NAVIGATION) P("leftcol", NAVIGATION)
	W("legende", DETAIL) W("leggianche", RELATED) W("leiamais", RELATED)
	W("lesenauch", RELATED) W("leserbriefe", COMMENTS) W("leserkommentar", COMMENTS)
	W("leserkommentare", COMMENTS) P("lesetipp", RELATED) W("lettreinfo", RELATED)
	W("ligatus", NAVIGATION) W("lightbox", NAVIGATION) W("like", RELATED)
	W("likebox", RELATED) W("likes", RELATED) W("linkbox", NAVIGATION) W("linkedin", RELATED)
	W("linklist", NAVIGATION) W("linkliste", NAVIGATION) P("linktipp", RELATED)
	W("lireaussi", RELATED) W("lireegalement", RELATED) W("lireplus", RELATED)
	W("livefyre", COMMENTS) P("login", NAVIGATION) W("logon", NAVIGATION) END };
static const struct word words_m[] = {
	W("mainmenu", NAVIGATION) W("maislidas", RELATED) P("marginalie", NAVIGATION)
	W("marginalspalte", NAVIGATION) W("mashsb", RELATED) W("masleidas", RELATED)
	W("masleido", RELATED) W("masthead", NAVIGATION) W("masvisto", RELATED)
	W("megamenu", NAVIGATION) W("mehrlesen", RELATED) W("mehrzum", RELATED)
	W("meistgelesen", RELATED) W("memeauteur", RELATED) W("memerubrique", RELATED)
	W("memesujet", RELATED) W("memetheme", RELATED) W("mentionslegales", NAVIGATION)
	P("menu", NAVIGATION) W("meta", WEAK) W("metadata", WEAK) W("metanav", NAVIGATION)
	W("meteo", NAVIGATION) W("mgid", NAVIGATION) W("migas", NAVIGATION) P("modal", NAVIGATION)
	W("moncompte", NAVIGATION) W("morearticles", RELATED) W("morefrom", RELATED)
	W("morein", RELATED) W("moreon", RELATED) W("moreposts", RELATED)
	W("morestories", RELATED) W("mostpopular", RELATED) W("mostread", RELATED)
	W("mostviewed", RELATED) W("motcle", DETAIL) W("motsclefs", DETAIL) W("motscles", DETAIL)
	W("mpu", NAVIGATION) END };
static const struct word words_n[] = {
	W("nav", NAVIGATION) W("navbar", NAVIGATION) W("navbottom", NAVIGATION)
	W("navbox", NAVIGATION) W("navfooter", NAVIGATION) W("navheader", NAVIGATION)
	W("navi", NAVIGATION) P("navigat", NAVIGATION) W("navlinks", NAVIGATION)
	W("navtop", NAVIGATION) W("neueste", NAVIGATION) P("newsletter", RELATED)
	W("nextprev", RELATED) W("nextup", RELATED) W("noprint", NAVIGATION)
	P("notification", NAVIGATION) W("noussuivre", RELATED) END };
static const struct word words_o[] = {
	W("offcanvas", NAVIGATION) W("offer", NAVIGATION) W("offers", NAVIGATION)
	W("onetrust", NAVIGATION) W("outbrain", NAVIGATION) W("outlinks", RELATED)
	P("overlay", NAVIGATION) END };
static const struct word words_p[] = {
	W("pagenav", NAVIGATION) W("pageprecedente", NAVIGATION) W("pager", NAVIGATION)
	W("pagesuivante", NAVIGATION) P("paginat", NAVIGATION) W("paging", NAVIGATION)
	W("panier", NAVIGATION) P("partage", RELATED) W("partenaires", NAVIGATION)
	W("pavepub", NAVIGATION) P("paywall", NAVIGATION) W("petitesannonces", NAVIGATION)
	W("photocredit", DETAIL) W("photographer", DETAIL) W("pied", NAVIGATION)
	W("piedpage", NAVIGATION) W("piedspage", NAVIGATION) P("pingback", COMMENTS)
	W("pinterest", RELATED) W("plista", NAVIGATION) W("plusarticles", RELATED)
	W("pluscommentes", RELATED) W("pluslu", RELATED) W("pluslues", RELATED)
	W("pluslus", RELATED) W("pluspartages", RELATED) W("pluspopulaires", RELATED)
	W("plusvus", RELATED) W("poll", RELATED) W("poool", NAVIGATION) W("popin", NAVIGATION)
	P("popular", RELATED) P("popup", NAVIGATION) W("posted", DETAIL) W("postmeta", DETAIL)
	W("precedentsuivant", RELATED) W("premium", NAVIGATION) W("prevnext", NAVIGATION)
	W("print", DETAIL) W("printfooter", NAVIGATION) W("printonly", DETAIL)
	W("profile", RELATED) P("promo", NAVIGATION) W("pubcontainer", NAVIGATION)
	W("pubdate", DETAIL) P("publicidad", NAVIGATION) P("publicita", NAVIGATION)
	W("publicite", NAVIGATION) W("publicites", NAVIGATION) W("publiele", DETAIL)
	W("publiepar", DETAIL) W("publish", DETAIL) W("published", DETAIL) END };
static const struct word words_q[] = {
	W("quicklinks", NAVIGATION) W("quiz", RELATED) END };
static const struct word words_r[] = {
	W("rail", NAVIGATION) W("randspalte", NAVIGATION) P("rating", RELATED)
	P("reaction", COMMENTS) W("readalso", RELATED) W("reading", WEAK) W("readingtime", DETAIL)
	W("readmore", RELATED) W("readnext", RELATED) W("reagir", COMMENTS)
	W("reagissez", COMMENTS) W("recherche", NAVIGATION) P("recirc", RELATED)
	P("recommand", RELATED) P("recommend", RELATED) W("redacteur", DETAIL)
	W("redaktion", DETAIL) P("register", NAVIGATION) W("registrieren", NAVIGATION)
	P("relacion", RELATED) P("related", RELATED) W("replies", COMMENTS) W("reply", COMMENTS)
	W("repondre", COMMENTS) W("reseaux", RELATED) W("reseauxsociaux", RELATED)
	W("respond", COMMENTS) W("retour", NAVIGATION) W("retourhaut", NAVIGATION)
	W("revcontent", NAVIGATION) W("rgpd", NAVIGATION) P("rightcol", NAVIGATION)
	W("rodape", NAVIGATION) W("rss", NAVIGATION) END };
static const struct word words_s[] = {
	W("sabonner", NAVIGATION) P("sabox", RELATED) W("sameauthor", RELATED)
	W("samesubject", RELATED) W("sametopic", RELATED) W("savoirplus", RELATED)
	W("schlagworte", DETAIL) P("search", NAVIGATION) W("seconnecter", NAVIGATION)
	W("seemore", RELATED) W("seitenfuss", NAVIGATION) W("seitenleiste", NAVIGATION)
	W("servicenav", NAVIGATION) W("sfsi", RELATED) P("share", RELATED) W("shariff", RELATED)
	W("sharing", RELATED) P("sidebar", NAVIGATION) W("sidenav", NAVIGATION)
	W("signin", NAVIGATION) W("signoff", RELATED)
	W("signup", NAVIGATION) P("similar", RELATED) W("sitemap", NAVIGATION)
	W("skip", NAVIGATION) P("skiplink", NAVIGATION) W("skipnav", NAVIGATION)
	W("skyscraper", NAVIGATION) P("slider", NAVIGATION) P("social", RELATED)
	W("sociaux", RELATED) W("sommaire", NAVIGATION) W("sondage", RELATED)
	W("sondages", RELATED) P("source", WEAK) W("spende", RELATED) W("spenden", RELATED)
	W("sphinxsidebar", NAVIGATION) P("sponsor", NAVIGATION) W("spotim", COMMENTS)
	W("sprachwahl", NAVIGATION) W("ssba", RELATED) W("stats", WEAK) W("submenu", NAVIGATION)
	P("subscri", NAVIGATION) W("suche", NAVIGATION) W("suchformular", NAVIGATION)
	W("suggested", RELATED) P("suggestion", RELATED) W("suivez", RELATED)
	W("suivezmoi", RELATED) W("suiveznous", RELATED) P("survey", NAVIGATION)
	W("swiper", NAVIGATION) END };
static const struct word words_t[] = {
	W("taboola", NAVIGATION) W("tagcloud", RELATED) W("tagged", DETAIL) W("taglinks", DETAIL)
	W("taglist", DETAIL) W("tags", DETAIL) W("teads", NAVIGATION) P("teaser", TEASER)
	W("teilen", RELATED) W("tempslecture", DETAIL) W("testata", NAVIGATION)
	W("ticker", NAVIGATION) W("timestamp", DETAIL) W("toc", NAVIGATION)
	W("toctree", NAVIGATION) P("toolbar", NAVIGATION) W("toolbox", NAVIGATION)
	W("tools", NAVIGATION) W("topbar", NAVIGATION) W("topnav", NAVIGATION)
	W("topnews", NAVIGATION) W("topstories", RELATED) W("toread", RELATED)
	W("totop", NAVIGATION) P("trackback", COMMENTS) W("tracking", NAVIGATION)
	P("trending", RELATED) W("tweet", RELATED) W("twitter", RELATED) END };
static const struct word words_u[] = {
	W("ultimas", RELATED) W("upnext", RELATED) W("usercentrics", NAVIGATION) END };
static const struct word words_v[] = {
	W("vcard", RELATED) W("vejatambem", RELATED) W("verfasser", DETAIL) P("verwandt", RELATED)
	W("viafoura", COMMENTS) W("views", WEAK) W("voiraussi", RELATED)
	W("voiregalement", RELATED) W("voirplus", RELATED) W("vote", RELATED) W("votes", RELATED)
	END };
static const struct word words_w[] = {
	W("warenkorb", NAVIGATION) W("weather", NAVIGATION) P("weitere", RELATED)
	W("weiterlesen", RELATED) P("werbung", NAVIGATION) W("wetter", NAVIGATION)
	W("whatsapp", RELATED) P("widget", NAVIGATION) W("wpadminbar", NAVIGATION)
	W("wpdiscuz", COMMENTS) END };
static const struct word words_x[] = {
	W("xing", RELATED) END };
static const struct word words_y[] = {
	W("yarpp", RELATED) W("youmaylike", RELATED) W("youmightlike", RELATED)
	W("youtube", RELATED) END };
static const struct word words_z[] = {
	W("zephr", NAVIGATION) W("zergnet", NAVIGATION) W("zonepub", NAVIGATION)
	W("zumthema", RELATED) W("zurperson", RELATED) END };
static const struct word *const by_letter[26] = {
	words_a, words_b, words_c, words_d, words_e, words_f, words_g, words_h, words_i, words_j,
	words_k, words_l, words_m, words_n, words_o, words_p, words_q, words_r, words_s, words_t,
	words_u, words_v, words_w, words_x, words_y, words_z };
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

/* The first of the words that begin with these two letters, or of those after them. */
static const struct word *first_word(char a, char b)
{
	const struct word *w = by_letter[(a | 32) - 'a'];

	while (w->n && w->p[1] < (b | 32))
		w++;
	return w;
}

/* The kind of one word, in any case. */
static unsigned kind_of(const char *p, size_t n)
{
	const struct word *w;

	if (n < 2 || !(is_small((char)(*p | 32))))
		return 0;
	for (w = first_word(p[0], p[1]); w->n && w->p[1] == (p[1] | 32); w++) {
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

/* The kind of two words of one name as if they were written together: read-more, LireAussi. */
static unsigned kind_of_pair(const char *a, size_t na, const char *b, size_t nb)
{
	char pair[LONGEST_WORD];
	const struct word *w;

	if (na + nb < SHORTEST_PAIR || na + nb > sizeof(pair) || !is_small((char)(*a | 32)))
		return 0;
	memcpy(pair, a, na);
	memcpy(pair + na, b, nb);
	for (w = first_word(pair[0], pair[1]); w->n && w->p[1] == (pair[1] | 32); w++) {
		if (na + nb == w->n && strncasecmp(pair, w->p, w->n) == 0)
			return w->kind;
	}
	return 0;
}

static bool is_letter(char c)
{
	return is_capital(c) || is_small(c);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The kinds of the words of a blank-separated list of names. */
static unsigned kinds_of(struct lu_str s)
{
	const char *p = s.p, *end = s.n ? s.p + s.n : p, *last = NULL;
	unsigned kinds = 0;
	size_t n = 0;

	while (p < end) {
		const char *from = p;
		bool camel;

		while (p < end && is_letter(*p) && !(p > from && is_capital(*p) && is_small(p[-1])))
			p++;
		if (p == from) {
			/* Words of different names are no pair. */
			if (is_blank(*p))
				last = NULL;
			p++;
			continue;
		}
		if (last)
			kinds |= kind_of_pair(last, n, from, (size_t)(p - from));
		last = from;
		n = (size_t)(p - from);
		/* Short words count only where they stand alone: names such as jpYiwZ are random. */
		camel = p < end && is_capital(*p);
		camel |= from > s.p && is_small(from[-1]);
		if (camel && n < 4)
			continue;
		if (is_builder(from, n)) {
			while (p < end && !is_blank(*p))
				p++;
			continue;
		}
		kinds |= kind_of(from, n);
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
