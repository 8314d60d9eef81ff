#ifndef LUCIE_MINHASH_MINHASH_H
#define LUCIE_MINHASH_MINHASH_H
/*
 * MinHash: a short signature of a document, such that the fraction of equal minima in two
 * signatures estimates the Jaccard similarity of their shingle sets (Broder 1997).
 *
 *	struct lu_minhash *mh;				read-only once made: shared by threads
 *	lu_minhash_new(&mh, 14, 8, LU_MINHASH_BEST, &err);
 *	struct lu_minhash_work *w = lu_minhash_work_new(mh, &err);	one a thread
 *	signature = lu_minhash_size(mh) bytes of the caller
 *	lu_minhash_sign(w, text, signature, &err);
 *
 * H = max(112, bands x rows) hash functions h_k(x) = a_k x + b_k mod 2^32, a_k odd, on the upper
 * half of the 64-bit shingle hash; their coefficients are Philox numbers (base/rng.h, seed 1).
 * In simulation this family is as good as any (within 0.003 of the true similarity for sets up to
 * 20 000), and it is the cheapest. The minima of a set of one shingle come from its 64-bit hash
 * instead, so that two short texts cannot collide in 32 bits.
 *
 * A signature holds
 *   bands x 8 bytes  the key of each band, little-endian: XXH3-64 of its `rows` minima, seed the
 *		      number of the band
 *   H bytes	      the sketch: 8 bits of each minimum, to estimate a similarity
 *
 * Two documents of similarity s share a key with probability 1 - (1 - s^rows)^bands: more bands
 * find more, more rows find less. Keys of 64 bits collide by accident for N^2 / 2^65 pairs of N
 * documents a band (32 bits would give a million false pairs for 1e8 documents).
 *
 * The values do not depend on the instruction set.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_MINHASH_HASHES 112
#define LU_MINHASH_MAX 4096 /* bands x rows */

enum lu_minhash_kernel { LU_MINHASH_BEST, LU_MINHASH_PORTABLE };

struct lu_minhash;
/* bands and rows are at least 1, their product at most LU_MINHASH_MAX. */
int lu_minhash_new(struct lu_minhash **mh, unsigned bands, unsigned rows,
		enum lu_minhash_kernel kernel, struct lu_err *err) LU_CHECKED;
void lu_minhash_free(struct lu_minhash *mh);
unsigned lu_minhash_bands(const struct lu_minhash *mh);
unsigned lu_minhash_rows(const struct lu_minhash *mh);
/* Length of the sketch. */
unsigned lu_minhash_hashes(const struct lu_minhash *mh);
/* Bytes of one signature: 8 x bands + hashes. */
size_t lu_minhash_size(const struct lu_minhash *mh);
/* A hash of the parameters: signatures can be compared only where it is equal. */
uint64_t lu_minhash_params(const struct lu_minhash *mh);

/* A thread's working memory; `mh` must outlive it. NULL when memory is out. */
struct lu_minhash_work;
struct lu_minhash_work *lu_minhash_work_new(const struct lu_minhash *mh, struct lu_err *err);
void lu_minhash_work_free(struct lu_minhash_work *w);

/* Sign a text. */
int lu_minhash_sign(struct lu_minhash_work *w, struct lu_str text, void *signature,
		struct lu_err *err) LU_CHECKED;
/* The steps of lu_minhash_sign(), for a set given by the 64-bit hashes of its shingles: begin, add
 * at most LU_SHINGLE_BLOCK of them any number of times, end. */
void lu_minhash_begin(struct lu_minhash_work *w);
void lu_minhash_add(void *work, const uint64_t *shingle, size_t n);
void lu_minhash_end(struct lu_minhash_work *w, void *signature);

/* Key of a band of a signature. */
uint64_t lu_minhash_key(const void *signature, unsigned band);
/* Make the keys of a signature depend on a value as well (the content of a field), so that only
 * documents with the same value can be candidates. The sketch stays. */
void lu_minhash_mix(const struct lu_minhash *mh, void *signature, uint64_t value);
/* The sketch of a signature: lu_minhash_hashes(mh) bytes. */
const void *lu_minhash_sketch(const struct lu_minhash *mh, const void *signature);
/* Equal bytes of two sketches. */
unsigned lu_minhash_equal(const struct lu_minhash *mh, const void *a, const void *b);
/* Estimated Jaccard similarity, 0..1, of two documents whose sketches have `equal` equal bytes: with
 * x their fraction, (x - 2^-8) / (1 - 2^-8), since unequal minima agree in 8 bits by accident once
 * in 256 times (Li and Koenig, "b-bit minwise hashing", 2010). Standard error 0.044 at 0.7. */
double lu_minhash_estimate(const struct lu_minhash *mh, unsigned equal);
/* The least number of equal bytes with an estimate of at least `similarity`. */
unsigned lu_minhash_least(const struct lu_minhash *mh, double similarity);
/* Probability that documents of similarity s share a key: 1 - (1 - s^rows)^bands. */
double lu_minhash_found(unsigned bands, unsigned rows, double s);

#endif
