#include "tests/kernels/lk_test.h"

static void test_memory(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_queue *q;
		struct lk_err err;
		unsigned char *a, *b, h[100];

		assert_int_equal(ops->open(&q, 0, &err), 0);
		a = ops->alloc(q, 100);
		b = ops->alloc(q, 100);
		assert_true(a && b && (uintptr_t)a % 64 == 0);
		for (size_t i = 0; i < 100; i++)
			h[i] = (unsigned char)i;
		assert_int_equal(ops->copy(q, a, h, 100, LK_H2D), 0);
		assert_int_equal(ops->copy(q, b, a, 100, LK_D2D), 0);
		assert_int_equal(ops->zero(q, b + 10, 80), 0);
		assert_int_equal(ops->copy(q, h, b, 100, LK_D2H), 0);
		assert_int_equal(ops->sync(q), 0);
		for (size_t i = 0; i < 100; i++)
			assert_int_equal(h[i], i < 10 || i >= 90 ? i : 0);
		ops->free(q, a);
		ops->free(q, b);
		ops->free(q, NULL);
		a = ops->alloc(q, 0);
		assert_non_null(a);
		ops->free(q, a);
		assert_null(ops->alloc(q, SIZE_MAX / 2));
		assert_true(strlen(ops->message(q)) > 10);
		ops->close(q);
		ops->close(NULL);
	}
}

/* Events of two queues; the work of the CPU is done when they are asked for it. */
static void test_events(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_queue *q, *q2;
		struct lk_event *e, *later;
		double seconds = -1, back = 1;
		struct lk_err err;
		lk_real host[2][2] = { { 1, 2 }, { 3, 4 } }, *x, *y;

		assert_int_equal(ops->open(&q, 0, &err), 0);
		assert_int_equal(ops->open(&q2, 0, &err), 0);
		x = ops->alloc(q, sizeof(host[0]));
		y = ops->alloc(q, sizeof(host[1]));
		assert_true(x && y);
		assert_int_equal(ops->copy(q, x, host[0], sizeof(host[0]), LK_H2D), 0);
		assert_int_equal(ops->copy(q, y, host[1], sizeof(host[1]), LK_H2D), 0);
		assert_int_equal(ops->event_open(q, &e), 0);
		assert_int_equal(ops->accumulate(q, y, x, 2), 0);
		assert_int_equal(ops->event_record(q, e), 0);
		assert_int_equal(ops->event_wait(q2, e), 0);
		assert_int_equal(ops->accumulate(q2, x, y, 2), 0);
		assert_int_equal(ops->copy(q2, host[0], x, sizeof(host[0]), LK_D2H), 0);
		assert_int_equal(ops->event_record(q2, e), 0);
		assert_int_equal(ops->event_sync(q, e), 0);
		assert_int_equal(ops->event_done(q2, e), 1);
		assert_int_equal(ops->event_open(q2, &later), 0);
		assert_int_equal(ops->event_record(q2, later), 0);
		assert_int_equal(ops->event_sync(q2, later), 0);
		assert_int_equal(ops->event_done(q, later), 1);
		assert_int_equal(ops->event_seconds(q, e, later, &seconds), 0);
		assert_true(seconds >= 0 && seconds < 100);
		assert_int_equal(ops->event_seconds(q, later, e, &back), 0);
		assert_true(back <= 0 && back + seconds < 1e-6 && back + seconds > -1e-6);
		assert_true(host[0][0] == 5 && host[0][1] == 8);
		assert_int_equal(ops->event_done(q, NULL), -1);
		assert_int_equal(ops->event_seconds(q, e, NULL, &seconds), -1);
		ops->event_close(q2, later);
		assert_int_equal(ops->event_record(q, NULL), -1);
		assert_int_equal(ops->event_wait(q, NULL), -1);
		assert_int_equal(ops->event_sync(q, NULL), -1);
		assert_true(strlen(ops->message(q)) > 10);
		ops->event_close(q, e);
		ops->event_close(q, NULL);
		ops->free(q, x);
		ops->free(q, y);
		ops->close(q);
		ops->close(q2);
	}
}

