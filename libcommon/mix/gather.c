#include "libcommon/mix/gather.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/io/sorter.h"

struct run {
	struct lu_arrange *a;
	struct lu_held *held;
	const struct lu_gather_options *o;
	uint64_t out;
	struct lu_arena arena;
	struct lu_doc doc;
};

static int drop(struct run *r, uint64_t i, struct lu_err *err)
{
	lu_arena_reset(&r->arena);
	return lu_held_get(r->held, i, &r->doc, err) < 0 ? -1 : r->o->drop(r->o->ctx, &r->doc, err);
}

/* --- where they lie ----------------------------------------------------------------------- */

static int put_in_place(struct run *r, struct lu_err *err)
{
	struct lu_arrange_entry e;
	uint64_t docs = r->held->docs;
	bool *used = calloc(docs ? docs : 1, sizeof(*used));
	int rc = used ? 0 : lu_err_nomem(err);

	while (rc == 0 && (rc = lu_arrange_next(r->a, &e, err)) > 0) {
		used[e.document] = true;
		lu_arena_reset(&r->arena);
		rc = lu_held_get(r->held, e.document, &r->doc, err);
		if (rc == 0)
			rc = r->o->put(r->o->ctx, &r->doc, e.pass, err);
	}
	for (uint64_t i = 0; rc == 0 && i < docs; i++) {
		if (!used[i])
			rc = drop(r, i, err);
	}
	free(used);
	return rc;
}

/* --- cells -------------------------------------------------------------------------------- */

/* A use of a document: its number and its place in the mix, big-endian, then the pass. */
enum { USE_AT = 8, USE_PASS = 16, USE_BYTES = 24 };
/* In front of a record in a cell: its place, length and pass. */
enum { CELL_LENGTH = 8, CELL_PASS = 16, CELL_BYTES = 24 };

struct cells {
	struct lu_spool *cell;
	size_t n;
	uint64_t each; /* documents of a cell */
};

/* As many cells as it takes for the records of one, or the index of one, to fit into half of the bound. */
static int cells_open(struct cells *c, const struct run *r, struct lu_err *err)
{
	uint64_t docs = r->held->docs ? r->held->docs : 1, half = r->o->memory / 2 + 1;
	double bytes = (double)lu_spool_size(&r->held->spool) / (double)docs * (double)r->out;
	double want = bytes / (double)half, index = (double)r->out * 16 / (double)half;
	/* The windows of the spools are memory, too. */
	size_t most = (size_t)(half / LU_SPOOL_WINDOW), n;

	want = want > index ? want : index;
	most = most < 2 ? 2 : most > LU_GATHER_CELLS ? LU_GATHER_CELLS : most;
	n = want < (double)most ? (size_t)want + 1 : most;
	c->each = r->out / n + 1;
	c->cell = calloc(n, sizeof(*c->cell));
	if (!c->cell)
		return lu_err_nomem(err);
	for (; c->n < n; c->n++) {
		if (lu_spool_open(&c->cell[c->n], r->o->tmpdir, err) < 0)
			return -1;
	}
	return 0;
}

static void cells_close(struct cells *c)
{
	for (size_t i = 0; i < c->n; i++)
		lu_spool_close(&c->cell[i]);
	free(c->cell);
}

/* The uses of the documents, by document. */
static int sort_uses(struct run *r, struct lu_sorter **uses, struct lu_err *err)
{
	struct lu_sorter_options o = { .size = USE_BYTES,
		.key = USE_PASS,
		.memory = r->o->memory / 2,
		.tmpdir = r->o->tmpdir,
		.threads = r->o->threads };
	struct lu_arrange_entry e;
	uint64_t at = 0;
	int rc = lu_sorter_new(uses, &o, err);

	while (rc == 0 && (rc = lu_arrange_next(r->a, &e, err)) > 0) {
		unsigned char use[USE_BYTES] = { 0 };

		lu_store64_be(use, e.document);
		lu_store64_be(use + USE_AT, at++);
		lu_store64(use + USE_PASS, e.pass);
		rc = lu_sorter_add(*uses, use, err);
	}
	return rc < 0 ? -1 : lu_sorter_sort(*uses, err);
}

static int deal(struct cells *c, const unsigned char *use, struct lu_str record, struct lu_err *err)
{
	uint64_t at = lu_load64_be(use + USE_AT);
	struct lu_spool *cell = &c->cell[at / c->each];
	unsigned char head[CELL_BYTES];

	lu_store64(head, at);
	lu_store64(head + CELL_LENGTH, record.n);
	memcpy(head + CELL_PASS, use + USE_PASS, 8);
	if (lu_spool_add(cell, head, sizeof(head), err) < 0)
		return -1;
	return lu_spool_add(cell, record.p, record.n, err);
}

