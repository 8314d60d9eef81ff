/* Steps link, gather and settle: from edges to what is kept of each set. */
#include "libcommon/dedup/droplist.h"
#include "libcommon/dedup/near_files.h"
#include "libcommon/dedup/origins.h"
#include "libcommon/io/spool.h"

/* --- link ----------------------------------------------------------------------------------- */

struct link {
	struct lu_near_task t;
	struct lu_near_files in;
	const struct lu_stepfile *file;
	struct lu_links links;
};

static int add_edge(void *ctx, unsigned char *edge, struct lu_err *err)
{
	struct link *l = ctx;
	uint64_t a = lu_load64_be(edge), b = lu_load64_be(edge + 8);

	if (a >= b || b >= l->file->corpus.docs)
		return lu_near_damaged(l->file, err);
	return lu_links_add(&l->links, a, b, err);
}

/* The documents with an edge, by file. */
static int write_roots(struct link *l, struct lu_err *err)
{
	const struct lu_corpus *corpus = &l->in.file[0].corpus;
	unsigned char root[LU_ROOT_SIZE];
	size_t i = 0;

	for (size_t file = 0; file < corpus->file.n; file++) {
		const struct lu_corpus_file *f = &corpus->file.p[file];
		size_t first = i;

		for (; i < l->links.n && l->links.doc[i] - f->base < f->docs; i++) {
			lu_store64_be(root, l->links.doc[i] - f->base);
			lu_store64_be(root + 8, lu_links_root(&l->links, i));
			if (lu_stepfile_write(&l->t.w, root, sizeof(root), err) < 0)
				return -1;
		}
		if (lu_stepfile_end_section(&l->t.w, i - first, err) < 0)
			return -1;
	}
	return lu_stepfile_commit(&l->t.w, corpus, l->in.file[0].settings, 1, 1, err);
}

int lu_near_step_link(const struct lu_dedup *d, struct lu_err *err)
{
	struct link l = { .t = { .w = LU_STEPFILE_WRITER_NONE }, .links = LU_LINKS_NONE };
	const struct lu_dedup_options *o = d->o;
	int rc = lu_near_files_open(
			&l.in, d->args->file, d->args->files, LU_EDGE_MAGIC, true, true, err);

	if (rc == 0)
		rc = lu_near_task_open(&l.t, d, l.in.file[0].settings, LU_ROOT_MAGIC, err);
	if (rc == 0)
		rc = lu_links_open(&l.links, o->std.memory, o->std.tmpdir, o->std.threads, err);
	for (size_t i = 0; rc == 0 && i < l.in.n; i++) {
		l.file = &l.in.file[i];
		rc = lu_near_read(l.file, 0, l.file->section.n, LU_EDGE_SIZE, add_edge, &l, err);
	}
	if (rc == 0)
		rc = lu_links_join(&l.links, err);
	if (rc == 0)
		rc = write_roots(&l, err);
	lu_links_close(&l.links);
	lu_near_files_close(&l.in);
	lu_near_task_close(&l.t);
	return rc;
}

/* --- gather --------------------------------------------------------------------------------- */

/* Before a member in its file: length of the id 4, line 8. */
#define MEMBER_PREFIX 12

struct gather {
	struct lu_near_task t;
	struct lu_near_files sign, in; /* one each */
	uint64_t base, docs;
	struct lu_stepcursor sketches, places;
	uint64_t next; /* document of the next sketch and place, in the file */
	struct lu_str entry, id;
	uint64_t line;
	struct lu_sorter *members; /* section 1, place of the origin 8, member */
	struct lu_origins origins;
};

/* Read on to a document's sketch and place. */
static int look_up(void *ctx, uint64_t doc, struct lu_near_entry *e, struct lu_err *err)
{
	struct gather *g = ctx;
	struct lu_str head;

	for (; g->next <= doc; g->next++) {
		uint32_t n;
		int rc = lu_stepcursor_read(
				&g->sketches, 8 + lu_minhash_hashes(g->t.mh), &g->entry, err);

		if (rc > 0)
			rc = lu_stepcursor_read(&g->places, 12, &head, err);
		if (rc <= 0)
			return rc < 0 ? -1 : lu_near_damaged(&g->sign.file[0], err);
		g->line = lu_load64(head.p);
		n = lu_load32(head.p + 8);
		g->id = (struct lu_str){ "", 0 };
		rc = n ? lu_stepcursor_read(&g->places, n, &g->id, err) : 1;
		if (rc <= 0)
			return rc < 0 ? -1 : lu_near_damaged(&g->sign.file[0], err);
	}
	*e = (struct lu_near_entry){ lu_load64(g->entry.p), false, g->entry.p + 8 };
	return 0;
}

