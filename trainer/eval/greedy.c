#include "trainer/eval/greedy.h"

#include <stdlib.h>

#include "trainer/model/decoding.h"

struct lt_greedy {
	struct lt_model *model;
	const struct lu_tok *tok;
	struct lu_tok_state *state;
	lk_real *logits;
	size_t context, ids; /* of the tokenizer: rows beyond them were never trained */
	uint32_t eos;
	bool has_eos;
};

int lt_greedy_open(struct lt_greedy **out, struct lt_weights *w, size_t context,
		const struct lu_tok *tok, struct lu_err *err)
{
	const struct lt_model_plan plan = {
		.batch = 1, .context = context, .mode = LT_MODEL_DECODE
	};
	struct lt_greedy *g = calloc(1, sizeof(*g));
	int rc;

	*out = NULL;
	if (!g)
		return lu_err_nomem(err);
	*g = (struct lt_greedy){ .tok = tok,
		.state = lu_tok_state_new(tok),
		.logits = malloc(w->table.shape.vocab * sizeof(*g->logits)),
		.context = context,
		.ids = lu_tok_size(tok) };
	g->has_eos = lu_tok_role(tok, LU_TOK_EOS, &g->eos);
	rc = g->state && g->logits ? lt_model_open(&g->model, w, &plan, err) : lu_err_nomem(err);
	if (rc < 0) {
		lt_greedy_close(g);
		return -1;
	}
	*out = g;
	return 0;
}

void lt_greedy_close(struct lt_greedy *g)
{
	if (!g)
		return;
	lt_model_close(g->model);
	lu_tok_state_free(g->state);
	free(g->logits);
	free(g);
}

static uint32_t most_probable(const struct lt_greedy *g)
{
	size_t best = 0;

	for (size_t v = 1; v < g->ids; v++) {
		if (g->logits[v] > g->logits[best])
			best = v;
	}
	return (uint32_t)best;
}

/* Cut the text before the first of the stop strings, which ends in or behind `from`. */
static bool cut(struct lu_buf *text, size_t from, const struct lt_greedy_stop *stop)
{
	const char *first = NULL;

	for (size_t i = 0; i < stop->untils && text->n; i++) {
		struct lu_str s = stop->until[i];
		size_t back = from < s.n ? 0 : from - s.n;
		const char *at = lu_str_find(text->p + back, text->p + text->n, s);

		if (at && (!first || at < first))
			first = at;
	}
	if (first)
		text->n = (size_t)(first - text->p);
	return first != NULL;
}

int lt_greedy_text(struct lt_greedy *g, const uint32_t *ids, size_t n,
		const struct lt_greedy_stop *stop, struct lu_buf *out, struct lu_err *err)
{
	size_t done = 0, from = 0;
	uint32_t next = 0;
	bool stopped = false;

	LU_ASSERT(n > 0 && n <= g->context);
	lu_buf_clear(out);
	lu_tok_decode_begin(g->tok, g->state);
	for (uint64_t i = 0; i < stop->max_tokens && done < g->context && !stopped; i++) {
		const uint32_t *more = i ? &next : ids;
		size_t count = i ? 1 : n;

		if (lt_model_logits(g->model, more, done, count, false, g->logits, err) < 0)
			return -1;
		done += count;
		next = most_probable(g);
		if (g->has_eos && next == g->eos)
			break;
		from = out->n;
		if (lu_tok_decode_more(g->tok, g->state, &next, 1, LU_TOK_SKIP_SPECIAL, out, NULL,
				    err) < 0)
			return -1;
		stopped = cut(out, from, stop);
	}
	if (!stopped) {
		from = out->n;
		if (lu_tok_decode_end(g->tok, g->state, out, NULL, err) < 0)
			return -1;
		cut(out, from, stop);
	}
	return lu_buf_check(out, err);
}
