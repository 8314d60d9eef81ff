/* lucie-train: trains a model from token shards, in phases, and resumes bit for bit. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/threads.h"
#include "libcommon/sys/tool.h"
#include "trainer/data/tokfile.h"
#include "trainer/run/budget.h"
#include "trainer/run/config.h"
#include "trainer/run/folder.h"
#include "trainer/run/runfolder.h"
#include "trainer/run/train.h"

struct options {
	struct lu_std std;
	const char *config;
	struct lu_list set;
	bool print_config, dry_run;
	uint64_t from;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('c', "config", struct options, config, "FILE", "configuration, lucie-config(5)"),
	LU_OPT_LIST(0, "set", struct options, set, "S.KEY=V", "set one key, after the file"),
	LU_OPT_FLAG(0, "print-config", struct options, print_config,
			"print the effective configuration and stop"),
	LU_OPT_FLAG(0, "dry-run", struct options, dry_run, "print the cost of the run and stop"),
	LU_OPT_U64(0, "from-step", struct options, from, "N",
			"continue from step N (the last checkpoint)"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-train", "trains a language model from token shards", "",
	opts, LU_STD_RUN | LU_STD_THREADS, offsetof(struct options, std) };

/* Read a configuration, apply --set, and check the result. */
static int load(struct lt_config *c, const char *path, const struct lu_list *set,
		struct lu_err *err)
{
	if (lt_config_init(c, err) < 0 || lt_config_read(c, path, err) < 0)
		return -1;
	for (size_t i = 0; i < set->n; i++) {
		if (lt_config_set(c, set->item[i], err) < 0)
			return -1;
	}
	if (c->base.model.vocab == 0 && *c->base.data.tokenizer &&
			lt_tokfile_vocab(c->base.data.tokenizer, &c->base.model.vocab, err) < 0)
		return -1;
	return lt_config_check(c, err) < 0 ? lu_err_wrap(err, "%s", path) : 0;
}

/* Log the arguments of --set. */
static int log_set(struct lt_run *run, const struct lu_list *set, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	lu_json_open_object(&b, NULL);
	lu_json_open_array(&b, "set");
	for (size_t i = 0; i < set->n; i++)
		lu_json_put_cstr(&b, NULL, set->item[i]);
	lu_json_close_array(&b);
	lu_json_close_object(&b);
	lu_buf_putc(&b, '\n');
	rc = lt_run_log(run, LT_METRICS, &b, err);
	lu_buf_release(&b);
	return rc;
}

/* Refuse a configuration that differs from that of the existing run in a key that --set does not
 * name. */
static int check_unchanged(const struct lt_run *run, const struct options *o,
		const struct lt_config *now, struct lu_err *err)
{
	char *path = lu_concat(run->path, "/", "config.ini");
	struct lt_config was = { 0 };
	char what[512];
	int rc = path ? load(&was, path, &o->set, err) : lu_err_nomem(err);

	if (rc == 0 && lt_config_differ(&was, now, what, sizeof(what)))
		rc = lu_err_set(err, "%s: %s (change it with --set)", path, what);
	lt_config_release(&was);
	free(path);
	return rc;
}

/* Write config.ini and, for a new run, the tokenizer. */
static int record(struct lt_run *run, const struct options *o, const struct lt_config *now,
		bool fresh, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc;

	lt_config_print(now, &text);
	rc = lu_buf_check(&text, err);
	if (rc == 0 && fresh && *now->base.data.tokenizer)
		rc = lt_folder_copy(now->base.data.tokenizer, run->path, "tokenizer.json", err);
	if (rc == 0)
		rc = lt_folder_write(run->path, "config.ini", lu_buf_slice(&text), err);
	if (rc == 0 && o->set.n)
		rc = log_set(run, &o->set, err);
	lu_buf_release(&text);
	return rc;
}

static int train(const struct options *o, const struct lt_config *config, struct lu_err *err)
{
	struct lt_run run;
	struct lt_training t = { .config = config, .run = &run, .from = o->from };
	struct lu_err close_err;
	bool fresh;
	int rc = 0;

	if (lt_run_open(&run, o->std.output, err) < 0)
		return -1;
	fresh = !lt_folder_has(run.path, "config.ini");
	if (!fresh)
		rc = check_unchanged(&run, o, config, err);
	if (rc == 0 && (fresh || o->set.n))
		rc = record(&run, o, config, fresh, err);
	if (rc == 0)
		rc = lt_train(&t, err);
	if (lt_run_close(&run, &close_err) < 0 && rc >= 0) {
		*err = close_err;
		rc = -1;
	}
	return rc;
}

/* A call of train() with the threads of -j. */
struct call {
	const struct options *o;
	const struct lt_config *config;
	struct lu_err *err;
};

static int train_in_team(void *ctx)
{
	struct call *c = ctx;

	return train(c->o, c->config, c->err);
}

static int print(const struct lu_buf *text, struct lu_err *err)
{
	if (lu_buf_check(text, err) < 0)
		return -1;
	fwrite(text->p, 1, text->n, stdout);
	return 0;
}

static int run_config(const struct options *o, const char *path, struct lu_err *err)
{
	struct lt_config config = { 0 };
	struct lu_buf text = { 0 };
	int rc = load(&config, path, &o->set, err);

	if (rc == 0 && o->print_config) {
		lt_config_print(&config, &text);
		rc = print(&text, err);
	} else if (rc == 0 && o->dry_run) {
		rc = lt_budget(&config, &text, err);
		if (rc == 0)
			rc = print(&text, err);
	} else if (rc == 0) {
		struct call c = { o, &config, err };

		rc = lk_cpu_team(o->std.threads, train_in_team, &c);
	}
	lu_buf_release(&text);
	lt_config_release(&config);
	return rc;
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
	rc = run_config(o, o->config ? o->config : own, err);
	free(own);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .from = UINT64_MAX };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_threads_spin_briefly(argv);
	lu_tool_start(&tool, argc, argv, &o, &args);
	rc = run(&o, &err);
	lu_list_release(&o.set);
	return lu_tool_finish(rc, &err);
}
