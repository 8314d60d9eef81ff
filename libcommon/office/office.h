#ifndef LUCIE_OFFICE_OFFICE_H
#define LUCIE_OFFICE_OFFICE_H
/*
 * Documents that people write: Word (docx.h), OpenDocument (odt.h), EPUB (epub.h), PDF (pdf.h). Each
 * reader takes the bytes of a file and fills one struct:
 *
 *	struct lu_office o = { 0 };
 *	rc = lu_docx_text(bytes, whole, limit, &o, &reason, &err);
 *	lu_office_clear(&o);				before the next
 *	lu_office_release(&o);
 *
 * 0; 1: refused, the struct is as good as empty, and *reason is the word of lucie-import for it;
 * -1: out of memory or, for PDF, no pdftotext. Thread-safe, with a struct for each thread.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

struct lu_office {
	struct lu_buf text; /* ends with a line feed unless empty */
	/* What the document says of itself; empty: nothing. The date is ISO 8601. */
	struct lu_buf title, date, lang, license;
	struct lu_buf more; /* further members as JSON without braces: "author":"A","pages":[0,12] */
	uint64_t charset_errors; /* U+FFFD put in */
	bool cut;		 /* the file ends too early, and what is there was read */
};

static inline void lu_office_clear(struct lu_office *o)
{
	o->text.n = o->title.n = o->date.n = o->lang.n = o->license.n = o->more.n = 0;
	o->cut = false;
	o->charset_errors = 0;
}

static inline int lu_office_check(const struct lu_office *o, struct lu_err *err)
{
	return lu_buf_ok(&o->text) && lu_buf_ok(&o->title) && lu_buf_ok(&o->date) &&
					lu_buf_ok(&o->lang) && lu_buf_ok(&o->license) &&
					lu_buf_ok(&o->more)
			? 0
			: lu_err_nomem(err);
}

static inline void lu_office_release(struct lu_office *o)
{
	lu_buf_release(&o->text);
	lu_buf_release(&o->title);
	lu_buf_release(&o->date);
	lu_buf_release(&o->lang);
	lu_buf_release(&o->license);
	lu_buf_release(&o->more);
}

#endif
