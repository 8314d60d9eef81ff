#include "trainer/generate/generate.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/rng.h"
#include "libcommon/sys/tool.h"
#include "trainer/generate/choose.h"
#include "trainer/generate/stop_text.h"
#include "trainer/model/decoding.h"

/* A place in the cache, and the continuation that grows there. */
struct slot {
	bool active;
	size_t index;	   /* of its prompt */
	struct lu_ids ids; /* prompt and continuation; stay when it is finished, for their cache */
	size_t prompt;	   /* tokens of it */
	size_t cached;	   /* tokens whose keys and values are in the cache */
	struct LU_VEC(double) log_p;
	struct lu_tok_state *state;
	struct lt_stop_text text;
	size_t skip; /* bytes of the prompt's text that are still to come */
	size_t sent;
	uint64_t stream, drawn;
	struct lu_token_place place; /* with a schema */
};

/* A finished continuation that waits for earlier ones. */
struct held {
	bool done;
	struct lt_continuation c;
	uint32_t *ids;
	double *log_p;
	char *text;
};

struct lt_generator {
	struct lt_generation how;
	const struct lu_tok *tok;
	struct lt_model *model;
	struct lt_chooser chooser;
	struct slot *slot; /* [how.batch] */
	struct lt_decode_piece *piece;
	size_t *of_piece; /* the slot of each piece */
	lk_real *logits;  /* [how.batch][vocab] */
	size_t vocab;
	/* Of one call: */
	const struct lt_prompt *prompt;
	size_t prompts, begun, given;
	const struct lt_generate_calls *calls;
	struct held *held;
};

const char *lt_end_name(enum lt_end end)
{
	static const char *const names[] = { "eos", "stop", "tokens", "context", "schema",
		"interrupted" };

	return names[end];
}

/* --- opening ----------------------------------------------------------------------------------- */

static int open_slots(struct lt_generator *g, struct lu_err *err)
{
	size_t n = g->how.batch, logits;

	if (__builtin_mul_overflow(n, g->vocab * sizeof(*g->logits), &logits))
		return lu_err_nomem(err);
	g->slot = calloc(n, sizeof(*g->slot));
	g->piece = calloc(n, sizeof(*g->piece));
	g->of_piece = calloc(n, sizeof(*g->of_piece));
	g->logits = malloc(logits);
	if (!g->slot || !g->piece || !g->of_piece || !g->logits)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		g->slot[i].text.stop = g->how.stop;
		g->slot[i].text.stops = g->how.stops;
		g->slot[i].state = lu_tok_state_new(g->tok);
		if (!g->slot[i].state)
			return lu_err_nomem(err);
	}
	return 0;
}

int lt_generator_open(struct lt_generator **out, struct lt_weights *w, const struct lu_tok *tok,
		const struct lt_generation *how, struct lu_err *err)
{
	const struct lt_model_plan plan = {
		.batch = how->batch, .context = how->context, .mode = LT_MODEL_DECODE
	};
	struct lt_generator *g = calloc(1, sizeof(*g));

	*out = NULL;
	if (!g)
		return lu_err_nomem(err);
	g->how = *how;
	g->tok = tok;
	g->vocab = w->table.shape.vocab;
	if (open_slots(g, err) < 0 ||
			lt_chooser_open(&g->chooser, tok, g->vocab, &g->how, err) < 0 ||
			lt_model_open(&g->model, w, &plan, err) < 0) {
		lt_generator_close(g);
		return -1;
	}
	lu_detail("%zu sequences of %zu tokens have a cache of %.1f MiB", how->batch, how->context,
			(double)lt_decode_cache(g->model) / (1 << 20));
	*out = g;
	return 0;
}

