#ifndef LUCIE_IMPORT_IMPORT_H
#define LUCIE_IMPORT_IMPORT_H
/*
 * Conversion of a member to a document: kind, charset, text, record. lucie-import runs it on several
 * threads over the members that import/members.h reads in order.
 */
#include "libcommon/html/notice.h"
#include "libcommon/import/kind.h"
#include "libcommon/import/man.h"
#include "libcommon/import/members.h"

struct lu_import {
	enum lu_kind kind;
	const char *charset;  /* of members that are not UTF-8 and declare none; NULL: none */
	const char *lang;     /* NULL: none */
	bool lang_path;	      /* take the language from the path, else from `lang` */
	const char *category; /* NULL: "code" for code, else none */
	uint64_t min_bytes;
	uint64_t limit; /* bytes of one document */
	bool whole;	/* keep the navigation of pages */
	struct lu_man man;
};

/* A thread's buffers, from { 0 }. */
struct lu_import_work {
	struct lu_buf store, html, content, title, text;
	struct lu_notice notice;
};

struct lu_import_result {
	const char *drop;		/* NULL: the record was appended */
	bool bad;			/* the reason is damage, not choice */
	bool recoded;			/* was not UTF-8 */
	bool optout;			/* reserved against training */
	bool truncated;			/* its record in a web archive is cut */
	const struct lu_format *format; /* the format for which it was dropped, or NULL */
};

/* Append the document's line to `out`, or set res->drop. -1: out of memory, or mandoc is
 * missing. */
int lu_import_one(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_buf *out, struct lu_import_result *res,
		struct lu_err *err) LU_CHECKED;
void lu_import_work_release(struct lu_import_work *w);

/* Append the JSON member "id": source, ":", path. */
void lu_import_id(const struct lu_member *member, struct lu_buf *out);

#endif
