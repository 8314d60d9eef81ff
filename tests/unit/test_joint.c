/* Targets: random recipes that can be met are met, those that cannot name what binds. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/mix/ipf.h"
#include "libcommon/mix/joint.h"
#include "libcommon/mix/power.h"
#include "libcommon/mix/simplex.h"

enum { GROUPS = 40, KINDS = 4 };

/* A recipe of groups with random languages and categories, and a mix of it that keeps the limits. */
struct problem {
	struct lu_buf text;
	struct lu_recipe recipe;
	struct lu_demand d[GROUPS];
	size_t n, lang[GROUPS], category[GROUPS];
	uint64_t size[GROUPS], have[GROUPS], total;
};

static double uniform(uint64_t *seed)
{
	return (double)(unit_random(seed) >> 11) * 0x1p-53;
}

static void make_groups(struct problem *p, uint64_t *seed)
{
	p->n = 6 + unit_random(seed) % (GROUPS - 6);
	p->total = 0;
	for (size_t i = 0; i < p->n; i++) {
		/* Sizes over four orders of magnitude; between 0.1 and 3.9 epochs of each. */
		p->size[i] = (uint64_t)(1e6 * pow(10, 4 * uniform(seed)));
		p->have[i] = (uint64_t)((double)p->size[i] * (0.1 + 3.8 * uniform(seed)));
		p->lang[i] = unit_random(seed) % KINDS;
		p->category[i] = unit_random(seed) % KINDS;
		/* The last kinds have no target, so that shares rounded down are no conflict. */
		if (i == 0)
			p->lang[i] = p->category[i] = KINDS - 1;
		p->total += p->have[i];
	}
}

/* The share of a language or category in that mix, in parts of 10^9, rounded down. */
static uint64_t share(const struct problem *p, const size_t *kind, size_t k)
{
	double part = 0;

	for (size_t i = 0; i < p->n; i++)
		part += kind[i] == k ? (double)p->have[i] : 0;
	return (uint64_t)(part / (double)p->total * 1e9);
}

static void put_share(
		struct lu_buf *b, const char *name, size_t k, const char *sign, uint64_t share)
{
	lu_buf_printf(b, "%s %c %s %llu.%07llu%%\n", name, (int)('a' + k), sign,
			(unsigned long long)(share / 10000000),
			(unsigned long long)(share % 10000000));
}

/* The targets leave one language open, since shares are rounded. */
static void write_recipe(struct problem *p, uint64_t *seed)
{
	struct lu_buf *b = &p->text;

	lu_buf_clear(b);
	lu_buf_printf(b, "[mix]\nmax_epochs = 4\ntotal = %llu\n[targets]\n",
			(unsigned long long)p->total);
	for (size_t k = 0; k + 1 < KINDS; k++) {
		uint64_t l = share(p, p->lang, k), c = share(p, p->category, k);
		uint64_t kind = unit_random(seed) % 4;

		if (l > 1000)
			put_share(b, "lang", k, "=", l);
		if (c > 1000000 && c < 990000000 && kind)
			put_share(b, "category", k,
					kind == 1		    ? "="
							: kind == 2 ? "<="
								    : ">=",
					kind == 1		    ? c
							: kind == 2 ? c + c / 100
								    : c - c / 100);
	}
	for (size_t i = 0; i < p->n; i++)
		lu_buf_printf(b, "[group g%zu]\nas = lang %c, category %c\n", i,
				(int)('a' + p->lang[i]), (int)('a' + p->category[i]));
	put_text("r", b->p);
}

static int solve(struct problem *p, struct lu_binding *why, struct lu_err *err)
{
	uint64_t mix_size;
	int rc;

	assert_int_equal(lu_recipe_read(&p->recipe, "r", err), 0);
	for (size_t i = 0; i < p->n; i++)
		p->d[i] = lu_solve_demand(&p->recipe.group.p[i], p->size[i]);
	rc = lu_solve_joint_why(&p->recipe, p->d, &mix_size, why, err);
	if (rc == 0)
		assert_int_equal(mix_size, p->total);
	return rc;
}

