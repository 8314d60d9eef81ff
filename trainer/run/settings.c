#include "trainer/run/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/buf.h"
#include "libcommon/sys/conf.h"

/* --- the keys ------------------------------------------------------------------------------- */

const struct lu_enum lt_devices[] = {
	{ "auto", LT_DEVICE_AUTO },
	{ "cpu", LT_DEVICE_CPU },
	{ "cuda", LT_DEVICE_CUDA },
	LU_ENUM_END,
};

static const struct lu_enum attentions[] = {
	{ "auto", LK_ATTENTION_AUTO },
	{ "own", LK_ATTENTION_OWN },
	{ "cudnn", LK_ATTENTION_CUDNN },
	LU_ENUM_END,
};

static const struct lu_enum dtypes[] = {
	{ "auto", LT_DTYPE_AUTO },
	{ "fp32", LT_FP32 },
	{ "bf16", LT_BF16 },
	LU_ENUM_END,
};

static const struct lu_enum memories[] = {
	{ "standard", LT_MEMORY_STANDARD },
	{ "low", LT_MEMORY_LOW },
	LU_ENUM_END,
};

static const struct lu_enum decays[] = {
	{ "constant", LT_CONSTANT },
	{ "linear", LT_LINEAR },
	{ "cosine", LT_COSINE },
	{ "wsd", LT_WSD },
	LU_ENUM_END,
};

static const struct lu_enum decay_types[] = {
	{ "linear", LT_DECAY_LINEAR },
	{ "cosine", LT_DECAY_COSINE },
	{ "1-sqrt", LT_DECAY_SQRT },
	LU_ENUM_END,
};

static const struct lu_enum ropes[] = {
	{ "none", LT_ROPE_NONE },
	{ "linear", LT_ROPE_LINEAR },
	{ "llama3", LT_ROPE_LLAMA3 },
	LU_ENUM_END,
};

static const struct lu_enum recomputes[] = {
	{ "none", LT_RECOMPUTE_NONE },
	{ "norms", LT_RECOMPUTE_NORMS },
	{ "layer", LT_RECOMPUTE_LAYER },
	LU_ENUM_END,
};

static const struct lu_enum equalities[] = {
	{ "auto", LT_EQUAL_AUTO },
	{ "layout", LT_EQUAL_LAYOUT },
	{ "run", LT_EQUAL_RUN },
	{ "fast", LT_EQUAL_FAST },
	LU_ENUM_END,
};

static const struct lu_enum objectives[] = {
	{ "next", LT_NEXT },
	{ "dpo", LT_DPO },
	LU_ENUM_END,
};

#define S struct lt_settings

/* clang-format off */
static const struct lu_opt model_keys[] = {
	LU_OPT_STR(0, "preset", S, model.preset, "NAME", "sizes by name"),
	LU_OPT_U64(0, "vocab", S, model.vocab, "N", "vocabulary"),
	LU_OPT_U64(0, "hidden", S, model.hidden, "N", "width of the residual stream"),
	LU_OPT_U64(0, "layers", S, model.layers, "N", "layers"),
	LU_OPT_U64(0, "heads", S, model.heads, "N", "query heads"),
	LU_OPT_U64(0, "kv_heads", S, model.kv_heads, "N", "key and value heads"),
	LU_OPT_U64(0, "head_dim", S, model.head_dim, "N", "width of a head"),
	LU_OPT_U64(0, "ffn", S, model.ffn, "N", "width of the feed-forward network"),
	LU_OPT_DOUBLE(0, "rope_theta", S, model.rope_theta, "X", 1, 1e12, "base of the rotary angles"),
	LU_OPT_ENUM(0, "rope_scaling", S, model.rope_scaling, ropes, "of the rotary angles"),
	LU_OPT_DOUBLE(0, "rope_factor", S, model.rope_factor, "X", 0, 1e6, "of the scaling"),
	LU_OPT_DOUBLE(0, "rope_low", S, model.rope_low, "X", 1e-3, 1e6, "of llama3: low_freq_factor"),
	LU_OPT_DOUBLE(0, "rope_high", S, model.rope_high, "X", 1e-3, 1e6, "of llama3: high_freq_factor"),
	LU_OPT_U64(0, "rope_original", S, model.rope_original, "N", "of llama3: context before"),
	LU_OPT_DOUBLE(0, "norm_eps", S, model.norm_eps, "X", 0, 1, "added to the mean square"),
	LU_OPT_DOUBLE(0, "init_std", S, model.init_std, "X", 0, 10, "standard deviation of initial weights"),
	LU_OPT_FLAG(0, "tied", S, model.tied, "the head is the embedding"),
	LU_OPT_END,
};

