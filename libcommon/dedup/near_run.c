#include "libcommon/dedup/near_run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/dedup/join.h"
#include "libcommon/dedup/sigfile.h"
#include "libcommon/par/held.h"

struct lu_near_run {
	struct lu_dedup_state *run;
	const struct lu_dedup_options *o;
	struct lu_minhash *mh;
	struct lu_join join;
	struct lu_held held;
	struct LU_VEC(uint64_t) number; /* by place in the join */
	struct lu_sigwriter writer;
	struct lu_sigreader reader;
};

/* Computed by map(), used by decide(). */
struct facts {
	struct lu_sigentry entry;
	void *signature;
};

/* A thread's state is the pointer to its working memory. The stream's context is that of the run,
 * so the thread makes its own when it signs its first text. */
static int work_of(const struct lu_near_run *n, struct lu_minhash_work **work, struct lu_err *err)
{
	if (!*work)
		*work = lu_minhash_work_new(n->mh, err);
	return *work ? 0 : -1;
}

static void work_free(void *local)
{
	lu_minhash_work_free(*(struct lu_minhash_work **)local);
}

int lu_near_run_open(struct lu_near_run **out, struct lu_dedup_state *run,
		struct lu_docstream *stream, struct lu_err *err)
{
	struct lu_near_run *n = calloc(1, sizeof(*n));
	const struct lu_dedup_options *o = run->d->o;
	const struct lu_args *args = run->d->args;

	*out = n;
	if (!n)
		return lu_err_nomem(err);
	n->run = run;
	n->o = o;
	n->held = (struct lu_held)LU_HELD_NONE;
	if (lu_minhash_new(&n->mh, (unsigned)o->bands, (unsigned)o->rows, LU_MINHASH_BEST, err) < 0)
		return -1;
	stream->local_size = sizeof(struct lu_minhash_work *);
	stream->local_free = work_free;
	if (o->signatures) {
		stream->flags |= LU_DOCSTREAM_SILENT;
		if (lu_sigwriter_open(&n->writer, o->signatures, n->mh, err) < 0)
			return -1;
		return lu_out_refuse_inputs(n->writer.out, args->file, args->files, err);
	}
	lu_sigreader_init(&n->reader, o->from_signatures.item, o->from_signatures.n, n->mh);
	lu_join_init(&n->join, n->mh);
	return lu_held_open(&n->held, o->std.tmpdir, err);
}

int lu_near_run_map(const struct lu_near_run *n, void *local, struct lu_doc *doc, void **mine,
		struct lu_err *err)
{
	const struct lu_dedup_options *o = n->o;
	struct facts *f = lu_arena_alloc(doc->arena, sizeof(*f));
	struct lu_minhash_work **work = local;

	if (!f)
		return lu_err_nomem(err);
	*f = (struct facts){ 0 };
	*mine = f;
	f->signature = lu_arena_alloc(doc->arena, lu_minhash_size(n->mh));
	if (!f->signature)
		return lu_err_nomem(err);
	if (o->signatures || o->from_signatures.n)
		f->entry = (struct lu_sigentry){ lu_hash64(doc->text.p, doc->text.n, 0),
			doc->text.n };
	if (o->from_signatures.n)
		return 0;
	if (work_of(n, work, err) < 0)
		return -1;
	return lu_minhash_sign(*work, doc->text, f->signature, err);
}

/* Read the document's signature, and check that it was made from this text. */
static int read_signature(
		struct lu_near_run *n, struct lu_doc *doc, struct facts *f, struct lu_err *err)
{
	struct lu_sigentry e;
	int rc = lu_sigreader_next(&n->reader, &e, f->signature, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return lu_err_set(err, "%s:%" PRIu64 ": no signature for this document", doc->file,
				doc->line);
	if (e.text_hash != f->entry.text_hash || e.text_length != f->entry.text_length)
		return lu_err_set(err, "%s:%" PRIu64 ": the signature is that of another text",
				doc->file, doc->line);
	return 0;
}

int lu_near_run_decide(struct lu_near_run *n, struct lu_doc *doc, void *mine,
		const struct lu_dedup_mark *mark, struct lu_err *err)
{
	struct facts *f = mine;

	if (n->o->signatures)
		return lu_sigwriter_add(&n->writer, &f->entry, f->signature, err);
	if (n->o->from_signatures.n && read_signature(n, doc, f, err) < 0)
		return -1;
	n->held.tag = mark->source;
	if (!lu_vec_push(&n->number, mark->number))
		return lu_err_nomem(err);
	if (lu_join_add(&n->join, f->signature, doc->text.n, err) < 0 ||
			lu_held_add(&n->held, doc, err) < 0)
		return -1;
	return lu_doc_hold(doc);
}

/* Write or drop document i. */
static int release_held(struct lu_near_run *n, uint32_t i, struct lu_doc *doc, struct lu_out *log,
		struct lu_err *err)
{
	const struct lu_join *j = &n->join;
	uint32_t k = j->kept[i];
	struct lu_json_fault fault;
	double similarity;

	if (lu_held_get(&n->held, i, doc, err) < 0)
		return -1;
	if (k != i) {
		similarity = lu_removed_round(lu_join_similarity(j, i, k));
		lu_doc_drop_number(doc, "near duplicate", similarity);
		lu_sources_removed(&n->run->sources, n->held.tag, LU_REMOVED_NEAR);
		if (log &&
				lu_dedup_log(n->run, log, "near", n->number.p[i], n->number.p[k],
						similarity, j->cluster_size[k], err) < 0)
			return -1;
	} else if (n->o->cluster_size) {
		if (lu_json_object(doc->raw, doc->arena, &doc->obj, &fault) < 0)
			return lu_err_nomem(err);
		lu_doc_set(doc, "minhash_cluster_size",
				lu_doc_printf(doc, "%u", j->cluster_size[i]));
	}
	return lu_docstream_put(n->run->stream, doc, err);
}

int lu_near_run_finish(struct lu_near_run *n, struct lu_out *log, struct lu_err *err)
{
	const struct lu_dedup_options *o = n->o;
	struct lu_join_options how = { o->verify, o->keep.kind == LU_KEEP_LONGEST };
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	int rc;

	if (o->from_signatures.n && lu_sigreader_expect_end(&n->reader, err) < 0)
		return -1;
	if (o->signatures)
		return 0;
	rc = lu_join_run(&n->join, &how, err);
	if (rc == 0)
		rc = lu_held_rewind(&n->held, err);
	for (uint32_t i = 0; rc == 0 && i < n->join.docs; i++) {
		lu_arena_reset(&arena);
		rc = release_held(n, i, &doc, log, err);
	}
	lu_arena_release(&arena);
	return rc;
}

int lu_near_run_commit(struct lu_near_run *n, struct lu_err *err)
{
	return n->o->signatures ? lu_sigwriter_commit(&n->writer, err) : 0;
}

void lu_near_run_free(struct lu_near_run *n)
{
	if (!n)
		return;
	lu_sigwriter_abort(&n->writer);
	lu_sigreader_close(&n->reader);
	lu_join_release(&n->join);
	lu_held_close(&n->held);
	lu_vec_release(&n->number);
	lu_minhash_free(n->mh);
	free(n);
}
