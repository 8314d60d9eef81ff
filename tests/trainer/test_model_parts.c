/*
 * The model in parts: chunks of layers in calls of their own, several micro-batches in flight,
 * recomputation, the gradients of tensors that are shared: all have the bits of the whole. What it
 * counts is what it allocates.
 */
#include "tests/trainer/tiny.h"

#include "trainer/model/params.h"

#define LAYERS 3
#define MICROS 3

static struct lt_shape shape_of(bool tied)
{
	struct lt_shape s = tiny_shape(tied);

	s.layers = LAYERS;
	return s;
}

/* Losses and gradients of some micro-batches, lane j those of micro-batch j. */
struct result {
	double loss[MICROS];
	lk_real *grad; /* [MICROS][total], malloc'd */
	size_t total;
};

static void check_same(const struct result *got, const struct result *want)
{
	assert_memory_equal(got->loss, want->loss, sizeof(got->loss));
	assert_int_equal(got->total, want->total);
	for (size_t j = 0; j < MICROS; j++)
		assert_memory_equal(got->grad + j * got->total, want->grad + j * want->total,
				want->total * sizeof(lk_real));
}

/* Micro-batch j; the arrays of `own` are filled in. */
static struct lt_batch micro_of(const struct tiny *t, struct tiny *own, size_t j)
{
	*own = *t;
	for (size_t i = 0; i < TINY_ROWS; i++) {
		own->ids[i] = (uint32_t)((t->ids[i] + 5 * j) % TINY_VOCAB);
		own->labels[i] = (uint32_t)((t->labels[i] + 3 * j) % TINY_VOCAB);
	}
	return tiny_batch(own);
}

/* What a test varies. */
struct way {
	bool tied;
	size_t chunks;
	size_t cut[LAYERS]; /* layers of each chunk */
	enum lt_recompute recompute;
	size_t slots; /* micro-batches in flight; their backward passes come in reverse */
	size_t head_rows;
};

static void move(struct tiny *t, struct lt_model *m, lk_act *to, const lk_act *from)
{
	size_t bytes = lt_model_rows(m) * t->w->table.shape.hidden * t->ops->act_size;

	assert_int_equal(t->ops->copy(t->q, to, from, bytes, LK_D2D), 0);
}

static void run_forward(struct tiny *t, struct lt_model *m, size_t chunks, size_t slot, size_t j)
{
	struct tiny own;
	struct lt_batch b = micro_of(t, &own, j);
	struct lu_err err;

	for (size_t c = 0; c < chunks; c++) {
		if (c > 0)
			move(t, m, lt_model_input(m, c, slot), lt_model_output(m, c - 1, slot));
		ok(lt_model_forward(m, c, slot, &b, &err), &err);
	}
}

static void run_backward(struct tiny *t, struct lt_model *m, size_t chunks, size_t slot, size_t j)
{
	struct lt_pass pass = {
		.lane = j, .first = true, .sums = t->loss + j, .stride = TINY_MICROS
	};
	lk_act *dx = lt_model_gradient(m, j % LT_MODEL_GRADIENTS);
	struct tiny own;
	struct lt_batch b = micro_of(t, &own, j), none = { 0 };
	struct lu_err err;

	for (size_t c = chunks; c-- > 0;)
		ok(lt_model_backward(m, c, slot, c + 1 == chunks ? &b : &none, dx, &pass, &err),
				&err);
}

static struct result compute(const struct way *way)
{
	const struct lt_holding holding = { .lanes = MICROS, .dp_size = 1 };
	struct lt_chunk chunk[LAYERS] = { { 0, 0 } };
	struct lt_place place = { 0, 1, chunk, way->chunks };
	struct lt_model_plan plan = tiny_plan(LT_MODEL_TRAIN);
	struct lt_shape shape = shape_of(way->tied);
	size_t slots[LAYERS] = { way->slots, way->slots, way->slots }, first = 0, j = 0;
	struct result r = { { 0 }, NULL, 0 };
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;

