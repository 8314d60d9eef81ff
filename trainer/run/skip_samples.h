#ifndef LUCIE_TRAINER_RUN_SKIP_SAMPLES_H
#define LUCIE_TRAINER_RUN_SKIP_SAMPLES_H
/*
 * --skip-samples of lucie-train: samples that a run leaves out. What is left out belongs to the position
 * of the run, so that checkpoints have it and a start without the option goes on alike.
 *
 *	lt_skip_samples(list, config, &pos, &added, &err)	once the position is known
 *	lt_skip_check(&pos.skips, i, &data, &err)		once the data of phase i are open
 */
#include "libcommon/sys/opt.h"
#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/phase_data.h"

/*
 * Add the ranges "A:B", or "PHASE:A:B" where the run has several phases: samples A to B - 1 of the phase.
 * *added: they were not all there before, as when the same command goes on. A range that begins before
 * the position is an error.
 */
int lt_skip_samples(const struct lu_list *list, const struct lt_config *config,
		struct lt_position *pos, bool *added, struct lu_err *err) LU_CHECKED;

/* Fail if a range of phase i begins behind its end, or cuts a pair. */
int lt_skip_check(const struct lu_skips *s, size_t i, const struct lt_phase_data *d,
		struct lu_err *err) LU_CHECKED;

#endif
