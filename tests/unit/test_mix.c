/* Mixing: recipes, quotas, plans and their order, by lucie-recipe(5) and lucie-plan(5). */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/mix/pool.h"
#include "libcommon/mix/solve.h"

/* --- recipes ------------------------------------------------------------------------------ */

static void test_decimal(void **state)
{
	static const struct {
		const char *text;
		unsigned decimals;
		uint64_t value;
	} good[] = { { "0", 6, 0 }, { "1.5", 6, 1500000 }, { "33.3333333", 7, 333333333 },
		{ "100", 7, 1000000000 }, { ".5", 1, 5 }, { "7.", 2, 700 },
		{ "18446744073709551615", 0, UINT64_MAX } };
	static const char *const bad[] = { "", ".", "-1", "+1", "1e3", "1.5.2", "1 ", "0x1", "1,5",
		"1.1234567", "18446744073709551616", "18446744073710" };
	struct lu_err err;
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(lu_decimal(good[i].text, good[i].decimals, &v, &err), 0);
		assert_int_equal(v, good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(lu_decimal(bad[i], 6, &v, &err), -1);
}

static void test_recipe_errors(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "r: no group" },
		{ "[mix]\n", "r: no group" },
		{ "lang = fr\n", "r:1: 'lang' stands before the first section" },
		{ "[group]\n", "r:1: a group needs a name" },
		{ "[group a]\n[group a]\n", "r:2: section [group a] appears twice" },
		{ "[mix]\n[mix]\n[group a]\n", "r:2: section [mix] appears twice" },
		{ "[mix]\n[groups a]\n", "r:2: unknown section" },
		{ "[mix x]\n[group a]\n", "r:1: unknown section" },
		{ "[mix]\nmeasure = words\n[group a]\n", "measure: 'words' is not one of" },
		{ "[mix]\ntotal = 0\n[group a]\n", "total: '0' is out of range" },
		{ "[mix]\ntotal = 20M\n[group a]\n", "total: '20M' is not a decimal number" },
		{ "[group a]\nshare = 33\n", "share: '33' is not a percentage" },
		{ "[group a]\nshare = 0%\n", "share: '0%' is not above 0" },
		{ "[group a]\nshare = 100.0000001%\n", "not above 0 and up to 100" },
		{ "[group a]\nshare = 1%\nepochs = 1\n", "group a: both share and epochs" },
		{ "[group a]\nepochs = 0\n", "group a: epochs: '0' is not above 0" },
		{ "[group a]\nepochs = 1.1234567\n", "more than 6 decimals" },
		{ "[group a]\nshare = 1%\nweight = 1\n", "group a: both weight and share" },
		{ "[group a]\nweight = 0\n", "group a: weight: '0' is not above 0" },
		{ "[group a]\nweight = 1\n[group b]\n", "r: 1 of the 2 groups that divide" },
		{ "[group a]\nas = fr\n", "as: 'fr' is not a dimension and a class: lang fr" },
		{ "[group a]\nas = lang fr, lang en\n", "as: lang is given twice" },
		{ "[group a]\ntokens = 0\n", "group a: tokens: '0' is out of range" },
		{ "[mix]\nmeasure = bytes\n[group a]\ntokens = 1\n",
				"r: groups state tokens, and measure is bytes" },
		{ "[mix]\ntemperature = 0.5\n[group a]\n", "temperature: '0.5' is not from 1" },
		{ "[mix]\ncontext = 1.5\n[group a]\n", "context: '1.5' is not a whole number" },
		{ "[targets]\nlang = 5%\n[group a]\n",
				"r:2: 'lang' is not a dimension and a class: lang fr = 33%" },
		{ "[targets]\nlang < = 5%\n[group a]\n", "'lang <' is not a dimension" },
		{ "[targets]\nlang fr <= 5\n[group a]\n", "lang fr: '5' is not a percentage" },
		{ "[targets x]\n[group a]\n", "unknown section" },
		{ "[group a]\nlang = fr\nlang = en\n", "r:3: 'lang' is set twice" },
		{ "[group a]\nlang =\n", "r:2: 'lang' has no value" },
		{ "[group a]\nlanguage = fr\n",
				"r:2: unknown key 'language', did you mean 'lang'" },
		{ "[group a]\nxyz = fr\n", "r:2: unknown key 'xyz' (known: source, lang" },
	};
	struct lu_recipe r;
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_text("r", bad[i].text);
		assert_int_equal(lu_recipe_read(&r, "r", &err), -1);
		if (!strstr(err.msg, bad[i].message))
			fail_msg("'%s' instead of '%s'", err.msg, bad[i].message);
	}
}

