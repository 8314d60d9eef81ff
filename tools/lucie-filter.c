/*
 * lucie-filter: drops documents that fail quality rules: those of Gopher (Rae et al. 2021), FineWeb
 * (Penedo et al. 2024) and FineWeb-2, see filter/measures.h and filter/rules.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/filter/decontaminate.h"
#include "libcommon/filter/judges.h"
#include "libcommon/filter/pii_judge.h"
#include "libcommon/filter/rules.h"
#include "libcommon/filter/url_list.h"
#include "libcommon/text/lang_code.h"

struct options {
	struct lu_std std;
	struct lu_list preset, set, url_list, url_keep, decontaminate;
	bool list, annotate;
	const char *stop_words; /* language */
	double min_score;
	enum lu_pii_how pii;
	const char *pii_kinds, *pii_spans;
	struct lu_decontaminate_options bench;
	int bench_min;
	bool pii_given;
};

struct run {
	const struct options *o;
	struct lu_rules rules;
	struct lu_measurer *measurer;
	uint64_t no_stop_words; /* documents in languages without a list of stop words */
	struct lu_url_run urls;
	struct lu_decontaminate bench;
	struct lu_pii_run pii;
};

/* A thread's state. */
struct worker {
	struct lu_measures measures;
	struct lu_buf json;
	uint64_t no_stop_words;
};

/* Completion offers them; lu_stop_list() decides. */
static const struct lu_enum stop_languages[] = {
	{ "en", LU_STOP_EN },
	{ "fr", LU_STOP_FR },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST_OF(0, "preset", struct options, preset, "NAME", lu_rules_presets,
			"gopher, fineweb, fineweb2-fr, lucie-web"),
	LU_OPT_LIST(0, "set", struct options, set, "RULE=X", "change, add or remove (off) a rule"),
	LU_OPT_DOUBLE(0, "min-score", struct options, min_score, "X", 0, 1,
			"drop a lang_score below X, or none"),
	LU_OPT_ALIAS("min-lang-score", "min-score"),
	LU_OPT_STR_OF(0, "stop-words", struct options, stop_words, "LANG", stop_languages,
			"stop words of LANG for all documents"),
	LU_OPT_ALIAS("lang", "stop-words"),
	LU_OPT_LIST(0, "url-list", struct options, url_list, "FILE",
			"drop what these domains or URLs cover"),
	LU_OPT_LIST(0, "url-keep", struct options, url_keep, "FILE", "keep only what these cover"),
	LU_OPT_LIST(0, "decontaminate", struct options, decontaminate, "FILE",
			"drop what holds items of a benchmark"),
	LU_OPT_DOUBLE(0, "decontaminate-share", struct options, bench.share, "X", 0, 1,
			"least share of an item"),
	LU_OPT_INT(0, "decontaminate-min", struct options, bench_min, "N", 1, LU_GRAM_WORDS,
			"words of the shortest item"),
	LU_OPT_STR(0, "decontaminate-report", struct options, bench.report, "FILE",
			"name document, item, n-gram, share"),
	LU_OPT_ENUM_GIVEN(0, "pii", struct options, pii, pii_given, lu_pii_hows,
			"e-mail, IP, telephone, IBAN"),
	LU_OPT_STR(0, "pii-kinds", struct options, pii_kinds, "KIND,...",
			"only of email, ip, phone, iban"),
	LU_OPT_STR(0, "pii-spans", struct options, pii_spans, "FILE",
			"what --pii spans writes and apply reads"),
	LU_OPT_FLAG(0, "annotate", struct options, annotate,
			"keep all, add the measures as \"quality\""),
	LU_OPT_FLAG(0, "list", struct options, list, "print the rules and their sources"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-filter", "drops documents that fail quality rules",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct options, std) };

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_measures_release(&w->measures);
	lu_buf_release(&w->json);
}

static enum lu_stop_list stop_list(const struct options *o, struct lu_doc *doc)
{
	struct lu_str lang;

	if (o->stop_words)
		return lu_stop_list(lu_str_of(o->stop_words));
	return lu_doc_string(doc, "lang", &lang) ? lu_stop_list(lang) : LU_STOP_NONE;
}

/* Add "quality":{"words":120,...}. Six decimals hide what other machines round differently. */
static int annotate(struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_buf *b = &w->json;

	lu_buf_clear(b);
	lu_json_open_object(b, NULL);
	for (int i = 0; i < LU_MEASURES; i++) {
		double v;

		if (i == LU_M_STOP_WORDS && w->measures.stop == LU_STOP_NONE)
			continue;
		if (lu_measures_get(&w->measures, i, &v, err) < 0)
			return -1;
		if (lu_measure_is_count(i))
			lu_json_put_u64(b, lu_measure_name(i), (uint64_t)v);
		else
			lu_json_put_double(b, lu_measure_name(i), round(v * 1e6) / 1e6);
	}
	lu_json_close_object(b);
	return lu_doc_set_json(doc, "quality", b, err);
}

static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	const struct options *o = r->o;
	struct worker *w = local;
	const struct lu_rule *failed;
	double value;

	if (o->min_score > 0 && !o->annotate) {
		const struct lu_json_member *m = lu_json_get(&doc->obj, "lang_score");

		if (!m || !lu_json_double(m, &value))
			return lu_doc_drop(doc, "lang_score", m ? &m->value : NULL);
		if (value < o->min_score)
			return lu_doc_drop_number(doc, "lang_score", value);
	}
	if (r->rules.n == 0 && !o->annotate)
		return 0;
	lu_measures_start(r->measurer, &w->measures, doc->text, stop_list(o, doc));
	w->no_stop_words += w->measures.stop == LU_STOP_NONE;
	if (o->annotate)
		return annotate(w, doc, err);
	if (lu_rules_judge(&r->rules, &w->measures, &failed, &value, err) < 0)
		return -1;
	if (!failed)
		return 0;
	return lu_doc_drop_number(doc, failed->reason, value);
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	struct run *r = ctx;
	const struct worker *w = local;

	(void)err;
	r->no_stop_words += w->no_stop_words;
	return 0;
}

