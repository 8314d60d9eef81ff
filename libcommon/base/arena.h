#ifndef LUCIE_BASE_ARENA_H
#define LUCIE_BASE_ARENA_H
/*
 * A bump allocator for things that die together: the records of a batch, a parsed file.
 *
 * Start from { 0 }. Memory from lu_arena_alloc() is aligned to 16 bytes, not cleared, and valid
 * until lu_arena_reset() (keeps the blocks for the next batch) or lu_arena_release().
 * Not shared between threads: one arena, one owner.
 */
#include <stddef.h>

#include "libcommon/base/buf.h"

struct lu_arena_block;

struct lu_arena {
	struct lu_arena_block *first, *current;
	size_t used; /* bytes handed out from `current` */
};

/* NULL only when memory is out. n may be 0. */
void *lu_arena_alloc(struct lu_arena *a, size_t n) LU_CHECKED;
/* A copy of s with a NUL after it; .p is NULL when memory is out. */
struct lu_str lu_arena_str(struct lu_arena *a, struct lu_str s) LU_CHECKED;
void lu_arena_reset(struct lu_arena *a);
void lu_arena_release(struct lu_arena *a);

#endif
