#include "trainer/run/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/conf.h"

#define S struct lt_settings

/* clang-format off */
static const struct lu_opt model_rows[] = {
	LU_OPT_STR(0, "preset", S, model.preset, "NAME", "sizes by name"),
	LU_OPT_U64(0, "vocab", S, model.vocab, "N", "vocabulary"),
	LU_OPT_U64(0, "hidden", S, model.hidden, "N", "width of the residual stream"),
	LU_OPT_U64(0, "layers", S, model.layers, "N", "blocks"),
	LU_OPT_U64(0, "heads", S, model.heads, "N", "query heads"),
	LU_OPT_U64(0, "kv_heads", S, model.kv_heads, "N", "key and value heads"),
	LU_OPT_U64(0, "head_dim", S, model.head_dim, "N", "width of a head"),
	LU_OPT_U64(0, "ffn", S, model.ffn, "N", "width of the feed-forward part"),
	LU_OPT_DOUBLE(0, "rope_theta", S, model.rope_theta, "X", 1, 1e12, "base of the rotary angles"),
	LU_OPT_DOUBLE(0, "norm_eps", S, model.norm_eps, "X", 0, 1, "added to the mean square"),
	LU_OPT_DOUBLE(0, "init_std", S, model.init_std, "X", 0, 10, "of initial weights"),
	LU_OPT_FLAG(0, "tied", S, model.tied, "the head is the embedding"),
	LU_OPT_END,
};

static const struct lu_opt data_rows[] = {
	LU_OPT_STR(0, "train", S, data.train, "PREFIX...", "shards or plans to train on"),
	LU_OPT_STR(0, "valid", S, data.valid, "PREFIX...", "validation sets"),
	LU_OPT_FLAG(0, "shuffle", S, data.shuffle, "samples in random order"),
	LU_OPT_STR(0, "tokenizer", S, data.tokenizer, "FILE", "kept with the run"),
	LU_OPT_END,
};

static const struct lu_opt train_rows[] = {
	LU_OPT_U64(0, "steps", S, train.steps, "N", "length of the phase"),
	LU_OPT_U64(0, "samples", S, train.samples, "N", "length of the phase"),
	LU_OPT_DOUBLE(0, "epochs", S, train.epochs, "X", 0, 1e6, "length of the phase"),
	LU_OPT_U64(0, "context", S, train.context, "N", "tokens of a sample"),
	LU_OPT_U64(0, "micro_batch", S, train.micro_batch, "N", "samples computed at once"),
	LU_OPT_U64(0, "global_batch", S, train.global_batch, "N", "samples of a step"),
	LU_OPT_STR(0, "ramp", S, train.ramp, "START STEP SAMPLES", "growth of the batch"),
	LU_OPT_U64(0, "lanes", S, train.lanes, "N", "sums of gradients, a power of two"),
	LU_OPT_U64(0, "seed", S, train.seed, "N", "of initial weights and sample order"),
	LU_OPT_STR(0, "init", S, train.init, "DIR", "safetensors weights to start from"),
	LU_OPT_CHOICE(0, "dtype", S, train.dtype, "fp32|bf16", "of activations"),
	LU_OPT_DOUBLE(0, "lr", S, train.lr, "X", 0, 100, "peak learning rate"),
	LU_OPT_DOUBLE(0, "lr_min", S, train.lr_min, "X", 0, 100, "last learning rate"),
	LU_OPT_CHOICE(0, "schedule", S, train.schedule, LT_DECAY_CHOICES, "shape of its decay"),
	LU_OPT_U64(0, "warmup", S, train.warmup, "SAMPLES", "linear rise from 0"),
	LU_OPT_U64(0, "cooldown", S, train.cooldown, "SAMPLES", "fall at the end of wsd"),
	LU_OPT_DOUBLE(0, "weight_decay", S, train.weight_decay, "X", 0, 100, "AdamW's, matrices only"),
	LU_OPT_DOUBLE(0, "clip", S, train.clip, "X", 0, 1e9, "bound of the gradient norm, 0 none"),
	LU_OPT_DOUBLE(0, "beta1", S, train.beta1, "X", 0, 1, "AdamW"),
	LU_OPT_DOUBLE(0, "beta2", S, train.beta2, "X", 0, 1, "AdamW"),
	LU_OPT_DOUBLE(0, "eps", S, train.eps, "X", 0, 1, "AdamW, outside the root"),
	LU_OPT_FLAG(0, "reset_optimizer", S, train.reset_optimizer, "m, v and t from 0"),
	LU_OPT_U64(0, "valid_every", S, train.valid_every, "STEPS", "0: at the end alone"),
	LU_OPT_U64(0, "valid_samples", S, train.valid_samples, "N", "of each set, 0 all"),
	LU_OPT_U64(0, "log_every", S, train.log_every, "STEPS", "between lines on standard error"),
	LU_OPT_END,
};

