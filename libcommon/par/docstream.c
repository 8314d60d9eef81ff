#include "libcommon/par/docstream.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/base/vec.h"
#include "libcommon/io/lines.h"
#include "libcommon/par/account.h"
#include "libcommon/par/fields.h"
#include "libcommon/par/inputs.h"
#include "libcommon/par/pipeline.h"
#include "libcommon/sys/progress.h"

struct lu_doc_batch {
	struct lu_slab slab;
	struct lu_arena arena;
	struct LU_VEC(struct lu_doc) docs;
	struct lu_buf out;     /* programs' own bytes and rewritten records */
	struct lu_buf changed; /* scratch: a record repaired, or with its fields renamed */
	uint64_t repairs;
	uint64_t consumed; /* bytes of the files up to this batch */
	struct run *run;
	unsigned thread; /* the one that maps it */
};

struct run {
	struct lu_docstream *ds;
	const struct lu_std *std;
	struct lu_inputs inputs;
	struct lu_lines lines;
	struct lu_fields fields;
	struct lu_account account;
	struct lu_progress progress;
	struct lu_buf scratch;
	uint64_t index;	    /* of the next document */
	atomic_uint mapped; /* bit i: some record has the target of field i */
	struct lu_pipeline *pipeline;
};

/* Reasons that are told by their address: the message names the member by its name in the file. */
static const char no_text[] = "no \"text\"", not_a_string[] = "\"text\" is not a string";

/* --- operations on a document -------------------------------------------------------------- */

int lu_doc_set(struct lu_doc *doc, const char *key, struct lu_str value)
{
	for (size_t i = 0; i < doc->edits; i++) {
		if (strcmp(doc->edit[i].key, key) == 0) {
			doc->edit[i].value = value;
			return 0;
		}
	}
	LU_ASSERT(doc->edits < LU_DOC_EDITS);
	doc->edit[doc->edits++] = (struct lu_json_edit){ key, value };
	return 0;
}

int lu_doc_set_json(
		struct lu_doc *doc, const char *key, const struct lu_buf *json, struct lu_err *err)
{
	struct lu_str kept = { NULL, 0 };

	if (lu_buf_ok(json))
		kept = lu_arena_str(doc->arena, lu_buf_slice(json));
	return kept.p ? lu_doc_set(doc, key, kept) : lu_err_nomem(err);
}

struct lu_str lu_doc_quote(struct lu_doc *doc, struct lu_str s)
{
	struct lu_buf quoted = { 0 };
	struct lu_str kept = { NULL, 0 };

	lu_json_quote(&quoted, s);
	if (lu_buf_ok(&quoted))
		kept = lu_arena_str(doc->arena, lu_buf_slice(&quoted));
	lu_buf_release(&quoted);
	return kept;
}

int lu_doc_set_str(struct lu_doc *doc, const char *key, struct lu_str s, struct lu_err *err)
{
	struct lu_str quoted = lu_doc_quote(doc, s);

	return quoted.p ? lu_doc_set(doc, key, quoted) : lu_err_nomem(err);
}

int lu_doc_set_text(struct lu_doc *doc, struct lu_str text, struct lu_err *err)
{
	doc->text = text;
	return lu_doc_set_str(doc, "text", text, err);
}

struct lu_str lu_doc_printf(struct lu_doc *doc, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	struct lu_str s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* A truncated value would not be JSON. */
	if (n < 0 || (size_t)n >= sizeof(text))
		return LU_STR("null");
	s = lu_arena_str(doc->arena, (struct lu_str){ text, (size_t)n });
	return s.p ? s : LU_STR("null");
}

int lu_doc_drop(struct lu_doc *doc, const char *reason, const struct lu_str *value)
{
	doc->verdict = LU_DROP;
	doc->reason = reason;
	doc->value = value ? *value : LU_STR("null");
	return 0;
}

int lu_doc_drop_number(struct lu_doc *doc, const char *reason, double value)
{
	struct lu_buf json = { 0 };
	struct lu_str s;

	lu_json_number(&json, value);
	s = lu_doc_printf(doc, LU_STR_FMT, LU_STR_ARG(lu_buf_slice(&json)));
	lu_buf_release(&json);
	return lu_doc_drop(doc, reason, &s);
}

