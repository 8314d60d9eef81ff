#ifndef LUCIE_TRAINER_EVAL_EVALUATE_H
#define LUCIE_TRAINER_EVAL_EVALUATE_H
/*
 * Tasks put to a model: encoded, scored, added up.
 *
 *	struct lt_quiz q = { 0 };
 *	lt_quiz_init(&q, task, tok, context, &err)	encode the items
 *	lt_quiz_run(&q, &scorer, &how, &result, &err)
 *	lt_quiz_release(&q);
 *
 * A quiz is a task in tokens: made once, run with any weights of the model. A context that is too long
 * loses its beginning, as in EleutherAI's harness: what is scored are the last context + 1 tokens, and a
 * text is generated behind the last context - max_tokens. The result counts the items that were cut.
 */
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/eval/likelihood.h"
#include "trainer/eval/task_result.h"

struct lt_quiz {
	const struct lt_task *task;
	const struct lu_tok *tok;
	size_t context;
	struct lu_ids ids;	    /* of all requests and prompts */
	struct lt_request *request; /* of each choice of each item; of each item's first answer */
	size_t requests, longest;   /* tokens of the longest request */
	size_t *prompt;		    /* TEXT: first and last + 1 of each item's prompt in ids */
	uint64_t cut;
};

/* `task` and `tok` outlive the quiz. An item that cannot be scored is an error with file and line. */
int lt_quiz_init(struct lt_quiz *q, const struct lt_task *task, const struct lu_tok *tok,
		size_t context, struct lu_err *err) LU_CHECKED;
void lt_quiz_release(struct lt_quiz *q);

/* How a quiz is run besides the scorer. */
struct lt_quiz_run {
	/* The whole model, for texts; NULL: none are written, and a TEXT task has a perplexity only.
	 * `batch` of them are written beside one another, on which nothing depends. */
	struct lt_weights *w;
	size_t batch;
	/* As for lt_likelihood(); called between texts, too. */
	int (*stop)(void *ctx, struct lu_err *err);
	void (*done)(void *ctx, uint64_t n);
	void *done_ctx;
};

/* All ranks of the scorer call it; with several ranks that share the work each generates the texts of
 * the items i with i mod shares = share. Returns 0, 1 if stopped, or -1. */
int lt_quiz_run(struct lt_quiz *q, const struct lt_scorer *s, const struct lt_quiz_run *how,
		struct lt_task_result *out, struct lu_err *err) LU_CHECKED;

/* The same for one whole model on one rank, from the task on: the scorer has rows of
 * lt_likelihood_row() tokens and `batch` of them at once, on which nothing depends. */
struct lt_answering {
	struct lt_weights *w;
	const struct lu_tok *tok;
	size_t context, batch;
	void (*done)(void *ctx, uint64_t n); /* NULL: none; n of lt_task_questions() */
	void *ctx;
};
int lt_answer(const struct lt_answering *how, const struct lt_task *task,
		struct lt_task_result *out, struct lu_err *err) LU_CHECKED;
/* Likelihoods and texts that a task asks for. */
uint64_t lt_task_questions(const struct lt_task *task);

#endif
