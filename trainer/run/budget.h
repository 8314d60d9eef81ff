#ifndef LUCIE_TRAINER_RUN_BUDGET_H
#define LUCIE_TRAINER_RUN_BUDGET_H
/*
 * The cost of a configuration, without allocating it: parameters, FLOPs per token, memory, steps,
 * tokens and the epochs of each data set.
 */
#include "libcommon/base/buf.h"
#include "trainer/run/config.h"

/* Append lines of text. Opens the data of every phase, with the checks of a start
 * (phase_data.h). */
int lt_budget(const struct lt_config *c, const char *tokenizer, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/* Fail if a phase needs more memory than there is (available.h); the sentence shows the parts. Call
 * it before anything large is allocated. */
int lt_budget_check_memory(const struct lt_config *c, struct lu_err *err) LU_CHECKED;

#endif
