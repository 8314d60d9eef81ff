/* lucie-stats: sums up and reports the accounting of a build. libcommon/report reads and writes;
 * here the parts of a report are put together. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/report/census.h"
#include "libcommon/report/gnuplot.h"
#include "libcommon/report/page.h"
#include "libcommon/sys/file.h"

#define MAX_TEXT ((size_t)1 << 26)

struct options {
	struct lu_std std;
	bool documents, json, by_file, chain;
	const char *html, *png, *title, *metrics;
	struct lu_list table, text;
};

static const struct lu_opt opts[] = {
	LU_OPT_FLAG(0, "documents", struct options, documents, "count the documents in the files"),
	LU_OPT_FLAG(0, "json", struct options, json, "print JSON"),
	LU_OPT_FLAG(0, "by-file", struct options, by_file, "treat each file as a stage"),
	LU_OPT_FLAG(0, "chain", struct options, chain, "require each stage to feed the next"),
	LU_OPT_STR(0, "html", struct options, html, "FILE", "write a report on one page"),
	LU_OPT_STR(0, "title", struct options, title, "TITLE", "title of the report"),
	LU_OPT_STR(0, "metrics", struct options, metrics, "FILE",
			"add the curves of a training run"),
	LU_OPT_LIST(0, "table", struct options, table, "TITLE=FILE[,FILE]",
			"add a table from JSON"),
	LU_OPT_LIST(0, "text", struct options, text, "TITLE=FILE", "a section of plain text"),
	LU_OPT_STR(0, "png", struct options, png, "FILE", "write the loss curve of --metrics"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-stats", "adds up and reports the accounting of a build",
	"[FILE...]", opts,
	LU_STD_OUTPUT | LU_STD_THREADS | LU_STD_TMPDIR | LU_STD_FIELDS | LU_STD_STATS |
			LU_STD_RECORDS | LU_STD_PROGRESS,
	offsetof(struct options, std) };

static int write_buf(const char *target, const char *compress, const struct lu_buf *b,
		const struct lu_args *args, struct lu_err *err)
{
	struct lu_out *out;

	if (lu_out_open(&out, target, compress, 1, err) < 0)
		return -1;
	if (lu_out_refuse_inputs(out, args->file, args->files, err) < 0 ||
			lu_out_buf(out, b, err) < 0) {
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
	struct lu_str lang = LU_STR("");

	lu_doc_string(doc, "lang", &lang);
	return lu_census_add(ctx, lang, doc->user, err);
}

static int count_documents(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct lu_census census = { 0 };
	struct lu_docstream ds = {
		.ctx = &census, .map = map, .decide = decide, .flags = LU_DOCSTREAM_SILENT
	};
	struct lu_buf out = { 0 };
	int rc = lu_docstream_run(&ds, &o->std, args, err);

	if (rc == 0) {
		if (o->json)
			lu_census_json(&census, &out);
		else
			lu_census_text(&census, &out);
		rc = lu_buf_check(&out, err);
	}
	if (rc == 0)
		rc = write_buf(o->std.output, o->std.compress, &out, args, err);
	lu_buf_release(&out);
	lu_census_release(&census);
	return rc;
}

/* --- the page ----------------------------------------------------------------------------- */

struct run {
	const struct options *o;
	const struct lu_args *args;
	struct lu_accounts accounts;
	struct lu_metrics metrics;
	struct LU_VEC(struct lu_page_table) table;
	struct LU_VEC(struct lu_page_text) text;
	struct lu_arena arena; /* titles, file names and texts */
};

/* Split "TITLE=FILE". */
static int split(struct run *r, const char *arg, const char **title, const char **file,
		struct lu_err *err)
{
	const char *equals = strchr(arg, '=');

	if (!equals || !equals[1])
		return lu_err_set(err, "'%s' is not TITLE=FILE", arg);
	*title = lu_arena_str(&r->arena, (struct lu_str){ arg, (size_t)(equals - arg) }).p;
	*file = equals + 1;
	return *title ? 0 : lu_err_nomem(err);
}

static int read_table(struct run *r, const char *arg, struct lu_err *err)
{
	struct lu_page_table t = { .title = NULL }, *p;
	const char *file, *comma;
	struct lu_str before;

	if (split(r, arg, &t.title, &file, err) < 0)
		return -1;
	comma = strchrnul(file, ',');
	t.compare = *comma != '\0';
	before = lu_arena_str(&r->arena, (struct lu_str){ file, (size_t)(comma - file) });
	if (!before.p || !lu_vec_push(&r->table, t))
		return lu_err_nomem(err);
	p = &r->table.p[r->table.n - 1];
	if (lu_jtable_read(&p->before, before.p, err) < 0)
		return -1;
	return t.compare ? lu_jtable_read(&p->after, comma + 1, err) : 0;
}

