/* lucie-check: verifies token shards, files of documents and the toolkit's other files, by
 * libcommon/shard/verify.h, check/verify_docs.h and check/formats.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/check/attempts.h"
#include "libcommon/check/formats.h"
#include "libcommon/check/md5_list.h"
#include "libcommon/check/verify_docs.h"
#include "libcommon/shard/reader.h"
#include "libcommon/shard/verify_report.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"

struct options {
	struct lu_std std;
	const char *tokenizer, *md5;
	uint64_t vocab;
	bool json;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE",
			"require shards made with this tokenizer"),
	LU_OPT_U64(0, "vocab-size", struct options, vocab, "N", "require ids below N"),
	LU_OPT_ALIAS("vocab", "vocab-size"),
	LU_OPT_SIZE(0, "max-line", struct options, std.max_line, "SIZE", "longest record"),
	LU_OPT_STR(0, "md5", struct options, md5, "FILE", "write a list of files for md5sum -c"),
	LU_OPT_FLAG(0, "json", struct options, json, "print JSON instead of a table"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-check",
	"verifies token shards, documents and other files", "[PREFIX | FILE]...", opts,
	LU_STD_FIELDS | LU_STD_STATS | LU_STD_PROGRESS, offsetof(struct options, std) };

struct run {
	const struct options *o;
	struct lu_tok *tok;
	struct lu_hash128 tokenizer; /* hash of its file */
	const char *name;	     /* of the operand */
	uint64_t faults;
	struct lu_stats stats; /* of the files of documents */
	struct lu_verify_docs docs;
	struct lu_buf line;
	struct lu_fields fields;
	struct lu_out *md5;
	struct lu_table table; /* a row for each operand */
	struct lu_progress progress;
	uint64_t bytes, documents; /* read so far */
};

/* --- answers ------------------------------------------------------------------------------ */

/* Print the line of JSON, the object of which is still open. */
static int put_line(struct run *r, struct lu_err *err)
{
	lu_json_close_object(&r->line);
	lu_buf_putc(&r->line, '\n');
	if (lu_buf_check(&r->line, err) < 0)
		return -1;
	lu_progress_clear();
	fwrite(r->line.p, 1, r->line.n, stdout);
	return 0;
}

/* Begin a line of JSON about the operand. */
static void begin_line(struct run *r, const char *kind)
{
	lu_buf_clear(&r->line);
	lu_json_open_object(&r->line, NULL);
	lu_json_put_cstr(&r->line, kind, r->name);
}

/* Print a fault as a line. File names may contain control characters. */
static void print_fault(const char *sentence)
{
	struct lu_err e;

	snprintf(e.msg, sizeof(e.msg), "%s", sentence);
	lu_mask_controls(e.msg);
	lu_progress_clear();
	puts(e.msg);
}

static void show_progress(void *ctx, uint64_t bytes)
{
	struct run *r = ctx;

	r->bytes += bytes;
	lu_progress_update(&r->progress, r->bytes, r->documents);
}

/* --- documents and other files ------------------------------------------------------------ */

static int on_line(
		void *ctx, const char *file, uint64_t line, const char *reason, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_err e;

	if (r->o->json) {
		begin_line(r, "file");
		lu_json_put_u64(&r->line, "line", line);
		lu_json_put_cstr(&r->line, "fault", reason);
		return put_line(r, err);
	}
	lu_err_set(&e, "%s:%" PRIu64 ": %s", file, line, reason);
	print_fault(e.msg);
	return 0;
}

static void on_documents(void *ctx, uint64_t bytes, uint64_t documents)
{
	struct run *r = ctx;

	r->documents += documents;
	show_progress(r, bytes);
}

/* The line of a file; `format` is NULL for documents. */
static int put_file(struct run *r, const char *format, const struct lu_own_facts *facts,
		uint64_t faults, struct lu_err *err)
{
	r->faults += faults;
	if (r->o->json) {
		begin_line(r, "file");
		if (format) {
			lu_json_put_cstr(&r->line, "format", format);
			lu_json_put_u64(&r->line, "records", facts->records);
		}
		lu_json_put_u64(&r->line, "documents", facts->documents);
		lu_json_put_u64(&r->line, "bytes", facts->bytes);
		lu_json_put_u64(&r->line, "faults", faults);
		return put_line(r, err);
	}
	lu_verify_file_row(facts->documents, facts->bytes, faults, r->name, &r->table);
	return lu_buf_check(&r->table.text, err);
}

