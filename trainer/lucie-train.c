/* lucie-train: trains a model from token shards, in phases, and resumes bit for bit. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/tool.h"
#include "trainer/data/tokfile.h"
#include "trainer/run/budget.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/runfolder.h"
#include "trainer/run/settings.h"
#include "trainer/run/train.h"

struct config {
	struct lu_std std;
	const char *file;
	struct lu_list set;
	bool print, dry;
	uint64_t from;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('c', "config", struct config, file, "FILE", "configuration, lucie-config(5)"),
	LU_OPT_LIST(0, "set", struct config, set, "S.KEY=V", "set one key, after the file"),
	LU_OPT_FLAG(0, "print-config", struct config, print, "print what would hold, and stop"),
	LU_OPT_FLAG(0, "dry-run", struct config, dry, "print what it would cost, and stop"),
	LU_OPT_U64(0, "from-step", struct config, from, "N", "continue from this checkpoint"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-train", "trains a language model from token shards", "",
	opts, LU_STD_OUTNAME | LU_STD_THREADS, offsetof(struct config, std) };

/* Reads a file and the settings of --set, and checks the whole. */
static int load(struct lt_config *c, const char *file, const struct lu_list *set,
		struct lu_err *err)
{
	if (lt_config_init(c, err) < 0)
		return -1;
	if (lt_config_read(c, file, err) < 0)
		return -1;
	for (size_t i = 0; i < set->n; i++) {
		if (lt_config_set(c, set->item[i], err) < 0)
			return -1;
	}
	if (c->base.model.vocab == 0 && *c->base.data.tokenizer &&
			lt_tokfile_vocab(c->base.data.tokenizer, &c->base.model.vocab, err) < 0)
		return -1;
	return lt_config_check(c, err) < 0 ? lu_err_wrap(err, "%s", file) : 0;
}

/* One line in the log: what this start changed. */
static int log_settings(struct lt_run *run, const struct lu_list *set, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	lu_buf_puts(&b, "{\"set\":[");
	for (size_t i = 0; i < set->n; i++) {
		lu_buf_puts(&b, i ? "," : "");
		lu_json_quote(&b, lu_str_of(set->item[i]));
	}
	lu_buf_puts(&b, "]}\n");
	rc = lt_run_log(run, LT_METRICS, &b, err);
	lu_buf_release(&b);
	return rc;
}

/*
 * A run that exists goes on under its own configuration. The one given now may differ from it
 * in what --set names, and in nothing else.
 */
static int agree(struct lt_run *run, const struct config *c, const struct lt_config *now,
		struct lu_err *err)
{
	char *path = lt_run_path(run->path, "config.ini");
	struct lt_config was = { 0 };
	char what[512];
	int rc = path ? load(&was, path, &c->set, err) : lu_err_nomem(err);

	if (rc == 0 && lt_config_differ(&was, now, what, sizeof(what)))
		rc = lu_err_set(err, "%s: %s (--set changes it on purpose)", path, what);
	lt_config_release(&was);
	free(path);
	return rc;
}

/* config.ini and the tokenizer, for a new run or one that --set changes. */
static int record(struct lt_run *run, const struct config *c, const struct lt_config *now,
		bool fresh, struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc;

	lt_config_print(now, &text);
	rc = lu_buf_check(&text, err);
	if (rc == 0 && fresh && *now->base.data.tokenizer)
		rc = lt_run_copy(now->base.data.tokenizer, run->path, "tokenizer.json", err);
	if (rc == 0)
		rc = lt_run_write(run, "config.ini", lu_buf_slice(&text), err);
	if (rc == 0 && c->set.n)
		rc = log_settings(run, &c->set, err);
	lu_buf_release(&text);
	return rc;
}

static int print(const struct lu_buf *text, struct lu_err *err)
{
	if (lu_buf_check(text, err) < 0)
		return -1;
	fwrite(text->p, 1, text->n, stdout);
	return 0;
}

static int train(const struct config *c, const struct lt_config *now, struct lu_err *err)
{
	struct lt_training t = { .config = now, .from = c->from };
	struct lu_err closing;
	struct lt_run run;
	bool fresh;
	int rc = 0;

	if (lt_run_open(&run, c->std.output, err) < 0)
		return -1;
	t.run = &run;
	fresh = !lt_run_has(run.path, "config.ini");
	if (!fresh)
		rc = agree(&run, c, now, err);
	if (rc == 0 && (fresh || c->set.n))
		rc = record(&run, c, now, fresh, err);
	if (rc == 0)
		rc = lt_train(&t, err);
	if (lt_run_close(&run, &closing) < 0 && rc >= 0) {
		*err = closing;
		rc = -1;
	}
	return rc;
}

static int run(struct config *c, struct lu_err *err)
{
	struct lt_config now = { 0 };
	struct lu_buf text = { 0 };
	char *own = NULL;
	int rc;

	if (!c->file && c->std.output && lt_run_has(c->std.output, "config.ini")) {
		own = lt_run_path(c->std.output, "config.ini");
		if (!own)
			return lu_err_nomem(err);
		c->file = own;
	}
	if (!c->file)
		lu_usage_error("no configuration: give -c FILE, or -o RUN of a run that exists");
	if (!c->std.output && !c->print && !c->dry)
		lu_usage_error("no run folder: give -o RUN");
	omp_set_num_threads(c->std.threads);
	rc = load(&now, c->file, &c->set, err);
	if (rc == 0 && c->print) {
		lt_config_print(&now, &text);
		rc = print(&text, err);
	} else if (rc == 0 && c->dry) {
		rc = lt_budget(&now, &text, err);
		rc = rc < 0 ? rc : print(&text, err);
	} else if (rc == 0) {
		rc = train(c, &now, err);
	}
	lu_buf_release(&text);
	lt_config_release(&now);
	free(own);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS, .from = UINT64_MAX };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &c, &args);
	rc = run(&c, &err);
	lu_list_release(&c.set);
	return lu_tool_finish(rc, &err);
}
