#include "libcommon/mix/planned.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"

/* --- shards ------------------------------------------------------------------------------- */

static int check_manifest(const struct lu_planned *p, size_t i, struct lu_err *err)
{
	const struct lu_plan_shard *want = &p->plan.shard[i];
	char hash[33];

	if (!lu_hash_available() || !lu_shard_manifest(p->shard[i]) || !*want->manifest)
		return 0;
	if (lu_manifest_hash(want->prefix, hash, err) < 0)
		return -1;
	if (strcmp(hash, want->manifest) != 0)
		return lu_err_set(err, "%s: shard %s was rewritten after the plan was made",
				p->path, want->prefix);
	return 0;
}

static int open_shard(struct lu_planned *p, size_t i, bool trust, struct lu_err *err)
{
	const struct lu_plan_shard *want = &p->plan.shard[i];
	uint64_t documents, tokens;

	if ((trust ? lu_shard_open_trusted : lu_shard_open)(&p->shard[i], want->prefix, err) < 0)
		return -1;
	documents = lu_shard_documents(p->shard[i]);
	tokens = lu_shard_tokens(p->shard[i]);
	if (documents != want->documents || tokens != want->tokens)
		return lu_err_set(err,
				"%s: shard %s has %" PRIu64 " documents and %" PRIu64
				" tokens, but the plan was made for %" PRIu64 " and %" PRIu64,
				p->path, want->prefix, documents, tokens, want->documents,
				want->tokens);
	lu_shard_scattered(p->shard[i]);
	return check_manifest(p, i, err);
}

/* --- the index ---------------------------------------------------------------------------- */

/* Documents from which on it is worth a note that there is no index: about a second. */
#define MANY 2000000

/* Places at which an index is compared with the shards. */
#define PROBES 8

static int document_size(
		void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err)
{
	struct lu_shard *const *opened = ctx;

	return lu_shard_document_size(opened[shard], document, size, err);
}

static int misfit(const struct lu_planned *p, struct lu_err *err)
{
	return lu_err_set(err,
			"%s.walk: does not fit the shards of the plan; remove it, or write it anew "
			"with lucie-mix --plan -o",
			p->path);
}

/* Walk from a record to the next, or to the end of the plan, and compare. `mark` and `want` have room
 * for the marks of all groups. */
static int probe(const struct lu_planned *p, struct lu_plan_walk *w, uint64_t record,
		struct lu_plan_mark *mark, struct lu_plan_mark *want, struct lu_err *err)
{
	uint64_t interval = lu_walk_index_interval(p->index);
	struct lu_walk_place place;
	struct lu_plan_entry e;
	int rc;

	if (lu_walk_index_record(p->index, record, mark, &place, err) < 0 ||
			lu_plan_walk_restore(w, mark, err) < 0)
		return -1;
	for (uint64_t i = 0; i < interval; i++) {
		rc = lu_plan_walk_next(w, &e, err);
		if (rc <= 0)
			return rc;
	}
	if (record + 1 == lu_walk_index_records(p->index))
		return 0;
	if (lu_walk_index_record(p->index, record + 1, want, &place, err) < 0)
		return -1;
	lu_plan_walk_marks(w, mark);
	return memcmp(mark, want, p->plan.groups * sizeof(*mark)) == 0 ? 0 : misfit(p, err);
}

/* Compare the index with the shards: its checksums, and walks at the ends and in between. */
static int verify_index(const struct lu_planned *p, struct lu_err *err)
{
	uint64_t records = lu_walk_index_records(p->index), last = UINT64_MAX;
	struct lu_plan_mark *mark = calloc(2 * p->plan.groups + 1, sizeof(*mark));
	struct lu_plan_walk *w = NULL;
	int rc = mark ? lu_walk_index_check(p->index, err) : lu_err_nomem(err);

	if (rc == 0)
		rc = lu_plan_walk_new(&w, &p->plan, document_size, p->shard, err);
	for (uint64_t i = 0; rc == 0 && records && i < PROBES; i++) {
		uint64_t record = i * (records - 1) / (PROBES - 1);

		if (record != last)
			rc = probe(p, w, record, mark, mark + p->plan.groups, err);
		last = record;
	}
	lu_plan_walk_free(w);
	free(mark);
	return rc;
}

static int set_note(struct lu_planned *p, bool other, struct lu_err *err)
{
	int rc;

	if (other)
		rc = asprintf(&p->note,
				"%s.walk: belongs to another plan and was ignored: the order of "
				"the "
				"%" PRIu64 " documents of %s was walked through instead; "
				"lucie-mix --plan -o writes both",
				p->path, p->plan.documents, p->path);
	else
		rc = asprintf(&p->note,
				"%s: has no walk index, %s.walk, so the order of its %" PRIu64
				" documents was walked through; lucie-mix --plan -o writes both",
				p->path, p->path, p->plan.documents);
	if (rc >= 0)
		return 0;
	p->note = NULL;
	return lu_err_nomem(err);
}

