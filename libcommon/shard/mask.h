#ifndef LUCIE_SHARD_MASK_H
#define LUCIE_SHARD_MASK_H
/*
 * Masks: which tokens of a shard are targets of training. Shards of conversations have them
 * (lucie-shard(5)), in PREFIX.mask beside PREFIX.bin, a file for each part.
 *
 *	if (lu_shard_masked(shard)) ...
 *	lu_shard_mask(shard, pos, n, out, &err);	out[i] is 1: token pos + i is a target
 *
 * The mask of a token is that of the token as a label: it says whether the prediction of this token,
 * made at the token before, counts for the loss.
 *
 * A file, little-endian:
 *	magic "lucieMSK", u32 version 1, u32 0, u64 tokens, u64 targets
 *	ceil(tokens / 8) bytes: token i is bit i % 8 of byte i / 8, from the least significant
 *	u64 XXH3-64 of all bytes before it
 * Bits after the last token are 0.
 *
 * mask_writer.h writes it. Needs only libc: part of the bare build, where checksums are not computed.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/shard/reader.h"
#include "libcommon/sys/mapped.h"

#define LU_MASK_MAGIC "lucieMSK"
#define LU_MASK_VERSION 1
#define LU_MASK_HEADER 32
#define LU_MASK_TRAILER 8
#define LU_MASK_EXTENSION ".mask"

/* 1 if the shard has masks, else 0. */
int lu_shard_masked(const struct lu_shard *s);
/* The masks of tokens pos..pos+n-1, each 0 or 1; all are 1 in a shard without masks. pos + n is at
 * most lu_shard_tokens(). Any number of threads. */
int lu_shard_mask(const struct lu_shard *s, uint64_t pos, size_t n, uint8_t *out,
		struct lu_err *err) LU_CHECKED;
/* Tokens that are targets: all of them in a shard without masks. */
uint64_t lu_shard_targets(const struct lu_shard *s);

/* --- one file, for the reader of shards --- */

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
