/* The order found by sorting is that of a walk over a plan, for any bound of memory. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/mix/arrange.h"
#include "libcommon/mix/pool.h"
#include "libcommon/mix/quotas.h"

enum { DOCS = 3000, GROUPS = 6 };

struct doc {
	uint32_t group;
	uint64_t size;
	char lang[2];
};

static struct doc doc[DOCS];

/* Groups of all kinds, one small, with documents that are empty or very long. */
static size_t make(uint64_t *seed, char *recipe, size_t room, bool by_documents)
{
	size_t n = 200 + unit_random(seed) % (DOCS - 200), at;
	uint64_t sum = 0;
	uint64_t longest = unit_random(seed) % 3 ? 40 : 4000;

	for (size_t i = 0; i < n; i++) {
		uint32_t g = (uint32_t)(unit_random(seed) % GROUPS);

		if (g == 2 && unit_random(seed) % 8)
			g = 3;
		doc[i] = (struct doc){ g, unit_random(seed) % 4 ? unit_random(seed) % longest : 0,
			{ (char)('a' + g), 0 } };
		/* Group 4 is nearly all empty: a cut may take empty documents only. */
		if (g == 4)
			doc[i].size = unit_random(seed) % 50 ? 0 : 5000;
	}
	for (uint32_t g = 0; g < GROUPS; g++)
		doc[g] = (struct doc){ g, 100 + g, { (char)('a' + g), 0 } };
	for (size_t i = 0; i < n; i++)
		sum += by_documents ? 1 : doc[i].size;
	at = (size_t)snprintf(recipe, room, "[mix]\nmeasure = %s\ntotal = %llu\n",
			by_documents ? "documents" : "tokens",
			(unsigned long long)(sum * (70 + unit_random(seed) % 200) / 100));
	for (int g = 0; g < GROUPS; g++)
		at += (size_t)snprintf(recipe + at, room - at, "[group %c]\nlang = %c\n%s", 'a' + g,
				'a' + g,
				g == 0			 ? "epochs = 1.37\n"
						: g == 4 ? "share = 0.8%\n"
						: g == 5 ? "share = 12.25%\n"
							 : "");
	return n;
}

struct wanted {
	uint64_t document, pass;
};

static uint64_t size_of(size_t i, bool by_documents)
{
	return by_documents ? 1 : doc[i].size;
}

/* As it was done before: sizes in memory, cut and walked by looking them up. */
static struct wanted *walk(const struct lu_recipe *r, size_t n, uint64_t seed, bool by_documents,
		struct lu_plan *plan, struct lu_pool *pool)
{
	struct lu_demand d[GROUPS];
	struct lu_plan_walk *w;
	struct lu_plan_entry e;
	struct wanted *out;
	uint64_t mix, k = 0;
	struct lu_err err;

	*plan = (struct lu_plan){ .seed = seed, .by_documents = by_documents };
	*pool = (struct lu_pool){ 0 };
	assert_int_equal(lu_pool_shard(pool, &err), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(lu_pool_add(pool, doc[i].group, size_of(i, by_documents),
						 lu_str_of(doc[i].lang), &err),
				0);
	assert_int_equal(lu_pool_plan(pool, plan, r, &err), 0);
	for (size_t i = 0; i < GROUPS; i++)
		d[i] = lu_solve_demand(&r->group.p[i],
				by_documents ? plan->group[i].documents : plan->group[i].tokens);
	assert_int_equal(lu_mix_quotas(r, d, false, &mix, &err), 0);
	assert_int_equal(lu_solve_cut(plan, d, lu_pool_size, pool, &err), 0);
	lu_pool_count_mix(pool, plan);
	out = malloc((plan->documents + 1) * sizeof(*out));
	assert_non_null(out);
	assert_int_equal(lu_plan_walk_new(&w, plan, lu_pool_size, pool, &err), 0);
	while (lu_plan_walk_next(w, &e, &err) > 0)
		out[k++] = (struct wanted){ e.document, e.pass };
	assert_int_equal(k, plan->documents);
	lu_plan_walk_free(w);
	return out;
}

static void compare(struct lu_recipe *r, size_t n, uint64_t seed, bool by_documents,
		uint64_t memory, const struct wanted *want, const struct lu_plan *as,
		const struct lu_pool *pool)
{
	struct lu_arrange_options o = { .memory = memory,
		.tmpdir = ".",
		.threads = 1,
		.seed = seed,
		.by_documents = by_documents };
	struct lu_plan plan = { 0 };
	struct lu_demand d[GROUPS];
	struct lu_arrange *a;
	struct lu_arrange_entry e;
	uint64_t mix, k = 0;
	struct lu_err err;
	int rc;

	assert_int_equal(lu_arrange_new(&a, &o, &err), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(lu_arrange_add(a, doc[i].group, size_of(i, by_documents),
						 lu_str_of(doc[i].lang), NULL, &err),
				0);
	assert_int_equal(lu_arrange_plan(a, r, false, &plan, &err), 0);
	for (size_t i = 0; i < GROUPS; i++)
		d[i] = lu_solve_demand(&r->group.p[i],
				by_documents ? plan.group[i].documents : plan.group[i].tokens);
	assert_int_equal(lu_mix_quotas(r, d, false, &mix, &err), 0);
	assert_int_equal(lu_arrange_cut(a, &plan, d, &err), 0);
	assert_int_equal(plan.documents, as->documents);
	assert_int_equal(plan.tokens, as->tokens);
	for (size_t i = 0; i < GROUPS; i++) {
		const struct lu_langs_sum *x = &lu_arrange_langs(a)->sum.p[i],
					  *y = &pool->langs.sum.p[i];

		assert_int_equal(plan.group[i].passes, as->group[i].passes);
		assert_int_equal(plan.group[i].last, as->group[i].last);
		assert_int_equal(plan.group[i].planned, as->group[i].planned);
		assert_memory_equal(x, y, sizeof(*x));
	}
	while ((rc = lu_arrange_next(a, &e, &err)) > 0) {
		assert_int_equal(e.document, want[k].document);
		assert_int_equal(e.pass, want[k].pass);
		k++;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(k, plan.documents);
	lu_arrange_free(a);
	lu_plan_release(&plan);
}

static void test_walk(void **state)
{
	uint64_t random = 7;
	size_t all_empty = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 30; seed++) {
		bool by_documents = seed % 5 == 4;
		char recipe[1000];
		size_t n = make(&random, recipe, sizeof(recipe), by_documents);
		struct lu_recipe r;
		struct lu_plan plan;
		struct lu_pool pool;
		struct wanted *want;
		struct lu_err err;

		put_text("r", recipe);
		assert_int_equal(lu_recipe_read(&r, "r", &err), 0);
		want = walk(&r, n, seed, by_documents, &plan, &pool);
		all_empty += plan.group[4].planned == 0;
		compare(&r, n, seed, by_documents, 0, want, &plan, &pool);
		compare(&r, n, seed, by_documents, 1, want, &plan, &pool);
		free(want);
		lu_plan_release(&plan);
		lu_pool_release(&pool);
		lu_recipe_release(&r);
	}
	/* The case that has a rule of its own. */
	assert_true(all_empty > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