static const struct lu_opt data_keys[] = {
	LU_OPT_STR(0, "train", S, data.train, "PREFIX...", "training shards or plans"),
	LU_OPT_STR(0, "valid", S, data.valid, "PREFIX...", "validation sets"),
	LU_OPT_ENUM(0, "rows", S, data.rows, lu_rows_modes, "how samples are cut"),
	LU_OPT_FLAG(0, "shuffle", S, data.shuffle, "samples in random order"),
	LU_OPT_U64(0, "goldfish", S, data.goldfish, "K", "leave one label of K out, 0: none"),
	LU_OPT_STR(0, "tokenizer", S, data.tokenizer, "FILE", "tokenizer.json, copied to the run"),
	LU_OPT_END,
};

static const struct lu_opt train_keys[] = {
	LU_OPT_U64(0, "steps", S, train.steps, "N", "length of the phase"),
	LU_OPT_U64(0, "samples", S, train.samples, "N", "length of the phase"),
	LU_OPT_DOUBLE(0, "epochs", S, train.epochs, "X", 0, 1e6, "length of the phase"),
	LU_OPT_U64(0, "context", S, train.context, "N", "tokens per sample"),
	LU_OPT_U64(0, "micro_batch", S, train.micro_batch, "N", "samples computed at once"),
	LU_OPT_U64(0, "global_batch", S, train.global_batch, "N", "samples per step"),
	LU_OPT_STR(0, "ramp", S, train.ramp, "START STEP SAMPLES", "ramp of the global batch"),
	LU_OPT_U64(0, "lanes", S, train.lanes, "N", "gradient sums, 0: one a data parallel rank"),
	LU_OPT_U64(0, "seed", S, train.seed, "N", "of initial weights and sample order"),
	LU_OPT_STR(0, "init", S, train.init, "DIR", "initial weights in safetensors"),
	LU_OPT_ENUM(0, "device", S, train.device, lt_devices, "what computes"),
	LU_OPT_ENUM(0, "dtype", S, train.dtype, dtypes, "type of activations"),
	LU_OPT_ENUM(0, "memory", S, train.memory, memories, "of weights and optimizer"),
	LU_OPT_ENUM(0, "attention", S, train.attention, attentions, "whose attention on GPUs"),
	LU_OPT_DOUBLE(0, "lr", S, train.lr, "X", 0, 100, "peak learning rate"),
	LU_OPT_DOUBLE(0, "lr_min", S, train.lr_min, "X", 0, 100, "final learning rate"),
	LU_OPT_ENUM(0, "schedule", S, train.schedule, decays, "decay of the learning rate"),
	LU_OPT_ENUM(0, "decay_type", S, train.decay_type, decay_types, "shape of wsd's decay"),
	LU_OPT_U64(0, "warmup", S, train.warmup, "SAMPLES", "linear rise from 0"),
	LU_OPT_U64(0, "cooldown", S, train.cooldown, "SAMPLES", "final decay of wsd"),
	LU_OPT_DOUBLE(0, "weight_decay", S, train.weight_decay, "X", 0, 100, "AdamW, matrices only"),
	LU_OPT_DOUBLE(0, "clip", S, train.clip, "X", 0, 1e9, "limit of the gradient norm, 0: none"),
	LU_OPT_DOUBLE(0, "beta1", S, train.beta1, "X", 0, 1, "AdamW"),
	LU_OPT_DOUBLE(0, "beta2", S, train.beta2, "X", 0, 1, "AdamW"),
	LU_OPT_DOUBLE(0, "eps", S, train.eps, "X", 0, 1, "AdamW, outside the square root"),
	LU_OPT_DOUBLE(0, "spike", S, train.spike, "X", 0, 1e9, "skip updates of such norms, 0: off"),
	LU_OPT_FLAG(0, "reset_optimizer", S, train.reset_optimizer, "zero the AdamW state"),
	LU_OPT_FLAG(0, "reset_documents", S, train.reset_documents,
			"attention and positions begin anew in each document"),
	LU_OPT_ENUM(0, "objective", S, train.objective, objectives, "what is minimised"),
	LU_OPT_DOUBLE(0, "beta", S, train.beta, "X", 0, 1000, "of dpo: how near to the reference"),
	LU_OPT_FLAG(0, "length_normalized", S, train.length_normalized, "of dpo: log p a target"),
	LU_OPT_STR(0, "teacher", S, train.teacher, "NAME", "train on PREFIX.NAME.teacher"),
	LU_OPT_DOUBLE(0, "teacher_weight", S, train.teacher_weight, "X", 0, 1, "share of the teacher"),
	LU_OPT_U64(0, "valid_every", S, train.valid_every, "STEPS", "validation interval, 0: at the end"),
	LU_OPT_U64(0, "valid_samples", S, train.valid_samples, "N", "samples per set, 0: all"),
	LU_OPT_U64(0, "log_every", S, train.log_every, "STEPS", "progress interval"),
	LU_OPT_END,
};

