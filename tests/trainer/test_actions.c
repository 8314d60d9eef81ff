/* Pipeline schedules: they pass the checker for any number of micro-batches, have the bubble and
 * the slots of the formulas; and the checker finds every mutation. */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/rng.h"
#include "trainer/parallel/actions.h"
#include "trainer/parallel/actions_check.h"

static void make(struct lt_pipeline *p, size_t stages, size_t v, uint64_t micros)
{
	struct lu_err err;

	ok(lt_pipeline_make(p, stages, v, micros, &err), &err);
}

/* "F" and "B" passes, "r" and "R" receive, "s" and "S" send forward and backward, micro-batch, and
 * for passes "." with the slot. */
static void expect_list(const struct lt_pipeline *p, size_t stage, const char *text)
{
	struct lu_buf b = { 0 };

	for (size_t i = 0; i < p->stage[stage].n; i++) {
		const struct lt_action *a = &p->stage[stage].p[i];

		lu_buf_printf(&b, i ? " %c%d" : "%c%d", "rFsRBS"[a->kind], (int)a -> micro);
		if (a->kind == LT_FORWARD || a->kind == LT_BACKWARD)
			lu_buf_printf(&b, ".%d", (int)a->slot);
	}
	assert_string_equal(b.p, text);
	lu_buf_release(&b);
}

