/*
 * The transport of GPUs without one: NCCL's place is taken by fake_nccl.c, the GPU's by fake_device.c.
 * What every transport must do, the levels of equality, and failures.
 */
#include "tests/trainer/comm_checks.h"
#include "tests/trainer/fake_device.h"

typedef int work(struct lt_comm *c, void *arg, struct lu_err *err);

/* Work with the data on a device. */
static int on_device(
		struct lt_comm *c, enum lt_equality level, work *fn, void *arg, struct lu_err *err)
{
	struct lk_queue *q;
	struct lk_err kerr;
	int rc;

	must(fake_ops.open(&q, 0, &kerr) == 0);
	check_ops = &fake_ops;
	check_queue = q;
	rc = lt_comm_device(c, 0, level, err);
	if (rc == 0)
		rc = fn(c, arg, err);
	if (rc == 0)
		fake_ops.close(q);
	return rc;
}

/* ---- what every transport must do -------------------------------------------------------- */

static int layout(struct lt_comm *c, void *arg, struct lu_err *err)
{
	work *const *fn = arg;

	return on_device(c, LT_EQUAL_LAYOUT, *fn, NULL, err);
}

static void good(work *fn, size_t size)
{
	struct ranks r = {
		.size = size, .work = layout, .arg = &fn, .ops = &fake_ops, .before = fake_nccl
	};

	if (fake_nccl_is_there())
		ranks_good(&r, 120);
}

static void test_collectives(void **state)
{
	(void)state;
	for (size_t size = 2; size <= 6; size++)
		good(check_collectives, size);
}

static void test_big(void **state)
{
	(void)state;
	good(check_big, 2);
}

static void test_pending(void **state)
{
	(void)state;
	good(check_overlap, 2);
	good(check_sends_first, 2);
}

static void test_groups(void **state)
{
	(void)state;
	good(check_mesh, 4);
}

/* ---- levels ------------------------------------------------------------------------------ */

enum { N = 10007, MEMBERS = 3 };

/* Sums that NCCL makes, in the order of the ranks: what fake_nccl.c does. */
static int by_library(struct lt_comm *c, void *arg, struct lu_err *err)
{
	static const size_t cuts[][MEMBERS + 1] = { { 0, 3333, 6666, 9999 }, { 0, 10, 10, N } };
	struct lt_group *g = world(c);
	size_t me = lt_comm_rank(c);
	static lk_real x[N], chain[N], tree[N];
	bool differs = false;

	(void)arg;
	for (size_t i = 0; i < N; i++) {
		lk_real v[MEMBERS];

		for (size_t r = 0; r < MEMBERS; r++)
			v[r] = (lk_real)1 / (lk_real)(3 + r * N + i);
		chain[i] = v[0] + v[1] + v[2];
		tree[i] = v[0] + v[2] + v[1];
		differs |= chain[i] != tree[i];
	}
	must(differs);
	for (size_t how = 0; how < 3; how++) {
		const size_t whole[MEMBERS + 1] = { 0, 0, 0, N };
		const size_t *bound = how < 2 ? cuts[how] : whole;
		size_t from = how < 2 ? bound[me] : 0, to = how < 2 ? bound[me + 1] : N;

		for (size_t i = 0; i < N; i++)
			x[i] = (lk_real)1 / (lk_real)(3 + me * N + i);
		if ((how < 2 ? lt_reduce_scatter(g, check_queue, x, bound, LT_REALS, NULL, err)
			     : lt_all_reduce(g, check_queue, x, N, LT_REALS, NULL, err)) < 0)
			return -1;
		must(fake_ops.sync(check_queue) == 0);
		must(memcmp(x + from, chain + from, (to - from) * sizeof(*x)) == 0);
	}
	return 0;
}

static int fast(struct lt_comm *c, void *arg, struct lu_err *err)
{
	if (on_device(c, LT_EQUAL_FAST, by_library, arg, err) < 0)
		return -1;
	must(!getenv("NCCL_ALGO"));
	return 0;
}