	for (size_t c = 0; c < way->chunks; c++) {
		chunk[c] = (struct lt_chunk){ first, way->cut[c] };
		first += way->cut[c];
	}
	tiny_open_part(&t, &shape, &place, &holding, NULL);
	plan.recompute = way->recompute;
	plan.slots = slots;
	plan.head_rows = way->head_rows;
	ok(lt_model_open(&m, t.w, &plan, &err), &err);
	while (j < MICROS) {
		size_t n = MICROS - j < way->slots ? MICROS - j : way->slots;

		for (size_t s = 0; s < n; s++)
			run_forward(&t, m, way->chunks, s, j + s);
		for (size_t s = n; s-- > 0;)
			run_backward(&t, m, way->chunks, s, j + s);
		j += n;
	}
	r.total = t.w->table.total;
	r.grad = malloc(MICROS * r.total * sizeof(*r.grad));
	assert_non_null(r.grad);
	tiny_read(&t, t.w->grad, r.grad, MICROS * r.total);
	tiny_read_loss(&t, MICROS, r.loss);
	lt_model_close(m);
	tiny_close(&t);
	return r;
}

/* Chunks, slots and recomputation, alone and together. */
static void check_ways(bool tied)
{
	const struct way whole = { .tied = tied, .chunks = 1, .cut = { 3 }, .slots = 1 };
	const struct way ways[] = {
		{ .chunks = 2, .cut = { 1, 2 }, .slots = 1 },
		{ .chunks = 3, .cut = { 1, 1, 1 }, .slots = 1 },
		{ .chunks = 1, .cut = { 3 }, .slots = 3 },
		{ .chunks = 1, .cut = { 3 }, .slots = 1, .recompute = LT_RECOMPUTE_NORMS },
		{ .chunks = 1, .cut = { 3 }, .slots = 1, .recompute = LT_RECOMPUTE_LAYER },
		{ .chunks = 2, .cut = { 2, 1 }, .slots = 2, .recompute = LT_RECOMPUTE_NORMS },
		{ .chunks = 2, .cut = { 2, 1 }, .slots = 3, .recompute = LT_RECOMPUTE_LAYER },
		{ .chunks = 3, .cut = { 1, 1, 1 }, .slots = 2, .recompute = LT_RECOMPUTE_LAYER },
	};
	struct result want = compute(&whole);

	assert_true(want.loss[0] > 0 && want.loss[0] != want.loss[1]);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct way way = ways[i];
		struct result got;

		way.tied = tied;
		got = compute(&way);
		print_message("# way %zu\n", i);
		check_same(&got, &want);
		free(got.grad);
	}
	free(want.grad);
}

static void test_ways(void **state)
{
	(void)state;
	check_ways(false);
}

static void test_ways_tied(void **state)
{
	(void)state;
	check_ways(true);
}

/* A stage holds some of the tensors, in the order of the table; its chunks give the bits of the whole
 * for those. */
static void test_stage(void **state)
{
	const struct way whole = { .chunks = 1, .cut = { 3 }, .slots = 1 };
	const struct lt_holding holding = { .lanes = MICROS, .dp_size = 1 };
	const struct lt_chunk chunk[2] = { { 0, 1 }, { 1, 2 } };
	struct lt_model_plan plan = tiny_plan(LT_MODEL_TRAIN);
	struct lt_shape shape = shape_of(false);
	struct result want = compute(&whole);
	struct lt_model *m[2];
	struct tiny t[2], own, all;
	struct lt_batch b, none = { 0 };
	struct lt_pass pass = { .first = true };
	struct lu_err err;
	lk_act *dx;

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		struct lt_place place = { 0, 1, &chunk[s], 1 };

		tiny_open_part(&t[s], &shape, &place, &holding, NULL);
		ok(lt_model_open(&m[s], t[s].w, &plan, &err), &err);
	}
	b = micro_of(&t[0], &own, 0);
	pass.sums = t[1].loss;
	pass.stride = TINY_MICROS;
	ok(lt_model_forward(m[0], 0, 0, &b, &err), &err);
	move(&t[0], m[0], lt_model_input(m[1], 0, 0), lt_model_output(m[0], 0, 0));
	ok(lt_model_forward(m[1], 0, 0, &none, &err), &err);
	dx = lt_model_gradient(m[1], 0);
	ok(lt_model_backward(m[1], 0, 0, &b, dx, &pass, &err), &err);
	ok(lt_model_backward(m[0], 0, 0, &none, dx, &pass, &err), &err);
	tiny_open_part(&all, &shape, NULL, &holding, NULL);
	assert_int_equal(t[0].w->table.total + t[1].w->table.total, all.w->table.total);
	for (size_t i = 0; i < all.w->table.n; i++) {
		const struct lt_param *p = &all.w->table.param[i];
		size_t s = t[0].w->table.param[i].offset == LT_ELSEWHERE;
		size_t at = t[s].w->table.param[i].offset;

		assert_true(at != LT_ELSEWHERE);
		assert_true(t[!s].w->table.param[i].offset == LT_ELSEWHERE);
		assert_memory_equal(t[s].w->vector[LT_VECTOR_P] + at,
				all.w->vector[LT_VECTOR_P] + p->offset, p->count * sizeof(lk_real));
		assert_memory_equal(t[s].w->grad + at, want.grad + p->offset,
				p->count * sizeof(lk_real));
	}
	tiny_read_loss(&t[1], 1, t[0].loss);
	assert_true(t[0].loss[0] == want.loss[0]);
	for (size_t s = 0; s < 2; s++) {
		lt_model_close(m[s]);
		tiny_close(&t[s]);
	}
	tiny_close(&all);
	free(want.grad);
}

