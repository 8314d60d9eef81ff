#ifndef LUCIE_TRAINER_RUN_STEP_LOG_H
#define LUCIE_TRAINER_RUN_STEP_LOG_H
/*
 * The lines of a step in metrics.jsonl and timing.jsonl (lucie-train(1)).
 */
#include "trainer/model/optimizer.h"
#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/runfolder.h"

/* Sizes and results of one step. */
struct lt_step_result {
	uint64_t batch, tokens;
	uint64_t targets; /* of the tokens, where some are not; else 0 */
	double loss, lr, seconds, data_seconds;
	struct lt_update update;
	bool pairs; /* of dpo: rewards are logged */
};

/*
 * What a token costs, and what all ranks could do. Model FLOPs utilisation (MFU, Chowdhery et al. 2022)
 * is said by both conventions: with all of the attention matrix counted, as PaLM's authors do, and with
 * its lower half, which is what is computed.
 */
struct lt_speed {
	double token_flops, token_flops_causal;
	double peak; /* operations a second of all ranks together, by the data sheet; 0: not known */
};

/* Log the step that ended at the position. first: the weights after the first step of this start, and
 * NULL after the others: where and when it was made, and what the GPU's queue chose for it. */
int lt_step_log(struct lt_run *run, const struct lt_position *pos, const struct lt_step_result *s,
		const struct lt_weights *first, const struct lt_speed *speed,
		struct lu_err *err) LU_CHECKED;

#endif
