#ifndef LUCIE_REPORT_CHART_H
#define LUCIE_REPORT_CHART_H
/*
 * A line chart as inline SVG. Curve i has the colour c<i mod 6> of the page's style sheet and the dashes
 * d<i / 6 mod 3>, so that 18 curves can be told apart.
 */
#include "libcommon/report/metrics.h"

#define LU_CHART_COLOURS 6
#define LU_CHART_DASHES 3

struct lu_chart_curve {
	const char *name; /* for the legend, which a single curve does not have */
	const struct lu_curve *curve;
};

struct lu_chart {
	const char *title, *x_name;
	const struct lu_chart_curve *curve;
	size_t curves;
	const struct lu_phases
			*phases; /* whose beginnings are marked, where there are several; or NULL */
	bool from_zero;		 /* the y axis begins at 0, unless a value is negative */
};

/* Append <figure>...</figure>, or nothing if no curve has a point. A curve of more than 600 points
 * is reduced to the means of 600 intervals. */
void lu_chart_svg(const struct lu_chart *c, struct lu_buf *out);

#endif
