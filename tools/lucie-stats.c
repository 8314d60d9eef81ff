/* lucie-stats: sums up and reports the accounting of a build, of parts from libcommon/report. */
#include "libcommon/base/json_writer.h"
#include "libcommon/io/outstream.h"
#include "libcommon/report/gnuplot.h"
#include "libcommon/report/page.h"
#include "libcommon/report/page_runs.h"
#include "libcommon/report/survey_text.h"
#include "libcommon/report/tensorboard.h"

struct options {
	struct lu_std std;
	bool documents, json, by_file, chain, over_given, samples_given;
	const char *html, *png, *title, *tensorboard;
	enum lu_over over;
	int samples, top;
	unsigned tables; /* of --by */
	bool top_given;
	struct lu_list by, shards, metrics, after, removed, dropped, table, text, about;
};

static const struct lu_enum overs[] = {
	{ "steps", LU_OVER_STEPS },
	{ "tokens", LU_OVER_TOKENS },
	{ "time", LU_OVER_TIME },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_FLAG(0, "documents", struct options, documents, "count the documents in the files"),
	LU_OPT_LIST(0, "by", struct options, by, "WHAT,...",
			"count by lang, source, license, domain (lang)"),
	LU_OPT_INT_GIVEN(0, "top", struct options, top, top_given, "N", 1, LU_SUMS_TOP,
			"rows of each table (40)"),
	LU_OPT_LIST(0, "shards", struct options, shards, "PREFIX",
			"count tokens by licence, source, language"),
	LU_OPT_FLAG(0, "json", struct options, json, "print JSON"),
	LU_OPT_FLAG(0, "by-file", struct options, by_file, "treat each file as a stage"),
	LU_OPT_FLAG(0, "chain", struct options, chain, "require each stage to feed the next"),
	LU_OPT_LIST(0, "metrics", struct options, metrics, "RUN", "add a training run"),
	LU_OPT_STR(0, "html", struct options, html, "FILE", "write a report on one page"),
	LU_OPT_STR(0, "title", struct options, title, "TITLE", "title of the report"),
	LU_OPT_ENUM_GIVEN(0, "over", struct options, over, over_given, overs,
			"x axis of curves (steps)"),
	LU_OPT_LIST(0, "after", struct options, after, "STAGE=FILE",
			"add the documents after a stage"),
	LU_OPT_LIST(0, "removed", struct options, removed, "FILE",
			"add the clusters of a removal log"),
	LU_OPT_LIST(0, "dropped", struct options, dropped, "FILE", "add samples of a reject file"),
	LU_OPT_INT_GIVEN(0, "samples", struct options, samples, samples_given, "N", 0,
			LU_SAMPLES_EACH, "documents of each language, reason"),
	LU_OPT_LIST(0, "table", struct options, table, "TITLE=FILE[,FILE]",
			"add a table from JSON"),
	LU_OPT_LIST(0, "text", struct options, text, "TITLE=FILE", "add a section of plain text"),
	LU_OPT_LIST(0, "about", struct options, about, "NAME=VALUE", "add a fact to the top"),
	LU_OPT_STR(0, "png", struct options, png, "FILE", "plot the loss of --metrics"),
	LU_OPT_STR(0, "tensorboard", struct options, tensorboard, "DIR",
			"write --metrics as TensorBoard's event files"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-stats", "adds up and reports the accounting of a build",
	"[FILE...]", opts,
	LU_STD_OUTPUT | LU_STD_THREADS | LU_STD_MEMORY | LU_STD_TMPDIR | LU_STD_FIELDS |
			LU_STD_STATS | LU_STD_RECORDS | LU_STD_PROGRESS,
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

/* The tables that --by names, or without it the usual ones. */
static unsigned tables(const struct options *o)
{
	return o->tables ? o->tables : o->documents ? LU_SURVEY_LANG : LU_SURVEY_LEDGER;
}

static int count_documents(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct lu_survey_stage stage;
	struct lu_buf out = { 0 };
	int rc = lu_survey_begin(&stage, "", (size_t)o->top, &o->std, err);

	if (rc == 0)
		rc = lu_survey_count(&stage, &o->std, args, err);
	if (rc == 0)
		rc = lu_survey_finish(&stage, err);
	if (rc == 0) {
		if (o->json)
			lu_survey_lines(&stage, tables(o), &out);
		else
			lu_survey_text(&stage, tables(o), &out);
		rc = lu_buf_check(&out, err);
	}
	if (rc == 0)
		rc = write_buf(o->std.output, o->std.compress, &out, args, err);
	lu_buf_release(&out);
	lu_survey_stage_release(&stage);
	return rc;
}

/* --- the page ----------------------------------------------------------------------------- */

struct run {
	const struct options *o;
	const struct lu_args *args;
	bool reads_accounts;
	struct lu_accounts accounts;
	struct lu_survey survey;
	struct lu_survey_stage shards;
	struct lu_clusters clusters;
	struct lu_samples dropped;
	struct LU_VEC(struct lu_metrics) metrics;
	struct LU_VEC(struct lu_buf) events; /* of each run, for --tensorboard */
	struct lu_page_tables table;
	struct lu_page_texts text, about;
};

/* Read what only the page shows. */
static int read_sections(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	for (size_t i = 0; i < o->table.n; i++) {
		if (lu_page_table_read(&r->table, o->table.item[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < o->text.n; i++) {
		if (lu_page_text_read(&r->text, o->text.item[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < o->about.n; i++) {
		if (lu_page_text_add(&r->about, o->about.item[i], err) < 0)
			return -1;
	}
	r->dropped.each = (size_t)o->samples;
	if (lu_survey_read(&r->survey, &o->after, (size_t)o->samples, &o->std, r->args, err) < 0 ||
			lu_clusters_read(&r->clusters, &o->removed, o->std.max_line, err) < 0 ||
			lu_samples_read_rejects(&r->dropped, &o->dropped, o->std.max_line, err) < 0)
		return -1;
	lu_samples_sort(&r->dropped);
	return 0;
}

static int make_html(struct run *r, const char *x_name, struct lu_buf *html, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_page p = { .title = o->title ? o->title : "Report",
		.accounts = &r->accounts,
		.survey = &r->survey,
		.shards = o->shards.n ? &r->shards : NULL,
		.clusters = o->removed.n ? &r->clusters : NULL,
		.dropped = o->dropped.n && o->samples ? &r->dropped : NULL,
		.metrics = r->metrics.p,
		.runs = r->metrics.n,
		.x_name = x_name,
		.table = &r->table,
		.text = &r->text,
		.about = &r->about };

	return lu_page_html(&p, html, err);
}

/* --- accounting and runs ------------------------------------------------------------------ */

static int make_png(struct run *r, const char *x_name, struct lu_buf *png, struct lu_err *err)
{
	const struct options *o = r->o;

	for (size_t i = 0; i < r->metrics.n; i++) {
		if (r->metrics.p[i].loss.point.n)
			return lu_gnuplot_loss(r->metrics.p, r->metrics.n, o->title ? o->title : "",
					x_name, o->std.tmpdir, png, err);
	}
	return lu_err_set(err, "%s: no step with a loss", r->metrics.p[0].path);
}

static void make_table(const struct run *r, struct lu_buf *out)
{
	if (r->o->json) {
		lu_json_open_object(out, NULL);
		if (r->reads_accounts)
			lu_accounts_json(&r->accounts, out);
		if (r->metrics.n)
			lu_metrics_json(r->metrics.p, r->metrics.n, out);
		if (r->o->shards.n)
			lu_survey_shards_json(&r->shards, tables(r->o), out);
		lu_json_close_object(out);
		lu_buf_putc(out, '\n');
		return;
	}
	if (r->reads_accounts)
		lu_accounts_text(&r->accounts, out);
	else if (r->metrics.n)
		lu_metrics_text(r->metrics.p, r->metrics.n, out);
	if (r->o->shards.n)
		lu_survey_text(&r->shards, tables(r->o), out);
}

/* The events of each run, by its steps. */
static int make_events(struct run *r, struct lu_err *err)
{
	for (size_t i = 0; i < r->metrics.n; i++) {
		if (!lu_vec_push(&r->events, (struct lu_buf){ 0 }))
			return lu_err_nomem(err);
		if (lu_tensorboard_events(&r->metrics.p[i], &r->events.p[i], err) < 0)
			return -1;
	}
	return 0;
}

/* Make all outputs before the first is written. */
static int write_all(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_page_axis axis = lu_page_axis(r->metrics.p, r->metrics.n, o->over);
	struct lu_buf out = { 0 }, html = { 0 }, png = { 0 };
	int rc;

	make_table(r, &out);
	rc = lu_buf_check(&out, err);
	if (rc == 0 && o->tensorboard)
		rc = make_events(r, err);
	for (size_t i = 0; rc == 0 && i < r->metrics.n; i++)
		rc = lu_metrics_over(&r->metrics.p[i], o->over, axis.unit, err);
	if (rc == 0 && o->html)
		rc = make_html(r, axis.name, &html, err);
	if (rc == 0 && o->png)
		rc = make_png(r, axis.name, &png, err);
	if (rc == 0 && o->tensorboard)
		rc = lu_tensorboard_write(
				o->tensorboard, r->metrics.p, r->events.p, r->events.n, err);
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

static int read_metrics(struct run *r, struct lu_err *err)
{
	for (size_t i = 0; i < r->o->metrics.n; i++) {
		if (!lu_vec_push(&r->metrics, (struct lu_metrics){ .name = NULL }))
			return lu_err_nomem(err);
		if (lu_metrics_read(&r->metrics.p[i], r->o->metrics.item[i], err) < 0)
			return -1;
	}
	return lu_metrics_tell_apart(r->metrics.p, r->metrics.n, err);
}

static int read_shards(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	if (o->shards.n == 0)
		return 0;
	if (lu_survey_begin(&r->shards, "", (size_t)o->top, &o->std, err) < 0 ||
			lu_survey_shards(&r->shards, &o->shards, err) < 0)
		return -1;
	return lu_survey_finish(&r->shards, err);
}

static int report(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_accounts *a = &r->accounts;

	if (read_metrics(r, err) < 0)
		return -1;
	if (r->reads_accounts) {
		if (lu_accounts_read(a, r->args->file, r->args->files, o->by_file, o->std.max_line,
				    err) < 0 ||
				(o->chain && lu_accounts_chain(a, err) < 0))
			return -1;
		if (a->stage.n == 0)
			return lu_err_set(err, "no accounting line");
	}
	if (read_shards(r, err) < 0 || read_sections(r, err) < 0 || write_all(r, err) < 0)
		return -1;
	for (size_t i = 0; i < a->again.n; i++)
		lu_note("%s", a->again.p[i]);
	for (size_t i = 0; i < a->fault.n; i++)
		lu_warn("%s", a->fault.p[i]);
	return a->fault.n > 0;
}

/* True if operands were given, and "-" is not the one for none. */
static bool has_operands(const struct lu_args *args)
{
	for (int i = 1; i < args->argc; i++) {
		if (args->argv[i] == args->file[0])
			return true;
	}
	return false;
}

/* True if there is something to report besides accounting lines. */
static bool has_other_input(const struct options *o)
{
	return o->metrics.n || o->shards.n || o->after.n || o->removed.n || o->dropped.n ||
			o->table.n || o->text.n;
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o, .args = args };
	int rc;

	/* Without operands standard input is read, unless other input was named. */
	r.reads_accounts = has_operands(args) || !has_other_input(o);
	rc = report(&r, err);
	for (size_t i = 0; i < r.metrics.n; i++)
		lu_metrics_release(&r.metrics.p[i]);
	lu_vec_release(&r.metrics);
	for (size_t i = 0; i < r.events.n; i++)
		lu_buf_release(&r.events.p[i]);
	lu_vec_release(&r.events);
	lu_page_tables_release(&r.table);
	lu_page_texts_release(&r.text);
	lu_page_texts_release(&r.about);
	lu_accounts_release(&r.accounts);
	lu_survey_release(&r.survey);
	if (o->shards.n)
		lu_survey_stage_release(&r.shards);
	lu_clusters_release(&r.clusters);
	lu_samples_release(&r.dropped);
	return rc;
}

static void check_usage(struct options *o)
{
	struct lu_err err;
	bool sections = o->table.n || o->text.n || o->after.n || o->removed.n || o->dropped.n ||
			o->about.n;

	if (o->documents &&
			(o->by_file || o->chain || o->html || o->png || o->metrics.n ||
					o->shards.n))
		lu_usage_error("--by-file, --chain, --metrics, --shards, --html and --png do not "
			       "go with --documents");
	if (!o->documents && !o->shards.n && (o->by.n || o->top_given))
		lu_usage_error("%s needs --documents or --shards", o->by.n ? "--by" : "--top");
	if (lu_survey_choose(&o->by, &o->tables, &err) < 0)
		lu_usage_fail(&err, "--by");
	if (!o->documents && o->tables & LU_SURVEY_TABLE(LU_CENSUS_DOMAIN))
		lu_usage_error("--by domain needs --documents: ledgers name no address");
	if (!o->documents && (o->std.rejects || o->std.max_bad_given || o->std.stats))
		lu_usage_error("--rejects, --max-bad and --stats need --documents");
	if (!o->html && sections)
		lu_usage_error("--after, --removed, --dropped, --table, --text and --about need "
			       "--html");
	if (!o->html && !o->png && o->title)
		lu_usage_error("--title needs --html or --png");
	if ((o->png || o->over_given || o->tensorboard) && !o->metrics.n)
		lu_usage_error("%s needs --metrics",
				o->png				? "--png"
						: o->over_given ? "--over"
								: "--tensorboard");
	if (o->samples_given && !o->after.n && !o->dropped.n)
		lu_usage_error("--samples needs --after or --dropped");
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .samples = 2, .top = 40 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	o.std.memory = (uint64_t)1 << 30;
	lu_tool_start(&tool, argc, argv, &o, &args);
	check_usage(&o);
	rc = o.documents ? count_documents(&o, &args, &err) : run(&o, &args, &err);
	lu_list_release(&o.by);
	lu_list_release(&o.shards);
	lu_list_release(&o.metrics);
	lu_list_release(&o.after);
	lu_list_release(&o.removed);
	lu_list_release(&o.dropped);
	lu_list_release(&o.table);
	lu_list_release(&o.text);
	lu_list_release(&o.about);
	return lu_tool_finish(rc, &err);
}
