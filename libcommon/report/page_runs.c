#include "libcommon/report/page_runs.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "libcommon/report/chart.h"
#include "libcommon/report/markup.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct lu_page_axis lu_page_axis(const struct lu_metrics *m, size_t n, enum lu_over over)
{
	double most = 0;

	if (over == LU_OVER_STEPS)
		return (struct lu_page_axis){ "step", 1 };
	if (over == LU_OVER_TOKENS)
		return (struct lu_page_axis){ "tokens", 1 };
	for (size_t i = 0; i < n; i++)
		most = fmax(most, m[i].seconds);
	if (most >= 2 * 86400.)
		return (struct lu_page_axis){ "days", 86400 };
	if (most >= 2 * 3600.)
		return (struct lu_page_axis){ "hours", 3600 };
	if (most >= 2 * 60.)
		return (struct lu_page_axis){ "minutes", 60 };
	return (struct lu_page_axis){ "seconds", 1 };
}

void lu_page_run_tiles(struct lu_buf *b, const struct lu_metrics *m)
{
	double first = lu_curve_first(&m->loss).y;

	lu_buf_puts(b, "<div class=tiles>\n");
	if (m->tokens > 0 && m->tokens < 0x1p63)
		lu_markup_tile(b, "tokens trained on", (uint64_t)m->tokens);
	if (isfinite(first)) {
		lu_buf_printf(b, "<div class=tile><b>%.3f &#8594; ", first);
		lu_markup_fixed(b, m->last_loss, 3);
		lu_buf_puts(b, "</b><span>training loss</span></div>\n");
	}
	if (m->seconds > 0) {
		lu_buf_puts(b, "<div class=tile><b>");
		lu_markup_fixed(b, lu_metrics_speed(m), 0);
		lu_buf_puts(b, "</b><span>tokens a second</span></div>\n");
	}
	lu_buf_puts(b, "</div>\n");
}

/* --- curves ------------------------------------------------------------------------------- */

/* The curve at this offset of the struct, or, with `set`, the loss on that validation set. */
static const struct lu_curve *curve_of(const struct lu_metrics *m, size_t offset, const char *set)
{
	static const struct lu_curve none;

	if (!set)
		return (const void *)((const char *)m + offset);
	for (size_t i = 0; i < m->valid.n; i++) {
		if (strcmp(m->valid.p[i].name, set) == 0)
			return &m->valid.p[i].loss;
	}
	return &none;
}

/* A chart with a curve for each run. */
static int put_chart(struct lu_buf *b, const struct lu_metrics *m, size_t n, struct lu_chart chart,
		size_t offset, const char *set, struct lu_err *err)
{
	struct lu_chart_curve *curve = calloc(n, sizeof(*curve));

	if (!curve)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		curve[i] = (struct lu_chart_curve){ m[i].name, curve_of(&m[i], offset, set) };
	chart.curve = curve;
	chart.curves = n;
	lu_chart_svg(&chart, b);
	free(curve);
	return 0;
}

/* The loss of one run with that of its validation sets. */
static int put_loss(struct lu_buf *b, const struct lu_metrics *m, const char *x_name,
		struct lu_err *err)
{
	struct lu_chart chart = { .title = "Loss", .x_name = x_name, .curves = m->valid.n + 1 };
	struct lu_chart_curve *curve = calloc(chart.curves, sizeof(*curve));

	if (!curve)
		return lu_err_nomem(err);
	curve[0] = (struct lu_chart_curve){ "training", &m->loss };
	for (size_t i = 0; i < m->valid.n; i++)
		curve[i + 1] = (struct lu_chart_curve){ m->valid.p[i].name, &m->valid.p[i].loss };
	chart.curve = curve;
	lu_chart_svg(&chart, b);
	free(curve);
	return 0;
}

/* True if no run before i has a validation set of this name. */
static bool is_new(const struct lu_metrics *m, size_t i, const char *set)
{
	for (size_t k = 0; k < i; k++) {
		for (size_t v = 0; v < m[k].valid.n; v++) {
			if (strcmp(m[k].valid.p[v].name, set) == 0)
				return false;
		}
	}
	return true;
}

/* The loss of several runs: in training, and on each validation set. */
static int put_losses(struct lu_buf *b, const struct lu_metrics *m, size_t n, const char *x_name,
		struct lu_err *err)
{
	struct lu_chart chart = { .title = "Training loss", .x_name = x_name };

	if (put_chart(b, m, n, chart, offsetof(struct lu_metrics, loss), NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < m[i].valid.n; k++) {
			const char *set = m[i].valid.p[k].name;
			struct lu_buf title = { 0 };
			int rc;

			if (!is_new(m, i, set))
				continue;
			lu_buf_printf(&title, "Validation loss, %s", set);
			rc = lu_buf_check(&title, err);
			chart.title = title.p;
			if (rc == 0)
				rc = put_chart(b, m, n, chart, 0, set, err);
			lu_buf_release(&title);
			if (rc < 0)
				return -1;
		}
	}
	return 0;
}

