/* Clusters of near duplicates, against the definition computed without sorting, buckets of memory or
 * files: the same verdicts in memory, in the temporary directory, on one thread and on three. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/dedup/near.h"
#include "libcommon/dedup/near_stages.h"
#include "libcommon/minhash/set_reducer.h"

enum { BANDS = 14, ROWS = 8, HASHES = 112, SIZE = BANDS * 8 + HASHES };

struct fixture {
	struct lu_minhash *mh;
	void *scratch;
};

struct corpus {
	size_t n, fixed;
	unsigned char (*signature)[SIZE];
	uint64_t *rank;
};

static void corpus_free(struct corpus *c)
{
	free(c->signature);
	free(c->rank);
}

static struct corpus corpus_new(size_t n)
{
	struct corpus c = { n, 0, calloc(n, SIZE), calloc(n, sizeof(*c.rank)) };

	assert_true(c.signature && c.rank);
	return c;
}

/* Documents in families: variants of a common ancestor, which share some bytes of the sketch and
 * the keys of some bands with it. */
static struct corpus families(size_t n, size_t of, uint64_t ranks, uint64_t seed)
{
	struct corpus c = corpus_new(n);
	unsigned char ancestor[SIZE];

	for (size_t i = 0; i < n; i++) {
		uint64_t s = unit_random(&seed) % of * UINT64_C(1000003), changes;

		for (size_t k = 0; k < SIZE; k++)
			ancestor[k] = (unsigned char)unit_random(&s);
		memcpy(c.signature[i], ancestor, SIZE);
		changes = unit_random(&seed) % 64;
		while (changes--) {
			size_t k = unit_random(&seed) % HASHES;

			c.signature[i][BANDS * 8 + k] ^= 1 + unit_random(&seed) % 3;
			c.signature[i][k / ROWS * 8] ^= 1 + unit_random(&seed) % 2;
		}
		c.rank[i] = unit_random(&seed) % ranks;
	}
	return c;
}

/* --- the definition ----------------------------------------------------------------------- */

/* Estimated similarity of two signatures. */
static double similarity(const struct lu_minhash *mh, const void *a, const void *b)
{
	return lu_minhash_estimate(mh,
			lu_minhash_equal(mh, lu_minhash_sketch(mh, a), lu_minhash_sketch(mh, b)));
}

static bool similar(const struct lu_minhash *mh, const struct corpus *c, size_t a, size_t b,
		double verify)
{
	return verify <= 0 || similarity(mh, c->signature[a], c->signature[b]) >= verify;
}

static void relabel(size_t *set, size_t n, size_t a, size_t b)
{
	size_t from = set[a] > set[b] ? set[a] : set[b], to = set[a] > set[b] ? set[b] : set[a];

	for (size_t i = 0; i < n && from != to; i++)
		set[i] = set[i] == from ? to : set[i];
}

/* Edges of the bucket of document `first` in a band, if it is the first one of it. */
static void bucket_edges(const struct lu_minhash *mh, const struct corpus *c, size_t first,
		unsigned band, double verify, size_t *set)
{
	size_t centre[LU_NEAR_CENTRES], centres = 0;

	for (size_t i = 0; i < c->n; i++) {
		bool edge = false;

		if (memcmp(c->signature[i] + 8 * band, c->signature[first] + 8 * band, 8) != 0)
			continue;
		if (i < first)
			return;
		for (size_t k = 0; k < centres; k++) {
			if (!similar(mh, c, centre[k], i, verify))
				continue;
			relabel(set, c->n, centre[k], i);
			edge = true;
		}
		if (!edge && centres < LU_NEAR_CENTRES)
			centre[centres++] = i;
	}
}

static bool preferred(const struct corpus *c, size_t a, size_t b)
{
	if (a < c->fixed || b < c->fixed)
		return a < b;
	return c->rank[a] != c->rank[b] ? c->rank[a] < c->rank[b] : a < b;
}

