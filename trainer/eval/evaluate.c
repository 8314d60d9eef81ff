#include "trainer/eval/evaluate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "trainer/eval/task_prompt.h"
#include "trainer/generate/generate.h"

/* --- encoding --------------------------------------------------------------------------------- */

static int wrap(const struct lt_task_item *item, struct lu_err *err)
{
	return lu_err_wrap(err, "%s:%" PRIu64, item->file, item->line);
}

/* Requests of an item: its choices, or its first answer. */
static size_t requests_of(const struct lt_task *task, const struct lt_task_item *item)
{
	return task->kind == LT_TASK_CHOICE ? item->choices : 1;
}

/* Encode request k of an item; its ids are those from *start on. */
static int add_request(struct lt_quiz *q, struct lt_prompter *p, const struct lt_task_item *item,
		size_t k, size_t context, size_t *start, bool *cut, struct lu_err *err)
{
	struct lt_request *r = &q->request[q->requests];

	*start = q->ids.n;
	if (lt_prompt_pair(p, item->context, item->delimiter, item->choice[k], &q->ids, &r->scored,
			    err) < 0)
		return -1;
	r->n = q->ids.n - *start;
	if (r->scored > context)
		return lu_err_set(err, "choice %zu has %zu tokens, more than the context of %zu", k,
				r->scored, context);
	if (r->n > context + 1) {
		*start += r->n - context - 1;
		r->n = context + 1;
		*cut = true;
	}
	if (r->n > q->longest)
		q->longest = r->n;
	q->requests++;
	return 0;
}

static int add_prompt(struct lt_quiz *q, struct lt_prompter *p, const struct lt_task_item *item,
		size_t i, size_t context, bool *cut, struct lu_err *err)
{
	size_t start = q->ids.n, n, most;

	if (item->max_tokens >= context)
		return lu_err_set(err,
				"\"max_tokens\" is %" PRIu64
				", and the context of %zu tokens leaves no room for a question",
				item->max_tokens, context);
	if (lt_prompt_context(p, item->context, &q->ids, err) < 0)
		return -1;
	n = q->ids.n - start;
	most = context - (size_t)item->max_tokens;
	if (n > most) {
		start += n - most;
		*cut = true;
	}
	q->prompt[2 * i] = start;
	q->prompt[2 * i + 1] = q->ids.n;
	return 0;
}

/* Encode all items. The ids move while they grow, so requests get their pointers at the end. */
static int encode_all(struct lt_quiz *q, struct lt_prompter *p, size_t *start, size_t context,
		struct lu_err *err)
{
	const struct lt_task *task = q->task;
	int rc = 0;

	for (size_t i = 0; i < task->item.n && rc == 0; i++) {
		const struct lt_task_item *item = &task->item.p[i];
		bool cut = false;

		for (size_t k = 0; k < requests_of(task, item) && rc == 0; k++)
			rc = add_request(q, p, item, k, context, &start[q->requests], &cut, err);
		if (rc == 0 && q->prompt)
			rc = add_prompt(q, p, item, i, context, &cut, err);
		if (rc < 0)
			return wrap(item, err);
		q->cut += cut;
	}
	for (size_t i = 0; i < q->requests; i++)
		q->request[i].ids = q->ids.p + start[i];
	return 0;
}

int lt_quiz_init(struct lt_quiz *q, const struct lt_task *task, const struct lu_tok *tok,
		size_t context, struct lu_err *err)
{
	struct lt_prompter p;
	size_t n = 0, *start;
	int rc;

	*q = (struct lt_quiz){ .task = task, .tok = tok, .context = context };
	for (size_t i = 0; i < task->item.n; i++)
		n += requests_of(task, &task->item.p[i]);
	if (lt_prompter_init(&p, tok, err) < 0)
		return -1;
	start = calloc(n + 1, sizeof(*start));
	q->request = calloc(n + 1, sizeof(*q->request));
	if (task->kind == LT_TASK_TEXT)
		q->prompt = calloc(task->item.n + 1, 2 * sizeof(*q->prompt));
	if (!start || !q->request || (task->kind == LT_TASK_TEXT && !q->prompt))
		rc = lu_err_nomem(err);
	else
		rc = encode_all(q, &p, start, context, err);
	free(start);
	lt_prompter_release(&p);
	if (rc < 0)
		lt_quiz_release(q);
	return rc;
}

void lt_quiz_release(struct lt_quiz *q)
{
	lu_ids_release(&q->ids);
	free(q->request);
	free(q->prompt);
	*q = (struct lt_quiz){ 0 };
}

/* --- adding up -------------------------------------------------------------------------------- */

