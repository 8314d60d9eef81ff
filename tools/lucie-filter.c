/*
 * lucie-filter: drops documents that fail quality rules (filter/rules.h) or an expression
 * (filter/expr.h), are listed by URL (filter/url_list.h), may not be fetched by some crawler
 * (robots/robots.h), hold items of benchmarks (filter/decontaminate.h) or personal data (pii/pii.h). Each question is a judge of its own
 * (filter/judges.h).
 */
#include <inttypes.h>
#include <stdio.h>

#include "libcommon/filter/decontaminate_judge.h"
#include "libcommon/filter/noise.h"
#include "libcommon/filter/pii_judge.h"
#include "libcommon/filter/quality.h"
#include "libcommon/filter/robots_judge.h"
#include "libcommon/filter/url_list.h"
#include "libcommon/sys/terminal.h"
#include "libcommon/text/lang_code.h"

struct options {
	struct lu_std std;
	struct lu_list preset, set, expr, classifier, url_list, url_keep, robots, decontaminate;
	const char *agents;
	enum lu_robots_missing missing;
	bool missing_given;
	bool list, annotate;
	const char *stop_words; /* language */
	const char *tokenizer;
	double min_score, tokens_per_char;
	struct lu_decontaminate_options bench;
	int bench_min;
	enum lu_pii_how pii;
	const char *pii_kinds, *pii_spans;
	bool pii_given;
};

struct run {
	const struct options *o;
	struct lu_quality quality;
	struct lu_noise noise;
	struct lu_url_run urls;
	struct lu_robots_run robots;
	struct lu_decontaminate bench;
	struct lu_pii_run pii;
};

