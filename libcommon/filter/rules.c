#include "libcommon/filter/rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/suggest.h"

struct row {
	enum lu_measure measure;
	char side; /* '<' or '>' the threshold is dropped */
	double threshold;
	const char *source;
};

#define GOPHER "Rae et al. 2021, A.1"
#define TABLE_A1 "Rae et al. 2021, table A1"
#define FINEWEB "Penedo et al. 2024, FineWeb"
#define FINEWEB2 "FineWeb-2, fra_Latn"
#define DATATROVE "datatrove's default"
#define CCNET_C4 "Lucie; RedPajama-V2 signals of C4"
#define LUCIE "Lucie; Gopher says 0.8"
#define C4 "Raffel et al. 2020, C4"
#define CODEX "Chen et al. 2021, Codex"
#define SANTACODER "Allal et al. 2023, SantaCoder"
#define STARCODER "Li et al. 2023, StarCoder"
#define CODEPARROT "Chen et al. 2021; CodeParrot's words"

static const struct row gopher[] = {
	{ LU_M_WORDS, '<', 50, GOPHER },
	{ LU_M_WORDS, '>', 100000, GOPHER },
	{ LU_M_MEAN_WORD_LENGTH, '<', 3, GOPHER },
	{ LU_M_MEAN_WORD_LENGTH, '>', 10, GOPHER },
	{ LU_M_HASH_RATIO, '>', 0.1, GOPHER },
	{ LU_M_ELLIPSIS_RATIO, '>', 0.1, GOPHER },
	{ LU_M_BULLET_LINES, '>', 0.9, GOPHER },
	{ LU_M_ELLIPSIS_LINES, '>', 0.3, GOPHER },
	{ LU_M_ALPHA_WORDS, '<', 0.8, GOPHER },
	{ LU_M_STOP_WORDS, '<', 2, GOPHER },
	{ LU_M_DUP_PARAS, '>', 0.3, TABLE_A1 },
	{ LU_M_DUP_PARA_CHARS, '>', 0.2, TABLE_A1 },
	{ LU_M_DUP_LINES, '>', 0.3, TABLE_A1 },
	{ LU_M_DUP_LINE_CHARS, '>', 0.2, TABLE_A1 },
	{ LU_M_TOP_2GRAM, '>', 0.2, TABLE_A1 },
	{ LU_M_TOP_3GRAM, '>', 0.18, TABLE_A1 },
	{ LU_M_TOP_4GRAM, '>', 0.16, TABLE_A1 },
	{ LU_M_DUP_5GRAM, '>', 0.15, TABLE_A1 },
	{ LU_M_DUP_6GRAM, '>', 0.14, TABLE_A1 },
	{ LU_M_DUP_7GRAM, '>', 0.13, TABLE_A1 },
	{ LU_M_DUP_8GRAM, '>', 0.12, TABLE_A1 },
	{ LU_M_DUP_9GRAM, '>', 0.11, TABLE_A1 },
	{ LU_M_DUP_10GRAM, '>', 0.1, TABLE_A1 },
};

static const struct row fineweb[] = {
	{ LU_M_LINE_PUNCT, '<', 0.12, FINEWEB },
	{ LU_M_SHORT_LINES, '>', 0.67, FINEWEB },
	{ LU_M_CHAR_DUP_RATIO, '>', 0.01, FINEWEB },
	{ LU_M_NEWLINE_RATIO, '>', 0.3, DATATROVE },
};

