#ifndef LUCIE_TRAINER_COMM_COMM_NCCL_H
#define LUCIE_TRAINER_COMM_COMM_NCCL_H
/*
 * Data between GPUs over NCCL: comm_nccl.c is compiled where nccl.h is found, comm_no_nccl.c
 * elsewhere. The control plane brings the members of a group together and carries the ids of their
 * communicators; no MPI is involved. nccl_library.h loads the library, nccl_link.h keeps a
 * communicator, nccl_sums.h queues the operations, nccl_watch.h sees that none hangs.
 */
#include "trainer/comm/comm.h"

/* What lt_comm_device() does with more than one rank. */
int lt_nccl_start(struct lt_comm *c, int device, enum lt_equality equality,
		struct lu_err *err) LU_CHECKED;

#endif
