#ifndef LUCIE_TRAINER_RUN_MODEL_HASH_H
#define LUCIE_TRAINER_RUN_MODEL_HASH_H
/*
 * The name of the weights of a model that is spread over ranks (model/weights_hash.h): of each parameter
 * the hashes of the slices that the tensor-parallel ranks hold count, one after the other. It is that of
 * one rank for every number of data-parallel ranks and of stages; with tensor parallelism it is another,
 * as are the last bits of what such a model computes.
 */
#include "trainer/model/weights.h"
#include "trainer/run/layout.h"

/* All ranks call it; hash receives 32 hexadecimal digits on all of them. */
int lt_model_hash(const struct lt_layout *l, struct lt_weights *w, char hash[33],
		struct lu_err *err) LU_CHECKED;

#endif
