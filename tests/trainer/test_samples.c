/* lucie-trace (mix/stream.h) and lucie-train (data/corpus.h) find the same tokens for a sample, in
 * shards and in plans. */
#include "tests/trainer/tiny.h"

#include "libcommon/mix/plan.h"
#include "libcommon/mix/stream.h"
#include "libcommon/order/order.h"
#include "trainer/data/corpus.h"

/* Change the tokens of a shard: make_shard() gives all shards the same. */
static void change_tokens(const char *prefix)
{
	char *path;
	FILE *f;
	int c;

	assert_true(asprintf(&path, "%s.bin", prefix) > 0);
	f = fopen(path, "r+b");
	assert_non_null(f);
	for (long at = 1; fseek(f, at, SEEK_SET) == 0 && (c = getc(f)) != EOF; at += 2) {
		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		assert_int_equal(putc(c ^ 0x80, f), c ^ 0x80);
	}
	assert_int_equal(fclose(f), 0);
	free(path);
}

/* Write a plan of two groups, one three times and the other once. */
static void make_plan(const char *path, const char *a, uint64_t na, const char *b, uint64_t nb,
		bool by_documents)
{
	static const char hash[] = "00000000000000000000000000000000";
	struct lu_plan_shard shard[] = { { a, 40, na, hash }, { b, 30, nb, hash } };
	struct lu_plan_range range[] = { { 0, 0, 40 }, { 1, 0, 30 } };
	struct lu_plan_group group[] = {
		{ "small", 40, na, by_documents ? 120 : 3 * na, 3, 0, 3 * na, &range[0], 1, NULL },
		{ "large", 30, nb, by_documents ? 30 : nb, 1, 0, nb, &range[1], 1, NULL },
	};
	struct lu_plan plan = { .seed = 5,
		.by_documents = by_documents,
		.documents = 150,
		.tokens = 3 * na + nb,
		.shard = shard,
		.shards = 2,
		.group = group,
		.groups = 2 };
	struct lu_buf text = { 0 };
	FILE *f = fopen(path, "wb");

	lu_plan_write(&plan, &text);
	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
	lu_buf_release(&text);
}

struct gathered {
	uint32_t *ids; /* context + 1 for each tag */
	size_t *n, each;
};

static int gather(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n, uint64_t tag,
		struct lu_err *err)
{
	struct gathered *g = ctx;

	assert_true(g->n[tag] + n <= g->each);
	if (lu_shard_read(shard, pos, n, g->ids + tag * g->each + g->n[tag], err) < 0)
		return -1;
	g->n[tag] += n;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct lu_stream_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* All samples of two epochs. */
static void compare(const char *names, uint64_t context, uint64_t seed, bool shuffle)
{
	struct lt_corpus *c;
	struct lu_stream *s;
	uint64_t samples;
	struct lu_stream_range *range;
	struct gathered g = { .each = context + 1 };
	struct lu_err err;
	uint64_t n;

	ok(lt_corpus_open(&c, names, context, seed, shuffle, &err), &err);
	ok(lu_stream_open(&s, names, false, &err), &err);
	assert_int_equal(lu_stream_tokens(s), lt_corpus_tokens(c));
	samples = lu_order_samples(lu_stream_tokens(s), context);
	n = 2 * samples;
	assert_true(n > 20);
	range = calloc(n, sizeof(*range));
	g.ids = calloc(n * g.each, sizeof(*g.ids));
	g.n = calloc(n, sizeof(*g.n));
	assert_true(range && g.ids && g.n);
	for (uint64_t i = 0; i < n; i++)
		range[i] = (struct lu_stream_range){
			context * lu_order_pick(seed, shuffle, samples, i).sample, g.each, i
		};
	qsort(range, n, sizeof(*range), by_first);
	ok(lu_stream_locate(s, range, n, gather, &g, &err), &err);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t want[64];

		ok(read_sample(c, i, want, NULL, &err), &err);
		assert_int_equal(g.n[i], g.each);
		assert_memory_equal(g.ids + i * g.each, want, g.each * sizeof(*want));
	}
	/* One range at a time, which skips what precedes it. */
	for (uint64_t i = 0; i < n; i++) {
		struct lu_stream_range alone = range[i];
		uint32_t *was = g.ids + alone.tag * g.each;
		uint32_t want[64];

		memcpy(want, was, g.each * sizeof(*want));
		g.n[alone.tag] = 0;
		ok(lu_stream_locate(s, &alone, 1, gather, &g, &err), &err);
		assert_int_equal(g.n[alone.tag], g.each);
		assert_memory_equal(was, want, g.each * sizeof(*want));
	}
	free(range);
	free(g.ids);
	free(g.n);
	lu_stream_close(s);
	lt_corpus_close(c);
}

static void test_samples(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "a"), *b = path_in(dir, "b"),
	     *tokens = path_in(dir, "tokens"), *documents = path_in(dir, "documents"), *all;
	uint64_t na = make_shard(a, 40, 30000), nb = make_shard(b, 30, 30000);

	(void)state;
	change_tokens(b);
	make_plan(tokens, a, na, b, nb, false);
	make_plan(documents, a, na, b, nb, true);
	assert_true(asprintf(&all, "%s %s %s %s", b, tokens, documents, a) > 0);
	for (int shuffle = 0; shuffle < 2; shuffle++) {
		compare(a, 5, 1, shuffle);
		compare(tokens, 9, 2, shuffle);
		compare(documents, 9, 3, shuffle);
		/* Each boundary between two names falls on each position of a sample. */
		for (uint64_t context = 3; context < 40; context++)
			compare(all, context, context, shuffle);
	}
	free(a);
	free(b);
	free(tokens);
	free(documents);
	free(all);
	scratch_remove(dir);
}

/* The order of samples is part of the format of a run: these numbers must not change. */
static void test_order(void **state)
{
	static const uint64_t want[2][5] = { { 89, 37, 55, 87, 96 }, { 7, 38, 84, 82, 20 } };

	(void)state;
	assert_int_equal(lu_order_samples(1001, 10), 100);
	for (uint64_t e = 0; e < 2; e++) {
		bool seen[100] = { false };

		for (uint64_t i = 0; i < 100; i++) {
			struct lu_order_position p = lu_order_pick(1, true, 100, 100 * e + i);

			assert_int_equal(p.epoch, e);
			assert_true(p.sample < 100 && !seen[p.sample]);
			seen[p.sample] = true;
			if (i < 5)
				assert_int_equal(p.sample, want[e][i]);
		}
	}
	assert_int_equal(lu_order_pick(1, false, 100, 142).sample, 42);
	/* A sample needs one token after it. */
	assert_int_equal(lu_order_samples(1000, 10), 99);
	assert_int_equal(lu_order_samples(10, 10), 0);
	assert_int_equal(lu_order_samples(0, 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
