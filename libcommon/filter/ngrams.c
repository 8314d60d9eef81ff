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

/* Bytes of the sieve for so many keys: few of those that occur once share a byte, and it stays in
 * the cache. */
static size_t sieve_size(size_t keys)
{
	size_t size = 64;

	while (size < 8 * keys && size < (size_t)1 << 18)
		size *= 2;
	return size;
}

/* Leave out most of the n-grams that occur once: a byte of the sieve is 1 where one key has fallen,
 * and has its second bit set where two have. */
static void sift(struct lu_grams *g, uint8_t *sieve, size_t size)
{
	size_t kept = 0;

	memset(sieve, 0, size);
	for (size_t i = 0; i < g->grams; i++) {
		uint8_t *byte = &sieve[g->gram[i].key >> 40 & (size - 1)];

		*byte = (uint8_t)(*byte << 1 | 1);
	}
	for (size_t i = 0; i < g->grams; i++) {
		struct lu_gram x = g->gram[i];

		g->gram[kept] = x;
		kept += sieve[x.key >> 40 & (size - 1)] >> 1 & 1;
	}
	g->grams = kept;
}

/* The key of an n-gram is a polynomial in FACTOR whose coefficients are the hashes. */
int lu_grams_start(struct lu_grams *g, struct lu_buf *memory, const uint64_t *hash, size_t stride,
		size_t count, struct lu_err *err)
{
	size_t grams = count < 2 ? 0 : count - 1, sieve = sieve_size(grams), bytes;

	lu_buf_clear(memory);
	if (grams > UINT32_MAX || !lu_mul_size(grams, sizeof(*g->gram), &bytes) ||
			!lu_add_size(bytes, sieve, &bytes) || !lu_buf_reserve(memory, bytes))
		return lu_err_nomem(err);
	*g = (struct lu_grams){ .hash = hash,
		.stride = stride,
		.n = 2,
		.gram = (struct lu_gram *)(void *)memory->p,
		.grams = grams };
	for (size_t i = 0; i < grams; i++) {
		g->gram[i].key = hash[i * stride] * FACTOR + hash[(i + 1) * stride];
		g->gram[i].at = (uint32_t)i;
	}
	sift(g, (uint8_t *)(void *)(g->gram + grams), sieve);
	return 0;
}

int lu_grams_count(struct lu_grams *g, struct lu_buf *memory, struct lu_err *err)
{
	g->most = 1;
	g->first = 0;
	if (lu_gram_set_start(&g->set, memory, g->grams, err) < 0)
		return -1;
	for (size_t i = 0; i < g->grams; i++) {
		struct lu_gram *x = &g->gram[i];
		const struct lu_gram_slot *slot = lu_gram_set_add(&g->set, x->key, x->at);

		x->slot = (uint32_t)(slot - g->set.slot);
		if (slot->count > g->most || (slot->count == g->most && slot->first < g->first)) {
			g->most = slot->count;
			g->first = slot->first;
		}
	}
	return 0;
}

static inline bool occurs_again(const struct lu_grams *g, size_t i)
{
	return g->set.slot[g->gram[i].slot].count > 1;
}

void lu_grams_grow(struct lu_grams *g)
{
	size_t kept = 0;
	bool again = g->grams && occurs_again(g, 0);

	/* Each is written behind those that are kept, and the next one over it unless it is kept:
	 * a branch would be mispredicted half of the time. */
	for (size_t i = 0; i + 1 < g->grams; i++) {
		uint32_t at = g->gram[i].at;
		uint64_t key = g->gram[i].key;
		bool next_again = occurs_again(g, i + 1), near = g->gram[i + 1].at == at + 1;

		g->gram[kept].at = at;
		g->gram[kept].key = key * FACTOR + g->hash[(at + (near ? g->n : 0)) * g->stride];
		kept += again & next_again & near;
		again = next_again;
	}
	g->grams = kept;
	g->n++;
}
