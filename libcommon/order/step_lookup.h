#ifndef LUCIE_ORDER_STEP_LOOKUP_H
#define LUCIE_ORDER_STEP_LOOKUP_H
/*
 * The documents of a training step: the tokens of its samples, located in the data that the run was
 * trained on, and looked up in the ledgers of the shards.
 *
 *	struct lu_lookup found = { 0 };
 *	rc = lu_step_lookup(&step, rows, &found, &err);
 *	... found.item, sample after sample in the order of their tokens; `tag` is the number of the
 *	    sample in its phase, those that were left out counted ...
 *	lu_lookup_release(&found);
 */
#include "libcommon/order/step.h"
#include "libcommon/shard/lookup.h"

int lu_step_lookup(const struct lu_step *step, const struct lu_rows *rows, struct lu_lookup *found,
		struct lu_err *err) LU_CHECKED;

/* The first token of item i that is a label: the first of a span is an id only. */
uint64_t lu_step_first_label(const struct lu_step *step, const struct lu_lookup *found, size_t i);

/* Fail if a shard of the rows was made with another tokenizer than RUN/tokenizer.json: then it is
 * no longer the one that the run read. Runs without a tokenizer, and shards that do not name theirs,
 * pass. */
int lu_step_check_tokenizer(
		const char *run, const struct lu_rows *rows, struct lu_err *err) LU_CHECKED;

#endif
