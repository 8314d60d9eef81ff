#include "libcommon/dedup/near_run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/dedup/cluster_file.h"
#include "libcommon/dedup/doc_key.h"
#include "libcommon/dedup/near.h"
#include "libcommon/dedup/near_index.h"
#include "libcommon/minhash/sigfile.h"
#include "libcommon/par/held.h"
#include "libcommon/sys/file.h"

/* Documents of the indexes come first in `near`, then those held. */
struct lu_near_run {
	struct lu_dedup_state *run;
	const struct lu_dedup_options *o;
	struct lu_minhash *mh;
	struct lu_near *near;
	struct lu_held held;
	struct lu_spool number; /* of the held documents in the run; with exact duplicates between */
	struct lu_sigwriter writer;
	struct lu_sigreader reader;

	uint64_t old; /* documents of the indexes */
	struct lu_origins old_origins;
	struct lu_spool old_sizes;
	struct lu_arena names;
	struct lu_index_writer index;
	struct lu_cluster_file clusters;
};

/* Computed by map(), used by decide(). */
struct facts {
	struct lu_sigentry entry;
	uint64_t rank, by;
	void *signature;
};

/* --- before ------------------------------------------------------------------------------- */

static int remember(struct lu_near_run *n, const struct lu_index_entry *e, const char **name,
		struct lu_err *err)
{
	struct lu_origin origin = e->origin;
	struct lu_str copy;

	if (!*name || strcmp(*name, origin.file) != 0) {
		copy = lu_arena_str(
				&n->names, (struct lu_str){ origin.file, strlen(origin.file) + 1 });
		if (!copy.p)
			return lu_err_nomem(err);
		*name = copy.p;
	}
	origin.file = *name;
	n->old++;
	if (lu_origins_add(&n->old_origins, &origin, err) < 0 ||
			lu_spool_add(&n->old_sizes, &e->size, sizeof(e->size), err) < 0)
		return -1;
	return lu_near_add_fixed(n->near, e->signature, err);
}

static int read_index(struct lu_near_run *n, const char *path, struct lu_err *err)
{
	struct lu_index_reader r = { 0 };
	struct lu_index_entry e;
	const char *name = NULL;
	int rc = lu_index_open(&r, path, n->mh, n->o->by, err);

	while (rc >= 0 && (rc = lu_index_next(&r, &e, err)) > 0)
		rc = remember(n, &e, &name, err);
	lu_index_close(&r);
	return rc;
}

/* The documents of an index that is read twice would count twice. */
static int check_against(const struct lu_list *against, struct lu_err *err)
{
	char **path = calloc(against->n + 1, sizeof(*path));
	int rc;

	if (!path)
		return lu_err_nomem(err);
	for (size_t i = 0; i < against->n; i++)
		path[i] = (char *)(uintptr_t)against->item[i];
	rc = lu_files_distinct(path, against->n, "", err);
	free(path);
	return rc;
}

