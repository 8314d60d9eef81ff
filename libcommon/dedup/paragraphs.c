#include "libcommon/dedup/paragraphs.h"

#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/dedup/canonical.h"
#include "libcommon/dedup/doc_key.h"
#include "libcommon/dedup/exact.h"
#include "libcommon/dedup/within.h"
#include "libcommon/par/held.h"

static const char nothing_left[] = "all paragraphs repeated";

struct run {
	const struct lu_dedup_options *o;
	struct lu_docstream stream;
	struct lu_exact exact;
	struct lu_held held;
	uint64_t paragraphs; /* numbered so far */
	uint64_t first_held; /* number of the first paragraph of the documents held */
	struct LU_VEC(uint64_t)
			early; /* paragraphs of those that were found to be copies at once */
	struct lu_exact_removed next;
	bool any;
	/* counts */
	uint64_t cut_docs, cut_paragraphs, cut_bytes, within_docs, within_blocks, within_bytes;
	struct lu_buf text;
};

/* --- one document, in parallel ------------------------------------------------------------- */

struct paragraph {
	size_t from, end; /* in the text, with the newline */
	struct lu_hash128 key;
	bool copy;
};

struct facts {
	struct paragraph *p;
	size_t n;
	uint64_t blocks, block_bytes; /* left out by --within */
};

struct work {
	struct lu_within within;
	struct lu_canonical_scratch scratch;
	struct lu_buf text, folded;
	struct LU_VEC(struct paragraph) p;
};

static void work_free(void *local)
{
	struct work *w = local;

	lu_within_release(&w->within);
	lu_canonical_release(&w->scratch);
	lu_buf_release(&w->text);
	lu_buf_release(&w->folded);
	lu_vec_release(&w->p);
}

static struct lu_str trim(struct lu_str s)
{
	while (s.n && memchr(" \t\r\n", s.p[0], 4))
		s = (struct lu_str){ s.p + 1, s.n - 1 };
	while (s.n && memchr(" \t\r\n", s.p[s.n - 1], 4))
		s.n--;
	return s;
}

static int key_of(struct work *w, const struct lu_dedup_options *o, struct lu_str s, uint64_t by,
		struct lu_hash128 *key, struct lu_err *err)
{
	if (o->fold) {
		lu_buf_clear(&w->folded);
		if (lu_canonical(&w->scratch, s, &w->folded, err) < 0)
			return -1;
		s = lu_buf_slice(&w->folded);
	}
	*key = lu_hash128(s.p, s.n);
	if (o->by) {
		key->lo ^= lu_hash64(&by, sizeof(by), 0);
		key->hi ^= lu_hash64(&by, sizeof(by), 1);
	}
	return 0;
}

/* Find the paragraphs of a text, into the arena. */
static int find_paragraphs(const struct lu_dedup_options *o, struct work *w, struct lu_doc *doc,
		struct facts *f, struct lu_err *err)
{
	struct lu_str text = doc->text;
	uint64_t by;

	if (lu_doc_by(o, doc, &by, err) < 0)
		return -1;
	w->p.n = 0;
	for (size_t at = 0, end; at < text.n; at = end) {
		const char *newline = memchr(text.p + at, '\n', text.n - at);
		struct paragraph p = { .from = at };
		struct lu_str s;

		end = newline ? (size_t)(newline - text.p) + 1 : text.n;
		s = trim((struct lu_str){ text.p + at, end - at });
		if (s.n == 0 || s.n < o->min_bytes)
			continue;
		p.end = end;
		if (key_of(w, o, s, by, &p.key, err) < 0)
			return -1;
		if (!lu_vec_push(&w->p, p))
			return lu_err_nomem(err);
	}
	f->n = w->p.n;
	f->p = lu_arena_alloc(doc->arena, f->n * sizeof(*f->p));
	if (!f->p)
		return lu_err_nomem(err);
	if (f->n)
		memcpy(f->p, w->p.p, f->n * sizeof(*f->p));
	return 0;
}

static int cut_blocks(const struct lu_dedup_options *o, struct work *w, struct lu_doc *doc,
		struct facts *f, struct lu_err *err)
{
	size_t before = doc->text.n;
	struct lu_str text;
	int64_t blocks;

