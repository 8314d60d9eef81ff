#ifndef LUCIE_DEDUP_SEEN_H
#define LUCIE_DEDUP_SEEN_H
/*
 * The set of 128-bit keys met so far, numbered in the order in which they came.
 *
 *	struct lu_seen seen = { 0 };
 *	rc = lu_seen_add(&seen, key, &number, &err);	1 new, 0 met before, -1 out of memory
 *	lu_seen_release(&seen);
 *
 * An open-addressing table of numbers over an array of keys: 22 to 28 bytes a distinct key. Keys
 * are compared whole, so two documents are called equal only when all 128 bits are (lu_hash128(): a
 * collision among N documents has probability N^2 / 2^129, 1e-21 for 1e9 of them).
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/hash/hash.h"

struct lu_seen {
	struct lu_hash128 *key; /* by number */
	uint32_t keys, cap;
	uint32_t *slot; /* number + 1; 0 is empty */
	size_t slots;	/* a power of two */
};

/* *number: of the key, 0 for the first one ever added. */
int lu_seen_add(struct lu_seen *s, struct lu_hash128 key, uint32_t *number,
		struct lu_err *err) LU_CHECKED;
void lu_seen_release(struct lu_seen *s);

#endif
