/* The order of plans against a plain reading of lucie-plan(5), and the index that finds places in
 * it: what it finds, its bytes, and what damage does to it. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/mix/walk_index.h"

enum { GROUPS = 9, RANGES = 3, SHARD = 2500, FEW = 300 };

/* A plan with the sizes of its documents. Ranges of different groups may overlap: a walk does not
 * mind. */
struct made {
	struct lu_plan plan;
	struct lu_plan_shard shard[2];
	struct lu_plan_group group[GROUPS];
	struct lu_plan_range range[GROUPS][RANGES];
	uint64_t before[GROUPS][RANGES];
	char name[GROUPS][24];
	uint64_t docs; /* of each shard */
	uint64_t size[2][SHARD];
};

static int size_of(void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err)
{
	const struct made *m = ctx;

	(void)err;
	*size = m->size[shard][document];
	return 0;
}

/* Document j of all that a group yields. */
static struct lu_plan_entry entry(const struct made *m, size_t group, uint64_t j)
{
	const struct lu_plan_group *g = &m->plan.group[group];
	uint64_t pass = j / g->documents, i;
	struct lu_plan_entry e;

	i = lu_rand_permute(m->plan.seed, lu_rand_stream(g->name, pass), j % g->documents,
			g->documents);
	e = lu_plan_document(g, i);
	e.group = group;
	e.pass = pass;
	e.size = m->size[e.shard][e.document];
	return e;
}

static void fill_group(struct made *m, size_t i, uint64_t *seed)
{
	struct lu_plan_group *g = &m->group[i];

	snprintf(m->name[i], sizeof(m->name[i]), "g%zu", i);
	*g = (struct lu_plan_group){
		.name = m->name[i], .range = m->range[i], .before = m->before[i]
	};
	g->ranges = 1 + unit_random(seed) % RANGES;
	for (size_t k = 0; k < g->ranges; k++) {
		uint64_t first = unit_random(seed) % m->docs;
		uint64_t n = 1 + unit_random(seed) % (m->docs - first);

		g->range[k] = (struct lu_plan_range){ unit_random(seed) % 2, first, n };
		g->before[k] = g->documents;
		g->documents += n;
	}
	g->passes = unit_random(seed) % 4;
	g->last = unit_random(seed) % g->documents;
	for (uint64_t j = 0; j < g->passes * g->documents + g->last; j++)
		g->planned += entry(m, i, j).size;
	for (uint64_t j = 0; j < g->documents; j++) {
		struct lu_plan_entry e = lu_plan_document(g, j);

		g->tokens += m->size[e.shard][e.document];
	}
	m->plan.documents += g->passes * g->documents + g->last;
	m->plan.tokens += g->planned;
}

/* A random plan over two shards of so many documents. Sizes are of a kind: all alike, so that
 * positions tie; mostly none; any. */
static struct made *make(uint64_t seed, uint64_t docs)
{
	struct made *m = calloc(1, sizeof(*m));
	uint64_t kind = unit_random(&seed) % 4;
	struct lu_buf text = { 0 };

	assert_non_null(m);
	m->docs = docs;
	for (size_t s = 0; s < 2; s++) {
		m->shard[s] = (struct lu_plan_shard){ s ? "b" : "a", docs, 0, "" };
		for (size_t i = 0; i < docs; i++) {
			uint64_t r = unit_random(&seed);

			m->size[s][i] = kind == 0   ? 4
					: kind == 1 ? (r % 50 == 0 ? r % 7 : 0)
						    : r % (kind == 2 ? 3 : 2000);
			m->shard[s].tokens += m->size[s][i];
		}
	}
	m->plan = (struct lu_plan){ .seed = seed,
		.by_documents = unit_random(&seed) % 3 == 0,
		.shard = m->shard,
		.shards = 2,
		.group = m->group,
		.groups = 1 + unit_random(&seed) % GROUPS };
	for (size_t i = 0; i < m->plan.groups; i++)
		fill_group(m, i, &seed);
	lu_plan_write(&m->plan, &text);
	lu_buf_release(&text);
	return m;
}

/* The order of the plan by comparing all groups at each step, as the page says it. A group that yields
 * nothing but empty documents has no positions: it waits until those before it are done. */
static struct lu_plan_entry *order(const struct made *m)
{
	__extension__ typedef unsigned __int128 u128;
	struct lu_plan_entry *all = calloc(m->plan.documents + 1, sizeof(*all)), next[GROUPS];
	uint64_t at[GROUPS] = { 0 }, done[GROUPS] = { 0 };

