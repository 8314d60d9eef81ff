#ifndef LUCIE_REPORT_PAGE_H
#define LUCIE_REPORT_PAGE_H
/*
 * The report of a build as one self-contained HTML page: no network, no scripts, no other files. The
 * page tells the dates and machines of the runs as far as their files do, and nothing of its own
 * making, so equal inputs give equal pages.
 *
 *	struct lu_page p = { .title = "Demo", .accounts = &accounts, .metrics = metrics, .runs = 1,
 *		.x_name = "step" };
 *	p.table = &tables, p.text = &texts, p.about = &facts;
 *	lu_page_html(&p, &out, &err);
 */
#include "libcommon/report/accounts.h"
#include "libcommon/report/clusters.h"
#include "libcommon/report/metrics.h"
#include "libcommon/report/page_tables.h"
#include "libcommon/report/survey.h"

/* Sections of which there is nothing are left out. */
struct lu_page {
	const char *title;
	const struct lu_accounts *accounts;   /* or NULL */
	const struct lu_survey *survey;	      /* or NULL; sorted */
	const struct lu_survey_stage *shards; /* or NULL; finished */
	const struct lu_clusters *clusters;   /* or NULL */
	const struct lu_samples *dropped;     /* or NULL; sorted */
	const struct lu_metrics *metrics;
	size_t runs;
	const char *x_name; /* what lu_metrics_over() has put there */
	const struct lu_page_tables *table;
	const struct lu_page_texts *text, *about;
};

int lu_page_html(const struct lu_page *p, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
