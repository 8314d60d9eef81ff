#ifndef LUCIE_TRAINER_COMM_LAUNCH_H
#define LUCIE_TRAINER_COMM_LAUNCH_H
/*
 * Which rank this process is, of how many, and where they meet, as the launcher's environment says.
 * In this order:
 *	LUCIE_RANK, LUCIE_SIZE, LUCIE_RENDEZVOUS=HOST:PORT; optional: LUCIE_LOCAL_RANK, and
 *		LUCIE_ATTEMPT, which tells attempts apart. Without a port the ranks find one
 *	OMPI_COMM_WORLD_RANK and the like: before Slurm's, whose variables under mpirun are those of
 *		its daemons
 *	a Slurm step: SLURM_STEP_ID, SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID; the ranks meet
 *		on the first host of SLURM_STEP_NODELIST (LUCIE_RENDEZVOUS_HOST replaces it). A batch
 *		script has SLURM_PROCID but no step: that is one process.
 * None of these: one process. Half of a set is an error that names what is missing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

enum lt_launcher { LT_LAUNCH_NONE, LT_LAUNCH_LUCIE, LT_LAUNCH_MPI, LT_LAUNCH_SLURM };

/* Called with a sentence for the user. */
typedef void lt_notice_fn(const char *sentence);

struct lt_launch {
	enum lt_launcher by;
	size_t rank, size;
	size_t local_rank;
	char host[256];	 /* of rank 0 */
	uint16_t port;	 /* 0: one of a few that follow from the token */
	char token[128]; /* this attempt and no other: tells one's own rank 0 from a stranger's */
};

/* On failure who->rank is positive if another rank will find the same. */
int lt_launch_detect(struct lt_launch *who, struct lu_err *err) LU_CHECKED;

#endif
