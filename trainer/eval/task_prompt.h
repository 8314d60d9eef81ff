#ifndef LUCIE_TRAINER_EVAL_TASK_PROMPT_H
#define LUCIE_TRAINER_EVAL_TASK_PROMPT_H
/*
 * Contexts and what follows them, as token ids.
 *
 * ONE RULE for the beginning of a sequence, whatever is scored: the tokenizer's begin token (<s> and
 * its like, lu_tok_role()) comes first, once. It is not put before a text that begins with it, and
 * no end token is added anywhere, whatever the file's post-processor says. With a tokenizer without a
 * begin token the end token comes before an empty context, as in EleutherAI's harness, and nothing
 * before any other.
 *
 * A context and its continuation are encoded as the harness does: white space at the end of the
 * context is moved to the continuation, context and continuation are encoded as one text, and the
 * continuation's tokens are those after as many as the context alone has. Special tokens that are
 * spelled out become such, as prompts of chat models need.
 */
#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/tokenizer.h"

struct lt_prompter {
	const struct lu_tok *tok; /* the caller's */
	struct lu_tok_state *state;
	uint32_t bos, eos;
	bool has_bos, has_eos;
	struct lu_buf text; /* for the call */
	struct lu_ids alone;
};

int lt_prompter_init(
		struct lt_prompter *p, const struct lu_tok *tok, struct lu_err *err) LU_CHECKED;
void lt_prompter_release(struct lt_prompter *p);

/* Append the rule in a few words, for a report. */
void lt_prompter_rule(const struct lt_prompter *p, struct lu_buf *out);

/* Append the ids of a context alone, for a text that is to be generated. */
int lt_prompt_context(struct lt_prompter *p, struct lu_str context, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

/* Append the ids of delimiter and continuation behind the context; the last *scored of them are the
 * continuation. An error if it has no token of its own, or nothing comes before it. */
int lt_prompt_pair(struct lt_prompter *p, struct lu_str context, struct lu_str delimiter,
		struct lu_str continuation, struct lu_ids *ids, size_t *scored,
		struct lu_err *err) LU_CHECKED;

/* s without white space (Unicode's) at its end; at both ends. */
struct lu_str lt_trim_end(struct lu_str s);
struct lu_str lt_trim(struct lu_str s);

#endif
