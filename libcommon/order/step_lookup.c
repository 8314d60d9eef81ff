#include "libcommon/order/step_lookup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/hash/hash.h"
#include "libcommon/sys/file.h"

#define TOKENIZER_MAX ((size_t)1 << 30)

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

static int check_shards(const struct lu_stream *stream, const char *path, const char *hash,
		struct lu_err *err)
{
	for (size_t i = 0; i < lu_stream_parts(stream); i++) {
		struct lu_stream_part part = lu_stream_part(stream, i);

		for (size_t k = 0; k < part.shards; k++) {
			const struct lu_manifest *m = lu_shard_manifest(part.shard[k]);

			if (m && m->tokenizer && strcmp(m->tokenizer, hash) != 0)
				return lu_err_set(err,
						"%s: was made with another tokenizer than %s "
						"(XXH3-128 %s, not %s)",
						lu_shard_prefix(part.shard[k]), path, m->tokenizer,
						hash);
		}
	}
	return 0;
}

int lu_step_check_tokenizer(const char *run, const struct lu_stream *stream, struct lu_err *err)
{
	char *path = lu_concat(run, "/", "tokenizer.json"), *text = NULL, hash[33];
	size_t n;
	int rc = path ? 0 : lu_err_nomem(err);

	if (rc == 0 && access(path, F_OK) == 0) {
		rc = lu_read_file(path, TOKENIZER_MAX, &text, &n, err);
		if (rc == 0) {
			lu_hash128_text(lu_hash128(text, n), hash);
			rc = check_shards(stream, path, hash, err);
		}
	}
	free(text);
	free(path);
	return rc;
}
