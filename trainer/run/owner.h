#ifndef LUCIE_TRAINER_RUN_OWNER_H
#define LUCIE_TRAINER_RUN_OWNER_H
/*
 * The owner of a run folder: RUN/trainer.lock, one line of JSON that names the process that trains.
 *
 *	lt_owner_check(run, &err)		nobody else has it; changes nothing
 *	lt_owner_claim(&o, run, &err)
 *	lt_owner_holds(&o, &err)		before anything is published
 *	lt_owner_release(&o)
 *
 * No lock of the file system is relied on: clusters have none, or grant them for each node. The file
 * is a fence instead. A claim replaces it by rename, and whoever no longer finds its own line in it
 * has been taken over and must stop. Of two that claim at the same moment, the later one stays.
 *
 * The owner is gone, and is taken over without a question, if
 *	- it is an earlier attempt (SLURM_RESTART_COUNT) of the same Slurm job (SLURM_JOB_ID);
 *	- it ran on this host before it was last booted;
 *	- it ran on this host, in this PID namespace, and no process has its number and its start
 *	  time, so a number that was given to another process is not believed.
 * Of any other owner it cannot be known: the error names host and process, and the file to remove.
 */
#include <stddef.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

#define LT_OWNER_FILE "trainer.lock"

struct lt_owner {
	char *run;	    /* NULL: not claimed */
	char *path;	    /* of the file */
	struct lu_buf line; /* as written */
	char attempt[96];   /* "HOST-PID", for the names of temporary files */
};

/* Fail if another trainer that may be alive owns the folder. It need not exist. */
int lt_owner_check(const char *run, struct lu_err *err) LU_CHECKED;

/* Check again, then become the owner. */
int lt_owner_claim(struct lt_owner *o, const char *run, struct lu_err *err) LU_CHECKED;

/* Fail if another trainer has taken over. A takeover between this call and a rename that follows is
 * not noticed before the next call; both attempts then write the same bytes. */
int lt_owner_holds(const struct lt_owner *o, struct lu_err *err) LU_CHECKED;

/* Remove the file if it is still ours. No effect on a zeroed struct, which *o is afterwards, also on
 * failure. */
int lt_owner_release(struct lt_owner *o, struct lu_err *err);

#endif
