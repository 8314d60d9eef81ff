#ifndef LUCIE_TRAINER_GENERATE_SINGLE_PROMPT_H
#define LUCIE_TRAINER_GENERATE_SINGLE_PROMPT_H
/*
 * Continuations of one prompt, written to a stream: the prompt and its continuation, as it comes where
 * there is one only; with a schema the JSON value alone; with `json` an object for each.
 */
#include <stdio.h>

#include "trainer/generate/generate.h"

struct lt_single {
	const char *prompt;
	uint64_t samples; /* continuations, at least 1 */
	bool json;
	int threads;
	FILE *out;
	/* how.batch and how.context are lowered to what is needed. */
	struct lt_generation how;
	const struct lu_tok *tok;
	struct lt_weights *weights;
	const volatile sig_atomic_t *interrupted;
	bool incomplete; /* out: a continuation that the schema binds is no whole value */
};

int lt_single_run(struct lt_single *s, struct lu_err *err) LU_CHECKED;

#endif
