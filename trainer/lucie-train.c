/* lucie-train: trains a model from token shards, in phases, and resumes bit for bit. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/threads.h"
#include "libcommon/sys/tool.h"
#include "trainer/data/tokfile.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/alike.h"
#include "trainer/run/backend.h"
#include "trainer/run/config.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/folder.h"
#include "trainer/run/runfolder.h"
#include "trainer/run/shared_folder.h"
#include "trainer/run/start.h"
#include "trainer/run/stop.h"
#include "trainer/run/train.h"

struct options {
	struct lu_std std;
	const char *config, *init;
	char *init_set; /* what --init says as an argument of --set */
	struct lu_list set, skip;
	const char *phase, *until;
	bool print_config, dry_run, no_data, overcommit;
	uint64_t from;
	const char *time_limit, *time_margin;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('c', "config", struct options, config, "FILE", "configuration, lucie-config(5)"),
	LU_OPT_LIST(0, "set", struct options, set, "S.KEY=V", "set one key, after the file"),
	LU_OPT_STR(0, "init", struct options, init, "DIR", "begin with the model in DIR"),
	LU_OPT_STR(0, "phase", struct options, phase, "NAME", "train this phase alone"),
	LU_OPT_STR(0, "until", struct options, until, "NAME", "stop at the end of this phase"),
	LU_OPT_FLAG(0, "print-config", struct options, print_config,
			"print the effective configuration and stop"),
	LU_OPT_FLAG(0, "dry-run", struct options, dry_run, "print the cost of the run and stop"),
	LU_OPT_FLAG(0, "no-data", struct options, no_data, "let --dry-run do without the data"),
	LU_OPT_U64(0, "from-step", struct options, from, "N",
			"continue from step N (the last checkpoint)"),
	LU_OPT_LIST(0, "skip-samples", struct options, skip, "[PHASE:]A:B",
			"leave out samples A to B - 1 of the phase"),
	LU_OPT_FLAG(0, "overcommit", struct options, overcommit,
			"start although the memory seems too small"),
	LU_OPT_STR(0, "time-limit", struct options, time_limit, "TIME",
			"stop after TIME (before the end of Slurm's job)"),
	LU_OPT_STR(0, "time-margin", struct options, time_margin, "TIME",
			"stop TIME before that end (a tenth, at most 10m)"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-train", "trains a language model from token shards", "",
	opts, LU_STD_RUN | LU_STD_THREADS, offsetof(struct options, std) };

/* Record the start in the folder of rank 0, which has just been opened: the first thing that is
 * written. */
static int record_start(struct lt_run *run, const struct options *o, const struct lt_config *config,
		bool fresh, struct lu_err *err)
{
	if (fresh == lt_folder_has(run->path, "config.ini"))
		return lu_err_set(err, "%s: another trainer has just written to it; start again",
				run->path);
	return lt_start_record(run, &o->set, config, fresh, err);
}

/* Train in the folder, which all ranks must see. */
static int train_opened(const struct options *o, const struct lt_config *config, bool fresh,
		struct lt_comm *comm, struct lt_trainer *trainer, struct lt_run *run,
		struct lu_err *err)
{
	int rc = 0;

	if (lt_shared_folder_check(comm, run, err) < 0)
		return -1;
	if (run)
		rc = record_start(run, o, config, fresh, err);
	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0)
		return -1;
	return lt_train_run(trainer, run, err);
}

/* Rank 0 opens the folder for all. */
static int train_in(const struct options *o, const struct lt_config *config, bool fresh,
		struct lt_comm *comm, struct lt_trainer *trainer, struct lu_err *err)
{
	bool first = lt_comm_rank(comm) == 0;
	struct lu_err close_err;
	struct lt_run run;
	int opened = -1, closed = 0,
	    rc = first && lt_train_is_complete(trainer)
			? lt_start_has_effect(o->std.output, &o->set, config, err)
			: 0;

	if (first && rc == 0)
		rc = opened = lt_run_open(&run, o->std.output, err);
	rc = lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err);
	if (rc == 0)
		rc = train_opened(o, config, fresh, comm, trainer, first ? &run : NULL, err);
	if (first && opened == 0 && lt_run_close(&run, &close_err) < 0 && rc >= 0) {
		*err = close_err;
		closed = -1;
	}
	/* A launcher may end the others with the first that leaves. */
	return rc >= 0 && lt_comm_agree(comm, LT_CHANNEL_MAIN, closed, err) < 0 ? -1 : rc;
}

