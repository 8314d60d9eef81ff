#ifndef LUCIE_TRAINER_RUN_TRAIN_STEP_H
#define LUCIE_TRAINER_RUN_TRAIN_STEP_H
/*
 * One step over all ranks: this rank's micro-batches through its stage of the pipeline, and the
 * update. It walks over a list of actions (parallel/actions.h) and decides nothing; the host reads
 * nothing from the device before the end of the update.
 *
 *	lt_step_open(&e, &layout, w, &settings, &schedule, &want, load, ctx, &err)
 *	lt_step_train(e, &hyper, &what, &result, &err)		a training step
 *	lt_step_score(e, &batch, sequences, log_p, &err)	forward only
 *	lt_step_close(e)
 *
 * Schedules are made for each number of micro-batches that occurs, and checked before they run; open
 * does so for all that a phase will need, since a ramp changes the number.
 */
#include "trainer/data/micro_batch.h"
#include "trainer/model/model.h"
#include "trainer/run/layout.h"
#include "trainer/run/schedule.h"

struct lt_step;

/* Fill in this rank's next micro-batch, which was opened for the step's want. */
typedef int lt_load_fn(void *ctx, struct lt_micro *m, struct lu_err *err);

/* want: what is loaded of a micro-batch (lt_phase_data_want()). */
int lt_step_open(struct lt_step **e, const struct lt_layout *layout, struct lt_weights *w,
		const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_micro_want *want, lt_load_fn *load, void *ctx,
		struct lu_err *err) LU_CHECKED;
void lt_step_close(struct lt_step *e);

/* The plan of a model for this layout and these settings, with the slots of all schedules that the
 * phase needs. slots has room for layout->v. */
int lt_step_plan(const struct lt_layout *layout, const struct lt_settings *s,
		const struct lt_schedule *schedule, size_t *slots, struct lt_model_plan *plan,
		struct lu_err *err) LU_CHECKED;

struct lt_step_what {
	uint64_t number;  /* of the step, for messages */
	uint64_t updates; /* of AdamW so far */
	size_t micros;	  /* micro-batches of the step, over all ranks */
	double lr;
};

int lt_step_train(struct lt_step *e, const struct lt_hyper *h, const struct lt_step_what *what,
		struct lt_update *update, struct lu_err *err) LU_CHECKED;

/* Log p of the labels of a micro-batch, on the ranks of the last stage; *here tells whether this is
 * one. All ranks with the same data-parallel coordinate call it. */
int lt_step_score(struct lt_step *e, const struct lt_batch *batch, lk_real *log_p, bool *here,
		struct lu_err *err) LU_CHECKED;

/* The same with other labels, for the micro-batch that was scored last. */
int lt_step_score_again(struct lt_step *e, const struct lt_batch *batch, lk_real *log_p, bool *here,
		struct lu_err *err) LU_CHECKED;

/* Sum x[n], host memory, over the ranks that lt_step_score() was divided among: each has filled in a
 * part, and has zeros elsewhere. */
int lt_step_sum(struct lt_step *e, double *x, size_t n, struct lu_err *err) LU_CHECKED;

/* Wait until all parameters are up to date. */
int lt_step_settle(struct lt_step *e, struct lu_err *err) LU_CHECKED;

/* Seconds that the last step spent in loading data. */
double lt_step_data_seconds(const struct lt_step *e);

#endif
