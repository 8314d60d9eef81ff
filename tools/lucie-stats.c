/* lucie-stats: adds up and reports a build's accounting. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/report/census.h"
#include "libcommon/report/gnuplot.h"
#include "libcommon/report/page.h"
#include "libcommon/sys/file.h"

#define LARGEST_TEXT ((size_t)1 << 26)

struct config {
	struct lu_std std;
	bool documents, json, by_file, chain;
	const char *html, *png, *title, *metrics_path;
	struct lu_list table, text;

	struct lu_census census;
	struct lu_accounts accounts;
	struct lu_metrics metrics;
};

static const struct lu_opt opts[] = {
	LU_OPT_FLAG(0, "documents", struct config, documents, "operands are documents: count them"),
	LU_OPT_FLAG(0, "json", struct config, json, "print JSON"),
	LU_OPT_FLAG(0, "by-file", struct config, by_file, "each file is a stage"),
	LU_OPT_FLAG(0, "chain", struct config, chain, "stages must feed one another"),
	LU_OPT_STR(0, "html", struct config, html, "FILE", "write a report on one page"),
	LU_OPT_STR(0, "title", struct config, title, "TITLE", "its title"),
	LU_OPT_STR(0, "metrics", struct config, metrics_path, "FILE", "curves of a training run"),
	LU_OPT_LIST(0, "table", struct config, table, "TITLE=FILE[,FILE]", "JSON as a table"),
	LU_OPT_LIST(0, "text", struct config, text, "TITLE=FILE", "text as it stands"),
	LU_OPT_STR(0, "png", struct config, png, "FILE", "write the loss curve of --metrics"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-stats", "adds up and reports a build's accounting",
	"[FILE...]", opts,
	LU_STD_OUTPUT | LU_STD_THREADS | LU_STD_TMPDIR | LU_STD_RECORDS | LU_STD_PROGRESS,
	offsetof(struct config, std) };

static int write_buf(const char *target, const char *how, const struct lu_buf *b,
		const struct lu_args *args, struct lu_err *err)
{
	struct lu_out *out;

	if (lu_out_open(&out, target, how, 1, err) < 0)
		return -1;
	if (lu_out_refuse(out, args->file, args->files, err) < 0 || lu_out_buf(out, b, err) < 0) {
		lu_out_abort(out);
		return -1;
	}
	return lu_out_commit(out, err);
}

/* --- documents ---------------------------------------------------------------------------- */

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_census_size *size = lu_arena_alloc(doc->arena, sizeof(*size));
	const struct lu_json_member *m = lu_json_get(&doc->obj, "tokens");

	(void)ctx;
	(void)local;
	if (!size)
		return lu_err_nomem(err);
	*size = (struct lu_census_size){ .bytes = doc->text.n,
		.characters = lu_utf8_count(doc->text.p, doc->text.n) };
	size->has_tokens = m && lu_json_u64(m, &size->tokens);
	doc->user = size;
	return 0;
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str lang;

	if (!lu_doc_string(doc, "lang", &lang))
		lang = (struct lu_str){ NULL, 0 };
	return lu_census_add(&((struct config *)ctx)->census, lang, doc->user, err);
}

static int count_documents(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = {
		.ctx = c, .map = map, .decide = decide, .flags = LU_DOCSTREAM_SILENT
	};
	struct lu_buf out = { 0 };
	int rc = lu_docstream_run(&ds, &c->std, args, err);

	if (rc == 0) {
		if (c->json)
			lu_census_json(&c->census, &out);
		else
			lu_census_text(&c->census, &out);
		rc = lu_buf_check(&out, err);
	}
	if (rc == 0)
		rc = write_buf(c->std.output, c->std.compress, &out, args, err);
	lu_buf_release(&out);
	lu_census_release(&c->census);
	return rc;
}

/* --- the report --------------------------------------------------------------------------- */

/* Splits "TITLE=FILE" into copies. */
static int split(const char *given, char **title, char **file, struct lu_err *err)
{
	const char *eq = strchr(given, '=');

	if (!eq || !eq[1])
		return lu_err_set(err, "'%s' is not TITLE=FILE", given);
	*title = strndup(given, (size_t)(eq - given));
	*file = strdup(eq + 1);
	return *title && *file ? 0 : lu_err_nomem(err);
}

static int read_table(struct lu_page_table *t, const char *given, struct lu_err *err)
{
	char *title = NULL, *file = NULL, *comma;
	int rc = split(given, &title, &file, err);

	t->title = title;
	if (rc == 0) {
		comma = strchr(file, ',');
		t->two = comma != NULL;
		if (comma)
			*comma = '\0';
		rc = lu_jtable_read(&t->one, file, err);
		if (rc == 0 && comma)
			rc = lu_jtable_read(&t->other, comma + 1, err);
	}
	free(file);
	return rc;
}

