#ifndef LUCIE_TRAINER_COMM_NCCL_WATCH_H
#define LUCIE_TRAINER_COMM_NCCL_WATCH_H
/*
 * The watch over the operations that are under way on the GPU: nothing there waits for ever.
 *
 * An operation is noted with an event before and one behind it. A thread asks for them, and NCCL for
 * errors, a few times a second. Between the two events the GPU is in the operation and waits for
 * others; it tells the control plane for whom: the peer of a message, or of a collective the next
 * member, who if he waits as well points to his own next, so that the chain ends at the one who has
 * not come (control.h). A GPU that has not reached the first event is at work and waits for nobody.
 *
 *	lt_nccl_take(ch, what, rank, &op, &err)
 *	... what it must follow ...
 *	lt_nccl_note(n, q, op, &err)		before the operation, in the queue it runs in
 *	... the operation ...
 *	lt_nccl_noted(n, q, op, &err)		behind it
 *	lt_nccl_release(n, op, waited_for)	nobody asks for it any more
 *
 * When the deadline of an operation has passed, NCCL reports an error, or the run has failed elsewhere,
 * the thread aborts all communicators: streams go on, and the caller finds the error where it waits
 * for the device next.
 */
#include "trainer/comm/nccl_link.h"

struct lt_nccl_op {
	struct lt_pending pending; /* what the caller holds, see comm.h */
	struct lt_nccl_op *next;
	struct lt_link *link; /* NULL once that is closed */
	const char *what;
	size_t waits_for;	      /* a rank of the run */
	struct lk_event *begin, *end; /* around it */
	struct lk_event *reached;     /* where a queue began to wait for it */
	bool noted, held, waited_for; /* `end` is recorded; the caller has it; `reached` is */
	void *copy;		      /* device memory of its own */
	double since;		      /* when the thread first saw that it had begun; 0 */
	char at[160];		      /* what this rank was doing */
};

int lt_nccl_watch_start(struct lt_nccl *n, struct lu_err *err) LU_CHECKED;
void lt_nccl_watch_end(struct lt_nccl *n);

int lt_nccl_take(struct lt_link *ch, const char *what, size_t waits_for, struct lt_nccl_op **op,
		struct lu_err *err) LU_CHECKED;
int lt_nccl_note(struct lt_nccl *n, struct lk_queue *q, struct lt_nccl_op *op,
		struct lu_err *err) LU_CHECKED;
int lt_nccl_noted(struct lt_nccl *n, struct lk_queue *q, struct lt_nccl_op *op,
		struct lu_err *err) LU_CHECKED;
/* waited_for: its `reached` is recorded. */
void lt_nccl_release(struct lt_nccl *n, struct lt_nccl_op *op, bool waited_for);

#endif
