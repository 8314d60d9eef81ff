/* lucie-tok-eval: measures, audits and compares tokenizers. */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/summary.h"
#include "libcommon/tokaudit/compare.h"
#include "libcommon/tokaudit/dead.h"
#include "libcommon/tokaudit/encoders.h"
#include "libcommon/tokaudit/fit.h"
#include "libcommon/tokaudit/lossless.h"
#include "libcommon/tokaudit/lossless_report.h"

struct options {
	struct lu_std std;
	struct lu_list tokenizer;
	bool compare, lossless, dead, json, by_given, max_given;
	const char *by, *range;
	uint64_t max;
};

/* A thread's state. */
struct worker {
	struct lu_encoders encoders;
	struct lu_ids ids[2]; /* of one document: the last tokenizer's, or both for --compare */
};

/* What map() leaves of a document for decide(). */
struct measured {
	struct lu_fit_text text;
	bool differs;
	struct lu_fit_tokens tokens[]; /* one a tokenizer */
};

struct eval {
	const struct options *options;
	struct lu_tok **tok;
	size_t toks;
	struct lu_fit fit;
	struct lu_compare compare;
	struct worker writer;		 /* of decide() */
	struct lu_compare_totals totals; /* of --compare */
	uint64_t docs;
	struct lu_buf report;
	struct lu_progress progress;
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST('t', "tokenizer", struct options, tokenizer, "FILE",
			"tokenizer.json (repeatable)"),
	LU_OPT_STR_GIVEN(0, "by", struct options, by, by_given, "MEMBER",
			"group documents by this member"),
	LU_OPT_FLAG(0, "compare", struct options, compare, "show where two tokenizers differ"),
	LU_OPT_U64_GIVEN(0, "max", struct options, max, max_given, "N",
			"show N differences at most"),
	LU_OPT_FLAG(0, "lossless", struct options, lossless, "list texts that do not round-trip"),
	LU_OPT_STR(0, "code-points", struct options, range, "FROM-TO", "try only these, in hex"),
	LU_OPT_FLAG(0, "dead", struct options, dead, "list pieces that no text can produce"),
	LU_OPT_FLAG(0, "json", struct options, json, "print JSON"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-tok-eval", "measures, audits and compares tokenizers",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct options, std) };

/* --- documents ---------------------------------------------------------------------------- */

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	const struct eval *e = ctx;
	struct worker *w = local;

	return lu_encoders_init(&w->encoders, e->tok, e->toks, err);
}

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_encoders_release(&w->encoders);
	lu_ids_release(&w->ids[0]);
	lu_ids_release(&w->ids[1]);
}

static int measure(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct eval *e = ctx;
	struct worker *w = local;
	struct measured *m =
			lu_arena_alloc(doc->arena, sizeof(*m) + e->toks * sizeof(m->tokens[0]));
	size_t first;

	if (!m)
		return lu_err_nomem(err);
	lu_fit_measure(doc->text, &m->text);
	for (size_t i = 0; i < e->toks; i++) {
		struct lu_ids *ids = &w->ids[i == 1];

		if (lu_encoders_run(&w->encoders, i, doc->text, ids, err) < 0)
			return -1;
		lu_fit_count(&e->fit, i, ids->p, ids->n, &m->tokens[i]);
	}
	m->differs = e->options->compare &&
			lu_compare_ids(&e->compare, &w->ids[0], &w->ids[1], &first);
	doc->user = m;
	return 0;
}

static int add_to_table(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct eval *e = ctx;
	const struct measured *m = doc->user;
	struct lu_str group;

	e->docs++;
	if (!lu_doc_string(doc, e->options->by, &group))
		group = (struct lu_str){ NULL, 0 };
	return lu_fit_add(&e->fit, group, &m->text, m->tokens, err);
}

/* Report where the tokenizers differ. The document is encoded again, since the ids that measure()
 * made are gone; there are few of them. */
static int report_difference(struct eval *e, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(&doc->obj, "id");
	struct worker *w = &e->writer;
	struct lu_difference d;
	size_t first;

	for (size_t i = 0; i < 2; i++) {
		if (lu_encoders_run(&w->encoders, i, doc->text, &w->ids[i], err) < 0)
			return -1;
	}
	lu_compare_ids(&e->compare, &w->ids[0], &w->ids[1], &first);
	if (lu_compare_describe(&e->compare, doc->text, &w->ids[0], &w->ids[1], first, &d, err) < 0)
		return -1;
	d.file = doc->file;
	d.line = doc->line;
	d.doc_id = id ? id->value : (struct lu_str){ NULL, 0 };
	if (e->options->json)
		lu_difference_json(&e->compare, &d, &e->report);
	else
		lu_difference_text(&e->compare, e->options->tokenizer.item, &d, &e->report);
	return lu_buf_check(&e->report, err);
}

