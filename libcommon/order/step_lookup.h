#ifndef LUCIE_ORDER_STEP_LOOKUP_H
#define LUCIE_ORDER_STEP_LOOKUP_H
/*
 * The documents of a training step: its samples, located in the stream that the run was trained on,
 * and looked up in the ledgers of the shards.
 *
 *	struct lu_lookup found = { 0 };
 *	rc = lu_step_lookup(&step, stream, &found, &err);
 *	... found.item, in the order of the samples; `tag` is the number of the sample ...
 *	lu_lookup_release(&found);
 */
#include "libcommon/mix/stream.h"
#include "libcommon/order/step.h"
#include "libcommon/shard/lookup.h"

int lu_step_lookup(const struct lu_step *step, const struct lu_stream *stream,
		struct lu_lookup *found, struct lu_err *err) LU_CHECKED;

/* Fail if a shard of the stream was made with another tokenizer than RUN/tokenizer.json: then it is
 * no longer the one that the run read. Runs without a tokenizer, and shards that do not name theirs,
 * pass. */
int lu_step_check_tokenizer(
		const char *run, const struct lu_stream *stream, struct lu_err *err) LU_CHECKED;

#endif
