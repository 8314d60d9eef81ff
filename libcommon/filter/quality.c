#include "libcommon/filter/quality.h"

#include <math.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/text/lang_code.h"
#include "libcommon/text/unicode.h"

#define LANG 32

/* A language and what it means, kept from document to document. */
struct known {
	char lang[LANG];
	size_t n;
	const struct lu_by_lang_set *set;
	enum lu_stop_list stop;
};

/* A thread's state. */
struct worker {
	const struct lu_quality *q;
	struct lu_measures measures;
	struct lu_line_cut cut;
	struct lu_buf json, line;
	struct known known;
	uint64_t no_stop_words, no_preset, lines_cut, bytes_cut;
	struct lu_expr_count *counts;
};

/* --- what is asked for -------------------------------------------------------------------- */

int lu_quality_classifier(struct lu_quality *q, const char *given, struct lu_err *err)
{
	struct lu_classifier *c = lu_classifier_new(given, err);
	const char *name;

	if (!c)
		return -1;
	if (!lu_vec_push(&q->classifiers, c)) {
		lu_classifier_free(c);
		return lu_err_nomem(err);
	}
	name = lu_classifier_name(c);
	if (lu_measure_find(lu_str_of(name)) < LU_MEASURES)
		return lu_err_set(err, "'%s' is a measure; choose another NAME=", name);
	for (size_t i = 0; i < q->names.n; i++) {
		if (strcmp(q->names.p[i], name) == 0)
			return lu_err_set(err,
					"two classifiers are called '%s'; write NAME=FILE:LABEL",
					name);
	}
	return lu_vec_push(&q->names, name) ? 0 : lu_err_nomem(err);
}

int lu_quality_expr(struct lu_quality *q, const char *text, struct lu_err *err)
{
	struct lu_expr *e;

	if (lu_expr_parse(&e, text, (struct lu_expr_scores){ q->names.p, q->names.n }, err) < 0)
		return -1;
	if (lu_vec_push(&q->exprs, e))
		return 0;
	lu_expr_free(e);
	return lu_err_nomem(err);
}

static size_t fields(const struct lu_quality *q)
{
	size_t n = 0;

	for (size_t i = 0; i < q->exprs.n; i++)
		n += lu_expr_fields(q->exprs.p[i]);
	return n;
}

static struct lu_expr_count *new_counts(const struct lu_quality *q)
{
	return calloc(fields(q) + 1, sizeof(struct lu_expr_count));
}

int lu_quality_start(struct lu_quality *q, struct lu_err *err)
{
	q->counts = new_counts(q);
	if (!q->counts)
		return lu_err_nomem(err);
	q->measurer = lu_measurer_new(err);
	return q->measurer ? 0 : -1;
}

void lu_quality_release(struct lu_quality *q)
{
	lu_by_lang_release(&q->rules);
	for (size_t i = 0; i < q->exprs.n; i++)
		lu_expr_free(q->exprs.p[i]);
	for (size_t i = 0; i < q->classifiers.n; i++)
		lu_classifier_free(q->classifiers.p[i]);
	lu_vec_release(&q->exprs);
	lu_vec_release(&q->classifiers);
	lu_vec_release(&q->names);
	free(q->counts);
	lu_measurer_free(q->measurer);
	*q = (struct lu_quality){ .annotate = false };
}

bool lu_quality_empty(const struct lu_quality *q)
{
	return lu_by_lang_empty(&q->rules) && q->exprs.n == 0 && q->min_score == 0 && !q->annotate;
}

const char *lu_quality_never_there(const struct lu_quality *q)
{
	const struct lu_expr_count *c = q->counts;

	for (size_t i = 0; i < q->exprs.n; i++) {
		for (size_t k = 0; k < lu_expr_fields(q->exprs.p[i]); k++, c++) {
			if (c->reads > 0 && c->missing == c->reads)
				return lu_expr_field(q->exprs.p[i], k);
		}
	}
	return NULL;
}

/* --- one document ------------------------------------------------------------------------- */

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	struct worker *w = local;

	w->q = ctx;
	w->known.n = SIZE_MAX;
	w->counts = new_counts(w->q);
	return w->counts ? 0 : lu_err_nomem(err);
}

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_measures_release(&w->measures);
	lu_buf_release(&w->cut.text);
	lu_buf_release(&w->json);
	lu_buf_release(&w->line);
	free(w->counts);
}

