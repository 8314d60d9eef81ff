#ifndef LUCIE_TRAINER_RUN_VALIDATION_H
#define LUCIE_TRAINER_RUN_VALIDATION_H
/*
 * Validation during training: the loss of each set of data.valid, on standard error and in
 * metrics.jsonl. A set is named after its prefix without folders.
 */
#include <stdbool.h>

#include "trainer/model/model.h"
#include "trainer/run/runfolder.h"
#include "trainer/run/settings.h"

struct lt_validation;

int lt_validation_open(struct lt_validation **v, const struct lt_settings *s,
		struct lu_err *err) LU_CHECKED;
void lt_validation_close(struct lt_validation *v);

/* Score every set with the current weights, after step `step`. If `stop` returns true the current set
 * is abandoned without a result, and so are the remaining ones. */
int lt_validate(struct lt_validation *v, struct lt_model *m, uint64_t step, struct lt_run *run,
		bool (*stop)(void), struct lu_err *err) LU_CHECKED;

#endif
