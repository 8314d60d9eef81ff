#include "libcommon/report/page.h"

#include "libcommon/io/json.h"
#include "libcommon/report/chart.h"
#include "libcommon/report/markup.h"

/* clang-format off */
static const char style[] =
	":root{--bg:#fff;--fg:#1c2128;--dim:#667080;--line:#dfe3e8;--soft:#f5f7f9;"
	"--bar:#b9cdf0;--c0:#2f6fde;--c1:#d9622b;--c2:#2b9a66;--c3:#8e4ec6;--c4:#b58900;"
	"--c5:#cc3366}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#14171c;--fg:#e4e8ee;--dim:#98a2b0;"
	"--line:#2d333c;--soft:#1b1f26;--bar:#2c4673;--c0:#6ea1f7;--c1:#f08a58;--c2:#4fc38d;"
	"--c3:#b98ae6;--c4:#d9b23c;--c5:#ec6f95}}\n"
	"*{box-sizing:border-box}body{margin:0 auto;max-width:1040px;"
	"padding:2rem 1.25rem 4rem;background:var(--bg);color:var(--fg);"
	"font:16px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.9rem;margin:0 0 1rem}h2{font-size:1.2rem;margin:2.4rem 0 .6rem}\n"
	".tiles{display:flex;flex-wrap:wrap;gap:.75rem}.tile{background:var(--soft);"
	"border:1px solid var(--line);border-radius:8px;padding:.6rem 1rem;min-width:9rem}"
	".tile b{display:block;font-size:1.45rem;font-weight:600}.tile span{color:var(--dim);"
	"font-size:.85rem}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem;"
	"font-variant-numeric:tabular-nums}th,td{padding:.32rem .6rem;text-align:left;"
	"border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:500;"
	"border-bottom-width:2px;vertical-align:bottom}.n{text-align:right;"
	"white-space:nowrap}tr.sum td{font-weight:600;border-top:2px solid var(--line)}\n"
	".bar{position:relative;min-width:9rem;text-align:right;white-space:nowrap}"
	".bar i{position:absolute;left:.3rem;top:.3rem;bottom:.3rem;background:var(--bar);"
	"border-radius:3px}.bar span{position:relative}\n"
	"figure{margin:0 0 1.2rem}figcaption{font-weight:500;margin-bottom:.2rem}"
	"svg{width:100%;height:auto;background:var(--soft);border:1px solid var(--line);"
	"border-radius:8px}\n"
	"svg text{fill:var(--dim);font:12px system-ui,sans-serif}.y{text-anchor:end}"
	".x{text-anchor:middle}.grid{stroke:var(--line)}.line{fill:none;stroke-width:1.8;"
	"stroke:currentColor}.dot{fill:currentColor}.c0{color:var(--c0)}.c1{color:var(--c1)}"
	".c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}\n"
	"pre{background:var(--soft);border:1px solid var(--line);border-radius:8px;"
	"padding:1rem;white-space:pre-wrap;overflow-wrap:anywhere;"
	"font:13px/1.45 ui-monospace,monospace}\n"
	".bad{color:var(--c5)}@media print{body{max-width:none}}\n";
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- documents ---------------------------------------------------------------------------- */

static void put_stages(struct lu_buf *b, const struct lu_accounts *a)
{
	static const char *const head[] = { "stage", "documents in", "dropped", "", "repeated",
		"documents out", "MB in", "MB out", "seconds", "MB/s" };

	lu_markup_heading(b, "Documents by stage");
	lu_markup_open_table(b, head, COUNT(head), 1);
	for (size_t i = 0; i < a->stage.n; i++) {
		const struct lu_stage *s = &a->stage.p[i];
		uint64_t dropped = lu_stage_dropped(s);

		lu_buf_puts(b, "<tr>");
		lu_markup_cell_str(b, lu_str_of(s->name));
		lu_markup_cell_u64(b, s->in.docs);
		lu_markup_cell_u64(b, dropped);
		lu_markup_cell_share(b, dropped, s->in.docs);
		lu_markup_cell_u64(b, s->repeated);
		lu_markup_cell_u64(b, s->out.docs);
		lu_buf_printf(b,
				"<td class=n>%.2f</td><td class=n>%.2f</td><td class=n>%.2f</td>"
				"<td class=n>%.1f</td></tr>\n",
				(double)s->in.bytes / 1e6, (double)s->out.bytes / 1e6, s->wall,
				s->wall > 0 ? (double)s->in.bytes / 1e6 / s->wall : 0);
	}
	lu_markup_close_table(b);
	for (size_t i = 0; i < a->fault.n; i++) {
		lu_buf_puts(b, "<p class=bad>");
		lu_markup_escape(b, lu_str_of(a->fault.p[i]));
		lu_buf_puts(b, "</p>\n");
	}
	if (a->fault.n == 0)
		lu_buf_puts(b, "<p>In every line, in + repeated = out + dropped.</p>\n");
}

