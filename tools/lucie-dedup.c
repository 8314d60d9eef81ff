/* lucie-dedup: removes exact and near duplicates. Near duplicates are found by MinHash (Broder
 * 1997) with 5-word shingles in 14 bands of 8 rows, the settings of FineWeb and of Lucie-7B. */
#include <stdlib.h>

#include "libcommon/dedup/canonical.h"
#include "libcommon/dedup/exact.h"
#include "libcommon/dedup/join.h"
#include "libcommon/dedup/sigfile.h"
#include "libcommon/par/held.h"

struct config {
	struct lu_std std;
	bool exact, near, fold, similarity, cluster_size;
	const char *key, *removed, *signatures;
	struct lu_list from;
	int bands, rows, keep;
	double verify;
	bool bands_given, rows_given, verify_given, keep_given;

	struct lu_docstream *ds;
	struct lu_minhash *mh;
	struct lu_exact seen;
	struct lu_join join;
	struct lu_held held;
	struct lu_arena ids; /* for the log */
	struct lu_str *id;
	uint64_t ids_cap;
	struct lu_sigwrite write;
	struct lu_sigread read;
	struct lu_out *log;
};

enum { KEEP_FIRST, KEEP_LONGEST };

static const struct lu_opt opts[] = {
	LU_OPT_FLAG(0, "exact", struct config, exact, "remove what was seen before"),
	LU_OPT_STR(0, "key", struct config, key, "text|FIELD", "what --exact compares"),
	LU_OPT_FLAG(0, "fold", struct config, fold, "--exact: ignore case, blanks, composition"),
	LU_OPT_FLAG(0, "near", struct config, near, "remove near duplicates (MinHash)"),
	LU_OPT_INT_GIVEN(0, "bands", struct config, bands, bands_given, "N", 1, LU_MINHASH_MAX,
			"14; more find more"),
	LU_OPT_INT_GIVEN(0, "rows", struct config, rows, rows_given, "N", 1, LU_MINHASH_MAX,
			"8; more find less"),
	LU_OPT_DOUBLE_GIVEN(0, "verify", struct config, verify, verify_given, "J", 0, 1,
			"least estimated similarity, 0.70; 0: off"),
	LU_OPT_CHOICE_GIVEN(0, "keep", struct config, keep, keep_given, "first|longest",
			"which one stays"),
	LU_OPT_FLAG(0, "cluster-size", struct config, cluster_size, "set minhash_cluster_size"),
	LU_OPT_FLAG(0, "similarity", struct config, similarity, "print what bands and rows find"),
	LU_OPT_STR(0, "signatures", struct config, signatures, "FILE", "only write signatures"),
	LU_OPT_LIST(0, "from-signatures", struct config, from, "FILE", "read them (repeatable)"),
	LU_OPT_STR(0, "removed", struct config, removed, "FILE", "log: what for what"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-dedup", "removes exact and near duplicates",
	"[FILE...]", opts, LU_STD_FILTER | LU_STD_TMPDIR, offsetof(struct config, std) };

/* What map() finds out about a document. */
struct facts {
	bool has_key;
	struct lu_hash128 key;
	struct lu_sigentry entry;
	void *signature;
};

/* --- one document, in parallel ------------------------------------------------------------ */

static int find_key(const struct config *c, struct lu_doc *doc, struct facts *f, struct lu_err *err)
{
	struct lu_canonical_work w = { 0 };
	struct lu_str s = doc->text;
	struct lu_buf b = { 0 };
	int rc = 0;

	if (c->key && strcmp(c->key, "text") != 0) {
		const struct lu_json_member *m = lu_json_get(&doc->obj, c->key);

		if (!m || m->type == LU_JSON_NULL)
			return 0;
		s = m->value;
		if (m->type == LU_JSON_STRING &&
				lu_json_decode_known(m->value, m->escaped, doc->arena, &s) < 0)
			return lu_err_nomem(err);
	}
	if (c->fold) {
		rc = lu_canonical(&w, s, &b, err);
		lu_canonical_release(&w);
		s = lu_buf_slice(&b);
	}
	f->key = lu_hash128(s.p, s.n);
	f->has_key = true;
	lu_buf_release(&b);
	return rc;
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct facts *f = lu_arena_alloc(doc->arena, sizeof(*f));

	if (!f)
		return lu_err_nomem(err);
	*f = (struct facts){ 0 };
	doc->user = f;
	if (c->exact && find_key(c, doc, f, err) < 0)
		return -1;
	if (!c->near)
		return 0;
	f->signature = lu_arena_alloc(doc->arena, lu_minhash_size(c->mh));
	if (!f->signature)
		return lu_err_nomem(err);
	if (c->signatures || c->from.n)
		f->entry = (struct lu_sigentry){ lu_hash64(doc->text.p, doc->text.n, 0),
			doc->text.n };
	return c->from.n ? 0
			 : lu_minhash_sign(c->mh, *(struct lu_minhash_work **)local, doc->text,
					   f->signature, err);
}

/* --- one document, in input order --------------------------------------------------------- */

/* The signature comes from a file: it must be that of this very text. */
static int read_signature(struct config *c, struct lu_doc *doc, struct lu_err *err)
{
	struct facts *f = doc->user;
	struct lu_sigentry e;
	int rc = lu_sigread_next(&c->read, &e, f->signature, err);

	if (rc > 0 && (e.text_hash != f->entry.text_hash || e.text_length != f->entry.text_length))
		return lu_err_set(err, "%s:%llu: the signature is that of another text", doc->file,
				(unsigned long long)doc->line);
	if (rc == 0)
		return lu_err_set(err, "%s:%llu: no signature left for this document", doc->file,
				(unsigned long long)doc->line);
	return rc < 0 ? -1 : 0;
}

/* The log names the one that stays, which may be any number of documents away. */
static int keep_id(struct config *c, struct lu_str id, struct lu_err *err)
{
	uint64_t n = c->held.docs;

	if (n == c->ids_cap) {
		uint64_t cap = n ? n + n / 2 : 1024;
		struct lu_str *bigger = realloc(c->id, cap * sizeof(*bigger));

		if (!bigger)
			return lu_err_nomem(err);
		c->id = bigger;
		c->ids_cap = cap;
	}
	c->id[n] = lu_arena_str(&c->ids, id);
	return c->id[n].p ? 0 : lu_err_nomem(err);
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct config *c = ctx;
	struct facts *f = doc->user;
	struct lu_place place = { doc->file, doc->line, LU_STR("null") };
	int rc;

	if (c->removed)
		place.id = lu_place_id(&doc->obj);
	if (f->has_key) {
		rc = lu_exact_see(&c->seen, f->key, &place, err);
		if (rc < 0)
			return -1;
		if (rc == 0) {
			return lu_doc_drop(doc, "exact duplicate", NULL);
		}
	}
	if (!c->near)
		return 0;
	if (c->signatures)
		return lu_sigwrite_add(&c->write, &f->entry, f->signature, err);
	if (c->from.n && read_signature(c, doc, err) < 0)
		return -1;
	if (c->removed && keep_id(c, place.id, err) < 0)
		return -1;
	if (lu_join_add(&c->join, f->signature, doc->text.n, err) < 0 ||
			lu_held_add(&c->held, doc, err) < 0)
		return -1;
	return lu_doc_hold(doc);
}

/* --- after the last one ------------------------------------------------------------------- */

static int log_removed(struct config *c, uint32_t i, double similarity, struct lu_err *err)
{
	uint32_t kept = c->join.kept[i];
	const struct lu_held_doc *a = &c->held.doc[i], *b = &c->held.doc[kept];
	struct lu_place removed = { a->file, a->line, c->id[i] };
	struct lu_place stays = { b->file, b->line, c->id[kept] };
	struct lu_buf line = { 0 };
	int rc;

	lu_removed_open(&line, "near", &removed, &stays, similarity);
	lu_removed_close(&line, c->join.size[kept]);
	rc = lu_out_buf(c->log, &line, err);
	lu_buf_release(&line);
	return rc;
}

static int settle(struct config *c, uint32_t i, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_join *j = &c->join;
	struct lu_json_fault fault;
	double similarity;

	if (lu_held_get(&c->held, i, doc, err) < 0)
		return -1;
	if (j->kept[i] != i) {
		similarity = lu_removed_round(lu_join_similarity(j, i, j->kept[i]));
		lu_doc_drop_number(doc, "near duplicate", similarity);
		if (c->log && log_removed(c, i, similarity, err) < 0)
			return -1;
	} else if (c->cluster_size) {
		if (lu_json_object(doc->raw, doc->arena, &doc->obj, &fault) < 0)
			return lu_err_nomem(err);
		lu_doc_set(doc, "minhash_cluster_size", lu_doc_printf(doc, "%u", j->size[i]));
	}
	return lu_docstream_put(c->ds, doc, err);
}

static int finish_near(struct config *c, struct lu_err *err)
{
	struct lu_join_how how = { c->verify, c->keep == KEEP_LONGEST };
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	int rc = lu_join_solve(&c->join, &how, err);

	if (rc == 0)
		rc = lu_held_rewind(&c->held, err);
	for (uint32_t i = 0; rc == 0 && i < c->join.docs; i++) {
		lu_arena_reset(&arena);
		rc = settle(c, i, &doc, err);
	}
	lu_arena_release(&arena);
	return rc;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct config *c = ctx;
	struct lu_sigentry e;
	unsigned char *spare;
	int rc;

	(void)stats;
	if (c->from.n) {
		spare = malloc(lu_minhash_size(c->mh));
		rc = spare ? lu_sigread_next(&c->read, &e, spare, err) : lu_err_nomem(err);
		free(spare);
		if (rc > 0)
			return lu_err_set(err, "more signatures than documents");
		if (rc < 0)
			return -1;
	}
	if (c->log && lu_exact_log(&c->seen, c->log, err) < 0)
		return -1;
	if (c->near && !c->signatures && finish_near(c, err) < 0)
		return -1;
	/* Before the documents: they appear last. */
	if (c->log) {
		rc = lu_out_commit(c->log, err);
		c->log = NULL;
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* --- the run ------------------------------------------------------------------------------ */

/* A thread's state is the pointer to its work space. */
static int work_init(void *ctx, void *local, struct lu_err *err)
{
	struct lu_minhash_work **work = local;

	*work = lu_minhash_work_new(((struct config *)ctx)->mh, err);
	return *work ? 0 : -1;
}

static void work_free(void *local)
{
	lu_minhash_work_free(*(struct lu_minhash_work **)local);
}

static int open_all(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	if (lu_exact_open(&c->seen, c->removed != NULL, c->std.tmpdir, err) < 0)
		return -1;
	if (c->removed &&
			(lu_out_open(&c->log, c->removed, NULL, c->std.threads, err) < 0 ||
					lu_out_refuse(c->log, args->file, args->files, err) < 0))
		return -1;
	if (!c->near)
		return 0;
	if (lu_minhash_new(&c->mh, (unsigned)c->bands, (unsigned)c->rows, LU_MINHASH_BEST, err) < 0)
		return -1;
	if (c->signatures) {
		if (lu_sigwrite_open(&c->write, c->signatures, c->mh, err) < 0)
			return -1;
		return lu_out_refuse(c->write.out, args->file, args->files, err);
	}
	if (c->from.n && lu_sigread_open(&c->read, c->from.item, c->from.n, c->mh, err) < 0)
		return -1;
	lu_join_init(&c->join, c->mh);
	return lu_held_open(&c->held, c->std.tmpdir, err);
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = c,
		.map = map,
		.decide = decide,
		.finish = finish,
		.flags = LU_DOCSTREAM_SELECTS };
	int rc = -1;

	c->ds = &ds;
	c->held.spool.fd = c->seen.spool.fd = -1;
	if (c->signatures)
		ds.flags |= LU_DOCSTREAM_SILENT;
	if (open_all(c, args, err) < 0)
		goto out;
	if (c->near) {
		ds.local_size = sizeof(struct lu_minhash_work *);
		ds.local_init = work_init;
		ds.local_free = work_free;
	}
	rc = lu_docstream_run(&ds, &c->std, args, err);
	if (rc == 0 && c->signatures)
		rc = lu_sigwrite_commit(&c->write, err);
out:
	lu_out_abort(c->log);
	lu_sigwrite_abort(&c->write);
	lu_sigread_close(&c->read);
	lu_exact_close(&c->seen);
	lu_join_release(&c->join);
	lu_held_close(&c->held);
	lu_arena_release(&c->ids);
	free(c->id);
	lu_minhash_free(c->mh);
	return rc;
}

static void print_similarity(const struct config *c)
{
	unsigned b = (unsigned)c->bands, r = (unsigned)c->rows;

	printf("%u bands of %u rows\nsimilarity  found\n", b, r);
	for (int i = 10; i <= 20; i++)
		printf("      %.2f  %.4f\n", i / 20.0, lu_minhash_found(b, r, i / 20.0));
}

static void check_usage(const struct config *c)
{
	bool near_only = c->bands_given || c->rows_given;

	if ((int64_t)c->bands * c->rows > LU_MINHASH_MAX)
		lu_usage_error("--bands times --rows is more than %d", LU_MINHASH_MAX);
	if (c->similarity)
		return;
	if (!c->exact && !c->near)
		lu_usage_error("say --exact or --near");
	if (!c->exact && (c->key || c->fold))
		lu_usage_error("--key and --fold say what --exact compares");
	if (!c->near &&
			(near_only || c->verify_given || c->keep_given || c->cluster_size ||
					c->signatures || c->from.n))
		lu_usage_error("--bands, --rows, --verify, --keep, --cluster-size, --signatures "
			       "and --from-signatures belong to --near");
	if (c->signatures &&
			(c->std.output || c->std.compress || c->from.n || c->verify_given ||
					c->keep_given || c->cluster_size))
		lu_usage_error("--signatures writes only signatures");
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS, .bands = 14, .rows = 8, .verify = 0.7 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc = 0;

	lu_tool_start(&tool, argc, argv, &c, &args);
	check_usage(&c);
	if (c.similarity)
		print_similarity(&c);
	else
		rc = run(&c, &args, &err);
	lu_list_release(&c.from);
	return lu_tool_finish(rc, &err);
}