/* A product and the backward pass of a norm, in buffers of FLOATS each. */
enum { ROWS = 400, FLOATS = ROWS * 3000 };

static int product_and_norm(
		const struct lk_ops *ops, struct lk_queue *q, void *const p[4], size_t k)
{
	struct lk_gemm g = lk_linear(10, 20, k);
	int rc = ops->gemm(q, &g, p[0], p[1], p[2], NULL);

	return rc < 0 ? rc
		      : ops->rmsnorm_back(q, p[0], p[1], p[2], NULL, p[3], p[3], p[3], ROWS, k, 0);
}

/*
 * A queue measures what operations need, with NULL for every pointer; then it runs them and refuses
 * larger ones. Bad shapes are found while measuring.
 */
static void test_measure(void **state)
{
	static void *const none[4];
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_gemm bad = lk_linear(10, 20, 30);
		struct lk_queue *q, *fresh;
		struct lk_err err;
		void *p[4];

		bad.lda = 1;
		assert_int_equal(ops->open(&q, 0, &err), 0);
		assert_int_equal(ops->open(&fresh, 0, &err), 0);
		for (size_t i = 0; i < T_LEN(p); i++) {
			p[i] = ops->alloc(q, FLOATS * sizeof(lk_real));
			assert_int_equal(ops->zero(q, p[i], FLOATS * sizeof(lk_real)), 0);
		}
		assert_int_equal(ops->sync(q), 0);
		assert_true(ops->workspace(q) == 0);
		assert_int_equal(ops->measure(q, 1), 0);
		assert_int_equal(product_and_norm(ops, q, none, 30), 0);
		assert_int_equal(ops->gemm(q, &bad, NULL, NULL, NULL, NULL), -1);
		assert_int_equal(ops->zero(q, NULL, 100), 0);
		assert_true(ops->workspace(q) > 0);
		assert_int_equal(ops->measure(q, 0), 0);
		assert_int_equal(product_and_norm(ops, q, p, 30), 0);
		assert_int_equal(product_and_norm(ops, q, p, 3000), -1);
		assert_non_null(strstr(ops->message(q), "were measured"));
		assert_int_equal(product_and_norm(ops, fresh, p, 3000), 0);
		assert_true(ops->workspace(fresh) > ops->workspace(q) / 2);
		for (size_t i = 0; i < T_LEN(p); i++)
			ops->free(q, p[i]);
		ops->close(q);
		ops->close(fresh);
	}
}

/* The best table is one of those that can be named. */
static void test_choice(void **state)
{
	const struct lk_ops *real = NULL, *bf16 = NULL;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		static const char *const isa[] = { "base", "avx2", "avx512", "avx512bf16", "amx" };
		const struct lk_ops *r = lk_cpu_ops_isa(isa[i], LK_REAL);
		const struct lk_ops *b = lk_cpu_ops_isa(isa[i], LK_BF16);

		real = r ? r : real;
		bf16 = b ? b : bf16;
	}
	assert_ptr_equal(lk_cpu_ops(LK_REAL), real);
	assert_ptr_equal(lk_cpu_ops(LK_BF16), bf16);
	assert_null(lk_cpu_ops_isa("none", LK_REAL));
	assert_null(lk_cpu_ops_isa("avx512bf16", LK_REAL));
	assert_null(lk_cpu_ops_isa("amx", LK_REAL));
}

static int on_cpu(const struct lk_ops *ops)
{
	return strncmp(ops->name, "cpu", 3) == 0;
}

/* What reserve() took is handed out, no more, and goes back with the last queue. */
static void test_reserve(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_queue *q, *q2;
		struct lk_err err;
		char *a, *b;

		assert_int_equal(ops->open(&q, 0, &err), 0);
		assert_int_equal(ops->open(&q2, 0, &err), 0);
		assert_int_equal(ops->reserve(q, 1 << 20), 0);
		a = ops->alloc(q, 700000);
		b = ops->alloc(q2, 300000);
		assert_true(a && b && (a + 700000 <= b || b + 300000 <= a));
		assert_int_equal(ops->zero(q, a, 700000), 0);
		if (!on_cpu(ops)) {
			assert_null(ops->alloc(q, 700000));
			assert_non_null(strstr(ops->message(q), "reserved"));
			assert_int_equal(ops->reserve(q2, 1 << 20), -1);
			assert_true((uintptr_t)a % 256 == 0 && (uintptr_t)b % 256 == 0);
		}
		ops->free(q2, a);
		a = ops->alloc(q2, 700000);
		assert_non_null(a);
		ops->free(q, a);
		ops->free(q, b);
		ops->close(q);
		ops->close(q2);
		assert_int_equal(ops->open(&q, 0, &err), 0);
		a = ops->alloc(q, 2 << 20);
		assert_non_null(a);
		ops->free(q, a);
		ops->close(q);
	}
}

