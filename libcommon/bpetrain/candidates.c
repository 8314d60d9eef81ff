#include "libcommon/bpetrain/candidates.h"

static inline bool precedes(const struct lu_pair_counts *pairs, const struct lu_candidate *x,
		const struct lu_candidate *y)
{
	const struct lu_pair_count *p, *q;

	if (x->key != y->key)
		return x->key > y->key;
	p = &pairs->pair.p[x->pair];
	q = &pairs->pair.p[y->pair];
	return p->left != q->left ? p->left < q->left : p->right < q->right;
}

void lu_candidates_sift_down(struct lu_candidates *heap, const struct lu_pair_counts *pairs)
{
	struct lu_candidate *p = heap->p, c = p[0];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= heap->n)
			break;
		if (child + 1 < heap->n && precedes(pairs, &p[child + 1], &p[child]))
			child++;
		if (!precedes(pairs, &p[child], &c))
			break;
		p[i] = p[child];
		i = child;
	}
	p[i] = c;
}

bool lu_candidates_push(struct lu_candidates *heap, const struct lu_pair_counts *pairs,
		struct lu_candidate c)
{
	size_t i = heap->n;

	if (!lu_vec_reserve(heap, 1))
		return false;
	heap->n++;
	for (; i > 0 && precedes(pairs, &c, &heap->p[(i - 1) / 2]); i = (i - 1) / 2)
		heap->p[i] = heap->p[(i - 1) / 2];
	heap->p[i] = c;
	return true;
}

void lu_candidates_pop(struct lu_candidates *heap, const struct lu_pair_counts *pairs)
{
	heap->p[0] = heap->p[--heap->n];
	if (heap->n)
		lu_candidates_sift_down(heap, pairs);
}
