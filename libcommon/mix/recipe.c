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

/* --- patterns ----------------------------------------------------------------------------- */

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

/* --- reading ------------------------------------------------------------------------------ */

/* The settings of one section. Numbers stay text: exact decimals are no type of the rows. */
struct settings {
	enum lu_mix_unit unit; /* [mix] */
	const char *total, *context, *temperature;
	const char *selector[LU_SELECTORS]; /* [group NAME] */
	const char *share, *epochs, *weight, *tokens, *documents, *as;
	const char *max_epochs; /* both */
};

/* clang-format off */
static const struct lu_opt mix_rows[] = {
	LU_OPT_ENUM(0, "measure", struct settings, unit, lu_mix_unit_names, ""),
	LU_OPT_STR(0, "total", struct settings, total, "N", ""),
	LU_OPT_STR(0, "context", struct settings, context, "N", ""),
	LU_OPT_STR(0, "temperature", struct settings, temperature, "T", ""),
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
	LU_OPT_STR(0, "weight", struct settings, weight, "W", ""),
	LU_OPT_STR(0, "max_epochs", struct settings, max_epochs, "E", ""),
	LU_OPT_STR(0, "tokens", struct settings, tokens, "N", ""),
	LU_OPT_STR(0, "documents", struct settings, documents, "N", ""),
	LU_OPT_STR(0, "as", struct settings, as, "DIMENSION CLASS, ...", ""),
	LU_OPT_END,
};
/* clang-format on */

struct reader {
	struct lu_recipe *r;
	struct settings s;   /* of the section, as far as it has been read */
	uint64_t max_epochs; /* of [mix] */
};

int lu_percentage(const char *s, uint64_t *out, struct lu_err *err)
{
	size_t n = strlen(s);
	char digits[32];

	if (n == 0 || s[n - 1] != '%' || n >= sizeof(digits))
		return lu_err_set(err, "'%s' is not a percentage like 33%%", s);
	n--;
	while (n > 0 && s[n - 1] == ' ')
		n--;
	memcpy(digits, s, n);
	digits[n] = '\0';
	/* 1 % is 10^7 parts of 10^9. */
	if (lu_decimal(digits, 7, out, err) < 0)
		return -1;
	if (*out == 0 || *out > LU_SHARE_ONE)
		return lu_err_set(err, "'%s' is not above 0 and up to 100 %%", s);
	return 0;
}

static int parse_epochs(const char *key, const char *value, uint64_t *out, struct lu_err *err)
{
	if (lu_decimal(value, 6, out, err) < 0)
		return lu_err_wrap(err, "%s", key);
	return *out ? 0 : lu_err_set(err, "%s: '%s' is not above 0", key, value);
}

int lu_recipe_temperature(struct lu_recipe *r, const char *value, struct lu_err *err)
{
	if (lu_decimal(value, 6, &r->temperature, err) < 0)
		return lu_err_wrap(err, "temperature");
	if (r->temperature < LU_EPOCH_ONE || r->temperature > 1000 * LU_EPOCH_ONE)
		return lu_err_set(err, "temperature: '%s' is not from 1 to 1000", value);
	return 0;
}

/* A whole number above 0 that leaves room to multiply. */
static int parse_size(const char *key, const char *value, uint64_t *out, struct lu_err *err)
{
	if (lu_decimal(value, 0, out, err) < 0)
		return lu_err_wrap(err, "%s", key);
	if (*out == 0 || *out > UINT64_MAX >> 3)
		return lu_err_set(err, "%s: '%s' is out of range", key, value);
	return 0;
}

/* How much of the group is wanted: at most one of share, epochs and weight. */
static int parse_amount(struct lu_recipe_group *g, const struct settings *s, struct lu_err *err)
{
	if (s->share && s->epochs)
		return lu_err_set(err, "both share and epochs");
	if (s->weight && (s->share || s->epochs))
		return lu_err_set(err, "both weight and %s", s->share ? "share" : "epochs");
	if (s->share) {
		g->kind = LU_AMOUNT_SHARE;
		return lu_percentage(s->share, &g->amount, err) < 0 ? lu_err_wrap(err, "share") : 0;
	}
	if (s->epochs) {
		g->kind = LU_AMOUNT_EPOCHS;
		return parse_epochs("epochs", s->epochs, &g->amount, err);
	}
	if (!s->weight)
		return 0;
	if (lu_decimal(s->weight, 9, &g->weight, err) < 0)
		return lu_err_wrap(err, "weight");
	return g->weight ? 0 : lu_err_set(err, "weight: '%s' is not above 0", s->weight);
}