static int open_indexes(struct lu_near_run *n, struct lu_err *err)
{
	const struct lu_dedup_options *o = n->o;

	if (lu_origins_open(&n->old_origins, o->std.tmpdir, err) < 0 ||
			lu_spool_open(&n->old_sizes, o->std.tmpdir, err) < 0 ||
			lu_spool_open(&n->number, o->std.tmpdir, err) < 0)
		return -1;
	if (o->clusters && lu_cluster_file_open(&n->clusters, o->clusters, o->std.threads, err) < 0)
		return -1;
	if (o->save_index && lu_index_create(&n->index, o->save_index, n->mh, o->by, err) < 0)
		return -1;
	if (check_against(&o->against, err) < 0)
		return -1;
	for (size_t i = 0; i < o->against.n; i++) {
		if (read_index(n, o->against.item[i], err) < 0)
			return -1;
	}
	if (lu_origins_rewind(&n->old_origins, err) < 0)
		return -1;
	return lu_spool_rewind(&n->old_sizes, err);
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
	struct lu_near_options how = { .verify = o->verify,
		.keep_signatures = o->save_index != NULL,
		/* The other half is that of exact deduplication. */
		.memory = o->exact ? o->std.memory / 2 : o->std.memory,
		.tmpdir = o->std.tmpdir,
		.threads = o->std.threads };

	*out = n;
	if (!n)
		return lu_err_nomem(err);
	n->run = run;
	n->o = o;
	n->held = (struct lu_held)LU_HELD_NONE;
	n->old_origins = (struct lu_origins)LU_ORIGINS_NONE;
	n->old_sizes = n->number = (struct lu_spool)LU_SPOOL_NONE;
	if (lu_minhash_new(&n->mh, (unsigned)o->bands, (unsigned)o->rows, LU_MINHASH_BEST, err) < 0)
		return -1;
	how.mh = n->mh;
	stream->local_size = sizeof(struct lu_minhash_work *);
	stream->local_free = work_free;
	if (o->signatures) {
		stream->flags |= LU_DOCSTREAM_SILENT;
		if (lu_sigwriter_open(&n->writer, o->signatures, n->mh, err) < 0)
			return -1;
		return lu_out_refuse_inputs(n->writer.out, args->file, args->files, err);
	}
	lu_sigreader_init(&n->reader, o->from_signatures.item, o->from_signatures.n, n->mh);
	if (lu_near_new(&n->near, &how, err) < 0 || open_indexes(n, err) < 0)
		return -1;
	return lu_held_open(&n->held, o->std.tmpdir, err);
}

/* --- one document ------------------------------------------------------------------------- */

/* A thread's state is the pointer to its working memory. The stream's context is that of the run,
 * so the thread makes its own when it signs its first text. */
static int sign(const struct lu_near_run *n, struct lu_minhash_work **work, struct lu_doc *doc,
		struct facts *f, struct lu_err *err)
{
	if (!*work)
		*work = lu_minhash_work_new(n->mh, err);
	if (!*work || lu_minhash_sign(*work, doc->text, f->signature, err) < 0)
		return -1;
	if (n->o->by && !n->o->signatures)
		lu_minhash_mix(n->mh, f->signature, f->by);
	return 0;
}

int lu_near_run_map(const struct lu_near_run *n, void *local, struct lu_doc *doc, void **mine,
		struct lu_err *err)
{
	const struct lu_dedup_options *o = n->o;
	struct facts *f = lu_arena_alloc(doc->arena, sizeof(*f));

	if (!f)
		return lu_err_nomem(err);
	*f = (struct facts){ 0 };
	*mine = f;
	f->signature = lu_arena_alloc(doc->arena, lu_minhash_size(n->mh));
	if (!f->signature)
		return lu_err_nomem(err);
	if (lu_doc_by(o, doc, &f->by, err) < 0 ||
			lu_keep_rank(&o->keep, &doc->obj, doc->text.n, doc->arena, &f->rank, err) <
					0)
		return -1;
	if (o->signatures || o->from_signatures.n)
		f->entry = (struct lu_sigentry){ lu_hash64(doc->text.p, doc->text.n, 0),
			doc->text.n };
	return o->from_signatures.n ? 0 : sign(n, local, doc, f, err);
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
	if (n->o->by)
		lu_minhash_mix(n->mh, f->signature, f->by);
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
	if (n->o->exact && lu_spool_add(&n->number, &mark->number, sizeof(mark->number), err) < 0)
		return -1;
	if (lu_near_add(n->near, f->signature, f->rank, err) < 0 ||
			lu_held_add(&n->held, doc, err) < 0)
		return -1;
	return lu_doc_hold(doc);
}

/* --- after the last document -------------------------------------------------------------- */

/* The number in the run of a document of `near` that is of no index. */
static int number_of(struct lu_near_run *n, uint64_t doc, uint64_t *number, struct lu_err *err)
{
	*number = doc - n->old;
	if (!n->o->exact)
		return 0;
	return lu_spool_peek(&n->number, *number * sizeof(*number), sizeof(*number), number, err);
}

