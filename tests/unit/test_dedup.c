/* Deduplication: key sets, canonical forms, shingles, MinHash against its formulas,
 * signature files. Clusters are in test_near.c. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/dedup/canonical.h"
#include "libcommon/dedup/keyset.h"
#include "libcommon/dedup/near.h"
#include "libcommon/minhash/shingle.h"
#include "libcommon/minhash/sigfile.h"

static void test_keyset(void **state)
{
	struct lu_keyset s = { 0 };
	struct lu_err err;
	uint32_t number;

	(void)state;
	/* Seven slots for all keys, which differ in the high half only. */
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			struct lu_hash128 key = { i % 7, i };

			assert_int_equal(lu_keyset_add(&s, key, &number, &err), round == 0);
			assert_int_equal(number, i);
		}
	}
	assert_int_equal(s.key.n, 5000);
	lu_keyset_release(&s);
}

static void test_canonical(void **state)
{
	static const char *const pair[][2] = {
		{ "  Stra\xC3\x9F"
		  "e \t\n 5 ",
				"strasse 5" },
		{ "e\xCC\x81t\xC3\xA9", "\xC3\xA9t\xC3\xA9" },
		{ "A\xC2\xA0\xE2\x80\xAF"
		  "B",
				"a b" },
		{ "p\xC3\xAA"
		  "che",
				"p\xC3\xAA"
				"che" },
		{ " \n ", "" },
	};
	struct lu_canonical_scratch w = { 0 };
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		/* The result is appended: earlier contents have no effect. */
		lu_buf_clear(&out);
		lu_buf_puts(&out, "x ");
		assert_int_equal(lu_canonical(&w, lu_str_of(pair[i][0]), &out, &err), 0);
		assert_string_equal(out.p + 2, pair[i][1]);
	}
	lu_canonical_release(&w);
	lu_buf_release(&out);
}

/* --- shingles ----------------------------------------------------------------------------- */

struct set {
	uint64_t h[4096];
	size_t n;
};

static void collect(void *ctx, const uint64_t *shingle, size_t n)
{
	struct set *s = ctx;

	assert_true(n > 0 && n <= LU_SHINGLE_BLOCK && s->n + n <= 4096);
	memcpy(s->h + s->n, shingle, n * sizeof(*shingle));
	s->n += n;
}

static struct set *shingles_of(const struct lu_shingler *sh, const char *text)
{
	struct set *s = calloc(1, sizeof(*s));
	struct lu_buf scratch = { 0 };
	struct lu_err err;

	assert_non_null(s);
	assert_int_equal(lu_shingles(sh, lu_str_of(text), &scratch, collect, s, &err), 0);
	lu_buf_release(&scratch);
	return s;
}

static bool same_shingles(const struct lu_shingler *sh, const char *a, const char *b)
{
	struct set *x = shingles_of(sh, a), *y = shingles_of(sh, b);
	bool same = x->n == y->n && memcmp(x->h, y->h, x->n * sizeof(x->h[0])) == 0;

	free(x);
	free(y);
	return same;
}

static size_t count_shingles(const struct lu_shingler *sh, const char *text)
{
	struct set *s = shingles_of(sh, text);
	size_t n = s->n;

	free(s);
	return n;
}

