#ifndef LUCIE_TRAINER_GENERATE_TALK_H
#define LUCIE_TRAINER_GENERATE_TALK_H
/*
 * A conversation over two streams: each line that is read is a message, each message is answered. At a
 * terminal the answer appears as it comes. "/reset" forgets the conversation, "/quit" ends it.
 */
#include <stdio.h>

#include "trainer/generate/dialogue.h"
#include "trainer/generate/generate.h"

struct lt_talk {
	FILE *in, *out;
	bool prompt; /* write "> " before a line is read */
	bool json;   /* write answers as JSON objects, a line each */
	int threads;
	struct lt_dialogue *dialogue;
	struct lt_generator *generator;
	const struct lt_generation *how;
	volatile sig_atomic_t
			*interrupted; /* ends an answer, and between answers the conversation */
	bool incomplete;	      /* out: an answer that a schema binds is no whole value */
};

/* Until the input ends. */
int lt_talk(struct lt_talk *t, struct lu_err *err) LU_CHECKED;
/* Answer one message. */
int lt_talk_answer(struct lt_talk *t, struct lu_str message, struct lu_err *err) LU_CHECKED;

#endif
