#ifndef LUCIE_HTML_HTML_H
#define LUCIE_HTML_HTML_H
/*
 * The text of an HTML page, by the parser of html_parse.h, which recovers from any input.
 *
 * Paragraphs, headings and other blocks are separated by a blank line. List items are a line each
 * ("- ", or their number), inner lists are indented by two spaces. A term of a definition list is a
 * line before its definition. A table row is a line, its cells separated by " | ", unless cells of
 * the table hold blocks (a table used for layout). Preformatted text keeps its blanks and line ends;
 * elsewhere a run of blanks becomes one space, and a no-break space stays. Characters U+0080-009F,
 * which pages mean as windows-1252, are decoded as such.
 *
 * Elements that are not rendered (script, style, template, hidden ...) and form controls are left out
 * in any case. What is left out besides, unless the whole page is wanted, is said in main_text.h and
 * html_flow.h.
 *
 * Thread-safe.
 */
#include "libcommon/html/html_meta.h"
#include "libcommon/html/notice.h"

enum lu_html_extent {
	LU_HTML_MAIN,	  /* the main text; never empty if the page has text */
	LU_HTML_COMMENTS, /* and the comments of readers */
	LU_HTML_WHOLE,	  /* all that is rendered */
	LU_HTML_MANUAL,	  /* a manual page by mandoc(1): all but its head and foot */
};

/* `html` is UTF-8. Append the text to `text` (ends with a newline unless empty), and fill `meta` and
 * `notice` (NULL: not wanted). 1: refused and nothing appended, since the page has more nodes than
 * LU_HTML_NODES (html_parse.h). -1: out of memory, or a page of more than 2 GiB. */
int lu_html_page(struct lu_str html, enum lu_html_extent extent, struct lu_html_meta *meta,
		struct lu_notice *notice, struct lu_buf *text, struct lu_err *err) LU_CHECKED;

/* The same with fewer words: whole page or main text, and the title (NULL: not wanted). */
int lu_html_text(struct lu_str html, bool whole, struct lu_buf *title, struct lu_notice *notice,
		struct lu_buf *text, struct lu_err *err) LU_CHECKED;

#endif
