#include "trainer/run/settings.h"

#include <inttypes.h>
#include <string.h>

#include "libcommon/sys/conf.h"
#include "trainer/model/rotary.h"

/* --- presets -------------------------------------------------------------------------------- */

static const struct preset {
	const char *name;
	uint64_t hidden, layers, heads, kv_heads, ffn, vocab;
	double rope_theta, init_std;
} presets[] = {
	/* For tests: seconds on one core. */
	{ "tiny", 64, 2, 4, 2, 192, 0, 10000, 0.02 },
	/* Minutes on two cores. */
	{ "demo", 128, 4, 4, 2, 384, 0, 10000, 0.02 },
	/* The ablation model and the model of the Lucie-7B project. */
	{ "ablation", 512, 6, 8, 8, 1536, 65024, 500000, 0.02 },
	/* Shaped as Llama-3.2-1B, with its own head. */
	{ "lucie-1b", 2048, 16, 32, 8, 8192, 65024, 500000, 0.02 },
	{ "lucie-7b", 4096, 32, 32, 8, 12288, 65024, 500000, 0.009 },
};
#define PRESETS (sizeof(presets) / sizeof(presets[0]))

static const struct preset *find_preset(const char *name, struct lu_err *err)
{
	const char *known[PRESETS];

	for (size_t i = 0; i < PRESETS; i++) {
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
		known[i] = presets[i].name;
	}
	lu_conf_unknown("preset", name, known, PRESETS, err);
	lu_err_wrap(err, "model.preset");
	return NULL;
}

/* Take the sizes that are not given from the preset. */
static void fill_in(struct lt_settings *s, const struct preset *p, const bool *given)
{
	const struct lu_opt *opt;
	const char *section;

	for (size_t i = 0; (opt = lt_settings_key(i, &section)) && strcmp(section, "model") == 0;
			i++) {
		if (given[i] || (strcmp(opt->name, "vocab") == 0 && p->vocab == 0))
			continue;
#define FILL(key)                         \
	if (strcmp(opt->name, #key) == 0) \
	s->model.key = p->key
		FILL(vocab);
		FILL(hidden);
		FILL(layers);
		FILL(heads);
		FILL(kv_heads);
		FILL(ffn);
		FILL(rope_theta);
		FILL(init_std);
#undef FILL
	}
}

int lt_settings_preset(struct lt_settings *s, const bool *given, struct lu_err *err)
{
	const struct preset *p = NULL;

	if (*s->model.preset && !(p = find_preset(s->model.preset, err)))
		return -1;
	if (p)
		fill_in(s, p, given);
	if (s->model.kv_heads == 0)
		s->model.kv_heads = s->model.heads;
	if (s->model.head_dim == 0 && s->model.heads) {
		if (s->model.hidden % s->model.heads)
			return lu_err_set(err,
					"model.hidden = %" PRIu64
					" is not a multiple of model.heads = %" PRIu64
					"; change one of them, or set model.head_dim",
					s->model.hidden, s->model.heads);
		s->model.head_dim = s->model.hidden / s->model.heads;
	}
	return 0;
}

/* --- checks --------------------------------------------------------------------------------- */

static int check_rope(const struct lt_settings *s, struct lu_err *err)
{
	const char *name = lt_rope_name(s->model.rope_scaling);
	bool llama3 = s->model.rope_scaling == LT_ROPE_LLAMA3;

	if (s->model.rope_original && !llama3)
		return lu_err_set(err,
				"model.rope_original has no effect without "
				"model.rope_scaling = llama3");
	if (s->model.rope_factor > 0 && s->model.rope_scaling == LT_ROPE_NONE)
		return lu_err_set(
				err, "model.rope_factor has no effect without model.rope_scaling");
	if (s->model.rope_scaling == LT_ROPE_NONE)
		return 0;
	if (s->model.rope_factor < 1)
		return lu_err_set(err,
				"model.rope_scaling = %s needs model.rope_factor, at least 1",
				name);
	if (llama3 && s->model.rope_original == 0)
		return lu_err_set(err,
				"model.rope_scaling = llama3 needs model.rope_original, the "
				"context before the extension");
	if (llama3 && s->model.rope_low >= s->model.rope_high)
		return lu_err_set(err, "model.rope_low = %g is not less than model.rope_high = %g",
				s->model.rope_low, s->model.rope_high);
	return 0;
}

static int check_model(const struct lt_settings *s, struct lu_err *err)
{
	const struct {
		const char *name;
		uint64_t value;
	} sizes[] = {
		{ "vocab", s->model.vocab },
		{ "hidden", s->model.hidden },
		{ "layers", s->model.layers },
		{ "heads", s->model.heads },
		{ "ffn", s->model.ffn },
	};
	uint64_t kv = s->model.kv_heads, dim = s->model.head_dim;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i].value == 0)
			return lu_err_set(err, "model.%s is not set", sizes[i].name);
	}
	if (kv == 0 || s->model.heads % kv)
		return lu_err_set(err,
				"model.kv_heads = %" PRIu64
				" does not divide model.heads = %" PRIu64,
				kv, s->model.heads);
	if (dim == 0 || dim % 2 || dim > LK_ATTN_MAX_DIM)
		return lu_err_set(err,
				"model.head_dim = %" PRIu64 " is not an even number up to %d", dim,
				LK_ATTN_MAX_DIM);
	return check_rope(s, err);
}

