/* The bare build reads neither tokenizers nor ledgers. */
#include "trainer/run/evaluations.h"

int lt_evaluations_open(struct lt_evaluations **e, const struct lt_settings *s, const char *path,
		const char *tokenizer, struct lu_err *err)
{
	(void)path;
	(void)tokenizer;
	*e = NULL;
	if (!*s->eval.tasks && !*s->eval.shards)
		return 0;
	return lu_err_set(err,
			"the bare build has no tokenizer: [eval] needs the whole toolkit; "
			"lucie-eval measures the checkpoints afterwards");
}

void lt_evaluations_close(struct lt_evaluations *e)
{
	(void)e;
}

size_t lt_evaluations_count(const struct lt_evaluations *e)
{
	(void)e;
	return 0;
}

bool lt_evaluations_generate(const struct lt_settings *s)
{
	(void)s;
	return false;
}

int lt_evaluate(struct lt_evaluations *e, const struct lt_scorer *s, struct lt_weights *w,
		uint64_t step, struct lt_run *run, int (*stop)(void *ctx, struct lu_err *err),
		uint64_t *due, struct lu_err *err)
{
	(void)e;
	(void)s;
	(void)w;
	(void)step;
	(void)run;
	(void)stop;
	(void)err;
	*due = 0;
	return 0;
}