static const struct lu_opt parallel_rows[] = {
	LU_OPT_U64(0, "tp", S, parallel.tp, "N", "tensor parallel"),
	LU_OPT_U64(0, "cp", S, parallel.cp, "N", "context parallel"),
	LU_OPT_U64(0, "dp", S, parallel.dp, "N", "data parallel"),
	LU_OPT_U64(0, "pp", S, parallel.pp, "N", "pipeline stages"),
	LU_OPT_STR(0, "order", S, parallel.order, "AXES", "fastest first"),
	LU_OPT_U64(0, "zero", S, parallel.zero, "N", "sharded optimizer"),
	LU_OPT_FLAG(0, "sequence", S, parallel.sequence, "sequence parallel"),
	LU_OPT_CHOICE(0, "recompute", S, parallel.recompute, "none|layer", "activations"),
	LU_OPT_STR(0, "stages", S, parallel.stages, "N...", "layers of each stage"),
	LU_OPT_END,
};

static const struct lu_opt checkpoint_rows[] = {
	LU_OPT_U64(0, "every", S, checkpoint.every, "STEPS", "0: at the end alone"),
	LU_OPT_U64(0, "keep", S, checkpoint.keep, "N", "0: all"),
	LU_OPT_END,
};
/* clang-format on */

#undef S