static int check_length(const struct lt_settings *s, struct lu_err *err)
{
	int lengths = (s->train.steps != 0) + (s->train.samples != 0) + (s->train.epochs != 0);

	if (lengths == 0)
		return lu_err_set(
				err, "train.steps, train.samples or train.epochs: one must be set");
	if (lengths > 1)
		return lu_err_set(err,
				"train.steps, train.samples and train.epochs: only one may be set");
	return 0;
}

static int check_memory(const struct lt_settings *s, struct lu_err *err)
{
	if (s->train.memory == LT_MEMORY_STANDARD)
		return 0;
	if (s->train.dtype == LT_FP32 ||
			(s->train.dtype == LT_DTYPE_AUTO && s->train.device == LT_DEVICE_CPU))
		return lu_err_set(err, "train.memory = low needs train.dtype = bf16");
	if (s->model.tied)
		return lu_err_set(err, "train.memory = low does not work with model.tied");
	return 0;
}

static int check_dpo(const struct lt_settings *s, struct lu_err *err)
{
	const struct {
		const char *name;
		uint64_t value;
	} pairs[] = {
		{ "micro_batch", s->train.micro_batch },
		{ "global_batch", s->train.global_batch },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].value % 2)
			return lu_err_set(err,
					"train.%s = %" PRIu64 " is odd: with train.objective = dpo "
					"two samples are a pair",
					pairs[i].name, pairs[i].value);
	}
	if (*s->train.teacher)
		return lu_err_set(err, "train.teacher has no effect with train.objective = dpo");
	if (s->train.beta == 0)
		return lu_err_set(err, "train.beta = 0 would leave nothing to be learnt");
	return 0;
}

static int check_objective(const struct lt_settings *s, struct lu_err *err)
{
	if (s->train.teacher_weight != 1 && !*s->train.teacher)
		return lu_err_set(err, "train.teacher_weight has no effect without train.teacher");
	if (s->train.teacher_weight == 0)
		return lu_err_set(err, "train.teacher has no effect with train.teacher_weight = 0");
	if (s->train.objective == LT_DPO)
		return check_dpo(s, err);
	if (s->train.beta != LT_BETA || s->train.length_normalized)
		return lu_err_set(err, "train.%s has no effect without train.objective = dpo",
				s->train.beta != LT_BETA ? "beta" : "length_normalized");
	return 0;
}

static int check_data(const struct lt_settings *s, struct lu_err *err)
{
	if (!*s->data.train)
		return lu_err_set(err, "data.train is not set");
	if (s->data.goldfish == 1)
		return lu_err_set(err, "data.goldfish = 1 would leave every label out");
	return 0;
}

static int check_train(const struct lt_settings *s, struct lu_err *err)
{
	uint64_t lanes = s->train.lanes;
	struct lt_schedule schedule;

	if (check_data(s, err) < 0 || check_length(s, err) < 0)
		return -1;
	if (s->train.context == 0 || s->train.context > 1u << 24)
		return lu_err_set(err, "train.context = %" PRIu64 " is out of range",
				s->train.context);
	if (s->train.micro_batch == 0 || s->train.micro_batch > 1u << 20)
		return lu_err_set(err, "train.micro_batch = %" PRIu64 " is out of range",
				s->train.micro_batch);
	if (lanes > 4096)
		return lu_err_set(err, "train.lanes = %" PRIu64 " is more than 4096", lanes);
	if (s->train.beta1 >= 1 || s->train.beta2 >= 1)
		return lu_err_set(err, "train.beta1 and train.beta2 must be less than 1");
	if (s->train.cooldown && s->train.schedule != LT_WSD)
		return lu_err_set(err, "train.cooldown has no effect without train.schedule = wsd");
	if (s->train.decay_type != LT_DECAY_LINEAR && s->train.schedule != LT_WSD)
		return lu_err_set(
				err, "train.decay_type has no effect without train.schedule = wsd");
	if (s->train.spike > 0 && s->train.spike <= 1)
		return lu_err_set(err,
				"train.spike = %g would skip ordinary steps: it must be more than "
				"1",
				s->train.spike);
	if (s->train.schedule == LT_WSD && s->train.cooldown == 0)
		return lu_err_set(err, "train.schedule = wsd needs train.cooldown");
	if (check_memory(s, err) < 0 || check_objective(s, err) < 0)
		return -1;
	return lt_settings_schedule(s, 1, &schedule, err);
}