	lu_buf_clear(&w->text);
	blocks = lu_within_cut(&w->within, doc->text, o->min_bytes, &w->text, err);
	if (blocks <= 0)
		return blocks < 0 ? -1 : 0;
	text = lu_arena_str(doc->arena, lu_buf_slice(&w->text));
	if (!text.p)
		return lu_err_nomem(err);
	f->blocks = (uint64_t)blocks;
	f->block_bytes = before - text.n;
	return lu_doc_set_text(doc, text, err);
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_dedup_options *o = ((const struct run *)ctx)->o;
	struct facts *f = lu_arena_alloc(doc->arena, sizeof(*f));

	if (!f)
		return lu_err_nomem(err);
	*f = (struct facts){ 0 };
	doc->user = f;
	if (o->within && cut_blocks(o, local, doc, f, err) < 0)
		return -1;
	return o->paragraphs ? find_paragraphs(o, local, doc, f, err) : 0;
}

/* --- one document, in input order ---------------------------------------------------------- */

/* Give the document the text without its copies, or drop it. */
static int cut_copies(struct run *r, struct lu_doc *doc, const struct facts *f, struct lu_err *err)
{
	struct lu_str text = doc->text, rest;
	size_t at = 0, copies = 0;

	lu_buf_clear(&r->text);
	for (size_t i = 0; i < f->n; i++) {
		const struct paragraph *p = &f->p[i];

		if (!p->copy)
			continue;
		copies++;
		lu_buf_append(&r->text, text.p + at, p->from - at);
		at = p->end;
	}
	if (copies == 0)
		return 0;
	lu_buf_append(&r->text, text.p + at, text.n - at);
	/* A text without a newline at its end gets none. */
	if (at == text.n && text.p[at - 1] != '\n' && r->text.n)
		r->text.n--;
	if (lu_buf_check(&r->text, err) < 0)
		return -1;
	r->cut_docs++;
	r->cut_paragraphs += copies;
	r->cut_bytes += text.n - r->text.n;
	rest = lu_buf_slice(&r->text);
	if (trim(rest).n == 0)
		return lu_doc_drop(doc, nothing_left, NULL);
	return lu_doc_set_text(doc, rest, err);
}

/* Add the keys of a document: 1 if its verdict has to wait, 0 if all is known. */
static int add_keys(struct run *r, struct facts *f, struct lu_err *err)
{
	uint64_t first = r->paragraphs;
	bool waits = r->exact.later;

	for (size_t i = 0; i < f->n; i++) {
		struct lu_exact_doc d = { .key = f->p[i].key, .number = r->paragraphs++ };
		int rc = lu_exact_add(&r->exact, &d, err);

		if (rc < 0)
			return -1;
		f->p[i].copy = rc == LU_EXACT_COPY;
		waits |= rc == LU_EXACT_LATER;
	}
	if (!waits || r->held.docs)
		return waits;
	/* The set became full within this document: remember what was known by then. */
	r->first_held = first;
	for (size_t i = 0; i < f->n; i++) {
		if (f->p[i].copy && !lu_vec_push(&r->early, first + i))
			return lu_err_nomem(err);
	}
	return 1;
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	struct facts *f = doc->user;
	int waits = r->o->paragraphs ? add_keys(r, f, err) : 0;

	if (waits < 0)
		return -1;
	r->within_docs += f->blocks > 0;
	r->within_blocks += f->blocks;
	r->within_bytes += f->block_bytes;
	if (!waits)
		return cut_copies(r, doc, f, err);
	return lu_held_add(&r->held, doc, err) < 0 ? -1 : lu_doc_hold(doc);
}

/* --- after the last document --------------------------------------------------------------- */

static int next_copy(struct run *r, struct lu_err *err)
{
	int rc = lu_exact_next(&r->exact, &r->next, err);

	r->any = rc > 0;
	return rc < 0 ? -1 : 0;
}

/* True if a paragraph is a copy; numbers must ascend. -1 with an error. */
static int is_copy(struct run *r, uint64_t number, size_t *early, struct lu_err *err)
{
	if (*early < r->early.n && r->early.p[*early] == number) {
		++*early;
		return 1;
	}
	while (r->any && r->next.number < number) {
		if (next_copy(r, err) < 0)
			return -1;
	}
	return r->any && r->next.number == number;
}

