#ifndef LUCIE_SHARD_MASK_H
#define LUCIE_SHARD_MASK_H
/*
 * One file of masks, PREFIX.mask beside PREFIX.bin; masked.h reads those of a shard.
 *
 *	struct lu_mask m;
 *	lu_mask_open(&m, path, tokens, &err)
 *	lu_mask_read(&m, at, n, out, &err);		out[i] is 1: token at + i is a target
 *	lu_mask_close(&m);
 *
 * Little-endian:
 *	magic "lucieMSK", u32 version 1, u32 0, u64 tokens, u64 targets
 *	ceil(tokens / 8) bytes: token i is bit i % 8 of byte i / 8, from the least significant
 *	u64 XXH3-64 of all bytes before it
 * Bits after the last token are 0.
 *
 * mask_writer.h writes it. Needs only libc: part of the bare build, where checksums are not computed.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"
#include "libcommon/sys/mapped.h"

#define LU_MASK_MAGIC "lucieMSK"
#define LU_MASK_VERSION 1
#define LU_MASK_HEADER 32
#define LU_MASK_TRAILER 8
#define LU_MASK_EXTENSION ".mask"

struct lu_mask {
	struct lu_mapped file;
	uint64_t tokens, targets; /* as the header says */
};

/* Open the file and check its header and size; it must be of `tokens` tokens. The checksum is not
 * computed. On failure there is nothing to close. */
int lu_mask_open(struct lu_mask *m, const char *path, uint64_t tokens,
		struct lu_err *err) LU_CHECKED;
int lu_mask_read(const struct lu_mask *m, uint64_t at, size_t n, uint8_t *out,
		struct lu_err *err) LU_CHECKED;
/* Read it all: fail unless the checksum, the number of targets and the bits after the last token are
 * right. `path` is for the message. */
int lu_mask_verify(const struct lu_mask *m, const char *path, struct lu_err *err) LU_CHECKED;
void lu_mask_close(struct lu_mask *m); /* { 0 } is fine */

#endif
