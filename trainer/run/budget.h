#ifndef LUCIE_TRAINER_RUN_BUDGET_H
#define LUCIE_TRAINER_RUN_BUDGET_H
/*
 * What a configuration will cost, before anything is allocated: parameters, FLOPs a token, memory,
 * steps, tokens and epochs of every data set.
 */
#include "libcommon/base/buf.h"
#include "trainer/run/settings.h"

/* Appends lines of text. Opens the data to count them. */
int lt_budget(const struct lt_config *c, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

#endif