/* The list for the language of a tag: fr of fr, fr-CA and fra_Latn. */
static enum lu_stop_list stop_list(struct lu_str lang)
{
	enum lu_stop_list list = lu_stop_list(lang);
	char tag[LANG], code[LU_LANG_CODE_MAX];

	if (list != LU_STOP_NONE || lang.n < 3 || lang.n >= LANG || memchr(lang.p, ':', lang.n))
		return list;
	memcpy(tag, lang.p, lang.n);
	tag[lang.n] = '\0';
	return lu_unicode_language(tag, code, sizeof(code)) ? lu_stop_list(lu_str_of(code)) : list;
}

static struct known look_up(const struct lu_quality *q, struct lu_str lang)
{
	struct known k = { .n = lang.n };

	k.set = lu_by_lang_find(&q->rules, lang);
	k.stop = stop_list(q->stop_words ? lu_str_of(q->stop_words) : lang);
	return k;
}

/* What the document's language means. */
static struct known known_lang(struct worker *w, struct lu_doc *doc)
{
	struct lu_str lang;

	if (!lu_doc_string(doc, "lang", &lang))
		lang = LU_STR("");
	if (lang.n >= LANG)
		return look_up(w->q, lang);
	if (w->known.n != lang.n || memcmp(w->known.lang, lang.p, lang.n) != 0) {
		w->known = look_up(w->q, lang);
		memcpy(w->known.lang, lang.p, lang.n);
	}
	return w->known;
}

static int score(void *ctx, size_t i, double *value, struct lu_err *err)
{
	struct worker *w = ctx;

	return lu_classifier_score(w->q->classifiers.p[i], &w->line, w->measures.text, value, err);
}

/* Six decimals hide what other machines round differently. */
static double rounded(double v)
{
	return round(v * 1e6) / 1e6;
}

/* Add "quality":{"words":120,...}. */
static int annotate(struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_buf *b = &w->json;
	double v;

	lu_buf_clear(b);
	lu_json_open_object(b, NULL);
	for (int i = 0; i < LU_MEASURES; i++) {
		if (i == LU_M_STOP_WORDS && w->measures.stop == LU_STOP_NONE)
			continue;
		if (lu_measures_get(&w->measures, i, &v, err) < 0)
			return -1;
		if (lu_measure_is_count(i))
			lu_json_put_u64(b, lu_measure_name(i), (uint64_t)v);
		else
			lu_json_put_double(b, lu_measure_name(i), rounded(v));
	}
	for (size_t i = 0; i < w->q->classifiers.n; i++) {
		if (score(w, i, &v, err) < 0)
			return -1;
		lu_json_put_double(b, w->q->names.p[i], rounded(v));
	}
	lu_json_close_object(b);
	return lu_doc_set_json(doc, "quality", b, err);
}

static int apply_rules(
		struct worker *w, const struct lu_rules *r, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_rule *failed;
	double value;

	if (doc->verdict != LU_KEEP || r->n == 0)
		return 0;
	if (lu_rules_judge(r, &w->measures, &w->cut, &failed, &value, err) < 0)
		return -1;
	return failed ? lu_doc_drop_number(doc, failed->reason, value) : 0;
}

static int apply_exprs(struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_expr_scope scope = { &w->measures, &doc->obj, doc->arena, score, w, w->counts };

	for (size_t i = 0; i < w->q->exprs.n && doc->verdict == LU_KEEP; i++) {
		const char *failed;
		struct lu_str value;

		if (lu_expr_judge(w->q->exprs.p[i], &scope, &failed, &value, err) < 0)
			return -1;
		if (failed)
			lu_doc_drop(doc, failed, &value);
		scope.counts += lu_expr_fields(w->q->exprs.p[i]);
	}
	return 0;
}

/* Write what the rules have left of the text. */
static int replace_text(struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str text;

	if (doc->verdict != LU_KEEP || !w->cut.changed)
		return 0;
	w->lines_cut += w->cut.lines;
	w->bytes_cut += w->cut.bytes;
	text = lu_arena_str(doc->arena, lu_buf_slice(&w->cut.text));
	return text.p ? lu_doc_set_text(doc, text, err) : lu_err_nomem(err);
}

