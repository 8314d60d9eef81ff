#ifndef LUCIE_TRAINER_PLAN_STEP_COST_H
#define LUCIE_TRAINER_PLAN_STEP_COST_H
/*
 * What a layout costs: the time of a step with its parts, and the memory of each stage.
 *
 *	struct lt_scene *sc;
 *	struct lt_cost cost;
 *
 *	lt_scene_open(&sc, &cluster, &constants, &settings, &err)	settings with the layout in them
 *	lt_scene_cost(sc, batch, &cost, &err)
 *	lt_scene_memory(sc, &schedule, &memory, &err)			of the fullest stage
 *	lt_scene_close(sc);
 *
 * THE TIME OF A STEP
 * The passes (passes.h) are put into the action lists that the trainer runs (parallel/actions.h), and
 * the walk over them (actions_check.h) gives the time of the pipeline and how long stages wait.
 *
 * Gradients are reduced over the data-parallel ranks, bucket by bucket, while the last micro-batch
 * goes backward, and with ZeRO parameters are gathered while the next step goes forward: of either, the
 * first bucket's worth and what does not fit behind `overlap` of the pass is exposed. What a stage has
 * to do after its last pass hides behind the passes of later stages.
 *
 * Then come the sum of squares, AdamW on what the rank owns, and `step` milliseconds.
 *
 * All nodes wait for the slowest. Of n normal times the largest is about sqrt(2 ln n) standard
 * deviations above the mean (Cramer, "Mathematical methods of statistics", 1946, 28.6), so a step
 * takes 1 + straggler sqrt(2 ln nodes) times as long.
 *
 * Not in it: reading data, validation, checkpoints, restarts.
 */
#include "trainer/plan/cluster.h"
#include "trainer/plan/passes.h"
#include "trainer/run/memory.h"
#include "trainer/run/settings.h"

struct lt_scene;

int lt_scene_open(struct lt_scene **sc, const struct lt_cluster *cluster,
		const struct lt_constants *k, const struct lt_settings *s,
		struct lu_err *err) LU_CHECKED;
void lt_scene_close(struct lt_scene *sc);

/* What does not change the mesh. lt_scene_cost() and lt_scene_memory() follow. */
void lt_scene_vary(struct lt_scene *sc, uint64_t micro_batch, enum lt_recompute recompute,
		uint64_t zero, bool sequence);
const struct lt_settings *lt_scene_settings(const struct lt_scene *sc);

/* All of one step; seconds, and bytes that a rank sends. */
struct lt_cost {
	struct lt_pass_cost busy; /* of the busiest stage */
	double waiting;		  /* of that stage for the others */
	double reduce, gather;	  /* exposed exchange of gradients and parameters */
	double update;		  /* norm and AdamW */
	double fixed;
	double straggler; /* waiting for the slowest node */
	double step;	  /* all of the above */

	double bubble;		 /* share of all stages' time in the pipeline that they wait */
	double traffic[LT_AXES]; /* of the rank that sends most on that axis */
	double reduce_time, gather_time; /* exposed or not */
	uint64_t micros;		 /* of the data-parallel rank that has most */

	double tokens;		/* a second, of all GPUs */
	double mfu, mfu_causal; /* model operations by the peak: attention over all pairs, half */
};
int lt_scene_cost(struct lt_scene *sc, uint64_t batch, struct lt_cost *cost,
		struct lu_err *err) LU_CHECKED;

/* Memory of a stage on a GPU, and of the one that needs most. */
int lt_scene_stage_memory(struct lt_scene *sc, const struct lt_schedule *schedule, size_t stage,
		struct lt_memory *m, struct lu_err *err) LU_CHECKED;
int lt_scene_memory(struct lt_scene *sc, const struct lt_schedule *schedule, struct lt_memory *most,
		struct lu_err *err) LU_CHECKED;

/* Bytes of a GPU that a run may use. */
double lt_memory_usable(const struct lt_cluster *c, const struct lt_constants *k);

#endif