/* Deal all records, in the order of the input, and drop those without a use. */
static int deal_all(struct run *r, struct cells *c, struct lu_sorter *uses, struct lu_err *err)
{
	const void *use = NULL;
	int more = lu_sorter_next(uses, &use, err);

	for (uint64_t i = 0; i < r->held->docs; i++) {
		if (more < 0)
			return -1;
		if (!more || lu_load64_be(use) != i) {
			if (drop(r, i, err) < 0)
				return -1;
			continue;
		}
		if (lu_held_get(r->held, i, &r->doc, err) < 0)
			return -1;
		while (more > 0 && lu_load64_be(use) == i) {
			if (deal(c, use, r->doc.raw, err) < 0)
				return -1;
			more = lu_sorter_next(uses, &use, err);
		}
	}
	return more < 0 ? -1 : 0;
}

/* A record of a cell, with what is in front of it. */
struct place {
	uint64_t offset, length;
};

/* Where the records of a cell are, by place. */
static int index_cell(
		struct lu_spool *cell, uint64_t first, struct place *place, struct lu_err *err)
{
	if (lu_spool_rewind(cell, err) < 0)
		return -1;
	for (uint64_t at = 0; at < lu_spool_size(cell);) {
		struct lu_str head, record;
		uint64_t length;

		if (lu_spool_get(cell, at, CELL_BYTES, &head, err) < 0)
			return -1;
		length = lu_load64(head.p + CELL_LENGTH);
		place[lu_load64(head.p) - first] = (struct place){ at, CELL_BYTES + length };
		/* Not to leave anything out keeps the reading in large pieces. */
		if (lu_spool_get(cell, at + CELL_BYTES, (size_t)length, &record, err) < 0)
			return -1;
		at += CELL_BYTES + length;
	}
	return 0;
}

static int put_record(
		struct run *r, struct lu_spool *cell, const struct place *at, struct lu_err *err)
{
	struct lu_str record;
	uint64_t pass;

	if (lu_spool_get(cell, at->offset, (size_t)at->length, &record, err) < 0)
		return -1;
	pass = lu_load64(record.p + CELL_PASS);
	record = (struct lu_str){ record.p + CELL_BYTES, record.n - CELL_BYTES };
	lu_arena_reset(&r->arena);
	r->doc = (struct lu_doc){ .raw = record,
		.obj = { .line = record },
		.text = { "", 0 },
		.file = "",
		.arena = &r->arena,
		.verdict = LU_KEEP,
		.repeat = 1 };
	return r->o->put(r->o->ctx, &r->doc, pass, err);
}

static int put_cells(struct run *r, struct cells *c, struct lu_err *err)
{
	struct place *place = calloc(c->each, sizeof(*place));
	int rc = place ? 0 : lu_err_nomem(err);

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		uint64_t first = i * c->each;

		rc = index_cell(&c->cell[i], first, place, err);
		for (uint64_t k = 0; rc == 0 && k < c->each && first + k < r->out; k++)
			rc = put_record(r, &c->cell[i], &place[k], err);
		lu_spool_close(&c->cell[i]);
	}
	free(place);
	return rc;
}

static int put_by_cells(struct run *r, struct lu_err *err)
{
	struct lu_sorter *uses = NULL;
	struct cells c = { 0 };
	int rc = sort_uses(r, &uses, err);

	if (rc == 0)
		rc = cells_open(&c, r, err);
	if (rc == 0)
		rc = deal_all(r, &c, uses, err);
	lu_sorter_free(uses);
	if (rc == 0) {
		lu_held_close(r->held);
		rc = put_cells(r, &c, err);
	}
	cells_close(&c);
	return rc;
}

int lu_gather(struct lu_arrange *a, uint64_t out, struct lu_held *h,
		const struct lu_gather_options *o, struct lu_err *err)
{
	struct run r = { .a = a, .held = h, .o = o, .out = out };
	bool fits = o->memory == 0 || lu_spool_size(&h->spool) <= o->memory;
	int rc;

	r.doc.arena = &r.arena;
	rc = fits ? put_in_place(&r, err) : put_by_cells(&r, err);
	lu_arena_release(&r.arena);
	return rc;
}