int lu_doc_hold(struct lu_doc *doc)
{
	doc->verdict = LU_HOLD;
	return 0;
}

int lu_doc_bad(struct lu_doc *doc, const char *reason)
{
	doc->verdict = LU_BAD;
	doc->reason = reason;
	doc->value = LU_STR("null");
	return 0;
}

int lu_doc_bad_value(struct lu_doc *doc, const char *reason, struct lu_str value)
{
	lu_doc_bad(doc, reason);
	doc->value = value;
	return 0;
}

struct lu_buf *lu_doc_out(struct lu_doc *doc)
{
	doc->own_out = true;
	doc->out_from = doc->batch->out.n;
	return &doc->batch->out;
}

void lu_doc_out_end(struct lu_doc *doc)
{
	doc->out_to = doc->batch->out.n;
}

static void *local_of(const struct lu_docstream *ds, unsigned thread)
{
	return ds->local ? ds->local[thread] : NULL;
}

struct loop {
	int (*work)(void *ctx, void *local, size_t i, struct lu_err *err);
	void *ctx;
	const struct lu_docstream *ds;
};

static int loop_step(void *ctx, unsigned thread, size_t i, struct lu_err *err)
{
	const struct loop *l = ctx;

	return l->work(l->ctx, local_of(l->ds, thread), i, err);
}

int lu_doc_parallel_for(struct lu_doc *doc, size_t count,
		int (*work)(void *ctx, void *local, size_t i, struct lu_err *err), void *ctx,
		struct lu_err *err)
{
	struct run *r = doc->batch->run;
	struct loop loop = { work, ctx, r->ds };

	return lu_pipeline_parallel_for(
			r->pipeline, doc->batch->thread, count, loop_step, &loop, err);
}

bool lu_doc_string(struct lu_doc *doc, const char *key, struct lu_str *out)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, key);

	if (!m || m->type != LU_JSON_STRING)
		return false;
	return lu_json_decode_known(m->value, m->escaped, doc->arena, out) == 0;
}

/* --- steps of the pipeline ----------------------------------------------------------------- */

static int read_batch(void *ctx, void *batch, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_doc_batch *b = batch;
	int rc;

	/* Do not keep the memory of one huge record in every batch. */
	if (b->slab.bytes.cap > 8 * LU_SLAB) {
		lu_arena_release(&b->arena);
		lu_buf_release(&b->out);
		lu_buf_release(&b->changed);
	}
	lu_arena_reset(&b->arena);
	lu_buf_clear(&b->out);
	lu_buf_clear(&b->changed);
	b->docs.n = 0;
	b->repairs = 0;
	rc = lu_lines_read(&r->lines, &b->slab, err);
	if (rc > 0 && lu_inputs_look(&b->slab, err) < 0)
		return -1;
	/* Recorded now: while this batch is written another thread reads on. */
	b->consumed = lu_lines_consumed(&r->lines);
	return rc;
}

static struct lu_doc *new_doc(struct lu_doc_batch *b, struct lu_str line)
{
	struct lu_doc *doc;

	if (!lu_vec_reserve(&b->docs, 1))
		return NULL;
	doc = &b->docs.p[b->docs.n++];
	/* Field by field: clearing the 384 bytes of edit[] for each document would cost. */
	doc->raw = line;
	doc->length = b->slab.length;
	doc->too_long = b->slab.too_long;
	doc->obj = (struct lu_json_obj){ .line = line };
	doc->text = (struct lu_str){ "", 0 };
	doc->file = b->slab.file;
	doc->line = b->slab.line;
	doc->arena = &b->arena;
	doc->user = NULL;
	doc->verdict = LU_KEEP;
	doc->reason = NULL;
	doc->value = (struct lu_str){ NULL, 0 };
	doc->edits = 0;
	doc->own_out = false;
	doc->out_from = doc->out_to = 0;
	doc->repeat = 1;
	doc->batch = b;
	return doc;
}

