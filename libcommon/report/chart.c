#include "libcommon/report/chart.h"

#include <math.h>

#include "libcommon/report/markup.h"

/* Two stand side by side on a page of 1040 pixels; one is still readable at 350. */
#define WIDTH 480.0
#define HEIGHT 280.0
#define LEFT 58.0
#define RIGHT 22.0
#define TOP 14.0
#define BOTTOM 46.0
#define MAX_POINTS 600
#define TICKS 5
#define MAX_TICKS 20 /* ends the loop where adding a tick is lost to rounding */
#define MAX_DOTS 40  /* shorter curves get a dot for each point */

struct range {
	double low, high;
};

static void extend(struct range *r, double v)
{
	r->low = v < r->low ? v : r->low;
	r->high = v > r->high ? v : r->high;
}

/* The distance of ticks, for about TICKS of them: 1, 2 or 5 times a power of ten. */
static double tick_of(const struct range *r)
{
	double raw = (r->high - r->low) / TICKS;
	double power = pow(10, floor(log10(raw)));
	double lead = raw / power;

	return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static double x_pixel(const struct range *r, double v)
{
	return LEFT + (v - r->low) / (r->high - r->low) * (WIDTH - LEFT - RIGHT);
}

static double y_pixel(const struct range *r, double v)
{
	return HEIGHT - BOTTOM - (v - r->low) / (r->high - r->low) * (HEIGHT - TOP - BOTTOM);
}

/* Write the number of a tick in the unit that suits the axis: 20k, 1.5M, 3G. */
static void put_number(struct lu_buf *b, double v, double tick, const struct range *axis)
{
	static const char unit[] = { 0, 'k', 'M', 'G', 'T', 'P' };
	double most = fmax(fabs(axis->low), fabs(axis->high));
	size_t i = 0;

	/* A sum of ticks may miss zero by a rounding error. */
	if (fabs(v) < tick / 1e6)
		v = 0;
	for (; most >= 1e4 && i + 1 < sizeof(unit); i++) {
		most /= 1e3;
		v /= 1e3;
	}
	lu_buf_printf(b, "%.6g", v);
	if (unit[i] && v != 0)
		lu_buf_putc(b, unit[i]);
}

static void put_axes(
		struct lu_buf *b, const struct range *x, const struct range *y, const char *x_name)
{
	double tick = tick_of(y), v = ceil(y->low / tick) * tick;

	for (int i = 0; i < MAX_TICKS && v <= y->high + tick / 1e3; i++, v += tick) {
		lu_buf_printf(b,
				"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
				"y2=\"%.1f\"/>"
				"<text class=\"y\" x=\"%.1f\" y=\"%.1f\">",
				LEFT, WIDTH - RIGHT, y_pixel(y, v), y_pixel(y, v), LEFT - 7,
				y_pixel(y, v) + 4.5);
		put_number(b, v, tick, y);
		lu_buf_puts(b, "</text>\n");
	}
	tick = tick_of(x);
	v = ceil(x->low / tick) * tick;
	for (int i = 0; i < MAX_TICKS && v <= x->high + tick / 1e3; i++, v += tick) {
		lu_buf_printf(b, "<text class=\"x\" x=\"%.1f\" y=\"%.1f\">", x_pixel(x, v),
				HEIGHT - BOTTOM + 18);
		put_number(b, v, tick, x);
		lu_buf_puts(b, "</text>\n");
	}
	lu_buf_printf(b, "<text class=\"x\" x=\"%.1f\" y=\"%.1f\">", (LEFT + WIDTH - RIGHT) / 2,
			HEIGHT - 4);
	lu_markup_escape(b, lu_str_of(x_name));
	lu_buf_puts(b, "</text>\n");
}

static struct lu_point mean(const struct lu_point *p, size_t n)
{
	struct lu_point sum = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		sum.x += p[i].x;
		sum.y += p[i].y;
	}
	return (struct lu_point){ sum.x / (double)n, sum.y / (double)n };
}

