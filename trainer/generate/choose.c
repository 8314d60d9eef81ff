#include "trainer/generate/choose.h"

#include <math.h>
#include <stdlib.h>

/* Ids without a token: gaps of the tokenizer, and rows of the embedding beyond it, which were never
 * trained. */
static int find_unused(struct lt_chooser *c, const struct lu_tok *tok, struct lu_err *err)
{
	c->unused = calloc(c->vocab + 1, sizeof(*c->unused));
	if (!c->unused)
		return lu_err_nomem(err);
	for (uint32_t id = 0; id < c->vocab; id++) {
		if (id >= lu_tok_size(tok) || !lu_tok_piece(tok, id).p)
			c->unused[c->n_unused++] = id;
	}
	return 0;
}

int lt_chooser_open(struct lt_chooser *c, const struct lu_tok *tok, size_t vocab,
		const struct lt_generation *how, struct lu_err *err)
{
	*c = (struct lt_chooser){ .how = how, .vocab = vocab };
	if (how->log_p && !(c->raw = malloc(vocab * sizeof(*c->raw))))
		return lu_err_nomem(err);
	if (find_unused(c, tok, err) < 0 || lt_sampler_new(&c->sampler, vocab, err) < 0)
		return -1;
	if (!how->schema)
		return 0;
	if (lu_token_bytes_read(&c->bytes, tok, &c->arena, err) < 0)
		return -1;
	return lu_token_mask_new(&c->mask, how->schema, &c->bytes, err);
}

void lt_chooser_close(struct lt_chooser *c)
{
	lu_token_mask_free(c->mask);
	lt_sampler_free(c->sampler);
	lu_arena_release(&c->arena);
	free(c->unused);
	free(c->raw);
}

bool lt_chooser_is_eos(const struct lt_chooser *c, uint32_t id)
{
	for (size_t i = 0; i < c->how->n_eos; i++) {
		if (c->how->eos[i] == id)
			return true;
	}
	return false;
}

/* Rule out what the schema does not allow; the end tokens only where the value is complete. */
static int bind(struct lt_chooser *c, lk_real *logits, const struct lu_token_place *at,
		struct lu_err *err)
{
	bool complete = lu_schema_complete(c->how->schema, at->state);
	const uint64_t *bits;
	int any = lu_token_mask_of(c->mask, at, &bits, err);

	if (any < 0)
		return -1;
	if (!any && !(complete && c->how->n_eos))
		return lu_err_set(err,
				"the schema cannot be followed: no token of the tokenizer begins "
				"with a "
				"byte that may come next");
	for (size_t id = 0; id < c->vocab; id++) {
		bool may = id < lu_token_mask_tokens(c->mask) && (bits[id / 64] >> (id % 64) & 1);

		if (!may && !(complete && lt_chooser_is_eos(c, (uint32_t)id)))
			logits[id] = LT_RULED_OUT;
	}
	return 0;
}

int lt_choose(struct lt_chooser *c, lk_real *logits, const uint32_t *ids, size_t n,
		const struct lu_token_place *at, double u, uint32_t *id, double *log_p,
		struct lu_err *err)
{
	for (size_t i = 0; i < c->n_unused; i++)
		logits[c->unused[i]] = LT_RULED_OUT;
	if (c->raw)
		memcpy(c->raw, logits, c->vocab * sizeof(*logits));
	lt_penalise(c->sampler, logits, ids, n, c->how->repetition);
	if (c->mask && bind(c, logits, at, err) < 0)
		return -1;
	*id = lt_sample(c->sampler, logits, &c->how->sampling, u);
	if (!isfinite((double)logits[*id]))
		return lu_err_set(err, "the model's logits are not finite");
	*log_p = c->raw ? lt_log_softmax(c->raw, c->vocab, *id) : 0;
	return 0;
}
