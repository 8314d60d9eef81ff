#include "trainer/model/low_memory.h"
#include "trainer/model/weights_place.h"

/* The draw of AdamW, beside those of the micro-batches. */
#define UPDATE UINT32_MAX

/* Where the random bits of a parameter's slice come from, `at` elements into it. */
static struct lk_dither dither(const struct lt_weights *w, size_t param, size_t at, uint32_t number)
{
	const struct lt_param *p = &w->table.param[param];
	struct lk_dither d = {
		.seed = w->holding.seed, .tensor = (uint32_t)param, .draw = number, .at = at
	};

	if (p->split == LT_SPLIT_ROWS)
		d.first = w->table.tp_rank * p->local_count;
	if (p->split == LT_SPLIT_COLS && w->table.tp_size > 1) {
		d.first = w->table.tp_rank * p->local[1];
		d.width = p->local[1];
		d.pitch = p->dim[1];
	}
	return d;
}

static uint16_t *high_half(const struct lt_weights *w, size_t offset)
{
	return (uint16_t *)w->act + offset;
}

const lk_real *lt_low_join(struct lt_weights *w, enum lt_vector which, size_t offset, size_t n)
{
	const uint16_t *own = w->half[which] + lt_weights_state(w, offset);
	bool p = which == LT_VECTOR_P;

	if (w->ops->low_join(w->q, w->scratch, p ? high_half(w, offset) : own, p ? own : NULL, n) <
			0)
		return NULL;
	return w->scratch;
}

int lt_low_split(struct lt_weights *w, size_t offset, const lk_real *x, size_t n)
{
	uint16_t *low = w->half[LT_VECTOR_P] + lt_weights_state(w, offset);

	return w->ops->low_split(w->q, high_half(w, offset), low, x, n);
}

int lt_low_put(struct lt_weights *w, enum lt_vector which, size_t offset, const lk_real *x,
		size_t n)
{
	return w->ops->to_act(w->q, w->half[which] + lt_weights_state(w, offset), x, n);
}

int lt_low_keep(struct lt_weights *w, size_t bucket, size_t lane, uint64_t micro, bool add)
{
	const struct lt_bucket *b = &w->table.bucket[bucket];

	for (size_t i = b->param; i < b->param + b->params; i++) {
		const struct lt_param *p = &w->table.param[i];
		struct lk_dither d = dither(w, i, 0, (uint32_t)micro);

		if (w->ops->low_accumulate(w->q, lt_weights_lane(w, lane, p->offset),
				    w->scratch + (p->offset - b->offset), p->local_count, add, &d,
				    w->step) < 0)
			return -1;
	}
	return 0;
}

int lt_low_update(struct lt_weights *w, size_t param, size_t at, size_t n,
		const struct lk_adamw *adam)
{
	const struct lt_param *p = &w->table.param[param];
	struct lk_dither d = dither(w, param, at - p->offset, UPDATE);
	size_t state = lt_weights_state(w, at);
	uint16_t *const *half = w->half;

	if (w->ops->low_adamw(w->q, high_half(w, at), half[LT_VECTOR_P] + state,
			    half[LT_VECTOR_M] + state, half[LT_VECTOR_V] + state,
			    lt_weights_lane(w, 0, at), n, adam, &d, w->step) < 0)
		return -1;
	if (p->dims != 1)
		return 0;
	return w->ops->low_join(w->q, lt_weights_norm(w, at), high_half(w, at),
			half[LT_VECTOR_P] + state, n);
}
