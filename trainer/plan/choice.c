#include "trainer/plan/choice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/conf.h"

static const struct {
	const char *section, *name;
} keys[LT_CHOICE_KEYS] = {
	[LT_CHOICE_TP] = { "parallel", "tp" },
	[LT_CHOICE_SEQUENCE] = { "parallel", "sequence" },
	[LT_CHOICE_PP] = { "parallel", "pp" },
	[LT_CHOICE_INTERLEAVE] = { "parallel", "interleave" },
	[LT_CHOICE_DP] = { "parallel", "dp" },
	[LT_CHOICE_ZERO] = { "parallel", "zero" },
	[LT_CHOICE_MICRO_BATCH] = { "train", "micro_batch" },
	[LT_CHOICE_RECOMPUTE] = { "parallel", "recompute" },
};

const char *lt_choice_name(enum lt_choice_key key)
{
	return keys[key].name;
}

struct lt_choice lt_choice_of(const struct lt_settings *s, uint64_t processes)
{
	const uint64_t *size = s->parallel.size;
	uint64_t others = size[LT_TP] * size[LT_CP] * size[LT_PP];
	uint64_t left = others ? processes / others : 0;
	struct lt_choice c = { .value = {
					       [LT_CHOICE_TP] = size[LT_TP],
					       [LT_CHOICE_SEQUENCE] = s->parallel.sequence,
					       [LT_CHOICE_PP] = size[LT_PP],
					       [LT_CHOICE_INTERLEAVE] = s->parallel.interleave,
					       [LT_CHOICE_DP] = size[LT_DP] ? size[LT_DP] : left,
					       [LT_CHOICE_ZERO] = s->parallel.zero,
					       [LT_CHOICE_MICRO_BATCH] = s->train.micro_batch,
					       [LT_CHOICE_RECOMPUTE] =
							       (uint64_t)s->parallel.recompute,
			       } };

	for (int i = 0; i < LT_CHOICE_KEYS; i++)
		c.given[i] = true;
	return c;
}

/* Set one key by the row of the configuration. */
static int set(struct lt_choice *c, char *text, struct lu_err *err)
{
	struct lt_settings s;
	const char *known[LT_CHOICE_KEYS];
	char *value = strchr(text, '=');

	if (!value)
		return lu_err_set(err, "'%s' is not KEY=VALUE", text);
	*value++ = '\0';
	for (int i = 0; i < LT_CHOICE_KEYS; i++) {
		known[i] = keys[i].name;
		if (strcmp(keys[i].name, text) != 0)
			continue;
		lt_settings_init(&s);
		if (lt_settings_set(&s, keys[i].section, text, value, err) < 0)
			return -1;
		c->value[i] = lt_choice_of(&s, 0).value[i];
		if (i == LT_CHOICE_DP && c->value[i] == 0)
			return lu_err_set(err,
					"parallel.dp: 0 is what the others leave; leave it out");
		c->given[i] = true;
		return 0;
	}
	return lu_conf_unknown("key", text, known, LT_CHOICE_KEYS, err);
}

int lt_choice_parse(struct lt_choice *c, const char *text, struct lu_err *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	int rc = 0;

	*c = (struct lt_choice){ 0 };
	if (!copy)
		return lu_err_nomem(err);
	while (rc == 0 && (word = strsep(&rest, ",")))
		rc = set(c, word, err);
	free(copy);
	return rc;
}

void lt_choice_apply(const struct lt_choice *c, uint64_t processes, struct lt_settings *s)
{
	struct lt_choice all = lt_choice_of(s, processes), was = all;
	const uint64_t *v = all.value;

	for (int i = 0; i < LT_CHOICE_KEYS; i++) {
		if (c->given[i])
			all.value[i] = c->value[i];
	}
	if (!c->given[LT_CHOICE_DP])
		all.value[LT_CHOICE_DP] = 0;
	s->parallel.size[LT_TP] = v[LT_CHOICE_TP];
	s->parallel.size[LT_PP] = v[LT_CHOICE_PP];
	s->parallel.size[LT_DP] = v[LT_CHOICE_DP];
	s->parallel.sequence = v[LT_CHOICE_SEQUENCE];
	s->parallel.interleave = v[LT_CHOICE_INTERLEAVE];
	s->parallel.zero = v[LT_CHOICE_ZERO];
	s->parallel.recompute = (enum lt_recompute)v[LT_CHOICE_RECOMPUTE];
	s->train.micro_batch = v[LT_CHOICE_MICRO_BATCH];
	if (was.value[LT_CHOICE_PP] != v[LT_CHOICE_PP] ||
			was.value[LT_CHOICE_INTERLEAVE] != v[LT_CHOICE_INTERLEAVE])
		s->parallel.stages = "";
}

bool lt_choice_matches(const struct lt_choice *filter, const struct lt_choice *c)
{
	for (int i = 0; i < LT_CHOICE_KEYS; i++) {
		if (filter->given[i] && filter->value[i] != c->value[i])
			return false;
	}
	return true;
}

void lt_choice_value(const struct lt_choice *c, enum lt_choice_key key, struct lu_buf *out)
{
	static const char *const recompute[] = { [LT_RECOMPUTE_NONE] = "none",
		[LT_RECOMPUTE_NORMS] = "norms",
		[LT_RECOMPUTE_LAYER] = "layer" };

	if (key == LT_CHOICE_SEQUENCE)
		lu_buf_puts(out, c->value[key] ? "yes" : "no");
	else if (key == LT_CHOICE_RECOMPUTE)
		lu_buf_puts(out, recompute[c->value[key]]);
	else
		lu_buf_u64(out, c->value[key]);
}

void lt_choice_print(const struct lt_choice *c, struct lu_buf *out)
{
	for (int i = 0; i < LT_CHOICE_KEYS; i++) {
		lu_buf_printf(out, "%s%s=", i ? "," : "", keys[i].name);
		lt_choice_value(c, (enum lt_choice_key)i, out);
	}
}
