#include "trainer/run/start.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/tool.h"
#include "trainer/data/tokfile.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/folder.h"
#include "trainer/run/hugging_face.h"
#include "trainer/run/init_model.h"

/* True if the sentence speaks of the key that a --set names. */
static bool is_about(const char *sentence, const char *set)
{
	const char *key = set, *dot, *at;
	size_t n;

	if (strncmp(key, "phase.", 6) == 0 && (dot = strchr(key + 6, '.')))
		key = dot + 1;
	n = strcspn(key, " \t=");
	for (at = sentence; (at = strstr(at, ".")); at++) {
		const char *from = at;

		while (from > sentence && islower((unsigned char)from[-1]))
			from--;
		if (strncmp(from, key, n) == 0 && !isalnum((unsigned char)from[n]) &&
				from[n] != '_')
			return true;
	}
	return false;
}

/* Say where a value that is wrong came from: the last --set of its key, or else the file. Returns
 * -1. */
int lt_start_blame(const char *path, const struct lu_list *set, struct lu_err *err)
{
	for (size_t i = set->n; i-- > 0;) {
		if (is_about(err->msg, set->item[i]))
			return lu_err_wrap(err, "--set %s", set->item[i]);
	}
	return path ? lu_err_wrap(err, "%s", path) : -1;
}

/* Leave one phase. Unless it is the first, it goes on from weights that must be named. */
static int choose_phase(struct lt_config *c, const char *phase, struct lu_err *err)
{
	struct lt_settings s;
	size_t i;

	if (lt_config_find(c, phase, &i, err) < 0 || lt_config_only(c, phase, err) < 0)
		return lu_err_wrap(err, "--phase %s", phase);
	if (lt_config_phase(c, 0, &s, err) < 0)
		return -1;
	if (i > 0 && !*s.train.init)
		return lu_err_set(err,
				"--phase %s: it is not the first phase: give the weights that it "
				"starts from, --set train.init=DIR",
				phase);
	return 0;
}

int lt_start_load(struct lt_config *c, const char *path, const struct lu_list *set,
		const char *phase, struct lu_err *err)
{
	if (lt_config_init(c, err) < 0 || lt_config_read(c, path, err) < 0)
		return -1;
	for (size_t i = 0; i < set->n; i++) {
		if (lt_config_set(c, set->item[i], err) < 0)
			return -1;
	}
	if (phase && choose_phase(c, phase, err) < 0)
		return -1;
	if (c->base.model.vocab == 0 && *c->base.data.tokenizer &&
			lt_tokfile_vocab(c->base.data.tokenizer, &c->base.model.vocab, err) < 0)
		return -1;
	return lt_config_check(c, err) < 0 ? lt_start_blame(path, set, err) : 0;
}

/* Refuse a data.tokenizer that differs from the one that the run has. It may be gone. */
static int check_tokenizer(const char *own, const char *given, struct lu_err *err)
{
	struct lt_digest a, b;

	if (access(given, F_OK) < 0)
		return 0;
	if (lt_file_digest(own, &a, err) < 0 || lt_file_digest(given, &b, err) < 0)
		return -1;
	if (a.bytes != b.bytes || strcmp(a.hash, b.hash) != 0)
		return lu_err_set(err,
				"data.tokenizer: %s is another tokenizer than %s; that of a run "
				"cannot change",
				given, own);
	return 0;
}

int lt_start_tokenizer(const char *run, const struct lt_config *c, char **path, struct lu_err *err)
{
	const char *given = c->base.data.tokenizer;

	*path = NULL;
	if (run && lt_folder_has(run, "tokenizer.json")) {
		*path = lu_concat(run, "/", "tokenizer.json");
		if (*path && *given)
			return check_tokenizer(*path, given, err);
	} else if (*given) {
		*path = strdup(given);
	} else {
		return 0;
	}
	return *path ? 0 : lu_err_nomem(err);
}