static int add_choices(const struct lt_quiz *q, struct lt_task_result *out, struct lu_err *err)
{
	static const char *const names[] = { [LT_NORM_NONE] = "acc",
		[LT_NORM_CHARACTERS] = "acc_norm",
		[LT_NORM_BYTES] = "acc_bytes" };
	const struct lt_task *task = q->task;
	uint64_t right[3] = { 0 }, n = task->item.n;
	double *log_p = calloc(n + 1, sizeof(*log_p));
	struct lt_choice_score *score = NULL;
	const struct lt_request *r = q->request;
	size_t most = 0;

	for (size_t i = 0; i < n; i++)
		most = task->item.p[i].choices > most ? task->item.p[i].choices : most;
	score = calloc(most + 1, sizeof(*score));
	if (!log_p || !score) {
		free(log_p);
		free(score);
		return lu_err_nomem(err);
	}
	for (size_t i = 0; i < n; i++) {
		const struct lt_task_item *item = &task->item.p[i];

		for (size_t k = 0; k < item->choices; k++) {
			struct lu_str c = item->choice[k];

			score[k] = (struct lt_choice_score){ r[k].log_p, lu_utf8_count(c.p, c.n),
				c.n };
		}
		log_p[i] = r[item->answer].log_p;
		for (int norm = 0; norm < 3; norm++)
			right[norm] += lt_best_choice(score, item->choices,
						       (enum lt_choice_norm)norm) == item->answer;
		r += item->choices;
	}
	for (int norm = 0; norm < 3; norm++)
		lt_result_share(out, names[norm], right[norm], n);
	lt_result_perplexity(out, log_p, n);
	free(score);
	free(log_p);
	return 0;
}

static int add_perplexity(const struct lt_quiz *q, struct lt_task_result *out, struct lu_err *err)
{
	double *log_p = calloc(q->requests + 1, sizeof(*log_p));

	if (!log_p)
		return lu_err_nomem(err);
	for (size_t i = 0; i < q->requests; i++)
		log_p[i] = q->request[i].log_p;
	lt_result_perplexity(out, log_p, q->requests);
	free(log_p);
	return 0;
}

/* --- generation ------------------------------------------------------------------------------- */

/* So many prompts of a rank are given to the generator at once; then a signal is looked for. */
#define AT_ONCE 64

/* Texts that are written with the same settings. */
struct writing {
	struct lt_quiz *q;
	size_t item[AT_ONCE];
	struct lt_prompt prompt[AT_ONCE];
	size_t n;
	struct lu_tok_state *state;
	double *right; /* of all items */
};

/* Cut a text before the first of the strings that end it. */
static struct lu_str cut_text(struct lu_str text, const struct lt_task_item *item)
{
	for (size_t i = 0; i < item->untils; i++) {
		const char *at = text.n ? lu_str_find(text.p, text.p + text.n, item->until[i])
					: NULL;

		if (at)
			text.n = (size_t)(at - text.p);
	}
	return text;
}

/* Judge a text: that of its own tokens alone, as the harness decodes them, which has no blank at its
 * beginning where the tokenizer puts one before every word. */
static int take_text(void *ctx, size_t i, const struct lt_continuation *c, struct lu_err *err)
{
	const struct writing *wr = ctx;
	const struct lt_task_item *item = &wr->q->task->item.p[wr->item[i]];
	struct lu_buf text = { 0 };
	bool matches = false;
	int rc = lu_tok_decode(
			wr->q->tok, wr->state, c->ids, c->n, LU_TOK_SKIP_SPECIAL, &text, NULL, err);

	if (rc == 0)
		rc = lu_buf_check(&text, err);
	if (rc == 0)
		rc = lt_answer_matches(item, cut_text(lu_buf_slice(&text), item), &matches, err);
	wr->right[wr->item[i]] = matches;
	lu_buf_release(&text);
	return rc;
}

/* The strings that end a text wherever they are; one that begins with a blank does not at the
 * beginning, see take_text(). */
static size_t early_stops(const struct lt_task_item *item, struct lu_str *stop)
{
	size_t n = 0;

	for (size_t i = 0; i < item->untils; i++) {
		if (item->until[i].p[0] != ' ')
			stop[n++] = item->until[i];
	}
	return n;
}

/* The end token, and of the strings that end a text those that are special tokens: a decoded text does
 * not show them. `ends` has room for them. */
static size_t end_tokens(const struct lu_tok *tok, const struct lt_task_item *item, uint32_t *ends)
{
	size_t n = lu_tok_role(tok, LU_TOK_EOS, ends) ? 1 : 0;

	for (size_t i = 0; i < item->untils; i++) {
		if (lu_tok_id(tok, item->until[i], &ends[n]) && lu_tok_is_special(tok, ends[n]))
			n++;
	}
	return n;
}

static int write_texts(struct writing *wr, const struct lt_quiz_run *how, struct lu_err *err)
{
	const struct lt_task_item *item = &wr->q->task->item.p[wr->item[0]];
	const struct lt_generate_calls calls = { .ctx = wr, .done = take_text };
	struct lu_str *stop = calloc(item->untils + 1, sizeof(*stop));
	uint32_t *ends = calloc(item->untils + 1, sizeof(*ends));
	struct lt_generation g = { .sampling = LT_GREEDY,
		.repetition = 1,
		.tokens = item->max_tokens,
		.eos = ends,
		.stop = stop,
		.batch = how->batch,
		.context = wr->q->context };
	struct lt_generator *generator = NULL;
	int rc = stop && ends ? 0 : lu_err_nomem(err);

	if (rc == 0) {
		g.n_eos = end_tokens(wr->q->tok, item, ends);
		g.stops = early_stops(item, stop);
		rc = lt_generator_open(&generator, how->w, wr->q->tok, &g, err);
	}
	if (rc == 0)
		rc = lt_generate(generator, wr->prompt, wr->n, &calls, err);
	lt_generator_close(generator);
	free(ends);
	free(stop);
	wr->n = 0;
	return rc;
}

