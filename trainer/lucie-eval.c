/* lucie-eval: scores text by language, source and position, and tasks, with a model. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/threads.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/eval/alone.h"
#include "trainer/eval/eval_report.h"
#include "trainer/eval/evaluate.h"
#include "trainer/eval/needle.h"
#include "trainer/eval/scored_text.h"
#include "trainer/export/teach.h"
#include "trainer/run/loaded_model.h"

enum windows { WINDOWS_STREAM, WINDOWS_DOCUMENT };

static const struct lu_enum windows[] = {
	{ "stream", WINDOWS_STREAM },
	{ "document", WINDOWS_DOCUMENT },
	LU_ENUM_END,
};

struct options {
	struct lu_std std;
	const char *tokenizer;
	struct lu_list tasks;
	const char *needle, *depths, *sentence, *name;
	bool needle_given, depths_given, samples_given, sentence_given;
	enum windows windows;
	bool windows_given, teacher_given;
	bool unigram, init, json;
	uint64_t step, context, samples, teacher;
	int batch;
	enum lt_compute dtype;
	enum lt_device device;
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST(0, "task", struct options, tasks, "[NAME=]FILE", "questions to be answered"),
	LU_OPT_STR_GIVEN(0, "needle", struct options, needle, needle_given, "LENGTHS",
			"hide a number in so many tokens of FILE"),
	LU_OPT_U64_GIVEN(0, "teacher", struct options, teacher, teacher_given, "N",
			"write N next tokens beside shards"),
	LU_OPT_STR(0, "name", struct options, name, "NAME", "of the teacher's files (teacher)"),
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE",
			"tokenizer.json for documents"),
	LU_OPT_FLAG(0, "unigram", struct options, unigram,
			"add the bits per byte of a unigram model"),
	LU_OPT_FLAG(0, "json", struct options, json, "print JSON instead of tables"),
	LU_OPT_GONE("table", "a table is what is printed now"),
	LU_OPT_FLAG(0, "init", struct options, init, "use the initial weights of the run"),
	LU_OPT_U64(0, "from-step", struct options, step, "N",
			"use the checkpoint of step N (the last)"),
	LU_OPT_U64(0, "context", struct options, context, "N", "tokens per window (the run's)"),
	LU_OPT_ENUM_GIVEN(0, "windows", struct options, windows, windows_given, windows,
			"of the stream of documents, or of each"),
	LU_OPT_INT(0, "batch", struct options, batch, "N", 1, 4096, "windows per forward pass"),
	LU_OPT_ENUM(0, "device", struct options, device, lt_devices, "what computes"),
	LU_OPT_ENUM(0, "dtype", struct options, dtype, lt_computes, "type of the activations"),
	LU_OPT_STR_GIVEN(0, "depths", struct options, depths, depths_given, "PERCENT",
			"where needles are hidden"),
	LU_OPT_U64_GIVEN(0, "samples", struct options, samples, samples_given, "N",
			"needles of each length and depth"),
	LU_OPT_STR_GIVEN(0, "sentence", struct options, sentence, sentence_given, "TEXT",
			"of a needle, with {} for its number (English)"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-eval",
	"measures a model: loss by language, source and position, and tasks", "RUN [FILE...]", opts,
	LU_STD_THREADS | LU_STD_FIELDS | LU_STD_RECORDS | LU_STD_STATS | LU_STD_SEED |
			LU_STD_PROGRESS,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	const char *path; /* of the model, as given */
	struct lt_loaded_model model;
	struct lu_tok *tok; /* NULL for shards, unless a task or needle needs it */
	size_t context;
	struct lu_progress progress;
	bool scores_text; /* the files are scored; otherwise they are hay, or there are none */
	struct lt_text text;
	struct lt_tasks tasks;
	struct lt_task_result *result; /* of the tasks, then of the lengths of the needle */
	size_t results;
	struct lu_arena names;
	struct lt_needle needle;
};

