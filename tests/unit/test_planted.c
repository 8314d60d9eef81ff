/* Pairs of texts of known similarity, planted among each other: near deduplication finds as many as
 * the theory says, joins hardly any below the threshold, and leaves no copy behind.
 *
 * LUCIE_PAIRS in the environment sets the number of pairs for each similarity (200 by default). */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "libcommon/dedup/keyset.h"
#include "libcommon/dedup/near.h"

enum { BANDS = 14, ROWS = 8, UNION = 400 };

struct signer {
	struct lu_minhash *mh;
	struct lu_minhash_work *work;
	unsigned char *signature;
};

static unsigned pairs_of_each(void)
{
	const char *s = getenv("LUCIE_PAIRS");

	return s ? (unsigned)strtoul(s, NULL, 10) : 200;
}

/* Append word n of an endless text: letters alone, since digits count as one. */
static void put_word(struct lu_buf *b, uint64_t n)
{
	uint64_t r = unit_random(&n);

	for (int i = 0; i < 9; i++, r /= 26)
		lu_buf_putc(b, (char)('a' + r % 26));
	lu_buf_putc(b, ' ');
}

/* Texts of a pair are windows on an endless text, `shift` words apart, with `shared` shingles in
 * common of 400 in both: similarity shared / 400. */
static void put_text_of(struct lu_buf *b, uint64_t pair, unsigned shared, bool second)
{
	unsigned shift = (UNION - shared) / 2, words = shared + shift + 4;

	lu_buf_clear(b);
	for (unsigned i = 0; i < words; i++)
		put_word(b, pair * 100000 + i + (second ? shift : 0));
	assert_true(lu_buf_ok(b));
}

static void add(struct signer *s, struct lu_near *n, const struct lu_buf *text)
{
	struct lu_err err;

	assert_int_equal(lu_minhash_sign(s->work, lu_buf_slice(text), s->signature, &err), 0);
	assert_int_equal(lu_near_add(n, s->signature, 0, &err), 0);
}

/* Pairs that are joined, of `pairs` with a similarity of shared / 400. The second texts come after
 * all the first ones. */
static unsigned joined(struct signer *s, unsigned pairs, unsigned shared, double verify)
{
	struct lu_near_options o = {
		.mh = s->mh, .verify = verify, .memory = 1 << 20, .tmpdir = ".", .threads = 1
	};
	struct lu_keyset keys = { 0 };
	struct lu_near *n = NULL;
	struct lu_near_verdict v;
	struct lu_buf text = { 0 };
	struct lu_err err;
	unsigned found = 0;
	uint32_t number;

	assert_int_equal(lu_near_new(&n, &o, &err), 0);
	for (unsigned i = 0; i < 2 * pairs; i++) {
		put_text_of(&text, i % pairs, shared, i >= pairs);
		add(s, n, &text);
	}
	/* And an exact copy of each. */
	for (unsigned i = 0; i < 2 * pairs; i++) {
		put_text_of(&text, i % pairs, shared, i >= pairs);
		add(s, n, &text);
	}
	assert_int_equal(lu_near_run(n, NULL, NULL, &err), 0);
	for (unsigned i = 0; i < 4 * pairs; i++) {
		assert_int_equal(lu_near_next(n, &v, &err), 0);
		if (i >= pairs && i < 2 * pairs && v.kept != i) {
			assert_int_equal(v.kept, i - pairs);
			found++;
		}
		if (v.kept != i)
			continue;
		/* A second, exact pass over what is kept finds nothing. */
		put_text_of(&text, i % pairs, shared, i / pairs % 2 == 1);
		assert_int_equal(
				lu_keyset_add(&keys, lu_hash128(text.p, text.n), &number, &err), 1);
	}
	assert_int_equal(keys.key.n, 2 * pairs - found);
	lu_keyset_release(&keys);
	lu_buf_release(&text);
	lu_near_free(n);
	return found;
}

static void test_planted(void **state)
{
	static const unsigned shared[] = { 200, 280, 320, 360 };
	struct signer *s = *state;
	unsigned pairs = pairs_of_each();

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		double p = lu_minhash_found(BANDS, ROWS, shared[i] / (double)UNION);
		double share = joined(s, pairs, shared[i], 0) / (double)pairs;
		/* Two points, and where there are few pairs four standard deviations. */
		double most = 4 * sqrt(p * (1 - p) / pairs) + 0.5 / pairs;

		print_message("similarity %.2f: %.4f found, theory %.4f\n",
				shared[i] / (double)UNION, share, p);
		assert_true(fabs(share - p) < (most > 0.02 ? most : 0.02));
	}
}

/* Of pairs of .6, 79 or more of 112 bytes, an estimate of .7, agree in 1.6 of 100 (binomial), 80 or
 * more, .71, in 1.0; and not all of them have met. */
static void test_below(void **state)
{
	static const struct {
		double verify;
		unsigned most; /* of a thousand */
	} cases[] = { { 0.70, 16 }, { 0.71, 10 } };
	struct signer *s = *state;
	unsigned pairs = pairs_of_each();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned found = joined(s, pairs, 240, cases[i].verify);

		print_message("similarity 0.60, verified at %.2f: %u of %u joined\n",
				cases[i].verify, found, pairs);
		assert_true(found <= 1 + pairs * cases[i].most / 1000);
	}
}

static void test_above(void **state)
{
	struct signer *s = *state;
	unsigned pairs = pairs_of_each();

	/* Verified, what has met is joined: an estimate of .9 is below .7 once in a million. */
	assert_int_equal(joined(s, pairs, 360, 0.7), joined(s, pairs, 360, 0));
}

static void *scratch;

static int set_up(void **state)
{
	static struct signer s;
	struct lu_err err;

	*state = &s;
	if (scratch_make(&scratch) < 0 ||
			lu_minhash_new(&s.mh, BANDS, ROWS, LU_MINHASH_BEST, &err) < 0)
		return -1;
	s.work = lu_minhash_work_new(s.mh, &err);
	s.signature = malloc(lu_minhash_size(s.mh));
	return s.work && s.signature ? 0 : -1;
}

static int tear_down(void **state)
{
	struct signer *s = *state;

	free(s->signature);
	lu_minhash_work_free(s->work);
	lu_minhash_free(s->mh);
	return scratch_remove(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_planted),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_above),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