/* The first pass overwrites a lane whatever is in it; a later one adds to it. */
static void check_first(bool tied)
{
	const struct way whole = { .tied = tied, .chunks = 1, .cut = { 3 }, .slots = 1 };
	const struct lt_holding holding = { .lanes = 2, .dp_size = 1 };
	struct lt_model_plan plan = tiny_plan(LT_MODEL_TRAIN);
	struct lt_shape shape = shape_of(tied);
	struct result want = compute(&whole);
	struct lt_model *m;
	struct lu_err err;
	struct tiny t;
	size_t n;

	tiny_open_part(&t, &shape, NULL, &holding, NULL);
	ok(lt_model_open(&m, t.w, &plan, &err), &err);
	n = t.w->table.total;
	for (size_t i = 0; i < 2 * n; i++)
		t.w->grad[i] = (lk_real)(0.0 / 0.0);
	for (size_t j = 0; j < 2; j++) {
		struct lt_pass pass = { .lane = 1, .first = j == 0, .sums = t.loss, .stride = 1 };
		struct tiny own;
		struct lt_batch b = micro_of(&t, &own, j);

		ok(lt_model_forward(m, 0, 0, &b, &err), &err);
		ok(lt_model_backward(m, 0, 0, &b, lt_model_gradient(m, 0), &pass, &err), &err);
		for (size_t i = 0; i < n && j == 0; i++)
			assert_true(t.w->grad[n + i] == want.grad[i]);
	}
	for (size_t i = 0; i < n; i++) {
		double sum = (double)want.grad[i] + (double)want.grad[want.total + i];
		double got = (double)t.w->grad[n + i];

		if (!(got - sum < 1e-3 && sum - got < 1e-3))
			fail_msg("element %zu: %.9g, not %.9g", i, got, sum);
		assert_true(t.w->grad[i] != t.w->grad[i]);
	}
	lt_model_close(m);
	tiny_close(&t);
	free(want.grad);
}

static void test_first(void **state)
{
	(void)state;
	check_first(false);
	check_first(true);
}

/* The head's block of rows cuts the sum of its gradient, and nothing else. */
static void test_head_rows(void **state)
{
	const struct way whole = { .chunks = 1, .cut = { 3 }, .slots = 1 };
	struct way blocks = whole;
	struct result want = compute(&whole), got;

	(void)state;
	blocks.head_rows = 7;
	got = compute(&blocks);
	assert_memory_equal(got.loss, want.loss, sizeof(got.loss));
	for (size_t i = 0; i < want.total; i++) {
		double off = (double)got.grad[i] - (double)want.grad[i];

		assert_true(off < 1e-4 && off > -1e-4);
	}
	free(want.grad);
	free(got.grad);
}

/* --- counting ---------------------------------------------------------------------------------- */

/* A backend that notes what is allocated. */
static uint64_t allocated;
static const struct lk_ops *real;

static void *counting_alloc(struct lk_queue *q, size_t bytes)
{
	allocated += bytes;
	return real->alloc(q, bytes);
}