/* "lang fr, category web": a dimension, a blank and the class for each. */
static int parse_classes(
		struct lu_recipe *r, struct lu_recipe_group *g, const char *as, struct lu_err *err)
{
	struct lu_str part;

	while (lu_pattern_next(&as, &part)) {
		const char *blank = memchr(part.p, ' ', part.n);
		struct lu_str value = { blank, blank ? part.n - (size_t)(blank - part.p) : 0 };
		struct lu_class c;

		while (value.n && *value.p == ' ')
			value.p++, value.n--;
		if (value.n == 0)
			return lu_err_set(err, "as: '%.*s' is not a dimension and a class: lang fr",
					(int)part.n, part.p);
		if (g->classes == LU_CLASSES_MAX)
			return lu_err_set(err, "as: more than %d classes", LU_CLASSES_MAX);
		part.n = (size_t)(blank - part.p);
		c = (struct lu_class){ lu_arena_str(&r->arena, part).p,
			lu_arena_str(&r->arena, value).p };
		if (!c.dimension || !c.value)
			return lu_err_nomem(err);
		for (size_t i = 0; i < g->classes; i++) {
			if (strcmp(g->as[i].dimension, c.dimension) == 0)
				return lu_err_set(err, "as: %s is given twice", c.dimension);
		}
		g->as[g->classes++] = c;
	}
	r->tables = true;
	return 0;
}

static int parse_group(struct reader *d, struct lu_recipe_group *g, struct lu_err *err)
{
	const struct settings *s = &d->s;

	memcpy(g->selector, s->selector, sizeof(g->selector));
	if (parse_amount(g, s, err) < 0)
		return -1;
	if (s->max_epochs && parse_epochs("max_epochs", s->max_epochs, &g->max_epochs, err) < 0)
		return -1;
	if (s->tokens && parse_size("tokens", s->tokens, &g->tokens, err) < 0)
		return -1;
	if (s->documents && parse_size("documents", s->documents, &g->documents, err) < 0)
		return -1;
	d->r->stated |= s->tokens != NULL;
	return s->as && g->classes == 0 ? parse_classes(d->r, g, s->as, err) : 0;
}

static int parse_mix(struct reader *d, struct lu_err *err)
{
	const struct settings *s = &d->s;
	struct lu_recipe *r = d->r;

	r->unit = s->unit;
	if (s->total && parse_size("total", s->total, &r->total, err) < 0)
		return -1;
	if (s->context && parse_size("context", s->context, &r->context, err) < 0)
		return -1;
	if (s->temperature && lu_recipe_temperature(r, s->temperature, err) < 0)
		return -1;
	return s->max_epochs ? parse_epochs("max_epochs", s->max_epochs, &d->max_epochs, err) : 0;
}

/* Take over the settings of a section again with each that is read, so that what is wrong has its line. */
static int parse_section(struct reader *d, const char *section, struct lu_err *err)
{
	struct lu_recipe_group *g;

	if (strcmp(section, "mix") == 0)
		return parse_mix(d, err);
	g = &d->r->group.p[d->r->group.n - 1];
	return parse_group(d, g, err) < 0 ? lu_err_wrap(err, "group %s", g->name) : 0;
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
	d->s = (struct settings){ 0 };
	if (strcmp(section, "group") == 0)
		return start_group(d, name, err);
	if ((strcmp(section, "mix") != 0 && strcmp(section, "targets") != 0) || *name)
		return lu_err_set(err, "unknown section (known: [mix], [targets], [group NAME])");
	return 0;
}

