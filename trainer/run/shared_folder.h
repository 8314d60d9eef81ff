#ifndef LUCIE_TRAINER_RUN_SHARED_FOLDER_H
#define LUCIE_TRAINER_RUN_SHARED_FOLDER_H
/*
 * Whether all ranks see the run folder of rank 0. On a folder of a host's own disk the first checkpoint
 * would fail, hours after the start.
 */
#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/run/runfolder.h"

/* Collective, once rank 0 has opened the folder; `run` is NULL elsewhere. Each rank looks for the file
 * that says who trains (owner.h), with the very line of this start; some time is left to file
 * systems that show a new file late. */
int lt_shared_folder_check(
		struct lt_comm *comm, const struct lt_run *run, struct lu_err *err) LU_CHECKED;

#endif