static int origin_of(struct lu_near_run *n, uint64_t doc, struct lu_origin *origin,
		struct lu_buf *id, struct lu_err *err)
{
	uint64_t number;

	if (doc < n->old)
		return lu_origins_get(&n->old_origins, doc, origin, id, err);
	if (number_of(n, doc, &number, err) < 0)
		return -1;
	return lu_origins_get(&n->run->origins, number, origin, id, err);
}

/* Add what a document of an index has stood for already. */
static int total_size(struct lu_near_run *n, uint64_t kept, uint64_t *size, struct lu_err *err)
{
	uint64_t before;

	if (kept >= n->old)
		return 0;
	if (lu_spool_peek(&n->old_sizes, kept * sizeof(before), sizeof(before), &before, err) < 0)
		return -1;
	*size += before - 1;
	return 0;
}

static int log_removed(struct lu_near_run *n, struct lu_out *log, const struct lu_near_verdict *v,
		struct lu_err *err)
{
	struct lu_buf line = { 0 }, id = { 0 }, kept_id = { 0 };
	struct lu_origin removed, kept;
	int rc = origin_of(n, v->doc, &removed, &id, err);

	if (rc == 0)
		rc = origin_of(n, v->kept, &kept, &kept_id, err);
	if (rc == 0) {
		lu_removed_open(&line, "near", &removed, &kept, lu_removed_round(v->similarity));
		lu_removed_close(&line, v->size);
		rc = lu_out_buf(log, &line, err);
	}
	lu_buf_release(&line);
	lu_buf_release(&id);
	lu_buf_release(&kept_id);
	return rc;
}

/* A document of a cluster, for --clusters. */
static int tell(void *ctx, const struct lu_near_verdict *v, struct lu_err *err)
{
	struct lu_near_run *n = ctx;
	struct lu_buf id = { 0 };
	struct lu_origin origin;
	uint64_t size = v->size;
	int rc = origin_of(n, v->doc, &origin, &id, err);

	if (rc == 0)
		rc = total_size(n, v->kept, &size, err);
	if (rc == 0 && v->doc == v->kept)
		rc = lu_cluster_file_begin(&n->clusters, &origin, size, err);
	else if (rc == 0)
		rc = lu_cluster_file_add(
				&n->clusters, &origin, lu_removed_round(v->similarity), err);
	lu_buf_release(&id);
	return rc;
}

static int save(struct lu_near_run *n, const struct lu_near_verdict *v, struct lu_err *err)
{
	struct lu_index_entry e = { .size = v->size, .signature = v->signature };
	struct lu_buf id = { 0 };
	int rc = origin_of(n, v->doc, &e.origin, &id, err);

	if (rc == 0)
		rc = lu_index_put(&n->index, &e, err);
	lu_buf_release(&id);
	return rc;
}

/* Write or drop a held document. */
static int release_held(struct lu_near_run *n, const struct lu_near_verdict *v, struct lu_doc *doc,
		struct lu_out *log, struct lu_err *err)
{
	struct lu_json_fault fault;

	if (lu_held_get(&n->held, v->doc - n->old, doc, err) < 0)
		return -1;
	if (v->kept != v->doc) {
		lu_doc_drop_number(doc, "near duplicate", lu_removed_round(v->similarity));
		lu_sources_removed(&n->run->sources, n->held.tag, LU_REMOVED_NEAR);
		if (log && log_removed(n, log, v, err) < 0)
			return -1;
	} else if (n->o->cluster_size) {
		if (lu_json_object(doc->raw, doc->arena, &doc->obj, &fault) < 0)
			return lu_err_nomem(err);
		lu_doc_set(doc, "minhash_cluster_size", lu_doc_printf(doc, "%" PRIu64, v->size));
	}
	return lu_docstream_put(n->run->stream, doc, err);
}

