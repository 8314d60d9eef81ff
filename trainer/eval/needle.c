#include "trainer/eval/needle.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/base/text_table.h"
#include "trainer/eval/task_prompt.h"
#include "trainer/model/decoding.h"

#define MOST_HAY ((size_t)1 << 24)
#define MOST_LIST (LU_TABLE_COLUMNS - 1) /* numbers */
#define DIGITS 7
#define SMALLEST 1000000u /* numbers of so many digits */

/* A sample: its numbers, the first of which is hidden, and what is written about them. */
struct sample {
	uint32_t choice[LT_NEEDLE_CHOICES];
	struct lu_ids needle, question, answer[LT_NEEDLE_CHOICES];
	size_t longest; /* tokens of the longest answer */
};

/* Read a list of numbers of at most `most` each. */
static int read_list(const char *text, const char *option, uint64_t most, uint64_t **out, size_t *n,
		struct lu_err *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	uint64_t *list = calloc(MOST_LIST, sizeof(*list));
	int rc = copy && list ? 0 : lu_err_nomem(err);

	*n = 0;
	while (rc == 0 && (word = strsep(&rest, ",")) != NULL) {
		uint64_t v;

		if (*n == MOST_LIST)
			rc = lu_err_set(err, "more than %d numbers", MOST_LIST);
		else
			rc = lu_num_u64(word, &v, err);
		if (rc == 0 && v > most)
			rc = lu_err_set(err, "%" PRIu64 " is more than %" PRIu64, v, most);
		for (size_t i = 0; rc == 0 && i < *n; i++) {
			if (list[i] == v)
				rc = lu_err_set(err, "%" PRIu64 " is given twice", v);
		}
		if (rc == 0)
			list[(*n)++] = v;
	}
	free(copy);
	*out = list;
	if (rc < 0) {
		free(list);
		*out = NULL;
		lu_err_wrap(err, "%s %s", option, text);
	}
	return rc;
}

int lt_needle_grid(struct lt_needle *n, const char *lengths, const char *depths, struct lu_err *err)
{
	if (read_list(lengths, "--needle", (uint64_t)1 << 30, &n->grid[0], &n->lengths, err) < 0 ||
			read_list(depths, "--depths", 100, &n->grid[1], &n->depths, err) < 0)
		return -1;
	n->length = n->grid[0];
	n->depth = n->grid[1];
	return 0;
}

/* --- the sentence ----------------------------------------------------------------------------- */

/* Cut the sentence at its {}; blanks before it belong to the number, as words do to their blanks. */
static int cut_sentence(struct lt_needle *n, struct lu_err *err)
{
	const char *mark = strstr(n->sentence, "{}");
	struct lu_str before;

	if (!mark || strstr(mark + 2, "{}"))
		return lu_err_set(err, "the needle '%s' must have {} once, where its number goes",
				n->sentence);
	before = (struct lu_str){ n->sentence, (size_t)(mark - n->sentence) };
	n->before = lt_trim_end(before);
	n->blank = (struct lu_str){ n->before.p + n->before.n, before.n - n->before.n };
	n->after = lu_str_of(mark + 2);
	if (n->before.n == 0)
		return lu_err_set(err,
				"the needle '%s' has no words before {}, which are the question",
				n->sentence);
	return 0;
}

