#include "libcommon/dedup/steps.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/dedup/doc_key.h"
#include "libcommon/dedup/droplist.h"
#include "libcommon/dedup/exact.h"
#include "libcommon/dedup/origins.h"
#include "libcommon/dedup/stepfile.h"
#include "libcommon/io/spool.h"
#include "libcommon/par/docstream.h"

#define KEYS_MAGIC "lucieKEY"
/* Sections of a file of keys, by their first byte: as many parts can work side by side. */
#define SECTIONS 256
/* A record: key 16, high byte first; rank 8, number 8, line 8, length of the id 4, and the id. Within a
 * section they have the order of the documents. */
#define HEAD 44

/* --- keys ---------------------------------------------------------------------------------- */

/* Records of a section are gathered in pieces of this size, which go to the temporary file. */
#define PIECE ((size_t)64 << 10)

struct piece {
	uint64_t offset;
	size_t bytes;
};

struct section {
	struct LU_VEC(struct piece) piece; /* in the temporary file */
	struct lu_buf rest;
	uint64_t records;
};

struct keys {
	const struct lu_dedup_options *o;
	struct lu_docstream stream;
	struct lu_spool spool;
	struct section section[SECTIONS];
	uint64_t docs, hash; /* of the file: lu_corpus_add() */
	struct lu_stepfile_writer w;
	const char *file;
};

struct key_facts {
	bool has_key;
	struct lu_hash128 key;
	uint64_t rank, record;
};

static int keys_map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct keys *k = ctx;
	struct key_facts *f = lu_arena_alloc(doc->arena, sizeof(*f));
	int rc;

	(void)local;
	if (!f)
		return lu_err_nomem(err);
	doc->user = f;
	rc = lu_doc_key(k->o, doc, &f->key, err);
	if (rc < 0)
		return -1;
	f->has_key = rc;
	f->record = lu_hash64(doc->raw.p, doc->raw.n, 0);
	return lu_keep_rank(&k->o->keep, &doc->obj, doc->text.n, doc->arena, &f->rank, err);
}

static int keys_decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct keys *k = ctx;
	const struct key_facts *f = doc->user;
	struct lu_str id = lu_origin_id(&doc->obj);
	struct piece piece = { .offset = lu_spool_size(&k->spool) };
	struct section *s;
	char head[HEAD];

	k->hash = lu_corpus_add(k->hash, f->record);
	lu_store64_be(head, f->key.hi);
	lu_store64_be(head + 8, f->key.lo);
	lu_store64(head + 16, f->rank);
	lu_store64(head + 24, k->docs++);
	lu_store64(head + 32, doc->line);
	lu_store32(head + 40, (uint32_t)id.n);
	if (!f->has_key)
		return 0;
	s = &k->section[(unsigned char)head[0]];
	s->records++;
	lu_buf_append(&s->rest, head, sizeof(head));
	lu_buf_str(&s->rest, id);
	if (s->rest.n < PIECE)
		return lu_buf_check(&s->rest, err);
	piece.bytes = s->rest.n;
	if (lu_buf_check(&s->rest, err) < 0 ||
			lu_spool_add(&k->spool, s->rest.p, s->rest.n, err) < 0)
		return -1;
	lu_buf_clear(&s->rest);
	return lu_vec_push(&s->piece, piece) ? 0 : lu_err_nomem(err);
}

static int write_section(struct keys *k, struct section *s, struct lu_err *err)
{
	struct lu_str bytes;

	for (size_t i = 0; i < s->piece.n; i++) {
		if (lu_spool_get(&k->spool, s->piece.p[i].offset, s->piece.p[i].bytes, &bytes,
				    err) < 0 ||
				lu_stepfile_write(&k->w, bytes.p, bytes.n, err) < 0)
			return -1;
	}
	if (lu_stepfile_write(&k->w, s->rest.p, s->rest.n, err) < 0)
		return -1;
	return lu_stepfile_end_section(&k->w, s->records, err);
}

static int keys_finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct keys *k = ctx;

	(void)stats;
	if (lu_spool_rewind(&k->spool, err) < 0)
		return -1;
	for (size_t i = 0; i < SECTIONS; i++) {
		if (write_section(k, &k->section[i], err) < 0)
			return -1;
	}
	return 0;
}

