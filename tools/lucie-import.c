/*
 * lucie-import: archives, packages, web pages and manual pages to documents.
 *
 * Members are read in the order of the archives, one at a time, and converted on all threads. Each
 * becomes a document or is counted under the reason why it does not.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/charset/charset.h"
#include "libcommon/import/import.h"
#include "libcommon/import/left_out.h"
#include "libcommon/par/account.h"
#include "libcommon/par/pipeline.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "libcommon/text/lang_code.h"

/* A batch is full at this many bytes or members: a manual page costs a process, and a batch of them
 * should not keep one thread for long. */
#define BATCH_BYTES ((uint64_t)1 << 20)
#define BATCH_MEMBERS 64

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
	struct lu_list include, exclude;
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
			"charset of members that are not UTF-8"),
	LU_OPT_U64(0, "min-bytes", struct options, import.min_bytes, "N", "drop shorter texts"),
	LU_OPT_FLAG(0, "whole", struct options, import.whole, "keep navigation of pages"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-import",
	"converts archives, packages, web and manual pages to documents", "[FILE|DIR...]", opts,
	(LU_STD_FILTER & ~LU_STD_FIELDS) | LU_STD_TMPDIR, offsetof(struct options, std) };

struct batch {
	struct lu_member member[BATCH_MEMBERS];
	struct lu_import_result result[BATCH_MEMBERS];
	size_t end[BATCH_MEMBERS]; /* of the member's record, offset in `out` */
	size_t n;
	struct lu_arena arena;
	struct lu_buf out;
};

struct run {
	struct lu_import import;
	struct lu_members reader;
	struct lu_import_work *work; /* one a thread */
	struct lu_account account;
	struct lu_progress progress;
	struct lu_buf value, record; /* of a line of the reject file */
	uint64_t members, recoded, optout, truncated;
	uint64_t excluded, links, special; /* members that are no documents */
	bool ended;
	/* The operand whose members are written. */
	size_t operand;
	uint64_t given;			   /* documents of it */
	bool itself;			   /* its member is itself */
	bool blank;			   /* and it is empty */
	struct lu_left_out here, left_out; /* of the operand; of all of them */
};

static int read_batch(void *ctx, void *batch, struct lu_err *err)
{
	struct run *r = ctx;
	struct batch *b = batch;
	uint64_t bytes = 0;

	lu_arena_reset(&b->arena);
	lu_buf_clear(&b->out);
	b->n = 0;
	while (!r->ended && b->n < BATCH_MEMBERS && bytes < BATCH_BYTES) {
		int rc = lu_members_next(&r->reader, &b->member[b->n], &b->arena, err);

		if (rc < 0)
			return -1;
		r->ended = rc == 0;
		if (rc > 0)
			bytes += b->member[b->n++].bytes.n;
	}
	return b->n > 0;
}

static int map_batch(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	struct run *r = ctx;
	struct batch *b = batch;

	for (size_t i = 0; i < b->n; i++) {
		struct lu_member *m = &b->member[i];

		if (lu_import_one(&r->import, &r->work[thread], m, &b->out, &b->result[i], err) < 0)
			return lu_err_wrap(err, "%s: " LU_STR_FMT, m->file, LU_STR_ARG(m->path));
		b->end[i] = b->out.n;
	}
	return 0;
}

