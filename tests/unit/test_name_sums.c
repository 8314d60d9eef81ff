/* Sums by name: any order and any bound of memory give the same rows. */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcommon/report/name_sums.h"

#define NAMES 40000
#define TOP 100

/* How often name i occurs: few often, many once or twice. */
static uint64_t times(uint64_t i)
{
	return 1 + (i % 997 == 0) * i / 997 + i % 2;
}

static void add(struct lu_sums *t, uint64_t i, uint64_t weight)
{
	struct lu_err err = { 0 };
	char name[32];

	snprintf(name, sizeof(name), "name %" PRIu64, i);
	assert_int_equal(lu_sums_add(t, lu_str_of(name), (uint64_t[]){ 1, weight }, &err), 0);
}

static void count(struct lu_sums *t, uint64_t memory, bool backwards)
{
	struct lu_err err = { 0 };

	*t = (struct lu_sums){
		.values = 2, .by = 1, .top = TOP, .memory = memory, .tmpdir = "/tmp"
	};
	for (uint64_t round = 0; round < 50; round++) {
		for (uint64_t k = 0; k < NAMES; k++) {
			uint64_t i = backwards ? NAMES - 1 - k : k;

			if (times(i) > (backwards ? 49 - round : round))
				add(t, i, 10);
		}
	}
	assert_int_equal(lu_sums_add(t, LU_STR(""), (uint64_t[]){ 3, 7 }, &err), 0);
	if (memory)
		assert_true(t->spilled && lu_sorter_spilled(t->sorter) > 0);
	assert_int_equal(lu_sums_finish(t, &err), 0);
}

static const struct lu_sums_row *find(const struct lu_sums *t, struct lu_str name)
{
	for (size_t i = 0; i < t->row.n; i++) {
		if (lu_str_eq(t->row.p[i].name, name))
			return &t->row.p[i];
	}
	return NULL;
}

/* Sum of a value over all rows, the rest and those without a name. */
static uint64_t sum_of(const struct lu_sums *t, size_t value)
{
	uint64_t sum = t->rest[value] + t->without[value];

	for (size_t i = 0; i < t->row.n; i++)
		sum += t->row.p[i].value[value];
	return sum;
}

static void test_bound(void **state)
{
	struct lu_sums all, bounded;
	uint64_t docs = 0;

	(void)state;
	count(&all, 0, false);
	count(&bounded, 1 << 20, true);
	for (uint64_t i = 0; i < NAMES; i++)
		docs += times(i);
	assert_int_equal(all.names, NAMES);
	assert_int_equal(bounded.names, NAMES);
	assert_int_equal(sum_of(&bounded, 0), docs + 3);
	assert_int_equal(sum_of(&bounded, 1), 10 * docs + 7);
	assert_int_equal(bounded.without[0], 3);
	assert_int_equal(bounded.row.n, TOP);
	assert_int_equal(all.row.n, TOP);
	for (size_t i = 0; i < TOP; i++) {
		assert_true(lu_str_eq(all.row.p[i].name, bounded.row.p[i].name));
		assert_int_equal(all.row.p[i].value[0], bounded.row.p[i].value[0]);
		assert_int_equal(all.row.p[i].value[1], 10 * all.row.p[i].value[0]);
	}
	assert_true(lu_str_is(all.row.p[0].name, "name 38883"));
	assert_int_equal(all.row.p[0].value[0], 41);
	assert_null(find(&all, LU_STR("name 0")));
	assert_int_equal(find(&bounded, LU_STR("name 9970"))->value[0], 11);
	lu_sums_release(&all);
	lu_sums_release(&bounded);
}

static void test_few(void **state)
{
	struct lu_sums t = { .values = 2, .by = 0, .top = TOP, .tmpdir = "/tmp" };
	struct lu_err err = { 0 };

	(void)state;
	add(&t, 2, 5);
	add(&t, 1, 5);
	add(&t, 3, 5);
	add(&t, 3, 5);
	assert_int_equal(lu_sums_finish(&t, &err), 0);
	assert_int_equal(t.row.n, 3);
	assert_true(lu_str_is(t.row.p[0].name, "name 3"));
	assert_true(lu_str_is(t.row.p[1].name, "name 1"));
	assert_true(lu_str_is(t.row.p[2].name, "name 2"));
	assert_int_equal(t.rest[0], 0);
	lu_sums_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