static void test_shingles(void **state)
{
	struct lu_shingler *sh;
	struct lu_buf text = { 0 };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_shingler_new(&sh, &err), 0);
	/* Differences in case, punctuation, digits, composition and soft hyphens do not count. */
	assert_true(same_shingles(sh, "The quick (brown) fox, jumps: 12 times!",
			"the QUICK brown fox jumps 99 times"));
	assert_true(same_shingles(sh,
			"\xC2\xAB L\xE2\x80\x99\xC3\xA9t\xC3\xA9 \xC2\xBB est un beau jour",
			"l e\xCC\x81te\xCC\x81 est un beau jour"));
	assert_true(same_shingles(sh,
			"die Stra\xC3\x9F"
			"e ist sehr lang",
			"die STRASSE ist sehr lang"));
	assert_true(same_shingles(sh, "one co\xC2\xADoperate three four five",
			"one cooperate three four five"));
	assert_true(same_shingles(
			sh, "\xEF\xBC\x94 is the number of them", "7 is the number of them"));
	assert_false(same_shingles(sh, "the quick brown fox jumps", "the quick brown fox jumped"));
	assert_false(same_shingles(sh, "a bc d e f", "ab c d e f"));
	assert_false(same_shingles(sh, "a b c d e", "e d c b a"));
	assert_false(same_shingles(sh,
			"la p\xC3\xAA"
			"che est un beau sport",
			"la peche est un beau sport"));
	/* Fewer than five words: the bytes count. */
	assert_false(same_shingles(sh, "Chapter 1", "Chapter 2"));
	assert_false(same_shingles(sh, "a b c d", "A b c d"));
	assert_true(same_shingles(sh, "a b c d", "a b c d"));
	assert_false(same_shingles(sh, "", " "));
	assert_int_equal(count_shingles(sh, ""), 1);
	assert_int_equal(count_shingles(sh, "!!! ... ???"), 1);
	assert_int_equal(count_shingles(sh, "a b c d e"), 1);
	assert_int_equal(count_shingles(sh, "a b c d e f"), 2);
	/* Japanese and Thai: each character is a word, punctuation is not. */
	assert_int_equal(count_shingles(sh,
					 "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE3\x81\xA7\xE3\x81"
					 "\x99"
					 "\xE3\x80\x82\xE6\x97\xA5"),
			2);
	assert_int_equal(count_shingles(sh,
					 "\xE0\xB8\x81\xE0\xB8\x82\xE0\xB8\x84\xE0\xB8\x87"
					 "\xE0\xB8\x88\xE0\xB8\x89"),
			2);
	/* More than a block. */
	for (int i = 0; i < 600; i++)
		lu_buf_printf(&text, "w%c%c ", 'a' + i % 26, 'a' + i / 26);
	assert_int_equal(count_shingles(sh, text.p), 596);
	lu_buf_release(&text);
	lu_shingler_free(sh);
}

/* --- MinHash ------------------------------------------------------------------------------ */

/* Settings in use elsewhere: P(.5) .. P(.9) to three decimals. */
static void test_found(void **state)
{
	static const struct {
		unsigned bands, rows;
		double p[5];
	} known[] = {
		{ 14, 8, { .053, .211, .565, .924, 1.000 } },
		{ 20, 13, { .002, .026, .177, .677, .997 } },
		{ 9, 13, { .001, .012, .084, .399, .929 } },
		{ 20, 5, { .470, .802, .975, 1.000, 1.000 } },
		{ 26, 11, { .013, .090, .405, .903, 1.000 } },
		{ 450, 20, { .000, .016, .302, .995, 1.000 } },
		{ 8, 16, { .000, .002, .026, .204, .806 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		for (size_t k = 0; k < 5; k++) {
			double p = lu_minhash_found(
					known[i].bands, known[i].rows, 0.5 + 0.1 * (double)k);

			assert_true(fabs(p - known[i].p[k]) < 0.00051);
		}
	}
}

struct signer {
	struct lu_minhash *mh;
	struct lu_minhash_work *w;
	size_t size;
};

static struct signer signer_new(unsigned bands, unsigned rows, enum lu_minhash_kernel kernel)
{
	struct signer s;
	struct lu_err err;

	assert_int_equal(lu_minhash_new(&s.mh, bands, rows, kernel, &err), 0);
	s.w = lu_minhash_work_new(s.mh, &err);
	assert_non_null(s.w);
	s.size = lu_minhash_size(s.mh);
	return s;
}

static void signer_free(struct signer *s)
{
	lu_minhash_work_free(s->w);
	lu_minhash_free(s->mh);
}

static void sign_set(struct lu_minhash_work *w, const uint64_t *shingle, size_t n, void *signature)
{
	lu_minhash_begin(w);
	for (size_t i = 0; i < n; i += LU_SHINGLE_BLOCK)
		lu_minhash_add(w, shingle + i, n - i < LU_SHINGLE_BLOCK ? n - i : LU_SHINGLE_BLOCK);
	lu_minhash_end(w, signature);
}

static void test_kernels_agree(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 8, 9, 255, 256, 257, 1000 };
	static const unsigned shapes[][2] = { { 14, 8 }, { 1, 1 }, { 20, 5 }, { 9, 13 },
		{ 450, 9 } };
	uint64_t seed = 1, h[1000];

	(void)state;
	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++) {
		struct signer a = signer_new(shapes[k][0], shapes[k][1], LU_MINHASH_BEST);
		struct signer b = signer_new(shapes[k][0], shapes[k][1], LU_MINHASH_PORTABLE);
		unsigned char *x = malloc(a.size), *y = malloc(a.size);

		assert_true(x && y);
		assert_int_equal(a.size, b.size);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (size_t j = 0; j < sizes[i]; j++)
				h[j] = unit_random(&seed);
			sign_set(a.w, h, sizes[i], x);
			sign_set(b.w, h, sizes[i], y);
			assert_memory_equal(x, y, a.size);
			/* Order and repetition do not count. */
			h[0] = h[sizes[i] - 1];
			sign_set(a.w, h, sizes[i], x);
			for (size_t j = 0; j < sizes[i] / 2; j++) {
				uint64_t t = h[j];

				h[j] = h[sizes[i] - 1 - j];
				h[sizes[i] - 1 - j] = t;
			}
			sign_set(b.w, h, sizes[i], y);
			assert_memory_equal(x, y, a.size);
		}
		free(x);
		free(y);
		signer_free(&a);
		signer_free(&b);
	}
}

