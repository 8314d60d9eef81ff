/*
 * lucie-lang: tags documents with their language.
 * CLD2 (Sites 2013), or a fastText classifier (Joulin et al. 2016) given with --model.
 */
#include <math.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/langid/langid.h"
#include "libcommon/par/docstream.h"

struct config {
	struct lu_std std;
	const char *model;
	struct lu_list keep;
	double min_score;
	uint64_t max_bytes;

	struct lu_langid *id;
	const struct lu_docstream *stream;
};

struct count {
	char lang[LU_LANG_CODE];
	uint64_t n;
};

/* A thread's buffers and counts. */
struct worker {
	struct lu_langid_work work;
	struct count *count;
	size_t counts;
};

static const struct lu_opt opts[] = {
	LU_OPT_LIST(0, "keep", struct config, keep, "LANG,...",
			"drop documents in other languages"),
	LU_OPT_DOUBLE(0, "min-score", struct config, min_score, "X", 0, 1,
			"below this score the language is und (0.5)"),
	LU_OPT_SIZE(0, "max-bytes", struct config, max_bytes, "SIZE",
			"look at so much of a text (4K)"),
	LU_OPT_STR(0, "model", struct config, model, "FILE", "fastText classifier instead of CLD2"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-lang", "tags documents with their language",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct config, std) };

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_langid_work_release(&w->work);
	free(w->count);
}

/* Adds to a table in byte order of the codes. */
static int count(struct worker *w, const char *lang, uint64_t n, struct lu_err *err)
{
	struct count *bigger;
	size_t at = 0;

	while (at < w->counts && strcmp(w->count[at].lang, lang) < 0)
		at++;
	if (at == w->counts || strcmp(w->count[at].lang, lang) != 0) {
		bigger = realloc(w->count, (w->counts + 1) * sizeof(*bigger));
		if (!bigger)
			return lu_err_nomem(err);
		w->count = bigger;
		memmove(bigger + at + 1, bigger + at, (w->counts - at) * sizeof(*bigger));
		bigger[at] = (struct count){ .n = 0 };
		memcpy(bigger[at].lang, lang, strlen(lang) + 1);
		w->counts++;
	}
	w->count[at].n += n;
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

static struct lu_str number(struct lu_doc *doc, double v)
{
	char text[32];

	lu_num_format(round(v * 1e4) / 1e4, text);
	return lu_doc_printf(doc, "%s", text);
}

/* The language that came with the record is kept under another name where it differs. */
static int declared(struct lu_doc *doc, const char *lang)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, "lang");
	struct lu_str was;

	if (!m || m->type == LU_JSON_NULL || lu_json_get(&doc->obj, "lang_declared") ||
			(lu_doc_string(doc, "lang", &was) && lu_str_is(was, lang)))
		return 0;
	return lu_doc_set(doc, "lang_declared", m->value);
}

/* {"fr":0.62,"en":0.35} where there is more than one, or to replace what an earlier run said. */
static int shares(struct lu_doc *doc, const struct lu_lang *l)
{
	char text[256];
	size_t n = 0;

	if (l->parts < 2 && !lu_json_get(&doc->obj, "lang_shares"))
		return 0;
	for (size_t i = 0; i < l->parts; i++) {
		char share[32];

		lu_num_format(round(l->part[i].share * 1e4) / 1e4, share);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%s\":%s", i ? "," : "",
				l->part[i].lang, share);
	}
	text[n] = '\0';
	return lu_doc_set(doc, "lang_shares", lu_doc_printf(doc, "{%s}", text));
}

static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker *w = local;
	struct lu_lang l;

	if (lu_langid_text(c->id, &w->work, doc->text, &l, err) < 0 || count(w, l.lang, 1, err) < 0)
		return -1;
	if (c->keep.n && !is_listed(&c->keep, l.lang)) {
		struct lu_str value = number(doc, l.score);

		value = lu_doc_printf(doc, "{\"lang\":\"%s\",\"lang_score\":" LU_STR_FMT "}",
				l.lang, LU_STR_ARG(value));
		return lu_doc_drop(doc, "language", &value);
	}
	declared(doc, l.lang);
	lu_doc_set(doc, "lang", lu_doc_printf(doc, "\"%s\"", l.lang));
	lu_doc_set(doc, "lang_score", number(doc, l.score));
	return shares(doc, &l);
}

/* ,"langs":{"en":3,"fr":10,"und":1}: of all documents, kept or not. */
static int totals(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker sum = { 0 };
	int rc = 0;

	for (size_t k = 0; k < c->stream->locals && rc == 0; k++) {
		const struct worker *w = c->stream->local[k];

		for (size_t i = 0; i < w->counts && rc == 0; i++)
			rc = count(&sum, w->count[i].lang, w->count[i].n, err);
	}
	lu_buf_puts(&stats->extra, ",\"langs\":{");
	for (size_t i = 0; i < sum.counts; i++)
		lu_buf_printf(&stats->extra, "%s\"%s\":%llu", i ? "," : "", sum.count[i].lang,
				(unsigned long long)sum.count[i].n);
	lu_buf_puts(&stats->extra, "}");
	free(sum.count);
	return rc < 0 ? -1 : lu_buf_check(&stats->extra, err);
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS, .min_score = 0.5, .max_bytes = 4096 };
	struct lu_args args;
	struct lu_err err = { 0 };
	struct lu_docstream ds = { .ctx = &c,
		.map = judge,
		.local_size = sizeof(struct worker),
		.local_free = worker_free,
		.finish = totals,
		.flags = LU_DOCSTREAM_SELECTS };
	int rc = -1;

	lu_tool_start(&tool, argc, argv, &c, &args);
	if (c.max_bytes < 256 || c.max_bytes > (uint64_t)1 << 30)
		lu_usage_error("--max-bytes: not between 256 and 1G");
	c.id = lu_langid_new(c.model, (size_t)c.max_bytes, c.min_score, &err);
	c.stream = &ds;
	if (c.id)
		rc = lu_docstream_run(&ds, &c.std, &args, &err);
	lu_langid_free(c.id);
	lu_list_release(&c.keep);
	return lu_tool_finish(rc, &err);
}
