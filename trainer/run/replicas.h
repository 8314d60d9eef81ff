#ifndef LUCIE_TRAINER_RUN_REPLICAS_H
#define LUCIE_TRAINER_RUN_REPLICAS_H
/*
 * Replicas: parameters that several ranks hold and that must be the same bits on all of them. A rank
 * whose memory or processor is at fault drifts away in silence otherwise, and every checkpoint after
 * that is spoilt.
 *
 * Data-parallel ranks hold the same parameters; tensor-parallel ranks the same norms.
 */
#include "trainer/model/weights.h"
#include "trainer/run/layout.h"

/* Collective, when all parameters are up to date. Compare the replicas of all ranks; fail on all ranks
 * with a sentence that names two that differ. No effect where there is one rank, or without hashes
 * (lu_hash_available()). */
int lt_replicas_check(const struct lt_layout *l, struct lt_weights *w, uint64_t step,
		struct lu_err *err) LU_CHECKED;

#endif