void lt_generator_close(struct lt_generator *g)
{
	if (!g)
		return;
	lt_model_close(g->model);
	lt_chooser_close(&g->chooser);
	for (size_t i = 0; g->slot && i < g->how.batch; i++) {
		lu_ids_release(&g->slot[i].ids);
		lu_vec_release(&g->slot[i].log_p);
		lu_tok_state_free(g->slot[i].state);
		lt_stop_text_release(&g->slot[i].text);
	}
	free(g->slot);
	free(g->piece);
	free(g->of_piece);
	free(g->logits);
	free(g);
}

/* --- beginning --------------------------------------------------------------------------------- */

/* Tokens that a prompt has in common with what is cached in a slot. */
static size_t common(const struct slot *s, const struct lt_prompt *p)
{
	size_t n = 0, most = s->cached < p->n ? s->cached : p->n;

	while (n < most && s->ids.p[n] == p->ids[n])
		n++;
	return n;
}

/* True if another slot is about to compute the same prompt: it is copied from there a step later. */
static bool comes(const struct lt_generator *g, const struct lt_prompt *p)
{
	for (size_t i = 0; i < g->how.batch; i++) {
		const struct slot *s = &g->slot[i];

		if (s->active && s->cached + 1 < s->prompt && s->prompt == p->n &&
				memcmp(s->ids.p, p->ids, p->n * sizeof(*p->ids)) == 0)
			return true;
	}
	return false;
}

/* Take the beginning of a prompt from where it has been computed. The last token is always computed,
 * for its logits. */
static int take_cached(
		struct lt_generator *g, size_t to, const struct lt_prompt *p, struct lu_err *err)
{
	size_t from = to, best = common(&g->slot[to], p);

	for (size_t i = 0; i < g->how.batch; i++) {
		size_t n = common(&g->slot[i], p);

		if (n > best) {
			best = n;
			from = i;
		}
	}
	if (best == p->n)
		best--;
	g->slot[to].cached = best;
	return lt_decode_copy(g->model, from, to, best, err);
}

/* Begin to decode: the text of the prompt comes first and is left out. */
static int begin_text(struct lt_generator *g, struct slot *s, struct lu_err *err)
{
	unsigned flags = g->how.special ? 0 : LU_TOK_SKIP_SPECIAL;
	struct lu_buf text = { 0 };
	int rc = lu_tok_decode(g->tok, s->state, s->ids.p, s->prompt, flags, &text, NULL, err);

	s->skip = text.n;
	lu_buf_clear(&text);
	lu_tok_decode_begin(g->tok, s->state);
	if (rc == 0)
		rc = lu_tok_decode_more(
				g->tok, s->state, s->ids.p, s->prompt, flags, &text, NULL, err);
	if (rc == 0)
		rc = lu_buf_check(&text, err);
	s->skip -= text.n < s->skip ? text.n : s->skip;
	if (rc == 0 && g->chooser.mask)
		s->place.awaits = lu_token_bytes_awaited(&g->chooser.bytes, g->tok, s->state);
	lu_buf_release(&text);
	lt_stop_text_clear(&s->text);
	s->sent = 0;
	return rc;
}

static int begin(struct lt_generator *g, size_t at, struct lu_err *err)
{
	const struct lt_prompt *p = &g->prompt[g->begun];
	struct slot *s = &g->slot[at];

	LU_ASSERT(p->n > 0 && p->n <= g->how.context);
	if (take_cached(g, at, p, err) < 0)
		return -1;
	s->ids.n = 0;
	if (lu_ids_reserve(&s->ids, p->n, err) < 0)
		return -1;
	memcpy(s->ids.p, p->ids, p->n * sizeof(*p->ids));
	s->ids.n = s->prompt = p->n;
	s->log_p.n = 0;
	s->index = g->begun++;
	s->stream = lu_rand_stream("generate", p->stream);
	s->drawn = 0;
	s->place = (struct lu_token_place){ .state = LU_SCHEMA_START };
	s->active = true;
	return begin_text(g, s, err);
}

/* --- ending ------------------------------------------------------------------------------------ */

