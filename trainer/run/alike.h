#ifndef LUCIE_TRAINER_RUN_ALIKE_H
#define LUCIE_TRAINER_RUN_ALIKE_H
/*
 * Whether all ranks have been started alike. Ranks that were not would train something that no
 * configuration describes, or wait for each other for ever.
 */
#include <stdbool.h>
#include <stdint.h>

#include "trainer/comm/comm.h"
#include "trainer/run/train.h"

/*
 * Collective. Fail on all ranks, with one sentence, if a rank has another configuration, program
 * version, type of numbers, step to start from, phase to stop after, samples to leave out or --overcommit, which leaves out the collective check
 * of the memory, than rank 0. Ranks whose processors compute with
 * other instructions get on with each other, but their sums may round otherwise: rank 0 warns.
 */
int lt_alike_check(struct lt_comm *comm, const struct lt_training *what, const char *backend,
		struct lu_err *err) LU_CHECKED;

#endif