/* Mark the tokens at whose end hay can be parted. */
static int mark_ends(struct lt_needle *n, struct lu_err *err)
{
	n->ends = calloc(lu_tok_size(n->tok) + (size_t)1, sizeof(*n->ends));
	if (!n->ends)
		return lu_err_nomem(err);
	for (uint32_t id = 0; id < lu_tok_size(n->tok); id++) {
		struct lu_buf text = { 0 };
		int rc = lu_tok_piece(n->tok, id).p
				? lu_tok_decode(n->tok, n->state, &id, 1, 0, &text, NULL, err)
				: 0;

		n->ends[id] = text.n && strchr(".!?\n", text.p[text.n - 1]);
		lu_buf_release(&text);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* --- a sample --------------------------------------------------------------------------------- */

/* Append the ids of a line: some parts of text after a newline. */
static int put_line(const struct lt_needle *n, const struct lu_str *part, size_t parts,
		struct lu_ids *ids, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc;

	lu_buf_putc(&text, '\n');
	for (size_t i = 0; i < parts; i++)
		lu_buf_str(&text, part[i]);
	rc = lu_buf_check(&text, err);
	if (rc == 0 &&
			lu_tok_encode(n->tok, n->state, lu_buf_slice(&text), LU_TOK_SPECIAL_TEXT,
					ids, err) < 0)
		rc = -1;
	lu_buf_release(&text);
	return rc;
}

static int put_question(const struct lt_needle *n, struct lu_ids *ids, struct lu_err *err)
{
	return put_line(n, &n->before, 1, ids, err);
}

/* Replace ids by those of a number behind the question: what both have more than the question. */
static int number_ids(const struct lt_needle *n, uint32_t number, size_t question,
		struct lu_ids *ids, struct lu_err *err)
{
	char digits[16];
	const struct lu_str part[] = { n->before, n->blank, { digits, DIGITS } };

	snprintf(digits, sizeof(digits), "%" PRIu32, number);
	ids->n = 0;
	if (put_line(n, part, 3, ids, err) < 0)
		return -1;
	if (ids->n <= question)
		return lu_err_set(err, "the tokenizer has no token of its own for a number in '%s'",
				n->sentence);
	ids->n -= question;
	memmove(ids->p, ids->p + question, ids->n * sizeof(*ids->p));
	return 0;
}

/* Numbers that differ from each other. */
static void choose_numbers(struct sample *s, uint64_t seed, uint64_t stream)
{
	uint64_t k = 0;

	for (size_t i = 0; i < LT_NEEDLE_CHOICES; i++) {
		bool again;

		do {
			again = false;
			s->choice[i] = SMALLEST +
					(uint32_t)lu_rand_below(seed, stream, k++, 9 * SMALLEST);
			for (size_t j = 0; j < i; j++)
				again |= s->choice[j] == s->choice[i];
		} while (again);
	}
}

/* Where the hay is parted: at most `depth` percent of it, at an end where one is near. */
static size_t part_hay(const struct lt_needle *n, size_t start, size_t hay, uint64_t depth)
{
	size_t at = (size_t)((double)hay * (double)depth / 100), back = hay / 16;

	for (size_t k = at; k > 0 && at - k <= back; k--) {
		uint32_t before = n->hay[(start + k - 1) % n->hay_n];

		if (before < lu_tok_size(n->tok) && n->ends[before])
			return k;
	}
	return at;
}

static int put_ids(struct lt_needle *n, const struct lu_ids *more, struct lu_err *err)
{
	if (lu_ids_reserve(&n->ids, more->n, err) < 0)
		return -1;
	for (size_t k = 0; k < more->n; k++)
		n->ids.p[n->ids.n++] = more->p[k];
	return 0;
}

static int put_hay(struct lt_needle *n, size_t start, size_t from, size_t to, struct lu_err *err)
{
	if (lu_ids_reserve(&n->ids, to - from, err) < 0)
		return -1;
	for (size_t k = from; k < to; k++)
		n->ids.p[n->ids.n++] = n->hay[(start + k) % n->hay_n];
	return 0;
}

static void release_sample(struct sample *s)
{
	lu_ids_release(&s->needle);
	lu_ids_release(&s->question);
	for (size_t i = 0; i < LT_NEEDLE_CHOICES; i++)
		lu_ids_release(&s->answer[i]);
}

/* Choose the numbers of a sample, and encode what is about them. */
static int choose_sample(struct lt_needle *n, uint64_t stream, struct sample *s, struct lu_err *err)
{
	char digits[16];
	const struct lu_str needle[] = { n->before, n->blank, { digits, DIGITS }, n->after,
		LU_STR("\n") };

	choose_numbers(s, n->seed, stream);
	snprintf(digits, sizeof(digits), "%" PRIu32, s->choice[0]);
	if (put_line(n, needle, 5, &s->needle, err) < 0 || put_question(n, &s->question, err) < 0)
		return -1;
	for (size_t i = 0; i < LT_NEEDLE_CHOICES; i++) {
		if (number_ids(n, s->choice[i], s->question.n, &s->answer[i], err) < 0)
			return -1;
		if (s->answer[i].n > s->longest)
			s->longest = s->answer[i].n;
	}
	return 0;
}

/* Lay a sample out in n->ids, up to the question. */
static int make_text(struct lt_needle *n, const struct lt_needle_cell *cell, uint64_t stream,
		const struct sample *s, struct lu_err *err)
{
	size_t used, hay, start, at;
	uint32_t bos;

	n->ids.n = 0;
	if (lu_ids_reserve(&n->ids, 1, err) < 0)
		return -1;
	if (lu_tok_role(n->tok, LU_TOK_BOS, &bos))
		n->ids.p[n->ids.n++] = bos;
	used = n->ids.n + s->needle.n + s->question.n + s->longest;
	if (used >= cell->length)
		return lu_err_set(err,
				"a length of %" PRIu64 " tokens is too short: needle and question "
				"have %zu",
				cell->length, used);
	hay = (size_t)cell->length - used;
	start = (size_t)lu_rand_below(n->seed, stream, UINT32_MAX, n->hay_n);
	at = part_hay(n, start, hay, cell->depth);
	if (put_hay(n, start, 0, at, err) < 0 || put_ids(n, &s->needle, err) < 0 ||
			put_hay(n, start, at, hay, err) < 0)
		return -1;
	return put_ids(n, &s->question, err);
}

/* --- answers ---------------------------------------------------------------------------------- */

static double log_p_of(const lk_real *logits, size_t vocab, uint32_t id)
{
	double top = (double)logits[0], sum = 0;

	for (size_t v = 1; v < vocab; v++)
		top = fmax(top, (double)logits[v]);
	for (size_t v = 0; v < vocab; v++)
		sum += exp((double)logits[v] - top);
	return (double)logits[id] - top - log(sum);
}

/* True if the hidden number is the most likely one. `first`: logits behind the question. */
static int is_chosen(struct lt_needle *n, struct lt_model *m, const lk_real *first, size_t vocab,
		const struct sample *s, bool *chosen, struct lu_err *err)
{
	struct lt_choice_score score[LT_NEEDLE_CHOICES];

	for (size_t i = 0; i < LT_NEEDLE_CHOICES; i++) {
		const struct lu_ids *a = &s->answer[i];

		score[i] = (struct lt_choice_score){ .log_p = log_p_of(first, vocab, a->p[0]) };
		if (a->n > 1 &&
				lt_model_logits(m, a->p, n->ids.n, a->n - 1, true, n->logits, err) <
						0)
			return -1;
		for (size_t k = 1; k < a->n; k++)
			score[i].log_p += log_p_of(n->logits + (k - 1) * vocab, vocab, a->p[k]);
	}
	*chosen = lt_best_choice(score, LT_NEEDLE_CHOICES, LT_NORM_NONE) == 0;
	return 0;
}

/* True if a text begins with the number, after white space, and no digit follows. */
static bool says(struct lu_str text, uint32_t number)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%" PRIu32, number);
	text = lt_trim(text);
	return text.n >= DIGITS && memcmp(text.p, digits, DIGITS) == 0 &&
			(text.n == DIGITS || text.p[DIGITS] < '0' || text.p[DIGITS] > '9');
}

/* Write as many tokens as a number may have, greedily. */
static int is_found(struct lt_needle *n, struct lt_model *m, const lk_real *first,
		const struct sample *s, bool *found, struct lu_err *err)
{
	struct lu_ids written = { 0 };
	struct lu_buf text = { 0 };
	const lk_real *row = first;
	int rc = lu_ids_reserve(&written, s->longest, err);

	for (size_t k = 0; rc == 0 && k < s->longest; k++) {
		size_t best = 0;

		if (k) {
			rc = lt_model_logits(m, written.p + k - 1, n->ids.n + k - 1, 1, false,
					n->logits, err);
			row = n->logits;
		}
		for (size_t v = 1; rc == 0 && v < lu_tok_size(n->tok); v++)
			best = row[v] > row[best] ? v : best;
		written.p[written.n++] = (uint32_t)best;
	}
	if (rc == 0)
		rc = lu_tok_decode(n->tok, n->state, written.p, written.n, LU_TOK_SKIP_SPECIAL,
				&text, NULL, err);
	if (rc == 0)
		rc = lu_buf_check(&text, err);
	*found = rc == 0 && says(lu_buf_slice(&text), s->choice[0]);
	lu_ids_release(&written);
	lu_buf_release(&text);
	return rc;
}

static int answer(struct lt_needle *n, struct lt_model *m, size_t vocab,
		struct lt_needle_cell *cell, uint64_t number, struct lu_err *err)
{
	uint64_t stream =
			lu_rand_stream("needle", (cell->length << 8 | cell->depth) << 20 | number);
	struct sample s = { 0 };
	lk_real *first = NULL;
	bool found = false, chosen = false;
	int rc = choose_sample(n, stream, &s, err);

	if (rc == 0)
		rc = make_text(n, cell, stream, &s, err);
	if (rc == 0) {
		first = malloc(vocab * sizeof(*first));
		free(n->logits);
		n->logits = calloc(s.longest, vocab * sizeof(*n->logits));
		rc = first && n->logits ? 0 : lu_err_nomem(err);
	}
	if (rc == 0)
		rc = lt_model_logits(m, n->ids.p, 0, n->ids.n, false, first, err);
	if (rc == 0)
		rc = is_found(n, m, first, &s, &found, err);
	if (rc == 0)
		rc = is_chosen(n, m, first, vocab, &s, &chosen, err);
	cell->found += found;
	cell->chosen += chosen;
	free(first);
	release_sample(&s);
	return rc;
}

/* --- the grid --------------------------------------------------------------------------------- */

int lt_needle_init(struct lt_needle *n, const struct lu_tok *tok, const struct lt_corpus *hay,
		size_t context, struct lu_err *err)
{
	uint64_t tokens = lt_corpus_tokens(hay);
	size_t cells = n->lengths * n->depths;

	n->tok = tok;
	n->context = context;
	n->hay_n = tokens < MOST_HAY ? (size_t)tokens : MOST_HAY;
	if (n->hay_n == 0)
		return lu_err_set(err, "the haystack is empty: give documents or shards");
	for (size_t i = 0; i < n->lengths; i++) {
		if (n->length[i] > context)
			return lu_err_set(err,
					"a length of %" PRIu64 " tokens is more than the context "
					"of %zu; --context sets another",
					n->length[i], context);
	}
	n->state = lu_tok_state_new(tok);
	n->cell = calloc(cells + 1, sizeof(*n->cell));
	n->hay = calloc(n->hay_n, sizeof(*n->hay));
	if (!n->state || !n->cell || !n->hay)
		return lu_err_nomem(err);
	if (lt_corpus_read(hay, 0, n->hay_n, n->hay, err) < 0)
		return -1;
	for (size_t i = 0; i < cells; i++)
		n->cell[i] = (struct lt_needle_cell){ .length = n->length[i / n->depths],
			.depth = n->depth[i % n->depths] };
	return cut_sentence(n, err) < 0 ? -1 : mark_ends(n, err);
}

int lt_needle_run(struct lt_needle *n, struct lt_weights *w, void (*done)(void *ctx, uint64_t n),
		void *ctx, struct lu_err *err)
{
	const struct lt_model_plan plan = {
		.batch = 1, .context = n->context, .mode = LT_MODEL_DECODE
	};
	uint64_t answered = 0;
	struct lt_model *m;
	int rc = lt_model_open(&m, w, &plan, err);

	if (rc < 0)
		return -1;
	for (size_t i = 0; i < n->lengths * n->depths && rc == 0; i++) {
		for (uint64_t k = 0; k < n->samples && rc == 0; k++) {
			rc = answer(n, m, w->table.shape.vocab, &n->cell[i], k, err);
			if (done)
				done(ctx, ++answered);
		}
	}
	lt_model_close(m);
	return rc;
}

void lt_needle_release(struct lt_needle *n)
{
	lu_tok_state_free(n->state);
	lu_ids_release(&n->ids);
	free(n->grid[0]);
	free(n->grid[1]);
	free(n->hay);
	free(n->cell);
	free(n->ends);
	free(n->logits);
	*n = (struct lt_needle){ 0 };
}

/* --- reports ---------------------------------------------------------------------------------- */

static int put_grid(const struct lt_needle *n, bool found, struct lu_buf *b, struct lu_err *err)
{
	char head[LU_TABLE_COLUMNS][24];
	const char *heads[LU_TABLE_COLUMNS];
	struct lu_table t = { .head = heads, .columns = n->depths + 1 };
	int rc;

	heads[0] = found ? "found: length" : "chosen: length";
	for (size_t i = 0; i < n->depths; i++) {
		snprintf(head[i], sizeof(head[i]), "%" PRIu64 " %%", n->depth[i]);
		heads[i + 1] = head[i];
	}
	for (size_t i = 0; i < n->lengths; i++) {
		lu_table_u64(&t, n->length[i]);
		for (size_t k = 0; k < n->depths; k++) {
			const struct lt_needle_cell *c = &n->cell[i * n->depths + k];

			lu_table_fixed(&t,
					(double)(found ? c->found : c->chosen) / (double)n->samples,
					2, "");
		}
	}
	rc = lu_table_put(&t, b, err);
	lu_table_release(&t);
	return rc;
}

int lt_needle_table(const struct lt_needle *n, struct lu_buf *b, struct lu_err *err)
{
	if (put_grid(n, true, b, err) < 0)
		return -1;
	lu_buf_putc(b, '\n');
	return put_grid(n, false, b, err);
}

void lt_needle_json(const struct lt_needle *n, struct lu_buf *b)
{
	lu_json_open_object(b, "needle");
	lu_json_put_cstr(b, "sentence", n->sentence);
	lu_json_put_u64(b, "seed", n->seed);
	lu_json_put_u64(b, "samples", n->samples);
	lu_json_put_u64(b, "choices", LT_NEEDLE_CHOICES);
	lu_json_open_array(b, "cells");
	for (size_t i = 0; i < n->lengths * n->depths; i++) {
		const struct lt_needle_cell *c = &n->cell[i];

		lu_json_open_object(b, NULL);
		lu_json_put_u64(b, "length", c->length);
		lu_json_put_u64(b, "depth", c->depth);
		lu_json_put_u64(b, "found", c->found);
		lu_json_put_u64(b, "chosen", c->chosen);
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
	lu_json_close_object(b);
}

int lt_needle_results(const struct lt_needle *n, struct lt_task_result *out, struct lu_arena *names,
		struct lu_err *err)
{
	for (size_t i = 0; i < n->lengths; i++) {
		uint64_t found = 0, chosen = 0, all = n->depths * n->samples;
		char name[48];

		for (size_t k = 0; k < n->depths; k++) {
			found += n->cell[i * n->depths + k].found;
			chosen += n->cell[i * n->depths + k].chosen;
		}
		snprintf(name, sizeof(name), "needle_%" PRIu64, n->length[i]);
		out[i] = (struct lt_task_result){ .name = lu_arena_str(names, lu_str_of(name)),
			.file = "",
			.kind = LT_TASK_TEXT,
			.items = all };
		if (!out[i].name.p)
			return lu_err_nomem(err);
		lt_result_share(&out[i], "exact_match", found, all);
		lt_result_share(&out[i], "acc", chosen, all);
	}
	return 0;
}