/* In the order of FineWeb-2's own pipeline: repetition, FineWeb's rules, Gopher's. */
static const struct row fineweb2_fr[] = {
	{ LU_M_DUP_LINES, '>', 0.264, FINEWEB2 },
	{ LU_M_TOP_2GRAM, '>', 0.161, FINEWEB2 },
	{ LU_M_TOP_3GRAM, '>', 0.149, FINEWEB2 },
	{ LU_M_TOP_4GRAM, '>', 0.134, FINEWEB2 },
	{ LU_M_DUP_5GRAM, '>', 0.15, FINEWEB2 },
	{ LU_M_DUP_6GRAM, '>', 0.141, FINEWEB2 },
	{ LU_M_DUP_7GRAM, '>', 0.131, FINEWEB2 },
	{ LU_M_DUP_8GRAM, '>', 0.121, FINEWEB2 },
	{ LU_M_DUP_9GRAM, '>', 0.111, FINEWEB2 },
	{ LU_M_DUP_10GRAM, '>', 0.1, FINEWEB2 },
	{ LU_M_LINE_PUNCT, '<', 0.1, FINEWEB2 },
	{ LU_M_CHAR_DUP_RATIO, '>', 0.1, FINEWEB2 },
	{ LU_M_NEWLINE_RATIO, '>', 0.185, FINEWEB2 },
	{ LU_M_WORDS, '<', 50, DATATROVE },
	{ LU_M_WORDS, '>', 100000, DATATROVE },
	{ LU_M_MEAN_WORD_LENGTH, '<', 2, FINEWEB2 },
	{ LU_M_MEAN_WORD_LENGTH, '>', 11, FINEWEB2 },
	{ LU_M_HASH_RATIO, '>', 0.1, DATATROVE },
	{ LU_M_ELLIPSIS_RATIO, '>', 0.1, DATATROVE },
	{ LU_M_BULLET_LINES, '>', 0.9, DATATROVE },
	{ LU_M_ELLIPSIS_LINES, '>', 0.3, DATATROVE },
	{ LU_M_ALPHA_WORDS, '<', 0.812, FINEWEB2 },
	{ LU_M_STOP_WORDS, '<', 2, FINEWEB2 },
};

static const struct row lucie_web[] = {
	{ LU_M_SENTENCES, '<', 3, CCNET_C4 },
	{ LU_M_CURLY_RATIO, '>', 0, CCNET_C4 },
	{ LU_M_LOREM_IPSUM, '>', 0, CCNET_C4 },
	{ LU_M_WORDS, '<', 50, GOPHER },
	{ LU_M_WORDS, '>', 100000, GOPHER },
	{ LU_M_MEAN_WORD_LENGTH, '<', 3, GOPHER },
	{ LU_M_MEAN_WORD_LENGTH, '>', 10, GOPHER },
	{ LU_M_HASH_RATIO, '>', 0.1, GOPHER },
	{ LU_M_ELLIPSIS_RATIO, '>', 0.1, GOPHER },
	{ LU_M_BULLET_LINES, '>', 0.9, GOPHER },
	{ LU_M_ELLIPSIS_LINES, '>', 0.3, GOPHER },
	{ LU_M_ALPHA_WORDS, '<', 0.7, LUCIE },
	{ LU_M_TOP_2GRAM, '>', 0.2, TABLE_A1 },
	{ LU_M_TOP_3GRAM, '>', 0.18, TABLE_A1 },
	{ LU_M_TOP_4GRAM, '>', 0.16, TABLE_A1 },
	{ LU_M_DUP_5GRAM, '>', 0.15, TABLE_A1 },
	{ LU_M_DUP_6GRAM, '>', 0.14, TABLE_A1 },
	{ LU_M_DUP_7GRAM, '>', 0.13, TABLE_A1 },
	{ LU_M_DUP_8GRAM, '>', 0.12, TABLE_A1 },
	{ LU_M_DUP_9GRAM, '>', 0.11, TABLE_A1 },
	{ LU_M_DUP_10GRAM, '>', 0.1, TABLE_A1 },
};

/* C4 removes lines first, and judges the page by what is left. */
static const struct row c4[] = {
	{ LU_MEASURES, 0, 0, C4 },
	{ LU_M_CURLY_RATIO, '>', 0, C4 },
	{ LU_M_LOREM_IPSUM, '>', 0, C4 },
	{ LU_M_SENTENCES, '<', 5, C4 },
};

