#ifndef LUCIE_TRAINER_RUN_DRY_RUN_H
#define LUCIE_TRAINER_RUN_DRY_RUN_H
/*
 * The cost of a configuration as a text, without allocating it: parameters and FLOPs per token; then of
 * each phase its steps, samples, tokens, batches and learning rates, the epochs of its data, its layout,
 * and the memory of a rank.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "trainer/run/config.h"

/*
 * Append lines of text. Opens the data of every phase, with the checks of a start (phase_data.h);
 * with no_data they are not touched, and a length in epochs is refused. Where train.device = cuda and no
 * GPU is here, the memory is that of a GPU by rule (memory.h).
 */
int lt_dry_run(const struct lt_config *c, const char *tokenizer, bool no_data, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

#endif
