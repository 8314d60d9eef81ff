/* The pipeline: order of batches and errors, reuse of batches, exclusive steps, parallel for. */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "libcommon/par/pipeline.h"

struct item {
	uint64_t number, square;
	bool in_use; /* from read to the end of write */
};

struct work {
	uint64_t total, next, written;
	uint64_t read_fails_at, map_fails_at, write_fails_at; /* UINT64_MAX: never */
	unsigned threads;
	atomic_int reading, writing, mapping, most;
	atomic_bool overlap;
	atomic_bool thread_busy[64];
};

static void pause_a_little(uint64_t n)
{
	struct timespec t = { 0, (long)(n % 5) * 20000 };

	nanosleep(&t, NULL);
}

static int read_one(void *ctx, void *batch, struct lu_err *err)
{
	struct work *w = ctx;
	struct item *it = batch;

	if (atomic_fetch_add(&w->reading, 1) != 0)
		w->overlap = true;
	if (it->in_use)
		w->overlap = true;
	atomic_fetch_sub(&w->reading, 1);
	if (w->next == w->read_fails_at)
		return lu_err_set(err, "read %" PRIu64, w->next);
	if (w->next == w->total)
		return 0;
	it->in_use = true;
	it->number = w->next++;
	return 1;
}

static int map_one(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	struct work *w = ctx;
	struct item *it = batch;
	int now = atomic_fetch_add(&w->mapping, 1) + 1, most = w->most;

	while (now > most && !atomic_compare_exchange_weak(&w->most, &most, now))
		;
	if (thread >= w->threads || atomic_exchange(&w->thread_busy[thread], true))
		w->overlap = true;
	pause_a_little(it->number * 7);
	it->square = it->number * it->number;
	atomic_store(&w->thread_busy[thread], false);
	atomic_fetch_sub(&w->mapping, 1);
	if (it->number >= w->map_fails_at)
		return lu_err_set(err, "map %" PRIu64, it->number);
	return 0;
}

static int write_one(void *ctx, void *batch, struct lu_err *err)
{
	struct work *w = ctx;
	struct item *it = batch;

	if (atomic_fetch_add(&w->writing, 1) != 0)
		w->overlap = true;
	if (it->number != w->written || it->square != it->number * it->number)
		w->overlap = true;
	atomic_fetch_sub(&w->writing, 1);
	if (it->number == w->write_fails_at)
		return lu_err_set(err, "write %" PRIu64, it->number);
	w->written++;
	it->in_use = false;
	return 0;
}

static int run(struct work *w, unsigned threads, size_t batches, struct lu_err *err)
{
	struct item item[200] = { 0 };
	void *batch[200];
	struct lu_pipeline p = { .threads = threads,
		.batch = batch,
		.batches = batches,
		.ctx = w,
		.read = read_one,
		.map = map_one,
		.write = write_one };

	for (size_t i = 0; i < batches; i++)
		batch[i] = &item[i];
	w->threads = threads;
	return lu_pipeline_run(&p, err);
}

#define WORK(n)                                                                        \
	{                                                                              \
		.total = (n), .read_fails_at = UINT64_MAX, .map_fails_at = UINT64_MAX, \
		.write_fails_at = UINT64_MAX                                           \
	}

static const unsigned threads[] = { 1, 2, 3, 5, 16 };
#define CASES (sizeof(threads) / sizeof(*threads))

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		struct work w = WORK(2000);
		struct lu_err err = { 0 };

		assert_int_equal(run(&w, threads[i], lu_pipeline_batches(threads[i]), &err), 0);
		assert_int_equal(w.written, 2000);
		assert_false(w.overlap);
		assert_true(w.most <= (int)threads[i]);
		/* Or the test has not tested parallel maps. */
		assert_true(threads[i] == 1 || w.most > 1);
		assert_string_equal(err.msg, "");
	}
}

static void test_few_batches(void **state)
{
	(void)state;
	for (size_t batches = 1; batches < 4; batches++) {
		for (size_t i = 0; i < CASES; i++) {
			struct work w = WORK(300);
			struct lu_err err;

			assert_int_equal(run(&w, threads[i], batches, &err), 0);
			assert_int_equal(w.written, 300);
			assert_false(w.overlap);
		}
	}
}

