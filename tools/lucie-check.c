/* lucie-check: verifies token shards and files of documents. libcommon/shard/verify.h checks
 * shards; documents are checked here. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/dedup/keyset.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/par/docstream.h"
#include "libcommon/par/fields.h"
#include "libcommon/par/inputs.h"
#include "libcommon/par/known_members.h"
#include "libcommon/shard/reader.h"
#include "libcommon/shard/verify_report.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"

struct options {
	struct lu_std std;
	const char *tokenizer;
	uint64_t vocab;
	bool json;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE",
			"require shards made with this tokenizer"),
	LU_OPT_U64(0, "vocab-size", struct options, vocab, "N", "require ids below N"),
	LU_OPT_ALIAS("vocab", "vocab-size"),
	LU_OPT_SIZE(0, "max-line", struct options, std.max_line, "SIZE", "longest record"),
	LU_OPT_FLAG(0, "json", struct options, json, "print JSON instead of a table"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-check", "verifies token shards and documents",
	"[PREFIX | FILE]...", opts, LU_STD_FIELDS | LU_STD_STATS | LU_STD_PROGRESS,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	struct lu_tok *tok;
	struct lu_hash128 tokenizer; /* hash of its file */
	const char *name;	     /* of the operand */
	uint64_t faults;
	struct lu_stats stats; /* of the files of documents */
	struct lu_keyset ids;  /* keys of (source, id), over all files */
	struct lu_arena arena;
	struct lu_buf key, line;
	struct lu_fields fields;
	struct lu_buf changed; /* the record with their names */
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

/* --- documents ---------------------------------------------------------------------------- */

/* One file of documents. */
struct file {
	struct run *r;
	const struct lu_slab *slab;
	uint64_t documents, bytes, bad, bad_bytes;
};

static int bad_line(struct file *f, const char *reason, struct lu_err *err)
{
	struct lu_err e;

	f->bad++;
	f->bad_bytes += f->slab->length + 1;
	if (f->r->o->json) {
		begin_line(f->r, "file");
		lu_json_put_u64(&f->r->line, "line", f->slab->line);
		lu_json_put_cstr(&f->r->line, "fault", reason);
		return put_line(f->r, err);
	}
	lu_err_set(&e, "%s:%" PRIu64 ": %s", f->slab->file, f->slab->line, reason);
	print_fault(e.msg);
	return 0;
}

/* Append a member to the key, strings in one spelling. */
static int add_to_key(struct run *r, const struct lu_json_member *m, struct lu_err *err)
{
	struct lu_str s = m ? m->value : LU_STR("null");

	if (m && m->type == LU_JSON_STRING) {
		if (lu_json_decode_known(m->value, m->escaped, &r->arena, &s) < 0)
			return lu_err_nomem(err);
		lu_json_quote(&r->key, s);
	} else {
		lu_buf_str(&r->key, s);
	}
	lu_buf_putc(&r->key, '\n');
	return lu_buf_check(&r->key, err);
}

/* 1 if an earlier document has the same source and id. */
static int check_id(struct run *r, const struct lu_json_obj *o, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(o, "id");
	uint32_t number;
	int rc;

	if (!id || id->type == LU_JSON_NULL)
		return 0;
	lu_buf_clear(&r->key);
	if (add_to_key(r, lu_json_get(o, "source"), err) < 0 || add_to_key(r, id, err) < 0)
		return -1;
	rc = lu_keyset_add(&r->ids, lu_hash128(r->key.p, r->key.n), &number, err);
	return rc < 0 ? -1 : rc == 0;
}

static int check_line(struct run *r, struct file *f, struct lu_str line, struct lu_err *err)
{
	struct lu_json_obj o;
	struct lu_json_fault fault;
	const char *wrong = NULL;
	int rc;

	lu_arena_reset(&r->arena);
	f->documents++;
	f->bytes += f->slab->length + 1;
	if (f->slab->too_long)
		return bad_line(f, "longer than --max-line", err);
	if (lu_json_object(line, &r->arena, &o, &fault) < 0) {
		if (fault.kind == LU_JSON_NO_MEMORY)
			return lu_err_nomem(err);
		return bad_line(f, lu_json_fault_text(fault.kind), err);
	}
	rc = lu_fields_rename(&r->fields, &o, &r->arena, &r->changed, &wrong, err);
	if (rc < 0)
		return -1;
	if (!wrong)
		wrong = lu_members_fault(&o);
	if (wrong)
		return bad_line(f, wrong, err);
	rc = check_id(r, &o, err);
	return rc > 0 ? bad_line(f, "a document of this source and \"id\" came before", err) : rc;
}

