#ifndef LUCIE_OFFICE_PDF_REPAIR_H
#define LUCIE_OFFICE_PDF_REPAIR_H
/*
 * Words that a line end breaks, in the marked lines of pdf_reflow.h: a hyphen between a letter and the
 * end of a line of a paragraph goes if a lower-case letter follows.
 */
#include "libcommon/base/buf.h"

void lu_pdf_join_words(struct lu_str marked, struct lu_buf *out);

#endif
