#include "trainer/run/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/conf.h"
#include "trainer/run/checkpoint_manifest.h"
#include "trainer/run/init_model.h"

int lt_config_init(struct lt_config *c, struct lu_err *err)
{
	*c = (struct lt_config){ 0 };
	lt_settings_init(&c->base);
	c->given = calloc(lt_settings_keys(), sizeof(*c->given));
	return c->given ? 0 : lu_err_nomem(err);
}

void lt_config_release(struct lt_config *c)
{
	for (size_t i = 0; i < c->phase.n; i++)
		lu_vec_release(&c->phase.p[i].override);
	lu_vec_release(&c->phase);
	free(c->given);
	lu_arena_release(&c->arena);
	*c = (struct lt_config){ 0 };
}

/* --- reading --------------------------------------------------------------------------------- */

/* Copy a string to the configuration; NULL when memory is out. */
static const char *copy(struct lt_config *c, struct lu_str text, struct lu_err *err)
{
	struct lu_str s = lu_arena_str(&c->arena, text);

	if (!s.p)
		lu_err_nomem(err);
	return s.p;
}

static struct lt_phase *find_phase(struct lt_config *c, const char *name)
{
	for (size_t i = 0; i < c->phase.n; i++) {
		if (strcmp(c->phase.p[i].name, name) == 0)
			return &c->phase.p[i];
	}
	return NULL;
}

/* Append a phase; NULL on error. */
static struct lt_phase *add_phase(struct lt_config *c, const char *name, struct lu_err *err)
{
	struct lt_phase phase = { 0 };

	if (!*name || strpbrk(name, ". \t]")) {
		lu_err_set(err, "[phase %s]: a phase needs a name without blanks and dots", name);
		return NULL;
	}
	if (strlen(name) >= LT_PHASE_NAME) {
		lu_err_set(err, "[phase %s]: the name is longer than %d bytes", name,
				LT_PHASE_NAME - 1);
		return NULL;
	}
	phase.name = copy(c, lu_str_of(name), err);
	if (!phase.name)
		return NULL;
	if (!lu_vec_push(&c->phase, phase)) {
		lu_err_nomem(err);
		return NULL;
	}
	return &c->phase.p[c->phase.n - 1];
}

/* Keys that are the same for the whole run. */
static const char *const whole_run[] = { "data.tokenizer", "train.lanes", "train.device",
	"train.dtype", "train.memory", "parallel.equality", "parallel.deadline",
	"checkpoint.keep" };

static int check_override(const struct lt_phase *p, const struct lt_override *o, struct lu_err *err)
{
	bool whole = false;
	char name[64];

	if (strcmp(o->section, "model") == 0 && strncmp(o->key, "rope_", 5) != 0)
		return lu_err_set(err, "[phase %s]: %s.%s cannot change between phases", p->name,
				o->section, o->key);
	snprintf(name, sizeof(name), "%s.%s", o->section, o->key);
	for (size_t i = 0; i < sizeof(whole_run) / sizeof(whole_run[0]); i++)
		whole |= strcmp(name, whole_run[i]) == 0;
	if (whole)
		return lu_err_set(
				err, "[phase %s]: %s is the same for the whole run", p->name, name);
	return 0;
}

/* Set "section.key" of a phase. */
static int set_override(struct lt_config *c, struct lt_phase *p, const char *dotted,
		const char *value, struct lu_err *err)
{
	const char *dot = strchr(dotted, '.');
	struct lt_settings trial = c->base;
	struct lt_override o;
	size_t index;

	if (!dot)
		return lu_err_set(err, "'%s' in [phase %s] is not section.key", dotted, p->name);
	o.section = copy(c, (struct lu_str){ dotted, (size_t)(dot - dotted) }, err);
	o.key = copy(c, lu_str_of(dot + 1), err);
	o.value = copy(c, lu_str_of(value), err);
	if (!o.section || !o.key || !o.value)
		return -1;
	if (lt_settings_find(o.section, o.key, &index, err) < 0 || check_override(p, &o, err) < 0 ||
			lt_settings_set(&trial, o.section, o.key, o.value, err) < 0)
		return -1;
	for (size_t i = 0; i < p->override.n; i++) {
		struct lt_override *old = &p->override.p[i];

		if (strcmp(old->section, o.section) == 0 && strcmp(old->key, o.key) == 0) {
			*old = o;
			return 0;
		}
	}
	return lu_vec_push(&p->override, o) ? 0 : lu_err_nomem(err);
}