/* Scan b->changed in place of the line, as a copy in the arena. */
static int scan_changed(struct lu_doc_batch *b, struct lu_doc *doc, struct lu_json_fault *fault)
{
	struct lu_str copy = { NULL, 0 };

	if (lu_buf_ok(&b->changed))
		copy = lu_arena_str(&b->arena, lu_buf_slice(&b->changed));
	if (!copy.p) {
		fault->kind = LU_JSON_NO_MEMORY;
		return -1;
	}
	return lu_json_object(copy, &b->arena, &doc->obj, fault);
}

static int repair(struct lu_doc_batch *b, struct lu_doc *doc, struct lu_json_fault *fault)
{
	size_t repaired;

	lu_buf_clear(&b->changed);
	repaired = lu_json_repair(doc->obj.line, &b->changed);
	if (scan_changed(b, doc, fault) < 0)
		return -1;
	b->repairs += repaired;
	return 0;
}

/* Give the members that --text-field and --map name the names that we know. */
static int rename_fields(
		struct run *r, struct lu_doc_batch *b, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_json_fault fault = { 0 };
	const char *reason = NULL;
	int rc;

	lu_buf_clear(&b->changed);
	rc = lu_fields_apply(&r->fields, &doc->obj, &b->arena, &b->changed, &reason);
	if (rc < 0)
		return reason ? lu_doc_bad(doc, reason) : lu_err_nomem(err);
	if (rc > 0 && scan_changed(b, doc, &fault) < 0)
		return lu_json_fail(&fault, err);
	return 0;
}

/* Remember which targets of --map are there, for note_unmapped(). */
static void look_for_targets(struct run *r, const struct lu_doc *doc)
{
	unsigned seen = atomic_load(&r->mapped);

	for (size_t i = 0; i < r->fields.n; i++) {
		if (!(seen >> i & 1) && lu_json_get(&doc->obj, r->fields.field[i].target))
			atomic_fetch_or(&r->mapped, 1u << i);
	}
}

static int find_text(struct run *r, struct lu_doc_batch *b, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, "text");

	if (m && m->type == LU_JSON_STRING) {
		if (lu_json_decode_known(m->value, m->escaped, &b->arena, &doc->text) < 0)
			return lu_err_nomem(err);
	} else if (!(r->ds->flags & LU_DOCSTREAM_TEXTLESS)) {
		return lu_doc_bad(doc, m ? not_a_string : no_text);
	}
	return 0;
}

/* Fills obj and text, or marks the record as bad. */
static int parse(struct run *r, struct lu_doc_batch *b, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_str line = doc->obj.line;
	int rc;

	if (doc->too_long) {
		lu_doc_bad(doc, "longer than --max-line");
		doc->value = lu_doc_printf(doc, "%" PRIu64, doc->length);
		return 0;
	}
	if (r->ds->flags & LU_DOCSTREAM_LINES) {
		doc->text = line;
		return lu_utf8_valid(line.p, line.n) == line.n
				? 0
				: lu_doc_bad(doc, lu_json_fault_text(LU_JSON_BAD_UTF8));
	}
	rc = lu_json_object(line, &b->arena, &doc->obj, &fault);
	if (rc < 0 && (r->ds->flags & LU_DOCSTREAM_REPAIR) &&
			(fault.kind == LU_JSON_BAD_UTF8 || fault.kind == LU_JSON_LONE_SURROGATE)) {
		doc->obj.line = line;
		rc = repair(b, doc, &fault);
	}
	if (rc < 0 && fault.kind == LU_JSON_NO_MEMORY)
		return lu_err_nomem(err);
	if (rc < 0) {
		doc->obj = (struct lu_json_obj){ .line = line };
		return lu_doc_bad(doc, lu_json_fault_text(fault.kind));
	}
	if (r->fields.n) {
		if (rename_fields(r, b, doc, err) < 0)
			return -1;
		look_for_targets(r, doc);
	}
	return doc->verdict == LU_BAD ? 0 : find_text(r, b, doc, err);
}

