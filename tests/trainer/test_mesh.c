/* The mesh of ranks: coordinates against nested loops, groups, errors, the printed table. */
#include "tests/trainer/tiny.h"

#include "trainer/parallel/mesh.h"

static struct lt_mesh mesh(size_t tp, size_t dp, size_t pp, const char *order)
{
	size_t size[LT_AXES] = { [LT_TP] = tp, [LT_CP] = 1, [LT_DP] = dp, [LT_PP] = pp };
	struct lt_mesh m;
	struct lu_err err;

	ok(lt_mesh_init(&m, size, order, tp * dp * pp, &err), &err);
	assert_int_equal(m.ranks, tp * dp * pp);
	return m;
}

static void test_order(void **state)
{
	struct lt_mesh m = mesh(2, 3, 5, NULL), back = mesh(2, 3, 5, " pp  dp\ttp cp ");
	size_t rank = 0, at[LT_AXES] = { 0 };

	(void)state;
	for (at[LT_PP] = 0; at[LT_PP] < 5; at[LT_PP]++) {
		for (at[LT_DP] = 0; at[LT_DP] < 3; at[LT_DP]++) {
			for (at[LT_TP] = 0; at[LT_TP] < 2; at[LT_TP]++, rank++) {
				assert_int_equal(lt_mesh_rank(&m, at), rank);
				for (size_t axis = 0; axis < LT_AXES; axis++)
					assert_int_equal(lt_mesh_at(&m, (enum lt_axis)axis, rank),
							at[axis]);
			}
		}
	}
	rank = 0;
	for (at[LT_TP] = 0; at[LT_TP] < 2; at[LT_TP]++) {
		for (at[LT_DP] = 0; at[LT_DP] < 3; at[LT_DP]++) {
			for (at[LT_PP] = 0; at[LT_PP] < 5; at[LT_PP]++)
				assert_int_equal(lt_mesh_rank(&back, at), rank++);
		}
	}
}

/* Each axis partitions the ranks; a member's place in its group is its coordinate. */
static void test_groups(void **state)
{
	static const char *const orders[] = { "tp cp dp pp", "dp tp pp cp", "pp dp cp tp" };
	size_t ranks[8];

	(void)state;
	for (size_t o = 0; o < 3; o++) {
		struct lt_mesh m = mesh(4, 6, 3, orders[o]);

		for (size_t axis = 0; axis < LT_AXES; axis++) {
			enum lt_axis a = (enum lt_axis)axis;

			for (size_t r = 0; r < m.ranks; r++) {
				size_t found = 0;

				lt_mesh_group(&m, a, r, ranks);
				for (size_t i = 0; i < m.size[axis]; i++) {
					assert_true(ranks[i] < m.ranks);
					assert_true(i == 0 || ranks[i] > ranks[i - 1]);
					assert_int_equal(lt_mesh_at(&m, a, ranks[i]), i);
					assert_int_equal(lt_mesh_peer(&m, a, r, i), ranks[i]);
					found += ranks[i] == r;
					for (size_t other = 0; other < LT_AXES; other++) {
						if (other == axis)
							continue;
						assert_int_equal(lt_mesh_at(&m, (enum lt_axis)other,
										 ranks[i]),
								lt_mesh_at(&m, (enum lt_axis)other,
										r));
					}
				}
				assert_int_equal(found, 1);
			}
		}
	}
}

static void refused(size_t tp, size_t cp, size_t dp, size_t pp, const char *order, size_t processes,
		const char *sentence)
{
	size_t size[LT_AXES] = { [LT_TP] = tp, [LT_CP] = cp, [LT_DP] = dp, [LT_PP] = pp };
	struct lt_mesh m;
	struct lu_err err;

	assert_int_equal(lt_mesh_init(&m, size, order, processes, &err), -1);
	assert_string_equal(err.msg, sentence);
}

