#ifndef LUCIE_BASE_BIGMEM_H
#define LUCIE_BASE_BIGMEM_H
/*
 * Memory in huge pages, for large tables with random access, such as a hash table of megabytes.
 *
 * In pages of 4 KiB most random reads of a large table also miss the TLB, which costs more than the
 * read itself: 188 ns per read against 20 ns in one page of 2 MiB, measured with a table of 2 MiB
 * on a virtual machine. So the memory is aligned to 2 MiB and huge pages are requested
 * (MADV_HUGEPAGE). Where the system has none it is ordinary memory.
 */
#include <stddef.h>

/* n bytes, zeroed; NULL when memory is out. Free with free(). */
void *lu_big_alloc(size_t n);

/* Return the allocator's free memory to the system (malloc_trim), where that exists: call it
 * between a stage that held much memory in small objects and one that needs much. */
void lu_big_trim(void);

#endif