static int add_totals(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct run *r = ctx;

	lu_json_put_u64(&stats->extra, "no_stop_words", r->no_stop_words);
	return lu_buf_check(&stats->extra, err);
}

static __attribute__((noreturn)) void unknown_stop_words(const char *given)
{
	char meant[LU_LANG_CODE_MAX];

	lu_lang_code_meant(lu_str_of(given), meant);
	if (lu_stop_list(lu_str_of(meant)) != LU_STOP_NONE)
		lu_usage_error("--stop-words: unknown language '%s', did you mean '%s'", given,
				meant);
	lu_usage_error("--stop-words: stop words exist for en and fr, not for '%s'", given);
}

/* Two thresholds of one rule are a slip, as a key set twice in a file is. */
static void refuse_doubled(const struct lu_list *set)
{
	for (size_t i = 1; i < set->n; i++) {
		size_t n = strcspn(set->item[i], "=") + 1;

		for (size_t k = 0; k < i; k++) {
			if (strncmp(set->item[k], set->item[i], n) == 0)
				lu_usage_error("--set: %.*s is set twice, '%s' and '%s'",
						(int)n - 1, set->item[i], set->item[k],
						set->item[i]);
		}
	}
}

/* Exits on a wrong name or value. */
static void read_rules(struct lu_rules *rules, const struct options *o)
{
	struct lu_err err = { 0 };

	for (size_t i = 0; i < o->preset.n; i++) {
		if (lu_rules_preset(rules, o->preset.item[i], &err) < 0)
			lu_usage_fail(&err, "--preset");
	}
	for (size_t i = 0; i < o->set.n; i++) {
		if (lu_rules_set(rules, o->set.item[i], &err) < 0)
			lu_usage_fail(&err, "--set");
	}
	refuse_doubled(&o->set);
	if (o->stop_words && lu_stop_list(lu_str_of(o->stop_words)) == LU_STOP_NONE)
		unknown_stop_words(o->stop_words);
}

/* Print the rules in effect, or those of all presets if there are none. */
static int list(const struct lu_rules *rules, struct lu_err *err)
{
	struct lu_buf out = { 0 };
	int rc = 0;

	for (int i = 0; i < LU_RULES_PRESETS && rules->n == 0 && rc == 0; i++) {
		struct lu_rules preset = { 0 };

		rc = lu_rules_preset(&preset, lu_rules_presets[i].name, err);
		lu_rules_list(&preset, &out);
		lu_rules_release(&preset);
	}
	lu_rules_list(rules, &out);
	if (rc == 0)
		rc = lu_buf_check(&out, err);
	if (rc == 0)
		fputs(out.p, stdout);
	lu_buf_release(&out);
	return rc;
}

