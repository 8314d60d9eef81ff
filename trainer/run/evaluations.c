#include "trainer/run/evaluations.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/tool.h"
#include "trainer/eval/evaluate.h"
#include "trainer/eval/scored_text.h"

/* A shard, its documents by language. */
struct set {
	char *prefix;
	const char *name; /* in prefix */
	struct lt_text text;
};

struct lt_evaluations {
	size_t context;
	struct lu_tok *tok;
	struct lt_tasks tasks;
	struct lt_quiz *quiz; /* one a task */
	size_t quizzes;
	struct LU_VEC(struct set) sets;
};

/* --- opening --------------------------------------------------------------------------------- */

/* Call fn with each word of a list. */
static int each_word(struct lt_evaluations *e, const char *list,
		int (*fn)(struct lt_evaluations *e, char *word, const void *ctx,
				struct lu_err *err),
		const void *ctx, struct lu_err *err)
{
	static const char blanks[] = " \t";
	int rc = 0;

	for (const char *p = list + strspn(list, blanks); rc == 0 && *p; p += strspn(p, blanks)) {
		size_t n = strcspn(p, blanks);
		char *word = strndup(p, n);

		rc = word ? fn(e, word, ctx, err) : lu_err_nomem(err);
		free(word);
		p += n;
	}
	return rc;
}

static int read_tasks(struct lt_evaluations *e, char *word, const void *ctx, struct lu_err *err)
{
	(void)ctx;
	return lt_tasks_read(&e->tasks, word, err);
}

static int open_tasks(struct lt_evaluations *e, const struct lt_settings *s, const char *path,
		struct lu_err *err)
{
	bool whole = s->parallel.size[LT_TP] <= 1 && s->parallel.size[LT_PP] <= 1;
	size_t n;

	if (each_word(e, s->eval.tasks, read_tasks, NULL, err) < 0)
		return -1;
	n = e->tasks.task.n;
	if (n == 0)
		return 0;
	if (!path)
		return lu_err_set(err, "tasks are texts: the run needs data.tokenizer");
	e->quiz = calloc(n, sizeof(*e->quiz));
	if (!e->quiz)
		return lu_err_nomem(err);
	if (lu_tok_load(&e->tok, path, err) < 0)
		return -1;
	for (; e->quizzes < n; e->quizzes++) {
		const struct lt_task *task = &e->tasks.task.p[e->quizzes];

		if (task->kind == LT_TASK_TEXT && !whole)
			return lu_err_set(err,
					"%s: the answers of task '%s' are generated, which needs "
					"ranks that hold the whole model, parallel.tp = pp = 1; "
					"lucie-eval measures the checkpoints, or give \"choices\"",
					task->file, task->name.p);
		if (lt_quiz_init(&e->quiz[e->quizzes], task, e->tok, e->context, err) < 0)
			return -1;
	}
	return 0;
}

/* What shards are checked against. */
struct shard_check {
	uint64_t vocab;
	const char *tokenizer;
};

static int no_check(void *ctx, const struct lu_shard *s, struct lu_err *err)
{
	(void)ctx;
	(void)s;
	(void)err;
	return 0;
}

static int open_set(struct lt_evaluations *e, char *word, const void *ctx, struct lu_err *err)
{
	const struct shard_check *check = ctx;
	struct set *set, new = { .prefix = strdup(word) };

	if (!new.prefix || !lu_vec_push(&e->sets, new)) {
		free(new.prefix);
		return lu_err_nomem(err);
	}
	set = &e->sets.p[e->sets.n - 1];
	set->name = strrchr(set->prefix, '/');
	set->name = set->name ? set->name + 1 : set->prefix;
	for (size_t i = 0; i + 1 < e->sets.n; i++) {
		if (strcmp(e->sets.p[i].name, set->name) == 0)
			return lu_err_set(err, "two shards are called %s", set->name);
	}
	if (lt_text_shards(&set->text, &word, 1, no_check, NULL, err) < 0 ||
			lt_text_open(&set->text, e->context, err) < 0 ||
			lt_corpus_check(set->text.corpus, check->vocab, check->tokenizer, err) < 0)
		return -1;
	if (lt_corpus_tokens(set->text.corpus) < 2)
		return lu_err_set(err, "%s: fewer than two tokens, nothing to score", word);
	return 0;
}

