#ifndef LUCIE_REPORT_CHART_H
#define LUCIE_REPORT_CHART_H
/*
 * A line chart as inline SVG, coloured by the classes c0, c1, ... of the page's style sheet.
 */
#include "libcommon/report/metrics.h"

struct lu_chart {
	const char *title, *x_name;
	const struct lu_curve *curve[16];
	size_t curves;
	bool from_zero; /* the y axis begins at 0 */
};

/* Appends <figure>...</figure>; nothing when no curve has a point. Long curves are drawn by the
 * means of at most 600 stretches. */
void lu_chart_svg(const struct lu_chart *c, struct lu_buf *out);

/* Appends s with & < > " ' escaped, control characters other than tab and line feed as U+FFFD. */
void lu_report_escape(struct lu_buf *out, struct lu_str s);

#endif
