#ifndef LUCIE_TRAINER_RUN_TRAIN_H
#define LUCIE_TRAINER_RUN_TRAIN_H
/*
 * The training loop: all phases of a configuration, from the position of the run to its end.
 *
 * A step is a pure function of the configuration, the weights, m, v and the position (struct
 * lt_position): k steps, a new process and N - k steps give the bits of N steps. The loss of a
 * step is the sum of the losses over the number of tokens, added as doubles by micro-batch.
 *
 * SIGTERM, SIGINT and SIGUSR1 are caught meanwhile: the loop finishes the step, writes a checkpoint
 * and returns LU_EXIT_AGAIN.
 */
#include "libcommon/base/err.h"
#include "trainer/run/config.h"
#include "trainer/run/runfolder.h"

struct lt_training {
	const struct lt_config *config; /* checked */
	struct lt_run *run;
	uint64_t from; /* start from the checkpoint of this step; UINT64_MAX: the latest */
};

/* Returns 0 at the end of the run, LU_EXIT_AGAIN, or -1. Step lines go to standard error through
 * lu_note(). */
int lt_train(const struct lt_training *t, struct lu_err *err) LU_CHECKED;

#endif
