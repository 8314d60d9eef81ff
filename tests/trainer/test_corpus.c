/* The corpus: its token stream and the order of its samples. */
#include "tests/trainer/tiny.h"

#include <pthread.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/mix/walk.h"
#include "libcommon/shard/format.h"
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

		ok(read_sample(c, i, sample, NULL, &err), &err);
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

			ok(read_sample(e < 2 ? c : other, (e < 2 ? e : 0) * samples + i, got, NULL,
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

/* --- places in documents ------------------------------------------------------------------ */

/* Compare all samples with places counted from `end`, where the documents of the stream end. */
static void check_places(const struct lt_corpus *c, const uint64_t *end, size_t context)
{
	uint64_t samples = lt_corpus_samples(c);
	uint32_t tokens[64], plain[64], pos[64];
	struct lu_err err;

	assert_true(context < 64 && samples > 5);
	for (uint64_t i = 0; i < samples; i++) {
		size_t document = 0;
		uint32_t place = 0;

		ok(read_sample(c, i, tokens, pos, &err), &err);
		ok(read_sample(c, i, plain, NULL, &err), &err);
		assert_memory_equal(tokens, plain, (context + 1) * sizeof(*plain));
		while (end[document] <= i * context)
			document++;
		for (uint64_t k = 0; k < context; k++) {
			if (end[document] == i * context + k) {
				place = 0;
				while (end[document] <= i * context + k)
					document++;
			}
			assert_int_equal(pos[k], place++);
		}
	}
}

/* Where the documents of a shard end, from its .idx; `at` is added. Returns their number. */
static size_t read_ends(const char *prefix, uint64_t at, uint64_t *end)
{
	char *path, head[LU_IDX_HEADER];
	size_t n;
	FILE *f;

	assert_true(asprintf(&path, "%s.idx", prefix) > 0);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
	n = (size_t)lu_load64(head + LU_IDX_AT_SEQUENCES);
	for (size_t i = 0; i < n; i++) {
		char length[4];

		assert_int_equal(fread(length, 1, 4, f), 4);
		end[i] = at += lu_load32(length);
	}
	fclose(f);
	free(path);
	return n;
}

/* Make documents of two sequences each, as other writers do. The shard has an even number. */
static void pair_sequences(const char *prefix, size_t sequences)
{
	char *path, word[8];
	FILE *f;

	assert_true(asprintf(&path, "%s.idx", prefix) > 0);
	f = fopen(path, "r+b");
	assert_non_null(f);
	lu_store64(word, sequences / 2 + 1);
	assert_int_equal(fseek(f, LU_IDX_AT_BOUNDS, SEEK_SET), 0);
	assert_int_equal(fwrite(word, 1, 8, f), 8);
	assert_int_equal(fseek(f, (long)(LU_IDX_HEADER + 12 * sequences), SEEK_SET), 0);
	for (size_t i = 0; i <= sequences / 2; i++) {
		lu_store64(word, 2 * i);
		assert_int_equal(fwrite(word, 1, 8, f), 8);
	}
	assert_int_equal(ftruncate(fileno(f), ftell(f)), 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void test_places_in_shards(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "a"), *b = path_in(dir, "b"), *list;
	uint64_t end[80], twos[40], na = make_shard(a, 40, 50);
	struct lt_corpus *c;
	struct lu_err err;
	size_t n;

	(void)state;
	make_shard(b, 30, 50);
	n = read_ends(a, 0, end);
	assert_int_equal(n + read_ends(b, na, end + n), 70);
	assert_true(asprintf(&list, "%s %s", a, b) > 0);
	for (size_t context = 1; context < 40; context++) {
		ok(lt_corpus_open(&c, list, context, 0, 0, &err), &err);
		check_places(c, end, context);
		lt_corpus_close(c);
	}
	/* Documents of two sequences. */
	pair_sequences(a, 40);
	for (size_t i = 0; i < 20; i++)
		twos[i] = end[2 * i + 1];
	for (size_t context = 1; context < 40; context++) {
		ok(lt_corpus_open(&c, a, context, 0, 0, &err), &err);
		check_places(c, twos, context);
		lt_corpus_close(c);
	}
	free(list);
	free(a);
	free(b);
	scratch_remove(dir);
}

static void test_places_in_memory(void **state)
{
	uint32_t ids[100] = { 0 };
	uint64_t end[] = { 100 };
	struct lt_corpus *c;
	struct lu_err err;

	(void)state;
	ok(lt_corpus_memory(&c, ids, 100, 7, &err), &err);
	check_places(c, end, 7);
	lt_corpus_close(c);
}

static int size_of(void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err)
{
	const uint64_t *end = ctx;

	(void)shard, (void)err;
	*size = end[document] - (document ? end[document - 1] : 0);
	return 0;
}

/* A plan that reads a shard two and a half times, and the ends of its documents. */
static void make_plan(const char *path, const char *prefix, uint64_t tokens, uint64_t *ends)
{
	uint64_t end[40], size;
	struct lu_plan_shard shard = { prefix, 40, tokens, "" };
	struct lu_plan_range range[] = { { 0, 30, 10 }, { 0, 0, 30 } };
	uint64_t before[] = { 0, 10 };
	struct lu_plan_group g = { "g", 40, tokens, 0, 2, 20, 2 * tokens, range, 2, before };
	struct lu_plan plan = { .seed = 9, .shard = &shard, .shards = 1, .group = &g, .groups = 1 };
	struct lu_buf text = { 0 };
	struct lu_plan_walk *w;
	struct lu_plan_entry e;
	struct lu_err err;
	uint64_t at = 0;
	FILE *f;

	assert_int_equal(read_ends(prefix, 0, end), 40);
	for (uint64_t i = 0; i < 20; i++) {
		e = lu_plan_document(&g, lu_rand_permute(9, lu_rand_stream("g", 2), i, 40));
		ok(size_of(end, 0, e.document, &size, &err), &err);
		g.planned += size;
	}
	plan.documents = 100;
	plan.tokens = g.quota = g.planned;
	lu_plan_write(&plan, &text);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
	lu_buf_release(&text);
	ok(lu_plan_walk_new(&w, &plan, size_of, end, &err), &err);
	while (lu_plan_walk_next(w, &e, &err) > 0)
		*ends++ = at += e.size;
	assert_int_equal(at, plan.tokens);
	lu_plan_walk_free(w);
}

static void test_places_in_plans(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "a"), *plan = path_in(dir, "plan");
	uint64_t ends[101], na = make_shard(a, 40, 50);
	struct lt_corpus *c;
	struct lu_err err;

	(void)state;
	make_plan(plan, a, na, ends);
	for (size_t context = 1; context < 40; context++) {
		ok(lt_corpus_open(&c, plan, context, 0, LT_CORPUS_TRUST, &err), &err);
		check_places(c, ends, context);
		lt_corpus_close(c);
	}
	free(a);
	free(plan);
	scratch_remove(dir);
}

/* --- threads ------------------------------------------------------------------------------- */

struct reader {
	const struct lt_corpus *c;
	const uint32_t *whole;
	uint64_t seed;
	bool failed;
};

static void *read_here_and_there(void *p)
{
	struct reader *r = p;
	uint64_t tokens = lt_corpus_tokens(r->c);

	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t n = 1 + lu_rand_below(r->seed, 0, i, 30);
		uint64_t at = lu_rand_below(r->seed, 1, i, tokens - n + 1);
		uint32_t got[32];
		struct lu_err err;

		if (lt_corpus_read(r->c, at, n, got, &err) < 0 ||
				memcmp(got, r->whole + at, n * sizeof(*got)) != 0)
			r->failed = true;
	}
	return NULL;
}

static void test_threads(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "a"), *plan = path_in(dir, "plan");
	uint64_t ends[101], na = make_shard(a, 40, 30000);
	struct reader reader[6];
	pthread_t thread[6];
	struct lt_corpus *c;
	struct lu_err err;
	uint32_t *whole;

	(void)state;
	make_plan(plan, a, na, ends);
	ok(lt_corpus_open(&c, plan, 5, 0, 0, &err), &err);
	whole = malloc(lt_corpus_tokens(c) * sizeof(*whole));
	assert_non_null(whole);
	ok(lt_corpus_read(c, 0, lt_corpus_tokens(c), whole, &err), &err);
	for (size_t i = 0; i < 6; i++) {
		reader[i] = (struct reader){ c, whole, i, false };
		assert_int_equal(pthread_create(&thread[i], NULL, read_here_and_there, &reader[i]),
				0);
	}
	for (size_t i = 0; i < 6; i++) {
		pthread_join(thread[i], NULL);
		assert_false(reader[i].failed);
	}
	lt_corpus_close(c);
	free(whole);
	free(a);
	free(plan);
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
		cmocka_unit_test(test_places_in_shards),
		cmocka_unit_test(test_places_in_memory),
		cmocka_unit_test(test_places_in_plans),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
