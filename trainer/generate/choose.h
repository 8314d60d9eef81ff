#ifndef LUCIE_TRAINER_GENERATE_CHOOSE_H
#define LUCIE_TRAINER_GENERATE_CHOOSE_H
/*
 * Choosing the next token of a continuation: what the vocabulary and the schema rule out, the penalty
 * and the sampling, the log p.
 */
#include "libcommon/schema/token_mask.h"
#include "trainer/generate/generate.h"

struct lt_chooser {
	const struct lt_generation *how;
	size_t vocab;	  /* logits */
	uint32_t *unused; /* ids that stand for no token */
	size_t n_unused;
	struct lt_sampler *sampler;
	lk_real *raw;		    /* a row of logits before any change; with how->log_p */
	struct lu_token_mask *mask; /* NULL without a schema */
	struct lu_token_bytes bytes;
	struct lu_arena arena;
};

/* `how` is the caller's. Close also what failed to open. */
int lt_chooser_open(struct lt_chooser *c, const struct lu_tok *tok, size_t vocab,
		const struct lt_generation *how, struct lu_err *err) LU_CHECKED;
void lt_chooser_close(struct lt_chooser *c);

bool lt_chooser_is_eos(const struct lt_chooser *c, uint32_t id);

/* Choose by a row of logits, which is changed, behind n ids and at a place of the schema; u is uniform in
 * [0, 1). */
int lt_choose(struct lt_chooser *c, lk_real *logits, const uint32_t *ids, size_t n,
		const struct lu_token_place *at, double u, uint32_t *id, double *log_p,
		struct lu_err *err) LU_CHECKED;

#endif