/* "lang fr <= 63%" arrives as the key "lang fr <" and the value "63%". */
static int add_target(struct lu_recipe *r, const char *key, const char *value, struct lu_err *err)
{
	size_t n = strlen(key), word = strcspn(key, " \t");
	struct lu_target t = { .op = LU_TARGET_IS };
	struct lu_str name;

	if (key[n - 1] == '<' || key[n - 1] == '>') {
		t.op = key[n - 1] == '<' ? LU_TARGET_AT_MOST : LU_TARGET_AT_LEAST;
		n--;
	}
	while (n > 0 && is_blank(key[n - 1]))
		n--;
	if (word >= n)
		return lu_err_set(err, "'%s' is not a dimension and a class: lang fr = 33%%", key);
	name = lu_arena_str(&r->arena, (struct lu_str){ key, n });
	t.dimension = lu_arena_str(&r->arena, (struct lu_str){ key, word }).p;
	if (!name.p || !t.dimension)
		return lu_err_nomem(err);
	t.name = name.p;
	t.patterns = name.p + word;
	if (lu_percentage(value, &t.share, err) < 0)
		return lu_err_wrap(err, "%s", t.name);
	return lu_vec_push(&r->target, t) ? 0 : lu_err_nomem(err);
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
	if (strcmp(section, "targets") == 0)
		return add_target(d->r, key, value, err);
	if (lu_conf_store(rows, &d->s, key, value, err) < 0)
		return -1;
	return parse_section(d, section, err);
}

/* What concerns more than one section. */
static int check(const struct lu_recipe *r, struct lu_err *err)
{
	size_t weighted = 0, rest = 0;

	if (r->group.n == 0)
		return lu_err_set(err, "no group");
	if (r->stated && r->unit != LU_MIX_TOKENS && r->unit != LU_MIX_DOCUMENTS)
		return lu_err_set(err, "groups state tokens, and measure is %s",
				lu_enum_name(lu_mix_unit_names, (int)r->unit));
	for (size_t i = 0; i < r->group.n; i++) {
		rest += r->group.p[i].kind == LU_AMOUNT_REST;
		weighted += r->group.p[i].weight != 0;
	}
	if (weighted && weighted < rest)
		return lu_err_set(err, "%zu of the %zu groups that divide the rest have no weight",
				rest - weighted, rest);
	return 0;
}

int lu_recipe_read(struct lu_recipe *r, const char *path, struct lu_err *err)
{
	struct reader d = { .r = r, .max_epochs = UINT64_MAX };

	*r = (struct lu_recipe){ .temperature = LU_EPOCH_ONE };
	if (lu_conf_open(&r->conf, path, err) < 0)
		return -1;
	if (lu_conf_each(&r->conf, on_setting, &d, err) < 0)
		goto failed;
	if (check(r, err) < 0) {
		lu_err_wrap(err, "%s", path);
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
	lu_vec_release(&r->target);
	lu_arena_release(&r->arena);
	*r = (struct lu_recipe){ 0 };
}

/* --- matching ----------------------------------------------------------------------------- */

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

bool lu_recipe_class(const struct lu_recipe_group *g, const char *dimension, struct lu_str *value)
{
	for (size_t i = 0; i < g->classes; i++) {
		if (strcmp(g->as[i].dimension, dimension) == 0) {
			*value = lu_str_of(g->as[i].value);
			return true;
		}
	}
	for (size_t s = 0; s < LU_SELECTORS; s++) {
		if (g->selector[s] && strcmp(selector_names[s], dimension) == 0 &&
				!strpbrk(g->selector[s], "*,")) {
			*value = lu_str_of(g->selector[s]);
			return true;
		}
	}
	return false;
}

const char *lu_target_sign(enum lu_target_op op)
{
	static const char *const sign[] = { "=", "<=", ">=" };

	return sign[op];
}

bool lu_target_match(const struct lu_target *t, struct lu_str value)
{
	return match_any(t->patterns, value);
}

uint64_t lu_recipe_stated(const struct lu_recipe *r, const struct lu_recipe_group *g)
{
	return r->unit == LU_MIX_DOCUMENTS ? g->documents : g->tokens;
}
