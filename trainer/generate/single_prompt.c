#include "trainer/generate/single_prompt.h"

#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/tool.h"
#include "trainer/generate/continuation_json.h"
#include "trainer/generate/prompts.h"

struct run {
	struct lt_single *s;
	struct lt_generator *g;
	struct lt_prompt *prompt;
	struct lu_buf text; /* of the prompt, as the tokenizer gives it back: what is written in front */
	struct lu_err *err;
};

/* A failed write shows when the stream is closed. */
static int write_text(void *ctx, size_t i, struct lu_str more, struct lu_err *err)
{
	const struct run *r = ctx;

	(void)i, (void)err;
	fwrite(more.p, 1, more.n, r->s->out);
	fflush(r->s->out);
	return 0;
}

static int write_done(void *ctx, size_t i, const struct lt_continuation *c, struct lu_err *err)
{
	const struct run *r = ctx;
	struct lt_single *s = r->s;
	struct lu_buf b = { 0 };
	int rc;

	(void)i;
	if (s->json) {
		lu_json_open_object(&b, NULL);
		lu_json_put_cstr(&b, "prompt", s->prompt);
		lt_continuation_json(c, s->how.schema != NULL, true, &b);
		lu_json_close_object(&b);
	} else if (s->samples > 1) {
		lu_buf_str(&b, lu_buf_slice(&r->text));
		lu_buf_str(&b, c->text);
	}
	lu_buf_putc(&b, '\n');
	rc = lu_buf_check(&b, err);
	if (rc == 0)
		fwrite(b.p, 1, b.n, s->out);
	lu_buf_release(&b);
	if (c->end == LT_END_CONTEXT)
		lu_detail("the context of %zu tokens is full", s->how.context);
	s->incomplete |= s->how.schema && !c->complete;
	return rc;
}

static int generate(void *ctx)
{
	struct run *r = ctx;
	bool stream = !r->s->json && r->s->samples == 1;
	const struct lt_generate_calls calls = { .ctx = r,
		.done = write_done,
		.text = stream ? write_text : NULL,
		.interrupted = r->s->interrupted };

	if (stream && write_text(r, 0, lu_buf_slice(&r->text), r->err) < 0)
		return -1;
	return lt_generate(r->g, r->prompt, (size_t)r->s->samples, &calls, r->err);
}

static int encode(struct run *r, struct lu_ids *ids, struct lu_err *err)
{
	const struct lt_single *s = r->s;
	struct lu_tok_state *state = lu_tok_state_new(s->tok);
	int rc = state ? lt_prompt_ids(s->tok, state, lu_str_of(s->prompt), ids, err)
		       : lu_err_nomem(err);

	if (rc == 0 && !s->how.schema)
		rc = lu_tok_decode(s->tok, state, ids->p, ids->n, LU_TOK_SKIP_SPECIAL, &r->text,
				NULL, err);
	lu_tok_state_free(state);
	if (rc < 0)
		return -1;
	if (ids->n == 0)
		return lu_err_set(err, "the prompt is empty and the tokenizer has no <s>");
	if (ids->n > s->how.context)
		return lu_err_set(err,
				"the prompt has %zu tokens, more than the model's context %zu",
				ids->n, s->how.context);
	return lu_buf_check(&r->text, err);
}

int lt_single_run(struct lt_single *s, struct lu_err *err)
{
	size_t n = (size_t)s->samples, needed;
	struct run r = { .s = s, .err = err };
	struct lu_ids ids = { 0 };
	int rc = encode(&r, &ids, err);

	if (rc == 0 && !(r.prompt = calloc(n, sizeof(*r.prompt))))
		rc = lu_err_nomem(err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		r.prompt[i] = (struct lt_prompt){ ids.p, ids.n, i };
	s->how.batch = s->how.batch < n ? s->how.batch : n;
	if (!__builtin_add_overflow(ids.n, s->how.tokens, &needed) && needed < s->how.context)
		s->how.context = needed;
	if (rc == 0)
		rc = lt_generator_open(&r.g, s->weights, s->tok, &s->how, err);
	if (rc == 0)
		rc = lk_cpu_team(s->threads, generate, &r);
	lt_generator_close(r.g);
	lu_buf_release(&r.text);
	lu_ids_release(&ids);
	free(r.prompt);
	return rc;
}