	assert_non_null(all);
	for (size_t i = 0; i < m->plan.groups; i++)
		next[i] = entry(m, i, 0);
	for (uint64_t n = 0; n < m->plan.documents; n++) {
		size_t best = GROUPS;
		u128 best_part = 0, best_all = 0;

		for (size_t i = 0; i < m->plan.groups; i++) {
			const struct lu_plan_group *g = &m->group[i];
			uint64_t count = g->passes * g->documents + g->last;
			bool docs = m->plan.by_documents;
			u128 part, whole = docs ? count : g->planned;

			if (at[i] == count)
				continue;
			part = 2 * (u128)done[i] + (docs ? 1 : next[i].size);
			if (best < GROUPS && !(part * best_all < best_part * whole))
				continue;
			best = i;
			best_part = part;
			best_all = whole;
		}
		assert_true(best < GROUPS);
		all[n] = next[best];
		next[best] = entry(m, best, ++at[best]);
		done[best] += m->plan.by_documents ? 1 : all[n].size;
	}
	return all;
}

static void same(const struct lu_plan_entry *a, const struct lu_plan_entry *b)
{
	assert_int_equal(a->shard, b->shard);
	assert_int_equal(a->document, b->document);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->group, b->group);
	assert_int_equal(a->pass, b->pass);
}

static void must(int rc, const struct lu_err *err)
{
	if (rc < 0)
		fail_msg("%s", err->msg);
}

static void test_order(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct made *m = make(seed, seed % 8 ? FEW : SHARD);
		struct lu_plan_entry *want = order(m), e;
		struct lu_plan_mark mark[GROUPS];
		struct lu_plan_walk *w, *other;
		struct lu_err err;
		uint64_t stop = m->plan.documents / 3;

		must(lu_plan_walk_new(&w, &m->plan, size_of, m, &err), &err);
		must(lu_plan_walk_new(&other, &m->plan, size_of, m, &err), &err);
		for (uint64_t i = 0; i < m->plan.documents; i++) {
			/* Another walk takes over. */
			if (i == stop) {
				lu_plan_walk_marks(w, mark);
				must(lu_plan_walk_restore(other, mark, &err), &err);
			}
			assert_int_equal(lu_plan_walk_next(i < stop ? w : other, &e, &err), 1);
			same(&e, &want[i]);
		}
		assert_int_equal(lu_plan_walk_next(other, &e, &err), 0);
		/* And back. */
		must(lu_plan_walk_restore(w, mark, &err), &err);
		for (uint64_t i = stop; i < m->plan.documents; i++) {
			assert_int_equal(lu_plan_walk_next(w, &e, &err), 1);
			same(&e, &want[i]);
		}
		lu_plan_walk_free(w);
		lu_plan_walk_free(other);
		free(want);
		free(m);
	}
}

/* Marks that no walk has. */
static void test_bad_marks(void **state)
{
	struct lu_plan_mark mark[GROUPS] = { { 0, 0 } };
	struct made *m = make(3, FEW);
	struct lu_plan_walk *w;
	struct lu_err err;
	uint64_t count = m->group[0].passes * m->group[0].documents + m->group[0].last;

	(void)state;
	must(lu_plan_walk_new(&w, &m->plan, size_of, m, &err), &err);
	mark[0].documents = count + 1;
	assert_int_equal(lu_plan_walk_restore(w, mark, &err), -1);
	assert_string_equal(err.msg, "group g0: cannot be there");
	mark[0] = (struct lu_plan_mark){ 1, m->group[0].planned + 1 };
	assert_int_equal(lu_plan_walk_restore(w, mark, &err), -1);
	mark[0] = (struct lu_plan_mark){ count, 0 };
	assert_int_equal(lu_plan_walk_restore(w, mark, &err), m->group[0].planned ? -1 : 0);
	lu_plan_walk_free(w);
	free(m);
}

/* --- the index ---------------------------------------------------------------------------- */

static int to_buf(void *ctx, const void *p, size_t n, struct lu_err *err)
{
	lu_buf_append(ctx, p, n);
	return lu_buf_check(ctx, err);
}

static void write_index(struct made *m, struct lu_buf *out)
{
	struct lu_err err;

	lu_buf_clear(out);
	must(lu_walk_index_write(&m->plan, size_of, m, to_buf, out, &err), &err);
}

