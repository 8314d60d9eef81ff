/* Layers per stage: worked examples, no better split by one layer, lists and their errors. */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "trainer/parallel/stages.h"

#define CHUNKS 32

static void expect(size_t pp, size_t v, size_t n, const char *list, double head, const char *want)
{
	size_t layers[CHUNKS];
	char got[256] = "";
	struct lu_err err;

	ok(lt_stages_split(layers, pp, v, n, list, head, &err), &err);
	for (size_t c = 0; c < pp * v; c++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), c ? " %zu" : "%zu",
				layers[c]);
	assert_string_equal(got, want);
}

static void test_examples(void **state)
{
	/* Lucie-7B: 65,024 x 4,096 against 4,096 x 47,104. */
	double head = lt_head_layers(65024, 32, 8, 128, 12288);

	(void)state;
	assert_true(fabs(head - 65024 / 47104.0) < 1e-12);
	expect(1, 1, 32, NULL, head, "32");
	expect(4, 1, 32, "", 0, "8 8 8 8");
	expect(4, 1, 32, NULL, head, "8 8 9 7");
	expect(4, 1, 31, NULL, 1, "8 8 8 7");
	expect(4, 1, 31, NULL, 0, "8 8 8 7");
	expect(8, 1, 32, NULL, head, "4 4 4 4 4 4 5 3");
	/* The second chunk of stage 0 gets what is left over; stage 1 has the head. */
	expect(2, 2, 32, NULL, head, "8 8 9 7");
	/* A head as large as six layers. */
	expect(2, 1, 8, NULL, 6, "7 1");
	expect(2, 1, 8, NULL, 60, "7 1");
	expect(4, 1, 4, NULL, 60, "1 1 1 1");
	expect(4, 1, 31, " 8 8\t8 7 ", 9, "8 8 8 7");
	expect(2, 2, 10, "1 2 3 4", 0, "1 2 3 4");
}

/* Slowest stage, the head on the last. */
static double slowest(const size_t *layers, size_t pp, size_t v, double head)
{
	double cost[CHUNKS] = { 0 }, worst = 0;

	for (size_t c = 0; c < pp * v; c++)
		cost[c % pp] += (double)layers[c];
	cost[pp - 1] += head;
	for (size_t i = 0; i < pp; i++)
		worst = cost[i] > worst ? cost[i] : worst;
	return worst;
}

/* With one chunk a stage, moving a layer from any chunk to any other makes nothing faster; chunks
 * but the last differ by one at most. */
static void test_best(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 40; n++) {
		for (size_t pp = 1; pp <= 8 && pp <= n; pp++) {
			for (size_t v = 1; pp * v <= n && pp * v <= CHUNKS && v <= 4; v++) {
				for (double head = 0; head < 5; head += 0.7) {
					size_t layers[CHUNKS], sum = 0, low = n, high = 0;
					struct lu_err err;
					double worst;

					ok(lt_stages_split(layers, pp, v, n, NULL, head, &err),
							&err);
					worst = slowest(layers, pp, v, head);
					for (size_t c = 0; c < pp * v; c++) {
						sum += layers[c];
						assert_true(layers[c] > 0);
						if (c + 1 == pp * v)
							break;
						low = layers[c] < low ? layers[c] : low;
						high = layers[c] > high ? layers[c] : high;
					}
					assert_int_equal(sum, n);
					assert_true(pp * v == 1 || high <= low + 1);
					for (size_t a = 0; v == 1 && a < pp; a++) {
						for (size_t b = 0; b < pp && layers[a] > 1; b++) {
							layers[a]--, layers[b]++;
							assert_true(slowest(layers, pp, v, head) >
									worst - 1e-9);
							layers[a]++, layers[b]--;
						}
					}
				}
			}
		}
	}
}

static void refused(size_t pp, size_t v, size_t n, const char *list, const char *sentence)
{
	size_t layers[CHUNKS];
	struct lu_err err;

	assert_int_equal(lt_stages_split(layers, pp, v, n, list, 1, &err), -1);
	assert_string_equal(err.msg, sentence);
}

static void test_errors(void **state)
{
	(void)state;
	refused(4, 2, 6, NULL,
			"parallel.pp 4 x interleave 2 = 8 chunks, but the model has 6 layers: each "
			"chunk "
			"needs at least 1");
	refused(4, 1, 31, "8 8 8 8",
			"parallel.stages = 8 8 8 8 adds up to 32 layers, but the model has 31");
	refused(4, 1, 31, "8 8 8",
			"parallel.stages = 8 8 8: 3 numbers, but parallel.pp 4 x interleave 1 "
			"needs 4");
	refused(2, 1, 31, "8 8 8 7",
			"parallel.stages = 8 8 8 7: 4 numbers, but parallel.pp 2 x interleave 1 "
			"needs 2");
	refused(2, 1, 8, "8 0",
			"parallel.stages = 8 0: a chunk without layers: give each at least 1");
	refused(2, 1, 8, "4 x4", "parallel.stages = 4 x4: 'x4' is not a whole number");
	refused(2, 1, 8, "18446744073709551615 9",
			"parallel.stages = 18446744073709551615 9 adds up to 18446744073709551615 "
			"layers, but the model has 8");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_examples),
		cmocka_unit_test(test_best), cmocka_unit_test(test_errors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
