#ifndef LUCIE_BASE_SEARCH_H
#define LUCIE_BASE_SEARCH_H
/* Binary search over contiguous ranges. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Index of the last of n ascending starts that is <= x, that is, of the range that contains x. An
 * empty range has the start of the next one; of equal starts the last is found. n must be at least
 * 1, and the first start is assumed to be <= x.
 *
 * The starts may be members of an array of structs: `starts` is the address of the first, `stride`
 * the distance between two in bytes.
 *
 *	lu_search_range(&part[0].first_token, parts, sizeof(part[0]), token)
 */
static inline size_t lu_search_range(const uint64_t *starts, size_t n, size_t stride, uint64_t x)
{
	const char *base = (const char *)starts;
	size_t low = 0, high = n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		uint64_t start;

		memcpy(&start, base + middle * stride, sizeof(start));
		if (start <= x)
			low = middle;
		else
			high = middle;
	}
	return low;
}

#endif
