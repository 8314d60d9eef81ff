#ifndef LUCIE_TRAINER_MODEL_FILEDIGEST_H
#define LUCIE_TRAINER_MODEL_FILEDIGEST_H
/*
 * Size and hash of a file, as manifests record them; at once,
 *
 *	lt_file_digest(path, &digest, &err)
 *
 * or a part at a time, where others wait for the reader and must hear from it:
 *
 *	struct lt_hashing h;
 *	lt_hashing_open(&h, path, &err)
 *	while ((rc = lt_hashing_read(&h, 1 << 30, &err)) > 0)
 *		...
 *	... h.digest, if rc is 0 ...
 *	lt_hashing_close(&h);
 */
#include <stdint.h>

#include "libcommon/base/err.h"
#include "libcommon/hash/hash.h"

struct lt_digest {
	uint64_t bytes;
	char hash[33]; /* XXH3-128 in hexadecimal; "" in the bare build */
};

/* Digest of a file as it is now. */
int lt_file_digest(const char *path, struct lt_digest *digest, struct lu_err *err) LU_CHECKED;

struct lt_hashing {
	int fd;
	char *path, *buf;
	struct lu_hasher *hasher;
	struct lt_digest digest; /* so far; the hash at the end */
};

/* A zeroed struct need not be closed, and may be; open leaves one on failure. */
int lt_hashing_open(struct lt_hashing *h, const char *path, struct lu_err *err) LU_CHECKED;
/* Read up to about `budget` bytes more. Returns 1, or 0 at the end of the file. */
int lt_hashing_read(struct lt_hashing *h, uint64_t budget, struct lu_err *err) LU_CHECKED;
void lt_hashing_close(struct lt_hashing *h);

/* Fill in the hash of what a hasher was given; without xxHash it stays "". */
void lt_digest_finish(struct lt_digest *digest, const struct lu_hasher *h);

#endif
