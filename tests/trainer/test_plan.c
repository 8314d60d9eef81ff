/* What a layout costs: the formulas against numbers worked out by hand, layouts as text, the search. */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "trainer/plan/plan_text.h"
#include "trainer/plan/ranking.h"

#define GPUS 512

/* Jean Zay's H100 nodes, and constants with which times are easy to work out. */
static const struct lt_cluster cluster = { .gpus = GPUS,
	.gpus_per_node = 4,
	.memory = (uint64_t)80 << 30,
	.peak = 1000,
	.bandwidth = 3000,
	.link = 400,
	.adapters = 4,
	.adapter = 400,
	.latency = 5 };
static const struct lt_constants plain = { .product = 1,
	.attention = 1,
	.attention_back = 1,
	.software = 1,
	.moving = 1,
	.link = 1,
	.adapter = 0.84 };

static void near(double got, double want, double relative)
{
	if (fabs(got - want) > relative * fabs(want))
		fail_msg("%g instead of %g", got, want);
}

static struct lt_settings lucie(void)
{
	struct lt_settings s;
	struct lu_err err;

	lt_settings_init(&s);
	s.model.preset = "lucie-7b";
	ok(lt_settings_preset(&s, (const bool[64]){ false }, &err), &err);
	s.data.train = "unread";
	s.train.dtype = LT_BF16;
	s.train.context = 4096;
	s.train.micro_batch = 1;
	s.train.global_batch = 1024;
	s.train.samples = 1024000;
	return s;
}

static void set_layout(struct lt_settings *s, const char *text)
{
	struct lt_choice c;
	struct lu_err err;

	ok(lt_choice_parse(&c, text, &err), &err);
	lt_choice_apply(&c, GPUS, s);
}

static struct lt_cost cost_of(const char *layout, const struct lt_constants *k)
{
	struct lt_settings s = lucie();
	struct lt_scene *sc;
	struct lt_cost cost;
	struct lu_err err;

	set_layout(&s, layout);
	ok(lt_scene_open(&sc, &cluster, k, &s, &err), &err);
	ok(lt_scene_cost(sc, s.train.global_batch, &cost, &err), &err);
	lt_scene_close(sc);
	return cost;
}

/* --- exchange ---------------------------------------------------------------------------------- */

static struct lt_ties ties(size_t tp, size_t dp, size_t pp, enum lt_axis axis)
{
	const size_t size[LT_AXES] = { [LT_TP] = tp, [LT_CP] = 1, [LT_DP] = dp, [LT_PP] = pp };
	struct lt_mesh m;
	struct lu_err err;

	ok(lt_mesh_init(&m, size, NULL, tp * dp * pp, &err), &err);
	return lt_ties_of(&cluster, &plain, &m, axis);
}

static void test_ties(void **state)
{
	struct lt_ties t = ties(1, 512, 1, LT_DP);

	(void)state;
	/* Gradients of 6.7e9 parameters over 512 ranks with an adapter each: 0.16 s in fp32, and half
	 * of it in bf16. */
	near(lt_ties_ring(&t, 26.8e9), 0.16, 0.02);
	near(lt_ties_ring(&t, 13.4e9), 0.08, 0.02);
	/* TP2: half of the bytes, two members in a node, and so half of its adapters. */
	t = ties(2, 256, 1, LT_DP);
	near(lt_ties_ring(&t, 13.4e9), 0.16, 0.02);
	/* TP4: a member in a node, one adapter. */
	t = ties(4, 32, 4, LT_DP);
	near(lt_ties_sent(&t, 1), 31 / 32.0, 1e-9);
	near(t.rate, 42e9, 1e-9);
	near(t.nodes, 32, 1e-9);
	/* Within a node: links. An all-reduce sends twice what a reduce-scatter does. */
	t = ties(4, 128, 1, LT_TP);
	near(t.rate, 400e9, 1e-9);
	near(lt_ties_all_reduce(&t, 1e9), 2 * lt_ties_ring(&t, 1e9), 1e-9);
	/* Stages on different nodes. */
	t = ties(4, 32, 4, LT_PP);
	near(lt_ties_send(&t, 42e9), 1 + 5e-6, 1e-9);
	t = ties(1, 1, 2, LT_PP);
	near(lt_ties_send(&t, 400e9), 1, 1e-9);
	/* Latency: 128 hops between nodes, 384 within; a tree has 7 levels. */
	t = ties(1, 512, 1, LT_DP);
	near(t.turn, 128 * 5e-6, 1e-9);
	near(t.depth, 2 * 7 * 5e-6, 1e-9);
	assert_true(lt_ties_all_reduce(&t, 8) < lt_ties_ring(&t, 8));
	/* A group of one has nothing to do. */
	t = ties(1, 512, 1, LT_TP);
	assert_true(lt_ties_ring(&t, 1e9) <= 0 && lt_ties_send(&t, 1e9) <= 0);
}

