#ifndef LUCIE_TRAINER_RUN_TRAIN_H
#define LUCIE_TRAINER_RUN_TRAIN_H
/*
 * The training loop: all phases of a configuration, from the position of the run to its end.
 *
 * A step is a pure function of the configuration, the weights, m, v and the position (struct
 * lt_position): k steps, a new process and N - k steps give the bits of N steps. The loss of a
 * step is the sum of the losses over the number of tokens, added as doubles by micro-batch.
 *
 *	struct lt_trainer *t;
 *	lt_train_open(&t, &what, &err)		opens and checks everything, writes nothing
 *	... open the run folder and record the start in it ...
 *	lt_train_run(t, &run, &err)
 *	lt_train_close(t)
 *
 * With several ranks all of them make these calls; rank 0 opens the run folder and passes it on, the
 * others pass NULL. Every rank stops where one of them is asked to.
 *
 * SIGTERM, SIGINT, SIGUSR1 and SIGHUP are caught from open on (stop.h): the loop finishes the step,
 * or puts a validation off, writes a checkpoint and returns LU_EXIT_AGAIN.
 */
#include <stdbool.h>

#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/run/backend.h"
#include "trainer/run/config.h"
#include "trainer/run/runfolder.h"

struct lt_training {
	const struct lt_config *config;	  /* checked */
	const char *run;		  /* its folder, which need not exist */
	const char *tokenizer;		  /* tokenizer.json of the run, or NULL */
	struct lt_comm *comm;		  /* the ranks of the run; must outlive the trainer */
	const struct lt_backend *backend; /* what all of them compute with */
	const struct lu_list *skip;	  /* --skip-samples (skip_samples.h) */
	uint64_t from;	 /* start from the checkpoint of this step; UINT64_MAX: the latest */
	size_t until;	 /* stop at the end of this phase; SIZE_MAX: none */
	bool overcommit; /* do not compare the memory with what is there */
	bool quiet;
};

struct lt_trainer;

/*
 * Open the data of all phases, compare the memory with what is available, allocate, and load the
 * checkpoint to continue from or set the initial weights. Returns 0, LU_EXIT_AGAIN if a signal came
 * meanwhile, or -1. *t is NULL unless 0 is returned. `what` must outlive the trainer.
 */
int lt_train_open(struct lt_trainer **t, const struct lt_training *what,
		struct lu_err *err) LU_CHECKED;

/* True if the run that was opened has nothing left to do. */
bool lt_train_is_complete(const struct lt_trainer *t);

/* Train. Fails if the run has got another checkpoint since it was opened. Returns 0 at the end of the
 * run, LU_EXIT_AGAIN, or -1. Step lines go to standard error through lu_note(). */
int lt_train_run(struct lt_trainer *t, struct lt_run *run, struct lu_err *err) LU_CHECKED;

void lt_train_close(struct lt_trainer *t); /* NULL is fine */

#endif
