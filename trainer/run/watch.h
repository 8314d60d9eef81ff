#ifndef LUCIE_TRAINER_RUN_WATCH_H
#define LUCIE_TRAINER_RUN_WATCH_H
/*
 * Watching over the speed of the ranks (health.h): a probe of each at the start, and the time that each
 * works at a step; rank 0 names a rank that is slow. Without effect in a run of one rank.
 *
 *	struct lt_watch w = { 0 };
 *	lt_watch_open(&w, comm, ops, device, &err)		collective
 *	lt_watch_step(&w, step, seconds, &err)		collective, after each step
 *	lt_watch_close(&w);
 */
#include "trainer/comm/comm.h"
#include "trainer/run/health.h"

struct lt_watch {
	struct lt_comm *comm; /* NULL: one rank */
	struct lt_pace pace;
	double *seconds; /* by rank */
	double waited;	 /* lt_comm_waited() at the end of the last step */
};

/* The probe is left out where the ranks of a host are more than its processors: it would measure who
 * got hold of one. */
int lt_watch_open(struct lt_watch *w, struct lt_comm *comm, const struct lk_ops *ops, int device,
		struct lu_err *err) LU_CHECKED;
/* seconds: that the step took on this rank, the waiting for others included. */
int lt_watch_step(struct lt_watch *w, uint64_t step, double seconds, struct lu_err *err) LU_CHECKED;
void lt_watch_close(struct lt_watch *w);

#endif