/* --- passes ------------------------------------------------------------------------------------ */

/* The rates of attention that the constants were fitted to, in TFLOP/s of a causal half. */
static void test_attention(void **state)
{
	static const double rate[2][5] = { { 484, 591, 644, 673, 688 },
		{ 370, 474, 541, 579, 581 } };
	struct lt_cluster h200;
	struct lt_constants k;
	struct lu_err err;
	struct lt_work w = { .cluster = &h200, .k = &k, .batch = 1 };

	(void)state;
	ok(lt_cluster_read(&h200, "pipelines/clusters/dgx-h200.ini", &err), &err);
	ok(lt_constants_read(&k, "pipelines/clusters/constants.ini", &err), &err);
	w.local = (struct lt_shape){ .heads = 64, .kv_heads = 8, .dim = 128 };
	for (int back = 0; back < 2; back++) {
		for (int i = 0; i < 5; i++) {
			double flops, t = 2048 << i;

			w.context = t;
			flops = 2 * t * t * 64 * 128 * (back ? 2.5 : 1);
			near(flops / (lt_work_attention(&w, back) - k.launch * 1e-6) / 1e12,
					rate[back][i], 0.04);
		}
	}
}

static void test_product(void **state)
{
	struct lt_constants k = plain;
	struct lt_work w = { .cluster = &cluster, .k = &k, .act_size = 2 };
	double compute = 2 * 8192.0 * 4096 * 4096 / 1e15, write = 8192.0 * 4096 * 2 / 3e12;

	(void)state;
	near(lt_work_product(&w, 8192, 4096, 4096, 2), compute + write, 1e-9);
	k.product = 0.5;
	near(lt_work_product(&w, 8192, 4096, 4096, 2), 2 * compute + write, 1e-9);
	/* Half of the rate at this area. */
	k.product_area = 8192.0 * 4096;
	near(lt_work_product(&w, 8192, 4096, 4096, 2), 4 * compute + write, 1e-9);
	/* A row: the time to read the weight. */
	k = plain;
	near(lt_work_product(&w, 1, 4096, 4096, 2), 4096.0 * 4097 * 2 / 3e12, 1e-3);
	k.launch = 3;
	near(lt_work_product(&w, 1, 4096, 4096, 2), 3e-6 + 4096.0 * 4097 * 2 / 3e12, 1e-3);
}

/* --- a step ------------------------------------------------------------------------------------ */