int lt_evaluations_open(struct lt_evaluations **out, const struct lt_settings *s, const char *path,
		const char *tokenizer, struct lu_err *err)
{
	const struct shard_check check = { s->model.vocab, tokenizer };
	struct lt_evaluations *e = calloc(1, sizeof(*e));
	int rc;

	*out = NULL;
	if (!e)
		return lu_err_nomem(err);
	e->context = s->train.context;
	rc = open_tasks(e, s, path, err);
	if (rc < 0)
		lu_err_wrap(err, "eval.tasks");
	if (rc == 0 && (rc = each_word(e, s->eval.shards, open_set, &check, err)) < 0)
		lu_err_wrap(err, "eval.shards");
	if (rc < 0) {
		lt_evaluations_close(e);
		return -1;
	}
	*out = e;
	return 0;
}

void lt_evaluations_close(struct lt_evaluations *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->quizzes; i++)
		lt_quiz_release(&e->quiz[i]);
	free(e->quiz);
	lt_tasks_release(&e->tasks);
	for (size_t i = 0; i < e->sets.n; i++) {
		lt_text_release(&e->sets.p[i].text);
		free(e->sets.p[i].prefix);
	}
	lu_vec_release(&e->sets);
	lu_tok_free(e->tok);
	free(e);
}

size_t lt_evaluations_count(const struct lt_evaluations *e)
{
	return e ? e->quizzes + e->sets.n : 0;
}

bool lt_evaluations_generate(const struct lt_settings *s)
{
	struct lt_evaluations e = { 0 };
	struct lu_err err;
	bool texts = false;

	if (each_word(&e, s->eval.tasks, read_tasks, NULL, &err) == 0) {
		for (size_t i = 0; i < e.tasks.task.n; i++)
			texts = texts || e.tasks.task.p[i].kind == LT_TASK_TEXT;
	}
	lt_tasks_release(&e.tasks);
	return texts;
}

/* --- results --------------------------------------------------------------------------------- */

static int log_line(struct lt_run *run, struct lu_buf *b, struct lu_err *err)
{
	int rc;

	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
	rc = lt_run_log(run, LT_METRICS, b, err);
	lu_buf_release(b);
	return rc;
}

static int report_task(const struct lt_task_result *r, uint64_t step, struct lt_run *run,
		struct lu_err *err)
{
	struct lu_buf b = { 0 }, text = { 0 };
	int rc;

	lu_json_open_object(&b, NULL);
	lu_json_put_u64(&b, "step", step);
	lu_json_put_str(&b, "eval", r->name);
	lu_json_put_u64(&b, "items", r->items);
	for (size_t i = 0; i < r->metrics; i++) {
		const struct lt_metric *m = &r->metric[i];
		char error[32];

		snprintf(error, sizeof(error), "%s_stderr", m->name);
		lu_json_put_double(&b, m->name, m->value);
		lu_json_put_double(&b, error, m->error);
		lu_buf_printf(&text, " %s %.4g", m->name, m->value);
	}
	rc = lu_buf_check(&text, err);
	if (rc == 0)
		lu_note("step %" PRIu64 " task " LU_STR_FMT "%s", step, LU_STR_ARG(r->name),
				text.p);
	lu_buf_release(&text);
	if (rc == 0)
		return log_line(run, &b, err);
	lu_buf_release(&b);
	return -1;
}