/* Estimated similarity of two signatures. */
static double similarity(const struct lu_minhash *mh, const void *a, const void *b)
{
	return lu_minhash_estimate(mh,
			lu_minhash_equal(mh, lu_minhash_sketch(mh, a), lu_minhash_sketch(mh, b)));
}

/* x of 112 bytes equal: (x / 112 - 2^-8) / (1 - 2^-8), and never below 0. */
static void test_estimate(void **state)
{
	struct signer s = signer_new(14, 8, LU_MINHASH_BEST);
	unsigned char *x = calloc(1, s.size), *y = calloc(1, s.size);

	(void)state;
	assert_true(x && y);
	assert_true(similarity(s.mh, x, y) == 1);
	memset(y + s.size - 56, 1, 56);
	assert_true(fabs(similarity(s.mh, x, y) - (0.5 - 1 / 256.0) * 256 / 255) < 1e-12);
	memset(y + s.size - 112, 1, 112);
	assert_true(similarity(s.mh, x, y) == 0);
	free(x);
	free(y);
	signer_free(&s);
}

/* Two sets of 300 with `common` shingles in common: J = common / (600 - common). */
static void make_pair(uint64_t *a, uint64_t *b, size_t common, uint64_t *seed)
{
	for (size_t i = 0; i < 300; i++) {
		a[i] = unit_random(seed);
		b[i] = i < common ? a[i] : unit_random(seed);
	}
}

/* Pairs of known similarity: the recall is that of the formula, and the estimate is unbiased. */
static void test_recall(void **state)
{
	enum { PAIRS = 2000 };
	static const size_t common[] = { 150, 200, 225, 247, 267, 284 };
	struct signer s = signer_new(14, 8, LU_MINHASH_BEST);
	unsigned char *x = malloc(s.size), *y = malloc(s.size);
	uint64_t a[300], b[300], seed = 7;

	(void)state;
	assert_true(x && y);
	for (size_t k = 0; k < sizeof(common) / sizeof(common[0]); k++) {
		double j = (double)common[k] / (600 - (double)common[k]);
		double p = lu_minhash_found(14, 8, j), sum = 0, sigma;
		int found = 0;

		for (int i = 0; i < PAIRS; i++) {
			bool met = false;

			make_pair(a, b, common[k], &seed);
			sign_set(s.w, a, 300, x);
			sign_set(s.w, b, 300, y);
			for (unsigned band = 0; band < 14; band++)
				met |= lu_minhash_key(x, band) == lu_minhash_key(y, band);
			found += met;
			sum += similarity(s.mh, x, y);
		}
		sigma = sqrt(PAIRS * p * (1 - p));
		assert_true(fabs(found - PAIRS * p) < 4 * sigma + 1);
		/* 4 standard errors of the mean of PAIRS estimates from 112 bytes. */
		assert_true(fabs(sum / PAIRS - j) < 4 * sqrt(j * (1 - j) / 112 / PAIRS));
	}
	free(x);
	free(y);
	signer_free(&s);
}

