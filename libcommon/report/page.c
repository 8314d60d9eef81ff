#include "libcommon/report/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/io/json.h"
#include "libcommon/report/chart.h"

static const char style[] =
		":root{--bg:#fff;--fg:#1c2128;--dim:#667080;--line:#dfe3e8;--soft:#f5f7f9;--bar:#"
		"b9cdf0;"
		"--c0:#2f6fde;--c1:#d9622b;--c2:#2b9a66;--c3:#8e4ec6;--c4:#b58900;--c5:#cc3366}\n"
		"@media(prefers-color-scheme:dark){:root{--bg:#14171c;--fg:#e4e8ee;--dim:#98a2b0;"
		"--line:#2d333c;--soft:#1b1f26;--bar:#2c4673;--c0:#6ea1f7;--c1:#f08a58;--c2:#"
		"4fc38d;"
		"--c3:#b98ae6;--c4:#d9b23c;--c5:#ec6f95}}\n"
		"*{box-sizing:border-box}body{margin:0 auto;max-width:1040px;padding:2rem 1.25rem "
		"4rem;"
		"background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}\n"
		"h1{font-size:1.9rem;margin:0 0 1rem}h2{font-size:1.2rem;margin:2.4rem 0 .6rem}\n"
		".tiles{display:flex;flex-wrap:wrap;gap:.75rem}.tile{background:var(--soft);"
		"border:1px solid var(--line);border-radius:8px;padding:.6rem 1rem;min-width:9rem}"
		".tile b{display:block;font-size:1.45rem;font-weight:600}.tile "
		"span{color:var(--dim);"
		"font-size:.85rem}\n"
		".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem;"
		"font-variant-numeric:tabular-nums}th,td{padding:.32rem .6rem;text-align:left;"
		"border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:500;"
		"border-bottom-width:2px;vertical-align:bottom}.n{text-align:right;white-space:"
		"nowrap}"
		"tr.sum td{font-weight:600;border-top:2px solid var(--line)}\n"
		".bar{position:relative;min-width:9rem;text-align:right;white-space:nowrap}"
		".bar i{position:absolute;left:.3rem;top:.3rem;bottom:.3rem;background:var(--bar);"
		"border-radius:3px}.bar span{position:relative}\n"
		"figure{margin:0 0 "
		"1.2rem}figcaption{font-weight:500;margin-bottom:.2rem}svg{width:100%;"
		"height:auto;background:var(--soft);border:1px solid "
		"var(--line);border-radius:8px}\n"
		"svg text{fill:var(--dim);font:12px system-ui,sans-serif}.y{text-anchor:end}"
		".x{text-anchor:middle}.grid{stroke:var(--line)}.line{fill:none;stroke-width:1.8;"
		"stroke:currentColor}.dot{fill:currentColor}.c0{color:var(--c0)}.c1{color:var(--c1)"
		"}"
		".c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}\n"
		"pre{background:var(--soft);border:1px solid "
		"var(--line);border-radius:8px;padding:1rem;"
		"white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.45 "
		"ui-monospace,monospace}\n"
		".bad{color:var(--c5)}@media print{body{max-width:none}}\n";

/* --- cells -------------------------------------------------------------------------------- */

/* 1234567 with a thin space (U+2009) between groups of three. */
static void put_u64(struct lu_buf *b, uint64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, v);

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			lu_buf_puts(b, "\xE2\x80\x89");
		lu_buf_putc(b, digits[i]);
	}
}

static void cell_u64(struct lu_buf *b, uint64_t v)
{
	lu_buf_puts(b, "<td class=n>");
	put_u64(b, v);
	lu_buf_puts(b, "</td>");
}

static void cell_text(struct lu_buf *b, struct lu_str s)
{
	lu_buf_puts(b, "<td>");
	lu_report_escape(b, s);
	lu_buf_puts(b, "</td>");
}

