#include "libcommon/curves/curve.h"

#include <math.h>

static const struct lu_point nowhere = { (double)NAN, (double)NAN };

void lu_curve_cut(struct lu_curve *c, double x)
{
	while (c->point.n > 0 && c->point.p[c->point.n - 1].x >= x)
		c->point.n--;
}

int lu_curve_add(struct lu_curve *c, double x, double y, struct lu_err *err)
{
	lu_curve_cut(c, x);
	return lu_vec_push(&c->point, (struct lu_point){ x, y }) ? 0 : lu_err_nomem(err);
}

struct lu_point lu_curve_first(const struct lu_curve *c)
{
	return c->point.n ? c->point.p[0] : nowhere;
}

struct lu_point lu_curve_last(const struct lu_curve *c)
{
	return c->point.n ? c->point.p[c->point.n - 1] : nowhere;
}

struct lu_point lu_curve_lowest(const struct lu_curve *c)
{
	struct lu_point low = lu_curve_first(c);

	for (size_t i = 1; i < c->point.n; i++) {
		if (c->point.p[i].y < low.y)
			low = c->point.p[i];
	}
	return low;
}

struct lu_point lu_curve_highest(const struct lu_curve *c)
{
	struct lu_point high = lu_curve_first(c);

	for (size_t i = 1; i < c->point.n; i++) {
		if (c->point.p[i].y > high.y)
			high = c->point.p[i];
	}
	return high;
}

void lu_curve_release(struct lu_curve *c)
{
	lu_vec_release(&c->point);
}

/* Points at or before x, of which the first k are. */
static size_t count_to(const struct lu_curve *c, size_t k, double x)
{
	while (k < c->point.n && c->point.p[k].x <= x)
		k++;
	return k;
}

double lu_curve_at(const struct lu_curve *c, double x)
{
	size_t k = count_to(c, 0, x);

	return k ? c->point.p[k - 1].y : 0;
}

void lu_curve_map(struct lu_curve *c, const struct lu_curve *at)
{
	size_t k = 0;

	for (size_t i = 0; i < c->point.n; i++) {
		k = count_to(at, k, c->point.p[i].x);
		c->point.p[i].x = k ? at->point.p[k - 1].y : 0;
	}
}
