#include <inttypes.h>

#include "libcommon/dedup/dedup_state.h"
#include "libcommon/dedup/doc_key.h"
#include "libcommon/dedup/estimate.h"
#include "libcommon/dedup/near_run.h"
#include "libcommon/par/held.h"

/* Members that options name. */
enum { KEY, BY, KEEP, MEMBERS };

struct run {
	struct lu_dedup_state state;
	struct lu_docstream stream;
	struct lu_near_run *near;
	struct lu_held held; /* without near: documents whose verdict comes at the end */
	uint64_t docs;	     /* marked so far */
	bool seen[MEMBERS];  /* some document has it */
	uint64_t first_held; /* number of the first document held */
	struct lu_out *log;
};

/* Computed by map(), used by decide(). */
struct facts {
	bool has_key;
	struct lu_hash128 key;
	uint64_t rank;
	void *near;
	bool has[MEMBERS];
};

static const char *member_of(const struct lu_dedup_options *o, int member)
{
	return member == KEY ? o->key : member == BY ? o->by : o->keep.field;
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	const struct lu_dedup_options *o = r->state.d->o;
	struct facts *f = lu_arena_alloc(doc->arena, sizeof(*f));
	int rc;

	if (!f)
		return lu_err_nomem(err);
	*f = (struct facts){ 0 };
	doc->user = f;
	for (int i = 0; i < MEMBERS; i++)
		f->has[i] = member_of(o, i) && lu_json_get(&doc->obj, member_of(o, i));
	if (o->exact) {
		rc = lu_doc_key(o, doc, &f->key, err);
		if (rc < 0 ||
				lu_keep_rank(&o->keep, &doc->obj, doc->text.n, doc->arena, &f->rank,
						err) < 0)
			return -1;
		f->has_key = rc;
	}
	return r->near ? lu_near_run_map(r->near, local, doc, &f->near, err) : 0;
}

/* True if some output says where documents came from. */
static bool names_documents(const struct lu_dedup_options *o)
{
	return o->removed || o->clusters || o->save_index;
}

/* The log names documents by their number, which may be any distance apart. */
static int remember_origin(struct run *r, const struct lu_doc *doc, struct lu_err *err)
{
	struct lu_origin origin = { doc->file, doc->line, lu_origin_id(&doc->obj) };

	return names_documents(r->state.d->o) ? lu_origins_add(&r->state.origins, &origin, err) : 0;
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_exact *x = &r->state.exact;
	struct facts *f = doc->user;
	struct lu_dedup_mark mark = { .number = r->docs++ };
	struct lu_exact_doc d = { f->key, f->rank, mark.number, mark.number };
	int rc;

	for (int i = 0; i < MEMBERS; i++)
		r->seen[i] |= f->has[i];
	if (lu_sources_count(&r->state.sources, doc, &mark.source, err) < 0 ||
			remember_origin(r, doc, err) < 0)
		return -1;
	if (f->has_key) {
		rc = lu_exact_add(x, &d, err);
		if (rc < 0)
			return -1;
		if (rc == LU_EXACT_COPY) {
			lu_sources_removed(&r->state.sources, mark.source, LU_REMOVED_EXACT);
			return lu_doc_drop(doc, "exact duplicate", NULL);
		}
	}
	if (r->near)
		return lu_near_run_decide(r->near, doc, f->near, &mark, err);
	if (!x->later)
		return 0;
	/* Those without a key too: the output has the order of the input. */
	if (r->held.docs == 0)
		r->first_held = mark.number;
	r->held.tag = mark.source;
	return lu_held_add(&r->held, doc, err) < 0 ? -1 : lu_doc_hold(doc);
}

/* --- after the last document -------------------------------------------------------------- */

/* All exact duplicates come first in the log. */
static int log_exact(struct run *r, struct lu_err *err)
{
	struct lu_exact_removed x;
	int rc;

	while ((rc = lu_exact_next(&r->state.exact, &x, err)) > 0) {
		if (lu_dedup_log(&r->state, r->log, "exact", x.number, x.kept, 1, x.size, err) < 0)
			return -1;
	}
	lu_exact_rewind(&r->state.exact);
	return rc;
}

