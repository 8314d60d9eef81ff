#include "libcommon/filter/pii_judge.h"

#include "libcommon/base/json_writer.h"

const struct lu_enum lu_pii_hows[] = {
	{ "mask", LU_PII_MASK },
	{ "drop", LU_PII_DROP },
	{ "spans", LU_PII_SPANS },
	{ "apply", LU_PII_APPLY },
	LU_ENUM_END,
};

/* A thread's state. */
struct worker {
	struct lu_pii_spans spans;
	struct lu_buf masked;
	uint64_t dropped[LU_PII_KINDS], documents;
};

/* Passed on from map() to decide(). */
struct found {
	struct lu_hash128 text;
	struct lu_pii_spans spans; /* in the arena */
};

int lu_pii_run_open(struct lu_pii_run *r, const struct lu_pii_options *o, int threads,
		struct lu_err *err)
{
	*r = (struct lu_pii_run){ .o = *o };
	if (o->how == LU_PII_SPANS)
		return lu_pii_writer_open(&r->writer, o->file, threads, err);
	return o->how == LU_PII_APPLY ? lu_pii_reader_open(&r->reader, o->file, err) : 0;
}

void lu_pii_run_close(struct lu_pii_run *r)
{
	lu_pii_writer_abort(&r->writer);
	lu_pii_reader_close(&r->reader);
}

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_pii_spans_release(&w->spans);
	lu_buf_release(&w->masked);
}

static int drop(struct worker *w, struct lu_doc *doc)
{
	static const char *const reason[LU_PII_KINDS] = { "pii: email", "pii: ip", "pii: phone",
		"pii: iban" };

	for (size_t i = 0; i < w->spans.n; i++)
		w->dropped[w->spans.p[i].kind]++;
	w->documents++;
	return lu_doc_drop_number(doc, reason[w->spans.p[0].kind], (double)w->spans.n);
}

static int mask(struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str text;

	lu_buf_clear(&w->masked);
	lu_pii_mask(doc->text, &w->spans, &w->masked);
	if (lu_buf_check(&w->masked, err) < 0)
		return -1;
	text = lu_arena_str(doc->arena, lu_buf_slice(&w->masked));
	return text.p ? lu_doc_set_text(doc, text, err) : lu_err_nomem(err);
}

/* Keep the spans for decide(), which counts and lists them in the order of the input. */
static int pass_on(struct worker *w, struct lu_doc *doc, struct lu_err *err)
{
	struct found *f = lu_arena_alloc(doc->arena, sizeof(*f));

	if (!f)
		return lu_err_nomem(err);
	f->text = lu_hash128(doc->text.p, doc->text.n);
	f->spans = (struct lu_pii_spans){ .n = w->spans.n, .cap = w->spans.n };
	f->spans.p = lu_arena_alloc(doc->arena, w->spans.n * sizeof(*w->spans.p));
	if (!f->spans.p)
		return lu_err_nomem(err);
	memcpy(f->spans.p, w->spans.p, w->spans.n * sizeof(*w->spans.p));
	doc->user = f;
	return 0;
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_pii_run *r = ctx;
	struct worker *w = local;
	int rc = r->o.how == LU_PII_APPLY ? lu_pii_reader_find(&r->reader, doc, &w->spans, err)
					  : lu_pii_find(doc->text, &w->spans, err);

	if (rc < 0)
		return -1;
	lu_pii_select(&w->spans, r->o.kinds);
	if (w->spans.n == 0)
		return 0;
	if (r->o.how == LU_PII_DROP)
		return drop(w, doc);
	if (pass_on(w, doc, err) < 0)
		return -1;
	return r->o.how == LU_PII_SPANS ? 0 : mask(w, doc, err);
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_pii_run *r = ctx;
	const struct found *f = doc->user;

	if (!f)
		return 0;
	for (size_t i = 0; i < f->spans.n; i++)
		r->found[f->spans.p[i].kind]++;
	r->documents++;
	return r->o.how == LU_PII_SPANS
			? lu_pii_writer_add(&r->writer, doc, f->text, &f->spans, err)
			: 0;
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	struct lu_pii_run *r = ctx;
	const struct worker *w = local;

	(void)err;
	for (int i = 0; i < LU_PII_KINDS; i++)
		r->found[i] += w->dropped[i];
	r->documents += w->documents;
	return 0;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct lu_pii_run *r = ctx;
	uint64_t unused = 0;

	if (r->o.how == LU_PII_APPLY && lu_pii_reader_end(&r->reader, &unused, err) < 0)
		return -1;
	lu_json_open_object(&stats->extra, "pii");
	for (int i = 0; i < LU_PII_KINDS; i++) {
		if (r->o.kinds & 1u << i)
			lu_json_put_u64(&stats->extra, lu_pii_kinds[i].name, r->found[i]);
	}
	lu_json_put_u64(&stats->extra, "documents", r->documents);
	if (r->o.how == LU_PII_APPLY)
		lu_json_put_u64(&stats->extra, "unused", unused);
	lu_json_close_object(&stats->extra);
	return r->o.how == LU_PII_SPANS ? lu_pii_writer_settle(&r->writer, err) : 0;
}

static int commit(void *ctx, struct lu_err *err)
{
	return lu_pii_writer_commit(&((struct lu_pii_run *)ctx)->writer, err);
}

const struct lu_judge lu_pii_judge = {
	.map = map,
	.decide = decide,
	.local_size = sizeof(struct worker),
	.local_free = worker_free,
	.merge = merge,
	.finish = finish,
	.commit = commit,
};

void lu_pii_run_tell(const struct lu_pii_run *r, struct lu_buf *out)
{
	const char *comma = "";

	for (int i = 0; i < LU_PII_KINDS; i++) {
		if (!(r->o.kinds & 1u << i))
			continue;
		lu_buf_puts(out, comma);
		lu_buf_u64(out, r->found[i]);
		lu_buf_printf(out, " %s", lu_pii_kinds[i].name);
		comma = ", ";
	}
	lu_buf_puts(out, " in ");
	lu_buf_u64(out, r->documents);
	lu_buf_puts(out, r->documents == 1 ? " document" : " documents");
}
