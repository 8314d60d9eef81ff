#ifndef LUCIE_IMPORT_HTML_H
#define LUCIE_IMPORT_HTML_H
/*
 * The text of an HTML page, through libxml2's HTML parser (which recovers from any input).
 *
 * Paragraphs, headings and other blocks are separated by a blank line; the items of a list have
 * a line each ("- ", or their number), inner lists are indented by two spaces; a term of a
 * definition list stands on its own line before its definition; a row of a table is a line, its
 * cells separated by " | ", unless its cells hold blocks (a table used for layout); preformatted
 * text keeps its spaces and line ends. Elsewhere runs of blanks are one space; a no-break space
 * stays. Characters U+0080-009F, which pages mean as windows-1252, become what they mean.
 *
 * Left out: what is not shown (script, style, template, hidden ...), forms, and, unless `whole`:
 * nav, aside, footer, header outside of an article; elements whose role, class or id says
 * navigation, breadcrumbs, sidebar, table of contents or footer (the list is in html.c); a block
 * of fewer than 200 characters of which two thirds and more are links to elsewhere and which
 * does not end like a sentence. If the page has a main element, only that one is read.
 *
 * Thread-safe once lu_html_init() was called by the main thread.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

#define LU_HTML_DEPTH 1000
#define LU_HTML_ATTRIBUTES 16384

void lu_html_init(void);

/* `html` is UTF-8. Appends to title (one line, may stay empty) and text (ends with a newline
 * unless empty). `title` may be NULL. 1: refused, nothing is appended: elements nest more than
 * LU_HTML_DEPTH deep (browsers: 512), or tags have more attributes than one of LU_HTML_ATTRIBUTES;
 * both cost the parser time with their square. -1: memory. */
int lu_html_text(struct lu_str html, bool whole, struct lu_buf *title, struct lu_buf *text,
		struct lu_err *err) LU_CHECKED;

/* The charset that the page itself names in its first 1024 bytes (meta charset, meta
 * http-equiv, XML declaration), as a slice of it; .p NULL when none. */
struct lu_str lu_html_charset(struct lu_str html);

#endif