static void test_step(void **state)
{
	struct lt_constants k = plain;
	struct lt_cost c = cost_of("tp=1,pp=1", &k), d;
	double products = 6 * 6440353792.0 - 6 * 4096 * 65024.0, attention;
	double work;

	(void)state;
	/* Two micro-batches of 4,096 tokens at the peak, the head apart. */
	near(c.busy.part[LT_PART_PRODUCTS], 2 * 4096 * products / 1e15, 0.15);
	assert_true(c.busy.part[LT_PART_PRODUCTS] > 2 * 4096 * products / 1e15);
	attention = 32 * 2 * 3.5 * 4096.0 * 4096 * 4096;
	near(c.busy.part[LT_PART_ATTENTION], 2 * attention / 1e15, 1e-6);
	near((double)c.micros, 2, 1e-9);
	/* ZeRO-1: gradients and parameters, each once around. */
	/* Gradients in fp32, the copy for products in bf16. */
	near(c.traffic[LT_DP], (4 + 2) * 6706958336.0 * 511 / 512, 1e-6);
	assert_true(c.traffic[LT_TP] <= 0 && c.traffic[LT_PP] <= 0 && c.bubble <= 0);
	/* The parts add up. */
	work = lt_pass_seconds(&c.busy) + c.waiting + c.reduce + c.gather + c.update + c.fixed;
	near(c.step, work + c.straggler, 1e-9);
	near(c.tokens, 1024 * 4096 / c.step, 1e-9);
	/* 45.09 and 41.86 GFLOP a token. */
	near(c.mfu, c.tokens * 45.09e9 / (512 * 1e15), 1e-3);
	near(c.mfu_causal, c.tokens * 41.86e9 / (512 * 1e15), 1e-3);
	/* 128 nodes. */
	k.straggler = 0.05;
	d = cost_of("tp=1,pp=1", &k);
	near(d.step, c.step * (1 + 0.05 * sqrt(2 * log(128))), 1e-9);
	/* All hidden but the first bucket, the embedding: 1.07 GB. */
	k = plain;
	k.overlap = 1;
	d = cost_of("tp=1,pp=1,micro_batch=2", &k);
	near(d.reduce, 4 * 65024 * 4096.0 / 168e9, 0.2);
	assert_true(d.reduce < c.reduce && d.reduce_time > 0.15);
	/* Behind half as much work, a part of it is left. */
	d = cost_of("tp=1,pp=1", &k);
	assert_true(d.reduce > 0.02 && d.reduce < c.reduce);
	/* A slower software slows computation alone. */
	k = plain;
	k.software = 2;
	d = cost_of("tp=1,pp=1", &k);
	near(lt_pass_seconds(&d.busy), 2 * lt_pass_seconds(&c.busy), 1e-9);
}

/* Traffic of tensor and pipeline parallelism in the original's layout. */
static void test_traffic(void **state)
{
	struct lt_constants k = plain;
	struct lt_cost c = cost_of("tp=4,pp=4,zero=0,micro_batch=2", &k), d;
	double rows = 2 * 4096.0, full = rows * 4096 * 2, micros = 16;

	(void)state;
	near((double)c.micros, micros, 1e-9);
	/* Of the nine layers of the third stage: four all-reduces each, 2 (t - 1) / t of the bytes. */
	near(c.traffic[LT_TP], micros * 9 * 4 * 2 * 0.75 * full, 0.02);
	/* A stage in the middle receives an output and a gradient. */
	near(c.traffic[LT_PP], micros * 2 * full, 1e-9);
	/* Full recomputation: the sum after attention once more. */
	d = cost_of("tp=4,pp=4,zero=0,micro_batch=2,recompute=layer", &k);
	near(d.traffic[LT_TP], micros * 9 * 5 * 2 * 0.75 * full, 0.02);
	assert_true(d.busy.part[LT_PART_AGAIN] > 0.2 * c.busy.part[LT_PART_PRODUCTS]);
	/* Sequence parallelism: ten of a layer's gathers and scatters, and messages of a quarter. */
	d = cost_of("tp=4,sequence=yes,pp=4,zero=0,micro_batch=2", &k);
	near(d.traffic[LT_TP], micros * 9 * 10 * 0.75 * full, 0.02);
	near(d.traffic[LT_PP], micros * 2 * full / 4, 1e-9);
	/* (p - 1) / (m + p - 1) is 15.8 %; the head makes stages uneven and waits longer. */
	assert_true(c.bubble > 3 / 19.0 && c.bubble < 0.25);
	d = cost_of("tp=4,pp=4,interleave=4,zero=0,micro_batch=2", &k);
	assert_true(d.bubble < c.bubble);
}

/* --- layouts as text --------------------------------------------------------------------------- */

static void refused(const char *text, const char *want)
{
	struct lt_choice c;
	struct lu_err err;

	assert_int_equal(lt_choice_parse(&c, text, &err), -1);
	assert_string_equal(err.msg, want);
}

