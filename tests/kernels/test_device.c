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
		lk_real x[2] = { 1, 2 }, y[2] = { 3, 4 };

		assert_int_equal(ops->open(&q, 0, &err), 0);
		assert_int_equal(ops->open(&q2, 0, &err), 0);
		assert_int_equal(ops->event_open(q, &e), 0);
		assert_int_equal(ops->accumulate(q, y, x, 2), 0);
		assert_int_equal(ops->event_record(q, e), 0);
		assert_int_equal(ops->event_wait(q2, e), 0);
		assert_int_equal(ops->accumulate(q2, x, y, 2), 0);
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
		assert_true(x[0] == 5 && x[1] == 8);
		assert_int_equal(ops->event_done(q, NULL), -1);
		assert_int_equal(ops->event_seconds(q, e, NULL, &seconds), -1);
		ops->event_close(q2, later);
		assert_int_equal(ops->event_record(q, NULL), -1);
		assert_int_equal(ops->event_wait(q, NULL), -1);
		assert_int_equal(ops->event_sync(q, NULL), -1);
		assert_true(strlen(ops->message(q)) > 10);
		ops->event_close(q, e);
		ops->event_close(q, NULL);
		ops->close(q);
		ops->close(q2);
	}
}

/*
 * A queue measures what a product needs, with NULL for every pointer; then it runs this product and
 * smaller ones and refuses a larger one. Bad shapes are found while measuring.
 */
static void test_measure(void **state)
{
	const struct lk_ops *ops;

	(void)state;
	T_EACH(ops)
	{
		struct lk_gemm g = lk_linear(10, 20, 30), large = lk_linear(10, 20, 300), bad = g;
		struct lk_queue *q, *fresh;
		struct lk_err err;
		lk_real *x = t_alloc(3000, sizeof(*x)), *y = t_alloc(6000, sizeof(*y)), d[200];

		bad.lda = 1;
		g.beta = 1;
		assert_int_equal(ops->open(&q, 0, &err), 0);
		assert_int_equal(ops->open(&fresh, 0, &err), 0);
		assert_true(ops->workspace(q) == 0);
		assert_int_equal(ops->measure(q, 1), 0);
		assert_int_equal(ops->gemm(q, &g, NULL, NULL, NULL, NULL), 0);
		assert_int_equal(ops->gemm(q, &bad, NULL, NULL, NULL, NULL), -1);
		assert_int_equal(ops->zero(q, NULL, 100), 0);
		assert_true(ops->workspace(q) > 0);
		assert_int_equal(ops->measure(q, 0), 0);
		g.beta = 0;
		assert_int_equal(ops->gemm(q, &g, d, x, y, NULL), 0);
		assert_int_equal(ops->gemm(q, &large, d, x, y, NULL), -1);
		assert_non_null(strstr(ops->message(q), "were measured"));
		assert_int_equal(ops->gemm(fresh, &large, d, x, y, NULL), 0);
		assert_true(ops->workspace(fresh) > ops->workspace(q) / 2);
		ops->close(q);
		ops->close(fresh);
		free(x), free(y);
	}
}

/* The best table is one of those that can be named. */
static void test_choice(void **state)
{
	const struct lk_ops *real = NULL, *bf16 = NULL, *ops;

	(void)state;
	T_EACH(ops)
	*(t_is_bf16(ops) ? &bf16 : &real) = ops;
	if (t_on_cpu(real)) {
		assert_ptr_equal(lk_cpu_ops(LK_REAL), real);
		assert_ptr_equal(lk_cpu_ops(LK_BF16), bf16);
	}
	assert_null(lk_cpu_ops_isa("none", LK_REAL));
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
	struct lk_graph *g;
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
	assert_int_equal(ops->record_end(q, &g), -1);
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
