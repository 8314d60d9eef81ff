#ifndef LUCIE_REPORT_PAGE_RUNS_H
#define LUCIE_REPORT_PAGE_RUNS_H
/*
 * The sections of a page about training runs.
 */
#include "libcommon/report/metrics.h"

/* The label of the x axis, and the seconds in a unit of it where it shows time. */
struct lu_page_axis {
	const char *name;
	double unit;
};
struct lu_page_axis lu_page_axis(const struct lu_metrics *m, size_t n, enum lu_over over);

/* Tiles of the headline, for a single run. */
void lu_page_run_tiles(struct lu_buf *b, const struct lu_metrics *m);
/* Curves of all runs in one plot each, and the validation sets as a table. The runs have passed
 * lu_metrics_over(). */
int lu_page_runs(struct lu_buf *b, const struct lu_metrics *m, size_t n, const char *x_name,
		struct lu_err *err) LU_CHECKED;
void lu_page_configs(struct lu_buf *b, const struct lu_metrics *m, size_t n);

#endif