/* Count the documents of a file for the accounting line; what is wrong is dropped there. */
static int check_documents(struct run *r, char *path, struct lu_err *err)
{
	const struct lu_verify_docs *d = &r->docs;
	struct lu_own_facts facts;
	struct lu_stats *s = &r->stats;

	if (lu_verify_docs_file(&r->docs, path, err) < 0)
		return -1;
	s->in.docs += d->documents, s->in.bytes += d->bytes;
	s->out.docs += d->documents - d->bad, s->out.bytes += d->bytes - d->bad_bytes;
	if (d->bad && lu_stats_drop(s, "bad record", d->bad, err) < 0)
		return -1;
	if (d->documents == 0)
		lu_note("%s: has no documents", path);
	facts = (struct lu_own_facts){ .documents = d->documents, .bytes = d->bytes };
	return put_file(r, NULL, &facts, d->bad, err);
}

static int check_file(struct run *r, char *path, struct lu_err *err)
{
	const struct lu_own_format *f;
	struct lu_own_facts facts;
	struct lu_err why = { 0 };
	int rc;

	if (lu_own_format_find(path, &f, err) < 0)
		return -1;
	if (!f)
		return check_documents(r, path, err);
	rc = lu_own_format_verify(f, path, &facts, &why);
	if (rc < 0 && why.errnum) {
		*err = why;
		return -1;
	}
	if (rc < 0 && r->o->json) {
		begin_line(r, "file");
		lu_json_put_cstr(&r->line, "fault", why.msg);
		if (put_line(r, err) < 0)
			return -1;
	} else if (rc < 0) {
		print_fault(why.msg);
	}
	return put_file(r, lu_own_format_name(f), &facts, rc < 0, err);
}

/* --- shards ------------------------------------------------------------------------------- */

static void on_fault(void *ctx, const char *sentence)
{
	struct run *r = ctx;
	struct lu_err ignored;

	if (!r->o->json) {
		print_fault(sentence);
		return;
	}
	begin_line(r, "shard");
	lu_json_put_cstr(&r->line, "fault", sentence);
	/* A failed allocation is sticky: the next check of the buffer reports it. */
	if (put_line(r, &ignored) < 0)
		return;
}

static int put_shard(struct run *r, const struct lu_verify *v, struct lu_err *err)
{
	if (r->o->json) {
		begin_line(r, "shard");
		lu_verify_json(v, &r->line);
		return put_line(r, err);
	}
	lu_verify_row(v, r->name, &r->table);
	return lu_buf_check(&r->table.text, err);
}

static int check_shard(struct run *r, const char *prefix, struct lu_err *err)
{
	struct lu_verify v = { .fault = on_fault,
		.progress = show_progress,
		.ctx = r,
		.tokenizer = r->tok ? &r->tokenizer : NULL,
		.tokenizer_name = r->o->tokenizer,
		.vocab = r->o->vocab };

	if (lu_shard_verify(&v, prefix, err) < 0 || lu_buf_check(&r->line, err) < 0)
		return -1;
	r->faults += v.faults;
	r->documents += v.documents;
	if (v.empty)
		lu_note("%s: %" PRIu64 " of %" PRIu64 " documents are empty, the first is document "
			"%" PRIu64 "%s%s",
				prefix, v.empty, v.documents, v.first_empty,
				v.first_empty_id[0] ? ", id " : "", v.first_empty_id);
	return put_shard(r, &v, err);
}

/* --- the run ------------------------------------------------------------------------------ */

/* An existing file or pipe has documents; any other name is the prefix of a shard. */
static bool is_file(const char *name)
{
	struct stat st;

	return strcmp(name, "-") == 0 || (stat(name, &st) == 0 && !S_ISDIR(st.st_mode));
}

