#include "libcommon/dedup/near.h"

#include <stdlib.h>

#include "libcommon/base/vec.h"
#include "libcommon/dedup/near_stages.h"
#include "libcommon/io/spool.h"

#define ENTRY_HEAD 9 /* rank and flag before the sketch or signature of a spooled entry */
/* Spooled entries are read in pieces of about this size. */
#define PIECE ((size_t)1 << 20)

struct lu_near {
	struct lu_near_options o;
	struct lu_near_how how;
	uint64_t docs, fixed; /* in all; of indexes */
	uint64_t next;	      /* document of the next verdict */

	/* While all fit. */
	struct LU_VEC(unsigned char) signatures; /* end to end */
	struct LU_VEC(uint64_t) rank;

	/* When they do not: the pairs, and an entry for each document. */
	bool spilled;
	struct lu_sorter *pairs;
	struct lu_spool entries;
	size_t entry_size;
	size_t in_piece;   /* documents in one */
	uint64_t piece_of; /* first document of the piece in memory */
	struct lu_str piece;

	unsigned char *excluded; /* a bit a document, or NULL */
	lu_near_told_fn *told;
	void *told_ctx;
	struct lu_sorter *verdicts;
	bool pending; /* `verdict` is one that was not returned yet */
	struct lu_verdict_record verdict;
};

static int new_sorter(const struct lu_near *n, struct lu_sorter **s, size_t size, size_t key,
		struct lu_err *err)
{
	/* No more than two are filled at a time. */
	struct lu_sorter_options o = { .size = size,
		.key = key,
		.memory = n->o.memory / 2,
		.tmpdir = n->o.tmpdir,
		.threads = n->o.threads };

	return lu_sorter_new(s, &o, err);
}

int lu_near_new(struct lu_near **out, const struct lu_near_options *o, struct lu_err *err)
{
	struct lu_near *n = calloc(1, sizeof(*n));

	if (!n)
		return lu_err_nomem(err);
	n->o = *o;
	n->how = (struct lu_near_how){ .mh = o->mh, .verify = o->verify };
	n->entries = (struct lu_spool)LU_SPOOL_NONE;
	n->entry_size = ENTRY_HEAD +
			(o->keep_signatures ? lu_minhash_size(o->mh) : lu_minhash_hashes(o->mh));
	n->in_piece = PIECE / n->entry_size;
	*out = n;
	return 0;
}

/* --- adding ------------------------------------------------------------------------------- */

static int spool_entry(struct lu_near *n, uint64_t doc, const void *signature, uint64_t rank,
		struct lu_err *err)
{
	unsigned char head[ENTRY_HEAD];
	const unsigned char *body =
			n->o.keep_signatures ? signature : lu_minhash_sketch(n->o.mh, signature);

	head[0] = doc < n->fixed;
	lu_store64(head + 1, rank);
	if (lu_spool_add(&n->entries, head, sizeof(head), err) < 0 ||
			lu_spool_add(&n->entries, body, n->entry_size - sizeof(head), err) < 0)
		return -1;
	return lu_near_pairs(n->pairs, signature, doc, 0, lu_minhash_bands(n->o.mh), err);
}

/* Move what is in memory to the temporary directory. */
static int spill(struct lu_near *n, struct lu_err *err)
{
	size_t size = lu_minhash_size(n->o.mh);

	if (new_sorter(n, &n->pairs, LU_PAIR_SIZE, LU_PAIR_SIZE, err) < 0 ||
			lu_spool_open(&n->entries, n->o.tmpdir, err) < 0)
		return -1;
	for (uint64_t i = 0; i < n->docs; i++) {
		if (spool_entry(n, i, n->signatures.p + i * size, n->rank.p[i], err) < 0)
			return -1;
	}
	lu_vec_release(&n->signatures);
	lu_vec_release(&n->rank);
	n->spilled = true;
	return 0;
}

int lu_near_add(struct lu_near *n, const void *signature, uint64_t rank, struct lu_err *err)
{
	size_t size = lu_minhash_size(n->o.mh);

	if (n->docs == LU_PAIR_DOCS)
		return lu_err_set(err, "more than 2^52 documents");
	if (!n->spilled && n->o.memory && (n->docs + 1) * (size + 8) > n->o.memory / 2 &&
			spill(n, err) < 0)
		return -1;
	if (n->spilled)
		return spool_entry(n, n->docs++, signature, rank, err);
	if (!lu_vec_reserve(&n->signatures, size) || !lu_vec_push(&n->rank, rank))
		return lu_err_nomem(err);
	memcpy(n->signatures.p + n->signatures.n, signature, size);
	n->signatures.n += size;
	n->docs++;
	return 0;
}

