#ifndef LUCIE_TRAINER_RUN_SETTINGS_H
#define LUCIE_TRAINER_RUN_SETTINGS_H
/*
 * The configuration of a run, as lucie-config(5) describes it: sections [model] [data] [train]
 * [parallel] [checkpoint], and any number of [phase NAME] that override keys of those, in order.
 *
 *	struct lt_config c;
 *	lt_config_init(&c);
 *	lt_config_read(&c, "run.ini", &err)		the file
 *	lt_config_set(&c, "train.lr=1e-3", &err)	one --set, after the file
 *	lt_config_check(&c, &err)			presets filled in, every phase checked
 *	lt_config_phase(&c, i, &settings, &err)		what holds in phase i
 *	lt_config_print(&c, &buf)			the same again, as it took effect
 *	lt_config_release(&c);
 *
 * Without a [phase] section there is one phase called "main". A key with no effect in this build
 * is refused. Strings in struct lt_settings belong to the configuration.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"
#include "trainer/model/params.h"
#include "trainer/run/schedule.h"

struct lt_settings {
	struct {
		const char *preset;
		uint64_t vocab, hidden, layers, heads, kv_heads, head_dim, ffn;
		double rope_theta, norm_eps, init_std;
		bool tied;
	} model;
	struct {
		const char *train, *valid, *tokenizer;
		bool shuffle;
	} data;
	struct {
		uint64_t steps, samples;
		double epochs;
		uint64_t context, micro_batch, global_batch, lanes, seed;
		const char *ramp, *init;
		int dtype, schedule;
		double lr, lr_min;
		uint64_t warmup, cooldown;
		double weight_decay, clip, beta1, beta2, eps;
		bool reset_optimizer;
		uint64_t valid_every, valid_samples, log_every;
	} train;
	struct {
		uint64_t tp, cp, dp, pp, zero;
		const char *order, *stages;
		bool sequence;
		int recompute;
	} parallel;
	struct {
		uint64_t every, keep;
	} checkpoint;
};

enum { LT_FP32, LT_BF16 };
enum { LT_RECOMPUTE_NONE, LT_RECOMPUTE_LAYER };

/* A line "section.key = value" of a phase. */
struct lt_override {
	const char *section, *key, *value;
};

struct lt_phase {
	const char *name;
	struct lt_override *over;
	size_t n;
};

struct lt_config {
	struct lt_settings base;
	struct lt_phase *phase;
	size_t phases;
	bool *given; /* by row, in the order of lt_config_rows() */
	struct lu_arena arena;
};

int lt_config_init(struct lt_config *c, struct lu_err *err) LU_CHECKED;
int lt_config_read(struct lt_config *c, const char *path, struct lu_err *err) LU_CHECKED;
int lt_config_set(struct lt_config *c, const char *setting, struct lu_err *err) LU_CHECKED;
int lt_config_check(struct lt_config *c, struct lu_err *err) LU_CHECKED;
int lt_config_phase(const struct lt_config *c, size_t i, struct lt_settings *out,
		struct lu_err *err) LU_CHECKED;
void lt_config_print(const struct lt_config *c, struct lu_buf *out);
void lt_config_release(struct lt_config *c);

/*
 * Compares two checked configurations. Returns 0 when every key is the same in every phase;
 * otherwise 1, and in `what` the first key that differs with both values, e.g.
 * "train.lr is 0.001 in the run and 0.002 now" (names the phase where it is one's own).
 */
int lt_config_differ(
		const struct lt_config *was, const struct lt_config *now, char *what, size_t size);

/* The shape of the model, and the schedule of a phase (but for its samples, when the phase counts
 * epochs: lt_corpus knows how long one is). */
void lt_settings_shape(const struct lt_settings *s, struct lt_shape *shape);
int lt_settings_schedule(const struct lt_settings *s, uint64_t epoch_samples,
		struct lt_schedule *out, struct lu_err *err) LU_CHECKED;

/* All rows with their section, for the page's test: i from 0 until NULL. */
const struct lu_opt *lt_config_row(size_t i, const char **section);

/* The words of a list such as data.train, one after another: *rest starts at the value; the word
 * is at the returned pointer with *n bytes. NULL at the end. */
const char *lt_word(const char **rest, size_t *n);

#endif
