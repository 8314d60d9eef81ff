#include "libcommon/dedup/near_stages.h"

#include "libcommon/base/buf.h"
#include "libcommon/hash/hash.h"
#include "libcommon/minhash/set_reducer.h"

/* A record of any kind; the sketch is the longest part. */
#define RECORD_MAX (LU_MEMBER_HEAD + LU_MINHASH_MAX)

/* Bytes of the sketch in a record. */
static size_t carried(const struct lu_near_how *how)
{
	return how->signatures ? 0 : lu_minhash_hashes(how->mh);
}

size_t lu_guest_size(const struct lu_near_how *how)
{
	return LU_GUEST_HEAD + carried(how);
}

size_t lu_member_size(const struct lu_near_how *how)
{
	return LU_MEMBER_HEAD + carried(how);
}

/* The sketch of a document whose record would carry it at `in_record`. */
static const void *sketch_of(
		const struct lu_near_how *how, uint64_t doc, const unsigned char *in_record)
{
	if (!how->signatures)
		return in_record;
	return lu_minhash_sketch(how->mh, how->signatures + (size_t)doc * lu_minhash_size(how->mh));
}

int lu_near_pairs(struct lu_sorter *pairs, const void *signature, uint64_t doc, unsigned from,
		unsigned to, struct lu_err *err)
{
	unsigned char pair[LU_PAIR_SIZE];

	for (unsigned band = from; band < to; band++) {
		lu_pair_put(pair, band, lu_minhash_key(signature, band), doc);
		if (lu_sorter_add(pairs, pair, err) < 0)
			return -1;
	}
	return 0;
}

/* --- meet --------------------------------------------------------------------------------- */

struct bucket {
	unsigned char first[LU_PAIR_SIZE];
	struct lu_buf docs; /* 8 bytes each */
	bool large;	    /* its name is decided, its documents are passed on as they come */
	unsigned char name[16];
	struct lu_sorter *seats;
};

static void set_name(struct bucket *b, const void *p, size_t n)
{
	struct lu_hash128 h = lu_hash128(p, n);

	lu_store64_be(b->name, h.hi);
	lu_store64_be(b->name + 8, h.lo);
}

/* Pass on the documents listed so far. */
static int seat_all(struct bucket *b, struct lu_err *err)
{
	unsigned char seat[LU_SEAT_SIZE];

	memcpy(seat + 8, b->name, sizeof(b->name));
	for (size_t i = 0; i < b->docs.n; i += 8) {
		memcpy(seat, b->docs.p + i, 8);
		if (lu_sorter_add(b->seats, seat, err) < 0)
			return -1;
	}
	lu_buf_clear(&b->docs);
	return 0;
}

static int end_bucket(struct bucket *b, struct lu_err *err)
{
	if (!b->large && b->docs.n > 8)
		set_name(b, b->docs.p, b->docs.n);
	if ((b->large || b->docs.n > 8) && seat_all(b, err) < 0)
		return -1;
	b->large = false;
	lu_buf_clear(&b->docs);
	return 0;
}

static int add_pair(struct bucket *b, const unsigned char *pair, struct lu_err *err)
{
	unsigned char doc[8];

	if ((b->docs.n == 0 && !b->large) || !lu_pair_meets(b->first, pair)) {
		if (end_bucket(b, err) < 0)
			return -1;
		memcpy(b->first, pair, LU_PAIR_SIZE);
	}
	lu_store64_be(doc, lu_pair_doc(pair));
	lu_buf_append(&b->docs, doc, sizeof(doc));
	if (lu_buf_check(&b->docs, err) < 0)
		return -1;
	if (b->docs.n <= (size_t)8 * LU_NEAR_LISTED)
		return 0;
	if (!b->large)
		set_name(b, b->first, LU_PAIR_SIZE);
	b->large = true;
	return 0;
}

