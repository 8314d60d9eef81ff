#include "trainer/run/hash_share.h"

#include <stdlib.h>

#include "libcommon/sys/file.h"

void lt_hash_share_init(struct lt_hash_share *h, const char *dir, size_t rank, size_t size)
{
	*h = (struct lt_hash_share){ .dir = dir, .rank = rank, .size = size };
}

size_t lt_hash_share_rank(const struct lt_hash_share *h, size_t i)
{
	return i * h->size / h->n;
}

static int open_next(struct lt_hash_share *h, struct lu_err *err)
{
	char *path = lu_concat(h->dir, "/", h->name[h->at]);
	int rc = path ? lt_hashing_open(&h->hashing, path, err) : lu_err_nomem(err);

	free(path);
	return rc;
}

int lt_hash_share_read(struct lt_hash_share *h, uint64_t round, bool *more, struct lu_err *err)
{
	uint64_t before;
	int rc;

	for (; h->at < h->n; h->at++) {
		if (!lt_hash_share_mine(h, h->at))
			continue;
		if (!h->hashing.path && open_next(h, err) < 0)
			return -1;
		before = h->hashing.digest.bytes;
		rc = lt_hashing_read(&h->hashing, round, err);
		if (rc < 0)
			return -1;
		if (rc > 0) {
			*more = true;
			return 0;
		}
		h->digest[h->at] = h->hashing.digest;
		round -= h->digest[h->at].bytes - before;
		lt_hashing_close(&h->hashing);
	}
	return 0;
}

void lt_hash_share_release(struct lt_hash_share *h)
{
	lt_hashing_close(&h->hashing);
}

int lt_meet(struct lt_comm *comm, enum lt_channel channel, int rc, bool *more, struct lu_err *err)
{
	if (!comm)
		return rc;
	if (lt_comm_agree(comm, channel, rc, err) < 0)
		return -1;
	return lt_comm_any(comm, channel, more, err);
}