static double part_of(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

/* A share with its bar. */
static void cell_share(struct lu_buf *b, double share)
{
	double width = share < 0 ? 0 : share > 1 ? 1 : share;

	lu_buf_printf(b,
			"<td class=bar><i "
			"style=\"width:%.1f%%\"></i><span>%.2f&#8239;%%</span></td>",
			92 * width, 100 * share);
}

static void heads(struct lu_buf *b, const char *const *text, const bool *number, size_t n)
{
	lu_buf_puts(b, "<div class=wide><table><thead><tr>");
	for (size_t i = 0; i < n; i++) {
		lu_buf_puts(b, number[i] ? "<th class=n>" : "<th>");
		lu_report_escape(b, lu_str_of(text[i]));
		lu_buf_puts(b, "</th>");
	}
	lu_buf_puts(b, "</tr></thead><tbody>\n");
}

static void end_table(struct lu_buf *b)
{
	lu_buf_puts(b, "</tbody></table></div>\n");
}

static void heading(struct lu_buf *b, const char *text)
{
	lu_buf_puts(b, "<h2>");
	lu_report_escape(b, lu_str_of(text));
	lu_buf_puts(b, "</h2>\n");
}

/* --- documents ---------------------------------------------------------------------------- */

static void put_stages(struct lu_buf *b, const struct lu_accounts *a)
{
	static const char *const head[] = { "stage", "documents in", "dropped", "", "repeated",
		"documents out", "MB in", "MB out", "seconds", "MB/s" };
	static const bool number[] = { false, true, true, true, true, true, true, true, true,
		true };

	heading(b, "Documents by stage");
	heads(b, head, number, sizeof(head) / sizeof(head[0]));
	for (size_t i = 0; i < a->stages; i++) {
		const struct lu_stage *s = &a->stage[i];
		uint64_t dropped = lu_stage_dropped(s);

		lu_buf_puts(b, "<tr>");
		cell_text(b, lu_str_of(s->name));
		cell_u64(b, s->in.docs);
		cell_u64(b, dropped);
		cell_share(b, part_of(dropped, s->in.docs));
		cell_u64(b, s->repeated);
		cell_u64(b, s->out.docs);
		lu_buf_printf(b,
				"<td class=n>%.2f</td><td class=n>%.2f</td><td class=n>%.2f</td>"
				"<td class=n>%.1f</td></tr>\n",
				(double)s->in.bytes / 1e6, (double)s->out.bytes / 1e6, s->wall,
				s->wall > 0 ? (double)s->in.bytes / 1e6 / s->wall : 0);
	}
	end_table(b);
	for (size_t i = 0; i < a->faults; i++) {
		lu_buf_puts(b, "<p class=bad>");
		lu_report_escape(b, lu_str_of(a->fault[i].text));
		lu_buf_puts(b, "</p>\n");
	}
	if (a->faults == 0)
		lu_buf_puts(b, "<p>In every line, in + repeated = out + dropped.</p>\n");
}

static void put_reasons(struct lu_buf *b, const struct lu_accounts *a)
{
	static const char *const head[] = { "stage", "reason", "documents", "of what came in" };
	static const bool number[] = { false, false, true, true };
	bool any = false;

	for (size_t i = 0; i < a->stages; i++)
		any |= a->stage[i].reasons > 0;
	if (!any)
		return;
	heading(b, "Why documents were dropped");
	heads(b, head, number, sizeof(head) / sizeof(head[0]));
	for (size_t i = 0; i < a->stages; i++) {
		const struct lu_stage *s = &a->stage[i];

		for (size_t k = 0; k < s->reasons; k++) {
			lu_buf_puts(b, "<tr>");
			cell_text(b, lu_str_of(s->name));
			cell_text(b, lu_str_of(s->dropped[k].name));
			cell_u64(b, s->dropped[k].n);
			cell_share(b, part_of(s->dropped[k].n, s->in.docs));
			lu_buf_puts(b, "</tr>\n");
		}
	}
	end_table(b);
}

/* --- the mix ------------------------------------------------------------------------------ */

struct mix_row {
	struct lu_str name;
	uint64_t docs, size, docs_after, size_after;
};

/* One element of "groups" or "languages"; false when it is not of that form. Without memory the
 * page fails. */
static bool mix_row(struct lu_buf *b, struct lu_str raw, struct lu_arena *arena, struct mix_row *r)
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
	for (size_t i = 0; i < 4; i++) {
		m = lu_json_get(&obj, key[i]);
		if (!m || !lu_json_u64(m, value[i]))
			return false;
	}
	return true;
}

