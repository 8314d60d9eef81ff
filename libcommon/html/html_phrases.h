#ifndef LUCIE_HTML_HTML_PHRASES_H
#define LUCIE_HTML_HTML_PHRASES_H
/*
 * Stock phrases of pages: what content management systems put around a text, in English, French,
 * German, Spanish, Italian, Portuguese and Polish.
 */
#include "libcommon/base/buf.h"

enum lu_html_phrase {
	LU_PHRASE_NONE,
	LU_PHRASE_NOTICE,  /* on comments, sharing, access, where the entry is filed;
			    a picture's credit */
	LU_PHRASE_POINTER, /* to another page, with a link: "Lire aussi: Le pont" */
	LU_PHRASE_HEADING, /* of such pointers: "See also:" */
};

/* What a paragraph (not a heading) is: one of at most LU_HTML_PHRASE bytes that begins so; pointers
 * and their headings do not end like a sentence, or ask the question after a colon that the page is
 * about: "Lire aussi : Qui paiera ?" Case does not count, nor what kind of blank it is and whether one
 * is before a colon, as in French, nor the form of an apostrophe. `linked`: it has a link. */
enum lu_html_phrase lu_html_phrase(struct lu_str s, bool linked);

/* True for the heading of a list of other pages: "Most read". */
bool lu_html_heads_others(struct lu_str s);

#define LU_HTML_PHRASE 160

#endif
