#include "libcommon/report/page_documents.h"

#include <stddef.h>

#include "libcommon/base/utf8.h"
#include "libcommon/report/markup.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Rows of a table; the others are summed up. */
#define MAX_ROWS 40
#define MAX_GROUPS 12
/* Of the drawing of a histogram. */
#define BAR 9
#define HIGH 30

/* --- names by stage ----------------------------------------------------------------------- */

/* True if no later stage has the name in a row: rows of names that later stages lack come behind the
 * others. */
static bool is_last(const struct lu_survey *s, enum lu_census_what what, size_t stage,
		struct lu_str name)
{
	bool exact;

	for (size_t i = stage + 1; i < s->stage.n; i++) {
		if (lu_census_find(&s->stage.p[i].census[what], name, &exact))
			return false;
	}
	return true;
}

/* The cells of a name, and its documents of each stage taken from those that are left. A stage of
 * which not all names have a row may have the name among the others. */
static void put_by_stage(struct lu_buf *b, const struct lu_survey *s, enum lu_census_what what,
		struct lu_str name, bool shares)
{
	lu_buf_puts(b, "<tr>");
	lu_markup_cell_str(b, name);
	for (size_t i = 0; i < s->stage.n; i++) {
		const struct lu_census *c = &s->stage.p[i].census[what];
		bool exact;
		const struct lu_census_row *r = lu_census_find(c, name, &exact);

		if (!r && !exact)
			lu_buf_puts(b, "<td class=n>&#8211;</td>");
		else if (shares)
			lu_markup_cell_share(b, r ? r->sum.characters : 0, c->all.characters);
		else
			lu_markup_cell_u64(b, r ? r->sum.docs : 0);
	}
	lu_buf_puts(b, "</tr>\n");
}

/* A row for each name, a column for each stage: shares of the characters, or documents. */
static void put_stages(
		struct lu_buf *b, const struct lu_survey *s, enum lu_census_what what, bool shares)
{
	uint64_t names = 0;
	size_t rows = 0;

	lu_buf_puts(b, "<div class=wide><table><thead><tr>");
	lu_markup_head(b, lu_str_of(lu_census_title(&s->stage.p[0].census[what])), false, "");
	for (size_t i = 0; i < s->stage.n; i++)
		lu_markup_head(b, lu_str_of(s->stage.p[i].name), true, "");
	lu_buf_puts(b, "</tr></thead><tbody>\n");
	for (size_t i = s->stage.n; i-- > 0;) {
		const struct lu_census *c = &s->stage.p[i].census[what];

		names = c->names.names > names ? c->names.names : names;
		for (size_t k = 0; k < c->row.n && rows < MAX_ROWS; k++) {
			if (c->row.p[k].is_rest || !is_last(s, what, i, c->row.p[k].name))
				continue;
			put_by_stage(b, s, what, c->row.p[k].name, shares);
			rows++;
		}
	}
	lu_buf_puts(b, "<tr class=sum><td>documents</td>");
	for (size_t i = 0; i < s->stage.n; i++)
		lu_markup_cell_u64(b, s->stage.p[i].census[what].all.docs);
	lu_buf_puts(b, "</tr>\n");
	if (names > MAX_ROWS) {
		lu_buf_puts(b, "<tr><td>names</td>");
		for (size_t i = 0; i < s->stage.n; i++)
			lu_markup_cell_u64(b, s->stage.p[i].census[what].names.names);
		lu_buf_puts(b, "</tr>\n");
	}
	lu_markup_close_table(b);
}

/* How many rows are not shown. */
static void put_more(struct lu_buf *b, uint64_t rows)
{
	if (rows <= MAX_ROWS)
		return;
	lu_buf_puts(b, "<p>And ");
	lu_markup_u64(b, rows - MAX_ROWS);
	lu_buf_puts(b, " more.</p>\n");
}

/* --- lengths ------------------------------------------------------------------------------ */

/* The bin that holds the document in the middle. */
static size_t middle(const struct lu_census_sum *r)
{
	uint64_t seen = 0;
	size_t i = 0;

	while (i + 1 < LU_CENSUS_BINS && 2 * (seen += r->bin[i]) < r->docs)
		i++;
	return i;
}

static uint64_t bin_start(size_t bin)
{
	return bin ? UINT64_C(1) << bin : 0;
}

