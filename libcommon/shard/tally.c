#include "libcommon/shard/tally.h"

#include <stdlib.h>

#include "libcommon/hash/hash.h"

static size_t *find(struct lu_tally *t, struct lu_str value)
{
	size_t i = (size_t)lu_hash64(value.p, value.n, 0) & (t->slots - 1);

	while (t->slot[i] && !lu_str_eq(t->total[t->slot[i] - 1].value, value))
		i = (i + 1) & (t->slots - 1);
	return &t->slot[i];
}

/* The table stays at most half full. */
static int grow(struct lu_tally *t, struct lu_err *err)
{
	size_t cap = t->cap ? t->cap * 2 : 32;
	struct lu_manifest_total *total = realloc(t->total, cap * sizeof(*total));
	size_t *slot;

	if (!total)
		return lu_err_nomem(err);
	t->total = total;
	slot = calloc(cap * 2, sizeof(*slot));
	if (!slot)
		return lu_err_nomem(err);
	free(t->slot);
	t->slot = slot;
	t->slots = cap * 2;
	t->cap = cap;
	for (size_t i = 0; i < t->n; i++)
		*find(t, t->total[i].value) = i + 1;
	return 0;
}

int lu_tally_add(struct lu_tally *t, struct lu_str value, uint64_t documents, uint64_t tokens,
		uint64_t bytes, struct lu_err *err)
{
	struct lu_manifest_total *total;
	size_t *at;

	if (t->n == t->cap && grow(t, err) < 0)
		return -1;
	at = find(t, value);
	if (!*at) {
		struct lu_str kept = lu_arena_str(&t->arena, value);

		if (!kept.p)
			return lu_err_nomem(err);
		t->total[t->n] = (struct lu_manifest_total){ .value = kept };
		*at = ++t->n;
	}
	total = &t->total[*at - 1];
	total->documents += documents;
	total->tokens += tokens;
	total->bytes += bytes;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const struct lu_manifest_total *x = a, *y = b;

	return lu_str_cmp(x->value, y->value);
}

void lu_tally_sort(struct lu_tally *t)
{
	if (t->n)
		qsort(t->total, t->n, sizeof(*t->total), by_value);
}

void lu_tally_release(struct lu_tally *t)
{
	free(t->total);
	free(t->slot);
	lu_arena_release(&t->arena);
	*t = (struct lu_tally){ 0 };
}