/* The section of a set: neighbours in number are spread. */
static unsigned char section_of(uint64_t root)
{
	unsigned char bytes[8];

	lu_store64(bytes, root);
	return (unsigned char)(lu_hash64(bytes, sizeof(bytes), 0) >> 56);
}

static int add_root(void *ctx, unsigned char *root, struct lu_err *err)
{
	struct gather *g = ctx;
	uint64_t doc = lu_load64_be(root), first = lu_load64_be(root + 8);
	unsigned char member[9 + LU_MEMBER_HEAD + LU_MINHASH_MAX];
	struct lu_near_entry e;
	struct lu_origin origin = { "", 0, { "", 0 } };

	if (doc >= g->docs || first > doc + g->base)
		return lu_near_damaged(&g->in.file[0], err);
	if (look_up(g, doc, &e, err) < 0)
		return -1;
	origin.line = g->line;
	origin.id = g->id;
	member[0] = section_of(first);
	lu_store64_be(member + 1, g->origins.n);
	lu_member_put(member + 9, &g->t.how, first, doc + g->base, &e);
	if (lu_origins_add(&g->origins, &origin, err) < 0)
		return -1;
	return lu_sorter_add(g->members, member, err);
}

static int put_member(struct gather *g, const unsigned char *member, struct lu_buf *id,
		struct lu_err *err)
{
	unsigned char prefix[MEMBER_PREFIX];
	struct lu_origin origin;

	if (lu_origins_get(&g->origins, lu_load64_be(member + 1), &origin, id, err) < 0)
		return -1;
	lu_store32(prefix, (uint32_t)origin.id.n);
	lu_store64(prefix + 4, origin.line);
	if (lu_stepfile_write(&g->t.w, prefix, sizeof(prefix), err) < 0 ||
			lu_stepfile_write(&g->t.w, member + 9, lu_member_size(&g->t.how), err) < 0)
		return -1;
	return lu_stepfile_write(&g->t.w, origin.id.p, origin.id.n, err);
}

static int write_members(struct gather *g, struct lu_err *err)
{
	struct lu_buf id = { 0 };
	const void *member;
	uint64_t records = 0;
	unsigned section = 0;
	int rc = lu_origins_rewind(&g->origins, err);

	if (rc == 0)
		rc = lu_sorter_sort(g->members, err);
	while (rc >= 0 && (rc = lu_sorter_next(g->members, &member, err)) > 0) {
		for (; rc >= 0 && section < *(const unsigned char *)member; section++, records = 0)
			rc = lu_stepfile_end_section(&g->t.w, records, err);
		if (rc >= 0)
			rc = put_member(g, member, &id, err);
		records++;
	}
	for (; rc >= 0 && section < LU_NEAR_SECTIONS; section++, records = 0)
		rc = lu_stepfile_end_section(&g->t.w, records, err);
	lu_buf_release(&id);
	return rc;
}

static int gather(struct gather *g, struct lu_err *err)
{
	const struct lu_stepfile *sign = &g->sign.file[0], *roots = &g->in.file[0];
	size_t number, size = 9 + lu_member_size(&g->t.how);

	if (lu_near_same_file(sign, roots, &number, err) < 0)
		return -1;
	g->base = roots->corpus.file.p[number].base;
	g->docs = roots->corpus.file.p[number].docs;
	if (roots->section.n != roots->corpus.file.n || sign->section.n < LU_SIGN_PAIRS)
		return lu_near_damaged(
				roots->section.n != roots->corpus.file.n ? roots : sign, err);
	if (lu_stepcursor_open(&g->sketches, sign, 0, 1, (size_t)1 << 20, err) < 0 ||
			lu_stepcursor_open(&g->places, sign, 1, 2, (size_t)1 << 20, err) < 0 ||
			lu_near_sorter(&g->t, &g->members, size, 9, err) < 0 ||
			lu_origins_open(&g->origins, g->t.o->std.tmpdir, err) < 0 ||
			lu_near_read(roots, number, number + 1, LU_ROOT_SIZE, add_root, g, err) <
					0 ||
			lu_stepcursor_finish(&g->sketches, err) < 0 ||
			lu_stepcursor_finish(&g->places, err) < 0 || write_members(g, err) < 0)
		return -1;
	return lu_stepfile_commit(&g->t.w, &roots->corpus, roots->settings, (unsigned)number + 1,
			(unsigned)roots->corpus.file.n, err);
}

