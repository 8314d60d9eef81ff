#ifndef LUCIE_TRAINER_RUN_STEP_FOLDER_H
#define LUCIE_TRAINER_RUN_STEP_FOLDER_H
/*
 * Names of the checkpoints in a run folder: step-00001000, with at least eight digits.
 *
 * A checkpoint that is being replaced by another of the same step, on a file system that cannot
 * exchange two folders in one call, is for a moment at .step-00001000.HOST-PID.old.lu-tmp. If the
 * trainer was killed at that moment it is still there, and nowhere else: lt_step_aside() finds it
 * for readers, lt_step_restore() gives it its name back.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/err.h"
#include "libcommon/base/vec.h"

#define LT_ASIDE_SUFFIX "old.lu-tmp"

/* RUN/step-N; NULL when memory is out. */
char *lt_step_folder(const char *run, uint64_t step) LU_CHECKED;
/* Parse "step-00001000"; false for other names. */
bool lt_step_parse(const char *name, uint64_t *step);

struct lt_steps LU_VEC(uint64_t);

/* List the checkpoints of a run up to step `last`, in ascending order. Release the vector, also on
 * failure. */
int lt_steps_list(const char *run, uint64_t last, struct lt_steps *steps,
		struct lu_err *err) LU_CHECKED;

/* *path: the folder of the checkpoint that was moved aside, malloc'd; NULL: there is none. */
int lt_step_aside(const char *run, uint64_t step, char **path, struct lu_err *err) LU_CHECKED;
/* Give checkpoints that were moved aside their names back, where nothing else has them. Only for the
 * owner of the run. */
int lt_step_restore(const char *run, struct lu_err *err) LU_CHECKED;

#endif
