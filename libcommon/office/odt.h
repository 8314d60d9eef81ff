#ifndef LUCIE_OFFICE_ODT_H
#define LUCIE_OFFICE_ODT_H
/*
 * The text of an OpenDocument text: .odt, .ott, .odm, and the flat .fodt.
 *
 * The layout, and what is kept and left out, are those of docx.h: footnotes and endnotes are "[3]" in
 * the text and follow at its end, text of boxes follows its paragraph, tracked deletions, hidden text,
 * comments, headers and footers go, and so do tables of contents and indexes unless `whole`. Formulas
 * are objects of their own in an .odt file and are not read; in a flat file their letters are kept.
 */
#include "libcommon/office/office.h"

/* `bytes` is the zip archive or the XML of a flat file. For the rest see lu_docx_text(). */
int lu_odt_text(struct lu_str bytes, bool whole, uint64_t limit, struct lu_office *o,
		const char **reason, struct lu_err *err) LU_CHECKED;

#endif