static int add_to_comparison(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct eval *e = ctx;
	const struct measured *m = doc->user;

	e->docs++;
	e->totals.documents++;
	e->totals.differing += m->differs;
	for (size_t i = 0; i < 2; i++)
		e->totals.tokens[i] += m->tokens[i].tokens;
	if (!m->differs || e->totals.differing > e->options->max)
		return 0;
	return report_difference(e, doc, err);
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct eval *e = ctx;
	struct lu_buf *extra = &stats->extra;

	if (e->docs == 0)
		return lu_err_set(err, "no documents");
	lu_json_open_array(extra, "tokens");
	for (size_t i = 0; i < e->toks; i++)
		lu_json_put_u64(extra, NULL,
				e->options->compare ? e->totals.tokens[i]
						    : lu_fit_total(&e->fit, i));
	lu_json_close_array(extra);
	return lu_buf_check(extra, err);
}

static int read_documents(struct eval *e, const struct lu_args *args, struct lu_stats *stats,
		struct lu_err *err)
{
	const struct options *o = e->options;
	struct lu_docstream ds = { .ctx = e,
		.map = measure,
		.decide = o->compare ? add_to_comparison : add_to_table,
		.local_size = sizeof(struct worker),
		.local_init = worker_init,
		.local_free = worker_free,
		.finish = finish,
		.flags = LU_DOCSTREAM_SILENT | LU_DOCSTREAM_NO_STATS,
		.stats = stats };

	if (lu_fit_init(&e->fit, e->tok, o->tokenizer.item, e->toks, err) < 0)
		return -1;
	if (o->compare &&
			(lu_compare_init(&e->compare, e->tok[0], e->tok[1], err) < 0 ||
					worker_init(e, &e->writer, err) < 0))
		return -1;
	if (o->compare && o->json) {
		lu_json_open_object(&e->report, NULL);
		lu_json_open_array(&e->report, "differences");
	}
	if (lu_docstream_run(&ds, &o->std, args, err) < 0)
		return -1;
	if (!o->compare)
		return o->json ? lu_fit_json(&e->fit, o->by, &e->report, err)
			       : lu_fit_table(&e->fit, o->by, &e->report, err);
	if (o->json)
		lu_compare_totals_json(&e->totals, o->tokenizer.item, &e->report);
	else
		lu_compare_totals_text(&e->totals, &e->report);
	return lu_buf_check(&e->report, err);
}

/* --- the files themselves ----------------------------------------------------------------- */

static void show_progress(void *ctx, uint64_t done)
{
	struct eval *e = ctx;

	lu_progress_update(&e->progress, done, done);
}

/* 1 if something is lost, 0, -1. */
static int report_losses(struct eval *e, size_t i, struct lu_err *err)
{
	const struct options *o = e->options;
	const char *file = o->tokenizer.item[i];
	struct lu_losses l = { .progress = show_progress, .ctx = e };
	int rc;

	if (o->range && !lu_losses_parse_range(&l, o->range))
		lu_usage_error("--code-points: '%s' is not a range such as 0-2FFF", o->range);
	lu_progress_start_units(&e->progress, tool.name, o->std.progress, 0x110000, "code points");
	rc = lu_losses_find(&l, e->tok[i], o->std.threads, err);
	lu_progress_end(&e->progress);
	if (rc < 0) {
		lu_err_wrap(err, "%s", file);
	} else {
		if (o->json)
			lu_losses_json(&l, file, &e->report);
		else
			lu_losses_text(&l, file, o->std.verbose > 0, &e->report);
		rc = !lu_losses_none(&l);
	}
	lu_losses_release(&l);
	return rc;
}

/* 1 if a piece is listed, 0, -1. */
static int report_dead(struct eval *e, size_t i, struct lu_err *err)
{
	const char *file = e->options->tokenizer.item[i];
	struct lu_dead d = { 0 };
	int rc = lu_dead_find(&d, e->tok[i], err);

	if (rc == 0) {
		if (e->options->json)
			lu_dead_json(&d, e->tok[i], file, &e->report);
		else
			lu_dead_text(&d, e->tok[i], file, &e->report);
		rc = d.piece.n > 0;
	}
	lu_dead_release(&d);
	return rc;
}

