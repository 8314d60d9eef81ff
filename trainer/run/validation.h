#ifndef LUCIE_TRAINER_RUN_VALIDATION_H
#define LUCIE_TRAINER_RUN_VALIDATION_H
/*
 * Validation during training: the loss of each set of data.valid, on standard error and in
 * metrics.jsonl. A set is named after its prefix without folders.
 */
#include <stdbool.h>

#include "trainer/data/corpus.h"
#include "trainer/data/scoring.h"
#include "trainer/run/runfolder.h"
#include "trainer/run/settings.h"

struct lt_validation;

/* tokenizer: its hash, as for lt_corpus_check(). flags: of
 * lt_corpus_open(). A set that is listed twice is an error. */
int lt_validation_open(struct lt_validation **v, const struct lt_settings *s, const char *tokenizer,
		unsigned flags, struct lu_err *err) LU_CHECKED;
void lt_validation_close(struct lt_validation *v);
size_t lt_validation_sets(const struct lt_validation *v);

/* Score the last *due sets (at most all) with the current weights, after step `step`, and count *due
 * down to 0. All ranks call it; run is NULL on those that do not write. If `stop` (scoring.h) returns
 * 1 the current set is abandoned without a result: it and those after it remain due. */
int lt_validate(struct lt_validation *v, const struct lt_scorer *scorer, uint64_t step,
		struct lt_run *run, int (*stop)(void *ctx, struct lu_err *err), uint64_t *due,
		struct lu_err *err) LU_CHECKED;

#endif
