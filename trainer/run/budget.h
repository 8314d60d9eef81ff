#ifndef LUCIE_TRAINER_RUN_BUDGET_H
#define LUCIE_TRAINER_RUN_BUDGET_H
/*
 * The memory of a run on this machine, before it is allocated: the check of a start, and the numbers that
 * --dry-run prints (dry_run.h).
 */
#include "trainer/comm/comm.h"
#include "trainer/run/backend.h"
#include "trainer/run/config.h"
#include "trainer/run/layout.h"
#include "trainer/run/memory.h"

#define LT_MIB 1048576.0
#define LT_GIB (1024 * LT_MIB)

/* What a rank computes with. */
struct lt_seat {
	const struct lt_backend *b;
	int device;
	const char *absent; /* why there is no such GPU here; NULL: the backend is here */
};

/* The memory of the rank of a layout. The work space counts as activations. */
int lt_budget_count(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_layout *l, const struct lt_seat *seat, struct lt_memory *m,
		struct lu_err *err) LU_CHECKED;
/* Bytes that the device is asked for. */
double lt_budget_device_bytes(const struct lt_memory *m, size_t ranks);
/* Bytes that NCCL is granted. ranks: 0, those of the settings. */
double lt_budget_nccl_bytes(const struct lt_settings *s, size_t ranks);

/*
 * Fail on all ranks if in a phase from `first` on, of those that so many ranks can train, the ranks of a
 * host need more memory than there is (available.h), or
 * a rank more than its GPU, number `device`, has free; the sentence shows the parts. Call it before
 * anything large is allocated.
 */
int lt_budget_check_memory(const struct lt_config *c, size_t first, const struct lt_backend *b,
		int device, struct lt_comm *comm, struct lu_err *err) LU_CHECKED;

/* Open the queue of a rank, and on a GPU take at once all memory that the one of those phases which needs most will
 * allocate (lk_ops.reserve). LT_NCCL_BYTES are beside it. */
int lt_budget_open_queue(const struct lt_config *c, size_t first, const struct lt_backend *b,
		int device, const struct lt_comm *comm, struct lk_queue **q,
		struct lu_err *err) LU_CHECKED;

/* Bytes that NCCL is granted for each group of ranks, for its buffers; an assumption that leaves room,
 * not a measurement. cuBLASLt has its work space in ours. */
#define LT_NCCL_BYTES ((uint64_t)512 << 20)

#endif