static void put_histogram(struct lu_buf *b, const struct lu_census_sum *r, size_t low, size_t high)
{
	uint64_t most = 1;

	for (size_t i = low; i < high; i++)
		most = r->bin[i] > most ? r->bin[i] : most;
	lu_buf_printf(b, "<td><svg class=bins viewBox=\"0 0 %zu %d\" style=\"width:%zupx\">",
			BAR * (high - low), HIGH, BAR * (high - low));
	for (size_t i = low; i < high; i++) {
		double h = (HIGH - 1) * (double)r->bin[i] / (double)most;

		if (r->bin[i] == 0)
			continue;
		h = h < 1 ? 1 : h;
		lu_buf_printf(b, "<rect x=\"%zu\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"><title>",
				BAR * (i - low), HIGH - h, BAR - 1, h);
		lu_markup_u64(b, r->bin[i]);
		lu_buf_puts(b, " from ");
		lu_markup_u64(b, bin_start(i));
		lu_buf_puts(b, "</title></rect>");
	}
	lu_buf_puts(b, "</svg></td>");
}

static const char *unit(const struct lu_census *c)
{
	return c->in_tokens ? "tokens" : "characters";
}

static void put_lengths(struct lu_buf *b, const struct lu_census *c)
{
	const char *const head[] = { "language", "documents", unit(c), "mean", "median" };
	size_t low = LU_CENSUS_BINS, high = 0;

	for (size_t k = 0; k < LU_CENSUS_BINS; k++) {
		if (c->all.bin[k] == 0)
			continue;
		low = k < low ? k : low;
		high = k + 1;
	}
	lu_markup_heading(b,
			c->in_tokens ? "Tokens of a document by language" : "Lengths by language");
	lu_buf_puts(b, "<div class=wide><table><thead><tr>");
	for (size_t i = 0; i < COUNT(head); i++)
		lu_markup_head(b, lu_str_of(head[i]), i > 0, "");
	lu_buf_puts(b, "<th>from ");
	lu_markup_u64(b, bin_start(low));
	lu_buf_puts(b, " to ");
	lu_markup_u64(b, (UINT64_C(1) << high) - 1);
	lu_buf_printf(b, " %s, doubling</th></tr></thead><tbody>\n", unit(c));
	for (size_t i = 0; i < c->row.n && i < MAX_ROWS; i++) {
		const struct lu_census_sum *r = &c->row.p[i].sum;

		lu_buf_puts(b, "<tr>");
		lu_markup_cell_str(b, c->row.p[i].name);
		lu_markup_cell_u64(b, r->docs);
		lu_markup_cell_u64(b, r->characters);
		lu_markup_cell_u64(b, r->characters / r->docs);
		lu_buf_puts(b, "<td class=n>");
		lu_markup_u64(b, bin_start(middle(r)));
		lu_buf_puts(b, "&#8211;");
		lu_markup_u64(b, (UINT64_C(1) << (middle(r) + 1)) - 1);
		lu_buf_puts(b, "</td>");
		put_histogram(b, r, low, high);
		lu_buf_puts(b, "</tr>\n");
	}
	lu_markup_close_table(b);
	put_more(b, c->names.names);
}

/* Documents and characters of each name, or tokens. */
static void put_census(struct lu_buf *b, const char *heading, const struct lu_census *c)
{
	const char *const head[] = { lu_census_title(c), "documents", unit(c), "share" };

	lu_markup_heading(b, heading);
	lu_markup_open_table(b, head, COUNT(head), 1);
	for (size_t i = 0, rows = 0; i < c->row.n; i++) {
		const struct lu_census_row *r = &c->row.p[i];
		bool none = c->what == LU_CENSUS_LICENSE && lu_str_is(r->name, "unknown");

		if (rows >= MAX_ROWS && !none)
			continue;
		rows += !none;
		lu_buf_puts(b, none && r->sum.docs ? "<tr class=bad>" : "<tr>");
		lu_markup_cell_str(b, r->name);
		lu_markup_cell_u64(b, r->sum.docs);
		lu_markup_cell_u64(b, r->sum.characters);
		lu_markup_cell_share(b, r->sum.characters, c->all.characters);
		lu_buf_puts(b, "</tr>\n");
	}
	lu_buf_puts(b, "<tr class=sum><td>total</td>");
	lu_markup_cell_u64(b, c->all.docs);
	lu_markup_cell_u64(b, c->all.characters);
	lu_buf_puts(b, "<td></td></tr>\n");
	lu_markup_close_table(b);
	put_more(b, c->names.names);
}

