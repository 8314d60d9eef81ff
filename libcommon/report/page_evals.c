#include "libcommon/report/page_evals.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/report/chart.h"
#include "libcommon/report/markup.h"

/* Measures that do not share an axis with shares from 0 to 1. */
static bool is_share(const struct lu_eval *e)
{
	return e->language || strcmp(e->what, "log perplexity") != 0;
}

static int put_titled(struct lu_buf *b, struct lu_chart *chart, const char *name, const char *what,
		struct lu_err *err)
{
	struct lu_buf title = { 0 };
	int rc;

	lu_buf_printf(&title, "%s%s%s", name, *what ? ", " : "", what);
	rc = lu_buf_check(&title, err);
	chart->title = title.p;
	if (rc == 0)
		lu_chart_svg(chart, b);
	lu_buf_release(&title);
	return rc;
}

/* The figures of curves i to end - 1, which have one name, of one run. */
static int put_name(struct lu_buf *b, const struct lu_metrics *m, size_t i, size_t end,
		const char *x_name, struct lu_err *err)
{
	const struct lu_eval *e = m->evals.eval.p;
	struct lu_chart_curve *curve = calloc(end - i, sizeof(*curve));
	struct lu_chart chart = { .x_name = x_name, .curve = curve, .phases = &m->phases };
	int rc = 0;

	if (!curve)
		return lu_err_nomem(err);
	for (size_t k = i; k < end; k++) {
		if (is_share(&e[k]))
			curve[chart.curves++] = (struct lu_chart_curve){ e[k].what, &e[k].curve };
	}
	if (chart.curves)
		rc = put_titled(b, &chart, e[i].name,
				e[i].language			    ? "bits per byte"
						: chart.curves == 1 ? curve[0].name
								    : "",
				err);
	for (size_t k = i; k < end && rc == 0; k++) {
		if (is_share(&e[k]))
			continue;
		curve[0] = (struct lu_chart_curve){ e[k].what, &e[k].curve };
		chart.curves = 1;
		rc = put_titled(b, &chart, e[i].name, e[k].what, err);
	}
	free(curve);
	return rc;
}

static const struct lu_curve *curve_like(const struct lu_metrics *m, const struct lu_eval *like)
{
	static const struct lu_curve none;

	for (size_t i = 0; i < m->evals.eval.n; i++) {
		const struct lu_eval *e = &m->evals.eval.p[i];

		if (strcmp(e->name, like->name) == 0 && strcmp(e->what, like->what) == 0 &&
				e->language == like->language)
			return &e->curve;
	}
	return &none;
}

/* The figures of what no run before k has, of all runs. */
static int put_shared(struct lu_buf *b, const struct lu_metrics *m, size_t n, size_t k,
		const char *x_name, struct lu_err *err)
{
	struct lu_chart_curve *curve = calloc(n, sizeof(*curve));
	struct lu_chart chart = { .x_name = x_name, .curve = curve, .curves = n };
	int rc = 0;

	if (!curve)
		return lu_err_nomem(err);
	for (size_t i = 0; i < m[k].evals.eval.n && rc == 0; i++) {
		const struct lu_eval *e = &m[k].evals.eval.p[i];
		bool before = false;

		for (size_t r = 0; r < n; r++) {
			curve[r] = (struct lu_chart_curve){ m[r].name, curve_like(&m[r], e) };
			before |= r < k && curve[r].curve->point.n > 0;
		}
		if (!before)
			rc = put_titled(b, &chart, e->name, e->what, err);
	}
	free(curve);
	return rc;
}

static void put_table(struct lu_buf *b, const struct lu_metrics *m, size_t n)
{
	static const char *const head[] = { "run", "evaluation", "measure", "first", "last",
		"best" };

	lu_markup_open_table(b, head, sizeof(head) / sizeof(head[0]), 3);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < m[i].evals.eval.n; k++) {
			const struct lu_eval *e = &m[i].evals.eval.p[k];

			lu_buf_puts(b, "<tr>");
			lu_markup_cell_str(b, lu_str_of(m[i].name));
			lu_markup_cell_str(b, lu_str_of(e->name));
			lu_markup_cell_str(b, lu_str_of(e->what));
			lu_markup_cell_fixed(b, lu_curve_first(&e->curve).y, 4);
			lu_markup_cell_fixed(b, lu_curve_last(&e->curve).y, 4);
			lu_markup_cell_fixed(b, lu_eval_best(e), 4);
			lu_buf_puts(b, "</tr>\n");
		}
	}
	lu_markup_close_table(b);
}

int lu_page_evals(struct lu_buf *b, const struct lu_metrics *m, size_t n, const char *x_name,
		struct lu_err *err)
{
	size_t any = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		any += m[i].evals.eval.n;
	if (any == 0)
		return 0;
	lu_markup_heading(b, "Evaluation");
	put_table(b, m, n);
	lu_buf_puts(b, "<div class=plots>\n");
	for (size_t i = 0; n == 1 && i < m->evals.eval.n && rc == 0;) {
		size_t end = lu_evals_end(&m->evals, i);

		rc = put_name(b, m, i, end, m->evals_over_tokens ? "tokens" : x_name, err);
		i = end;
	}
	for (size_t k = 0; n > 1 && k < n && rc == 0; k++)
		rc = put_shared(b, m, n, k, m->evals_over_tokens ? "tokens" : x_name, err);
	lu_buf_puts(b, "</div>\n");
	return rc;
}