static int pinned(struct lt_comm *c, void *arg, struct lu_err *err)
{
	if (on_device(c, LT_EQUAL_RUN, by_library, arg, err) < 0)
		return -1;
	must(strcmp(getenv("NCCL_ALGO"), "Ring") == 0 &&
			strcmp(getenv("NCCL_PROTO"), "Simple") == 0 &&
			strcmp(getenv("NCCL_NVLS_ENABLE"), "0") == 0);
	return 0;
}

static void test_levels(void **state)
{
	struct ranks a = { .size = MEMBERS, .work = fast, .ops = &fake_ops, .before = fake_nccl },
		     b = a;

	(void)state;
	b.work = pinned;
	if (!fake_nccl_is_there())
		return;
	ranks_good(&a, 60);
	ranks_good(&b, 60);
}

/* ---- failures ---------------------------------------------------------------------------- */

struct trouble {
	const char *name, *value; /* of the environment, on `rank` */
	size_t rank;
	const char *says[2]; /* all ranks, that one first, unless NULL */
	enum lt_equality level;
};

static void make_trouble(size_t rank, void *arg)
{
	const struct trouble *t = arg;

	fake_nccl(rank, NULL);
	if (rank == t->rank || strncmp(t->name, "FAKE", 4) != 0)
		setenv(t->name, t->value, 1);
}

static int sums(struct lt_comm *c, void *arg, struct lu_err *err)
{
	static const size_t ranks[] = { 0, 1, 2 };
	static lk_real x[N];
	struct lt_group *g;

	(void)arg;
	if (lt_comm_group(c, ranks, 3, "world", &g, err) < 0)
		return -1;
	for (size_t step = 1; step <= 4; step++) {
		lt_comm_at(c, "step %zu", step);
		if (lt_all_reduce(g, check_queue, x, N, LT_REALS, NULL, err) < 0)
			return -1;
		must(fake_ops.sync(check_queue) == 0);
		if (lt_comm_check(c, err) < 0)
			return -1;
	}
	return lu_err_set(err, "nothing has happened");
}

static int suffer(struct lt_comm *c, void *arg, struct lu_err *err)
{
	const struct trouble *t = arg;
	int rc = on_device(c, t->level, sums, NULL, err);

	return lt_comm_agree(c, LT_CHANNEL_MAIN, rc, err);
}

static void test_trouble(void **state)
{
	static struct trouble all[] = {
		{ "FAKE_NCCL_HANG", "3", 1, { "step 3, all_reduce of world: ", "waited 3 s for" },
				LT_EQUAL_FAST },
		{ "FAKE_NCCL_ERROR", "2", 2,
				{ "step 2, all_reduce of world: NCCL: an operation of world "
				  "failed: unhandled system error",
						"" },
				LT_EQUAL_FAST },
		{ "FAKE_NCCL_HANG", "start", 0, { "waited 3 s for", "" }, LT_EQUAL_FAST },
		{ "NCCL_ALGO", "Tree", 0,
				{ "NCCL_ALGO is Tree in the environment, and parallel.equality = "
				  "run needs Ring",
						"" },
				LT_EQUAL_RUN },
		{ "LUCIE_NCCL", "/nowhere/libnccl.so", 0, { "LUCIE_NCCL: /nowhere", "" },
				LT_EQUAL_LAYOUT },
	};
	enum { ALL = sizeof(all) / sizeof(all[0]) };
	static struct ranks runs[ALL];

	(void)state;
	if (!fake_nccl_is_there())
		return;
	for (size_t i = 0; i < ALL; i++) {
		runs[i] = (struct ranks){ .size = 3,
			.deadline = 3,
			.work = suffer,
			.arg = &all[i],
			.ops = &fake_ops,
			.before = make_trouble };
		ranks_start(&runs[i]);
	}
	for (size_t i = 0; i < ALL; i++) {
		ranks_wait(&runs[i], 60);
		for (size_t r = 0; r < runs[i].size; r++) {
			const char *text = runs[i].text[r];

			if (runs[i].status[r] != RANKS_ERROR || !strstr(text, all[i].says[0]) ||
					!strstr(text, all[i].says[1]) ||
					strchr(text, '\n') != text + strlen(text) - 1)
				fail_msg("%s=%s: rank %zu ends with %d: %s", all[i].name,
						all[i].value, r, runs[i].status[r], text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collectives),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
