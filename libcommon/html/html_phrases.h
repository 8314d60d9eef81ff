#ifndef LUCIE_HTML_HTML_PHRASES_H
#define LUCIE_HTML_HTML_PHRASES_H
/*
 * Stock phrases of pages: what content management systems put around a text, in English, French,
 * German, Spanish, Italian, Portuguese and Polish.
 */
#include "libcommon/base/buf.h"

/* True if a paragraph (not a heading) is one: it is short, at most LU_HTML_PHRASE bytes, and
 *  - begins like a notice on comments, sharing, or where the entry is filed;
 *  - or begins like a pointer to another page ("Read more", "Lire aussi"), does not end like a
 *    sentence, and is little more than that or has a link. */
bool lu_html_is_phrase(struct lu_str s, bool linked);

#define LU_HTML_PHRASE 120

#endif
