#include "libcommon/html/html_phrases.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes that may follow a pointer without a link. */
#define POINTER_REST 12

/* Bytes that may follow in the heading of other pages: "Most read in Sports". */
#define OTHERS_REST 24

/* In small letters. A blank stands for any, also none before a colon; ' for the curly one too. */
static const char *const notices[] = { "leave a reply", "leave a comment", "comments are closed",
	"this entry was posted", "this post was", "filed under", "posted in", "share this",
	"follow us", "sign up for", "subscribe to", "your email address will not",
	"this site uses akismet", "schreibe einen kommentar", "kommentar verfassen",
	"kommentare geschlossen", "kommentare sind geschlossen", "deine e-mail-adresse wird",
	"diese website verwendet akismet", "dieser eintrag wurde", "dieser beitrag wurde",
	"diesen artikel teilen", "artikel teilen", "laisser un commentaire",
	"votre adresse e-mail ne sera pas", "votre adresse de messagerie",
	"les commentaires sont ferm", "cet article a \303\251t\303\251 publi",
	"cette entr\303\251e a \303\251t\303\251 publi", "partager cet article",
	"deja un comentario", "deja una respuesta", "compartir en", "lascia un commento",
	"condividi su", "deixe um coment", "zostaw komentarz", "laissez un commentaire",
	"laisser une r\303\251ponse", "poster un commentaire", "publier un commentaire",
	"ajouter un commentaire", "\303\251crire un commentaire", "soyez le premier \303\240 comm",
	"soyez le premier \303\240 r\303\251agir", "r\303\251agir \303\240 cet",
	"r\303\251agissez \303\240 cet", "r\303\251pondre \303\240 cet article",
	"vous devez \303\252tre connect\303\251", "connectez-vous pour", "les champs obligatoires",
	"ce site utilise akismet", "ce contenu a \303\251t\303\251 publi",
	"ce billet a \303\251t\303\251 publi", "partagez cet article", "partager l'article",
	"partager sur", "partager:", "partagez sur", "partagez:", "copier le lien",
	"lien copi\303\251", "imprimer cet article", "imprimer l'article",
	"envoyer \303\240 un ami", "envoyer par e-mail", "envoyer par mail", "suivez-nous",
	"retrouvez-nous sur", "je m'abonne", "d\303\251j\303\240 abonn\303\251",
	"inscrivez-vous \303\240 la newsletter", "inscrivez-vous \303\240 notre", "recevez notre",
	"recevez gratuitement", "article r\303\251serv\303\251",
	"cet article est r\303\251serv\303\251", "contenu r\303\251serv\303\251",
	"la suite est r\303\251serv\303\251e", "tous droits r\303\251serv\303\251s",
	"temps de lecture:", "signaler un abus", "signaler un contenu", "signaler une erreur" };

/* Notices that a sentence may begin with too: it must not end like one. */
static const char *const lines[] = { "publi\303\251 le", "publi\303\251 par", "post\303\251 le",
	"post\303\251 par", "mis en ligne le", "mis \303\240 jour le", "mise \303\240 jour le",
	"modifi\303\251 le", "derni\303\250re mise \303\240 jour", "derni\303\250re modification",
	"temps de lecture", "abonnez-vous", "s'abonner \303\240", "aucun commentaire" };

/* Labels: notices only if they are the whole block. */
static const char *const labels[] = { "advertisement", "publicit\303\251", "partager", "s'abonner",
	"r\303\251agir", "r\303\251agissez !", "r\303\251agissez", "tweeter" };

