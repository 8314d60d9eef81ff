#ifndef LUCIE_TRAINER_MODEL_BATCH_CHECK_H
#define LUCIE_TRAINER_MODEL_BATCH_CHECK_H
#include "trainer/model/model.h"

/* Check ids, labels and places of a batch; -1 with a sentence. Host only. */
int lt_batch_check(const struct lt_batch *b, size_t rows, size_t context, size_t vocab,
		struct lu_err *err) LU_CHECKED;

#endif
