/* Step sign: documents of one file -> their sketches, where they are, and their pairs, sorted. */
#include "libcommon/dedup/doc_key.h"
#include "libcommon/dedup/near_files.h"
#include "libcommon/dedup/origins.h"
#include "libcommon/par/docstream.h"

struct sign {
	struct lu_near_task t;
	struct lu_docstream stream;
	struct lu_sorter *pairs;
	struct lu_origins origins;
	uint64_t docs, hash; /* lu_corpus_add() */
	const char *file;
};

struct facts {
	uint64_t rank, record;
	unsigned char *signature;
};

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct sign *s = ctx;
	struct lu_minhash_work **work = local;
	const struct lu_dedup_options *o = s->t.o;
	struct facts *f = lu_arena_alloc(doc->arena, sizeof(*f));
	uint64_t by;

	doc->user = f;
	if (f)
		f->signature = lu_arena_alloc(doc->arena, lu_minhash_size(s->t.mh));
	if (!f || !f->signature)
		return lu_err_nomem(err);
	f->record = lu_hash64(doc->raw.p, doc->raw.n, 0);
	if (lu_minhash_sign(*work, doc->text, f->signature, err) < 0 ||
			lu_doc_by(o, doc, &by, err) < 0)
		return -1;
	if (o->by)
		lu_minhash_mix(s->t.mh, f->signature, by);
	return lu_keep_rank(&o->keep, &doc->obj, doc->text.n, doc->arena, &f->rank, err);
}

static int work_init(void *ctx, void *local, struct lu_err *err)
{
	struct lu_minhash_work **work = local;

	*work = lu_minhash_work_new(((struct sign *)ctx)->t.mh, err);
	return *work ? 0 : -1;
}

static void work_free(void *local)
{
	lu_minhash_work_free(*(struct lu_minhash_work **)local);
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct sign *s = ctx;
	const struct facts *f = doc->user;
	struct lu_minhash *mh = s->t.mh;
	struct lu_origin origin = { doc->file, doc->line, lu_origin_id(&doc->obj) };
	unsigned char rank[8];

	s->hash = lu_corpus_add(s->hash, f->record);
	lu_store64(rank, f->rank);
	if (lu_origins_add(&s->origins, &origin, err) < 0 ||
			lu_stepfile_write(&s->t.w, rank, sizeof(rank), err) < 0 ||
			lu_stepfile_write(&s->t.w, lu_minhash_sketch(mh, f->signature),
					lu_minhash_hashes(mh), err) < 0)
		return -1;
	return lu_near_pairs(s->pairs, f->signature, s->docs++, 0, lu_minhash_bands(mh), err);
}

static int write_origins(struct sign *s, struct lu_err *err)
{
	struct lu_buf id = { 0 };
	struct lu_origin origin;
	char head[12];
	int rc = lu_origins_rewind(&s->origins, err);

	for (uint64_t i = 0; rc == 0 && i < s->docs; i++) {
		rc = lu_origins_get(&s->origins, i, &origin, &id, err);
		if (rc < 0)
			break;
		lu_store64(head, origin.line);
		lu_store32(head + 8, (uint32_t)origin.id.n);
		if (lu_stepfile_write(&s->t.w, head, sizeof(head), err) < 0 ||
				lu_stepfile_write(&s->t.w, origin.id.p, origin.id.n, err) < 0)
			rc = -1;
	}
	lu_buf_release(&id);
	return rc < 0 ? -1 : lu_stepfile_end_section(&s->t.w, s->docs, err);
}

static size_t range_of(void *mh, unsigned char *pair)
{
	return lu_near_range_of(mh, pair);
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct sign *s = ctx;

	(void)stats;
	if (lu_stepfile_end_section(&s->t.w, s->docs, err) < 0 || write_origins(s, err) < 0)
		return -1;
	return lu_near_write(&s->t, s->pairs, LU_PAIR_SIZE, lu_near_ranges(s->t.mh), range_of,
			s->t.mh, err);
}

static int commit(void *ctx, struct lu_err *err)
{
	struct sign *s = ctx;
	struct lu_buf settings = { 0 };
	int rc = lu_corpus_push(&s->t.corpus, s->file, s->docs, s->hash, err);

	lu_near_settings(&s->t, &settings);
	if (rc == 0)
		rc = lu_buf_check(&settings, err);
	if (rc == 0)
		rc = lu_stepfile_commit(&s->t.w, &s->t.corpus, settings.p, 1, 1, err);
	lu_buf_release(&settings);
	return rc;
}

int lu_near_step_sign(const struct lu_dedup *d, struct lu_err *err)
{
	struct sign s = { .origins = LU_ORIGINS_NONE, .file = d->args->file[0] };
	int rc = -1;

	s.stream = (struct lu_docstream){ .ctx = &s,
		.map = map,
		.decide = decide,
		.finish = finish,
		.commit = commit,
		.local_size = sizeof(struct lu_minhash_work *),
		.local_init = work_init,
		.local_free = work_free,
		.flags = LU_DOCSTREAM_SILENT };
	if (d->args->files != 1)
		lu_err_set(err, "--step sign reads one file: one task for each");
	else if (lu_near_task_open(&s.t, d, NULL, LU_SIGN_MAGIC, err) == 0 &&
			lu_near_sorter(&s.t, &s.pairs, LU_PAIR_SIZE, LU_PAIR_SIZE, err) == 0 &&
			lu_origins_open(&s.origins, d->o->std.tmpdir, err) == 0)
		rc = lu_docstream_run(&s.stream, &d->o->std, d->args, err);
	lu_sorter_free(s.pairs);
	lu_origins_close(&s.origins);
	lu_near_task_close(&s.t);
	return rc;
}
