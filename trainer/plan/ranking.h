#ifndef LUCIE_TRAINER_PLAN_RANKING_H
#define LUCIE_TRAINER_PLAN_RANKING_H
/*
 * The layouts of a phase on a cluster, the fastest that fits first.
 *
 *	struct lt_ranking r;
 *
 *	lt_ranking_make(&r, &question, rows, &err)
 *	... r.row.p[0 .. r.row.n - 1] ...
 *	lt_ranking_release(&r);
 *
 * Tried are: tp that divides the GPUs of a node and what tensor parallelism splits; pp that divides
 * the rest, up to the number of layers; interleave 1, powers of two, and one layer a chunk; micro-
 * batches that divide the global batch and every batch of the ramp, up to 65,536 tokens or one
 * sample; with tp > 1 sequence parallelism or not; zero 1, or 0; each kind of recomputation. Layouts
 * in which a data-parallel rank would have nothing to do are left out.
 */
#include "libcommon/base/vec.h"
#include "trainer/plan/choice.h"
#include "trainer/plan/step_cost.h"

/* What is asked. */
struct lt_question {
	const struct lt_cluster *cluster;
	const struct lt_constants *k;
	struct lt_settings s; /* of the phase, as configured */
	struct lt_schedule schedule;
	struct lt_choice only; /* the search keeps to what is given here */
};

int lt_question_init(struct lt_question *q, const struct lt_cluster *cluster,
		const struct lt_constants *k, const struct lt_settings *s,
		struct lu_err *err) LU_CHECKED;

struct lt_ranked {
	struct lt_choice choice;
	struct lt_cost cost;
	struct lt_memory memory; /* of the fullest stage */
	bool fits;
	double seconds; /* of the phase; NAN if its length is in epochs of data that are not read */
};

struct lt_ranking {
	struct LU_VEC(struct lt_ranked) row;
	size_t tried;	/* layouts that are possible */
	size_t too_big; /* of them, faster than the last row but without enough memory */
};

int lt_ranking_make(struct lt_ranking *r, const struct lt_question *q, size_t rows,
		struct lu_err *err) LU_CHECKED;
void lt_ranking_release(struct lt_ranking *r);

/* One layout, whether it fits or not: `c`, with what it does not give as configured. An impossible one
 * is an error. */
int lt_rank_one(struct lt_ranked *row, const struct lt_question *q, const struct lt_choice *c,
		struct lu_err *err) LU_CHECKED;

#endif