/* Rank 0 looks at the folder, and tells the others whether the run is new. */
static int check_run(const struct options *o, const struct lt_config *config, struct lt_comm *comm,
		bool *fresh, struct lu_err *err)
{
	int rc = 0;

	if (lt_comm_rank(comm) == 0) {
		*fresh = !lt_folder_has(o->std.output, "config.ini");
		rc = lt_run_check(o->std.output, err);
		if (rc == 0 && !*fresh)
			rc = lt_start_unchanged(o->std.output, &o->set, o->phase, config, err);
	}
	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0)
		return -1;
	return lt_comm_share(comm, LT_CHANNEL_MAIN, fresh, sizeof(*fresh), err);
}

static int train(const struct options *o, const struct lt_config *config, const char *tokenizer,
		const struct lt_backend *backend, struct lt_comm *comm, struct lu_err *err)
{
	bool fresh = true;
	struct lt_training what = {
		.config = config,
		.run = o->std.output,
		.comm = comm,
		.backend = backend,
		.tokenizer = tokenizer,
		.skip = &o->skip,
		.from = o->from,
		.until = SIZE_MAX,
		.overcommit = o->overcommit,
		.quiet = o->std.quiet,
	};
	struct lt_trainer *trainer;
	int rc = 0;

	if (o->until && lt_config_find(config, o->until, &what.until, err) < 0)
		rc = lu_err_wrap(err, "--until");
	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0 ||
			lt_alike_check(comm, &what, backend->ops->name, err) < 0 ||
			check_run(o, config, comm, &fresh, err) < 0)
		return -1;
	rc = lt_train_open(&trainer, &what, err);
	if (rc < 0)
		lt_start_blame(NULL, &o->set, err);
	if (rc == 0)
		rc = train_in(o, config, fresh, comm, trainer, err);
	if (rc < 0 && !lt_comm_agreed(comm))
		lt_comm_abort(comm, err->msg);
	lt_train_close(trainer);
	return rc;
}

/* A call of train() with the threads of -j. */
struct call {
	const struct options *o;
	const struct lt_config *config;
	const char *tokenizer;
	const struct lt_backend *backend;
	struct lt_comm *comm;
	struct lu_err *err;
};

static int train_in_team(void *ctx)
{
	struct call *c = ctx;

	return train(c->o, c->config, c->tokenizer, c->backend, c->comm, c->err);
}

/* Threads of this rank: those of -j, which are all that OpenMP may use unless given; ranks that share
 * the processors of a host divide them. */
static int threads_of(const struct options *o, const struct lt_comm *comm)
{
	size_t ranks = lt_comm_local_size(comm);
	int n = o->std.threads;

	if (ranks == 1 || getenv("OMP_NUM_THREADS") || n < lu_threads_online())
		return n;
	return n > (int)ranks ? n / (int)ranks : 1;
}

static int print(const struct lu_buf *text, struct lu_err *err)
{
	if (lu_buf_check(text, err) < 0)
		return -1;
	fwrite(text->p, 1, text->n, stdout);
	return 0;
}

/* Print what does not need the run to start; rank 0 for all. */
static int show(const struct options *o, const struct lt_config *config, const char *tokenizer,
		struct lu_err *err)
{
	struct lu_buf text = { 0 };
	struct lt_launch who;
	int rc = 0;

	if (lt_launch_detect(&who, err) == 0 && who.rank > 0)
		return 0;
	if (o->print_config)
		lt_config_print(config, &text);
	else
		rc = lt_dry_run(config, tokenizer, o->no_data, &text, err);
	if (rc == 0)
		rc = print(&text, err);
	lu_buf_release(&text);
	return rc;
}

static int show_in_team(void *ctx)
{
	struct call *c = ctx;

	return show(c->o, c->config, c->tokenizer, c->err);
}

static void notice(const char *sentence)
{
	lu_note("%s", sentence);
}

