/* lucie-generate: continues texts with a trained model. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/utf8.h"
#include "libcommon/schema/schema.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/threads.h"
#include "libcommon/sys/tool.h"
#include "trainer/generate/call_schema.h"
#include "trainer/generate/end_tokens.h"
#include "trainer/generate/prompts.h"
#include "trainer/generate/single_prompt.h"
#include "trainer/generate/talk.h"
#include "trainer/run/loaded_model.h"

/* Longest schema or list of tools. */
#define SMALL_FILE ((size_t)1 << 20)

struct options {
	struct lu_std std;
	const char *tokenizer, *prompt, *schema, *system, *tools, *template;
	struct lu_list stop;
	uint64_t tokens, step, top_k, samples, batch, context;
	double temperature, top_p, min_p, repetition;
	bool lines, json, chat, call, prompt_given, top_k_given, top_p_given, min_p_given;
	enum lt_compute dtype;
	enum lt_device device;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE", "tokenizer.json"),
	LU_OPT_STR_GIVEN('p', "prompt", struct options, prompt, prompt_given, "TEXT",
			"text to continue"),
	LU_OPT_U64('n', "tokens", struct options, tokens, "N", "generate at most N tokens"),
	LU_OPT_U64(0, "samples", struct options, samples, "N", "continuations of each prompt"),
	LU_OPT_DOUBLE(0, "temperature", struct options, temperature, "X", 0, 100,
			"0: always the most probable token"),
	LU_OPT_U64_GIVEN(0, "top-k", struct options, top_k, top_k_given, "N",
			"among the N most probable tokens"),
	{ LU_OPT_T_DOUBLE, 0, "top-p", LU_OPT_AT(struct options, top_p, double), "X",
			"among those of probability mass X", 0, 1,
			LU_OPT_AT(struct options, top_p_given, bool), NULL },
	{ LU_OPT_T_DOUBLE, 0, "min-p", LU_OPT_AT(struct options, min_p, double), "X",
			"among those of X times the largest", 0, 1,
			LU_OPT_AT(struct options, min_p_given, bool), NULL },
	LU_OPT_DOUBLE(0, "repetition-penalty", struct options, repetition, "X", 0.01, 100,
			"more than 1: fewer repetitions"),
	LU_OPT_LIST(0, "stop", struct options, stop, "TEXT", "end before TEXT"),
	LU_OPT_STR(0, "schema", struct options, schema, "FILE", "write JSON of this schema"),
	LU_OPT_FLAG(0, "json", struct options, json, "print ids, log p and the end as JSON"),
	LU_OPT_FLAG(0, "lines", struct options, lines, "each line of FILE is a prompt"),
	LU_OPT_FLAG(0, "chat", struct options, chat, "answer messages"),
	LU_OPT_STR(0, "system", struct options, system, "TEXT",
			"message of the system; with --chat"),
	LU_OPT_STR(0, "tools", struct options, tools, "FILE", "tools to call; with --chat"),
	LU_OPT_FLAG(0, "call", struct options, call, "answer with a call of a tool"),
	LU_OPT_STR(0, "chat-template", struct options, template, "FILE", "instead of the model's"),
	LU_OPT_U64(0, "batch", struct options, batch, "N", "continue N prompts at once (8)"),
	LU_OPT_U64(0, "context", struct options, context, "N",
			"tokens of a sequence (the model's)"),
	LU_OPT_U64(0, "from-step", struct options, step, "N",
			"use the checkpoint of step N (the last)"),
	LU_OPT_ENUM(0, "device", struct options, device, lt_devices, "what computes"),
	LU_OPT_ENUM(0, "dtype", struct options, dtype, lt_computes, "type of the activations"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-generate", "continues texts with a trained model",
	"RUN [FILE...]", opts, (LU_STD_FILTER & ~LU_STD_OUTPUT) | LU_STD_TMPDIR | LU_STD_SEED,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	const struct lu_args *args; /* of the prompts: without the model */
	struct lt_loaded_model m;
	struct lu_tok *tok;
	struct lt_generation how;
	struct lu_ids eos;
	struct lu_str *stop;
	char *tools_text;
	size_t tools_n;
	struct lu_chat_config chat;
	struct lt_dialogue *dialogue;
	bool incomplete; /* JSON that is not a whole value */
};

/* --- Ctrl-C ------------------------------------------------------------------------------------ */

/* A signal handler has no other way to know it. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* The first Ctrl-C ends what is being written; one more ends the program. */
static void catch_interrupt(void)
{
	struct sigaction sa = { .sa_handler = on_interrupt };

	(void)sigaction(SIGINT, &sa, NULL);
}

static int raise_interrupt(struct lu_err *err)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };

	if (fflush(stdout) != 0)
		return lu_err_sys(err, errno, "standard output");
	(void)sigaction(SIGINT, &sa, NULL);
	(void)raise(SIGINT);
	return 0;
}

