#ifndef LUCIE_TRAINER_EVAL_EVAL_REPORT_H
#define LUCIE_TRAINER_EVAL_EVAL_REPORT_H
/*
 * What lucie-eval prints: tables, or one JSON object in the form of EleutherAI's harness
 * (lucie-task(5)), and the rules by which text and tasks were cut into sequences.
 */
#include "trainer/eval/needle.h"
#include "trainer/eval/scored_text.h"
#include "trainer/eval/task_result.h"

struct lt_eval_report {
	const char *model, *dtype;
	uint64_t step, seed, batch;
	size_t context;
	bool alone;			     /* documents were scored each for itself */
	struct lt_text *text;		     /* NULL: none was scored */
	const struct lt_task_result *result; /* of tasks and of the needle's lengths */
	size_t results;
	const struct lt_needle *needle; /* NULL: none */
	const struct lu_tok *tok;	/* with results */
};

int lt_eval_report(const struct lt_eval_report *r, bool json, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

#endif
