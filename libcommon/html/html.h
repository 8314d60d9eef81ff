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
 * Left out: elements that are not rendered (script, style, template, hidden ...), form controls,
 * and, unless `whole`: nav, aside, footer, header outside of an article; elements whose role, class
 * or id says navigation, breadcrumbs, sidebar, table of contents or footer (the list is in
 * html_element.c); blocks shorter than 200 bytes of which two thirds or more are links to elsewhere
 * and which do not end like a sentence; and, if the page has a main element, the rest of the page.
 *
 * Thread-safe.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/html/notice.h"

/* `html` is UTF-8. Append to `title` (one line, may stay empty; NULL: not wanted), `notice` (NULL: not
 * wanted) and `text` (ends with a newline unless empty). 1: refused and nothing appended, since elements nest deeper than
 * LU_HTML_DEPTH (browsers: 512) or tags have more attributes than LU_HTML_ATTRIBUTES allows
 * (html_parse.h). -1: out of memory. */
int lu_html_text(struct lu_str html, bool whole, struct lu_buf *title, struct lu_notice *notice,
		struct lu_buf *text, struct lu_err *err) LU_CHECKED;

#endif