static const char *const pointers[] = { "read more", "read also", "read next", "also read",
	"see also", "related:", "related articles", "related posts", "tags:", "tagged",
	"lesen sie auch", "lies auch", "auch interessant", "auch auf", "mehr zum thema",
	"mehr themen", "mehr zu ", "schon gelesen", "zum thema", "weiterlesen", "weitere artikel",
	"weitere themen", "das k\303\266nnte", "\303\244hnliche", "schlagw\303\266rter",
	"schlagworte", "lire aussi", "\303\240 lire", "\303\240 lire aussi",
	"\303\240 lire \303\251galement", "a lire", "a lire aussi", "voir aussi",
	"sur le m\303\252me sujet", "lea tambi\303\251n", "lea tambien", "vea tambi\303\251n",
	"ver m\303\241s", "puedes ver", "mira:", "mire:", "leggi anche", "leia tamb\303\251m",
	"veja tamb\303\251m", "czytaj te\305\274", "czytaj tak\305\274e", "zobacz tak\305\274e",
	"zobacz r\303\263wnie\305\274", "lire la suite", "lire plus", "lire \303\251galement",
	"lire l'article", "lire:", "lisez aussi", "relire:", "\303\240 voir aussi",
	"\303\240 voir \303\251galement", "\303\240 \303\251couter aussi",
	"\303\240 d\303\251couvrir aussi", "voir \303\251galement", "voir tous", "voir toutes",
	"en savoir plus", "pour en savoir plus", "pour aller plus loin", "plus d'info",
	"sur le m\303\252me th\303\250me", "sur ce sujet", "dans la m\303\252me rubrique",
	"dans le m\303\252me dossier", "dans la m\303\252me cat\303\251gorie",
	"du m\303\252me auteur", "articles similaires", "articles li\303\251s",
	"articles associ\303\251s", "articles connexes", "articles r\303\251cents",
	"article pr\303\251c\303\251dent", "article suivant", "autres articles",
	"nos autres articles", "nos derniers articles", "les plus lus", "les plus populaires",
	"les plus partag\303\251s", "les plus comment\303\251s", "vous aimerez",
	"cela pourrait vous", "ceci pourrait vous", "ces articles p", "tous les articles",
	"toute l'actualit\303\251", "notre dossier:", "notre s\303\251lection", "mots-cl\303\251s",
	"mots cl\303\251s", "mot-cl\303\251", "\303\251tiquettes:", "th\303\250mes:", "sujets:",
	"rubrique:", "cat\303\251gorie:", "cat\303\251gories:", "publi\303\251 dans",
	"post\303\251 dans", "class\303\251 dans", "retour \303\240" };

/* Headings of lists of other pages. Those of references, as "See also", are not here. */
static const char *const others[] = { "related articles", "related posts", "related stories",
	"related news", "related content", "you may also like", "you might also like",
	"recommended for you", "most read", "most popular", "most viewed", "latest news",
	"latest articles", "latest stories", "recent posts", "popular posts", "trending",
	"read next", "also read", "read also", "more stories", "more from", "lesen sie auch",
	"lies auch", "das k\303\266nnte", "mehr zum thema", "weitere artikel", "weitere themen",
	"weitere beitr\303\244ge", "\303\244hnliche artikel", "\303\244hnliche beitr\303\244ge",
	"meistgelesen", "neueste artikel", "neueste beitr\303\244ge", "auch interessant",
	"lire aussi", "\303\240 lire aussi", "a lire aussi", "\303\240 lire \303\251galement",
	"\303\240 lire sur", "\303\240 voir aussi", "\303\240 d\303\251couvrir aussi",
	"\303\240 ne pas manquer", "\303\240 la une", "sur le m\303\252me sujet",
	"sur le m\303\252me th\303\250me", "sur ce sujet", "dans la m\303\252me rubrique",
	"dans le m\303\252me dossier", "dans la m\303\252me cat\303\251gorie",
	"du m\303\252me auteur", "articles similaires", "articles li\303\251s",
	"articles associ\303\251s", "articles connexes", "articles r\303\251cents",
	"autres articles", "nos autres articles", "nos derniers articles", "derniers articles",
	"derni\303\250res actualit\303\251s", "les plus lus", "les plus vus", "les plus populaires",
	"les plus partag\303\251s", "les plus comment\303\251s", "les articles les plus",
	"vous aimerez", "cela pourrait vous", "ceci pourrait vous",
	"pourrait vous int\303\251resser", "notre s\303\251lection", "toute l'actualit\303\251",
	"fil info", "lea tambi\303\251n", "te puede interesar", "noticias relacionadas",
	"art\303\255culos relacionados", "entradas relacionadas", "lo m\303\241s le\303\255do",
	"leggi anche", "articoli correlati", "articoli simili", "potrebbe interessarti",
	"potrebbero interessarti", "leia tamb\303\251m", "veja tamb\303\251m",
	"artigos relacionados", "mais lidas", "czytaj tak\305\274e", "zobacz tak\305\274e",
	"najcz\304\231\305\233ciej czytane" };