/* Meet the other ranks, and train with them. What this rank has failed at so far is in rc. */
static int train_together(const struct options *o, const struct lt_config *config,
		const char *tokenizer, int rc, struct lu_err *err)
{
	struct lt_comm_options options = { .deadline = rc ? 0 : config->base.parallel.deadline,
		.notice = notice };
	struct lu_err met_err, ignored;
	struct lt_launch who;
	struct lt_comm *comm;
	struct lt_backend backend;
	struct call c = { o, config, tokenizer, &backend, NULL, err };
	int met, chosen;

	met = lt_launch_detect(&who, &met_err);
	/* From here on a rank may have something to say that the others do not know. */
	if (met == 0 && who.rank > 0) {
		lu_tool_mute(false);
		/* One clock is enough, for all stop where one is asked to. */
		lt_stop_limit(0);
	}
	chosen = lt_backend_choose(&backend, config->base.train.device, config->base.train.dtype,
			rc == 0 ? err : &ignored);
	rc = rc == 0 ? chosen : rc;
	if (met < 0 || lt_comm_open(&comm, &who, backend.ops, &options, &met_err) < 0) {
		*err = met_err;
		return -1;
	}
	if (rc == 0 && backend.why_not[0])
		lu_note("training on the CPU: %s", backend.why_not);
	if (who.size > 1 && rc == 0)
		lu_note("%zu ranks over %s, %zu on this host", who.size,
				backend.gpu ? "nccl" : lt_comm_transport(comm),
				lt_comm_local_size(comm));
	rc = lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err);
	c.comm = comm;
	if (rc == 0)
		rc = lk_cpu_team(threads_of(o, comm), train_in_team, &c);
	if (rc < 0 && !lt_comm_speaks(comm))
		lu_tool_mute(true);
	lt_comm_close(comm);
	return rc;
}

/* Begin to count the time limit, which a job of Slurm sets by itself. */
static int set_limit(const struct options *o, struct lu_err *err)
{
	double seconds;

	if (lt_stop_seconds(o->time_limit, o->time_margin, getenv("SLURM_JOB_END_TIME"),
			    (double)time(NULL), &seconds, err) < 0)
		return -1;
	lt_stop_limit(seconds);
	return 0;
}

static int run_config(const struct options *o, const char *path, struct lu_err *err)
{
	struct lt_config config = { 0 };
	char *tokenizer = NULL;
	int rc = set_limit(o, err);

	if (rc == 0)
		rc = lt_start_load(&config, path, &o->set, o->phase, err);
	if (rc == 0)
		rc = lt_start_tokenizer(o->std.output, &config, &tokenizer, err);
	if (!o->print_config && !o->dry_run)
		rc = train_together(o, &config, tokenizer, rc, err);
	else if (rc == 0)
		rc = lk_cpu_team(o->std.threads, show_in_team,
				&(struct call){ o, &config, tokenizer, NULL, NULL, err });
	free(tokenizer);
	lt_config_release(&config);
	return rc;
}

/* --init DIR is --set train.init=DIR, after the others. */
static int add_init(struct options *o, struct lu_err *err)
{
	if (!o->init)
		return 0;
	o->init_set = lu_concat("train.init=", o->init, "");
	return o->init_set ? lu_opt_store(&opts[1], o, o->init_set, err) : lu_err_nomem(err);
}

/* An existing run continues with its own configuration, unless one is given. */
static int run(const struct options *o, struct lu_err *err)
{
	char *own = NULL;
	int rc;

	if (!o->config && o->std.output && lt_folder_has(o->std.output, "config.ini")) {
		own = lu_concat(o->std.output, "/", "config.ini");
		if (!own)
			return lu_err_nomem(err);
	}
	if (!o->config && !own)
		lu_usage_error("no configuration: give -c FILE, or -o RUN of an existing run");
	if (!o->std.output && !o->print_config && !o->dry_run)
		lu_usage_error("no run folder: give -o RUN");
	if (o->no_data && !o->dry_run)
		lu_usage_error("--no-data has no effect without --dry-run");
	if (o->until && (o->dry_run || o->print_config))
		lu_usage_error("--until has no effect where nothing is trained");
	if (o->skip.n && (o->dry_run || o->print_config))
		lu_usage_error("--skip-samples has no effect where nothing is trained");
	if (o->time_limit && o->time_margin)
		lu_usage_error("--time-margin is of the limit that a job of Slurm has: it does not "
			       "go "
			       "with --time-limit");
	rc = run_config(o, o->config ? o->config : own, err);
	free(own);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .from = UINT64_MAX };
	struct lt_launch who;
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc = lt_launch_detect(&who, &err);

	lu_threads_spin_briefly(argv);
	/* What rank 0 says about the arguments and half of an environment, it says for all. */
	if (who.rank > 0)
		lu_tool_mute(true);
	lu_tool_start(&tool, argc, argv, &o, &args);
	rc = add_init(&o, &err);
	if (rc == 0)
		rc = run(&o, &err);
	free(o.init_set);
	lu_list_release(&o.set);
	lu_list_release(&o.skip);
	return lu_tool_finish(rc, &err);
}