static int read_text(struct run *r, const char *arg, struct lu_err *err)
{
	struct lu_page_text t;
	struct lu_buf repaired = { 0 };
	const char *file;
	char *bytes;
	size_t n;
	int rc;

	if (split(r, arg, &t.title, &file, err) < 0 ||
			lu_read_file(file, MAX_TEXT, &bytes, &n, err) < 0)
		return -1;
	lu_utf8_repair(&repaired, (struct lu_str){ bytes, n });
	free(bytes);
	rc = lu_buf_check(&repaired, err);
	if (rc == 0) {
		t.text = lu_arena_str(&r->arena, lu_buf_slice(&repaired));
		if (!t.text.p || !lu_vec_push(&r->text, t))
			rc = lu_err_nomem(err);
	}
	lu_buf_release(&repaired);
	return rc;
}

static int make_html(struct run *r, struct lu_buf *html, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_page p = { .title = o->title ? o->title : "Report",
		.accounts = &r->accounts,
		.metrics = o->metrics ? &r->metrics : NULL };

	for (size_t i = 0; i < o->table.n; i++) {
		if (read_table(r, o->table.item[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < o->text.n; i++) {
		if (read_text(r, o->text.item[i], err) < 0)
			return -1;
	}
	p.table = r->table.p;
	p.tables = r->table.n;
	p.text = r->text.p;
	p.texts = r->text.n;
	return lu_page_html(&p, html, err);
}

/* --- accounting --------------------------------------------------------------------------- */

static int make_png(struct run *r, struct lu_buf *png, struct lu_err *err)
{
	const struct options *o = r->o;

	if (r->metrics.loss.point.n == 0)
		return lu_err_set(err, "%s: no step with a loss", o->metrics);
	return lu_gnuplot_loss(&r->metrics, o->title ? o->title : "", o->std.tmpdir, png, err);
}

/* Make all outputs before the first is written. */
static int write_all(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_buf out = { 0 }, html = { 0 }, png = { 0 };
	int rc;

	if (o->json)
		lu_accounts_json(&r->accounts, &out);
	else
		lu_accounts_text(&r->accounts, &out);
	rc = lu_buf_check(&out, err);
	if (rc == 0 && o->html)
		rc = make_html(r, &html, err);
	if (rc == 0 && o->png)
		rc = make_png(r, &png, err);
	if (rc == 0 && o->html)
		rc = write_buf(o->html, NULL, &html, r->args, err);
	if (rc == 0 && o->png)
		rc = write_buf(o->png, NULL, &png, r->args, err);
	if (rc == 0)
		rc = write_buf(o->std.output, o->std.compress, &out, r->args, err);
	lu_buf_release(&out);
	lu_buf_release(&html);
	lu_buf_release(&png);
	return rc;
}

static int report(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_accounts *a = &r->accounts;

	if (o->metrics && lu_metrics_read(&r->metrics, o->metrics, err) < 0)
		return -1;
	if (lu_accounts_read(a, r->args->file, r->args->files, o->by_file, o->std.max_line, err) <
					0 ||
			(o->chain && lu_accounts_chain(a, err) < 0))
		return -1;
	if (a->stage.n == 0)
		return lu_err_set(err, "no accounting line");
	if (write_all(r, err) < 0)
		return -1;
	for (size_t i = 0; i < a->fault.n; i++)
		lu_warn("%s", a->fault.p[i]);
	return a->fault.n > 0;
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o, .args = args };
	int rc = report(&r, err);

	for (size_t i = 0; i < r.table.n; i++) {
		lu_jtable_release(&r.table.p[i].before);
		lu_jtable_release(&r.table.p[i].after);
	}
	lu_vec_release(&r.table);
	lu_vec_release(&r.text);
	lu_accounts_release(&r.accounts);
	lu_metrics_release(&r.metrics);
	lu_arena_release(&r.arena);
	return rc;
}

static void check_usage(const struct options *o)
{
	if (o->documents && (o->by_file || o->chain || o->html || o->png))
		lu_usage_error("--by-file, --chain, --html and --png do not go with --documents");
	if (!o->documents && (o->std.rejects || o->std.max_bad_given || o->std.stats))
		lu_usage_error("--rejects, --max-bad and --stats need --documents");
	if (!o->html && (o->table.n || o->text.n))
		lu_usage_error("--table and --text need --html");
	if (!o->html && !o->png && (o->title || o->metrics))
		lu_usage_error("--title and --metrics need --html or --png");
	if (o->png && !o->metrics)
		lu_usage_error("--png needs --metrics");
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	check_usage(&o);
	rc = o.documents ? count_documents(&o, &args, &err) : run(&o, &args, &err);
	lu_list_release(&o.table);
	lu_list_release(&o.text);
	return lu_tool_finish(rc, &err);
}