/* Completion offers them; lu_stop_list() decides. */
static const struct lu_enum stop_languages[] = {
	{ "en", LU_STOP_EN },
	{ "fr", LU_STOP_FR },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST_OF(0, "preset", struct options, preset, "[LANG=]NAME,...", lu_rules_presets,
			"gopher, fineweb2-fr, ...: see --list"),
	LU_OPT_LIST(0, "set", struct options, set, "RULE=X", "change, add or remove (off) a rule"),
	LU_OPT_LIST(0, "expr", struct options, expr, "EXPR", "keep if EXPR is true"),
	LU_OPT_LIST(0, "classifier", struct options, classifier, "FILE:LABEL",
			"fastText score for --expr"),
	LU_OPT_DOUBLE(0, "tokens-per-char", struct options, tokens_per_char, "X", 0, 100,
			"cut OCR noise above X, such as 0.38; with -t"),
	LU_OPT_STR('t', "tokenizer", struct options, tokenizer, "FILE",
			"tokenizer.json for --tokens-per-char"),
	LU_OPT_DOUBLE(0, "min-score", struct options, min_score, "X", 0, 1,
			"drop a lang_score below X, or none"),
	LU_OPT_ALIAS("min-lang-score", "min-score"),
	LU_OPT_STR_OF(0, "stop-words", struct options, stop_words, "LANG", stop_languages,
			"stop words of LANG for all documents"),
	LU_OPT_ALIAS("lang", "stop-words"),
	LU_OPT_FLAG(0, "annotate", struct options, annotate,
			"keep all, add the measures as \"quality\""),
	LU_OPT_FLAG(0, "list", struct options, list, "print the rules and their sources"),
	LU_OPT_LIST(0, "url-list", struct options, url_list, "FILE",
			"drop what these domains and URLs cover"),
	LU_OPT_LIST(0, "url-keep", struct options, url_keep, "FILE", "keep only what these cover"),
	LU_OPT_LIST(0, "robots", struct options, robots, "FILE",
			"drop what robots.txt files of a crawl forbid"),
	LU_OPT_STR(0, "agents", struct options, agents, "NAME,...", "crawlers --robots asks for"),
	LU_OPT_ENUM_GIVEN(0, "missing", struct options, missing, missing_given, lu_robots_missing,
			"what has no robots.txt"),
	LU_OPT_LIST(0, "decontaminate", struct options, decontaminate, "FILE",
			"drop what holds items of a benchmark"),
	LU_OPT_ENUM_GIVEN(0, "pii", struct options, pii, pii_given, lu_pii_hows,
			"e-mail, IP, telephone, IBAN"),
	/* The rest is listed by name in the help. */
	LU_OPT_STR(0, "pii-spans", struct options, pii_spans, "FILE",
			"what --pii spans writes and apply reads"),
	LU_OPT_STR(0, "pii-kinds", struct options, pii_kinds, "KIND,...",
			"only of email, ip, phone, iban"),
	LU_OPT_STR(0, "decontaminate-report", struct options, bench.report, "FILE",
			"name document, item, n-gram, share"),
	LU_OPT_DOUBLE(0, "decontaminate-share", struct options, bench.share, "X", 0, 1,
			"least share of an item"),
	LU_OPT_INT(0, "decontaminate-min", struct options, bench_min, "N", 1, LU_GRAM_WORDS,
			"words of the shortest item"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-filter", "drops documents that fail quality rules",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct options, std) };

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
static void read_all(const struct lu_list *given, const char *option, struct lu_quality *q,
		int (*read)(struct lu_quality *q, const char *given, struct lu_err *err))
{
	struct lu_err err = { 0 };

	for (size_t i = 0; i < given->n; i++) {
		if (read(q, given->item[i], &err) < 0)
			lu_usage_fail(&err, "%s", option);
	}
}

static int read_preset(struct lu_quality *q, const char *given, struct lu_err *err)
{
	return lu_by_lang_preset(&q->rules, given, err);
}

static int read_set(struct lu_quality *q, const char *given, struct lu_err *err)
{
	return lu_by_lang_set(&q->rules, given, err);
}

static void read_quality(struct lu_quality *q, const struct options *o)
{
	q->annotate = o->annotate;
	q->min_score = o->min_score;
	q->stop_words = o->stop_words;
	read_all(&o->preset, "--preset", q, read_preset);
	read_all(&o->set, "--set", q, read_set);
	read_all(&o->classifier, "--classifier", q, lu_quality_classifier);
	read_all(&o->expr, "--expr", q, lu_quality_expr);
	refuse_doubled(&o->set);
	if (o->tokens_per_char > 0 && !o->tokenizer)
		lu_usage_error("--tokens-per-char needs -t tokenizer.json");
	if (o->tokenizer && o->tokens_per_char == 0)
		lu_usage_error("-t is for --tokens-per-char X; 0.38 is a usual value");
	if (o->classifier.n && o->expr.n == 0 && !o->annotate)
		lu_usage_error("--classifier is a measure for --expr, such as 'classifier >= 0.5'");
	if (o->tokens_per_char > 0 && o->annotate)
		lu_usage_error("--annotate changes no text; give it or --tokens-per-char");
	if (o->stop_words && lu_stop_list(lu_str_of(o->stop_words)) == LU_STOP_NONE)
		unknown_stop_words(o->stop_words);
}

/* Print the rules in effect, or those of all presets if there are none. */
static int list(const struct lu_by_lang *rules, struct lu_err *err)
{
	struct lu_buf out = { 0 };
	int rc = 0;

	for (int i = 0; i < LU_RULES_PRESETS && lu_by_lang_empty(rules) && rc == 0; i++) {
		struct lu_rules preset = { 0 };

		rc = lu_rules_preset(&preset, lu_rules_presets[i].name, err);
		lu_rules_list(&preset, LU_STR(""), &out);
		lu_rules_release(&preset);
	}
	lu_by_lang_list(rules, &out);
	if (rc == 0)
		rc = lu_buf_check(&out, err);
	if (rc == 0)
		fputs(out.p, stdout);
	lu_buf_release(&out);
	return rc;
}

static int read_urls(struct lu_url_list *l, const struct lu_list *files, bool may_be_empty,
		struct lu_err *err)
{
	for (size_t i = 0; i < files->n; i++) {
		uint64_t before = l->entries;

		if (lu_url_list_read(l, files->item[i], err) < 0)
			return -1;
		/* As with documents, more often a mistake than meant. */
		if (l->entries == before && !may_be_empty)
			return lu_err_set(err, "%s: no entries; --allow-empty accepts it",
					files->item[i]);
	}
	return 0;
}

/* First, since it costs least. */
static int seat_urls(struct lu_judges *js, struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	r->urls.keeps = o->url_keep.n > 0;
	if (read_urls(&r->urls.drop, &o->url_list, o->std.allow_empty, err) < 0 ||
			read_urls(&r->urls.keep, &o->url_keep, o->std.allow_empty, err) < 0)
		return -1;
	return lu_judges_add(js, &lu_url_judge, &r->urls, err);
}

/* Exits on a wrong name. */
static int seat_robots(struct lu_judges *js, struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	r->robots.missing = o->missing;
	if (lu_robots_agents(&r->robots.robots, o->agents, err) < 0)
		lu_usage_fail(err, "--agents");
	for (size_t i = 0; i < o->robots.n; i++) {
		if (lu_robots_read(&r->robots.robots, o->robots.item[i], err) < 0)
			return -1;
	}
	if (o->robots.n && lu_robots_read_all(&r->robots.robots, err) < 0)
		return -1;
	return lu_judges_add(js, &lu_robots_judge, &r->robots, err);
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

/* Seat the judges in the order in which they are asked: what changes the text comes before what
 * measures it, but personal data is masked in what remains. */
static int seat(struct lu_judges *js, struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	if ((o->url_list.n || o->url_keep.n) && seat_urls(js, r, err) < 0)
		return -1;
	if (o->robots.n && seat_robots(js, r, err) < 0)
		return -1;
	r->noise.most = o->tokens_per_char;
	if (o->tokens_per_char > 0 &&
			(lu_noise_load(&r->noise, o->tokenizer, err) < 0 ||
					lu_judges_add(js, &lu_noise_judge, &r->noise, err) < 0))
		return -1;
	if (lu_quality_start(&r->quality, err) < 0 ||
			lu_judges_add(js, &lu_quality_judge, &r->quality, err) < 0)
		return -1;
	if (o->decontaminate.n && seat_benchmarks(js, r, err) < 0)
		return -1;
	return o->pii ? seat_pii(js, r, err) : 0;
}

/* What a user would not expect and the accounting line tells only to those who look. */
static void tell(const struct lu_quality *q)
{
	const char *member = lu_quality_never_there(q);

	if (member)
		lu_note("--expr: no document has the member '%s'", member);
	if (q->no_preset)
		lu_note("%" PRIu64 " documents in languages without a preset were not judged "
			"by one; LANG=NAME or *=NAME gives them one",
				q->no_preset);
}

static void tell_benchmarks(const struct lu_decontaminate *d, const struct options *o)
{
	if (d->unmatchable)
		lu_note("--decontaminate: %" PRIu64 " of %zu items have fewer than %d words, so "
			"no document was searched for them; see --decontaminate-min",
				d->unmatchable, d->items.n, o->bench_min);
}

/* What was found, beside the summary. */
static void tell_pii(const struct lu_pii_run *r)
{
	struct lu_buf b = { 0 };

	lu_pii_run_tell(r, &b);
	if (lu_buf_ok(&b))
		lu_note("personal data: %s", b.p);
	lu_buf_release(&b);
}

static bool asks_nothing(const struct run *r)
{
	const struct options *o = r->o;

	return lu_quality_empty(&r->quality) && o->tokens_per_char == 0 && !o->pii &&
			o->url_list.n + o->url_keep.n + o->robots.n + o->decontaminate.n == 0;
}

static void check_usage(const struct options *o)
{
	bool file = o->pii == LU_PII_SPANS || o->pii == LU_PII_APPLY;

	if (o->decontaminate.n == 0 && o->bench.report)
		lu_usage_error("--decontaminate-report applies to --decontaminate");
	if (o->robots.n == 0 && (o->agents || o->missing_given))
		lu_usage_error("--agents and --missing apply to --robots");
	if (o->robots.n && !o->agents)
		lu_usage_error("--robots needs --agents, such as CCBot,GPTBot or *");
	if (!o->pii && (o->pii_kinds || o->pii_spans))
		lu_usage_error("--pii-kinds and --pii-spans apply to --pii");
	if (o->pii && file != (o->pii_spans != NULL))
		lu_usage_error("--pii-spans FILE goes with --pii spans, which writes it, and --pii "
			       "apply, which reads it");
}

static int filter(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	struct lu_judges js = { 0 };
	int rc;

	if (asks_nothing(r))
		lu_note("no rule given: every document passes");
	rc = seat(&js, r, err);
	if (rc == 0)
		rc = lu_judges_run(&js, LU_DOCSTREAM_SELECTS, &r->o->std, args, err);
	if (rc == 0)
		tell(&r->quality);
	if (rc == 0)
		tell_benchmarks(&r->bench, r->o);
	if (rc == 0 && r->o->pii && lu_terminal_columns())
		tell_pii(&r->pii);
	lu_judges_release(&js);
	lu_noise_release(&r->noise);
	lu_url_run_close(&r->urls);
	lu_robots_run_close(&r->robots);
	lu_decontaminate_close(&r->bench);
	lu_pii_run_close(&r->pii);
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
	read_quality(&r.quality, &o);
	check_usage(&o);
	rc = o.list ? list(&r.quality.rules, &err) : filter(&r, &args, &err);
	lu_quality_release(&r.quality);
	lu_list_release(&o.preset);
	lu_list_release(&o.set);
	lu_list_release(&o.expr);
	lu_list_release(&o.classifier);
	lu_list_release(&o.url_list);
	lu_list_release(&o.url_keep);
	lu_list_release(&o.robots);
	lu_list_release(&o.decontaminate);
	return lu_tool_finish(rc, &err);
}
