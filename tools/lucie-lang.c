/*
 * lucie-lang: tags documents with their language, by CLD2 (Sites 2013) or by a fastText classifier
 * (Joulin et al. 2016) given with --model.
 */
#include <malloc.h>
#include <math.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/vec.h"
#include "libcommon/langid/langid.h"
#include "libcommon/par/docstream.h"
#include "libcommon/text/lang_label.h"
#include "libcommon/text/unicode.h"

struct options {
	struct lu_std std;
	const char *model;
	struct lu_list keep;
	double min_score;
	uint64_t min_bytes, max_bytes;
	int labels;
	bool paragraphs;
};

#define SCRIPT_BYTES 65536
#define KEPT_BYTES (16 << 20)

enum labels { LABELS_FR, LABELS_FRA_LATN };
static const struct lu_enum label_names[] = { { "fr", LABELS_FR }, { "fra_Latn", LABELS_FRA_LATN },
	{ NULL, 0 } };

/* Documents of each language, in byte order of the codes. */
struct counts LU_VEC(struct {
	char lang[LU_LANG_LABEL];
	uint64_t n;
});

struct run {
	const struct options *o;
	struct lu_langid *id;
	struct counts counts;
};

/* A thread's state. */
struct worker {
	struct lu_langid_work work;
	struct lu_scripts scripts; /* of the document, for labels */
	struct lu_buf json;
	struct counts counts;
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST(0, "keep-lang", struct options, keep, "LANG,...",
			"drop documents in other languages"),
	LU_OPT_ALIAS("keep", "keep-lang"),
	LU_OPT_DOUBLE(0, "min-score", struct options, min_score, "X", 0, 1,
			"below this score the language is und"),
	LU_OPT_SIZE(0, "min-bytes", struct options, min_bytes, "SIZE",
			"common words may decide from this size"),
	LU_OPT_SIZE(0, "max-bytes", struct options, max_bytes, "SIZE", "sample no more of a text"),
	LU_OPT_ENUM(0, "labels", struct options, labels, label_names, "how to name languages; fr"),
	LU_OPT_FLAG(0, "paragraphs", struct options, paragraphs, "judge and report each paragraph"),
	LU_OPT_STR(0, "model", struct options, model, "FILE",
			"fastText classifier instead of CLD2"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-lang", "tags documents with their language",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct options, std) };

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_langid_work_release(&w->work);
	lu_buf_release(&w->json);
	lu_vec_release(&w->counts);
}

static int count(struct counts *c, const char *lang, uint64_t n, struct lu_err *err)
{
	size_t i = 0;

	while (i < c->n && strcmp(c->p[i].lang, lang) < 0)
		i++;
	if (i == c->n || strcmp(c->p[i].lang, lang) != 0) {
		if (!lu_vec_reserve(c, 1))
			return lu_err_nomem(err);
		memmove(&c->p[i + 1], &c->p[i], (c->n++ - i) * sizeof(*c->p));
		memcpy(c->p[i].lang, lang, strlen(lang) + 1);
		c->p[i].n = 0;
	}
	c->p[i].n += n;
	return 0;
}

static bool is_listed(const struct lu_list *list, const char *lang)
{
	size_t n = strlen(lang);

	for (size_t i = 0; i < list->n; i++) {
		for (const char *p = list->item[i]; *p;) {
			size_t len = strcspn(p, ",");

			if (len == n && memcmp(p, lang, n) == 0)
				return true;
			p += len + (p[len] == ',');
		}
	}
	return false;
}

/* Scores and shares have four decimals. */
static double rounded(double v)
{
	return round(v * 1e4) / 1e4;
}

/* Keep the language that came with the record, where it differs, as "lang_declared". */
static void set_declared(struct lu_doc *doc, const char *lang)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, "lang");
	struct lu_str declared;

	if (!m || m->type == LU_JSON_NULL || lu_json_get(&doc->obj, "lang_declared") ||
			(lu_doc_string(doc, "lang", &declared) && lu_str_is(declared, lang)))
		return;
	lu_doc_set(doc, "lang_declared", m->value);
}

