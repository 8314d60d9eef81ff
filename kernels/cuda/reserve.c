#include "kernels/cuda/reserve.h"

#include <stdlib.h>
#include <string.h>

int lk_reserve_init(struct lk_reserve *a, uint64_t bytes)
{
	*a = (struct lk_reserve){
		.n = 1, .room = 64, .bytes = bytes / LK_RESERVE_ALIGN * LK_RESERVE_ALIGN
	};
	a->part = calloc(a->room, sizeof(*a->part));
	if (!a->part)
		return -1;
	a->part[0].bytes = a->bytes;
	return 0;
}

void lk_reserve_release(struct lk_reserve *a)
{
	free(a->part);
	*a = (struct lk_reserve){ 0 };
}

/* Cut part i in two, the first of `bytes` bytes. Returns -1 without memory for the list. */
static int cut(struct lk_reserve *a, size_t i, uint64_t bytes)
{
	struct lk_reserve_part *p;

	if (a->n == a->room) {
		p = realloc(a->part, 2 * a->room * sizeof(*p));
		if (!p)
			return -1;
		a->part = p;
		a->room *= 2;
	}
	p = a->part + i;
	memmove(p + 1, p, (a->n - i) * sizeof(*p));
	a->n++;
	p[0].bytes = bytes;
	p[1].at += bytes;
	p[1].bytes -= bytes;
	return 0;
}

uint64_t lk_reserve_take(struct lk_reserve *a, uint64_t bytes)
{
	if (bytes > a->bytes)
		return LK_RESERVE_NONE;
	bytes = bytes == 0 ? LK_RESERVE_ALIGN
			   : (bytes + LK_RESERVE_ALIGN - 1) / LK_RESERVE_ALIGN * LK_RESERVE_ALIGN;
	for (size_t i = 0; i < a->n; i++) {
		if (a->part[i].used || a->part[i].bytes < bytes)
			continue;
		if (a->part[i].bytes > bytes && cut(a, i, bytes) < 0)
			return LK_RESERVE_NONE;
		a->part[i].used = 1;
		a->taken += bytes;
		return a->part[i].at;
	}
	return LK_RESERVE_NONE;
}

/* Join part i with the one after it if both are holes. */
static void join(struct lk_reserve *a, size_t i)
{
	struct lk_reserve_part *p = a->part + i;

	if (i + 1 >= a->n || p[0].used || p[1].used)
		return;
	p[0].bytes += p[1].bytes;
	memmove(p + 1, p + 2, (a->n - i - 2) * sizeof(*p));
	a->n--;
}

int lk_reserve_give(struct lk_reserve *a, uint64_t at)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->part[i].at != at || !a->part[i].used)
			continue;
		a->part[i].used = 0;
		a->taken -= a->part[i].bytes;
		join(a, i);
		if (i > 0)
			join(a, i - 1);
		return 0;
	}
	return -1;
}

uint64_t lk_reserve_largest(const struct lk_reserve *a)
{
	uint64_t most = 0;

	for (size_t i = 0; i < a->n; i++)
		if (!a->part[i].used && a->part[i].bytes > most)
			most = a->part[i].bytes;
	return most;
}