/* 1 if one of the files has something to list, 0, -1. */
static int examine_files(struct eval *e, struct lu_err *err)
{
	const struct options *o = e->options;
	int answer = 0;

	if (o->json) {
		lu_json_open_object(&e->report, NULL);
		lu_json_open_array(&e->report, "tokenizers");
	}
	for (size_t i = 0; i < e->toks; i++) {
		int rc;

		if (i && !o->json)
			lu_buf_putc(&e->report, '\n');
		rc = o->dead ? report_dead(e, i, err) : report_losses(e, i, err);
		if (rc < 0)
			return -1;
		answer |= rc;
	}
	if (o->json) {
		lu_json_close_array(&e->report);
		lu_json_close_object(&e->report);
	}
	return lu_buf_check(&e->report, err) < 0 ? -1 : answer;
}

/* --- the run ------------------------------------------------------------------------------ */

static void check_usage(const struct options *o, const struct lu_args *args)
{
	if (o->tokenizer.n == 0)
		lu_usage_error("-t FILE is required");
	if (o->compare + o->lossless + o->dead > 1)
		lu_usage_error("only one of --compare, --lossless and --dead");
	if (o->compare && o->tokenizer.n != 2)
		lu_usage_error("--compare needs two tokenizers: -t A -t B");
	if (o->max_given && !o->compare)
		lu_usage_error("--max is for --compare");
	if (o->range && !o->lossless)
		lu_usage_error("--code-points is for --lossless");
	if (o->by_given && (o->compare || o->lossless || o->dead))
		lu_usage_error("--by is for the table");
	if (!o->lossless && !o->dead)
		return;
	if (args->files > 1 || strcmp(args->file[0], "-") != 0)
		lu_usage_error("--lossless and --dead read no documents");
	if (o->std.rejects || o->std.max_bad_given || o->std.stats)
		lu_usage_error("--rejects, --max-bad and --stats are for documents");
}

static int load(struct eval *e, struct lu_err *err)
{
	const struct lu_list *files = &e->options->tokenizer;

	e->tok = calloc(files->n, sizeof(struct lu_tok *));
	if (!e->tok)
		return lu_err_nomem(err);
	for (; e->toks < files->n; e->toks++) {
		if (lu_tok_load(&e->tok[e->toks], files->item[e->toks], err) < 0)
			return -1;
	}
	return 0;
}

/* Exit status, or -1. */
static int run(struct eval *e, const struct lu_args *args, struct lu_err *err)
{
	const struct options *o = e->options;
	bool reads = !o->lossless && !o->dead;
	struct lu_stats stats = { 0 };
	struct lu_out *out = NULL;
	int rc = -1, answer;

	/* Opened first, to fail on an unwritable path before the work. */
	if (lu_out_open(&out, o->std.output, o->std.compress, o->std.threads, err) < 0 ||
			load(e, err) < 0)
		goto done;
	if (reads) {
		if (lu_out_refuse_inputs(out, args->file, args->files, err) < 0 ||
				read_documents(e, args, &stats, err) < 0)
			goto done;
		answer = e->totals.differing > 0;
	} else {
		answer = examine_files(e, err);
		if (answer < 0)
			goto done;
	}
	if (o->json)
		lu_buf_putc(&e->report, '\n');
	if (lu_out_buf(out, &e->report, err) < 0)
		goto done;
	/* Without its accounting line no output appears. */
	if (lu_out_settle(out, err) < 0 ||
			(reads && lu_stats_append(&stats, args, o->std.stats, err) < 0))
		goto done;
	rc = lu_out_commit(out, err);
	out = NULL;
	if (rc == 0 && reads)
		lu_summary(&stats, args, "documents", "used");
	if (rc == 0)
		rc = answer;
done:
	lu_out_abort(out);
	lu_stats_release(&stats);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .by = "lang", .max = 10 };
	struct eval e = { .options = &o };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	check_usage(&o, &args);
	rc = run(&e, &args, &err);
	lu_fit_release(&e.fit);
	lu_compare_release(&e.compare);
	worker_free(&e.writer);
	for (size_t i = 0; i < e.toks; i++)
		lu_tok_free(e.tok[i]);
	free(e.tok);
	lu_buf_release(&e.report);
	lu_list_release(&o.tokenizer);
	return lu_tool_finish(rc, &err);
}
