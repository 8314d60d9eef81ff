#ifndef LUCIE_TRAINER_MODEL_WEIGHTS_HASH_H
#define LUCIE_TRAINER_MODEL_WEIGHTS_HASH_H
/*
 * A name for the weights of a model: XXH3-128 over the hashes of all parameters, in the order of the
 * table. What products read is hashed: with activations in bf16, weights in bf16 but for those of norms, so that it is the
 * same wherever the fp32 weights are.
 */
#include "libcommon/hash/hash.h"
#include "trainer/model/weights.h"

/* The hash of each parameter that this rank holds, own[table.n]; zeros of the others. */
int lt_weights_hashes(struct lt_weights *w, struct lu_hash128 *own, struct lu_err *err) LU_CHECKED;
/* Add the hash of the next parameter, or of a slice of it. */
void lt_weights_hash_add(struct lu_hasher *h, struct lu_hash128 x);

/* The name of a whole model on one rank: 32 hexadecimal digits. */
int lt_weights_hash(struct lt_weights *w, char hash[33], struct lu_err *err) LU_CHECKED;

#endif
