#include "libcommon/mix/recipe.h"

#include <stdlib.h>

const struct lu_enum lu_mix_unit_names[] = {
	{ "tokens", LU_MIX_TOKENS },
	{ "bytes", LU_MIX_BYTES },
	{ "characters", LU_MIX_CHARACTERS },
	{ "documents", LU_MIX_DOCUMENTS },
	LU_ENUM_END,
};

static const char *const selector_names[LU_SELECTORS] = { "source", "lang", "category", "license",
	"file" };

const char *lu_selector_name(enum lu_selector s)
{
	return selector_names[s];
}

int lu_decimal(const char *s, unsigned decimals, uint64_t *out, struct lu_err *err)
{
	uint64_t v = 0;
	unsigned fraction = 0;
	bool point = false, digit = false;

	for (const char *p = s; *p; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			return lu_err_set(err, "'%s' is not a decimal number", s);
		digit = true;
		if (point && ++fraction > decimals)
			return decimals ? lu_err_set(err, "'%s' has more than %u decimals", s,
							  decimals)
					: lu_err_set(err, "'%s' is not a whole number", s);
		if (__builtin_mul_overflow(v, 10, &v) ||
				__builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return lu_err_set(err, "'%s' is too large", s);
	}
	if (!digit)
		return lu_err_set(err, "'%s' is not a decimal number", s);
	for (; fraction < decimals; fraction++) {
		if (__builtin_mul_overflow(v, 10, &v))
			return lu_err_set(err, "'%s' is too large", s);
	}
	*out = v;
	return 0;
}

/* --- reading ------------------------------------------------------------------------------ */

/* The settings of one section. Numbers stay text: exact decimals are no type of the rows. */
struct settings {
	enum lu_mix_unit unit; /* [mix] */
	const char *total;
	const char *selector[LU_SELECTORS]; /* [group NAME] */
	const char *share, *epochs;
	const char *max_epochs; /* both */
};

/* clang-format off */
static const struct lu_opt mix_rows[] = {
	LU_OPT_ENUM(0, "measure", struct settings, unit, lu_mix_unit_names, ""),
	LU_OPT_STR(0, "total", struct settings, total, "N", ""),
	LU_OPT_STR(0, "max_epochs", struct settings, max_epochs, "E", ""),
	LU_OPT_END,
};
static const struct lu_opt group_rows[] = {
	LU_OPT_STR(0, "source", struct settings, selector[LU_BY_SOURCE], "PATTERN", ""),
	LU_OPT_STR(0, "lang", struct settings, selector[LU_BY_LANG], "PATTERN", ""),
	LU_OPT_STR(0, "category", struct settings, selector[LU_BY_CATEGORY], "PATTERN", ""),
	LU_OPT_STR(0, "license", struct settings, selector[LU_BY_LICENSE], "PATTERN", ""),
	LU_OPT_STR(0, "file", struct settings, selector[LU_BY_FILE], "PATTERN", ""),
	LU_OPT_STR(0, "share", struct settings, share, "P%", ""),
	LU_OPT_STR(0, "epochs", struct settings, epochs, "E", ""),
	LU_OPT_STR(0, "max_epochs", struct settings, max_epochs, "E", ""),
	LU_OPT_END,
};
/* clang-format on */

struct reader {
	struct lu_recipe *r;
	const char *section; /* the current one: "", "mix" or "group" */
	struct settings s;   /* of the section */
	uint64_t max_epochs; /* of [mix] */
};

static int parse_share(struct lu_recipe_group *g, const char *share, struct lu_err *err)
{
	size_t n = strlen(share);
	char digits[32];

	if (n == 0 || share[n - 1] != '%' || n >= sizeof(digits))
		return lu_err_set(err, "share: '%s' is not a percentage like 33%%", share);
	n--;
	while (n > 0 && share[n - 1] == ' ')
		n--;
	memcpy(digits, share, n);
	digits[n] = '\0';
	/* 1 % is 10^7 parts of 10^9. */
	if (lu_decimal(digits, 7, &g->amount, err) < 0)
		return lu_err_wrap(err, "share");
	if (g->amount == 0 || g->amount > LU_SHARE_ONE)
		return lu_err_set(err, "share: '%s' is not above 0 and up to 100 %%", share);
	g->kind = LU_AMOUNT_SHARE;
	return 0;
}

static int parse_epochs(const char *key, const char *value, uint64_t *out, struct lu_err *err)
{
	if (lu_decimal(value, 6, out, err) < 0)
		return lu_err_wrap(err, "%s", key);
	return *out ? 0 : lu_err_set(err, "%s: '%s' is not above 0", key, value);
}

static int finish_group(struct reader *d, struct lu_err *err)
{
	struct lu_recipe_group *g = &d->r->group.p[d->r->group.n - 1];
	const struct settings *s = &d->s;

	memcpy(g->selector, s->selector, sizeof(g->selector));
	if (s->share && s->epochs)
		return lu_err_set(err, "group %s: both share and epochs", g->name);
	if (s->share && parse_share(g, s->share, err) < 0)
		return lu_err_wrap(err, "group %s", g->name);
	if (s->epochs) {
		g->kind = LU_AMOUNT_EPOCHS;
		if (parse_epochs("epochs", s->epochs, &g->amount, err) < 0)
			return lu_err_wrap(err, "group %s", g->name);
	}
	if (s->max_epochs && parse_epochs("max_epochs", s->max_epochs, &g->max_epochs, err) < 0)
		return lu_err_wrap(err, "group %s", g->name);
	return 0;
}

static int finish_mix(struct reader *d, struct lu_err *err)
{
	const struct settings *s = &d->s;
	struct lu_recipe *r = d->r;

	r->unit = s->unit;
	if (s->total) {
		if (lu_decimal(s->total, 0, &r->total, err) < 0)
			return lu_err_wrap(err, "total");
		if (r->total == 0 || r->total > UINT64_MAX >> 3)
			return lu_err_set(err, "total: '%s' is out of range", s->total);
	}
	return s->max_epochs ? parse_epochs("max_epochs", s->max_epochs, &d->max_epochs, err) : 0;
}

static int finish_section(struct reader *d, struct lu_err *err)
{
	int rc = 0;

	if (strcmp(d->section, "group") == 0)
		rc = finish_group(d, err);
	else if (strcmp(d->section, "mix") == 0)
		rc = finish_mix(d, err);
	d->s = (struct settings){ 0 };
	return rc;
}

static int start_group(struct reader *d, const char *name, struct lu_err *err)
{
	struct lu_recipe *r = d->r;
	struct lu_recipe_group g = { .name = name, .max_epochs = UINT64_MAX };

	if (!*name)
		return lu_err_set(err, "a group needs a name: [group french]");
	return lu_vec_push(&r->group, g) ? 0 : lu_err_nomem(err);
}

static int start_section(
		struct reader *d, const char *section, const char *name, struct lu_err *err)
{
	if (finish_section(d, err) < 0)
		return -1;
	d->section = section;
	if (strcmp(section, "group") == 0)
		return start_group(d, name, err);
	if (strcmp(section, "mix") != 0 || *name)
		return lu_err_set(err, "unknown section (known: [mix], [group NAME])");
	return 0;
}

static int on_setting(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	struct reader *d = ctx;
	const struct lu_opt *rows = strcmp(section, "mix") == 0 ? mix_rows : group_rows;

	if (!key)
		return start_section(d, section, name, err);
	if (!*section)
		return lu_err_set(err, "'%s' stands before the first section", key);
	if (!*value)
		return lu_err_set(err, "'%s' has no value", key);
	return lu_conf_store(rows, &d->s, key, value, err);
}

int lu_recipe_read(struct lu_recipe *r, const char *path, struct lu_err *err)
{
	struct reader d = { .r = r, .section = "", .max_epochs = UINT64_MAX };

	*r = (struct lu_recipe){ 0 };
	if (lu_conf_open(&r->conf, path, err) < 0)
		return -1;
	if (lu_conf_each(&r->conf, on_setting, &d, err) < 0)
		goto failed;
	if (finish_section(&d, err) < 0) {
		lu_err_wrap(err, "%s", path);
		goto failed;
	}
	if (r->group.n == 0) {
		lu_err_set(err, "%s: no group", path);
		goto failed;
	}
	/* The limit of [mix], which may be the last section, holds for groups without their own. */
	for (size_t i = 0; i < r->group.n; i++) {
		if (r->group.p[i].max_epochs == UINT64_MAX)
			r->group.p[i].max_epochs = d.max_epochs;
	}
	return 0;
failed:
	lu_recipe_release(r);
	return -1;
}

void lu_recipe_release(struct lu_recipe *r)
{
	lu_conf_close(&r->conf);
	lu_vec_release(&r->group);
	*r = (struct lu_recipe){ 0 };
}

/* --- matching ----------------------------------------------------------------------------- */

bool lu_pattern_match(struct lu_str pattern, struct lu_str s)
{
	const char *p = pattern.p, *p_end = p + pattern.n, *star = NULL;
	size_t i = 0, star_at = 0;

	/* Backtracks to the last '*' only, which is enough, and linear but for odd patterns. */
	while (i < s.n) {
		if (p < p_end && *p == '*') {
			star = p++;
			star_at = i;
		} else if (p < p_end && *p == s.p[i]) {
			p++;
			i++;
		} else if (star) {
			p = star + 1;
			i = ++star_at;
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool lu_pattern_next(const char **list, struct lu_str *pattern)
{
	const char *p = *list, *comma, *end;

	if (!p)
		return false;
	comma = strchr(p, ',');
	end = comma ? comma : p + strlen(p);
	while (p < end && is_blank(*p))
		p++;
	while (p < end && is_blank(end[-1]))
		end--;
	*pattern = (struct lu_str){ p, (size_t)(end - p) };
	*list = comma ? comma + 1 : NULL;
	return true;
}

static bool match_any(const char *patterns, struct lu_str value)
{
	struct lu_str pattern;

	while (value.p && lu_pattern_next(&patterns, &pattern)) {
		if (lu_pattern_match(pattern, value))
			return true;
	}
	return false;
}

uint32_t lu_recipe_match(const struct lu_recipe *r, const struct lu_str value[LU_SELECTORS])
{
	for (size_t i = 0; i < r->group.n; i++) {
		const char *const *selector = r->group.p[i].selector;
		size_t s = 0;

		while (s < LU_SELECTORS && (!selector[s] || match_any(selector[s], value[s])))
			s++;
		if (s == LU_SELECTORS)
			return (uint32_t)i;
	}
	return LU_RECIPE_NONE;
}
