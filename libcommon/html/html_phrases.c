#include "libcommon/html/html_phrases.h"

#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes that may follow a pointer without a link. */
#define POINTER_REST 12

/* Letters beyond ASCII are compared as they are. */
static const char *const notices[] = { "leave a reply", "leave a comment", "comments are closed",
	"this entry was posted", "this post was", "filed under", "posted in", "share this",
	"follow us", "sign up for", "subscribe to", "your email address will not",
	"this site uses akismet", "schreibe einen kommentar", "kommentar verfassen",
	"kommentare geschlossen", "kommentare sind geschlossen", "deine e-mail-adresse wird",
	"diese website verwendet akismet", "dieser eintrag wurde", "dieser beitrag wurde",
	"diesen artikel teilen", "artikel teilen", "laisser un commentaire",
	"votre adresse e-mail ne sera pas", "votre adresse de messagerie",
	"les commentaires sont ferm", "cet article a \xC3\xA9t\xC3\xA9 publi",
	"cette entr\xC3\xA9"
	"e a \xC3\xA9t\xC3\xA9 publi",
	"partager cet article", "deja un comentario", "deja una respuesta", "compartir en",
	"lascia un commento", "condividi su", "deixe um coment", "zostaw komentarz" };

static const char *const pointers[] = { "read more", "read also", "read next", "also read",
	"see also", "related:", "related articles", "related posts", "tags:", "tagged",
	"lesen sie auch", "lies auch", "auch interessant", "auch auf", "mehr zum thema",
	"mehr themen", "mehr zu ", "schon gelesen", "zum thema", "weiterlesen", "weitere artikel",
	"weitere themen", "das k\xC3\xB6nnte", "\xC3\xA4hnliche", "schlagw\xC3\xB6rter",
	"schlagworte", "lire aussi", "\xC3\xA0 lire", "\xC3\x80 lire", "a lire", "voir aussi",
	"sur le m\xC3\xAAme sujet", "lea tambi\xC3\xA9n", "lea tambien", "vea tambi\xC3\xA9n",
	"ver m\xC3\xA1s", "puedes ver", "mira:", "mire:", "leggi anche", "leia tamb\xC3\xA9m",
	"veja tamb\xC3\xA9m", "czytaj te\xC5\xBC",
	"czytaj tak\xC5\xBC"
	"e",
	"zobacz tak\xC5\xBC"
	"e",
	"zobacz r\xC3\xB3wnie\xC5\xBC" };

/* Credits of pictures: the colon decides. */
static const char *const credits[] = { "photo:", "photos:", "foto:", "fotos:", "bild:", "credit:",
	"image:",
	"cr\xC3\xA9"
	"dit:",
	"cr\xC3\xA9"
	"dit photo" };

/* Bytes of the phrase that s begins with; 0: none. */
static size_t begins(struct lu_str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i]);

		if (s.n >= len && strncasecmp(s.p, list[i], len) == 0)
			return len;
	}
	return 0;
}

enum lu_html_phrase lu_html_phrase(struct lu_str s, bool linked)
{
	size_t n;

	if (s.n == 0 || s.n > LU_HTML_PHRASE)
		return LU_PHRASE_NONE;
	if (begins(s, notices, COUNT(notices)) || begins(s, credits, COUNT(credits)))
		return LU_PHRASE_NOTICE;
	n = begins(s, pointers, COUNT(pointers));
	if (!n || strchr(".!?", s.p[s.n - 1]))
		return LU_PHRASE_NONE;
	if (linked)
		return LU_PHRASE_POINTER;
	return s.n < n + POINTER_REST ? LU_PHRASE_HEADING : LU_PHRASE_NONE;
}