void lu_page_survey(struct lu_buf *b, const struct lu_survey *s)
{
	const struct lu_survey_stage *last = &s->stage.p[s->stage.n - 1];

	lu_markup_heading(b, "Languages after each stage");
	lu_buf_puts(b, "<p>Shares of the characters of text.</p>\n");
	put_stages(b, s, LU_CENSUS_LANG, true);
	if (last->census[LU_CENSUS_LANG].all.docs)
		put_lengths(b, &last->census[LU_CENSUS_LANG]);
	lu_markup_heading(b, "Sources");
	lu_buf_puts(b, "<p>Documents after each stage.</p>\n");
	put_stages(b, s, LU_CENSUS_SOURCE, false);
	if (s->stage.n > 1) {
		lu_markup_heading(b, "Licences after each stage");
		lu_buf_puts(b, "<p>Documents.</p>\n");
		put_stages(b, s, LU_CENSUS_LICENSE, false);
	}
	put_census(b, "Licences", &last->census[LU_CENSUS_LICENSE]);
	if (s->stage.p[0].census[LU_CENSUS_DOMAIN].names.names) {
		lu_markup_heading(b, "Domains");
		lu_buf_puts(b, "<p>Documents after each stage.</p>\n");
		put_stages(b, s, LU_CENSUS_DOMAIN, false);
	}
}

void lu_page_shards(struct lu_buf *b, const struct lu_survey_stage *s)
{
	put_census(b, "Tokens of the shards by licence", &s->census[LU_CENSUS_LICENSE]);
	put_census(b, "Tokens of the shards by source", &s->census[LU_CENSUS_SOURCE]);
	if (s->census[LU_CENSUS_LANG].all.docs)
		put_lengths(b, &s->census[LU_CENSUS_LANG]);
}

/* --- clusters ----------------------------------------------------------------------------- */

void lu_page_clusters(struct lu_buf *b, const struct lu_clusters *c)
{
	static const char *const head[] = { "kept, and some that were removed for it", "kind",
		"documents", "least similar", "most similar" };

	lu_markup_heading(b, "Largest clusters of duplicates");
	lu_markup_open_table(b, head, COUNT(head), 2);
	for (size_t i = 0; i < c->n; i++) {
		const struct lu_cluster *k = &c->top[i];

		lu_buf_puts(b, "<tr><td class=id>");
		lu_markup_escape(b, lu_str_of(k->kept));
		lu_buf_puts(b, "<span>");
		for (size_t e = 0; e < k->examples; e++) {
			lu_buf_puts(b, "<br>");
			lu_markup_escape(b, lu_str_of(k->example[e]));
		}
		lu_buf_puts(b, "</span></td>");
		lu_markup_cell_str(b, lu_str_of(k->kind));
		lu_markup_cell_u64(b, k->size);
		lu_markup_cell_fixed(b, k->least, 3);
		lu_markup_cell_fixed(b, k->most, 3);
		lu_buf_puts(b, "</tr>\n");
	}
	lu_markup_close_table(b);
}

/* --- samples ------------------------------------------------------------------------------ */

static void put_sample(struct lu_buf *b, const struct lu_sample *s)
{
	const struct lu_str field[] = { s->source, s->lang, s->license };

	lu_buf_puts(b, "<div class=doc><p><b>");
	lu_markup_escape(b, s->id.n ? s->id : LU_STR("(no id)"));
	lu_buf_puts(b, "</b>");
	for (size_t i = 0; i < COUNT(field); i++) {
		if (field[i].n == 0)
			continue;
		lu_buf_puts(b, " &#183; ");
		lu_markup_escape(b, field[i]);
	}
	lu_buf_puts(b, " &#183; ");
	lu_markup_u64(b, s->characters);
	lu_buf_puts(b, " characters");
	if (s->value.n) {
		lu_buf_puts(b, " &#183; value ");
		lu_markup_escape(b, s->value);
	}
	lu_buf_puts(b, "</p><pre>");
	lu_markup_escape(b, s->text);
	lu_buf_puts(b,
			s->characters > lu_utf8_count(s->text.p, s->text.n)
					? " &#8230;</pre></div>\n"
					: "</pre></div>\n");
}

void lu_page_samples(
		struct lu_buf *b, const char *heading, const char *what, const struct lu_samples *s)
{
	lu_markup_heading(b, heading);
	for (size_t i = 0; i < s->group.n && i < MAX_GROUPS; i++) {
		const struct lu_samples_group *g = &s->group.p[i];

		lu_buf_puts(b, "<h3>");
		lu_markup_escape(b, lu_str_of(g->name));
		lu_buf_puts(b, " <span>");
		lu_markup_u64(b, g->docs);
		lu_buf_printf(b, " document%s</span></h3>\n", g->docs == 1 ? "" : "s");
		for (size_t k = 0; k < g->n; k++)
			put_sample(b, &g->sample[k]);
	}
	if (s->group.n > MAX_GROUPS) {
		lu_buf_puts(b, "<p>And ");
		lu_markup_u64(b, s->group.n - MAX_GROUPS);
		lu_buf_printf(b, " more: %ss of fewer documents.</p>\n", what);
	}
}