static const struct lu_opt parallel_keys[] = {
	LU_OPT_U64(0, "tp", S, parallel.size[LT_TP], "N", "tensor parallel ranks"),
	LU_OPT_U64(0, "cp", S, parallel.size[LT_CP], "N", "context parallel ranks"),
	LU_OPT_U64(0, "dp", S, parallel.size[LT_DP], "N", "data parallel ranks, 0: the processes left"),
	LU_OPT_U64(0, "pp", S, parallel.size[LT_PP], "N", "pipeline stages"),
	LU_OPT_STR(0, "order", S, parallel.order, "AXES", "mesh axes, fastest first"),
	LU_OPT_U64(0, "zero", S, parallel.zero, "N", "ZeRO level"),
	LU_OPT_U64(0, "interleave", S, parallel.interleave, "N", "chunks of layers a stage"),
	LU_OPT_FLAG(0, "sequence", S, parallel.sequence, "sequence parallelism"),
	LU_OPT_ENUM(0, "recompute", S, parallel.recompute, recomputes, "recomputed activations"),
	LU_OPT_ENUM(0, "equality", S, parallel.equality, equalities, "how far bits are equal"),
	LU_OPT_STR(0, "stages", S, parallel.stages, "N...", "layers per stage"),
	LU_OPT_DOUBLE(0, "deadline", S, parallel.deadline, "SECONDS", 1, 86400, "wait for a rank"),
	LU_OPT_U64(0, "hash_every", S, parallel.hash_every, "STEPS", "compare replicas, 0: never"),
	LU_OPT_END,
};

static const struct lu_opt eval_keys[] = {
	LU_OPT_U64(0, "every", S, eval.every, "STEPS", "evaluation interval, 0: at the end"),
	LU_OPT_STR(0, "tasks", S, eval.tasks, "[NAME=]FILE...", "task files"),
	LU_OPT_STR(0, "shards", S, eval.shards, "PREFIX...", "shards scored by language"),
	LU_OPT_END,
};

static const struct lu_opt checkpoint_keys[] = {
	LU_OPT_U64(0, "every", S, checkpoint.every, "STEPS", "interval, 0: at the end"),
	LU_OPT_U64(0, "keep", S, checkpoint.keep, "N", "checkpoints kept, 0: all"),
	LU_OPT_END,
};
/* clang-format on */

