#ifndef LUCIE_IMPORT_FROM_OFFICE_H
#define LUCIE_IMPORT_FROM_OFFICE_H
/*
 * Documents of Word, OpenDocument, EPUB and PDF (office/office.h) in the work of lucie-import.
 */
#include "libcommon/entries/entries.h"
#include "libcommon/import/import.h"

/* True for the kinds that are read here. */
bool lu_is_office(enum lu_kind kind);

/* The kind that a media type names in a web archive, else LU_KIND_AUTO. */
enum lu_kind lu_office_type(struct lu_str type);

/* Read the bytes into w->office. 0; 1: res->drop says why there is no text; -1. */
int lu_from_office(const struct lu_import *im, struct lu_import_work *w, enum lu_kind kind,
		struct lu_str bytes, const struct lu_member *member, struct lu_import_result *res,
		struct lu_err *err) LU_CHECKED;

/* What the document says of itself, for its record; valid as long as o is not changed. */
struct lu_entry lu_office_about(const struct lu_office *o, const struct lu_member *member);

#endif
