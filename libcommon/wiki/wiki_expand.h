#ifndef LUCIE_WIKI_WIKI_EXPAND_H
#define LUCIE_WIKI_WIKI_EXPAND_H
/*
 * The first pass over a page: templates, links, comments and extension tags; see wikitext.h.
 *
 * What is resolved is written to w->expanded. Text in which markup means nothing (nowiki, pre, math) is
 * put between LU_WIKI_BEGIN, a letter, and LU_WIKI_END, with LU_WIKI_NEWLINE for its line ends;
 * LU_WIKI_HOLE stands where something could not be expanded, LU_WIKI_NOTHING where a template was left
 * out, both unless they had a line for themselves. No other control characters than tab
 * and newline are written.
 */
#include "libcommon/wiki/wikitext.h"

#define LU_WIKI_BEGIN '\1'
#define LU_WIKI_END '\2'
#define LU_WIKI_CELL '\3' /* between cells, of wiki_layout.c */
#define LU_WIKI_HOLE '\4'
#define LU_WIKI_NEWLINE '\5'
#define LU_WIKI_NOTHING '\6'

/* Letters behind LU_WIKI_BEGIN. */
#define LU_WIKI_PLAIN 'n'
#define LU_WIKI_PRE 'p'
#define LU_WIKI_MATH 'm'

/* -1: out of memory. */
int lu_wiki_expand(struct lu_wikitext *w, struct lu_str markup, struct lu_err *err) LU_CHECKED;

/* Resolve the link that the frame on top holds; see wiki_link.c. The text behind its brackets is
 * replaced by what is shown. False: it is no link, and stays. */
bool lu_wiki_link(struct lu_wikitext *w, const struct lu_wiki_frame *f);

#endif
