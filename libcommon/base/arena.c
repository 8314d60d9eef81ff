#include "libcommon/base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#define ALIGN 16u
#define BLOCK_MIN ((size_t)64 << 10)

struct lu_arena_block {
	struct lu_arena_block *next;
	size_t size;
	_Alignas(ALIGN) char data[];
};

static struct lu_arena_block *block_new(size_t need, size_t last)
{
	size_t size = last ? last * 2 : BLOCK_MIN;
	struct lu_arena_block *b;

	/* Blocks double up to 8 MiB, where the cost of allocating one is negligible. */
	if (size > ((size_t)8 << 20))
		size = (size_t)8 << 20;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->next = NULL;
	b->size = size;
	return b;
}

void *lu_arena_alloc(struct lu_arena *a, size_t n)
{
	struct lu_arena_block *b = a->current;
	void *p;

	if (n > SIZE_MAX - ALIGN)
		return NULL;
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	while (!b || b->size - a->used < n) {
		struct lu_arena_block *next = b ? b->next : a->first;

		if (!next) {
			next = block_new(n, b ? b->size : 0);
			if (!next)
				return NULL;
			if (b)
				b->next = next;
			else
				a->first = next;
		}
		a->current = b = next;
		a->used = 0;
	}
	p = b->data + a->used;
	a->used += n;
	return p;
}

struct lu_str lu_arena_str(struct lu_arena *a, struct lu_str s)
{
	char *p = s.n < SIZE_MAX ? lu_arena_alloc(a, s.n + 1) : NULL;

	if (!p)
		return (struct lu_str){ NULL, 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct lu_str){ p, s.n };
}

void lu_arena_reset(struct lu_arena *a)
{
	a->current = NULL;
	a->used = 0;
}

void lu_arena_release(struct lu_arena *a)
{
	struct lu_arena_block *b = a->first;

	while (b) {
		struct lu_arena_block *next = b->next;

		free(b);
		b = next;
	}
	*a = (struct lu_arena){ 0 };
}
