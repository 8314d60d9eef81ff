#ifndef LUCIE_TRAINER_RUN_BUDGET_H
#define LUCIE_TRAINER_RUN_BUDGET_H
/*
 * The cost of a configuration, without allocating it: parameters, FLOPs per token, memory, steps,
 * tokens and the epochs of each data set.
 */
#include "libcommon/base/buf.h"
#include "trainer/run/config.h"

/* Append lines of text. Opens the data for its counts. */
int lt_budget(const struct lt_config *c, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
