#ifndef LUCIE_REPORT_PAGE_EVALS_H
#define LUCIE_REPORT_PAGE_EVALS_H
/* The section of a page about evaluations during training. */
#include "libcommon/report/metrics.h"

/* A figure for each task and shard, over tokens: of one run with a curve for each measure or language,
 * of several with one figure a measure and a curve for each run. Beginnings of phases are marked. And
 * a table of the last values. Nothing where there are none. */
int lu_page_evals(struct lu_buf *b, const struct lu_metrics *m, size_t n, const char *x_name,
		struct lu_err *err) LU_CHECKED;

#endif
