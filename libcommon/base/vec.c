#include "libcommon/base/vec.h"

#include <stdint.h>
#include <string.h>

bool lu_vec_realloc(void *array, size_t *cap, size_t n, size_t more, size_t size)
{
	size_t need, bytes, grown = *cap + *cap / 2;
	void *p;

	if (__builtin_add_overflow(n, more, &need))
		return false;
	if (grown < need)
		grown = need;
	if (grown < 64 / size)
		grown = 64 / size;
	if (__builtin_mul_overflow(grown, size, &bytes))
		return false;
	/* Pointers to objects have one representation here, whatever they point to. */
	memcpy(&p, array, sizeof(p));
	p = realloc(p, bytes);
	if (!p)
		return false;
	memcpy(array, &p, sizeof(p));
	*cap = grown;
	return true;
}