static void put_curve(struct lu_buf *b, const struct lu_curve *c, const struct range *x,
		const struct range *y, size_t colour)
{
	size_t n = c->point.n, intervals = n < MAX_POINTS ? n : MAX_POINTS;

	lu_buf_printf(b, "<path class=\"line c%zu d%zu\" d=\"", colour % LU_CHART_COLOURS,
			colour / LU_CHART_COLOURS % LU_CHART_DASHES);
	for (size_t i = 0; i < intervals; i++) {
		size_t from = i * n / intervals, to = (i + 1) * n / intervals;
		struct lu_point p = mean(c->point.p + from, to - from);

		lu_buf_printf(b, "%c%.1f %.1f", i ? 'L' : 'M', x_pixel(x, p.x), y_pixel(y, p.y));
	}
	lu_buf_puts(b, "\"/>\n");
	for (size_t i = 0; n <= MAX_DOTS && i < n; i++)
		lu_buf_printf(b, "<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n",
				colour % LU_CHART_COLOURS, x_pixel(x, c->point.p[i].x),
				y_pixel(y, c->point.p[i].y));
}

static void put_caption(struct lu_buf *b, const struct lu_chart *c)
{
	lu_buf_puts(b, "<figure><figcaption><b>");
	lu_markup_escape(b, lu_str_of(c->title));
	lu_buf_puts(b, "</b>");
	for (size_t k = 0; k < c->curves && c->curves > 1; k++) {
		if (c->curve[k].curve->point.n == 0)
			continue;
		lu_buf_printf(b,
				" <span class=key><svg class=\"c%zu\" viewBox=\"0 0 24 8\">"
				"<path class=\"line d%zu\" d=\"M0 4H24\"/></svg> ",
				k % LU_CHART_COLOURS, k / LU_CHART_COLOURS % LU_CHART_DASHES);
		lu_markup_escape(b, lu_str_of(c->curve[k].name));
		lu_buf_puts(b, "</span>");
	}
	lu_buf_puts(b, "</figcaption>\n");
}

/* A line where each phase but the first begins, with its name behind it. */
static void put_phases(struct lu_buf *b, const struct lu_phases *p, const struct range *x)
{
	for (size_t i = 1; p && i < p->phase.n; i++) {
		double at = p->phase.p[i].x;

		if (at < x->low || at > x->high)
			continue;
		lu_buf_printf(b,
				"<line class=\"phase\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
				"y2=\"%.1f\"/><text class=\"phase\" x=\"%.1f\" y=\"%.1f\">",
				x_pixel(x, at), x_pixel(x, at), TOP, HEIGHT - BOTTOM,
				x_pixel(x, at) + 4, TOP + 9);
		lu_markup_escape(b, lu_str_of(p->phase.p[i].name));
		lu_buf_puts(b, "</text>\n");
	}
}

void lu_chart_svg(const struct lu_chart *c, struct lu_buf *b)
{
	struct range x = { HUGE_VAL, -HUGE_VAL }, y = { HUGE_VAL, -HUGE_VAL };
	double margin;

	for (size_t k = 0; k < c->curves; k++) {
		const struct lu_curve *curve = c->curve[k].curve;

		for (size_t i = 0; i < curve->point.n; i++) {
			extend(&x, curve->point.p[i].x);
			extend(&y, curve->point.p[i].y);
		}
	}
	if (!(x.low <= x.high))
		return;
	if (x.low == x.high)
		x.high = x.low + 1;
	/* A curve of the same number throughout is in the middle; of zeros, between halves. */
	margin = y.high > y.low ? (y.high - y.low) * 0.05 : y.high != 0 ? fabs(y.high) * 0.1 : 0.5;
	y.low = c->from_zero && y.low >= 0 ? 0 : y.low - margin;
	y.high += margin;
	put_caption(b, c);
	lu_buf_printf(b, "<svg class=plot viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
			WIDTH, HEIGHT);
	lu_markup_escape(b, lu_str_of(c->title));
	lu_buf_puts(b, "\">\n");
	put_axes(b, &x, &y, c->x_name);
	put_phases(b, c->phases, &x);
	for (size_t k = 0; k < c->curves; k++) {
		if (c->curve[k].curve->point.n)
			put_curve(b, c->curve[k].curve, &x, &y, k);
	}
	lu_buf_puts(b, "</svg></figure>\n");
}