static int set_score(struct worker *w, struct lu_doc *doc, double score, struct lu_err *err)
{
	lu_buf_clear(&w->json);
	lu_json_number(&w->json, rounded(score));
	return lu_doc_set_json(doc, "lang_score", &w->json, err);
}

/* The name of a language as --labels wants it; `script` is that of the model's label, or "". */
static void name_lang(const struct run *r, const struct worker *w, const char *lang,
		const char *script, char name[LU_LANG_LABEL])
{
	if (r->o->labels == LABELS_FR) {
		memcpy(name, lang, strlen(lang) + 1);
		return;
	}
	lu_lang_label(lang, &w->scripts, name);
	if (*script)
		memcpy(strchr(name, '_') + 1, script, 5);
}

/* Set {"fr":0.62,"en":0.35} if there is more than one, or to replace those of an earlier run. */
static int set_shares(const struct run *r, struct worker *w, struct lu_doc *doc,
		const struct lu_lang *l, struct lu_err *err)
{
	char name[LU_LANG_LABEL];

	if (l->parts < 2 && !lu_json_get(&doc->obj, "lang_shares"))
		return 0;
	lu_buf_clear(&w->json);
	lu_json_open_object(&w->json, NULL);
	for (size_t i = 0; i < l->parts; i++) {
		name_lang(r, w, l->part[i].lang, "", name);
		lu_json_put_double(&w->json, name, rounded(l->part[i].share));
	}
	lu_json_close_object(&w->json);
	return lu_doc_set_json(doc, "lang_shares", &w->json, err);
}

/* Set [{"at":0,"bytes":96,"lang":"fr"},...]. */
static int set_paragraphs(
		const struct run *r, struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_lang_spans *spans = &w->work.spans;
	char name[LU_LANG_LABEL];

	lu_buf_clear(&w->json);
	lu_json_open_array(&w->json, NULL);
	for (size_t i = 0; i < spans->n; i++) {
		lu_json_open_object(&w->json, NULL);
		lu_json_put_u64(&w->json, "at", spans->p[i].at);
		lu_json_put_u64(&w->json, "bytes", spans->p[i].n);
		name_lang(r, w, spans->p[i].lang, "", name);
		lu_json_put_cstr(&w->json, "lang", name);
		lu_json_close_object(&w->json);
	}
	lu_json_close_array(&w->json);
	return lu_doc_set_json(doc, "lang_paragraphs", &w->json, err);
}

static int drop(struct worker *w, struct lu_doc *doc, const char *name, double score,
		struct lu_err *err)
{
	struct lu_str value;

	lu_buf_clear(&w->json);
	lu_json_open_object(&w->json, NULL);
	lu_json_put_cstr(&w->json, "lang", name);
	lu_json_put_double(&w->json, "lang_score", rounded(score));
	lu_json_close_object(&w->json);
	if (lu_buf_check(&w->json, err) < 0)
		return -1;
	value = lu_doc_printf(doc, LU_STR_FMT, LU_STR_ARG(lu_buf_slice(&w->json)));
	return lu_doc_drop(doc, "language", &value);
}

/* The beginning of a text that tells its scripts. */
static struct lu_str beginning(struct lu_str text)
{
	if (text.n > SCRIPT_BYTES) {
		text.n = SCRIPT_BYTES;
		while (text.n && ((unsigned char)text.p[text.n] & 0xC0) == 0x80)
			text.n--;
	}
	return text;
}

static int identify(const struct run *r, struct worker *w, struct lu_doc *doc, struct lu_lang *l,
		struct lu_err *err)
{
	if (r->o->labels != LABELS_FR) {
		w->scripts = (struct lu_scripts){ 0 };
		lu_scripts_count(&w->scripts, beginning(doc->text));
	}
	if (r->o->paragraphs)
		return lu_langid_paragraphs(r->id, &w->work, doc->text, l, err);
	return lu_langid_text(r->id, &w->work, doc->text, l, err);
}

