#include "libcommon/mix/step_lookup.h"

#include <inttypes.h>
#include <stdlib.h>

static int add_lookup(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n,
		uint64_t tag, struct lu_err *err)
{
	return lu_lookup_add(ctx, shard, pos, n, tag, err);
}

static int by_first(const void *a, const void *b)
{
	const struct lu_stream_range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->tag > y->tag) - (x->tag < y->tag);
}

int lu_step_lookup(const struct lu_step *step, const struct lu_stream *stream,
		struct lu_lookup *found, struct lu_err *err)
{
	struct lu_order order = step->order;
	struct lu_stream_range *range;
	int rc;

	order.tokens = lu_stream_tokens(stream);
	if (lu_order_samples(&order) == 0)
		return lu_err_set(err, "%s: has no sample of %" PRIu64 " tokens", step->train,
				order.context);
	range = calloc((size_t)step->samples + 1, sizeof(*range));
	if (!range)
		return lu_err_nomem(err);
	for (uint64_t i = 0; i < step->samples; i++) {
		uint64_t sample = step->first + i;

		range[i] = (struct lu_stream_range){ lu_order_at(&order, sample).first,
			order.context + 1, sample };
	}
	qsort(range, (size_t)step->samples, sizeof(*range), by_first);
	rc = lu_stream_locate(stream, range, (size_t)step->samples, add_lookup, found, err);
	free(range);
	return rc < 0 ? -1 : lu_lookup_resolve(found, err);
}
