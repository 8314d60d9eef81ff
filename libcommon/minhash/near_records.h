#ifndef LUCIE_MINHASH_NEAR_RECORDS_H
#define LUCIE_MINHASH_NEAR_RECORDS_H
/*
 * The records that the stages of near deduplication (near_stages.h) sort and pass on. Each has a
 * fixed size and is ordered by its leading bytes, so numbers are stored with the high byte first
 * (base/num.h stores those of files with the low byte first).
 *
 *	pair	band, key, document: 12 + 64 + 52 bits	a document has this key in this band
 *	seat	document 8, bucket 16			a document sits in a bucket of two or more
 *	guest	bucket 16, document 8, sketch		the same with the document's sketch
 *	edge	document 8, document 8			two similar documents, a centre first
 *	root	document 8, document 8			a document, and the first one of its set
 *	member	root 8, fixed 1, rank 8, document 8, sketch
 *	outcome	kept 8, removed 1, document 8, equal 2, size 8	what settle says of a document
 *	verdict	document 8, kept 8, equal 2, size 8		the same in the order of documents
 *
 * A bucket is named by a hash of the list of its documents: two bands that bring the same documents
 * together name the same bucket, which is then looked at once.
 *
 * `fixed` is 0 for a document of an index, which comes before all others and always stays, else 1.
 * Where a document was removed, `equal` counts the equal bytes of its sketch and that of the
 * document kept in its place, which is one more record of the same cluster and comes first in it;
 * `size` is the number of documents in the cluster, two or more (of outcomes: only in the record of
 * the kept one). Documents without a record stay and are alone.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "libcommon/base/num.h"

#define LU_SEAT_SIZE 24
#define LU_GUEST_HEAD 24
#define LU_EDGE_SIZE 16
#define LU_ROOT_SIZE 16
#define LU_MEMBER_HEAD 25
#define LU_OUTCOME_SIZE 27
#define LU_OUTCOME_KEY 17
#define LU_VERDICT_SIZE 26

#define LU_PAIR_SIZE 16
/* Document numbers have 52 bits, bands (at most LU_MINHASH_MAX) 12. */
#define LU_PAIR_DOCS (UINT64_C(1) << 52)

static inline void lu_pair_put(
		unsigned char p[LU_PAIR_SIZE], unsigned band, uint64_t key, uint64_t doc)
{
	lu_store64_be(p, (uint64_t)band << 52 | key >> 12);
	lu_store64_be(p + 8, key << 52 | doc);
}
static inline uint64_t lu_pair_doc(const void *pair)
{
	return lu_load64_be((const char *)pair + 8) & (LU_PAIR_DOCS - 1);
}
/* True if two pairs have the same band and key. */
static inline bool lu_pair_meets(const void *a, const void *b)
{
	uint64_t low = lu_load64_be((const char *)a + 8) ^ lu_load64_be((const char *)b + 8);

	return memcmp(a, b, 8) == 0 && low < LU_PAIR_DOCS;
}

struct lu_verdict_record {
	uint64_t doc, kept;
	unsigned equal;
	uint64_t size;
};

static inline void lu_verdict_put(
		unsigned char p[LU_VERDICT_SIZE], const struct lu_verdict_record *v)
{
	lu_store64_be(p, v->doc);
	lu_store64_be(p + 8, v->kept);
	p[16] = (unsigned char)(v->equal >> 8);
	p[17] = (unsigned char)v->equal;
	lu_store64_be(p + 18, v->size);
}
static inline struct lu_verdict_record lu_verdict_get(const void *at)
{
	const unsigned char *p = at;

	return (struct lu_verdict_record){ lu_load64_be(p), lu_load64_be(p + 8),
		(unsigned)p[16] << 8 | p[17], lu_load64_be(p + 18) };
}

static inline void lu_outcome_put(
		unsigned char p[LU_OUTCOME_SIZE], const struct lu_verdict_record *v)
{
	lu_store64_be(p, v->kept);
	p[8] = v->doc != v->kept;
	lu_store64_be(p + 9, v->doc);
	p[17] = (unsigned char)(v->equal >> 8);
	p[18] = (unsigned char)v->equal;
	lu_store64_be(p + 19, v->size);
}
static inline struct lu_verdict_record lu_outcome_get(const void *at)
{
	const unsigned char *p = at;

	return (struct lu_verdict_record){ lu_load64_be(p + 9), lu_load64_be(p),
		(unsigned)p[17] << 8 | p[18], lu_load64_be(p + 19) };
}

#endif
