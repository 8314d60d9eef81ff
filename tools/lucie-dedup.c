/* lucie-dedup: removes exact and near duplicates of documents. */
#include "libcommon/dedup/exact.h"
#include "libcommon/par/docstream.h"

struct config {
	struct lu_std std;
	bool exact;
	const char *key, *removed;
	struct lu_exact seen;
	struct lu_out *log;
	uint64_t dropped;
};

static const struct lu_opt opts[] = {
	LU_OPT_FLAG(0, "exact", struct config, exact, "remove documents that were seen before"),
	LU_OPT_STR(0, "key", struct config, key, "text|FIELD", "what --exact compares"),
	LU_OPT_STR(
		0, "removed", struct config, removed, "FILE", "log: which was removed for which"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-dedup", "removes exact and near duplicates",
	"[FILE...]", opts, LU_STD_FILTER | LU_STD_TMPDIR, offsetof(struct config, std) };

/* The 128-bit key of what is compared; NULL where the document has no such member. */
static int key_of(
	const struct config *c, struct lu_doc *doc, struct lu_hash128 **key, struct lu_err *err)
{
	struct lu_str s = doc->text;

	*key = NULL;
	if (c->key && strcmp(c->key, "text") != 0) {
		const struct lu_json_member *m = lu_json_get(&doc->obj, c->key);

		if (!m || m->type == LU_JSON_NULL)
			return 0;
		s = m->value;
		if (m->type == LU_JSON_STRING &&
			lu_json_decode_known(m->value, m->escaped, doc->arena, &s) < 0)
			return lu_err_nomem(err);
	}
	*key = lu_arena_alloc(doc->arena, sizeof(**key));
	if (!*key)
		return lu_err_nomem(err);
	**key = lu_hash128(s.p, s.n);
	return 0;
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_hash128 *key;

	(void)local;
	if (key_of(ctx, doc, &key, err) < 0)
		return -1;
	doc->user = key;
	return 0;
}

static int decide(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct config *c = ctx;
	struct lu_place place = { doc->file, doc->line, LU_STR("null") };
	const struct lu_hash128 *key = doc->user;
	int rc;

	if (!key)
		return 0;
	if (c->removed)
		place.id = lu_place_id(&doc->obj);
	rc = lu_exact_see(&c->seen, *key, &place, err);
	if (rc == 0) {
		c->dropped++;
		return lu_doc_drop(doc, "exact duplicate", NULL);
	}
	return rc < 0 ? -1 : 0;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct config *c = ctx;

	if (c->removed && lu_exact_log(&c->seen, c->log, err) < 0)
		return -1;
	if (c->dropped * 2 > stats->in.docs)
		lu_note("removed %llu of %llu documents, more than half",
			(unsigned long long)c->dropped, (unsigned long long)stats->in.docs);
	return 0;
}

static int run(struct config *c, const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = c, .map = map, .decide = decide, .finish = finish };
	int rc = -1;

	if (lu_exact_open(&c->seen, c->removed != NULL, c->std.tmpdir, err) < 0)
		return -1;
	if (c->removed && lu_out_open(&c->log, c->removed, NULL, c->std.threads, err) < 0)
		goto out;
	rc = lu_docstream_run(&ds, &c->std, args, err);
	if (rc == 0 && c->log) {
		rc = lu_out_commit(c->log, err);
		c->log = NULL;
	}
out:
	lu_out_abort(c->log);
	lu_exact_close(&c->seen);
	return rc;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };

	lu_tool_start(&tool, argc, argv, &c, &args);
	if (!c.exact)
		lu_usage_error("say --exact");
	return lu_tool_finish(run(&c, &args, &err), &err);
}
