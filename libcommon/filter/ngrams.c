#include "libcommon/filter/ngrams.h"

#include "libcommon/base/num.h"

/* 2^64 divided by the golden ratio: odd, with irregular bits. */
#define FACTOR UINT64_C(0x9E3779B97F4A7C15)

int lu_gram_set_start(struct lu_gram_set *s, struct lu_buf *memory, size_t n, struct lu_err *err)
{
	size_t size = 16, bytes;

	while (size < 2 * n)
		size *= 2;
	lu_buf_clear(memory);
	if (n > UINT32_MAX || !lu_mul_size(size, sizeof(*s->slot), &bytes) ||
			!lu_buf_reserve(memory, bytes))
		return lu_err_nomem(err);
	s->slot = (struct lu_gram_slot *)(void *)memory->p;
	s->mask = size - 1;
	memset(s->slot, 0, bytes);
	return 0;
}

int lu_grams_start(struct lu_grams *g, struct lu_buf *memory, const uint64_t *hash, size_t stride,
		size_t count, struct lu_err *err)
{
	size_t bytes;

	lu_buf_clear(memory);
	if (!lu_mul_size(count, sizeof(*g->key), &bytes) || !lu_buf_reserve(memory, bytes + 1))
		return lu_err_nomem(err);
	*g = (struct lu_grams){ hash, stride, count, 1, (uint64_t *)(void *)memory->p };
	for (size_t i = 0; i < count; i++)
		g->key[i] = hash[i * stride];
	return 0;
}

/* The key is a polynomial in FACTOR whose coefficients are the hashes. */
void lu_grams_grow(struct lu_grams *g)
{
	g->n++;
	for (size_t i = 0; i + g->n <= g->count; i++)
		g->key[i] = g->key[i] * FACTOR + g->hash[(i + g->n - 1) * g->stride];
}