/* Find tokens by the index: each is in the document of the order that has it, within an interval. */
static void check_index(struct made *m, const struct lu_walk_index *x, uint64_t seed)
{
	struct lu_plan_entry *want = order(m), e;
	uint64_t *end = calloc(m->plan.documents + 1, sizeof(*end)), sum = 0;
	struct lu_plan_mark mark[GROUPS];
	struct lu_plan_walk *w;
	struct lu_walk_place at;
	struct lu_err err;

	assert_non_null(end);
	for (uint64_t i = 0; i < m->plan.documents; i++)
		end[i] = sum += want[i].size;
	must(lu_plan_walk_new(&w, &m->plan, size_of, m, &err), &err);
	for (int k = 0; k < 30 && sum; k++) {
		uint64_t token = k == 0	 ? 0
				: k == 1 ? sum - 1
					 : unit_random(&seed) % sum,
			 steps = 0;

		must(lu_walk_index_find(x, token, mark, &at, &err), &err);
		assert_int_equal(at.documents, at.record * lu_walk_index_interval(x));
		assert_int_equal(at.tokens, at.documents ? end[at.documents - 1] : 0);
		assert_true(at.tokens <= token);
		must(lu_plan_walk_restore(w, mark, &err), &err);
		do {
			assert_true(steps < lu_walk_index_interval(x));
			assert_int_equal(lu_plan_walk_next(w, &e, &err), 1);
			same(&e, &want[at.documents + steps]);
		} while (end[at.documents + steps++] <= token);
	}
	/* Every record by its number. */
	for (uint64_t r = 0; r < lu_walk_index_records(x); r++) {
		must(lu_walk_index_record(x, r, mark, &at, &err), &err);
		assert_int_equal(at.record, r);
		assert_int_equal(at.tokens, at.documents ? end[at.documents - 1] : 0);
		must(lu_plan_walk_restore(w, mark, &err), &err);
		assert_int_equal(lu_plan_walk_next(w, &e, &err), 1);
		same(&e, &want[at.documents]);
	}
	lu_plan_walk_free(w);
	free(want);
	free(end);
}

static void test_index(void **state)
{
	uint64_t most = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct made *m = make(seed, seed % 8 ? FEW : SHARD);
		struct lu_walk_index *x;
		struct lu_buf text = { 0 };
		struct lu_err err;

		must(lu_walk_index_build(&x, &m->plan, size_of, m, &err), &err);
		check_index(m, x, seed);
		lu_walk_index_close(x);
		write_index(m, &text);
		put_file("plan.walk", text.p, text.n);
		assert_int_equal(lu_walk_index_open(&x, "plan.walk", &m->plan, &err), 0);
		must(lu_walk_index_check(x, &err), &err);
		check_index(m, x, seed + 1);
		if (lu_walk_index_records(x) > most)
			most = lu_walk_index_records(x);
		lu_walk_index_close(x);
		/* Beside another plan. */
		m->plan.checksum++;
		assert_int_equal(lu_walk_index_open(&x, "plan.walk", &m->plan, &err), 1);
		assert_null(x);
		lu_buf_release(&text);
		free(m);
	}
	/* Several pages. */
	assert_in_range(most, 33, 200);
}

static void test_no_documents(void **state)
{
	struct lu_plan plan = { .seed = 1 };
	struct lu_walk_index *x;
	struct lu_buf text = { 0 };
	struct lu_err err;

	(void)state;
	lu_plan_write(&plan, &text);
	must(lu_walk_index_build(&x, &plan, size_of, NULL, &err), &err);
	assert_int_equal(lu_walk_index_records(x), 0);
	must(lu_walk_index_check(x, &err), &err);
	lu_walk_index_close(x);
	lu_buf_release(&text);
}

/* The rule of the interval; products that overflow. */
static void test_interval(void **state)
{
	static const struct {
		uint64_t documents, groups, interval;
	} want[] = { { 0, 0, 512 }, { 5, 1, 512 }, { 100000000, 140, 560 },
		{ 3520000000, 140, 7344 }, { UINT64_MAX, 1, UINT64_C(1) << 38 },
		{ UINT64_C(1) << 62, UINT64_C(1) << 30, UINT64_C(1) << 62 } };

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct lu_plan p = { .documents = want[i].documents, .groups = want[i].groups };

		assert_int_equal(lu_walk_interval(&p), want[i].interval);
	}
}

/* A plan and its index as of version 1. */
static void test_golden(void **state)
{
	struct made *m = make(12, FEW);
	struct lu_buf plan = { 0 }, walk = { 0 };
	size_t n;
	char *want;

	(void)state;
	lu_plan_write(&m->plan, &plan);
	want = get_data("plan-1", &n);
	assert_int_equal(plan.n, n);
	assert_memory_equal(plan.p, want, n);
	free(want);
	write_index(m, &walk);
	want = get_data("plan-1.walk", &n);
	assert_int_equal(walk.n, n);
	assert_memory_equal(walk.p, want, n);
	free(want);
	lu_buf_release(&plan);
	lu_buf_release(&walk);
	free(m);
}

