#ifndef LUCIE_OFFICE_DOC_META_H
#define LUCIE_OFFICE_DOC_META_H
/*
 * What an office document or a book says of itself in the elements of Dublin Core: docProps/core.xml
 * of OOXML, meta.xml of OpenDocument, the metadata of an EPUB.
 *
 * The first title counts; the authors are joined by "; ", but an author of the first version counts alone
 * (in OpenDocument dc:creator is who changed it last); of the dates, the one of creation or
 * publication, else the last change.
 */
#include "libcommon/office/office.h"

struct lu_doc_meta {
	struct lu_buf title, author, first, date, changed, lang, license, description, identifier;
	struct lu_buf *into; /* the open element's, or NULL */
	struct lu_buf value; /* its text so far */
};

/* For the callbacks of xml_events.h: elements by their name without prefix. */
void lu_doc_meta_start(struct lu_doc_meta *m, const char *name);
void lu_doc_meta_text(struct lu_doc_meta *m, struct lu_str s);
void lu_doc_meta_end(struct lu_doc_meta *m);

/* Append to the members of o; author, description and identifier to o->more. A date that is not ISO 8601, or older than 1000, and a language that is no
 * tag are left out. */
int lu_doc_meta_put(
		const struct lu_doc_meta *m, struct lu_office *o, struct lu_err *err) LU_CHECKED;
void lu_doc_meta_release(struct lu_doc_meta *m);

#endif