static int set_base(struct lt_config *c, const char *section, const char *key, const char *value,
		struct lu_err *err)
{
	const char *kept = copy(c, lu_str_of(value), err);
	size_t index;

	if (!kept || lt_settings_find(section, key, &index, err) < 0)
		return -1;
	c->given[index] = true;
	return lt_settings_set(&c->base, section, key, kept, err);
}

static int on_setting(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	struct lt_config *c = ctx;
	struct lt_phase *p;

	if (strcmp(section, "phase") == 0) {
		p = find_phase(c, name);
		if (!p && !(p = add_phase(c, name, err)))
			return -1;
		return key ? set_override(c, p, key, value, err) : 0;
	}
	if (*name)
		return lu_err_set(err, "section [%s] takes no name", section);
	if (!key)
		return 0;
	if (!*section)
		return lu_err_set(err, "'%s' is before the first section", key);
	return set_base(c, section, key, value, err);
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

/* True for "train.steps" and the two other keys that set a length. */
static bool is_length(const char *dotted)
{
	const char *dot = strchr(dotted, '.');

	return dot && strncmp(dotted, "train", (size_t)(dot - dotted)) == 0 &&
			lt_settings_is_length("train", dot + 1);
}

/* Remove the overrides of the length: a new one replaces it, whatever its unit. */
static void drop_lengths(struct lt_phase *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->override.n; i++) {
		const struct lt_override *o = &p->override.p[i];

		if (!lt_settings_is_length(o->section, o->key))
			p->override.p[kept++] = *o;
	}
	p->override.n = kept;
}

/* Set "NAME.section.key" of --set phase.NAME.section.key=value; cuts `key`. */
static int set_in_phase(struct lt_config *c, char *key, const char *value, struct lu_err *err)
{
	char *dot = strchr(key, '.');
	struct lt_phase *p;

	if (!dot)
		return lu_err_set(err, "'phase.%s' is not phase.NAME.section.key", key);
	*dot = '\0';
	p = find_phase(c, key);
	if (!p)
		return lu_err_set(err, "there is no [phase %s]", key);
	if (is_length(dot + 1))
		drop_lengths(p);
	return set_override(c, p, dot + 1, value, err);
}

int lt_config_set(struct lt_config *c, const char *setting, struct lu_err *err)
{
	char *text = strdup(setting), *section, *key, *value;
	int rc;

	if (!text)
		return lu_err_nomem(err);
	rc = lu_conf_split(text, &section, &key, &value, err);
	if (rc == 0 && strcmp(section, "phase") == 0) {
		rc = set_in_phase(c, key, value, err);
	} else if (rc == 0) {
		if (lt_settings_is_length(section, key))
			lt_settings_clear_length(&c->base);
		rc = set_base(c, section, key, value, err);
	}
	free(text);
	return rc < 0 ? lu_err_wrap(err, "--set %s", setting) : 0;
}

/* --- phases ---------------------------------------------------------------------------------- */

int lt_config_find(const struct lt_config *c, const char *name, size_t *i, struct lu_err *err)
{
	const char **known = calloc(c->phase.n + 1, sizeof(*known));

	if (!known)
		return lu_err_nomem(err);
	for (*i = 0; *i < c->phase.n; (*i)++) {
		known[*i] = c->phase.p[*i].name;
		if (strcmp(known[*i], name) == 0) {
			free(known);
			return 0;
		}
	}
	lu_conf_unknown("phase", name, known, c->phase.n, err);
	free(known);
	return -1;
}

int lt_config_only(struct lt_config *c, const char *name, struct lu_err *err)
{
	struct lt_phase kept;
	size_t i;

	if (lt_config_find(c, name, &i, err) < 0)
		return -1;
	kept = c->phase.p[i];
	c->phase.p[i] = c->phase.p[0];
	for (i = 1; i < c->phase.n; i++)
		lu_vec_release(&c->phase.p[i].override);
	c->phase.p[0] = kept;
	c->phase.n = 1;
	return 0;
}

int lt_config_phase(
		const struct lt_config *c, size_t i, struct lt_settings *out, struct lu_err *err)
{
	const struct lt_phase *p = &c->phase.p[i];

	*out = c->base;
	for (size_t k = 0; k < p->override.n; k++) {
		const struct lt_override *o = &p->override.p[k];

		if (lt_settings_is_length(o->section, o->key))
			lt_settings_clear_length(out);
	}
	for (size_t k = 0; k < p->override.n; k++) {
		const struct lt_override *o = &p->override.p[k];

		if (lt_settings_set(out, o->section, o->key, o->value, err) < 0)
			return lu_err_wrap(err, "phase %s", p->name);
	}
	return 0;
}