static int map_batch(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_doc_batch *b = batch;
	struct lu_str line;

	b->run = r;
	b->thread = thread;
	while (lu_slab_next(&b->slab, &line)) {
		struct lu_doc *doc;

		if (lu_doc_blank_line(line) && !b->slab.too_long &&
				!(r->ds->flags & LU_DOCSTREAM_LINES))
			continue;
		doc = new_doc(b, line);
		if (!doc)
			return lu_err_nomem(err);
		if (parse(r, b, doc, err) < 0)
			return -1;
		if (doc->verdict == LU_KEEP && r->ds->map &&
				r->ds->map(r->ds->ctx, local_of(r->ds, thread), doc, err) < 0)
			return lu_err_wrap(err, "%s:%" PRIu64, doc->file, doc->line);
		/* Without decide() the record is final: format it here, in parallel. */
		if (doc->verdict == LU_KEEP && doc->edits && !r->ds->decide &&
				!(r->ds->flags & LU_DOCSTREAM_SILENT) && !doc->own_out) {
			lu_json_rewrite(&doc->obj, doc->edit, doc->edits, lu_doc_out(doc));
			lu_buf_putc(&b->out, '\n');
			lu_doc_out_end(doc);
		}
	}
	return lu_buf_check(&b->out, err);
}

/* The member that holds the text, by its name in the file. */
static struct lu_str text_name(const struct run *r)
{
	const struct lu_str *path = lu_fields_path(&r->fields, "text");

	return path ? *path : LU_STR("text");
}

/* "file:line: no "text" member; it has "content", "id": try --text-field content". */
static void describe_textless(const struct run *r, const struct lu_doc *doc, struct lu_err *message)
{
	struct lu_str name = text_name(r);
	struct lu_buf hint = { 0 };

	lu_fields_suggest(&doc->obj, &hint);
	lu_err_set(message, "%s:%" PRIu64 ": no \"" LU_STR_FMT "\" member; " LU_STR_FMT, doc->file,
			doc->line, LU_STR_ARG(name), LU_STR_ARG(lu_buf_slice(&hint)));
	lu_buf_release(&hint);
}

/* "file:line: reason", with the value where it is short. */
static void describe_bad(const struct run *r, const struct lu_doc *doc, struct lu_err *message)
{
	bool has_value = doc->value.n > 0 && doc->value.n <= 40 && !lu_str_is(doc->value, "null");

	if (doc->reason == no_text)
		describe_textless(r, doc, message);
	else if (doc->reason == not_a_string)
		lu_err_set(message, "%s:%" PRIu64 ": \"" LU_STR_FMT "\" is not a string", doc->file,
				doc->line, LU_STR_ARG(text_name(r)));
	else
		lu_err_set(message, "%s:%" PRIu64 ": %s%s" LU_STR_FMT, doc->file, doc->line,
				doc->reason, has_value ? ": " : "",
				LU_STR_ARG(has_value ? doc->value : LU_STR("")));
}

static int drop(struct run *r, const struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_reject reject = { doc->file, doc->line, doc->reason, doc->value, doc->raw };
	struct lu_err message;

	if (doc->verdict == LU_BAD) {
		describe_bad(r, doc, &message);
		if (lu_account_bad(&r->account, message.msg, err) < 0)
			return -1;
	}
	return lu_account_drop(&r->account, &reject, err);
}

static int emit(struct run *r, const struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str bytes;

	if (doc->own_out) {
		bytes = (struct lu_str){ doc->batch->out.p + doc->out_from,
			doc->out_to - doc->out_from };
	} else {
		struct lu_buf *s = &r->scratch;

		lu_buf_clear(s);
		if (doc->edits)
			lu_json_rewrite(&doc->obj, doc->edit, doc->edits, s);
		else
			lu_buf_str(s, doc->obj.line);
		lu_buf_putc(s, '\n');
		if (lu_buf_check(s, err) < 0)
			return -1;
		bytes = lu_buf_slice(s);
	}
	for (uint64_t i = 0; i < doc->repeat; i++) {
		if (lu_account_write(&r->account, bytes, 1, err) < 0)
			return -1;
	}
	if (doc->repeat > 1)
		r->account.stats.repeated += doc->repeat - 1;
	return 0;
}