static void put_mix_row(struct lu_buf *b, const struct mix_row *r, const struct mix_row *all)
{
	cell_text(b, r->name);
	cell_u64(b, r->docs);
	cell_u64(b, r->size);
	cell_share(b, part_of(r->size, all->size));
	cell_u64(b, r->docs_after);
	cell_u64(b, r->size_after);
	cell_share(b, part_of(r->size_after, all->size_after));
	lu_buf_printf(b, "<td class=n>%.3f</td></tr>\n", part_of(r->size_after, r->size));
}

static void put_mix_table(
		struct lu_buf *b, struct lu_str rows, const char *what, const char *measure)
{
	const char *const head[] = { what, "documents", measure, "before", "documents", measure,
		"after", "epochs" };
	static const bool number[] = { false, true, true, true, true, true, true, true };
	struct mix_row r, all = { .name = LU_STR("total") };
	struct lu_arena arena = { 0 };

	for (struct lu_json_iter it = lu_json_iter(rows); lu_json_next(&it);) {
		if (!mix_row(b, it.value, &arena, &r))
			continue;
		all.docs += r.docs;
		all.size += r.size;
		all.docs_after += r.docs_after;
		all.size_after += r.size_after;
	}
	heads(b, head, number, sizeof(head) / sizeof(head[0]));
	for (struct lu_json_iter it = lu_json_iter(rows); lu_json_next(&it);) {
		if (!mix_row(b, it.value, &arena, &r))
			continue;
		lu_buf_puts(b, "<tr>");
		put_mix_row(b, &r, &all);
	}
	lu_buf_puts(b, "<tr class=sum>");
	put_mix_row(b, &all, &all);
	end_table(b);
	lu_arena_release(&arena);
}

static void put_mix(struct lu_buf *b, const struct lu_stage *s)
{
	struct lu_arena arena = { 0 };
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_str measure = LU_STR("size"), kept;

	if (lu_json_object(s->mix, &arena, &obj, &fault) < 0) {
		b->failed |= fault.kind == LU_JSON_NO_MEMORY;
		goto out;
	}
	m = lu_json_get(&obj, "measure");
	if (m && m->type == LU_JSON_STRING)
		measure = (struct lu_str){ m->value.p + 1, m->value.n - 2 };
	kept = lu_arena_str(&arena, measure);
	b->failed |= !kept.p;
	m = lu_json_get(&obj, "languages");
	if (kept.p && m && m->type == LU_JSON_ARRAY) {
		heading(b, "Languages before and after mixing");
		put_mix_table(b, m->value, "language", kept.p);
	}
	m = lu_json_get(&obj, "groups");
	if (kept.p && m && m->type == LU_JSON_ARRAY) {
		heading(b, "Groups of the recipe");
		put_mix_table(b, m->value, "group", kept.p);
	}
out:
	lu_arena_release(&arena);
}

/* --- training ----------------------------------------------------------------------------- */

static void put_metrics(struct lu_buf *b, const struct lu_metrics *m)
{
	struct lu_curve loss = m->loss;
	struct lu_chart chart = { .title = "Loss", .x_name = "step" };
	static char training[] = "training";

	if (loss.n == 0)
		return;
	heading(b, "Training");
	loss.name = training;
	chart.curve[chart.curves++] = &loss;
	for (size_t i = 0; i < m->valids && i < 5; i++)
		chart.curve[chart.curves++] = &m->valid[i];
	lu_chart_svg(&chart, b);
	chart = (struct lu_chart){ .title = "Tokens a second",
		.x_name = "step",
		.curve = { &m->speed },
		.curves = 1,
		.from_zero = true };
	lu_chart_svg(&chart, b);
	chart.title = "Learning rate";
	chart.curve[0] = &m->lr;
	lu_chart_svg(&chart, b);
}