/* What does not depend on the number of processes; layout.h checks the rest. */
static int check_parallel(const struct lt_settings *s, struct lu_err *err)
{
	static const enum lt_axis axes[] = { LT_TP, LT_CP, LT_PP };

	for (size_t i = 0; i < sizeof(axes) / sizeof(axes[0]); i++) {
		if (s->parallel.size[axes[i]] == 0 || s->parallel.size[axes[i]] > 1u << 20)
			return lu_err_set(err, "parallel.%s = %" PRIu64 " is out of range",
					lt_axis_name(axes[i]), s->parallel.size[axes[i]]);
	}
	if (s->parallel.zero > 1)
		return lu_err_set(err,
				"parallel.zero = %" PRIu64
				" is not supported: 0 (every rank has the whole optimizer) or 1 "
				"(it is "
				"cut over the data parallel ranks)",
				s->parallel.zero);
	if (s->parallel.interleave == 0 || s->parallel.interleave > 1024)
		return lu_err_set(err, "parallel.interleave = %" PRIu64 " is out of range",
				s->parallel.interleave);
	if (s->parallel.interleave > 1 && s->parallel.size[LT_PP] == 1)
		return lu_err_set(err, "parallel.interleave has no effect without parallel.pp > 1");
	if (s->train.device == LT_DEVICE_CPU && s->parallel.equality > LT_EQUAL_LAYOUT)
		return lu_err_set(err,
				"parallel.equality = %s has no effect with train.device = cpu, "
				"where bits are always equal over layouts",
				s->parallel.equality == LT_EQUAL_RUN ? "run" : "fast");
	if (s->train.attention != LK_ATTENTION_AUTO && s->train.device == LT_DEVICE_CPU)
		return lu_err_set(err, "train.attention has no effect with train.device = cpu");
	if (s->train.attention == LK_ATTENTION_CUDNN && s->train.dtype == LT_FP32)
		return lu_err_set(err,
				"train.attention = cudnn has no effect with train.dtype = fp32: "
				"cuDNN's attention is for bf16");
	if (s->parallel.sequence && s->parallel.size[LT_TP] == 1)
		return lu_err_set(err, "parallel.sequence has no effect without parallel.tp > 1");
	return 0;
}

int lt_settings_check(const struct lt_settings *s, struct lu_err *err)
{
	if (s->eval.every && !*s->eval.tasks && !*s->eval.shards)
		return lu_err_set(err,
				"eval.every = %" PRIu64
				" has no effect without eval.tasks or eval.shards",
				s->eval.every);
	if (check_model(s, err) < 0 || check_train(s, err) < 0)
		return -1;
	return check_parallel(s, err);
}

/* --- what follows from the settings ---------------------------------------------------------- */

void lt_settings_shape(const struct lt_settings *s, struct lt_shape *shape)
{
	*shape = (struct lt_shape){
		.vocab = s->model.vocab,
		.hidden = s->model.hidden,
		.layers = s->model.layers,
		.heads = s->model.heads,
		.kv_heads = s->model.kv_heads,
		.dim = s->model.head_dim,
		.ffn = s->model.ffn,
		.tied = s->model.tied,
		.rope_theta = s->model.rope_theta,
		.norm_eps = s->model.norm_eps,
		.init_std = s->model.init_std,
		.rope_scaling = s->model.rope_scaling,
		.rope_factor = s->model.rope_factor,
		.rope_original = s->model.rope_original,
	};
	if (s->model.rope_scaling == LT_ROPE_LLAMA3) {
		shape->rope_low = s->model.rope_low;
		shape->rope_high = s->model.rope_high;
	}
}

struct lt_objective lt_settings_objective(const struct lt_settings *s)
{
	struct lt_objective o = { .dpo = s->train.objective == LT_DPO,
		.normalized = s->train.length_normalized,
		.beta = s->train.beta };

	if (*s->train.teacher) {
		o.top = LK_TOP_MAX;
		o.teacher = s->train.teacher_weight;
	}
	return o;
}

int lt_settings_schedule(const struct lt_settings *s, uint64_t epoch_samples,
		struct lt_schedule *out, struct lu_err *err)
{
	*out = (struct lt_schedule){
		.batch = s->train.global_batch,
		.samples = s->train.samples,
		.decay = s->train.schedule,
		.decay_type = s->train.decay_type,
		.lr = s->train.lr,
		.lr_min = s->train.lr_min,
		.warmup = s->train.warmup,
		.cooldown = s->train.cooldown,
	};
	if (out->batch == 0)
		return lu_err_set(err, "train.global_batch is 0");
	if (lt_schedule_ramp(out, s->train.ramp, s->train.micro_batch, err) < 0)
		return -1;
	if (s->train.steps)
		out->samples = lt_schedule_samples(out, s->train.steps);
	if (s->train.epochs > 0)
		out->samples = (uint64_t)(s->train.epochs * (double)epoch_samples);
	return 0;
}
