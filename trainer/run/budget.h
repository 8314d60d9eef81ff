#ifndef LUCIE_TRAINER_RUN_BUDGET_H
#define LUCIE_TRAINER_RUN_BUDGET_H
/*
 * The cost of a configuration, without allocating it: parameters, FLOPs per token, the layout, memory
 * of each rank, steps, tokens and the epochs of each data set.
 */
#include "libcommon/base/buf.h"
#include "trainer/comm/comm.h"
#include "trainer/run/backend.h"
#include "trainer/run/config.h"

/* Append lines of text. Opens the data of every phase, with the checks of a start
 * (phase_data.h). */
int lt_budget(const struct lt_config *c, const char *tokenizer, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

/*
 * Fail on all ranks if in a phase the ranks of a host need more memory than there is (available.h), or
 * a rank more than its GPU, number `device`, has free; the sentence shows the parts. Call it before
 * anything large is allocated.
 */
int lt_budget_check_memory(const struct lt_config *c, const struct lt_backend *b, int device,
		struct lt_comm *comm, struct lu_err *err) LU_CHECKED;

/* Open the queue of a rank, and on a GPU take at once all memory that the phase which needs most will
 * allocate (lk_ops.reserve). LT_NCCL_BYTES are beside it. */
int lt_budget_open_queue(const struct lt_config *c, const struct lt_backend *b, int device,
		const struct lt_comm *comm, struct lk_queue **q, struct lu_err *err) LU_CHECKED;

/* Bytes that NCCL is granted for each group of ranks, for its buffers; an assumption that leaves room,
 * not a measurement. cuBLASLt has its work space in ours. */
#define LT_NCCL_BYTES ((uint64_t)512 << 20)

#endif
