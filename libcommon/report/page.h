#ifndef LUCIE_REPORT_PAGE_H
#define LUCIE_REPORT_PAGE_H
/*
 * A build's report as one HTML page that needs nothing else: no network, no script, no other file.
 *
 *	struct lu_page p = { .title = "Demo", .accounts = &accounts, .metrics = &metrics };
 *	p.table = tables; p.tables = n;		read by the caller
 *	lu_page_html(&p, &out, &err);
 */
#include "libcommon/report/accounts.h"
#include "libcommon/report/jtable.h"
#include "libcommon/report/metrics.h"

/* A table, or two of the same form to be compared row by row: rows belong together whose first
 * cells are equal. */
struct lu_page_table {
	const char *title;
	struct lu_jtable one, other;
	bool two;
};

/* A stretch of plain text. */
struct lu_page_text {
	const char *title;
	struct lu_str text;
};

struct lu_page {
	const char *title;
	const struct lu_accounts *accounts; /* or NULL */
	const struct lu_metrics *metrics;   /* or NULL */
	const struct lu_page_table *table;
	size_t tables;
	const struct lu_page_text *text;
	size_t texts;
};

int lu_page_html(const struct lu_page *p, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
