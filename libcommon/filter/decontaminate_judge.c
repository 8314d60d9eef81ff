#include "libcommon/filter/decontaminate_judge.h"

#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/filter/decontaminate_match.h"

/* Passed on from map() to decide(), in the arena. */
struct found {
	const struct lu_bench_match *match;
	const uint32_t *gram;
	size_t matches, grams;
};

static void work_free(void *local)
{
	lu_bench_work_release(local);
}

static void *copy(struct lu_doc *doc, const void *p, size_t n)
{
	void *to = lu_arena_alloc(doc->arena, n);

	if (to && n)
		memcpy(to, p, n);
	return to;
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_bench_work *w = local;
	struct found *f;

	if (lu_decontaminate_match(ctx, doc->text, w, err) < 0)
		return -1;
	if (w->grams.n == 0)
		return 0;
	f = lu_arena_alloc(doc->arena, sizeof(*f));
	if (!f)
		return lu_err_nomem(err);
	f->matches = w->matches.n;
	f->match = copy(doc, w->matches.p, w->matches.n * sizeof(*w->matches.p));
	f->grams = w->grams.n;
	f->gram = copy(doc, w->grams.p, w->grams.n * sizeof(*w->grams.p));
	doc->user = f;
	return f->match && f->gram ? 0 : lu_err_nomem(err);
}

static int end_line(struct lu_decontaminate *d, struct lu_err *err)
{
	int rc;

	lu_json_close_object(&d->line);
	lu_buf_putc(&d->line, '\n');
	rc = lu_out_buf(d->report, &d->line, err);
	lu_buf_clear(&d->line);
	return rc;
}

static void put_item(struct lu_buf *b, const struct lu_bench_item *item)
{
	lu_json_put_raw(b, "item", item->id);
	lu_json_put_cstr(b, "item_file", item->file);
	lu_json_put_u64(b, "item_line", item->line);
}

static void put_gram(struct lu_decontaminate *d, uint32_t i)
{
	const struct lu_bench_gram *g = &d->grams.p[i];

	lu_json_put_str(&d->line, "ngram", lu_folded_run(&d->words, g->at, g->words));
}

static int report_match(struct lu_decontaminate *d, const struct lu_doc *doc,
		const struct lu_bench_match *m, struct lu_err *err)
{
	const struct lu_json_member *id = lu_json_get(&doc->obj, "id");
	struct lu_buf *b = &d->line;

	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "kind", "match");
	lu_json_put_raw(b, "id", id ? id->value : LU_STR("null"));
	lu_json_put_cstr(b, "file", doc->file);
	lu_json_put_u64(b, "line", doc->line);
	put_item(b, &d->items.p[m->item]);
	put_gram(d, m->gram);
	lu_json_put_fixed(b, "share", m->share, 4);
	lu_json_put_bool(b, "contaminated", m->share >= d->o.share);
	return end_line(d, err);
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_decontaminate *d = ctx;
	const struct found *f = doc->user;
	const struct lu_bench_match *most = NULL;
	struct lu_str name;

	if (!f)
		return 0;
	for (size_t i = 0; i < f->grams; i++)
		d->grams.p[f->gram[i]].documents++;
	for (size_t i = 0; i < f->matches; i++) {
		const struct lu_bench_match *m = &f->match[i];

		if (d->report && report_match(d, doc, m, err) < 0)
			return -1;
		if (!most || m->share > most->share)
			most = m;
	}
	if (!most || most->share < d->o.share)
		return 0;
	name = d->items.p[most->item].id;
	if (lu_str_is(name, "null"))
		name = lu_doc_printf(doc, "\"line %" PRIu64 "\"", d->items.p[most->item].line);
	return lu_doc_drop(doc, "contaminated", &name);
}

/* --- the end of the report ----------------------------------------------------------------- */

/* A frequent n-gram: more documents first, then by number, which is the order of the items. */
struct frequent {
	uint64_t documents;
	uint32_t gram;
};
struct frequents LU_VEC(struct frequent);

static int by_documents(const void *a, const void *b)
{
	const struct frequent *x = a, *y = b;

	if (x->documents != y->documents)
		return x->documents > y->documents ? -1 : 1;
	return (x->gram > y->gram) - (x->gram < y->gram);
}

static int report_common(struct lu_decontaminate *d, struct lu_err *err)
{
	struct frequents v = { 0 };
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < d->grams.n; i++) {
		struct frequent f = { d->grams.p[i].documents, i };

		if (f.documents >= LU_COMMON_DOCUMENTS && !lu_vec_push(&v, f))
			rc = lu_err_nomem(err);
	}
	if (v.n)
		qsort(v.p, v.n, sizeof(*v.p), by_documents);
	for (size_t i = 0; rc == 0 && i < v.n; i++) {
		lu_json_open_object(&d->line, NULL);
		lu_json_put_cstr(&d->line, "kind", "common");
		put_gram(d, v.p[i].gram);
		lu_json_put_u64(&d->line, "documents", v.p[i].documents);
		lu_json_put_u64(&d->line, "items", d->grams.p[v.p[i].gram].items);
		rc = end_line(d, err);
	}
	lu_vec_release(&v);
	return rc;
}

static int report_unmatchable(struct lu_decontaminate *d, struct lu_err *err)
{
	for (size_t i = 0; i < d->items.n; i++) {
		const struct lu_bench_item *item = &d->items.p[i];

		if (item->gram)
			continue;
		lu_json_open_object(&d->line, NULL);
		lu_json_put_cstr(&d->line, "kind", "unmatchable");
		put_item(&d->line, item);
		lu_json_put_u64(&d->line, "words", item->words);
		if (end_line(d, err) < 0)
			return -1;
	}
	return 0;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct lu_decontaminate *d = ctx;

	lu_json_open_object(&stats->extra, "decontaminate");
	lu_json_put_u64(&stats->extra, "items", d->items.n);
	lu_json_put_u64(&stats->extra, "repeated", d->repeated);
	lu_json_put_u64(&stats->extra, "unmatchable", d->unmatchable);
	lu_json_close_object(&stats->extra);
	if (!d->report)
		return 0;
	if (report_common(d, err) < 0 || report_unmatchable(d, err) < 0)
		return -1;
	return lu_out_settle(d->report, err);
}

static int commit(void *ctx, struct lu_err *err)
{
	struct lu_decontaminate *d = ctx;
	struct lu_out *report = d->report;

	d->report = NULL;
	return report ? lu_out_commit(report, err) : 0;
}

const struct lu_judge lu_decontaminate_judge = {
	.map = map,
	.decide = decide,
	.local_size = sizeof(struct lu_bench_work),
	.local_free = work_free,
	.finish = finish,
	.commit = commit,
};
