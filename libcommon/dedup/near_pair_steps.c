/* Steps meet, fetch and edges: from pairs of key and document to edges between documents. */
#include "libcommon/dedup/near_files.h"

/* Fail unless a file of sign has the sections and the records that it should. */
static int check_sign(const struct lu_stepfile *f, const struct lu_minhash *mh, struct lu_err *err)
{
	const struct lu_step_section *s = f->section.p;

	if (f->corpus.file.n != 1 || f->section.n != LU_SIGN_PAIRS + lu_near_ranges(mh) ||
			s[0].bytes != f->corpus.docs * (8 + lu_minhash_hashes(mh)) ||
			s[0].records != f->corpus.docs)
		return lu_near_damaged(f, err);
	return 0;
}

/* --- meet ----------------------------------------------------------------------------------- */

struct meet {
	struct lu_near_task t;
	struct lu_near_files in;
	const struct lu_stepfile *file; /* that is read */
	uint64_t base, docs;		/* of that */
	struct lu_sorter *pairs;
};

static int add_pair(void *ctx, unsigned char *pair, struct lu_err *err)
{
	struct meet *m = ctx;
	uint64_t low = lu_load64_be(pair + 8), doc = lu_pair_doc(pair);

	if (doc >= m->docs)
		return lu_near_damaged(m->file, err);
	lu_store64_be(pair + 8, low - doc + m->base + doc);
	return lu_sorter_add(m->pairs, pair, err);
}

/* Gather the pairs of this part from all files. */
static int read_pairs(struct meet *m, struct lu_err *err)
{
	size_t ranges = lu_near_ranges(m->t.mh);
	size_t part = m->t.o->part, parts = m->t.o->parts;

	for (size_t i = 0; i < m->in.n; i++) {
		const struct lu_corpus_file *file = &m->t.corpus.file.p[i];

		m->file = &m->in.file[i];
		m->base = file->base;
		m->docs = file->docs;
		if (lu_near_read(m->file, LU_SIGN_PAIRS + ranges * (part - 1) / parts,
				    LU_SIGN_PAIRS + ranges * part / parts, LU_PAIR_SIZE, add_pair,
				    m, err) < 0)
			return -1;
	}
	return 0;
}

static int append_corpora(struct meet *m, struct lu_err *err)
{
	for (size_t i = 0; i < m->in.n; i++) {
		const struct lu_stepfile *f = &m->in.file[i];

		if (check_sign(f, m->t.mh, err) < 0)
			return -1;
		if (lu_corpus_append(&m->t.corpus, &f->corpus, err) < 0)
			return lu_err_wrap(err, "%s", f->path);
	}
	if (m->t.corpus.docs > LU_PAIR_DOCS)
		return lu_err_set(err, "more than 2^52 documents");
	return 0;
}

static int meet(struct meet *m, struct lu_sorter **seats, struct lu_err *err)
{
	struct lu_near_by_file by = { &m->t.corpus, 0 };

	if (lu_near_sorter(&m->t, &m->pairs, LU_PAIR_SIZE, LU_PAIR_SIZE, err) < 0 ||
			lu_near_sorter(&m->t, seats, LU_SEAT_SIZE, LU_SEAT_SIZE, err) < 0 ||
			append_corpora(m, err) < 0 || read_pairs(m, err) < 0 ||
			lu_near_meet(m->pairs, NULL, *seats, err) < 0)
		return -1;
	lu_sorter_free(m->pairs);
	m->pairs = NULL;
	if (lu_near_write(&m->t, *seats, LU_SEAT_SIZE, m->t.corpus.file.n, lu_near_by_file, &by,
			    err) < 0)
		return -1;
	return lu_stepfile_commit(&m->t.w, &m->t.corpus, m->in.file[0].settings, m->t.o->part,
			m->t.o->parts, err);
}

