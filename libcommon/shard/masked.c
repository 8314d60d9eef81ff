#include "libcommon/shard/masked.h"

#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/mask.h"

int lu_shard_masked(const struct lu_shard *s)
{
	return lu_shard_part_mask(s, 0) != NULL;
}

uint64_t lu_shard_targets(const struct lu_shard *s)
{
	uint64_t n = 0;

	if (!lu_shard_masked(s))
		return lu_shard_tokens(s);
	for (size_t i = 0; i < lu_shard_parts(s); i++)
		n += lu_shard_part_mask(s, i)->targets;
	return n;
}

int lu_shard_mask(
		const struct lu_shard *s, uint64_t pos, size_t n, uint8_t *out, struct lu_err *err)
{
	LU_ASSERT(pos <= lu_shard_tokens(s) && n <= lu_shard_tokens(s) - pos);
	if (n == 0)
		return 0;
	if (!lu_shard_masked(s)) {
		memset(out, 1, n);
		return 0;
	}
	for (size_t k = lu_shard_part_at(s, pos); n; k++) {
		uint64_t at = pos - lu_shard_part_token(s, k),
			 left = lu_shard_part_token(s, k + 1) - pos;
		size_t take = n < left ? n : (size_t)left;

		if (lu_mask_read(lu_shard_part_mask(s, k), at, take, out, err) < 0)
			return -1;
		out += take;
		pos += take;
		n -= take;
	}
	return 0;
}
