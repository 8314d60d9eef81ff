#ifndef LUCIE_HTML_MAIN_TEXT_H
#define LUCIE_HTML_MAIN_TEXT_H
/*
 * Find the main text of a page: mark the elements to leave out, and choose the one to read.
 *
 *	lu_main_measure(root, false);
 *	from = lu_main_choose(root, LU_MAIN_NARROW, false);
 *	...			read below `from` the elements whose mark is LU_MARK_KEEP
 *
 * The model. Text is counted in bytes without blanks. A block (an element that is a paragraph, list
 * item, cell ... by itself) is prose when it has at least 80 bytes outside of inner blocks and less
 * than half of them are in links. An element's prose is that of all blocks in it, its links the
 * share of its text that is in links.
 *
 * 1. Left out by what an element is: nav, aside, footer, search; a header outside of an article, if
 *    it has no prose or a third of it is links; figcaption; a form of at most 600 bytes and a fifth
 *    of the prose.
 * 2. Left out as a list of links: a div, section or list without prose and tables of which more than
 *    60 % is links, if the page has four times its text in prose.
 * 3. Left out by the words of class, id and role (html_words.h): navigation, comments, and pointers
 *    to other pages. Words may mislead, so they do not count where
 *    - the element holds most of the page's prose (half of it),
 *    - or a third of it, with hardly any links (a tenth),
 *    - or the word is of the id alone, which is derived from the heading that the element begins
 *      with, as in documentation, and it has prose and less than a third of links,
 *    - or the word means the beginning of another page (teaser), and nothing in it is a link: it is
 *      the beginning of this one,
 *    - or it is a quotation.
 *    As such words count the heading or paragraph that an element begins with, if it has at most 64
 *    bytes and introduces other pages ("Sur le même sujet", "Most read"; html_phrases.h), and a tenth
 *    or more of the element is links, unless a third of the prose is in it. "See also" is none.
 *    Words of detail (author, date, tags, caption) leave out what is short: at most 600 bytes and a
 *    fifth of the prose; the weaker of them only what has no prose.
 *    Nothing inside <pre> is left out.
 * 4. If less than a tenth of the prose is left, words do not count on this page.
 * 5. Of what is left, read the main element, if half of the prose is in it, and in that the innermost
 *    element that holds 95 % of the prose and all but 1,000 bytes of it, and at each step 70 % of the
 *    text outside of links: lists and tables are no prose, but belong to it. Do not go below an
 *    article, nor below an element with a paragraph or a list of prose of its own.
 *
 * Then, in html.c, blocks of links and stock phrases go (html_flow.h), and an h1 before the chosen
 * element is put over it. If the outcome is shorter than 100 bytes and a third of the page, the next
 * wider choice is taken: without words, then the whole page. So a page with text never comes out empty.
 *
 * What recurs on other pages of the same host is not looked for: the text of a page would depend on
 * which others are imported with it. lucie-dedup finds such paragraphs afterwards.
 *
 * The thresholds were found on half of the pages of a public evaluation set (tests/bench/main_text.py),
 * and checked on the other half and on the documentation of Debian, which has little to leave out.
 */
#include "libcommon/html/html_tree.h"

enum lu_html_mark {
	LU_MARK_KEEP,
	LU_MARK_HIDDEN, /* not rendered: left out in any case */
	LU_MARK_LEFT_OUT,
};

enum lu_main_choice {
	LU_MAIN_NARROW,
	LU_MAIN_WIDE,	/* words and figcaption do not count */
	LU_MAIN_PAGE,	/* all that is rendered */
	LU_MAIN_MANUAL, /* all but the head and foot that mandoc(1) writes */
};

/* Measure the page, and mark what is hidden; `whole`: not what is shown beside the text. Once, before
 * lu_main_choose(). */
void lu_main_measure(struct lu_html_node *root, bool whole);

/* Mark the elements below `root`, and return the one to read. `comments`: keep those of readers. */
const struct lu_html_node *lu_main_choose(
		struct lu_html_node *root, enum lu_main_choice choice, bool comments);

#endif