/* --- text ------------------------------------------------------------------------------------ */

static int check_shard(void *ctx, const struct lu_shard *shard, struct lu_err *err)
{
	return lt_loaded_model_check_shard(ctx, shard, err);
}

static int read_shards(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	const struct lu_std *std = &r->o->std;

	if (std->stats)
		return lu_err_set(
				err, "--stats counts documents, and %s is a shard", args->file[0]);
	if (lu_std_for_documents(std))
		return lu_err_set(err,
				"%s is a shard, which has no records: --text-field, --map, "
				"--rejects and --max-bad have no effect",
				args->file[0]);
	return lt_text_shards(&r->text, args->file, args->files, check_shard, &r->model, err);
}

/* Load the tokenizer, unless it is there. */
static int need_tokenizer(struct run *r, struct lu_err *err)
{
	return r->tok ? 0 : lt_loaded_model_tokenizer(&r->model, &r->tok, err);
}

/* Read the files: every operand is a shard, or none is. */
static int open_text(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	bool shards;
	int rc;

	if (lt_text_are_shards(args->file, args->files, &shards, err) < 0)
		return -1;
	r->text.languages.vocab = r->o->unigram ? r->model.w->table.shape.vocab : 0;
	if (shards)
		rc = read_shards(r, args, err);
	else if (need_tokenizer(r, err) < 0)
		rc = -1;
	else
		rc = lt_text_documents(&r->text, &r->o->std, args, r->tok, err);
	/* Bytes by position need the pieces; where there is no tokenizer they are unknown. */
	if (rc == 0 && (r->model.tokenizer || r->o->windows == WINDOWS_DOCUMENT))
		rc = need_tokenizer(r, err);
	return rc < 0 ? -1 : lt_text_open(&r->text, r->context, err);
}

static void show_progress(void *ctx, uint64_t n)
{
	lu_progress_update(&((struct run *)ctx)->progress, n, 0);
}

static int score_text(struct run *r, struct lu_err *err)
{
	struct lt_weights *w = r->model.w;
	const struct lt_text_scoring how = { .w = w,
		.tok = r->tok,
		.alone = r->o->windows == WINDOWS_DOCUMENT,
		.context = r->context,
		.batch = (size_t)r->o->batch,
		.done = show_progress,
		.ctx = r };
	int rc;

	if (lt_corpus_tokens(r->text.corpus) < 2)
		return lu_err_set(err, "nothing to score: fewer than two tokens");
	if (r->tok && lt_positions_bytes(&r->text.positions, r->tok, w->table.shape.vocab, err) < 0)
		return -1;
	if (lt_corpus_check(r->text.corpus, w->table.shape.vocab, "", err) < 0)
		return -1;
	lu_progress_start_units(&r->progress, tool.name, r->o->std.progress,
			lt_corpus_tokens(r->text.corpus), "tokens");
	rc = lt_score_text(&r->text, &how, err);
	lu_progress_end(&r->progress);
	return rc;
}

/* --- tasks ----------------------------------------------------------------------------------- */

static int answer_tasks(struct run *r, struct lu_err *err)
{
	const struct lt_answering how = { .w = r->model.w,
		.tok = r->tok,
		.context = r->context,
		.batch = (size_t)r->o->batch,
		.done = show_progress,
		.ctx = r };
	int rc = 0;

	for (size_t i = 0; i < r->tasks.task.n && rc == 0; i++) {
		const struct lt_task *task = &r->tasks.task.p[i];
		struct lt_task_result *out = &r->result[r->results++];

		lu_progress_start_units(&r->progress, tool.name, r->o->std.progress,
				lt_task_questions(task), "questions");
		rc = lt_answer(&how, task, out, err);
		lu_progress_end(&r->progress);
		if (rc == 0 && out->cut)
			lu_note("%s: %" PRIu64 " of %zu contexts are longer than %zu tokens and "
				"lost their beginning",
					task->name.p, out->cut, task->item.n, r->context);
	}
	return rc;
}

