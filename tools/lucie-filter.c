/*
 * lucie-filter: drops documents that fail quality rules.
 * Gopher (Rae et al. 2021), FineWeb (Penedo et al. 2024) and FineWeb-2; see filter/measures.h.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/filter/rules.h"
#include "libcommon/par/docstream.h"

struct config {
	struct lu_std std;
	struct lu_list preset, set;
	bool list, annotate;
	const char *lang;
	double min_lang_score;

	struct lu_rules rules;
	struct lu_measurer *measurer;
	const struct lu_docstream *stream;
};

/* A thread's buffers and counts. */
struct worker {
	struct lu_measures measures;
	uint64_t no_list; /* documents of languages without stop words */
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST(0, "preset", struct config, preset, "NAME",
			"gopher, fineweb, fineweb2-fr, lucie-web"),
	LU_OPT_LIST(0, "set", struct config, set, "RULE=X", "change, add or take out (off) a rule"),
	LU_OPT_DOUBLE(0, "min-lang-score", struct config, min_lang_score, "X", 0, 1,
			"drop a lang_score below X, or none"),
	LU_OPT_STR(0, "lang", struct config, lang, "LANG", "stop words of LANG for all documents"),
	LU_OPT_FLAG(0, "annotate", struct config, annotate,
			"keep all, add what was measured as \"quality\""),
	LU_OPT_FLAG(0, "list", struct config, list, "print the rules and their sources"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-filter", "drops documents that fail quality rules",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct config, std) };

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_measures_release(&w->measures);
}

static enum lu_stop_list stop_list(const struct config *c, struct lu_doc *doc)
{
	struct lu_str lang;

	if (c->lang)
		return lu_stop_list(lu_str_of(c->lang));
	return lu_doc_string(doc, "lang", &lang) ? lu_stop_list(lang) : LU_STOP_NONE;
}

/* "quality":{"words":120,...}: to six decimals, so that sums of other machines print the same. */
static int annotate(struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	struct lu_str kept = { NULL, 0 };
	int rc = 0;

	for (int i = 0; i < LU_MEASURES && rc == 0; i++) {
		char text[32];
		double v;

		if (i == LU_M_STOP_WORDS && w->measures.stop == LU_STOP_NONE)
			continue;
		rc = lu_measures_get(&w->measures, i, &v, err);
		lu_num_format(round(v * 1e6) / 1e6, text);
		lu_buf_printf(&b, "%s\"%s\":%s", b.n ? "," : "{", lu_measure_name(i), text);
	}
	lu_buf_putc(&b, '}');
	if (rc == 0 && lu_buf_ok(&b))
		kept = lu_arena_str(doc->arena, lu_buf_slice(&b));
	lu_buf_release(&b);
	if (rc < 0)
		return -1;
	return kept.p ? lu_doc_set(doc, "quality", kept) : lu_err_nomem(err);
}

static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker *w = local;
	const struct lu_rule *failed;
	double value;

	if (c->min_lang_score > 0 && !c->annotate) {
		const struct lu_json_member *m = lu_json_get(&doc->obj, "lang_score");

		if (!m || !lu_json_double(m, &value) || value < c->min_lang_score)
			return lu_doc_drop(doc, "lang_score", m ? &m->value : NULL);
	}
	if (c->rules.n == 0 && !c->annotate)
		return 0;
	lu_measures_start(c->measurer, &w->measures, doc->text, stop_list(c, doc));
	w->no_list += w->measures.stop == LU_STOP_NONE;
	if (c->annotate)
		return annotate(w, doc, err);
	if (lu_rules_judge(&c->rules, &w->measures, &failed, &value, err) < 0)
		return -1;
	if (!failed)
		return 0;
	return lu_doc_drop_number(doc, failed->reason, value);
}

/* ,"no_stop_words":12: documents of languages without a list. */
static int totals(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct config *c = ctx;
	uint64_t no_list = 0;

	for (size_t i = 0; i < c->stream->locals; i++)
		no_list += ((const struct worker *)c->stream->local[i])->no_list;
	lu_buf_puts(&stats->extra, ",\"no_stop_words\":");
	lu_buf_u64(&stats->extra, no_list);
	return lu_buf_check(&stats->extra, err);
}

/* A wrong word ends the program as wrong usage; -1 is trouble, memory. */
static int rules_from_options(struct config *c, struct lu_err *err)
{
	for (size_t i = 0; i < c->preset.n; i++) {
		if (lu_rules_preset(&c->rules, c->preset.item[i], err) < 0) {
			if (err->errnum)
				return -1;
			lu_usage_error("--preset: %s", err->msg);
		}
	}
	for (size_t i = 0; i < c->set.n; i++) {
		if (lu_rules_set(&c->rules, c->set.item[i], err) < 0) {
			if (err->errnum)
				return -1;
			lu_usage_error("--set: %s", err->msg);
		}
	}
	if (c->lang && lu_stop_list(lu_str_of(c->lang)) == LU_STOP_NONE)
		lu_usage_error("--lang: there are stop words for en and fr only, not for '%s'",
				c->lang);
	return 0;
}

/* The rules in effect; without any, those of all presets. */
static int list(struct config *c, struct lu_err *err)
{
	struct lu_buf out = { 0 };
	int rc = 0;

	for (int i = 0; i < LU_RULES_PRESETS && c->rules.n == 0 && rc == 0; i++) {
		struct lu_rules r = { 0 };

		rc = lu_rules_preset(&r, lu_rules_preset_name(i), err);
		lu_rules_list(&r, &out);
		lu_rules_release(&r);
	}
	lu_rules_list(&c->rules, &out);
	if (rc == 0)
		rc = lu_buf_check(&out, err);
	if (rc == 0)
		fputs(out.p, stdout);
	lu_buf_release(&out);
	return rc;
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = c,
		.map = judge,
		.local_size = sizeof(struct worker),
		.local_free = worker_free,
		.finish = totals,
		.flags = LU_DOCSTREAM_SELECTS };

	if (c->rules.n == 0 && c->min_lang_score == 0 && !c->annotate)
		lu_note("no rule given: every document passes");
	c->measurer = lu_measurer_new(err);
	c->stream = &ds;
	return c->measurer ? lu_docstream_run(&ds, &c->std, args, err) : -1;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &c, &args);
	rc = rules_from_options(&c, &err);
	if (rc == 0)
		rc = c.list ? list(&c, &err) : run(&c, &args, &err);
	lu_measurer_free(c.measurer);
	lu_rules_release(&c.rules);
	lu_list_release(&c.preset);
	lu_list_release(&c.set);
	return lu_tool_finish(rc, &err);
}