static void test_classes(void **state)
{
	struct lu_recipe r;
	struct lu_err err;
	struct lu_str class;

	(void)state;
	put_text("r",
			"[targets]\nlang  fr, e* <= 33.5%\nlength long >= 1%\n[group a]\nlang = "
			"en\n"
			"source = x*\nas = category web , length long\nweight = 0.25\n[group b]\n"
			"lang = en\nas = lang fr\nweight = 0.000000001\ntokens = 7\n");
	assert_int_equal(lu_recipe_read(&r, "r", &err), 0);
	assert_int_equal(r.target.n, 2);
	assert_int_equal(r.target.p[0].op, LU_TARGET_AT_MOST);
	assert_int_equal(r.target.p[0].share, 335000000);
	assert_int_equal(r.target.p[1].op, LU_TARGET_AT_LEAST);
	assert_true(lu_target_match(&r.target.p[0], LU_STR("fr")));
	assert_true(lu_target_match(&r.target.p[0], LU_STR("en")));
	assert_false(lu_target_match(&r.target.p[0], LU_STR("fre")));
	assert_int_equal(r.group.p[0].weight, 250000000);
	assert_int_equal(r.group.p[1].weight, 1);
	assert_int_equal(lu_recipe_stated(&r, &r.group.p[1]), 7);
	/* The selector where `as` does not say, if it is a word; never a pattern. */
	assert_true(lu_recipe_class(&r.group.p[0], "lang", &class) && lu_str_is(class, "en"));
	assert_true(lu_recipe_class(&r.group.p[0], "length", &class) && lu_str_is(class, "long"));
	assert_true(lu_recipe_class(&r.group.p[1], "lang", &class) && lu_str_is(class, "fr"));
	assert_false(lu_recipe_class(&r.group.p[0], "source", &class));
	lu_recipe_release(&r);
}

static uint32_t group_of(const struct lu_recipe *r, const char *source, const char *lang)
{
	struct lu_str v[LU_SELECTORS] = { 0 };

	if (source)
		v[LU_BY_SOURCE] = lu_str_of(source);
	if (lang)
		v[LU_BY_LANG] = lu_str_of(lang);
	v[LU_BY_FILE] = LU_STR("x.jsonl");
	return lu_recipe_match(r, v);
}