int lu_near_meet(struct lu_sorter *pairs, const unsigned char *excluded, struct lu_sorter *seats,
		struct lu_err *err)
{
	struct bucket b = { .seats = seats };
	const void *pair;
	int rc = lu_sorter_sort(pairs, err);

	while (rc >= 0 && (rc = lu_sorter_next(pairs, &pair, err)) > 0) {
		uint64_t doc = lu_pair_doc(pair);

		if (excluded && (excluded[doc / 8] >> doc % 8 & 1))
			continue;
		rc = add_pair(&b, pair, err);
		if (rc == 0 && b.large && b.docs.n > (size_t)16 * LU_NEAR_LISTED)
			rc = seat_all(&b, err);
		if (rc < 0)
			break;
	}
	if (rc == 0)
		rc = end_bucket(&b, err);
	lu_buf_release(&b.docs);
	return rc;
}

/* --- fetch -------------------------------------------------------------------------------- */

int lu_near_fetch(const struct lu_near_how *how, struct lu_sorter *seats,
		struct lu_near_lookup lookup, struct lu_sorter *guests, struct lu_err *err)
{
	unsigned char guest[RECORD_MAX], last[LU_SEAT_SIZE];
	struct lu_near_entry e = { 0 };
	size_t sketch = carried(how);
	bool any = false;
	const void *seat;
	int rc;

	if (lu_sorter_sort(seats, err) < 0)
		return -1;
	while ((rc = lu_sorter_next(seats, &seat, err)) > 0) {
		/* The same company in another band. */
		if (any && memcmp(last, seat, LU_SEAT_SIZE) == 0)
			continue;
		if (!any || memcmp(last, seat, 8) != 0) {
			if (sketch && lookup.fn(lookup.ctx, lu_load64_be(seat), &e, err) < 0)
				return -1;
			if (sketch)
				memcpy(guest + LU_GUEST_HEAD, e.sketch, sketch);
			memcpy(guest + 16, seat, 8);
		}
		memcpy(guest, (const unsigned char *)seat + 8, 16);
		memcpy(last, seat, LU_SEAT_SIZE);
		any = true;
		if (lu_sorter_add(guests, guest, err) < 0)
			return -1;
	}
	return rc;
}

/* --- edges -------------------------------------------------------------------------------- */

struct centres {
	unsigned char bucket[16];
	size_t n;
	uint64_t doc[LU_NEAR_CENTRES];
	unsigned char sketch[LU_NEAR_CENTRES][LU_MINHASH_MAX];
};

/* Compare a document with the centres of its bucket. */
static int compare(const struct lu_near_how *how, struct centres *c, uint64_t doc,
		const void *sketch, unsigned least, lu_near_edge_fn *fn, void *ctx,
		struct lu_err *err)
{
	bool edge = false;

	for (size_t i = 0; i < c->n; i++) {
		if (lu_minhash_equal(how->mh, c->sketch[i], sketch) < least)
			continue;
		edge = true;
		if (fn(ctx, c->doc[i], doc, err) < 0)
			return -1;
		if (least == 0)
			break;
	}
	if (!edge && c->n < LU_NEAR_CENTRES) {
		memcpy(c->sketch[c->n], sketch, lu_minhash_hashes(how->mh));
		c->doc[c->n++] = doc;
	}
	return 0;
}

int lu_near_edges(const struct lu_near_how *how, struct lu_sorter *guests, lu_near_edge_fn *fn,
		void *ctx, struct lu_err *err)
{
	unsigned least = lu_minhash_least(how->mh, how->verify);
	struct centres *c = calloc(1, sizeof(*c));
	const void *at;
	int rc = c ? lu_sorter_sort(guests, err) : lu_err_nomem(err);

	while (rc >= 0 && (rc = lu_sorter_next(guests, &at, err)) > 0) {
		const unsigned char *guest = at;
		uint64_t doc = lu_load64_be(guest + 16);

		if (c->n == 0 || memcmp(c->bucket, guest, 16) != 0) {
			memcpy(c->bucket, guest, 16);
			c->n = 0;
		}
		rc = compare(how, c, doc, sketch_of(how, doc, guest + LU_GUEST_HEAD), least, fn,
				ctx, err);
	}
	free(c);
	return rc;
}

