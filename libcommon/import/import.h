#ifndef LUCIE_IMPORT_IMPORT_H
#define LUCIE_IMPORT_IMPORT_H
/*
 * One member to one document: kind, charset, conversion, record. The program lucie-import runs
 * this on several threads over the members that import/members.h reads in order.
 */
#include "libcommon/import/kind.h"
#include "libcommon/import/man.h"
#include "libcommon/import/members.h"

struct lu_import {
	int kind;	      /* enum lu_kind */
	const char *charset;  /* for what is not UTF-8 and names none; NULL: none */
	const char *lang;     /* NULL: none */
	bool lang_path;	      /* by the path; `lang` where it says nothing */
	const char *category; /* NULL: none; code gets "code" then */
	uint64_t min_bytes;
	uint64_t limit; /* bytes of one document */
	bool whole;	/* keep navigation and the like of pages */
	struct lu_man man;
};

/* A thread's buffers; start from { 0 }. */
struct lu_import_work {
	struct lu_buf store, html, content, title, text;
};

struct lu_import_result {
	const char *drop; /* NULL: the record was appended */
	bool bad;
	bool recoded; /* was not UTF-8 */
};

/* Appends the document's line to `out`, or says why there is none. -1: memory, or mandoc is
 * missing. */
int lu_import_one(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_buf *out, struct lu_import_result *res,
		struct lu_err *err) LU_CHECKED;
void lu_import_work_release(struct lu_import_work *w);

/* Appends the id as a JSON string: source, ":", path. */
void lu_import_id(const struct lu_member *member, struct lu_buf *out);

#endif
