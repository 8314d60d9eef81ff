#ifndef LUCIE_TRAINER_RUN_CHECKPOINT_H
#define LUCIE_TRAINER_RUN_CHECKPOINT_H
/*
 * Checkpoints of a run, lucie-checkpoint(5): RUN/step-00001000/ holds weights.safetensors (fp32
 * master weights), adam-m.safetensors, adam-v.safetensors and manifest.json
 * (checkpoint_manifest.h). The symbolic link RUN/latest points to the newest.
 *
 * The files hold whole tensors, whatever the layout of the run, so that any layout loads what any
 * other has written, and two layouts that train alike write the same bytes.
 *
 * Writing is in saver.h. A checkpoint appears whole or not at all: it is written to a hidden folder,
 * synced, read back and compared with memory, then renamed, and `latest` replaced by rename. Only
 * then are older ones removed, so that a verified one exists at any time.
 *
 * Loading, in one process:
 *	lt_checkpoint_find(path, step, &dir, &err)
 *	lt_manifest_read(dir, &pos, &shape, &err)	... open weights of that shape ...
 *	lt_checkpoint_load(dir, w, &err)
 * and in a run of any number of ranks:
 *	lt_checkpoint_locate(comm, run, step, &c, &err)	rank 0 looks, all know
 *	lt_checkpoint_restore(comm, &c, w, &err)	each rank reads its slices
 * Sizes and hashes are verified before anything is loaded, each file by one rank. There is no silent
 * step back to an older checkpoint: the error names the damaged file and the step to name instead.
 */
#include <limits.h>
#include <stdbool.h>

#include "libcommon/base/err.h"
#include "trainer/comm/comm.h"
#include "trainer/run/checkpoint_manifest.h"

/* Fail if the disk of an existing folder has no room for a checkpoint. A hint for the start of a run:
 * quotas and full storage targets show only when bytes are written. */
int lt_checkpoint_space(
		const char *folder, const struct lt_table *table, struct lu_err *err) LU_CHECKED;

/*
 * Find the folder of a checkpoint: that of `step` in the run at path, or with UINT64_MAX the latest
 * of the run, or path itself if it is a checkpoint. *dir is malloc'd; NULL, with the result 0, if the
 * run has none yet.
 */
int lt_checkpoint_find(const char *path, uint64_t step, char **dir, struct lu_err *err) LU_CHECKED;

/* Verify a checkpoint folder, then load the weights, and m and v if the weights have them. */
int lt_checkpoint_load(const char *dir, struct lt_weights *w, struct lu_err *err) LU_CHECKED;

/* A checkpoint as rank 0 found it. */
struct lt_checkpoint {
	bool found; /* false: the run has none yet, and the rest is 0 */
	char dir[PATH_MAX];
	uint64_t before; /* step of the newest one that is older; UINT64_MAX: none */
	struct lt_position pos;
	struct lt_shape shape;
	struct lt_manifest_files files;
};

/* Collective, on LT_CHANNEL_MAIN; path and step as above, of which only rank 0's count. */
int lt_checkpoint_locate(struct lt_comm *comm, const char *path, uint64_t step,
		struct lt_checkpoint *c, struct lu_err *err) LU_CHECKED;

/* Collective. Verify the checkpoint, then load what this rank holds of the weights, and what it owns
 * of m and v. */
int lt_checkpoint_restore(struct lt_comm *comm, const struct lt_checkpoint *c, struct lt_weights *w,
		struct lu_err *err) LU_CHECKED;

/* Fail if the checkpoint is of another model than the configuration has now. */
int lt_checkpoint_same_model(const struct lt_checkpoint *found, const struct lt_shape *now,
		struct lu_err *err) LU_CHECKED;

#endif
