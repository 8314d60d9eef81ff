#ifndef LUCIE_REPORT_SURVEY_H
#define LUCIE_REPORT_SURVEY_H
/*
 * What the documents after each stage are: their languages, lengths, sources, licences and domains
 * (report/domain.h), and of the last stage some samples; and what the tokens of shards are, from
 * their ledgers.
 *
 *	struct lu_survey s = { 0 };
 *	lu_survey_read(&s, &o->after, 2, &o->std, args, &err);
 *	lu_survey_release(&s);
 *
 *	struct lu_survey_stage stage;
 *	lu_survey_begin(&stage, "", top, &o->std);
 *	lu_survey_count(&stage, &o->std, args, &err);  or  lu_survey_shards(&stage, &o->shards, &err);
 *	lu_survey_finish(&stage, &err);
 *
 * std->memory bounds the tables, a quarter for each; documents that are being read come on top.
 */
#include "libcommon/par/docstream.h"
#include "libcommon/report/census.h"
#include "libcommon/report/samples.h"

/* Names of a stage that the page can show; the others are summed up. */
#define LU_SURVEY_TOP 10000

struct lu_survey_stage {
	char *name;
	struct lu_census census[LU_CENSUS_WHATS]; /* by enum lu_census_what */
	struct lu_samples kept;			  /* by language */
};

struct lu_survey {
	struct LU_VEC(struct lu_survey_stage) stage;
};

/* The name is copied. */
int lu_survey_begin(struct lu_survey_stage *s, const char *name, size_t top,
		const struct lu_std *std, struct lu_err *err) LU_CHECKED;
/* Count the documents in the operands. */
int lu_survey_count(struct lu_survey_stage *stage, const struct lu_std *std,
		const struct lu_args *args, struct lu_err *err) LU_CHECKED;
/* Count the documents in the ledgers of these prefixes, by tokens. Ledgers name no address: of the
 * domains nothing is counted. */
int lu_survey_shards(struct lu_survey_stage *stage, const struct lu_list *prefix,
		struct lu_err *err) LU_CHECKED;
/* Sort: largest rows first. */
int lu_survey_finish(struct lu_survey_stage *stage, struct lu_err *err) LU_CHECKED;
void lu_survey_stage_release(struct lu_survey_stage *stage);

/* Count the documents in the files of a list of STAGE=FILE, and sort. Of the last stage `samples` of
 * each language are kept. */
int lu_survey_read(struct lu_survey *s, const struct lu_list *list, size_t samples,
		const struct lu_std *std, const struct lu_args *args,
		struct lu_err *err) LU_CHECKED;
void lu_survey_release(struct lu_survey *s);

#endif
