#ifndef LUCIE_BASE_ARENA_H
#define LUCIE_BASE_ARENA_H
/*
 * Bump allocator for objects of one lifetime: the records of a batch, a parsed file.
 *
 *	struct lu_arena a = { 0 };
 *	p = lu_arena_alloc(&a, n);		NULL when memory is out
 *	lu_arena_reset(&a);			frees all objects, keeps the blocks for the next batch
 *	lu_arena_release(&a);			frees the blocks too
 *
 * Memory is aligned to 16 bytes and not cleared. Single objects cannot be freed. Not thread-safe:
 * one arena per thread.
 */
#include <stddef.h>

#include "libcommon/base/buf.h"

struct lu_arena_block;

struct lu_arena {
	struct lu_arena_block *first, *current;
	size_t used; /* bytes allocated from `current` */
};

/* n may be 0. */
void *lu_arena_alloc(struct lu_arena *a, size_t n) LU_CHECKED;
/* Copy of s with a NUL behind it; .p is NULL when memory is out. */
struct lu_str lu_arena_str(struct lu_arena *a, struct lu_str s) LU_CHECKED;
void lu_arena_reset(struct lu_arena *a);
void lu_arena_release(struct lu_arena *a);

#endif