static int report_language(const struct set *set, const struct lt_language *l,
		const struct lt_total *t, uint64_t step, struct lt_run *run, struct lu_err *err)
{
	double mean = t->tokens ? t->loss / (double)t->tokens : (double)NAN;
	double bits = l->bytes ? t->loss / M_LN2 / (double)l->bytes : (double)NAN;
	struct lu_buf b = { 0 };

	lu_note("step %" PRIu64 " evaluation %s " LU_STR_FMT
		" loss %.4f bits/byte %.4f over %" PRIu64 " tokens",
			step, set->name, LU_STR_ARG(l->name), mean, bits, t->tokens);
	lu_json_open_object(&b, NULL);
	lu_json_put_u64(&b, "step", step);
	lu_json_put_cstr(&b, "eval", set->name);
	lu_json_put_str(&b, "lang", l->name);
	lu_json_put_double(&b, "loss", mean);
	lu_json_put_double(&b, "perplexity", exp(mean));
	lu_json_put_double(&b, "bits_per_byte", bits);
	lu_json_put_u64(&b, "scored", t->tokens);
	return log_line(run, &b, err);
}

/* --- scoring --------------------------------------------------------------------------------- */

static size_t language_of(void *ctx, uint64_t offset)
{
	const struct lt_languages *l = ctx;
	size_t low = 0, high = l->doc.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->doc.p[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	LU_ASSERT(low < l->doc.n);
	return l->doc.p[low].language;
}

static int score_set(struct set *set, const struct lt_scorer *s, uint64_t step, struct lt_run *run,
		int (*stop)(void *ctx, struct lu_err *err), struct lu_err *err)
{
	struct lt_languages *l = &set->text.languages;
	const struct lt_label_groups groups = { l, l->language.n, language_of };
	struct lt_total *total = calloc(groups.n + 1, sizeof(*total));
	int rc;

	if (!total)
		return lu_err_nomem(err);
	rc = lt_score_groups(s, set->text.corpus, &groups, stop, total, err);
	for (size_t i = 0; i < groups.n && rc == 0 && run; i++)
		rc = report_language(set, &l->language.p[i], &total[i], step, run, err);
	free(total);
	return rc;
}

static int run_task(struct lt_evaluations *e, size_t i, const struct lt_scorer *s,
		struct lt_weights *w, uint64_t step, struct lt_run *run,
		int (*stop)(void *ctx, struct lu_err *err), struct lu_err *err)
{
	const struct lt_quiz_run how = { .w = w, .batch = LT_EVALUATION_TEXTS, .stop = stop };
	struct lt_task_result result;
	int rc = lt_quiz_run(&e->quiz[i], s, &how, &result, err);

	return rc == 0 && run ? report_task(&result, step, run, err) : rc;
}

static int evaluate(struct lt_evaluations *e, const struct lt_scorer *s, struct lt_weights *w,
		uint64_t step, struct lt_run *run, int (*stop)(void *ctx, struct lu_err *err),
		uint64_t *due, struct lu_err *err)
{
	size_t all = lt_evaluations_count(e);

	if (*due > all)
		*due = all;
	for (; *due > 0; --*due) {
		size_t i = all - (size_t)*due;
		int rc = i < e->quizzes
				? run_task(e, i, s, w, step, run, stop, err)
				: score_set(&e->sets.p[i - e->quizzes], s, step, run, stop, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	return 0;
}

int lt_evaluate(struct lt_evaluations *e, const struct lt_scorer *s, struct lt_weights *w,
		uint64_t step, struct lt_run *run, int (*stop)(void *ctx, struct lu_err *err),
		uint64_t *due, struct lu_err *err)
{
	int rc;

	/* The work space is that of training, and other shapes may need more. */
	if (w->ops->measure(w->q, -1) < 0)
		return lt_queue_err(w->ops, w->q, err);
	rc = evaluate(e, s, w, step, run, stop, due, err);
	if (rc == 0 && w->ops->measure(w->q, 0) < 0)
		return lt_queue_err(w->ops, w->q, err);
	return rc;
}