int lu_near_add_fixed(struct lu_near *n, const void *signature, struct lu_err *err)
{
	LU_ASSERT(n->fixed == n->docs);
	n->fixed++;
	return lu_near_add(n, signature, 0, err);
}

int lu_near_exclude(struct lu_near *n, uint64_t doc, struct lu_err *err)
{
	LU_ASSERT(doc < n->docs);
	if (!n->excluded)
		n->excluded = calloc((size_t)(n->docs / 8 + 1), 1);
	if (!n->excluded)
		return lu_err_nomem(err);
	n->excluded[doc / 8] |= (unsigned char)(1 << doc % 8);
	return 0;
}

bool lu_near_excluded(const struct lu_near *n, uint64_t doc)
{
	return n->excluded && (n->excluded[doc / 8] >> doc % 8 & 1);
}

uint64_t lu_near_docs(const struct lu_near *n)
{
	return n->docs;
}

/* --- looking up --------------------------------------------------------------------------- */

/* The spooled entry of a document; the piece that holds it is read where it is another one. */
static int spooled(struct lu_near *n, uint64_t doc, const char **entry, struct lu_err *err)
{
	uint64_t first = doc - doc % n->in_piece, left = n->docs - first;
	size_t count = left < n->in_piece ? (size_t)left : n->in_piece;

	if ((!n->piece.p || n->piece_of != first) &&
			lu_spool_get(&n->entries, first * n->entry_size, count * n->entry_size,
					&n->piece, err) < 0)
		return -1;
	n->piece_of = first;
	*entry = n->piece.p + (doc - first) * n->entry_size;
	return 0;
}

static int look_up(void *ctx, uint64_t doc, struct lu_near_entry *e, struct lu_err *err)
{
	struct lu_near *n = ctx;
	const char *entry;

	if (n->how.signatures) {
		*e = (struct lu_near_entry){ n->rank.p[doc], doc < n->fixed, NULL };
		return 0;
	}
	if (spooled(n, doc, &entry, err) < 0)
		return -1;
	*e = (struct lu_near_entry){ lu_load64(entry + 1), entry[0] != 0, entry + ENTRY_HEAD };
	if (n->o.keep_signatures)
		e->sketch = lu_minhash_sketch(n->o.mh, e->sketch);
	return 0;
}

/* --- the stages --------------------------------------------------------------------------- */

/* In memory, band by band: the pairs of one are a fourteenth of all. */
static int meet_in_memory(struct lu_near *n, struct lu_sorter *seats, struct lu_err *err)
{
	size_t size = lu_minhash_size(n->o.mh);
	struct lu_sorter *pairs = NULL;
	int rc = 0;

	for (unsigned band = 0; rc == 0 && band < lu_minhash_bands(n->o.mh); band++) {
		rc = new_sorter(n, &pairs, LU_PAIR_SIZE, LU_PAIR_SIZE, err);
		for (uint64_t i = 0; rc == 0 && i < n->docs; i++)
			rc = lu_near_pairs(
					pairs, n->signatures.p + i * size, i, band, band + 1, err);
		if (rc == 0)
			rc = lu_near_meet(pairs, n->excluded, seats, err);
		lu_sorter_free(pairs);
		pairs = NULL;
	}
	return rc;
}

static int add_edge(void *ctx, uint64_t a, uint64_t b, struct lu_err *err)
{
	return lu_links_add(ctx, a, b, err);
}

/* From pairs to links. */
static int find_edges(struct lu_near *n, struct lu_links *links, struct lu_err *err)
{
	struct lu_near_lookup lookup = { look_up, n };
	struct lu_sorter *seats = NULL, *guests = NULL;
	int rc = new_sorter(n, &seats, LU_SEAT_SIZE, LU_SEAT_SIZE, err);

	if (rc == 0)
		rc = n->spilled ? lu_near_meet(n->pairs, n->excluded, seats, err)
				: meet_in_memory(n, seats, err);
	lu_sorter_free(n->pairs);
	n->pairs = NULL;
	if (rc == 0)
		rc = new_sorter(n, &guests, lu_guest_size(&n->how), LU_GUEST_HEAD, err);
	if (rc == 0)
		rc = lu_near_fetch(&n->how, seats, lookup, guests, err);
	lu_sorter_free(seats);
	if (rc == 0)
		rc = lu_links_open(links, n->o.memory, n->o.tmpdir, n->o.threads, err);
	if (rc == 0)
		rc = lu_near_edges(&n->how, guests, add_edge, links, err);
	lu_sorter_free(guests);
	return rc == 0 ? lu_links_join(links, err) : -1;
}