static double achieved(const struct problem *p, const struct lu_target *t)
{
	double part = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct lu_str class;

		assert_true(lu_recipe_class(&p->recipe.group.p[i], t->dimension, &class));
		if (lu_target_match(t, class))
			part += (double)p->d[i].quota;
	}
	return part / (double)p->total;
}

static void check_met(const struct problem *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n; i++) {
		sum += p->d[i].quota;
		assert_true(p->d[i].quota <= 4 * p->size[i]);
	}
	assert_int_equal(sum, p->total);
	for (size_t t = 0; t < p->recipe.target.n; t++) {
		const struct lu_target *g = &p->recipe.target.p[t];
		double off = achieved(p, g) - (double)g->share / LU_SHARE_ONE;
		/* A unit of each group for the rounding of quotas. */
		double most = 1e-9 + (double)p->n / (double)p->total;

		if ((g->op != LU_TARGET_AT_LEAST && off > most) ||
				(g->op != LU_TARGET_AT_MOST && off < -most))
			fail_msg("%s misses by %g:\n%s", g->name, off, p->text.p);
	}
}

/* The mix from which the targets were taken shows that they can be met. */
static void test_feasible(void **state)
{
	static struct problem p;
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct lu_binding why;
		struct lu_err err;

		make_groups(&p, &seed);
		write_recipe(&p, &seed);
		if (solve(&p, &why, &err) < 0)
			fail_msg("%s:\n%s", err.msg, p.text.p);
		check_met(&p);
		lu_recipe_release(&p.recipe);
	}
	lu_buf_release(&p.text);
}

/* Solve again with the sizes as they are; limits: keep max_epochs. */
static int solve_again(struct problem *p, bool limits)
{
	struct lu_binding why;
	uint64_t mix_size;
	struct lu_err err;

	for (size_t i = 0; i < p->n; i++) {
		p->d[i] = lu_solve_demand(&p->recipe.group.p[i], p->size[i]);
		if (!limits)
			p->d[i].max_epochs = UINT64_MAX;
	}
	/* At the edge of what is possible a group may be left with less than a token. */
	return lu_solve_joint_why(&p->recipe, p->d, &mix_size, &why, &err) == 0 ||
					strstr(err.msg, "is nothing")
			? 0
			: -1;
}

/* Keep the targets that the sentence names; the one it is about becomes the last. */
static void keep_named(struct problem *p, size_t about, const char *sentence)
{
	struct lu_target last = p->recipe.target.p[about];
	size_t n = 0;

	for (size_t i = 0; i < p->recipe.target.n; i++) {
		const struct lu_target *t = &p->recipe.target.p[i];
		char name[64];

		snprintf(name, sizeof(name), "%s %s ", t->name, lu_target_sign(t->op));
		if (i != about && strstr(sentence, name))
			p->recipe.target.p[n++] = *t;
	}
	p->recipe.target.p[n++] = last;
	p->recipe.target.n = n;
}

/*
 * A language and a category whose groups are cut down: the target that is named conflicts with those
 * named beside it, without it they do not, what is said to be possible is, and a little more is not.
 */
static void test_infeasible(void **state)
{
	static struct problem p;
	uint64_t seed = 2;
	int seen = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct lu_binding why;
		struct lu_err err;
		struct lu_target *t;
		int64_t possible, step;

		make_groups(&p, &seed);
		write_recipe(&p, &seed);
		for (size_t g = 0; g < p.n; g++) {
			if (p.lang[g] == 0 || p.category[g] == 1)
				p.size[g] /= 6;
		}
		if (solve(&p, &why, &err) == 0 || why.target == LU_BINDING_NONE) {
			lu_recipe_release(&p.recipe);
			continue;
		}
		seen++;
		/* Without the limits the targets hold, for they are those of a mix. */
		assert_int_equal(solve_again(&p, false), 0);
		assert_true(why.group < p.n);
		assert_non_null(strstr(err.msg, p.recipe.group.p[why.group].name));
		keep_named(&p, why.target, err.msg);
		t = &p.recipe.target.p[p.recipe.target.n - 1];
		assert_non_null(strstr(err.msg, t->name));
		assert_int_equal(solve_again(&p, true), -1);
		possible = (int64_t)(why.possible * LU_SHARE_ONE);
		step = possible < (int64_t)t->share ? 100 : -100;
		t->share = (uint64_t)(possible + step);
		assert_int_equal(solve_again(&p, true), -1);
		t->share = (uint64_t)(possible - step);
		assert_int_equal(solve_again(&p, true), 0);
		p.recipe.target.n--;
		assert_int_equal(solve_again(&p, true), 0);
		lu_recipe_release(&p.recipe);
	}
	assert_true(seen > 50);
	lu_buf_release(&p.text);
}