static const struct row code[] = {
	{ LU_M_MAX_LINE_LENGTH, '>', 1000, CODEX },
	{ LU_M_MEAN_LINE_LENGTH, '>', 100, CODEX },
	{ LU_M_ALNUM_RATIO, '<', 0.25, SANTACODER },
	{ LU_M_ALPHA_RATIO, '<', 0.25, STARCODER },
	{ LU_M_GENERATED, '>', 0, CODEPARROT },
};

const struct lu_enum lu_rules_presets[] = {
	{ "gopher", 0 },
	{ "fineweb", 1 },
	{ "fineweb2-fr", 2 },
	{ "lucie-web", 3 },
	{ "c4", 4 },
	{ "code", 5 },
	LU_ENUM_END,
};

#define PRESET(rows)                                   \
	{                                              \
		rows, sizeof(rows) / sizeof((rows)[0]) \
	}
static const struct {
	const struct row *row;
	size_t n;
} presets[LU_RULES_PRESETS] = {
	PRESET(gopher),
	PRESET(fineweb),
	PRESET(fineweb2_fr),
	PRESET(lucie_web),
	PRESET(c4),
	PRESET(code),
};

static int set_reason(struct lu_rule *r, struct lu_err *err)
{
	char number[32], *text;

	if (r->measure == LU_MEASURES)
		return 0;
	lu_num_format(r->threshold, number);
	if (asprintf(&text, "%s %c %s", lu_measure_name(r->measure), r->max ? '>' : '<', number) <
			0)
		return lu_err_nomem(err);
	free(r->reason);
	r->reason = text;
	return 0;
}

static int add(struct lu_rules *r, struct lu_rule rule, struct lu_err *err)
{
	if (!lu_vec_push(r, rule))
		return lu_err_nomem(err);
	return set_reason(&r->p[r->n - 1], err);
}

static int unknown_preset(const char *name, struct lu_err *err)
{
	struct lu_suggest near = lu_suggest_for(lu_str_of(name));

	for (const struct lu_enum *p = lu_rules_presets; p->name; p++)
		lu_suggest_try(&near, p->name);
	return lu_err_set(err, "unknown preset '%s'%s", name,
			near.best ? lu_suggest_hint(&near) : "; --list prints them");
}

int lu_rules_preset(struct lu_rules *r, const char *name, struct lu_err *err)
{
	const struct lu_enum *preset = lu_enum_find(lu_rules_presets, lu_str_of(name));

	if (!preset)
		return unknown_preset(name, err);
	for (size_t j = 0; j < presets[preset->value].n; j++) {
		const struct row *row = &presets[preset->value].row[j];
		struct lu_rule rule = { row->measure, row->side == '>', row->threshold, row->source,
			preset->name, NULL };

		if (add(r, rule, err) < 0)
			return -1;
	}
	return 0;
}

static void remove_rule(struct lu_rules *r, enum lu_measure measure, bool max)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->p[i].measure == measure && r->p[i].max == max)
			free(r->p[i].reason);
		else
			r->p[kept++] = r->p[i];
	}
	r->n = kept;
}

/* Set the threshold in all presets, or add the rule. */
static int change(struct lu_rules *r, enum lu_measure measure, bool max, double threshold,
		struct lu_err *err)
{
	bool found = false;

	for (size_t i = 0; i < r->n; i++) {
		struct lu_rule *rule = &r->p[i];

		if (rule->measure != measure || rule->max != max)
			continue;
		found = true;
		rule->threshold = threshold;
		rule->source = "--set";
		if (set_reason(rule, err) < 0)
			return -1;
	}
	if (found)
		return 0;
	return add(r, (struct lu_rule){ measure, max, threshold, "--set", NULL, NULL }, err);
}

