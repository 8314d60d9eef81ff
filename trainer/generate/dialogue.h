#ifndef LUCIE_TRAINER_GENERATE_DIALOGUE_H
#define LUCIE_TRAINER_GENERATE_DIALOGUE_H
/*
 * A conversation as the prompt of its next answer.
 *
 *	struct lt_dialogue *d;
 *	lt_dialogue_open(&d, tok, &config, system, tools, &err)
 *	lt_dialogue_add(d, "user", text, &err)
 *	lt_dialogue_prompt(d, most, &ids, &left_out, &err)	up to where the answer begins
 *	lt_dialogue_add(d, "assistant", answer, &err)
 *	lt_dialogue_clear(d);					but for the system's message
 *	lt_dialogue_close(d);
 *
 * Where the prompt would have more than `most` tokens, the oldest turns, a user's message with what
 * answers it, are forgotten for good; the system's message and the last turn stay.
 */
#include "libcommon/chat/chat_config.h"
#include "libcommon/tokenizer/tokenizer.h"

struct lt_dialogue;

/* tok and config are the caller's. `system` may be NULL; `tools` is a JSON array, or empty. */
int lt_dialogue_open(struct lt_dialogue **d, const struct lu_tok *tok,
		const struct lu_chat_config *config, const char *system, struct lu_str tools,
		struct lu_err *err) LU_CHECKED;
void lt_dialogue_close(struct lt_dialogue *d);

int lt_dialogue_add(struct lt_dialogue *d, const char *role, struct lu_str content,
		struct lu_err *err) LU_CHECKED;
/* Take the last message back. */
void lt_dialogue_drop_last(struct lt_dialogue *d);
void lt_dialogue_clear(struct lt_dialogue *d);

/* Replace `ids`. *left_out: turns that were forgotten. */
int lt_dialogue_prompt(struct lt_dialogue *d, size_t most, struct lu_ids *ids, size_t *left_out,
		struct lu_err *err) LU_CHECKED;

/* Find out whether the template writes anything of the tools. 1; 0; -1. */
int lt_dialogue_shows_tools(struct lt_dialogue *d, struct lu_err *err) LU_CHECKED;

/* The special token that the template writes behind an answer. 1; 0 if there is none; -1. */
int lt_dialogue_end(struct lt_dialogue *d, uint32_t *id, struct lu_err *err) LU_CHECKED;

#endif