static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	struct worker *w = local;
	struct lu_lang l;
	char name[LU_LANG_LABEL];

	if (identify(r, w, doc, &l, err) < 0)
		return -1;
	name_lang(r, w, l.lang, l.script, name);
	if (count(&w->counts, name, 1, err) < 0)
		return -1;
	if (r->o->keep.n && !is_listed(&r->o->keep, l.lang) && !is_listed(&r->o->keep, name))
		return drop(w, doc, name, l.score, err);
	set_declared(doc, name);
	if (lu_doc_set_str(doc, "lang", lu_str_of(name), err) < 0 ||
			set_score(w, doc, l.score, err) < 0 || set_shares(r, w, doc, &l, err) < 0)
		return -1;
	return r->o->paragraphs ? set_paragraphs(r, w, doc, err) : 0;
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	struct run *r = ctx;
	const struct worker *w = local;

	for (size_t i = 0; i < w->counts.n; i++) {
		if (count(&r->counts, w->counts.p[i].lang, w->counts.p[i].n, err) < 0)
			return -1;
	}
	return 0;
}

/* ,"langs":{"en":3,"fr":10,"und":1}: of all documents, kept or not. */
static int add_totals(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct run *r = ctx;

	lu_json_open_object(&stats->extra, "langs");
	for (size_t i = 0; i < r->counts.n; i++)
		lu_json_put_u64(&stats->extra, r->counts.p[i].lang, r->counts.p[i].n);
	lu_json_close_object(&stats->extra);
	return lu_buf_check(&stats->extra, err);
}

/* Fail on a code that no document can get; a label is one of its language. */
static int check_code(const struct run *r, struct lu_str code, struct lu_err *err)
{
	char tag[LU_LANG_LABEL], lang[LU_LANG_CODE];

	if (r->o->labels != LABELS_FR && code.n < sizeof(tag) && memchr(code.p, '_', code.n)) {
		memcpy(tag, code.p, code.n);
		tag[code.n] = '\0';
		if (strncmp(tag, "und_", 4) == 0)
			return 0;
		if (lu_unicode_language(tag, lang, sizeof(lang)))
			return lu_langid_check(r->id, lu_str_of(lang), err);
	}
	return lu_langid_check(r->id, code, err);
}

static void check_keep(const struct run *r)
{
	struct lu_err err;

	for (size_t i = 0; i < r->o->keep.n; i++) {
		for (const char *p = r->o->keep.item[i];; p++) {
			size_t n = strcspn(p, ",");

			if (check_code(r, (struct lu_str){ p, n }, &err) < 0)
				lu_usage_fail(&err, "--keep-lang");
			p += n;
			if (!*p)
				break;
		}
	}
}

int main(int argc, char **argv)
{
	struct options o = {
		.std = LU_STD_DEFAULTS, .min_score = 0.1, .min_bytes = 256, .max_bytes = 4096
	};
	struct run r = { .o = &o };
	struct lu_langid_options how;
	struct lu_args args;
	struct lu_err err = { 0 };
	struct lu_docstream ds = { .ctx = &r,
		.map = judge,
		.local_size = sizeof(struct worker),
		.local_free = worker_free,
		.merge = merge,
		.finish = add_totals,
		.flags = LU_DOCSTREAM_SELECTS };
	int rc = -1;

	lu_tool_start(&tool, argc, argv, &o, &args);
	/* CLD2 takes and frees its tables for each text; giving them back to the system each time takes a
	 * third of the time. */
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	if (o.max_bytes < 256 || o.max_bytes > (uint64_t)1 << 30)
		lu_usage_error("--max-bytes: not between 256 and 1G");
	if (o.min_bytes < 256 || o.min_bytes > (uint64_t)1 << 30)
		lu_usage_error("--min-bytes: not between 256 and 1G");
	how.min_bytes = (size_t)o.min_bytes;
	how.max_bytes = (size_t)o.max_bytes;
	how.min_score = o.min_score;
	r.id = lu_langid_new(o.model, &how, &err);
	if (r.id)
		check_keep(&r);
	if (r.id)
		rc = lu_docstream_run(&ds, &o.std, &args, &err);
	lu_langid_free(r.id);
	lu_vec_release(&r.counts);
	lu_list_release(&o.keep);
	return lu_tool_finish(rc, &err);
}