/* --- needle ---------------------------------------------------------------------------------- */

static int find_needles(struct run *r, struct lu_err *err)
{
	struct lt_needle *n = &r->needle;
	int rc = lt_corpus_check(r->text.corpus, r->model.w->table.shape.vocab, "", err);

	if (rc == 0)
		rc = lt_needle_init(n, r->tok, r->text.corpus, r->context, err);
	if (rc == 0) {
		lu_progress_start_units(&r->progress, tool.name, r->o->std.progress,
				n->lengths * n->depths * n->samples, "needles");
		rc = lt_needle_run(n, r->model.w, show_progress, r, err);
		lu_progress_end(&r->progress);
	}
	if (rc == 0)
		rc = lt_needle_results(n, r->result + r->results, &r->names, err);
	r->results += n->lengths;
	return rc;
}

/* --- report ---------------------------------------------------------------------------------- */

static int report(struct run *r, struct lu_err *err)
{
	const struct lt_eval_report what = { .model = r->path,
		.step = r->model.pos.step,
		.dtype = r->model.ops->act == LK_BF16 ? "bf16" : "fp32",
		.context = r->context,
		.seed = r->o->std.seed,
		.batch = (uint64_t)r->o->batch,
		.text = r->scores_text ? &r->text : NULL,
		.alone = r->o->windows == WINDOWS_DOCUMENT,
		.result = r->result,
		.results = r->results,
		.needle = r->o->needle_given ? &r->needle : NULL,
		.tok = r->tok };
	struct lu_buf b = { 0 };
	int rc = lt_eval_report(&what, r->o->json, &b, err);

	if (rc == 0)
		fwrite(b.p, 1, b.n, stdout);
	lu_buf_release(&b);
	return rc;
}

/* --- the run --------------------------------------------------------------------------------- */

/* A call of evaluate() with the threads of -j. */
struct call {
	struct run *r;
	const struct lu_args *shards;
	struct lu_err *err;
};

static int evaluate(void *ctx)
{
	struct call *c = ctx;
	struct run *r = c->r;

	if (r->scores_text && score_text(r, c->err) < 0)
		return -1;
	if (answer_tasks(r, c->err) < 0)
		return -1;
	return r->o->needle_given ? find_needles(r, c->err) : 0;
}

static int teach(void *ctx)
{
	struct call *c = ctx;
	const struct options *o = c->r->o;
	struct lt_loaded_model *m = &c->r->model;
	struct lt_teaching t = { m->w, m->tokenizer, check_shard, m, o->name, o->teacher,
		c->r->context, (size_t)o->batch, tool.name, o->std.progress };

	return lt_teach(&t, c->shards->file, c->shards->files, c->err);
}

/* Read the text; `files` NULL: there are none. */
static int open_all(struct run *r, const struct lu_args *files, struct lu_err *err)
{
	const struct options *o = r->o;

	r->needle = (struct lt_needle){
		.sentence = o->sentence, .samples = o->samples, .seed = o->std.seed
	};
	if (o->needle_given && lt_needle_grid(&r->needle, o->needle, o->depths, err) < 0)
		return -1;
	r->result = calloc(r->tasks.task.n + r->needle.lengths + 1, sizeof(*r->result));
	if (!r->result)
		return lu_err_nomem(err);
	if ((o->tasks.n || o->needle_given) && need_tokenizer(r, err) < 0)
		return -1;
	r->scores_text = files && !o->needle_given;
	return files ? open_text(r, files, err) : 0;
}