/* Find the paragraphs of a held record again, and cut those that are copies. */
static int release(struct run *r, struct work *w, struct lu_doc *doc, uint64_t *number,
		size_t *early, struct lu_err *err)
{
	struct lu_json_fault fault;
	const struct lu_json_member *m;
	struct facts f = { 0 };

	if (lu_json_object(doc->raw, doc->arena, &doc->obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	m = lu_json_get(&doc->obj, "text");
	LU_ASSERT(m && m->type == LU_JSON_STRING);
	if (lu_json_decode_known(m->value, m->escaped, doc->arena, &doc->text) < 0)
		return lu_err_nomem(err);
	/* The blocks were counted when the document was read. */
	if ((r->o->within && cut_blocks(r->o, w, doc, &f, err) < 0) ||
			find_paragraphs(r->o, w, doc, &f, err) < 0)
		return -1;
	for (size_t i = 0; i < f.n; i++) {
		int rc = is_copy(r, (*number)++, early, err);

		if (rc < 0)
			return -1;
		f.p[i].copy = rc;
	}
	if (cut_copies(r, doc, &f, err) < 0)
		return -1;
	return lu_docstream_put(&r->stream, doc, err);
}

static int release_held(struct run *r, struct lu_err *err)
{
	uint64_t number = r->first_held;
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	struct work w = { 0 };
	size_t early = 0;
	int rc = lu_held_rewind(&r->held, err);

	for (uint64_t i = 0; rc == 0 && i < r->held.docs; i++) {
		lu_arena_reset(&arena);
		rc = lu_held_get(&r->held, i, &doc, err);
		if (rc == 0)
			rc = release(r, &w, &doc, &number, &early, err);
	}
	lu_arena_release(&arena);
	work_free(&w);
	return rc;
}

static void put_counts(const struct run *r, struct lu_buf *extra)
{
	if (r->o->paragraphs) {
		lu_json_open_object(extra, "paragraphs");
		lu_json_put_u64(extra, "docs", r->cut_docs);
		lu_json_put_u64(extra, "removed", r->cut_paragraphs);
		lu_json_put_u64(extra, "bytes", r->cut_bytes);
		lu_json_close_object(extra);
	}
	if (r->o->within) {
		lu_json_open_object(extra, "within");
		lu_json_put_u64(extra, "docs", r->within_docs);
		lu_json_put_u64(extra, "removed", r->within_blocks);
		lu_json_put_u64(extra, "bytes", r->within_bytes);
		lu_json_close_object(extra);
	}
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct run *r = ctx;

	if (lu_exact_finish(&r->exact, err) < 0 || next_copy(r, err) < 0 ||
			release_held(r, err) < 0)
		return -1;
	put_counts(r, &stats->extra);
	return 0;
}

int lu_paragraphs_run(const struct lu_dedup *d, struct lu_err *err)
{
	const struct lu_dedup_options *o = d->o;
	struct run r = { .o = o,
		.exact = LU_EXACT_NONE,
		.held = LU_HELD_NONE,
		.stream = { .map = map,
				.decide = decide,
				.finish = finish,
				.local_size = sizeof(struct work),
				.local_free = work_free,
				.flags = LU_DOCSTREAM_SELECTS } };
	struct lu_exact_options x = {
		.memory = o->std.memory, .tmpdir = o->std.tmpdir, .threads = o->std.threads
	};
	int rc = -1;

	r.stream.ctx = &r;
	if (lu_exact_open(&r.exact, &x, err) == 0 && lu_held_open(&r.held, o->std.tmpdir, err) == 0)
		rc = lu_docstream_run(&r.stream, &o->std, d->args, err);
	if (rc == 0 && o->paragraphs)
		lu_detail("%" PRIu64 " paragraphs of %" PRIu64 " documents removed, %" PRIu64
			  " bytes",
				r.cut_paragraphs, r.cut_docs, r.cut_bytes);
	if (rc == 0 && o->within)
		lu_detail("%" PRIu64 " repeated blocks of %" PRIu64 " documents removed, %" PRIu64
			  " bytes",
				r.within_blocks, r.within_docs, r.within_bytes);
	lu_exact_close(&r.exact);
	lu_held_close(&r.held);
	lu_vec_release(&r.early);
	lu_buf_release(&r.text);
	return rc;
}
