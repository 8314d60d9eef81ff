/* lucie-generate: continues a text with a trained model. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/rng.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/threads.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/model/decode.h"
#include "trainer/model/sampler.h"
#include "trainer/run/loaded_model.h"

struct options {
	struct lu_std std;
	const char *tokenizer, *prompt;
	uint64_t tokens, step;
	double temperature, top_p;
	enum lt_compute dtype;
	enum lt_device device;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE", "tokenizer.json"),
	LU_OPT_STR('p', "prompt", struct options, prompt, "TEXT", "text to continue"),
	LU_OPT_U64('n', "tokens", struct options, tokens, "N", "generate at most N tokens"),
	LU_OPT_DOUBLE(0, "temperature", struct options, temperature, "X", 0, 100,
			"0: always the most probable token"),
	LU_OPT_DOUBLE(0, "top-p", struct options, top_p, "X", 0, 1,
			"nucleus sampling with probability mass X"),
	LU_OPT_U64(0, "from-step", struct options, step, "N",
			"use the checkpoint of step N (the last)"),
	LU_OPT_ENUM(0, "device", struct options, device, lt_devices, "what computes"),
	LU_OPT_ENUM(0, "dtype", struct options, dtype, lt_computes, "type of the activations"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-generate", "continues a text with a trained model",
	"RUN", opts, LU_STD_THREADS | LU_STD_SEED | LU_STD_PROGRESS,
	offsetof(struct options, std) };

struct generator {
	const struct options *o;
	struct lt_model *model;
	struct lt_sampler *sampler;
	struct lu_tok *tok;
	struct lu_tok_state *state;
	struct lu_ids ids; /* prompt and generated tokens */
	lk_real *logits;
	struct lu_progress progress;
	size_t vocab, context;
	uint32_t eos;
	bool has_eos;
};

static int load_tokenizer(struct generator *g, const struct lt_loaded_model *m, struct lu_err *err)
{
	if (lt_loaded_model_tokenizer(m, &g->tok, err) < 0)
		return -1;
	g->has_eos = lu_tok_role(g->tok, LU_TOK_EOS, &g->eos);
	g->state = lu_tok_state_new(g->tok);
	return g->state ? 0 : lu_err_nomem(err);
}

static int encode_prompt(struct generator *g, struct lu_err *err)
{
	uint32_t bos;

	if (lu_ids_reserve(&g->ids, 1, err) < 0)
		return -1;
	if (lu_tok_role(g->tok, LU_TOK_BOS, &bos))
		g->ids.p[g->ids.n++] = bos;
	if (lu_tok_encode(g->tok, g->state, lu_str_of(g->o->prompt), LU_TOK_SPECIAL_TEXT, &g->ids,
			    err) < 0)
		return -1;
	if (g->ids.n == 0)
		return lu_err_set(err, "the prompt is empty and the tokenizer has no <s>");
	if (g->ids.n > g->context)
		return lu_err_set(err,
				"the prompt has %zu tokens, more than the model's context %zu",
				g->ids.n, g->context);
	return 0;
}

static int generator_open(struct generator *g, struct lt_loaded_model *m, struct lu_err *err)
{
	struct lt_model_plan plan = { .batch = 1, .mode = LT_MODEL_DECODE };

	g->vocab = m->w->table.shape.vocab;
	g->context = m->pos.context;
	if (load_tokenizer(g, m, err) < 0 || encode_prompt(g, err) < 0)
		return -1;
	g->logits = malloc(g->vocab * sizeof(*g->logits));
	if (!g->logits)
		return lu_err_nomem(err);
	if (lt_sampler_new(&g->sampler, g->vocab, err) < 0)
		return -1;
	plan.context = g->context;
	return lt_model_open(&g->model, m->w, &plan, err);
}

static void generator_close(struct generator *g)
{
	lt_model_close(g->model);
	lt_sampler_free(g->sampler);
	lu_ids_release(&g->ids);
	lu_tok_state_free(g->state);
	lu_tok_free(g->tok);
	free(g->logits);
}

static int generate(struct generator *g, struct lu_err *err)
{
	uint64_t stream = lu_rand_stream("generate", 0);
	size_t done = 0;

	for (uint64_t i = 0; i < g->o->tokens && g->ids.n <= g->context; i++) {
		uint32_t next;

		if (lt_model_logits(g->model, g->ids.p + done, done, g->ids.n - done, false,
				    g->logits, err) < 0)
			return -1;
		done = g->ids.n;
		/* Rows of the embedding beyond the tokenizer's ids were never trained. */
		for (size_t v = lu_tok_size(g->tok); v < g->vocab; v++)
			g->logits[v] = (lk_real)-1e30;
		next = lt_sample(g->sampler, g->logits, g->o->temperature, g->o->top_p,
				lu_rand_double(g->o->std.seed, stream, i));
		if (g->has_eos && next == g->eos)
			return 0;
		if (lu_ids_reserve(&g->ids, 1, err) < 0)
			return -1;
		g->ids.p[g->ids.n++] = next;
		lu_progress_update(&g->progress, i + 1, 0);
	}
	if (g->ids.n > g->context)
		lu_detail("the context of %zu tokens is full", g->context);
	return 0;
}

/* A call of generate() with the threads of -j. */
struct call {
	struct generator *g;
	struct lu_err *err;
};

static int generate_in_team(void *ctx)
{
	struct call *c = ctx;

	return generate(c->g, c->err);
}

static int print(const struct generator *g, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc = lu_tok_decode(g->tok, g->state, g->ids.p, g->ids.n, LU_TOK_SKIP_SPECIAL, &text,
			NULL, err);

	lu_buf_putc(&text, '\n');
	if (rc == 0)
		rc = lu_buf_check(&text, err);
	if (rc == 0)
		fwrite(text.p, 1, text.n, stdout);
	lu_buf_release(&text);
	return rc;
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct lt_model_spec spec = { .path = args->file[0],
		.step = o->step,
		.tokenizer = o->tokenizer,
		.generate = true,
		.compute = o->dtype,
		.device = o->device };
	struct generator g = { .o = o };
	struct call c = { &g, err };
	struct lt_loaded_model m;
	int rc;

	if (lt_loaded_model_open(&m, &spec, err) < 0)
		return -1;
	rc = generator_open(&g, &m, err);
	if (rc == 0) {
		lu_progress_start_units(
				&g.progress, tool.name, o->std.progress, o->tokens, "tokens");
		rc = lk_cpu_team(o->std.threads, generate_in_team, &c);
		lu_progress_end(&g.progress);
	}
	if (rc == 0)
		rc = print(&g, err);
	generator_close(&g);
	lt_loaded_model_close(&m);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS,
		.step = UINT64_MAX,
		.prompt = "",
		.tokens = 100,
		.temperature = 0.8,
		.top_p = 0.95 };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_threads_spin_briefly(argv);
	lu_tool_start(&tool, argc, argv, &o, &args);
	if (args.files != 1 || args.file[0][0] == '-')
		lu_usage_error("give one model");
	return lu_tool_finish(run(&o, &args, &err), &err);
}
