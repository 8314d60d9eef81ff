/* Any bytes as a recipe, and a small mix by it: an error, or quotas that add up. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/mix/quotas.h"

static void solve(const struct lu_recipe *r)
{
	struct lu_demand *d = calloc(r->group.n, sizeof(*d));
	struct lu_err err = { 0 };
	uint64_t whole, sum = 0;

	if (!d)
		abort();
	for (size_t i = 0; i < r->group.n; i++)
		d[i] = lu_solve_demand(&r->group.p[i], UINT64_C(1) << (7 * i % 61));
	if (lu_mix_quotas(r, d, true, &whole, &err) == 0) {
		for (size_t i = 0; i < r->group.n; i++)
			sum += d[i].quota;
		if (sum != whole)
			abort();
	} else if (!err.msg[0]) {
		abort();
	}
	free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str value[LU_SELECTORS] = { LU_STR("wiki--fr"), LU_STR("fr"), { NULL, 0 },
		LU_STR(""), LU_STR("a/b.jsonl") };
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_recipe r;
	struct lu_err err = { 0 };

	if (lu_recipe_read(&r, f.path, &err) == 0) {
		uint32_t i = lu_recipe_match(&r, value);

		if (i != LU_RECIPE_NONE && i >= r.group.n)
			abort();
		solve(&r);
		lu_recipe_release(&r);
	} else if (!err.msg[0]) {
		abort();
	}
	fuzz_file_close(&f);
	return 0;
}