static void expect(const char *recipe, const uint64_t *size, const char *message)
{
	static struct problem p;
	struct lu_binding why;
	struct lu_err err;

	put_text("r", recipe);
	for (p.n = 0; size[p.n]; p.n++)
		p.size[p.n] = size[p.n];
	assert_int_equal(solve(&p, &why, &err), -1);
	if (!strstr(err.msg, message))
		fail_msg("'%s' instead of '%s'", err.msg, message);
	lu_recipe_release(&p.recipe);
}

static void test_sentences(void **state)
{
	static const uint64_t two[] = { 100, 900, 0 }, three[] = { 100, 400, 500, 0 };

	(void)state;
	expect("[mix]\nmax_epochs = 4\n[targets]\nlang fr = 50%\n[group a]\nas = lang fr\n"
	       "[group b]\nas = lang en\n",
			two,
			"target lang fr = 50 %: at most 40.0000 % is possible, 10.0000 % too "
			"little "
			"(group a is at its max_epochs of 4)");
	expect("[targets]\nlang fr = 60%\nlang en >= 50%\n[group a]\nlang = fr\n"
	       "[group b]\nlang = en\n",
			two,
			"target lang en >= 50 %: at most 40.0000 % is possible beside lang fr = 60 "
			"%, "
			"10.0000 % too little");
	expect("[mix]\ntotal = 5000\nmax_epochs = 4\n[targets]\nlang fr = 10%\n[group a]\n"
	       "lang = fr\n[group b]\nlang = en\n",
			two,
			"a total of 5000 is too large, max_epochs allows at most 4000, which is "
			"1000 "
			"less");
	expect("[targets]\nlang fr = 10%\n[group a]\nlang = fr\n[group b]\n", two,
			"target lang fr: group b has no one lang; say what it counts as: as = "
			"lang");
	expect("[targets]\nlang de = 10%\n[group a]\nlang = fr\n[group b]\nlang = en\n", two,
			"target lang de: no group is of that lang");
	expect("[targets]\nlang fr <= 5%\n[group a]\nlang = fr\nshare = 10%\n[group b]\n"
	       "lang = en\n",
			two,
			"target lang fr <= 5 %: at least 10.0000 % is possible, 5.0000 % too much");
	expect("[targets]\nlang fr = 5%\n[group a]\nlang = fr\nshare = 10%\n[group b]\n"
	       "lang = en\nepochs = 1\n",
			two, "every group has share or epochs: [targets] has nothing to divide");
	/* The category alone could be met; beside the language it cannot. */
	expect("[mix]\nmax_epochs = 2\n[targets]\nlang fr = 20%\ncategory web <= 30%\n[group a]\n"
	       "as = lang fr, category web\n[group b]\nas = lang en, category web\n[group c]\n"
	       "as = lang en, category book\n",
			(const uint64_t[]){ 100, 850, 50, 0 },
			"target category web <= 30 %: at least 90.0000 % is possible, 60.0000 % "
			"too "
			"much (group c is at its max_epochs of 2)");
	expect("[targets]\nlang fr = 50%\ncategory web = 40%\n[group a]\nas = lang fr, category "
	       "web\n"
	       "[group b]\nas = lang en, category book\n[group c]\nas = lang en, category book\n",
			three,
			"target category web = 40 %: at least 50.0000 % is possible beside lang fr "
			"= "
			"50 %, 10.0000 % too much");
}