static const struct {
	const char *name;
	const struct lu_opt *rows;
	size_t n; /* without the end */
} sections[] = {
#define SECTION(name)                                                                \
	{                                                                            \
#name, name##_rows, sizeof(name##_rows) / sizeof(name##_rows[0]) - 1 \
	}
	SECTION(model),
	SECTION(data),
	SECTION(train),
	SECTION(parallel),
	SECTION(checkpoint),
#undef SECTION
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static const struct {
	const char *name;
	uint64_t hidden, layers, heads, kv_heads, ffn, vocab;
	double rope_theta, init_std;
} presets[] = {
	/* for tests: seconds on one core */
	{ "tiny", 64, 2, 4, 2, 192, 0, 10000, 0.02 },
	/* minutes on two cores */
	{ "demo", 128, 4, 4, 2, 384, 0, 10000, 0.02 },
	/* the ablation model and the model of the Lucie-7B project */
	{ "ablation", 512, 6, 8, 8, 1536, 65024, 500000, 0.02 },
	{ "lucie-7b", 4096, 32, 32, 8, 12288, 65024, 500000, 0.009 },
};

const struct lu_opt *lt_config_row(size_t i, const char **section)
{
	for (size_t s = 0; s < SECTIONS; s++) {
		if (i < sections[s].n) {
			*section = sections[s].name;
			return &sections[s].rows[i];
		}
		i -= sections[s].n;
	}
	return NULL;
}

static size_t row_count(void)
{
	size_t n = 0;

	for (size_t s = 0; s < SECTIONS; s++)
		n += sections[s].n;
	return n;
}

int lt_config_init(struct lt_config *c, struct lu_err *err)
{
	*c = (struct lt_config){ 0 };
	c->given = calloc(row_count(), sizeof(*c->given));
	if (!c->given)
		return lu_err_nomem(err);
	c->base.model.preset = "";
	c->base.model.rope_theta = 10000;
	c->base.model.norm_eps = 1e-5;
	c->base.model.init_std = 0.02;
	c->base.data.train = c->base.data.valid = c->base.data.tokenizer = "";
	c->base.data.shuffle = true;
	c->base.train.ramp = c->base.train.init = "";
	c->base.train.context = 256;
	c->base.train.micro_batch = 8;
	c->base.train.global_batch = 16;
	c->base.train.lanes = c->base.train.log_every = 1;
	c->base.train.lr = 1e-3;
	c->base.train.lr_min = 1e-4;
	c->base.train.schedule = LT_COSINE;
	c->base.train.weight_decay = 0.1;
	c->base.train.clip = 1;
	c->base.train.beta1 = 0.9;
	c->base.train.beta2 = 0.95;
	c->base.train.eps = 1e-8;
	c->base.parallel.tp = c->base.parallel.cp = 1;
	c->base.parallel.dp = c->base.parallel.pp = 1;
	c->base.parallel.order = "tp cp dp pp";
	c->base.parallel.stages = "";
	c->base.checkpoint.every = 1000;
	c->base.checkpoint.keep = 2;
	return 0;
}

void lt_config_release(struct lt_config *c)
{
	for (size_t i = 0; i < c->phases; i++)
		free(c->phase[i].over);
	free(c->phase);
	free(c->given);
	lu_arena_release(&c->arena);
	*c = (struct lt_config){ 0 };
}

static const char *keep(struct lt_config *c, const char *text, struct lu_err *err)
{
	struct lu_str s = lu_arena_str(&c->arena, lu_str_of(text));

	if (!s.p)
		lu_err_nomem(err);
	return s.p;
}

static void unknown_key(size_t section, const char *key, struct lu_err *err)
{
	struct lu_buf known = { 0 };

	for (size_t i = 0; i < sections[section].n; i++)
		lu_buf_printf(&known, "%s%s", i ? ", " : "", sections[section].rows[i].name);
	lu_err_set(err, "unknown key '%s' in [%s] (known: %s)", key, sections[section].name,
			known.p ? known.p : "");
	lu_buf_release(&known);
}

/* Finds the row; given != NULL marks it. */
static const struct lu_opt *find_row(
		const char *section, const char *key, bool *given, struct lu_err *err)
{
	size_t base = 0;

	for (size_t s = 0; s < SECTIONS; base += sections[s].n, s++) {
		if (strcmp(sections[s].name, section) != 0)
			continue;
		for (size_t i = 0; i < sections[s].n; i++) {
			if (strcmp(sections[s].rows[i].name, key) != 0)
				continue;
			if (given)
				given[base + i] = true;
			return &sections[s].rows[i];
		}
		unknown_key(s, key, err);
		return NULL;
	}
	lu_err_set(err,
			"unknown section [%s] (known: model, data, train, parallel, checkpoint, "
			"phase NAME)",
			section);
	return NULL;
}

static int store(const struct lu_opt *row, struct lt_settings *s, const char *section,
		const char *value, struct lu_err *err)
{
	if (lu_opt_store(row, s, value, err) < 0)
		return lu_err_wrap(err, "%s.%s", section, row->name);
	return 0;
}

static struct lt_phase *phase_named(
		struct lt_config *c, const char *name, bool create, struct lu_err *err)
{
	struct lt_phase *grown;

	for (size_t i = 0; i < c->phases; i++) {
		if (strcmp(c->phase[i].name, name) == 0)
			return &c->phase[i];
	}
	if (!create) {
		lu_err_set(err, "there is no [phase %s]", name);
		return NULL;
	}
	if (!*name || strpbrk(name, ". \t]")) {
		lu_err_set(err, "[phase %s]: a phase needs a name without blanks and dots", name);
		return NULL;
	}
	grown = realloc(c->phase, (c->phases + 1) * sizeof(*grown));
	if (!grown) {
		lu_err_nomem(err);
		return NULL;
	}
	c->phase = grown;
	grown[c->phases] = (struct lt_phase){ .name = keep(c, name, err) };
	return grown[c->phases].name ? &grown[c->phases++] : NULL;
}

static int phase_set(struct lt_config *c, struct lt_phase *p, const char *dotted, const char *value,
		struct lu_err *err)
{
	const char *dot = strchr(dotted, '.');
	struct lt_override o, *grown;
	struct lt_settings trial = c->base;
	const struct lu_opt *row;
	char *section;

	if (!dot)
		return lu_err_set(err, "'%s' in [phase %s] is not section.key", dotted, p->name);
	section = (char *)lu_arena_alloc(&c->arena, (size_t)(dot - dotted) + 1);
	if (!section)
		return lu_err_nomem(err);
	memcpy(section, dotted, (size_t)(dot - dotted));
	section[dot - dotted] = '\0';
	row = find_row(section, dot + 1, NULL, err);
	if (!row)
		return -1;
	if (strcmp(section, "model") == 0 && strcmp(row->name, "rope_theta") != 0)
		return lu_err_set(err, "[phase %s]: %s cannot change between phases", p->name,
				dotted);
	if (strcmp(section, "checkpoint") == 0 || strcmp(row->name, "tokenizer") == 0 ||
			strcmp(row->name, "lanes") == 0 || strcmp(row->name, "dtype") == 0)
		return lu_err_set(err, "[phase %s]: %s is the same for the whole run", p->name,
				dotted);
	o = (struct lt_override){ section, row->name, keep(c, value, err) };
	if (!o.value || store(row, &trial, section, o.value, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->over[i].section, section) == 0 &&
				strcmp(p->over[i].key, row->name) == 0) {
			p->over[i] = o;
			return 0;
		}
	}
	grown = realloc(p->over, (p->n + 1) * sizeof(*grown));
	if (!grown)
		return lu_err_nomem(err);
	p->over = grown;
	grown[p->n++] = o;
	return 0;
}

