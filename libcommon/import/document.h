#ifndef LUCIE_IMPORT_DOCUMENT_H
#define LUCIE_IMPORT_DOCUMENT_H
/*
 * The record of a document: its members in one order, those that are not known left out. Which of
 * several sources counts: what a format says of the document, then its page, then the file it is in,
 * then the options.
 */
#include "libcommon/import/import.h"

struct lu_document {
	const struct lu_member *member;
	const struct lu_entry *entry; /* NULL: the document is the member */
	struct lu_str path;
	const char *lang_code; /* programming language, or NULL */
	bool is_code;
	struct lu_str text;
	uint64_t charset_errors; /* 0: not written */
};

/* Append the record, with a newline; the title, further members and notices are w's. *name_end (NULL:
 * not wanted) is the end of the path in it, an offset in `out`, 0 if the id is the entry's own. */
void lu_document_write(const struct lu_import *im, const struct lu_import_work *w,
		const struct lu_document *d, struct lu_buf *out, size_t *name_end);

/* Append an object with what the page that was read last says of itself. */
void lu_document_page(const struct lu_import_work *w, struct lu_buf *out);

/* Append the JSON member "id": source, ":", path. */
void lu_document_id(struct lu_str source, struct lu_str path, struct lu_buf *out);

/* Put the default language of the member's documents into `buf`, as lu_import's options say; false:
 * none. */
bool lu_document_lang(const struct lu_import *im, const struct lu_member *member, const char **lang,
		char buf[3]);

#endif
