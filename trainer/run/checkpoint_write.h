#ifndef LUCIE_TRAINER_RUN_CHECKPOINT_WRITE_H
#define LUCIE_TRAINER_RUN_CHECKPOINT_WRITE_H
/*
 * Writing a checkpoint from the snapshots of all ranks, by all ranks together. It blocks; saver.h runs
 * it on a thread. It talks on LT_CHANNEL_SAVE and touches neither the weights nor the queue.
 *
 *	1. Rank 0 creates the files with their full size in a hidden folder (checkpoint_folder.h).
 *	2. Each rank writes its stretches, syncs and closes.
 *	3. Each rank reads its stretches back and compares them with memory, from the disk where the
 *	   system lets go of its cache: a file system that has lost a write is found out. The files are
 *	   hashed, each by one rank.
 *	4. Rank 0 writes the manifest, renames, sets `latest` and removes old checkpoints.
 * After each part, and after each round of bytes within 2 and 3, the ranks agree: all go on, or all
 * stop and rank 0 removes the folder.
 */
#include "trainer/comm/comm.h"
#include "trainer/run/checkpoint_folder.h"
#include "trainer/run/snapshot.h"

struct lt_write {
	struct lt_comm *comm;
	const struct lt_snapshot *snapshot;
	uint64_t round; /* bytes that a rank moves before the ranks meet */
	/* On rank 0. */
	const struct lt_run *run;
	struct lt_position pos;
	size_t keep;
};

/* Collective. rc < 0: this rank has no snapshot, for the reason in *err; then the save fails on all
 * ranks. *published is true, on rank 0, once the checkpoint is the latest, even if removing older ones
 * failed. */
int lt_checkpoint_write(
		const struct lt_write *w, int rc, bool *published, struct lu_err *err) LU_CHECKED;

#endif
