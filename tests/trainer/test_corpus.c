/* The corpus: its token stream and the order of its samples. */
#include "tests/trainer/tiny.h"

#include "trainer/data/corpus.h"

static void test_stream(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "a"), *b = path_in(dir, "b"), *list;
	uint32_t *got;
	struct lt_corpus *c;
	struct lu_err err;
	uint64_t na = make_shard(a, 9, 50), nb = make_shard(b, 4, 50);

	(void)state;
	assert_true(asprintf(&list, "  %s\t%s  ", a, b) > 0);
	ok(lt_corpus_open(&c, list, 7, 0, 0, &err), &err);
	assert_int_equal(lt_corpus_tokens(c), na + nb);
	assert_int_equal(lt_corpus_samples(c), (na + nb - 1) / 7);
	assert_int_equal(lt_corpus_parts(c), 2);
	assert_string_equal(lt_corpus_part(c, 1).name, b);
	assert_int_equal(lt_corpus_part(c, 1).tokens, nb);
	got = malloc((na + nb) * sizeof(*got));
	assert_non_null(got);
	ok(lt_corpus_read(c, 0, na + nb, got, &err), &err);
	for (uint64_t i = 0; i < na + nb; i++) {
		uint64_t k = i < na ? i : i - na;

		assert_int_equal(got[i], (k * 7 + k / 5) % 50);
	}
	/* Ranges read alone agree with the whole, across the boundary of the shards too. */
	for (uint64_t at = na - 9; at < na + 9; at++) {
		uint32_t some[12];

		ok(lt_corpus_read(c, at, 12, some, &err), &err);
		assert_memory_equal(some, got + at, sizeof(some));
	}
	/* Samples in stream order, epoch after epoch. */
	for (uint64_t i = 0; i < 2 * lt_corpus_samples(c); i++) {
		uint32_t sample[8];

		ok(lt_corpus_sample(c, i, sample, &err), &err);
		assert_memory_equal(sample, got + i % lt_corpus_samples(c) * 7, sizeof(sample));
	}
	lt_corpus_close(c);
	free(got);
	free(list);
	free(a);
	free(b);
	scratch_remove(dir);
}

/* Shuffled: each sample once per epoch, in an order that depends on epoch and seed. */
static void test_shuffle(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "a");
	size_t seen[3][200] = { { 0 } }, same = 0;
	uint64_t first[3][200];
	struct lt_corpus *c, *other;
	struct lu_err err;
	uint64_t samples;

	(void)state;
	make_shard(a, 60, 60000);
	ok(lt_corpus_open(&c, a, 4, 11, LT_CORPUS_SHUFFLE, &err), &err);
	ok(lt_corpus_open(&other, a, 4, 12, LT_CORPUS_SHUFFLE, &err), &err);
	samples = lt_corpus_samples(c);
	assert_in_range(samples, 50, 200);
	for (uint64_t e = 0; e < 3; e++) {
		for (uint64_t i = 0; i < samples; i++) {
			uint32_t got[5], whole[5];
			uint64_t at;

			ok(lt_corpus_sample(e < 2 ? c : other, (e < 2 ? e : 0) * samples + i, got,
					   &err),
					&err);
			for (at = 0; at < samples; at++) {
				ok(lt_corpus_read(c, at * 4, 5, whole, &err), &err);
				if (memcmp(whole, got, sizeof(got)) == 0)
					break;
			}
			assert_true(at < samples);
			seen[e][at]++;
			first[e][i] = at;
		}
		for (uint64_t i = 0; i < samples; i++)
			assert_int_equal(seen[e][i], 1);
	}
	for (uint64_t i = 0; i < samples; i++)
		same += (first[0][i] == first[1][i]) + (first[0][i] == first[2][i]);
	assert_true(same < samples / 4);
	lt_corpus_close(c);
	lt_corpus_close(other);
	free(a);
	scratch_remove(dir);
}

static void test_missing(void **state)
{
	struct lt_corpus *c;
	struct lu_err err;

	(void)state;
	assert_int_equal(lt_corpus_open(&c, "/nowhere/shard", 4, 0, LT_CORPUS_SHUFFLE, &err), -1);
	assert_non_null(strstr(err.msg, "/nowhere/shard"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_shuffle),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