/* kept[i] for each document; size[i] of those that stay. */
static void define(const struct lu_minhash *mh, const struct corpus *c, double verify, size_t *kept,
		uint64_t *size)
{
	size_t *set = malloc(c->n * sizeof(*set)), *order = malloc(c->n * sizeof(*order)), m = 0;

	assert_true(set && order);
	for (size_t i = 0; i < c->n; i++) {
		set[i] = i;
		for (m = i; m > 0 && preferred(c, i, order[m - 1]); m--)
			order[m] = order[m - 1];
		order[m] = i;
		size[i] = 0;
	}
	for (unsigned band = 0; band < BANDS; band++) {
		for (size_t i = 0; i < c->n; i++)
			bucket_edges(mh, c, i, band, verify, set);
	}
	for (size_t i = 0; i < c->n; i++) {
		size_t d = order[i];

		kept[d] = d;
		for (size_t k = 0; k < i && d >= c->fixed; k++) {
			size_t other = order[k];

			if (kept[other] != other || set[other] != set[d] ||
					!similar(mh, c, other, d, verify))
				continue;
			kept[d] = other;
			break;
		}
		size[kept[d]]++;
	}
	free(set);
	free(order);
}

/* --- the program -------------------------------------------------------------------------- */

static struct lu_near *run_near(const struct lu_minhash *mh, const struct corpus *c, double verify,
		uint64_t memory, int threads)
{
	struct lu_near_options o = { .mh = mh,
		.verify = verify,
		.keep_signatures = threads > 1,
		.memory = memory,
		.tmpdir = ".",
		.threads = threads };
	struct lu_near *n = NULL;
	struct lu_err err;

	assert_int_equal(lu_near_new(&n, &o, &err), 0);
	for (size_t i = 0; i < c->n; i++) {
		if (i < c->fixed)
			assert_int_equal(lu_near_add_fixed(n, c->signature[i], &err), 0);
		else
			assert_int_equal(lu_near_add(n, c->signature[i], c->rank[i], &err), 0);
	}
	assert_int_equal(lu_near_docs(n), c->n);
	assert_int_equal(lu_near_run(n, NULL, NULL, &err), 0);
	return n;
}

static void check(const struct lu_minhash *mh, const struct corpus *c, double verify)
{
	size_t *kept = malloc(c->n * sizeof(*kept));
	uint64_t *size = malloc(c->n * sizeof(*size));

	assert_true(kept && size);
	define(mh, c, verify, kept, size);
	for (int how = 0; how < 4; how++) {
		int threads = how & 1 ? 3 : 1;
		struct lu_near *n = run_near(mh, c, verify, how & 2 ? 1 : 0, threads);
		struct lu_near_verdict v;
		struct lu_err err;

		for (size_t i = 0; i < c->n; i++) {
			assert_int_equal(lu_near_next(n, &v, &err), 0);
			assert_int_equal(v.doc, i);
			assert_int_equal(v.kept, kept[i]);
			assert_int_equal(v.size, size[kept[i]]);
			if (kept[i] != i)
				assert_true(v.similarity ==
						similarity(mh, c->signature[i],
								c->signature[kept[i]]));
			else if (threads > 1)
				assert_memory_equal(v.signature, c->signature[i], SIZE);
		}
		lu_near_free(n);
	}
	free(kept);
	free(size);
}

static void test_definition(void **state)
{
	const struct lu_minhash *mh = ((struct fixture *)*state)->mh;

	for (uint64_t round = 0; round < 8; round++) {
		struct corpus c = families(300, round < 4 ? 60 : 4, round & 1 ? 1 : 5, round);

		c.fixed = round & 2 ? 40 : 0;
		check(mh, &c, 0.7);
		check(mh, &c, 0);
		corpus_free(&c);
	}
}