/* Write or drop the documents that were held for exact verdicts alone. */
static int release_held(struct run *r, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	int rc = lu_held_rewind(&r->held, err);

	for (uint64_t i = 0; rc == 0 && i < r->held.docs; i++) {
		lu_arena_reset(&arena);
		rc = lu_held_get(&r->held, i, &doc, err);
		if (rc == 0)
			rc = lu_dedup_is_exact(&r->state, r->first_held + i, err);
		if (rc > 0) {
			lu_sources_removed(&r->state.sources, r->held.tag, LU_REMOVED_EXACT);
			lu_doc_drop(&doc, "exact duplicate", NULL);
		}
		if (rc >= 0)
			rc = lu_docstream_put(&r->stream, &doc, err);
	}
	lu_arena_release(&arena);
	return rc;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_dedup_state *s = &r->state;
	const struct lu_dedup_options *o = s->d->o;

	(void)stats;
	if ((names_documents(o) && lu_origins_rewind(&s->origins, err) < 0) ||
			lu_exact_finish(&s->exact, err) < 0 || (r->log && log_exact(r, err) < 0) ||
			lu_dedup_next_exact(s, err) < 0)
		return -1;
	if (r->near ? lu_near_run_finish(r->near, r->log, err) < 0 : release_held(r, err) < 0)
		return -1;
	if (o->most_text && !o->yes && lu_sources_check(&s->sources, o->most, err) < 0)
		return -1;
	return r->log ? lu_out_settle(r->log, err) : 0;
}

static int commit(void *ctx, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_out *log = r->log;

	r->log = NULL;
	if (log && lu_out_commit(log, err) < 0)
		return -1;
	return r->near ? lu_near_run_commit(r->near, err) : 0;
}

/* A member that is nowhere is a slip, and the run has done nothing of what was meant. */
static void note_members(const struct run *r)
{
	static const char *const option[MEMBERS] = { "--key", "--by", "--keep" };

	for (int i = 0; i < MEMBERS && r->docs; i++) {
		const char *member = member_of(r->state.d->o, i);

		if (member && !r->seen[i])
			lu_note("%s: no document has the member '%s'", option[i], member);
	}
}

/* --- the run ------------------------------------------------------------------------------ */

/* Equal texts are equally long: then the first of them can be kept at once. */
static bool ranks_differ(const struct lu_dedup_options *o)
{
	bool texts = (!o->key || strcmp(o->key, "text") == 0) && !o->fold;

	return o->keep.kind != LU_KEEP_FIRST && !(o->keep.kind == LU_KEEP_LONGEST && texts);
}

static int open_all(struct run *r, struct lu_err *err)
{
	const struct lu_dedup_options *o = r->state.d->o;
	const struct lu_args *args = r->state.d->args;
	struct lu_exact_options x = { .list = o->removed && o->exact,
		.late = o->exact && ranks_differ(o),
		/* Near deduplication has the other half. */
		.memory = o->near ? o->std.memory - o->std.memory / 2 : o->std.memory,
		.tmpdir = o->std.tmpdir,
		.threads = o->std.threads };

	if (lu_exact_open(&r->state.exact, &x, err) < 0)
		return -1;
	if (o->removed &&
			(lu_out_open(&r->log, o->removed, NULL, o->std.threads, err) < 0 ||
					lu_out_refuse_inputs(r->log, args->file, args->files, err) <
							0))
		return -1;
	if (names_documents(o) && lu_origins_open(&r->state.origins, o->std.tmpdir, err) < 0)
		return -1;
	if (o->near)
		return lu_near_run_open(&r->near, &r->state, &r->stream, err);
	return lu_held_open(&r->held, o->std.tmpdir, err);
}

int lu_dedup_run(const struct lu_dedup *d, struct lu_err *err)
{
	struct run r = { .held = LU_HELD_NONE,
		.state = { .d = d, .exact = LU_EXACT_NONE, .origins = LU_ORIGINS_NONE },
		.stream = { .map = map, .decide = decide, .finish = finish, .commit = commit } };
	int rc;

	r.stream.ctx = &r;
	r.state.stream = &r.stream;
	rc = open_all(&r, err);
	if (rc == 0)
		lu_estimate_say(d->o, d->args);
	if (rc == 0)
		rc = lu_docstream_run(&r.stream, &d->o->std, d->args, err);
	if (rc == 0 && r.state.exact.sorted)
		lu_detail("%" PRIu64 " keys were sorted, %" PRIu64 " of them on disk",
				r.state.exact.sorted, r.state.exact.on_disk);
	if (rc == 0)
		note_members(&r);
	if (rc == 0)
		rc = lu_sources_note(&r.state.sources, err);
	lu_out_abort(r.log);
	lu_near_run_free(r.near);
	lu_exact_close(&r.state.exact);
	lu_origins_close(&r.state.origins);
	lu_sources_release(&r.state.sources);
	lu_held_close(&r.held);
	return rc;
}
