#ifndef LUCIE_TRAINER_COMM_NCCL_LIBRARY_H
#define LUCIE_TRAINER_COMM_NCCL_LIBRARY_H
/*
 * NVIDIA's NCCL, found when the program runs, so that one program serves hosts with and without it.
 * What is declared comes from its header: where nccl.h is not found at build time, comm_no_nccl.c
 * takes the place of all that includes this.
 *
 *	struct lt_nccl_library l;
 *	lt_nccl_load(&l, &err)
 *	l.ncclGetVersion(&version)
 *
 * The library is looked for as LUCIE_NCCL says (a file, and no other then), as libnccl.so.2 where the
 * system keeps libraries, below build/cuda of this tree, in CUDA's folder, and where Python's packages
 * have it. It is never unloaded: its threads may outlive a communicator.
 */
#include "libcommon/base/err.h"

#define LT_NCCL_OLDEST 21800 /* 2.18: communicators that never block the host */

#if __has_include(<nccl.h>)
#include <nccl.h>

/* What is used of it. */
#define LT_NCCL_FUNCTIONS(X)      \
	X(ncclGetVersion)         \
	X(ncclGetUniqueId)        \
	X(ncclGetErrorString)     \
	X(ncclGetLastError)       \
	X(ncclCommInitRankConfig) \
	X(ncclCommGetAsyncError)  \
	X(ncclCommFinalize)       \
	X(ncclCommDestroy)        \
	X(ncclCommAbort)          \
	X(ncclGroupStart)         \
	X(ncclGroupEnd)           \
	X(ncclAllReduce)          \
	X(ncclReduceScatter)      \
	X(ncclAllGather)          \
	X(ncclReduce)             \
	X(ncclBroadcast)          \
	X(ncclSend)               \
	X(ncclRecv)

struct lt_nccl_library {
#define LT_NCCL_MEMBER(function) __typeof__(function) *function;
	LT_NCCL_FUNCTIONS(LT_NCCL_MEMBER)
#undef LT_NCCL_MEMBER
	int version; /* such as 22809 */
};

int lt_nccl_load(struct lt_nccl_library *l, struct lu_err *err) LU_CHECKED;

#endif
#endif
