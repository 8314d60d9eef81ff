#include "libcommon/par/docstream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/base64.h"
#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/io/lines.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/pipeline.h"
#include "libcommon/sys/progress.h"

struct lu_doc_batch {
	struct lu_slab slab;
	struct lu_arena arena;
	struct lu_doc *doc;
	size_t docs, cap;
	struct lu_buf out;	/* the programs' own bytes, or the records as they are written */
	struct lu_buf repaired; /* lines that were repaired */
	uint64_t repairs;
	uint64_t consumed; /* bytes of the files, when this was read */
	struct run *run;
	unsigned thread; /* that maps it */
};

struct run {
	struct lu_docstream *ds;
	const struct lu_std *std;
	struct lu_lines lines;
	struct lu_out *out, *rejects;
	struct lu_stats stats;
	struct lu_progress progress;
	struct lu_buf scratch;
	uint64_t bad, index;
	struct lu_pipeline *pipeline;
};

/* --- what map() may call ------------------------------------------------------------------ */

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

int lu_doc_set_str(struct lu_doc *doc, const char *key, struct lu_str s, struct lu_err *err)
{
	struct lu_buf quoted = { 0 };
	struct lu_str kept = { NULL, 0 };

	lu_json_quote(&quoted, s);
	if (lu_buf_ok(&quoted))
		kept = lu_arena_str(doc->arena, lu_buf_slice(&quoted));
	lu_buf_release(&quoted);
	return kept.p ? lu_doc_set(doc, key, kept) : lu_err_nomem(err);
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
	/* What was cut is no JSON any more. */
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
	char text[32];
	struct lu_str s;

	lu_num_format(value, text);
	s = lu_doc_printf(doc, "%s", text);
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

struct shared_work {
	int (*work)(void *ctx, void *local, size_t i, struct lu_err *err);
	void *ctx;
	const struct lu_docstream *ds;
};

static int do_shared_work(void *ctx, unsigned thread, size_t i, struct lu_err *err)
{
	const struct shared_work *w = ctx;

	return w->work(w->ctx, local_of(w->ds, thread), i, err);
}

int lu_doc_share(struct lu_doc *doc, size_t count,
		int (*work)(void *ctx, void *local, size_t i, struct lu_err *err), void *ctx,
		struct lu_err *err)
{
	struct run *r = doc->batch->run;
	struct shared_work w = { work, ctx, r->ds };

	return lu_pipeline_share(r->pipeline, doc->batch->thread, count, do_shared_work, &w, err);
}

bool lu_doc_string(struct lu_doc *doc, const char *key, struct lu_str *out)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, key);

	if (!m || m->type != LU_JSON_STRING)
		return false;
	return lu_json_decode_known(m->value, m->escaped, doc->arena, out) == 0;
}

/* --- the three steps ---------------------------------------------------------------------- */

static int read_batch(void *ctx, void *batch, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_doc_batch *b = batch;
	int rc;

	/* Memory that one huge record took is given back, not kept in every batch. */
	if (b->slab.bytes.cap > 8 * LU_SLAB) {
		lu_arena_release(&b->arena);
		lu_buf_release(&b->out);
		lu_buf_release(&b->repaired);
	}
	lu_arena_reset(&b->arena);
	lu_buf_clear(&b->out);
	lu_buf_clear(&b->repaired);
	b->docs = 0;
	b->repairs = 0;
	rc = lu_lines_read(&r->lines, &b->slab, err);
	/* Now, for the progress line: while a batch is written, another thread reads on. */
	b->consumed = lu_lines_consumed(&r->lines);
	return rc;
}

static bool only_blanks(struct lu_str line)
{
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
			return false;
	}
	return true;
}

static struct lu_doc *new_doc(struct lu_doc_batch *b, struct lu_str line)
{
	struct lu_doc *doc;

