/* The memory that is planned for a rank against what the trainer allocates for it, in many layouts. */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "trainer/run/memory.h"
#include "trainer/run/train_step.h"

/* A table that notes what is allocated. */
static uint64_t allocated;
static const struct lk_ops *real;

static void *counting_alloc(struct lk_queue *q, size_t bytes)
{
	allocated += bytes;
	return real->alloc(q, bytes);
}

static struct lt_settings settings_of(const char *const *set, size_t n)
{
	struct lt_settings s;
	struct lu_err err;

	lt_settings_init(&s);
	s.model.vocab = 72;
	s.model.hidden = 32;
	s.model.layers = 6;
	s.model.heads = 4;
	s.model.kv_heads = 2;
	s.model.head_dim = 8;
	s.model.ffn = 48;
	s.train.steps = 3;
	s.train.context = 16;
	s.train.micro_batch = 2;
	s.train.global_batch = 32;
	for (size_t i = 0; i < n && set[i]; i += 3)
		ok(lt_settings_set(&s, set[i], set[i + 1], set[i + 2], &err), &err);
	return s;
}

/* Allocate what a rank of the layout needs to train, as lucie-train does; returns the bytes. The
 * groups do not take part in this. */
static uint64_t allocate(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_layout *l, const struct lk_ops *ops)
{
	struct lt_holding holding = lt_layout_holding(l, s);
	struct lt_shape shape;
	struct lt_weights *w;
	struct lk_queue *q;
	struct lt_step *step;
	struct lk_err kerr;
	struct lu_err err;
	const struct lt_micro_want want = { 0 };
	uint64_t bytes;

	lt_settings_shape(s, &shape);
	allocated = 0;
	assert_int_equal(ops->open(&q, 0, &kerr), 0);
	ok(lt_weights_open(&w, ops, q, &shape, &l->place, &holding, &err), &err);
	ok(lt_step_open(&step, l, w, s, schedule, &want, NULL, NULL, &err), &err);
	bytes = allocated + ops->workspace(q);
	lt_step_close(step);
	lt_weights_close(w);
	ops->close(q);
	return bytes;
}

/* Compare the plan of every rank with what it allocates; `act` of the activations. */
static void check(const struct lt_settings *s, enum lk_type act)
{
	struct lk_ops ops = *lk_cpu_ops(act);
	struct lt_memory_rules counting = { .ops = &ops };
	struct lt_schedule schedule;
	struct lt_layout l;
	struct lu_err err;
	size_t ranks = 1;

	real = lk_cpu_ops(act);
	ops.alloc = counting_alloc;
	ok(lt_settings_schedule(s, 1, &schedule, &err), &err);
	for (size_t rank = 0; rank < ranks; rank++) {
		struct lt_memory m, gpu;
		double got;

		ok(lt_layout_init(&l, s, rank, 0, &err), &err);
		ranks = l.mesh.ranks;
		ok(lt_memory_count(s, &schedule, &l, &counting, &m, &err), &err);
		got = (double)allocate(s, &schedule, &l, &ops);
		/* Not counted: a few values of a step.  */
		assert_true(fabs(m.all - m.exchange - m.checkpoint - got) < 0.02 * got);
		/* A GPU differs in its work space and in what it need not hold. */
		if (act == LK_BF16) {
			struct lt_memory_rules on = lt_memory_rules_gpu(LK_BF16);

			ok(lt_memory_count(s, &schedule, &l, &on, &gpu, &err), &err);
			assert_true(fabs(gpu.all - gpu.workspace -
						    (m.all - m.workspace - m.exchange -
								    m.checkpoint)) < 0.5);
		}
		lt_layout_release(&l);
	}
}

