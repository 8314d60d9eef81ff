#ifndef LUCIE_TRAINER_RUN_HASH_SHARE_H
#define LUCIE_TRAINER_RUN_HASH_SHARE_H
/*
 * Files that are hashed by several ranks, each file by one. Ranks meet after every round, so that none
 * waits long for another, and all stop soon after one has failed.
 *
 *	struct lt_hash_share h;
 *	lt_hash_share_init(&h, dir, rank, size);
 *	h.name[h.n++] = "weights.safetensors";	...		the same on all ranks
 *	do {
 *		rc = lt_hash_share_read(&h, round, &more, &err);
 *		rc = lt_meet(comm, channel, rc, &more, &err);
 *	} while (rc == 0 && more);
 *	... h.digest[i] where lt_hash_share_mine(&h, i) ...
 *	lt_hash_share_release(&h);
 */
#include <stdbool.h>
#include <stddef.h>

#include "trainer/comm/comm.h"
#include "trainer/model/filedigest.h"

#define LT_HASH_FILES 16

/* Bytes that a rank reads or writes before the ranks meet. */
#define LT_ROUND ((uint64_t)1 << 30)

struct lt_hash_share {
	const char *dir, *name[LT_HASH_FILES];
	size_t n, rank, size;
	size_t at; /* the file that is read */
	struct lt_hashing hashing;
	struct lt_digest digest[LT_HASH_FILES];
};

void lt_hash_share_init(struct lt_hash_share *h, const char *dir, size_t rank, size_t size);

/* The rank that hashes file i: neighbours are spread over the hosts. */
size_t lt_hash_share_rank(const struct lt_hash_share *h, size_t i);
static inline bool lt_hash_share_mine(const struct lt_hash_share *h, size_t i)
{
	return lt_hash_share_rank(h, i) == h->rank;
}

/* Read up to about `round` bytes. *more becomes true, and stays as it is otherwise, if this rank has
 * more to read. */
int lt_hash_share_read(
		struct lt_hash_share *h, uint64_t round, bool *more, struct lu_err *err) LU_CHECKED;
void lt_hash_share_release(struct lt_hash_share *h);

/* The end of a round: fail on all ranks if rc < 0 on any; *more becomes true if it is on any. A NULL
 * comm is one process. */
int lt_meet(struct lt_comm *comm, enum lt_channel channel, int rc, bool *more,
		struct lu_err *err) LU_CHECKED;

#endif
