#ifndef LUCIE_TRAINER_COMM_WORKER_H
#define LUCIE_TRAINER_COMM_WORKER_H
/*
 * A thread that runs operations in the order in which they were given to it.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "trainer/comm/comm.h"

enum lt_operation {
	LT_OP_ALL_REDUCE,
	LT_OP_REDUCE_SCATTER,
	LT_OP_ALL_GATHER,
	LT_OP_BROADCAST,
	LT_OP_SEND,
	LT_OP_RECV,
};

/* An operation and its arguments. */
struct lt_call {
	enum lt_operation what;
	struct lt_group *group;
	void *x;
	const void *from; /* of a send, instead of x */
	const size_t *bound;
	size_t n, peer;
	enum lt_element type;
};

struct lt_worker;

struct lt_pending {
	struct lt_call call;
	struct lt_worker *worker;
	atomic_size_t waits_for; /* a rank, while it runs */
	bool detached;		 /* nobody waits for it: the worker frees it */
	void *owned;		 /* freed with it */
	/* The worker's own, under its lock. */
	bool done;
	int rc;
	struct lu_err err;
	struct lt_pending *next, *live_next, **live_link;
};

int lt_worker_new(struct lt_worker **w, struct lu_err *err) LU_CHECKED;
/* Finish what was given to it, and free all that nobody has waited for. NULL is fine. */
void lt_worker_free(struct lt_worker *w);
void lt_worker_push(struct lt_worker *w, struct lt_pending *p);
bool lt_worker_idle(struct lt_worker *w);
/* Wait until it is idle. */
void lt_worker_settle(struct lt_worker *w);
/* Wait at most `seconds` for the operation; false if it is not done then. Once it is done it is freed;
 * *rc and err are its result. */
bool lt_worker_wait(struct lt_pending *p, double seconds, int *rc, struct lu_err *err);

#endif