static bool same_settings(const struct lt_task_item *a, const struct lt_task_item *b)
{
	bool same = a->max_tokens == b->max_tokens && a->untils == b->untils;

	for (size_t i = 0; same && i < a->untils; i++)
		same = lu_str_eq(a->until[i], b->until[i]);
	return same;
}

/* Write this rank's share of the texts. All ranks call stop() as often. */
static int write_share(struct lt_quiz *q, const struct lt_scorer *s, const struct lt_quiz_run *how,
		double *right, struct lu_err *err)
{
	size_t shares = s->shares ? s->shares : 1, all = q->task->item.n;
	const struct lt_task_item *item = q->task->item.p;
	struct writing wr = { .q = q, .right = right, .state = lu_tok_state_new(q->tok) };
	int rc = wr.state ? 0 : lu_err_nomem(err);

	for (size_t first = 0; first < all && rc == 0; first += shares) {
		size_t i = first + s->share, turn = first / shares + 1;
		bool last = first + shares >= all || turn % AT_ONCE == 0;

		if (i < all && wr.n && !same_settings(&item[i], &item[wr.item[0]]))
			rc = write_texts(&wr, how, err);
		if (i < all && rc == 0) {
			wr.item[wr.n] = i;
			wr.prompt[wr.n++] = (struct lt_prompt){ .ids = q->ids.p + q->prompt[2 * i],
				.n = q->prompt[2 * i + 1] - q->prompt[2 * i] };
		}
		if (last && wr.n && rc == 0)
			rc = write_texts(&wr, how, err);
		if (last && how->done && rc == 0)
			how->done(how->done_ctx, q->requests + first + 1);
		if (last && rc == 0 && how->stop)
			rc = how->stop(s->ctx, err);
	}
	lu_tok_state_free(wr.state);
	return rc;
}

static int add_matches(struct lt_quiz *q, const struct lt_scorer *s, const struct lt_quiz_run *how,
		struct lt_task_result *out, struct lu_err *err)
{
	size_t n = q->task->item.n;
	double *right = calloc(n + 1, sizeof(*right));
	uint64_t sum = 0;
	int rc;

	if (!right)
		return lu_err_nomem(err);
	rc = write_share(q, s, how, right, err);
	if (rc == 0 && s->combine)
		rc = s->combine(s->ctx, right, n, err);
	for (size_t i = 0; i < n; i++)
		sum += right[i] > 0.5;
	if (rc == 0)
		lt_result_share(out, "exact_match", sum, n);
	free(right);
	return rc;
}

int lt_quiz_run(struct lt_quiz *q, const struct lt_scorer *s, const struct lt_quiz_run *how,
		struct lt_task_result *out, struct lu_err *err)
{
	const struct lt_task *task = q->task;
	int rc = lt_likelihood(
			s, q->request, q->requests, how->stop, how->done, how->done_ctx, err);

	*out = (struct lt_task_result){ .name = task->name,
		.file = task->file,
		.kind = task->kind,
		.items = task->item.n,
		.cut = q->cut };
	if (rc == 0 && task->kind == LT_TASK_TEXT && how->w)
		rc = add_matches(q, s, how, out, err);
	if (rc == 0)
		rc = task->kind == LT_TASK_CHOICE ? add_choices(q, out, err)
						  : add_perplexity(q, out, err);
	return rc;
}

/* --- one model -------------------------------------------------------------------------------- */

uint64_t lt_task_questions(const struct lt_task *task)
{
	uint64_t n = task->kind == LT_TASK_TEXT ? task->item.n : 0;

	for (size_t i = 0; i < task->item.n; i++)
		n += requests_of(task, &task->item.p[i]);
	return n;
}

int lt_answer(const struct lt_answering *how, const struct lt_task *task,
		struct lt_task_result *out, struct lu_err *err)
{
	struct lt_model_plan plan = { .batch = how->batch, .mode = LT_MODEL_SCORE };
	const struct lt_quiz_run run = {
		.w = how->w, .batch = how->batch, .done = how->done, .done_ctx = how->ctx
	};
	struct lt_model *m = NULL;
	struct lt_quiz q;
	int rc;

	if (lt_quiz_init(&q, task, how->tok, how->context, err) < 0)
		return -1;
	plan.context = lt_likelihood_row(q.longest, how->context);
	rc = lt_model_open(&m, how->w, &plan, err);
	if (rc == 0) {
		const struct lt_scorer scorer = lt_scorer_of(m, plan.batch, plan.context);

		rc = lt_quiz_run(&q, &scorer, &run, out, err);
	}
	lt_model_close(m);
	lt_quiz_release(&q);
	return rc;
}
