#ifndef LUCIE_FILTER_QUALITY_H
#define LUCIE_FILTER_QUALITY_H
/*
 * The judge of quality (judges.h): rules by language, then expressions, over the measures of the
 * text, the members of the record, and the scores of classifiers.
 *
 *	struct lu_quality q = { .min_score = 0.65 };
 *	lu_by_lang_preset(&q.rules, "fr=fineweb2-fr,*=none", &err);
 *	lu_quality_classifier(&q, "edu.bin:hq", &err);		before the expressions that use it
 *	lu_quality_expr(&q, "classifier >= 0.5", &err);
 *	lu_quality_start(&q, &err);
 *	lu_judges_add(&judges, &lu_quality_judge, &q, &err);
 *	...
 *	lu_quality_release(&q);
 *
 * The accounting line gets no_stop_words, and where they apply no_preset, lines_cut, bytes_cut and
 * missing.
 */
#include "libcommon/filter/by_lang.h"
#include "libcommon/filter/classifier.h"
#include "libcommon/filter/expr.h"
#include "libcommon/filter/judges.h"

struct lu_quality {
	/* What is asked for. */
	bool annotate;		/* keep all, add the measures as "quality" */
	double min_score;	/* least lang_score; 0: none */
	const char *stop_words; /* language for all documents, or NULL */
	struct lu_by_lang rules;
	struct LU_VEC(struct lu_expr *) exprs;
	struct LU_VEC(struct lu_classifier *) classifiers;
	struct LU_VEC(const char *) names; /* of the classifiers */
	/* What came of it. */
	uint64_t no_stop_words; /* documents in languages without a list of stop words */
	uint64_t no_preset;	/* documents whose language has no preset, though others have */
	uint64_t lines_cut, bytes_cut;
	struct lu_expr_count *counts; /* of the members of all expressions, in their order */
	struct lu_measurer *measurer;
};
extern const struct lu_judge lu_quality_judge;

int lu_quality_classifier(struct lu_quality *q, const char *given, struct lu_err *err) LU_CHECKED;
int lu_quality_expr(struct lu_quality *q, const char *text, struct lu_err *err) LU_CHECKED;
int lu_quality_start(struct lu_quality *q, struct lu_err *err) LU_CHECKED;
void lu_quality_release(struct lu_quality *q);

/* True if no document can be dropped or changed. */
bool lu_quality_empty(const struct lu_quality *q);
/* After the run: the first member that expressions read and no document had, or NULL. */
const char *lu_quality_never_there(const struct lu_quality *q);

#endif
