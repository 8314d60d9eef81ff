#ifndef LUCIE_TRAINER_RUN_SAVER_H
#define LUCIE_TRAINER_RUN_SAVER_H
/*
 * Checkpoints (checkpoint.h) written in the background while training goes on, by all ranks
 * together; one process is a run of one rank.
 *
 *	const struct lt_saver_options o = { .keep = 3 };
 *	lt_saver_open(&s, comm, w, &o, &err)		allocates the snapshot and starts a thread
 *	... after a step ...
 *	lt_saver_begin(s, run, &pos, &err)		on all ranks after the same step
 *	lt_saver_poll(s, &saved, &err)			at every step, or when one likes
 *	lt_saver_wait(s, &saved, &err)			at the end, and when a signal stops the run
 *	lt_saver_close(s)
 *
 * begin copies what this rank writes of p, m and v to host memory and returns: from then on the
 * weights may change. It first waits for a save that is still running. The thread then writes, talks
 * to the other ranks on LT_CHANNEL_SAVE, and publishes on rank 0. It uses `run` (lt_owner_holds(), the
 * descriptors of the logs) and the comm, so both must outlive the saver.
 *
 * A save has succeeded on all ranks or failed on all: on failure the last checkpoint is as it was, the
 * unfinished one is removed, and each rank gets the sentence of the lowest rank that had a reason;
 * lt_comm_speaks() is true on that rank alone. Ranks may learn of it some steps apart. The saver can
 * be used again after a failure.
 *
 * What a rank writes: without ZeRO an equal part of its place, cut over the data-parallel ranks, with
 * ZeRO what it owns; of tensors that tensor parallelism replicates, only tensor-parallel rank 0
 * writes. All of it together is checked to be the whole model.
 */
#include <stdint.h>

#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/model/weights.h"
#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/runfolder.h"

struct lt_saver;

struct lt_saver_options {
	size_t keep;	/* checkpoints that remain, counted up to the new one; 0: all */
	uint64_t round; /* bytes that a rank writes or reads before the ranks meet; 0: 1 GiB */
};

/* The weights must have lanes. */
int lt_saver_open(struct lt_saver **s, struct lt_comm *comm, struct lt_weights *w,
		const struct lt_saver_options *options, struct lu_err *err) LU_CHECKED;
/* Wait for a running save, whose result is lost, and end the thread. NULL is fine. */
void lt_saver_close(struct lt_saver *s);

/* Bytes of host memory that open allocates, for weights of which lt_weights_count() said `bytes`. */
uint64_t lt_saver_bytes(const struct lt_table *t, const struct lt_holding *holding,
		const struct lt_weights_bytes *bytes);

/*
 * Collective. `run` is NULL except on rank 0; *pos is copied, and only that of rank 0 counts. The logs
 * of the run are synced before the checkpoint is published, so that none is newer than the lines of
 * its steps. Fails if the save before has failed; what goes wrong with this one is told by poll and
 * wait.
 */
int lt_saver_begin(struct lt_saver *s, const struct lt_run *run, const struct lt_position *pos,
		struct lu_err *err) LU_CHECKED;

/* *saved: step of the last checkpoint that was written since open, UINT64_MAX: none. Returns -1, once,
 * if a save has failed. poll does not wait, wait does until no save is running. */
int lt_saver_poll(struct lt_saver *s, uint64_t *saved, struct lu_err *err) LU_CHECKED;
int lt_saver_wait(struct lt_saver *s, uint64_t *saved, struct lu_err *err) LU_CHECKED;

#endif
