#include "libcommon/minhash/links.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/vec.h"
#include "libcommon/minhash/near_records.h"

#define PIECE ((size_t)1 << 16) /* edges read at a time; a window of the spool */

int lu_links_open(struct lu_links *l, uint64_t memory, const char *tmpdir, int threads,
		struct lu_err *err)
{
	struct lu_sorter_options o = {
		.size = 8, .key = 8, .memory = memory / 2, .tmpdir = tmpdir, .threads = threads
	};

	*l = (struct lu_links)LU_LINKS_NONE;
	/* As little as the sorter takes is not worth an error. */
	l->memory = memory && memory < 2 * LU_SORTER_LEAST ? 2 * LU_SORTER_LEAST : memory;
	if (lu_sorter_new(&l->ends, &o, err) < 0)
		return -1;
	return lu_spool_open(&l->edges, tmpdir, err);
}

int lu_links_add(struct lu_links *l, uint64_t a, uint64_t b, struct lu_err *err)
{
	unsigned char edge[LU_EDGE_SIZE];

	lu_store64_be(edge, a);
	lu_store64_be(edge + 8, b);
	if (lu_sorter_add(l->ends, edge, err) < 0 || lu_sorter_add(l->ends, edge + 8, err) < 0)
		return -1;
	return lu_spool_add(&l->edges, edge, sizeof(edge), err);
}

/* --- the documents with an edge ----------------------------------------------------------- */

static int too_many(const struct lu_links *l, uint64_t docs, struct lu_err *err)
{
	return lu_err_set(err,
			"%" PRIu64 " documents resemble another one, which takes -m %" PRIu64
			"M or more, not %" PRIu64 "M",
			docs, (docs * LU_LINKS_BYTES >> 19) + 1, l->memory >> 20);
}

static int list_documents(struct lu_links *l, struct lu_err *err)
{
	uint64_t limit = l->memory ? l->memory / 2 / LU_LINKS_BYTES : UINT64_MAX;
	uint64_t last = 0, docs = 0;
	size_t cap = 0;
	const void *at;
	int rc;

	if (lu_sorter_sort(l->ends, err) < 0)
		return -1;
	while ((rc = lu_sorter_next(l->ends, &at, err)) > 0) {
		uint64_t doc = lu_load64_be(at);

		if (docs && doc == last)
			continue;
		last = doc;
		/* Beyond the limit they are only counted, for the message. */
		if (docs++ >= limit)
			continue;
		if (!lu_vec_grow(&l->doc, &cap, l->n, 1, sizeof(*l->doc)))
			return lu_err_nomem(err);
		l->doc[l->n++] = doc;
	}
	if (rc == 0 && docs > limit)
		return too_many(l, docs, err);
	lu_sorter_free(l->ends);
	l->ends = NULL;
	return rc;
}

static uint64_t place_of(const struct lu_links *l, uint64_t doc)
{
	size_t from = 0, to = l->n;

	while (to - from > 1) {
		size_t middle = from + (to - from) / 2;

		if (l->doc[middle] <= doc)
			from = middle;
		else
			to = middle;
	}
	return from;
}

/* --- union-find --------------------------------------------------------------------------- */

static uint64_t find_root(uint64_t *parent, uint64_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

static void unite(uint64_t *parent, uint64_t a, uint64_t b)
{
	a = find_root(parent, a);
	b = find_root(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

static int unite_all(struct lu_links *l, struct lu_err *err)
{
	uint64_t size = lu_spool_size(&l->edges), at = 0;
	struct lu_str piece;

	if (lu_spool_rewind(&l->edges, err) < 0)
		return -1;
	while (at < size) {
		size_t n = size - at < PIECE * LU_EDGE_SIZE ? (size_t)(size - at)
							    : PIECE * LU_EDGE_SIZE;

		if (lu_spool_get(&l->edges, at, n, &piece, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i += LU_EDGE_SIZE)
			unite(l->parent, place_of(l, lu_load64_be(piece.p + i)),
					place_of(l, lu_load64_be(piece.p + i + 8)));
		at += n;
	}
	return 0;
}

int lu_links_join(struct lu_links *l, struct lu_err *err)
{
	if (list_documents(l, err) < 0)
		return -1;
	l->parent = malloc((l->n ? l->n : 1) * sizeof(*l->parent));
	if (!l->parent)
		return lu_err_nomem(err);
	for (size_t i = 0; i < l->n; i++)
		l->parent[i] = i;
	if (unite_all(l, err) < 0)
		return -1;
	/* Parents come before their children: one pass leaves every document at its root. */
	for (size_t i = 0; i < l->n; i++)
		l->parent[i] = l->parent[l->parent[i]];
	return 0;
}

uint64_t lu_links_root(const struct lu_links *l, size_t i)
{
	return l->doc[l->parent[i]];
}

void lu_links_close(struct lu_links *l)
{
	lu_sorter_free(l->ends);
	lu_spool_close(&l->edges);
	free(l->doc);
	free(l->parent);
	*l = (struct lu_links)LU_LINKS_NONE;
}