int lu_near_step_gather(const struct lu_dedup *d, struct lu_err *err)
{
	struct gather g = { .t = { .w = LU_STEPFILE_WRITER_NONE }, .origins = LU_ORIGINS_NONE };
	char **file = d->args->file;
	int rc = d->args->files == 2
			? 0
			: lu_err_set(err,
					  "--step gather reads a file of step sign and "
					  "that of step link");

	if (rc == 0)
		rc = lu_near_files_open(&g.sign, file, 1, LU_SIGN_MAGIC, false, false, err);
	if (rc == 0)
		rc = lu_near_files_open(&g.in, file + 1, 1, LU_ROOT_MAGIC, true, true, err);
	if (rc == 0)
		rc = lu_near_task_open(&g.t, d, g.in.file[0].settings, LU_MEMBER_MAGIC, err);
	if (rc == 0)
		rc = gather(&g, err);
	lu_stepcursor_close(&g.sketches);
	lu_stepcursor_close(&g.places);
	lu_sorter_free(g.members);
	lu_origins_close(&g.origins);
	lu_near_files_close(&g.sign);
	lu_near_files_close(&g.in);
	lu_near_task_close(&g.t);
	return rc;
}

/* --- settle --------------------------------------------------------------------------------- */

/* A verdict, and the place of the kept document's origin. */
#define SETTLED_SIZE (LU_VERDICT_SIZE + 8)

struct settle {
	struct lu_near_task t;
	struct lu_near_files in;
	struct lu_sorter *members, *outcomes, *verdicts;
	/* Of the documents of this part, in ascending order: files come in order, and documents
	 * ascend in the part of each section. */
	struct lu_sorter *numbers; /* document 8, place 8 */
	struct lu_origins origins;
	uint64_t number, place; /* the last ones read from there */
};

static int add_member(struct settle *s, const struct lu_stepfile *f, struct lu_stepcursor *c,
		struct lu_err *err)
{
	unsigned char number[16], member[LU_MEMBER_HEAD + LU_MINHASH_MAX];
	struct lu_origin origin = { "", 0, { "", 0 } };
	struct lu_str bytes;
	uint32_t n;
	int rc = lu_stepcursor_read(c, MEMBER_PREFIX, &bytes, err);

	if (rc <= 0)
		return rc;
	n = lu_load32(bytes.p);
	origin.line = lu_load64(bytes.p + 4);
	rc = lu_stepcursor_read(c, lu_member_size(&s->t.how), &bytes, err);
	if (rc <= 0)
		return rc < 0 ? -1 : lu_near_damaged(f, err);
	memcpy(member, bytes.p, lu_member_size(&s->t.how));
	rc = n ? lu_stepcursor_read(c, n, &origin.id, err) : 1;
	if (rc <= 0 || lu_load64_be(member + 17) >= f->corpus.docs)
		return rc < 0 ? -1 : lu_near_damaged(f, err);
	memcpy(number, member + 17, 8);
	lu_store64_be(number + 8, s->origins.n);
	if (lu_origins_add(&s->origins, &origin, err) < 0 ||
			lu_sorter_add(s->numbers, number, err) < 0 ||
			lu_sorter_add(s->members, member, err) < 0)
		return -1;
	return 1;
}

