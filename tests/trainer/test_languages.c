#include "tests/trainer/tiny.h"

#include <math.h>

#include "trainer/data/languages.h"

static void add(struct lt_languages *l, const char *lang, uint64_t tokens, uint64_t bytes)
{
	struct lu_err err;

	ok(lt_languages_add(l, lu_str_of(lang), tokens, bytes, &err), &err);
}

/* Labels at stream offsets 1..9 in calls that cross documents. Token 0 is not a label. */
static void score(struct lt_languages *l)
{
	static const uint32_t label[] = { 1, 2, 1, 3, 3, 3, 3, 0, 1 };
	static const lk_real loss[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256 };
	struct lu_err err;

	assert_int_equal(lt_languages_score(l, 1, 4, label, loss, &err), 0);
	assert_int_equal(lt_languages_score(l, 5, 5, label + 4, loss + 4, &err), 0);
}

static void test_languages(void **state)
{
	struct lt_languages l = { .vocab = 4 };

	(void)state;
	add(&l, "fr", 3, 10); /* offsets 0..2 */
	add(&l, "", 1, 0);    /* 3 */
	add(&l, "en", 0, 5);
	add(&l, "fr", 4, 20); /* 4..7 */
	add(&l, "en", 2, 7);  /* 8, 9 */
	score(&l);
	lt_languages_finish(&l);
	assert_int_equal(l.language.n, 3);

	assert_true(lu_str_is(l.language.p[0].name, "en"));
	assert_int_equal(l.language.p[0].documents, 2);
	assert_int_equal(l.language.p[0].bytes, 12);
	assert_int_equal(l.language.p[0].scored, 2);
	assert_true(l.language.p[0].loss == 128 + 256);
	/* Two different tokens: one bit each. */
	assert_true(fabs(l.language.p[0].unigram - 2 * M_LN2) < 1e-12);

	assert_true(lu_str_is(l.language.p[1].name, "fr"));
	assert_int_equal(l.language.p[1].documents, 2);
	assert_int_equal(l.language.p[1].bytes, 30);
	assert_int_equal(l.language.p[1].scored, 6);
	assert_true(l.language.p[1].loss == 1 + 2 + 8 + 16 + 32 + 64);

	assert_true(lu_str_is(l.language.p[2].name, "und"));
	assert_int_equal(l.language.p[2].scored, 1);
	assert_true(l.language.p[2].loss == 4);
	assert_true(l.language.p[2].unigram == 0);
	lt_languages_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_languages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