/* A resembles B and B resembles C, but A does not resemble C. */
static void test_chain(void **state)
{
	const struct lu_minhash *mh = ((struct fixture *)*state)->mh;
	struct corpus c = corpus_new(3);

	memset(c.signature[1] + BANDS * 8, 1, 22);
	memset(c.signature[2] + BANDS * 8, 1, 44);
	for (int verify = 0; verify < 2; verify++) {
		struct lu_near *n = run_near(mh, &c, verify ? 0.7 : 0, 0, 1);
		struct lu_near_verdict v;
		struct lu_err err;

		assert_int_equal(lu_near_next(n, &v, &err), 0);
		assert_int_equal(v.kept, 0);
		assert_int_equal(v.size, verify ? 2 : 3);
		assert_int_equal(lu_near_next(n, &v, &err), 0);
		assert_int_equal(v.kept, 0);
		assert_int_equal(lu_near_next(n, &v, &err), 0);
		assert_int_equal(v.kept, verify ? 2 : 0);
		assert_int_equal(v.size, verify ? 1 : 3);
		lu_near_free(n);
	}
	corpus_free(&c);
}

/* A bucket of more documents than are listed, none like another but for a few at its end. Those
 * that resemble one of the first sixteen, the centres, are found. */
static void test_hot_bucket(void **state)
{
	enum { DOCS = LU_NEAR_LISTED * 2 + 10, TWINS = 4 };
	static const size_t like[TWINS] = { LU_NEAR_CENTRES, LU_NEAR_CENTRES - 1, 5, 0 };
	const struct lu_minhash *mh = ((struct fixture *)*state)->mh;
	struct corpus c = corpus_new(DOCS);
	struct lu_near_verdict v;
	struct lu_err err;
	uint64_t seed = 5;

	for (size_t i = 0; i < DOCS; i++) {
		for (size_t k = 8; k < SIZE; k++)
			c.signature[i][k] = (unsigned char)unit_random(&seed);
	}
	for (size_t i = 0; i < TWINS; i++)
		memcpy(c.signature[DOCS - TWINS + i] + BANDS * 8, c.signature[like[i]] + BANDS * 8,
				HASHES);
	for (int bound = 0; bound < 2; bound++) {
		struct lu_near *n = run_near(mh, &c, 0.7, bound ? 16 << 20 : 0, 1);

		for (size_t i = 0; i < DOCS; i++) {
			size_t twin = i < DOCS - TWINS ? i : like[i - (DOCS - TWINS)];

			assert_int_equal(lu_near_next(n, &v, &err), 0);
			assert_int_equal(v.kept, twin == LU_NEAR_CENTRES ? i : twin);
		}
		lu_near_free(n);
	}
	corpus_free(&c);
}

/* A path through all documents, its edges in any order: one set, whose root is the first. */
static void test_links(void **state)
{
	enum { DOCS = 3000, FIRST = 7, STEP = 1000003 };
	struct lu_links l;
	struct lu_err err;

	(void)state;
	for (uint64_t from = 0; from < 2; from++) {
		assert_int_equal(lu_links_open(&l, from, ".", 1, &err), 0);
		for (uint64_t i = 0; i < DOCS - 1; i++) {
			uint64_t a = from ? DOCS - 2 - i : i * 1009 % (DOCS - 1);

			assert_int_equal(lu_links_add(&l, FIRST + a * STEP, FIRST + (a + 1) * STEP,
							 &err),
					0);
		}
		assert_int_equal(lu_links_add(&l, 1, 2, &err), 0);
		assert_int_equal(lu_links_join(&l, &err), 0);
		assert_int_equal(l.n, DOCS + 2);
		for (size_t i = 0; i < l.n; i++) {
			assert_int_equal(l.doc[i], i < 2 ? i + 1 : FIRST + (i - 2) * STEP);
			assert_int_equal(lu_links_root(&l, i), i < 2 ? 1 : FIRST);
		}
		lu_links_close(&l);
	}
	/* What does not fit is told. */
	assert_int_equal(lu_links_open(&l, 2 << 20, ".", 1, &err), 0);
	for (uint64_t i = 0; i < 40000; i++)
		assert_int_equal(lu_links_add(&l, 2 * i, 2 * i + 1, &err), 0);
	assert_int_equal(lu_links_join(&l, &err), -1);
	assert_string_equal(err.msg,
			"80000 documents resemble another one, which takes -m 3M or "
			"more, not 2M");
	lu_links_close(&l);
}