/* The line of metrics.jsonl that records the arguments of --set; empty without any. */
static void format_set(const struct lu_list *set, struct lu_buf *b)
{
	if (set->n == 0)
		return;
	lu_json_open_object(b, NULL);
	lu_json_open_array(b, "set");
	for (size_t i = 0; i < set->n; i++)
		lu_json_put_cstr(b, NULL, set->item[i]);
	lu_json_close_array(b);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

int lt_start_unchanged(const char *run, const struct lu_list *set, const char *phase,
		const struct lt_config *now, struct lu_err *err)
{
	char *path = lu_concat(run, "/", "config.ini");
	struct lt_config was = { 0 };
	char what[512];
	int rc = path ? lt_start_load(&was, path, set, phase, err) : lu_err_nomem(err);

	if (rc == 0 && lt_config_differ(&was, now, what, sizeof(what)))
		rc = lu_err_set(err, "%s: %s (%s)", path, what,
				strncmp(what, "model.", 6) == 0
						? "another model is a new run, with another -o"
				: strncmp(what, "phase ", 6) == 0 && !strstr(what, ": ")
						? "phases can be added behind those of a run; "
						  "others need a new run, with another -o"
						: "change it with --set");
	lt_config_release(&was);
	free(path);
	return rc;
}

/* True if config.ini has this text already: a start with the same --set again changes nothing. */
static bool is_recorded(const char *run, const struct lu_buf *config)
{
	char *path = lu_concat(run, "/", "config.ini"), *text = NULL;
	struct lu_err ignored;
	size_t n;
	bool same = path && lu_read_file(path, config->n + 1, &text, &n, &ignored) == 0 &&
			n == config->n && memcmp(text, config->p, n) == 0;

	free(text);
	free(path);
	return same;
}

static bool lacks_tokenizer(const char *run, const struct lt_config *now)
{
	return *now->base.data.tokenizer && !lt_folder_has(run, "tokenizer.json");
}

/* Find the chat template that the run is to keep, for exports: that beside its tokenizer, or else of the
 * model that it begins with. */
static int find_chat(const struct lt_config *now, struct lu_buf *chat, struct lu_err *err)
{
	const char *tokenizer = now->base.data.tokenizer, *slash = strrchr(tokenizer, '/');
	struct lt_settings s;
	char *dir;
	int rc = 0;

	if (*tokenizer) {
		dir = slash ? strndup(tokenizer,
					      slash > tokenizer ? (size_t)(slash - tokenizer) : 1)
			    : strdup(".");
		rc = dir ? lt_hf_chat_template(dir, chat, err) : lu_err_nomem(err);
		free(dir);
	}
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (lt_config_phase(now, 0, &s, err) < 0)
		return -1;
	return *s.train.init ? lt_init_chat(s.train.init, chat, err) : 0;
}

/* Find out whether the configuration has phases that the run did not have before, and name them. */
static int find_added(const struct lt_run *run, const struct lt_config *now, bool *added,
		struct lu_err *err)
{
	char *path = lu_concat(run->path, "/", "config.ini");
	struct lt_config was = { 0 };
	size_t had;
	int rc = path ? 0 : lu_err_nomem(err);

	if (rc == 0 && (lt_config_init(&was, err) < 0 || lt_config_read(&was, path, err) < 0))
		rc = -1;
	/* A file without phases has one. */
	had = was.phase.n ? was.phase.n : 1;
	*added = rc == 0 && had < now->phase.n;
	for (size_t i = had; *added && i < now->phase.n; i++)
		lu_note("phase %s is added to the run, behind %s", now->phase.p[i].name,
				now->phase.p[i - 1].name);
	lt_config_release(&was);
	free(path);
	return rc;
}

/* Write what this start changes: config.ini, and the tokenizer if the run has none. */
int lt_start_record(struct lt_run *run, const struct lu_list *set, const struct lt_config *now,
		bool fresh, struct lu_err *err)
{
	const char *tokenizer = now->base.data.tokenizer;
	struct lu_buf text = { 0 }, line = { 0 }, chat = { 0 };
	bool copy = lacks_tokenizer(run->path, now);
	struct lt_record r = { .tokenizer = copy ? tokenizer : NULL, .line = &line };
	bool added = false;
	int rc = fresh ? find_chat(now, &chat, err) : find_added(run, now, &added, err);

	lt_config_print(now, &text);
	format_set(set, &line);
	if (rc == 0)
		rc = lu_buf_check(&text, err);
	if (rc == 0)
		rc = lu_buf_check(&line, err);
	r.config = lu_buf_slice(&text);
	/* Before config.ini, with which the run has begun. */
	if (rc == 0 && chat.n)
		rc = lt_folder_write(run->path, "chat_template.jinja", lu_buf_slice(&chat), err);
	if (rc == 0 && (fresh || set->n || added) && (fresh || copy || !is_recorded(run->path, &text)))
		rc = lt_run_record(run, &r, err);
	lu_buf_release(&text);
	lu_buf_release(&line);
	lu_buf_release(&chat);
	return rc;
}

/* Refuse settings that can have no effect any more: what is recorded, and a tokenizer for a run
 * without one, are fine. */
int lt_start_has_effect(const char *run, const struct lu_list *set, const struct lt_config *now,
		struct lu_err *err)
{
	struct lu_buf text = { 0 };
	int rc;

	if (set->n == 0 || lacks_tokenizer(run, now))
		return 0;
	lt_config_print(now, &text);
	rc = lu_buf_check(&text, err);
	if (rc == 0 && !is_recorded(run, &text))
		rc = lu_err_set(err,
				"%s: the run is complete, --set %s%s changes nothing in it; a "
				"larger train.steps would continue it",
				run, set->item[0], set->n > 1 ? " ..." : "");
	lu_buf_release(&text);
	return rc;
}
