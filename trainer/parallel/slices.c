#include "trainer/parallel/slices.h"

#include "libcommon/base/num.h"

int lt_slices_cut(const size_t *count, size_t n, size_t chunk, size_t d, size_t *bound,
		struct lu_err *err)
{
	size_t total = 0, start = 0, k = 0;

	for (size_t i = 0; i < n; i++) {
		if (!lu_add_size(total, count[i], &total))
			return lu_err_set(err, "a bucket of more than 2^64 elements");
	}
	bound[0] = 0;
	for (size_t i = 1; i < d; i++) {
		/* total * i / d without overflow; targets rise, so each tensor is visited once. */
		size_t target = total / d * i + total % d * i / d, below, above;

		while (k < n && start + count[k] <= target)
			start += count[k++];
		if (k == n) { /* an empty bucket */
			bound[i] = total;
			continue;
		}
		below = start + (target - start) / chunk * chunk;
		above = start + count[k] - below > chunk ? below + chunk : start + count[k];
		bound[i] = target - below <= above - target ? below : above;
	}
	bound[d] = total;
	return 0;
}
