#ifndef LUCIE_SHARD_LOGP_H
#define LUCIE_SHARD_LOGP_H
/*
 * The frozen reference of preference tuning: for each document of a shard the sum of log p of its
 * targets by one model, PREFIX.logp-HASH (lucie-teacher(5)).
 *
 * A file, little-endian:
 *	magic "lucieLGP", u32 version 1, u32 0, u64 documents
 *	hash of the content of the shard (run/reference.h), and HASH: 32 hexadecimal digits each
 *	a binary64 for each document
 *	u64 XXH3-64 of all bytes before it
 *
 * HASH is that of the weights and of what else decides the sums (run/reference.h), so a file never
 * changes: equal names have equal bytes.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

#define LU_LOGP_MAGIC "lucieLGP"
#define LU_LOGP_VERSION 1
#define LU_LOGP_HEADER 88
#define LU_LOGP_TRAILER 8
#define LU_LOGP_HASH 32

struct lu_logp {
	const char *shard; /* hash of its content, 32 digits */
	const char *hash;
	uint64_t documents;
};

/* Write atomically. */
int lu_logp_write(const char *path, const struct lu_logp *what, const double *log_p,
		struct lu_err *err) LU_CHECKED;
/* Read a file, which must be of this shard, hash and number of documents, into
 * log_p[documents]: 1, 0 if there is none, -1 with the reason. */
int lu_logp_read(const char *path, const struct lu_logp *what, double *log_p,
		struct lu_err *err) LU_CHECKED;

#endif