static const struct lu_judge quality = {
	.map = judge,
	.local_size = sizeof(struct worker),
	.local_free = worker_free,
	.merge = merge,
	.finish = add_totals,
};

/* First, since it costs least. */
static int seat_urls(struct lu_judges *js, struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	r->urls.keeps = o->url_keep.n > 0;
	for (size_t i = 0; i < o->url_list.n; i++) {
		if (lu_url_list_read(&r->urls.drop, o->url_list.item[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < o->url_keep.n; i++) {
		if (lu_url_list_read(&r->urls.keep, o->url_keep.item[i], err) < 0)
			return -1;
	}
	return lu_judges_add(js, &lu_url_judge, &r->urls, err);
}

static int seat_benchmarks(struct lu_judges *js, struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_decontaminate_options how = o->bench;

	how.min = (size_t)o->bench_min;
	if (lu_decontaminate_open(&r->bench, &how, o->std.threads, err) < 0)
		return -1;
	for (size_t i = 0; i < o->decontaminate.n; i++) {
		if (lu_decontaminate_read(&r->bench, o->decontaminate.item[i], err) < 0)
			return -1;
	}
	if (lu_decontaminate_ready(&r->bench, err) < 0)
		return -1;
	return lu_judges_add(js, &lu_decontaminate_judge, &r->bench, err);
}

/* Last, since it changes texts. Exits on a wrong kind. */
static int seat_pii(struct lu_judges *js, struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;
	struct lu_pii_options how = { o->pii, LU_PII_ALL, o->pii_spans };

	if (o->pii_kinds && lu_pii_read_kinds(o->pii_kinds, &how.kinds, err) < 0)
		lu_usage_fail(err, "--pii-kinds");
	if (lu_pii_run_open(&r->pii, &how, o->std.threads, err) < 0)
		return -1;
	return lu_judges_add(js, &lu_pii_judge, &r->pii, err);
}

/* Seat the judges in the order in which they are asked. */
static int seat(struct lu_judges *js, struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	if (r->rules.n == 0 && o->min_score == 0 && !o->annotate && !o->pii && o->url_list.n == 0 &&
			o->url_keep.n == 0)
		lu_note("no rule given: every document passes");
	if ((o->url_list.n || o->url_keep.n) && seat_urls(js, r, err) < 0)
		return -1;
	r->measurer = lu_measurer_new(err);
	if (!r->measurer || lu_judges_add(js, &quality, r, err) < 0)
		return -1;
	if (o->decontaminate.n && seat_benchmarks(js, r, err) < 0)
		return -1;
	return o->pii ? seat_pii(js, r, err) : 0;
}

static void check_pii(const struct options *o)
{
	bool file = o->pii == LU_PII_SPANS || o->pii == LU_PII_APPLY;

	if (o->decontaminate.n == 0 && o->bench.report)
		lu_usage_error("--decontaminate-report applies to --decontaminate");
	if (!o->pii && (o->pii_kinds || o->pii_spans))
		lu_usage_error("--pii-kinds and --pii-spans apply to --pii");
	if (o->pii && file != (o->pii_spans != NULL))
		lu_usage_error("--pii-spans FILE goes with --pii spans, which writes it, and --pii "
			       "apply, which reads it");
}

static int filter(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	struct lu_judges js = { 0 };
	int rc = seat(&js, r, err);

	if (rc == 0)
		rc = lu_judges_run(&js, LU_DOCSTREAM_SELECTS, &r->o->std, args, err);
	lu_judges_release(&js);
	lu_url_run_close(&r->urls);
	lu_decontaminate_close(&r->bench);
	lu_pii_run_close(&r->pii);
	lu_measurer_free(r->measurer);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .bench.share = 0.5, .bench_min = 8 };
	struct run r = { .o = &o };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	read_rules(&r.rules, &o);
	check_pii(&o);
	rc = o.list ? list(&r.rules, &err) : filter(&r, &args, &err);
	lu_rules_release(&r.rules);
	lu_list_release(&o.preset);
	lu_list_release(&o.set);
	lu_list_release(&o.url_list);
	lu_list_release(&o.url_keep);
	lu_list_release(&o.decontaminate);
	return lu_tool_finish(rc, &err);
}