static void put_reasons(struct lu_buf *b, const struct lu_accounts *a)
{
	static const char *const head[] = { "stage", "reason", "documents", "of what came in" };
	bool any = false;

	for (size_t i = 0; i < a->stage.n; i++)
		any |= a->stage.p[i].dropped.n > 0;
	if (!any)
		return;
	lu_markup_heading(b, "Why documents were dropped");
	lu_markup_open_table(b, head, COUNT(head), 2);
	for (size_t i = 0; i < a->stage.n; i++) {
		const struct lu_stage *s = &a->stage.p[i];

		for (size_t k = 0; k < s->dropped.n; k++) {
			const struct lu_stage_reason *r = &s->dropped.p[k];

			lu_buf_puts(b, "<tr>");
			lu_markup_cell_str(b, lu_str_of(s->name));
			lu_markup_cell_str(b, lu_str_of(r->name));
			lu_markup_cell_u64(b, r->docs);
			lu_markup_cell_share(b, r->docs, s->in.docs);
			lu_buf_puts(b, "</tr>\n");
		}
	}
	lu_markup_close_table(b);
}

/* --- the mix ------------------------------------------------------------------------------ */

struct mix_row {
	struct lu_str name;
	uint64_t docs, size, docs_after, size_after;
};

/* Read an element of "groups" or "languages"; false if it is malformed. When memory is out,
 * b->failed is set too. */
static bool read_mix_row(
		struct lu_buf *b, struct lu_str raw, struct lu_arena *arena, struct mix_row *r)
{
	static const char *const key[] = { "docs", "size", "docs_after", "size_after" };
	uint64_t *value[] = { &r->docs, &r->size, &r->docs_after, &r->size_after };
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	if (lu_json_object(raw, arena, &obj, &fault) < 0) {
		b->failed |= fault.kind == LU_JSON_NO_MEMORY;
		return false;
	}
	m = lu_json_get(&obj, "name");
	if (!m || m->type != LU_JSON_STRING)
		return false;
	if (lu_json_decode_known(m->value, m->escaped, arena, &r->name) < 0) {
		b->failed = true;
		return false;
	}
	for (size_t i = 0; i < COUNT(key); i++) {
		m = lu_json_get(&obj, key[i]);
		if (!m || !lu_json_u64(m, value[i]))
			return false;
	}
	return true;
}

static void put_mix_row(struct lu_buf *b, const struct mix_row *r, const struct mix_row *all)
{
	lu_markup_cell_str(b, r->name);
	lu_markup_cell_u64(b, r->docs);
	lu_markup_cell_u64(b, r->size);
	lu_markup_cell_share(b, r->size, all->size);
	lu_markup_cell_u64(b, r->docs_after);
	lu_markup_cell_u64(b, r->size_after);
	lu_markup_cell_share(b, r->size_after, all->size_after);
	lu_buf_printf(b, "<td class=n>%.3f</td></tr>\n",
			r->size ? (double)r->size_after / (double)r->size : 0);
}

/* One row for each well-formed element, and the totals. */
static void put_mix_table(
		struct lu_buf *b, struct lu_str rows, const char *what, const char *measure)
{
	const char *const head[] = { what, "documents", measure, "before", "documents", measure,
		"after", "epochs" };
	struct mix_row r, all = { .name = LU_STR("total") };
	struct lu_arena arena = { 0 };

	for (struct lu_json_iter it = lu_json_iter(rows); lu_json_next(&it);) {
		if (!read_mix_row(b, it.value, &arena, &r))
			continue;
		all.docs += r.docs;
		all.size += r.size;
		all.docs_after += r.docs_after;
		all.size_after += r.size_after;
	}
	lu_markup_open_table(b, head, COUNT(head), 1);
	for (struct lu_json_iter it = lu_json_iter(rows); lu_json_next(&it);) {
		if (!read_mix_row(b, it.value, &arena, &r))
			continue;
		lu_buf_puts(b, "<tr>");
		put_mix_row(b, &r, &all);
	}
	lu_buf_puts(b, "<tr class=sum>");
	put_mix_row(b, &all, &all);
	lu_markup_close_table(b);
	lu_arena_release(&arena);
}

