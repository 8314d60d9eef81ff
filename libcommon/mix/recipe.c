#include "libcommon/mix/recipe.h"

#include <stdlib.h>

static const char *const selector_names[LU_SELECTORS] = { "source", "lang", "category", "license",
	"file" };

const char *lu_selector_name(enum lu_selector s)
{
	return selector_names[s];
}

int lu_decimal(const char *s, unsigned decimals, uint64_t *out, struct lu_err *err)
{
	uint64_t v = 0;
	unsigned seen = 0;
	bool point = false, digit = false;

	for (const char *p = s; *p; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			return lu_err_set(err, "'%s' is not a decimal number", s);
		digit = true;
		if (point && ++seen > decimals)
			return lu_err_set(err, "'%s' has more than %u decimals", s, decimals);
		if (__builtin_mul_overflow(v, 10, &v) ||
				__builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return lu_err_set(err, "'%s' is too large", s);
	}
	if (!digit)
		return lu_err_set(err, "'%s' is not a decimal number", s);
	for (; seen < decimals; seen++) {
		if (__builtin_mul_overflow(v, 10, &v))
			return lu_err_set(err, "'%s' is too large", s);
	}
	*out = v;
	return 0;
}

/* --- reading ------------------------------------------------------------------------------ */

/* What a section gives, as text: numbers are exact decimals, which the shared rows do not know. */
struct texts {
	const char *measure, *total, *max_epochs; /* [mix] */
	const char *selector[LU_SELECTORS];
	const char *share, *epochs, *max_epochs_of; /* [group] */
};

/* clang-format off */
static const struct lu_opt mix_rows[] = {
	LU_OPT_STR(0, "measure", struct texts, measure, LU_MIX_UNITS, ""),
	LU_OPT_STR(0, "total", struct texts, total, "N", ""),
	LU_OPT_STR(0, "max_epochs", struct texts, max_epochs, "E", ""),
	LU_OPT_END,
};
static const struct lu_opt group_rows[] = {
	LU_OPT_STR(0, "source", struct texts, selector[LU_BY_SOURCE], "PATTERN", ""),
	LU_OPT_STR(0, "lang", struct texts, selector[LU_BY_LANG], "PATTERN", ""),
	LU_OPT_STR(0, "category", struct texts, selector[LU_BY_CATEGORY], "PATTERN", ""),
	LU_OPT_STR(0, "license", struct texts, selector[LU_BY_LICENSE], "PATTERN", ""),
	LU_OPT_STR(0, "file", struct texts, selector[LU_BY_FILE], "PATTERN", ""),
	LU_OPT_STR(0, "share", struct texts, share, "P%", ""),
	LU_OPT_STR(0, "epochs", struct texts, epochs, "E", ""),
	LU_OPT_STR(0, "max_epochs", struct texts, max_epochs_of, "E", ""),
	LU_OPT_END,
};
/* clang-format on */

struct reading {
	struct lu_recipe *r;
	struct texts t;
	const char *section;
	bool seen_mix;
};

static int finish_share(struct lu_recipe_group *g, const char *share, struct lu_err *err)
{
	size_t n = strlen(share);
	char digits[32];

	if (n == 0 || share[n - 1] != '%' || n >= sizeof(digits))
		return lu_err_set(err, "share: '%s' is not a percentage like 33%%", share);
	memcpy(digits, share, n - 1);
	digits[n - 1] = '\0';
	while (n > 1 && digits[n - 2] == ' ')
		digits[--n - 1] = '\0';
	/* 1 % is 10^7 parts of 10^9. */
	if (lu_decimal(digits, 7, &g->amount, err) < 0)
		return lu_err_wrap(err, "share");
	if (g->amount == 0 || g->amount > LU_SHARE_ONE)
		return lu_err_set(err, "share: '%s' is not above 0 and up to 100 %%", share);
	g->kind = LU_SHARE;
	return 0;
}

static int finish_group(struct reading *d, struct lu_err *err)
{
	struct lu_recipe_group *g = &d->r->group[d->r->groups - 1];
	const struct texts *t = &d->t;

	memcpy(g->selector, t->selector, sizeof(g->selector));
	if (t->share && t->epochs)
		return lu_err_set(err, "group %s: both share and epochs", g->name);
	if (t->share && finish_share(g, t->share, err) < 0)
		return lu_err_wrap(err, "group %s", g->name);
	if (t->epochs) {
		g->kind = LU_EPOCHS;
		if (lu_decimal(t->epochs, 6, &g->amount, err) < 0)
			return lu_err_wrap(err, "group %s: epochs", g->name);
		if (g->amount == 0)
			return lu_err_set(err, "group %s: epochs: '0' is too small", g->name);
	}
	if (t->max_epochs_of && lu_decimal(t->max_epochs_of, 6, &g->max_epochs, err) < 0)
		return lu_err_wrap(err, "group %s: max_epochs", g->name);
	return 0;
}

static int finish_mix(struct reading *d, struct lu_err *err)
{
	const struct texts *t = &d->t;
	int i;

	if (t->measure) {
		i = lu_choice_index(LU_MIX_UNITS, t->measure);
		if (i < 0)
			return lu_err_set(err, "measure: '%s' is not one of " LU_MIX_UNITS,
					t->measure);
		d->r->unit = (enum lu_mix_unit)i;
	}
	if (t->total) {
		if (lu_decimal(t->total, 0, &d->r->total, err) < 0)
			return lu_err_wrap(err, "total");
		if (d->r->total == 0 || d->r->total > UINT64_MAX >> 3)
			return lu_err_set(err, "total: '%s' is out of range", t->total);
	}
	return 0;
}

/* What the section that ends here gave. The bound of [mix] holds for the groups without one, so it
 * is applied last. */
static int finish_section(struct reading *d, struct lu_err *err)
{
	int rc = 0;

	if (strcmp(d->section, "group") == 0)
		rc = finish_group(d, err);
	else if (strcmp(d->section, "mix") == 0)
		rc = finish_mix(d, err);
	d->t = (struct texts){ .max_epochs = d->t.max_epochs };
	return rc;
}

static int start_group(struct reading *d, const char *name, struct lu_err *err)
{
	struct lu_recipe *r = d->r;
	struct lu_recipe_group *g;

	if (!*name)
		return lu_err_set(err, "a group has a name: [group french]");
	for (size_t i = 0; i < r->groups; i++) {
		if (strcmp(r->group[i].name, name) == 0)
			return lu_err_set(err, "group %s is there twice", name);
	}
	g = realloc(r->group, (r->groups + 1) * sizeof(*g));
	if (!g)
		return lu_err_nomem(err);
	r->group = g;
	g[r->groups++] = (struct lu_recipe_group){ .name = name, .max_epochs = UINT64_MAX };
	return 0;
}

static int on_setting(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	struct reading *d = ctx;
	const struct lu_opt *rows = strcmp(section, "mix") == 0 ? mix_rows : group_rows;

	if (!key) {
		if (finish_section(d, err) < 0)
			return -1;
		d->section = section;
		if (strcmp(section, "group") == 0)
			return start_group(d, name, err);
		if (strcmp(section, "mix") != 0 || *name)
			return lu_err_set(err, "unknown section (known: [mix], [group NAME])");
		if (d->seen_mix)
			return lu_err_set(err, "[mix] is there twice");
		d->seen_mix = true;
		return 0;
	}
	if (!*section)
		return lu_err_set(err, "'%s' stands before the first section", key);
	for (const struct lu_opt *o = rows; o->type != LU_OPT_T_END; o++) {
		if (strcmp(o->name, key) == 0 &&
				*(const char **)(void *)((char *)&d->t + o->offset))
			return lu_err_set(err, "'%s' is there twice", key);
	}
	if (!*value)
		return lu_err_set(err, "'%s' has no value", key);
	return lu_conf_store(rows, &d->t, key, value, err);
}

int lu_recipe_read(struct lu_recipe *r, const char *path, struct lu_err *err)
{
	struct reading d = { .r = r, .section = "" };
	uint64_t bound = UINT64_MAX;

	*r = (struct lu_recipe){ 0 };
	if (lu_conf_open(&r->conf, path, err) < 0)
		return -1;
	if (lu_conf_each(&r->conf, on_setting, &d, err) < 0)
		goto failed;
	if (finish_section(&d, err) < 0)
		goto named;
	if (d.t.max_epochs && lu_decimal(d.t.max_epochs, 6, &bound, err) < 0) {
		lu_err_wrap(err, "max_epochs");
		goto named;
	}
	for (size_t i = 0; i < r->groups; i++) {
		if (r->group[i].max_epochs == UINT64_MAX)
			r->group[i].max_epochs = bound;
	}
	if (r->groups > 0)
		return 0;
	lu_err_set(err, "no group");
named:
	lu_err_wrap(err, "%s", path);
failed:
	lu_recipe_release(r);
	return -1;
}

void lu_recipe_release(struct lu_recipe *r)
{
	lu_conf_close(&r->conf);
	free(r->group);
	*r = (struct lu_recipe){ 0 };
}

/* --- matching ----------------------------------------------------------------------------- */

/* '*' stands for any bytes. Backtracks to the last star only: linear but for odd patterns. */
static bool matches(const char *p, const char *p_end, struct lu_str s)
{
	const char *star = NULL;
	size_t i = 0, at_star = 0;

	while (i < s.n) {
		if (p < p_end && *p == '*') {
			star = p++;
			at_star = i;
		} else if (p < p_end && *p == s.p[i]) {
			p++;
			i++;
		} else if (star) {
			p = star + 1;
			i = ++at_star;
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool one_matches(const char *patterns, struct lu_str value)
{
	const char *p = patterns;

	if (!value.p)
		return false;
	for (;;) {
		const char *comma = strchr(p, ','), *end = comma ? comma : p + strlen(p);
		const char *last = end;

		while (p < last && blank(*p))
			p++;
		while (p < last && blank(last[-1]))
			last--;
		if (matches(p, last, value))
			return true;
		if (!comma)
			return false;
		p = comma + 1;
	}
}

uint32_t lu_recipe_match(const struct lu_recipe *r, const struct lu_str value[LU_SELECTORS])
{
	for (size_t i = 0; i < r->groups; i++) {
		size_t s = 0;

		while (s < LU_SELECTORS &&
				(!r->group[i].selector[s] ||
						one_matches(r->group[i].selector[s], value[s])))
			s++;
		if (s == LU_SELECTORS)
			return (uint32_t)i;
	}
	return LU_RECIPE_NONE;
}
