#include "libcommon/report/chart.h"

#include <math.h>
#include <stdio.h>

#define WIDTH 720.0
#define HEIGHT 300.0
#define LEFT 64.0
#define RIGHT 24.0
#define TOP 12.0
#define BOTTOM 40.0
#define STRETCHES 600
#define TICKS 6
#define MOST_TICKS 20 /* where adding a tick changes nothing any more */

struct range {
	double low, high;
};

static void widen(struct range *r, double v)
{
	r->low = v < r->low ? v : r->low;
	r->high = v > r->high ? v : r->high;
}

/* 1, 2 or 5 times a power of ten: about TICKS of them in the range. */
static double tick_of(const struct range *r)
{
	double raw = (r->high - r->low) / TICKS;
	double power = pow(10, floor(log10(raw)));
	double lead = raw / power;

	return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static double at_x(const struct range *r, double v)
{
	return LEFT + (v - r->low) / (r->high - r->low) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct range *r, double v)
{
	return HEIGHT - BOTTOM - (v - r->low) / (r->high - r->low) * (HEIGHT - TOP - BOTTOM);
}

static void put_number(struct lu_buf *b, double v, double tick)
{
	char text[32];

	/* What is left of zero after adding ticks. */
	if (fabs(v) < tick / 1e6)
		v = 0;
	snprintf(text, sizeof(text), "%.6g", v);
	lu_buf_puts(b, text);
}

static void put_axes(
		struct lu_buf *b, const struct range *x, const struct range *y, const char *name)
{
	double tick = tick_of(y), v = ceil(y->low / tick) * tick;

	for (int i = 0; i < MOST_TICKS && v <= y->high + tick / 1e3; i++, v += tick) {
		lu_buf_printf(b,
				"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
				"y2=\"%.1f\"/>"
				"<text class=\"y\" x=\"%.1f\" y=\"%.1f\">",
				LEFT, WIDTH - RIGHT, at_y(y, v), at_y(y, v), LEFT - 8,
				at_y(y, v) + 4);
		put_number(b, v, tick);
		lu_buf_puts(b, "</text>\n");
	}
	tick = tick_of(x);
	v = ceil(x->low / tick) * tick;
	for (int i = 0; i < MOST_TICKS && v <= x->high + tick / 1e3; i++, v += tick) {
		lu_buf_printf(b, "<text class=\"x\" x=\"%.1f\" y=\"%.1f\">", at_x(x, v),
				HEIGHT - BOTTOM + 18);
		put_number(b, v, tick);
		lu_buf_puts(b, "</text>\n");
	}
	lu_buf_printf(b, "<text class=\"x\" x=\"%.1f\" y=\"%.1f\">", (LEFT + WIDTH - RIGHT) / 2,
			HEIGHT - 4);
	lu_report_escape(b, lu_str_of(name));
	lu_buf_puts(b, "</text>\n");
}

static void put_curve(struct lu_buf *b, const struct lu_curve *c, const struct range *x,
		const struct range *y, size_t colour)
{
	size_t stretches = c->n < STRETCHES ? c->n : STRETCHES;
	char command = 'M';

	lu_buf_printf(b, "<path class=\"line c%zu\" d=\"", colour);
	for (size_t s = 0; s < stretches; s++) {
		size_t from = s * c->n / stretches, to = (s + 1) * c->n / stretches;
		double sum_x = 0, sum_y = 0;

		for (size_t i = from; i < to; i++) {
			sum_x += c->x[i];
			sum_y += c->y[i];
		}
		lu_buf_printf(b, "%c%.1f %.1f", command, at_x(x, sum_x / (double)(to - from)),
				at_y(y, sum_y / (double)(to - from)));
		command = 'L';
	}
	lu_buf_puts(b, "\"/>\n");
	/* A curve of a few points would hardly be seen as a line. */
	for (size_t i = 0; c->n <= 40 && i < c->n; i++)
		lu_buf_printf(b, "<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n",
				colour, at_x(x, c->x[i]), at_y(y, c->y[i]));
}

void lu_chart_svg(const struct lu_chart *c, struct lu_buf *b)
{
	struct range x = { HUGE_VAL, -HUGE_VAL }, y = { HUGE_VAL, -HUGE_VAL };
	double margin;

	for (size_t k = 0; k < c->curves; k++) {
		for (size_t i = 0; i < c->curve[k]->n; i++) {
			widen(&x, c->curve[k]->x[i]);
			widen(&y, c->curve[k]->y[i]);
		}
	}
	if (!(x.low <= x.high))
		return;
	if (x.low == x.high)
		x.high = x.low + 1;
	margin = y.high > y.low ? (y.high - y.low) * 0.05 : fabs(y.high) * 0.1 + 1e-9;
	y.low = c->from_zero && y.low >= 0 ? 0 : y.low - margin;
	y.high += margin;
	lu_buf_puts(b, "<figure><figcaption>");
	lu_report_escape(b, lu_str_of(c->title));
	for (size_t k = 0; k < c->curves && c->curves > 1; k++) {
		if (c->curve[k]->n == 0)
			continue;
		lu_buf_printf(b, " <span class=\"key c%zu\">&#9632;</span> ", k);
		lu_report_escape(b, lu_str_of(c->curve[k]->name ? c->curve[k]->name : ""));
	}
	lu_buf_printf(b, "</figcaption>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
			WIDTH, HEIGHT);
	lu_report_escape(b, lu_str_of(c->title));
	lu_buf_puts(b, "\">\n");
	put_axes(b, &x, &y, c->x_name);
	for (size_t k = 0; k < c->curves; k++) {
		if (c->curve[k]->n)
			put_curve(b, c->curve[k], &x, &y, k);
	}
	lu_buf_puts(b, "</svg></figure>\n");
}

void lu_report_escape(struct lu_buf *b, struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		switch (c) {
		case '&': lu_buf_puts(b, "&amp;"); break;
		case '<': lu_buf_puts(b, "&lt;"); break;
		case '>': lu_buf_puts(b, "&gt;"); break;
		case '"': lu_buf_puts(b, "&quot;"); break;
		case '\'': lu_buf_puts(b, "&#39;"); break;
		default:
			if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
				lu_buf_puts(b, "\xEF\xBF\xBD");
			else
				lu_buf_putc(b, (char)c);
		}
	}
}