/* --- gather and settle -------------------------------------------------------------------- */

void lu_member_put(unsigned char *member, const struct lu_near_how *how, uint64_t root,
		uint64_t doc, const struct lu_near_entry *e)
{
	lu_store64_be(member, root);
	member[8] = !e->fixed;
	lu_store64_be(member + 9, e->rank);
	lu_store64_be(member + 17, doc);
	if (carried(how))
		memcpy(member + LU_MEMBER_HEAD, e->sketch, carried(how));
}

int lu_near_gather(const struct lu_near_how *how, uint64_t root, uint64_t doc,
		struct lu_near_lookup lookup, struct lu_sorter *members, struct lu_err *err)
{
	unsigned char member[RECORD_MAX];
	struct lu_near_entry e;

	if (lookup.fn(lookup.ctx, doc, &e, err) < 0)
		return -1;
	lu_member_put(member, how, root, doc, &e);
	return lu_sorter_add(members, member, err);
}

/* Outcomes of the kept documents of a set that stand for others. */
static int end_set(const struct lu_reducer *r, struct lu_sorter *outcomes, struct lu_err *err)
{
	unsigned char record[LU_OUTCOME_SIZE];

	for (size_t i = 0; i < r->n; i++) {
		struct lu_verdict_record v = { r->kept[i], r->kept[i], 0, r->size[i] };

		if (v.size < 2)
			continue;
		lu_outcome_put(record, &v);
		if (lu_sorter_add(outcomes, record, err) < 0)
			return -1;
	}
	return 0;
}

static int add_member(const struct lu_near_how *how, struct lu_reducer *r,
		const unsigned char *member, struct lu_sorter *outcomes, struct lu_err *err)
{
	struct lu_verdict_record v = { .doc = lu_load64_be(member + 17) };
	const void *sketch = sketch_of(how, v.doc, member + LU_MEMBER_HEAD);
	unsigned char record[LU_OUTCOME_SIZE];
	int rc = lu_reducer_add(r, v.doc, member[8] == 0, sketch, &v.kept, &v.equal, err);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	lu_outcome_put(record, &v);
	return lu_sorter_add(outcomes, record, err);
}

int lu_near_settle(const struct lu_near_how *how, struct lu_sorter *members,
		struct lu_sorter *outcomes, struct lu_err *err)
{
	struct lu_reducer r;
	uint64_t root = 0;
	const void *member;
	int rc = lu_sorter_sort(members, err);

	lu_reducer_init(&r, how->mh, how->verify);
	while (rc >= 0 && (rc = lu_sorter_next(members, &member, err)) > 0) {
		if (r.n == 0 || lu_load64_be(member) != root) {
			rc = end_set(&r, outcomes, err);
			lu_reducer_begin(&r);
			root = lu_load64_be(member);
		}
		if (rc >= 0)
			rc = add_member(how, &r, member, outcomes, err);
	}
	if (rc == 0)
		rc = end_set(&r, outcomes, err);
	lu_reducer_release(&r);
	return rc;
}

int lu_near_publish(
		struct lu_sorter *outcomes, lu_near_cluster_fn *fn, void *ctx, struct lu_err *err)
{
	uint64_t size = 0;
	const void *at;
	int rc = lu_sorter_sort(outcomes, err);

	while (rc >= 0 && (rc = lu_sorter_next(outcomes, &at, err)) > 0) {
		struct lu_verdict_record v = lu_outcome_get(at);

		if (v.doc == v.kept)
			size = v.size;
		v.size = size;
		rc = fn(ctx, &v, err);
	}
	return rc;
}
