#ifndef LUCIE_OFFICE_PDF_H
#define LUCIE_OFFICE_PDF_H
/*
 * The text of a PDF file, by pdftotext(1) of poppler, which finds letters, words and blocks; what
 * becomes of its lines is decided here: running heads and page numbers go (pdf_heads.h), lines become
 * paragraphs (pdf_reflow.h), and ligatures, accents beside their letters and words broken over line ends
 * are repaired (text/repair.h).
 *
 * One process a file, in which a damaged or hostile file can do no harm: it has no file but this one, a
 * bounded memory and a bounded time of computing (LU_PDF_SECONDS), and is killed when it writes more
 * than the limit. Scripts and attachments in the file are not looked at. Another version of poppler
 * may give another text.
 */
#include "libcommon/office/office.h"

#define LU_PDF_SECONDS 120
#define LU_PDF_MEMORY ((uint64_t)512 << 20)

/*
 * Of the file's own data title, author and date are taken; o->more has besides
 *
 *	pages	array of the byte offsets in the text where the pages begin
 *
 * o->cut: the file lacks the mark that ends it, and poppler read what is there. `whole`: keep running
 * heads, page numbers and tables of contents. `limit` bounds the text and what is kept of its lines.
 * `nowhere` is that of sys/run_program.h.
 *
 * Results are those of office.h, with the reasons "no text layer" (a scan, or empty), "encrypted" (needs
 * a password), "damaged" (poppler cannot open it), "too large" and "pdftotext failed" (it crashed or
 * reached a limit of time or memory).
 */
int lu_pdf_text(int nowhere, struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err) LU_CHECKED;

#endif
