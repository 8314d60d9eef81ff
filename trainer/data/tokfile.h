#ifndef LUCIE_TRAINER_DATA_TOKFILE_H
#define LUCIE_TRAINER_DATA_TOKFILE_H
/* One more than the largest id of a tokenizer.json: the vocabulary that a model of it needs.
 * Reads no more than that, so the bare build has it too. */
#include <stdint.h>

#include "libcommon/base/err.h"

int lt_tokfile_vocab(const char *path, uint64_t *vocab, struct lu_err *err) LU_CHECKED;

#endif
