/* base/suggest.h: the known name that was meant. */
#include "tests/unit/unit.h"

#include "libcommon/base/suggest.h"

static void test_suggest(void **state)
{
	static const char *const known[] = { "train", "valid", "global_batch", "micro_batch", "lr",
		"lr_min", "warmup" };
	static const struct {
		const char *name, *meant;
	} cases[] = {
		{ "trian", "train" },
		{ "Train", "train" },
		{ "tran", "train" },
		{ "traiin", "train" },
		{ "global-batch", "global_batch" },
		{ "global_bacth", "global_batch" },
		{ "batch", NULL },
		{ "warm_up", "warmup" },
		{ "l", "lr" },
		{ "x", NULL },
		{ "zz", NULL },
		{ "", NULL },
		{ "learning_rate", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *meant = lu_suggest(cases[i].name, known, 7);

		if (cases[i].meant)
			assert_non_null(meant);
		else
			assert_null(meant);
		if (meant)
			assert_string_equal(meant, cases[i].meant);
	}
	assert_null(lu_suggest("train", known, 0));
}

/* Names as long as the rows of the distance, and longer. */
static void test_long(void **state)
{
	char name[70];
	const char *known[1] = { name };
	char other[70];

	(void)state;
	memset(name, 'a', sizeof(name));
	memset(other, 'a', sizeof(other));
	name[64] = other[63] = '\0';
	assert_ptr_equal(lu_suggest(other, known, 1), name);
	name[64] = 'a';
	name[65] = '\0';
	assert_null(lu_suggest(other, known, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("suggest", tests, NULL, NULL);
}