/* What became of pairs of preferences. */
static int put_pairs(struct lu_buf *b, const struct lu_metrics *m, size_t n, const char *x_name,
		struct lu_err *err)
{
	struct lu_chart chart = { .title = "Margin of preferences", .x_name = x_name };

	if (put_chart(b, m, n, chart, offsetof(struct lu_metrics, margin), NULL, err) < 0)
		return -1;
	chart.title = "Accuracy of preferences";
	chart.from_zero = true;
	return put_chart(b, m, n, chart, offsetof(struct lu_metrics, accuracy), NULL, err);
}

/* --- tables ------------------------------------------------------------------------------- */

static void put_runs(struct lu_buf *b, const struct lu_metrics *m, size_t n)
{
	static const char *const head[] = { "run", "steps", "tokens", "seconds", "tokens/s",
		"first loss", "last loss" };

	lu_markup_open_table(b, head, COUNT(head), 1);
	for (size_t i = 0; i < n; i++) {
		lu_buf_puts(b, "<tr>");
		lu_markup_cell_str(b, lu_str_of(m[i].name));
		lu_markup_cell_fixed(b, m[i].step, 0);
		lu_markup_cell_fixed(b, m[i].tokens, 0);
		lu_markup_cell_fixed(b, m[i].seconds, 1);
		lu_markup_cell_fixed(b, lu_metrics_speed(&m[i]), 0);
		lu_markup_cell_fixed(b, lu_curve_first(&m[i].loss).y, 4);
		lu_markup_cell_fixed(b, m[i].last_loss, 4);
		lu_buf_puts(b, "</tr>\n");
	}
	lu_markup_close_table(b);
}

static void put_valid(struct lu_buf *b, const struct lu_metrics *m, size_t n)
{
	static const char *const head[] = { "run", "validation set", "first loss", "last loss",
		"lowest loss", "perplexity", "bits/byte" };
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any |= m[i].valid.n > 0;
	if (!any)
		return;
	lu_markup_heading(b, "Validation");
	lu_markup_open_table(b, head, COUNT(head), 2);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < m[i].valid.n; k++) {
			const struct lu_valid *v = &m[i].valid.p[k];
			double last = lu_curve_last(&v->loss).y;

			lu_buf_puts(b, "<tr>");
			lu_markup_cell_str(b, lu_str_of(m[i].name));
			lu_markup_cell_str(b, lu_str_of(v->name));
			lu_markup_cell_fixed(b, lu_curve_first(&v->loss).y, 4);
			lu_markup_cell_fixed(b, last, 4);
			lu_markup_cell_fixed(b, lu_curve_lowest(&v->loss).y, 4);
			lu_markup_cell_fixed(b, exp(last), 2);
			lu_markup_cell_fixed(b, lu_curve_last(&v->bits_per_byte).y, 4);
			lu_buf_puts(b, "</tr>\n");
		}
	}
	lu_markup_close_table(b);
}

int lu_page_runs(struct lu_buf *b, const struct lu_metrics *m, size_t n, const char *x_name,
		struct lu_err *err)
{
	struct lu_chart chart = { .title = "Gradient norm", .x_name = x_name, .from_zero = true };
	bool pairs = false;
	int rc;

	lu_markup_heading(b, "Training");
	put_runs(b, m, n);
	for (size_t i = 0; i < n; i++) {
		if (m[i].without_loss == 0)
			continue;
		lu_buf_puts(b, "<p class=bad>");
		lu_markup_escape(b, lu_str_of(m[i].name));
		lu_buf_puts(b, ": steps without a loss: ");
		lu_markup_u64(b, m[i].without_loss);
		lu_buf_puts(b, "</p>\n");
	}
	lu_buf_puts(b, "<div class=plots>\n");
	rc = n > 1 ? put_losses(b, m, n, x_name, err) : put_loss(b, m, x_name, err);
	if (rc < 0 || put_chart(b, m, n, chart, offsetof(struct lu_metrics, norm), NULL, err) < 0)
		return -1;
	chart.title = "Tokens a second";
	if (put_chart(b, m, n, chart, offsetof(struct lu_metrics, speed), NULL, err) < 0)
		return -1;
	chart.title = "Learning rate";
	if (put_chart(b, m, n, chart, offsetof(struct lu_metrics, lr), NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		pairs |= m[i].margin.point.n > 0;
	if (pairs && put_pairs(b, m, n, x_name, err) < 0)
		return -1;
	lu_buf_puts(b, "</div>\n");
	put_valid(b, m, n);
	return 0;
}

void lu_page_configs(struct lu_buf *b, const struct lu_metrics *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct lu_buf title = { 0 };

		if (!m[i].config)
			continue;
		lu_buf_printf(&title, "Configuration%s%s", n > 1 ? ": " : "",
				n > 1 ? m[i].name : "");
		b->failed |= title.failed;
		lu_markup_text(b, title.p ? title.p : "", lu_str_of(m[i].config));
		lu_buf_release(&title);
	}
}