/* Known answers, worked out by hand: what is at its limit leaves the rest to the others. */
static void test_known(void **state)
{
	static struct problem p = { .n = 3, .size = { 100, 400, 500 }, .total = 1000 };
	struct lu_binding why;
	struct lu_err err;

	(void)state;
	put_text("r",
			"[targets]\nlang fr = 50%\n[group a]\nas = lang fr\nmax_epochs = 2\n"
			"[group b]\nas = lang fr\n[group c]\nas = lang en\n");
	assert_int_equal(solve(&p, &why, &err), 0);
	assert_int_equal(p.d[0].quota, 100);
	assert_int_equal(p.d[1].quota, 400);
	assert_int_equal(p.d[2].quota, 500);
	lu_recipe_release(&p.recipe);
	put_text("r",
			"[targets]\nlang fr = 80%\n[group a]\nas = lang fr\nmax_epochs = 1.2\n"
			"[group b]\nas = lang fr\n[group c]\nas = lang en\n");
	assert_int_equal(solve(&p, &why, &err), 0);
	assert_int_equal(p.d[0].quota, 120);
	assert_int_equal(p.d[1].quota, 680);
	assert_int_equal(p.d[2].quota, 200);
	lu_recipe_release(&p.recipe);
	/* By the square root of the sizes 1 : 2 : 10, of 1300. */
	p.size[2] = 10000;
	p.total = 1300;
	put_text("r",
			"[mix]\ntemperature = 2\ntotal = 1300\n[group a]\n[group b]\nlang = en\n"
			"[group c]\nlang = fr\n");
	assert_int_equal(solve(&p, &why, &err), 0);
	assert_int_equal(p.d[0].quota, 100);
	assert_int_equal(p.d[1].quota, 200);
	assert_int_equal(p.d[2].quota, 1000);
	lu_recipe_release(&p.recipe);
}

/* Against pow(), which is right to a unit in the last place, and exactly where the result is whole. */
static void test_power(void **state)
{
	uint64_t seed = 3;

	(void)state;
	assert_true(lu_power(1, 7000000) == 1);
	assert_true(lu_power(UINT64_C(1) << 60, 2000000) == 1 << 30);
	assert_true(lu_power(12345, 1000000) >= 12344.99999999 &&
			lu_power(12345, 1000000) <= 12345.00000001);
	for (int i = 0; i < 2000; i++) {
		uint64_t n = unit_random(&seed) >> (3 + unit_random(&seed) % 55) | 1;
		uint64_t t = 1000000 + unit_random(&seed) % 9000000;
		double want = pow((double)n, 1e6 / (double)t), got = lu_power(n, t);

		assert_true(fabs(got - want) <= want * 1e-13);
	}
}

/* A small program with an upper bound that is met, of which the answer is known: the largest x + 2y
 * with x + y <= 4, y - x <= 1, x <= 3, y <= 2 is 6 at (2, 2). */
static void test_simplex(void **state)
{
	static const double of[2][2] = { { 1, 1 }, { -1, 1 } }, upper[2] = { 3, 2 };
	static const double cost[2] = { -1, -2 };
	struct lu_simplex_row row[2] = { { of[0], LU_SIMPLEX_AT_MOST, 4 },
		{ of[1], LU_SIMPLEX_AT_MOST, 1 } };
	double x[2];
	struct lu_simplex p = {
		.columns = 2, .rows = 2, .upper = upper, .cost = cost, .row = row, .x = x
	};
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_simplex_solve(&p, &err), 0);
	assert_true(fabs(p.value + 6) < 1e-12 && fabs(x[0] - 2) < 1e-12 && fabs(x[1] - 2) < 1e-12);
	row[1] = (struct lu_simplex_row){ of[0], LU_SIMPLEX_AT_LEAST, 5.5 };
	assert_int_equal(lu_simplex_solve(&p, &err), 0);
	assert_true(fabs(p.violated - 1.5) < 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_simplex),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_feasible),
		cmocka_unit_test(test_infeasible),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
