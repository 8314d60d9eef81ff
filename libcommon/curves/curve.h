#ifndef LUCIE_CURVES_CURVE_H
#define LUCIE_CURVES_CURVE_H
/* Curves: points in ascending order of x. */
#include <stddef.h>

#include "libcommon/base/err.h"
#include "libcommon/base/vec.h"

struct lu_point {
	double x, y;
};

struct lu_curve {
	struct LU_VEC(struct lu_point) point;
};

/* Append a point, after removing those at or beyond its x. */
int lu_curve_add(struct lu_curve *c, double x, double y, struct lu_err *err) LU_CHECKED;
/* Remove the points at or beyond x. */
void lu_curve_cut(struct lu_curve *c, double x);
/* The y of the last point at or before x; 0 before the first. */
double lu_curve_at(const struct lu_curve *c, double x);
/* Replace each x by the y that `at` has there. */
void lu_curve_map(struct lu_curve *c, const struct lu_curve *at);
/* First, last, lowest and highest point; NAN for a curve without points. */
struct lu_point lu_curve_first(const struct lu_curve *c);
struct lu_point lu_curve_last(const struct lu_curve *c);
struct lu_point lu_curve_lowest(const struct lu_curve *c);
struct lu_point lu_curve_highest(const struct lu_curve *c);
void lu_curve_release(struct lu_curve *c);

#endif
