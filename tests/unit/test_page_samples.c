/* Samples: the same ones in any order, and bounded. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "libcommon/report/samples.h"

#define DOCS 200

static void add(struct lu_samples *s, int i)
{
	struct lu_sample sample = { .text = LU_STR("text"), .characters = 4 };
	struct lu_err err = { 0 };
	char id[16];

	snprintf(id, sizeof(id), "d%d", i);
	sample.id = lu_str_of(id);
	sample.hash = lu_sample_hash(sample.id, sample.text);
	assert_int_equal(lu_samples_add(s, lu_str_of(i % 3 ? "fr" : "en"), &sample, &err), 0);
}

static void test_order(void **state)
{
	struct lu_samples up = { .each = 3 }, down = { .each = 3 };

	(void)state;
	for (int i = 0; i < DOCS; i++) {
		add(&up, i);
		add(&down, DOCS - 1 - i);
	}
	/* A copy is counted, but not shown again. */
	for (int i = 0; i < DOCS; i++)
		add(&up, i);
	lu_samples_sort(&up);
	lu_samples_sort(&down);
	assert_int_equal(up.group.n, 2);
	assert_string_equal(up.group.p[0].name, "fr");
	assert_int_equal(up.group.p[0].docs, 2 * 133);
	for (size_t g = 0; g < 2; g++) {
		assert_int_equal(up.group.p[g].n, 3);
		for (size_t i = 0; i < 3; i++)
			assert_true(lu_str_eq(
					up.group.p[g].sample[i].id, down.group.p[g].sample[i].id));
		assert_true(up.group.p[g].sample[0].hash < up.group.p[g].sample[1].hash);
		assert_true(up.group.p[g].sample[1].hash < up.group.p[g].sample[2].hash);
	}
	lu_samples_release(&up);
	lu_samples_release(&down);
}

static void test_cut(void **state)
{
	char text[LU_SAMPLE_TEXT + 8];
	struct lu_str s;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '\xa9' : '\xc3';
	s = lu_sample_cut((struct lu_str){ text, sizeof(text) });
	assert_int_equal(s.n, LU_SAMPLE_TEXT);
	s = lu_sample_cut((struct lu_str){ text + 1, sizeof(text) - 1 });
	assert_int_equal(s.n, LU_SAMPLE_TEXT - 1);
	s = lu_sample_cut((struct lu_str){ text, 5 });
	assert_int_equal(s.n, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