/* The reject file's value is the detail, its record {"id":...}: a member may be large or binary. */
static int drop(struct run *r, const struct lu_member *m, const struct lu_import_result *res,
		bool aside, struct lu_err *err)
{
	struct lu_buf *value = &r->value, *record = &r->record;
	struct lu_reject reject;
	const struct lu_std *std = r->account.std;
	struct lu_err message;

	if (res->bad) {
		lu_left_out_describe(m, res->drop, !std->max_bad_given && !std->rejects, &message);
		if (lu_account_bad(&r->account, message.msg, err) < 0)
			return -1;
	} else {
		lu_detail("%s: " LU_STR_FMT ": %s", m->file, LU_STR_ARG(m->path), res->drop);
	}
	lu_buf_clear(value);
	lu_buf_clear(record);
	if (m->detail.p)
		lu_json_put_str(value, NULL, m->detail);
	else
		lu_json_put_null(value, NULL);
	lu_json_open_object(record, NULL);
	lu_import_id(m, record);
	lu_json_close_object(record);
	if (lu_buf_check(value, err) < 0 || lu_buf_check(record, err) < 0)
		return -1;
	reject = (struct lu_reject){ m->file, r->members, res->drop, lu_buf_slice(value),
		lu_buf_slice(record) };
	return aside ? lu_account_reject(&r->account, &reject, err)
		     : lu_account_drop(&r->account, &reject, err);
}

/* The count of members that are no documents, or NULL if the reason is another. */
static uint64_t *aside(struct run *r, const char *reason)
{
	return strcmp(reason, "excluded") == 0		    ? &r->excluded
			: strcmp(reason, "link") == 0	    ? &r->links
			: strcmp(reason, "not a file") == 0 ? &r->special
							    : NULL;
}

static int write_member(struct run *r, const struct lu_member *m,
		const struct lu_import_result *res, struct lu_str line, struct lu_err *err)
{
	struct lu_stats *stats = &r->account.stats;
	uint64_t *count = res->drop ? aside(r, res->drop) : NULL;

	r->members++;
	r->itself = m->itself;
	r->blank = m->itself && res->drop && strcmp(res->drop, "empty") == 0;
	if (count) {
		++*count;
	} else {
		stats->in.docs++;
		stats->in.bytes += m->size;
	}
	r->recoded += res->recoded;
	if (res->drop) {
		if (lu_left_out_add(&r->here, m, res->drop, res->format, err) < 0)
			return -1;
		/* Requests and the like have no text, nor have links and empty operands. */
		if (!count && !r->blank && strcmp(res->drop, "record type") != 0 &&
				lu_left_out_add(&r->left_out, m, res->drop, res->format, err) < 0)
			return -1;
		return drop(r, m, res, count != NULL, err);
	}
	r->given++;
	r->optout += res->optout;
	r->truncated += res->truncated;
	return lu_account_write(&r->account, line, 1, err);
}

/* Go on to operand `next`, unless one before it gave no document. */
static int end_operands(struct run *r, size_t next, struct lu_err *err)
{
	for (; r->operand < next; r->operand++) {
		const char *name = r->account.args->file[r->operand];
		/* A stage of a pipe cannot choose what comes. */
		bool nothing = r->blank && strcmp(name, "-") == 0;

		if (r->given == 0 && !nothing && !r->account.std->allow_empty)
			return lu_left_out_fail(&r->here, name, r->itself && r->here.n == 1, err);
		lu_left_out_clear(&r->here);
		r->given = 0;
	}
	return 0;
}

static int write_batch(void *ctx, void *batch, struct lu_err *err)
{
	struct run *r = ctx;
	struct batch *b = batch;
	size_t from = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct lu_str line = { b->out.p + from, b->end[i] - from };

		if (end_operands(r, b->member[i].operand, err) < 0 ||
				write_member(r, &b->member[i], &b->result[i], line, err) < 0)
			return -1;
		from = b->end[i];
	}
	lu_progress_update(&r->progress, lu_members_consumed(&r->reader), r->account.stats.in.docs);
	return 0;
}

static int run_pipeline(struct run *r, int threads, struct lu_err *err)
{
	struct lu_pipeline p = { .threads = (unsigned)threads,
		.ctx = r,
		.read = read_batch,
		.map = map_batch,
		.write = write_batch };
	struct batch *batches;
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
	for (size_t i = 0; batches && i < p.batches; i++) {
		for (size_t k = 0; k < BATCH_MEMBERS; k++)
			lu_buf_release(&batches[i].member[k].bytes);
		lu_arena_release(&batches[i].arena);
		lu_buf_release(&batches[i].out);
	}
	free(batches);
	free(p.batch);
	return rc;
}