static int read_members(struct settle *s, struct lu_err *err)
{
	size_t part = s->t.o->part, parts = s->t.o->parts;

	for (size_t i = 0; i < s->in.n; i++) {
		const struct lu_stepfile *f = &s->in.file[i];
		struct lu_stepcursor c = { 0 };
		int rc;

		if (f->section.n != LU_NEAR_SECTIONS)
			return lu_near_damaged(f, err);
		rc = lu_stepcursor_open(&c, f, LU_NEAR_SECTIONS * (part - 1) / parts,
				LU_NEAR_SECTIONS * part / parts, (size_t)1 << 20, err);
		while (rc >= 0 && (rc = add_member(s, f, &c, err)) > 0)
			;
		lu_stepcursor_close(&c);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Outcomes come by the number of the kept document, and so do places. */
static int publish(void *ctx, const struct lu_verdict_record *v, struct lu_err *err)
{
	struct settle *s = ctx;
	unsigned char settled[SETTLED_SIZE];

	while (s->number != v->kept) {
		const void *at;
		int rc = lu_sorter_next(s->numbers, &at, err);

		if (rc <= 0)
			return rc < 0 ? -1 : lu_near_damaged(&s->in.file[0], err);
		s->number = lu_load64_be(at);
		s->place = lu_load64_be((const unsigned char *)at + 8);
	}
	lu_verdict_put(settled, v);
	lu_store64_be(settled + LU_VERDICT_SIZE, s->place);
	return lu_sorter_add(s->verdicts, settled, err);
}

static int put_drop(struct settle *s, const unsigned char *settled, uint64_t base,
		struct lu_buf *id, struct lu_err *err)
{
	struct lu_verdict_record v = lu_verdict_get(settled);
	struct lu_drop drop = { .number = v.doc - base,
		.kept = v.kept,
		.size = v.size,
		.kind = v.doc == v.kept ? LU_DROP_KEPT : LU_DROP_NEAR };
	struct lu_origin kept;

	if (drop.kind == LU_DROP_NEAR)
		drop.similarity =
				(uint32_t)(lu_removed_round(lu_minhash_estimate(s->t.mh, v.equal)) *
								LU_DROP_ONE +
						0.5);
	if (lu_origins_get(&s->origins, lu_load64_be(settled + LU_VERDICT_SIZE), &kept, id, err) <
			0)
		return -1;
	drop.kept_line = kept.line;
	drop.kept_id = kept.id;
	return lu_drop_put(&s->t.w, &drop, err);
}

static int write_drops(struct settle *s, struct lu_err *err)
{
	const struct lu_corpus *corpus = &s->in.file[0].corpus;
	struct lu_buf id = { 0 };
	const void *settled = NULL;
	int rc = lu_sorter_sort(s->verdicts, err);

	if (rc == 0)
		rc = lu_sorter_next(s->verdicts, &settled, err);
	for (size_t i = 0; rc >= 0 && i < corpus->file.n; i++) {
		const struct lu_corpus_file *f = &corpus->file.p[i];
		uint64_t records = 0;

		for (; rc > 0 && lu_load64_be(settled) - f->base < f->docs; records++) {
			rc = put_drop(s, settled, f->base, &id, err);
			if (rc == 0)
				rc = lu_sorter_next(s->verdicts, &settled, err);
		}
		if (rc >= 0 && lu_stepfile_end_section(&s->t.w, records, err) < 0)
			rc = -1;
	}
	lu_buf_release(&id);
	if (rc < 0)
		return -1;
	return lu_stepfile_commit(
			&s->t.w, corpus, s->in.file[0].settings, s->t.o->part, s->t.o->parts, err);
}

static int settle(struct settle *s, struct lu_err *err)
{
	const struct lu_near_task *t = &s->t;

	if (lu_near_sorter(t, &s->members, lu_member_size(&t->how), LU_MEMBER_HEAD, err) < 0 ||
			lu_near_sorter(t, &s->numbers, 16, 8, err) < 0 ||
			lu_origins_open(&s->origins, t->o->std.tmpdir, err) < 0 ||
			read_members(s, err) < 0 || lu_sorter_sort(s->numbers, err) < 0 ||
			lu_origins_rewind(&s->origins, err) < 0 ||
			lu_near_sorter(t, &s->outcomes, LU_OUTCOME_SIZE, LU_OUTCOME_KEY, err) < 0 ||
			lu_near_settle(&t->how, s->members, s->outcomes, err) < 0)
		return -1;
	lu_sorter_free(s->members);
	s->members = NULL;
	s->number = UINT64_MAX;
	if (lu_near_sorter(t, &s->verdicts, SETTLED_SIZE, 8, err) < 0 ||
			lu_near_publish(s->outcomes, publish, s, err) < 0)
		return -1;
	return write_drops(s, err);
}

int lu_near_step_settle(const struct lu_dedup *d, struct lu_err *err)
{
	struct settle s = { .t = { .w = LU_STEPFILE_WRITER_NONE }, .origins = LU_ORIGINS_NONE };
	int rc = lu_near_files_open(
			&s.in, d->args->file, d->args->files, LU_MEMBER_MAGIC, true, true, err);

	if (rc == 0)
		rc = lu_near_task_open(&s.t, d, s.in.file[0].settings, LU_DROP_MAGIC, err);
	if (rc == 0)
		rc = settle(&s, err);
	lu_sorter_free(s.members);
	lu_sorter_free(s.numbers);
	lu_sorter_free(s.outcomes);
	lu_sorter_free(s.verdicts);
	lu_origins_close(&s.origins);
	lu_near_files_close(&s.in);
	lu_near_task_close(&s.t);
	return rc;
}
