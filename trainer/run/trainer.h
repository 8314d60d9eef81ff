#ifndef LUCIE_TRAINER_RUN_TRAINER_H
#define LUCIE_TRAINER_RUN_TRAINER_H
/*
 * The inside of the training loop (train.h), for its own files alone:
 *
 *	train.c		opening a run, and the run from phase to phase
 *	train_phase.c	what a phase needs: opened at its start, closed at its end
 *	train_loop.c	the steps of a phase, with its validations and checkpoints
 *
 * All ranks call these functions alike. What fails on one of them fails on all, unless it is said that
 * the caller must agree (lt_comm_agree()).
 */
#include "trainer/comm/comm.h"
#include "trainer/model/model.h"
#include "trainer/model/optimizer.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/layout.h"
#include "trainer/run/micro_feed.h"
#include "trainer/run/phase_data.h"
#include "trainer/run/saver.h"
#include "trainer/run/step_log.h"
#include "trainer/run/train.h"
#include "trainer/run/train_step.h"
#include "trainer/run/watch.h"

/* The phase that is being trained. */
struct lt_open_phase {
	struct lt_phase_data data;
	struct lt_hyper hyper;
	struct lt_step *step;
	struct lt_feed *feed; /* NULL until the first micro-batch */
	double *reference;    /* dpo: by document, see reference.h; NULL until the first step */
	struct lt_speed speed;
};

struct lt_trainer {
	const struct lt_training *what;
	struct lt_run *run; /* of rank 0, in lt_train_run(); NULL otherwise */
	const struct lk_ops *ops;
	int device;
	struct lk_queue *q;
	struct lt_comm *comm;
	struct lt_layout layout;
	struct lt_weights *w;
	struct lt_position pos;
	struct lt_checkpoint found; /* what the run continues from */
	struct lt_saver *saver;
	uint64_t saved;	  /* step of the last checkpoint that was written; UINT64_MAX: none */
	uint64_t begun;	  /* of the last one that was begun */
	bool skips_added; /* samples to leave out, which no checkpoint has yet */
	bool outdated; /* the last one is of this step, but says that validations are due which have
			     been made, or lacks skips */
	struct lt_open_phase phase;
	struct lt_watch watch;
	char needs[32]; /* ranks that the next phase needs where these cannot train it */
	/* For the summary. */
	double start, last_loss;
	uint64_t first_step, first_tokens;
};

/* True on the rank that reports and writes the logs. */
static inline bool lt_trainer_first(const struct lt_trainer *l)
{
	return lt_comm_rank(l->comm) == 0;
}

/* 0 if rc is 0 on all ranks. */
static inline int lt_trainer_agree(struct lt_trainer *l, int rc, struct lu_err *err)
{
	return lt_comm_agree(l->comm, LT_CHANNEL_MAIN, rc, err);
}

/*
 * train_phase.c. open: what the phase of the position computes with; its data are open already. close:
 * that and the data; twice is fine. enter: after the end of a phase, with its checkpoint written and
 * the phase closed, go on to the next one, in its own layout. Returns 0, LU_EXIT_AGAIN with l->needs if
 * these ranks cannot train it, or -1.
 */
int lt_trainer_open_phase(struct lt_trainer *l, struct lu_err *err) LU_CHECKED; /* to be agreed */
void lt_trainer_close_phase(struct lt_trainer *l);
int lt_trainer_enter_phase(struct lt_trainer *l, struct lu_err *err) LU_CHECKED;
/* Set the position to the start of the next phase. */
void lt_trainer_next_phase(struct lt_trainer *l);
/* Whether these ranks can train in the layout of the settings; if not, how many can, such as "a multiple
 * of 4 ranks". */
bool lt_trainer_fits(
		const struct lt_trainer *l, const struct lt_settings *s, char *ranks, size_t size);
/* Connect the layout and allocate the weights, which are not set; the thread that saves them. To be
 * agreed. */
int lt_trainer_open_weights(
		struct lt_trainer *l, const struct lt_shape *shape, struct lu_err *err) LU_CHECKED;
int lt_trainer_open_saver(struct lt_trainer *l, struct lu_err *err) LU_CHECKED;

/* train_loop.c: train the phase that is open to its end. Returns 0 there, LU_EXIT_AGAIN if stopped
 * after a checkpoint, or -1. */
int lt_trainer_run_phase(struct lt_trainer *l, struct lu_err *err) LU_CHECKED;

/* Wait for the checkpoint that is being written, where something else has failed. */
void lt_trainer_let_save_finish(struct lt_trainer *l);

/* Whether a signal has come to any rank; all get the same answer. ctx: the trainer. */
int lt_trainer_asked(void *ctx, struct lu_err *err) LU_CHECKED;

#endif
