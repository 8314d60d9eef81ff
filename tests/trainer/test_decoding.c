#include "tests/trainer/tiny.h"

#include <math.h>

#include "trainer/model/decoding.h"

enum { LONG = 40, SEQUENCES = 3 };

static uint32_t ids[SEQUENCES][LONG];
static lk_real whole[SEQUENCES][LONG][TINY_VOCAB], got[SEQUENCES * LONG][TINY_VOCAB];

static struct lt_model *open_model(struct tiny *t, size_t batch, size_t rows)
{
	struct lt_model_plan plan = {
		.batch = batch, .context = LONG, .mode = LT_MODEL_DECODE, .rows = rows
	};
	struct lt_model *m;
	struct lu_err err;

	ok(lt_model_open(&m, t->w, &plan, &err), &err);
	return m;
}

/* The logits of each sequence, alone and at once. */
static void compute_whole(struct tiny *t)
{
	struct lt_model *m = open_model(t, 1, LONG);
	struct lu_err err;

	for (size_t s = 0; s < SEQUENCES; s++) {
		for (size_t i = 0; i < LONG; i++)
			ids[s][i] = (uint32_t)((i * 7 + s * 11 + i * i) % TINY_VOCAB);
		ok(lt_model_logits(m, ids[s], 0, LONG, true, whole[s][0], &err), &err);
	}
	lt_model_close(m);
}

static void same(const lk_real *a, size_t sequence, size_t at)
{
	if (memcmp(a, whole[sequence][at], sizeof(whole[0][0])) != 0)
		fail_msg("logits of token %zu of sequence %zu differ", at, sequence);
}

/* Log p from these logits is that of scoring, which has no cache. */
static void test_scored(void **state)
{
	struct lt_model_plan plan = { .batch = 1, .context = LONG - 1, .mode = LT_MODEL_SCORE };
	struct lt_batch batch = { .ids = ids[1], .labels = ids[1] + 1 };
	lk_real log_p[LONG];
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 0, false);
	compute_whole(&t);
	ok(lt_model_open(&m, t.w, &plan, &err), &err);
	ok(lt_model_score(m, &batch, 1, log_p, &err), &err);
	for (size_t i = 0; i + 1 < LONG; i++) {
		double max = -1e30, sum = 0;

		for (size_t v = 0; v < TINY_VOCAB; v++)
			max = fmax(max, (double)whole[1][i][v]);
		for (size_t v = 0; v < TINY_VOCAB; v++)
			sum += exp((double)whole[1][i][v] - max);
		assert_true(fabs((double)whole[1][i][ids[1][i + 1]] - max - log(sum) -
					    (double)log_p[i]) < 1e-5);
	}
	lt_model_close(m);
	tiny_close(&t);
}

/* A sequence cut into pieces, by calls of any number of rows. */
static void test_pieces(void **state)
{
	static const size_t rows[] = { 1, 7, LONG };
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 0, false);
	compute_whole(&t);
	for (size_t r = 0; r < 3; r++) {
		struct lt_model *m = open_model(&t, 1, rows[r]);

		for (size_t at = 0, n; at < LONG; at += n) {
			n = 1 + at * 5 % 9;
			n = n < LONG - at ? n : LONG - at;
			ok(lt_model_logits(m, ids[0] + at, at, n, at % 2, got[0], &err), &err);
			same(got[at % 2 ? n - 1 : 0], 0, at + n - 1);
			if (at % 2)
				same(got[0], 0, at);
		}
		assert_int_equal(lt_model_logits(m, ids[0], 1, LONG, false, got[0], &err), -1);
		lt_model_close(m);
	}
	tiny_close(&t);
}

/* Sequences of different lengths beside one another: one begins while others go on, one goes back,
 * one takes the place of another, one begins with a copy. */
static void test_batch(void **state)
{
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 0, false);
	compute_whole(&t);
	m = open_model(&t, SEQUENCES, 16);
	assert_int_equal(lt_decode_cache(m),
			t.w->table.shape.layers * SEQUENCES * LONG * 2 * t.w->table.shape.kv_heads *
					t.w->table.shape.dim * t.ops->act_size);
	{
		const struct lt_decode_piece piece[] = { { 0, 0, 5, ids[0], false },
			{ 2, 0, 31, ids[2], true }, { 1, 0, 1, ids[1], false } };

		ok(lt_decode(m, piece, 3, got[0], &err), &err);
		same(got[0], 0, 4);
		for (size_t i = 0; i < 31; i++)
			same(got[1 + i], 2, i);
		same(got[32], 1, 0);
	}
	{
		const struct lt_decode_piece piece[] = { { 2, 20, 2, ids[2] + 20, true },
			{ 0, 5, 1, ids[0] + 5, false } };

		ok(lt_decode(m, piece, 2, got[0], &err), &err);
		same(got[0], 2, 20);
		same(got[1], 2, 21);
		same(got[2], 0, 5);
	}
	ok(lt_decode_copy(m, 2, 1, 22, &err), &err);
	{
		const struct lt_decode_piece piece[] = { { 1, 22, 18, ids[2] + 22, false },
			{ 2, 0, 40, ids[1], false } };

		ok(lt_decode(m, piece, 2, got[0], &err), &err);
		same(got[0], 2, 39);
		same(got[1], 1, 39);
	}
	lt_model_close(m);
	tiny_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scored),
		cmocka_unit_test(test_pieces),
		TINY_BF16(test_pieces),
		cmocka_unit_test(test_batch),
		TINY_BF16(test_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
