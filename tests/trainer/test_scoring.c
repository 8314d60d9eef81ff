/* Scoring a corpus in windows. */
#include "tests/trainer/tiny.h"

#include "trainer/data/scoring.h"

struct seen {
	uint64_t next, labels;
	const struct lt_corpus *c;
};

/* Every offset is scored once, in order, with the token of the stream as label. */
static int check(void *ctx, uint64_t offset, size_t n, const uint32_t *label, const lk_real *loss,
		struct lu_err *err)
{
	struct seen *s = ctx;

	assert_int_equal(offset, s->next);
	for (size_t i = 0; i < n; i++) {
		uint32_t token;

		ok(lt_corpus_read(s->c, offset + i, 1, &token, err), err);
		assert_int_equal(label[i], token);
		assert_true(loss[i] > 0);
	}
	s->next = offset + n;
	s->labels += n;
	return 0;
}

static void test_windows(void **state)
{
	struct lt_model_plan plan = tiny_plan(LT_MODEL_SCORE);
	struct lt_scorer scorer;
	uint32_t ids[83];
	struct tiny t;
	struct lt_model *m;
	struct lu_err err;

	(void)state;
	for (uint32_t i = 0; i < 83; i++)
		ids[i] = i * 5 % TINY_VOCAB;
	tiny_open(&t, 0, false);
	ok(lt_model_open(&m, t.w, &plan, &err), &err);
	scorer = lt_scorer_of(m, TINY_BATCH, TINY_CONTEXT);
	/* Every length of the last window, and streams shorter than a window. */
	for (uint64_t n = 2; n <= 83; n++) {
		struct seen s = { .next = 1 };
		struct lt_corpus *c;
		struct lt_total total;

		ok(lt_corpus_memory(&c, ids, n, TINY_CONTEXT, &err), &err);
		s.c = c;
		ok(lt_score(&scorer, c, 0, check, &s, &err), &err);
		assert_int_equal(s.labels, n - 1);
		ok(lt_score_total(&scorer, c, 2, NULL, &total, &err), &err);
		assert_true(total.tokens <= 2 * TINY_CONTEXT);
		lt_corpus_close(c);
	}
	lt_model_close(m);
	tiny_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