static void test_lists(void **state)
{
	struct lt_pipeline p;

	(void)state;
	make(&p, 1, 1, 3);
	expect_list(&p, 0, "F0.0 B0.0 F1.0 B1.0 F2.0 B2.0");
	lt_pipeline_release(&p);
	make(&p, 3, 1, 4);
	expect_list(&p, 0, "F0.0 s0 F1.1 s1 F2.2 s2 R0 B0.0 F3.0 s3 R1 B1.1 R2 B2.2 R3 B3.0");
	expect_list(&p, 1,
			"r0 F0.0 s0 r1 F1.1 s1 R0 B0.0 S0 r2 F2.0 s2 R1 B1.1 S1 r3 F3.1 s3 R2 B2.0 "
			"S2 "
			"R3 B3.1 S3");
	expect_list(&p, 2, "r0 F0.0 B0.0 S0 r1 F1.0 B1.0 S1 r2 F2.0 B2.0 S2 r3 F3.0 B3.0 S3");
	lt_pipeline_release(&p);
	/* Two chunks a stage: the warm-up of the first stage is 2 (2 - 1) + 2 = 4 passes. */
	make(&p, 2, 2, 2);
	expect_list(&p, 0,
			"F0.0 s0 F1.1 s1 r0 F0.0 s0 r1 F1.1 s1 R0 B0.0 S0 R1 B1.1 S1 R0 B0.0 R1 "
			"B1.1");
	lt_pipeline_release(&p);
	make(&p, 4, 2, 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(p.stage[i].n, 0);
	lt_pipeline_release(&p);
}

static void check_shape(size_t stages, size_t v, uint64_t micros)
{
	struct lt_pipeline p;
	struct lt_walk walk = { 0 };
	struct lu_err err;
	double m = (double)micros, s = (double)stages, extra;

	make(&p, stages, v, micros);
	if (lt_pipeline_check(&p, &walk, &err) < 0)
		fail_msg("%zu stages, v %zu, %d micro-batches: %s", stages, v, (int)micros,
				err.msg);
	for (size_t c = 0; v == 1 && c < stages; c++)
		assert_int_equal(p.slots[c], micros < stages - c ? micros : stages - c);
	for (size_t i = 0; i < stages; i++) {
		size_t held = 0, most = 0, group = micros < stages ? 1 : micros / stages;

		group = (micros + group - 1) / group;
		for (size_t k = 0; k < p.stage[i].n; k++) {
			held += p.stage[i].p[k].kind == LT_FORWARD;
			held -= p.stage[i].p[k].kind == LT_BACKWARD;
			most = held > most ? held : most;
		}
		assert_true(most <=
				(v == 1 ? stages - i : 2 * (stages - i - 1) + (v - 1) * group + 1));
	}
	if (micros >= stages) {
		extra = (s - 1) / ((double)v * m);
		assert_true(fabs(walk.time - 3 * ((double)v * m + s - 1)) < 1e-9);
		assert_true(fabs(walk.bubble - extra / (1 + extra)) < 1e-9);
		if (v == 1)
			assert_true(fabs(walk.bubble - (s - 1) / (m + s - 1)) < 1e-9);
	}
	if (micros == 0)
		assert_true(walk.time == 0 && walk.bubble == 0);
	lt_pipeline_release(&p);
}

static void test_shapes(void **state)
{
	(void)state;
	for (size_t stages = 1; stages <= 8; stages++) {
		for (size_t v = 1; v <= (stages == 1 ? 1 : 4); v++) {
			for (uint64_t micros = 0; micros <= 27; micros++)
				check_shape(stages, v, micros);
		}
	}
	check_shape(16, 3, 100);
	check_shape(64, 2, 130);
}

/* Chunks that take different times: 2 stages, 2 micro-batches, the second stage twice as slow.
 *	stage 0	F0 F1 . . . . . B0 B0 B1 B1 (waiting between for B1)
 *	stage 1	. F0 F0 B0 B0 B0 B0 F1 F1 B1 B1 B1 B1 */
static void test_costs(void **state)
{
	static const double forward[] = { 1, 2 }, backward[] = { 2, 4 };
	struct lt_walk walk = { .forward = forward, .backward = backward };
	struct lt_pipeline p;
	struct lu_err err;

	(void)state;
	make(&p, 2, 1, 2);
	ok(lt_pipeline_check(&p, &walk, &err), &err);
	assert_true(fabs(walk.time - 15) < 1e-9);
	assert_true(fabs(walk.bubble - (1 - 18 / 30.0)) < 1e-9);
	lt_pipeline_release(&p);
}

enum mutation { SWAP, DROP, TWICE, SLOT, PEER, CHUNK, MICRO, KIND, EXCHANGE, SLOTS, MUTATIONS };

/* Exchange the micro-batch of list[i] with a later one, in all actions of its chunk and direction;
 * false if there is no later one. */
static bool exchange(struct lt_actions *list, size_t i)
{
	const struct lt_action from = list->p[i];
	uint64_t to = from.micro;

	for (size_t k = i + 1; k < list->n && to == from.micro; k++) {
		if (list->p[k].kind == from.kind && list->p[k].chunk == from.chunk)
			to = list->p[k].micro;
	}
	for (size_t k = 0; k < list->n; k++) {
		struct lt_action *a = &list->p[k];

		if (a->chunk != from.chunk || a->kind / 3 != from.kind / 3)
			continue;
		if (a->micro == from.micro || a->micro == to)
			a->micro = from.micro + to - a->micro;
	}
	return to != from.micro;
}

/* Change something at a random place; false if this mutation is none there. */
static bool mutate(struct lt_pipeline *p, enum mutation how, uint64_t trial)
{
	struct lt_actions *list = &p->stage[lu_rand_below(2, trial, 0, p->stages)];
	size_t i = lu_rand_below(2, trial, 1, list->n), k = lu_rand_below(2, trial, 2, list->n);
	struct lt_action *a = &list->p[i], keep = *a;
	uint32_t other = 1 + (uint32_t)lu_rand_below(2, trial, 3, 5);

	switch (how) {
	case SWAP:
		*a = list->p[k];
		list->p[k] = keep;
		return i != k;
	case DROP:
		memmove(a, a + 1, (list->n - i - 1) * sizeof(*a));
		list->n--;
		return true;
	case TWICE:
		assert_true(lu_vec_push(list, keep));
		memmove(&list->p[i + 1], &list->p[i], (list->n - i - 1) * sizeof(*a));
		return true;
	case SLOT: a->slot += other; return true;
	case PEER: a->peer += other; return true;
	case CHUNK: a->chunk += other; return true;
	case MICRO: a->micro = (a->micro + other) % (p->micros + 1); return a->micro != keep.micro;
	case KIND: a->kind = (enum lt_action_kind)((a->kind + other) % 6); return true;
	case EXCHANGE: return exchange(list, i);
	case SLOTS: p->slots[a->chunk]--; return true;
	case MUTATIONS: break;
	}
	return false;
}

static void test_mutations(void **state)
{
	size_t made[MUTATIONS] = { 0 };

	(void)state;
	for (uint64_t trial = 0; trial < 6000; trial++) {
		size_t stages = 1 + lu_rand_below(1, trial, 0, 8);
		size_t v = stages == 1 ? 1 : 1 + lu_rand_below(1, trial, 1, 4);
		uint64_t micros = 1 + lu_rand_below(1, trial, 2, 20);
		enum mutation how = (enum mutation)(trial % MUTATIONS);
		struct lt_pipeline p;
		struct lu_err err;

		make(&p, stages, v, micros);
		if (mutate(&p, how, trial)) {
			made[how]++;
			if (lt_pipeline_check(&p, NULL, &err) == 0)
				fail_msg("mutation %d of %zu stages, v %zu, %d micro-batches "
					 "passes "
					 "(trial %d)",
						(int)how, stages, v, (int)micros, (int)trial);
			assert_memory_equal(err.msg, "pipeline: stage ", 16);
		}
		lt_pipeline_release(&p);
	}
	for (size_t i = 0; i < MUTATIONS; i++)
		assert_true(made[i] > 100);
}

static void refused(struct lt_pipeline *p, const char *sentence)
{
	struct lu_err err;

	assert_int_equal(lt_pipeline_check(p, NULL, &err), -1);
	assert_string_equal(err.msg, sentence);
	lt_pipeline_release(p);
}

/* Exchange list[i], list[i + 1] with list[k], list[k + 1]. */
static void swap_pairs(struct lt_actions *list, size_t i, size_t k)
{
	struct lt_action keep[2];

	memcpy(keep, &list->p[i], sizeof(keep));
	memmove(&list->p[i], &list->p[k], sizeof(keep));
	memcpy(&list->p[k], keep, sizeof(keep));
}

static void test_sentences(void **state)
{
	struct lt_pipeline p;
	struct lt_actions *list;

	(void)state;
	/* Stage 0 sends its second micro-batch after the first came back; stage 1 waits for it
	 * before it goes back: each is in order, both wait. */
	make(&p, 2, 1, 2);
	swap_pairs(&p.stage[0], 2, 4); /* F0 s0 F1 s1 R0 B0 R1 B1 */
	swap_pairs(&p.stage[1], 2, 4); /* r0 F0 B0 S0 r1 F1 B1 S1 */
	list = &p.stage[1];
	list->p[2].slot = list->p[3].slot = list->p[6].slot = list->p[7].slot = 1;
	p.slots[1] = 2;
	refused(&p,
			"pipeline: stage 0, action 2 (receive backward of micro-batch 0 in chunk 0 "
			"from "
			"stage 1): it waits for ever (deadlock)");

	make(&p, 1, 1, 2);
	p.stage[0].n--;
	refused(&p, "pipeline: stage 0: micro-batch 1 has no backward pass in chunk 0");
	make(&p, 1, 1, 2);
	p.stage[0].p[0] = p.stage[0].p[1];
	refused(&p,
			"pipeline: stage 0, action 0 (backward of micro-batch 0 in chunk 0): the "
			"slot "
			"does not hold its forward pass");
	make(&p, 2, 1, 2);
	p.stage[0].p[2].slot = p.stage[0].p[3].slot = 0; /* F0 s0 F1 s1 */
	refused(&p,
			"pipeline: stage 0, action 2 (forward of micro-batch 1 in chunk 0): the "
			"slot "
			"holds another micro-batch");
	make(&p, 2, 1, 2);
	assert_true(exchange(&p.stage[0], 0));
	refused(&p,
			"pipeline: stage 0, action 0 (forward of micro-batch 1 in chunk 0): the "
			"passes "
			"of the chunk are not in the order of micro-batches");
	/* Two chunks a stage: the last micro-batch of the first group leaves stage 0 after the
	 * first one of the next group, which alone is no fault, but stage 1 receives them the other
	 * way round. */
	make(&p, 2, 2, 4); /* F0 s0 F1 s1 r0 F0 s0 r1 F1 s1 F2 s2 */
	list = &p.stage[0];
	for (size_t i = 0; i < 2; i++) {
		struct lt_action keep = list->p[11];

		memmove(&list->p[8], &list->p[7], 4 * sizeof(keep));
		list->p[7] = keep;
	}
	refused(&p,
			"pipeline: stage 1, action 10 (receive forward of micro-batch 1 in chunk 3 "
			"from "
			"stage 0): the message that arrives is for 'receive forward of micro-batch "
			"2 in "
			"chunk 1 from stage 0'");
}

/* One field of one action of stage 1 of 3: r0 F0 s0 r1 F1 s1 R0 B0 S0 R1 B1 S1. */
static void test_fields(void **state)
{
	static const struct {
		size_t action;
		struct lt_action is;
		const char *what;
	} bad[] = {
		{ 0, { LT_RECV_FORWARD, 2, 0, 0, 0 }, "the chunk is not on this stage" },
		{ 0, { LT_RECV_FORWARD, 1, 0, 0, 2 }, "there is no such micro-batch" },
		{ 0, { LT_RECV_FORWARD, 1, 2, 0, 0 }, "the chunk has no such slot" },
		{ 0, { LT_RECV_FORWARD, 1, 0, 2, 0 },
				"the chunk on the other side is on another stage" },
		{ 0, { LT_RECV_FORWARD, 1, 1, 0, 0 }, "its pass does not follow at once" },
		{ 1, { LT_BACKWARD, 1, 0, 1, 0 }, "its pass does not follow at once" },
		{ 2, { LT_RECV_BACKWARD, 1, 0, 2, 0 }, "its result is not sent just after it" },
		{ 5, { LT_SEND_FORWARD, 1, 1, 2, 0 }, "its result is not sent just after it" },
		{ 6, { LT_SEND_FORWARD, 1, 1, 2, 1 }, "its pass does not stand before it" },
		{ 6, { LT_RECV_FORWARD, 1, 0, 0, 0 }, "its pass does not follow at once" },
		{ 11, { LT_RECV_FORWARD, 1, 0, 0, 0 }, "its result is not sent just after it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct lt_pipeline p;
		struct lu_err err;

		make(&p, 3, 1, 2);
		assert_int_equal(p.stage[1].n, 12);
		p.stage[1].p[bad[i].action] = bad[i].is;
		assert_int_equal(lt_pipeline_check(&p, NULL, &err), -1);
		if (strlen(err.msg) < strlen(bad[i].what) ||
				strcmp(strchr(err.msg, ')') + 3, bad[i].what) != 0)
			fail_msg("'%s', not '%s'", err.msg, bad[i].what);
		lt_pipeline_release(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lists),
		cmocka_unit_test(test_shapes), cmocka_unit_test(test_costs),
		cmocka_unit_test(test_mutations), cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_fields) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
