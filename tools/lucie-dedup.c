/* lucie-dedup: removes exact and near duplicates. Near duplicates are found by MinHash (Broder
 * 1997) with 5-word shingles in 14 bands of 8 rows, the settings of FineWeb and of Lucie-7B. */
#include <inttypes.h>
#include <stdio.h>

#include "libcommon/dedup/canonical.h"
#include "libcommon/dedup/exact.h"
#include "libcommon/dedup/join.h"
#include "libcommon/dedup/sigfile.h"
#include "libcommon/par/held.h"

enum keep { KEEP_FIRST, KEEP_LONGEST };

struct options {
	struct lu_std std;
	bool exact, near, fold, similarity, cluster_size;
	const char *key, *removed, *signatures;
	struct lu_list from_signatures;
	int bands, rows;
	enum keep keep;
	double verify;
	bool bands_given, rows_given, verify_given, keep_given;
};

static const struct lu_enum keep_names[] = {
	{ "first", KEEP_FIRST },
	{ "longest", KEEP_LONGEST },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_FLAG(0, "exact", struct options, exact, "remove exact duplicates"),
	LU_OPT_STR(0, "key", struct options, key, "text|FIELD", "what --exact compares (text)"),
	LU_OPT_FLAG(0, "fold", struct options, fold, "--exact: ignore case, blanks, composition"),
	LU_OPT_FLAG(0, "near", struct options, near, "remove near duplicates (MinHash)"),
	LU_OPT_INT_GIVEN(0, "bands", struct options, bands, bands_given, "N", 1, LU_MINHASH_MAX,
			"number of bands; more find more"),
	LU_OPT_INT_GIVEN(0, "rows", struct options, rows, rows_given, "N", 1, LU_MINHASH_MAX,
			"rows per band; more find less"),
	LU_OPT_DOUBLE_GIVEN(0, "verify", struct options, verify, verify_given, "J", 0, 1,
			"least estimated similarity; 0: off"),
	LU_OPT_ENUM_GIVEN(0, "keep", struct options, keep, keep_given, keep_names,
			"document to keep of a cluster (first)"),
	LU_OPT_FLAG(0, "cluster-size", struct options, cluster_size,
			"add minhash_cluster_size to documents"),
	LU_OPT_FLAG(0, "similarity", struct options, similarity,
			"print the fraction found by similarity"),
	LU_OPT_STR(0, "signatures", struct options, signatures, "FILE", "write signatures only"),
	LU_OPT_LIST(0, "from-signatures", struct options, from_signatures, "FILE",
			"read signatures (repeatable)"),
	LU_OPT_STR(0, "removed", struct options, removed, "FILE", "log removed documents"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-dedup", "removes exact and near duplicates",
	"[FILE...]", opts, LU_STD_FILTER | LU_STD_TMPDIR, offsetof(struct options, std) };

struct run {
	const struct options *o;
	struct lu_docstream stream;
	struct lu_exact exact;
	struct lu_minhash *mh;
	struct lu_join join;
	struct lu_held held;
	struct lu_arena ids;
	struct LU_VEC(struct lu_str) id; /* by held document, for the log */
	struct lu_sigwriter writer;
	struct lu_sigreader reader;
	struct lu_out *log;
};

/* Computed by map(), used by decide(). */
struct facts {
	bool has_key;
	struct lu_hash128 key;
	struct lu_sigentry entry;
	void *signature;
};

/* --- one document, in parallel ------------------------------------------------------------ */

static int find_key(
		const struct options *o, struct lu_doc *doc, struct facts *f, struct lu_err *err)
{
	struct lu_canonical_scratch scratch = { 0 };
	struct lu_str s = doc->text;
	struct lu_buf folded = { 0 };
	int rc = 0;

	if (o->key && strcmp(o->key, "text") != 0) {
		const struct lu_json_member *m = lu_json_get(&doc->obj, o->key);

		if (!m || m->type == LU_JSON_NULL)
			return 0;
		s = m->value;
		if (m->type == LU_JSON_STRING &&
				lu_json_decode_known(m->value, m->escaped, doc->arena, &s) < 0)
			return lu_err_nomem(err);
	}
	if (o->fold) {
		rc = lu_canonical(&scratch, s, &folded, err);
		lu_canonical_release(&scratch);
		s = lu_buf_slice(&folded);
	}
	f->key = lu_hash128(s.p, s.n);
	f->has_key = true;
	lu_buf_release(&folded);
	return rc;
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	const struct options *o = r->o;
	struct facts *f = lu_arena_alloc(doc->arena, sizeof(*f));

	if (!f)
		return lu_err_nomem(err);
	*f = (struct facts){ 0 };
	doc->user = f;
	if (o->exact && find_key(o, doc, f, err) < 0)
		return -1;
	if (!o->near)
		return 0;
	f->signature = lu_arena_alloc(doc->arena, lu_minhash_size(r->mh));
	if (!f->signature)
		return lu_err_nomem(err);
	if (o->signatures || o->from_signatures.n)
		f->entry = (struct lu_sigentry){ lu_hash64(doc->text.p, doc->text.n, 0),
			doc->text.n };
	if (o->from_signatures.n)
		return 0;
	return lu_minhash_sign(*(struct lu_minhash_work **)local, doc->text, f->signature, err);
}

/* A thread's state is the pointer to its working memory. */
static int work_init(void *ctx, void *local, struct lu_err *err)
{
	struct lu_minhash_work **work = local;

	*work = lu_minhash_work_new(((struct run *)ctx)->mh, err);
	return *work ? 0 : -1;
}

static void work_free(void *local)
{
	lu_minhash_work_free(*(struct lu_minhash_work **)local);
}

/* --- one document, in input order --------------------------------------------------------- */

/* Read the document's signature, and check that it was made from this text. */
static int read_signature(struct run *r, struct lu_doc *doc, struct lu_err *err)
{
	struct facts *f = doc->user;
	struct lu_sigentry e;
	int rc = lu_sigreader_next(&r->reader, &e, f->signature, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return lu_err_set(err, "%s:%" PRIu64 ": no signature for this document", doc->file,
				doc->line);
	if (e.text_hash != f->entry.text_hash || e.text_length != f->entry.text_length)
		return lu_err_set(err, "%s:%" PRIu64 ": the signature is that of another text",
				doc->file, doc->line);
	return 0;
}

/* The log names the kept document, which may be any number of documents away. */
static int keep_id(struct run *r, struct lu_str id, struct lu_err *err)
{
	struct lu_str copy = lu_arena_str(&r->ids, id);

	return copy.p && lu_vec_push(&r->id, copy) ? 0 : lu_err_nomem(err);
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	const struct options *o = r->o;
	struct facts *f = doc->user;
	struct lu_origin origin = { doc->file, doc->line, LU_STR("null") };
	int rc;

	if (o->removed)
		origin.id = lu_origin_id(&doc->obj);
	if (f->has_key) {
		rc = lu_exact_add(&r->exact, f->key, &origin, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return lu_doc_drop(doc, "exact duplicate", NULL);
	}
	if (!o->near)
		return 0;
	if (o->signatures)
		return lu_sigwriter_add(&r->writer, &f->entry, f->signature, err);
	if (o->from_signatures.n && read_signature(r, doc, err) < 0)
		return -1;
	if (o->removed && keep_id(r, origin.id, err) < 0)
		return -1;
	if (lu_join_add(&r->join, f->signature, doc->text.n, err) < 0 ||
			lu_held_add(&r->held, doc, err) < 0)
		return -1;
	return lu_doc_hold(doc);
}

/* --- after the last document -------------------------------------------------------------- */

static int log_removed(struct run *r, uint32_t i, double similarity, struct lu_err *err)
{
	uint32_t k = r->join.kept[i];
	const struct lu_held_doc *a = &r->held.doc[i], *b = &r->held.doc[k];
	struct lu_origin removed = { a->file, a->line, r->id.p[i] };
	struct lu_origin kept = { b->file, b->line, r->id.p[k] };
	struct lu_buf line = { 0 };
	int rc;

	lu_removed_open(&line, "near", &removed, &kept, similarity);
	lu_removed_close(&line, r->join.cluster_size[k]);
	rc = lu_out_buf(r->log, &line, err);
	lu_buf_release(&line);
	return rc;
}

/* Write or drop document i. */
static int release_held(struct run *r, uint32_t i, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_join *j = &r->join;
	struct lu_json_fault fault;
	double similarity;

	if (lu_held_get(&r->held, i, doc, err) < 0)
		return -1;
	if (j->kept[i] != i) {
		similarity = lu_removed_round(lu_join_similarity(j, i, j->kept[i]));
		lu_doc_drop_number(doc, "near duplicate", similarity);
		if (r->log && log_removed(r, i, similarity, err) < 0)
			return -1;
	} else if (r->o->cluster_size) {
		if (lu_json_object(doc->raw, doc->arena, &doc->obj, &fault) < 0)
			return lu_err_nomem(err);
		lu_doc_set(doc, "minhash_cluster_size",
				lu_doc_printf(doc, "%u", j->cluster_size[i]));
	}
	return lu_docstream_put(&r->stream, doc, err);
}

static int finish_near(struct run *r, struct lu_err *err)
{
	struct lu_join_options how = { r->o->verify, r->o->keep == KEEP_LONGEST };
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	int rc = lu_join_run(&r->join, &how, err);

	if (rc == 0)
		rc = lu_held_rewind(&r->held, err);
	for (uint32_t i = 0; rc == 0 && i < r->join.docs; i++) {
		lu_arena_reset(&arena);
		rc = release_held(r, i, &doc, err);
	}
	lu_arena_release(&arena);
	return rc;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct run *r = ctx;

	(void)stats;
	if (r->o->from_signatures.n && lu_sigreader_expect_end(&r->reader, err) < 0)
		return -1;
	if (r->log && lu_exact_write_log(&r->exact, r->log, err) < 0)
		return -1;
	if (r->o->near && !r->o->signatures && finish_near(r, err) < 0)
		return -1;
	return r->log ? lu_out_settle(r->log, err) : 0;
}

static int commit(void *ctx, struct lu_err *err)
{
	struct run *r = ctx;
	struct lu_out *log = r->log;

	r->log = NULL;
	return log ? lu_out_commit(log, err) : 0;
}

/* --- the run ------------------------------------------------------------------------------ */

static int open_near(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	const struct options *o = r->o;

	if (lu_minhash_new(&r->mh, (unsigned)o->bands, (unsigned)o->rows, LU_MINHASH_BEST, err) < 0)
		return -1;
	r->stream.local_size = sizeof(struct lu_minhash_work *);
	r->stream.local_init = work_init;
	r->stream.local_free = work_free;
	if (o->signatures) {
		r->stream.flags |= LU_DOCSTREAM_SILENT;
		if (lu_sigwriter_open(&r->writer, o->signatures, r->mh, err) < 0)
			return -1;
		return lu_out_refuse_inputs(r->writer.out, args->file, args->files, err);
	}
	lu_sigreader_init(&r->reader, o->from_signatures.item, o->from_signatures.n, r->mh);
	lu_join_init(&r->join, r->mh);
	return lu_held_open(&r->held, o->std.tmpdir, err);
}

static int open_all(struct run *r, const struct lu_args *args, struct lu_err *err)
{
	const struct options *o = r->o;

	if (lu_exact_open(&r->exact, o->removed != NULL, o->std.tmpdir, err) < 0)
		return -1;
	if (o->removed &&
			(lu_out_open(&r->log, o->removed, NULL, o->std.threads, err) < 0 ||
					lu_out_refuse_inputs(r->log, args->file, args->files, err) <
							0))
		return -1;
	return o->near ? open_near(r, args, err) : 0;
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct run r = { .o = o, .exact = LU_EXACT_NONE, .held = LU_HELD_NONE };
	int rc;

	r.stream = (struct lu_docstream){ .ctx = &r,
		.map = map,
		.decide = decide,
		.finish = finish,
		.commit = commit,
		.flags = LU_DOCSTREAM_SELECTS };
	rc = open_all(&r, args, err);
	if (rc == 0)
		rc = lu_docstream_run(&r.stream, &o->std, args, err);
	if (rc == 0 && o->signatures)
		rc = lu_sigwriter_commit(&r.writer, err);
	lu_out_abort(r.log);
	lu_sigwriter_abort(&r.writer);
	lu_sigreader_close(&r.reader);
	lu_exact_close(&r.exact);
	lu_join_release(&r.join);
	lu_held_close(&r.held);
	lu_arena_release(&r.ids);
	lu_vec_release(&r.id);
	lu_minhash_free(r.mh);
	return rc;
}

static void print_similarity(const struct options *o)
{
	unsigned b = (unsigned)o->bands, r = (unsigned)o->rows;

	printf("%u bands of %u rows\nsimilarity  found\n", b, r);
	for (int i = 10; i <= 20; i++)
		printf("      %.2f  %.4f\n", i / 20.0, lu_minhash_found(b, r, i / 20.0));
}

static void check_usage(const struct options *o)
{
	if ((int64_t)o->bands * o->rows > LU_MINHASH_MAX)
		lu_usage_error("--bands times --rows exceeds %d", LU_MINHASH_MAX);
	if (o->similarity)
		return;
	if (!o->exact && !o->near)
		lu_usage_error("--exact or --near is needed");
	if (!o->exact && (o->key || o->fold))
		lu_usage_error("--key and --fold apply to --exact");
	if (!o->near &&
			(o->bands_given || o->rows_given || o->verify_given || o->keep_given ||
					o->cluster_size || o->signatures || o->from_signatures.n))
		lu_usage_error("--bands, --rows, --verify, --keep, --cluster-size, --signatures "
			       "and --from-signatures apply to --near");
	if (o->signatures &&
			(o->std.output || o->std.compress || o->from_signatures.n ||
					o->verify_given || o->keep_given || o->cluster_size))
		lu_usage_error("--signatures writes signatures only");
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .bands = 14, .rows = 8, .verify = 0.7 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc = 0;

	lu_tool_start(&tool, argc, argv, &o, &args);
	check_usage(&o);
	if (o.similarity)
		print_similarity(&o);
	else
		rc = run(&o, &args, &err);
	lu_list_release(&o.from_signatures);
	return lu_tool_finish(rc, &err);
}