static void put_extra(const struct run *r, struct lu_buf *extra)
{
	lu_json_put_u64(extra, "recoded", r->recoded);
	lu_json_put_u64(extra, "excluded", r->excluded);
	lu_json_put_u64(extra, "links", r->links);
	lu_json_put_u64(extra, "special", r->special);
	lu_json_put_u64(extra, "optout", r->optout);
	lu_json_put_u64(extra, "truncated", r->truncated);
}

static int commit(struct run *r, struct lu_err *err)
{
	struct lu_buf list = { 0 };
	int rc = -1;

	put_extra(r, &r->account.stats.extra);
	lu_left_out_list(&r->left_out, &list);
	if (lu_buf_check(&list, err) < 0 || lu_account_settle(&r->account, err) < 0 ||
			lu_account_append(&r->account, err) < 0 ||
			lu_account_commit(&r->account, err) < 0)
		goto out;
	if (r->recoded)
		lu_note("%" PRIu64 " member%s not UTF-8 and %s converted", r->recoded,
				r->recoded == 1 ? " was" : "s were",
				r->recoded == 1 ? "was" : "were");
	if (r->left_out.n)
		lu_note("%" PRIu64 " member%s left out: %s", r->left_out.n,
				r->left_out.n == 1 ? "" : "s", list.p);
	lu_account_summary(&r->account, "members", false);
	rc = 0;
out:
	lu_buf_release(&list);
	return rc;
}

static void set_up(struct run *r, const struct options *o, const struct lu_args *args)
{
	r->import = o->import;
	r->import.lang_path = o->lang_from == LANG_PATH;
	r->import.limit = o->std.max_line;
	r->reader = (struct lu_members){ .file = args->file,
		.files = args->files,
		.limit = o->std.max_line,
		.text_has_nuls = o->import.charset && lu_charset_has_nuls(o->import.charset),
		.tmpdir = o->std.tmpdir,
		.source = o->source,
		.license = o->license,
		.license_debian = o->license_from == LICENSE_DEBIAN,
		.warc = o->import.kind == LU_KIND_WARC,
		.include = &o->include,
		.exclude = &o->exclude };
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	const struct lu_std *std = &o->std;
	struct run r = { 0 };
	int rc = -1;

	set_up(&r, o, args);
	if (lu_trees_distinct(args->file, args->files, err) < 0 ||
			lu_man_open(&r.import.man, std->tmpdir, err) < 0)
		goto out;
	r.work = calloc((size_t)std->threads, sizeof(*r.work));
	if (!r.work) {
		lu_err_nomem(err);
		goto out;
	}
	if (lu_account_open(&r.account, std, args, false, err) < 0)
		goto out;
	lu_progress_start(&r.progress, tool.name, lu_account_progress(&r.account), 0);
	rc = run_pipeline(&r, std->threads, err);
	lu_progress_end(&r.progress);
	if (rc == 0)
		rc = end_operands(&r, args->files, err);
	if (rc == 0)
		rc = commit(&r, err);
out:
	lu_account_close(&r.account);
	lu_members_release(&r.reader);
	lu_man_close(&r.import.man);
	for (int i = 0; r.work && i < std->threads; i++)
		lu_import_work_release(&r.work[i]);
	free(r.work);
	lu_left_out_release(&r.here);
	lu_left_out_release(&r.left_out);
	lu_buf_release(&r.value);
	lu_buf_release(&r.record);
	return rc;
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
	if (o.import.charset && !lu_charset_known(o.import.charset))
		lu_usage_error("--charset: '%s' is unknown; iconv -l lists charsets",
				o.import.charset);
	if (o.import.lang && lu_lang_code_check(o.import.lang, &err) < 0)
		lu_usage_fail(&err, "--lang");
	rc = run(&o, &args, &err);
	lu_list_release(&o.include);
	lu_list_release(&o.exclude);
	return lu_tool_finish(rc, &err);
}
