#include "libcommon/order/skips.h"

static bool touches(const struct lu_skip *a, const struct lu_skip *b)
{
	return a->phase == b->phase && a->from <= b->to && b->from <= a->to;
}

static bool before(const struct lu_skip *a, const struct lu_skip *b)
{
	return a->phase != b->phase ? a->phase < b->phase : a->from < b->from;
}

int lu_skips_add(struct lu_skips *s, uint64_t phase, uint64_t from, uint64_t to, struct lu_err *err)
{
	struct lu_skip add = { phase, from, to };
	size_t kept = 0, at;

	for (size_t i = 0; i < s->n; i++) {
		const struct lu_skip *r = &s->range[i];

		if (!touches(r, &add)) {
			s->range[kept++] = *r;
			continue;
		}
		add.from = r->from < add.from ? r->from : add.from;
		add.to = r->to > add.to ? r->to : add.to;
	}
	s->n = kept;
	if (s->n == LU_SKIPS)
		return lu_err_set(err, "more than %d ranges of samples are left out", LU_SKIPS);
	for (at = s->n; at > 0 && before(&add, &s->range[at - 1]); at--)
		s->range[at] = s->range[at - 1];
	s->range[at] = add;
	s->n++;
	return 0;
}

bool lu_skips_has(const struct lu_skips *s, uint64_t phase, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct lu_skip *r = &s->range[i];

		if (r->phase == phase && r->from <= from && to <= r->to)
			return true;
	}
	return false;
}

uint64_t lu_skips_sample(const struct lu_skips *s, uint64_t phase, uint64_t consumed)
{
	uint64_t sample = consumed;

	for (size_t i = 0; i < s->n; i++) {
		const struct lu_skip *r = &s->range[i];

		if (r->phase == phase && r->from <= sample)
			sample += r->to - r->from;
	}
	return sample;
}
