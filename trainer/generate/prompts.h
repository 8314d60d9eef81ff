#ifndef LUCIE_TRAINER_GENERATE_PROMPTS_H
#define LUCIE_TRAINER_GENERATE_PROMPTS_H
/*
 * Continuations of documents: each record of the input comes out, in the order of the input, with its
 * continuation. The text of a record is the prompt; a prompt that is longer than the context is
 * dropped and counted.
 *
 *	struct lt_prompts p = { .how = &how, .tok = tok, .weights = w, .samples = 1 };
 *	lt_prompts_run(&p, &std, &args, &err)
 *
 * All prompts are read before the first is continued. Their records are in temporary files, their
 * tokens in memory, 4 bytes each.
 */
#include "libcommon/sys/tool.h"
#include "trainer/generate/generate.h"

struct lt_prompts {
	const struct lt_generation *how;
	const struct lu_tok *tok;
	struct lt_weights *weights;
	uint64_t samples;    /* continuations of each prompt */
	bool lines;	     /* each line is a prompt, not a record */
	bool details;	     /* ids and log p */
	uint64_t incomplete; /* out: continuations that the schema binds and that are no whole value */
};

int lt_prompts_run(struct lt_prompts *p, const struct lu_std *std, const struct lu_args *args,
		struct lu_err *err) LU_CHECKED;

/* Append a text's ids, with the begin-of-text token in front if there is one. */
int lt_prompt_ids(const struct lu_tok *tok, struct lu_tok_state *state, struct lu_str text,
		struct lu_ids *ids, struct lu_err *err) LU_CHECKED;

#endif