/* Open a file and ask it for everything: true if all goes well. */
static bool serves(struct made *m, struct lu_err *err)
{
	struct lu_plan_mark mark[GROUPS];
	struct lu_walk_index *x;
	struct lu_walk_place at;
	struct lu_plan_walk *w;
	bool good = lu_walk_index_open(&x, "plan.walk", &m->plan, err) == 0;

	if (!good)
		return false;
	must(lu_plan_walk_new(&w, &m->plan, size_of, m, err), err);
	for (uint64_t r = 0; good && r < lu_walk_index_records(x); r++)
		good = lu_walk_index_record(x, r, mark, &at, err) == 0 &&
				lu_plan_walk_restore(w, mark, err) == 0;
	for (uint64_t t = 0; good && t < m->plan.tokens; t += 999)
		good = lu_walk_index_find(x, t, mark, &at, err) == 0 &&
				lu_plan_walk_restore(w, mark, err) == 0;
	lu_plan_walk_free(w);
	lu_walk_index_close(x);
	return good;
}

/* Truncated, or a bit changed, anywhere: a sentence with the way out. */
static void test_damage(void **state)
{
	struct made *m = make(12, FEW);
	struct lu_buf text = { 0 };
	struct lu_err err = { 0 };

	(void)state;
	write_index(m, &text);
	put_file("plan.walk", text.p, text.n);
	assert_true(serves(m, &err));
	for (size_t i = 0; i < text.n; i++) {
		err.msg[0] = '\0';
		put_file("plan.walk", text.p, i);
		assert_false(serves(m, &err));
		assert_non_null(strstr(err.msg, "plan.walk: "));
		assert_non_null(strstr(err.msg, "remove it"));
		text.p[i] ^= 0x04;
		put_file("plan.walk", text.p, text.n);
		assert_false(serves(m, &err));
		assert_non_null(strstr(err.msg, "remove it"));
		text.p[i] ^= 0x04;
	}
	/* Bytes of the page that have changed places: all sums are right. */
	for (size_t i = 72; i + 34 < text.n; i++) {
		char a = text.p[i], b = text.p[i + 1];

		if (a == b)
			continue;
		text.p[i] = b;
		text.p[i + 1] = a;
		put_file("plan.walk", text.p, text.n);
		assert_false(serves(m, &err));
		text.p[i] = a;
		text.p[i + 1] = b;
	}
	/* A document more of one group, one less of another. */
	text.p[92]++;
	text.p[96]--;
	put_file("plan.walk", text.p, text.n);
	assert_false(serves(m, &err));
	lu_buf_release(&text);
	free(m);
}

/* Make the checksums of the page, the directory and the header match again: then only what the numbers
 * say can be wrong. There is one page. */
static void sign(char *p, size_t n)
{
	char *directory = p + n - 32;
	size_t offset = (size_t)lu_load64(directory + 8), end = n - 32;

	if (offset <= end)
		lu_store64(directory + 16, lu_fnv1a(LU_FNV_BASIS, p + offset, end - offset));
	lu_store64(p + n - 8, lu_fnv1a(LU_FNV_BASIS, directory, 24));
	lu_store64(p + 64, lu_fnv1a(LU_FNV_BASIS, p, 64));
}

/* An index that lies: no crash, nothing read outside of it. */
static void test_hostile(void **state)
{
	struct made *m = make(12, FEW);
	struct lu_buf text = { 0 };
	struct lu_err err;
	uint64_t seed = 1, served = 0;
	char *copy;

	(void)state;
	write_index(m, &text);
	copy = malloc(text.n);
	assert_non_null(copy);
	for (int k = 0; k < 3000; k++) {
		size_t n = text.n;

		memcpy(copy, text.p, n);
		for (int c = 0; c < 1 + k % 3; c++) {
			size_t at = 32 + unit_random(&seed) % (n - 32);

			copy[at] = (char)(unit_random(&seed) % 3 ? unit_random(&seed) : 0xff);
		}
		sign(copy, n);
		put_file("plan.walk", copy, n);
		served += serves(m, &err);
	}
	assert_in_range(served, 0, 2000);
	free(copy);
	lu_buf_release(&text);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bad_marks),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_no_documents),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
