#include "libcommon/hash/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef LU_BARE
bool lu_hash_available(void)
{
	return false;
}

uint64_t lu_hash64(const void *p, size_t n, uint64_t seed)
{
	(void)p;
	(void)n;
	(void)seed;
	return 0;
}

struct lu_hash128 lu_hash128(const void *p, size_t n)
{
	(void)p;
	(void)n;
	return (struct lu_hash128){ 0, 0 };
}

struct lu_hasher {
	uint64_t bytes;
};

struct lu_hasher *lu_hasher_new(void)
{
	return calloc(1, sizeof(struct lu_hasher));
}

void lu_hasher_add(struct lu_hasher *h, const void *p, size_t n)
{
	(void)p;
	h->bytes += n;
}

struct lu_hash128 lu_hasher_end(const struct lu_hasher *h)
{
	(void)h;
	return (struct lu_hash128){ 0, 0 };
}

uint64_t lu_hasher_end64(const struct lu_hasher *h)
{
	(void)h;
	return 0;
}

void lu_hasher_free(struct lu_hasher *h)
{
	free(h);
}
#else
#define XXH_INLINE_ALL
#include <xxhash.h>

bool lu_hash_available(void)
{
	return true;
}

uint64_t lu_hash64(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

struct lu_hash128 lu_hash128(const void *p, size_t n)
{
	XXH128_hash_t h = XXH3_128bits(p, n);

	return (struct lu_hash128){ h.low64, h.high64 };
}

struct lu_hasher {
	XXH3_state_t *state;
};

struct lu_hasher *lu_hasher_new(void)
{
	struct lu_hasher *h = malloc(sizeof(*h));

	if (!h)
		return NULL;
	h->state = XXH3_createState();
	if (!h->state) {
		free(h);
		return NULL;
	}
	XXH3_128bits_reset(h->state);
	return h;
}

void lu_hasher_add(struct lu_hasher *h, const void *p, size_t n)
{
	XXH3_128bits_update(h->state, p, n);
}

struct lu_hash128 lu_hasher_end(const struct lu_hasher *h)
{
	XXH128_hash_t v = XXH3_128bits_digest(h->state);

	return (struct lu_hash128){ v.low64, v.high64 };
}

/* Both widths keep the same state, and differ in what they make of it at the end. */
uint64_t lu_hasher_end64(const struct lu_hasher *h)
{
	return XXH3_64bits_digest(h->state);
}

void lu_hasher_free(struct lu_hasher *h)
{
	if (!h)
		return;
	XXH3_freeState(h->state);
	free(h);
}
#endif

void lu_hash128_text(struct lu_hash128 h, char out[33])
{
	snprintf(out, 33, "%016" PRIx64 "%016" PRIx64, h.hi, h.lo);
}
