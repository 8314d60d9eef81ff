#ifndef LUCIE_DEDUP_KEYSET_H
#define LUCIE_DEDUP_KEYSET_H
/*
 * A set of 128-bit keys, numbered from 0 in order of insertion.
 *
 *	struct lu_keyset set = { 0 };
 *	rc = lu_keyset_add(&set, key, &number, &err);	1 new, 0 present, -1 error
 *	lu_keyset_release(&set);
 *
 * Memory: 22 to 28 bytes a key. Keys are compared whole, so two documents count as equal only when
 * all 128 bits agree; with lu_hash128(), N documents collide with probability N^2 / 2^129, 1e-21
 * for 1e9 of them. At most 2^32 - 2 keys; one more is an error.
 */
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/hash/hash.h"

struct lu_keyset {
	struct LU_VEC(struct lu_hash128) key; /* by number */
	struct lu_map index;
};

/* *number is set to the number of the key, new or not. */
int lu_keyset_add(struct lu_keyset *s, struct lu_hash128 key, uint32_t *number,
		struct lu_err *err) LU_CHECKED;
/* True if one more key may take more than `memory` bytes (0: no bound), or more keys than there are
 * numbers: ask before adding. */
bool lu_keyset_full(const struct lu_keyset *s, uint64_t memory);
void lu_keyset_release(struct lu_keyset *s);

#endif