static void test_layouts(void **state)
{
	static const char *const layouts[][25] = {
		{ NULL },
		{ "parallel", "dp", "2", "parallel", "zero", "0" },
		{ "parallel", "dp", "4" },
		{ "parallel", "dp", "2", "train", "lanes", "8" },
		{ "parallel", "tp", "2" },
		{ "parallel", "tp", "2", "parallel", "sequence", "yes", "parallel", "dp", "2" },
		{ "parallel", "pp", "3" },
		{ "parallel", "pp", "3", "parallel", "interleave", "2", "parallel", "recompute",
				"norms" },
		{ "parallel", "pp", "2", "parallel", "tp", "2", "parallel", "recompute", "layer" },
		{ "parallel", "pp", "2", "train", "ramp", "8 8 64", "train", "steps", "20" },
		{ "parallel", "recompute", "layer", "train", "micro_batch", "4" },
		{ "model", "tied", "yes", "parallel", "recompute", "norms" },
		{ "train", "objective", "dpo", "parallel", "tp", "2" },
		{ "train", "teacher", "big", "parallel", "tp", "2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		struct lt_settings s = settings_of(layouts[i], 24);

		check(&s, LK_REAL);
		check(&s, LK_BF16);
		if (s.model.tied)
			continue;
		s.train.memory = LT_MEMORY_LOW;
		check(&s, LK_BF16);
	}
}

/* The same with texts that [eval] generates: the keys and values of four sequences besides. */
static void with_texts(struct lt_settings *s, const struct lt_layout *l,
		const struct lt_schedule *schedule, double without)
{
	struct lt_memory_rules gpu = lt_memory_rules_gpu(LK_BF16);
	const char *src = getenv("LUCIE_SRC");
	double cache = 4 * 4096 * 32 * (2 * 8 * 128.0) * 2;
	struct lt_memory m;
	struct lu_err err;
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/data/tasks/texts.jsonl", src ? src : ".");
	ok(lt_settings_set(s, "eval", "tasks", path, &err), &err);
	ok(lt_memory_count(s, schedule, l, &gpu, &m, &err), &err);
	assert_true(m.activations - without >= cache && m.activations - without < 1.1 * cache);
}

/* The state of Lucie-7B on a GPU, by the bytes of each parameter. */
static void test_state(void **state)
{
	const char *const set[] = { "model", "vocab", "65024", "model", "hidden", "4096", "model",
		"layers", "32", "model", "heads", "32", "model", "kv_heads", "8", "model",
		"head_dim", "128", "model", "ffn", "12288", NULL };
	struct lt_settings s = settings_of(set, 21);
	struct lt_memory_rules gpu = lt_memory_rules_gpu(LK_BF16);
	struct lt_schedule schedule;
	struct lt_layout l;
	struct lt_memory m;
	struct lu_err err;
	double n = 6706958336, logits = 4096 * 65024.0 * (4 + 2), row = 4096 * 4096.0 * 2;
	double kept, once;

	(void)state;
	s.train.context = 4096;
	s.train.micro_batch = 1;
	s.train.global_batch = 512;
	s.parallel.size[LT_DP] = 512;
	ok(lt_settings_schedule(&s, 1, &schedule, &err), &err);
	ok(lt_layout_init(&l, &s, 0, 0, &err), &err);
	ok(lt_memory_count(&s, &schedule, &l, &gpu, &m, &err), &err);
	/* The copy of all that products read; the fp32 weights of what is owned, and of all norms. */
	assert_true(fabs(m.weights - 2 * n - 4 * n / 512 - 4 * 65 * 4096.0) < 1e-3 * n);
	/* And a partial sum of squares for each 4096 of them. */
	assert_true(fabs(m.gradients - (4 + 8.0 / LK_NORM_CHUNK) * n) < 1e-4 * n);
	assert_true(fabs(m.optimizer - 8 * n / 512) < 1e-3 * n);
	/* x, n1, x2, n2: 4 h; qkv 1.5 h, o 1 h, gate and up 6 h: 25 h bytes a token and layer. */
	kept = 32 * 12.5 * row;
	/* The output, t, the final norm, three gradients; y; dqkv and dout. */
	once = 6 * row + 3 * row + 2.5 * row + logits;
	assert_true(fabs(m.activations - kept - once) < 0.01 * kept);
	assert_true(m.workspace > 32 << 20 && m.workspace < 200 << 20);
	assert_true(fabs(m.all - m.weights - m.gradients - m.optimizer - m.activations -
				    m.workspace) < 1);
	with_texts(&s, &l, &schedule, m.activations);
	lt_layout_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_state) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
