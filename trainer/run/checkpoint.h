#ifndef LUCIE_TRAINER_RUN_CHECKPOINT_H
#define LUCIE_TRAINER_RUN_CHECKPOINT_H
/*
 * Checkpoints of a run, lucie-checkpoint(5): RUN/step-00001000/ holds weights.safetensors (fp32
 * master weights), adam-m.safetensors, adam-v.safetensors and manifest.json, which has the
 * position, the shape of the model, and the size and XXH3-128 of each file. RUN/latest is a
 * symbolic link to the newest.
 *
 * A checkpoint appears whole or not at all: it is written in RUN/.step-00001000.lu-tmp, every
 * file and the folder are flushed to disk, the folder is read again and its hashes compared, then
 * it is renamed and `latest` replaced by rename. Older ones beyond `keep` are removed
 * after that, so that a verified one is there at any moment.
 */
#include <stdbool.h>

#include "libcommon/base/err.h"
#include "trainer/model/weights.h"

/* Where a run stands: with the configuration and the weights, all that its next step depends on. */
struct lt_position {
	uint64_t step;	  /* steps done, over all phases */
	uint64_t phase;	  /* number of the phase, from 0 */
	uint64_t samples; /* consumed in this phase */
	uint64_t tokens;  /* trained on, over all phases */
	uint64_t updates; /* of AdamW since m and v were zero: its t */
	uint64_t context; /* tokens of a sample in this phase */
	char phase_name[64];
};

int lt_checkpoint_save(const char *run, struct lt_weights *w, const struct lt_position *at,
		size_t keep, struct lu_err *err) LU_CHECKED;

/* Reads the manifest of a checkpoint folder: position and shape. Either may be NULL. */
int lt_checkpoint_read(const char *dir, struct lt_position *at, struct lt_shape *shape,
		struct lu_err *err) LU_CHECKED;
/* Compares sizes and hashes of the files with the manifest. */
int lt_checkpoint_verify(const char *dir, struct lu_err *err) LU_CHECKED;
/* Verifies, then fills the weights, and m and v where the weights have them. */
int lt_checkpoint_load(const char *dir, struct lt_weights *w, struct lu_err *err) LU_CHECKED;

/*
 * The folder of a checkpoint, malloc'd: of RUN's latest; of step N with `step` (UINT64_MAX: the
 * latest); or `path` itself when it is a checkpoint. *dir NULL and 0 when the run has none yet.
 */
int lt_checkpoint_find(const char *path, uint64_t step, char **dir, struct lu_err *err) LU_CHECKED;

#endif