int lu_docstream_put(struct lu_docstream *ds, struct lu_doc *doc, struct lu_err *err)
{
	if (doc->verdict == LU_KEEP)
		return emit(ds->run, doc, err);
	return drop(ds->run, doc, err);
}

/* Adjacent records that are written unchanged. */
struct span {
	const char *from, *to; /* from NULL: none */
	uint64_t docs;
};

static int write_span(struct run *r, struct span *s, struct lu_err *err)
{
	struct lu_str bytes = { s->from, (size_t)(s->to - s->from) };
	uint64_t docs = s->docs;

	*s = (struct span){ 0 };
	return docs ? lu_account_write(&r->account, bytes, docs, err) : 0;
}

/* True if the record can be written from the slab: not a repaired copy, and with its newline. */
static bool is_unchanged(const struct lu_doc_batch *b, const struct lu_doc *doc)
{
	struct lu_str line = doc->obj.line;

	return doc->verdict == LU_KEEP && !doc->own_out && doc->edits == 0 && doc->repeat == 1 &&
			line.p >= b->slab.bytes.p &&
			line.p + line.n < b->slab.bytes.p + b->slab.bytes.n;
}

/* Most documents of most filters are unchanged, and adjacent ones are written straight from the
 * slab in one piece. */
static int write_batch(void *ctx, void *batch, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_doc_batch *b = batch;
	struct lu_stats *stats = &r->account.stats;
	struct span span = { 0 };

	if (lu_inputs_count(&r->inputs, b->slab.file, b->docs.n, err) < 0)
		return -1;
	for (size_t i = 0; i < b->docs.n; i++) {
		struct lu_doc *doc = &b->docs.p[i];
		struct lu_str line = doc->obj.line;
		bool unchanged;
		int rc = 0;

		stats->in.docs++;
		stats->in.bytes += doc->length + 1;
		doc->index = r->index++;
		if (doc->verdict == LU_KEEP && r->ds->decide &&
				r->ds->decide(r->ds->ctx, doc, err) < 0)
			return -1;
		unchanged = is_unchanged(b, doc);
		if (!unchanged || line.p != span.to)
			rc = write_span(r, &span, err);
		if (rc == 0 && unchanged) {
			span.from = span.from ? span.from : line.p;
			span.to = line.p + line.n + 1;
			span.docs++;
		} else if (rc == 0 && doc->verdict != LU_HOLD) {
			rc = lu_docstream_put(r->ds, doc, err);
		}
		if (rc < 0)
			return -1;
	}
	r->ds->repaired += b->repairs;
	lu_progress_update(&r->progress, b->consumed, stats->in.docs);
	return write_span(r, &span, err);
}

/* --- the run ------------------------------------------------------------------------------- */

static void batch_free(struct lu_doc_batch *b)
{
	if (!b)
		return;
	lu_arena_release(&b->arena);
	lu_buf_release(&b->slab.bytes);
	lu_buf_release(&b->out);
	lu_buf_release(&b->changed);
	lu_vec_release(&b->docs);
	free(b);
}

static int run_pipeline(struct run *r, struct lu_err *err)
{
	struct lu_pipeline p = { .threads = (unsigned)r->std->threads,
		.ctx = r,
		.read = read_batch,
		.map = map_batch,
		.write = write_batch };
	int rc = -1;

	p.batches = lu_pipeline_batches(p.threads);
	p.batch = calloc(p.batches, sizeof(*p.batch));
	if (!p.batch)
		return lu_err_nomem(err);
	for (size_t i = 0; i < p.batches; i++) {
		p.batch[i] = calloc(1, sizeof(struct lu_doc_batch));
		if (!p.batch[i]) {
			lu_err_nomem(err);
			goto out;
		}
	}
	r->pipeline = &p;
	rc = lu_pipeline_run(&p, err);
out:
	for (size_t i = 0; i < p.batches; i++)
		batch_free(p.batch[i]);
	free(p.batch);
	return rc;
}