/* Leave out a document that is found only now to be an exact duplicate. */
static int drop_exact(struct lu_near_run *n, uint64_t i, struct lu_doc *doc, struct lu_err *err)
{
	if (lu_held_get(&n->held, i, doc, err) < 0 || lu_near_exclude(n->near, n->old + i, err) < 0)
		return -1;
	lu_sources_removed(&n->run->sources, n->held.tag, LU_REMOVED_EXACT);
	lu_doc_drop(doc, "exact duplicate", NULL);
	return lu_docstream_put(n->run->stream, doc, err);
}

/* Exact duplicates take no part. They are dropped before all others, as they are where they are
 * found at once, so that the reject file is the same. */
static int drop_all_exact(struct lu_near_run *n, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str bytes;
	uint64_t number;
	int rc = lu_spool_rewind(&n->number, err);

	for (uint64_t i = 0; rc == 0 && i < n->held.docs; i++) {
		rc = lu_spool_get(&n->number, i * sizeof(number), sizeof(number), &bytes, err);
		if (rc < 0)
			break;
		memcpy(&number, bytes.p, sizeof(number));
		lu_arena_reset(doc->arena);
		rc = lu_dedup_is_exact(n->run, number, err);
		if (rc > 0)
			rc = drop_exact(n, i, doc, err);
	}
	return rc;
}

static int release_all(
		struct lu_near_run *n, struct lu_doc *doc, struct lu_out *log, struct lu_err *err)
{
	uint64_t docs = lu_near_docs(n->near);
	struct lu_near_verdict v;
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < docs; i++) {
		lu_arena_reset(doc->arena);
		rc = lu_near_next(n->near, &v, err);
		if (rc < 0 || lu_near_excluded(n->near, i))
			continue;
		rc = total_size(n, v.kept, &v.size, err);
		if (rc == 0 && n->o->save_index && v.kept == i)
			rc = save(n, &v, err);
		if (rc == 0 && i >= n->old)
			rc = release_held(n, &v, doc, log, err);
	}
	return rc;
}

int lu_near_run_finish(struct lu_near_run *n, struct lu_out *log, struct lu_err *err)
{
	const struct lu_dedup_options *o = n->o;
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	int rc = 0;

	if (o->from_signatures.n && lu_sigreader_expect_end(&n->reader, err) < 0)
		return -1;
	if (o->signatures)
		return 0;
	rc = lu_held_rewind(&n->held, err);
	if (rc == 0 && o->exact)
		rc = drop_all_exact(n, &doc, err);
	if (rc == 0)
		rc = lu_near_run(n->near, o->clusters ? tell : NULL, n, err);
	if (rc == 0)
		rc = release_all(n, &doc, log, err);
	lu_arena_release(&arena);
	if (rc == 0 && o->clusters)
		rc = lu_cluster_file_settle(&n->clusters, err);
	if (rc == 0 && o->save_index)
		rc = lu_index_settle(&n->index, err);
	return rc;
}

int lu_near_run_commit(struct lu_near_run *n, struct lu_err *err)
{
	if (n->o->signatures)
		return lu_sigwriter_commit(&n->writer, err);
	if (n->o->clusters && lu_cluster_file_commit(&n->clusters, err) < 0)
		return -1;
	return n->o->save_index ? lu_index_commit(&n->index, err) : 0;
}

void lu_near_run_free(struct lu_near_run *n)
{
	if (!n)
		return;
	lu_sigwriter_abort(&n->writer);
	lu_sigreader_close(&n->reader);
	lu_index_abort(&n->index);
	lu_cluster_file_abort(&n->clusters);
	lu_near_free(n->near);
	lu_held_close(&n->held);
	lu_spool_close(&n->number);
	lu_origins_close(&n->old_origins);
	lu_spool_close(&n->old_sizes);
	lu_arena_release(&n->names);
	lu_minhash_free(n->mh);
	free(n);
}
