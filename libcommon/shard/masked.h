#ifndef LUCIE_SHARD_MASKED_H
#define LUCIE_SHARD_MASKED_H
/*
 * Which tokens of a shard are targets of training. Shards of conversations have masks (lucie-shard(5)),
 * a file for each part (mask.h).
 *
 *	if (lu_shard_masked(shard)) ...
 *	lu_shard_mask(shard, pos, n, out, &err);	out[i] is 1: token pos + i is a target
 *
 * The mask of a token is that of the token as a label: it says whether the prediction of this token,
 * made at the token before, counts for the loss. Part of the bare build.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/shard/reader.h"

/* 1 if the shard has masks, else 0. */
int lu_shard_masked(const struct lu_shard *s);
/* The masks of tokens pos..pos+n-1, each 0 or 1; all are 1 in a shard without masks. pos + n is at
 * most lu_shard_tokens(). Any number of threads. */
int lu_shard_mask(const struct lu_shard *s, uint64_t pos, size_t n, uint8_t *out,
		struct lu_err *err) LU_CHECKED;
/* Tokens that are targets: all of them in a shard without masks. */
uint64_t lu_shard_targets(const struct lu_shard *s);

#endif
