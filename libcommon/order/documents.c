#include "libcommon/order/documents.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/search.h"
#include "libcommon/base/vec.h"

#define BLOCK 64

static int add(struct lu_documents *d, uint64_t begin, uint64_t length, struct lu_err *err)
{
	if (length > UINT32_MAX)
		return lu_err_set(err,
				"document %" PRIu64 " has %" PRIu64 " tokens, more than 2^32", d->n,
				length);
	if (!lu_vec_grow(&d->length, &d->cap, (size_t)d->n, 1, sizeof(*d->length)))
		return lu_err_nomem(err);
	if (d->n % BLOCK == 0) {
		size_t block = (size_t)(d->n / BLOCK);

		if (!lu_vec_grow(&d->begin, &d->blocks_cap, block, 1, sizeof(*d->begin)) ||
				!lu_vec_grow(&d->rank, &d->ranks_cap, block, 1, sizeof(*d->rank)))
			return lu_err_nomem(err);
		d->begin[block] = begin;
		d->rank[block] = d->usable;
	}
	d->length[d->n++] = (uint32_t)length;
	d->usable += length > 1;
	return 0;
}

/* Add the documents of a whole shard, which begins at `begin`. */
static int add_shard(struct lu_documents *d, const struct lu_shard *shard, uint64_t begin,
		struct lu_err *err)
{
	for (uint64_t i = 0; i < lu_shard_documents(shard); i++) {
		uint64_t n;

		if (lu_shard_document_size(shard, i, &n, err) < 0 || add(d, begin, n, err) < 0)
			return lu_err_wrap(err, "%s", lu_shard_prefix(shard));
		begin += n;
	}
	return 0;
}

/* Add the documents of a plan, whose `tokens` begin at `begin`. */
static int add_plan(struct lu_documents *d, struct lu_stream_cursor *c, uint64_t begin,
		uint64_t tokens, struct lu_err *err)
{
	uint64_t end = begin + tokens;
	struct lu_piece p;
	int rc = 0;

	if (tokens > 0)
		rc = lu_stream_seek(c, begin, &p, err);
	while (rc >= 0 && begin < end) {
		rc = add(d, begin, p.n, err);
		begin += p.n;
		if (rc == 0 && begin < end)
			rc = lu_stream_next(c, &p, err);
	}
	return rc < 0 ? -1 : 0;
}

int lu_documents_read(struct lu_documents *d, const struct lu_stream *s, struct lu_err *err)
{
	struct lu_stream_cursor *c;
	uint64_t begin = 0;
	int rc = lu_stream_cursor_new(&c, s, err);

	*d = (struct lu_documents){ 0 };
	for (size_t i = 0; rc == 0 && i < lu_stream_parts(s); i++) {
		struct lu_stream_part part = lu_stream_part(s, i);

		if (part.is_plan)
			rc = add_plan(d, c, begin, part.tokens, err);
		else
			rc = add_shard(d, part.shard[0], begin, err);
		begin += part.tokens;
	}
	lu_stream_cursor_free(c);
	if (rc < 0)
		lu_documents_release(d);
	return rc;
}

void lu_documents_release(struct lu_documents *d)
{
	free(d->length);
	free(d->begin);
	free(d->rank);
	*d = (struct lu_documents){ 0 };
}

struct lu_row_span lu_documents_get(const struct lu_documents *d, uint64_t i)
{
	uint64_t block = i / BLOCK, begin = d->begin[block];

	LU_ASSERT(i < d->n);
	for (uint64_t k = block * BLOCK; k < i; k++)
		begin += d->length[k];
	return (struct lu_row_span){ begin, d->length[i] };
}

uint64_t lu_documents_usable(const struct lu_documents *d, uint64_t k)
{
	size_t blocks = (size_t)((d->n + BLOCK - 1) / BLOCK), block;
	uint64_t i, left;

	LU_ASSERT(k < d->usable);
	block = lu_search_range(d->rank, blocks, sizeof(*d->rank), k);
	left = k - d->rank[block];
	for (i = block * BLOCK;; i++) {
		if (d->length[i] > 1 && left-- == 0)
			return i;
	}
}
