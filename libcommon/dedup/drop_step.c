#include "libcommon/dedup/steps.h"

#include <inttypes.h>

#include "libcommon/dedup/droplist.h"
#include "libcommon/dedup/removed.h"
#include "libcommon/dedup/sources.h"
#include "libcommon/io/outstream.h"
#include "libcommon/par/docstream.h"

struct run {
	const struct lu_dedup *d;
	struct lu_docstream stream;
	struct lu_drops drops;
	struct lu_drop next;
	bool any;	     /* there is a next one */
	uint64_t docs, hash; /* so far: lu_corpus_add() */
	struct lu_sources sources;
	struct lu_out *log;
	struct lu_buf line;
};

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	uint64_t *record = lu_arena_alloc(doc->arena, sizeof(*record));

	(void)ctx, (void)local;
	if (!record)
		return lu_err_nomem(err);
	*record = lu_hash64(doc->raw.p, doc->raw.n, 0);
	doc->user = record;
	return 0;
}

static int next_drop(struct run *r, struct lu_err *err)
{
	int rc = lu_drops_next(&r->drops, &r->next, err);

	r->any = rc > 0;
	return rc < 0 ? -1 : 0;
}

static int log_removed(struct run *r, const struct lu_doc *doc, const char *kind, double similarity,
		struct lu_err *err)
{
	const struct lu_corpus *corpus = lu_drops_corpus(&r->drops);
	struct lu_origin removed = { doc->file, doc->line, lu_origin_id(&doc->obj) }, kept;
	size_t i = 0;

	while (r->next.kept - corpus->file.p[i].base >= corpus->file.p[i].docs)
		i++;
	kept = (struct lu_origin){ corpus->file.p[i].name, r->next.kept_line, r->next.kept_id };
	lu_buf_clear(&r->line);
	lu_removed_open(&r->line, kind, &removed, &kept, similarity);
	lu_removed_close(&r->line, r->next.size);
	return lu_out_buf(r->log, &r->line, err);
}

/* The next record of the lists speaks of this document. */
static int apply(struct run *r, struct lu_doc *doc, uint32_t source, struct lu_err *err)
{
	const struct lu_drop *x = &r->next;
	double similarity = lu_removed_round((double)x->similarity / LU_DROP_ONE);
	bool exact = x->kind == LU_DROP_EXACT;

	if (x->kind == LU_DROP_KEPT) {
		if (r->d->o->cluster_size)
			lu_doc_set(doc, "minhash_cluster_size",
					lu_doc_printf(doc, "%" PRIu64, x->size));
		return 0;
	}
	if (exact)
		lu_doc_drop(doc, "exact duplicate", NULL);
	else
		lu_doc_drop_number(doc, "near duplicate", similarity);
	lu_sources_removed(&r->sources, source, exact ? LU_REMOVED_EXACT : LU_REMOVED_NEAR);
	return r->log ? log_removed(r, doc, exact ? "exact" : "near", similarity, err) : 0;
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	const uint64_t *record = doc->user;
	uint64_t number = r->docs++;
	uint32_t source;

	r->hash = lu_corpus_add(r->hash, *record);
	if (lu_sources_count(&r->sources, doc, &source, err) < 0)
		return -1;
	if (r->any && r->next.number == number)
		return apply(r, doc, source, err) < 0 ? -1 : next_drop(r, err);
	/* Documents without a record are alone in their cluster. */
	if (r->d->o->cluster_size)
		lu_doc_set(doc, "minhash_cluster_size", LU_STR("1"));
	return 0;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct run *r = ctx;
	const struct lu_dedup_options *o = r->d->o;
	const struct lu_corpus_file *file = &lu_drops_corpus(&r->drops)->file.p[r->drops.file];

	(void)stats;
	if (r->docs != file->docs || r->hash != file->hash)
		return lu_err_set(err, "%s: changed since the lists of --drops were made",
				file->name);
	if (o->most_text && !o->yes && lu_sources_check(&r->sources, o->most, err) < 0)
		return -1;
	return r->log ? lu_out_settle(r->log, err) : 0;
}

static int commit(void *ctx, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_out *log = r->log;

	r->log = NULL;
	return log ? lu_out_commit(log, err) : 0;
}

static int open_all(struct run *r, struct lu_err *err)
{
	const struct lu_dedup_options *o = r->d->o;
	const struct lu_args *args = r->d->args;

	if (args->files != 1)
		return lu_err_set(err, "--step drop reads one file: one task for each");
	if (!o->drops.n)
		return lu_err_set(err, "--step drop needs --drops");
	if (lu_drops_open(&r->drops, o->drops.item, o->drops.n, args->file[0], err) < 0)
		return -1;
	if (o->removed &&
			(lu_out_open(&r->log, o->removed, NULL, o->std.threads, err) < 0 ||
					lu_out_refuse_inputs(r->log, args->file, args->files, err) <
							0))
		return -1;
	return next_drop(r, err);
}

int lu_dedup_step_drop(const struct lu_dedup *d, struct lu_err *err)
{
	struct run r = { .d = d,
		.stream = { .map = map, .decide = decide, .finish = finish, .commit = commit } };
	int rc;

	r.stream.ctx = &r;
	rc = open_all(&r, err);
	if (rc == 0)
		rc = lu_docstream_run(&r.stream, &d->o->std, d->args, err);
	if (rc == 0)
		rc = lu_sources_note(&r.sources, err);
	lu_out_abort(r.log);
	lu_drops_close(&r.drops);
	lu_sources_release(&r.sources);
	lu_buf_release(&r.line);
	return rc;
}