static void *copy(const void *p, size_t n)
{
	void *to = malloc(n + 1);

	if (to && n)
		memcpy(to, p, n);
	return to;
}

/* Pass on, in order, what is finished. */
static int give(struct lt_generator *g, struct lu_err *err)
{
	int rc = 0;

	for (; rc == 0 && g->given < g->prompts && g->held[g->given].done; g->given++) {
		struct held *h = &g->held[g->given];

		if (g->calls->done)
			rc = g->calls->done(g->calls->ctx, g->given, &h->c, err);
		free(h->ids);
		free(h->log_p);
		free(h->text);
		*h = (struct held){ 0 };
	}
	return rc;
}

static int send(struct lt_generator *g, struct slot *s, struct lu_err *err)
{
	struct lu_str more = { s->text.text.p + s->sent, s->text.sure - s->sent };

	if (!g->calls->text || more.n == 0)
		return 0;
	s->sent = s->text.sure;
	return g->calls->text(g->calls->ctx, s->index, more, err);
}

/* Text of the decoder, less what belongs to the prompt. */
static int take_text(struct slot *s, struct lu_buf *more, struct lu_err *err)
{
	size_t skip = more->n < s->skip ? more->n : s->skip;

	s->skip -= skip;
	if (more->n > skip)
		lu_buf_append(&s->text.text, more->p + skip, more->n - skip);
	return lu_buf_ok(more) ? lu_buf_check(&s->text.text, err) : lu_buf_check(more, err);
}

static int end(struct lt_generator *g, struct slot *s, enum lt_end why, struct lu_err *err)
{
	struct held *h = &g->held[s->index];
	struct lu_buf more = { 0 };
	size_t n = s->ids.n - s->prompt;
	int rc = 0;

	s->active = false;
	if (why != LT_END_STOP) {
		rc = lu_tok_decode_end(g->tok, s->state, &more, NULL, err);
		if (rc == 0)
			rc = take_text(s, &more, err);
		if (rc == 0 && lt_stop_text_look(&s->text, true))
			why = LT_END_STOP;
	}
	lu_buf_release(&more);
	if (rc < 0 || send(g, s, err) < 0)
		return -1;
	h->ids = copy(s->ids.p + s->prompt, n * sizeof(*s->ids.p));
	h->log_p = copy(s->log_p.p, s->log_p.n * sizeof(*s->log_p.p));
	h->text = copy(s->text.text.p, s->text.text.n);
	if (!h->ids || !h->log_p || !h->text)
		return lu_err_nomem(err);
	h->c = (struct lt_continuation){ .ids = h->ids,
		.log_p = g->how.log_p ? h->log_p : NULL,
		.n = n,
		.text = { h->text, s->text.text.n },
		.end = why,
		.complete = g->how.schema && lu_schema_complete(g->how.schema, s->place.state) };
	h->done = true;
	return give(g, err);
}

/* --- a step ------------------------------------------------------------------------------------ */

/* Follow the chosen token. Returns 1 and *why if it ends the continuation. */
static int follow(struct lt_generator *g, struct slot *s, uint32_t id, double log_p,
		enum lt_end *why, struct lu_err *err)
{
	unsigned flags = g->how.special ? 0 : LU_TOK_SKIP_SPECIAL;
	struct lu_buf more = { 0 };
	int rc;

