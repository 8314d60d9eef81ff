#ifndef LUCIE_TRAINER_RUN_CHECKPOINT_H
#define LUCIE_TRAINER_RUN_CHECKPOINT_H
/*
 * Checkpoints of a run, lucie-checkpoint(5): RUN/step-00001000/ holds weights.safetensors (fp32
 * master weights), adam-m.safetensors, adam-v.safetensors and manifest.json
 * (checkpoint_manifest.h). The symbolic link RUN/latest points to the newest.
 *
 * A checkpoint appears whole or not at all: it is written to RUN/.step-00001000.HOST-PID.lu-tmp, all
 * files and the folder are synced, the files are read back and compared with the manifest, then the
 * folder is renamed and `latest` replaced by rename. Only then are older checkpoints removed, so that
 * a verified one exists at any time. Only the owner of the run publishes one: a trainer that has been
 * taken over fails before the rename.
 */
#include <stdbool.h>

#include "libcommon/base/err.h"
#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/runfolder.h"

/* Fail if the disk of an existing folder has no room for a checkpoint. */
int lt_checkpoint_space(
		const char *folder, const struct lt_table *table, struct lu_err *err) LU_CHECKED;

/* Write a checkpoint, then remove the oldest ones so that at most `keep` (0: all) remain. */
int lt_checkpoint_save(struct lt_run *run, struct lt_weights *w, const struct lt_position *pos,
		size_t keep, struct lu_err *err) LU_CHECKED;

/* Verify a checkpoint folder, then load the weights, and m and v if the weights have them. */
int lt_checkpoint_load(const char *dir, struct lt_weights *w, struct lu_err *err) LU_CHECKED;

/*
 * Find the folder of a checkpoint: that of `step` in the run at path, or with UINT64_MAX the latest
 * of the run, or path itself if it is a checkpoint. *dir is malloc'd; NULL, with the result 0, if the
 * run has none yet.
 */
int lt_checkpoint_find(const char *path, uint64_t step, char **dir, struct lu_err *err) LU_CHECKED;

#endif
