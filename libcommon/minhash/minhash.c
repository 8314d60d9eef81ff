#include "libcommon/minhash/minhash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/hash/hash.h"
#include "libcommon/minhash/shingle.h"

/* Hash functions are evaluated in groups of this size, whose minima stay in registers. */
#define GROUP 16

typedef void minima_fn(const struct lu_minhash *mh, const uint32_t *x, size_t n, uint32_t *least);

struct lu_minhash {
	unsigned bands, rows, hashes, padded;
	struct lu_shingler *shingler;
	minima_fn *minima;
	uint32_t *a, *b; /* coefficients, padded to whole groups */
};

struct lu_minhash_work {
	const struct lu_minhash *mh;
	uint32_t *least;      /* the minima so far */
	uint64_t first;	      /* the first shingle */
	bool any;	      /* there was one */
	bool single;	      /* all shingles were equal to the first */
	unsigned char *bytes; /* the minima, little-endian */
	struct lu_buf scratch;
};

static void minima_portable(
		const struct lu_minhash *mh, const uint32_t *x, size_t n, uint32_t *least)
{
	for (unsigned k = 0; k < mh->padded; k += GROUP) {
		const uint32_t *a = mh->a + k, *b = mh->b + k;
		uint32_t m[GROUP];

		memcpy(m, least + k, sizeof(m));
		for (size_t i = 0; i < n; i++) {
			for (unsigned j = 0; j < GROUP; j++) {
				uint32_t h = a[j] * x[i] + b[j];

				m[j] = h < m[j] ? h : m[j];
			}
		}
		memcpy(least + k, m, sizeof(m));
	}
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void minima_avx2(
		const struct lu_minhash *mh, const uint32_t *x, size_t n, uint32_t *least)
{
	for (unsigned k = 0; k < mh->padded; k += GROUP) {
		__m256i *l = (__m256i *)(void *)(least + k);
		const __m256i *a = (const __m256i *)(const void *)(mh->a + k);
		const __m256i *b = (const __m256i *)(const void *)(mh->b + k);
		__m256i a0 = _mm256_loadu_si256(a), a1 = _mm256_loadu_si256(a + 1);
		__m256i b0 = _mm256_loadu_si256(b), b1 = _mm256_loadu_si256(b + 1);
		__m256i m0 = _mm256_loadu_si256(l), m1 = _mm256_loadu_si256(l + 1);

		for (size_t i = 0; i < n; i++) {
			__m256i v = _mm256_set1_epi32((int)x[i]);

			m0 = _mm256_min_epu32(m0, _mm256_add_epi32(_mm256_mullo_epi32(a0, v), b0));
			m1 = _mm256_min_epu32(m1, _mm256_add_epi32(_mm256_mullo_epi32(a1, v), b1));
		}
		_mm256_storeu_si256(l, m0);
		_mm256_storeu_si256(l + 1, m1);
	}
}
#endif

static minima_fn *choose_kernel(enum lu_minhash_kernel kernel)
{
#if defined(__x86_64__)
	if (kernel == LU_MINHASH_BEST && __builtin_cpu_supports("avx2"))
		return minima_avx2;
#endif
	(void)kernel;
	return minima_portable;
}

int lu_minhash_new(struct lu_minhash **out, unsigned bands, unsigned rows,
		enum lu_minhash_kernel kernel, struct lu_err *err)
{
	struct lu_minhash *mh;
	unsigned hashes;

	LU_ASSERT(bands > 0 && rows > 0 && (uint64_t)bands * rows <= LU_MINHASH_MAX);
	hashes = bands * rows > LU_MINHASH_HASHES ? bands * rows : LU_MINHASH_HASHES;
	mh = calloc(1, sizeof(*mh));
	if (!mh)
		return lu_err_nomem(err);
	mh->bands = bands;
	mh->rows = rows;
	mh->hashes = hashes;
	mh->padded = (hashes + GROUP - 1) / GROUP * GROUP;
	mh->minima = choose_kernel(kernel);
	mh->a = malloc(mh->padded * sizeof(*mh->a));
	mh->b = malloc(mh->padded * sizeof(*mh->b));
	if (!mh->a || !mh->b) {
		lu_minhash_free(mh);
		return lu_err_nomem(err);
	}
	for (unsigned k = 0; k < mh->padded; k++) {
		uint32_t r[4];

		lu_rand_block(1, lu_rand_stream("minhash", 0), k, r);
		mh->a[k] = r[0] | 1;
		mh->b[k] = r[1];
	}
	if (lu_shingler_new(&mh->shingler, err) < 0) {
		lu_minhash_free(mh);
		return -1;
	}
	*out = mh;
	return 0;
}

void lu_minhash_free(struct lu_minhash *mh)
{
	if (!mh)
		return;
	lu_shingler_free(mh->shingler);
	free(mh->a);
	free(mh->b);
	free(mh);
}

unsigned lu_minhash_bands(const struct lu_minhash *mh)
{
	return mh->bands;
}

unsigned lu_minhash_rows(const struct lu_minhash *mh)
{
	return mh->rows;
}

unsigned lu_minhash_hashes(const struct lu_minhash *mh)
{
	return mh->hashes;
}

size_t lu_minhash_size(const struct lu_minhash *mh)
{
	return (size_t)mh->bands * 8 + mh->hashes;
}

uint64_t lu_minhash_params(const struct lu_minhash *mh)
{
	char text[96];
	int n;

	/* The 1 is the version of the shingles and of the hash functions. */
	n = snprintf(text, sizeof(text), "minhash 1 words %d bands %u rows %u hashes %u",
			LU_SHINGLE_WORDS, mh->bands, mh->rows, mh->hashes);
	return lu_hash64(text, (size_t)n, 0);
}

struct lu_minhash_work *lu_minhash_work_new(const struct lu_minhash *mh, struct lu_err *err)
{
	struct lu_minhash_work *w = calloc(1, sizeof(*w));

	if (w) {
		w->mh = mh;
		w->least = malloc(mh->padded * sizeof(*w->least));
		w->bytes = malloc((size_t)mh->hashes * 4);
	}
	if (!w || !w->least || !w->bytes) {
		lu_minhash_work_free(w);
		lu_err_nomem(err);
		return NULL;
	}
	return w;
}

void lu_minhash_work_free(struct lu_minhash_work *w)
{
	if (!w)
		return;
	free(w->least);
	free(w->bytes);
	lu_buf_release(&w->scratch);
	free(w);
}

/* --- signing ------------------------------------------------------------------------------ */

void lu_minhash_begin(struct lu_minhash_work *w)
{
	memset(w->least, 0xff, w->mh->padded * sizeof(*w->least));
	w->any = false;
}

void lu_minhash_add(void *work, const uint64_t *shingle, size_t n)
{
	struct lu_minhash_work *w = work;
	uint32_t x[LU_SHINGLE_BLOCK];

	if (!w->any) {
		w->first = shingle[0];
		w->any = w->single = true;
	}
	for (size_t i = 0; i < n; i++) {
		w->single &= shingle[i] == w->first;
		x[i] = (uint32_t)(shingle[i] >> 32);
	}
	w->mh->minima(w->mh, x, n, w->least);
}

/* The k-th minimum of a set that is one shingle: 32 bits of its 64-bit hash. */
static uint32_t minimum_of_single(uint64_t shingle, unsigned k)
{
	unsigned char bytes[4];

	lu_store32(bytes, k);
	return (uint32_t)(lu_hash64(bytes, sizeof(bytes), shingle) >> 32);
}

/* Derive band keys and sketch from the minima. */
void lu_minhash_end(struct lu_minhash_work *w, void *signature)
{
	const struct lu_minhash *mh = w->mh;
	unsigned char *key = signature, *sketch = key + 8 * (size_t)mh->bands;
	size_t row_bytes = (size_t)mh->rows * 4;

	for (unsigned k = 0; k < mh->hashes; k++) {
		uint32_t v = w->single ? minimum_of_single(w->first, k) : w->least[k];

		lu_store32(w->bytes + 4 * (size_t)k, v);
		/* The high bits of minima are nearly all zero and the low ones depend on few bits
		 * of the shingle: the top byte of a product depends on all of them. */
		sketch[k] = (unsigned char)(v * UINT32_C(0x9E3779B1) >> 24);
	}
	for (unsigned i = 0; i < mh->bands; i++)
		lu_store64(key + 8 * (size_t)i, lu_hash64(w->bytes + i * row_bytes, row_bytes, i));
}

int lu_minhash_sign(
		struct lu_minhash_work *w, struct lu_str text, void *signature, struct lu_err *err)
{
	lu_minhash_begin(w);
	if (lu_shingles(w->mh->shingler, text, &w->scratch, lu_minhash_add, w, err) < 0)
		return -1;
	lu_minhash_end(w, signature);
	return 0;
}

uint64_t lu_minhash_key(const void *signature, unsigned band)
{
	return lu_load64((const char *)signature + 8 * (size_t)band);
}

void lu_minhash_mix(const struct lu_minhash *mh, void *signature, uint64_t value)
{
	unsigned char both[16];

	lu_store64(both + 8, value);
	for (unsigned i = 0; i < mh->bands; i++) {
		unsigned char *key = (unsigned char *)signature + 8 * (size_t)i;

		memcpy(both, key, 8);
		lu_store64(key, lu_hash64(both, sizeof(both), i));
	}
}

const void *lu_minhash_sketch(const struct lu_minhash *mh, const void *signature)
{
	return (const unsigned char *)signature + 8 * (size_t)mh->bands;
}

static unsigned equal_portable(const unsigned char *p, const unsigned char *q, size_t n)
{
	unsigned equal = 0;

	for (size_t k = 0; k < n; k++)
		equal += p[k] == q[k];
	return equal;
}

#if defined(__x86_64__)
/* Every x86-64 has SSE2. */
static unsigned equal_sse2(const unsigned char *p, const unsigned char *q, size_t n)
{
	const __m128i zero = _mm_setzero_si128();
	__m128i sum = zero;
	size_t k = 0;

	for (; k + 16 <= n; k += 16) {
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)(p + k));
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(q + k));
		__m128i one = _mm_sub_epi8(zero, _mm_cmpeq_epi8(a, b));

		sum = _mm_add_epi64(sum, _mm_sad_epu8(one, zero));
	}
	sum = _mm_add_epi64(sum, _mm_srli_si128(sum, 8));
	return (unsigned)_mm_cvtsi128_si32(sum) + equal_portable(p + k, q + k, n - k);
}
#endif

unsigned lu_minhash_equal(const struct lu_minhash *mh, const void *a, const void *b)
{
#if defined(__x86_64__)
	return equal_sse2(a, b, mh->hashes);
#else
	return equal_portable(a, b, mh->hashes);
#endif
}

double lu_minhash_estimate(const struct lu_minhash *mh, unsigned equal)
{
	double s = ((double)equal / mh->hashes - 1.0 / 256) / (1 - 1.0 / 256);

	return s > 0 ? s : 0;
}

unsigned lu_minhash_least(const struct lu_minhash *mh, double similarity)
{
	unsigned equal = 0;

	while (equal <= mh->hashes && lu_minhash_estimate(mh, equal) < similarity)
		equal++;
	return equal;
}

double lu_minhash_found(unsigned bands, unsigned rows, double s)
{
	return 1 - pow(1 - pow(s, rows), bands);
}
