#ifndef LUCIE_BASE_RNG_H
#define LUCIE_BASE_RNG_H
/*
 * Counter-based random numbers: number n of a stream is a pure function of (seed, stream, n). There
 * is no state to save, share or restore, so results do not depend on order, threads or sharding,
 * and a run resumes from n alone.
 *
 * Generator: Philox 4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011) with key = seed and counter = (n, stream), checked against the
 * published known-answer vectors (tests/unit/test_rng.c).
 */
#include <stddef.h>
#include <stdint.h>

/* Block n of the stream: four independent 32-bit numbers. */
void lu_rand_block(uint64_t seed, uint64_t stream, uint64_t n, uint32_t out[4]);

/* 64 uniform bits: half of block n / 2. */
uint64_t lu_rand_u64(uint64_t seed, uint64_t stream, uint64_t n);

/* Uniform in [0, 1), 53 bits. */
double lu_rand_double(uint64_t seed, uint64_t stream, uint64_t n);

/* Uniform in [0, bound), bound > 0: the high half of a 128-bit product (Lemire, "Fast random
 * integer generation in an interval", 2019), without rejection; the bias is below bound / 2^64. */
uint64_t lu_rand_below(uint64_t seed, uint64_t stream, uint64_t n, uint64_t bound);

/* Two standard normal numbers (Box and Muller, 1958) from block n. */
void lu_rand_normal2(uint64_t seed, uint64_t stream, uint64_t n, double out[2]);

/* Image of i under a keyed permutation of 0 .. count-1, in constant memory. A 6-round Feistel
 * network with Philox as round function permutes the next power of four; it is iterated until the
 * result is below count (cycle walking; Black and Rogaway, CT-RSA 2002). */
uint64_t lu_rand_permute(uint64_t seed, uint64_t stream, uint64_t i, uint64_t count);

/* The inverse: lu_rand_permute(seed, stream, lu_rand_unpermute(seed, stream, i, count), count) is i. */
uint64_t lu_rand_unpermute(uint64_t seed, uint64_t stream, uint64_t i, uint64_t count);

/* out[k] = lu_rand_permute(seed, stream, first + k, count) for k < n: several at a time, which takes
 * half as long. first + n is at most count. */
void lu_rand_permute_run(uint64_t seed, uint64_t stream, uint64_t first, size_t n, uint64_t count,
		uint64_t *out);

/* Stream number of a name and an index, so that parts of a program do not share a stream. */
uint64_t lu_rand_stream(const char *name, uint64_t index);

#endif