/* Count the file for the accounting line; what is wrong is dropped there. */
static int add_file(struct lu_stats *s, const struct file *f, struct lu_err *err)
{
	s->in.docs += f->documents, s->in.bytes += f->bytes;
	s->out.docs += f->documents - f->bad, s->out.bytes += f->bytes - f->bad_bytes;
	return f->bad ? lu_stats_drop(s, "bad record", f->bad, err) : 0;
}

static int put_file(struct run *r, const struct file *f, struct lu_err *err)
{
	if (r->o->json) {
		begin_line(r, "file");
		lu_json_put_u64(&r->line, "documents", f->documents);
		lu_json_put_u64(&r->line, "bytes", f->bytes);
		lu_json_put_u64(&r->line, "faults", f->bad);
		return put_line(r, err);
	}
	lu_table_u64(&r->table, f->documents);
	lu_table_cstr(&r->table, "-");
	lu_table_cstr(&r->table, "-");
	lu_table_u64(&r->table, f->bytes);
	lu_table_cstr(&r->table, "-");
	lu_table_cstr(&r->table, "-");
	lu_table_u64(&r->table, f->bad);
	lu_table_cstr(&r->table, r->name);
	return lu_buf_check(&r->table.text, err);
}

static int check_documents(struct run *r, char *path, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct file f = { .r = r, .slab = &slab };
	struct lu_str line;
	uint64_t before = 0;
	int rc = lu_lines_open(&lines, &path, 1, r->o->std.max_line, err);

	if (rc < 0)
		return -1;
	while (rc >= 0 && (rc = lu_lines_read(&lines, &slab, err)) > 0) {
		rc = lu_inputs_look(&slab, err);
		while (rc >= 0 && lu_slab_next(&slab, &line)) {
			if (slab.too_long || !lu_doc_blank_line(line)) {
				r->documents++;
				rc = check_line(r, &f, line, err);
			}
		}
		show_progress(r, lu_lines_consumed(&lines) - before);
		before = lu_lines_consumed(&lines);
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	r->faults += f.bad;
	return rc < 0 || add_file(&r->stats, &f, err) < 0 ? -1 : put_file(r, &f, err);
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
		rc = is_file(args->file[i]) ? check_documents(r, args->file[i], err)
					    : check_shard(r, args->file[i], err);
	}
	lu_progress_end(&r->progress);
	if (rc == 0 && r->table.cells && (!r->o->std.quiet || r->o->std.verbose))
		rc = lu_table_put(&r->table, &text, err);
	if (rc == 0 && text.n)
		fwrite(text.p, 1, text.n, stdout);
	lu_buf_release(&text);
	return rc;
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o,
		.table = { .head = lu_verify_heads,
				.columns = LU_VERIFY_COLUMNS,
				.last_left = true } };
	int rc = lu_fields_parse(&r.fields, o->std.text_field, &o->std.map, err);

	if (rc == 0)
		rc = lu_files_distinct(args->file, args->files, "", err);
	if (rc == 0)
		rc = lu_shards_distinct(args->file, args->files, err);
	if (rc == 0 && o->tokenizer) {
		rc = lu_tok_load(&r.tok, o->tokenizer, err);
		if (rc == 0)
			r.tokenizer = lu_tok_hash(r.tok);
	}
	if (rc == 0)
		rc = check_all(&r, args, err);
	if (rc == 0)
		rc = lu_stats_append(&r.stats, args, o->std.stats, err);
	lu_stats_release(&r.stats);
	lu_keyset_release(&r.ids);
	lu_arena_release(&r.arena);
	lu_table_release(&r.table);
	lu_buf_release(&r.line);
	lu_buf_release(&r.changed);
	lu_buf_release(&r.key);
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