int lu_near_step_meet(const struct lu_dedup *d, struct lu_err *err)
{
	struct meet m = { .t = { .w = LU_STEPFILE_WRITER_NONE } };
	struct lu_sorter *seats = NULL;
	int rc = lu_near_files_open(
			&m.in, d->args->file, d->args->files, LU_SIGN_MAGIC, false, false, err);

	if (rc == 0)
		rc = lu_near_task_open(&m.t, d, m.in.file[0].settings, LU_MEET_MAGIC, err);
	if (rc == 0)
		rc = meet(&m, &seats, err);
	lu_sorter_free(m.pairs);
	lu_sorter_free(seats);
	lu_near_files_close(&m.in);
	lu_near_task_close(&m.t);
	return rc;
}

/* --- fetch ---------------------------------------------------------------------------------- */

struct fetch {
	struct lu_near_task t;
	struct lu_near_files sign, in; /* sign: one */
	const struct lu_stepfile *file;
	size_t number; /* of the input file in the corpus */
	uint64_t base, docs;
	struct lu_sorter *seats;
	struct lu_stepcursor sketches;
	uint64_t next; /* document of the next sketch, in the file */
	struct lu_str entry;
};

static int add_seat(void *ctx, unsigned char *seat, struct lu_err *err)
{
	struct fetch *f = ctx;
	uint64_t doc = lu_load64_be(seat);

	if (doc >= f->docs)
		return lu_near_damaged(f->file, err);
	lu_store64_be(seat, doc + f->base);
	return lu_sorter_add(f->seats, seat, err);
}

static int look_up(void *ctx, uint64_t doc, struct lu_near_entry *e, struct lu_err *err)
{
	struct fetch *f = ctx;

	for (; f->next <= doc - f->base; f->next++) {
		int rc = lu_stepcursor_read(
				&f->sketches, 8 + lu_minhash_hashes(f->t.mh), &f->entry, err);

		if (rc <= 0)
			return rc < 0 ? -1 : lu_near_damaged(&f->sign.file[0], err);
	}
	*e = (struct lu_near_entry){ lu_load64(f->entry.p), false, f->entry.p + 8 };
	return 0;
}

static size_t section_of_guest(void *ctx, unsigned char *guest)
{
	(void)ctx;
	return guest[0];
}

static int find_file(struct fetch *f, struct lu_err *err)
{
	const struct lu_stepfile *sign = &f->sign.file[0], *other = &f->in.file[0];

	if (lu_near_same_file(sign, other, &f->number, err) < 0)
		return -1;
	f->base = other->corpus.file.p[f->number].base;
	f->docs = other->corpus.file.p[f->number].docs;
	if (other->section.n != other->corpus.file.n)
		return lu_near_damaged(other, err);
	return check_sign(sign, f->t.mh, err);
}

static int fetch(struct fetch *f, struct lu_sorter **guests, struct lu_err *err)
{
	struct lu_near_lookup lookup = { look_up, f };
	size_t files;

	if (find_file(f, err) < 0 ||
			lu_near_sorter(&f->t, &f->seats, LU_SEAT_SIZE, LU_SEAT_SIZE, err) < 0 ||
			lu_near_sorter(&f->t, guests, lu_guest_size(&f->t.how), LU_GUEST_HEAD,
					err) < 0 ||
			lu_stepcursor_open(&f->sketches, &f->sign.file[0], 0, 1, (size_t)1 << 20,
					err) < 0)
		return -1;
	for (size_t i = 0; i < f->in.n; i++) {
		f->file = &f->in.file[i];
		if (lu_near_read(f->file, f->number, f->number + 1, LU_SEAT_SIZE, add_seat, f,
				    err) < 0)
			return -1;
	}
	if (lu_near_fetch(&f->t.how, f->seats, lookup, *guests, err) < 0 ||
			lu_stepcursor_finish(&f->sketches, err) < 0)
		return -1;
	lu_sorter_free(f->seats);
	f->seats = NULL;
	if (lu_near_write(&f->t, *guests, lu_guest_size(&f->t.how), LU_NEAR_SECTIONS,
			    section_of_guest, NULL, err) < 0)
		return -1;
	files = f->in.file[0].corpus.file.n;
	return lu_stepfile_commit(&f->t.w, &f->in.file[0].corpus, f->in.file[0].settings,
			(unsigned)f->number + 1, (unsigned)files, err);
}

