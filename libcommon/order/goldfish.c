#include "libcommon/order/goldfish.h"

static uint64_t hash(const uint32_t *x)
{
	uint64_t h = 0;

	for (size_t i = 0; i < LU_GOLDFISH_CONTEXT; i++)
		h = h * UINT64_C(0x9e3779b97f4a7c15) + x[i] + 1;
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

void lu_goldfish(const uint32_t *token, const uint8_t *starts, size_t n, uint64_t k, uint8_t *mask)
{
	uint64_t limit = UINT64_MAX / k;
	size_t before = 0; /* tokens of the same document before token i */

	for (size_t i = 0; i < n; i++, before++) {
		if (starts[i])
			before = 0;
		if (before >= LU_GOLDFISH_CONTEXT && hash(token + i - LU_GOLDFISH_CONTEXT) < limit)
			mask[i] = 0;
	}
}
