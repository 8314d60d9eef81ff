/*
 * lucie-import: archives, pages, tables, office files, mail to documents.
 *
 * Members are read in the order of the archives, one at a time, and converted on all threads. Each
 * becomes a document or is counted under the reason why it does not.
 */
#include <stdlib.h>

#include "libcommon/charset/charset.h"
#include "libcommon/import/import_account.h"
#include "libcommon/import/kind_table.h"
#include "libcommon/par/pipeline.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "libcommon/text/lang_code.h"
#include "libcommon/wiki/wiki_options.h"

enum license_from { LICENSE_NONE, LICENSE_DEBIAN };
static const struct lu_enum license_from_names[] = {
	{ "none", LICENSE_NONE },
	{ "debian", LICENSE_DEBIAN },
	LU_ENUM_END,
};

enum lang_from { LANG_NONE, LANG_PATH };
static const struct lu_enum lang_from_names[] = {
	{ "none", LANG_NONE },
	{ "path", LANG_PATH },
	LU_ENUM_END,
};

struct options {
	struct lu_std std;
	struct lu_import import; /* limit, lang_path and man are set by run() */
	const char *source, *license;
	enum license_from license_from;
	enum lang_from lang_from;
	const char *delimiter;
	struct lu_list include, exclude;
	struct lu_wiki_choice wiki;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('s', "source", struct options, source, "NAME", "name of the source"),
	LU_OPT_STR('l', "license", struct options, license, "NAME", "licence of the documents"),
	LU_OPT_ENUM(0, "license-from", struct options, license_from, license_from_names,
			"read the package's copyright file"),
	LU_OPT_STR(0, "lang", struct options, import.lang, "CODE", "language of the documents"),
	LU_OPT_ENUM(0, "lang-from", struct options, lang_from, lang_from_names,
			"language by Debian's path conventions"),
	LU_OPT_STR(0, "category", struct options, import.category, "NAME", "category"),
	LU_OPT_ENUM('k', "kind", struct options, import.kind, lu_kind_names, "kind of the members"),
	LU_OPT_LIST('i', "include", struct options, include, "GLOB", "only members with this path"),
	LU_OPT_LIST('x', "exclude", struct options, exclude, "GLOB", "no members with this path"),
	LU_OPT_STR(0, "charset", struct options, import.charset, "NAME",
			"of what names none and is not UTF-8; auto"),
	LU_OPT_FLAG(0, "strict-charset", struct options, import.strict_charset,
			"drop members with ill-formed bytes"),
	LU_OPT_U64(0, "min-bytes", struct options, import.min_bytes, "N", "drop shorter texts"),
	LU_OPT_STR(0, "delimiter", struct options, delimiter, "CHAR", "between fields of CSV"),
	LU_OPT_FLAG(0, "no-header", struct options, import.entries.no_header,
			"CSV has no row of names"),
	LU_OPT_FLAG(0, "no-quotes", struct options, import.entries.no_quotes,
			"quotes in CSV are characters"),
	LU_OPT_FLAG(0, "outputs", struct options, import.outputs, "keep outputs of notebooks"),
	LU_OPT_FLAG(0, "html", struct options, import.html, "texts of records are pages"),
	LU_OPT_FLAG(0, "drop-truncated", struct options, import.drop_truncated,
			"drop pages that are cut"),
	LU_OPT_STR(0, "namespaces", struct options, wiki.namespaces, "LIST",
			"namespaces of wikis to read"),
	LU_OPT_STR(0, "templates", struct options, wiki.templates, "FILE",
			"text of templates of wikis"),
	LU_OPT_LIST_OF(0, "wiki-keep", struct options, wiki.keep, "WHAT", lu_wiki_keeps,
			"keep references or sections"),
	LU_OPT_FLAG(0, "comments", struct options, import.comments, "keep comments on pages"),
	LU_OPT_FLAG(0, "whole", struct options, import.whole, "keep all of pages"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-import",
	"converts archives, pages, tables, office files, mail to documents", "[FILE|DIR...]", opts,
	LU_STD_FILTER | LU_STD_TMPDIR, offsetof(struct options, std) };

struct run {
	struct lu_import import;
	struct lu_wiki_options wiki;
	struct lu_members reader;
	struct lu_import_work *work; /* one a thread */
	struct lu_import_account account;
	struct lu_progress progress;
	bool ended;
};

static int read_batch(void *ctx, void *batch, struct lu_err *err)
{
	struct run *r = ctx;

	return lu_import_batch_read(batch, &r->reader, &r->ended, err);
}

static int map_batch(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	struct run *r = ctx;

	return lu_import_batch_map(batch, &r->import, &r->work[thread], err);
}

static int write_batch(void *ctx, void *batch, struct lu_err *err)
{
	struct run *r = ctx;

	if (lu_import_account_write(&r->account, batch, err) < 0)
		return -1;
	lu_progress_update(&r->progress, lu_members_consumed(&r->reader),
			r->account.account.stats.in.docs);
	return 0;
}

static int run_pipeline(struct run *r, int threads, struct lu_err *err)
{
	struct lu_pipeline p = { .threads = (unsigned)threads,
		.ctx = r,
		.read = read_batch,
		.map = map_batch,
		.write = write_batch };
	struct lu_import_batch *batches;
	int rc = -1;

	p.batches = lu_pipeline_batches(p.threads);
	p.batch = calloc(p.batches, sizeof(*p.batch));
	batches = calloc(p.batches, sizeof(*batches));
	if (p.batch && batches) {
		for (size_t i = 0; i < p.batches; i++)
			p.batch[i] = &batches[i];
		rc = lu_pipeline_run(&p, err);
	} else {
		lu_err_nomem(err);
	}
	for (size_t i = 0; batches && i < p.batches; i++)
		lu_import_batch_release(&batches[i]);
	free(batches);
	free(p.batch);
	return rc;
}

/* A shell passes a tab with difficulty. */
static bool is_tab(const char *delimiter)
{
	return strcmp(delimiter, "\\t") == 0 || strcmp(delimiter, "tab") == 0;
}

static void set_up(struct run *r, const struct options *o, const struct lu_args *args)
{
	r->import = o->import;
	r->import.lang_path = o->lang_from == LANG_PATH;
	r->import.limit = o->std.max_line;
	r->import.entries.limit = o->std.max_line;
	r->import.entries.text_field = o->std.text_field;
	r->import.entries.charset = o->import.charset;
	r->import.entries.strict_charset = o->import.strict_charset;
	r->import.entries.guess_charset = o->import.guess_charset;
	r->import.entries.wiki = &r->wiki;
	if (o->delimiter)
		r->import.entries.delimiter = is_tab(o->delimiter) ? '\t' : o->delimiter[0];
	r->reader = (struct lu_members){ .file = args->file,
		.files = args->files,
		.limit = o->std.max_line,
		.text_has_nuls = o->import.guess_charset ||
				(o->import.charset && lu_charset_has_nuls(o->import.charset)),
		.tmpdir = o->std.tmpdir,
		.source = o->source,
		.license = o->license,
		.license_debian = o->license_from == LICENSE_DEBIAN,
		.kind = o->import.kind,
		.entries = r->import.entries,
		.include = &o->include,
		.exclude = &o->exclude };
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	const struct lu_std *std = &o->std;
	struct run r = { 0 };
	int rc = -1;

	set_up(&r, o, args);
	if (lu_wiki_options_open(&r.wiki, &o->wiki, err) < 0 ||
			lu_fields_parse(&r.import.fields, std->text_field, &std->map, err) < 0 ||
			lu_trees_distinct(args->file, args->files, err) < 0 ||
			lu_man_open(&r.import.man, std->tmpdir, err) < 0)
		goto out;
	r.work = calloc((size_t)std->threads, sizeof(*r.work));
	if (!r.work) {
		lu_err_nomem(err);
		goto out;
	}
	if (lu_account_open(&r.account.account, std, args, false, err) < 0)
		goto out;
	lu_progress_start(&r.progress, tool.name, lu_account_progress(&r.account.account), 0);
	rc = run_pipeline(&r, std->threads, err);
	lu_progress_end(&r.progress);
	if (rc == 0)
		rc = lu_import_account_end(&r.account, args->files, err);
	if (rc == 0)
		rc = lu_import_account_commit(&r.account, err);
out:
	lu_account_close(&r.account.account);
	lu_import_account_release(&r.account);
	lu_members_release(&r.reader);
	lu_man_close(&r.import.man);
	lu_wiki_options_close(&r.wiki);
	for (int i = 0; r.work && i < std->threads; i++)
		lu_import_work_release(&r.work[i]);
	free(r.work);
	return rc;
}

/* Refuse options that the kind leaves without effect. */
static void check_kind(const struct options *o)
{
	enum lu_kind k = o->import.kind;
	const struct lu_entries_options *e = &o->import.entries;
	bool table = k == LU_KIND_CSV || k == LU_KIND_TSV;
	bool wiki = k == LU_KIND_MEDIAWIKI || k == LU_KIND_ENTERPRISE;
	bool plain = k == LU_KIND_TEXT || k == LU_KIND_CODE || k == LU_KIND_MAN ||
			k == LU_KIND_LINES;
	const char *unused = NULL;

	if (k == LU_KIND_AUTO)
		return;
	if (!table && (o->delimiter || e->no_header || e->no_quotes))
		unused = o->delimiter	       ? "--delimiter"
				: e->no_header ? "--no-header"
					       : "--no-quotes";
	else if (k != LU_KIND_NOTEBOOK && o->import.outputs)
		unused = "--outputs";
	else if (!lu_kind_has_records(k) && o->import.html)
		unused = "--html";
	else if (!lu_kind_has_records(k) && (o->std.text_field || o->std.map.n))
		unused = o->std.text_field ? "--text-field" : "--map";
	if (!wiki && (o->wiki.namespaces || o->wiki.keep.n))
		unused = o->wiki.namespaces ? "--namespaces" : "--wiki-keep";
	else if (k != LU_KIND_MEDIAWIKI && o->wiki.templates)
		unused = "--templates";
	else if (plain && (o->import.comments || o->import.whole))
		unused = o->import.comments ? "--comments" : "--whole";
	if (unused)
		lu_usage_error("%s: has no effect on --kind %s", unused,
				lu_enum_name(lu_kind_names, (int)k));
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	/* A larger document is a mistake or an attack; --max-line raises the limit. */
	o.std.max_line = (uint64_t)64 << 20;
	lu_tool_start(&tool, argc, argv, &o, &args);
	o.import.guess_charset = o.import.charset && strcmp(o.import.charset, "auto") == 0;
	if (o.import.guess_charset)
		o.import.charset = NULL;
	if (o.import.charset && !lu_charset_known(o.import.charset))
		lu_usage_error("--charset: '%s' is unknown; iconv -l lists charsets",
				o.import.charset);
	if (o.delimiter && !is_tab(o.delimiter) &&
			(strlen(o.delimiter) != 1 || strchr("\"\n\r", o.delimiter[0])))
		lu_usage_error("--delimiter: '%s' is not one character other than a quote",
				o.delimiter);
	check_kind(&o);
	if (o.import.whole && o.import.comments)
		lu_usage_error("--comments: has no effect with --whole, which keeps all of a page");
	if (o.import.lang && lu_lang_code_check(o.import.lang, &err) < 0)
		lu_usage_fail(&err, "--lang");
	rc = run(&o, &args, &err);
	lu_list_release(&o.include);
	lu_list_release(&o.exclude);
	lu_list_release(&o.wiki.keep);
	return lu_tool_finish(rc, &err);
}
