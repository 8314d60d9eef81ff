#ifndef LUCIE_HASH_HASH_H
#define LUCIE_HASH_HASH_H
/*
 * XXH3 (xxHash 0.8): 64- and 128-bit keys, and checksums of files. Not cryptographic: among N
 * distinct documents, 128-bit keys collide with probability N^2 / 2^129.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

/* False in the bare build, which has no xxHash: all hashes are 0, and callers report that they were
 * not checked. */
bool lu_hash_available(void);

struct lu_hash128 {
	uint64_t lo, hi;
};

uint64_t lu_hash64(const void *p, size_t n, uint64_t seed);
struct lu_hash128 lu_hash128(const void *p, size_t n);
static inline bool lu_hash128_eq(struct lu_hash128 a, struct lu_hash128 b)
{
	return a.lo == b.lo && a.hi == b.hi;
}

/* Incremental XXH3-128, and XXH3-64. */
struct lu_hasher;
struct lu_hasher *lu_hasher_new(void); /* NULL when memory is out */
void lu_hasher_add(struct lu_hasher *h, const void *p, size_t n);
struct lu_hash128 lu_hasher_end(const struct lu_hasher *h);
/* The XXH3-64 of the same bytes. */
uint64_t lu_hasher_end64(const struct lu_hasher *h);
void lu_hasher_free(struct lu_hasher *h);

/* Format as 32 hexadecimal digits, high half first, as xxhsum -H2 prints them. */
void lu_hash128_text(struct lu_hash128 h, char out[33]);

#endif
