#ifndef LUCIE_REPORT_SURVEY_TEXT_H
#define LUCIE_REPORT_SURVEY_TEXT_H
/*
 * The tables of a survey for the terminal and as JSON.
 *
 *	lu_survey_choose(&o->by, &tables, &err);	"license,domain" -> the tables to show
 *	lu_survey_text(&stage, tables, &out);
 */
#include "libcommon/report/survey.h"

/* Set of tables: bit i is enum lu_census_what i. */
#define LU_SURVEY_TABLE(what) (1U << (what))
#define LU_SURVEY_LANG LU_SURVEY_TABLE(LU_CENSUS_LANG)
/* What a ledger tells. */
#define LU_SURVEY_LEDGER \
	(LU_SURVEY_LANG | LU_SURVEY_TABLE(LU_CENSUS_SOURCE) | LU_SURVEY_TABLE(LU_CENSUS_LICENSE))

/* Each item is one or more of lang, source, license and domain, separated by commas. */
int lu_survey_choose(const struct lu_list *by, unsigned *tables, struct lu_err *err) LU_CHECKED;
/* Tables one after the other, in the order of enum lu_census_what. */
void lu_survey_text(const struct lu_survey_stage *s, unsigned tables, struct lu_buf *out);
/* One object a line. */
void lu_survey_lines(const struct lu_survey_stage *s, unsigned tables, struct lu_buf *out);
/* The member "shards" of the object that is open: totals, and an array for each table. */
void lu_survey_shards_json(const struct lu_survey_stage *s, unsigned tables, struct lu_buf *out);

#endif
