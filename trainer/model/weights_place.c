#include "trainer/model/weights_place.h"

size_t lt_weights_state(const struct lt_weights *w, size_t offset)
{
	size_t i = 0;

	while (i < w->table.buckets && w->owned[i].end <= offset)
		i++;
	LU_ASSERT(i < w->table.buckets && w->owned[i].begin <= offset);
	return w->owned[i].state + (offset - w->owned[i].begin);
}

lk_real *lt_weights_at(const struct lt_weights *w, enum lt_vector which, size_t offset)
{
	if (which == LT_VECTOR_P && !lt_weights_cut(w))
		return w->vector[which] + offset;
	return w->vector[which] + lt_weights_state(w, offset);
}

bool lt_weights_has(const struct lt_weights *w, enum lt_vector which)
{
	return w->vector[which] || w->half[which];
}

lk_real *lt_weights_norm(const struct lt_weights *w, size_t offset)
{
	size_t low = 0, high = w->norms;

	if (!lt_weights_cut(w))
		return w->vector[LT_VECTOR_P] + offset;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		*(w->norm_at[middle] <= offset ? &low : &high) = middle;
	}
	return w->norm + low * w->table.shape.hidden + (offset - w->norm_at[low]);
}
