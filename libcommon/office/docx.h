#ifndef LUCIE_OFFICE_DOCX_H
#define LUCIE_OFFICE_DOCX_H
/*
 * The text of a Word document: .docx, .docm, .dotx, .dotm, transitional and strict (ECMA-376).
 *
 * Kept, in the layout of doc_flow.h: paragraphs, headings with their numbers, lists with bullets or
 * numbers, tables, results of fields, insertions under revision, text of boxes (once, behind the
 * paragraph that holds them), formulas in a line ("(a+b)/2", "x^2"). A reference to a footnote or
 * endnote becomes "[3]", and the notes follow at the end of the text as "[3] ...", in the order in
 * which they are referred to: a note in place would cut its sentence in two.
 *
 * Left out: deletions and what was moved away under revision, hidden text, codes of fields, comments,
 * headers and footers, prompts of empty form fields, ruby, alternative text of pictures, and, unless
 * `whole`, tables of contents and of figures. A tab stays a tab, a break becomes a line end, the
 * no-break hyphen U+2011; soft hyphens go.
 */
#include "libcommon/office/office.h"

/* `bytes` is the zip archive. Of the core properties title, date, language, author and description are
 * taken. `limit` bounds the text; the XML may be LU_OFFICE_EXPANSION times as long. Results are those of
 * office.h, with the reasons "damaged", "encrypted", "too large", "markup out of bounds" and, for another
 * kind of document, "not text". */
int lu_docx_text(struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err) LU_CHECKED;

/* Word writes some ten bytes of XML for a byte of text, and hundreds where each letter has a format. */
#define LU_OFFICE_EXPANSION 16

#endif
