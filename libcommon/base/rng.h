#ifndef LUCIE_BASE_RNG_H
#define LUCIE_BASE_RNG_H
/*
 * Counter-based random numbers: the n-th number of a stream is a pure function of
 * (seed, stream, n). There is no state to save, share or restore, so results do not depend on
 * order, threads or sharding, and a run resumes by knowing n.
 *
 * Generator: Philox 4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers:
 * as easy as 1, 2, 3", SC 2011); key = seed, counter = (n, stream). Passes its published
 * known-answer vectors (tests/unit/test_base.c).
 */
#include <stdint.h>

/* Four independent 32-bit numbers for block n of the stream. */
void lu_rand_block(uint64_t seed, uint64_t stream, uint64_t n, uint32_t out[4]);

/* 64 uniform bits. Number n uses half of block n/2. */
uint64_t lu_rand_u64(uint64_t seed, uint64_t stream, uint64_t n);

/* Uniform in [0, 1): 53 bits. */
double lu_rand_double(uint64_t seed, uint64_t stream, uint64_t n);

/* Uniform in [0, bound), bound > 0: the high half of a 128-bit product (Lemire, "Fast random
 * integer generation in an interval", 2019) without rejection; bias below bound / 2^64. */
uint64_t lu_rand_below(uint64_t seed, uint64_t stream, uint64_t n, uint64_t bound);

/* Standard normal (Box and Muller 1958) from block n: two numbers a block. */
void lu_rand_normal2(uint64_t seed, uint64_t stream, uint64_t n, double out[2]);

/* A keyed permutation of 0..count-1, as a function: where index i goes. Constant memory, any i
 * in any order. A 6-round Feistel network over the next even power of two whose round function
 * is Philox, walked until it lands inside (cycle walking; Black and Rogaway, CT-RSA 2002). */
uint64_t lu_rand_permute(uint64_t seed, uint64_t stream, uint64_t i, uint64_t count);

/* A stream number from a name, so that parts of a program cannot collide by accident. */
uint64_t lu_rand_stream(const char *name, uint64_t index);

#endif