#undef S

static const struct {
	const char *name;
	const struct lu_opt *key;
	size_t keys;
} sections[] = {
#define SECTION(name)                                                                \
	{                                                                            \
#name, name##_keys, sizeof(name##_keys) / sizeof(name##_keys[0]) - 1 \
	}
	SECTION(model),
	SECTION(data),
	SECTION(train),
	SECTION(eval),
	SECTION(parallel),
	SECTION(checkpoint),
#undef SECTION
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

void lt_settings_init(struct lt_settings *s)
{
	*s = (struct lt_settings){
		.model = { .preset = "",
				.rope_theta = 10000,
				.norm_eps = 1e-5,
				.init_std = 0.02,
				.rope_low = 1,
				.rope_high = 4 },
		.data = { .train = "", .valid = "", .tokenizer = "", .shuffle = true },
		.train = { .context = 256,
				.micro_batch = 8,
				.global_batch = 16,
				.ramp = "",
				.init = "",
				.teacher = "",
				.schedule = LT_COSINE,
				.lr = 1e-3,
				.lr_min = 1e-4,
				.weight_decay = 0.1,
				.clip = 1,
				.beta = LT_BETA,
				.teacher_weight = 1,
				.beta1 = 0.9,
				.beta2 = 0.95,
				.eps = 1e-8,
				.log_every = 1 },
		.eval = { .tasks = "", .shards = "" },
		.parallel = { .size = { [LT_TP] = 1, [LT_CP] = 1, [LT_PP] = 1 },
				.zero = 1,
				.interleave = 1,
				.order = LT_MESH_ORDER,
				.stages = "",
				.deadline = 600,
				.hash_every = 100 },
		.checkpoint = { .every = 1000, .keep = 2 },
	};
}

const struct lu_opt *lt_settings_key(size_t i, const char **section)
{
	for (size_t s = 0; s < SECTIONS; s++) {
		if (i < sections[s].keys) {
			*section = sections[s].name;
			return &sections[s].key[i];
		}
		i -= sections[s].keys;
	}
	return NULL;
}

size_t lt_settings_keys(void)
{
	size_t n = 0;

	for (size_t s = 0; s < SECTIONS; s++)
		n += sections[s].keys;
	return n;
}

int lt_settings_find(const char *section, const char *key, size_t *index, struct lu_err *err)
{
	const char *known[SECTIONS + 1];

	*index = 0;
	for (size_t s = 0; s < SECTIONS; *index += sections[s].keys, s++) {
		if (strcmp(sections[s].name, section) != 0)
			continue;
		for (size_t i = 0; i < sections[s].keys; i++) {
			if (strcmp(sections[s].key[i].name, key) == 0) {
				*index += i;
				return 0;
			}
		}
		lu_conf_unknown_key(sections[s].key, key, err);
		return lu_err_wrap(err, "[%s]", section);
	}
	for (size_t s = 0; s < SECTIONS; s++)
		known[s] = sections[s].name;
	known[SECTIONS] = "phase NAME";
	return lu_conf_unknown("section", section, known, SECTIONS + 1, err);
}

int lt_settings_set(struct lt_settings *s, const char *section, const char *key, const char *value,
		struct lu_err *err)
{
	size_t i;

	if (lt_settings_find(section, key, &i, err) < 0)
		return -1;
	if (lu_opt_store(lt_settings_key(i, &section), s, value, err) < 0)
		return lu_err_wrap(err, "%s.%s", section, key);
	return 0;
}

bool lt_settings_is_length(const char *section, const char *key)
{
	return strcmp(section, "train") == 0 &&
			(strcmp(key, "steps") == 0 || strcmp(key, "samples") == 0 ||
					strcmp(key, "epochs") == 0);
}

void lt_settings_clear_length(struct lt_settings *s)
{
	s->train.steps = s->train.samples = 0;
	s->train.epochs = 0;
}
