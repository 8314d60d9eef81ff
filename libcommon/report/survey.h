#ifndef LUCIE_REPORT_SURVEY_H
#define LUCIE_REPORT_SURVEY_H
/*
 * What the documents after each stage are: their languages, lengths, sources and licences, and of the
 * last stage some samples.
 *
 *	struct lu_survey s = { 0 };
 *	lu_survey_read(&s, &o->after, 2, &o->std, args, &err);
 *	lu_survey_release(&s);
 */
#include "libcommon/par/docstream.h"
#include "libcommon/report/by_name.h"
#include "libcommon/report/census.h"
#include "libcommon/report/samples.h"

struct lu_survey_stage {
	char *name;
	struct lu_census census;
	struct lu_by_name lang, source, license;
	struct lu_samples kept; /* by language */
};

struct lu_survey {
	struct LU_VEC(struct lu_survey_stage) stage;
};

/* The index of the stage of this name, or of a new one, in *stage. */
int lu_survey_stage(struct lu_survey *s, const char *name, size_t *stage,
		struct lu_err *err) LU_CHECKED;
/* Count the documents in the operands. */
int lu_survey_count(struct lu_survey_stage *stage, const struct lu_std *std,
		const struct lu_args *args, struct lu_err *err) LU_CHECKED;
/* Count the documents in the files of a list of STAGE=FILE, and sort: largest rows first. Of the last
 * stage `samples` of each language are kept. */
int lu_survey_read(struct lu_survey *s, const struct lu_list *list, size_t samples,
		const struct lu_std *std, const struct lu_args *args,
		struct lu_err *err) LU_CHECKED;
void lu_survey_release(struct lu_survey *s);

#endif