/* Take from the model that the run begins with what the configuration leaves out. */
static int take_init(struct lt_config *c, const char *init, struct lu_err *err)
{
	char *tokenizer;

	if (lt_init_settings(&c->base, init, c->given, err) < 0)
		return -1;
	if (*c->base.data.tokenizer)
		return 0;
	if (lt_init_tokenizer(init, &tokenizer, err) < 0)
		return -1;
	if (tokenizer)
		c->base.data.tokenizer = copy(c, lu_str_of(tokenizer), err);
	free(tokenizer);
	return c->base.data.tokenizer ? 0 : -1;
}

int lt_config_check(struct lt_config *c, struct lu_err *err)
{
	struct lt_settings s;

	if (c->phase.n == 0 && !add_phase(c, "main", err))
		return -1;
	if (lt_config_phase(c, 0, &s, err) < 0 ||
			(*s.train.init && take_init(c, s.train.init, err) < 0) ||
			lt_settings_preset(&c->base, c->given, err) < 0)
		return -1;
	for (size_t i = 0; i < c->phase.n; i++) {
		const char *name = c->phase.p[i].name;

		if (lt_config_phase(c, i, &s, err) < 0)
			return -1;
		if (lt_settings_check(&s, err) < 0)
			return c->phase.n > 1 ? lu_err_wrap(err, "phase %s", name) : -1;
		if (i > 0 && *s.train.init && s.train.init != c->base.train.init)
			return lu_err_set(err,
					"phase %s: train.init is allowed in the first phase only",
					name);
	}
	return 0;
}

/* --- printing and comparing ------------------------------------------------------------------ */

void lt_config_print(const struct lt_config *c, struct lu_buf *out)
{
	const char *section, *last = NULL;
	const struct lu_opt *key;

	for (size_t i = 0; (key = lt_settings_key(i, &section)); i++) {
		if (section != last)
			lu_buf_printf(out, "%s[%s]\n", last ? "\n" : "", section);
		last = section;
		lu_buf_printf(out, "%s = ", key->name);
		lu_opt_format(key, &c->base, out);
		lu_buf_putc(out, '\n');
	}
	if (c->phase.n == 1 && c->phase.p[0].override.n == 0 &&
			strcmp(c->phase.p[0].name, "main") == 0)
		return;
	for (size_t i = 0; i < c->phase.n; i++) {
		const struct lt_phase *p = &c->phase.p[i];

		lu_buf_printf(out, "\n[phase %s]\n", p->name);
		for (size_t k = 0; k < p->override.n; k++)
			lu_buf_printf(out, "%s.%s = %s\n", p->override.p[k].section,
					p->override.p[k].key, p->override.p[k].value);
	}
}

/* Compare the settings of a phase; phase NULL: do not name it. */
static int settings_differ(const struct lt_settings *was, const struct lt_settings *now,
		const char *phase, char *what, size_t size)
{
	const struct lu_opt *key;
	const char *section;
	int differ = 0;

	for (size_t i = 0; (key = lt_settings_key(i, &section)) && !differ; i++) {
		struct lu_buf a = { 0 }, b = { 0 };

		lu_opt_format(key, was, &a);
		lu_opt_format(key, now, &b);
		if (!lu_str_eq(lu_buf_slice(&a), lu_buf_slice(&b))) {
			differ = 1;
			snprintf(what, size, "%s%s%s%s.%s is '%s' in the run and '%s' now",
					phase ? "phase " : "", phase ? phase : "",
					phase ? ": " : "", section, key->name, lu_buf_slice(&a).p,
					lu_buf_slice(&b).p);
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

	for (size_t i = 0; i < was->phase.n && i < now->phase.n; i++) {
		const char *name = now->phase.p[i].name;

		if (strcmp(was->phase.p[i].name, name) != 0) {
			snprintf(what, size, "phase %zu is '%s' in the run and '%s' now", i + 1,
					was->phase.p[i].name, name);
			return 1;
		}
		/* Both were checked, so every override can be stored. */
		if (lt_config_phase(was, i, &a, &err) < 0 ||
				lt_config_phase(now, i, &b, &err) < 0 ||
				settings_differ(&a, &b, now->phase.n > 1 ? name : NULL, what, size))
			return 1;
	}
	/* Phases may be added behind those of the run. */
	if (was->phase.n > now->phase.n) {
		snprintf(what, size, "phase '%s' is in the run and not here",
				was->phase.p[now->phase.n].name);
		return 1;
	}
	return 0;
}
