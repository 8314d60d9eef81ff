#ifndef LUCIE_TRAINER_COMM_COLLECTIVE_H
#define LUCIE_TRAINER_COMM_COLLECTIVE_H
/*
 * The collectives, over any transport: who sends what to whom, and who adds.
 *
 * reduce_scatter: every member sends to each owner its version of the owner's part; the owner adds
 * them by the tree of comm.h, slice by slice, so that the work space is bounded, what is added is in the
 * cache, and the sum of a slice is made while the system receives the next one.
 * all_gather: every owner sends its part to all others.
 * all_reduce: both, over equal parts; few elements are one part.
 * broadcast: the root sends to all; a large one scatters parts and gathers them, so that the root
 * does not send everything `size` times.
 */
#include <stdatomic.h>

#include "trainer/comm/worker.h"

/* Run an operation to its end in this thread. waits_for: as in struct lt_transport. */
int lt_collective_run(const struct lt_call *call, atomic_size_t *waits_for,
		struct lu_err *err) LU_CHECKED;

#endif
