#ifndef LUCIE_TRAINER_MODEL_WEIGHTS_PLACE_H
#define LUCIE_TRAINER_MODEL_WEIGHTS_PLACE_H
/*
 * Where the elements of the local vector are in device memory, whatever a rank holds of them (weights.h).
 */
#include "trainer/model/weights.h"

/* True if there is such a vector: m and v are for training. */
bool lt_weights_has(const struct lt_weights *w, enum lt_vector which);

/* Where an owned element is in the vectors of what is owned. */
size_t lt_weights_state(const struct lt_weights *w, size_t offset);

/* Where an element of a vector is in device memory; not with `low`. */
lk_real *lt_weights_at(const struct lt_weights *w, enum lt_vector which, size_t offset);

/* The weights of the norm at `offset` of the local vector. */
lk_real *lt_weights_norm(const struct lt_weights *w, size_t offset);

#endif
