#ifndef LUCIE_OFFICE_EPUB_H
#define LUCIE_OFFICE_EPUB_H
/*
 * The text of a book in EPUB 2 or 3: the pages of its spine, in reading order, as text of pages
 * (html/html.h) of which nothing is left out as navigation, for every page of a book is the book.
 *
 * Pages outside of the linear order (linear="no": notes, answers) come after the others. The table of
 * contents is left out unless `whole`: the navigation document of EPUB 3, and the page that the guide
 * of EPUB 2 calls "toc".
 *
 * A book under digital rights management is refused as "encrypted"; scrambled fonts are none. A page
 * that the archive lacks, or that is no page, sets `cut`.
 */
#include "libcommon/office/office.h"

/*
 * Title, authors, language, date and rights (as licence) are those of the package; o->more has besides
 * author, description, identifier and
 *
 *	chapters	array of the byte offsets in the text where the pages of the spine begin
 *
 * Results are those of office.h, with the reasons of lu_docx_text().
 */
int lu_epub_text(struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err) LU_CHECKED;

#endif