	if (b->docs == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 256;
		struct lu_doc *bigger = realloc(b->doc, cap * sizeof(*bigger));

		if (!bigger)
			return NULL;
		b->doc = bigger;
		b->cap = cap;
	}
	doc = &b->doc[b->docs++];
	/* Not the whole struct: the edits are 384 bytes that `edits` already says are unused. */
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

/* Scans again what lu_json_repair() made of the line. The repaired line is kept in the arena. */
static int repair(struct lu_doc_batch *b, struct lu_doc *doc, struct lu_json_fault *fault)
{
	struct lu_str fixed;
	size_t repaired;

	lu_buf_clear(&b->repaired);
	repaired = lu_json_repair(doc->obj.line, &b->repaired);
	fixed = (struct lu_str){ NULL, 0 };
	if (lu_buf_ok(&b->repaired))
		fixed = lu_arena_str(&b->arena, lu_buf_slice(&b->repaired));
	if (!fixed.p) {
		fault->kind = LU_JSON_NO_MEMORY;
		return -1;
	}
	if (lu_json_object(fixed, &b->arena, &doc->obj, fault) < 0)
		return -1;
	b->repairs += repaired;
	return 0;
}

/* Fills obj and text, or marks the record bad. */
static int parse(struct run *r, struct lu_doc_batch *b, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_str line = doc->obj.line;
	const struct lu_json_member *m;
	int rc;

	if (doc->too_long) {
		lu_doc_bad(doc, "longer than --max-line");
		doc->value = lu_doc_printf(doc, "%llu", (unsigned long long)doc->length);
		return 0;
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
	m = lu_json_get(&doc->obj, "text");
	if (m && m->type == LU_JSON_STRING) {
		if (lu_json_decode_known(m->value, m->escaped, &b->arena, &doc->text) < 0)
			return lu_err_nomem(err);
	} else if (!(r->ds->flags & LU_DOCSTREAM_TEXTLESS)) {
		return lu_doc_bad(doc, m ? "\"text\" is not a string" : "no \"text\"");
	}
	return 0;
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

		if (only_blanks(line) && !b->slab.too_long)
			continue;
		doc = new_doc(b, line);
		if (!doc)
			return lu_err_nomem(err);
		if (parse(r, b, doc, err) < 0)
			return -1;
		if (doc->verdict == LU_KEEP && r->ds->map &&
				r->ds->map(r->ds->ctx, local_of(r->ds, thread), doc, err) < 0)
			return lu_err_wrap(
					err, "%s:%llu", doc->file, (unsigned long long)doc->line);
		/* Formatting the record belongs to the parallel part too, where nothing is decided
		 * later. */
		if (doc->verdict == LU_KEEP && doc->edits && !r->ds->decide &&
				!(r->ds->flags & LU_DOCSTREAM_SILENT) && !doc->own_out) {
			lu_json_rewrite(&doc->obj, doc->edit, doc->edits, lu_doc_out(doc));
			lu_buf_putc(&b->out, '\n');
			lu_doc_out_end(doc);
		}
	}
	return lu_buf_check(&b->out, err);
}

static int reject(struct run *r, const struct lu_doc *doc, struct lu_err *err)
{
	struct lu_buf *b = &r->scratch;
	struct lu_str line = doc->raw;
	struct lu_json_fault fault;
	enum lu_json_type type;

	if (!r->rejects)
		return 0;
	lu_buf_clear(b);
	lu_buf_puts(b, "{\"file\":");
	lu_json_quote(b, lu_str_of(doc->file));
	lu_buf_printf(b, ",\"line\":%llu,\"reason\":", (unsigned long long)doc->line);
	lu_json_quote(b, lu_str_of(doc->reason));
	lu_buf_puts(b, ",\"value\":");
	lu_buf_str(b, doc->value);
	if (lu_json_check(line, &type, &fault) == 0) {
		while (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		lu_buf_puts(b, ",\"record\":");
		lu_buf_str(b, line);
	} else {
		lu_buf_puts(b, ",\"raw_base64\":\"");
		lu_base64(b, line);
		lu_buf_putc(b, '"');
	}
	lu_buf_puts(b, "}\n");
	return lu_out_buf(r->rejects, b, err);
}

/* Counts and keeps what is not kept; -1 when the run has to end because of it. */
static int not_kept(struct run *r, const struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_std *std = r->std;
	/* With what was found, where that says more. */
	bool told = doc->value.n > 0 && doc->value.n <= 40 && !lu_str_is(doc->value, "null");
	char what[128];

	snprintf(what, sizeof(what), "%s%s" LU_STR_FMT, doc->reason, told ? ": " : "",
			LU_STR_ARG(told ? doc->value : LU_STR("")));
	if (doc->verdict == LU_BAD) {
		uint64_t bound = std->max_bad_given ? std->max_bad : std->rejects ? UINT64_MAX : 0;

		if (r->bad++ >= bound) {
			if (bound)
				return lu_err_set(err, "%s:%llu: %s (more than %llu bad records)",
						doc->file, (unsigned long long)doc->line, what,
						(unsigned long long)bound);
			return lu_err_set(err, "%s:%llu: %s", doc->file,
					(unsigned long long)doc->line, what);
		}
		lu_detail("%s:%llu: %s (skipped)", doc->file, (unsigned long long)doc->line, what);
	}
	if (lu_stats_drop(&r->stats, doc->reason, 1, err) < 0)
		return -1;
	return reject(r, doc, err);
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
		if (r->out && lu_out_write(r->out, bytes.p, bytes.n, err) < 0)
			return -1;
		r->stats.out.docs++;
		r->stats.out.bytes += bytes.n;
	}
	if (doc->repeat > 1)
		r->stats.repeated += doc->repeat - 1;
	return 0;
}

int lu_docstream_put(struct lu_docstream *ds, struct lu_doc *doc, struct lu_err *err)
{
	if (doc->verdict == LU_KEEP)
		return emit(ds->run, doc, err);
	return not_kept(ds->run, doc, err);
}

/*
 * A stretch of records that go out as they came in is one write straight from the slab: most
 * documents of most filters are such.
 */
static int write_batch(void *ctx, void *batch, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_doc_batch *b = batch;
	const char *from = NULL, *to = NULL;

	for (size_t i = 0; i < b->docs; i++) {
		struct lu_doc *doc = &b->doc[i];
		struct lu_str line = doc->obj.line;
		bool whole;

		r->stats.in.docs++;
		r->stats.in.bytes += doc->length + 1;
		doc->index = r->index++;
		if (doc->verdict == LU_KEEP && r->ds->decide &&
				r->ds->decide(r->ds->ctx, doc, err) < 0)
			return -1;
		whole = doc->verdict == LU_KEEP && !doc->own_out && doc->edits == 0 &&
				doc->repeat == 1 && line.p >= b->slab.bytes.p &&
				line.p + line.n < b->slab.bytes.p + b->slab.bytes.n;
		if (from && (!whole || line.p != to)) {
			if (r->out && lu_out_write(r->out, from, (size_t)(to - from), err) < 0)
				return -1;
			from = NULL;
		}
		if (whole) {
			from = from ? from : line.p;
			to = line.p + line.n + 1;
			r->stats.out.docs++;
			r->stats.out.bytes += line.n + 1;
		} else if (doc->verdict == LU_HOLD) {
			continue;
		} else if (doc->verdict != LU_KEEP ? not_kept(r, doc, err) < 0
						   : emit(r, doc, err) < 0) {
			return -1;
		}
	}
	if (from && r->out && lu_out_write(r->out, from, (size_t)(to - from), err) < 0)
		return -1;
	r->ds->repaired += b->repairs;
	lu_progress_update(&r->progress, b->consumed, r->stats.in.docs);
	return 0;
}

/* --- the run ------------------------------------------------------------------------------ */

static void batch_free(struct lu_doc_batch *b)
{
	if (!b)
		return;
	lu_arena_release(&b->arena);
	lu_buf_release(&b->slab.bytes);
	lu_buf_release(&b->out);
	lu_buf_release(&b->repaired);
	free(b->doc);
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

static void note_losses(const struct lu_stats *s)
{
	uint64_t dropped = lu_stats_dropped(s);

	if (dropped > s->in.docs / 2)
		lu_note("%llu of %llu documents dropped, more than half",
				(unsigned long long)dropped, (unsigned long long)s->in.docs);
}

static bool is_stdout(const char *name)
{
	return !name || strcmp(name, "-") == 0;
}

static int open_outputs(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	const struct lu_std *std = r->std;
	bool silent = r->ds->flags & LU_DOCSTREAM_SILENT;

	if (std->rejects && is_stdout(std->rejects) && !silent && is_stdout(std->output))
		return lu_err_set(err, "--rejects: standard output carries the documents");
	if (!silent &&
			(lu_out_open(&r->out, std->output, std->compress, std->threads, err) < 0 ||
					lu_out_refuse(r->out, args->file, args->files, err) < 0))
		return -1;
	if (std->rejects &&
			(lu_out_open(&r->rejects, std->rejects, NULL, std->threads, err) < 0 ||
					lu_out_refuse(r->rejects, args->file, args->files, err) <
							0))
		return -1;
	return 0;
}

static int commit(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	int rc = 0;

	if (r->rejects)
		rc = lu_out_commit(r->rejects, err);
	r->rejects = NULL;
	if (rc == 0 && r->out) {
		rc = lu_out_commit(r->out, err);
		r->out = NULL;
	}
	if (rc == 0 && !(r->ds->flags & LU_DOCSTREAM_NO_STATS))
		rc = lu_stats_append(&r->stats, args, r->std->stats, err);
	return rc;
}

int lu_docstream_run(struct lu_docstream *ds, const struct lu_std *std, const struct lu_args *args,
		struct lu_err *err)
{
	struct run r = { .ds = ds, .std = std };
	int rc = -1;

	ds->repaired = 0;
	ds->run = &r;
	if (lu_lines_open(&r.lines, args->file, args->files, std->max_line, err) < 0 ||
			open_outputs(&r, args, err) < 0 || make_locals(&r, err) < 0)
		goto out;
	lu_progress_start(&r.progress, args->tool->name, std->progress, r.lines.total_bytes);
	rc = run_pipeline(&r, err);
	lu_progress_end(&r.progress);
	if (rc == 0 && ds->finish)
		rc = ds->finish(ds->ctx, &r.stats, err);
	if (rc == 0 && (ds->flags & LU_DOCSTREAM_SELECTS))
		note_losses(&r.stats);
	if (rc == 0)
		rc = commit(&r, args, err);
	if (rc == 0 && ds->stats) {
		*ds->stats = r.stats;
		r.stats = (struct lu_stats){ 0 };
	}
out:
	lu_out_abort(r.out);
	lu_out_abort(r.rejects);
	lu_lines_close(&r.lines);
	free_locals(ds);
	lu_buf_release(&r.scratch);
	lu_stats_release(&r.stats);
	ds->run = NULL;
	return rc;
}
