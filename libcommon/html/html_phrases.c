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
	"les commentaires sont ferm", "cet article a \303\251t\303\251 publi",
	"cette entr\303\251e a \303\251t\303\251 publi", "partager cet article",
	"deja un comentario", "deja una respuesta", "compartir en", "lascia un commento",
	"condividi su", "deixe um coment", "zostaw komentarz" };

static const char *const pointers[] = { "read more", "read also", "read next", "also read",
	"see also", "related:", "related articles", "related posts", "tags:", "tagged",
	"lesen sie auch", "lies auch", "auch interessant", "auch auf", "mehr zum thema",
	"mehr themen", "mehr zu ", "schon gelesen", "zum thema", "weiterlesen", "weitere artikel",
	"weitere themen", "das k\303\266nnte", "\303\244hnliche", "schlagw\303\266rter",
	"schlagworte", "lire aussi", "\303\240 lire", "\303\200 lire", "a lire", "voir aussi",
	"sur le m\303\252me sujet", "lea tambi\303\251n", "lea tambien", "vea tambi\303\251n",
	"ver m\303\241s", "puedes ver", "mira:", "mire:", "leggi anche", "leia tamb\303\251m",
	"veja tamb\303\251m", "czytaj te\305\274", "czytaj tak\305\274e", "zobacz tak\305\274e",
	"zobacz r\303\263wnie\305\274" };

/* Credits of pictures: the colon decides. */
static const char *const credits[] = { "photo:", "photos:", "foto:", "fotos:", "bild:", "credit:",
	"image:",
	"cr\303\251"
	"dit:",
	"cr\303\251"
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
