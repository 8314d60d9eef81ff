#ifndef LUCIE_DEDUP_NEAR_STAGES_H
#define LUCIE_DEDUP_NEAR_STAGES_H
/*
 * The stages of near deduplication, each a function from sorted records to records
 * (minhash/near_records.h). One process runs them one after the other (near.h), or each runs as many tasks
 * over parts of the records (near_steps.h); the result is the same, since none looks beyond one
 * bucket, one document or one set.
 *
 *	sign	a document	-> its pairs
 *	meet	pairs		-> seats: who shares a key with another document
 *	fetch	seats		-> guests: the same with their sketches
 *	edges	guests		-> edges between similar documents
 *	link	edges		-> the root of each document that has one (minhash/links.h)
 *	gather	roots		-> members of sets, with their sketches and ranks
 *	settle	members		-> outcomes
 *	publish	outcomes	-> clusters, and the verdicts in the order of documents
 *
 * A sorter that is passed in for reading has been filled; the function sorts it. One that is written
 * to is left unsorted. All memory besides the sorters is bounded by about 20 MB.
 *
 * Edges: in each bucket, in the order of documents, one is compared with the centres of the bucket
 * (its first document is one); an estimated similarity of at least `verify` is an edge; a document
 * without an edge becomes a centre, up to LU_NEAR_CENTRES of them. So there are at most documents
 * times centres edges, however large the bucket. With verify = 0 every document has an edge with
 * the first.
 */
#include <stdbool.h>

#include "libcommon/io/sorter.h"
#include "libcommon/minhash/links.h"
#include "libcommon/minhash/minhash.h"
#include "libcommon/minhash/near_records.h"

#define LU_NEAR_CENTRES 16
/* Buckets of more documents are named by their band and key, not by a list of documents. */
#define LU_NEAR_LISTED 65536

/* How documents are compared. */
struct lu_near_how {
	const struct lu_minhash *mh;
	double verify; /* least estimated similarity of an edge; 0: every candidate is one */
	/* The signatures of all documents, end to end, where they are in memory; else NULL: then
	 * guests and members carry their sketches. */
	const unsigned char *signatures;
};

/* What is known of a document: its rank (lower is better), whether it is of an index, its sketch
 * (not needed where the signatures are in memory). */
struct lu_near_entry {
	uint64_t rank;
	bool fixed;
	const void *sketch; /* valid until the next call */
};

/* Look up documents in ascending order. */
typedef int lu_near_lookup_fn(
		void *ctx, uint64_t doc, struct lu_near_entry *entry, struct lu_err *err);
struct lu_near_lookup {
	lu_near_lookup_fn *fn;
	void *ctx;
};

/* Add the pairs of bands from <= band < to of a signature. */
int lu_near_pairs(struct lu_sorter *pairs, const void *signature, uint64_t doc, unsigned from,
		unsigned to, struct lu_err *err) LU_CHECKED;
/* Documents whose bit is set in `excluded` (NULL: none) are passed over. */
int lu_near_meet(struct lu_sorter *pairs, const unsigned char *excluded, struct lu_sorter *seats,
		struct lu_err *err) LU_CHECKED;
int lu_near_fetch(const struct lu_near_how *how, struct lu_sorter *seats,
		struct lu_near_lookup lookup, struct lu_sorter *guests,
		struct lu_err *err) LU_CHECKED;
/* Calls fn() for each edge; a < b. */
typedef int lu_near_edge_fn(void *ctx, uint64_t a, uint64_t b, struct lu_err *err);
int lu_near_edges(const struct lu_near_how *how, struct lu_sorter *guests, lu_near_edge_fn *fn,
		void *ctx, struct lu_err *err) LU_CHECKED;
/* Write a member of the set of `root`: lu_member_size(how) bytes. */
void lu_member_put(unsigned char *member, const struct lu_near_how *how, uint64_t root,
		uint64_t doc, const struct lu_near_entry *e);
/* Look up a document and add it as a member. */
int lu_near_gather(const struct lu_near_how *how, uint64_t root, uint64_t doc,
		struct lu_near_lookup lookup, struct lu_sorter *members,
		struct lu_err *err) LU_CHECKED;
int lu_near_settle(const struct lu_near_how *how, struct lu_sorter *members,
		struct lu_sorter *outcomes, struct lu_err *err) LU_CHECKED;
/* Calls fn() for each document of each cluster of two or more, with the size of the cluster: by the
 * number of the kept document, which comes first, and then in order. */
typedef int lu_near_cluster_fn(void *ctx, const struct lu_verdict_record *v, struct lu_err *err);
int lu_near_publish(struct lu_sorter *outcomes, lu_near_cluster_fn *fn, void *ctx,
		struct lu_err *err) LU_CHECKED;

/* Bytes of the records that may carry a sketch. */
size_t lu_guest_size(const struct lu_near_how *how);
size_t lu_member_size(const struct lu_near_how *how);

#endif