static void test_recipe(void **state)
{
	struct lu_recipe r;
	struct lu_err err;

	(void)state;
	put_text("r",
			"# mix\n[group web]\nsource = RedPajama--*--20*, Fine*Edu\nlang = fr, "
			"en\nepochs = "
			"1.5\n"
			"[mix]\nmeasure = bytes\ntotal = 1000\nmax_epochs = 3.5\n"
			"[group french]\nlang = fr\nshare = 33.3%\nmax_epochs = 9\n"
			"[group file]\nfile = *.txt\n[group rest]\nlang = *\n");
	assert_int_equal(lu_recipe_read(&r, "r", &err), 0);
	assert_int_equal(r.unit, LU_MIX_BYTES);
	assert_int_equal(r.total, 1000);
	assert_int_equal(r.group.n, 4);
	assert_int_equal(r.group.p[0].kind, LU_AMOUNT_EPOCHS);
	assert_int_equal(r.group.p[0].amount, 1500000);
	assert_int_equal(r.group.p[0].max_epochs, 3500000);
	assert_int_equal(r.group.p[1].kind, LU_AMOUNT_SHARE);
	assert_int_equal(r.group.p[1].amount, 333000000);
	assert_int_equal(r.group.p[1].max_epochs, 9000000);
	assert_int_equal(r.group.p[3].kind, LU_AMOUNT_REST);
	assert_int_equal(group_of(&r, "RedPajama--fr--2019", "fr"), 0);
	assert_int_equal(group_of(&r, "FineWebEdu", "en"), 0);
	assert_int_equal(group_of(&r, "FineWebEdu2", "en"), 3);
	assert_int_equal(group_of(&r, "RedPajama--fr--1999", "fr"), 1);
	assert_int_equal(group_of(&r, NULL, "fr"), 1);
	assert_int_equal(group_of(&r, "RedPajama--fr--2019", "de"), 3);
	assert_int_equal(group_of(&r, "FineEdu", ""), 3);
	assert_int_equal(group_of(&r, "FineEdu", NULL), LU_RECIPE_NONE);
	lu_recipe_release(&r);
}

/* --- quotas ------------------------------------------------------------------------------- */

#define REST(have)                                             \
	{                                                      \
		"g", LU_AMOUNT_REST, 0, UINT64_MAX, have, 0, 0 \
	}
#define SHARE(percent, have)                                                                  \
	{                                                                                     \
		"g", LU_AMOUNT_SHARE, (uint64_t)((percent)*1e7 + 0.5), UINT64_MAX, have, 0, 0 \
	}
#define EPOCHS(e, have)                                                                  \
	{                                                                                \
		"g", LU_AMOUNT_EPOCHS, (uint64_t)((e)*1e6 + 0.5), UINT64_MAX, have, 0, 0 \
	}

