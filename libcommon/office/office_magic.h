#ifndef LUCIE_OFFICE_OFFICE_MAGIC_H
#define LUCIE_OFFICE_OFFICE_MAGIC_H
/*
 * How the formats of this folder are recognised by their first bytes (import/kind_table.h).
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* A zip archive; for files whose name says what is in it. */
bool lu_looks_zip(struct lu_str head);

/* A zip archive that holds the text of a Word document, where its directory comes early enough to be
 * seen: the first members have the names of Office Open XML, and one is in word/. */
bool lu_is_docx(struct lu_str head);
/* A zip archive that begins, as the formats demand, with their media type. */
bool lu_is_odt(struct lu_str head);
bool lu_is_epub(struct lu_str head);
/* The XML of a flat OpenDocument text. */
bool lu_is_fodt(struct lu_str head);
bool lu_is_pdf(struct lu_str head);
/* A PDF file after up to a kilobyte of something else, which readers allow. */
bool lu_looks_pdf(struct lu_str head);

#endif