/* --- other tables ------------------------------------------------------------------------- */

/* Whole numbers get their groups of three, the others four digits that count. */
static void cell_any(struct lu_buf *b, struct lu_str s, bool number)
{
	struct lu_json_member m = { .value = s, .type = LU_JSON_NUMBER };
	uint64_t whole;
	double v;

	if (!number || s.n == 0) {
		lu_buf_puts(b, number ? "<td class=n>" : "<td>");
		lu_report_escape(b, s);
		lu_buf_puts(b, "</td>");
	} else if (lu_json_u64(&m, &whole)) {
		cell_u64(b, whole);
	} else if (lu_json_double(&m, &v)) {
		lu_buf_printf(b, "<td class=n>%.4g</td>", v);
	}
}

static bool find_row(const struct lu_jtable *t, struct lu_str first, size_t *row)
{
	for (size_t i = 0; i < t->rows; i++) {
		if (lu_str_eq(lu_jtable_cell(t, i, 0), first)) {
			*row = i;
			return true;
		}
	}
	return false;
}

/* The cell under a heading; empty when there is no such column. */
static struct lu_str cell_of(const struct lu_jtable *t, size_t row, struct lu_str column)
{
	for (size_t k = 0; k < t->columns; k++) {
		if (lu_str_eq(t->column[k], column))
			return lu_jtable_cell(t, row, k);
	}
	return LU_STR("");
}

static bool is_number(const struct lu_jtable *t, struct lu_str column)
{
	for (size_t k = 0; k < t->columns; k++) {
		if (lu_str_eq(t->column[k], column))
			return t->number[k];
	}
	return true;
}

/* Whether the column is the same in both, row by row: then it is shown once. */
static bool same_in_both(const struct lu_page_table *p, size_t column)
{
	const struct lu_jtable *t = &p->one, *u = &p->other;
	size_t other = 0;

	for (size_t i = 0; i < t->rows; i++) {
		if (!find_row(u, lu_jtable_cell(t, i, 0), &other) ||
				!lu_str_eq(lu_jtable_cell(t, i, column),
						cell_of(u, other, t->column[column])))
			return false;
	}
	return t->rows == u->rows;
}

static void put_head(struct lu_buf *b, struct lu_str name, bool number, const char *more)
{
	lu_buf_puts(b, number ? "<th class=n>" : "<th>");
	lu_report_escape(b, name);
	lu_buf_puts(b, more);
	lu_buf_puts(b, "</th>");
}

static void put_table(struct lu_buf *b, const struct lu_page_table *p)
{
	const struct lu_jtable *t = &p->one, *u = &p->other;
	bool number[LU_JTABLE_COLUMNS], twice[LU_JTABLE_COLUMNS];
	size_t other = 0;

	for (size_t k = 0; k < t->columns; k++) {
		number[k] = t->number[k] && (!p->two || is_number(u, t->column[k]));
		twice[k] = p->two && k > 0 && !same_in_both(p, k);
	}
	heading(b, p->title);
	lu_buf_puts(b, "<div class=wide><table><thead><tr>");
	for (size_t k = 0; k < t->columns; k++) {
		put_head(b, t->column[k], number[k], twice[k] ? ", before" : "");
		if (twice[k])
			put_head(b, t->column[k], number[k], ", after");
	}
	lu_buf_puts(b, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < t->rows; i++) {
		bool found = p->two && find_row(u, lu_jtable_cell(t, i, 0), &other);

		lu_buf_puts(b, "<tr>");
		for (size_t k = 0; k < t->columns; k++) {
			cell_any(b, lu_jtable_cell(t, i, k), number[k]);
			if (twice[k])
				cell_any(b, found ? cell_of(u, other, t->column[k]) : LU_STR(""),
						number[k]);
		}
		lu_buf_puts(b, "</tr>\n");
	}
	for (size_t i = 0; p->two && i < u->rows; i++) {
		if (find_row(t, lu_jtable_cell(u, i, 0), &other))
			continue;
		lu_buf_puts(b, "<tr>");
		cell_any(b, lu_jtable_cell(u, i, 0), number[0]);
		for (size_t k = 1; k < t->columns; k++) {
			if (twice[k])
				cell_any(b, LU_STR(""), number[k]);
			cell_any(b, cell_of(u, i, t->column[k]), number[k]);
		}
		lu_buf_puts(b, "</tr>\n");
	}
	end_table(b);
}

