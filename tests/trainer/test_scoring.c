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

/* Ranks that share a set: `share` of them is this one; what the others contribute is added. */
struct ranks_sum {
	double sum[64];
	size_t n;
};

static int note(void *ctx, double *x, size_t n, struct lu_err *err)
{
	struct ranks_sum *r = ctx;

	(void)err;
	r->n = n;
	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++) {
		r->sum[i] += x[i];
		x[i] = r->sum[i];
	}
	return 0;
}

static int score_and_count(void *ctx, const struct lt_batch *b, size_t sequences, lk_real *log_p,
		bool *here, struct lu_err *err)
{
	(void)ctx;
	(void)err;
	*here = true;
	for (size_t i = 0; i < sequences * TINY_CONTEXT; i++)
		log_p[i] = -(lk_real)(b->labels[i] + 1) / 3;
	return 0;
}

static int never(void *ctx, struct lu_err *err)
{
	(void)ctx;
	(void)err;
	return 0;
}

/* However many ranks share the batches, the last to contribute has the sum of one, bit for bit, and all
 * have its tokens. */
static void test_shares(void **state)
{
	struct lt_scorer s = {
		.batch = TINY_BATCH, .context = TINY_CONTEXT, .score = score_and_count
	};
	struct lt_total want, got;
	uint32_t ids[1000];
	struct lt_corpus *c;
	struct lu_err err;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		ids[i] = i * 5 % TINY_VOCAB;
	ok(lt_corpus_memory(&c, ids, 1000, TINY_CONTEXT, &err), &err);
	for (uint64_t windows = 0; windows < 40; windows += 13) {
		s.combine = NULL;
		s.share = s.shares = 0;
		ok(lt_score_total(&s, c, windows, never, &want, &err), &err);
		assert_int_equal(want.tokens, windows ? windows * TINY_CONTEXT : 999);
		for (size_t shares = 2; shares < 6; shares++) {
			struct ranks_sum sum = { .n = 0 };

			s.ctx = &sum;
			s.combine = note;
			s.shares = shares;
			for (s.share = 0; s.share < shares; s.share++) {
				ok(lt_score_total(&s, c, windows, never, &got, &err), &err);
				assert_int_equal(got.tokens, want.tokens);
			}
			assert_true(got.loss == want.loss && want.loss > 0);
		}
	}
	lt_corpus_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
