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
#include <stdbool.h>

#include "libcommon/base/buf.h"

#define LU_PDF_SECONDS 120
#define LU_PDF_MEMORY ((uint64_t)512 << 20)

/*
 * Append the text (ends with a line feed unless empty), the title if the file has one, and the members
 *
 *	author	date	pages	truncated
 *
 * as JSON without braces: `pages` is an array of the byte offsets in the text where the pages begin,
 * `truncated` is "no end" for a file without the mark that ends it, of which poppler reads what is
 * there. `whole`: keep running heads and page numbers. `limit` bounds the bytes of text. `nowhere` is
 * that of sys/run_program.h.
 *
 * 0; 1: nothing was appended, and *reason is "no text layer" (a scan, or empty), "encrypted" (needs a
 * password), "damaged" (poppler cannot open it), "too large" or "pdftotext failed" (it crashed or
 * reached a limit of time or memory); -1: out of memory, or pdftotext is missing. Thread-safe.
 */
int lu_pdf_text(int nowhere, struct lu_str bytes, bool whole, uint64_t limit, struct lu_buf *text,
		struct lu_buf *title, struct lu_buf *more, const char **reason,
		struct lu_err *err) LU_CHECKED;

#endif