static int base_set(struct lt_config *c, const char *section, const char *key, const char *value,
		struct lu_err *err)
{
	const struct lu_opt *row = find_row(section, key, c->given, err);
	const char *kept;

	if (!row)
		return -1;
	kept = keep(c, value, err);
	return kept ? store(row, &c->base, section, kept, err) : -1;
}

static int on_setting(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	struct lt_config *c = ctx;
	struct lt_phase *p;

	if (strcmp(section, "phase") == 0) {
		p = phase_named(c, name, true, err);
		if (!p)
			return -1;
		return key ? phase_set(c, p, key, value, err) : 0;
	}
	if (*name)
		return lu_err_set(err, "section [%s] takes no name", section);
	if (!key)
		return 0;
	if (!*section)
		return lu_err_set(err, "'%s' stands before the first section", key);
	return base_set(c, section, key, value, err);
}

int lt_config_read(struct lt_config *c, const char *path, struct lu_err *err)
{
	struct lu_conf conf;
	int rc;

	if (lu_conf_open(&conf, path, err) < 0)
		return -1;
	rc = lu_conf_each(&conf, on_setting, c, err);
	lu_conf_close(&conf);
	return rc;
}

/* The three lengths are one setting in three units: an override replaces whichever was there. */
static bool is_length(const char *key)
{
	return strcmp(key, "steps") == 0 || strcmp(key, "samples") == 0 ||
			strcmp(key, "epochs") == 0;
}

