#ifndef LUCIE_TRAINER_RUN_SETTINGS_H
#define LUCIE_TRAINER_RUN_SETTINGS_H
/*
 * The settings of one phase of training: sections [model] [data] [train] [eval] [parallel] [checkpoint] of
 * lucie-config(5). config.h reads them from a file and applies the overrides of phases.
 *
 *	struct lt_settings s;
 *	lt_settings_init(&s);					defaults
 *	lt_settings_set(&s, "train", "lr", "1e-3", &err)	one key
 *	lt_settings_preset(&s, given, &err)			sizes that follow from others
 *	lt_settings_check(&s, &err)
 *
 * settings.c has the keys; settings_check.c the presets, the checks, and what follows from the settings.
 * Keys without effect in this build are refused. Strings belong to whoever set them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"
#include "libcommon/order/rows.h"
#include "libcommon/sys/opt.h"
#include "trainer/comm/comm.h"
#include "trainer/model/model.h"
#include "trainer/model/params.h"
#include "trainer/parallel/mesh.h"
#include "trainer/run/schedule.h"

/* Type of the activations, and what computes, see backend.h. */
enum lt_dtype { LT_DTYPE_AUTO, LT_FP32, LT_BF16 };
/* Of the weights, their gradients and AdamW, see lt_holding.low. */
enum lt_memory_mode { LT_MEMORY_STANDARD, LT_MEMORY_LOW };
/* What a step minimises. */
enum lt_goal { LT_NEXT, LT_DPO };
enum lt_device { LT_DEVICE_AUTO, LT_DEVICE_CPU, LT_DEVICE_CUDA };

/* Default of train.beta, as in the paper on DPO. */
#define LT_BETA 0.1

struct lt_settings {
	struct {
		const char *preset;
		uint64_t vocab, hidden, layers, heads, kv_heads, head_dim, ffn;
		double rope_theta, norm_eps, init_std;
		enum lt_rope_scaling rope_scaling;
		double rope_factor, rope_low, rope_high;
		uint64_t rope_original;
		bool tied;
	} model;
	struct {
		const char *train, *valid, *tokenizer;
		enum lu_rows_mode rows;
		bool shuffle;
		uint64_t goldfish;
	} data;
	struct {
		uint64_t steps, samples; /* length of the phase: one of these, or epochs */
		double epochs;
		uint64_t context, micro_batch, global_batch, lanes, seed;
		const char *ramp, *init;
		enum lt_device device;
		enum lt_dtype dtype;
		enum lt_memory_mode memory;
		enum lk_attention attention;
		enum lt_decay schedule;
		enum lt_decay_type decay_type; /* of wsd */
		double lr, lr_min;
		uint64_t warmup, cooldown;
		double weight_decay, clip, beta1, beta2, eps;
		double spike; /* spike.h; 0: off */
		bool reset_optimizer, reset_documents;
		uint64_t valid_every, valid_samples, log_every;
		enum lt_goal objective;
		double beta; /* 0: the default */
		bool length_normalized;
		const char *teacher;
		double teacher_weight; /* 0: the default */
	} train;
	struct {
		uint64_t size[LT_AXES]; /* dp 0: what the processes leave */
		uint64_t zero, interleave, hash_every;
		double deadline;
		const char *order, *stages;
		bool sequence;
		enum lt_recompute recompute;
		enum lt_equality equality;
	} parallel;
	struct {
		uint64_t every;
		const char *tasks, *shards;
	} eval;
	struct {
		uint64_t every, keep;
	} checkpoint;
};

/* For options: "auto", "cpu", "cuda". */
extern const struct lu_enum lt_devices[];

void lt_settings_init(struct lt_settings *s);

/* Key i of all sections, in order; NULL after the last. */
const struct lu_opt *lt_settings_key(size_t i, const char **section);
size_t lt_settings_keys(void);

/* Index of a key. An unknown section or key is an error that lists the known ones. */
int lt_settings_find(
		const char *section, const char *key, size_t *index, struct lu_err *err) LU_CHECKED;
/* Store one value given as text, which the settings keep a pointer to. */
int lt_settings_set(struct lt_settings *s, const char *section, const char *key, const char *value,
		struct lu_err *err) LU_CHECKED;

/* True for the three keys of [train] that set the length of a phase; they replace each other. */
bool lt_settings_is_length(const char *section, const char *key);
void lt_settings_clear_length(struct lt_settings *s);

/* Fill in the sizes of model.preset, except keys with given[index], then kv_heads and head_dim from
 * the other sizes if they are 0. */
int lt_settings_preset(struct lt_settings *s, const bool *given, struct lu_err *err) LU_CHECKED;

int lt_settings_check(const struct lt_settings *s, struct lu_err *err) LU_CHECKED;

/* Whether attention and positions begin anew in each document of a row. */
static inline bool lt_settings_resets(const struct lt_settings *s)
{
	return s->train.reset_documents || s->data.rows == LU_ROWS_PACKED;
}

void lt_settings_shape(const struct lt_settings *s, struct lt_shape *shape);
/* What the model is to minimise; with a teacher for tops of any size. */
struct lt_objective lt_settings_objective(const struct lt_settings *s);
/* epoch_samples: samples per epoch (lt_corpus_samples()), for a phase whose length is in epochs. */
int lt_settings_schedule(const struct lt_settings *s, uint64_t epoch_samples,
		struct lt_schedule *out, struct lu_err *err) LU_CHECKED;

#endif