static void put_mix(struct lu_buf *b, struct lu_str mix)
{
	struct lu_arena arena = { 0 };
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_str measure = LU_STR("size");

	if (lu_json_object(mix, &arena, &obj, &fault) < 0) {
		b->failed |= fault.kind == LU_JSON_NO_MEMORY;
		goto out;
	}
	m = lu_json_get(&obj, "measure");
	if (m && m->type == LU_JSON_STRING)
		measure = (struct lu_str){ m->value.p + 1, m->value.n - 2 };
	/* A C string for put_mix_table(): lu_arena_str() appends the NUL. */
	measure = lu_arena_str(&arena, measure);
	if (!measure.p) {
		b->failed = true;
		goto out;
	}
	m = lu_json_get(&obj, "languages");
	if (m && m->type == LU_JSON_ARRAY) {
		lu_markup_heading(b, "Languages before and after mixing");
		put_mix_table(b, m->value, "language", measure.p);
	}
	m = lu_json_get(&obj, "groups");
	if (m && m->type == LU_JSON_ARRAY) {
		lu_markup_heading(b, "Groups of the recipe");
		put_mix_table(b, m->value, "group", measure.p);
	}
out:
	lu_arena_release(&arena);
}

/* --- training ----------------------------------------------------------------------------- */

static void put_metrics(struct lu_buf *b, const struct lu_metrics *m)
{
	struct lu_chart loss = { .title = "Loss",
		.x_name = "step",
		.curve = { { "training", &m->loss } },
		.curves = 1 };
	const struct lu_chart speed = { .title = "Tokens a second",
		.x_name = "step",
		.curve = { { NULL, &m->speed } },
		.curves = 1,
		.from_zero = true };
	const struct lu_chart lr = { .title = "Learning rate",
		.x_name = "step",
		.curve = { { NULL, &m->lr } },
		.curves = 1,
		.from_zero = true };

	if (m->loss.point.n == 0)
		return;
	for (size_t i = 0; i < m->valid.n && loss.curves < LU_CHART_CURVES; i++)
		loss.curve[loss.curves++] =
				(struct lu_chart_curve){ m->valid.p[i].name, &m->valid.p[i] };
	lu_markup_heading(b, "Training");
	lu_chart_svg(&loss, b);
	lu_chart_svg(&speed, b);
	lu_chart_svg(&lr, b);
}

/* --- other tables ------------------------------------------------------------------------- */

#define NO_ROW SIZE_MAX

/* The row whose first cell is `name`, or NO_ROW. */
static size_t find_row(const struct lu_jtable *t, struct lu_str name)
{
	for (size_t i = 0; i < t->row.n; i++) {
		if (lu_str_eq(t->row.p[i].cell[0], name))
			return i;
	}
	return NO_ROW;
}

/* The column of this title, or t->columns. */
static size_t find_column(const struct lu_jtable *t, struct lu_str title)
{
	size_t i = 0;

	while (i < t->columns && !lu_str_eq(t->column[i], title))
		i++;
	return i;
}

/* The cell under a title; empty if the row is NO_ROW or there is no such column. */
static struct lu_str cell_under(const struct lu_jtable *t, size_t row, struct lu_str title)
{
	size_t column = find_column(t, title);

	return row == NO_ROW || column == t->columns ? LU_STR("") : t->row.p[row].cell[column];
}

/* True if a column of `before` is the same in `after`, row by row. */
static bool is_same(const struct lu_page_table *p, size_t column)
{
	const struct lu_jtable *t = &p->before;

	for (size_t i = 0; i < t->row.n; i++) {
		size_t row = find_row(&p->after, t->row.p[i].cell[0]);

		if (row == NO_ROW ||
				!lu_str_eq(t->row.p[i].cell[column],
						cell_under(&p->after, row, t->column[column])))
			return false;
	}
	return t->row.n == p->after.row.n;
}

/* How the columns are shown. */
struct view {
	bool number[LU_JTABLE_COLUMNS];
	bool twice[LU_JTABLE_COLUMNS]; /* before and after */
};

static struct view view_of(const struct lu_page_table *p)
{
	const struct lu_jtable *t = &p->before;
	struct view v = { { false }, { false } };

	for (size_t k = 0; k < t->columns; k++) {
		size_t other = find_column(&p->after, t->column[k]);

		v.number[k] = t->number[k] &&
				(!p->compare || other == p->after.columns ||
						p->after.number[other]);
		v.twice[k] = p->compare && k > 0 && !is_same(p, k);
	}
	return v;
}

static void put_cell(struct lu_buf *b, struct lu_str s, bool number)
{
	if (number)
		lu_markup_cell_number(b, s);
	else
		lu_markup_cell_str(b, s);
}

