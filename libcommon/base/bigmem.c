#include "libcommon/base/bigmem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define PAGE ((size_t)2 << 20)

void *lu_big_alloc(size_t n)
{
	size_t all = (n + PAGE - 1) & ~(PAGE - 1);
	void *p;

	if (n < PAGE / 2)
		return calloc(n ? n : 1, 1);
	if (n > SIZE_MAX - PAGE)
		return NULL;
	p = aligned_alloc(PAGE, all);
	if (!p)
		return NULL;
	/* Advice: when it is refused, the memory is only slower. */
	(void)madvise(p, all, MADV_HUGEPAGE);
	memset(p, 0, n);
	return p;
}

void lu_big_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