static void test_choice(void **state)
{
	const char *text = "tp=2,sequence=yes,pp=4,interleave=2,dp=64,zero=0,micro_batch=2,"
			   "recompute=norms";
	struct lt_settings s = lucie();
	struct lt_choice c, all;
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	ok(lt_choice_parse(&c, text, &err), &err);
	lt_choice_print(&c, &out);
	assert_string_equal(out.p, text);
	s.parallel.stages = "32";
	lt_choice_apply(&c, GPUS, &s);
	assert_int_equal(s.parallel.size[LT_DP], 64);
	assert_int_equal(s.parallel.recompute, LT_RECOMPUTE_NORMS);
	assert_string_equal(s.parallel.stages, "");
	all = lt_choice_of(&s, GPUS);
	assert_true(lt_choice_matches(&c, &all));
	/* What is not given stays, and dp is what is left. */
	ok(lt_choice_parse(&c, "tp=4", &err), &err);
	lt_choice_apply(&c, GPUS, &s);
	all = lt_choice_of(&s, GPUS);
	assert_int_equal(all.value[LT_CHOICE_DP], 32);
	assert_int_equal(all.value[LT_CHOICE_INTERLEAVE], 2);
	assert_true(lt_choice_matches(&c, &all));
	ok(lt_choice_parse(&c, "tp=2", &err), &err);
	assert_false(lt_choice_matches(&c, &all));
	refused("tp", "'tp' is not KEY=VALUE");
	refused("tp=2,", "'' is not KEY=VALUE");
	refused("dp=0", "parallel.dp: 0 is what the others leave; leave it out");
	refused("recompute=all", "parallel.recompute: 'all' is not one of none|norms|layer");
	lu_buf_release(&out);
}

/* --- the search -------------------------------------------------------------------------------- */

static void test_ranking(void **state)
{
	static const char *const others[] = { "tp=1,pp=1", "tp=2,pp=1", "tp=2,sequence=yes,pp=1",
		"tp=4,pp=4,micro_batch=2,recompute=layer", "tp=1,pp=2,micro_batch=2",
		"tp=2,pp=8,interleave=4", "tp=4,pp=1,micro_batch=8,zero=0" };
	struct lt_constants k = plain;
	struct lt_cluster small = cluster;
	struct lt_settings s = lucie();
	struct lt_question q;
	struct lt_ranking r;
	struct lt_ranked one;
	struct lt_choice c;
	struct lu_err err;

	(void)state;
	/* In less memory, what is fastest does not fit. */
	small.memory = (uint64_t)40 << 30;
	ok(lt_question_init(&q, &small, &k, &s, &err), &err);
	ok(lt_ranking_make(&r, &q, 5, &err), &err);
	assert_true(r.too_big > 0);
	for (size_t i = 0; i < r.row.n; i++)
		assert_true(r.row.p[i].memory.all <= (double)small.memory);
	lt_ranking_release(&r);
	ok(lt_question_init(&q, &cluster, &k, &s, &err), &err);
	ok(lt_ranking_make(&r, &q, 20, &err), &err);
	assert_int_equal(r.row.n, 20);
	assert_true(r.tried > 1000);
	for (size_t i = 0; i < r.row.n; i++) {
		assert_true(r.row.p[i].fits);
		assert_true(r.row.p[i].memory.all <= (double)cluster.memory);
		assert_true(i == 0 || r.row.p[i].cost.tokens <= r.row.p[i - 1].cost.tokens);
		/* No ramp: a thousand equal steps. */
		near(r.row.p[i].seconds, 1000 * r.row.p[i].cost.step, 1e-9);
		for (size_t j = 0; j < i; j++)
			assert_false(lt_choice_matches(&r.row.p[i].choice, &r.row.p[j].choice));
	}
	/* Nothing that fits is faster than the first. */
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ok(lt_choice_parse(&c, others[i], &err), &err);
		ok(lt_rank_one(&one, &q, &c, &err), &err);
		assert_true(!one.fits || one.cost.tokens <= r.row.p[0].cost.tokens);
	}
	lt_ranking_release(&r);
	/* A part of them. */
	ok(lt_choice_parse(&q.only, "tp=4,pp=4,zero=0", &err), &err);
	ok(lt_ranking_make(&r, &q, 5, &err), &err);
	assert_int_equal(r.row.n, 5);
	for (size_t i = 0; i < r.row.n; i++)
		assert_true(lt_choice_matches(&q.only, &r.row.p[i].choice));
	lt_ranking_release(&r);
	/* Ranks without work are left out: 32 samples are for at most 32 data-parallel ranks. */
	s.train.global_batch = 32;
	ok(lt_question_init(&q, &cluster, &k, &s, &err), &err);
	ok(lt_ranking_make(&r, &q, SIZE_MAX, &err), &err);
	for (size_t i = 0; i < r.row.n; i++)
		assert_true(r.row.p[i].choice.value[LT_CHOICE_DP] <= 32);
	lt_ranking_release(&r);
}