/* --- opening ----------------------------------------------------------------------------------- */

static int open_schema(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_buf call = { 0 };
	char *text = NULL;
	size_t n;
	int rc = 0;

	if (o->schema)
		rc = lu_read_input(o->schema, SMALL_FILE, &text, &n, err);
	if (rc == 0 && o->schema)
		rc = lu_schema_compile(&r->how.schema, o->schema, (struct lu_str){ text, n }, err);
	if (rc == 0 && o->call)
		rc = lt_call_schema((struct lu_str){ r->tools_text, r->tools_n }, &call, err);
	if (rc == 0 && o->call)
		rc = lu_schema_compile(&r->how.schema, o->tools, lu_buf_slice(&call), err);
	lu_buf_release(&call);
	free(text);
	return rc;
}

static int open_chat(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_str tools = { "", 0 };
	uint32_t end;
	int rc;

	if (!o->chat)
		return 0;
	if (o->tools) {
		if (lu_read_input(o->tools, SMALL_FILE, &r->tools_text, &r->tools_n, err) < 0)
			return -1;
		tools = (struct lu_str){ r->tools_text, r->tools_n };
		if (lt_tools_check(o->tools, tools, err) < 0)
			return -1;
	}
	if (lu_chat_config_read(&r->chat, r->m.tokenizer, o->template, err) < 0 ||
			lt_dialogue_open(&r->dialogue, r->tok, &r->chat, o->system, tools, err) < 0)
		return -1;
	if (o->tools) {
		rc = lt_dialogue_shows_tools(r->dialogue, err);
		if (rc == 0 && !o->call)
			rc = lu_err_set(err,
					"--tools: %s shows no tools to the model: give another by "
					"--chat-template, or bind the answer to a call by --call",
					r->chat.file);
		else if (rc == 0)
			lu_note("%s shows no tools to the model, which is bound to calls all the "
				"same",
					r->chat.file);
		if (rc < 0)
			return -1;
	}
	rc = lt_dialogue_end(r->dialogue, &end, err);
	return rc > 0 ? lt_end_tokens_add(&r->eos, end, err) : rc;
}

static int open_stops(struct run *r, struct lu_err *err)
{
	const struct lu_list *l = &r->o->stop;

	r->stop = calloc(l->n + 1, sizeof(*r->stop));
	if (!r->stop)
		return lu_err_nomem(err);
	for (size_t i = 0; i < l->n; i++) {
		struct lu_str s = lu_str_of(l->item[i]);

		if (s.n == 0 || lu_utf8_valid(s.p, s.n) != s.n)
			return lu_err_set(err, "--stop: %s",
					s.n ? "invalid UTF-8" : "an empty string ends every text");
		r->stop[i] = s;
	}
	r->how.stop = r->stop;
	r->how.stops = l->n;
	return 0;
}

static int open_run(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lt_hf_ids *ids = &r->m.ids;

	if (lt_loaded_model_tokenizer(&r->m, &r->tok, err) < 0 ||
			lt_end_tokens(r->tok, ids->stop.n ? ids->stop : ids->eos, &r->eos, err) <
					0 ||
			open_stops(r, err) < 0 || open_chat(r, err) < 0 || open_schema(r, err) < 0)
		return -1;
	r->how.sampling = (struct lt_sampling){ o->temperature, o->top_k, o->top_p, o->min_p };
	r->how.repetition = o->repetition;
	r->how.seed = o->std.seed;
	r->how.tokens = o->tokens;
	r->how.eos = r->eos.p;
	r->how.n_eos = r->eos.n;
	r->how.log_p = o->json;
	r->how.batch = o->batch ? (size_t)o->batch : 8;
	r->how.context = r->m.pos.context;
	if (o->context > r->how.context)
		return lu_err_set(err,
				"--context %" PRIu64 " is more than the model's context of %zu",
				o->context, r->how.context);
	if (o->context)
		r->how.context = (size_t)o->context;
	return 0;
}

static void close_run(struct run *r)
{
	lt_dialogue_close(r->dialogue);
	lu_chat_config_release(&r->chat);
	lu_schema_free(r->how.schema);
	lu_ids_release(&r->eos);
	lu_tok_free(r->tok);
	free(r->tools_text);
	free(r->stop);
}

/* --- the run ----------------------------------------------------------------------------------- */