int lu_near_step_fetch(const struct lu_dedup *d, struct lu_err *err)
{
	struct fetch f = { .t = { .w = LU_STEPFILE_WRITER_NONE } };
	struct lu_sorter *guests = NULL;
	char **file = d->args->file;
	int rc = d->args->files > 1 ? 0
				    : lu_err_set(err,
						      "--step fetch reads a file of step sign and "
						      "all of step meet");

	if (rc == 0)
		rc = lu_near_files_open(&f.sign, file, 1, LU_SIGN_MAGIC, false, false, err);
	if (rc == 0)
		rc = lu_near_files_open(&f.in, file + 1, d->args->files - 1, LU_MEET_MAGIC, true,
				true, err);
	if (rc == 0)
		rc = lu_near_task_open(&f.t, d, f.in.file[0].settings, LU_GUEST_MAGIC, err);
	if (rc == 0)
		rc = fetch(&f, &guests, err);
	lu_stepcursor_close(&f.sketches);
	lu_sorter_free(f.seats);
	lu_sorter_free(guests);
	lu_near_files_close(&f.sign);
	lu_near_files_close(&f.in);
	lu_near_task_close(&f.t);
	return rc;
}

/* --- edges ---------------------------------------------------------------------------------- */

struct edges {
	struct lu_near_task t;
	struct lu_near_files in;
	const struct lu_stepfile *file;
	struct lu_sorter *guests;
	uint64_t edges;
};

static int add_guest(void *ctx, unsigned char *guest, struct lu_err *err)
{
	struct edges *e = ctx;

	if (lu_load64_be(guest + 16) >= e->file->corpus.docs)
		return lu_near_damaged(e->file, err);
	return lu_sorter_add(e->guests, guest, err);
}

static int put_edge(void *ctx, uint64_t a, uint64_t b, struct lu_err *err)
{
	struct edges *e = ctx;
	unsigned char edge[LU_EDGE_SIZE];

	lu_store64_be(edge, a);
	lu_store64_be(edge + 8, b);
	e->edges++;
	return lu_stepfile_write(&e->t.w, edge, sizeof(edge), err);
}

static int find_edges(struct edges *e, struct lu_err *err)
{
	size_t part = e->t.o->part, parts = e->t.o->parts;
	struct lu_buf settings = { 0 };
	int rc = lu_near_sorter(&e->t, &e->guests, lu_guest_size(&e->t.how), LU_GUEST_HEAD, err);

	for (size_t i = 0; rc == 0 && i < e->in.n; i++) {
		e->file = &e->in.file[i];
		if (e->file->section.n != LU_NEAR_SECTIONS)
			rc = lu_near_damaged(e->file, err);
		else
			rc = lu_near_read(e->file, LU_NEAR_SECTIONS * (part - 1) / parts,
					LU_NEAR_SECTIONS * part / parts, lu_guest_size(&e->t.how),
					add_guest, e, err);
	}
	if (rc == 0)
		rc = lu_near_edges(&e->t.how, e->guests, put_edge, e, err);
	if (rc == 0)
		rc = lu_stepfile_end_section(&e->t.w, e->edges, err);
	lu_buf_printf(&settings, "%s, verify %.17g", e->in.file[0].settings, e->t.how.verify);
	if (rc == 0)
		rc = lu_buf_check(&settings, err);
	if (rc == 0)
		rc = lu_stepfile_commit(&e->t.w, &e->in.file[0].corpus, settings.p, e->t.o->part,
				e->t.o->parts, err);
	lu_buf_release(&settings);
	return rc;
}

int lu_near_step_edges(const struct lu_dedup *d, struct lu_err *err)
{
	struct edges e = { .t = { .w = LU_STEPFILE_WRITER_NONE } };
	int rc = lu_near_files_open(
			&e.in, d->args->file, d->args->files, LU_GUEST_MAGIC, true, true, err);

	if (rc == 0)
		rc = lu_near_task_open(&e.t, d, e.in.file[0].settings, LU_EDGE_MAGIC, err);
	if (rc == 0)
		rc = find_edges(&e, err);
	lu_sorter_free(e.guests);
	lu_near_files_close(&e.in);
	lu_near_task_close(&e.t);
	return rc;
}
