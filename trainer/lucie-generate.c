/* lucie-generate: continues a text with a trained model. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/rng.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/model.h"
#include "trainer/model/sampler.h"
#include "trainer/run/modeldir.h"

struct config {
	struct lu_std std;
	const char *tokenizer, *prompt;
	uint64_t n, step;
	double temperature, top_p;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct config, tokenizer, "FILE", "tokenizer.json"),
	LU_OPT_STR('p', "prompt", struct config, prompt, "TEXT", "the beginning"),
	LU_OPT_U64('n', "tokens", struct config, n, "N", "at most so many more tokens"),
	LU_OPT_DOUBLE(0, "temperature", struct config, temperature, "X", 0, 100,
			"0: the likeliest token each time"),
	LU_OPT_DOUBLE(0, "top-p", struct config, top_p, "X", 0, 1,
			"choose among the likeliest that make up X"),
	LU_OPT_U64(0, "from-step", struct config, step, "N", "the checkpoint of this step"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-generate", "continues a text with a trained model",
	"RUN", opts, LU_STD_THREADS | LU_STD_SEED, offsetof(struct config, std) };

struct writer {
	const struct config *c;
	struct lt_model *model;
	struct lt_sampler *sampler;
	struct lu_tok *tok;
	struct lu_tok_state *state;
	struct lu_ids ids;
	lk_real *logits;
	size_t vocab, context, prompt;
	uint32_t eos;
	bool has_eos;
};

static int begin(struct writer *w, struct lt_opened *m, struct lu_err *err)
{
	uint32_t bos;

	if (!m->tokenizer)
		return lu_err_set(err, "there is no tokenizer.json with the model: give -t FILE");
	if (lu_tok_load(&w->tok, m->tokenizer, err) < 0)
		return -1;
	w->state = lu_tok_state_new(w->tok);
	w->vocab = m->w->table.shape.vocab;
	w->context = m->at.context;
	w->logits = malloc(w->vocab * sizeof(*w->logits));
	if (!w->state || !w->logits)
		return lu_err_nomem(err);
	if (lu_tok_size(w->tok) > w->vocab)
		return lu_err_set(err, "%s: %u tokens, the model has %zu", m->tokenizer,
				lu_tok_size(w->tok), w->vocab);
	w->has_eos = lu_tok_role(w->tok, LU_TOK_EOS, &w->eos);
	if (lu_ids_reserve(&w->ids, 1, err) < 0)
		return -1;
	if (lu_tok_role(w->tok, LU_TOK_BOS, &bos))
		w->ids.p[w->ids.n++] = bos;
	if (lu_tok_encode(w->tok, w->state, lu_str_of(w->c->prompt), LU_TOK_SPECIAL_TEXT, &w->ids,
			    err) < 0)
		return -1;
	w->prompt = w->ids.n;
	if (w->prompt == 0)
		return lu_err_set(err, "the prompt is empty and the tokenizer has no <s>");
	if (w->prompt > w->context)
		return lu_err_set(err, "the prompt is %zu tokens, the model's context %zu",
				w->prompt, w->context);
	if (lt_sampler_new(&w->sampler, w->vocab, err) < 0)
		return -1;
	return lt_model_open(&w->model, m->w, 1, w->context, LT_MODEL_DECODE, false, err);
}

static int generate(struct writer *w, struct lu_err *err)
{
	uint64_t stream = lu_rand_stream("generate", 0);
	size_t done = 0;

	for (uint64_t i = 0; i < w->c->n && w->ids.n <= w->context; i++) {
		uint32_t next;

		if (lt_model_logits(w->model, w->ids.p + done, done, w->ids.n - done, false,
				    w->logits, err) < 0)
			return -1;
		done = w->ids.n;
		/* Rows of the embedding beyond the tokenizer's ids were never trained. */
		for (size_t v = lu_tok_size(w->tok); v < w->vocab; v++)
			w->logits[v] = (lk_real)-1e30;
		next = lt_sample(w->sampler, w->logits, w->c->temperature, w->c->top_p,
				lu_rand_double(w->c->std.seed, stream, i));
		if (w->has_eos && next == w->eos)
			return 0;
		if (lu_ids_reserve(&w->ids, 1, err) < 0)
			return -1;
		w->ids.p[w->ids.n++] = next;
	}
	if (w->ids.n > w->context)
		lu_detail("the context of %zu tokens is full", w->context);
	return 0;
}

static int print(struct writer *w, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc = lu_tok_decode(w->tok, w->state, w->ids.p, w->ids.n, LU_TOK_SKIP_SPECIAL, &text,
			NULL, err);

	lu_buf_putc(&text, '\n');
	if (rc == 0)
		rc = lu_buf_check(&text, err);
	if (rc == 0)
		fwrite(text.p, 1, text.n, stdout);
	lu_buf_release(&text);
	return rc;
}

static int run(const struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lt_which which = { .path = args->file[0], .step = c->step, .token = c->tokenizer };
	struct writer w = { .c = c };
	struct lt_opened m;
	int rc;

	omp_set_num_threads(c->std.threads);
	if (lt_opened_open(&m, &which, err) < 0)
		return -1;
	rc = begin(&w, &m, err);
	if (rc == 0)
		rc = generate(&w, err);
	if (rc == 0)
		rc = print(&w, err);
	lt_model_close(w.model);
	lt_sampler_free(w.sampler);
	lu_ids_release(&w.ids);
	lu_tok_state_free(w.state);
	lu_tok_free(w.tok);
	free(w.logits);
	lt_opened_close(&m);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS,
		.step = UINT64_MAX,
		.prompt = "",
		.n = 100,
		.temperature = 0.8,
		.top_p = 0.95 };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	if (args.files != 1 || args.file[0][0] == '-')
		lu_usage_error("give one model");
	return lu_tool_finish(run(&c, &args, &err), &err);
}