/* Read the tasks, before a model that may be large, which is packed where it writes. */
static int read_tasks(struct run *r, struct lt_model_spec *spec, struct lu_err *err)
{
	spec->generate = r->o->needle_given;
	for (size_t i = 0; i < r->o->tasks.n; i++) {
		if (lt_tasks_read(&r->tasks, r->o->tasks.item[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->tasks.task.n; i++)
		spec->generate |= r->tasks.task.p[i].kind == LT_TASK_TEXT;
	return 0;
}

static int run(const struct options *o, const struct lu_args *all, struct lu_err *err)
{
	static char dash[] = "-", *standard_input[] = { dash, NULL };
	struct lt_model_spec spec = { .path = all->file[0],
		.step = o->step,
		.init = o->init,
		.tokenizer = o->tokenizer,
		.compute = o->dtype,
		.device = o->device };
	struct run r = { .o = o, .path = all->file[0] };
	struct lu_args args = *all;
	struct call c = { &r, &args, err };
	bool none = all->files == 1 && o->tasks.n && !o->needle_given;
	int rc;

	args.file = all->files > 1 ? all->file + 1 : standard_input;
	args.files = all->files > 1 ? all->files - 1 : 1;
	if (read_tasks(&r, &spec, err) < 0 || lt_loaded_model_open(&r.model, &spec, err) < 0) {
		lt_tasks_release(&r.tasks);
		return -1;
	}
	r.context = o->context ? o->context : r.model.pos.context;
	rc = o->teacher_given ? 0 : open_all(&r, none ? NULL : &args, err);
	if (rc == 0)
		rc = lk_cpu_team(o->std.threads, o->teacher_given ? teach : evaluate, &c);
	if (rc == 0 && !o->teacher_given)
		rc = report(&r, err);
	lt_needle_release(&r.needle);
	lt_text_release(&r.text);
	lt_tasks_release(&r.tasks);
	free(r.result);
	lu_arena_release(&r.names);
	lu_tok_free(r.tok);
	lt_loaded_model_close(&r.model);
	return rc;
}

/* Refuse options without effect. */
static void check_options(const struct options *o, const struct lu_args *args)
{
	if (args->file[0][0] == '-')
		lu_usage_error("give a model, then files");
	if (o->init && o->step != UINT64_MAX)
		lu_usage_error("--init and --from-step exclude each other");
	if (!o->needle_given && (o->depths_given || o->samples_given || o->sentence_given))
		lu_usage_error("--depths, --samples and --sentence are for --needle");
	if (o->needle_given && o->unigram)
		lu_usage_error("--unigram is for text that is scored, and --needle hides numbers "
			       "in it");
	if (o->windows_given && (o->needle_given || (o->tasks.n && args->files == 1)))
		lu_usage_error("--windows is for text that is scored");
	if (o->tasks.n && args->files == 1 && !o->needle_given &&
			(o->unigram || o->std.stats || lu_std_for_documents(&o->std)))
		lu_usage_error("without documents to be scored beside the tasks, --unigram, "
			       "--stats, --text-field, --map, --rejects and --max-bad have no "
			       "effect");
	if (o->name && !o->teacher_given)
		lu_usage_error("--name is for --teacher");
	if (o->teacher_given &&
			(o->tasks.n || lu_std_for_documents(&o->std) || o->windows_given ||
					o->needle_given || o->unigram || o->json || o->std.stats))
		lu_usage_error("--teacher takes shards, and measures nothing");
	if (o->teacher && args->files == 1)
		lu_usage_error("--teacher needs shards, beside which it writes: RUN PREFIX ...");
	if (o->needle_given && o->samples == 0)
		lu_usage_error("--samples 0 leaves nothing to find");
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS,
		.step = UINT64_MAX,
		.batch = 8,
		.depths = "0,25,50,75,100",
		.samples = 5,
		.sentence = LT_NEEDLE_SENTENCE };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_threads_spin_briefly(argv);
	lu_tool_start(&tool, argc, argv, &o, &args);
	check_options(&o, &args);
	rc = run(&o, &args, &err);
	lu_list_release(&o.tasks);
	return lu_tool_finish(rc, &err);
}
