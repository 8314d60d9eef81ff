#include "libcommon/mix/planned.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/hash/hash.h"
#include "libcommon/mix/walk.h"

static int check_manifest(const struct lu_planned *p, size_t i, struct lu_err *err)
{
	const struct lu_plan_shard *want = &p->plan.shard[i];
	char hash[33];

	if (!lu_hash_have() || !lu_shard_manifest(p->shard[i]) || !*want->manifest)
		return 0;
	if (lu_manifest_hash(want->prefix, hash, err) < 0)
		return -1;
	if (strcmp(hash, want->manifest) != 0)
		return lu_err_set(err, "%s: shard %s was rewritten after the plan was made",
				p->path, want->prefix);
	return 0;
}

static int open_shard(struct lu_planned *p, size_t i, struct lu_err *err)
{
	const struct lu_plan_shard *want = &p->plan.shard[i];
	uint64_t documents, tokens;

	if (lu_shard_open(&p->shard[i], want->prefix, err) < 0)
		return -1;
	documents = lu_shard_documents(p->shard[i]);
	tokens = lu_shard_tokens(p->shard[i]);
	if (documents != want->documents || tokens != want->tokens)
		return lu_err_set(err,
				"%s: shard %s has %" PRIu64 " documents and %" PRIu64
				" tokens, but the plan was made for %" PRIu64 " and %" PRIu64,
				p->path, want->prefix, documents, tokens, want->documents,
				want->tokens);
	return check_manifest(p, i, err);
}

int lu_planned_open(struct lu_planned *p, const char *path, struct lu_err *err)
{
	int rc = 0;

	*p = (struct lu_planned){ .path = path };
	if (lu_plan_read(&p->plan, path, err) < 0)
		return -1;
	p->shard = calloc(p->plan.shards + 1, sizeof(struct lu_shard *));
	if (!p->shard)
		rc = lu_err_nomem(err);
	for (size_t i = 0; rc == 0 && i < p->plan.shards; i++)
		rc = open_shard(p, i, err);
	if (rc < 0)
		lu_planned_close(p);
	return rc;
}

void lu_planned_close(struct lu_planned *p)
{
	for (size_t i = 0; p->shard && i < p->plan.shards; i++)
		lu_shard_close(p->shard[i]);
	free(p->shard);
	lu_plan_release(&p->plan);
	*p = (struct lu_planned){ 0 };
}

static uint64_t document_tokens(void *ctx, uint64_t shard, uint64_t document)
{
	struct lu_shard *const *opened = ctx;
	uint64_t n;

	lu_shard_document(opened[shard], document, NULL, &n);
	return n;
}

int lu_planned_walk(const struct lu_planned *p, lu_piece_fn *piece, void *ctx, struct lu_err *err)
{
	struct lu_plan_walk *w = NULL;
	struct lu_plan_entry e;
	int rc = lu_plan_walk_new(&w, &p->plan, document_tokens, p->shard, err);

	while (rc == 0) {
		uint64_t first, n;

		rc = lu_plan_walk_next(w, &e, err);
		if (rc <= 0)
			break;
		lu_shard_document(p->shard[e.shard], e.document, &first, &n);
		rc = piece(ctx, p->shard[e.shard], first, n, err);
	}
	lu_plan_walk_free(w);
	return rc < 0 ? lu_err_wrap(err, "%s", p->path) : rc;
}
