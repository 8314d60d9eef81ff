#ifndef LUCIE_TRAINER_RUN_CHECKPOINT_FOLDER_H
#define LUCIE_TRAINER_RUN_CHECKPOINT_FOLDER_H
/*
 * The folders of checkpoints, as far as one process handles them: in a run of several, rank 0.
 *
 * Writing:
 *	struct lt_draft d;
 *	lt_draft_create(&d, run, step, &layout, &err)	a hidden folder with files of their full size
 *	... all ranks fill the files, sync and verify them ...
 *	lt_draft_publish(&d, run, &what, keep, &err)	manifest, rename, latest, removal of old ones
 *	lt_draft_discard(&d)				in any case: removes what is left, frees
 *
 * The hidden folder is RUN/.step-00001000.HOST-PID.lu-tmp, which is no other attempt's and does not
 * look like a checkpoint. A checkpoint of the same step that is already there (of a validation put
 * off, or of another try with --from-step) is replaced: exchanged in one call where the file system
 * can, otherwise moved aside to RUN/.step-00001000.HOST-PID.old.lu-tmp first. Should the trainer be
 * killed in between, it is found there (step_folder.h).
 */
#include <stdbool.h>

#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/runfolder.h"

struct lt_draft {
	char *temp, *dir;
};

/* Create the hidden folder, and in it the files with their headers. Space is reserved where the file
 * system can. Fails, leaving nothing, also if another trainer has taken over. */
int lt_draft_create(struct lt_draft *d, const struct lt_run *run, uint64_t step,
		const struct lt_tensors_layout *layout, struct lu_err *err) LU_CHECKED;

struct lt_published {
	const struct lt_position *pos;
	const struct lt_table *table;
	const struct lt_digest *digest; /* [LT_VECTORS] */
	size_t keep;			/* checkpoints that remain, up to this one; 0: all */
};

/* *published becomes true once the checkpoint has its name and is the latest, whatever fails later. */
int lt_draft_publish(struct lt_draft *d, const struct lt_run *run, const struct lt_published *what,
		bool *published, struct lu_err *err) LU_CHECKED;

/* A zeroed struct is fine, which *d is afterwards. */
void lt_draft_discard(struct lt_draft *d);

#endif
