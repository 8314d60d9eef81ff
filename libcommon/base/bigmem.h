#ifndef LUCIE_BASE_BIGMEM_H
#define LUCIE_BASE_BIGMEM_H
/*
 * Memory for large tables that are read at random places: a hash table of some megabytes.
 *
 * With pages of 4 KiB most of such reads also miss the processor's table of pages, which costs
 * more than the read itself (measured on a virtual machine, 2 MiB table: 188 ns a read, and
 * 20 ns in one page of 2 MiB). So the memory is aligned to 2 MiB and asked for in large pages;
 * where the system has none, it is ordinary memory.
 */
#include <stddef.h>

/* n bytes, zeroed; NULL when memory is out. Give back with free(). */
void *lu_big_alloc(size_t n);

/* Gives freed memory that the allocator keeps back to the system, where it can be told to: between
 * a stage that held much in small pieces and one that needs much. */
void lu_big_trim(void);

#endif