static void check_count(const struct lt_model_plan *plan, const struct lt_place *place)
{
	const struct lt_holding holding = { .lanes = plan->mode == LT_MODEL_TRAIN ? 2 : 0,
		.dp_size = 1,
		.packed = plan->mode == LT_MODEL_DECODE };
	struct lt_weights_bytes part;
	struct lk_ops ops = *lk_cpu_ops(tiny_act);
	struct lt_shape shape = shape_of(false);
	struct lt_weights *w;
	struct lt_model *m;
	struct lk_err kerr;
	struct lu_err err;
	struct lk_queue *q;
	uint64_t count, weights, work;

	shape.vocab = 36;
	real = lk_cpu_ops(tiny_act);
	ops.alloc = counting_alloc;
	allocated = 0;
	assert_int_equal(ops.open(&q, 0, &kerr), 0);
	ok(lt_weights_open(&w, &ops, q, &shape, place, &holding, &err), &err);
	weights = allocated;
	allocated = 0;
	ok(lt_weights_count(&w->table, &ops, &holding, &part, &err), &err);
	/* The values of a step are not worth counting; packed weights are not made by alloc(). */
	assert_int_equal(part.weights + part.gradients + part.optimizer,
			weights - sizeof(struct lk_step));
	ok(lt_model_count(&w->table, &ops, 0, plan, &count, &work, &err), &err);
	assert_int_equal(allocated, 0);
	ok(lt_model_open(&m, w, plan, &err), &err);
	assert_int_equal(count, allocated);
	assert_int_equal(work, ops.workspace(q));
	lt_model_close(m);
	lt_weights_close(w);
	ops.close(q);
}

static void test_count(void **state)
{
	const struct lt_chunk first[] = { { 0, 1 }, { 2, 1 } }, last = { 1, 2 };
	const struct lt_place places[] = { { 0, 1, first, 2 }, { 0, 1, &last, 1 },
		{ 1, 2, &last, 1 }, { 0, 2, first, 2 } };
	const size_t slots[] = { 3, 2 };

	(void)state;
	for (int mode = LT_MODEL_TRAIN; mode <= LT_MODEL_DECODE; mode++) {
		struct lt_model_plan plan = tiny_plan((enum lt_model_mode)mode);

		plan.batch = mode == LT_MODEL_DECODE ? 1 : TINY_BATCH;
		check_count(&plan, NULL);
	}
	for (int again = LT_RECOMPUTE_NONE; again <= LT_RECOMPUTE_LAYER; again++) {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			struct lt_model_plan plan = tiny_plan(LT_MODEL_TRAIN);

			plan.recompute = (enum lt_recompute)again;
			plan.slots = slots;
			check_count(&plan, &places[i]);
			plan.sequence = true;
			check_count(&plan, &places[i]);
		}
	}
}

/* Less is kept the more is computed again. */
static void test_recompute_saves(void **state)
{
	uint64_t bytes[3], work;
	struct lt_shape shape = shape_of(false);
	struct lt_table t;
	struct lu_err err;

	(void)state;
	ok(lt_table_build(&t, &shape, NULL, &err), &err);
	for (int again = LT_RECOMPUTE_NONE; again <= LT_RECOMPUTE_LAYER; again++) {
		struct lt_model_plan plan = tiny_plan(LT_MODEL_TRAIN);

		plan.recompute = (enum lt_recompute)again;
		ok(lt_model_count(&t, lk_cpu_ops(tiny_act), 0, &plan, &bytes[again], &work, &err),
				&err);
	}
	/* Of each layer but one, n1 and n2, and one n2 less. */
	assert_int_equal(bytes[0] - bytes[1],
			(2 * LAYERS - 1) * TINY_ROWS * shape.hidden *
					lk_cpu_ops(tiny_act)->act_size);
	assert_true(bytes[1] > bytes[2]);
	lt_table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_ways_tied),
		cmocka_unit_test(test_stage),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_head_rows),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_recompute_saves),
		TINY_BF16(test_ways),
		TINY_BF16(test_ways_tied),
		TINY_BF16(test_stage),
		TINY_BF16(test_first),
		TINY_BF16(test_head_rows),
		TINY_BF16(test_count),
		TINY_BF16(test_recompute_saves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