/* Credits of pictures: a single word needs the colon. */
static const char *const credits[] = { "photo:", "photos:", "foto:", "fotos:", "bild:", "credit:",
	"image:", "cr\303\251dit:", "cr\303\251dit photo",
	"cr\303\251dits:", "cr\303\251dits photo", "illustration:", "image illustrative",
	"image d'illustration", "photo d'illustration" };

/* Bytes of blanks at s[i]; those that do not break are of two and three bytes. */
static size_t blanks(struct lu_str s, size_t i)
{
	size_t from = i;

	while (i < s.n) {
		if (s.p[i] == ' ' || s.p[i] == '\n')
			i++;
		else if (s.n - i >= 2 && memcmp(s.p + i, "\302\240", 2) == 0)
			i += 2;
		else if (s.n - i >= 3 && memcmp(s.p + i, "\342\200\257", 3) == 0)
			i += 3;
		else
			break;
	}
	return i - from;
}

/* The byte s[i], small if it is of a capital of ASCII or Latin-1. */
static unsigned char small(struct lu_str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];

	if (c >= 'A' && c <= 'Z')
		return c | 32;
	if (c >= 0x80 && c <= 0x9E && i > 0 && (unsigned char)s.p[i - 1] == 0xC3)
		return c | 32;
	return c;
}

/* Bytes of s that are the phrase, if it begins so; 0: it does not. */
static size_t begins_with(struct lu_str s, const char *phrase)
{
	size_t i = 0, n;

	for (; *phrase; phrase++) {
		if (*phrase == ' ' || *phrase == ':') {
			n = blanks(s, i);
			i += n;
			if (*phrase == ' ' && n == 0)
				return 0;
			if (*phrase == ' ')
				continue;
		}
		if (i >= s.n)
			return 0;
		if (*phrase == '\'' && s.n - i >= 3 && memcmp(s.p + i, "\342\200\231", 3) == 0)
			i += 3;
		else if (small(s, i) == (unsigned char)*phrase)
			i++;
		else
			return 0;
	}
	return i;
}

/* Bytes of the longest phrase of the list that s begins with; 0: none. */
static size_t begins(struct lu_str s, const char *const *list, size_t n)
{
	unsigned char first = s.n ? small(s, 0) : 0;
	size_t longest = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = 0;

		if ((unsigned char)*list[i] == first)
			len = begins_with(s, list[i]);
		longest = len > longest ? len : longest;
	}
	return longest;
}

/* True if a colon follows the first n bytes, or ends them. */
static bool has_colon(struct lu_str s, size_t n)
{
	size_t i = n + blanks(s, n);

	return s.p[n - 1] == ':' || (i < s.n && s.p[i] == ':');
}

enum lu_html_phrase lu_html_phrase(struct lu_str s, bool linked)
{
	bool sentence;
	size_t n;

	if (s.n == 0 || s.n > LU_HTML_PHRASE)
		return LU_PHRASE_NONE;
	if (begins(s, notices, COUNT(notices)) || begins(s, credits, COUNT(credits)))
		return LU_PHRASE_NOTICE;
	if (begins(s, labels, COUNT(labels)) == s.n)
		return LU_PHRASE_NOTICE;
	sentence = strchr(".!?", s.p[s.n - 1]) != NULL;
	if (!sentence && begins(s, lines, COUNT(lines)))
		return LU_PHRASE_NOTICE;
	n = begins(s, pointers, COUNT(pointers));
	if (!n)
		return LU_PHRASE_NONE;
	/* The title that is pointed to may be a question: "Read also: Who was it?" */
	if (sentence && (s.p[s.n - 1] == '.' || !linked || !has_colon(s, n)))
		return LU_PHRASE_NONE;
	if (linked)
		return LU_PHRASE_POINTER;
	return s.n < n + POINTER_REST ? LU_PHRASE_HEADING : LU_PHRASE_NONE;
}

bool lu_html_heads_others(struct lu_str s)
{
	size_t n = begins(s, others, COUNT(others));

	return n && s.n < n + OTHERS_REST;
}
