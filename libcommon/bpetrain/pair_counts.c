#include "libcommon/bpetrain/pair_counts.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/bigmem.h"

#define FIRST_SLOTS ((size_t)1 << 12)

uint32_t lu_pair_add(struct lu_pair_counts *t, uint32_t left, uint32_t right, size_t slot,
		struct lu_err *err)
{
	if (t->pair.n >= LU_PAIR_NONE / 2) {
		lu_err_set(err, "more than 2147483646 pairs");
		return LU_PAIR_NONE;
	}
	if (!lu_vec_push(&t->pair,
			    (struct lu_pair_count){ .left = left,
					    .right = right,
					    .state = LU_PAIR_WAITING })) {
		lu_err_nomem(err);
		return LU_PAIR_NONE;
	}
	t->budget->held += sizeof(*t->pair.p);
	t->slot[slot] = (uint32_t)t->pair.n;
	return (uint32_t)t->pair.n - 1;
}

static void fill_slots(struct lu_pair_counts *t)
{
	memset(t->slot, 0, t->slots * sizeof(*t->slot));
	for (uint32_t i = 0; i < t->pair.n; i++) {
		const struct lu_pair_count *p = &t->pair.p[i];
		size_t k = lu_pair_hash(p->left, p->right) & (t->slots - 1);

		while (t->slot[k])
			k = (k + 1) & (t->slots - 1);
		t->slot[k] = i + 1;
	}
}

int lu_pair_counts_reserve(struct lu_pair_counts *t, struct lu_err *err)
{
	size_t slots = t->slots ? t->slots : FIRST_SLOTS;

	if (t->pair.n >= slots / 2)
		slots *= 2;
	if (slots != t->slots) {
		uint32_t *slot;

		if (lu_budget_check(t->budget, slots * sizeof(*slot), err) < 0)
			return -1;
		/* Freed first, since it is rebuilt from the pairs. */
		free(t->slot);
		t->slot = NULL;
		slot = lu_big_alloc(slots * sizeof(*slot));
		if (!slot)
			return lu_err_nomem(err);
		t->budget->held += (slots - t->slots) * sizeof(*slot);
		t->slot = slot;
		t->slots = slots;
	}
	fill_slots(t);
	return 0;
}

uint32_t *lu_pair_counts_compact(struct lu_pair_counts *t, int64_t least)
{
	uint32_t *moved = malloc((t->pair.n + 1) * sizeof(*moved));
	size_t n = 0;

	if (!moved)
		return NULL;
	for (size_t i = 0; i < t->pair.n; i++) {
		const struct lu_pair_count *p = &t->pair.p[i];

		if (p->state == LU_PAIR_QUEUED ||
				(p->state == LU_PAIR_WAITING && p->count >= least)) {
			moved[i] = (uint32_t)n;
			t->pair.p[n++] = *p;
		}
	}
	t->budget->held -= (t->pair.n - n) * sizeof(*t->pair.p);
	t->pair.n = n;
	return moved;
}

void lu_pair_counts_release(struct lu_pair_counts *t)
{
	lu_vec_release(&t->pair);
	free(t->slot);
	t->slot = NULL;
	t->slots = 0;
}
