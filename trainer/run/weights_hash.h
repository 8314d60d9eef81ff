#ifndef LUCIE_TRAINER_RUN_WEIGHTS_HASH_H
#define LUCIE_TRAINER_RUN_WEIGHTS_HASH_H
/*
 * A name for the weights of a model that is spread over ranks: XXH3-128 over the hashes of all
 * parameters, in the order of the table, each over its slices as the tensor-parallel ranks hold them. It
 * is the same for every number of data-parallel ranks and of stages; with tensor parallelism it is
 * another, as are the last bits of what such a model computes.
 *
 * What products read is hashed: with activations in bf16, weights in bf16.
 */
#include "trainer/model/weights.h"
#include "trainer/run/layout.h"

/* All ranks call it; hash receives 32 hexadecimal digits on all of them. */
int lt_weights_hash(const struct lt_layout *l, struct lt_weights *w, char hash[33],
		struct lu_err *err) LU_CHECKED;

/* The same of a whole model in one process. */
int lt_weights_hash_whole(struct lt_weights *w, char hash[33], struct lu_err *err) LU_CHECKED;

#endif