static int open_index(struct lu_planned *p, bool trust, struct lu_err *err)
{
	char *path = lu_concat(p->path, ".walk", NULL);
	bool there;
	int rc;

	if (!path)
		return lu_err_nomem(err);
	there = access(path, F_OK) == 0 || errno != ENOENT;
	rc = there ? lu_walk_index_open(&p->index, path, &p->plan, err) : 1;
	free(path);
	if (rc == 0)
		return trust ? 0 : verify_index(p, err);
	if (rc < 0 || lu_walk_index_build(&p->index, &p->plan, document_size, p->shard, err) < 0)
		return -1;
	return there || p->plan.documents >= MANY ? set_note(p, there, err) : 0;
}

/* --- opening ------------------------------------------------------------------------------ */

int lu_planned_open(struct lu_planned *p, const char *path, bool trust, struct lu_err *err)
{
	int rc = 0;

	*p = (struct lu_planned){ .path = path };
	if (lu_plan_read(&p->plan, path, err) < 0)
		return -1;
	p->shard = calloc(p->plan.shards + 1, sizeof(struct lu_shard *));
	if (!p->shard)
		rc = lu_err_nomem(err);
	for (size_t i = 0; rc == 0 && i < p->plan.shards; i++)
		rc = open_shard(p, i, trust, err);
	if (rc == 0)
		rc = open_index(p, trust, err);
	if (rc < 0)
		lu_planned_close(p);
	return rc;
}

void lu_planned_close(struct lu_planned *p)
{
	lu_walk_index_close(p->index);
	for (size_t i = 0; p->shard && i < p->plan.shards; i++)
		lu_shard_close(p->shard[i]);
	free(p->shard);
	free(p->note);
	lu_plan_release(&p->plan);
	*p = (struct lu_planned){ 0 };
}

/* --- cursors ------------------------------------------------------------------------------ */

struct lu_planned_cursor {
	const struct lu_planned *planned;
	struct lu_plan_walk *walk;
	struct lu_plan_mark *mark;
	uint64_t end;	      /* tokens of the plan up to where the walk is */
	bool lost;	      /* after a failure the walk is nowhere */
	struct lu_piece here; /* the document before `end`; n is 0 before the first */
};

int lu_planned_cursor_new(
		struct lu_planned_cursor **out, const struct lu_planned *p, struct lu_err *err)
{
	struct lu_planned_cursor *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return lu_err_nomem(err);
	c->planned = p;
	c->mark = calloc(p->plan.groups + 1, sizeof(*c->mark));
	if (!c->mark || lu_plan_walk_new(&c->walk, &p->plan, document_size, p->shard, err) < 0) {
		lu_planned_cursor_free(c);
		return lu_err_nomem(err);
	}
	*out = c;
	return 0;
}

void lu_planned_cursor_free(struct lu_planned_cursor *c)
{
	if (!c)
		return;
	lu_plan_walk_free(c->walk);
	free(c->mark);
	free(c);
}

/* Look up where the document that the walk has just yielded lies. */
static int place(struct lu_planned_cursor *c, const struct lu_plan_entry *e, struct lu_err *err)
{
	const struct lu_shard *shard = c->planned->shard[e->shard];
	uint64_t first, n;

	if (lu_shard_document(shard, e->document, &first, &n, err) < 0)
		return -1;
	if (n != e->size)
		return misfit(c->planned, err);
	c->here = (struct lu_piece){ shard, first, c->end - n, n, true };
	return 0;
}

/* Walk to the document with the token, which is not before `end`, in at most `limit` documents. */
static int walk_to(struct lu_planned_cursor *c, uint64_t token, uint64_t limit, struct lu_err *err)
{
	struct lu_plan_entry e;

	for (uint64_t i = 0; i < limit; i++) {
		int rc = lu_plan_walk_next(c->walk, &e, err);

		if (rc < 0)
			return lu_err_wrap(err, "%s", c->planned->path);
		if (rc == 0)
			break;
		c->end += e.size;
		if (token < c->end)
			return place(c, &e, err);
	}
	return misfit(c->planned, err);
}

static int seek(struct lu_planned_cursor *c, uint64_t token, struct lu_err *err)
{
	const struct lu_walk_index *index = c->planned->index;
	struct lu_walk_place at;

	if (lu_walk_index_find(index, token, c->mark, &at, err) < 0)
		return -1;
	/* Beyond the record already? */
	if (c->lost || token < c->end || c->end < at.tokens) {
		if (lu_plan_walk_restore(c->walk, c->mark, err) < 0)
			return lu_err_wrap(err, "%s", c->planned->path);
		c->end = at.tokens;
	}
	return walk_to(c, token, lu_walk_index_interval(index), err);
}

int lu_planned_seek(struct lu_planned_cursor *c, uint64_t token, struct lu_piece *piece,
		struct lu_err *err)
{
	LU_ASSERT(token < c->planned->plan.tokens);
	if (c->lost || token < c->here.begin || token - c->here.begin >= c->here.n) {
		c->lost = seek(c, token, err) < 0;
		if (c->lost)
			return -1;
	}
	*piece = c->here;
	return 0;
}

int lu_planned_next(struct lu_planned_cursor *c, struct lu_piece *piece, struct lu_err *err)
{
	LU_ASSERT(!c->lost);
	if (c->end == c->planned->plan.tokens)
		return 0;
	c->lost = walk_to(c, c->end, UINT64_MAX, err) < 0;
	if (c->lost)
		return -1;
	*piece = c->here;
	return 1;
}