static int judge_score(const struct lu_quality *q, struct lu_doc *doc)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, "lang_score");
	double value;

	if (!m || !lu_json_double(m, &value))
		return lu_doc_drop(doc, "lang_score", m ? &m->value : NULL);
	return value < q->min_score ? lu_doc_drop_number(doc, "lang_score", value) : 0;
}

static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_quality *q = ctx;
	struct worker *w = local;
	struct known known;

	if (q->min_score > 0 && !q->annotate)
		judge_score(q, doc);
	if (doc->verdict != LU_KEEP ||
			(lu_by_lang_empty(&q->rules) && q->exprs.n == 0 && !q->annotate))
		return 0;
	known = known_lang(w, doc);
	if (known.set && known.set->drop && !q->annotate) {
		const struct lu_json_member *m = lu_json_get(&doc->obj, "lang");

		return lu_doc_drop(doc, "lang", m ? &m->value : NULL);
	}
	w->no_preset += !known.set;
	lu_measures_start(q->measurer, &w->measures, doc->text, known.stop);
	w->no_stop_words += w->measures.stop == LU_STOP_NONE;
	if (q->annotate)
		return annotate(w, doc, err);
	w->cut.done = w->cut.changed = false;
	if (apply_rules(w, &q->rules.every, doc, err) < 0 ||
			(known.set && apply_rules(w, &known.set->rules, doc, err) < 0) ||
			apply_exprs(w, doc, err) < 0)
		return -1;
	return replace_text(w, doc, err);
}

/* --- totals ------------------------------------------------------------------------------- */

static int merge(void *ctx, void *local, struct lu_err *err)
{
	struct lu_quality *q = ctx;
	const struct worker *w = local;

	(void)err;
	q->no_stop_words += w->no_stop_words;
	q->no_preset += q->rules.sets.n ? w->no_preset : 0;
	q->lines_cut += w->lines_cut;
	q->bytes_cut += w->bytes_cut;
	for (size_t i = 0; i < fields(q); i++) {
		q->counts[i].reads += w->counts[i].reads;
		q->counts[i].missing += w->counts[i].missing;
	}
	return 0;
}

/* The documents in which a member was missing, over all expressions; 0 if an expression before
 * number i has it too. */
static bool missing_in_all(const struct lu_quality *q, size_t i, const char *name, uint64_t *n)
{
	const struct lu_expr_count *c = q->counts;

	*n = 0;
	for (size_t e = 0; e < q->exprs.n; e++) {
		for (size_t k = 0; k < lu_expr_fields(q->exprs.p[e]); k++, c++) {
			if (strcmp(lu_expr_field(q->exprs.p[e], k), name) != 0)
				continue;
			if (e < i)
				return false;
			*n += c->missing;
		}
	}
	return true;
}

/* Add "missing":{"ppl":3}: what expressions found missing, by member. */
static void put_missing(const struct lu_quality *q, struct lu_buf *b)
{
	lu_json_open_object(b, "missing");
	for (size_t i = 0; i < q->exprs.n; i++) {
		for (size_t k = 0; k < lu_expr_fields(q->exprs.p[i]); k++) {
			const char *name = lu_expr_field(q->exprs.p[i], k);
			uint64_t n;

			if (!missing_in_all(q, i, name, &n))
				continue;
			lu_json_key(b, lu_str_of(name));
			lu_json_put_u64(b, NULL, n);
		}
	}
	lu_json_close_object(b);
}

static int put_totals(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct lu_quality *q = ctx;
	struct lu_buf *b = &stats->extra;

	lu_json_put_u64(b, "no_stop_words", q->no_stop_words);
	if (q->rules.sets.n)
		lu_json_put_u64(b, "no_preset", q->no_preset);
	if (lu_by_lang_cuts(&q->rules)) {
		lu_json_put_u64(b, "lines_cut", q->lines_cut);
		lu_json_put_u64(b, "bytes_cut", q->bytes_cut);
	}
	if (fields(q))
		put_missing(q, b);
	return lu_buf_check(b, err);
}

const struct lu_judge lu_quality_judge = {
	.map = judge,
	.local_size = sizeof(struct worker),
	.local_init = worker_init,
	.local_free = worker_free,
	.merge = merge,
	.finish = put_totals,
};
