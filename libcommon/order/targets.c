#include "libcommon/order/targets.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/order/goldfish.h"
#include "libcommon/shard/masked.h"

/* Tokens that are looked at in one go. */
#define PIECE ((size_t)1 << 16)

/* A piece, with what a goldfish looks at before it. */
struct piece {
	uint32_t id[LU_GOLDFISH_CONTEXT + PIECE];
	uint8_t starts[LU_GOLDFISH_CONTEXT + PIECE], mask[LU_GOLDFISH_CONTEXT + PIECE];
};

/* Append token `at`, which comes behind all others. */
static int add(struct lu_targets *t, uint64_t at, struct lu_err *err)
{
	struct lu_target_range *last = t->range.n ? &t->range.p[t->range.n - 1] : NULL;

	t->n++;
	if (last && last->to == at) {
		last->to++;
		return 0;
	}
	return lu_vec_push(&t->range, (struct lu_target_range){ at, at + 1 }) ? 0
									      : lu_err_nomem(err);
}

static int find_in_piece(struct lu_targets *t, struct piece *p, const struct lu_shard *s,
		uint64_t first, uint64_t from, size_t n, uint64_t goldfish, struct lu_err *err)
{
	uint64_t before = from - first;
	size_t skip = 0;

	if (goldfish)
		skip = before < LU_GOLDFISH_CONTEXT ? (size_t)before : LU_GOLDFISH_CONTEXT;
	if (lu_shard_mask(s, from - skip, skip + n, p->mask, err) < 0 ||
			(goldfish && lu_shard_read(s, from - skip, skip + n, p->id, err) < 0))
		return -1;
	if (goldfish) {
		memset(p->starts, 0, skip + n);
		lu_goldfish(p->id, p->starts, skip + n, goldfish, p->mask);
	}
	for (size_t i = 0; i < n; i++) {
		if (p->mask[skip + i] && add(t, from + i, err) < 0)
			return -1;
	}
	return 0;
}

int lu_targets_find(struct lu_targets *t, const struct lu_shard *s, uint64_t first, uint64_t from,
		uint64_t to, uint64_t goldfish, struct lu_err *err)
{
	struct piece *p = malloc(sizeof(*p));
	int rc = p ? 0 : lu_err_nomem(err);

	t->n = t->range.n = 0;
	while (rc == 0 && from < to) {
		size_t n = to - from < PIECE ? (size_t)(to - from) : PIECE;

		rc = find_in_piece(t, p, s, first, from, n, goldfish, err);
		from += n;
	}
	free(p);
	return rc;
}

void lu_targets_release(struct lu_targets *t)
{
	lu_vec_release(&t->range);
}
