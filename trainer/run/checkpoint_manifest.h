#ifndef LUCIE_TRAINER_RUN_CHECKPOINT_MANIFEST_H
#define LUCIE_TRAINER_RUN_CHECKPOINT_MANIFEST_H
/*
 * manifest.json of a checkpoint, lucie-checkpoint(5): the position of the run, the layout that wrote
 * it, the shape of the model, and size and XXH3-128 of each file. It ends with an FNV-1a hash of its own text, which the
 * bare build verifies too.
 */
#include "libcommon/base/buf.h"
#include "libcommon/order/skips.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/spike.h"

/* The layout that a checkpoint was trained on, for the reader; it can be loaded by any other. All 0 and
 * "": unknown, as in checkpoints of one process before there were layouts. */
struct lt_written_by {
	uint64_t dp, tp, pp;
	uint64_t zero; /* level of ZeRO: 0 or 1 */
	uint64_t lanes;
	char recompute[16]; /* "none", "norms", "layer" */
	char equality[16];  /* "layout", "run", "fast": how far bits are equal */
	char dtype[8];	    /* of the activations: "fp32", "bf16"; "": not said, fp32 */
	char memory[16];    /* "standard", "low"; "": not said, standard */
};

#define LT_PHASE_NAME 64 /* bytes of the name of a phase, and a NUL */

/* The position of a run. The next step depends on it, the configuration and the weights only. */
struct lt_position {
	uint64_t step;	  /* steps done, over all phases */
	uint64_t phase;	  /* index of the phase */
	uint64_t samples; /* consumed in this phase */
	uint64_t tokens;  /* trained on, over all phases */
	uint64_t updates; /* of AdamW since m and v were zero: its t */
	uint64_t context; /* longest of the phases so far with these rotary positions */
	/* Validation sets, the last ones of data.valid, that are still to be scored after this step:
	 * a signal put them off. Their lines come first when the run continues. */
	uint64_t due;
	uint64_t evals_due; /* likewise of the evaluations of [eval] */
	uint64_t phase_end; /* 1: nothing of it was left to do, by the configuration of the time */
	char phase_name[LT_PHASE_NAME];
	struct lt_written_by by;
	struct lt_spike spike; /* with train.spike; n = 0 without */
	char reference[33];    /* dpo: the hash of its reference (reference.h); "": none yet */
	struct lu_skips skips; /* --skip-samples */
};

/* Names of the files that hold the vectors of the weights. */
extern const char *const lt_vector_files[LT_VECTORS];

/* Append the text of a manifest. Check the buffer afterwards. */
void lt_manifest_format(const struct lt_position *pos, const struct lt_table *t,
		const struct lt_digest digest[LT_VECTORS], struct lu_buf *out);

/* Files of a checkpoint as its manifest records them. */
#define LT_MANIFEST_FILES 16

struct lt_manifest_file {
	char name[64];
	struct lt_digest digest; /* hash "": none, written by the bare build */
};

struct lt_manifest_files {
	size_t n;
	struct lt_manifest_file file[LT_MANIFEST_FILES];
};

/* Read the manifest of a checkpoint folder. pos and shape may be NULL. */
int lt_manifest_read(const char *dir, struct lt_position *pos, struct lt_shape *shape,
		struct lu_err *err) LU_CHECKED;
/* The files that it lists. */
int lt_manifest_files(
		const char *dir, struct lt_manifest_files *files, struct lu_err *err) LU_CHECKED;

#endif
