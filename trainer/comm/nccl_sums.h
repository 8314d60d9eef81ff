#ifndef LUCIE_TRAINER_COMM_NCCL_SUMS_H
#define LUCIE_TRAINER_COMM_NCCL_SUMS_H
/*
 * The operations of a group on GPUs, queued in one queue.
 *
 * Sums of reals and of activations under the level `layout` follow the tree of comm.h, over messages
 * of NCCL and sums of ours (lk_ops.lane_sum and add):
 *	members that are a power of two, by recursive halving (Rabenseifner 2004): of the part of the
 *		buffer that two members j and j + s still share, each sends the other's half and adds
 *		what it receives, so the sum of member m's part is made on the way to m, pair by
 *		pair as the tree says. Each member sends n (size - 1) / size elements, the
 *		larger pieces to the partners that come first in the tree, which therefore should be
 *		on its host: parallel/mesh.h numbers the ranks so;
 *	other numbers: every member sends to each owner its version of the owner's part;
 *	few elements: all gather all versions, and each adds them.
 * The other levels, and the other types, leave the sum to NCCL. Those are sums of doubles in which one
 * member has a number and the others zeros, and have no rounding; comm.h says so.
 *
 * all_gather and broadcast move data, and are the same on all levels. NCCL wants equal parts; parts
 * that are not become one broadcast or reduction each, in one group of calls.
 */
#include "trainer/comm/nccl_link.h"

/* Queue the operation in q. The buffers are device memory. */
int lt_nccl_run(struct lt_link *ch, const struct lt_call *call, struct lk_queue *q,
		struct lu_err *err) LU_CHECKED;

#endif