/* Write a row of `before`, of `after`, or of both; the other is NO_ROW. */
static void put_row(struct lu_buf *b, const struct lu_page_table *p, const struct view *v,
		size_t before, size_t after)
{
	const struct lu_jtable *t = &p->before;

	lu_buf_puts(b, "<tr>");
	for (size_t k = 0; k < t->columns; k++) {
		struct lu_str old = before == NO_ROW ? LU_STR("") : t->row.p[before].cell[k];
		struct lu_str new = LU_STR("");

		if (k == 0 && after != NO_ROW)
			new = p->after.row.p[after].cell[0];
		else if (k > 0)
			new = cell_under(&p->after, after, t->column[k]);
		if (v->twice[k] || before != NO_ROW)
			put_cell(b, old, v->number[k]);
		if (v->twice[k] || before == NO_ROW)
			put_cell(b, new, v->number[k]);
	}
	lu_buf_puts(b, "</tr>\n");
}

static void put_table(struct lu_buf *b, const struct lu_page_table *p)
{
	const struct lu_jtable *t = &p->before, *u = &p->after;
	struct view v = view_of(p);

	lu_markup_heading(b, p->title);
	lu_buf_puts(b, "<div class=wide><table><thead><tr>");
	for (size_t k = 0; k < t->columns; k++) {
		lu_markup_head(b, t->column[k], v.number[k], v.twice[k] ? ", before" : "");
		if (v.twice[k])
			lu_markup_head(b, t->column[k], v.number[k], ", after");
	}
	lu_buf_puts(b, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < t->row.n; i++)
		put_row(b, p, &v, i, p->compare ? find_row(u, t->row.p[i].cell[0]) : NO_ROW);
	for (size_t i = 0; p->compare && i < u->row.n; i++) {
		if (find_row(t, u->row.p[i].cell[0]) == NO_ROW)
			put_row(b, p, &v, NO_ROW, i);
	}
	lu_markup_close_table(b);
}

/* --- the page ----------------------------------------------------------------------------- */

static void put_tile(struct lu_buf *b, const char *what, uint64_t v)
{
	lu_buf_puts(b, "<div class=tile><b>");
	lu_markup_u64(b, v);
	lu_buf_printf(b, "</b><span>%s</span></div>\n", what);
}

static void put_account_tiles(struct lu_buf *b, const struct lu_accounts *a)
{
	uint64_t dropped = 0, repeated = 0;

	for (size_t i = 0; i < a->stage.n; i++) {
		dropped += lu_stage_dropped(&a->stage.p[i]);
		repeated += a->stage.p[i].repeated;
	}
	put_tile(b, "documents in", a->stage.p[0].in.docs);
	put_tile(b, "dropped", dropped);
	put_tile(b, "repeated", repeated);
	put_tile(b, "documents out", a->stage.p[a->stage.n - 1].out.docs);
}

static void put_training_tiles(struct lu_buf *b, const struct lu_metrics *m)
{
	if (m->tokens >= 0 && m->tokens < 0x1p63)
		put_tile(b, "tokens trained on", (uint64_t)m->tokens);
	lu_buf_printf(b,
			"<div class=tile><b>%.3f &#8594; %.3f</b>"
			"<span>training loss</span></div>\n",
			m->loss.point.p[0].y, m->loss.point.p[m->loss.point.n - 1].y);
}

static void put_accounts(struct lu_buf *b, const struct lu_accounts *a)
{
	put_stages(b, a);
	put_reasons(b, a);
	for (size_t i = 0; i < a->stage.n; i++) {
		if (a->stage.p[i].mix.n)
			put_mix(b, a->stage.p[i].mix);
	}
}

int lu_page_html(const struct lu_page *p, struct lu_buf *b, struct lu_err *err)
{
	bool accounts = p->accounts && p->accounts->stage.n;

	lu_buf_puts(b,
			"<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
			"<meta name=\"viewport\" "
			"content=\"width=device-width,initial-scale=1\">\n<title>");
	lu_markup_escape(b, lu_str_of(p->title));
	lu_buf_puts(b, "</title>\n<style>\n");
	lu_buf_puts(b, style);
	lu_buf_puts(b, "</style></head>\n<body>\n<h1>");
	lu_markup_escape(b, lu_str_of(p->title));
	lu_buf_puts(b, "</h1>\n<div class=tiles>\n");
	if (accounts)
		put_account_tiles(b, p->accounts);
	if (p->metrics && p->metrics->loss.point.n)
		put_training_tiles(b, p->metrics);
	lu_buf_puts(b, "</div>\n");
	if (accounts)
		put_accounts(b, p->accounts);
	if (p->metrics)
		put_metrics(b, p->metrics);
	for (size_t i = 0; i < p->tables; i++)
		put_table(b, &p->table[i]);
	for (size_t i = 0; i < p->texts; i++) {
		lu_markup_heading(b, p->text[i].title);
		lu_buf_puts(b, "<pre>");
		lu_markup_escape(b, p->text[i].text);
		lu_buf_puts(b, "</pre>\n");
	}
	lu_buf_puts(b, "</body>\n</html>\n");
	return lu_buf_check(b, err);
}
