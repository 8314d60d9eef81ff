#include "libcommon/shard/lookup.h"

#include <stdlib.h>

int lu_lookup_add(struct lu_lookup *l, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		uint64_t tag, struct lu_err *err)
{
	uint64_t end = pos + n;

	LU_ASSERT(pos <= lu_shard_tokens(shard) && n <= lu_shard_tokens(shard) - pos);
	while (pos < end) {
		uint64_t first, tokens, document;
		struct lu_lookup_item item = {
			.shard = shard, .from = pos, .to = end, .tag = tag, .added = l->item.n
		};

		if (lu_shard_document_at(shard, pos, &document, err) < 0 ||
				lu_shard_document(shard, document, &first, &tokens, err) < 0)
			return -1;
		item.doc.document = document;
		if (first + tokens < end)
			item.to = first + tokens;
		if (!lu_vec_push(&l->item, item))
			return lu_err_nomem(err);
		pos = item.to;
	}
	return 0;
}

/* Any order of the shards will do. */
static int by_document(const void *a, const void *b)
{
	const struct lu_lookup_item *x = a, *y = b;

	if (x->shard != y->shard)
		return (uintptr_t)x->shard < (uintptr_t)y->shard ? -1 : 1;
	return (x->doc.document > y->doc.document) - (x->doc.document < y->doc.document);
}

static int by_tag(const void *a, const void *b)
{
	const struct lu_lookup_item *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return (x->added > y->added) - (x->added < y->added);
}

static int copy(struct lu_lookup *l, struct lu_str *s, struct lu_err *err)
{
	*s = lu_arena_str(&l->arena, *s);
	return s->p ? 0 : lu_err_nomem(err);
}

static int read_document(struct lu_lookup *l, struct lu_ledger *ledger, struct lu_ledger_doc *d,
		struct lu_err *err)
{
	int rc;

	if (lu_ledger_seek(ledger, d->document, err) < 0)
		return -1;
	rc = lu_ledger_next(ledger, d, err);
	/* The seek fails on a ledger that is too short. */
	LU_ASSERT(rc != 0);
	if (rc < 0 || copy(l, &d->id, err) < 0 || copy(l, &d->source, err) < 0 ||
			copy(l, &d->license, err) < 0 || copy(l, &d->lang, err) < 0)
		return -1;
	return 0;
}

int lu_lookup_resolve(struct lu_lookup *l, struct lu_err *err)
{
	const struct lu_shard *shard = NULL;
	struct lu_ledger *ledger = NULL;
	int rc = 0;

	if (l->item.n == 0)
		return 0;
	qsort(l->item.p, l->item.n, sizeof(*l->item.p), by_document);
	for (size_t i = 0; rc == 0 && i < l->item.n; i++) {
		struct lu_lookup_item *it = &l->item.p[i];

		if (it->shard != shard) {
			lu_ledger_close(ledger);
			ledger = NULL;
			shard = it->shard;
			rc = lu_ledger_open(&ledger, shard, err);
		} else if (it->doc.document == it[-1].doc.document) {
			it->doc = it[-1].doc;
			continue;
		}
		if (rc == 0)
			rc = read_document(l, ledger, &it->doc, err);
	}
	lu_ledger_close(ledger);
	qsort(l->item.p, l->item.n, sizeof(*l->item.p), by_tag);
	return rc;
}

void lu_lookup_release(struct lu_lookup *l)
{
	lu_vec_release(&l->item);
	lu_arena_release(&l->arena);
}