int lt_config_set(struct lt_config *c, const char *setting, struct lu_err *err)
{
	char *copy = strdup(setting), *section, *key, *value, *dot;
	struct lt_phase *p;
	int rc;

	if (!copy)
		return lu_err_nomem(err);
	rc = lu_conf_split(copy, &section, &key, &value, err);
	if (rc == 0 && strcmp(section, "phase") == 0) {
		dot = strchr(key, '.');
		if (dot)
			*dot = '\0';
		p = dot ? phase_named(c, key, false, err) : NULL;
		if (!dot)
			lu_err_set(err, "'%s' is not phase.NAME.section.key=value", setting);
		rc = p ? phase_set(c, p, dot + 1, value, err) : -1;
	} else if (rc == 0) {
		if (strcmp(section, "train") == 0 && is_length(key)) {
			c->base.train.steps = c->base.train.samples = 0;
			c->base.train.epochs = 0;
		}
		rc = base_set(c, section, key, value, err);
	}
	free(copy);
	return rc < 0 ? lu_err_wrap(err, "--set") : 0;
}

/* Sizes of the preset, where the configuration gives none of its own. */
static int fill_preset(struct lt_config *c, struct lu_err *err)
{
	struct lu_buf known = { 0 };
	size_t i;

	if (!*c->base.model.preset)
		return 0;
	for (i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (strcmp(presets[i].name, c->base.model.preset) == 0)
			break;
		lu_buf_printf(&known, "%s%s", i ? ", " : "", presets[i].name);
	}
	if (i == sizeof(presets) / sizeof(presets[0])) {
		lu_err_set(err, "model.preset: unknown '%s' (known: %s)", c->base.model.preset,
				known.p ? known.p : "");
		lu_buf_release(&known);
		return -1;
	}
	lu_buf_release(&known);
	for (size_t r = 0; r < sections[0].n; r++) {
		const char *name = sections[0].rows[r].name;

		if (c->given[r] || (strcmp(name, "vocab") == 0 && presets[i].vocab == 0))
			continue;
#define FILL(key)                    \
	if (strcmp(name, #key) == 0) \
	c->base.model.key = presets[i].key
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
	return 0;
}

static int check_model(const struct lt_settings *s, struct lu_err *err)
{
	static const struct {
		const char *name;
		size_t offset;
	} sizes[] = {
		{ "vocab", offsetof(struct lt_settings, model.vocab) },
		{ "hidden", offsetof(struct lt_settings, model.hidden) },
		{ "layers", offsetof(struct lt_settings, model.layers) },
		{ "heads", offsetof(struct lt_settings, model.heads) },
		{ "ffn", offsetof(struct lt_settings, model.ffn) },
	};
	uint64_t kv = s->model.kv_heads, dim = s->model.head_dim;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (*(const uint64_t *)(const void *)((const char *)s + sizes[i].offset) == 0)
			return lu_err_set(err, "model.%s is not set", sizes[i].name);
	}
	if (kv == 0 || s->model.heads % kv)
		return lu_err_set(err, "model.kv_heads = %llu does not divide model.heads = %llu",
				(unsigned long long)kv, (unsigned long long)s->model.heads);
	if (dim == 0 || dim % 2 || dim > LK_ATTN_MAX_DIM)
		return lu_err_set(err, "model.head_dim = %llu is not an even number up to %d",
				(unsigned long long)dim, LK_ATTN_MAX_DIM);
	return 0;
}

static int check_parallel(const struct lt_settings *s, struct lu_err *err)
{
	static const char one[] = "has no effect here: this build trains in one process";

	if (s->parallel.tp != 1)
		return lu_err_set(err, "parallel.tp = %llu %s", (unsigned long long)s->parallel.tp,
				one);
	if (s->parallel.cp != 1)
		return lu_err_set(err, "parallel.cp = %llu %s", (unsigned long long)s->parallel.cp,
				one);
	if (s->parallel.dp != 1)
		return lu_err_set(err, "parallel.dp = %llu %s", (unsigned long long)s->parallel.dp,
				one);
	if (s->parallel.pp != 1)
		return lu_err_set(err, "parallel.pp = %llu %s", (unsigned long long)s->parallel.pp,
				one);
	if (s->parallel.zero)
		return lu_err_set(err, "parallel.zero = %llu %s",
				(unsigned long long)s->parallel.zero, one);
	if (s->parallel.sequence)
		return lu_err_set(err, "parallel.sequence = yes %s", one);
	if (*s->parallel.stages)
		return lu_err_set(err, "parallel.stages = %s %s", s->parallel.stages, one);
	if (strcmp(s->parallel.order, "tp cp dp pp") != 0)
		return lu_err_set(err, "parallel.order = %s %s", s->parallel.order, one);
	return 0;
}

static int check_train(const struct lt_settings *s, struct lu_err *err)
{
	int lengths = (s->train.steps != 0) + (s->train.samples != 0) + (s->train.epochs != 0);
	uint64_t lanes = s->train.lanes;
	struct lt_schedule sched;

	if (!*s->data.train)
		return lu_err_set(err, "data.train is not set");
	if (lengths != 1)
		return lu_err_set(err,
				lengths ? "train.steps, train.samples and train.epochs: "
					  "only one may be set"
					: "train.steps, train.samples or train.epochs: "
					  "one must be set");
	if (s->train.context == 0 || s->train.context > 1u << 24)
		return lu_err_set(err, "train.context = %llu is out of range",
				(unsigned long long)s->train.context);
	if (s->train.micro_batch == 0 || s->train.micro_batch > 1u << 20)
		return lu_err_set(err, "train.micro_batch = %llu is out of range",
				(unsigned long long)s->train.micro_batch);
	if (lanes == 0 || (lanes & (lanes - 1)) || lanes > 4096)
		return lu_err_set(err, "train.lanes = %llu is not a power of two up to 4096",
				(unsigned long long)lanes);
	if (s->train.dtype != LT_FP32)
		return lu_err_set(err,
				"train.dtype = bf16: this build's processor kernels compute in "
				"fp32");
	if (s->train.beta1 >= 1 || s->train.beta2 >= 1)
		return lu_err_set(err, "train.beta1 and train.beta2 must be below 1");
	if (s->train.cooldown && s->train.schedule != LT_WSD)
		return lu_err_set(err, "train.cooldown has no effect without schedule = wsd");
	if (s->train.schedule == LT_WSD && s->train.cooldown == 0)
		return lu_err_set(err, "train.schedule = wsd needs train.cooldown");
	return lt_settings_schedule(s, 1, &sched, err);
}

int lt_config_check(struct lt_config *c, struct lu_err *err)
{
	struct lt_settings s;

	if (fill_preset(c, err) < 0)
		return -1;
	if (c->base.model.kv_heads == 0)
		c->base.model.kv_heads = c->base.model.heads;
	if (c->base.model.head_dim == 0 && c->base.model.heads)
		c->base.model.head_dim = c->base.model.hidden / c->base.model.heads;
	if (c->phases == 0 && !phase_named(c, "main", true, err))
		return -1;
	for (size_t i = 0; i < c->phases; i++) {
		if (lt_config_phase(c, i, &s, err) < 0)
			return -1;
		if (check_model(&s, err) < 0 || check_train(&s, err) < 0 ||
				check_parallel(&s, err) < 0)
			return c->phases > 1 ? lu_err_wrap(err, "phase %s", c->phase[i].name) : -1;
		if (i > 0 && *s.train.init && s.train.init != c->base.train.init)
			return lu_err_set(err, "phase %s: train.init belongs to the first phase",
					c->phase[i].name);
	}
	return 0;
}

int lt_config_phase(
		const struct lt_config *c, size_t i, struct lt_settings *out, struct lu_err *err)
{
	const struct lt_phase *p = &c->phase[i];

	*out = c->base;
	for (size_t k = 0; k < p->n; k++) {
		if (strcmp(p->over[k].section, "train") == 0 && is_length(p->over[k].key)) {
			out->train.steps = out->train.samples = 0;
			out->train.epochs = 0;
		}
	}
	for (size_t k = 0; k < p->n; k++) {
		const struct lt_override *o = &p->over[k];
		const struct lu_opt *row = find_row(o->section, o->key, NULL, err);

		if (!row || store(row, out, o->section, o->value, err) < 0)
			return lu_err_wrap(err, "phase %s", p->name);
	}
	return 0;
}

void lt_config_print(const struct lt_config *c, struct lu_buf *out)
{
	for (size_t s = 0; s < SECTIONS; s++) {
		lu_buf_printf(out, "%s[%s]\n", s ? "\n" : "", sections[s].name);
		for (size_t i = 0; i < sections[s].n; i++) {
			lu_buf_printf(out, "%s = ", sections[s].rows[i].name);
			lu_opt_format(&sections[s].rows[i], &c->base, out);
			lu_buf_putc(out, '\n');
		}
	}
	if (c->phases == 1 && c->phase[0].n == 0 && strcmp(c->phase[0].name, "main") == 0)
		return;
	for (size_t i = 0; i < c->phases; i++) {
		lu_buf_printf(out, "\n[phase %s]\n", c->phase[i].name);
		for (size_t k = 0; k < c->phase[i].n; k++)
			lu_buf_printf(out, "%s.%s = %s\n", c->phase[i].over[k].section,
					c->phase[i].over[k].key, c->phase[i].over[k].value);
	}
}

static int rows_differ(const struct lt_settings *was, const struct lt_settings *now,
		const char *phase, char *what, size_t size)
{
	const struct lu_opt *row;
	const char *section;
	int differ = 0;

	for (size_t i = 0; (row = lt_config_row(i, &section)) && !differ; i++) {
		struct lu_buf a = { 0 }, b = { 0 };

		lu_opt_format(row, was, &a);
		lu_opt_format(row, now, &b);
		if (!lu_str_eq(lu_buf_slice(&a), lu_buf_slice(&b))) {
			differ = 1;
			snprintf(what, size, "%s%s%s%s.%s is '%s' in the run and '%s' now",
					phase ? "phase " : "", phase ? phase : "",
					phase ? ": " : "", section, row->name, a.p ? a.p : "",
					b.p ? b.p : "");
		}
		lu_buf_release(&a);
		lu_buf_release(&b);
	}
	return differ;
}

int lt_config_differ(
		const struct lt_config *was, const struct lt_config *now, char *what, size_t size)
{
	struct lt_settings a, b;
	struct lu_err err;

	for (size_t i = 0; i < was->phases && i < now->phases; i++) {
		if (strcmp(was->phase[i].name, now->phase[i].name) != 0) {
			snprintf(what, size, "phase %zu is '%s' in the run and '%s' now", i + 1,
					was->phase[i].name, now->phase[i].name);
			return 1;
		}
		/* Both were checked, so every override can be stored. */
		if (lt_config_phase(was, i, &a, &err) < 0 ||
				lt_config_phase(now, i, &b, &err) < 0 ||
				rows_differ(&a, &b, now->phases > 1 ? now->phase[i].name : NULL,
						what, size))
			return 1;
	}
	if (was->phases != now->phases) {
		snprintf(what, size, "the run has %zu phases, now there are %zu", was->phases,
				now->phases);
		return 1;
	}
	return 0;
}

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
	};
}

int lt_settings_schedule(const struct lt_settings *s, uint64_t epoch_samples,
		struct lt_schedule *out, struct lu_err *err)
{
	*out = (struct lt_schedule){
		.batch = s->train.global_batch,
		.samples = s->train.samples,
		.decay = (enum lt_decay)s->train.schedule,
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

const char *lt_word(const char **rest, size_t *n)
{
	const char *p = *rest + strspn(*rest, " \t");

	*n = strcspn(p, " \t");
	*rest = p + *n;
	return *n ? p : NULL;
}
