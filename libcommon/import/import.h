#ifndef LUCIE_IMPORT_IMPORT_H
#define LUCIE_IMPORT_IMPORT_H
/*
 * Conversion of a member to a document: kind, charset, text, record. lucie-import runs it on several
 * threads over the members that import/members.h reads in order.
 */
#include "libcommon/charset/charset.h"
#include "libcommon/html/html_meta.h"
#include "libcommon/html/notice.h"
#include "libcommon/import/kind.h"
#include "libcommon/import/man.h"
#include "libcommon/import/members.h"
#include "libcommon/office/office.h"
#include "libcommon/par/fields.h"

struct lu_import {
	enum lu_kind kind;
	const char *charset;  /* of members that are not UTF-8 and declare none; NULL: none */
	bool guess_charset;   /* --charset auto: by statistics then */
	bool strict_charset;  /* drop what has bytes that are ill-formed in its charset */
	const char *lang;     /* NULL: none */
	bool lang_path;	      /* take the language from the path, else from `lang` */
	const char *category; /* NULL: "code" for code, else none */
	uint64_t min_bytes;
	uint64_t limit;	     /* bytes of one document */
	bool whole;	     /* keep the navigation of pages */
	bool comments;	     /* keep the comments of their readers */
	bool drop_truncated; /* drop what is cut */
	bool outputs;	     /* keep those of notebooks */
	bool html;	     /* the texts of records and rows are pages */
	struct lu_entries_options entries;
	struct lu_fields fields; /* of records (--text-field, --map) */
	struct lu_man man;
};

/* A thread's buffers, from { 0 }. */
struct lu_import_work {
	struct lu_buf html, content, title, text, more;
	struct lu_buf changed, values; /* of a record */
	struct lu_arena arena;	       /* of a record, a notebook */
	struct lu_charset_work charset;
	struct lu_html_meta meta; /* of a page */
	struct lu_notice notice;
	struct lu_office office;
	/* Of the response in a web archive: */
	bool cut;			  /* the body is */
	char http_date[21], modified[21]; /* "": unknown */
};

/* The reason why a record is dropped that has no member with a text. */
#define LU_NO_TEXT_MEMBER "no text member"

/* What became of a member, or of an entry of its block. Strings live in the batch. */
struct lu_import_result {
	const char *drop;		/* NULL: the record was appended */
	bool bad;			/* the reason is damage, not choice */
	bool recoded;			/* was not UTF-8 */
	bool optout;			/* reserved against training */
	bool truncated;			/* its record in a web archive is cut */
	bool wrong_length;		/* and says another length than it has */
	uint64_t charset_errors;	/* ill-formed sequences that became U+FFFD */
	const struct lu_format *format; /* the format for which it was dropped, or NULL */
	uint64_t size;			/* of what was read */
	uint64_t line;			/* where an entry begins in its file; 0: unknown */
	struct lu_str path;		/* of the document; of the member unless it has entries */
	struct lu_str detail;		/* the sentence about the damage, or what a record lacks */
	struct lu_str raw;		/* a record that was dropped, as it was read */
	struct lu_str missing;		/* names of what its text lacks, a line each (entries.h) */
	uint64_t holes, references;
	size_t end;	 /* of its record in the batch's output */
	size_t name_end; /* of the path in the record's id, where a number may be needed; 0: nowhere */
};

/* Append the document's line to `out`, or set res->drop. -1: out of memory, or mandoc is
 * missing. */
int lu_import_one(const struct lu_import *im, struct lu_import_work *w,
		const struct lu_member *member, struct lu_buf *out, struct lu_import_result *res,
		struct lu_err *err) LU_CHECKED;
void lu_import_work_release(struct lu_import_work *w);

/* For those that convert other content (import/from_entries.h): */
/* Empty what belongs to one document. */
void lu_import_work_clear(struct lu_import_work *w);
/* Append the text of a page in UTF-8 to w->text, and fill w->meta and w->notice. 0; 1: res->drop says why there
 * is none; -1. */
int lu_import_page(const struct lu_import *im, struct lu_import_work *w, struct lu_str html,
		struct lu_import_result *res, struct lu_err *err) LU_CHECKED;
/* Set res->drop if the text is blank or too short. */
void lu_import_judge(const struct lu_import *im, struct lu_str text, struct lu_import_result *res);
static inline bool lu_import_is_blank(struct lu_str s)
{
	return lu_str_only(s, " \t\r\n\f");
}

#endif