	if (lu_ids_reserve(&s->ids, 1, err) < 0)
		return -1;
	s->ids.p[s->ids.n++] = id;
	if (g->how.log_p && !lu_vec_push(&s->log_p, log_p))
		return lu_err_nomem(err);
	rc = lu_tok_decode_more(g->tok, s->state, &id, 1, flags, &more, NULL, err);
	if (rc == 0)
		rc = take_text(s, &more, err);
	lu_buf_release(&more);
	if (rc == 0 && g->chooser.mask)
		rc = lu_token_mask_advance(g->chooser.mask, &s->place, id, err);
	if (rc < 0)
		return -1;
	*why = LT_END_STOP;
	if (lt_stop_text_look(&s->text, false))
		return 1;
	*why = LT_END_SCHEMA;
	if (g->how.schema && (rc = lu_schema_closed(g->how.schema, s->place.state, err)) != 0)
		return rc;
	*why = LT_END_TOKENS;
	if (s->ids.n - s->prompt >= g->how.tokens)
		return 1;
	*why = LT_END_CONTEXT;
	if (s->ids.n > g->how.context)
		return 1;
	return send(g, s, err);
}

/* Choose the next token of a slot by its logits. */
static int grow(struct lt_generator *g, struct slot *s, lk_real *logits, struct lu_err *err)
{
	double u = lu_rand_double(g->how.seed, s->stream, s->drawn++), log_p;
	enum lt_end why = LT_END_EOS;
	uint32_t id;
	int rc;

	s->cached = s->ids.n;
	if (lt_choose(&g->chooser, logits, s->ids.p, s->ids.n, &s->place, u, &id, &log_p, err) < 0)
		return -1;
	rc = lt_chooser_is_eos(&g->chooser, id) ? 1 : follow(g, s, id, log_p, &why, err);
	return rc > 0 ? end(g, s, why, err) : rc;
}

/* Fill free slots; those that are not asked for a token end at once. */
static int fill(struct lt_generator *g, struct lu_err *err)
{
	for (size_t i = 0; i < g->how.batch && g->begun < g->prompts; i++) {
		if (g->slot[i].active)
			continue;
		if (comes(g, &g->prompt[g->begun]))
			break;
		if (begin(g, i, err) < 0)
			return -1;
		if (g->how.tokens == 0 && end(g, &g->slot[i--], LT_END_TOKENS, err) < 0)
			return -1;
	}
	return 0;
}

static int step(struct lt_generator *g, bool *any, struct lu_err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < g->how.batch; i++) {
		const struct slot *s = &g->slot[i];

		if (!s->active)
			continue;
		g->of_piece[n] = i;
		g->piece[n++] = (struct lt_decode_piece){ .sequence = i,
			.pos = s->cached,
			.n = s->ids.n - s->cached,
			.ids = s->ids.p + s->cached };
	}
	*any = n > 0;
	if (n && lt_decode(g->model, g->piece, n, g->logits, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (grow(g, &g->slot[g->of_piece[i]], g->logits + i * g->vocab, err) < 0)
			return -1;
	}
	return 0;
}

static int interrupt(struct lt_generator *g, struct lu_err *err)
{
	for (size_t i = 0; i < g->how.batch; i++) {
		if (g->slot[i].active && end(g, &g->slot[i], LT_END_INTERRUPTED, err) < 0)
			return -1;
	}
	return 0;
}

int lt_generate(struct lt_generator *g, const struct lt_prompt *prompt, size_t prompts,
		const struct lt_generate_calls *calls, struct lu_err *err)
{
	bool any = true;
	int rc = 0;

	g->prompt = prompt;
	g->prompts = prompts;
	g->calls = calls;
	g->begun = g->given = 0;
	g->held = calloc(prompts + 1, sizeof(*g->held));
	if (!g->held)
		return lu_err_nomem(err);
	while (rc == 0 && any) {
		rc = fill(g, err);
		if (rc == 0 && calls->interrupted && *calls->interrupted) {
			rc = interrupt(g, err);
			break;
		}
		if (rc == 0)
			rc = step(g, &any, err);
	}
	for (size_t i = 0; i < g->how.batch; i++)
		g->slot[i].active = false;
	for (size_t i = 0; i < prompts; i++) {
		free(g->held[i].ids);
		free(g->held[i].log_p);
		free(g->held[i].text);
	}
	free(g->held);
	g->held = NULL;
	return rc;
}