static void test_host(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_queue *q;
		struct lk_err err;
		unsigned char *h, *p;

		assert_int_equal(ops->open(&q, 0, &err), 0);
		h = ops->host_alloc(q, 1000);
		p = ops->alloc(q, 1000);
		assert_true(h && p);
		for (size_t i = 0; i < 1000; i++)
			h[i] = (unsigned char)i;
		ops->range_begin(q, "there and back");
		assert_int_equal(ops->copy(q, p, h, 1000, LK_H2D), 0);
		assert_int_equal(ops->sync(q), 0);
		memset(h, 0, 1000);
		assert_int_equal(ops->copy(q, h, p, 1000, LK_D2H), 0);
		ops->range_end(q);
		assert_int_equal(ops->sync(q), 0);
		for (size_t i = 0; i < 1000; i++)
			assert_int_equal(h[i], i % 256);
		ops->free(q, p);
		ops->host_free(q, h);
		ops->host_free(q, NULL);
		p = ops->host_alloc(q, 0);
		assert_non_null(p);
		ops->host_free(q, p);
		ops->close(q);
	}
}

/* y += x in one queue and z += y in another, recorded once and done twice. */
static void record(const struct lk_ops *ops, struct lk_queue *q, struct lk_queue *q2, lk_real *d)
{
	struct lk_event *there, *back;
	struct lk_graph *g, *none;
	lk_real h[3] = { 1, 10, 100 };

	assert_int_equal(ops->event_open(q, &there), 0);
	assert_int_equal(ops->event_open(q2, &back), 0);
	assert_int_equal(ops->copy(q, d, h, sizeof(h), LK_H2D), 0);
	assert_int_equal(ops->sync(q), 0);
	assert_int_equal(ops->record_begin(q), 0);
	assert_int_equal(ops->record_begin(q), -1);
	assert_int_equal(ops->accumulate(q, d + 1, d, 1), 0);
	assert_int_equal(ops->event_record(q, there), 0);
	assert_int_equal(ops->event_wait(q2, there), 0);
	assert_int_equal(ops->accumulate(q2, d + 2, d + 1, 1), 0);
	assert_int_equal(ops->event_record(q2, back), 0);
	assert_int_equal(ops->event_wait(q, back), 0);
	assert_int_equal(ops->record_end(q, &g), 0);
	assert_int_equal(ops->record_end(q, &none), -1);
	assert_null(none);
	assert_int_equal(ops->replay(q, NULL), -1);
	assert_int_equal(ops->replay(q, g), 0);
	assert_int_equal(ops->replay(q, g), 0);
	assert_int_equal(ops->copy(q, h, d, sizeof(h), LK_D2H), 0);
	assert_int_equal(ops->sync(q), 0);
	assert_true(h[0] == 1 && h[1] == 12 && h[2] == 123);
	ops->graph_free(q, g);
	ops->graph_free(q, NULL);
	ops->event_close(q, there);
	ops->event_close(q2, back);
}

static void test_record(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_queue *q, *q2;
		struct lk_err err;
		lk_real *d;

		if (!ops->record_begin)
			continue;
		assert_int_equal(ops->open(&q, 0, &err), 0);
		assert_int_equal(ops->open(&q2, 0, &err), 0);
		d = ops->alloc(q, 3 * sizeof(*d));
		assert_non_null(d);
		record(ops, q, q2, d);
		ops->free(q, d);
		ops->close(q);
		ops->close(q2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests_name("kernels/device", tests, NULL, NULL);
}