static void test_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		struct work w = WORK(0);
		struct lu_err err;

		assert_int_equal(run(&w, threads[i], 3, &err), 0);
		assert_int_equal(w.written, 0);
	}
}

/* When batch k fails, all before it are written, none after it, and its sentence is the result,
 * even when a later batch has failed earlier. */
static void test_errors_in_order(void **state)
{
	static const uint64_t failing[] = { 0, 1, 7, 100 };

	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		for (size_t k = 0; k < 4; k++) {
			for (int step = 0; step < 3; step++) {
				static const char *const name[] = { "read", "map", "write" };
				struct work w = WORK(200);
				struct lu_err err = { 0 };
				char expected[32];

				w.read_fails_at = step == 0 ? failing[k] : 150;
				w.map_fails_at = step == 1 ? failing[k] : 120;
				w.write_fails_at = step == 2 ? failing[k] : UINT64_MAX;
				assert_int_equal(
						run(&w, threads[i], lu_pipeline_batches(threads[i]),
								&err),
						-1);
				snprintf(expected, sizeof(expected), "%s %" PRIu64, name[step],
						failing[k]);
				assert_string_equal(err.msg, expected);
				assert_int_equal(w.written, failing[k]);
				assert_false(w.overlap);
			}
		}
	}
}

/* A parallel for over one batch: every iteration runs once, on a thread that runs nothing else; of
 * those that fail the lowest is reported. */
struct loop {
	struct lu_pipeline *p;
	unsigned crew;
	atomic_int done[500];
	atomic_bool busy[8];
	atomic_bool wrong;
	atomic_int helpers;
	size_t fails_from;
	int batches;
};

static int loop_read(void *ctx, void *batch, struct lu_err *err)
{
	struct loop *d = ctx;

	(void)batch;
	(void)err;
	return d->batches-- > 0;
}

static int loop_body(void *ctx, unsigned thread, size_t i, struct lu_err *err)
{
	struct loop *d = ctx;

	if (thread >= d->crew || atomic_exchange(&d->busy[thread], true))
		d->wrong = true;
	atomic_fetch_add(&d->done[i], 1);
	atomic_fetch_or(&d->helpers, 1 << thread);
	/* The first iteration waits for a second thread. */
	for (int k = 0; i == 0 && d->crew > 1 && k < 200000 && d->helpers == 1 << thread; k++)
		pause_a_little(4);
	atomic_store(&d->busy[thread], false);
	if (i >= d->fails_from)
		return lu_err_set(err, "iteration %zu", i);
	return 0;
}

static int loop_map(void *ctx, unsigned thread, void *batch, struct lu_err *err)
{
	struct loop *d = ctx;

	(void)batch;
	return lu_pipeline_share(d->p, thread, 500, loop_body, d, err);
}

static int loop_write(void *ctx, void *batch, struct lu_err *err)
{
	(void)ctx;
	(void)batch;
	(void)err;
	return 0;
}

static void test_parallel_for(void **state)
{
	(void)state;
	for (unsigned crew = 1; crew <= 4; crew++) {
		for (int failing = 0; failing < 2; failing++) {
			int item[9];
			void *batch[9];
			struct lu_err err;
			struct loop d = { .crew = crew, .batches = 1 };
			struct lu_pipeline p = { .threads = crew,
				.batch = batch,
				.batches = 9,
				.ctx = &d,
				.read = loop_read,
				.map = loop_map,
				.write = loop_write };

			for (size_t i = 0; i < 9; i++)
				batch[i] = &item[i];
			d.p = &p;
			d.fails_from = failing ? 77 : SIZE_MAX;
			assert_int_equal(lu_pipeline_run(&p, &err), failing ? -1 : 0);
			if (failing)
				assert_string_equal(err.msg, "iteration 77");
			for (size_t i = 0; i < (failing ? 78 : 500); i++)
				assert_int_equal(d.done[i], 1);
			assert_false(d.wrong);
			assert_true(crew == 1 || (d.helpers & (d.helpers - 1)) != 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parallel_for),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_few_batches),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_errors_in_order),
	};

	return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
