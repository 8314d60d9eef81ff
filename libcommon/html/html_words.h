#ifndef LUCIE_HTML_HTML_WORDS_H
#define LUCIE_HTML_HTML_WORDS_H
/*
 * What the words of an element's class, id and role say about its content.
 *
 * A name such as "post-footer_shareButtons" is split into words at everything that is no letter or
 * digit and where a capital follows a small letter: post, footer, share, buttons. Two neighbours count
 * as one word too, so that "lire-aussi" is "lireaussi". The list of words
 * (html_words.c) is English, French, German, Spanish, Italian and Portuguese, from the vocabulary of
 * content management systems and documentation generators: WordPress, Drupal, Joomla, TYPO3, SPIP,
 * Blogger, MediaWiki, Sphinx, DocBook, Publican, Docutils, mandoc.
 */
#include "libcommon/html/html_tree.h"

enum {
	LU_WORDS_NAVIGATION = 1 << 0, /* menus, bread crumbs, footers, sidebars, advertisements */
	LU_WORDS_COMMENTS = 1 << 1,   /* of readers, and their form */
	LU_WORDS_RELATED = 1 << 2,    /* other pages; sharing, newsletters, about the author */
	LU_WORDS_TEASER = 1 << 3,     /* the beginning of another page, or of this one */
	LU_WORDS_DETAIL = 1 << 4,     /* date, author, tags, captions */
	LU_WORDS_WEAK = 1 << 5,	      /* the same, but words that mean much else too */
	LU_WORDS_SLUG = 1 << 6,	      /* the words are those of the id alone */
	LU_WORDS_OTHERS = 1 << 7,     /* not of the names: it begins with such a heading */
};

unsigned lu_html_words(const struct lu_html_node *n);

#endif