static int read_text(struct lu_page_text *t, const char *given, struct lu_err *err)
{
	char *title = NULL, *file = NULL, *text = NULL;
	struct lu_buf repaired = { 0 };
	size_t n = 0;
	int rc = split(given, &title, &file, err);

	t->title = title;
	if (rc == 0)
		rc = lu_read_file(file, LARGEST_TEXT, &text, &n, err);
	if (rc == 0) {
		lu_utf8_repair(&repaired, (struct lu_str){ text, n });
		rc = lu_buf_check(&repaired, err);
		t->text = lu_buf_slice(&repaired);
	}
	free(text);
	free(file);
	return rc;
}

static int make_html(struct config *c, struct lu_buf *html, struct lu_err *err)
{
	struct lu_page_table *table = calloc(c->table.n + 1, sizeof(*table));
	struct lu_page_text *text = calloc(c->text.n + 1, sizeof(*text));
	int rc = table && text ? 0 : lu_err_nomem(err);

	for (size_t i = 0; rc == 0 && i < c->table.n; i++)
		rc = read_table(&table[i], c->table.item[i], err);
	for (size_t i = 0; rc == 0 && i < c->text.n; i++)
		rc = read_text(&text[i], c->text.item[i], err);
	if (rc == 0) {
		struct lu_page p = { .title = c->title ? c->title : "Report",
			.accounts = &c->accounts,
			.metrics = c->metrics_path ? &c->metrics : NULL,
			.table = table,
			.tables = c->table.n,
			.text = text,
			.texts = c->text.n };

		rc = lu_page_html(&p, html, err);
	}
	for (size_t i = 0; table && i < c->table.n; i++) {
		free((void *)(uintptr_t)table[i].title);
		lu_jtable_release(&table[i].one);
		lu_jtable_release(&table[i].other);
	}
	for (size_t i = 0; text && i < c->text.n; i++) {
		free((void *)(uintptr_t)text[i].title);
		free((void *)(uintptr_t)text[i].text.p);
	}
	free(table);
	free(text);
	return rc;
}

/* --- accounting --------------------------------------------------------------------------- */

/* All is made before anything is written. */
static int write_all(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_buf out = { 0 }, html = { 0 }, png = { 0 };
	int rc = -1;

	if (c->json)
		lu_accounts_json(&c->accounts, &out);
	else
		lu_accounts_text(&c->accounts, &out);
	if (lu_buf_check(&out, err) < 0 || (c->html && make_html(c, &html, err) < 0))
		goto out;
	if (c->png && c->metrics.loss.n == 0) {
		lu_err_set(err, "%s: no step with a loss", c->metrics_path);
		goto out;
	}
	if (c->png &&
			lu_gnuplot_loss(&c->metrics, c->title ? c->title : "", c->std.tmpdir, &png,
					err) < 0)
		goto out;
	if (c->html)
		rc = write_buf(c->html, NULL, &html, args, err);
	else
		rc = 0;
	if (rc == 0 && c->png)
		rc = write_buf(c->png, NULL, &png, args, err);
	if (rc == 0)
		rc = write_buf(c->std.output, c->std.compress, &out, args, err);
out:
	lu_buf_release(&out);
	lu_buf_release(&html);
	lu_buf_release(&png);
	return rc;
}

static int report(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	const struct lu_accounts *a = &c->accounts;

	if (c->metrics_path && lu_metrics_read(&c->metrics, c->metrics_path, err) < 0)
		return -1;
	if (lu_accounts_read(&c->accounts, args->file, args->files, c->by_file, c->std.max_line,
			    err) < 0 ||
			(c->chain && lu_accounts_chain(&c->accounts, err) < 0))
		return -1;
	if (a->stages == 0)
		return lu_err_set(err, "no accounting line");
	if (write_all(c, args, err) < 0)
		return -1;
	for (size_t i = 0; i < a->faults; i++)
		lu_warn("%s", a->fault[i].text);
	return a->faults > 0;
}

static void check_usage(const struct config *c)
{
	if (c->documents && (c->by_file || c->chain || c->html || c->png))
		lu_usage_error("--by-file, --chain, --html and --png are not for --documents");
	if (!c->documents && (c->std.rejects || c->std.max_bad_given))
		lu_usage_error("--rejects and --max-bad are for --documents");
	if (!c->html && (c->table.n || c->text.n))
		lu_usage_error("--table and --text are parts of --html");
	if (!c->html && !c->png && (c->title || c->metrics_path))
		lu_usage_error("--title and --metrics are parts of --html or --png");
	if (c->png && !c->metrics_path)
		lu_usage_error("--png draws --metrics");
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &c, &args);
	check_usage(&c);
	rc = c.documents ? count_documents(&c, &args, &err) : report(&c, &args, &err);
	lu_accounts_release(&c.accounts);
	lu_metrics_release(&c.metrics);
	lu_list_release(&c.table);
	lu_list_release(&c.text);
	return lu_tool_finish(rc, &err);
}