/* The ramp of Lucie-7B: its early steps are smaller and take less time each, but more a sample. */
static void test_phase(void **state)
{
	struct lt_constants k = plain;
	struct lt_settings s = lucie();
	struct lt_choice c = { 0 };
	struct lt_question q;
	struct lt_ranked row;
	struct lu_err err;

	(void)state;
	s.train.samples = 762144586;
	s.train.ramp = "256 64 10000000";
	set_layout(&s, "tp=2");
	ok(lt_question_init(&q, &cluster, &k, &s, &err), &err);
	ok(lt_rank_one(&row, &q, &c, &err), &err);
	/* 753,851 steps, of which the full batch alone would need 744,281. */
	assert_true(row.seconds < 753851 * row.cost.step);
	assert_true(row.seconds > 762144586 / 1024 * row.cost.step);
	/* A length in epochs needs data. */
	s.train.samples = 0;
	s.train.ramp = "";
	s.train.epochs = 2;
	ok(lt_question_init(&q, &cluster, &k, &s, &err), &err);
	ok(lt_rank_one(&row, &q, &c, &err), &err);
	assert_true(isnan(row.seconds));
	s.train.dtype = LT_DTYPE_AUTO;
	ok(lt_question_init(&q, &cluster, &k, &s, &err), &err);
	s.train.dtype = LT_FP32;
	assert_int_equal(lt_question_init(&q, &cluster, &k, &s, &err), -1);
}

/* --- files ------------------------------------------------------------------------------------- */

static void test_files(void **state)
{
	static const char *const bad[][2] = {
		{ "[cluster]\ngpus = 8\n", "[cluster] gpus_per_node is not set" },
		{ "[clusters]\n", "section [clusters]: only [cluster] is known" },
		{ "[cluster]\ngpu = 8\n", "unknown key 'gpu', did you mean 'gpus'" },
		{ "[cluster]\ngpus = 0\ngpus_per_node = 8\nmemory = 80G\npeak = 1\nbandwidth = 1\n"
		  "link = 1\nadapters = 8\nadapter = 1\nlatency = 1\n",
				"gpus = 0 is out of range" },
		{ "[cluster]\ngpus = 16\ngpus_per_node = 8\nmemory = 80G\npeak = 1\nbandwidth = "
		  "1\nlink = 1\nadapters = 0\nadapter = 1\nlatency = 1\n",
				"adapters = 0, but 16 GPUs are several nodes" },
	};
	char *dir = scratch_new(), *path = path_in(dir, "c.ini");
	struct lt_cluster c;
	struct lt_constants k;
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(bad[i][0], f);
		fclose(f);
		assert_int_equal(lt_cluster_read(&c, path, &err), -1);
		assert_non_null(strstr(err.msg, bad[i][1]));
		assert_non_null(strstr(err.msg, path));
		assert_int_equal(lt_constants_read(&k, path, &err), -1);
	}
	free(path);
	scratch_remove(dir);
}

static void test_duration(void **state)
{
	struct lu_buf out = { 0 };

	(void)state;
	lt_plan_duration(7.5 * 86400, &out);
	lu_buf_putc(&out, ' ');
	lt_plan_duration(7200, &out);
	lu_buf_putc(&out, ' ');
	lt_plan_duration(0.5, &out);
	lu_buf_putc(&out, ' ');
	lt_plan_duration((double)NAN, &out);
	assert_string_equal(out.p, "7.5 days 2.0 h 0.5 s -");
	lu_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ties),
		cmocka_unit_test(test_attention), cmocka_unit_test(test_product),
		cmocka_unit_test(test_step), cmocka_unit_test(test_traffic),
		cmocka_unit_test(test_choice), cmocka_unit_test(test_ranking),
		cmocka_unit_test(test_phase), cmocka_unit_test(test_files),
		cmocka_unit_test(test_duration) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
