/* Reading ahead: the samples of the corpus, in the order asked for, whatever the threads do. */
#include "tests/trainer/tiny.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "trainer/data/prefetch.h"

enum { CONTEXT = 9 };

static const struct lt_micro_want plain = { 0 }, with_places = { .places = true };

struct fixture {
	char *dir, *prefix;
	struct lt_corpus *c;
	uint64_t samples;
};

static void fixture_open(struct fixture *f)
{
	struct lu_err err;

	f->dir = scratch_new();
	f->prefix = path_in(f->dir, "a");
	make_shard(f->prefix, 300, 30000);
	ok(lt_corpus_open(&f->c, f->prefix, CONTEXT, 5, LT_CORPUS_SHUFFLE, &err), &err);
	f->samples = lt_corpus_samples(f->c);
	assert_true(f->samples > 200);
}

static void fixture_close(struct fixture *f)
{
	lt_corpus_close(f->c);
	free(f->prefix);
	scratch_remove(f->dir);
}

static void check(const struct fixture *f, const struct lt_prefetched *s, bool places)
{
	uint32_t tokens[CONTEXT + 1], pos[CONTEXT];
	struct lu_err err;

	ok(read_sample(f->c, s->sample, tokens, pos, &err), &err);
	assert_memory_equal(s->row->ids, tokens, sizeof(pos));
	assert_memory_equal(s->row->labels, tokens + 1, sizeof(pos));
	if (places)
		assert_memory_equal(s->row->places, pos, sizeof(pos));
	else
		assert_null(s->row->places);
}

/* Several epochs through few slots, pushed in bursts of all lengths. */
static void test_order(void **state)
{
	static const size_t slots[] = { 1, 2, 7, 64 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t k = 0; k < 12; k++) {
		struct lt_prefetch *p;
		struct lt_prefetched s;
		struct lu_err err;
		uint64_t pushed = 0, popped = 0, last = 2 * f.samples;
		size_t threads = 1 + k / 4;
		const struct lt_micro_want want = { .places = k % 2 };

		ok(lt_prefetch_open(&p, f.c, slots[k % 4], threads, &want, &err), &err);
		while (popped < last) {
			/* Not in ascending order: what a rank of several is given. */
			while (pushed < last && lt_prefetch_push(p, pushed * 7 % last))
				pushed++;
			assert_true(pushed == last || pushed - popped == slots[k % 4]);
			for (uint64_t n = 1 + popped % 5; n > 0 && popped < pushed; n--) {
				ok(lt_prefetch_pop(p, &s, &err), &err);
				assert_int_equal(s.sample, popped++ * 7 % last);
				check(&f, &s, k % 2);
			}
		}
		lt_prefetch_close(p);
	}
	fixture_close(&f);
}

/* What was popped stays until the next pop, however much is pushed behind it. */
static void test_kept(void **state)
{
	struct fixture f;
	struct lt_prefetch *p;
	struct lt_prefetched s;
	struct lu_err err;

	(void)state;
	fixture_open(&f);
	ok(lt_prefetch_open(&p, f.c, 3, 2, &with_places, &err), &err);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t n = 0;

		while (lt_prefetch_push(p, 3 * i + n))
			n++;
		assert_int_equal(n, 3);
		for (; n > 0; n--) {
			ok(lt_prefetch_pop(p, &s, &err), &err);
			usleep(i % 10 == 0 ? 200 : 0);
			check(&f, &s, true);
		}
	}
	lt_prefetch_close(p);
	fixture_close(&f);
}

/* One sample cannot be read: its pop fails, the others do not. */
static void test_error(void **state)
{
	struct lt_prefetch *p;
	struct lt_prefetched s;
	struct lt_corpus *c;
	struct lu_err err;
	uint32_t ids[100] = { 0 };

	(void)state;
	ids[50] = UINT32_C(1) << 31;
	ok(lt_corpus_memory(&c, ids, 100, CONTEXT, &err), &err);
	ok(lt_prefetch_open(&p, c, 20, 3, &plain, &err), &err);
	for (uint64_t i = 0; i < 11; i++)
		assert_true(lt_prefetch_push(p, i));
	for (uint64_t i = 0; i < 11; i++) {
		int rc = lt_prefetch_pop(p, &s, &err);

		assert_int_equal(rc, i == 5 ? -1 : 0);
		if (i == 5)
			assert_string_equal(
					err.msg, "token 50 of the stream has the id 2147483648");
		else
			assert_int_equal(s.sample, i);
	}
	lt_prefetch_close(p);
	lt_corpus_close(c);
}

/* Closed at any moment, with work that nobody took. */
static void test_close(void **state)
{
	struct fixture f;
	struct lu_err err;

	(void)state;
	fixture_open(&f);
	for (size_t k = 0; k < 60; k++) {
		struct lt_prefetch *p;
		struct lt_prefetched s;

		ok(lt_prefetch_open(&p, f.c, 10, 1 + k % 4, &with_places, &err), &err);
		for (uint64_t i = 0; i < k % 11; i++)
			assert_true(lt_prefetch_push(p, i));
		for (uint64_t i = 0; i < k % 11 && i < k % 3; i++)
			ok(lt_prefetch_pop(p, &s, &err), &err);
		lt_prefetch_close(p);
	}
	fixture_close(&f);
}

static pthread_t handled_by;
static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled_by = pthread_self();
	handled = 1;
}

/* A signal to the process never lands in a thread that reads. */
static void test_signals(void **state)
{
	struct sigaction sa = { .sa_handler = on_signal }, before;
	sigset_t usr1;
	struct lt_prefetch *p;
	struct fixture f;
	struct lu_err err;

	(void)state;
	fixture_open(&f);
	assert_int_equal(sigaction(SIGUSR1, &sa, &before), 0);
	ok(lt_prefetch_open(&p, f.c, 4, 3, &plain, &err), &err);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	for (int i = 0; i < 20; i++) {
		handled = 0;
		/* While this thread cannot take it nobody does. */
		assert_int_equal(pthread_sigmask(SIG_BLOCK, &usr1, NULL), 0);
		assert_int_equal(kill(getpid(), SIGUSR1), 0);
		usleep(1000);
		assert_false(handled);
		assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL), 0);
		assert_true(handled && pthread_equal(handled_by, pthread_self()));
	}
	lt_prefetch_close(p);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