static int unknown_rule(struct lu_str rule, struct lu_err *err)
{
	struct lu_suggest near = lu_suggest_for(rule);
	char name[LU_MEASURES][2][LU_SUGGEST_MAX + 1];

	for (int m = 0; m < LU_MEASURES; m++) {
		for (int max = 0; max < 2; max++) {
			snprintf(name[m][max], sizeof(name[m][max]), "%s_%s", max ? "max" : "min",
					lu_measure_name(m));
			lu_suggest_try(&near, name[m][max]);
		}
	}
	return lu_err_set(err, "unknown rule '" LU_STR_FMT "'%s", LU_STR_ARG(rule),
			near.best ? lu_suggest_hint(&near) : "; --list prints them");
}

int lu_rules_set(struct lu_rules *r, const char *assignment, struct lu_err *err)
{
	size_t n = strcspn(assignment, "=");
	bool max = strncmp(assignment, "max_", 4) == 0;
	double threshold;

	if (!assignment[n])
		return lu_err_set(err, "'%s' is not RULE=VALUE", assignment);
	if (strcmp(assignment, "cut_lines=off") == 0) {
		remove_rule(r, LU_MEASURES, false);
		return 0;
	}
	for (int m = 0; m < LU_MEASURES && n > 4 && (max || strncmp(assignment, "min_", 4) == 0);
			m++) {
		const char *name = lu_measure_name(m);

		if (strlen(name) != n - 4 || memcmp(name, assignment + 4, n - 4) != 0)
			continue;
		if (strcmp(assignment + n + 1, "off") == 0) {
			remove_rule(r, m, max);
			return 0;
		}
		if (lu_num_double(assignment + n + 1, &threshold, err) < 0)
			return lu_err_wrap(err, "%.*s", (int)n, assignment);
		return change(r, m, max, threshold, err);
	}
	return unknown_rule((struct lu_str){ assignment, n }, err);
}

void lu_rules_release(struct lu_rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->p[i].reason);
	lu_vec_release(r);
}

/* Measure what is left of the text from here on. */
static int cut_lines(struct lu_measures *m, struct lu_line_cut *cut, struct lu_err *err)
{
	if (cut->done)
		return 0;
	cut->done = true;
	if (lu_c4_cut(m->measurer, m->text, cut, err) < 0)
		return -1;
	if (cut->changed)
		lu_measures_start(m->measurer, m, lu_buf_slice(&cut->text), m->stop);
	return 0;
}

int lu_rules_judge(const struct lu_rules *r, struct lu_measures *m, struct lu_line_cut *cut,
		const struct lu_rule **failed, double *value, struct lu_err *err)
{
	*failed = NULL;
	for (size_t i = 0; i < r->n; i++) {
		const struct lu_rule *rule = &r->p[i];

		if (rule->measure == LU_MEASURES) {
			if (cut_lines(m, cut, err) < 0)
				return -1;
			continue;
		}
		if (rule->measure == LU_M_STOP_WORDS && m->stop == LU_STOP_NONE)
			continue;
		if (lu_measures_get(m, rule->measure, value, err) < 0)
			return -1;
		if (rule->max ? *value > rule->threshold : *value < rule->threshold) {
			*failed = rule;
			return 0;
		}
	}
	return 0;
}

void lu_rules_list(const struct lu_rules *r, struct lu_str lang, struct lu_buf *out)
{
	int width = lang.n ? 20 : 12;

	for (size_t i = 0; i < r->n; i++) {
		const struct lu_rule *rule = &r->p[i];
		char name[64], number[32];

		snprintf(name, sizeof(name), LU_STR_FMT "%s%s", LU_STR_ARG(lang), lang.n ? "=" : "",
				rule->preset ? rule->preset : "-");
		if (rule->measure == LU_MEASURES) {
			lu_buf_printf(out, "%-*s %-22s %-8s %s\n", width, name, "cut_lines", "-",
					rule->source);
			continue;
		}
		lu_num_format(rule->threshold, number);
		lu_buf_printf(out, "%-*s %s_%-18s %-8s %s\n", width, name,
				rule->max ? "max" : "min", lu_measure_name(rule->measure), number,
				rule->source);
	}
}