static int run_chat(struct run *r, struct lu_err *err)
{
	struct lt_talk t = { .in = stdin,
		.out = stdout,
		.prompt = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
		.json = r->o->json,
		.threads = r->o->std.threads,
		.dialogue = r->dialogue,
		.how = &r->how,
		.interrupted = &interrupted };
	int rc;

	r->how.batch = 1;
	rc = lt_generator_open(&t.generator, r->m.w, r->tok, &r->how, err);
	if (rc == 0) {
		catch_interrupt();
		rc = r->o->prompt_given ? lt_talk_answer(&t, lu_str_of(r->o->prompt), err)
					: lt_talk(&t, err);
	}
	r->incomplete = t.incomplete;
	lt_generator_close(t.generator);
	return rc;
}

static int run_single(struct run *r, struct lu_err *err)
{
	struct lt_single s = { .prompt = r->o->prompt,
		.samples = r->o->samples,
		.json = r->o->json,
		.threads = r->o->std.threads,
		.out = stdout,
		.how = r->how,
		.tok = r->tok,
		.weights = r->m.w,
		.interrupted = &interrupted };
	int rc;

	catch_interrupt();
	rc = lt_single_run(&s, err);
	r->incomplete = s.incomplete;
	return rc;
}

static int run_documents(struct run *r, struct lu_err *err)
{
	struct lt_prompts p = { .how = &r->how,
		.tok = r->tok,
		.weights = r->m.w,
		.samples = r->o->samples,
		.lines = r->o->lines,
		.details = r->o->json };
	int rc = lt_prompts_run(&p, &r->o->std, r->args, err);

	r->incomplete = p.incomplete > 0;
	return rc;
}

static int run(const struct options *o, const struct lu_args *all, struct lu_err *err)
{
	struct lt_model_spec spec = { .path = all->file[0],
		.step = o->step,
		.tokenizer = o->tokenizer,
		.generate = true,
		.compute = o->dtype,
		.device = o->device };
	struct lu_args args = *all;
	struct run r = { .o = o, .args = &args };
	int rc;

	args.file++;
	args.files--;
	if (lt_loaded_model_open(&r.m, &spec, err) < 0)
		return -1;
	rc = lt_hf_read_generation(spec.path, r.m.w->table.shape.vocab, &r.m.ids, &r.m.arena, err);
	if (rc == 0)
		rc = open_run(&r, err);
	if (rc == 0)
		rc = o->chat		     ? run_chat(&r, err)
				: args.files ? run_documents(&r, err)
					     : run_single(&r, err);
	if (rc == 0 && r.incomplete) {
		lu_note("JSON that is not complete was cut off by -n %" PRIu64 " or the context",
				o->tokens);
		rc = 1;
	}
	close_run(&r);
	lt_loaded_model_close(&r.m);
	return rc == 0 && interrupted ? raise_interrupt(err) : rc;
}

/* Refuse what goes together with nothing, or has no effect. */
static void check_options(const struct options *o, const struct lu_args *args)
{
	const struct lu_std *std = &o->std;
	bool documents = args->files > 1;

	if (args->files == 0 || args->file[0][0] == '-')
		lu_usage_error("give a model, then files of prompts");
	if (o->chat && documents)
		lu_usage_error("--chat reads messages from standard input, not from files");
	if (documents && o->prompt_given)
		lu_usage_error("-p and files of prompts exclude each other");
	if (!documents && (lu_std_for_documents(std) || std->stats || std->allow_empty || o->lines))
		lu_usage_error("--lines, --stats, --rejects, --max-bad, --allow-empty, "
			       "--text-field and --map have no effect without files of prompts");
	if (!o->chat && (o->system || o->tools || o->template))
		lu_usage_error("--system, --tools and --chat-template have no effect without "
			       "--chat");
	if (o->call && (!o->tools || o->schema))
		lu_usage_error("--call takes the schema of --tools, and no --schema");
	if (o->stop.n && (o->schema || o->call))
		lu_usage_error("--stop would cut the JSON that a schema binds, which ends by "
			       "itself");
	if (o->samples == 0 || (o->chat && o->samples > 1))
		lu_usage_error("--samples is at least 1, and 1 with --chat");
	if (o->batch && (o->chat || (!documents && o->samples == 1)))
		lu_usage_error("--batch has no effect on a single continuation");
	if (o->temperature <= 0 && (o->top_k_given || o->top_p_given || o->min_p_given))
		lu_usage_error("--top-k, --top-p and --min-p have no effect with --temperature 0");
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS,
		.step = UINT64_MAX,
		.prompt = "",
		.tokens = 100,
		.samples = 1,
		.temperature = 0.8,
		.top_p = 0.95,
		.repetition = 1 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_threads_spin_briefly(argv);
	lu_tool_start(&tool, argc, argv, &o, &args);
	check_options(&o, &args);
	rc = run(&o, &args, &err);
	lu_list_release(&o.stop);
	return lu_tool_finish(rc, &err);
}