static int make_locals(struct run *r, struct lu_err *err)
{
	struct lu_docstream *ds = r->ds;

	if (ds->local_size == 0)
		return 0;
	ds->local = calloc((size_t)r->std->threads, sizeof(*ds->local));
	if (!ds->local)
		return lu_err_nomem(err);
	while (ds->locals < (size_t)r->std->threads) {
		void *local = calloc(1, ds->local_size);

		if (!local)
			return lu_err_nomem(err);
		ds->local[ds->locals++] = local;
		if (ds->local_init && ds->local_init(ds->ctx, local, err) < 0)
			return -1;
	}
	return 0;
}

static void free_locals(struct lu_docstream *ds)
{
	for (size_t i = 0; i < ds->locals; i++) {
		if (ds->local_free)
			ds->local_free(ds->local[i]);
		free(ds->local[i]);
	}
	free(ds->local);
	ds->local = NULL;
	ds->locals = 0;
}

/* A path of --map that no record has is a typo, or a member that is always absent. A text that is
 * missing makes its record bad. */
static void note_unmapped(struct run *r)
{
	unsigned seen = atomic_load(&r->mapped);

	for (size_t i = 0; r->account.stats.in.docs > 0 && i < r->fields.n; i++) {
		const struct lu_field *f = &r->fields.field[i];

		if (!(seen >> i & 1) && strcmp(f->target, "text") != 0)
			lu_note("--map %s=" LU_STR_FMT ": no record has this member", f->target,
					LU_STR_ARG(f->path));
	}
}

static int finish(struct run *r, struct lu_err *err)
{
	struct lu_docstream *ds = r->ds;
	struct lu_account *a = &r->account;

	for (size_t i = 0; ds->merge && i < ds->locals; i++) {
		if (ds->merge(ds->ctx, ds->local[i], err) < 0)
			return -1;
	}
	if (ds->finish && ds->finish(ds->ctx, &a->stats, err) < 0)
		return -1;
	if (lu_account_settle(a, err) < 0)
		return -1;
	if (!(ds->flags & LU_DOCSTREAM_NO_STATS) && lu_account_append(a, err) < 0)
		return -1;
	/* The documents appear last. */
	if ((ds->commit && ds->commit(ds->ctx, err) < 0) || lu_account_commit(a, err) < 0)
		return -1;
	if (!(ds->flags & LU_DOCSTREAM_NO_STATS))
		lu_account_summary(a, "documents", ds->flags & LU_DOCSTREAM_SELECTS);
	if (ds->stats) {
		*ds->stats = a->stats;
		a->stats = (struct lu_stats){ 0 };
	}
	return 0;
}

int lu_docstream_run(struct lu_docstream *ds, const struct lu_std *std, const struct lu_args *args,
		struct lu_err *err)
{
	struct run r = { .ds = ds, .std = std };
	int rc = -1;

	ds->repaired = 0;
	ds->run = &r;
	if (lu_fields_parse(&r.fields, std->text_field, &std->map, err) < 0 ||
			lu_inputs_open(&r.inputs, args->file, args->files, std->allow_empty, err) <
					0 ||
			lu_lines_open(&r.lines, args->file, args->files, std->max_line, err) < 0 ||
			lu_account_open(&r.account, std, args, ds->flags & LU_DOCSTREAM_SILENT,
					err) < 0 ||
			make_locals(&r, err) < 0)
		goto out;
	lu_progress_start(&r.progress, args->tool->name, lu_account_progress(&r.account),
			r.lines.total_bytes);
	rc = run_pipeline(&r, err);
	lu_progress_end(&r.progress);
	if (rc == 0)
		note_unmapped(&r);
	if (rc == 0)
		rc = lu_inputs_end(&r.inputs, err);
	if (rc == 0)
		rc = finish(&r, err);
out:
	lu_account_close(&r.account);
	lu_lines_close(&r.lines);
	free_locals(ds);
	lu_buf_release(&r.scratch);
	ds->run = NULL;
	return rc;
}