static int keys_commit(void *ctx, struct lu_err *err)
{
	struct keys *k = ctx;
	struct lu_corpus corpus = { 0 };
	struct lu_buf settings = { 0 };
	int rc = lu_corpus_push(&corpus, k->file, k->docs, k->hash, err);

	lu_doc_key_settings(k->o, &settings);
	lu_buf_putc(&settings, '\0');
	if (rc == 0)
		rc = lu_buf_check(&settings, err);
	if (rc == 0)
		rc = lu_stepfile_commit(&k->w, &corpus, settings.p, 1, 1, err);
	lu_corpus_release(&corpus);
	lu_buf_release(&settings);
	return rc;
}

static int run_keys(struct keys *k, const struct lu_dedup *d, struct lu_err *err)
{
	k->stream = (struct lu_docstream){ .ctx = k,
		.map = keys_map,
		.decide = keys_decide,
		.finish = keys_finish,
		.commit = keys_commit,
		.flags = LU_DOCSTREAM_SILENT };
	if (d->args->files != 1)
		return lu_err_set(err, "--step keys reads one file: one task for each");
	k->file = d->args->file[0];
	if (lu_spool_open(&k->spool, d->o->std.tmpdir, err) < 0 ||
			lu_stepfile_create(&k->w, d->o->std.output, KEYS_MAGIC, err) < 0)
		return -1;
	return lu_docstream_run(&k->stream, &d->o->std, d->args, err);
}

int lu_exact_step_keys(const struct lu_dedup *d, struct lu_err *err)
{
	struct keys *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return lu_err_nomem(err);
	k->o = d->o;
	k->spool = (struct lu_spool)LU_SPOOL_NONE;
	k->w = (struct lu_stepfile_writer)LU_STEPFILE_WRITER_NONE;
	rc = run_keys(k, d, err);
	lu_stepfile_abort(&k->w);
	lu_spool_close(&k->spool);
	for (size_t i = 0; i < SECTIONS; i++) {
		lu_vec_release(&k->section[i].piece);
		lu_buf_release(&k->section[i].rest);
	}
	free(k);
	return rc;
}

/* --- first --------------------------------------------------------------------------------- */

struct first {
	const struct lu_dedup_options *o;
	struct lu_stepfile *file; /* of keys, in the order of the documents */
	size_t files;
	struct lu_corpus corpus;
	struct lu_exact exact;
	struct lu_origins
			origins; /* of the keys of this part, in the order in which they are read */
	struct lu_stepfile_writer w;
};

static int damaged(const struct lu_stepfile *f, struct lu_err *err)
{
	return lu_err_set(err, "%s: damaged, make it again", f->path);
}

static int open_keys(struct first *t, const struct lu_args *args, struct lu_err *err)
{
	t->file = calloc(args->files, sizeof(*t->file));
	if (!t->file)
		return lu_err_nomem(err);
	for (; t->files < args->files; t->files++)
		t->file[t->files] = (struct lu_stepfile)LU_STEPFILE_NONE;
	for (size_t i = 0; i < t->files; i++) {
		struct lu_stepfile *f = &t->file[i];

		if (lu_stepfile_open(f, args->file[i], KEYS_MAGIC, err) < 0)
			return -1;
		if (f->section.n != SECTIONS || f->corpus.file.n != 1)
			return damaged(f, err);
		if (lu_corpus_append(&t->corpus, &f->corpus, err) < 0)
			return lu_err_wrap(err, "%s", f->path);
	}
	return lu_stepfile_agree(t->file, t->files, false, false, err);
}

