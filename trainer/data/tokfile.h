#ifndef LUCIE_TRAINER_DATA_TOKFILE_H
#define LUCIE_TRAINER_DATA_TOKFILE_H
/*
 * The vocabulary size that a model needs for a tokenizer.json: its largest id plus one. Nothing else
 * of the file is read, so the bare build, which has no tokenizer, has this.
 */
#include <stdint.h>

#include "libcommon/base/err.h"

int lt_tokfile_vocab(const char *path, uint64_t *vocab, struct lu_err *err) LU_CHECKED;

#endif