/* More kept documents in a set than others are compared with: the rest stays, each by itself. */
static void test_kept_limit(void **state)
{
	const struct lu_minhash *mh = ((struct fixture *)*state)->mh;
	unsigned char sketch[HASHES];
	struct lu_reducer r;
	struct lu_err err;
	uint64_t kept = 0;
	unsigned equal;

	lu_reducer_init(&r, mh, 0.7);
	lu_reducer_begin(&r);
	memset(sketch, 255, sizeof(sketch));
	/* Documents of an index are kept unseen: the quick way to so many. */
	for (uint64_t i = 0; i < LU_REDUCE_KEPT; i++) {
		lu_store32(sketch, (uint32_t)i);
		memset(sketch + 4, (int)(i % 251), sizeof(sketch) - 4);
		assert_int_equal(lu_reducer_add(&r, i, true, sketch, &kept, &equal, &err), 1);
	}
	assert_int_equal(r.n, LU_REDUCE_KEPT);
	memset(sketch, 253, sizeof(sketch));
	for (uint64_t i = 0; i < 2; i++)
		assert_int_equal(lu_reducer_add(&r, LU_REDUCE_KEPT + i, false, sketch, &kept,
						 &equal, &err),
				1);
	memset(sketch, 7, sizeof(sketch));
	assert_int_equal(lu_reducer_add(&r, LU_REDUCE_KEPT + 2, false, sketch, &kept, &equal, &err),
			0);
	assert_int_equal(kept, 7);
	assert_int_equal(r.size[7], 2);
	lu_reducer_release(&r);
}

/* Equal bytes, at all lengths and alignments. */
static void test_equal(void **state)
{
	static const unsigned shapes[][2] = { { 1, 1 }, { 9, 13 }, { 3, 50 }, { 4096, 1 } };
	uint64_t seed = 1;

	(void)state;
	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++) {
		unsigned char a[4097], b[4097];
		struct lu_minhash *mh;
		struct lu_err err;

		assert_int_equal(lu_minhash_new(&mh, shapes[k][0], shapes[k][1], LU_MINHASH_BEST,
						 &err),
				0);
		for (int round = 0; round < 100; round++) {
			unsigned equal = 0, n = lu_minhash_hashes(mh);

			for (size_t i = 0; i < n + 1; i++) {
				a[i] = (unsigned char)unit_random(&seed);
				b[i] = round % 3 && unit_random(&seed) % 3 ? a[i] : (a[i] ^ 128);
				equal += i > 0 && a[i] == b[i];
			}
			assert_int_equal(lu_minhash_equal(mh, a + 1, b + 1), equal);
			assert_true(lu_minhash_least(mh, lu_minhash_estimate(mh, equal)) <= equal);
		}
		assert_int_equal(lu_minhash_least(mh, 0), 0);
		lu_minhash_free(mh);
	}
}

/* The keys of equal texts differ where the values mixed in do, and only there. */
static void test_mix(void **state)
{
	const struct lu_minhash *mh = ((struct fixture *)*state)->mh;
	unsigned char x[SIZE], y[SIZE], z[SIZE];
	uint64_t seed = 9;

	for (size_t i = 0; i < SIZE; i++)
		x[i] = (unsigned char)unit_random(&seed);
	memcpy(y, x, SIZE);
	memcpy(z, x, SIZE);
	lu_minhash_mix(mh, x, 1);
	lu_minhash_mix(mh, y, 1);
	lu_minhash_mix(mh, z, 2);
	assert_memory_equal(x, y, SIZE);
	for (unsigned band = 0; band < BANDS; band++)
		assert_true(lu_minhash_key(x, band) != lu_minhash_key(z, band));
	assert_memory_equal(lu_minhash_sketch(mh, x), lu_minhash_sketch(mh, z), HASHES);
}

static int set_up(void **state)
{
	static struct fixture f;
	struct lu_err err;

	*state = &f;
	if (scratch_make(&f.scratch) < 0)
		return -1;
	return lu_minhash_new(&f.mh, BANDS, ROWS, LU_MINHASH_BEST, &err);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lu_minhash_free(f->mh);
	return scratch_remove(&f->scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_hot_bucket),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_kept_limit),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_mix),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
