#ifndef LUCIE_FILTER_RULES_H
#define LUCIE_FILTER_RULES_H
/*
 * Quality rules: a measure, a side and a threshold. A preset is a table of rules in the order in
 * which they are tried; the first that a document fails is the reason for its drop.
 *
 *	struct lu_rules r = { 0 };
 *	lu_rules_preset(&r, "gopher", &err);
 *	lu_rules_set(&r, "min_words=20", &err);		changes the rule everywhere, or adds it
 *	lu_rules_set(&r, "max_dup_5gram=off", &err);	removes it
 *	lu_rules_judge(&r, &measures, &failed, &value, &err)
 *	lu_rules_release(&r);
 *
 * The preset c4 begins with a step that is no rule: it cuts lines (c4_lines.h), and the rules behind
 * it measure what is left. lu_rules_set(&r, "cut_lines=off", &err) removes it.
 *
 * A rule is named min_ or max_ and its measure (measures.h): min_words=50 drops texts with words <
 * 50, max_words=50 those with words > 50; equality passes.
 */
#include "libcommon/filter/c4_lines.h"
#include "libcommon/filter/measures.h"
#include "libcommon/sys/opt.h"

struct lu_rule {
	enum lu_measure measure; /* LU_MEASURES: cut lines */
	bool max;
	double threshold;
	const char *source; /* where the number comes from */
	const char *preset; /* NULL: from lu_rules_set() */
	char *reason;	    /* "words < 50" */
};

struct lu_rules LU_VEC(struct lu_rule);

#define LU_RULES_PRESETS 6
extern const struct lu_enum lu_rules_presets[]; /* their names */

int lu_rules_preset(struct lu_rules *r, const char *name, struct lu_err *err) LU_CHECKED;
int lu_rules_set(struct lu_rules *r, const char *assignment, struct lu_err *err) LU_CHECKED;
void lu_rules_release(struct lu_rules *r);

/* *failed is the first rule that the text fails, with the measured value, or NULL. The rule on stop
 * words is skipped for a text without a list. Set cut->done to false before the first rules of a
 * document: lines are cut once, cut->changed says whether, and the measures are then those of
 * cut->text. */
int lu_rules_judge(const struct lu_rules *r, struct lu_measures *m, struct lu_line_cut *cut,
		const struct lu_rule **failed, double *value, struct lu_err *err) LU_CHECKED;

/* Append a table of the rules: preset, behind `lang` and '=' unless that is empty, rule, threshold,
 * source. */
void lu_rules_list(const struct lu_rules *r, struct lu_str lang, struct lu_buf *out);

#endif