/* Among 250000 texts of one to five words no two share a key: their 64-bit hashes decide. */
static void test_short_texts(void **state)
{
	enum { TEXTS = 250000 };
	struct signer s = signer_new(14, 8, LU_MINHASH_BEST);
	struct lu_near_options o = { .mh = s.mh, .tmpdir = ".", .threads = 1 };
	unsigned char *x = malloc(s.size);
	struct lu_near *near = NULL;
	struct lu_near_verdict v;
	struct lu_err err;
	char text[64];

	(void)state;
	assert_non_null(x);
	assert_int_equal(lu_near_new(&near, &o, &err), 0);
	for (int i = 0; i < TEXTS; i++) {
		int n = snprintf(text, sizeof(text), i & 1 ? "Page %d" : "x%d", i);

		/* Five words: one shingle, without digits. */
		if (i % 3 == 0)
			n = snprintf(text, sizeof(text), "%c%c %c%c%c b c d", 'a' + i % 26,
					'a' + i / 26 % 26, 'a' + i / 676 % 26, 'a' + i / 17576 % 26,
					'a' + i % 26);
		assert_int_equal(lu_minhash_sign(s.w, (struct lu_str){ text, (size_t)n }, x, &err),
				0);
		assert_int_equal(lu_near_add(near, x, 0, &err), 0);
	}
	assert_int_equal(lu_near_run(near, NULL, NULL, &err), 0);
	for (uint64_t i = 0; i < TEXTS; i++) {
		assert_int_equal(lu_near_next(near, &v, &err), 0);
		assert_int_equal(v.kept, i);
	}
	lu_near_free(near);
	free(x);
	signer_free(&s);
}

/* --- files -------------------------------------------------------------------------------- */

static int read_all(const char *path, const struct signer *s, uint64_t *n, struct lu_err *err)
{
	const char *file[] = { path };
	unsigned char *x = malloc(s->size);
	struct lu_sigentry e;
	struct lu_sigreader r;
	bool wrong = false;
	int rc;

	assert_non_null(x);
	*n = 0;
	lu_sigreader_init(&r, file, 1, s->mh);
	while ((rc = lu_sigreader_next(&r, &e, x, err)) > 0) {
		wrong |= e.text_hash != *n + 1 || e.text_length != *n * 3 || *x != *n % 256;
		++*n;
	}
	assert_true(rc < 0 || !wrong);
	lu_sigreader_close(&r);
	free(x);
	return rc;
}

static void write_signatures(const char *path, const struct signer *s, uint64_t n)
{
	unsigned char *x = malloc(s->size);
	struct lu_sigwriter w;
	struct lu_err err;

	assert_non_null(x);
	assert_int_equal(lu_sigwriter_open(&w, path, s->mh, &err), 0);
	for (uint64_t i = 0; i < n; i++) {
		struct lu_sigentry e = { i + 1, i * 3 };

		memset(x, (int)i, s->size);
		assert_int_equal(lu_sigwriter_add(&w, &e, x, &err), 0);
	}
	assert_int_equal(lu_sigwriter_commit(&w, &err), 0);
	free(x);
}

static void test_signature_files(void **state)
{
	struct signer s = signer_new(2, 3, LU_MINHASH_BEST),
		      other = signer_new(3, 2, LU_MINHASH_BEST);
	struct lu_err err;
	uint64_t n;
	size_t bytes;
	char *all;

	(void)state;
	write_signatures("many", &s, 3000);
	assert_int_equal(read_all("many", &s, &n, &err), 0);
	assert_int_equal(n, 3000);
	write_signatures("none", &s, 0);
	assert_int_equal(read_all("none", &s, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(read_all("many", &other, &n, &err), -1);
	assert_non_null(strstr(err.msg, "2 bands of 3 rows, not 3 of 2"));

	/* Truncated or changed at any byte: always refused. */
	write_signatures("few", &s, 3);
	all = get_file("few", &bytes);
	for (size_t i = 0; i < bytes; i++) {
		put_file("damaged", all, i);
		assert_int_equal(read_all("damaged", &s, &n, &err), -1);
		all[i] ^= 0x40;
		put_file("damaged", all, bytes);
		assert_int_equal(read_all("damaged", &s, &n, &err), -1);
		assert_non_null(strstr(err.msg, "damaged"));
		all[i] ^= 0x40;
	}
	free(all);
	signer_free(&s);
	signer_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keyset),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_shingles),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_kernels_agree),
		cmocka_unit_test(test_estimate),
		cmocka_unit_test(test_recall),
		cmocka_unit_test(test_short_texts),
		cmocka_unit_test(test_signature_files),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