/* Add the keys of file i that are in this part. */
static int add_keys(struct first *t, size_t i, struct lu_err *err)
{
	const struct lu_corpus_file *file = &t->corpus.file.p[i];
	unsigned part = t->o->part, parts = t->o->parts;
	struct lu_stepcursor c;
	struct lu_str head, id = { "", 0 };
	int rc = lu_stepcursor_open(&c, &t->file[i], (size_t)SECTIONS * (part - 1) / parts,
			(size_t)SECTIONS * part / parts, (size_t)1 << 20, err);

	while (rc >= 0 && (rc = lu_stepcursor_read(&c, HEAD, &head, err)) > 0) {
		struct lu_exact_doc doc = { .key = { .hi = lu_load64_be(head.p),
							    .lo = lu_load64_be(head.p + 8) },
			.rank = lu_load64(head.p + 16),
			.number = lu_load64(head.p + 24),
			.origin = t->origins.n };
		struct lu_origin origin = { file->name, lu_load64(head.p + 32), { "", 0 } };
		uint32_t n = lu_load32(head.p + 40);

		if (doc.number >= file->docs ||
				(n && (rc = lu_stepcursor_read(&c, n, &id, err)) == 0))
			rc = damaged(&t->file[i], err);
		if (rc < 0)
			break;
		doc.number += file->base;
		origin.id = n ? id : origin.id;
		if (lu_origins_add(&t->origins, &origin, err) < 0 ||
				lu_exact_add(&t->exact, &doc, err) < 0)
			rc = -1;
	}
	lu_stepcursor_close(&c);
	return rc;
}

static int put_drop(struct first *t, const struct lu_exact_removed *x, uint64_t base,
		struct lu_buf *id, struct lu_err *err)
{
	struct lu_drop drop = { .number = x->number - base,
		.kept = x->kept,
		.size = x->size,
		.similarity = LU_DROP_ONE,
		.kind = LU_DROP_EXACT };
	struct lu_origin kept;

	if (lu_origins_get(&t->origins, x->kept_origin, &kept, id, err) < 0)
		return -1;
	drop.kept_line = kept.line;
	drop.kept_id = kept.id;
	return lu_drop_put(&t->w, &drop, err);
}

static int write_drops(struct first *t, struct lu_err *err)
{
	struct lu_buf id = { 0 }, settings = { 0 };
	struct lu_exact_removed x;
	int rc = lu_exact_next(&t->exact, &x, err);

	for (size_t i = 0; rc >= 0 && i < t->corpus.file.n; i++) {
		const struct lu_corpus_file *f = &t->corpus.file.p[i];
		uint64_t records = 0;

		for (; rc > 0 && x.number < f->base + f->docs; records++) {
			rc = put_drop(t, &x, f->base, &id, err);
			if (rc == 0)
				rc = lu_exact_next(&t->exact, &x, err);
		}
		if (rc >= 0 && lu_stepfile_end_section(&t->w, records, err) < 0)
			rc = -1;
	}
	lu_buf_puts(&settings, t->files ? t->file[0].settings : "");
	lu_buf_putc(&settings, '\0');
	if (rc == 0)
		rc = lu_buf_check(&settings, err);
	if (rc == 0)
		rc = lu_stepfile_commit(
				&t->w, &t->corpus, settings.p, t->o->part, t->o->parts, err);
	lu_buf_release(&settings);
	lu_buf_release(&id);
	return rc;
}

int lu_exact_step_first(const struct lu_dedup *d, struct lu_err *err)
{
	const struct lu_dedup_options *o = d->o;
	struct first t = { .o = o,
		.exact = LU_EXACT_NONE,
		.origins = LU_ORIGINS_NONE,
		.w = LU_STEPFILE_WRITER_NONE };
	struct lu_exact_options x = { true, true, o->std.memory, o->std.tmpdir, o->std.threads };
	int rc = -1;

	if (open_keys(&t, d->args, err) < 0 || lu_exact_open(&t.exact, &x, err) < 0 ||
			lu_origins_open(&t.origins, o->std.tmpdir, err) < 0 ||
			lu_stepfile_create(&t.w, o->std.output, LU_DROP_MAGIC, err) < 0)
		goto out;
	for (size_t i = 0; i < t.files; i++) {
		if (add_keys(&t, i, err) < 0)
			goto out;
	}
	if (lu_origins_rewind(&t.origins, err) == 0 && lu_exact_finish(&t.exact, err) == 0)
		rc = write_drops(&t, err);
out:
	lu_stepfile_abort(&t.w);
	lu_exact_close(&t.exact);
	lu_origins_close(&t.origins);
	for (size_t i = 0; i < t.files; i++)
		lu_stepfile_close(&t.file[i]);
	free(t.file);
	lu_corpus_release(&t.corpus);
	return rc;
}
