#include "trainer/run/memory.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/model/model.h"
#include "trainer/model/weights.h"
#include "trainer/run/evaluations.h"
#include "trainer/run/saver.h"
#include "trainer/run/train_step.h"

#define GPU_PRODUCTS ((uint64_t)32 << 20)

struct lt_memory_rules lt_memory_rules_here(
		const struct lt_backend *b, int number, const struct lt_settings *s)
{
	return (struct lt_memory_rules){ .ops = b->ops,
		.device = b->gpu,
		.number = number,
		.equality = lt_backend_equality(b, s->parallel.equality),
		.head_rows = lt_backend_head_rows(b->ops) };
}

struct lt_memory_rules lt_memory_rules_gpu(enum lk_type act)
{
	static const struct lk_ops bf16 = { .name = "cuda", .act = LK_BF16, .act_size = 2 };
	static const struct lk_ops real = { .name = "cuda",
		.act = sizeof(lk_real) == sizeof(double) ? LK_F64 : LK_F32,
		.act_size = sizeof(lk_real) };

	return (struct lt_memory_rules){ .ops = act == LK_BF16 ? &bf16 : &real,
		.device = true,
		.fixed = GPU_PRODUCTS,
		.equality = LT_EQUAL_RUN,
		.head_rows = LT_GPU_HEAD_ROWS };
}

/* What the groups keep for sums: of gradients over dp, of activations over tp. */
static uint64_t exchange_bytes(const struct lt_layout *l, const struct lt_table *t,
		const struct lt_settings *s, const struct lt_memory_rules *on)
{
	uint64_t acts = s->train.micro_batch * s->train.context * t->shape.hidden *
			on->ops->act_size;
	size_t dp = l->mesh.size[LT_DP], tp = l->mesh.size[LT_TP];
	uint64_t most = 0;

	for (size_t i = 0; i < t->buckets; i++)
		most = t->bucket[i].count > most ? t->bucket[i].count : most;
	most *= sizeof(lk_real);
	if (on->device)
		return lt_group_device_bytes(dp, most, on->equality) +
				lt_group_device_bytes(tp, acts, on->equality);
	return lt_group_bytes(dp, most) + lt_group_bytes(tp, acts);
}

/* The work space of a GPU that is not here. */
static double workspace_rule(const struct lt_memory_rules *on, const struct lt_table *t,
		const struct lt_settings *s)
{
	struct lt_shape local = lt_table_local(t);
	double rows = (double)s->train.micro_batch * (double)s->train.context;

	return fmax((double)on->fixed,
			rows * (double)local.heads * (double)(local.dim + 1) * sizeof(float));
}

/* A model that generates texts between steps, over the same weights. */
static int count_texts(const struct lt_settings *s, const struct lt_table *t,
		const struct lt_memory_rules *on, double *bytes, struct lu_err *err)
{
	const struct lt_model_plan plan = { .batch = LT_EVALUATION_TEXTS,
		.context = (size_t)s->train.context,
		.mode = LT_MODEL_DECODE };
	uint64_t n = 0, work = 0;

	if (s->parallel.size[LT_TP] <= 1 && s->parallel.size[LT_PP] <= 1 &&
			lt_evaluations_generate(s) &&
			lt_model_count(t, on->ops, on->number, &plan, &n, &work, err) < 0)
		return -1;
	*bytes = (double)n;
	return 0;
}

static int count_table(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_layout *l, const struct lt_table *t,
		const struct lt_memory_rules *on, struct lt_memory *m, struct lu_err *err)
{
	struct lt_holding holding = lt_layout_holding(l, s);
	size_t *slots = calloc(l->v + 1, sizeof(*slots));
	struct lt_weights_bytes w;
	struct lt_model_plan plan;
	uint64_t activations = 0, work = 0;
	double texts = 0;
	int rc = slots ? 0 : lu_err_nomem(err);

	if (rc == 0)
		rc = lt_step_plan(l, s, schedule, slots, &plan, err);
	if (rc == 0) {
		plan.head_rows = on->head_rows;
		rc = lt_weights_count(t, on->ops, &holding, &w, err);
	}
	if (rc == 0)
		rc = lt_model_count(t, on->ops, on->number, &plan, &activations, &work, err);
	if (rc == 0)
		rc = count_texts(s, t, on, &texts, err);
	free(slots);
	if (rc < 0)
		return -1;
	*m = (struct lt_memory){
		.weights = (double)w.weights,
		.gradients = (double)w.gradients,
		.optimizer = (double)w.optimizer,
		.activations = (double)activations + texts,
		.workspace = on->ops->open ? (double)work : workspace_rule(on, t, s),
		.exchange = (double)exchange_bytes(l, t, s, on),
		.checkpoint = (double)lt_saver_bytes(t, &holding, &w),
	};
	m->all = m->weights + m->gradients + m->optimizer + m->activations + m->workspace +
			m->exchange;
	if (!on->device)
		m->all += m->checkpoint;
	return 0;
}

int lt_memory_count(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_layout *l, const struct lt_memory_rules *on, struct lt_memory *m,
		struct lu_err *err)
{
	struct lt_shape shape;
	struct lt_table t;
	int rc;

	lt_settings_shape(s, &shape);
	if (lt_table_build(&t, &shape, &l->place, err) < 0)
		return -1;
	rc = count_table(s, schedule, l, &t, on, m, err);
	lt_table_release(&t);
	return rc;
}