static int gather(struct lu_near *n, const struct lu_links *links, struct lu_sorter *members,
		struct lu_err *err)
{
	struct lu_near_lookup lookup = { look_up, n };

	for (size_t i = 0; i < links->n; i++) {
		if (lu_near_gather(&n->how, lu_links_root(links, i), links->doc[i], lookup, members,
				    err) < 0)
			return -1;
	}
	return 0;
}

static int publish_one(void *ctx, const struct lu_verdict_record *r, struct lu_err *err)
{
	struct lu_near *n = ctx;
	unsigned char record[LU_VERDICT_SIZE];
	struct lu_near_verdict v = { .doc = r->doc, .kept = r->kept, .size = r->size };

	if (v.kept != v.doc)
		v.similarity = lu_minhash_estimate(n->o.mh, r->equal);
	if (n->told && n->told(n->told_ctx, &v, err) < 0)
		return -1;
	lu_verdict_put(record, r);
	return lu_sorter_add(n->verdicts, record, err);
}

/* From links to verdicts. */
static int find_verdicts(struct lu_near *n, struct lu_links *links, struct lu_err *err)
{
	struct lu_sorter *members = NULL, *outcomes = NULL;
	int rc = new_sorter(n, &members, lu_member_size(&n->how), LU_MEMBER_HEAD, err);

	if (rc == 0)
		rc = gather(n, links, members, err);
	lu_links_close(links);
	if (rc == 0)
		rc = new_sorter(n, &outcomes, LU_OUTCOME_SIZE, LU_OUTCOME_KEY, err);
	if (rc == 0)
		rc = lu_near_settle(&n->how, members, outcomes, err);
	lu_sorter_free(members);
	if (rc == 0)
		rc = new_sorter(n, &n->verdicts, LU_VERDICT_SIZE, 8, err);
	if (rc == 0)
		rc = lu_near_publish(outcomes, publish_one, n, err);
	lu_sorter_free(outcomes);
	return rc == 0 ? lu_sorter_sort(n->verdicts, err) : -1;
}

int lu_near_run(struct lu_near *n, lu_near_told_fn *told, void *ctx, struct lu_err *err)
{
	struct lu_links links = LU_LINKS_NONE;
	int rc = 0;

	n->told = told;
	n->told_ctx = ctx;
	if (n->spilled)
		rc = lu_spool_rewind(&n->entries, err);
	else
		n->how.signatures = n->signatures.p;
	if (rc == 0)
		rc = find_edges(n, &links, err);
	if (rc == 0)
		rc = find_verdicts(n, &links, err);
	lu_links_close(&links);
	return rc;
}

/* --- the verdicts ------------------------------------------------------------------------- */

/* Set v->signature. */
static int get_signature(struct lu_near *n, struct lu_near_verdict *v, struct lu_err *err)
{
	const char *entry;

	if (n->how.signatures) {
		v->signature = n->signatures.p + v->doc * lu_minhash_size(n->o.mh);
		return 0;
	}
	if (spooled(n, v->doc, &entry, err) < 0)
		return -1;
	v->signature = entry + ENTRY_HEAD;
	return 0;
}

int lu_near_next(struct lu_near *n, struct lu_near_verdict *v, struct lu_err *err)
{
	const void *record;
	int rc = 1;

	LU_ASSERT(n->next < n->docs);
	*v = (struct lu_near_verdict){ .doc = n->next, .kept = n->next, .size = 1 };
	n->next++;
	if (!n->pending) {
		rc = lu_sorter_next(n->verdicts, &record, err);
		if (rc < 0)
			return -1;
		n->verdict = (struct lu_verdict_record){ .doc = UINT64_MAX };
		if (rc > 0)
			n->verdict = lu_verdict_get(record);
		n->pending = true;
	}
	if (n->verdict.doc == v->doc) {
		n->pending = false;
		v->kept = n->verdict.kept;
		v->size = n->verdict.size;
		if (v->kept != v->doc)
			v->similarity = lu_minhash_estimate(n->o.mh, n->verdict.equal);
	}
	return v->kept == v->doc && n->o.keep_signatures ? get_signature(n, v, err) : 0;
}

void lu_near_free(struct lu_near *n)
{
	if (!n)
		return;
	lu_vec_release(&n->signatures);
	lu_vec_release(&n->rank);
	lu_sorter_free(n->pairs);
	lu_spool_close(&n->entries);
	lu_sorter_free(n->verdicts);
	free(n->excluded);
	free(n);
}