/* --- the page ----------------------------------------------------------------------------- */

static void tile(struct lu_buf *b, const char *what, uint64_t v)
{
	lu_buf_puts(b, "<div class=tile><b>");
	put_u64(b, v);
	lu_buf_printf(b, "</b><span>%s</span></div>\n", what);
}

static void put_tiles(struct lu_buf *b, const struct lu_page *p)
{
	uint64_t dropped = 0, repeated = 0;

	lu_buf_puts(b, "<div class=tiles>\n");
	if (p->accounts && p->accounts->stages) {
		for (size_t i = 0; i < p->accounts->stages; i++) {
			dropped += lu_stage_dropped(&p->accounts->stage[i]);
			repeated += p->accounts->stage[i].repeated;
		}
		tile(b, "documents in", p->accounts->stage[0].in.docs);
		tile(b, "dropped", dropped);
		tile(b, "repeated", repeated);
		tile(b, "documents out", p->accounts->stage[p->accounts->stages - 1].out.docs);
	}
	if (p->metrics && p->metrics->loss.n) {
		const struct lu_curve *loss = &p->metrics->loss;

		if (p->metrics->tokens >= 0 && p->metrics->tokens < 0x1p63)
			tile(b, "tokens trained on", (uint64_t)p->metrics->tokens);
		lu_buf_printf(b,
				"<div class=tile><b>%.3f &#8594; %.3f</b>"
				"<span>training loss</span></div>\n",
				loss->y[0], loss->y[loss->n - 1]);
	}
	lu_buf_puts(b, "</div>\n");
}

int lu_page_html(const struct lu_page *p, struct lu_buf *b, struct lu_err *err)
{
	lu_buf_puts(b,
			"<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
			"<meta name=\"viewport\" "
			"content=\"width=device-width,initial-scale=1\">\n<title>");
	lu_report_escape(b, lu_str_of(p->title));
	lu_buf_puts(b, "</title>\n<style>\n");
	lu_buf_puts(b, style);
	lu_buf_puts(b, "</style></head>\n<body>\n<h1>");
	lu_report_escape(b, lu_str_of(p->title));
	lu_buf_puts(b, "</h1>\n");
	put_tiles(b, p);
	if (p->accounts && p->accounts->stages) {
		put_stages(b, p->accounts);
		put_reasons(b, p->accounts);
		for (size_t i = 0; i < p->accounts->stages; i++) {
			if (p->accounts->stage[i].mix.n)
				put_mix(b, &p->accounts->stage[i]);
		}
	}
	if (p->metrics)
		put_metrics(b, p->metrics);
	for (size_t i = 0; i < p->tables; i++)
		put_table(b, &p->table[i]);
	for (size_t i = 0; i < p->texts; i++) {
		heading(b, p->text[i].title);
		lu_buf_puts(b, "<pre>");
		lu_report_escape(b, p->text[i].text);
		lu_buf_puts(b, "</pre>\n");
	}
	lu_buf_puts(b, "</body>\n</html>\n");
	return lu_buf_check(b, err);
}
