#ifndef LUCIE_TRAINER_RUN_REFERENCE_H
#define LUCIE_TRAINER_RUN_REFERENCE_H
/*
 * The frozen reference of preference tuning (train.objective = dpo): for every document of the phase's
 * data the sum of log p of its targets by the weights at the start of the phase. It is computed once, by
 * all ranks, and kept in files (libcommon/shard/logp.h):
 *
 *	PREFIX.logp-HASH			beside the shard, or if its folder cannot be written to,
 *	RUN/K-NAME.logp-HASH			in the folder of the run; K counts the shards
 *
 * HASH is XXH3-128 of the text "WEIGHTS CONTEXT GOLDFISH", where WEIGHTS is that of model_hash.h. The
 * checkpoints of the phase name it, so that a run that continues finds the file of its own beginning.
 *
 * The sums have the same bits for every number of data-parallel ranks and stages.
 */
#include "trainer/run/layout.h"
#include "trainer/run/settings.h"
#include "trainer/run/train_step.h"

struct lt_reference {
	const struct lt_layout *layout;
	struct lt_weights *w;
	struct lt_step *step;
	struct lt_corpus *corpus;
	const struct lt_settings *s;
	const struct lt_micro_want *want; /* of the step */
	const char *run;		  /* folder; read on all ranks, written by the first */
	/* Called now and then, on all ranks alike: 1 stops the computation, -1 is an error. */
	int (*stop)(void *ctx, struct lu_err *err);
	void *ctx;
};

/*
 * Give the corpus its reference, *by_document, which the caller frees after the corpus. hash "": the phase
 * begins; it is filled in, and the reference is computed unless the files are there. Otherwise they must
 * be. All ranks call it, and it fails on all. Returns 0, 1 if it was stopped, or -1.
 */
int lt_reference_open(const struct lt_reference *r, char hash[33], double **by_document,
		struct lu_err *err) LU_CHECKED;

#endif