static void test_errors(void **state)
{
	(void)state;
	refused(2, 1, 1, 2, NULL, 6,
			"parallel.tp 2 x pp 2 x dp 1 = 4 ranks, but 6 processes were started: "
			"start 4");
	refused(2, 1, 1, 2, NULL, 8,
			"parallel.tp 2 x pp 2 x dp 1 = 4 ranks, but 8 processes were started: "
			"start 4, "
			"or set parallel.dp to 2");
	refused(2, 1, 1, 1, NULL, 1,
			"parallel.tp 2 x pp 1 x dp 1 = 2 ranks, but 1 process was started: start "
			"2");
	refused(2, 1, 0, 2, NULL, 6,
			"parallel.tp 2 x pp 2 = 4 does not divide the number of ranks: 6 processes "
			"were "
			"started, start a multiple of 4");
	refused(2, 2, 1, 2, NULL, 8,
			"parallel.cp = 2: context parallelism is not implemented, set it to 1 and "
			"split tensors (parallel.tp) instead");
	refused(0, 1, 1, 1, NULL, 1, "parallel.tp = 0: at least 1 is needed");
	refused(SIZE_MAX, 1, 1, 2, NULL, 1,
			"parallel.tp 18446744073709551615 x pp 2 x dp 1 is out of range: the "
			"product is "
			"the number of processes to start");
	refused(1, 1, 1, 1, "tp dp pp", 1,
			"parallel.order = tp dp pp lacks cp: name each of tp, cp, dp and pp once");
	refused(1, 1, 1, 1, "tp cp dp pp tp", 1,
			"parallel.order = tp cp dp pp tp names tp twice: name each of tp, cp, dp "
			"and "
			"pp once");
	refused(1, 1, 1, 1, "tp cp ep pp", 1,
			"parallel.order = tp cp ep pp: 'ep' is no axis: name each of tp, cp, dp "
			"and pp "
			"once");
}

static void test_dp_follows(void **state)
{
	size_t size[LT_AXES] = { [LT_TP] = 2, [LT_CP] = 1, [LT_DP] = 0, [LT_PP] = 2 };
	struct lt_mesh m;
	struct lu_err err;

	(void)state;
	ok(lt_mesh_init(&m, size, NULL, 12, &err), &err);
	assert_int_equal(m.size[LT_DP], 3);
	assert_int_equal(m.ranks, 12);
	assert_int_equal(m.stride[LT_PP], 6);
}

static void printed(size_t tp, size_t dp, size_t pp, const char *order, const char *text)
{
	struct lt_mesh m = mesh(tp, dp, pp, order);
	struct lu_buf b = { 0 };
	struct lu_err err;

	ok(lt_mesh_print(&m, &b, &err), &err);
	assert_string_equal(b.p, text);
	lu_buf_release(&b);
}

static void test_print(void **state)
{
	(void)state;
	printed(1, 1, 1, NULL, "one rank\n");
	printed(2, 3, 1, NULL,
			"axis  size  groups  ranks of a group\n"
			"tp       2       3  0 1, 2 3, 4 5\n"
			"dp       3       2  0 2 4, 1 3 5\n");
	printed(4, 32, 4, NULL,
			"axis  size  groups  ranks of a group\n"
			"tp       4     128  0-3, 4-7, ..., 508-511\n"
			"dp      32      16  0-124 by 4, 1-125 by 4, ..., 387-511 by 4\n"
			"pp       4     128  0 128 256 384, 1 129 257 385, ..., 127 255 383 511\n");
}

/* Partners in the tree are neighbours, and every rank still has one place. */
static void test_reverse(void **state)
{
	struct lt_mesh m = mesh(2, 8, 2, NULL);
	size_t at[LT_AXES], ranks[8];

	(void)state;
	assert_true(lt_mesh_reverse(&m));
	for (size_t rank = 0; rank < m.ranks; rank++) {
		for (int a = 0; a < LT_AXES; a++)
			at[a] = lt_mesh_at(&m, (enum lt_axis)a, rank);
		assert_int_equal(lt_mesh_rank(&m, at), rank);
	}
	lt_mesh_group(&m, LT_DP, 1, ranks);
	for (size_t j = 0; j < 4; j++)
		assert_int_equal(ranks[j + 4], ranks[j] + 2);
	assert_int_equal(ranks[2], ranks[0] + 4);
	assert_int_equal(ranks[1], ranks[0] + 8);
	m = mesh(1, 6, 1, NULL);
	assert_false(lt_mesh_reverse(&m));
	assert_int_equal(lt_mesh_at(&m, LT_DP, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order),
		cmocka_unit_test(test_groups), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_dp_follows), cmocka_unit_test(test_print),
		cmocka_unit_test(test_reverse) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
