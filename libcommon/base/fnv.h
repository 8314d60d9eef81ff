#ifndef LUCIE_BASE_FNV_H
#define LUCIE_BASE_FNV_H
/*
 * FNV-1a, 64 bits (Fowler, Noll, Vo), for short strings and for checksums of small text files that
 * the bare build, which has no xxHash, must verify too. Everything else uses hash/hash.h.
 *
 *	uint64_t h = lu_fnv1a(LU_FNV_BASIS, p, n);
 *	h = lu_fnv1a(h, q, m);				the hash of both pieces in sequence
 */
#include <stddef.h>
#include <stdint.h>

#define LU_FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define LU_FNV_PRIME UINT64_C(0x100000001b3)

static inline uint64_t lu_fnv1a(uint64_t h, const void *p, size_t n)
{
	const unsigned char *byte = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ byte[i]) * LU_FNV_PRIME;
	return h;
}

#endif