static void test_quotas(void **state)
{
	static const struct {
		struct lu_demand d[4];
		size_t n;
		uint64_t total, whole, quota[4];
	} known[] = {
		/* Without a total the mix is as large as the input. */
		{ { SHARE(33, 10), SHARE(33, 500), REST(490) }, 3, 0, 1000, { 330, 330, 340 } },
		/* Largest remainder, ties to the earlier. */
		{ { REST(1), REST(1), REST(1) }, 3, 10, 10, { 4, 3, 3 } },
		{ { SHARE(33.3333333, 5), SHARE(33.3333333, 5), SHARE(33.3333334, 5) }, 3, 100, 100,
				{ 33, 33, 34 } },
		{ { SHARE(50, 1), REST(7), REST(3) }, 3, 11, 11, { 6, 4, 1 } },
		/* Epochs alone are their sum; with shares the shares follow. */
		{ { EPOCHS(1.5, 100), EPOCHS(3, 10) }, 2, 0, 180, { 150, 30 } },
		{ { EPOCHS(0.5, 100), SHARE(50, 3) }, 2, 0, 100, { 50, 50 } },
		{ { EPOCHS(2, 100), SHARE(10, 3), REST(50) }, 3, 1000, 1000, { 200, 100, 700 } },
		/* Lucie-7B's web and wiki in French and English, in thousands of tokens. */
		{ { EPOCHS(1, 135128000), EPOCHS(1.5, 104336000), EPOCHS(3, 2940000),
				  EPOCHS(3, 7898000) },
				4, 0, 324146000, { 135128000, 156504000, 8820000, 23694000 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct lu_demand d[4];
		struct lu_err err;
		uint64_t whole;

		memcpy(d, known[i].d, sizeof(d));
		assert_int_equal(lu_solve_quotas(d, known[i].n, known[i].total, &whole, &err), 0);
		assert_int_equal(whole, known[i].whole);
		for (size_t k = 0; k < known[i].n; k++)
			assert_int_equal(d[k].quota, known[i].quota[k]);
	}
}

static void test_quota_errors(void **state)
{
	static const struct {
		struct lu_demand d[3];
		size_t n;
		uint64_t total;
		const char *message;
	} bad[] = {
		{ { SHARE(60, 1), SHARE(50, 1) }, 2, 0, "add up to 110 %, more than 100" },
		{ { SHARE(60, 1), SHARE(30, 1) }, 2, 0,
				"add up to 90 %, and no group takes the rest" },
		{ { EPOCHS(1, 5) }, 1, 100, "remove total" },
		{ { SHARE(100, 5), EPOCHS(1, 5) }, 2, 0,
				"leave nothing for the groups with epochs" },
		{ { SHARE(100, 5), REST(5) }, 2, 0, "leave nothing of the total of 10" },
		{ { EPOCHS(3, 100), REST(5) }, 2, 100, "the epochs need 300, more than the total" },
		{ { EPOCHS(1, 100), REST(5) }, 2, 100, "leave nothing of the total" },
		{ { REST(1), REST(1000000) }, 2, 10, "its part of 10 is nothing" },
		{ { EPOCHS(18446744073709, UINT64_MAX >> 4) }, 1, 0, "too many epochs" },
		{ { { "g", LU_AMOUNT_SHARE, 500000000, 4000000, 10, 0, 0 }, REST(100) }, 2, 1000,
				"a total of 1000 is too large, at most 80 is possible: group g "
				"needs 50.000 epochs" },
		{ { SHARE(50, 1000), { "r", LU_AMOUNT_REST, 0, 2000000, 10, 0, 0 } }, 2, 1000,
				"a total of 1000 is too large, at most 40 is possible: group r" },
		{ { { "g", LU_AMOUNT_EPOCHS, 5000000, 4000000, 10, 0, 0 } }, 1, 0,
				"group g needs 5.000 epochs, more than max_epochs 4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lu_demand d[3];
		struct lu_err err;
		uint64_t whole;

		memcpy(d, bad[i].d, sizeof(d));
		assert_int_equal(lu_solve_quotas(d, bad[i].n, bad[i].total, &whole, &err), -1);
		if (!strstr(err.msg, bad[i].message))
			fail_msg("'%s' instead of '%s'", err.msg, bad[i].message);
	}
}

/* --- plans -------------------------------------------------------------------------------- */

enum { GROUPS = 4, SHARDS = 3, DOCS = 120 };

struct mix {
	struct lu_recipe recipe;
	struct lu_pool pool;
	struct lu_plan plan;
	struct lu_demand demand[GROUPS];
	uint64_t longest[GROUPS];
};

/* Three shards with documents of four groups, in runs and alone, some in no group, some empty. */
static void mix_make(struct mix *m, uint64_t seed, bool by_documents)
{
	static const char *const recipe =
			"[group a]\nlang = a\nshare = 40%\n[group b]\nlang = b\n"
			"share = 23.5%\n[group c]\nlang = c\n[group d]\nlang = d\n";
	struct lu_err err;
	uint64_t whole;

	*m = (struct mix){ 0 };
	put_text("r", recipe);
	assert_int_equal(lu_recipe_read(&m->recipe, "r", &err), 0);
	m->plan.seed = seed;
	m->plan.by_documents = by_documents;
	for (uint64_t shard = 0; shard < SHARDS; shard++) {
		uint32_t group = 0;

		assert_int_equal(lu_pool_shard(&m->pool, &err), 0);
		for (uint64_t i = 0; i < DOCS; i++) {
			uint64_t size = unit_random(&seed) % 50;
			char lang[2] = { 'a', 0 };

			if (unit_random(&seed) % 3)
				group = (uint32_t)(unit_random(&seed) % (GROUPS + 1));
			if (i == 0)
				size = 1000;
			lang[0] = (char)('a' + group);
			if (group < GROUPS && size > m->longest[group])
				m->longest[group] = size;
			assert_int_equal(lu_pool_add(&m->pool,
							 group < GROUPS ? group : LU_RECIPE_NONE,
							 size, lu_str_of(lang), &err),
					0);
		}
	}
	m->plan.shard = lu_arena_alloc(&m->plan.arena, SHARDS * sizeof(*m->plan.shard));
	assert_non_null(m->plan.shard);
	m->plan.shards = SHARDS;
	for (size_t i = 0; i < SHARDS; i++)
		m->plan.shard[i] = (struct lu_plan_shard){ i ? "dir/\"x\"" : "\xC3\xA9", DOCS, 0,
			"0123" };
	assert_int_equal(lu_pool_plan(&m->pool, &m->plan, &m->recipe, &err), 0);
	for (size_t i = 0; i < GROUPS; i++) {
		m->demand[i] = lu_solve_demand(&m->recipe.group.p[i],
				by_documents ? m->plan.group[i].documents
					     : m->plan.group[i].tokens);
		if (by_documents)
			m->longest[i] = 1;
	}
	assert_int_equal(lu_solve_quotas(m->demand, GROUPS, by_documents ? 777 : 20001, &whole,
					 &err),
			0);
	assert_int_equal(whole, by_documents ? 777 : 20001);
	assert_int_equal(lu_solve_cut(&m->plan, m->demand, lu_pool_size, &m->pool, &err), 0);
}

static void mix_release(struct mix *m)
{
	lu_plan_release(&m->plan);
	lu_pool_release(&m->pool);
	lu_recipe_release(&m->recipe);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Each document is used k or k + 1 times, each pass has another order, the sums are the plan's, and
 * at every point of the mix the groups' progress differs by less than one document each. */
static void check_order(const struct mix *m)
{
	static uint32_t times[SHARDS][DOCS];
	static uint64_t first_pass[GROUPS][SHARDS * DOCS];
	uint64_t given[GROUPS] = { 0 }, count[GROUPS] = { 0 }, all[GROUPS], same[GROUPS] = { 0 };
	uint64_t documents = 0, tokens = 0;
	struct lu_plan_walk *w;
	struct lu_plan_entry at;
	struct lu_err err;
	struct lu_pool pool = m->pool;
	int rc;

	memset(times, 0, sizeof(times));
	for (size_t g = 0; g < GROUPS; g++) {
		const struct lu_plan_group *p = &m->plan.group[g];

		all[g] = m->plan.by_documents ? p->passes * p->documents + p->last : p->planned;
	}
	assert_int_equal(lu_plan_walk_new(&w, &m->plan, lu_pool_size, &pool, &err), 0);
	while ((rc = lu_plan_walk_next(w, &at, &err)) > 0) {
		uint64_t i = m->pool.first.p[at.shard] + at.document, in_pass;
		const struct lu_plan_group *p = &m->plan.group[at.group];

		assert_int_equal(m->pool.group.p[i], at.group);
		assert_int_equal(m->pool.size.p[i], at.size);
		assert_int_equal(at.pass, count[at.group] / p->documents);
		assert_int_equal(times[at.shard][at.document]++, at.pass);
		in_pass = count[at.group]++ % p->documents;
		if (at.pass == 0)
			first_pass[at.group][in_pass] = i;
		else if (at.pass == 1)
			same[at.group] += first_pass[at.group][in_pass] == i;
		given[at.group] += m->plan.by_documents ? 1 : at.size;
		tokens += at.size;
		documents++;
		for (size_t a = 0; a < GROUPS; a++) {
			for (size_t b = 0; b < GROUPS; b++) {
				double x = (double)given[a] / (double)all[a];
				double y = (double)given[b] / (double)all[b];

				assert_true(x - y <= (double)m->longest[a] / (double)all[a] / 2 +
								(double)m->longest[b] /
										(double)all[b] / 2 +
								1e-9);
			}
		}
	}
	assert_int_equal(rc, 0);
	lu_plan_walk_free(w);
	assert_int_equal(documents, m->plan.documents);
	assert_int_equal(tokens, m->plan.tokens);
	for (size_t g = 0; g < GROUPS; g++) {
		assert_int_equal(given[g], all[g]);
		/* A second pass in the order of the first would match everywhere. */
		assert_true(same[g] < m->plan.group[g].documents / 2 + 1);
	}
	for (uint64_t i = 0; i < SHARDS * DOCS; i++) {
		uint32_t n = times[i / DOCS][i % DOCS];
		const struct lu_plan_group *p;

		if (m->pool.group.p[i] == LU_RECIPE_NONE) {
			assert_int_equal(n, 0);
			continue;
		}
		p = &m->plan.group[m->pool.group.p[i]];
		assert_true(n == p->passes || n == p->passes + 1);
	}
}

static void test_mix(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 24; seed++) {
		uint64_t whole = 0, rest_longest = 0;
		struct mix m;

		mix_make(&m, seed, seed % 4 == 3);
		for (size_t g = 0; g < GROUPS; g++) {
			const struct lu_plan_group *p = &m.plan.group[g];
			uint64_t got = m.plan.by_documents ? p->passes * p->documents + p->last
							   : p->planned;

			whole += got;
			if (m.demand[g].kind == LU_AMOUNT_SHARE)
				assert_true(distance(got, p->quota) * 2 <= m.longest[g]);
			else if (m.longest[g] > rest_longest)
				rest_longest = m.longest[g];
		}
		assert_true(distance(whole, m.plan.by_documents ? 777 : 20001) * 2 <= rest_longest);
		check_order(&m);
		mix_release(&m);
	}
}

static bool same_order(const struct lu_plan *a, const struct lu_plan *b, struct lu_pool *pool)
{
	struct lu_plan_walk *v, *w;
	struct lu_plan_entry x, y;
	struct lu_err err;
	bool same = true;
	int rc;

	assert_int_equal(lu_plan_walk_new(&v, a, lu_pool_size, pool, &err), 0);
	assert_int_equal(lu_plan_walk_new(&w, b, lu_pool_size, pool, &err), 0);
	while ((rc = lu_plan_walk_next(v, &x, &err)) > 0) {
		assert_int_equal(lu_plan_walk_next(w, &y, &err), 1);
		same &= x.shard == y.shard && x.document == y.document && x.pass == y.pass;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(lu_plan_walk_next(w, &y, &err), 0);
	lu_plan_walk_free(v);
	lu_plan_walk_free(w);
	return same;
}

static int walk_all(const struct lu_plan *p, struct lu_pool *pool)
{
	struct lu_plan_walk *w;
	struct lu_plan_entry at;
	struct lu_err err;
	int rc;

	assert_int_equal(lu_plan_walk_new(&w, p, lu_pool_size, pool, &err), 0);
	while ((rc = lu_plan_walk_next(w, &at, &err)) > 0)
		;
	lu_plan_walk_free(w);
	assert_true(rc == 0 || strstr(err.msg, "do not add up to the plan's"));
	return rc;
}

static void test_plan_file(void **state)
{
	struct lu_buf text = { 0 }, again = { 0 };
	struct lu_plan read;
	struct lu_err err;
	struct mix m;

	(void)state;
	mix_make(&m, 5, false);
	lu_plan_write(&m.plan, &text);
	put_file("plan", text.p, text.n);
	assert_true(lu_plan_is("plan"));
	assert_false(lu_plan_is("r"));
	assert_false(lu_plan_is("no such"));
	assert_int_equal(lu_plan_read(&read, "plan", &err), 0);
	lu_plan_write(&read, &again);
	assert_int_equal(again.n, text.n);
	assert_memory_equal(again.p, text.p, text.n);
	assert_true(same_order(&m.plan, &read, &m.pool));
	/* With another seed the last passes have other documents, so the sizes do not add up. */
	read.seed++;
	assert_int_equal(walk_all(&read, &m.pool), -1);
	lu_plan_release(&read);

	/* Truncated or changed at any byte. */
	for (size_t i = 0; i < text.n; i++) {
		put_file("damaged", text.p, i);
		assert_int_equal(lu_plan_read(&read, "damaged", &err), -1);
		assert_int_equal(strncmp(err.msg, "damaged", 7), 0);
		text.p[i] ^= 0x01;
		put_file("damaged", text.p, text.n);
		assert_int_equal(lu_plan_read(&read, "damaged", &err), -1);
		text.p[i] ^= 0x01;
	}
	lu_buf_release(&text);
	lu_buf_release(&again);
	mix_release(&m);
}

/* Shards that were rewritten after the plan was made: their documents have other sizes. */
static void test_other_sizes(void **state)
{
	(void)state;
	for (int by_documents = 0; by_documents < 2; by_documents++) {
		struct mix m;

		mix_make(&m, 6, by_documents);
		assert_int_equal(walk_all(&m.plan, &m.pool), 0);
		m.pool.size.p[m.pool.first.p[1]]++;
		assert_int_equal(walk_all(&m.plan, &m.pool), -1);
		m.pool.size.p[m.pool.first.p[1]] -= 2;
		assert_int_equal(walk_all(&m.plan, &m.pool), -1);
		mix_release(&m);
	}
}

/* From LU_LABELS_MAX languages on new ones count as "other". */
static void test_labels(void **state)
{
	struct lu_labels l = { 0 };
	struct lu_err err;
	uint32_t number;

	(void)state;
	assert_int_equal(lu_labels_add(&l, LU_STR(""), &number, &err), 0);
	assert_int_equal(number, 0);
	assert_string_equal(l.name.p[0].p, "none");
	for (uint32_t i = 1; i < LU_LABELS_MAX + 50; i++) {
		char label[16];

		snprintf(label, sizeof(label), "l%u", i);
		assert_int_equal(lu_labels_add(&l, lu_str_of(label), &number, &err), 0);
		assert_int_equal(number, i < LU_LABELS_MAX ? i : LU_LABELS_MAX);
		assert_int_equal(lu_labels_add(&l, LU_STR("none"), &number, &err), 0);
		assert_int_equal(number, 0);
		assert_int_equal(lu_labels_add(&l, lu_str_of(label), &number, &err), 0);
		assert_int_equal(number, i < LU_LABELS_MAX ? i : LU_LABELS_MAX);
	}
	assert_int_equal(l.name.n, LU_LABELS_MAX + 1);
	assert_string_equal(l.name.p[LU_LABELS_MAX].p, "other");
	lu_labels_release(&l);
}

static void test_empty_groups(void **state)
{
	struct lu_recipe r;
	struct lu_pool pool = { 0 };
	struct lu_plan plan = { 0 };
	struct lu_err err;

	(void)state;
	put_text("r", "[group a]\nlang = a\n[group b]\n");
	assert_int_equal(lu_recipe_read(&r, "r", &err), 0);
	assert_int_equal(lu_pool_shard(&pool, &err), 0);
	assert_int_equal(lu_pool_add(&pool, 0, 10, LU_STR("a"), &err), 0);
	assert_int_equal(lu_pool_plan(&pool, &plan, &r, &err), -1);
	assert_string_equal(err.msg,
			"group b: no document matches, or the groups before it take them all");
	assert_int_equal(lu_pool_add(&pool, 1, 0, LU_STR("b"), &err), 0);
	assert_int_equal(lu_pool_plan(&pool, &plan, &r, &err), -1);
	assert_string_equal(err.msg, "group b: its documents are empty");
	lu_plan_release(&plan);
	lu_pool_release(&pool);
	lu_recipe_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_recipe_errors),
		cmocka_unit_test(test_recipe),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_quotas),
		cmocka_unit_test(test_quota_errors),
		cmocka_unit_test(test_mix),
		cmocka_unit_test(test_plan_file),
		cmocka_unit_test(test_other_sizes),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_empty_groups),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