/* Bytes of the operand on the disk; 0: unknown. */
static uint64_t size_of(const char *name)
{
	struct stat st;

	if (!is_file(name))
		return lu_shard_bytes(name);
	return stat(name, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* Bytes of all operands; 0 if those of one are unknown. */
static uint64_t size_of_all(const struct lu_args *args)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < args->files; i++) {
		uint64_t n = size_of(args->file[i]);

		if (n == 0)
			return 0;
		sum += n;
	}
	return sum;
}

static bool any_documents(const struct lu_args *args)
{
	for (size_t i = 0; i < args->files; i++) {
		if (is_file(args->file[i]))
			return true;
	}
	return false;
}

static int check_all(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc = 0;

	if (r->fields.n && !any_documents(args))
		return lu_err_set(err, "--text-field and --map have no effect on shards");
	lu_progress_start(&r->progress, tool.name, r->o->std.progress, size_of_all(args));
	for (size_t i = 0; rc == 0 && i < args->files; i++) {
		r->name = args->file[i];
		if (is_file(args->file[i]))
			rc = check_file(r, args->file[i], err);
		else
			rc = check_shard(r, args->file[i], err);
	}
	lu_progress_end(&r->progress);
	if (rc == 0 && r->table.cells && (!r->o->std.quiet || r->o->std.verbose))
		rc = lu_table_put(&r->table, &text, err);
	if (rc == 0 && text.n)
		fwrite(text.p, 1, text.n, stdout);
	lu_buf_release(&text);
	return rc;
}

static void name_attempt(void *ctx, const char *name, bool ended)
{
	(void)ctx;
	if (ended)
		lu_note("%s: left by an attempt that has ended; the next run removes it", name);
	else
		lu_note("%s: of an attempt that runs, or that ended on another host: remove it if "
			"none runs",
				name);
}

static int name_attempts(const struct lu_args *args, struct lu_err *err)
{
	for (size_t i = 0; i < args->files; i++) {
		if (lu_attempts_beside(args->file[i], name_attempt, NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* Write the list of files, unless it would vouch for faults. */
static int list_md5(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	struct lu_out *out = r->md5;
	int rc = 0;

	if (r->faults) {
		lu_note("%s: not written, since there are faults", r->o->md5);
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < args->files; i++)
		rc = is_file(args->file[i]) ? lu_md5_list_file(out, args->file[i], err)
					    : lu_md5_list_shard(out, args->file[i], err);
	if (rc < 0)
		return -1;
	r->md5 = NULL;
	return lu_out_commit(out, err);
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o,
		.table = { .head = lu_verify_heads,
				.columns = LU_VERIFY_COLUMNS,
				.last_left = true } };
	int rc = lu_fields_parse(&r.fields, o->std.text_field, &o->std.map, err);

	r.docs = (struct lu_verify_docs){ .max_line = o->std.max_line,
		.fields = &r.fields,
		.fault = on_line,
		.progress = on_documents,
		.ctx = &r };
	if (rc == 0)
		rc = lu_files_distinct(args->file, args->files, "", err);
	if (rc == 0)
		rc = lu_files_distinct(args->file, args->files, ".json", err);
	if (rc == 0 && o->tokenizer) {
		rc = lu_tok_load(&r.tok, o->tokenizer, err);
		if (rc == 0)
			r.tokenizer = lu_tok_hash(r.tok);
	}
	if (rc == 0 && o->md5)
		rc = lu_out_open(&r.md5, o->md5, "none", 1, err);
	if (rc == 0)
		rc = check_all(&r, args, err);
	if (rc == 0)
		rc = name_attempts(args, err);
	if (rc == 0 && o->md5)
		rc = list_md5(&r, args, err);
	if (rc == 0)
		rc = lu_stats_append(&r.stats, args, o->std.stats, err);
	lu_stats_release(&r.stats);
	lu_verify_docs_release(&r.docs);
	lu_out_abort(r.md5);
	lu_table_release(&r.table);
	lu_buf_release(&r.line);
	lu_tok_free(r.tok);
	return rc < 0 ? -1 : r.faults > 0;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &o, &args);
	return lu_tool_finish(run(&o, &args, &err), &err);
}
