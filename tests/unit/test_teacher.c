/* Teachers of shards: what is written reads back from every place, and damage is seen. */
#include "tests/unit/make_shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/shard/teacher.h"
#include "libcommon/shard/teacher_writer.h"
#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"

enum { TOP = 5 };

/* Some number below `below`, of a token and a place in its top. */
static uint32_t id_of(uint64_t token, uint32_t i, uint32_t below)
{
	/* All different, in no order. */
	return (uint32_t)((token * 31 + (TOP - i) * (below / TOP)) % below);
}

static float log_p_of(uint64_t token, uint32_t id)
{
	return -(float)(token % 17) / 16 - (float)id / 8192;
}

static void write_teacher(const struct lu_shard *s, uint32_t vocab, const char *tokenizer)
{
	struct lu_teacher_header h = { .top = TOP, .vocab = vocab, .context = 64 };
	struct lu_teacher_writer *w;
	struct lu_err err = { 0 };

	snprintf(h.tokenizer, sizeof(h.tokenizer), "%s", tokenizer);
	ok(lu_teacher_writer_open(&w, s, "big", &h, &err), &err);
	for (uint64_t i = 0; i < lu_shard_tokens(s);) {
		size_t n = 1 + (size_t)(i % 7);
		uint32_t ids[7 * TOP];
		float log_p[7 * TOP];

		n = n < lu_shard_tokens(s) - i ? n : (size_t)(lu_shard_tokens(s) - i);
		for (size_t k = 0; k < n * TOP; k++) {
			ids[k] = id_of(i + k / TOP, (uint32_t)(k % TOP), vocab);
			log_p[k] = log_p_of(i + k / TOP, ids[k]);
		}
		ok(lu_teacher_writer_add(w, ids, log_p, n, &err), &err);
		i += n;
	}
	ok(lu_teacher_writer_commit(w, &err), &err);
	lu_teacher_writer_free(w);
}

static void check_rows(const struct lu_shard *s, uint32_t vocab)
{
	uint64_t n = lu_shard_tokens(s);
	uint32_t *ids = malloc(n * TOP * sizeof(*ids));
	float *log_p = malloc(n * TOP * sizeof(*log_p));
	struct lu_err err = { 0 };
	struct lu_teacher *t;

	assert_true(ids && log_p);
	ok(lu_teacher_open(&t, s, "big", "", &err), &err);
	assert_int_equal(lu_teacher_top(t), TOP);
	assert_int_equal(lu_teacher_header(t)->context, 64);
	ok(lu_teacher_verify(t, &err), &err);
	for (uint64_t from = 0; from < n; from += 11) {
		ok(lu_teacher_read(t, from, n - from, ids, log_p, &err), &err);
		for (uint64_t k = 0; k < n - from; k++) {
			uint32_t got[TOP];

			for (uint32_t i = 0; i < TOP; i++) {
				uint32_t id = ids[k * TOP + i];

				assert_true(i == 0 || id > ids[k * TOP + i - 1]);
				assert_true(log_p[k * TOP + i] == log_p_of(from + k, id));
				got[i] = id_of(from + k, i, vocab);
			}
			for (uint32_t i = 0; i < TOP; i++) {
				bool there = false;

				for (uint32_t j = 0; j < TOP; j++)
					there |= ids[k * TOP + j] == got[i];
				assert_true(there);
			}
		}
	}
	lu_teacher_close(t);
	free(ids);
	free(log_p);
}

/* One part and several, ids of two bytes and of four. */
static void test_round(void **state)
{
	static const uint32_t vocab[] = { 1000, 70000 };
	char prefix[16];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct lu_err err = { 0 };
		struct lu_shard *s;

		snprintf(prefix, sizeof(prefix), "s%d", i);
		make_shard(prefix, shard_format(vocab[i / 2], i % 2 ? 100 : 0), 60);
		ok(lu_shard_open(&s, prefix, &err), &err);
		assert_int_equal(lu_shard_parts(s) > 1, i % 2);
		write_teacher(s, vocab[i / 2], "");
		check_rows(s, vocab[i / 2]);
		lu_shard_close(s);
	}
}

static void refused(const struct lu_shard *s, const char *tokenizer, const char *want)
{
	struct lu_err err = { 0 };
	struct lu_teacher *t;

	assert_int_equal(lu_teacher_open(&t, s, "big", tokenizer, &err), -1);
	if (!strstr(err.msg, want))
		fail_msg("\"%s\" does not say \"%s\"", err.msg, want);
}

/* Every byte matters: a file with one changed or one less is refused when it is opened, or by the
 * verification. Another tokenizer is refused by name. */
static void test_damage(void **state)
{
	static const char mine[] = "0123456789abcdef0123456789abcdef";
	struct lu_err err = { 0 };
	struct lu_teacher *t;
	struct lu_shard *s;
	char *p;
	size_t n;

	(void)state;
	make_shard("s", shard_format(1000, 0), 20);
	ok(lu_shard_open(&s, "s", &err), &err);
	refused(s, "", "s.big.teacher: ");
	write_teacher(s, 1000, mine);
	ok(lu_teacher_open(&t, s, "big", mine, &err), &err);
	lu_teacher_close(t);
	refused(s, "f123456789abcdef0123456789abcdef", "its teacher has the tokenizer 0123");
	ok(lu_read_file("s.big.teacher", 1 << 20, &p, &n, &err), &err);
	for (size_t i = 0; i < n; i += i < 120 ? 1 : 37) {
		p[i] ^= 4;
		ok(lu_atomic_replace("s.big.teacher", p, n, &err), &err);
		p[i] ^= 4;
		if (lu_teacher_open(&t, s, "big", "", &err) < 0)
			continue;
		if (lu_teacher_verify(t, &err) == 0)
			fail_msg("byte %zu", i);
		lu_teacher_close(t);
	}
	ok(lu_atomic_replace("s.big.teacher", p, n - 1, &err), &err);
	refused(s, "", "which are not");
	ok(lu_atomic_replace("s.big.teacher", p, 30, &err), &err);
	refused(s, "", "truncated");
	free(p);
	lu_shard_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_round),
		cmocka_unit_test(test_damage) };

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
