#ifndef LUCIE_REPORT_PAGE_H
#define LUCIE_REPORT_PAGE_H
/*
 * The report of a build as one self-contained HTML page: no network, no scripts, no other files.
 *
 *	struct lu_page p = { .title = "Demo", .accounts = &accounts, .metrics = &metrics };
 *	p.table = tables; p.tables = n;		read by the caller
 *	lu_page_html(&p, &out, &err);
 */
#include "libcommon/report/accounts.h"
#include "libcommon/report/jtable.h"
#include "libcommon/report/metrics.h"

/* A table, or two with the same columns to compare: rows with equal first cells correspond. A
 * column that differs is shown twice, before and after. */
struct lu_page_table {
	const char *title;
	bool compare;
	struct lu_jtable before, after; /* without compare only `before` */
};

/* A section of plain text. */
struct lu_page_text {
	const char *title;
	struct lu_str text; /* UTF-8 */
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
